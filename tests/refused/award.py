"""What awards are refused for."""

from datetime import date

from mileage.ledger import shares
from mileage.ledger.kinds.award import AwardGranted, AwardWithdrawn

MAY, JUNE, JULY = date(2005, 5, 2), date(2005, 6, 1), date(2005, 7, 1)
AWARD = AwardGranted("A-1", "우수제안자", shares({"P1": 100}), "창구 개선", "2005-1")
OTHER = AwardGranted("A-2", "우수제안자", shares({"P2": 100}), "서식 통합", "2005-1")
WITHDRAWN = AwardWithdrawn("A-1", "copied")

REFUSALS = [
    ("award.already-granted", [(AWARD, MAY)], AWARD, JUNE, "award"),
    ("award.certificate-taken", [(AWARD, MAY)], OTHER, JUNE, "certificate"),
    (
        "award.certificate-taken",
        [(AWARD, MAY), (WITHDRAWN, JUNE)],
        OTHER,
        JULY,
        "certificate",
    ),
    ("award.unknown", [], WITHDRAWN, MAY, "award"),
    ("award.already-withdrawn", [(AWARD, MAY), (WITHDRAWN, JUNE)], WITHDRAWN, JULY, "award"),
    ("award.before-last-stage", [(AWARD, MAY), (WITHDRAWN, JULY)], AWARD, JUNE, "occurred_on"),
]
