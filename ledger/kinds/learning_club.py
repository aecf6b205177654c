"""Learning clubs and their sessions (학습동아리)."""

from __future__ import annotations

from decimal import Decimal  # noqa: TC003 - read at run time by the declaration
from typing import TYPE_CHECKING, Annotated

import attrs
from mileage.ledger.errors import Refused
from mileage.ledger.fields import Code, Hours, Label, People, Person, Share, Shares, Text

from .member import Span
from .registry import Activity, Context, Data, Programme, kind, kinds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from mileage.ledger.facts import Command, Fact

__all__ = [
    "LearningClub",
    "LearningClubDissolved",
    "LearningClubJoined",
    "LearningClubLeft",
    "LearningClubRegistered",
    "LearningClubReportPublished",
    "LearningClubResultPresented",
    "LearningClubSessionHeld",
]


@attrs.frozen
class LearningClub:
    """State of a learning club.

    Attributes:
        members: Spans of membership by person.
        sessions: Codes of the sessions held.
        dissolved_on: Last day of the club, if it was dissolved.
    """

    members: Mapping[str, tuple[Span, ...]]
    sessions: frozenset[str] = frozenset()
    dissolved_on: date | None = None

    def has_member(self, person: str, day: date) -> bool:
        """Whether the person is a member on that day; the day of leaving is the last."""
        return any(span.covers(day) for span in self.members.get(person, ()))


def decide(state: LearningClub | None, command: Command, _context: Context) -> tuple[Data, ...]:
    """Guard a learning club: registered, joined and left, sessions held by its members."""
    data, day = command.data, command.occurred_on
    name = f"learning club {data.club}"
    if isinstance(data, LearningClubRegistered):
        if state is not None:
            raise Refused(
                "learning_club.already-registered", f"{name} is registered already", field="club"
            )
        return (data,)
    if state is None:
        raise Refused(
            "learning_club.unknown",
            f"{name} was never registered",
            field="club",
            remedy="record learning_club.registered first",
        )
    _check_goes_on(state, command, name)
    match data:
        case LearningClubJoined(person=person):
            spans = state.members.get(person, ())
            if any(span.until is None or day < span.until for span in spans):
                raise Refused(
                    "learning_club.already-member",
                    f"{person} is a member of {name} already",
                    field="person",
                )
        case LearningClubLeft(person=person):
            if not any(
                span.until is None and span.since <= day for span in state.members.get(person, ())
            ):
                raise Refused(
                    "learning_club.not-member",
                    f"{person} is not a member of {name} on {day}",
                    field="person",
                )
        case LearningClubSessionHeld():
            _check_session(state, data, day, name)
        case (
            LearningClubResultPresented(presenters=people)
            | LearningClubReportPublished(writers=people)
        ):
            _check_members(state, [part.person for part in people], day, name)
        case _:
            pass
    return (data,)


def _check_goes_on(state: LearningClub, command: Command, name: str) -> None:
    end = state.dissolved_on
    if end and (isinstance(command.data, LearningClubDissolved) or command.occurred_on > end):
        raise Refused(
            "learning_club.already-dissolved", f"{name} was dissolved on {end}", field="club"
        )


def _check_session(
    state: LearningClub, data: LearningClubSessionHeld, day: date, name: str
) -> None:
    if data.session in state.sessions:
        raise Refused(
            "learning_club.session-repeated",
            f"{name} has held session {data.session} already",
            field="session",
        )
    _check_members(state, data.attendees, day, name, field="attendees")


def _check_members(
    state: LearningClub, people: Sequence[str], day: date, name: str, *, field: str = ""
) -> None:
    strangers = [person for person in people if not state.has_member(person, day)]
    if strangers:
        raise Refused(
            "learning_club.not-member",
            f"{', '.join(strangers[:5])} not a member of {name} on {day}",
            field=field,
            remedy="record learning_club.joined first",
        )


def evolve(state: LearningClub | None, fact: Fact) -> LearningClub | None:
    """Fold one fact into a learning club's state."""
    day = fact.occurred_on
    match fact.data:
        case LearningClubRegistered(leader=leader):
            return LearningClub(members={leader: (Span(day),)})
        case LearningClubJoined(person=person) if state:
            spans = (*state.members.get(person, ()), Span(day))
            return attrs.evolve(state, members={**state.members, person: spans})
        case LearningClubLeft(person=person) if state:
            end = day.fromordinal(day.toordinal() + 1)  # the day of leaving is the last
            spans = tuple(
                attrs.evolve(span, until=end) if span.until is None else span
                for span in state.members.get(person, ())
            )
            return attrs.evolve(state, members={**state.members, person: spans})
        case LearningClubSessionHeld(session=session) if state:
            return attrs.evolve(state, sessions=state.sessions | {session})
        case LearningClubDissolved() if state:
            return attrs.evolve(state, dissolved_on=day)
        case _:
            return state


