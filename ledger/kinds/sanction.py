"""Sanctions: for how long somebody is kept from what programmes give (징계 등 제한).

A sanction is of a person, whatever staff number the person has: it follows who leaves and is hired
again. Whether a programme looks at sanctions, and for how long after their end, is the rulebook's.
Facts say when and on which ground in a code, never what happened.
"""

from __future__ import annotations

from datetime import date  # noqa: TC003 - read at run time by the declaration
from typing import TYPE_CHECKING, Annotated

import attrs
from mileage.ledger.errors import Refused
from mileage.ledger.fields import Code, Day, Label, Person

from .registry import Context, Data, Programme, kind, kinds

if TYPE_CHECKING:
    from mileage.ledger.facts import Command, Fact

__all__ = ["Sanction", "SanctionImposed", "SanctionLifted"]


@attrs.frozen
class Sanction:
    """State of a sanction.

    Attributes:
        until: First day without it; ``None`` while that is open.
        lifted: Whether it was lifted.
    """

    until: date | None = None
    lifted: bool = False


def decide(state: Sanction | None, command: Command, _context: Context) -> tuple[Data, ...]:
    """Guard a sanction: imposed once, and lifted once while it lasts."""
    data, day = command.data, command.occurred_on
    name = f"sanction {data.sanction}"
    if isinstance(data, SanctionImposed):
        if state is not None:
            raise Refused("sanction.already-imposed", f"{name} is imposed", field="sanction")
        if data.until is not None and data.until <= day:
            raise Refused(
                "sanction.ends-before-start",
                f"{name} ends on {data.until}, and begins on {day}",
                field="until",
                remedy="until is the first day without it; leave it out while that is open",
            )
    elif state is None:
        raise Refused("sanction.unknown", f"{name} was never imposed", field="sanction")
    elif state.lifted:
        raise Refused("sanction.already-lifted", f"{name} is lifted", field="sanction")
    elif state.until is not None and day >= state.until:
        raise Refused(
            "sanction.already-over",
            f"{name} lasts until {state.until}, so it is over on {day}",
            field="occurred_on",
            remedy="what was never due is voided, not lifted",
        )
    return (data,)


def evolve(state: Sanction | None, fact: Fact) -> Sanction | None:
    """Fold one fact into a sanction's state."""
    match fact.data:
        case SanctionImposed(until=until):
            return Sanction(until)
        case _:
            return state and attrs.evolve(state, until=fact.occurred_on, lifted=True)


kinds.add_programme(Programme("sanction", Label("제한", "Sanction"), decide=decide, evolve=evolve))


@kind(
    "sanction.imposed",
    ko="제한 부과",
    en="Sanction imposed",
    category="sanction",
    id_fields=("sanction",),
)
@attrs.frozen
class SanctionImposed(Data):
    """A person is under a sanction from that day on, until a stated day or until it is lifted."""

    sanction: Annotated[str, Code("제한 번호", "Sanction")]
    person: Annotated[str, Person("구성원", "Person", serving=False)]
    ground: Annotated[str, Code("사유 코드", "Ground (code)")]
    until: Annotated[date | None, Day("해제일(이날부터 제한 없음)", "Until", optional=True)] = None


@kind(
    "sanction.lifted",
    ko="제한 해제",
    en="Sanction lifted",
    category="sanction",
    id_fields=("sanction",),
)
@attrs.frozen
class SanctionLifted(Data):
    """A sanction ends early, from that day on: by pardon, say, or when its term is shortened."""

    sanction: Annotated[str, Code("제한 번호", "Sanction")]
    ground: Annotated[str, Code("사유 코드", "Ground (code)")]
