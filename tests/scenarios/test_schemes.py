"""Schemes of real organisations, each a rulebook that is data only, told as short stories."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from mileage.ledger import (
    ImportRefused,
    MemberJoined,
    ProposalAdopted,
    Refused,
    UnitEstablished,
)
from mileage.ledger.importing import import_file
from mileage.ledger.kinds import kinds
from mileage.ledger.kinds.evaluation import EvaluationOpened
from mileage.ledger.kinds.proposal_round import (
    ProposalRoundGradeLeftVacant,
    ProposalRoundGradeReopened,
    ProposalRoundOpened,
)
from mileage.projections import (
    Period,
    activity_infos,
    check_rulebook,
    eligible,
    explain_posting,
)
from mileage.projections.competition import unit_ranking
from mileage.seeds import rulebook_path
from story import Office

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCHEMES = (
    "active-administration",
    "bupyeong-gu",
    "central-proposals",
    "chungbuk-education",
    "fire-service",
    "gangwon-college",
    "hampyeong-gun",
    "jung-gu-pilot",
    "jungnang-gu",
    "local-rating-bonus",
    "uiryeong-gun",
)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    opened = Office(tmp_path)
    yield opened
    opened.close()


@pytest.mark.parametrize("name", SCHEMES)
def test_shipped_scheme_is_sound(name):
    """Nothing is wrong with a shipped scheme, not even a warning, and it names its source."""
    text = rulebook_path(name).read_text("utf-8")

    assert check_rulebook(text, activity_infos(kinds)) == []
    assert "as reported" in text


def test_fire_service_best_of_a_kind_within_nested_caps(office):
    """Of proposals the best counts; contests together give 2.0; a new rank begins anew."""
    office.adopt("fire-service", "2005-01-01")
    for name, grade in (("one", "bronze"), ("two", "central_silver"), ("three", "gold")):
        office.proposes("2005-02-01", name, "A")
        office.adopted("2005-03-01", name, grade)
    assert office.points("A") == ["0.8"]

    office.contest("2005-04-01", "province", "gold", "silver", "bronze")
    office.contest("2005-04-01", "nation", "national_gold", "national_silver", "national_bronze")
    for number in range(3):  # 0.5 each, 1.0 in one rank
        office.enters("2005-05-01", "province", f"case-{number}", "A")
        office.awarded(f"2005-05-1{number}", "province", f"case-{number}", "gold")
    assert office.points("A") == ["1.8"]

    office.enters("2005-06-01", "nation", "case", "A")  # 2.0, of which contests leave 1.0
    office.awarded("2005-06-02", "nation", "case", "national_gold")
    assert office.points("A") == ["2.8"]

    office.promoted("2005-07-01", "A", "G5")
    office.enters("2005-08-01", "province", "later", "A")
    office.awarded("2005-08-02", "province", "later", "gold")
    assert office.points("A") == ["3.3"]


def test_active_administration_stages_and_department_cap(office):
    """A case tops up from stage to stage; a department gets 20 a month in all; G4 gets nothing."""
    office.adopt("active-administration", "2022-01-01")
    office.proposes("2022-02-01", "case", A=60, B=40)
    assert office.points("A", "B") == ["1.2", "0.8"]
    office.adopted("2022-03-01", "case", "bronze")
    assert office.points("A", "B") == ["3", "2"]
    office.implemented("2022-04-01", "case")
    assert office.points("A", "B") == ["6", "4"]

    [execution] = office.model.figures().statement("A", Period.parse("2022-03"))
    *_, cut, _ = explain_posting(office.ledger, execution).steps
    assert cut.en == (
        "cap 'One case, its highest stage' 단계별 기준: only the best counts, in one lifetime"
        " for one thing; what counted before → −1.2 points"
    )
    assert cut.ko == (
        "한도 ‘한 건은 최고 단계만’ 단계별 기준: 건별 재직 중 가장 높은 1건만 인정,"
        " 앞서 인정된 만큼 → −1.2점"
    )

    for number, person in enumerate("CDA"):  # 20 in all are used up on the 10th
        office.proposes(f"2022-05-0{number + 1}", f"c{number}", person)
        office.adopted(f"2022-05-0{number + 4}", f"c{number}", "bronze")
        office.implemented(f"2022-05-1{number}", f"c{number}")
    assert office.points("C", "D", "A") == ["10", "5", "11"]

    office.promoted("2022-06-01", "B", "G4")
    office.proposes("2022-06-02", "b", "B")
    assert office.points("B") == ["4"]


def test_active_administration_department_of_the_day(office):
    """Who moved to another department draws on its cap, not on the old one's."""
    office.adopt("active-administration", "2022-01-01")
    for number, person in enumerate("AB"):
        office.proposes("2022-05-01", f"p{number}", person)
        office.adopted("2022-05-02", f"p{number}", "bronze")
        office.implemented("2022-05-02", f"p{number}")
    office.proposes("2022-05-03", "late", "C")
    assert office.points("C") == ["0"]

    office.transferred("2022-05-03", "C", "SEOUL", known="2022-05-20")
    assert office.points("C") == ["2"]


