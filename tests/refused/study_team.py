"""What study teams refuse, and the money of one."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from mileage.ledger import LearningClubRegistered, SupportGranted, SupportSpent, shares
from mileage.ledger.kinds.study_team import (
    StudyTeamDissolved,
    StudyTeamFormed,
    StudyTeamJoined,
    StudyTeamLeft,
    StudyTeamResultDelivered,
    StudyTeamSessionHeld,
)

__all__ = ["REFUSALS"]

MARCH, APRIL, MAY, JUNE = date(2005, 3, 2), date(2005, 4, 1), date(2005, 5, 2), date(2005, 6, 1)
TEAM = (StudyTeamFormed("venture", "Venture", "New certificate", "P1", MAY), MARCH)
CLUB = (LearningClubRegistered("venture", "Readers", "P1"), MARCH)
JOINED = StudyTeamJoined("venture", "P2")
GRANTED = SupportGranted("venture", "expert", 1_000)
DISSOLVED = StudyTeamDissolved("venture", "done")


def met(session="1", attendees=("P1",)):
    return StudyTeamSessionHeld("venture", session, "Cases", Decimal(2), attendees)


def delivered(timeliness="on_time", **contributors):
    parts = shares(contributors or {"P1": 100})
    return StudyTeamResultDelivered("venture", "Draft", timeliness, parts)


def formed(due):
    return StudyTeamFormed("venture", "Venture", "New certificate", "P1", due)


REFUSALS = [
    (
        "study_team.left-too-early",
        [TEAM, (met(), MAY)],
        StudyTeamLeft("venture", "P1"),
        APRIL,
        "occurred_on",
    ),
    ("study_team.already-formed", [TEAM], TEAM[0], APRIL, "team"),
    ("study_team.due-before-formed", [], formed(MARCH), APRIL, "due_on"),
    ("study_team.code-taken", [CLUB], TEAM[0], APRIL, "team"),
    ("study_team.unknown", [], met(), APRIL, "team"),
    ("study_team.already-member", [TEAM, (JOINED, APRIL)], JOINED, MAY, "person"),
    ("study_team.not-member", [TEAM], StudyTeamLeft("venture", "P2"), APRIL, "person"),
    ("study_team.not-member", [TEAM], met("1", ("P1", "P2")), APRIL, "attendees"),
    ("study_team.never-member", [TEAM], delivered(P1=60, P2=40), APRIL, "contributors"),
    ("study_team.session-repeated", [TEAM, (met(), APRIL)], met(), MAY, "session"),
    ("study_team.timeliness-wrong", [TEAM], delivered(), JUNE, "timeliness"),
    ("study_team.timeliness-wrong", [TEAM], delivered("late"), MAY, "timeliness"),
    ("study_team.already-delivered", [TEAM, (delivered(), APRIL)], delivered(), MAY, "team"),
    ("study_team.already-dissolved", [TEAM, (DISSOLVED, APRIL)], met(), MAY, "team"),
    ("study_team.already-dissolved", [TEAM, (DISSOLVED, APRIL)], DISSOLVED, MAY, "team"),
    ("study_team.dissolved-too-early", [TEAM, (met(), MAY)], DISSOLVED, APRIL, "occurred_on"),
    ("thing.not-begun", [TEAM], GRANTED, date(2005, 3, 1), "group"),
    ("support.group-dissolved", [TEAM, (DISSOLVED, APRIL)], GRANTED, MAY, "group"),
    (
        "support.above-the-grant",
        [TEAM, (GRANTED, APRIL)],
        SupportSpent("venture", "expert", 1_001, "r1"),
        MAY,
        "amount",
    ),
]
