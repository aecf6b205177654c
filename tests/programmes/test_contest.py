"""혁신우수사례 경진대회: a case from its entry to the units that adopt it, and what is undone."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from cli_cases import answer, ok, run
from mileage.ledger import (
    ContestAwarded,
    ContestAwardWithdrawn,
    ContestEntered,
    ContestOpened,
    Refused,
    format_amount,
    shares,
)
from mileage.ledger.directory import Entry
from mileage.ledger.kinds.contest import (
    ContestBenchmarkCredited,
    ContestCaseBenchmarked,
    ContestCaseShared,
    ContestClosed,
    ContestEntryWithdrawn,
    ContestShortlisted,
)
from mileage.projections import UnknownContest, contest_result
from story import Office, rulebook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RULES = rulebook(
    *(
        f'[[rule]]\nid = "{name}"\nactivity = "contest.{name}"\nsplit = "share"\n'
        f'values = [ {{ from = 2005-01-01, points = {points}, clause = "제6조" }} ]\n'
        for name, points in (
            ("entered", "1"),
            ("shortlisted", "{ preliminary = 2, final = 3 }"),
            ("awarded", "{ gold = 20, silver = 10 }"),
            ("case_shared", "{ newsletter = 1, briefing = 2 }"),
            ("case_benchmarked", "5"),
            ("benchmark_credited", "4"),
        )
    )
)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    opened = Office(tmp_path)
    opened.adopt(RULES, "2005-01-01")
    opened.contest("2005-03-01", "c", "gold", "silver")
    yield opened
    opened.close()


def enters(office: Office, day: str, entry: str, contest: str = "c", **parts: int) -> None:
    """A case of HQ is entered, with the entrants' shares."""
    data = ContestEntered(contest, entry, f"사례 {entry}", shares(parts), "HQ")
    office.record(day, data, f"enter-{entry}")


def used(office: Office) -> None:
    """The case e1 is shared with all staff and adopted by SEOUL, where C and D see to it."""
    adopters = shares({"C": 50, "D": 50})
    for day, data, key in (
        ("2005-06-01", ContestCaseShared("c", "e1", "newsletter"), "share"),
        ("2005-06-02", ContestCaseShared("c", "e1", "briefing"), "brief"),
        ("2005-07-01", ContestCaseBenchmarked("c", "e1", "SEOUL", "민원실 적용"), "benchmark"),
        ("2005-08-01", ContestBenchmarkCredited("c", "e1", "SEOUL", adopters), "credit"),
    ):
        office.record(day, data, key)


def points_on(office: Office, day: str, *people: str) -> list[str]:
    """Points of people as they counted on a day."""
    office.model.catch_up()
    with office.model.figures_at(as_of=date.fromisoformat(day)) as figures:
        return [format_amount(figures.balance(person).points) for person in people]


def test_from_entry_through_rounds_to_another_unit(office):
    """Entrants earn by each round, the award, the sharing and the adoption; adopters earn too."""
    opened = ContestOpened(
        "joint", "합동 경진대회", "inter_agency", ("gold",), ("preliminary", "final"), "중앙회"
    )
    office.record("2005-03-01", opened)
    enters(office, "2005-04-01", "e1", "joint", A=75, B=25)
    for day, name in (("2005-05-01", "preliminary"), ("2005-05-10", "final")):
        office.record(day, ContestShortlisted("joint", "e1", name))
    office.record("2005-05-20", ContestAwarded("joint", "e1", "gold"))
    office.record("2005-05-31", ContestClosed("joint"))
    office.record("2005-06-01", ContestCaseShared("joint", "e1", "briefing"))
    office.record("2005-07-01", ContestCaseBenchmarked("joint", "e1", "SEOUL", "민원실 적용"))
    credit = ContestBenchmarkCredited("joint", "e1", "SEOUL", shares({"C": 50, "D": 50}))
    office.record("2005-08-01", credit)

    # 1 + 2 + 3 + 20 + 2 + 5 of the entrants, 4 of those who benchmarked
    assert office.points("A", "B", "C", "D") == ["24.75", "8.25", "2", "2"]
    lines = office.model.figures().statement("A")
    assert [line.grade for line in lines] == [
        None,
        "preliminary",
        "final",
        "gold",
        "briefing",
        None,
    ]


