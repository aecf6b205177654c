"""What a proposal and a review round refuse."""

from __future__ import annotations

from datetime import date

from mileage.ledger import (
    ProposalAdopted,
    ProposalImplemented,
    ProposalRejected,
    ProposalReviewed,
    ProposalSubmitted,
    ProposalWithdrawn,
    shares,
)
from mileage.ledger.kinds.proposal import (
    ProposalGraded,
    ProposalHeld,
    ProposalImplementationCredited,
    ProposalMerged,
)
from mileage.ledger.kinds.proposal_round import (
    ProposalRoundClosed,
    ProposalRoundGradeLeftVacant,
    ProposalRoundGradeReopened,
    ProposalRoundOpened,
)

__all__ = ["REFUSALS"]

MARCH = date(2005, 3, 2)
APRIL = date(2005, 4, 1)
MAY = date(2005, 5, 2)
JUNE = date(2005, 6, 1)
JULY = date(2005, 7, 1)

ROUND = (ProposalRoundOpened("R1", "상반기 제안심사위원회", ("gold", "silver")), MARCH)
VACANT = (ProposalRoundGradeLeftVacant("R1", "gold", "해당작 없음"), MAY)
REOPENED = (ProposalRoundGradeReopened("R1", "gold", "재심사"), JUNE)
CLOSED = (ProposalRoundClosed("R1"), MAY)


def submitted(name: str = "a") -> tuple[ProposalSubmitted, date]:
    """A proposal of P1."""
    return ProposalSubmitted(name, "서식 줄이기", "online", shares({"P1": 100})), MARCH


REVIEW = ProposalReviewed("a", "P2", "recommended", "R1")
UNGRADED = [submitted(), (ProposalAdopted("a"), APRIL)]
GRADED = [submitted(), (ProposalAdopted("a", "gold"), APRIL)]
HELD = [submitted(), (ProposalHeld("a", "예산 확보 후"), APRIL)]
DONE = [*GRADED, (ProposalImplemented("a"), MAY)]
CREDIT = ProposalImplementationCredited("a", shares({"P2": 100}))
MERGED = [submitted(), submitted("b"), (ProposalMerged("a", "b", "같은 제안"), MAY)]

IN_ROUND = [submitted(), (ProposalAdopted("a", "gold", "R1"), MAY)]
REVIEWED = [submitted(), (ProposalReviewed("a", "P2", "recommended"), MAY)]

