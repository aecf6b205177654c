"""Courses, workshops, discussions, cohorts of the innovation school, field-learning days.

All are offered with a number of places, enrolled for, attended in hours, completed or failed, and
taught (교육과정·연찬회·워크숍·테마별 토론회, 혁신학교, 현장학습의 날). On a field-learning day
petitions and difficulties (민원·애로사항) are heard, which are solved then or later.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from itertools import accumulate
from typing import TYPE_CHECKING, Annotated

import attrs
from mileage.ledger.errors import Refused
from mileage.ledger.fields import Choice, Code, Hours, Label, Person, Share, Shares, Text, Whole

from .member import Span
from .registry import Activity, Context, Data, Programme, kind, kinds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mileage.ledger.facts import Command, Fact

__all__ = [
    "Course",
    "CourseAttended",
    "CourseCancelled",
    "CourseCompleted",
    "CourseDifficultyHeard",
    "CourseDifficultySolved",
    "CourseEnrolled",
    "CourseEnrolmentCancelled",
    "CourseFailed",
    "CourseLectured",
    "CourseOffered",
    "Difficulty",
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
        attended_on: Latest date of attendance.
        outcome: ``completed``, ``failed``, or empty while it is open.
        ended_on: Date of the outcome, if there is one.
    """

    since: date
    hours: Decimal = Decimal(0)
    attended_on: date = date.min
    outcome: str = ""
    ended_on: date | None = None


@attrs.frozen
class Difficulty:
    """What is known of a petition or difficulty.

    Attributes:
        heard_on: Date on which it was heard.
        solved: Whether it is solved.
    """

    heard_on: date
    solved: bool = False


@attrs.frozen
class Course:
    """State of a course.

    Attributes:
        form: One of ``FORMS``.
        capacity: How many can be enrolled.
        hours: How long it lasts.
        participants: Those enrolled, by person.
        given_back: Spans in which others held a place until they gave it back, by person.
        difficulties: Petitions and difficulties heard, by code.
        held_on: Latest date on which somebody attended or lectured, or something was heard.
        cancelled_on: Date from which it does not take place, if it was cancelled.
    """

    form: str
    capacity: int
    hours: Decimal
    participants: Mapping[str, Participant] = attrs.field(factory=dict)
    given_back: Mapping[str, tuple[Span, ...]] = attrs.field(factory=dict)
    difficulties: Mapping[str, Difficulty] = attrs.field(factory=dict)
    held_on: date | None = None
    cancelled_on: date | None = None

    @property
    def is_full(self) -> bool:
        """Whether every place is taken."""
        return len(self.participants) >= self.capacity

    def has_place_from(self, day: date) -> bool:
        """Whether a place is free on a day and on every day after it."""
        spans = [
            span
            for each in self.given_back.values()
            for span in each
            if span.covers(day) or day < span.since
        ]
        if len(self.participants) + len(spans) < self.capacity:
            return True
        spans += [Span(each.since) for each in self.participants.values()]
        begun = Counter(max(span.since, day) for span in spans)
        begun.subtract(Counter(span.until for span in spans if span.until))
        taken = accumulate(begun[each] for each in sorted(begun))
        return max(taken, default=0) < self.capacity

    def held_until(self, person: str, day: date) -> date | None:
        """Until when somebody who gave a place back holds it on a day or later, if so."""
        spans = self.given_back.get(person, ())
        return next((span.until for span in spans if span.until and day < span.until), None)


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
    _check_takes_place(state, command, name)
    match data:
        case CourseCancelled():
            _check_cancelling(state, command, name)
        case CourseDifficultyHeard() | CourseDifficultySolved():
            _check_difficulty(state, command, name)
        case CourseEnrolled():
            _check_enrolment(state, data, command.occurred_on, name)
        case CourseLectured(hours=hours):
            _check_hours(state, hours, Decimal(0), name)
        case _:
            _check_participant(state, command, name)
    return (data,)


def _check_takes_place(state: Course, command: Command, name: str) -> None:
    """Refuse what is of the time since a course was cancelled; what was heard can be solved."""
    since = state.cancelled_on
    if since and (
        isinstance(command.data, CourseCancelled)
        or (command.occurred_on >= since and not isinstance(command.data, CourseDifficultySolved))
    ):
        raise Refused(
            "course.already-cancelled", f"{name} is cancelled from {since}", field="course"
        )


