"""교육과정·연찬회·워크숍·토론회: offered, attended, taught, completed, or cancelled."""

from __future__ import annotations

from decimal import Decimal

import pytest
from mileage.ledger import (
    CourseAttended,
    CourseCompleted,
    CourseEnrolled,
    CourseEnrolmentCancelled,
    CourseLectured,
    CourseOffered,
    Refused,
)
from mileage.ledger.kinds.course import FORMS, CourseCancelled
from story import Office, rulebook

BOOK = rulebook(
    *(
        f"""[[rule]]
        id = "{word}"
        activity = "course.{word}"
        {per}
        values = [ {{ from = 2000-01-01, points = {points}, clause = "{word}" }} ]
        """
        for word, points, per in (
            ("attended", 0.5, 'per = "hour"'),
            ("completed", 2, ""),
            ("lectured", 1, 'per = "hour"'),
        )
    )
)


@pytest.fixture
def office(tmp_path):
    """An office that rewards attending, completing and lecturing."""
    told = Office(tmp_path)
    told.adopt(BOOK, "2005-01-03")
    yield told
    told.close()


def offer(office, form="workshop"):
    offered = CourseOffered("w1", "연찬회", form, "본청 교육장", 20, Decimal(12))
    office.record("2005-03-02", offered)
    office.record("2005-03-02", CourseEnrolled("w1", "A"))


@pytest.mark.parametrize("form", [form for form in FORMS if form != "field_day"])
def test_a_course_of_each_form(office, form):
    """Whatever its form: hours attended over days, completion, and a lecturer's hours earn."""
    offer(office, form)
    office.record("2005-03-10", CourseAttended("w1", "A", Decimal(8)))
    office.record("2005-03-11", CourseAttended("w1", "A", Decimal(4)))
    office.record("2005-03-11", CourseLectured("w1", "B", Decimal("1.5")))
    office.record("2005-03-11", CourseCompleted("w1", "A"))
    assert office.points("A", "B") == ["8", "1.5"]


def test_a_cancelled_course_gives_nothing(office):
    """From the day of cancelling on nobody attends; a void of it lets the course go on."""
    offer(office)
    office.record("2005-03-05", CourseCancelled("w1", "신청 저조"), "cancelled")
    with pytest.raises(Refused, match="already-cancelled"):
        office.record("2005-03-10", CourseAttended("w1", "A", Decimal(8)))
    assert office.points("A") == ["0"]
    office.void("2005-03-06", "cancelled")
    office.record("2005-03-10", CourseAttended("w1", "A", Decimal(8)))
    assert office.points("A") == ["4"]


def test_a_course_broken_off(office):
    """What was attended before it was cancelled counts, also where it is recorded afterwards."""
    offer(office)
    office.record("2005-03-11", CourseCancelled("w1", "강사 사정"))
    office.record("2005-03-10", CourseAttended("w1", "A", Decimal(8)), known="2005-03-12")
    assert office.points("A") == ["4"]


def test_attendance_recorded_in_error(office):
    """Attendance is voided after the completion that rests on it, and its points go."""
    offer(office)
    office.record("2005-03-10", CourseAttended("w1", "A", Decimal(8)), "attended")
    office.record("2005-03-11", CourseCompleted("w1", "A"), "completed")
    with pytest.raises(Refused, match="rested-upon"):
        office.void("2005-03-12", "attended")
    office.void("2005-03-12", "completed")
    office.void("2005-03-12", "attended")
    assert office.points("A") == ["0"]


def test_attendance_recorded_late(office):
    """Hours attended before the completion are recorded after it, and earn."""
    offer(office)
    office.record("2005-03-10", CourseAttended("w1", "A", Decimal(8)))
    office.record("2005-03-12", CourseCompleted("w1", "A"))
    office.record("2005-03-11", CourseAttended("w1", "A", Decimal(4)), known="2005-03-15")
    assert office.points("A") == ["8"]


def test_a_place_given_back(office):
    """A place is free from the day on which it was given back, and taken until then."""
    office.record("2005-03-02", CourseOffered("w1", "연찬회", "workshop", "본청", 2, Decimal(12)))
    for person in "AB":
        office.record("2005-03-02", CourseEnrolled("w1", person))
    office.record("2005-03-07", CourseEnrolmentCancelled("w1", "A"))
    with pytest.raises(Refused, match="no-place"):
        office.record("2005-03-06", CourseEnrolled("w1", "C"))
    office.record("2005-03-07", CourseEnrolled("w1", "C"))
    with pytest.raises(Refused, match="no-place"):
        office.record("2005-03-08", CourseEnrolled("w1", "D"))
