"""Who gets into a programme, at the edge of its quota and of people's service."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from mileage.ledger import (
    Command,
    Ledger,
    MemberJoined,
    MemberLeaveEnded,
    MemberLeaveStarted,
    MemberLeft,
    MileageError,
    ProposalSubmitted,
    UnitEstablished,
    shares,
)
from mileage.projections import (
    ReadModel,
    Selection,
    UnknownProgramme,
    eligible,
    explain_candidate,
    programmes,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime(2005, 12, 20, 3, 0, tzinfo=UTC)
DAY = date(2005, 12, 20)
BOOK = """
[rulebook]
id = "agency"
title = { ko = "규칙집", en = "Rulebook" }
source = "고시"

[[rule]]
id = "submitted"
title = { ko = "제안 제출", en = "Submission" }
activity = "proposal.submitted"
split = "share"
values = [ { from = 2005-01-01, points = 10, clause = "제1조" } ]

[[programme]]
id = "training"
title = { ko = "해외연수", en = "Overseas training" }
period = "year"
values = [ { from = 2005-01-01, threshold = 10, %s clause = "제12조" } ]
tie = { break_by = [%s], otherwise = "%s" }
"""


class Agency:
    """A ledger with people who joined one a day, P1 first, and its read model."""

    def __init__(self, path: Path) -> None:
        self.ledger = Ledger.create(
            path, organisation="청", opened_on=date(2004, 1, 1), clock=lambda: NOW
        )
        self.model = ReadModel(self.ledger)
        unit = Command(UnitEstablished("HQ", "본청", "HQ"), date(2004, 1, 1), "setup")
        people = [
            Command(MemberJoined(f"P{n}", "HQ", "G5"), date(2004, 1, n), "setup")
            for n in range(1, 8)
        ]
        self.ledger.record_all([unit, *people])
        self.proposals = 0

    def rules(self, *, quota: int | None = None, tie: str = "", otherwise: str = "exclude") -> None:
        text = BOOK % (f"quota = {quota}," if quota else "", tie, otherwise)
        self.ledger.adopt_rulebook(text, rulebook="agency", on=date(2005, 1, 1), by="c")

    def propose(self, day: str, **parts: Any) -> None:
        self.proposals += 1
        data = ProposalSubmitted(str(self.proposals), "제목", "online", shares(parts))
        self.ledger.record(data, on=date.fromisoformat(day), by="o")

    def select(self, day: date = DAY) -> Selection:
        self.model.rebuild()
        return eligible(self.model.figures(), "training", day)

    def outcomes(self) -> dict[str, str]:
        return {c.person: c.outcome for c in self.select().candidates}


@pytest.fixture
def agency(tmp_path: Path) -> Iterator[Agency]:
    """An agency without rules."""
    opened = Agency(tmp_path / "agency.sqlite")
    yield opened
    opened.model.close()
    opened.ledger.close()


def three_tied(agency: Agency) -> None:
    """P1 has 20 points; P2, P3 and P4 have 10 each; P5 has 9."""
    agency.propose("2005-02-01", P1=100)
    agency.propose("2005-02-02", P1=100)
    agency.propose("2005-03-01", P4=100)
    agency.propose("2005-03-02", P3=50, P5=50)
    agency.propose("2005-03-03", P3=50, P5=40, P6=10)
    agency.propose("2005-03-04", P2=100)


def test_threshold_without_quota(agency):
    """Without a quota all who reach the threshold get in, and the others learn what they lack."""
    agency.rules(otherwise="include")
    three_tied(agency)

    selection = agency.select()

    assert [c.person for c in selection.selected] == ["P1", "P2", "P3", "P4"]
    assert [c.place for c in selection.selected] == [1, 2, 2, 2]
    assert selection.of("P5").outcome == "below_threshold"
    assert selection.of("P5").missing == 10_000
    assert selection.of("P7").missing == 100_000
    assert selection.of("P8") is None
    assert selection.terms.quota is None


@pytest.mark.parametrize(
    ("quota", "otherwise", "tied"),
    [
        (1, "exclude", "beyond_quota"),
        (1, "include", "beyond_quota"),
        (2, "exclude", "tied_out"),
        (2, "include", "selected"),
        (3, "exclude", "tied_out"),
        (3, "include", "selected"),
        (4, "exclude", "selected"),
        (5, "exclude", "selected"),
    ],
)
def test_tie_at_the_last_place(agency, quota, otherwise, tied):
    """Those tied where the quota ends get in together or not at all, as the rulebook says."""
    agency.rules(quota=quota, otherwise=otherwise)
    three_tied(agency)

    found = agency.outcomes()

    assert found["P1"] == "selected"
    assert {found[person] for person in ("P2", "P3", "P4")} == {tied}


@pytest.mark.parametrize(
    ("tie", "order"),
    [
        ('"activities"', ["P1", "P3"]),
        ('"earliest"', ["P1", "P4"]),
        ('"joined"', ["P1", "P2"]),
        ('"activities", "joined"', ["P1", "P3"]),
    ],
)
def test_ties_are_broken_as_stated(agency, tie, order):
    """Equal points are told apart by activities, by who was earlier, or by length of service."""
    agency.rules(quota=2, tie=tie)
    three_tied(agency)

    assert [c.person for c in agency.select().selected] == order


def test_tie_that_is_only_partly_broken(agency):
    """Those whom nothing tells apart stay tied, though others are told from them."""
    agency.rules(quota=3, tie='"activities"')
    three_tied(agency)

    selection = agency.select()

    assert [c.person for c in selection.selected] == ["P1", "P3"]
    assert [(c.person, c.place) for c in selection.candidates if c.outcome == "tied_out"] == [
        ("P2", 3),
        ("P4", 3),
    ]


def test_leave_and_leaving(agency):
    """Who is on leave or has left on the day is not selected, and the place goes to the next."""
    agency.rules(quota=1, otherwise="exclude")
    three_tied(agency)
    record = agency.ledger.record
    record(MemberLeft("P1"), on=DAY.replace(day=19), by="o")
    record(MemberLeaveStarted("P2"), on=DAY, by="o")
    record(MemberLeaveStarted("P3"), on=date(2005, 6, 1), by="o")
    record(MemberLeaveEnded("P3"), on=date(2005, 7, 1), by="o")
    record(MemberLeaveStarted("P4"), on=date(2005, 6, 1), by="o")

    found = agency.outcomes()

    assert found["P1"] == "not_serving"
    assert found["P2"] == found["P4"] == "on_leave"
    assert found["P3"] == "selected"


def test_last_day_of_service_counts(agency):
    """On the last day of service a person can still be selected."""
    agency.rules(quota=1)
    agency.propose("2005-02-01", P1=100)
    agency.ledger.record(MemberLeft("P1"), on=DAY, by="o")

    assert {p for p, outcome in agency.outcomes().items() if outcome == "selected"} == {"P1"}


def test_only_the_programmes_period_counts(agency):
    """Points of another year bring nobody into this year's programme."""
    agency.rules(quota=5)
    agency.propose("2005-02-01", P1=100)
    agency.model.rebuild()

    assert eligible(agency.model.figures(), "training", DAY).of("P1").selected
    assert eligible(agency.model.figures(), "training", date(2006, 1, 1)).selected == ()


