"""The state of a year at one look."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from mileage.ledger.facts import format_instant

from .coverage import Coverage, coverage
from .eligibility import Selection, eligible, programmes
from .indicators import IndicatorResult, indicators
from .open_things import OpenThings, open_things
from .outbox import Batch, Outbox
from .participation import (
    Money,
    Participation,
    ProgrammeActivity,
    activity_by_programme,
    last_day,
    money,
    participation,
)
from .report import RulebookInForce, rulebooks_in_force
from .standing import last_fact

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from mileage.ledger import Ledger, Recorded

    from .figures import Figures, Period, Ranked

__all__ = ["Overview", "overview"]


@attrs.frozen
class Overview:
    """The state of a period at one look.

    Attributes:
        organisation: Whose ledger it is.
        period: The period.
        day: The day on which it is looked at: the period's last, or an earlier one when it is
            not over.
        participation: Who took part, by the head-count of that day.
        programmes: What people did, by programme, most activities first.
        coverage: Whether it is rewarded, and why not.
        top: People with most points, those tied at the last place included.
        selections: What each programme in force on the day makes of it.
        open: What is open at the end of that day.
        money: Support of learning clubs and study teams in the period, by item.
        indicators: Indicators of the year in which the day lies.
        rulebook: The rulebook in force on the day, if any.
        waiting: Position of an adopted rulebook that waits for a rebuild; 0 without one.
        last_fact: The last fact recorded, if any.
        last_batch: The last batch cut for HR, if any.
    """

    organisation: str
    period: Period
    day: date
    participation: Participation
    programmes: tuple[ProgrammeActivity, ...]
    coverage: Coverage
    top: tuple[Ranked, ...]
    selections: tuple[Selection, ...]
    open: tuple[OpenThings, ...]
    money: tuple[Money, ...]
    indicators: tuple[IndicatorResult, ...]
    rulebook: RulebookInForce | None
    waiting: int
    last_fact: Recorded | None
    last_batch: Batch | None

    @property
    def points(self) -> int:
        """Points given in the period, 1/10,000 point."""
        return sum(each.points for each in self.programmes)


def overview(  # noqa: PLR0913 - what it is asked by
    ledger: Ledger,
    figures: Figures,
    period: Period,
    *,
    as_of: date | None = None,
    known_at: datetime | None = None,
    places: int = 5,
) -> Overview:
    """Gather the state of a period.

    Args:
        ledger: The ledger.
        figures: Its figures, as of the same day and instant.
        period: The period.
        as_of: What counted on that civil date, corrections that took effect by then included.
        known_at: Only what had been recorded by that instant.
        places: How many places of the ranking are listed.

    Raises:
        MileageError: The period has not begun.
    """
    day = last_day(ledger, period, as_of)
    return Overview(
        organisation=ledger.organisation,
        period=period,
        day=day,
        participation=participation(figures, period, day),
        programmes=tuple(activity_by_programme(figures, ledger.kinds, period)),
        coverage=coverage(figures, period),
        top=tuple(each for each in figures.ranking(period, limit=places) if each.points > 0),
        selections=tuple(eligible(figures, name, day) for name in programmes(figures, day)),
        open=tuple(open_things(ledger, day, as_of=as_of, known_at=known_at)),
        money=tuple(money(ledger, period, as_of=as_of, known_at=known_at)),
        indicators=tuple(
            indicators(ledger, year=day.year, until=day, as_of=as_of, known_at=known_at)
        ),
        rulebook=next(iter(rulebooks_in_force(figures, period, day)[-1:]), None),
        waiting=int(figures.meta()["pending_rulebook"]),
        last_fact=last_fact(ledger, as_of=as_of, known_at=known_at),
        last_batch=_last_batch(Outbox(ledger).batches(), as_of, known_at),
    )


def _last_batch(
    batches: Sequence[Batch], as_of: date | None, known_at: datetime | None
) -> Batch | None:
    """The last batch as of a day and cut by an instant."""
    cut = [
        batch
        for batch in batches
        if (as_of is None or batch.manifest["as_of"] <= as_of.isoformat())
        and (known_at is None or batch.manifest["cut_at"] <= format_instant(known_at))
    ]
    return cut[-1] if cut else None
