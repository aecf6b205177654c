"""What is refused of the money of groups, besides what stands in ``tests/test_kinds.py``."""

from __future__ import annotations

from datetime import date

from mileage.ledger import (
    LearningClubRegistered,
    SupportGranted,
    SupportReturned,
    SupportSettled,
    SupportSpent,
)

__all__ = ["REFUSALS"]

MARCH, APRIL, MAY, JUNE = date(2005, 3, 2), date(2005, 4, 1), date(2005, 5, 2), date(2005, 6, 1)
CLUB = (LearningClubRegistered("readers", "Readers", "P1"), MARCH)


def granted(item="activity", amount=1_000):
    return SupportGranted("readers", item, amount)


def spent(amount, receipt="r2", item="activity"):
    return SupportSpent("readers", item, amount, receipt)


SETTLED = SupportSettled("readers", "office")
GRANTS = [CLUB, (granted(), MARCH), (granted("expert"), MAY)]
OVER = [*GRANTS, (SETTLED, MAY)]
ANEW = [*OVER, (SupportReturned("readers", 2_000), MAY), (granted("printing"), JUNE)]

REFUSALS = [
    # Money is there from the day of its grant, and what is spent later stays covered.
    ("support.above-the-grant", GRANTS, spent(1, item="expert"), APRIL, "amount"),
    ("support.above-the-grant", [*GRANTS, (spent(900, "r1"), JUNE)], spent(101), APRIL, "amount"),
    ("support.settled-too-early", GRANTS, SETTLED, APRIL, "occurred_on"),
    ("support.not-settled", OVER, SupportReturned("readers", 1), APRIL, "group"),
    # Another account begins when the settled one is empty, and only afterwards.
    ("support.not-returned", OVER, granted(), JUNE, "group"),
    ("support.already-settled", OVER, granted(), MAY, "group"),
    ("support.above-the-grant", ANEW, spent(1), JUNE, "amount"),
    ("support.not-settled", ANEW, SupportReturned("readers", 1), JUNE, "group"),
    ("support.receipt-repeated", *[[*GRANTS, (spent(1), JUNE)], spent(1)], JUNE, "receipt"),
]
