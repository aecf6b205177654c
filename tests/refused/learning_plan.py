"""What learning plans refuse."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from mileage.ledger.kinds.learning_plan import (
    LearningPlanAdopted,
    LearningPlanEnded,
    LearningPlanTargetSet,
)

__all__ = ["REFUSALS"]

MARCH, APRIL, MAY = date(2005, 3, 2), date(2005, 4, 1), date(2005, 5, 2)
YEAR = (date(2005, 1, 1), date(2005, 12, 31))


def adopted(starts_on=YEAR[0], ends_on=YEAR[1]):
    return LearningPlanAdopted("LP", "Plan", "P1", starts_on, ends_on)


def target(goal="100", measure="hours"):
    return LearningPlanTargetSet("LP", "HQ", measure, Decimal(goal))


PLAN = (adopted(), MARCH)
SPRING = (adopted(ends_on=APRIL), MARCH)
ENDED = LearningPlanEnded("LP", "merged")

REFUSALS = [
    ("learning_plan.already-adopted", [PLAN], adopted(), APRIL, "plan"),
    ("learning_plan.ends-before-start", [], adopted(APRIL, MARCH), APRIL, "ends_on"),
    ("learning_plan.adopted-too-late", [], adopted(ends_on=APRIL), MAY, "occurred_on"),
    ("learning_plan.over-already", [SPRING], ENDED, MAY, "occurred_on"),
    ("learning_plan.unknown", [], target(), APRIL, "plan"),
    ("learning_plan.target-too-late", [SPRING], target(), MAY, "occurred_on"),
    ("learning_plan.target-too-late", [PLAN, (ENDED, APRIL)], target(), MAY, "occurred_on"),
    ("learning_plan.target-of-nothing", [PLAN], target("0"), APRIL, "goal"),
    ("learning_plan.not-whole", [PLAN], target("1.5", "people"), APRIL, "goal"),
    ("learning_plan.ended-too-early", [PLAN, (target(), MAY)], ENDED, APRIL, "occurred_on"),
    ("learning_plan.already-ended", [PLAN, (ENDED, APRIL)], ENDED, MAY, "plan"),
]
