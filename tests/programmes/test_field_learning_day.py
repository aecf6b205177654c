"""현장학습의 날: a day out, the difficulties heard there and who solves them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from mileage.ledger import (
    CourseAttended,
    CourseEnrolled,
    CourseOffered,
    Refused,
    shares,
)
from mileage.ledger.kinds.course import CourseDifficultyHeard, CourseDifficultySolved
from story import Office, rulebook

BOOK = rulebook(
    """[[rule]]
    id = "attended"
    activity = "course.attended"
    per = "hour"
    values = [ { from = 2000-01-01, points = 0.25, clause = "1" } ]
    """,
    """[[rule]]
    id = "solved"
    activity = "course.difficulty_solved"
    split = "share"
    values = [ { from = 2000-01-01, points = 5, clause = "2" } ]
    """,
)
HEARD = CourseDifficultyHeard("fd-03", "d1", "융자 신청 서식이 둘로 나뉘어 있음")


@pytest.fixture
def office(tmp_path):
    """An office that rewards field-learning days; A was at one in Ansan and heard a difficulty."""
    told = Office(tmp_path)
    told.adopt(BOOK, "2005-01-03")
    day = CourseOffered("fd-03", "3월 현장학습", "field_day", "안산 공단", 10, Decimal(8))
    told.record("2005-03-02", day)
    told.record("2005-03-02", CourseEnrolled("fd-03", "A"))
    told.record("2005-03-12", CourseAttended("fd-03", "A", Decimal(8)))
    told.record("2005-03-12", HEARD, "heard")
    yield told
    told.close()


def solved(**parts):
    return CourseDifficultySolved("fd-03", "d1", shares(parts), "서식을 하나로 합침")


def test_a_field_day_from_visit_to_solution(office):
    """Attending earns by the hour; a difficulty earns when it is solved, also weeks later."""
    assert office.points("A", "B") == ["2", "0"]
    office.record("2005-04-20", solved(A=60, B=40))
    assert office.points("A", "B") == ["5", "2"]
    line = office.model.figures().statement("B")[-1]
    assert (line.kind, line.title) == ("course.difficulty_solved", "3월 현장학습")


def test_a_solution_recorded_in_error(office):
    """The void takes the points back; the difficulty stays heard and can be solved by others."""
    office.record("2005-04-20", solved(A=100), "solved")
    with pytest.raises(Refused, match="rested-upon"):
        office.void("2005-04-21", "heard")
    office.void("2005-04-21", "solved")
    assert office.points("A", "B") == ["2", "0"]
    office.record("2005-05-02", solved(B=100), "by B")
    assert office.points("A", "B") == ["2", "5"]
