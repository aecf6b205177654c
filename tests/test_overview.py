"""``mileage overview``: the state of a year on one screen."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest
from cli_cases import answer, make_agency, ok, run
from mileage.cli.width import width
from mileage.ledger import (
    ContestAwardWithdrawn,
    CourseAttended,
    CourseCompleted,
    CourseEnrolled,
    CourseOffered,
    LearningClubDissolved,
    ProposalRejected,
    ProposalWithdrawn,
    TaskAssigned,
    TaskClosed,
)
from mileage.ledger.kinds import kinds
from mileage.projections import Outbox, Period, overview
from mileage.projections import open_things as open_module
from mileage.projections.open_things import open_things
from mileage.seeds import example_year_files, rulebook_path
from story import Office

YEAR = Period.parse("2005")
END = date(2005, 12, 31)


@pytest.fixture
def office(tmp_path):
    found = Office(tmp_path)
    found.now = found.now.replace(year=2006)
    yield found
    found.close()


def opened(office, day=END, **question):
    found = open_things(office.ledger, day, **question)
    return {each.sort: (each.count, each.since and each.since.isoformat()) for each in found}


class TestOpenThings:
    def test_proposals_nobody_decided(self, office):
        """A proposal is open from its submission until it is adopted, rejected or withdrawn."""
        for day, name in enumerate(("one", "two", "three", "four"), 1):
            office.proposes(f"2005-03-0{day}", name, "A")
        assert opened(office) == {"proposal": (4, "2005-03-01")}
        office.adopted("2005-04-01", "one", "gold")
        office.record("2005-04-02", ProposalRejected("two", "중복"))
        office.record("2005-04-03", ProposalWithdrawn("three", "다시 씀"))
        assert opened(office) == {"proposal": (1, "2005-03-04")}
        assert opened(office, date(2005, 4, 1)) == {"proposal": (3, "2005-03-02")}
        assert opened(office, date(2005, 2, 28)) == {}

    def test_a_decision_that_was_voided(self, office):
        """A voided adoption opens the proposal again, from the day and the time it was known."""
        office.proposes("2005-03-01", "one", "A")
        office.adopted("2005-04-01", "one", "gold")
        known = office.now
        office.void("2005-05-01", "adopt-one", known="2006-02-01")
        assert opened(office) == {"proposal": (1, "2005-03-01")}
        assert opened(office, known_at=known) == {}
        assert opened(office, as_of=date(2005, 4, 30)) == {}

    def test_clubs_and_tasks(self, office):
        """A club is open until it is dissolved; a task that is not closed in time is overdue."""
        office.club("2005-03-01", "readers", "A")
        task = TaskAssigned("t1", "과제", "common", "HQ", "A", "목표", date(2005, 6, 30))
        office.record("2005-03-02", task)
        assert opened(office, date(2005, 6, 30)) == {
            "learning_club": (1, "2005-03-01"),
            "task": (1, "2005-03-02"),
        }
        assert opened(office)["task_overdue"] == (1, "2005-06-30")
        office.record("2005-07-01", TaskClosed("t1"))
        office.record("2005-07-01", LearningClubDissolved("readers", "끝"))
        assert opened(office) == {}

    def test_courses_with_results_due(self, office):
        """A course is open while somebody enrolled has neither completed nor failed it."""
        course = CourseOffered("c1", "과정", "course", "HQ", 10, Decimal(8))
        office.record("2005-03-01", course)
        assert opened(office) == {}
        for person in "AB":
            office.record("2005-03-02", CourseEnrolled("c1", person))
            office.record("2005-03-03", CourseAttended("c1", person, Decimal(4)))
        office.record("2005-03-10", CourseCompleted("c1", "A"))
        assert opened(office) == {"course": (1, "2005-03-02")}
        office.record("2005-03-11", CourseCompleted("c1", "B"))
        assert opened(office) == {}

    def test_contests_without_an_award(self, office):
        """A contest is open until an entry has an award, and again when the last is withdrawn."""
        office.contest("2005-03-01", "c", "gold")
        office.enters("2005-03-02", "c", "e1", "A")
        assert opened(office) == {"contest": (1, "2005-03-01")}
        office.awarded("2005-04-01", "c", "e1", "gold")
        assert opened(office) == {}
        office.record("2005-05-01", ContestAwardWithdrawn("c", "e1", "표절"))
        assert opened(office) == {"contest": (1, "2005-03-01")}


def test_what_opens_and_closes_is_declared():
    """Every kind by which things open or close is there."""
    assert set(open_module._STEPS) <= {kind.name for kind in kinds}


def test_a_year_at_a_look(office):
    """Points, top, selection, rulebook, last fact and last batch, as of the year's end."""
    office.adopt("smba-2005", "2005-01-01")
    office.proposes("2005-03-01", "one", "A")
    office.adopted("2005-04-01", "one", "gold")
    office.proposes("2006-01-05", "next", "B")
    office.model.catch_up()
    figures = office.model.figures()
    found = overview(office.ledger, figures, YEAR)
    assert found.day == END
    assert found.points == 110_000
    assert [(each.person, each.points) for each in found.top] == [("A", 110_000)]
    selected = {each.terms.programme: each.selected for each in found.selections}
    assert selected["overseas-training"] == ()
    assert [each.person for each in selected["personnel-credit"]] == ["A"]
    assert found.rulebook.rulebook == "smba-2005"
    assert found.last_fact.fact.key == "submit-next"
    assert found.last_batch is None
    with office.model.figures_at(as_of=date(2005, 3, 31)) as then:
        earlier = overview(office.ledger, then, YEAR, as_of=date(2005, 3, 31))
    assert earlier.points == 10_000
    # The last recorded of what had happened by then, though more had been recorded since.
    assert earlier.last_fact.fact.key == "submit-one"


