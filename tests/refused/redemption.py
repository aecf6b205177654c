"""What redemptions are refused for."""

from datetime import date
from decimal import Decimal

from mileage.ledger.kinds.redemption import RedemptionMade, RedemptionReversed

MAY, JUNE = date(2005, 5, 2), date(2005, 6, 1)
MADE = RedemptionMade("R-1", "P1", Decimal(5), "books")
REVERSED = RedemptionReversed("R-1", "sold out")

REFUSALS = [
    ("redemption.already-made", [(MADE, MAY)], MADE, JUNE, "redemption"),
    ("redemption.unknown", [], REVERSED, MAY, "redemption"),
    ("redemption.already-reversed", [(MADE, MAY), (REVERSED, MAY)], REVERSED, JUNE, "redemption"),
]
