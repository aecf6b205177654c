"""Rounds in which a committee reviews proposals and decides on their grades (제안심사위원회).

A grade may be left vacant when no proposal is worth it (해당작 없음), and reopened while the round
goes on. What counts on a day is what had been decided by then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import attrs
from mileage.ledger.errors import Refused
from mileage.ledger.fields import Code, Codes, Label, Text

from .member import Span
from .registry import Context, Data, Programme, kind, kinds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from mileage.ledger.facts import Command, Fact

__all__ = [
    "ProposalRound",
    "ProposalRoundClosed",
    "ProposalRoundGradeLeftVacant",
    "ProposalRoundGradeReopened",
    "ProposalRoundOpened",
]


@attrs.frozen
class ProposalRound:
    """State of a review round.

    Attributes:
        grades: Grades it can give, best first.
        vacancies: Spans in which a grade is vacant, by grade, in order of date.
        closed_on: Last day of the round, if it was closed.
    """

    grades: tuple[str, ...]
    vacancies: Mapping[str, tuple[Span, ...]] = attrs.field(factory=dict)
    closed_on: date | None = None

    def is_vacant(self, grade: str, day: date) -> bool:
        """Whether the grade is left vacant on that day; from the day of reopening it is not."""
        return any(span.covers(day) for span in self.vacancies.get(grade, ()))

    def is_closed(self, day: date) -> bool:
        """Whether the round is over on that day; the day of closing is the last."""
        return self.closed_on is not None and day > self.closed_on


def decide(state: ProposalRound | None, command: Command, context: Context) -> tuple[Data, ...]:
    """Guard a round: opened once, its grades left vacant and reopened in turn, closed once."""
    data = command.data
    name = f"proposal round {data.proposal_round}"
    if isinstance(data, ProposalRoundOpened):
        if state is not None:
            raise Refused(
                "proposal_round.already-opened", f"{name} is opened already", field="proposal_round"
            )
        return (data,)
    if state is None:
        raise Refused(
            "proposal_round.unknown",
            f"{name} was never opened",
            field="proposal_round",
            remedy="record proposal_round.opened first",
        )
    if state.closed_on and (
        isinstance(data, ProposalRoundClosed) or state.is_closed(command.occurred_on)
    ):
        raise Refused(
            "proposal_round.already-closed",
            f"{name} was closed on {state.closed_on}",
            field="proposal_round",
        )
    if isinstance(data, ProposalRoundClosed):
        _check_closing(state, command, context, name)
        return (data,)
    _check_grade(state, command, name)
    if isinstance(data, ProposalRoundGradeLeftVacant):
        _check_not_given(command, context, name)
    return (data,)


def _decisions(command: Command, context: Context) -> Iterator[tuple[date, str, str]]:
    """What proposals were decided in the round: day, grade or nothing, and the proposal."""
    code = command.data.proposal_round
    for stream, proposal in context.things("proposal:", code):
        for found, grade, day in proposal.decided if proposal else ():
            if found == code:
                yield day, grade, stream.partition(":")[2]


def _check_closing(state: ProposalRound, command: Command, context: Context, name: str) -> None:
    day = command.occurred_on
    turns = [span.until or span.since for spans in state.vacancies.values() for span in spans]
    last = max((*turns, *(on for on, _, _ in _decisions(command, context))), default=day)
    if day < last:
        raise Refused(
            "proposal_round.closed-too-early",
            f"something was decided in {name} on {last}, after {day}",
            field="occurred_on",
            remedy=f"date it on {last} or later, or void what is later",
        )


def _check_not_given(command: Command, context: Context, name: str) -> None:
    """Refuse to leave a grade vacant from a day on or after which a proposal got it."""
    day, grade = command.occurred_on, command.data.grade
    given = [found for found in _decisions(command, context) if found[1] == grade]
    if given and max(given)[0] >= day:
        on, _, proposal = max(given)
        raise Refused(
            "proposal_round.grade-given",
            f"proposal {proposal} got the grade {grade!r} of {name} on {on}, not before {day}",
            field="grade",
            remedy="void that decision first, if it was recorded in error",
        )


def _check_grade(state: ProposalRound, command: Command, name: str) -> None:
    grade = command.data.grade
    if grade not in state.grades:
        raise Refused(
            "proposal_round.grade-unknown",
            f"{name} does not know the grade {grade!r}",
            field="grade",
            remedy=f"its grades are {', '.join(state.grades)}",
        )
    spans = state.vacancies.get(grade, ())
    vacant = bool(spans) and spans[-1].until is None
    if isinstance(command.data, ProposalRoundGradeLeftVacant) == vacant:
        raise Refused(
            "proposal_round.grade-already-vacant" if vacant else "proposal_round.grade-not-vacant",
            f"the grade {grade!r} of {name} is {'vacant already' if vacant else 'not vacant'}",
            field="grade",
        )
    last = (spans[-1].until or spans[-1].since) if spans else command.occurred_on
    if command.occurred_on < last:
        raise Refused(
            "proposal_round.before-last-change",
            f"the grade {grade!r} of {name} was last decided on {last};"
            f" {command.occurred_on} is before that",
            field="occurred_on",
        )


def evolve(state: ProposalRound | None, fact: Fact) -> ProposalRound | None:
    """Fold one fact into a round's state."""
    match fact.data:
        case ProposalRoundOpened(grades=grades):
            return ProposalRound(grades=grades)
        case ProposalRoundGradeLeftVacant(grade=grade) if state:
            spans = (*state.vacancies.get(grade, ()), Span(fact.occurred_on))
            return attrs.evolve(state, vacancies={**state.vacancies, grade: spans})
        case ProposalRoundGradeReopened(grade=grade) if state:
            *before, last = state.vacancies.get(grade) or (Span(fact.occurred_on),)
            spans = (*before, attrs.evolve(last, until=fact.occurred_on))
            return attrs.evolve(state, vacancies={**state.vacancies, grade: spans})
        case ProposalRoundClosed() if state:
            return attrs.evolve(state, closed_on=fact.occurred_on)
        case _:
            return state


