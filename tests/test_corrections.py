"""Corrections: what a void is refused for, and what it is not."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from mileage.ledger import (
    ContestAwarded,
    ContestEntered,
    ContestOpened,
    Ledger,
    MemberJoined,
    MemberTransferred,
    Refused,
    UnitEstablished,
    shares,
)
from mileage.ledger.kinds.contest import ContestCaseShared, ContestClosed
from mileage.ledger.kinds.evaluation import EvaluationOpened, EvaluationUnitScored

MARCH, APRIL, MAY, JUNE = (date(2005, month, 2) for month in (3, 4, 5, 6))


@pytest.fixture
def office(tmp_path):
    """A ledger with two units and two people."""
    with Ledger.create(
        tmp_path / "a.sqlite",
        organisation="청",
        opened_on=date(2005, 1, 1),
        clock=lambda: datetime(2005, 12, 20, 3, 0, tzinfo=UTC),
    ) as ledger:
        for data in (
            UnitEstablished("HQ", "본청", "HQ"),
            UnitEstablished("SEOUL", "서울", "Seoul"),
            MemberJoined("P1", "HQ", "G5"),
            MemberJoined("P2", "SEOUL", "G5"),
        ):
            ledger.record(data, on=date(2005, 1, 3), by="o")
        yield ledger


def record(ledger, *facts):
    for number, (data, day) in enumerate(facts):
        ledger.record(data, on=day, by="o", key=f"fact-{number}")


def test_a_fact_that_other_things_have_overtaken_is_no_reason(office):
    """A score stays voidable though its neighbour's evaluator turned out to be of the unit."""
    days = (date(2005, 1, 1), date(2005, 12, 31))
    record(
        office,
        (EvaluationOpened("e", "평가", *days), MARCH),
        (EvaluationUnitScored("e", "SEOUL", "x", Decimal(90), evaluator="P1"), MAY),
        (EvaluationUnitScored("e", "HQ", "x", Decimal(80), evaluator="P2"), MAY),
        (MemberTransferred("P1", "SEOUL"), APRIL),
    )

    assert office.void("fact-2", reason="오기", on=MAY, by="o").new


def test_a_contest_closed_in_retrospect(office):
    """What rests on nothing but an award is voided though the contest is said to end before it."""
    record(
        office,
        (ContestOpened("c", "대회", "agency", ("gold",)), MARCH),
        (ContestEntered("c", "e", "사례", shares({"P1": 100})), MARCH),
        (ContestAwarded("c", "e", "gold"), MAY),
        (ContestCaseShared("c", "e", "email"), JUNE),
        (ContestClosed("c"), APRIL),
    )

    assert office.void("fact-3", reason="오기", on=JUNE, by="o").new
    with pytest.raises(Refused) as refused:
        office.void("fact-1", reason="오기", on=JUNE, by="o")
    assert refused.value.rule == "correction.rested-upon"


def test_what_stands_again_must_fit(office):
    """A void is not voided where what would stand again does not fit any longer."""
    record(
        office,
        (ContestOpened("c", "대회", "agency", ("gold",)), MARCH),
        (ContestEntered("c", "e", "사례", shares({"P1": 100})), MARCH),
        (ContestAwarded("c", "e", "gold"), MAY),
    )
    office.void("fact-2", reason="오기", on=MAY, by="o", key="void")
    office.record(ContestClosed("c"), on=APRIL, by="o")

    with pytest.raises(Refused, match="closed on 2005-04-02") as refused:
        office.void("void", reason="오기", on=JUNE, by="o")
    assert refused.value.rule == "correction.rested-upon"
