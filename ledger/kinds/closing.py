"""Closing of periods: what was published of them stays as it was (마감).

Periods are closed in order: all days up to the end of the last one closed are closed. Facts about
closed days go on being recorded; what they change is posted as a difference in the open period
(see ``mileage.projections.closing``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import attrs
from mileage.ledger.errors import Refused
from mileage.ledger.fields import Code, Label, PeriodCode, Text
from mileage.ledger.periods import period_days

from .registry import Context, Data, Programme, kind, kinds

if TYPE_CHECKING:
    from datetime import date

    from mileage.ledger.facts import Command, Fact

__all__ = ["CLOSINGS", "Closings", "PeriodClosed", "PeriodReopened"]

CLOSINGS = "closing:"
"""The stream of all closings of a ledger."""


@attrs.frozen
class Closings:
    """State: the periods that are closed, in order.

    Attributes:
        periods: Their codes.
    """

    periods: tuple[str, ...] = ()

    @property
    def until(self) -> date | None:
        """First day that is open; ``None`` when no period is closed."""
        return period_days(self.periods[-1])[1] if self.periods else None


def decide(state: Closings | None, command: Command, _context: Context) -> tuple[Data, ...]:
    """Guard closings: in order, none before its end, none reopened by one person alone."""
    closed, data = state or Closings(), command.data
    begins, ends = period_days(data.period)
    if isinstance(data, PeriodReopened):
        _check_reopening(closed, data, command)
        return (data,)
    if closed.until is not None and ends <= closed.until:
        raise Refused(
            "closing.already-closed",
            f"{data.period} is closed: all days before {closed.until} are",
            field="period",
        )
    if closed.until is not None and begins != closed.until:
        raise Refused(
            "closing.out-of-order",
            f"{data.period} begins on {begins}, and {closed.until} is the first day that is open",
            field="period",
            remedy=f"close the period that begins on {closed.until} first",
        )
    if command.occurred_on < ends:
        raise Refused(
            "closing.before-its-end",
            f"{data.period} lasts until {ends}, so it cannot be closed on {command.occurred_on}",
            field="occurred_on",
        )
    return (data,)


def _check_reopening(closed: Closings, data: PeriodReopened, command: Command) -> None:
    if data.period not in closed.periods:
        raise Refused("closing.not-closed", f"{data.period} is not closed", field="period")
    if data.period != closed.periods[-1]:
        raise Refused(
            "closing.not-the-last",
            f"{closed.periods[-1]} was closed after {data.period}",
            field="period",
            remedy=f"reopen {closed.periods[-1]} first",
        )
    if data.approved_by == command.recorded_by:
        raise Refused(
            "closing.four-eyes",
            "a period is reopened by two people: who records it cannot approve it",
            field="approved_by",
        )


def evolve(state: Closings | None, fact: Fact) -> Closings:
    """Fold one fact into the state."""
    closed = (state or Closings()).periods
    match fact.data:
        case PeriodClosed(period=period):
            return Closings((*closed, period))
        case _:
            return Closings(closed[:-1])


kinds.add_programme(Programme("closing", Label("마감", "Closing"), decide=decide, evolve=evolve))


@kind(
    "period.closed",
    ko="기간 마감",
    en="Period closed",
    category="closing",
    id_fields=(),
    identity=("period", "occurred_on"),
    voidable=False,
)
@attrs.frozen
class PeriodClosed(Data):
    """A period is closed: its figures stay as they are; what changes them later is posted later."""

    period: Annotated[str, PeriodCode("기간", "Period")]


@kind(
    "period.reopened",
    ko="마감 취소",
    en="Period reopened",
    category="closing",
    id_fields=(),
    identity=("period", "occurred_on"),
    voidable=False,
)
@attrs.frozen
class PeriodReopened(Data):
    """The period closed last is open again, as two people decided; its figures follow the facts."""

    period: Annotated[str, PeriodCode("기간", "Period")]
    approved_by: Annotated[str, Code("승인자", "Approved by")]
    reason: Annotated[str, Text("사유", "Reason")]
