"""Mileage redeemed for flexible benefits, and given back (선택적 복지제도, 마일리지 사용).

What was earned stays earned: rankings and thresholds do not look at what was redeemed. The ledger
knows no points, so that nobody redeems more than there is is guarded where points are known,
``mileage.projections.redeem``.
"""

from __future__ import annotations

from decimal import Decimal  # noqa: TC003 - read at run time by the declaration
from typing import TYPE_CHECKING, Annotated

import attrs
from mileage.ledger.errors import Refused
from mileage.ledger.fields import Code, Label, Person, Points, Text

from .registry import Context, Data, Programme, kind, kinds

if TYPE_CHECKING:
    from mileage.ledger.facts import Command, Fact

__all__ = ["Redemption", "RedemptionMade", "RedemptionReversed"]


@attrs.frozen
class Redemption:
    """State of a redemption.

    Attributes:
        reversed: Whether its points were given back.
    """

    reversed: bool = False


def decide(state: Redemption | None, command: Command, _context: Context) -> tuple[Data, ...]:
    """Guard a redemption: made once, given back once."""
    data = command.data
    name = f"redemption {data.redemption}"
    if isinstance(data, RedemptionMade):
        if state is not None:
            raise Refused("redemption.already-made", f"{name} exists already", field="redemption")
    elif state is None:
        raise Refused("redemption.unknown", f"{name} was never made", field="redemption")
    elif state.reversed:
        raise Refused("redemption.already-reversed", f"{name} is reversed", field="redemption")
    return (data,)


def evolve(_state: Redemption | None, fact: Fact) -> Redemption:
    """Fold one fact into a redemption's state."""
    return Redemption(reversed=isinstance(fact.data, RedemptionReversed))


kinds.add_programme(
    Programme("redemption", Label("마일리지 사용", "Redemption"), decide=decide, evolve=evolve)
)


@kind(
    "redemption.made",
    ko="마일리지 사용",
    en="Mileage redeemed",
    category="redemption",
    id_fields=("redemption",),
)
@attrs.frozen
class RedemptionMade(Data):
    """A person redeems points for a purpose."""

    redemption: Annotated[str, Code("사용 번호", "Redemption")]
    person: Annotated[str, Person("구성원", "Person")]
    redeemed_points: Annotated[Decimal, Points("사용 점수", "Points redeemed")]
    purpose: Annotated[str, Text("용도", "Purpose", length_max=500)]


@kind(
    "redemption.reversed",
    ko="마일리지 사용 취소",
    en="Redemption reversed",
    category="redemption",
    id_fields=("redemption",),
)
@attrs.frozen
class RedemptionReversed(Data):
    """The points of a redemption are given back, for a reason."""

    redemption: Annotated[str, Code("사용 번호", "Redemption")]
    reason: Annotated[str, Text("사유", "Reason")]
