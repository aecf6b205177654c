"""What HR says to a batch: received, accepted, rejected, line by line.

An acknowledgement is a CSV file with the columns ``batch``, ``line``, ``status`` and, if it likes,
``reason``, ``sha256`` and ``rows``. A row without a line is about the batch as a whole:

- ``received``: HR has it; ``sha256`` is the digest of the file as it came.
- ``accepted`` or ``rejected``: every line that has no row of its own.
- ``partial``: the lines that have rows of their own, ``rows`` of them; the others stay out.

A row with a line is ``accepted`` or ``rejected``. A file is taken in whole or not at all; saying
the same again changes nothing, in any order of the batches.
"""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any

import attrs
from mileage.ledger import ImportRefused, LedgerFileError
from mileage.ledger.errors import Problem
from mileage.ledger.facts import format_instant
from mileage.ledger.rowfiles import brief

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from .outbox import Batch, Outbox

__all__ = ["Acknowledged", "acknowledge"]

_REQUIRED = ("batch", "line", "status")
_OPTIONAL = ("reason", "sha256", "rows")
_OF_BATCH = ("received", "accepted", "rejected", "partial")
_OF_LINE = ("accepted", "rejected")
NOTE_LENGTH_MAX = 1_000
_WHOLE = re.compile(r"[0-9]{1,9}")


@attrs.frozen
class Acknowledged:
    """What a file said that was not known before.

    Attributes:
        batches: Batches whose receipt is new.
        accepted: Lines newly accepted.
        rejected: Lines newly rejected; the next batch sends what is due of them again.
        repeated: Lines of which the same was known.
    """

    batches: int
    accepted: int
    rejected: int
    repeated: int


@attrs.frozen
class _Row:
    number: int
    cells: Mapping[str, str]


def acknowledge(outbox: Outbox, path: Path) -> Acknowledged:
    """Take in an acknowledgement, whole or not at all.

    Args:
        outbox: The outbox whose batches it is about.
        path: The file, CSV in UTF-8.

    Raises:
        ImportRefused: The file has problems: all are listed and nothing changes.
        LedgerFileError: The file or the outbox cannot be used.
    """
    rows = _read(path)
    with outbox._connected(create=False) as connection:  # noqa: SLF001 - the other half of the outbox
        connection.execute("BEGIN IMMEDIATE")
        batches = {batch.manifest["batch"]: batch for batch in outbox.batches()}
        reading = _Reading(path.name, batches)
        for row in rows:
            reading.take(row)
        said = reading.finish()
        if reading.problems:
            raise ImportRefused(sorted(reading.problems, key=lambda p: p.line))
        now = format_instant(outbox.ledger.clock())
        received = connection.executemany(
            "UPDATE batches SET received_at = ? WHERE sequence = ? AND received_at IS NULL",
            [(now, sequence) for sequence in sorted(reading.heard_of)],
        ).rowcount
        connection.executemany(
            "UPDATE lines SET status = ?, note = ? WHERE sequence = ? AND line = ?",
            [(status, note, *place) for place, (status, note) in sorted(said.items())],
        )
        connection.execute("COMMIT")
    counts = [status for status, _ in said.values()]
    return Acknowledged(
        max(received, 0), counts.count("accepted"), counts.count("rejected"), reading.repeated
    )


