"""The file of an HR batch, as a profile has it: CSV, XLSX, JSON Lines or Parquet.

The same lines under the same profile give the same bytes. Amounts are written exactly or not at
all: nothing is rounded, cut off or replaced by a question mark.
"""

from __future__ import annotations

import csv
import io
import json
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs
from mileage.ledger import MileageError, format_amount

from .hrprofile import DATES, DECIMALS_MAX, LINE_ENDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from mileage.ledger import Entry

    from .hr import HrLine
    from .hrprofile import Profile, ProfileColumn

__all__ = ["FORMAT", "OPEN_END", "harmless", "render"]

FORMAT = "mileage-hr/2"
OPEN_END = date(9999, 12, 31)
"""Effective end of what holds until a later row takes its place."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_PROBLEMS_SHOWN = 10
_SCALE = 10**DECIMALS_MAX


def harmless(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would take for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def render(
    profile: Profile,
    manifest: Mapping[str, Any],
    lines: Sequence[HrLine],
    entries: Mapping[str, Entry],
) -> bytes:
    """Write a batch's lines.

    Args:
        profile: Columns, format and how values are written.
        manifest: What the batch says of itself, as far as it does not depend on the file.
        lines: The lines.
        entries: What the directory knows of their people.

    Raises:
        MileageError: Something cannot be written exactly; the message has line and column.
    """
    table = _Table(profile, manifest, _values(profile, manifest, lines, entries))
    table.check_people()
    body = _WRITERS[profile.format](table)
    table.refuse()
    return body


def _values(
    profile: Profile,
    manifest: Mapping[str, Any],
    lines: Sequence[HrLine],
    entries: Mapping[str, Entry],
) -> list[list[Any]]:
    """The values of each column: text, int (amounts in 1/10,000) or date."""
    day = date.fromisoformat(manifest["as_of"])
    batch = manifest["batch"]
    same = {
        "batch": batch,
        "sequence": manifest["sequence"],
        "mode": manifest["mode"],
        "effective_start": day,
    }
    each: dict[str, Callable[[HrLine], Any]] = {
        "line": lambda line: line.line,
        "row_id": lambda line: f"{batch}:{line.line}",
        "person": lambda line: line.key.person,
        "employee_number": lambda line: line.employee_number,
        "name": lambda line: entries[line.key.person].name if line.key.person in entries else "",
        "programme": lambda line: line.key.programme,
        "code": lambda line: line.key.code,
        "for_period": lambda line: line.key.for_period,
        "entitlement": lambda line: "/".join(line.key[1:]),
        "in_period": lambda line: line.in_period,
        "effective_end": lambda line: OPEN_END if line.new else day,
        "previous": lambda line: line.previous,
        "new": lambda line: line.new,
        "delta": lambda line: line.delta,
        "reason": lambda line: line.reason,
        "facts": lambda line: ";".join(map(str, line.facts)),
        "supersedes": lambda line: ";".join(line.supersedes),
    }
    columns = []
    for column in profile.columns:
        if column.field in each:
            get = each[column.field]
            columns.append([get(line) for line in lines])
        else:
            columns.append([same.get(column.field, column.constant)] * len(lines))
    return columns


@attrs.frozen
class _Table:
    """The values of a file, and what of them cannot be written."""

    profile: Profile
    manifest: Mapping[str, Any]
    values: list[list[Any]]
    problems: list[tuple[int, str]] = attrs.field(factory=list, init=False)

    @property
    def columns(self) -> list[tuple[ProfileColumn, list[Any]]]:
        return list(zip(self.profile.columns, self.values, strict=True))

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.profile.columns]

    def texts(self) -> list[list[str]]:
        """All values as texts: amounts as decimals, dates as the profile has them."""
        return [self._texts(column, values) for column, values in self.columns]

    def _texts(self, column: ProfileColumn, values: list[Any]) -> list[str]:
        if column.kind == "text":
            return values
        if column.kind == "date":
            pattern = DATES[self.profile.dates]
            known = {day: f"{day:{pattern}}" for day in set(values)}
            return [known[day] for day in values]
        if column.kind == "integer":
            return list(map(str, values))
        self.check_places(column, values)
        if column.decimals is None:
            return list(map(format_amount, values))
        return [_fixed(value, column.decimals) for value in values]

    def check_people(self) -> None:
        """Find rows that would not tell whose they are: the number is all, and there is none."""
        if any(column.field == "person" for column in self.profile.columns):
            return
        for column, values in self.columns:
            for number, value in enumerate(values, 1):
                if column.field == "employee_number" and not value:
                    reason = "is empty; put the number in the directory, or add a person column"
                    self.wrong(number, column, reason)

    def check_places(self, column: ProfileColumn, values: list[int]) -> None:
        """Find amounts with more decimal places than their column has."""
        if column.decimals is None:
            return
        step = 10 ** (DECIMALS_MAX - column.decimals)
        for number, value in enumerate(values, 1):
            if value % step:
                reason = f"has more than {column.decimals} decimal places; give the column more"
                self.wrong(number, column, reason)

    def wrong(self, number: int, column: ProfileColumn, reason: str) -> None:
        """Note a value that cannot be written; what it is stays untold."""
        where = f"line {number} of the batch, column {column.name!r}"
        self.problems.append((number, f"{where}: {reason}"))

    def refuse(self) -> None:
        """Raise what was found."""
        if self.problems:
            in_order = sorted(self.problems, key=lambda problem: problem[0])
            shown = [text for _, text in in_order[:_PROBLEMS_SHOWN]]
            if more := len(self.problems) - len(shown):
                shown.append(f"and {more:,} more")
            raise MileageError("\n".join(shown))

    def encoded(self, text: str, encoding: str) -> bytes:
        """A text of whole rows in an encoding; where it cannot be, each cell is looked at."""
        try:
            return text.encode(encoding)
        except UnicodeEncodeError:
            other = "use utf-8-sig" if encoding == "cp949" else "correct it in the directory"
            for column, values in self.columns:
                for number, value in enumerate(values, 1):
                    if column.kind == "text" and not _encodable(value, encoding):
                        self.wrong(number, column, f"cannot be written in {encoding}; {other}")
            for column in self.profile.columns:
                if not _encodable(column.name, encoding):
                    reason = f"the heading {column.name!r} cannot be written in {encoding}"
                    self.problems.append((0, reason))
            return b""


def _encodable(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _fixed(units: int, places: int) -> str:
    whole, rest = divmod(abs(units), _SCALE)
    digits = f"{rest:0{DECIMALS_MAX}d}"[:places]
    return ("-" if units < 0 else "") + (f"{whole}.{digits}" if places else str(whole))


# -- formats -----------------------------------------------------------------------------------


def _csv(table: _Table) -> bytes:
    profile = table.profile
    out = io.StringIO(newline="")
    writer = csv.writer(
        out, delimiter=profile.delimiter, lineterminator=LINE_ENDS[profile.line_end]
    )
    guard = harmless if profile.formulas == "quote" else str
    if profile.header:
        writer.writerow(map(guard, table.names))
    columns: list[Iterable[str]] = [
        map(guard, texts) if column.kind == "text" else texts
        for column, texts in zip(profile.columns, table.texts(), strict=True)
    ]
    writer.writerows(zip(*columns, strict=True))
    return table.encoded(out.getvalue(), profile.encoding)


def _jsonl(table: _Table) -> bytes:
    names = table.names
    columns = [
        values if column.kind == "integer" else texts
        for (column, values), texts in zip(table.columns, table.texts(), strict=True)
    ]
    rows = (
        json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False)
        for row in zip(*columns, strict=True)
    )
    return table.encoded("".join(f"{row}\n" for row in rows), "utf-8")


def _parquet(table: _Table) -> bytes:
    import pyarrow as pa  # noqa: PLC0415 - slow to import
    from pyarrow import parquet  # noqa: PLC0415

    arrays, fields = [], []
    for column, values in table.columns:
        places = DECIMALS_MAX if column.decimals is None else column.decimals
        if column.kind == "amount":
            table.check_places(column, values)
            step = 10 ** (DECIMALS_MAX - places)
            values = [Decimal(value // step).scaleb(-places) for value in values]  # noqa: PLW2901
        kinds = {
            "text": pa.string(),
            "integer": pa.int64(),
            "amount": pa.decimal128(AMOUNT_DIGITS, places),
            "date": pa.date32(),
        }
        try:
            arrays.append(pa.array(values, kinds[column.kind]))
        except UnicodeEncodeError:
            table.encoded("\ud800", "utf-8")
            return b""
        fields.append(pa.field(column.name, kinds[column.kind], nullable=False))
    about = json.dumps(dict(table.manifest), ensure_ascii=False)
    schema = pa.schema(fields, metadata={"mileage.manifest": about})
    out = io.BytesIO()
    parquet.write_table(pa.Table.from_arrays(arrays, schema=schema), out, compression="snappy")
    return out.getvalue()


AMOUNT_DIGITS = 38
SHEET_ROWS_MAX = 1_048_576
SHEET_CELL_CHARS_MAX = 32_767
SHEET_DIGITS_MAX = 15


def _xlsx(table: _Table) -> bytes:
    try:
        from openpyxl import Workbook  # noqa: PLC0415 - an extra
        from openpyxl.cell import WriteOnlyCell  # noqa: PLC0415
    except ImportError:
        msg = "xlsx needs openpyxl: pip install 'innovation-mileage[xlsx]'"
        raise MileageError(msg) from None
    _check_sheet(table)
    if table.problems:
        return b""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("batch")
    # A row is written as soon as it is appended, so that one cell serves for a whole column.
    cells = [WriteOnlyCell(sheet) for _ in table.values]
    puts = [_put(column) for column in table.profile.columns]
    if table.profile.header:
        for cell, name in zip(cells, table.names, strict=True):
            _put_text(cell, name)
        sheet.append(cells)
    for cell, column in zip(cells, table.profile.columns, strict=True):
        cell.number_format = _sheet_format(table.profile, column)
    for row in zip(*table.values, strict=True):
        for cell, put, value in zip(cells, puts, row, strict=True):
            put(cell, value)
        sheet.append(cells)
    about = book.create_sheet("manifest")
    pair = [WriteOnlyCell(about), WriteOnlyCell(about)]
    for key, value in table.manifest.items():
        _put_text(pair[0], key)
        _put_text(pair[1], _stated(value))
        about.append(pair)
    return _packed(book, datetime.fromisoformat(table.manifest["cut_at"]))


def _stated(value: object) -> str:
    """A value of the manifest as the text of a cell."""
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)


def _check_sheet(table: _Table) -> None:
    """Find what a spreadsheet would cut off, round or refuse."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE  # noqa: PLC0415 - an extra

    rows = table.manifest["rows"] + table.profile.header
    if rows > SHEET_ROWS_MAX:
        msg = f"a sheet has room for {SHEET_ROWS_MAX:,} rows, these are {rows:,}; use csv"
        raise MileageError(msg)
    for column, values in table.columns:
        if column.kind == "amount":
            table.check_places(column, values)
        for number, value in enumerate(values, 1):
            if column.kind == "amount" and abs(value) >= 10**SHEET_DIGITS_MAX:
                reason = f"has more than {SHEET_DIGITS_MAX} digits, which a sheet rounds; use csv"
                table.wrong(number, column, reason)
            elif column.kind == "text":
                if len(value) > SHEET_CELL_CHARS_MAX:
                    reason = f"has {len(value):,} characters, a cell takes {SHEET_CELL_CHARS_MAX:,}"
                    table.wrong(number, column, f"{reason}; use csv")
                elif ILLEGAL_CHARACTERS_RE.search(value) or not _encodable(value, "utf-8"):
                    table.wrong(number, column, "has a character that a sheet cannot hold")


