"""Reading names from a CSV file into the people directory: all of a file, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .directory import Entry
from .errors import ImportRefused, InvalidFact, Problem
from .rowfiles import csv_rows

if TYPE_CHECKING:
    from pathlib import Path

    from .rowfiles import CsvRows, Row

__all__ = ["read_entries"]

_COLUMNS = ("person", "name", "employee_number")
_NEEDED = ("person", "name")


def read_entries(path: Path, *, encoding: str = "utf-8") -> list[Entry]:
    """Read a CSV file with the columns ``person``, ``name`` and, if wanted, ``employee_number``.

    Args:
        path: The file.
        encoding: Any of Python's; UTF-8 may have a byte order mark.

    Raises:
        ImportRefused: The file cannot be read, a row is wrong, or a person comes twice.
    """
    with csv_rows(path, encoding) as rows:
        return _read(rows)


def _read(rows: CsvRows) -> list[Entry]:
    problems = rows.check_columns(_COLUMNS) or [
        rows.problem(1, "import.column-missing", f"there is no column {name!r}")
        for name in _NEEDED
        if name not in rows.columns
    ]
    if problems:
        raise ImportRefused(problems)
    entries: dict[str, Entry] = {}
    for row in rows.rows():
        found = _entry(rows, row)
        if isinstance(found, Entry) and found.person in entries:
            reason = f"{found.person} stands in an earlier row too"
            found = Problem(rows.name, row.line, "person", "directory.repeated", reason)
        if isinstance(found, Problem):
            problems.append(found)
        else:
            entries[found.person] = found
    if problems:
        raise ImportRefused(problems)
    return list(entries.values())


def _entry(rows: CsvRows, row: Row) -> Entry | Problem:
    if row.problem:
        return row.problem
    for name in _NEEDED:
        if name not in row.values:
            return Problem(rows.name, row.line, name, "directory.invalid", "is missing")
    try:
        return Entry(**row.values)
    except InvalidFact as error:
        rule = "directory.invalid"
        return Problem(rows.name, row.line, error.field, rule, error.reason, error.remedy)