kinds.add_programme(
    Programme("learning_club", Label("학습동아리", "Learning club"), decide=decide, evolve=evolve)
)


@kind(
    "learning_club.registered",
    ko="학습동아리 등록",
    en="Learning club registered",
    category="learning_club",
    id_fields=("club",),
    title="title",
    activity=Activity(people="leader"),
)
@attrs.frozen
class LearningClubRegistered(Data):
    """A learning club is registered; its leader is the first member."""

    club: Annotated[str, Code("동아리", "Club")]
    title: Annotated[str, Text("이름", "Title", length_max=500)]
    leader: Annotated[str, Person("회장", "Leader")]


@kind(
    "learning_club.joined",
    ko="학습동아리 가입",
    en="Learning club joined",
    category="learning_club",
    id_fields=("club",),
    identity=("club", "person", "occurred_on"),
)
@attrs.frozen
class LearningClubJoined(Data):
    """A person becomes a member of a learning club."""

    club: Annotated[str, Code("동아리", "Club")]
    person: Annotated[str, Person("구성원", "Person")]


@kind(
    "learning_club.left",
    ko="학습동아리 탈퇴",
    en="Learning club left",
    category="learning_club",
    id_fields=("club",),
    identity=("club", "person", "occurred_on"),
)
@attrs.frozen
class LearningClubLeft(Data):
    """A person leaves a learning club; that day is the last of the membership."""

    club: Annotated[str, Code("동아리", "Club")]
    person: Annotated[str, Person("구성원", "Person")]


@kind(
    "learning_club.session_held",
    ko="학습동아리 학습",
    en="Learning club session",
    category="learning_club",
    id_fields=("club",),
    identity=("club", "session"),
    activity=Activity(people="attendees", hours="hours"),
)
@attrs.frozen
class LearningClubSessionHeld(Data):
    """A learning club holds a session; its members attend for some hours."""

    club: Annotated[str, Code("동아리", "Club")]
    session: Annotated[str, Code("회차", "Session")]
    topic: Annotated[str, Text("주제", "Topic", length_max=500)]
    hours: Annotated[Decimal, Hours("시간", "Hours")]
    attendees: Annotated[tuple[str, ...], People("참석자", "Attendees")]


@kind(
    "learning_club.result_presented",
    ko="학습 결과 발표",
    en="Result presented",
    category="learning_club",
    id_fields=("club",),
    identity=("club", "presentation"),
    activity=Activity(people="presenters"),
)
@attrs.frozen
class LearningClubResultPresented(Data):
    """Members of a learning club present what it found, with declared shares."""

    club: Annotated[str, Code("동아리", "Club")]
    presentation: Annotated[str, Code("발표", "Presentation")]
    topic: Annotated[str, Text("주제", "Topic", length_max=500)]
    presenters: Annotated[tuple[Share, ...], Shares("발표자", "Presenters")]


@kind(
    "learning_club.report_published",
    ko="학습 보고서 발간",
    en="Report published",
    category="learning_club",
    id_fields=("club",),
    identity=("club", "report"),
    activity=Activity(people="writers"),
)
@attrs.frozen
class LearningClubReportPublished(Data):
    """A learning club publishes a report, written by members with declared shares."""

    club: Annotated[str, Code("동아리", "Club")]
    report: Annotated[str, Code("보고서", "Report")]
    topic: Annotated[str, Text("주제", "Topic", length_max=500)]
    writers: Annotated[tuple[Share, ...], Shares("작성자", "Writers")]


@kind(
    "learning_club.dissolved",
    ko="학습동아리 해산",
    en="Learning club dissolved",
    category="learning_club",
    id_fields=("club",),
    identity=("club", "occurred_on"),
)
@attrs.frozen
class LearningClubDissolved(Data):
    """A learning club ends; that day is its last."""

    club: Annotated[str, Code("동아리", "Club")]
    reason: Annotated[str, Text("사유", "Reason")]
