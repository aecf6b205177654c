"""Who is left out of a programme although the points are there: sanctions, months of service.

All of it is asked of the figures: sanctions of their register, service of the tenures.
"""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from datetime import date, timedelta
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

import attrs

from .days import OPEN_DAY, day_number, day_of

if TYPE_CHECKING:
    from .figures import Figures, Period

__all__ = ["Sanction", "months_served", "sanctions"]


@attrs.frozen
class Sanction:
    """A sanction that leaves somebody out of a programme on a day.

    Attributes:
        sanction: Its id.
        ground: Code of its ground.
        since: First day.
        until: First day without it; ``None`` while that is open.
        bars_until: First day on which the programme is open again; ``None`` while that is open.
    """

    sanction: str
    ground: str
    since: date
    until: date | None
    bars_until: date | None


_SANCTIONS = """
SELECT m.person, s.sanction, s.ground, s.day_from, s.day_until
FROM sanctions s JOIN people m ON m.id = s.person
WHERE s.day_from <= ? AND s.day_from < s.day_until ORDER BY s.position
"""


def sanctions(figures: Figures, as_of: date, years: int) -> dict[str, Sanction]:
    """Whom a sanction leaves out on a day, each with the one that does so longest.

    Args:
        figures: The figures.
        as_of: Civil date in the ledger's zone.
        years: For how many years after its end a sanction counts; 0 while it lasts only.
    """
    found: dict[str, Sanction] = {}
    for person, sanction, ground, since, until in figures.query(_SANCTIONS, (day_number(as_of),)):
        ends = None if until == OPEN_DAY else day_of(until)
        bars_until = _years_after(ends, years) if ends else None
        if bars_until is not None and bars_until <= as_of:
            continue
        other = found.get(person)
        if other is None or (bars_until or date.max) > (other.bars_until or date.max):
            found[person] = Sanction(sanction, ground, day_of(since), ends, bars_until)
    return found


_SERVICE = """
SELECT m.person, max(t.day_from, ?), min(t.day_until, ?)
FROM tenures t JOIN people m ON m.id = t.person
WHERE t.status = 'serving' AND t.day_from < ? AND t.day_until > ?
"""

_ONE_DAY = timedelta(days=1)


def months_served(
    figures: Figures, period: Period, as_of: date, full_from: int | None
) -> dict[str, Fraction]:
    """Months of service without leave of everybody who served, in a period up to a day, exact.

    Args:
        figures: The figures.
        period: The period; months are those of the calendar.
        as_of: Last civil date that counts, in the ledger's zone.
        full_from: Days of service with which a month counts whole, and not at all with fewer;
            ``None`` where each month counts by its days of service over its days.
    """
    first, until = period.day_from, min(period.day_until, day_number(as_of + _ONE_DAY))
    days: defaultdict[str, defaultdict[tuple[int, int], int]]
    days = defaultdict(lambda: defaultdict(int))
    for person, since, end in figures.query(_SERVICE, (first, until, until, first)):
        for month, count in _days_by_month(since, end):
            days[person][month] += count
    return {
        person: sum((_month(month, n, full_from) for month, n in months.items()), Fraction(0))
        for person, months in days.items()
    }


@cache
def _month(month: tuple[int, int], days: int, full_from: int | None) -> Fraction:
    if full_from is not None:
        return Fraction(days >= full_from)
    return Fraction(days, monthrange(*month)[1])


@cache
def _days_by_month(since: int, until: int) -> tuple[tuple[tuple[int, int], int], ...]:
    """How many days of each calendar month lie in a stretch of days (``yyyymmdd``)."""
    day, end = day_of(since), day_of(until)
    found = []
    while day < end:
        month = day.year, day.month
        following = min(day.replace(day=monthrange(*month)[1]) + _ONE_DAY, end)
        found.append((month, (following - day).days))
        day = following
    return tuple(found)


def _years_after(day: date, years: int) -> date:
    """The same day so many years later; 1 March where there is no 29 February."""
    try:
        return day.replace(year=min(day.year + years, date.max.year))
    except ValueError:
        return date(day.year + years, 3, 1)
