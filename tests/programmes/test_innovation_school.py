"""혁신학교: a cohort from its opening to who completed and who failed."""

from __future__ import annotations

from decimal import Decimal

import pytest
from cli_cases import ok
from mileage.ledger import (
    CourseAttended,
    CourseCompleted,
    CourseEnrolled,
    CourseEnrolmentCancelled,
    CourseFailed,
    CourseLectured,
    CourseOffered,
    Refused,
)
from story import Office, rulebook

BOOK = rulebook(
    """[[rule]]
    id = "completed"
    activity = "course.completed"
    values = [ { from = 2000-01-01, points = 10, clause = "1" } ]
    """,
    """[[rule]]
    id = "lectured"
    activity = "course.lectured"
    per = "hour"
    values = [ { from = 2000-01-01, points = 1, clause = "2" } ]
    """,
)
SCHOOL = CourseOffered(
    "is-2005-1",
    "제1기 혁신학교",
    "innovation_school",
    "중앙공무원교육원",
    capacity=2,
    course_hours=Decimal(14),
    cohort=1,
    target_group="신입사무관",
)


@pytest.fixture
def office(tmp_path):
    """An office that rewards completion, with a cohort of two places, A and B enrolled."""
    told = Office(tmp_path)
    told.adopt(BOOK, "2005-01-03")
    told.record("2005-02-01", SCHOOL)
    for person in "AB":
        told.record("2005-02-02", CourseEnrolled("is-2005-1", person))
    yield told
    told.close()


def attends(office, person, hours="14"):
    office.record("2005-02-21", CourseAttended("is-2005-1", person, Decimal(hours)))


def test_a_cohort_from_opening_to_completion(office):
    """Who completes and who lectures earn; who fails does not."""
    attends(office, "A")
    attends(office, "B", "7")
    office.record("2005-02-21", CourseLectured("is-2005-1", "D", Decimal(3)))
    office.record("2005-02-25", CourseCompleted("is-2005-1", "A"))
    office.record("2005-02-25", CourseFailed("is-2005-1", "B", "출석 시간 부족"))
    assert office.points("A", "B", "D") == ["10", "0", "3"]


def test_no_more_attend_than_there_are_places(office):
    """A third is refused by the number of places, and comes in when somebody gives one back."""
    with pytest.raises(Refused, match="beyond-capacity"):
        attends(office, "C")
    office.record("2005-02-03", CourseEnrolmentCancelled("is-2005-1", "B"))
    office.record("2005-02-03", CourseEnrolled("is-2005-1", "C"))
    attends(office, "C")
    assert office.ledger.state("course:is-2005-1").participants.keys() == {"A", "C"}


def test_a_completion_recorded_in_error(office):
    """A second completion is refused; a void takes the first back and leaves room for another."""
    attends(office, "A")
    office.record("2005-02-25", CourseCompleted("is-2005-1", "A"), "completed")
    with pytest.raises(Refused, match="already-completed"):
        office.record("2005-02-26", CourseCompleted("is-2005-1", "A"), "twice")
    office.void("2005-02-26", "completed")
    assert office.points("A") == ["0"]
    office.record("2005-02-26", CourseCompleted("is-2005-1", "A"), "twice")
    assert office.points("A") == ["10"]


def test_history_names_cohort_and_target_group(office):
    """Which cohort it is, and for whom, is read where the course is looked up."""
    shown = ok("--ledger", office.ledger.path, "--lang", "ko", "history", "course:is-2005-1").stdout
    assert "기수 1" in shown
    assert "교육 대상 신입사무관" in shown
