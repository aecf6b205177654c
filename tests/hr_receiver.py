"""How an HR system reads a batch, in every format and profile that comes with the package.

It knows the file, its manifest and what ``docs/hr.md`` says, and nothing of the code that wrote it.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zlib
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs
import openpyxl
from pyarrow import parquet

if TYPE_CHECKING:
    from pathlib import Path

SCALE = 10_000
KOREAN = {
    "묶음": "batch",
    "구성원": "person",
    "제도": "programme",
    "구분": "code",
    "대상기간": "for_period",
    "이전": "previous",
    "이후": "new",
    "증감": "delta",
}


@attrs.frozen
class Row:
    """A line as HR reads it: its number, the key and amounts in 1/10,000."""

    line: int
    person: str
    programme: str
    code: str
    for_period: str
    new: int
    delta: int

    @property
    def key(self) -> tuple[str, ...]:
        return (self.person, self.programme, self.code, self.for_period)


def read_batch(inbox: Path, sequence: int) -> tuple[dict[str, Any], list[Row]]:
    """A batch whose manifest has come: digest and control totals are those of the file."""
    name = f"hr-batch-{sequence:06d}"
    manifest = json.loads((inbox / f"{name}.manifest.json").read_text("utf-8"))
    body = (inbox / manifest["file"]).read_bytes()
    assert manifest["file"] == f"{name}.{manifest['file_format']}"
    assert manifest["sequence"] == sequence
    assert manifest["sha256"] == hashlib.sha256(body).hexdigest()
    rows = [_row(each, manifest["batch"]) for each in _cells(body, manifest)]
    deltas = [row.delta for row in rows]
    assert manifest["rows"] == len(rows) > 0
    assert [row.line for row in rows] == list(range(1, len(rows) + 1))
    assert _units(manifest["sum_positive"]) == sum(each for each in deltas if each > 0)
    assert _units(manifest["sum_negative"]) == sum(each for each in deltas if each < 0)
    assert _units(manifest["sum_new"]) == sum(row.new for row in rows)
    assert manifest["hash_total"] == sum(zlib.crc32(row.person.encode()) for row in rows)
    return manifest, rows


def _cells(body: bytes, manifest: dict[str, Any]) -> list[dict[str, Any]]:
    match manifest["file_format"]:
        case "csv":
            text = io.StringIO(body.decode(manifest["encoding"]), newline="")
            bars = manifest["profile"] == "effective-dated"
            return list(csv.DictReader(text, delimiter="|" if bars else ","))
        case "jsonl":
            return [json.loads(each) for each in body.decode("utf-8").splitlines()]
        case "parquet":
            return parquet.read_table(io.BytesIO(body)).to_pylist()
        case _:
            sheet = openpyxl.load_workbook(io.BytesIO(body))["batch"]
            head, *rows = sheet.iter_rows(values_only=True)
            return [dict(zip(head, row, strict=True)) for row in rows]


def _row(cells: dict[str, Any], batch: str) -> Row:
    if "RecordId" in cells:
        programme, code, for_period = cells["Entitlement"].split("/")
        cells = {
            "row_id": cells["RecordId"],
            "person": cells["PersonId"],
            "programme": programme,
            "code": code,
            "for_period": for_period,
            "new": cells["Value"],
            "delta": cells["Change"],
        }
    elif "행번호" in cells:
        cells = {"row_id": cells["행번호"]} | {en: cells[ko] for ko, en in KOREAN.items()}
    if "row_id" in cells:
        name, _, line = cells["row_id"].partition(":")
    else:
        name, line = cells["batch"], cells["line"]
    assert name == batch
    key = (cells[each] for each in ("person", "programme", "code", "for_period"))
    return Row(int(line), *key, _units(cells["new"]), _units(cells["delta"]))


def _units(amount: Any) -> int:
    units = Decimal(str(amount)) * SCALE
    assert units == int(units)
    return int(units)
