"""Who is left out of a programme although the points are there: sanctions, months of service.

All of it is asked of the figures: sanctions of their register, service of the tenures.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import attrs

from .days import OPEN_DAY, day_number, day_of

if TYPE_CHECKING:
    from .figures import Figures

__all__ = ["Sanction", "sanctions"]


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


def _years_after(day: date, years: int) -> date:
    """The same day so many years later; 1 March where there is no 29 February."""
    try:
        return day.replace(year=min(day.year + years, date.max.year))
    except ValueError:
        return date(day.year + years, 3, 1)
