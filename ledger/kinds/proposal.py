"""Innovation proposals, on line and on paper (ON·OFF라인 혁신제안 제도).

A committee adopts a proposal together with its grade, or first adopts it and decides on the grade
later (``proposal.graded``): the adoption then has no grade, and the grade is an activity of its own
kind that counts on its own day. Rules for both kinds never pay one grade twice, as a proposal gets
one grade only. Where a scheme wants the grade to count on the day of the adoption, the adoption is
recorded with its grade, dated on that day, once both are known.

A held proposal (보류) can be reviewed, adopted or rejected years later: the day of adoption counts.
Of duplicates, a ruling (``proposal.merged``) says which one stands, as a rule the one received
first. Whatever counted of the other one counts no longer, whether it was decided or not; only one
that was withdrawn or merged already cannot be merged.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal

import attrs
from mileage.ledger.errors import Refused
from mileage.ledger.fields import Choice, Code, Label, Person, Reference, Share, Shares, Text

from .registry import Activity, Context, Data, Programme, kind, kinds

if TYPE_CHECKING:
    from mileage.ledger.facts import Command, Fact

    from .proposal_round import ProposalRound

__all__ = [
    "Proposal",
    "ProposalAdopted",
    "ProposalGraded",
    "ProposalHeld",
    "ProposalImplementationCredited",
    "ProposalImplemented",
    "ProposalMerged",
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

Stage = Literal["submitted", "held", "adopted", "rejected", "implemented", "withdrawn", "merged"]


@attrs.frozen
class Proposal:
    """State of a proposal.

    Attributes:
        stage: How far it has come.
        authors: Ids of its authors.
        since: Date on which it reached the stage.
        adopted_on: Date of its adoption, if it was adopted.
        ended_on: Date from which nothing can come of it: rejected, withdrawn or merged.
        graded: Whether it has a grade.
        credited: Whether those who put it into practice are credited.
        merged_into: The proposal that stands for it, or empty.
        reviews: Round and reviewer of the reviews in a round.
        reviewed_on: Latest date of a review.
        decided: Round, grade or nothing, and date of what was decided of it in a round.
    """

    stage: Stage
    authors: tuple[str, ...]
    since: date
    adopted_on: date | None = None
    ended_on: date | None = None
    graded: bool = False
    credited: bool = False
    merged_into: str = ""
    reviews: frozenset[tuple[str, str]] = frozenset()
    reviewed_on: date = date.min
    decided: tuple[tuple[str, str, date], ...] = ()


def decide(state: Proposal | None, command: Command, context: Context) -> tuple[Data, ...]:
    """Guard a proposal: submitted → reviewed* → held* → adopted or rejected → implemented."""
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
    _check_stage(state, command, name)
    if isinstance(data, ProposalReviewed):
        _check_review(state, data, name)
    if getattr(data, "proposal_round", None):
        _check_round(context.state(f"proposal_round:{data.proposal_round}"), command)
    _check_day(state, command, name)
    if isinstance(data, ProposalMerged):
        _check_survivor(data, command.occurred_on, context)
    return (data,)


def _check_stage(state: Proposal, command: Command, name: str) -> None:
    data, stage = command.data, state.stage
    if stage == "merged":
        raise Refused(
            "proposal.already-merged",
            f"{name} is merged into {state.merged_into} since {state.since}",
            field="proposal",
            remedy=f"record it of proposal {state.merged_into}",
        )
    match data:
        case ProposalImplemented():
            fits, rule, wanted = stage == "adopted", "proposal.not-adopted", "adopted"
        case ProposalGraded():
            fits, rule, wanted = state.adopted_on is not None, "proposal.not-adopted", "adopted"
        case ProposalImplementationCredited():
            fits, rule, wanted = stage == "implemented", "proposal.not-implemented", "implemented"
        case ProposalReviewed():  # an opinion of the time before the decision may come in late
            until = state.adopted_on or state.ended_on
            fits = until is None or command.occurred_on <= until
            rule, wanted = "proposal.already-decided", ""
        case ProposalMerged():
            fits, rule, wanted = stage != "withdrawn", "proposal.already-decided", ""
        case _:
            fits, rule, wanted = stage in {"submitted", "held"}, "proposal.already-decided", ""
    if not fits:
        reason = f"{name} is {stage}" + (f", not {wanted}" if wanted else f" since {state.since}")
        raise Refused(rule, reason, field="proposal")
    if isinstance(data, ProposalGraded) and state.graded:
        raise Refused(
            "proposal.already-graded",
            f"{name} has a grade",
            field="grade",
            remedy="void the fact that gave it if it was recorded in error",
        )
    if isinstance(data, ProposalImplementationCredited) and state.credited:
        raise Refused(
            "proposal.already-credited",
            f"those who put {name} into practice are credited already",
            field="implementers",
            remedy="void that fact and name everybody in one",
        )


def _check_review(state: Proposal, data: ProposalReviewed, name: str) -> None:
    if data.reviewer in state.authors:
        raise Refused(
            "proposal.own-review",
            f"{data.reviewer} is an author of {name}",
            field="reviewer",
            remedy="let somebody else review it",
        )
    if (data.proposal_round, data.reviewer) in state.reviews:
        raise Refused(
            "proposal.already-reviewed",
            f"{data.reviewer} has reviewed {name} in the round {data.proposal_round}",
            field="reviewer",
        )


def _check_round(found: ProposalRound | None, command: Command) -> None:
    """Refuse what the round does not decide; that there is one is checked by the ledger."""
    data, day = command.data, command.occurred_on
    name = f"proposal round {data.proposal_round}"
    if found is None:
        return
    if found.is_closed(day):
        raise Refused(
            "proposal.round-closed",
            f"{name} was closed on {found.closed_on}",
            field="proposal_round",
            remedy="name the round that decides, or none",
        )
    grade = getattr(data, "grade", None)
    if grade is None:
        return
    if grade not in found.grades:
        raise Refused(
            "proposal.grade-unknown",
            f"{name} does not know the grade {grade!r}",
            field="grade",
            remedy=f"its grades are {', '.join(found.grades)}",
        )
    if found.is_vacant(grade, day):
        raise Refused(
            "proposal.grade-vacant",
            f"the grade {grade!r} of {name} is left vacant on {day}",
            field="grade",
            remedy="record proposal_round.grade_reopened first",
        )


def _check_day(state: Proposal, command: Command, name: str) -> None:
    """Refuse a day before the last stage; a grade may come to be known after the practice.

    An opinion is of any day up to the decision, and a decision of none before an opinion.
    """
    data = command.data
    if isinstance(data, ProposalReviewed):
        return
    if isinstance(data, _DECISIONS) and command.occurred_on < state.reviewed_on:
        raise Refused(
            "proposal.decided-too-early",
            f"{name} was reviewed on {state.reviewed_on}, after {command.occurred_on}",
            field="occurred_on",
            remedy=f"date it on {state.reviewed_on} or later, or void what is later",
        )
    late_grade = isinstance(data, ProposalGraded) and state.adopted_on
    begun, stage = (late_grade, "adopted") if late_grade else (state.since, state.stage)
    if command.occurred_on < begun:
        raise Refused(
            "proposal.before-last-stage",
            f"{name} is {stage} since {begun}; {command.occurred_on} is before that",
            field="occurred_on",
        )


def _check_survivor(data: ProposalMerged, day: date, context: Context) -> None:
    if data.into == data.proposal:
        raise Refused(
            "proposal.merged-into-itself",
            f"proposal {data.proposal} cannot be merged into itself",
            field="into",
            remedy="name the proposal that stands for it",
        )
    survivor: Proposal | None = context.state(f"proposal:{data.into}")
    following = survivor
    while following and following.merged_into:
        if following.merged_into == data.proposal:
            raise Refused(
                "proposal.merged-in-a-circle",
                f"proposal {data.into} is merged into {data.proposal} itself",
                field="into",
                remedy="void that ruling first if it is the other one that stands",
            )
        following = context.state(f"proposal:{following.merged_into}")
    if survivor and survivor.ended_on and survivor.ended_on <= day:
        raise Refused(
            "proposal.survivor-ended",
            f"proposal {data.into} is {survivor.stage} since {survivor.since}",
            field="into",
            remedy="name a proposal that stands",
        )


_STAGES: dict[str, Stage] = {
    "proposal.held": "held",
    "proposal.adopted": "adopted",
    "proposal.implemented": "implemented",
    "proposal.rejected": "rejected",
    "proposal.withdrawn": "withdrawn",
    "proposal.merged": "merged",
}
_ENDS = frozenset({"rejected", "withdrawn", "merged"})


def evolve(state: Proposal | None, fact: Fact) -> Proposal | None:
    """Fold one fact into a proposal's state."""
    data, day = fact.data, fact.occurred_on
    if isinstance(data, ProposalSubmitted):
        return Proposal("submitted", tuple(share.person for share in data.authors), day)
    if state is None:
        return None
    changes: dict[str, Any] = _in_round(state, fact)
    if stage := _STAGES.get(fact.kind.name):
        changes |= {"stage": stage, "since": day}
        if stage in _ENDS:
            changes["ended_on"] = state.ended_on or day
    match data:
        case ProposalReviewed(proposal_round=found, reviewer=reviewer):
            changes["reviewed_on"] = max(state.reviewed_on, day)
            changes["reviews"] = state.reviews | ({(found, reviewer)} if found else set())
        case ProposalAdopted(grade=grade):
            changes |= {"adopted_on": day, "graded": grade is not None}
        case ProposalGraded():
            changes["graded"] = True
        case ProposalImplementationCredited():
            changes["credited"] = True
        case ProposalMerged(into=into):
            changes |= {"merged_into": into, "decided": ()}
    return attrs.evolve(state, **changes)


