"""What learning clubs refuse, besides what stands in ``tests/test_kinds.py``."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from mileage.ledger import (
    LearningClubDissolved,
    LearningClubLeft,
    LearningClubRegistered,
    LearningClubReportPublished,
    LearningClubResultPresented,
    LearningClubSessionHeld,
    SupportGranted,
    SupportSpent,
    shares,
)
from mileage.ledger.kinds.learning_club import LearningClubTopicPresented
from mileage.ledger.kinds.study_team import StudyTeamFormed

__all__ = ["REFUSALS"]

MARCH, APRIL, MAY = date(2005, 3, 2), date(2005, 4, 1), date(2005, 5, 2)
CLUB = (LearningClubRegistered("readers", "Readers", "P1"), MARCH)
TEAM = (StudyTeamFormed("readers", "Team", "Forms", "P1", MAY), MARCH)
MET = (LearningClubSessionHeld("readers", "1", "Queues", Decimal(2), ("P1",)), APRIL)
PRESENTED = LearningClubResultPresented("readers", "r1", "Queues", shares({"P1": 100}))
PUBLISHED = LearningClubReportPublished("readers", "b1", "Queues", shares({"P1": 100}))
STRANGERS = shares({"P1": 50, "P2": 50})
LEFT = LearningClubLeft("readers", "P1")
ENDED = LearningClubDissolved("readers", "done")
MONEY = (SupportGranted("readers", "activity", 1_000), MARCH)
PAID = (SupportSpent("readers", "activity", 1_000, "r1"), MAY)


def topic(session="1", presenter="P1"):
    return LearningClubTopicPresented("readers", session, presenter)


REFUSALS = [
    ("learning_club.code-taken", [TEAM], CLUB[0], APRIL, "club"),
    ("learning_club.session-unknown", [CLUB, MET], topic("2"), APRIL, "session"),
    ("learning_club.other-day", [CLUB, MET], topic(), MAY, "occurred_on"),
    ("learning_club.presenter-absent", [CLUB, MET], topic("1", "P2"), APRIL, "presenter"),
    ("learning_club.topic-repeated", [CLUB, MET, (topic(), APRIL)], topic(), APRIL, "presenter"),
    (
        "learning_club.presentation-repeated",
        [CLUB, (PRESENTED, MAY)],
        PRESENTED,
        MAY,
        "presentation",
    ),
    ("learning_club.report-repeated", [CLUB, (PUBLISHED, MAY)], PUBLISHED, MAY, "report"),
    (
        "learning_club.not-member",
        [CLUB],
        LearningClubResultPresented("readers", "r1", "Queues", STRANGERS),
        MAY,
        "presenters",
    ),
    (
        "learning_club.not-member",
        [CLUB],
        LearningClubReportPublished("readers", "b1", "Queues", STRANGERS),
        MAY,
        "writers",
    ),
    ("learning_club.left-too-early", [CLUB, MET], LEFT, MARCH, "occurred_on"),
    ("learning_club.left-too-early", [CLUB, (PRESENTED, MAY)], LEFT, APRIL, "occurred_on"),
    ("learning_club.left-too-early", [CLUB, (PUBLISHED, MAY)], LEFT, APRIL, "occurred_on"),
    ("learning_club.dissolved-too-early", [CLUB, MET], ENDED, MARCH, "occurred_on"),
    ("learning_club.dissolved-too-early", [CLUB, MONEY, PAID], ENDED, APRIL, "occurred_on"),
    ("learning_club.already-dissolved", [CLUB, (ENDED, MAY)], ENDED, APRIL, "club"),
]