def test_nobody_did_anything(agency):
    """Without activities nobody is selected, and everybody who serves is told why."""
    agency.rules(quota=5)

    assert agency.outcomes() == {f"P{n}": "below_threshold" for n in range(1, 8)}


def test_unknown_programme(agency):
    """A programme that is not in force is refused with those that are."""
    agency.rules(quota=5)
    agency.model.rebuild()
    figures = agency.model.figures()

    with pytest.raises(UnknownProgramme, match="training") as caught:
        eligible(figures, "trainig", DAY)
    assert isinstance(caught.value, MileageError)
    with pytest.raises(UnknownProgramme, match="none"):
        eligible(figures, "training", date(2004, 12, 31))
    assert programmes(figures, DAY) == ["training"]
    assert programmes(figures, date(2004, 12, 31)) == []


def test_candidates_are_explained(agency):
    """Whoever asks why is told in numbers, in Korean and English."""
    agency.rules(quota=2, otherwise="exclude")
    three_tied(agency)
    agency.propose("2005-04-01", P7=100)
    agency.ledger.record(MemberLeaveStarted("P7"), on=DAY, by="o")
    selection = agency.select()

    def told(person: str) -> tuple[str, str]:
        label = explain_candidate(selection, selection.of(person))
        return label.ko, label.en

    assert told("P1") == (
        "선정: 20점, 기준 10점 이상, 1위 / 정원 2명",
        "in: 20 points, 10 needed, place 1 of 2",
    )
    assert told("P2") == (
        "2위 동점: 정원 2명에 모두 들 수 없어 모두 제외",
        "tied at place 2: not all fit in the quota of 2, so none",
    )
    assert told("P5") == ("기준 10점에 1점 부족", "1 points short of the threshold of 10")
    assert told("P7") == ("2005-12-20 현재 휴직 중", "on leave on 2005-12-20")
    assert told("P8") == ("2005 기간의 활동이 없음", "no activity in 2005")


def test_quota_that_is_smaller_than_the_leaders(agency):
    """Who comes after the quota is told the place."""
    agency.rules(quota=1)
    three_tied(agency)
    selection = agency.select()

    label = explain_candidate(selection, selection.of("P2"))
    assert (label.ko, label.en) == ("2위: 정원 1명을 넘음", "place 2: beyond the quota of 1")