def _check_cancelling(state: Course, command: Command, name: str) -> None:
    """Refuse to cancel what took place: completed by somebody, or held on that day or later."""
    day = command.occurred_on
    if state.held_on and state.held_on >= day:
        raise Refused(
            "course.already-held",
            f"{name} was held on {state.held_on}, not before {day}",
            field="occurred_on",
            remedy="void what did not happen first, or date it later",
        )
    if any(each.outcome == "completed" for each in state.participants.values()):
        raise Refused(
            "course.held-to-the-end", f"{name} was completed by participants", field="course"
        )


def _check_difficulty(state: Course, command: Command, name: str) -> None:
    data, day = command.data, command.occurred_on
    if state.form != "field_day":
        raise Refused("course.not-a-field-day", f"{name} is no field-learning day", field="course")
    what = f"difficulty {data.difficulty} of {name}"
    known = state.difficulties.get(data.difficulty)
    if isinstance(data, CourseDifficultyHeard):
        if known:
            raise Refused(
                "course.difficulty-repeated",
                f"{what} was heard on {known.heard_on} already",
                field="difficulty",
            )
    elif known is None or day < known.heard_on:
        raise Refused(
            "course.difficulty-unknown",
            f"{what} was not heard by {day}",
            field="difficulty",
            remedy="record course.difficulty_heard first",
        )
    elif known.solved:
        raise Refused("course.already-solved", f"{what} is solved already", field="difficulty")


def _check_enrolment(state: Course, data: CourseEnrolled, day: date, name: str) -> None:
    held_until = state.held_until(data.person, day)
    if data.person in state.participants or held_until:
        raise Refused(
            "course.already-enrolled",
            f"{data.person} is enrolled in {name} already"
            + (f", until {held_until}" if held_until else ""),
            field="person",
        )
    if not state.has_place_from(day):
        raise Refused(
            "course.no-place",
            f"all {state.capacity} places of {name} are taken on {day} or later",
            field="person",
            remedy="record course.enrolment_cancelled for somebody who does not come",
        )


def _check_participant(state: Course, command: Command, name: str) -> None:
    data, day = command.data, command.occurred_on
    participant = state.participants.get(data.person)
    if participant is None and state.is_full and isinstance(data, CourseAttended):
        raise Refused(
            "course.beyond-capacity",
            f"{data.person} is not enrolled in {name}, and all {state.capacity} places are taken",
            field="person",
            remedy="record course.enrolment_cancelled for somebody who did not come, then enrol",
        )
    if participant is None or day < participant.since:
        raise Refused(
            "course.not-enrolled",
            f"{data.person} is not enrolled in {name} on {day}",
            field="person",
            remedy="record course.enrolled first",
        )
    if participant.outcome == "completed" and isinstance(data, CourseCompleted):
        raise Refused(
            "course.already-completed",
            f"{data.person} has completed {name} already",
            field="person",
        )
    ended_on = participant.ended_on
    if ended_on and not (isinstance(data, CourseAttended) and day <= ended_on):
        raise Refused(
            "course.already-ended",
            f"{data.person} has {participant.outcome} {name} on {ended_on}",
            field="person",
        )
    if isinstance(data, CourseAttended):
        _check_hours(state, data.hours, participant.hours, name)
    elif isinstance(data, CourseCompleted | CourseFailed) and day < participant.attended_on:
        raise Refused(
            "course.attended-later",
            f"{data.person} attended {name} on {participant.attended_on}, after {day}",
            field="occurred_on",
            remedy=f"date it on {participant.attended_on} or later, or void what is later",
        )
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
    data, day = fact.data, fact.occurred_on
    if isinstance(data, CourseOffered):
        return Course(form=data.form, capacity=data.capacity, hours=data.course_hours)
    if state is None:
        return None
    course = state
    if isinstance(data, CourseAttended | CourseLectured | CourseDifficultyHeard):
        course = attrs.evolve(course, held_on=max(state.held_on or day, day))
    match data:
        case CourseCancelled():
            course = attrs.evolve(course, cancelled_on=day)
        case CourseLectured():
            pass
        case CourseDifficultyHeard(difficulty=code):
            course = _with_difficulty(course, code, Difficulty(day))
        case CourseDifficultySolved(difficulty=code):
            heard_on = state.difficulties.get(code, Difficulty(day)).heard_on
            course = _with_difficulty(course, code, Difficulty(heard_on, solved=True))
        case CourseEnrolmentCancelled(person=person):
            course = _without(course, person, day)
        case _:
            course = attrs.evolve(course, participants=_participants(course, fact))
    return course


