"""What the meetings of standing bodies refuse."""

from __future__ import annotations

from datetime import date

from mileage.ledger.kinds.council import CouncilMet, CouncilResolved

__all__ = ["REFUSALS"]

MARCH, APRIL = date(2005, 3, 2), date(2005, 4, 1)
MET = (CouncilMet("learning_council", "2005-1", "Plan of the year", ("P1", "P2")), MARCH)
RESOLVED = CouncilResolved("learning_council", "2005-1", "r1", "Adopted as tabled")

REFUSALS = [
    ("council.already-met", [MET], MET[0], APRIL, "meeting"),
    ("council.unknown", [], RESOLVED, APRIL, "meeting"),
    ("council.resolution-repeated", [MET, (RESOLVED, MARCH)], RESOLVED, APRIL, "resolution_code"),
]