def test_jungnang_gu_repriced(office):
    """What was done in 2025 keeps 2 points, in 2026 it gets 7, and the new item counts."""
    office.adopt("jungnang-gu", "2025-01-01")
    office.club("2025-01-02", "club", "A")
    office.contest("2025-01-02", "fair", "gold")
    office.meets("2025-12-01", "club", "A")
    office.enters("2025-12-31", "fair", "old", "A", "B")
    office.enters("2026-01-01", "fair", "new", "A")
    office.meets("2026-01-02", "club", "A")

    assert office.points("A", "B") == ["10", "2"]


def test_jung_gu_pilot_units_first_then_everybody(office):
    """Only the pilot's units, and those below them, count in 2023; everybody does from 2024."""
    office.transferred("2023-01-02", "A", "HQ-INNOV")
    office.adopt("jung-gu-pilot", "2023-08-01", since="2023-09-01")
    office.proposes("2023-08-31", "too-early", "A")
    office.proposes("2023-09-01", "pilot", "A")
    office.proposes("2023-09-01", "elsewhere", "B")
    assert office.points("A", "B") == ["3", "0"]
    office.proposes("2024-01-01", "all-a", "A")
    office.proposes("2024-01-01", "all-b", "B")

    assert office.points("A", "B") == ["6", "3"]
    assert office.model.figures().unrewarded() == [("proposal.submitted", 2)]


def test_gangwon_college_an_hour_is_a_point(office):
    """Hours count, halves too; what no rule names is listed, and the quota of two is kept."""
    office.adopt("gangwon-college", "2005-01-01")
    office.club("2005-01-02", "club", "A", "B", "C")
    office.meets("2005-02-01", "club", "A", "B", "C", hours="8")
    office.meets("2005-03-01", "club", "A", "B", hours="3.5")
    office.meets("2005-04-01", "club", "A", "C", hours="2")
    office.proposes("2005-05-01", "idea", "D")

    assert office.points("A", "B", "C", "D") == ["13.5", "11.5", "10", "0"]
    unrewarded = dict(office.model.figures().unrewarded())
    assert unrewarded == {"learning_club.registered": 1, "proposal.submitted": 1}
    selection = eligible(office.model.figures(), "overseas-training", date(2005, 12, 31))
    assert [c.person for c in selection.candidates if c.outcome == "selected"] == ["A", "B"]


def test_hampyeong_gun_ten_submissions_a_year(office):
    """The eleventh submission of a year earns nothing, its adoption does."""
    office.adopt("hampyeong-gun", "2024-01-01")
    for number in range(1, 12):
        office.proposes(f"2024-02-{number:02}", f"p{number:02}", "A")
    assert office.points("A") == ["10"]
    office.adopted("2024-03-01", "p11", "gold")
    assert office.points("A") == ["15"]
    office.void("2024-03-02", "submit-p01")
    assert office.points("A") == ["15"]
    office.proposes("2025-01-01", "next-year", "A")

    assert office.points("A") == ["16"]


