"""Corrections: what a void is refused for, and what it is not."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random

import attrs
import pytest
from auditor import Audit
from compared import balances
from driver import NOT_DRIVEN, Driver
from mileage.ledger import (
    Command,
    ContestAwarded,
    ContestEntered,
    ContestOpened,
    Ledger,
    MemberJoined,
    MemberTransferred,
    ProposalAdopted,
    ProposalReviewed,
    ProposalSubmitted,
    Refused,
    UnitEstablished,
    shares,
)
from mileage.ledger.kinds import kinds
from mileage.ledger.kinds.award import AwardGranted
from mileage.ledger.kinds.contest import ContestClosed
from mileage.ledger.kinds.evaluation import EvaluationOpened, EvaluationUnitScored
from mileage.projections import ReadModel

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
    assert refused.value.rule == "correction.cannot-stand-again"


def test_what_stands_again_names_what_is_there(office):
    """A score cannot stand again for a unit whose founding was voided in the meantime."""
    days = (date(2005, 1, 1), date(2005, 12, 31))
    record(
        office,
        (EvaluationOpened("e", "평가", *days), MARCH),
        (UnitEstablished("NEW", "새", "New"), MARCH),
        (EvaluationUnitScored("e", "NEW", "x", Decimal(90), outside_evaluator="컨설턴트"), MAY),
    )
    office.void("fact-2", reason="오기", on=MAY, by="o", key="void")
    office.void("fact-1", reason="오기", on=MAY, by="o")

    with pytest.raises(Refused, match="NEW is not known") as refused:
        office.void("void", reason="오기", on=JUNE, by="o")
    assert refused.value.rule == "correction.cannot-stand-again"


def test_what_is_taken_away_again_is_looked_for(office):
    """The void that brought a unit back is not voided while somebody serves there."""
    record(office, (UnitEstablished("NEW", "새", "New"), MARCH))
    office.void("fact-0", reason="오기", on=MARCH, by="o", key="void")
    office.void("void", reason="착오", on=MARCH, by="o", key="back")
    office.record(MemberTransferred("P1", "NEW"), on=APRIL, by="o")

    with pytest.raises(Refused, match="speaks of NEW") as refused:
        office.void("back", reason="오기", on=MAY, by="o")
    assert refused.value.rule == "correction.rested-upon"


def test_a_late_opinion(office):
    """A review of the time before the decision may be recorded after it."""
    record(
        office,
        (ProposalSubmitted("a", "제안", "online", shares({"P1": 100})), MARCH),
        (ProposalAdopted("a", "gold"), MAY),
        (ProposalReviewed("a", "P2", "recommended"), APRIL),
    )
    assert office.state("proposal:a").stage == "adopted"


def test_the_number_of_a_voided_award_is_free(office):
    """A certificate entered in error leaves its number to another award."""
    award = AwardGranted("A-1", "우수제안자", shares({"P1": 100}), "창구 개선", "2005-1")
    record(office, (award, MAY))
    office.void("fact-0", reason="오기", on=MAY, by="o")
    assert office.record(attrs.evolve(award, award="A-2"), on=MAY, by="o").new
    with pytest.raises(Refused, match="award A-2"):
        office.void("fact.voided:fact-0", reason="오기", on=MAY, by="o")
    with pytest.raises(Refused, match="award A-2"):  # also within one transaction
        office.record_all(
            Command(attrs.evolve(award, award=code), MAY, "o") for code in ("A-3", "A-4")
        )


@pytest.mark.parametrize("seed", [1, 3])
def test_voiding_anything_of_any_kind(tmp_path, seed):
    """Every fact, each void of it, each void of that: taken or refused; then all is rebuilt."""
    random = Random(seed)  # noqa: S311 - no secret
    driver = Driver(tmp_path / "office.sqlite", random)
    driver.adopt()
    wanted = {k.name for k in kinds if not k.name.startswith(NOT_DRIVEN)}
    categories = sorted(driver.kinds)
    with driver.ledger as ledger, ReadModel(ledger) as model:
        model.rebuild()
        for turn in range(80):
            for category in categories:
                if category not in ("member", "unit") or turn % 5 == 0:
                    driver.happens(category)
        facts = [item.fact for item in ledger.facts()]
        assert len(wanted - {fact.kind.name for fact in facts}) <= 12
        keys = [fact.key for fact in facts if fact.kind.name != "rulebook.adopted"]
        outcomes = Counter(_void(ledger, key, random) for key in keys)
        for _ in range(2):  # what was voided, then what stands again
            voids = [item.fact for item in ledger.facts(topics=("fact.voided",))]
            for fact in random.sample(voids, len(voids)):
                outcomes[_void(ledger, fact.key, random)] += 1
        assert {rule.partition(".")[0] for rule in outcomes} <= {"taken", "correction"}
        assert outcomes["taken"] > 100
        assert outcomes["correction.rested-upon"] > 20
        assert outcomes["correction.already-void"] > 20
        model.catch_up()
        caught_up = model.figures().content_digest()
        assert Audit(ledger).balances() == balances(model.figures())
        model.rebuild()
        assert model.figures().content_digest() == caught_up
        _void(ledger, next(iter(ledger.facts(topics=("rulebook.adopted",)))).fact.key, random)
        model.rebuild()
        assert {points for points, *_ in balances(model.figures()).values()} == {0}


def _void(ledger, key, random):
    """Void a fact as of a day; tell by which rule it was refused, if it was."""
    target = ledger.by_key(key).fact
    day = random.choice((target.occurred_on, ledger.today()))
    try:
        done = ledger.void(key, reason="오기", on=day, by="o", key=f"v{ledger.position}")
    except Refused as refused:
        return refused.rule
    return "taken" if done.new else "same"
