"""What indicators refuse."""

from datetime import date
from decimal import Decimal

from mileage.ledger.kinds.indicator import (
    IndicatorDefined,
    IndicatorDiscontinued,
    IndicatorMeasured,
    IndicatorTargetSet,
)

MARCH, MAY, JUNE = date(2005, 3, 2), date(2005, 5, 2), date(2005, 6, 1)


def defined():
    return IndicatorDefined("users", "이용자 만족도", "%", "higher")


def measured():
    return IndicatorMeasured("users", Decimal("70.3"), "survey")


ENDED = IndicatorDiscontinued("users", "merged with another")
RUNNING = [(defined(), MARCH)]
MEASURED = [*RUNNING, (measured(), JUNE)]
OVER = [(defined(), MARCH), (ENDED, MAY)]

REFUSALS = [
    ("indicator.already-defined", RUNNING, defined(), MAY, "indicator"),
    ("indicator.unknown", [], measured(), MAY, "indicator"),
    ("indicator.already-discontinued", OVER, measured(), JUNE, "indicator"),
    ("indicator.already-discontinued", OVER, ENDED, MAY, "indicator"),
    ("indicator.discontinued-too-early", MEASURED, ENDED, MAY, "occurred_on"),
    (
        "indicator.year-over",
        RUNNING,
        IndicatorTargetSet("users", 2004, Decimal(70)),
        MAY,
        "year",
    ),
]