REFUSALS = [
    ("proposal.decided-too-early", REVIEWED, ProposalAdopted("a"), APRIL, "occurred_on"),
    ("proposal.decided-too-early", REVIEWED, ProposalRejected("a", "-"), APRIL, "occurred_on"),
    ("proposal.already-decided", GRADED, REVIEWED[1][0], MAY, "proposal"),
    # rounds
    ("proposal_round.already-opened", [ROUND], ROUND[0], APRIL, "proposal_round"),
    ("proposal_round.unknown", [], ProposalRoundClosed("R1"), APRIL, "proposal_round"),
    ("proposal_round.already-closed", [ROUND, CLOSED], CLOSED[0], JUNE, "proposal_round"),
    ("proposal_round.already-closed", [ROUND, CLOSED], VACANT[0], JUNE, "proposal_round"),
    (
        "proposal_round.grade-unknown",
        [ROUND],
        ProposalRoundGradeLeftVacant("R1", "iron", "없음"),
        MAY,
        "grade",
    ),
    ("proposal_round.grade-already-vacant", [ROUND, VACANT], VACANT[0], JUNE, "grade"),
    ("proposal_round.grade-not-vacant", [ROUND], REOPENED[0], JUNE, "grade"),
    ("proposal_round.grade-not-vacant", [ROUND, VACANT, REOPENED], REOPENED[0], JULY, "grade"),
    ("proposal_round.before-last-change", [ROUND, VACANT], REOPENED[0], APRIL, "occurred_on"),
    ("proposal_round.before-last-change", [ROUND, VACANT, REOPENED], VACANT[0], MAY, "occurred_on"),
    ("proposal_round.closed-too-early", [ROUND, VACANT], CLOSED[0], APRIL, "occurred_on"),
    ("proposal_round.closed-too-early", [ROUND, *IN_ROUND], CLOSED[0], APRIL, "occurred_on"),
    ("proposal_round.grade-given", [ROUND, *IN_ROUND], VACANT[0], APRIL, "grade"),
    # proposals in a round
    ("thing.unknown", [submitted()], REVIEW, APRIL, "proposal_round"),
    ("thing.not-begun", [submitted(), (ROUND[0], MAY)], REVIEW, APRIL, "proposal_round"),
    ("proposal.already-reviewed", [ROUND, submitted(), (REVIEW, APRIL)], REVIEW, MAY, "reviewer"),
    ("proposal.round-closed", [ROUND, CLOSED, submitted()], REVIEW, JUNE, "proposal_round"),
    (
        "proposal.round-closed",
        [ROUND, CLOSED, submitted()],
        ProposalHeld("a", "다음 회차", "R1"),
        JUNE,
        "proposal_round",
    ),
    (
        "proposal.round-closed",
        [ROUND, CLOSED, submitted()],
        ProposalRejected("a", "시행 중", "R1"),
        JUNE,
        "proposal_round",
    ),
    (
        "proposal.round-closed",
        [ROUND, CLOSED, submitted()],
        ProposalAdopted("a", None, "R1"),
        JUNE,
        "proposal_round",
    ),
    (
        "proposal.grade-unknown",
        [ROUND, submitted()],
        ProposalAdopted("a", "iron", "R1"),
        MAY,
        "grade",
    ),
    (
        "proposal.grade-vacant",
        [ROUND, VACANT, submitted()],
        ProposalAdopted("a", "gold", "R1"),
        MAY,
        "grade",
    ),
    (
        "proposal.grade-vacant",
        [ROUND, VACANT, *UNGRADED],
        ProposalGraded("a", "gold", "R1"),
        JUNE,
        "grade",
    ),
    # grades that come later
    ("proposal.not-adopted", [submitted()], ProposalGraded("a", "gold"), MAY, "proposal"),
    ("proposal.already-graded", GRADED, ProposalGraded("a", "silver"), MAY, "grade"),
    ("proposal.before-last-stage", UNGRADED, ProposalGraded("a", "gold"), MARCH, "occurred_on"),
    # held
    ("proposal.already-decided", GRADED, ProposalHeld("a", "보류"), MAY, "proposal"),
    ("proposal.before-last-stage", HELD, ProposalAdopted("a", "gold"), MARCH, "occurred_on"),
    ("proposal.not-adopted", HELD, ProposalImplemented("a"), MAY, "proposal"),
    # put into practice
    ("proposal.not-implemented", GRADED, CREDIT, JUNE, "proposal"),
    ("proposal.before-last-stage", DONE, CREDIT, APRIL, "occurred_on"),
    (
        "proposal.already-credited",
        [*DONE, (CREDIT, JUNE)],
        ProposalImplementationCredited("a", shares({"P3": 100})),
        JULY,
        "implementers",
    ),
    # merged
    ("proposal.already-merged", MERGED, ProposalAdopted("a", "gold"), JUNE, "proposal"),
    ("proposal.already-merged", MERGED, ProposalMerged("a", "b", "다시"), JUNE, "proposal"),
    (
        "proposal.already-decided",
        [submitted(), submitted("b"), (ProposalWithdrawn("a", "철회"), APRIL)],
        ProposalMerged("a", "b", "같은 제안"),
        MAY,
        "proposal",
    ),
    ("thing.unknown", [submitted()], ProposalMerged("a", "z", "같은 제안"), MAY, "into"),
    (
        "proposal.merged-into-itself",
        [submitted()],
        ProposalMerged("a", "a", "같은 제안"),
        MAY,
        "into",
    ),
    (
        "proposal.merged-in-a-circle",
        MERGED,
        ProposalMerged("b", "a", "거꾸로"),
        APRIL,
        "into",
    ),
    (
        "proposal.merged-in-a-circle",
        [*MERGED, submitted("c"), (ProposalMerged("b", "c", "같은 제안"), JUNE)],
        ProposalMerged("c", "a", "한 바퀴"),
        APRIL,
        "into",
    ),
    (
        "proposal.survivor-ended",
        [*MERGED, submitted("c")],
        ProposalMerged("c", "a", "같은 제안"),
        JUNE,
        "into",
    ),
    (
        "proposal.survivor-ended",
        [submitted(), submitted("b"), (ProposalRejected("b", "시행 중"), APRIL)],
        ProposalMerged("a", "b", "같은 제안"),
        MAY,
        "into",
    ),
    (
        "proposal.before-last-stage",
        [*GRADED, submitted("b")],
        ProposalMerged("a", "b", "같은 제안"),
        MARCH,
        "occurred_on",
    ),
]
