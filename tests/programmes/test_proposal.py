"""혁신제안 제도: a proposal from submission to practice, with rounds, holds, mergers and undo."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from mileage.ledger import (
    ProposalAdopted,
    ProposalReviewed,
    Refused,
    format_amount,
    import_file,
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
from mileage.projections import Period
from story import Office, rulebook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GRADES = "{ gold = 10, silver = 7 }"
RULES = rulebook(
    *(
        f'[[rule]]\nid = "{name}"\nactivity = "proposal.{name}"\nsplit = "share"\n'
        f'values = [ {{ from = 2005-01-01, points = {points}, clause = "제2조" }} ]\n'
        for name, points in (
            ("submitted", "1"),
            ("adopted", GRADES),
            ("graded", GRADES),
            ("implemented", "2"),
            ("implementation_credited", "4"),
        )
    )
)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    opened = Office(tmp_path)
    opened.adopt(RULES, "2005-01-01")
    yield opened
    opened.close()


def opens(office: Office, day: str, name: str = "R1") -> None:
    """A round of review with the grades gold and silver begins."""
    office.record(day, ProposalRoundOpened(name, f"{name} 심사", ("gold", "silver")))


def credited(office: Office, day: str, name: str, **parts: int) -> None:
    """Those who put a proposal into practice are credited."""
    data = ProposalImplementationCredited(name, shares(parts))
    office.record(day, data, f"credit-{name}")


def merged(office: Office, day: str, name: str, into: str) -> None:
    """A ruling that a proposal is the same as another."""
    office.record(day, ProposalMerged(name, into, "제안심사위원회 의결"), f"merge-{name}")


def points_on(office: Office, day: str, *people: str) -> list[str]:
    """Points of people as they counted on a day."""
    office.model.catch_up()
    with office.model.figures_at(as_of=date.fromisoformat(day)) as figures:
        return [format_amount(figures.balance(person).points) for person in people]


def test_from_submission_to_practice_by_others(office):
    """Authors earn at each stage by their shares; those who put it into practice earn too."""
    opens(office, "2005-03-01")
    office.proposes("2005-03-02", "forms", A=60, B=40)
    for reviewer in "CD":
        review = ProposalReviewed("forms", reviewer, "recommended", "R1")
        office.record("2005-03-20", review)
    office.record("2005-04-01", ProposalAdopted("forms", "gold", "R1"), "adopt-forms")
    office.record("2005-04-30", ProposalRoundClosed("R1"))
    office.implemented("2005-06-01", "forms")
    credited(office, "2005-07-01", "forms", C=75, A=25)

    assert office.points("A", "B", "C", "D") == ["8.8", "5.2", "3", "0"]
    told = [item.fact.kind.label.ko for item in office.ledger.stream("proposal:forms")]
    assert told[-3:] == ["제안 채택", "제안 실시", "실시 공로 인정"]


def test_practice_recorded_in_error_is_undone_from_its_end(office):
    """The practice cannot be void while somebody is credited for it; without the credit it can."""
    office.proposes("2005-03-02", "forms", "A")
    office.adopted("2005-04-01", "forms", "silver")
    office.implemented("2005-06-01", "forms")
    credited(office, "2005-07-01", "forms", C=100)
    with pytest.raises(Refused, match="rested-upon") as refused:
        office.void("2005-06-01", "implement-forms", known="2005-08-01")
    assert "proposal.implementation_credited" in refused.value.reason

    office.void("2005-07-01", "credit-forms", known="2005-08-01")
    assert office.points("A", "C") == ["10", "0"]
    office.void("2005-06-01", "implement-forms", known="2005-08-01")

    assert office.points("A", "C") == ["8", "0"]


def test_a_grade_decided_later_counts_on_its_own_day(office):
    """An adoption without a grade is listed as unrewarded; the grade earns from its day on."""
    office.proposes("2005-03-02", "forms", A=50, B=50)
    office.record("2005-04-01", ProposalAdopted("forms"), "adopt-forms")
    assert office.points("A", "B") == ["0.5", "0.5"]
    assert office.model.figures().unrewarded() == [("proposal.adopted", 2)]

    office.implemented("2005-05-01", "forms")
    office.record("2005-07-10", ProposalGraded("forms", "gold"), "grade-forms")

    assert office.points("A", "B") == ["6.5", "6.5"]
    assert points_on(office, "2005-07-09", "A") == ["1.5"]
    figures = office.model.figures()
    assert figures.balance("A", Period.parse("2005-Q3")).points == 50_000
    with pytest.raises(Refused, match="already-graded"):
        office.record("2005-07-11", ProposalGraded("forms", "silver"), "grade-again")


def test_a_grade_recorded_after_the_practice_is_of_its_own_day(office):
    """What was graded before it was put into practice may come to be known afterwards."""
    office.proposes("2005-03-02", "forms", "A")
    office.record("2005-04-01", ProposalAdopted("forms"), "adopt-forms")
    office.implemented("2005-06-01", "forms")
    office.record("2005-05-01", ProposalGraded("forms", "silver"), known="2005-08-01")

    assert points_on(office, "2005-05-01", "A") == ["8"]
    assert office.points("A") == ["10"]
    with pytest.raises(Refused, match="rested-upon"):
        office.void("2005-04-01", "adopt-forms", known="2005-08-02")


def test_a_vacant_grade_is_filled_later(office):
    """Nobody gets a vacant grade until it is reopened, nor later for a day before that."""
    opens(office, "2005-03-01")
    for name, person in (("forms", "A"), ("queues", "B")):
        office.proposes("2005-03-02", name, person)
    office.record("2005-04-01", ProposalRoundGradeLeftVacant("R1", "gold", "해당작 없음"))
    with pytest.raises(Refused, match="grade-vacant"):
        office.record("2005-04-02", ProposalAdopted("forms", "gold", "R1"))
    office.record("2005-04-02", ProposalAdopted("forms", "silver", "R1"))
    office.record("2005-04-02", ProposalAdopted("queues", None, "R1"))
    office.record("2005-09-01", ProposalRoundGradeReopened("R1", "gold", "재심사 의결"))
    office.record("2005-09-01", ProposalGraded("queues", "gold", "R1"))
    office.proposes("2005-03-03", "third", "C")
    with pytest.raises(Refused, match="grade-vacant"):
        office.record("2005-08-31", ProposalAdopted("third", "gold", "R1"))

    assert office.points("A", "B", "C") == ["8", "11", "1"]


def test_a_reviewer_has_one_opinion_in_each_round(office):
    """A held proposal is reviewed again in the next round, by the same people if need be."""
    opens(office, "2005-03-01")
    opens(office, "2005-09-01", "R2")
    office.proposes("2005-03-02", "forms", "A")
    office.record("2005-03-20", ProposalReviewed("forms", "B", "recommended", "R1"))
    with pytest.raises(Refused, match="already-reviewed"):
        office.record("2005-03-21", ProposalReviewed("forms", "B", "not_recommended", "R1"))
    office.record("2005-04-01", ProposalHeld("forms", "예산 확보 후 재심사", "R1"))
    office.record("2005-09-20", ProposalReviewed("forms", "B", "recommended", "R2"))
    office.record("2005-10-01", ProposalHeld("forms", "법령 개정 후", "R2"))

    assert office.ledger.state("proposal:forms").stage == "held"
    assert office.points("A") == ["1"]


def test_a_duplicate_earns_nothing_from_the_ruling_on(office):
    """The duplicate's points go, those of its implementers too; the other one's stand."""
    for name, person in (("first", "A"), ("second", "B")):
        office.proposes("2005-03-02", name, person)
    office.adopted("2005-04-01", "second", "gold")
    office.implemented("2005-05-01", "second")
    credited(office, "2005-06-01", "second", C=100)
    assert office.points("A", "B", "C") == ["1", "13", "4"]

    merged(office, "2005-08-01", "second", into="first")
    assert office.points("A", "B", "C") == ["1", "0", "0"]
    assert points_on(office, "2005-07-31", "A", "B", "C") == ["1", "13", "4"]
    *_, line = office.model.figures().statement("C")
    assert [cut.cause for cut in line.cuts] == ["withdrawn"]
    office.adopted("2005-09-01", "first", "gold")
    assert office.points("A", "B") == ["11", "0"]

    office.void("2005-08-01", "merge-second", reason="다른 제안으로 판명", known="2005-10-01")
    assert office.points("A", "B", "C") == ["11", "13", "4"]


def test_a_duplicate_loses_the_grade_it_got_later(office):
    """A grade of its own fact goes with the ruling, like one that came with the adoption."""
    for name, person in (("first", "A"), ("second", "B")):
        office.proposes("2005-03-02", name, person)
    office.record("2005-04-01", ProposalAdopted("second"))
    office.record("2005-05-01", ProposalGraded("second", "gold"))
    assert office.points("A", "B") == ["1", "11"]

    merged(office, "2005-08-01", "second", into="first")

    assert office.points("A", "B") == ["1", "0"]


def test_what_is_merged_into_stays_correct_when_it_is_merged_itself(office):
    """A ruling is judged by its own day: a later one about the other proposal changes nothing."""
    for name in ("first", "second", "third"):
        office.proposes("2005-03-02", name, "A")
    office.record("2005-03-20", ProposalReviewed("third", "B", "recommended"), "review")
    merged(office, "2005-05-01", "third", into="second")
    merged(office, "2005-06-01", "second", into="first")

    office.void("2005-07-01", "review")
    assert office.points("A") == ["1"]
    with pytest.raises(Refused, match="rested-upon"):
        office.void("2005-03-02", "submit-first", known="2005-07-02")


def test_a_file_with_rounds_and_without(office, tmp_path):
    """Empty cells are absent values; the figures of a rebuild and a catch-up are the same."""
    rows = (
        "kind,occurred_on,proposal_round,title,grades,proposal,channel,authors,grade,into,ruling",
        "proposal_round.opened,2005-03-01,R1,상반기 심사,gold;silver,,,,,,",
        "proposal.submitted,2005-03-02,,서식 줄이기,,forms,paper,A:60;B:40,,,",
        "proposal.submitted,2005-03-03,,서식 축소,,again,online,C,,,",
        "proposal.adopted,2005-04-01,R1,,,forms,,,,,",
        "proposal.graded,2005-05-01,,,,forms,,,silver,,",
        "proposal.merged,2005-05-02,,,,again,,,,forms,동일 제안",
    )
    path = tmp_path / "proposals.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    office.now = office.now.replace(year=2006)
    result = import_file(office.ledger, path, by="office")

    assert (result.recorded, result.rejected) == (6, 0)
    assert office.points("A", "B", "C") == ["4.8", "3.2", "0"]
    assert import_file(office.ledger, path, by="office").repeated == 6
