"""What holds are refused for."""

from datetime import date

from mileage.ledger import (
    PointsDenied,
    PointsHeld,
    PointsReleased,
    ProposalSubmitted,
    shares,
)
from mileage.ledger.kinds.sanction import SanctionImposed

APRIL, MAY, JUNE = date(2005, 4, 1), date(2005, 5, 2), date(2005, 6, 1)
KEY = "proposal.submitted:2005-77"
SUBMITTED = (ProposalSubmitted("2005-77", "제안", "online", shares({"P1": 100})), MAY)
HELD = PointsHeld(KEY, "appeal")
DENIED = [SUBMITTED, (HELD, MAY), (PointsDenied(KEY, "no"), MAY)]
SANCTION = (SanctionImposed("S-9", "P1", "code"), MAY)

REFUSALS = [
    ("hold.unknown-fact", [], HELD, MAY, "fact"),
    ("hold.earns-nothing", [SANCTION], PointsHeld("sanction.imposed:S-9", "x"), JUNE, "fact"),
    ("hold.before-the-fact", [SUBMITTED], HELD, APRIL, "occurred_on"),
    ("hold.already-held", [SUBMITTED, (HELD, MAY)], HELD, JUNE, "fact"),
    ("hold.not-held", [SUBMITTED], PointsReleased(KEY, "yes"), JUNE, "fact"),
    ("hold.not-held", DENIED, PointsReleased(KEY, "yes"), JUNE, "fact"),
    ("hold.denied", DENIED, HELD, JUNE, "fact"),
]
