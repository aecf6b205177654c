"""What sanctions are refused for."""

from datetime import date

from mileage.ledger.kinds.sanction import SanctionImposed, SanctionLifted

MAY, JUNE, JULY = date(2005, 5, 2), date(2005, 6, 1), date(2005, 7, 1)
IMPOSED = SanctionImposed("S-1", "P1", "plagiarism", JULY)
BACKWARDS = SanctionImposed("S-2", "P1", "plagiarism", MAY)
LIFTED = SanctionLifted("S-1", "pardon")
GIVEN = [(IMPOSED, JUNE)]

REFUSALS = [
    ("sanction.already-imposed", [(IMPOSED, MAY)], IMPOSED, JUNE, "sanction"),
    ("sanction.ends-before-start", [], BACKWARDS, MAY, "until"),
    ("sanction.unknown", [], LIFTED, MAY, "sanction"),
    ("sanction.already-lifted", [*GIVEN, (LIFTED, JUNE)], LIFTED, JUNE, "sanction"),
    ("sanction.already-over", GIVEN, LIFTED, JULY, "occurred_on"),
]