def test_the_last_batch_of_the_question(office, tmp_path):
    """A batch counts once it was cut, and as of its own day."""
    office.adopt("smba-2005", "2005-01-01")
    office.proposes("2005-03-01", "one", "A")
    office.model.catch_up()
    before = office.now
    office.now = office.now.replace(month=3)
    Outbox(office.ledger).cut(office.model.figures(), tmp_path / "out", as_of=END)

    def last(**question):
        return overview(office.ledger, office.model.figures(), YEAR, **question).last_batch

    assert last().sequence == 1
    assert last(known_at=before) is None
    assert last(as_of=date(2005, 12, 30)) is None


@pytest.fixture(scope="module")
def agency(tmp_path_factory):
    """The example year, with indicators."""
    path = tmp_path_factory.mktemp("overview") / "year.sqlite"
    at = ("--ledger", path)
    ok("init", *at, "--organisation", "중소기업청", "--opened-on", "2004-01-01")
    ok("import", *at, "--no-catch-up", *example_year_files())
    ok("rules", "adopt", *at, rulebook_path(), "--on", "2005-01-01")
    for number in range(2):
        ok("record", "indicator.defined", *at, "--indicator", f"i{number}", "--title",
           "이용자 만족도가 얼마나 되는지를 묻는 지표", "--measured-in", "%",
           "--better", "higher", "--on", "2004-01-02")  # fmt: skip
    ok("rebuild", *at, "--quiet")
    return path


class TestScreen:
    @pytest.mark.parametrize("lang", ["ko", "en"])
    def test_it_fits(self, agency, lang):
        """The example year takes at most 24 lines of 80 cells, in both languages."""
        shown = ok("overview", "--ledger", agency, "--period", "2005", "--lang", lang).stdout
        lines = shown.splitlines()
        assert len(lines) <= 24
        assert max(map(width, lines)) <= 80
        assert "2005-12-31" in lines[0]
        assert "1,691" in lines[1]
        assert ("참여 149명(8.8%)" if lang == "ko" else "149 taking part (8.8%)") in shown
        assert re.search(r"P01529 .*64\.1", shown)
        assert ("심사 중인 제안" if lang == "ko" else "proposals undecided") in shown
        assert "12/12" in shown
        assert "1,600,000" in shown

    def test_json(self, agency):
        """The same as data, with the kinds of activity that have no points and why."""
        found = answer("overview", "--ledger", agency, "--period", "2005")
        assert found["participation"] == {
            "people": 1691,
            "on_leave": 6,
            "taking_part": 149,
            "percent": "8.8",
        }
        assert found["top"][0]["person"] == "P01529"
        assert {"why": "cap", "activity": "learning_club.session_held", "count": 265} in found[
            "unrewarded"
        ]
        assert found["open"][0]["sort"] == "proposal"
        assert sum(line["spent"] for line in found["budget"]) == 1_200_000
        assert found["last_batch"] is None

    def test_a_rulebook_that_waits(self, tmp_path):
        """A rulebook adopted and not in service yet is told on the screen."""
        path = make_agency(tmp_path)
        rules = tmp_path / "rules.toml"
        rules.write_text(rules.read_text("utf-8").replace("2.5", "3"), "utf-8")
        ok("rules", "adopt", "--ledger", path, rules, "--on", "2005-06-01")
        shown = run("overview", "--ledger", path, "--period", "2005", "--lang", "en")
        assert re.search(r"Rulebook +test .* #12 waits for rebuild", shown.stdout)
        assert answer("overview", "--ledger", path, "--period", "2005")["pending_rulebook"] == 12

    def test_before_it_began(self, agency):
        """A period that begins after the day asked for is refused; nobody is shown an empty one."""
        result = run("overview", "--ledger", agency, "--period", "2005", "--as-of", "2004-06-30")
        assert (result.exit_code, result.stdout) == (1, "")

    def test_nothing_yet(self, tmp_path):
        """A ledger without people, rules and facts has an overview too, of this year."""
        path = tmp_path / "new.sqlite"
        ok("init", "--ledger", path, "--organisation", "청")
        shown = ok("overview", "--ledger", path, "--lang", "ko").stdout
        assert "재직 0명" in shown
        assert "시행 중인 규칙집 없음" in shown
        assert "활동 없음" in shown