def _without(state: Course, person: str, day: date) -> Course:
    """The course after somebody gave a place back."""
    participants = dict(state.participants)
    known = participants.pop(person, None)
    spans = state.given_back.get(person, ())
    if known:
        spans = (*spans, Span(known.since, day))
    given_back = {**state.given_back, person: spans}
    return attrs.evolve(state, participants=participants, given_back=given_back)


def _with_difficulty(state: Course, code: str, difficulty: Difficulty) -> Course:
    return attrs.evolve(state, difficulties={**state.difficulties, code: difficulty})


def _participants(state: Course, fact: Fact) -> Mapping[str, Participant]:
    """The participants after a fact about one of them."""
    data = fact.data
    day = fact.occurred_on
    participants = dict(state.participants)
    known = participants.get(data.person, Participant(since=day))
    match data:
        case CourseAttended(hours=hours):
            latest = max(known.attended_on, day)
            known = attrs.evolve(known, hours=known.hours + hours, attended_on=latest)
            participants[data.person] = known
        case CourseCompleted():
            participants[data.person] = attrs.evolve(known, outcome="completed", ended_on=day)
        case CourseFailed():
            participants[data.person] = attrs.evolve(known, outcome="failed", ended_on=day)
        case _:
            participants[data.person] = known
    return participants


kinds.add_programme(Programme("course", Label("교육·연찬", "Course"), decide=decide, evolve=evolve))

_BY_FORM = {"form": "course.offered"}


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
    cohort: Annotated[int | None, Whole("기수", "Cohort", most=1_000, optional=True)] = None
    target_group: Annotated[
        str | None, Text("교육 대상", "For whom", length_max=200, optional=True)
    ] = None


@kind(
    "course.cancelled",
    ko="교육과정 취소",
    en="Course cancelled",
    category="course",
    id_fields=("course",),
)
@attrs.frozen
class CourseCancelled(Data):
    """A course does not take place, from that day on, for a reason."""

    course: Annotated[str, Code("과정", "Course")]
    reason: Annotated[str, Text("사유", "Reason")]


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
    activity=Activity(people="person", hours="hours", conditions=_BY_FORM),
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
    activity=Activity(people="person", conditions=_BY_FORM),
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
    activity=Activity(people="lecturer", hours="hours", conditions=_BY_FORM),
)
@attrs.frozen
class CourseLectured(Data):
    """A colleague lectures for some hours."""

    course: Annotated[str, Code("과정", "Course")]
    lecturer: Annotated[str, Person("강사", "Lecturer")]
    hours: Annotated[Decimal, Hours("시간", "Hours")]


@kind(
    "course.difficulty_heard",
    ko="민원·애로사항 청취",
    en="Difficulty heard",
    category="course",
    id_fields=("course",),
    identity=("course", "difficulty"),
)
@attrs.frozen
class CourseDifficultyHeard(Data):
    """On a field-learning day a petition or difficulty is heard; it names no citizen."""

    course: Annotated[str, Code("과정", "Course")]
    difficulty: Annotated[str, Code("민원·애로사항", "Difficulty")]
    description: Annotated[str, Text("내용", "Description", length_max=500)]


@kind(
    "course.difficulty_solved",
    ko="민원·애로사항 해결",
    en="Difficulty solved",
    category="course",
    id_fields=("course",),
    identity=("course", "difficulty"),
    activity=Activity(people="solvers", conditions=_BY_FORM),
)
@attrs.frozen
class CourseDifficultySolved(Data):
    """A petition or difficulty heard on a field-learning day is solved, by people with shares."""

    course: Annotated[str, Code("과정", "Course")]
    difficulty: Annotated[str, Code("민원·애로사항", "Difficulty")]
    solvers: Annotated[tuple[Share, ...], Shares("해결자", "Solvers")]
    resolution: Annotated[str, Text("해결 내용", "Resolution")]
