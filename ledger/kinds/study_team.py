"""Study teams: formed for one task with a deadline, until its result is delivered (혁신 학습단)."""

from __future__ import annotations

from datetime import date  # noqa: TC003 - read at run time by the declaration
from decimal import Decimal  # noqa: TC003 - read at run time by the declaration
from typing import TYPE_CHECKING, Annotated

import attrs
from mileage.ledger.fields import (
    Choice,
    Code,
    Day,
    Hours,
    Label,
    People,
    Person,
    Share,
    Shares,
    Text,
)

from .groups import NAMED_MAX, Group, Guard, founded
from .registry import Activity, Context, Data, Programme, kind, kinds

if TYPE_CHECKING:
    from mileage.ledger.facts import Command, Fact

__all__ = [
    "StudyTeam",
    "StudyTeamDissolved",
    "StudyTeamFormed",
    "StudyTeamJoined",
    "StudyTeamLeft",
    "StudyTeamResultDelivered",
    "StudyTeamSessionHeld",
]

TIMELINESS = {
    "on_time": Label("기한 내", "on time"),
    "late": Label("기한 경과", "late"),
}
"""Whether a result is delivered by the deadline; the grade by which a rulebook can tell."""

GUARD = Guard(
    category="study_team",
    noun="study team",
    field="team",
    first="study_team.formed",
    other="learning_club",
    other_noun="learning club",
)


@attrs.frozen(kw_only=True)
class StudyTeam(Group):
    """State of a study team.

    Attributes:
        due_on: Last day on which its result is on time.
        delivered_on: Date on which the result was delivered, if it was.
    """

    due_on: date
    delivered_on: date | None = None


def decide(state: StudyTeam | None, command: Command, context: Context) -> tuple[Data, ...]:
    """Guard a study team: sessions of its members, one result, late only where it is said so."""
    data = command.data
    if isinstance(data, StudyTeamFormed):
        _check_formed(state, command)
        GUARD.check_code(data, context)
        return (data,)
    team = GUARD.going(state, command)
    match data:
        case StudyTeamJoined():
            GUARD.check_joining(team, command)
        case StudyTeamLeft():
            GUARD.check_leaving(team, command)
        case StudyTeamSessionHeld():
            GUARD.check_session(team, command)
        case StudyTeamResultDelivered():
            _check_result(team, command)
        case StudyTeamDissolved():
            GUARD.check_dissolving(team, command, context)
        case _:
            pass
    return (data,)


def _check_formed(state: StudyTeam | None, command: Command) -> None:
    data = command.data
    name = GUARD.name(data)
    if state is not None:
        raise GUARD.refusal("already-formed", f"{name} is formed already")
    if data.due_on < command.occurred_on:
        raise GUARD.refusal(
            "due-before-formed",
            f"{name} would be due on {data.due_on}, before it is formed",
            field="due_on",
        )


def _check_result(team: StudyTeam, command: Command) -> None:
    data, day = command.data, command.occurred_on
    name = GUARD.name(data)
    if team.delivered_on:
        reason = f"{name} delivered its result on {team.delivered_on} already"
        raise GUARD.refusal("already-delivered", reason)
    fitting = "late" if day > team.due_on else "on_time"
    if data.timeliness != fitting:
        raise GUARD.refusal(
            "timeliness-wrong",
            f"{name} is due on {team.due_on} and delivers on {day}",
            field="timeliness",
            remedy=f"record it as {fitting}, or look at the date",
        )
    # Who worked on it and left before it was delivered has a share in it all the same.
    people = [part.person for part in data.contributors]
    strangers = [person for person in people if not team.has_had_member(person, day)]
    if strangers:
        raise GUARD.refusal(
            "never-member",
            f"{', '.join(strangers[:NAMED_MAX])} never a member of {name} up to {day}",
            field="contributors",
            remedy="record study_team.joined first",
        )