def _read(path: Path) -> list[_Row]:
    """The rows of the file, each with as many cells as there are columns."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        msg = f"{path.name}: {error.strerror}"
        raise LedgerFileError(msg) from error
    except UnicodeDecodeError as error:
        reason = f"byte {error.start + 1:,} is not UTF-8"
        remedy = "save it as CSV in UTF-8"
        raise ImportRefused([Problem(path.name, 0, "", "hr.not-utf-8", reason, remedy)]) from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[_Row] = []
    problems: list[Problem] = []
    try:
        head = [name.strip() for name in next(reader, [])]
        _check_head(path.name, head, problems)
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(head):
                reason = f"has {len(cells)} cells for {len(head)} columns; is the file cut short?"
                problems.append(Problem(path.name, reader.line_num, "", "hr.row", reason))
                continue
            rows.append(_Row(reader.line_num, dict(zip(head, map(str.strip, cells), strict=True))))
    except csv.Error as error:
        problems.append(Problem(path.name, reader.line_num, "", "hr.row", str(error)))
    if not rows and not problems:
        problems.append(Problem(path.name, 0, "", "hr.empty", "acknowledges nothing"))
    if problems:
        raise ImportRefused(problems)
    return rows


def _check_head(name: str, head: Sequence[str], problems: list[Problem]) -> None:
    missing = [column for column in _REQUIRED if column not in head]
    unknown = [c for c in head if c not in (*_REQUIRED, *_OPTIONAL) or head.count(c) > 1]
    problems += [Problem(name, 1, c, "hr.header", "the column is missing") for c in missing]
    problems += [Problem(name, 1, c, "hr.header", "is no column, or there twice") for c in unknown]


class _Reading:
    """Rows checked against the batches that were cut; what is wrong is collected."""

    def __init__(self, file: str, batches: Mapping[str, Batch]) -> None:
        self.file = file
        self.batches = batches
        self.problems: list[Problem] = []
        self.heard_of: set[int] = set()
        self.repeated = 0
        self._whole: dict[str, tuple[_Row, str]] = {}
        self._lines: dict[tuple[str, int], tuple[_Row, str]] = {}

    def take(self, row: _Row) -> None:
        """Note what a row says."""
        cells = row.cells
        batch = self._batch(row)
        if batch is None:
            return
        digest = cells.get("sha256", "")
        if digest and digest.lower() != batch.manifest["sha256"]:
            self._wrong(row, "sha256", "digest", "is not the digest of the batch as it was cut")
        words = _OF_LINE if cells["line"] else _OF_BATCH
        if cells["status"] not in words:
            reason = f"{brief(cells['status'])} is none of {', '.join(words)}"
            self._wrong(row, "status", "status-unknown", reason)
            return
        if not cells["line"]:
            self._say(self._whole, batch.manifest["batch"], row)
            return
        number = cells["line"]
        if not _WHOLE.fullmatch(number) or not 1 <= int(number) <= len(batch.lines):
            reason = f"batch {batch.sequence} has no line {brief(number)}"
            self._wrong(row, "line", "line-unknown", reason)
            return
        self._say(self._lines, (batch.manifest["batch"], int(number)), row)

    def _batch(self, row: _Row) -> Batch | None:
        name = row.cells["batch"]
        batch = self.batches.get(name)
        if batch is None:
            own = next(iter(self.batches), "").rpartition("-")[0]
            if name.rpartition("-")[0] == own and own:
                self._wrong(row, "batch", "batch-unknown", f"{brief(name)} was never cut")
            else:
                reason = f"{brief(name)} is no batch of this ledger"
                self._wrong(row, "batch", "batch-foreign", reason)
            return None
        self.heard_of.add(batch.sequence)
        return batch

    def _say(self, known: dict[Any, tuple[_Row, str]], key: Any, row: _Row) -> None:
        before, status = known.get(key), row.cells["status"]
        if before and before[1] != status:
            reason = f"line {before[0].number} of the file says {before[1]}"
            self._wrong(row, "status", "contradiction", reason)
        known[key] = (row, status)

    def finish(self) -> dict[tuple[int, int], tuple[str, str]]:
        """What changes, by sequence and line: status and note."""
        said: dict[tuple[int, int], tuple[str, str]] = {}
        for name, batch in self.batches.items():
            whole = self._whole.get(name)
            own = [number for of, number in self._lines if of == name]
            if whole:
                self._check_rows(whole[0], len(own))
            for line in batch.lines:
                found = self._lines.get((name, line.line))
                if found is None and whole and whole[1] in _OF_LINE:
                    found = whole
                if found is None:
                    continue
                row, status = found
                if line.status == status:
                    self.repeated += 1
                elif line.status != "out":
                    reason = f"line {line.line} of batch {batch.sequence} is {line.status} already"
                    self._wrong(row, "status", "contradiction", reason)
                else:
                    note = row.cells.get("reason", "")[:NOTE_LENGTH_MAX]
                    said[batch.sequence, line.line] = (status, note)
        return said

    def _check_rows(self, row: _Row, count: int) -> None:
        stated = row.cells.get("rows", "")
        if stated and stated != str(count):
            reason = f"states {brief(stated)} lines, the file has {count}; is it cut short?"
            self._wrong(row, "rows", "truncated", reason)
        elif row.cells["status"] == "partial" and not stated:
            reason = "is needed with partial: how many lines have rows of their own"
            self._wrong(row, "rows", "rows-missing", reason)

    def _wrong(self, row: _Row, field: str, rule: str, reason: str) -> None:
        self.problems.append(Problem(self.file, row.number, field, f"hr.{rule}", reason))