def test_two_entries_share_a_rank(office):
    """Two entries may have one grade; each of them earns it whole."""
    enters(office, "2005-04-01", "e1", A=100)
    enters(office, "2005-04-01", "e2", B=100)
    office.awarded("2005-05-01", "c", "e1", "gold")
    office.awarded("2005-05-01", "c", "e2", "gold")

    assert office.points("A", "B") == ["21", "21"]


def test_an_entry_taken_back_counts_no_longer(office):
    """From the day of the withdrawal on, neither the entry nor the rounds it came through count."""
    rounds = ContestOpened("r", "대회", "agency", ("gold",), ("preliminary",))
    office.record("2005-03-01", rounds)
    enters(office, "2005-04-01", "e1", "r", A=100)
    office.record("2005-05-01", ContestShortlisted("r", "e1", "preliminary"))
    assert office.points("A") == ["3"]

    office.record("2005-06-01", ContestEntryWithdrawn("r", "e1", "출품자 사정"), "gone")

    assert office.points("A") == ["0"]
    assert points_on(office, "2005-05-31", "A") == ["3"]
    office.void("2005-06-01", "gone", reason="다른 출품작")
    assert office.points("A") == ["3"]


def test_a_withdrawn_award_takes_the_entrants_gains_and_leaves_the_adopters(office):
    """Who copied a case loses what came of it; who adopted it in good faith keeps the credit."""
    enters(office, "2005-04-01", "e1", A=60, B=40)
    office.awarded("2005-05-01", "c", "e1", "gold")
    used(office)
    assert office.points("A", "B", "C", "D") == ["17.4", "11.6", "2", "2"]

    office.record("2005-09-01", ContestAwardWithdrawn("c", "e1", "표절"), "revoke")

    assert office.points("A", "B", "C", "D") == ["0.6", "0.4", "2", "2"]
    assert points_on(office, "2005-08-31", "A") == ["17.4"]
    kept = [item.fact.kind.name for item in office.ledger.stream("contest_entry:c/e1")]
    assert kept.count("contest.case_shared") == 2
    office.void("2005-09-01", "revoke", reason="표절 아님", known="2005-10-01")
    assert office.points("A", "B", "C", "D") == ["17.4", "11.6", "2", "2"]


def test_an_award_given_again_is_made_use_of_anew(office):
    """After another award the case can be shared and benchmarked again, and credited once only."""
    enters(office, "2005-04-01", "e1", A=100)
    office.awarded("2005-05-01", "c", "e1", "gold")
    used(office)
    office.record("2005-09-01", ContestAwardWithdrawn("c", "e1", "채점 오류"))
    office.record("2005-09-02", ContestAwarded("c", "e1", "silver"), "again")
    office.record("2005-09-10", ContestCaseShared("c", "e1", "briefing"))
    office.record("2005-09-11", ContestCaseBenchmarked("c", "e1", "SEOUL", "계속 적용"))

    assert office.points("A", "C") == ["18", "2"]
    credit = ContestBenchmarkCredited("c", "e1", "SEOUL", shares({"B": 100}))
    with pytest.raises(Refused, match="already-credited"):
        office.record("2005-09-12", credit, "credit-again")


def test_credit_for_benchmarking_comes_to_be_known_after_the_award_is_gone(office):
    """Work done in good faith can still be credited when the award does not stand any more."""
    enters(office, "2005-04-01", "e1", A=100)
    office.awarded("2005-05-01", "c", "e1", "gold")
    office.record("2005-06-01", ContestCaseBenchmarked("c", "e1", "SEOUL", "적용"), "benchmark")
    office.record("2005-07-01", ContestAwardWithdrawn("c", "e1", "표절"))
    office.record("2005-08-01", ContestBenchmarkCredited("c", "e1", "SEOUL", shares({"C": 100})))

    assert office.points("A", "C") == ["1", "4"]


