"""Confirmation: somebody else says that what was recorded counts (확인, 심사).

Whether a rule waits for it is the rulebook's: ``confirm = true`` on a rule. Until then what it
gives is shown and counts for nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import attrs
from mileage.ledger.errors import Refused
from mileage.ledger.fields import Label, Text

from .registry import Context, Data, Programme, kind, kinds

if TYPE_CHECKING:
    from mileage.ledger.facts import Command

__all__ = ["PointsConfirmed"]

KEY_LENGTH_MAX = 400


def decide(state: object, command: Command, context: Context) -> tuple[Data, ...]:
    """Guard a confirmation: of a fact that earns and stands, by another person, once."""
    data, name = command.data, f"{command.data.fact!r}"
    target = context.standing(data.fact)
    if target is None:
        reason = f"no fact stands under the key {name}"
        raise Refused("confirmation.unknown-fact", reason, field="fact")
    if target.kind.activity is None:
        raise Refused(
            "confirmation.earns-nothing",
            f"a fact of kind {target.kind.name} earns nothing that could be confirmed",
            field="fact",
        )
    if command.occurred_on < target.occurred_on:
        raise Refused(
            "confirmation.before-the-fact",
            f"{command.occurred_on} is before the fact itself, {target.occurred_on}",
            field="occurred_on",
        )
    if command.recorded_by == target.recorded_by:
        raise Refused(
            "confirmation.four-eyes",
            "who recorded a fact cannot confirm it",
            field="fact",
            remedy="let somebody else record the confirmation (--by)",
        )
    if state:
        raise Refused("confirmation.repeated", f"{name} is confirmed already", field="fact")
    return (data,)


kinds.add_programme(Programme("confirmation", Label("점수 확인", "Confirmation"), decide=decide))


@kind(
    "points.confirmed",
    ko="점수 확인",
    en="Points confirmed",
    category="confirmation",
    id_fields=("fact",),
)
@attrs.frozen
class PointsConfirmed(Data):
    """Somebody other than who recorded a fact confirms it, so that what waits for that counts."""

    fact: Annotated[str, Text("기록의 키", "Key of the fact", length_max=KEY_LENGTH_MAX)]