def _put(column: ProfileColumn) -> Callable[[Any, Any], None]:
    """What puts a value of a column into a cell: numbers as numbers, texts never as formulas."""
    match column.kind:
        case "text":
            return _put_text
        case "amount":
            return _put_amount
        case _:
            return _put_value


def _put_text(cell: Any, value: str) -> None:
    cell.value = value
    cell.data_type = "s"  # whatever it begins with


def _put_amount(cell: Any, value: int) -> None:
    cell.value = Decimal(value).scaleb(-DECIMALS_MAX).normalize() + 0


def _put_value(cell: Any, value: Any) -> None:
    cell.value = value


def _sheet_format(profile: Profile, column: ProfileColumn) -> str:
    match column.kind:
        case "text":
            return "@"
        case "date":
            return profile.dates.lower()
        case "amount" if column.decimals is not None:
            return "0." + "0" * column.decimals if column.decimals else "0"
        case _:
            return "General"


def _packed(book: Any, moment: datetime) -> bytes:
    """The workbook as a file that does not tell when it was written."""
    import zipfile  # noqa: PLC0415

    from openpyxl.xml.functions import tostring  # noqa: PLC0415 - an extra

    instant = moment.replace(tzinfo=None, microsecond=0)
    book.properties.created = book.properties.modified = instant
    book.properties.creator = "mileage"
    first, out = io.BytesIO(), io.BytesIO()
    book.save(first)
    book.properties.modified = instant  # saving sets it to the present
    with zipfile.ZipFile(first) as source, zipfile.ZipFile(out, "w") as target:
        for item in source.infolist():
            body = source.read(item)
            if item.filename == "docProps/core.xml":
                body = tostring(book.properties.to_tree())
            plain = zipfile.ZipInfo(item.filename)  # of 1980, as all are
            plain.create_system, plain.external_attr = 0, 0
            plain.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(plain, body)
    return out.getvalue()


_WRITERS: Mapping[str, Callable[[_Table], bytes]] = {
    "csv": _csv,
    "jsonl": _jsonl,
    "parquet": _parquet,
    "xlsx": _xlsx,
}