def test_undo_goes_from_the_end(office):
    """What others rest on cannot be void: the credit goes first, the award last."""
    enters(office, "2005-04-01", "e1", A=100)
    office.awarded("2005-05-01", "c", "e1", "gold")
    used(office)
    for key in ("benchmark", "award-c-e1", "enter-e1"):
        with pytest.raises(Refused, match="rested-upon"):
            office.void("2005-09-01", key)
    for key in ("credit", "benchmark", "brief", "share", "award-c-e1"):
        office.void("2005-09-01", key)

    assert office.points("A", "C") == ["1", "0"]


def test_the_results_as_they_are_read_out(office):
    """Places by grade, joint awards sharing one; then by rounds; what is taken back last."""
    for day, entry in enumerate(("a", "b", "c", "d", "e"), start=2):
        enters(office, f"2005-03-{day:02d}", entry, A=60, B=40)
    office.awarded("2005-04-01", "c", "c", "gold")
    office.awarded("2005-04-01", "c", "a", "silver")
    office.awarded("2005-04-01", "c", "d", "silver")
    office.awarded("2005-04-02", "c", "b", "gold")
    office.record("2005-04-05", ContestCaseShared("c", "c", "newsletter"))
    office.record("2005-04-06", ContestCaseBenchmarked("c", "c", "SEOUL", "도입"))
    office.record("2005-05-02", ContestCaseShared("c", "b", "briefing"))
    office.record("2005-05-03", ContestAwardWithdrawn("c", "b", "표절"))
    office.record("2005-05-04", ContestEntryWithdrawn("c", "e", "사정"))
    office.record("2005-06-01", ContestClosed("c"))
    office.model.catch_up()

    found = contest_result(office.ledger, office.model.figures(), "c")
    assert [(each.entry, each.place, each.grade) for each in found.entries] == [
        ("c", 1, "gold"),
        ("a", 2, "silver"),
        ("d", 2, "silver"),
        ("b", None, None),
        ("e", None, None),
    ]
    assert (found.awarded, found.closed_on) == (3, date(2005, 6, 1))
    first, *_, copied, gone = found.entries
    assert (first.shared_by, first.benchmarked_by) == (("newsletter",), ("SEOUL",))
    # 1 for the entry, 20 for gold, 1 for the newsletter, 5 for the benchmark
    assert format_amount(first.points) == "27"
    assert (copied.award_withdrawn_on, copied.shared_by) == (date(2005, 5, 3), ())
    assert (gone.withdrawn_on, gone.points) == (date(2005, 5, 4), 0)

    with office.model.figures_at(as_of=date(2005, 4, 30)) as figures:
        then = contest_result(office.ledger, figures, "c", as_of=date(2005, 4, 30))
    assert [(each.entry, each.place) for each in then.entries] == [
        *(("b", 1), ("c", 1), ("a", 3), ("d", 3), ("e", None))
    ]
    assert then.closed_on is None
    with pytest.raises(UnknownContest, match=r"there are: c\)"):
        contest_result(office.ledger, office.model.figures(), "x")


def test_the_results_on_the_command_line(office):
    """The list, the results and the codes for programs; people by name and share."""
    enters(office, "2005-03-02", "a", A=60, B=40)
    office.awarded("2005-04-01", "c", "a", "gold")
    office.ledger.directory.put([Entry("A", "김혁신")])
    at = ("--ledger", office.ledger.path)
    assert answer("contest", *at)["contests"][0]["awarded"] == 1
    [entry] = answer("contest", "c", *at)["entries"]
    assert entry["entrants"] == [
        {"person": "A", "name": "김혁신", "share_percent": "60"},
        {"person": "B", "name": None, "share_percent": "40"},
    ]
    shown = ok("contest", "c", *at, "--lang", "ko").stdout
    assert "출품 1, 수상 1" in shown
    assert "A 김혁신 60%, B 40%" in shown
    assert run("contest", "none", *at).exit_code == 1
