"""What contests, their entries and the cases that have an award refuse."""

from __future__ import annotations

from datetime import date

from mileage.ledger import (
    ContestAwarded,
    ContestAwardWithdrawn,
    ContestEntered,
    ContestOpened,
    shares,
)
from mileage.ledger.kinds.contest import (
    ContestBenchmarkCredited,
    ContestCaseBenchmarked,
    ContestCaseShared,
    ContestClosed,
    ContestEntryWithdrawn,
    ContestShortlisted,
)

__all__ = ["REFUSALS"]

MARCH = date(2005, 3, 2)
APRIL = date(2005, 4, 1)
MAY = date(2005, 5, 2)
JUNE = date(2005, 6, 1)
JULY = date(2005, 7, 1)

PLAIN = (ContestOpened("c", "우수사례 경진대회", "agency", ("gold", "silver")), MARCH)
ROUNDS = (
    ContestOpened("c", "합동 경진대회", "inter_agency", ("gold",), ("예선", "본선"), "중앙회"),
    MARCH,
)
ENTERED = (ContestEntered("c", "e", "한 창구", shares({"P1": 60, "P2": 40}), "HQ"), APRIL)
CLOSED = (ContestClosed("c"), MAY)
FIRST = (ContestShortlisted("c", "e", "예선"), MAY)
FINAL = ContestShortlisted("c", "e", "본선")
AWARD = ContestAwarded("c", "e", "gold")
AWARDED = [PLAIN, ENTERED, (AWARD, MAY)]
GONE = ContestEntryWithdrawn("c", "e", "출품자 사정")
SHARED = ContestCaseShared("c", "e", "newsletter")
BENCHMARKED = ContestCaseBenchmarked("c", "e", "SEOUL", "같은 창구 도입")
CREDITED = ContestBenchmarkCredited("c", "e", "SEOUL", shares({"P3": 100}))
REVOKED = (ContestAwardWithdrawn("c", "e", "표절"), JUNE)

REFUSALS = [
    ("contest.closed-too-early", AWARDED, CLOSED[0], APRIL, "occurred_on"),
    # the contest
    ("contest.unknown", [], CLOSED[0], APRIL, "contest"),
    ("contest.already-closed", [PLAIN, CLOSED], CLOSED[0], JUNE, "contest"),
    ("contest.already-closed", [PLAIN, CLOSED], ENTERED[0], JUNE, "contest"),
    ("contest.already-closed", [ROUNDS, ENTERED, CLOSED], FIRST[0], JUNE, "contest"),
    ("contest.already-closed", [PLAIN, ENTERED, CLOSED], AWARD, JUNE, "contest"),
    # rounds
    ("contest.round-unknown", [PLAIN, ENTERED], FIRST[0], MAY, "round"),
    (
        "contest.round-unknown",
        [ROUNDS, ENTERED],
        ContestShortlisted("c", "e", "결선"),
        MAY,
        "round",
    ),
    ("contest.round-out-of-turn", [ROUNDS, ENTERED], FINAL, MAY, "round"),
    ("contest.round-out-of-turn", [ROUNDS, ENTERED, FIRST, (FINAL, MAY)], FINAL, MAY, "round"),
    ("contest.before-last-stage", [ROUNDS, ENTERED, FIRST], FINAL, APRIL, "occurred_on"),
    ("contest.not-shortlisted", [ROUNDS, ENTERED], AWARD, MAY, "entry"),
    ("contest.not-shortlisted", [ROUNDS, ENTERED, FIRST], AWARD, MAY, "entry"),
    # entries that are taken back
    ("contest.already-awarded", AWARDED, GONE, JUNE, "entry"),
    ("contest.already-withdrawn", [PLAIN, ENTERED, (GONE, MAY)], AWARD, JUNE, "entry"),
    ("contest.already-withdrawn", [PLAIN, ENTERED, (GONE, MAY)], GONE, JUNE, "entry"),
    ("contest.already-entered", [PLAIN, ENTERED, (GONE, MAY)], ENTERED[0], JUNE, "entry"),
    ("contest.entry-unknown", [PLAIN], GONE, MAY, "entry"),
    # sharing and benchmarking
    ("contest.not-awarded", [PLAIN, ENTERED], SHARED, JUNE, "entry"),
    ("contest.not-awarded", [*AWARDED, REVOKED], SHARED, JULY, "entry"),
    ("contest.already-shared", [*AWARDED, (SHARED, JUNE)], SHARED, JULY, "medium"),
    ("contest.before-last-stage", AWARDED, SHARED, APRIL, "occurred_on"),
    ("contest.not-awarded", [PLAIN, ENTERED], BENCHMARKED, JUNE, "entry"),
    (
        "contest.own-benchmark",
        AWARDED,
        ContestCaseBenchmarked("c", "e", "HQ", "우리 것"),
        JUNE,
        "unit",
    ),
    ("contest.already-benchmarked", [*AWARDED, (BENCHMARKED, JUNE)], BENCHMARKED, JULY, "unit"),
    ("unit.unknown", AWARDED, ContestCaseBenchmarked("c", "e", "NOWHERE", "도입"), JUNE, "unit"),
    ("contest.not-benchmarked", AWARDED, CREDITED, JUNE, "unit"),
    ("contest.before-last-stage", [*AWARDED, (BENCHMARKED, JUNE)], CREDITED, MAY, "occurred_on"),
    (
        "contest.already-credited",
        [*AWARDED, (BENCHMARKED, JUNE), (CREDITED, JUNE)],
        ContestBenchmarkCredited("c", "e", "SEOUL", shares({"P2": 100})),
        JULY,
        "unit",
    ),
]
