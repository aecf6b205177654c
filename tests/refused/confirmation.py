"""What confirmations are refused for."""

from datetime import date

from mileage.ledger import PointsConfirmed, ProposalSubmitted, shares
from mileage.ledger.kinds.sanction import SanctionImposed

APRIL, MAY, JUNE = date(2005, 4, 1), date(2005, 5, 2), date(2005, 6, 1)
KEY = "proposal.submitted:2005-77"
DATA = ProposalSubmitted("2005-77", "제안", "online", shares({"P1": 100}))
CONFIRMED = PointsConfirmed(KEY)
OWN, OTHERS = (DATA, MAY), (DATA, MAY, "writer")
SANCTION = (SanctionImposed("S-9", "P1", "code"), MAY, "writer")

REFUSALS = [
    ("confirmation.unknown-fact", [], CONFIRMED, MAY, "fact"),
    (
        "confirmation.earns-nothing",
        [SANCTION],
        PointsConfirmed("sanction.imposed:S-9"),
        JUNE,
        "fact",
    ),
    ("confirmation.before-the-fact", [OTHERS], CONFIRMED, APRIL, "occurred_on"),
    ("confirmation.four-eyes", [OWN], CONFIRMED, JUNE, "fact"),
    ("confirmation.repeated", [OTHERS, (CONFIRMED, MAY)], CONFIRMED, JUNE, "fact"),
]
