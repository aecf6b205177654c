"""Mileage redeemed: what people have left, and the guard that nobody redeems more.

Points earned stay earned: what is available is earned less redeemed. A correction may bring it
below zero; that is shown, and nothing more can be redeemed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from mileage.ledger import Command, Refused, format_amount, to_units
from mileage.ledger.kinds.redemption import RedemptionMade

from .days import day_of
from .figures import Period

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

    from mileage.ledger import Ledger, Recorded

    from .figures import Figures
    from .readmodel import ReadModel

__all__ = ["Available", "RedemptionLine", "available", "redeem", "redemptions"]


@attrs.frozen
class Available:
    """What a person has earned and redeemed.

    Attributes:
        earned: Sum of all postings, 1/10,000 point.
        redeemed: Points redeemed and not given back, 1/10,000 point.
    """

    earned: int
    redeemed: int

    @property
    def left(self) -> int:
        """What can be redeemed; below 0 after a correction of what was redeemed already."""
        return self.earned - self.redeemed


@attrs.frozen
class RedemptionLine:
    """Points redeemed or given back.

    Attributes:
        position: Position of the fact.
        occurred_on: Civil date of the fact.
        redemption: Id of the redemption.
        points: Points redeemed, 1/10,000 point; below 0 when given back.
        note: The purpose, or why they were given back.
    """

    position: int
    occurred_on: date
    redemption: str
    points: int
    note: str


def redemptions(
    figures: Figures, person: str, period: Period | None = None
) -> list[RedemptionLine]:
    """What a person redeemed and got back, in order of date.

    Raises:
        UnknownPerson: Nobody joined under that id.
    """
    span = period or Period.parse("all")
    rows = figures.query(
        "SELECT position, day, redemption, points, note FROM redemptions"
        " WHERE person = ? AND day >= ? AND day < ? ORDER BY day, position",
        (figures.person_id(person), span.day_from, span.day_until),
    )
    return [RedemptionLine(position, day_of(day), *rest) for position, day, *rest in rows]


def available(figures: Figures, person: str) -> Available:
    """What a person has earned and redeemed in all.

    Raises:
        UnknownPerson: Nobody joined under that id.
    """
    redeemed = sum(line.points for line in redemptions(figures, person))
    return Available(figures.balance(person).points, redeemed)


def redeem(  # noqa: PLR0913 - what a redemption states
    ledger: Ledger,
    model: ReadModel,
    person: str,
    points: Decimal,
    *,
    purpose: str,
    on: date,
    by: str,
    redemption: str | None = None,
    source: str = "api",
    key: str | None = None,
) -> Recorded:
    """Record that a person redeems points, of those available on that day and now.

    Args:
        ledger: The ledger.
        model: Its read model.
        person: Id of the person.
        points: How many, more than 0.
        purpose: What for.
        on: Civil date.
        by: Opaque id of who records it.
        redemption: Its id, under which sending it again changes nothing; the person, the day and
            a number unless given.
        source: Where it comes from.
        key: Key in that source; made of the id unless given.

    Raises:
        UnknownPerson: Nobody joined under that id.
        Refused: The person has fewer points, or does not serve on that day.
    """
    with ledger.writer() as writer:
        model.catch_up()
        figures = model.figures()
        earlier = redemptions(figures, person)
        name = redemption or _next_id(person, on, len(earlier))
        data = RedemptionMade(name, person, points, purpose)
        command = Command(data, on, by, source, key)
        if writer.find(command.effective_key) is None:
            left = available(figures, person).left
            with model.figures_at(as_of=on) as then:
                left = min(left, available(then, person).left)
            if to_units(points) > left:
                raise Refused(
                    "redemption.more-than-available",
                    f"{person} has {format_amount(left)} points available on {on},"
                    f" not {format_amount(to_units(points))}",
                )
        return writer.add(command)


def _next_id(person: str, on: date, earlier: int) -> str:
    return f"{person}-{on:%Y%m%d}-{earlier + 1}"
