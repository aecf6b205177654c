"""Points on hold: an activity is disputed, and counts again or never (이의 신청, 보류).

The fact itself stands as recorded. While it is on hold nothing counts of it; released, it counts
as ever; denied, it never does. Which it was on a day, and what was known then, stays on record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import attrs
from mileage.ledger.errors import Refused
from mileage.ledger.fields import Label, Text

from .registry import Context, Data, Programme, kind, kinds

if TYPE_CHECKING:
    from mileage.ledger.facts import Command, Fact

__all__ = ["Hold", "PointsDenied", "PointsHeld", "PointsReleased"]

KEY_LENGTH_MAX = 400


@attrs.frozen
class Hold:
    """State of what is, or was, on hold.

    Attributes:
        status: Whether it is on hold, counts again, or never will.
    """

    status: Literal["held", "released", "denied"] = "held"


def decide(state: Hold | None, command: Command, context: Context) -> tuple[Data, ...]:
    """Guard a hold: of a fact that earns and stands, ended once."""
    data, name = command.data, f"{command.data.fact!r}"
    held = state is not None and state.status == "held"
    if isinstance(data, PointsHeld):
        target = context.standing(data.fact)
        if target is None:
            raise Refused("hold.unknown-fact", f"no fact stands under the key {name}", field="fact")
        if target.kind.activity is None:
            raise Refused(
                "hold.earns-nothing",
                f"a fact of kind {target.kind.name} earns nothing that could be on hold",
                field="fact",
            )
        if command.occurred_on < target.occurred_on:
            raise Refused(
                "hold.before-the-fact",
                f"{command.occurred_on} is before the fact itself, {target.occurred_on}",
                field="occurred_on",
            )
        if held:
            raise Refused("hold.already-held", f"{name} is on hold already", field="fact")
        if state is not None and state.status == "denied":
            raise Refused(
                "hold.denied",
                f"{name} was denied: it counts for nothing",
                field="fact",
                remedy="void the denial first, if it was recorded in error",
            )
    elif not held:
        raise Refused("hold.not-held", f"{name} is not on hold", field="fact")
    return (data,)


def evolve(state: Hold | None, fact: Fact) -> Hold | None:
    """Fold one fact into the state."""
    del state
    match fact.data:
        case PointsHeld():
            return Hold()
        case PointsReleased():
            return Hold("released")
        case _:
            return Hold("denied")


kinds.add_programme(Programme("hold", Label("점수 보류", "Hold"), decide=decide, evolve=evolve))


@kind(
    "points.held",
    ko="점수 보류",
    en="Points put on hold",
    category="hold",
    id_fields=("fact",),
    identity=("fact", "occurred_on"),
)
@attrs.frozen
class PointsHeld(Data):
    """What a fact earns is disputed: it counts for nothing until it is released."""

    fact: Annotated[str, Text("기록의 키", "Key of the fact", length_max=KEY_LENGTH_MAX)]
    reason: Annotated[str, Text("사유", "Reason")]


@kind(
    "points.released",
    ko="점수 보류 해제",
    en="Points released",
    category="hold",
    id_fields=("fact",),
    identity=("fact", "occurred_on"),
)
@attrs.frozen
class PointsReleased(Data):
    """The dispute is decided for the people: what was on hold counts as ever."""

    fact: Annotated[str, Text("기록의 키", "Key of the fact", length_max=KEY_LENGTH_MAX)]
    reason: Annotated[str, Text("사유", "Reason")]


@kind(
    "points.denied",
    ko="점수 불인정",
    en="Points denied",
    category="hold",
    id_fields=("fact",),
    identity=("fact", "occurred_on"),
)
@attrs.frozen
class PointsDenied(Data):
    """The dispute is decided against the people: what was on hold never counts."""

    fact: Annotated[str, Text("기록의 키", "Key of the fact", length_max=KEY_LENGTH_MAX)]
    reason: Annotated[str, Text("사유", "Reason")]
