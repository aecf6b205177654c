"""Innovation proposals, on line and on paper (ON·OFF라인 혁신제안 제도)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import attrs
from mileage.ledger.errors import Refused
from mileage.ledger.fields import Choice, Code, Label, Person, Share, Shares, Text

from .registry import Activity, Context, Data, Programme, kind, kinds

if TYPE_CHECKING:
    from datetime import date

    from mileage.ledger.facts import Command, Fact

__all__ = [
    "Proposal",
    "ProposalAdopted",
    "ProposalImplemented",
    "ProposalRejected",
    "ProposalReviewed",
    "ProposalSubmitted",
    "ProposalWithdrawn",
]
CHANNELS = {"online": Label("온라인", "on line"), "paper": Label("서면", "on paper")}
OPINIONS = {
    "recommended": Label("채택 권고", "recommended"),
    "not_recommended": Label("불채택 권고", "not recommended"),
}

Stage = Literal["submitted", "adopted", "rejected", "implemented", "withdrawn"]


@attrs.frozen
class Proposal:
    """State of a proposal.

    Attributes:
        stage: How far it has come.
        authors: Ids of its authors.
        since: Date on which it reached the stage.
    """

    stage: Stage
    authors: tuple[str, ...]
    since: date


def decide(state: Proposal | None, command: Command, _context: Context) -> tuple[Data, ...]:
    """Guard a proposal: submitted → reviewed* → adopted or rejected → implemented."""
    data = command.data
    name = f"proposal {data.proposal}"
    if isinstance(data, ProposalSubmitted):
        if state is not None:
            raise Refused(
                "proposal.already-submitted", f"{name} is submitted already", field="proposal"
            )
        return (data,)
    if state is None:
        raise Refused(
            "proposal.unknown",
            f"{name} was never submitted",
            field="proposal",
            remedy="record proposal.submitted first",
        )
    if isinstance(data, ProposalImplemented):
        if state.stage != "adopted":
            raise Refused(
                "proposal.not-adopted",
                f"{name} is {state.stage}, not adopted",
                field="proposal",
            )
    elif state.stage != "submitted":
        raise Refused(
            "proposal.already-decided",
            f"{name} is {state.stage} since {state.since}",
            field="proposal",
        )
    if isinstance(data, ProposalReviewed) and data.reviewer in state.authors:
        raise Refused(
            "proposal.own-review",
            f"{data.reviewer} is an author of {name}",
            field="reviewer",
            remedy="let somebody else review it",
        )
    if command.occurred_on < state.since:
        raise Refused(
            "proposal.before-last-stage",
            f"{name} is {state.stage} since {state.since}; {command.occurred_on} is before that",
            field="occurred_on",
        )
    return (data,)


def evolve(state: Proposal | None, fact: Fact) -> Proposal | None:
    """Fold one fact into a proposal's state."""
    match fact.data:
        case ProposalSubmitted(authors=authors):
            people = tuple(share.person for share in authors)
            return Proposal("submitted", people, fact.occurred_on)
        case ProposalAdopted():
            return _reach(state, "adopted", fact)
        case ProposalRejected():
            return _reach(state, "rejected", fact)
        case ProposalImplemented():
            return _reach(state, "implemented", fact)
        case ProposalWithdrawn():
            return _reach(state, "withdrawn", fact)
        case _:
            return state


def _reach(state: Proposal | None, stage: Stage, fact: Fact) -> Proposal | None:
    return state and attrs.evolve(state, stage=stage, since=fact.occurred_on)


kinds.add_programme(Programme("proposal", Label("제안", "Proposal"), decide=decide, evolve=evolve))

_BY_AUTHORS = Activity(people="authors", of="proposal.submitted")


@kind(
    "proposal.submitted",
    ko="제안 제출",
    en="Proposal submitted",
    category="proposal",
    id_fields=("proposal",),
    title="title",
    activity=Activity(people="authors"),
)
@attrs.frozen
class ProposalSubmitted(Data):
    """One or several persons submit a proposal, with declared shares."""

    proposal: Annotated[str, Code("제안 번호", "Proposal")]
    title: Annotated[str, Text("제목", "Title", length_max=500)]
    channel: Annotated[str, Choice("접수 경로", "Channel", words=CHANNELS)]
    authors: Annotated[tuple[Share, ...], Shares("제안자", "Authors")]


@kind(
    "proposal.reviewed",
    ko="제안 심사",
    en="Proposal reviewed",
    category="proposal",
    id_fields=("proposal",),
    identity=("proposal", "reviewer", "occurred_on"),
)
@attrs.frozen
class ProposalReviewed(Data):
    """A reviewer gives an opinion on a proposal that is not decided yet."""

    proposal: Annotated[str, Code("제안 번호", "Proposal")]
    reviewer: Annotated[str, Person("심사자", "Reviewer")]
    outcome: Annotated[str, Choice("심사 의견", "Outcome", words=OPINIONS)]


@kind(
    "proposal.adopted",
    ko="제안 채택",
    en="Proposal adopted",
    category="proposal",
    id_fields=("proposal",),
    activity=attrs.evolve(_BY_AUTHORS, grade="grade"),
)
@attrs.frozen
class ProposalAdopted(Data):
    """A proposal is adopted with a grade."""

    proposal: Annotated[str, Code("제안 번호", "Proposal")]
    grade: Annotated[str, Code("등급", "Grade")]


@kind(
    "proposal.rejected",
    ko="제안 불채택",
    en="Proposal rejected",
    category="proposal",
    id_fields=("proposal",),
)
@attrs.frozen
class ProposalRejected(Data):
    """A proposal is not adopted, for a reason."""

    proposal: Annotated[str, Code("제안 번호", "Proposal")]
    reason: Annotated[str, Text("사유", "Reason")]


@kind(
    "proposal.implemented",
    ko="제안 실시",
    en="Proposal implemented",
    category="proposal",
    id_fields=("proposal",),
    activity=_BY_AUTHORS,
)
@attrs.frozen
class ProposalImplemented(Data):
    """An adopted proposal is put into practice."""

    proposal: Annotated[str, Code("제안 번호", "Proposal")]


@kind(
    "proposal.withdrawn",
    ko="제안 철회",
    en="Proposal withdrawn",
    category="proposal",
    id_fields=("proposal",),
    withdraws=("proposal.submitted",),
)
@attrs.frozen
class ProposalWithdrawn(Data):
    """The authors take an undecided proposal back; its submission no longer counts."""

    proposal: Annotated[str, Code("제안 번호", "Proposal")]
    reason: Annotated[str, Text("사유", "Reason")]
