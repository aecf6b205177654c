"""Meetings of standing bodies and what they resolve (추진회의, 혁신추진협의회, 혁신추진단)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import attrs
from mileage.ledger.errors import Refused
from mileage.ledger.fields import Choice, Code, Label, People, Text

from .registry import Activity, Context, Data, Programme, kind, kinds

if TYPE_CHECKING:
    from mileage.ledger.facts import Command, Fact

__all__ = ["BODIES", "Council", "CouncilMet", "CouncilResolved"]

BODIES = {
    "learning_council": Label("혁신교육·학습 추진회의", "learning council"),
    "promotion_council": Label("혁신추진협의회", "innovation promotion council"),
    "promotion_team": Label("혁신추진단", "innovation promotion team"),
}


@attrs.frozen
class Council:
    """State of one meeting.

    Attributes:
        resolutions: Codes of what was resolved.
    """

    resolutions: frozenset[str] = frozenset()


def decide(state: Council | None, command: Command, _context: Context) -> tuple[Data, ...]:
    """Guard a meeting: held once, each resolution once."""
    data = command.data
    name = f"meeting {data.meeting} of {data.body}"
    if isinstance(data, CouncilMet):
        if state is not None:
            raise Refused("council.already-met", f"{name} is recorded already", field="meeting")
        return (data,)
    if state is None:
        raise Refused(
            "council.unknown",
            f"{name} was never held",
            field="meeting",
            remedy="record council.met first",
        )
    if data.resolution_code in state.resolutions:
        raise Refused(
            "council.resolution-repeated",
            f"resolution {data.resolution_code} of {name} is recorded already",
            field="resolution_code",
        )
    return (data,)


def evolve(state: Council | None, fact: Fact) -> Council | None:
    """Fold one fact into a meeting's state."""
    match fact.data:
        case CouncilMet():
            return Council()
        case CouncilResolved(resolution_code=code) if state:
            return attrs.evolve(state, resolutions=state.resolutions | {code})
        case _:
            return state


kinds.add_programme(
    Programme("council", Label("추진회의", "Council meeting"), decide=decide, evolve=evolve)
)


@kind(
    "council.met",
    ko="추진회의 개최",
    en="Council meeting",
    category="council",
    id_fields=("body", "meeting"),
    title="agenda",
    activity=Activity(people="attendees", conditions={"body": ""}),
)
@attrs.frozen
class CouncilMet(Data):
    """A standing body meets; the people named attend."""

    body: Annotated[str, Choice("회의체", "Body", words=BODIES)]
    meeting: Annotated[str, Code("차수", "Meeting")]
    agenda: Annotated[str, Text("안건", "Agenda", length_max=500)]
    attendees: Annotated[tuple[str, ...], People("참석자", "Attendees")]


@kind(
    "council.resolved",
    ko="추진회의 의결",
    en="Council resolution",
    category="council",
    id_fields=("body", "meeting"),
    identity=("body", "meeting", "resolution_code"),
)
@attrs.frozen
class CouncilResolved(Data):
    """A standing body resolves something, at a meeting or afterwards in writing."""

    body: Annotated[str, Choice("회의체", "Body", words=BODIES)]
    meeting: Annotated[str, Code("차수", "Meeting")]
    resolution_code: Annotated[str, Code("의결 번호", "Resolution no.")]
    resolution: Annotated[str, Text("의결 내용", "Resolution")]
