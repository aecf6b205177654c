"""What decisions about entitlements are refused for."""

from datetime import date

from mileage.ledger.kinds.entitlement import (
    EntitlementApproved,
    EntitlementGranted,
    EntitlementRefused,
    EntitlementRevoked,
)

JUNE, JULY, AUGUST = date(2005, 6, 1), date(2005, 7, 1), date(2005, 8, 1)
THING = ("bonus", "2005", "P1")
GRANTED = (EntitlementGranted(*THING, "A"), JUNE)
APPROVED = (EntitlementApproved(*THING), JULY, "director")
REFUSED = (EntitlementRefused(*THING, "sanction"), JUNE)

REFUSALS = [
    ("entitlement.already-granted", [GRANTED], EntitlementGranted(*THING, "B"), JULY, "person"),
    ("entitlement.already-granted", [GRANTED], EntitlementRefused(*THING, "no"), JULY, "person"),
    ("entitlement.not-granted", [], EntitlementApproved(*THING), JULY, "person"),
    ("entitlement.not-granted", [REFUSED], EntitlementRevoked(*THING, "no"), JULY, "person"),
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
