"""What closings are refused for."""

from datetime import date

from mileage.ledger import PeriodClosed, PeriodReopened

APRIL, MAY, JULY = date(2005, 4, 1), date(2005, 5, 2), date(2005, 7, 1)
MARCH = PeriodClosed("2005-03")
CLOSED = [(MARCH, APRIL), (PeriodClosed("2005-04"), MAY)]


def reopened(period: str, by: str = "director") -> PeriodReopened:
    """Somebody approved that a period is opened again."""
    return PeriodReopened(period, by, "mistake")


REFUSALS = [
    ("closing.before-its-end", [], PeriodClosed("2005-04"), APRIL, "occurred_on"),
    ("closing.already-closed", CLOSED, PeriodClosed("2005-03"), JULY, "period"),
    ("closing.already-closed", CLOSED, PeriodClosed("2005-Q1"), JULY, "period"),
    ("closing.out-of-order", CLOSED, PeriodClosed("2005-06"), JULY, "period"),
    ("closing.out-of-order", CLOSED, PeriodClosed("2005"), JULY, "period"),
    ("closing.not-closed", CLOSED, reopened("2005-05"), JULY, "period"),
    ("closing.not-the-last", CLOSED, reopened("2005-03"), JULY, "period"),
    ("closing.four-eyes", CLOSED, reopened("2005-04", "officer"), JULY, "approved_by"),
]
