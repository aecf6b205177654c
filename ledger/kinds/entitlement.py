"""What people decide that a programme gives: granted, approved, refused, revoked.

For one person in one cycle (인사 연계, 성과급 연계, 해외연수 연계, 선택적 복지제도 차등 적용).
A rulebook proposes, a person decides: who records the fact is who decides, and nobody decides what
they get themselves. Whether a second pair of eyes is asked for is the rulebook's; that it is
another one is guarded here.
"""

from __future__ import annotations

from decimal import Decimal  # noqa: TC003 - read at run time by the declaration
from typing import TYPE_CHECKING, Annotated, Literal

import attrs
from mileage.ledger.errors import Refused
from mileage.ledger.fields import Amount, Code, Label, Person, Text

from .registry import Context, Data, Programme, kind, kinds

if TYPE_CHECKING:
    from datetime import date

    from mileage.ledger.facts import Command, Fact

__all__ = [
    "Entitlement",
    "EntitlementApproved",
    "EntitlementGranted",
    "EntitlementRefused",
    "EntitlementRevoked",
]


@attrs.frozen
class Entitlement:
    """State of what one person gets of a programme in a cycle.

    Attributes:
        stage: How it was decided last.
        since: Date of that decision.
        granted_by: Id of who granted it last; empty while nobody did.
    """

    stage: Literal["granted", "approved", "refused", "revoked"]
    since: date
    granted_by: str = ""


def decide(state: Entitlement | None, command: Command, _context: Context) -> tuple[Data, ...]:
    """Guard a decision: one grant at a time, approved by another, refused or revoked in order."""
    data, day = command.data, command.occurred_on
    name = f"{data.programme} {data.cycle} of {data.person}"
    stands = state is not None and state.stage in ("granted", "approved")
    if isinstance(data, EntitlementGranted | EntitlementRefused) and stands:
        raise Refused(
            "entitlement.already-granted",
            f"{name} is granted already",
            field="person",
            remedy="record entitlement.revoked first; what changes is granted anew",
        )
    if isinstance(data, EntitlementRefused) and state and state.stage == "refused":
        raise Refused("entitlement.already-refused", f"{name} is refused already", field="person")
    if isinstance(data, EntitlementApproved | EntitlementRevoked) and not stands:
        raise Refused(
            "entitlement.not-granted",
            f"{name} is not granted",
            field="person",
            remedy="record entitlement.granted first",
        )
    if isinstance(data, EntitlementGranted | EntitlementApproved):
        _check_not_own(command, name)
    if state and isinstance(data, EntitlementApproved):
        _check_approval(state, command, name)
    if state and day < state.since:
        raise Refused(
            "entitlement.before-last-decision",
            f"{day} is before {state.since}, when {name} was decided last",
            field="occurred_on",
        )
    return (data,)


def _check_approval(state: Entitlement, command: Command, name: str) -> None:
    if state.stage == "approved":
        raise Refused("entitlement.already-approved", f"{name} is approved already", field="person")
    if state.granted_by == command.recorded_by:
        raise Refused(
            "entitlement.own-approval",
            f"{name} was granted by {command.recorded_by}, who cannot approve it too",
            field="person",
            remedy="let another person approve it (--by)",
        )


def _check_not_own(command: Command, name: str) -> None:
    if command.recorded_by == command.data.person:
        raise Refused(
            "entitlement.own-case",
            f"{name} cannot be granted or approved by {command.recorded_by}, whom it is for",
            field="person",
            remedy="let somebody else decide it (--by)",
        )


def evolve(state: Entitlement | None, fact: Fact) -> Entitlement | None:
    """Fold one fact into an entitlement's state."""
    day = fact.occurred_on
    match fact.data:
        case EntitlementGranted():
            return Entitlement("granted", day, fact.recorded_by)
        case EntitlementApproved():
            return state and attrs.evolve(state, stage="approved", since=day)
        case EntitlementRefused():
            return Entitlement("refused", day)
        case EntitlementRevoked():
            return state and Entitlement("revoked", day)
        case _:
            return state


kinds.add_programme(
    Programme("entitlement", Label("인사 연계 혜택", "Entitlement"), decide=decide, evolve=evolve)
)

_ID = ("programme", "cycle", "person")
_KEY = (*_ID, "occurred_on")


@kind(
    "entitlement.granted",
    ko="혜택 부여",
    en="Entitlement granted",
    category="entitlement",
    id_fields=_ID,
    identity=_KEY,
)
@attrs.frozen
class EntitlementGranted(Data):
    """A person gets what a programme gives in a cycle: a grade or tier, a value, or just a place.

    A grant beside the rule's proposal says why.
    """

    programme: Annotated[str, Code("제도", "Programme")]
    cycle: Annotated[str, Code("대상 기간", "Cycle")]
    person: Annotated[str, Person("구성원", "Person", serving=False)]
    grade: Annotated[str | None, Code("등급", "Grade", optional=True)] = None
    value: Annotated[Decimal | None, Amount("값", "Value", optional=True)] = None
    reason: Annotated[str | None, Text("사유", "Reason", optional=True)] = None


@kind(
    "entitlement.approved",
    ko="혜택 승인",
    en="Entitlement approved",
    category="entitlement",
    id_fields=_ID,
    identity=_KEY,
)
@attrs.frozen
class EntitlementApproved(Data):
    """A second person approves what another granted."""

    programme: Annotated[str, Code("제도", "Programme")]
    cycle: Annotated[str, Code("대상 기간", "Cycle")]
    person: Annotated[str, Person("구성원", "Person", serving=False)]


@kind(
    "entitlement.refused",
    ko="혜택 불허",
    en="Entitlement refused",
    category="entitlement",
    id_fields=_ID,
    identity=_KEY,
)
@attrs.frozen
class EntitlementRefused(Data):
    """A person does not get what a programme gives, for a reason; on appeal it may be granted."""

    programme: Annotated[str, Code("제도", "Programme")]
    cycle: Annotated[str, Code("대상 기간", "Cycle")]
    person: Annotated[str, Person("구성원", "Person", serving=False)]
    reason: Annotated[str, Text("사유", "Reason")]


@kind(
    "entitlement.revoked",
    ko="혜택 취소",
    en="Entitlement revoked",
    category="entitlement",
    id_fields=_ID,
    identity=_KEY,
)
@attrs.frozen
class EntitlementRevoked(Data):
    """What was granted is taken back from that day on, for a reason; it may be granted again."""

    programme: Annotated[str, Code("제도", "Programme")]
    cycle: Annotated[str, Code("대상 기간", "Cycle")]
    person: Annotated[str, Person("구성원", "Person", serving=False)]
    reason: Annotated[str, Text("사유", "Reason")]
