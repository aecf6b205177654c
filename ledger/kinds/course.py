"""Courses, workshops, discussions, cohorts of the innovation school, field-learning days.

All are offered with a number of places, enrolled for, attended in hours, completed or failed, and
taught (교육과정·연찬회·워크숍·테마별 토론회, 혁신학교, 현장학습의 날).
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import attrs
from mileage.ledger.errors import Refused
from mileage.ledger.fields import Choice, Code, Hours, Label, Person, Text, Whole

from .registry import Activity, Context, Data, Programme, kind, kinds

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from mileage.ledger.facts import Command, Fact

__all__ = [
    "Course",
    "CourseAttended",
    "CourseCompleted",
    "CourseEnrolled",
    "CourseEnrolmentCancelled",
    "CourseFailed",
    "CourseLectured",
    "CourseOffered",
    "Participant",
]

FORMS = {
    "course": Label("교육과정", "course"),
    "workshop": Label("연찬회·워크숍", "workshop"),
    "discussion": Label("테마별 토론회", "discussion meeting"),
    "innovation_school": Label("혁신학교", "innovation school"),
    "field_day": Label("현장학습의 날", "field-learning day"),
}
HOURS_MAX = 2_000


@attrs.frozen
class Participant:
    """What is known of somebody who is enrolled.

    Attributes:
        since: Date of the enrolment.
        hours: Hours attended so far.
        outcome: ``completed``, ``failed``, or empty while it is open.
    """

    since: date
    hours: Decimal = Decimal(0)
    outcome: str = ""


@attrs.frozen
class Course:
    """State of a course.

    Attributes:
        capacity: How many can be enrolled.
        hours: How long it lasts.
        participants: Those enrolled, by person.
    """

    capacity: int
    hours: Decimal
    participants: Mapping[str, Participant]


def decide(state: Course | None, command: Command, _context: Context) -> tuple[Data, ...]:
    """Guard a course: places, attendance of the enrolled within its hours, one outcome each."""
    data = command.data
    name = f"course {data.course}"
    if isinstance(data, CourseOffered):
        if state is not None:
            raise Refused("course.already-offered", f"{name} is offered already", field="course")
        return (data,)
    if state is None:
        raise Refused(
            "course.unknown",
            f"{name} was never offered",
            field="course",
            remedy="record course.offered first",
        )
    match data:
        case CourseEnrolled(person=person):
            if person in state.participants:
                raise Refused(
                    "course.already-enrolled",
                    f"{person} is enrolled in {name} already",
                    field="person",
                )
            if len(state.participants) >= state.capacity:
                raise Refused(
                    "course.no-place",
                    f"all {state.capacity} places of {name} are taken",
                    field="person",
                    remedy="record course.enrolment_cancelled for somebody who does not come",
                )
        case CourseLectured(hours=hours):
            _check_hours(state, hours, Decimal(0), name)
        case _:
            _check_participant(state, command, name)
    return (data,)


def _check_participant(state: Course, command: Command, name: str) -> None:
    data = command.data
    participant = state.participants.get(data.person)
    if participant is None or command.occurred_on < participant.since:
        raise Refused(
            "course.not-enrolled",
            f"{data.person} is not enrolled in {name} on {command.occurred_on}",
            field="person",
            remedy="record course.enrolled first",
        )
    if participant.outcome:
        raise Refused(
            "course.already-ended",
            f"{data.person} has {participant.outcome} {name}",
            field="person",
        )
    if isinstance(data, CourseAttended):
        _check_hours(state, data.hours, participant.hours, name)
    elif isinstance(data, CourseCompleted) and not participant.hours:
        raise Refused(
            "course.not-attended",
            f"{data.person} has attended no hour of {name}",
            field="person",
            remedy="record course.attended first",
        )
    elif isinstance(data, CourseEnrolmentCancelled) and participant.hours:
        raise Refused(
            "course.already-attended",
            f"{data.person} has attended {name}",
            field="person",
            remedy="record course.failed instead",
        )


def _check_hours(state: Course, hours: Decimal, before: Decimal, name: str) -> None:
    if before + hours > state.hours:
        raise Refused(
            "course.too-long",
            f"{before + hours} hours are more than the {state.hours} of {name}",
            field="hours",
        )


def evolve(state: Course | None, fact: Fact) -> Course | None:
    """Fold one fact into a course's state."""
    data = fact.data
    if isinstance(data, CourseOffered):
        return Course(capacity=data.capacity, hours=data.course_hours, participants={})
    if state is None or isinstance(data, CourseLectured):
        return state
    participants = dict(state.participants)
    known = participants.get(data.person, Participant(since=fact.occurred_on))
    match data:
        case CourseAttended(hours=hours):
            participants[data.person] = attrs.evolve(known, hours=known.hours + hours)
        case CourseCompleted():
            participants[data.person] = attrs.evolve(known, outcome="completed")
        case CourseFailed():
            participants[data.person] = attrs.evolve(known, outcome="failed")
        case CourseEnrolmentCancelled():
            participants.pop(data.person, None)
        case _:
            participants[data.person] = known
    return attrs.evolve(state, participants=participants)