def _in_round(state: Proposal, fact: Fact) -> dict[str, Any]:
    """What a fact adds to what was decided in rounds."""
    found = getattr(fact.data, "proposal_round", None)
    if not found:
        return {}
    decision = (found, getattr(fact.data, "grade", None) or "", fact.occurred_on)
    return {"decided": (*state.decided, decision)}


kinds.add_programme(Programme("proposal", Label("제안", "Proposal"), decide=decide, evolve=evolve))

_BY_CHANNEL = {"channel": "proposal.submitted"}
_BY_AUTHORS = Activity(people="authors", of="proposal.submitted", conditions=_BY_CHANNEL)
_ROUND = Reference("심사 회차", "Round", of=("proposal_round",), optional=True)


@kind(
    "proposal.submitted",
    ko="제안 제출",
    en="Proposal submitted",
    category="proposal",
    id_fields=("proposal",),
    title="title",
    activity=Activity(people="authors", conditions={"channel": ""}),
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
    """A reviewer gives an opinion on an undecided proposal, once in each round."""

    proposal: Annotated[str, Code("제안 번호", "Proposal")]
    reviewer: Annotated[str, Person("심사자", "Reviewer")]
    outcome: Annotated[str, Choice("심사 의견", "Outcome", words=OPINIONS)]
    proposal_round: Annotated[str | None, _ROUND] = None


@kind(
    "proposal.held",
    ko="제안 보류",
    en="Proposal held",
    category="proposal",
    id_fields=("proposal",),
    identity=("proposal", "occurred_on"),
)
@attrs.frozen
class ProposalHeld(Data):
    """The decision on a proposal is put off, for a reason; it can be taken years later."""

    proposal: Annotated[str, Code("제안 번호", "Proposal")]
    reason: Annotated[str, Text("사유", "Reason")]
    proposal_round: Annotated[str | None, _ROUND] = None


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
    """A proposal is adopted, with a grade unless that is decided later."""

    proposal: Annotated[str, Code("제안 번호", "Proposal")]
    grade: Annotated[str | None, Code("등급", "Grade", optional=True)] = None
    proposal_round: Annotated[str | None, _ROUND] = None


@kind(
    "proposal.graded",
    ko="제안 등급 결정",
    en="Proposal graded",
    category="proposal",
    id_fields=("proposal",),
    activity=attrs.evolve(_BY_AUTHORS, grade="grade"),
)
@attrs.frozen
class ProposalGraded(Data):
    """A proposal that was adopted without a grade gets one; it counts on its own day."""

    proposal: Annotated[str, Code("제안 번호", "Proposal")]
    grade: Annotated[str, Code("등급", "Grade")]
    proposal_round: Annotated[str | None, _ROUND] = None


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
    proposal_round: Annotated[str | None, _ROUND] = None


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
    "proposal.implementation_credited",
    ko="실시 공로 인정",
    en="Implementation credited",
    category="proposal",
    id_fields=("proposal",),
    activity=Activity(people="implementers", conditions=_BY_CHANNEL),
)
@attrs.frozen
class ProposalImplementationCredited(Data):
    """Those who put a proposal into practice, authors or others, are credited, with shares."""

    proposal: Annotated[str, Code("제안 번호", "Proposal")]
    implementers: Annotated[tuple[Share, ...], Shares("실시자", "Implementers")]


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


@kind(
    "proposal.merged",
    ko="중복 제안 병합",
    en="Duplicate proposal merged",
    category="proposal",
    id_fields=("proposal",),
    withdraws=(
        "proposal.submitted",
        "proposal.adopted",
        "proposal.graded",
        "proposal.implemented",
        "proposal.implementation_credited",
    ),
)
@attrs.frozen
class ProposalMerged(Data):
    """A ruling that a proposal is the same as another one; nothing of it counts any longer."""

    proposal: Annotated[str, Code("제안 번호", "Proposal")]
    into: Annotated[str, Reference("대표 제안", "Merged into", of=("proposal",))]
    ruling: Annotated[str, Text("결정 근거", "Ruling")]


_DECISIONS = (ProposalAdopted, ProposalRejected, ProposalWithdrawn, ProposalMerged)
