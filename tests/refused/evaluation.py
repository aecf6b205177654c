"""What is refused of an evaluation."""

from datetime import date
from decimal import Decimal

from mileage.ledger import UnitEstablished
from mileage.ledger.kinds.evaluation import (
    EvaluationClosed,
    EvaluationOpened,
    EvaluationPublished,
    EvaluationReopened,
    EvaluationUnitScored,
)
from mileage.ledger.kinds.unit import UnitAbolished

JANUARY = date(2005, 1, 3)
MARCH = date(2005, 3, 2)
JUNE = date(2005, 6, 30)
JULY = date(2005, 7, 4)
AUGUST = date(2005, 8, 1)


def opened(starts_on=MARCH, ends_on=JUNE):
    return EvaluationOpened("half", "상반기 평가", starts_on, ends_on)


def scored(unit="SEOUL", evaluator="P1", outside=None):
    return EvaluationUnitScored("half", unit, "effort", Decimal(80), evaluator, outside)


OPEN = [(opened(), JANUARY)]
SCORED = [*OPEN, (scored(), JULY)]
CLOSED = [*SCORED, (EvaluationClosed("half"), AUGUST)]
PUBLISHED = [*CLOSED, (EvaluationPublished("half"), AUGUST)]
TEAM = [(UnitEstablished("TEAM", "팀", "Team"), MARCH), *OPEN]

REFUSALS = [
    ("evaluation.unknown", [], scored(), JULY, "evaluation"),
    ("evaluation.already-opened", OPEN, opened(), MARCH, "evaluation"),
    ("evaluation.ends-before-start", [], opened(JUNE, MARCH), JANUARY, "ends_on"),
    ("evaluation.not-begun", OPEN, scored(), date(2005, 3, 1), "occurred_on"),
    ("evaluation.not-begun", OPEN, EvaluationClosed("half"), date(2005, 3, 1), "occurred_on"),
    ("evaluation.one-evaluator", OPEN, scored(evaluator=None), JULY, "evaluator"),
    ("evaluation.one-evaluator", OPEN, scored(outside="KPC-1"), JULY, "evaluator"),
    ("evaluation.own-unit", OPEN, scored("HQ"), JULY, "evaluator"),
    ("evaluation.score-repeated", SCORED, scored(), JULY, "element"),
    (
        "evaluation.unit-not-there",
        [*TEAM, (UnitAbolished("TEAM", "끝"), date(2005, 6, 30))],
        scored("TEAM"),
        JULY,
        "unit",
    ),
    (
        "evaluation.no-more-scores",
        CLOSED,
        scored(evaluator=None, outside="X"),
        AUGUST,
        "evaluation",
    ),
    ("evaluation.no-more-scores", PUBLISHED, scored("SEOUL", "P2"), AUGUST, "evaluation"),
    ("evaluation.out-of-order", SCORED, EvaluationClosed("half"), date(2005, 7, 3), "occurred_on"),
    ("evaluation.already-closed", CLOSED, EvaluationClosed("half"), date(2005, 8, 2), "evaluation"),
    ("evaluation.not-closed", SCORED, EvaluationPublished("half"), AUGUST, "evaluation"),
    ("evaluation.not-closed", SCORED, EvaluationReopened("half", "x"), AUGUST, "evaluation"),
    (
        "evaluation.already-published",
        PUBLISHED,
        EvaluationPublished("half"),
        date(2005, 8, 2),
        "evaluation",
    ),
]
