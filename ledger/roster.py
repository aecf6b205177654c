"""The file in which HR says who serves where and as what: read row by row, nothing recorded.

=====================  ========  =================================================================
column                 Korean    meaning
=====================  ========  =================================================================
``employee_number``    사번      the employer's number, a text
``name``               성명      needed for somebody new
``unit``, ``rank``     소속      codes of both; needed for somebody who joins
                       직급
``status``             상태      ``serving`` 재직 (unless given), ``leave`` 휴직, ``left`` 퇴직
``effective_on``       발령일    since when it holds (``2005-07-01``, ``2005.07.01`` or
                                 ``20050701``); of who left, the last day of service
``previous_number``    이전사번  number under which somebody hired again was known before
``person``             구성원    opaque id, where HR knows it; made up for somebody new unless given
=====================  ========  =================================================================
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import attrs

from .errors import ImportRefused, InvalidFact, Problem
from .fields import Choice, Code, Label, Text, parse_date
from .rowfiles import csv_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date
    from pathlib import Path

    from .fields import FieldType
    from .rowfiles import CsvRows, Row

__all__ = ["FIELDS", "LEAVE", "LEFT", "SERVING", "RosterRow", "check_totals", "read_roster"]

SERVING, LEAVE, LEFT = "serving", "leave", "left"
_NUMBER = Text("사번", "Employee number", length_max=200)
FIELDS: dict[str, FieldType] = {
    "employee_number": _NUMBER,
    "name": Text("성명", "Name", length_max=200),
    "unit": Code("소속", "Unit"),
    "rank": Code("직급", "Rank"),
    "status": Choice(
        "상태",
        "Status",
        words={
            SERVING: Label("재직", "serving"),
            LEAVE: Label("휴직", "on leave"),
            LEFT: Label("퇴직", "left"),
        },
    ),
    "effective_on": Text("발령일", "Effective on"),
    "previous_number": attrs.evolve(_NUMBER, ko="이전사번", en="Previous number"),
    "person": Code("구성원", "Person"),
}
_COLUMNS = {name: name for name in FIELDS} | {field.ko: name for name, field in FIELDS.items()}
_DATE = re.compile(r"([0-9]{4})[./]?([0-9]{2})[./]?([0-9]{2})")
_STATUSES = {"재직": SERVING, "휴직": LEAVE, "퇴직": LEFT}


@attrs.frozen
class RosterRow:
    """What HR says of one person, since a day.

    Attributes:
        line: Line of the file, from 1.
        employee_number: The employer's number.
        name: Name; empty where HR does not say.
        unit: Code of the unit; empty where HR does not say.
        rank: Code of the rank; empty where HR does not say.
        status: ``serving``, ``leave`` or ``left``.
        effective_on: Since when it holds; for ``left`` the last day of service.
        previous_number: Number under which the person was known before; may be empty.
        person: Opaque id; may be empty.
    """

    line: int
    employee_number: str
    name: str
    unit: str
    rank: str
    status: str
    effective_on: date
    previous_number: str
    person: str


def read_roster(
    path: Path, *, on: date, encoding: str = "utf-8", ignored: Sequence[str] = ()
) -> tuple[list[RosterRow], list[Problem]]:
    """Read a CSV file of people; columns may have their English or Korean names.

    Args:
        path: The file.
        on: Since when rows without a date hold.
        encoding: Any of Python's; UTF-8 may have a byte order mark.
        ignored: Columns of the file to leave aside.

    Returns:
        The rows, and what is wrong with the others.

    Raises:
        ImportRefused: The file cannot be read, or not by its columns.
    """
    with csv_rows(path, encoding) as file:
        return _read(file, on, ignored)


def _read(file: CsvRows, on: date, ignored: Sequence[str]) -> tuple[list[RosterRow], list[Problem]]:
    problems = file.check_columns((*_COLUMNS, *ignored))
    names = [_COLUMNS.get(column, "") for column in file.columns]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    problems += [
        file.problem(1, "import.column-repeated", f"{name} has two columns", "remove one")
        for name in twice
    ]
    if not problems and "employee_number" not in names:
        reason = "there is no column 'employee_number' (사번)"
        problems.append(file.problem(1, "import.column-missing", reason))
    if problems:
        raise ImportRefused(problems)
    rows: list[RosterRow] = []
    for row in file.rows():
        found = row.problem or _row(file.name, row, on)
        if isinstance(found, RosterRow):
            rows.append(found)
        else:
            problems.append(found)
    return rows, problems


def _row(file: str, row: Row, on: date) -> RosterRow | Problem:
    cells = {_COLUMNS[column]: text for column, text in row.values.items() if column in _COLUMNS}
    cells["status"] = _STATUSES.get(cells.get("status", SERVING), cells.get("status", SERVING))
    try:
        values: dict[str, Any] = {name: _cell(name, cells.get(name, "")) for name in FIELDS}
        values["effective_on"] = _day(cells["effective_on"]) if values["effective_on"] else on
    except InvalidFact as error:
        return Problem(file, row.line, error.field, "people.invalid", error.reason)
    return RosterRow(row.line, **values)


def _cell(name: str, text: str) -> str:
    """A cell that is fit for its column; only the number must be there."""
    if not text and name != "employee_number":
        return ""
    try:
        FIELDS[name].check(text)
    except ValueError as error:
        raise InvalidFact(name, str(error)) from None
    return text


def _day(text: str) -> date:
    found = _DATE.fullmatch(text)
    try:
        return parse_date("-".join(found.groups()) if found else text)
    except ValueError as error:
        raise InvalidFact("effective_on", str(error)) from None


def check_totals(
    file: str, rows: Iterable[RosterRow], count: int, expected: int | None, total: int | None
) -> Iterator[Problem]:
    """Hold a file against what HR states about it: its count and the sum of its numbers."""
    if expected is not None and count != expected:
        reason = f"has {count:,} rows, {expected:,} were expected"
        yield Problem(file, 0, "", "people.count", reason, "was it cut short? Fetch it again")
    sums = sum(_digits(row.employee_number) for row in rows)
    if total is not None and sums != total:
        reason = f"its employee numbers add up to {sums}, stated are {total}"
        remedy = "was it cut short or changed? Fetch it again"
        yield Problem(file, 0, "employee_number", "people.control-total", reason, remedy)


def _digits(number: str) -> int:
    return int("".join(each for each in number if each in "0123456789") or "0")