kinds.add_programme(
    Programme(
        "proposal_round",
        Label("제안심사 회차", "Proposal round"),
        decide=decide,
        evolve=evolve,
    )
)


@kind(
    "proposal_round.opened",
    ko="제안심사 회차 개시",
    en="Proposal round opened",
    category="proposal_round",
    id_fields=("proposal_round",),
    title="title",
)
@attrs.frozen
class ProposalRoundOpened(Data):
    """A round of review begins, with the grades it can give, best first."""

    proposal_round: Annotated[str, Code("심사 회차", "Round")]
    title: Annotated[str, Text("제목", "Title", length_max=500)]
    grades: Annotated[tuple[str, ...], Codes("등급", "Grades")]


@kind(
    "proposal_round.grade_left_vacant",
    ko="해당작 없음 결정",
    en="Grade left vacant",
    category="proposal_round",
    id_fields=("proposal_round",),
    identity=("proposal_round", "grade", "occurred_on"),
)
@attrs.frozen
class ProposalRoundGradeLeftVacant(Data):
    """No proposal of the round is worth a grade: nobody gets it from that day on."""

    proposal_round: Annotated[str, Code("심사 회차", "Round")]
    grade: Annotated[str, Code("등급", "Grade")]
    reason: Annotated[str, Text("사유", "Reason")]


@kind(
    "proposal_round.grade_reopened",
    ko="해당작 없음 해제",
    en="Vacant grade reopened",
    category="proposal_round",
    id_fields=("proposal_round",),
    identity=("proposal_round", "grade", "occurred_on"),
)
@attrs.frozen
class ProposalRoundGradeReopened(Data):
    """A vacant grade can be given after all, from that day on."""

    proposal_round: Annotated[str, Code("심사 회차", "Round")]
    grade: Annotated[str, Code("등급", "Grade")]
    reason: Annotated[str, Text("사유", "Reason")]


@kind(
    "proposal_round.closed",
    ko="제안심사 회차 종료",
    en="Proposal round closed",
    category="proposal_round",
    id_fields=("proposal_round",),
    identity=("proposal_round", "occurred_on"),
)
@attrs.frozen
class ProposalRoundClosed(Data):
    """A round of review ends; that day is its last."""

    proposal_round: Annotated[str, Code("심사 회차", "Round")]
