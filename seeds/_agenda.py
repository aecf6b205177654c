"""The example's calendar: the lives of many things, told in one order of dates.

A life (of a proposal, a club, a contest, a person) is a generator of facts in order of date. The
agenda asks a life for its next fact only when the last one has been told, so that what waits in
memory is one fact for each thing under way, never a year.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TypeAlias

__all__ = ["Agenda", "Life", "Row", "iso", "ordinal", "workday"]

Row: TypeAlias = dict[str, str]
"""One import row: column to cell; absent fields have no column."""

Life: TypeAlias = Iterator[tuple[int, str, Row]]
"""Day (ordinal), kind and fields of each fact, in order of date."""

_SATURDAY = 5


def ordinal(year: int, month: int, day: int) -> int:
    """Return the number of a day."""
    return date(year, month, day).toordinal()


def iso(day: int) -> str:
    """Write a day as ``YYYY-MM-DD``."""
    return date.fromordinal(day).isoformat()


def workday(day: int) -> int:
    """Return the day itself, or the Monday after when it falls on a weekend."""
    weekday = (day - 1) % 7  # day 1 of the calendar is a Monday
    return day if weekday < _SATURDAY else day + 7 - weekday


class Agenda:
    """What is due on which day.

    Args:
        last_day: The last day told; what would happen later is left open.
    """

    __slots__ = ("_due", "_last_day")

    def __init__(self, last_day: int) -> None:
        self._last_day = last_day
        self._due: dict[int, list[tuple[str, Row, Life]]] = {}

    def add(self, life: Life) -> None:
        """Take a life up: its next fact waits for its day."""
        for day, kind, fields in life:
            if day <= self._last_day:
                self._due.setdefault(day, []).append((kind, fields, life))
            break  # the rest of the life is asked for when this fact has been told

    def rows(self, day: int) -> Iterator[Row]:
        """Tell the facts of a day, in the order in which they were taken up."""
        occurred_on = iso(day)
        due = self._due.setdefault(day, [])
        for kind, fields, life in due:  # grows meanwhile: a life may go on within the day
            yield {"kind": kind, "occurred_on": occurred_on, **fields}
            self.add(life)
        del self._due[day]