def test_bupyeong_gu_prizes_for_persons_and_departments(office):
    """Persons and departments are ranked side by side, each with prizes of its own."""
    office.adopt("bupyeong-gu", "2006-01-01")
    for unit in ("PLANNING", "TAX", "WELFARE", "CULTURE"):
        office.record("2006-01-02", UnitEstablished(unit, unit, unit))
    for person, unit in zip("ABCD", ("PLANNING", "TAX", "TAX", "WELFARE"), strict=True):
        office.transferred("2006-01-02", person, unit)
    year = EvaluationOpened("2006", "2006년 부서", date(2006, 1, 1), date(2006, 12, 31))
    office.record("2006-01-02", year)
    for person, count in {"A": 4, "B": 3, "C": 2, "D": 1}.items():
        for number in range(count):
            office.proposes(f"2006-03-0{number + 1}", f"{person}{number}", person)
    office.now = office.now.replace(year=2007, month=1, day=5)
    office.model.catch_up()

    figures = office.model.figures()
    persons = eligible(figures, "persons", date(2006, 12, 31))
    assert [(c.person, c.grade, c.value) for c in persons.candidates if c.selected] == [
        ("A", "first", 5_000_000_000),
        ("B", "second", 4_000_000_000),
        ("C", "third", 2_000_000_000),
    ]
    departments = unit_ranking(office.ledger, figures, "2006")
    assert [
        (each.place, each.unit, each.areas[0].elements[0].amount, each.prize and each.prize.value)
        for each in departments.units
    ] == [
        (1, "TAX", 15, 4_000_000_000),
        (2, "PLANNING", 12, 3_000_000_000),
        (3, "WELFARE", 3, 2_000_000_000),
        (4, "CULTURE", 0, None),
    ]


def test_uiryeong_gun_six_chosen_are_five():
    """A quota of six beside prizes for one, two and two is an error on its line; five is none."""
    text = rulebook_path("uiryeong-gun").read_text("utf-8").replace("quota = 5", "quota = 6")
    [problem] = check_rulebook(text, activity_infos(kinds))

    line = text[: text.index("quota = 6")].count("\n") + 1
    assert (problem.code, problem.line, problem.severity) == ("quota-sum", line, "error")
    assert "is 6, but the places make 5" in problem.message


