"""Learning clubs, their sessions and what comes of them (학습동아리).

Who presents the topic of a session (발제) is a fact of its own, not a field of the session: a
presenter attends like the others, and earns by another rule for presenting.
"""

from __future__ import annotations

from decimal import Decimal  # noqa: TC003 - read at run time by the declaration
from typing import TYPE_CHECKING, Annotated

import attrs
from mileage.ledger.fields import Code, Hours, Label, People, Person, Share, Shares, Text

from .groups import Group, Guard, founded
from .registry import Activity, Context, Data, Programme, kind, kinds

if TYPE_CHECKING:
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
    "LearningClubTopicPresented",
]

GUARD = Guard(
    category="learning_club",
    noun="learning club",
    field="club",
    first="learning_club.registered",
    other="study_team",
    other_noun="study team",
)


@attrs.frozen(kw_only=True)
class LearningClub(Group):
    """State of a learning club.

    Attributes:
        presented: Session and presenter of the topics presented.
        results: Codes of the results presented.
        reports: Codes of the reports published.
    """

    presented: frozenset[tuple[str, str]] = frozenset()
    results: frozenset[str] = frozenset()
    reports: frozenset[str] = frozenset()


def decide(state: LearningClub | None, command: Command, context: Context) -> tuple[Data, ...]:
    """Guard a learning club: what its members do together, from registration to its last day."""
    data = command.data
    if isinstance(data, LearningClubRegistered):
        if state is not None:
            reason = f"{GUARD.name(data)} is registered already"
            raise GUARD.refusal("already-registered", reason)
        GUARD.check_code(data, context)
        return (data,)
    club = GUARD.going(state, command)
    match data:
        case LearningClubJoined():
            GUARD.check_joining(club, command)
        case LearningClubLeft():
            GUARD.check_leaving(club, command)
        case LearningClubSessionHeld():
            GUARD.check_session(club, command)
        case LearningClubTopicPresented():
            _check_topic(club, command)
        case LearningClubResultPresented() | LearningClubReportPublished():
            _check_output(club, command)
        case LearningClubDissolved():
            GUARD.check_dissolving(club, command, context)
        case _:
            pass
    return (data,)


def _check_topic(club: LearningClub, command: Command) -> None:
    data, day = command.data, command.occurred_on
    name = f"session {data.session} of {GUARD.name(data)}"
    session = club.sessions.get(data.session)
    if session is None:
        raise GUARD.refusal(
            "session-unknown",
            f"{name} was never held",
            field="session",
            remedy="record learning_club.session_held first",
        )
    if day != session.held_on:
        raise GUARD.refusal(
            "other-day", f"{name} was held on {session.held_on}", field="occurred_on"
        )
    if data.presenter not in session.attendees:
        raise GUARD.refusal(
            "presenter-absent", f"{data.presenter} did not attend {name}", field="presenter"
        )
    if (data.session, data.presenter) in club.presented:
        raise GUARD.refusal(
            "topic-repeated", f"{data.presenter} has presented at {name} already", field="presenter"
        )


def _check_output(club: LearningClub, command: Command) -> None:
    data = command.data
    if isinstance(data, LearningClubResultPresented):
        code, known, field, shares = data.presentation, club.results, "presentation", "presenters"
    else:
        code, known, field, shares = data.report, club.reports, "report", "writers"
    if code in known:
        reason = f"{field} {code} of {GUARD.name(data)} is recorded already"
        raise GUARD.refusal(f"{field}-repeated", reason, field=field)
    people = [part.person for part in getattr(data, shares)]
    GUARD.check_members(club, people, command, field=shares)


def evolve(state: LearningClub | None, fact: Fact) -> LearningClub | None:
    """Fold one fact into a learning club's state."""
    data, day = fact.data, fact.occurred_on
    if isinstance(data, LearningClubRegistered):
        return founded(LearningClub, data.leader, day)
    if state is None:
        return None
    club = state.seen(day)
    match data:
        case LearningClubJoined(person=person):
            club = club.joined(person, day)
        case LearningClubLeft(person=person):
            club = club.left(person, day)
        case LearningClubSessionHeld(session=session, attendees=attendees):
            club = club.held(session, day, attendees)
        case LearningClubTopicPresented(session=session, presenter=presenter):
            club = attrs.evolve(club, presented=club.presented | {(session, presenter)})
        case LearningClubResultPresented(presentation=code, presenters=shares):
            club = club.took_part([share.person for share in shares], day)
            club = attrs.evolve(club, results=club.results | {code})
        case LearningClubReportPublished(report=code, writers=shares):
            club = club.took_part([share.person for share in shares], day)
            club = attrs.evolve(club, reports=club.reports | {code})
        case LearningClubDissolved():
            club = club.dissolved(day)
        case _:
            pass
    return club


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
    "learning_club.topic_presented",
    ko="학습동아리 발제",
    en="Topic presented",
    category="learning_club",
    id_fields=("club",),
    identity=("club", "session", "presenter"),
    activity=Activity(people="presenter"),
)
@attrs.frozen
class LearningClubTopicPresented(Data):
    """A member who attends a session presents its topic to the others."""

    club: Annotated[str, Code("동아리", "Club")]
    session: Annotated[str, Code("회차", "Session")]
    presenter: Annotated[str, Person("발제자", "Presenter")]


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
