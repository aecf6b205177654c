"""What courses and field-learning days refuse, besides what stands in ``tests/test_kinds.py``."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from mileage.ledger import (
    CourseAttended,
    CourseCompleted,
    CourseEnrolled,
    CourseEnrolmentCancelled,
    CourseLectured,
    CourseOffered,
    shares,
)
from mileage.ledger.kinds.course import (
    CourseCancelled,
    CourseDifficultyHeard,
    CourseDifficultySolved,
)

__all__ = ["REFUSALS"]

MARCH, APRIL, MAY = date(2005, 3, 2), date(2005, 4, 1), date(2005, 5, 2)
SCHOOL = (CourseOffered("c", "Cohort", "innovation_school", "HQ", 1, Decimal(8)), MARCH)
FIELD = (CourseOffered("c", "Visit", "field_day", "Ansan", 9, Decimal(8)), MARCH)
ENROLLED = (CourseEnrolled("c", "P1"), MARCH)
ATTENDED = (CourseAttended("c", "P1", Decimal(4)), APRIL)
COMPLETED = (CourseCompleted("c", "P1"), APRIL)
CANCELLED = CourseCancelled("c", "too few")
HEARD = CourseDifficultyHeard("c", "d1", "Two forms for one loan")
SOLVED = CourseDifficultySolved("c", "d1", shares({"P1": 60, "P2": 40}), "One form")


REFUSALS = [
    # Places, attendance and outcomes are held against the dates, in whatever order they come.
    (
        "course.no-place",
        [SCHOOL, ENROLLED, (CourseEnrolmentCancelled("c", "P1"), MAY)],
        CourseEnrolled("c", "P2"),
        APRIL,
        "person",
    ),
    (
        "course.no-place",
        [SCHOOL, (CourseEnrolled("c", "P2"), MAY)],
        CourseEnrolled("c", "P1"),
        APRIL,
        "person",
    ),
    (
        "course.already-enrolled",
        [FIELD, ENROLLED, (CourseEnrolmentCancelled("c", "P1"), MAY)],
        CourseEnrolled("c", "P1"),
        APRIL,
        "person",
    ),
    (
        "course.attended-later",
        [SCHOOL, ENROLLED, (CourseAttended("c", "P1", Decimal(4)), MAY)],
        CourseCompleted("c", "P1"),
        APRIL,
        "occurred_on",
    ),
    (
        "course.already-ended",
        [SCHOOL, ENROLLED, ATTENDED, COMPLETED],
        CourseAttended("c", "P1", Decimal(1)),
        MAY,
        "person",
    ),
    (
        "course.beyond-capacity",
        [SCHOOL, ENROLLED],
        CourseAttended("c", "P2", Decimal(1)),
        APRIL,
        "person",
    ),
    (
        "course.already-completed",
        [SCHOOL, ENROLLED, ATTENDED, COMPLETED],
        CourseCompleted("c", "P1"),
        MAY,
        "person",
    ),
    ("course.not-a-field-day", [SCHOOL], HEARD, APRIL, "course"),
    ("course.difficulty-repeated", [FIELD, (HEARD, APRIL)], HEARD, MAY, "difficulty"),
    ("course.difficulty-unknown", [FIELD], SOLVED, APRIL, "difficulty"),
    ("course.difficulty-unknown", [FIELD, (HEARD, MAY)], SOLVED, APRIL, "difficulty"),
    ("course.already-solved", [FIELD, (HEARD, APRIL), (SOLVED, APRIL)], SOLVED, MAY, "difficulty"),
    ("course.already-cancelled", [SCHOOL, ENROLLED, (CANCELLED, APRIL)], *ATTENDED, "course"),
    ("course.already-cancelled", [SCHOOL, (CANCELLED, APRIL)], ENROLLED[0], MAY, "course"),
    ("course.already-cancelled", [SCHOOL, (CANCELLED, APRIL)], CANCELLED, MARCH, "course"),
    ("course.already-held", [SCHOOL, ENROLLED, ATTENDED], CANCELLED, APRIL, "occurred_on"),
    (
        "course.already-held",
        [SCHOOL, (CourseLectured("c", "P2", Decimal(1)), MAY)],
        CANCELLED,
        APRIL,
        "occurred_on",
    ),
    ("course.held-to-the-end", [SCHOOL, ENROLLED, ATTENDED, COMPLETED], CANCELLED, MAY, "course"),
]