def test_uiryeong_gun_prizes_by_place(office):
    """One gets 500,000, two 300,000, two 100,000; who comes after gets nothing."""
    office.adopt("uiryeong-gun", "2006-01-01")
    for person in "EF":
        office.record("2006-01-02", MemberJoined(person, "HQ", "G6"))
    for person, count in {"A": 6, "B": 5, "C": 4, "D": 3, "E": 2, "F": 1}.items():
        for number in range(count):
            office.proposes(f"2006-03-0{number + 1}", f"{person}{number}", person)
    office.model.catch_up()

    selection = eligible(office.model.figures(), "year-end", date(2006, 12, 31))
    worth = [(c.person, c.grade, (c.value or 0) // 10_000) for c in selection.candidates]
    assert worth == [
        ("A", "best", 500_000),
        ("B", "excellent", 300_000),
        ("C", "excellent", 300_000),
        ("D", "good", 100_000),
        ("E", "good", 100_000),
        ("F", None, 0),
    ]


def test_central_proposals_grade_left_vacant_and_filled_later(office):
    """No gold at first; given after all it brings its prize, divided; mileage stays untouched."""
    office.adopt("central-proposals", "2013-01-01")
    grades = ("gold", "silver", "bronze", "encouragement")
    office.record("2013-09-01", ProposalRoundOpened("2013", "2013년 중앙우수제안", grades))
    office.proposes("2013-05-02", "joint", A=70, B=30)
    office.proposes("2013-05-03", "own", "C")
    vacant = ProposalRoundGradeLeftVacant("2013", "gold", "해당작 없음")
    office.record("2013-11-01", vacant)
    with pytest.raises(Refused, match="left vacant"):
        office.record("2013-11-20", ProposalAdopted("joint", "gold", "2013"))
    office.record("2013-11-20", ProposalAdopted("own", "silver", "2013"))
    assert office.points("A", "B", "C", account="prize-money") == ["0", "0", "3000"]

    office.record("2013-12-10", ProposalRoundGradeReopened("2013", "gold", "재심사 의결"))
    office.record("2013-12-12", ProposalAdopted("joint", "gold", "2013"))

    assert office.points("A", "B", "C", account="prize-money") == ["3500", "1500", "3000"]
    assert office.points("A", "B", "C") == ["0", "0", "0"]


def test_local_rating_bonus_from_three_percent_to_five(office):
    """Of an establishment of 40 one gets the bonus at 3 %, two at 5 %."""
    office.adopt("local-rating-bonus", "2005-01-01")
    for year in ("2005", "2006"):
        for person, grade in {"A": "gold", "B": "silver", "C": "bronze"}.items():
            office.proposes(f"{year}-02-01", f"{person}-{year}", person)
            office.adopted(f"{year}-03-01", f"{person}-{year}", grade)
    office.model.catch_up()

    figures = office.model.figures()
    for year, chosen in ((2005, ["A"]), (2006, ["A", "B"])):
        selection = eligible(figures, "rating-bonus", date(year, 12, 31))
        assert [c.person for c in selection.candidates if c.outcome == "selected"] == chosen


def test_chungbuk_file_of_750_entries_sent_twice(office, tmp_path):
    """Every entrant gets mileage once; the line that changed is named, nothing is counted twice."""
    office.adopt("chungbuk-education", "2005-01-01")
    office.contest("2005-08-01", "chungbuk", "gold", "silver", "bronze")
    lines = [
        f"contest.entered,2005-09-01,chungbuk,case-{number},사례 {number},{'ABCD'[number % 4]}:100"
        for number in range(750)
    ]
    file = tmp_path / "entries.csv"
    header = "kind,occurred_on,contest,entry,title,entrants"
    file.write_text("\n".join((header, *lines)), "utf-8")
    office.at("2005-09-10")
    assert import_file(office.ledger, file, by="office").recorded == 750
    assert office.points(*"ABCD") == ["188", "188", "187", "187"]

    position = office.ledger.position
    lines[300] = lines[300].replace("A:100", "B:100")
    file.write_text("\n".join((header, *lines)), "utf-8")
    with pytest.raises(ImportRefused) as refused:
        import_file(office.ledger, file, by="office")

    [problem] = refused.value.problems
    assert problem.line == 302
    assert office.ledger.position == position
    assert office.points(*"ABCD") == ["188", "188", "187", "187"]


def test_ranks_and_units_by_their_korean_codes(office):
    """Codes of ranks and units may be Korean, as in the ledger."""
    text = rulebook_path("jung-gu-pilot").read_text("utf-8")
    text = text.replace('units = ["HQ-INNOV", "DONG-1"]', 'units = ["본청"]\nranks = ["6급"]')
    text = text.replace("until = 2024-01-01\n", "")
    office.record("2023-01-02", UnitEstablished("본청", "본청", "HQ"))
    office.transferred("2023-01-03", "A", "본청")
    office.promoted("2023-01-03", "A", "6급")
    office.adopt(
        text.replace('points = 3, clause = "2024', 'points = 1, clause = "2024'), "2023-09-01"
    )
    office.proposes("2024-03-01", "a", "A")
    office.proposes("2024-03-01", "b", "B")

    assert office.points("A", "B") == ["3", "1"]


def test_code_that_no_ledger_has():
    """A code with other characters than codes have is found in the text."""
    text = rulebook_path("jung-gu-pilot").read_text("utf-8").replace('"DONG-1"', '"DONG 1"')
    [problem] = check_rulebook(text, activity_infos(kinds))

    assert (problem.code, problem.line) == ("bad-id", text[: text.index("DONG 1")].count("\n") + 1)