def evolve(state: StudyTeam | None, fact: Fact) -> StudyTeam | None:
    """Fold one fact into a study team's state."""
    data, day = fact.data, fact.occurred_on
    if isinstance(data, StudyTeamFormed):
        return founded(StudyTeam, data.leader, day, due_on=data.due_on)
    if state is None:
        return None
    team = state.seen(day)
    match data:
        case StudyTeamJoined(person=person):
            team = team.joined(person, day)
        case StudyTeamLeft(person=person):
            team = team.left(person, day)
        case StudyTeamSessionHeld(session=session, attendees=attendees):
            team = team.held(session, day, attendees)
        case StudyTeamResultDelivered():
            team = attrs.evolve(team, delivered_on=day)
        case StudyTeamDissolved():
            team = team.dissolved(day)
        case _:
            pass
    return team


kinds.add_programme(
    Programme("study_team", Label("혁신 학습단", "Study team"), decide=decide, evolve=evolve)
)


@kind(
    "study_team.formed",
    ko="혁신 학습단 구성",
    en="Study team formed",
    category="study_team",
    id_fields=("team",),
    title="title",
    activity=Activity(people="leader"),
)
@attrs.frozen
class StudyTeamFormed(Data):
    """A study team is formed for one task, due by a day; its leader is the first member."""

    team: Annotated[str, Code("학습단", "Team")]
    title: Annotated[str, Text("이름", "Title", length_max=500)]
    assignment: Annotated[str, Text("과제", "Assignment")]
    leader: Annotated[str, Person("단장", "Leader")]
    due_on: Annotated[date, Day("기한", "Due on")]


@kind(
    "study_team.joined",
    ko="혁신 학습단 참여",
    en="Study team joined",
    category="study_team",
    id_fields=("team",),
    identity=("team", "person", "occurred_on"),
)
@attrs.frozen
class StudyTeamJoined(Data):
    """A person becomes a member of a study team."""

    team: Annotated[str, Code("학습단", "Team")]
    person: Annotated[str, Person("구성원", "Person")]


@kind(
    "study_team.left",
    ko="혁신 학습단 탈퇴",
    en="Study team left",
    category="study_team",
    id_fields=("team",),
    identity=("team", "person", "occurred_on"),
)
@attrs.frozen
class StudyTeamLeft(Data):
    """A person leaves a study team; that day is the last of the membership."""

    team: Annotated[str, Code("학습단", "Team")]
    person: Annotated[str, Person("구성원", "Person")]


@kind(
    "study_team.session_held",
    ko="혁신 학습단 모임",
    en="Study team session",
    category="study_team",
    id_fields=("team",),
    identity=("team", "session"),
    activity=Activity(people="attendees", hours="hours"),
)
@attrs.frozen
class StudyTeamSessionHeld(Data):
    """A study team holds a session; its members attend for some hours."""

    team: Annotated[str, Code("학습단", "Team")]
    session: Annotated[str, Code("회차", "Session")]
    topic: Annotated[str, Text("주제", "Topic", length_max=500)]
    hours: Annotated[Decimal, Hours("시간", "Hours")]
    attendees: Annotated[tuple[str, ...], People("참석자", "Attendees")]


@kind(
    "study_team.result_delivered",
    ko="혁신 학습단 결과 제출",
    en="Result delivered",
    category="study_team",
    id_fields=("team",),
    activity=Activity(people="contributors", grade="timeliness"),
)
@attrs.frozen
class StudyTeamResultDelivered(Data):
    """A study team delivers its result, by present or former members with shares, late or not."""

    team: Annotated[str, Code("학습단", "Team")]
    topic: Annotated[str, Text("주제", "Topic", length_max=500)]
    timeliness: Annotated[str, Choice("기한 준수", "Timeliness", words=TIMELINESS)]
    contributors: Annotated[tuple[Share, ...], Shares("기여자", "Contributors")]


@kind(
    "study_team.dissolved",
    ko="혁신 학습단 해산",
    en="Study team dissolved",
    category="study_team",
    id_fields=("team",),
    identity=("team", "occurred_on"),
)
@attrs.frozen
class StudyTeamDissolved(Data):
    """A study team ends; that day is its last."""

    team: Annotated[str, Code("학습단", "Team")]
    reason: Annotated[str, Text("사유", "Reason")]