kinds.add_programme(Programme("course", Label("교육·연찬", "Course"), decide=decide, evolve=evolve))


@kind(
    "course.offered",
    ko="교육과정 개설",
    en="Course offered",
    category="course",
    id_fields=("course",),
    title="title",
)
@attrs.frozen
class CourseOffered(Data):
    """A course, workshop, discussion, school cohort or field-learning day is offered."""

    course: Annotated[str, Code("과정", "Course")]
    title: Annotated[str, Text("제목", "Title", length_max=500)]
    form: Annotated[str, Choice("형식", "Form", words=FORMS)]
    institute: Annotated[str, Text("교육기관·장소", "Institute or place", length_max=200)]
    capacity: Annotated[int, Whole("정원", "Places", most=100_000)]
    course_hours: Annotated[Decimal, Hours("과정 시간", "Hours in all", hours_max=HOURS_MAX)]


@kind(
    "course.enrolled",
    ko="수강 등록",
    en="Enrolled",
    category="course",
    id_fields=("course",),
    identity=("course", "person", "occurred_on"),
)
@attrs.frozen
class CourseEnrolled(Data):
    """A person is enrolled in a course."""

    course: Annotated[str, Code("과정", "Course")]
    person: Annotated[str, Person("수강자", "Person")]


@kind(
    "course.enrolment_cancelled",
    ko="수강 취소",
    en="Enrolment cancelled",
    category="course",
    id_fields=("course",),
    identity=("course", "person", "occurred_on"),
)
@attrs.frozen
class CourseEnrolmentCancelled(Data):
    """A person who has not attended yet gives the place back."""

    course: Annotated[str, Code("과정", "Course")]
    person: Annotated[str, Person("수강자", "Person")]


@kind(
    "course.attended",
    ko="교육 참석",
    en="Course attended",
    category="course",
    id_fields=("course",),
    identity=("course", "person", "occurred_on"),
    activity=Activity(people="person", hours="hours"),
)
@attrs.frozen
class CourseAttended(Data):
    """Somebody enrolled attends for some hours of a day."""

    course: Annotated[str, Code("과정", "Course")]
    person: Annotated[str, Person("수강자", "Person")]
    hours: Annotated[Decimal, Hours("시간", "Hours")]


@kind(
    "course.completed",
    ko="교육 수료",
    en="Course completed",
    category="course",
    id_fields=("course",),
    identity=("course", "person"),
    activity=Activity(people="person"),
)
@attrs.frozen
class CourseCompleted(Data):
    """Somebody enrolled completes a course."""

    course: Annotated[str, Code("과정", "Course")]
    person: Annotated[str, Person("수강자", "Person")]


@kind(
    "course.failed",
    ko="교육 미수료",
    en="Course failed",
    category="course",
    id_fields=("course",),
    identity=("course", "person"),
)
@attrs.frozen
class CourseFailed(Data):
    """Somebody enrolled does not complete a course, for a reason."""

    course: Annotated[str, Code("과정", "Course")]
    person: Annotated[str, Person("수강자", "Person")]
    reason: Annotated[str, Text("사유", "Reason")]


@kind(
    "course.lectured",
    ko="강의",
    en="Lectured",
    category="course",
    id_fields=("course",),
    identity=("course", "lecturer", "occurred_on"),
    activity=Activity(people="lecturer", hours="hours"),
)
@attrs.frozen
class CourseLectured(Data):
    """A colleague lectures for some hours."""

    course: Annotated[str, Code("과정", "Course")]
    lecturer: Annotated[str, Person("강사", "Lecturer")]
    hours: Annotated[Decimal, Hours("시간", "Hours")]
