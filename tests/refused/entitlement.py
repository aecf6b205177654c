"""What decisions about entitlements are refused for."""

from datetime import date

from mileage.ledger import MemberJoined
from mileage.ledger.kinds.entitlement import (
    EntitlementApproved,
    EntitlementGranted,
    EntitlementRefused,
    EntitlementRevoked,
)

JUNE, JULY, AUGUST = date(2005, 6, 1), date(2005, 7, 1), date(2005, 8, 1)
THING = ("bonus", "2005", "P1")
OWN = ("bonus", "2005", "officer")  # whom the table's recorder would decide on
JOINED = (MemberJoined("officer", "HQ", "G5"), JUNE)
OTHERS = (EntitlementGranted(*OWN, "A"), JUNE, "director")
GRANTED = (EntitlementGranted(*THING, "A"), JUNE)
APPROVED = (EntitlementApproved(*THING), JULY, "director")
REFUSED = (EntitlementRefused(*THING, "sanction"), JUNE)

REFUSALS = [
    ("entitlement.already-granted", [GRANTED], EntitlementGranted(*THING, "B"), JULY, "person"),
    ("entitlement.already-granted", [GRANTED], EntitlementRefused(*THING, "no"), JULY, "person"),
    ("entitlement.not-granted", [], EntitlementApproved(*THING), JULY, "person"),
    ("entitlement.not-granted", [REFUSED], EntitlementRevoked(*THING, "no"), JULY, "person"),
    ("entitlement.own-case", [JOINED, OTHERS], EntitlementApproved(*OWN), JULY, "person"),
    ("entitlement.own-case", [JOINED], EntitlementGranted(*OWN, "A"), JULY, "person"),
    ("entitlement.own-approval", [GRANTED], EntitlementApproved(*THING), JULY, "person"),
    (
        "entitlement.already-approved",
        [GRANTED, APPROVED],
        EntitlementApproved(*THING),
        AUGUST,
        "person",
    ),
    ("entitlement.already-refused", [REFUSED], EntitlementRefused(*THING, "no"), JULY, "person"),
    (
        "entitlement.before-last-decision",
        [GRANTED, APPROVED],
        EntitlementRevoked(*THING, "no"),
        JUNE,
        "occurred_on",
    ),
]
