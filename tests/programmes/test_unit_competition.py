"""국·지방청 경쟁: bureaus and regional offices ranked by scores, tasks and what people did."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest
from mileage.ledger import (
    MemberJoined,
    MemberLeaveEnded,
    MemberLeaveStarted,
    MemberLeft,
    MemberTransferred,
    TaskAchievementMeasured,
    TaskAssigned,
    TaskClosed,
    UnitEstablished,
)
from mileage.ledger.kinds.evaluation import EvaluationClosed, EvaluationOpened, EvaluationUnitScored
from mileage.ledger.kinds.unit import UnitAbolished, UnitMerged, UnitSplit
from mileage.projections.competition import NoCompetition, unit_ranking
from mileage.projections.measures import shown
from story import Office, rulebook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EARNING = """
[[rule]]
id = "submitted"
activity = "proposal.submitted"
split = "share"
values = [ { from = 2005-01-01, points = 10, clause = "제2조" } ]
"""
TITLE = 'title = { ko = "평가", en = "Evaluation" }'


def scheme(weights: str, areas: dict[str, str], units: str = '"BUREAU", "SEOUL"') -> str:
    """A rulebook with a scheme for one group of units; its areas by id, each with elements."""
    tables = "".join(
        f'[[evaluation.area]]\nid = "{area}"\n{TITLE}\nelements = [ {elements} ]\n'
        for area, elements in areas.items()
    )
    return (
        rulebook(EARNING)
        + f'[[evaluation]]\nid = "units"\n{TITLE}\nvalues = [ {{ from = 2005-01-01,'
        + f' weights = {{ {weights} }}, clause = "표1" }} ]\n'
        + f'[[evaluation.group]]\nid = "all"\n{TITLE}\nunits = [{units}]\n'
        + tables
    )


def element(name: str, source: str, more: str = "") -> str:
    return f'{{ id = "{name}", {TITLE}, source = "{source}"{more} }}'


def only(source: str, more: str = "", units: str = '"BUREAU", "SEOUL"') -> str:
    """A scheme of one element."""
    return scheme("it = 100", {"it": element("it", source, more)}, units)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """A and B in BUREAU, C and D in SEOUL; the year 2005 is evaluated."""
    opened = Office(tmp_path)
    for unit in ("BUREAU", "NEW", "OTHER"):
        opened.record("2000-02-01", UnitEstablished(unit, unit, unit))
    for person, unit in zip("ABCD", ("BUREAU", "BUREAU", "SEOUL", "SEOUL"), strict=True):
        opened.record("2000-02-01", MemberTransferred(person, unit))
    year = EvaluationOpened("2005", "2005년 평가", date(2005, 1, 1), date(2005, 12, 31))
    opened.record("2005-01-03", year)
    yield opened
    opened.close()


def ranking(office: Office, **question):
    """The ranking when the year is over, from a catch-up and from a rebuild alike."""
    office.now = max(office.now, datetime(2006, 1, 10, 3, 0, tzinfo=UTC))
    office.model.catch_up()
    with office.model.figures_at(**question) as figures:
        found = unit_ranking(office.ledger, figures, "2005", **question)
    office.model.rebuild()
    with office.model.figures_at(**question) as figures:
        assert unit_ranking(office.ledger, figures, "2005", **question) == found
    return found


def totals(office: Office, **question) -> list[tuple[int, str, str]]:
    return [
        (each.place, each.unit, shown(each.total)) for each in ranking(office, **question).units
    ]


def score(office: Office, unit: str, what: str, marks: str, evaluator: str = "X-1") -> None:
    scored = EvaluationUnitScored("2005", unit, what, Decimal(marks), None, evaluator)
    office.record("2005-12-20", scored)


class TestScores:
    def test_mean_of_evaluators_with_the_weights_of_areas_and_elements(self, office):
        """30/70 by area, equal or weighed elements within: the sum is exact and explained."""
        elements = {
            "plan": ", ".join(element(name, "scores") for name in ("a", "b", "c")),
            "work": element("d", "scores", ", weight = 75")
            + ","
            + element("e", "scores", ", weight = 25"),
        }
        office.adopt(
            scheme("plan = 30, work = 70", elements),
            "2005-02-01",
            since="2005-01-01",
            reason="계획",
        )
        for name, marks in {"a": "100", "b": "50", "d": "80", "e": "60"}.items():
            score(office, "BUREAU", name, marks)
        score(office, "BUREAU", "a", "99.5", "X-2")
        score(office, "SEOUL", "c", "10")

        first, second = ranking(office).units

        # (99.75 + 50 + 0) / 3 of 30 %, (75 % of 80 + 25 % of 60) of 70 %
        assert first.total == Fraction(30, 100) * Fraction("149.75") / 3 + Fraction(70, 100) * 75
        assert [shown(area.points) for area in first.areas] == ["14.975", "52.5"]
        [plan, _] = first.areas
        assert plan.elements[0].reason.ko == "평가위원 2명의 평균: (100 + 99.5) ÷ 2 = 99.75"
        assert plan.elements[0].reason.en == "mean of 2 evaluators: (100 + 99.5) ÷ 2 = 99.75"
        assert len(plan.elements[0].facts) == 2
        assert (second.place, second.unit, second.total) == (2, "SEOUL", 1)

    def test_missing_scores_count_as_nothing_and_are_named(self, office):
        """A unit without a score is ranked with 0 for it, and the element is named."""
        office.adopt(only("scores"), "2005-02-01")
        score(office, "SEOUL", "it", "40")

        [seoul, bureau] = ranking(office).units

        assert (seoul.missing, bureau.missing) == ((), ("it",))
        assert (bureau.total, bureau.place) == (0, 2)
        assert bureau.areas[0].elements[0].reason.en == "no score was given: 0"

    def test_equal_totals_share_a_place(self, office):
        """Two units with equal totals are both first, and the next one is third."""
        office.adopt(only("scores", units='"BUREAU", "SEOUL", "HQ"'), "2005-02-01")
        for unit, marks in (("BUREAU", "66.6667"), ("SEOUL", "66.6667"), ("HQ", "66.6666")):
            score(office, unit, "it", marks)

        assert totals(office) == [
            (1, "BUREAU", "66.6667"),
            (1, "SEOUL", "66.6667"),
            (3, "HQ", "66.6666"),
        ]

    def test_voided_scores_and_earlier_questions(self, office):
        """A score recorded in error is gone; what counted and was known before remains."""
        office.adopt(only("scores"), "2005-02-01")
        score(office, "SEOUL", "it", "40")
        before = office.now
        [key] = [i.fact.key for i in office.ledger.facts(topics=("evaluation.unit_scored",))]
        office.void("2005-12-22", key)
        again = EvaluationUnitScored("2005", "SEOUL", "it", Decimal(70), None, "X-1")
        office.record("2005-12-22", again, "again")

        assert totals(office) == [(1, "SEOUL", "70"), (2, "BUREAU", "0")]
        assert totals(office, known_at=before)[0] == (1, "SEOUL", "40")
        assert totals(office, as_of=date(2005, 12, 20))[0] == (1, "SEOUL", "40")

    def test_scores_that_count_for_nothing_are_listed(self, office):
        """A score of a unit that is not ranked, or of an element that takes none, is shown."""
        office.adopt(only("scores"), "2005-02-01")
        score(office, "HQ", "it", "40")
        score(office, "SEOUL", "tpyo", "40")

        idle = ranking(office).idle_scores

        assert [(each.unit, each.element) for each in idle] == [("HQ", "it"), ("SEOUL", "tpyo")]


class TestTasks:
    def assign(self, office, name, origin, unit, *percents, closed=""):
        cpo = {"BUREAU": "A", "SEOUL": "C"}[unit]
        assigned = TaskAssigned(name, name, origin, unit, cpo, "100 %", date(2005, 12, 31))
        office.record("2005-01-05", assigned)
        for month, percent in enumerate(percents, 6):
            measured = TaskAchievementMeasured(name, percent, "조사")
            office.record(f"2005-{month:02d}-01", measured)
        if closed:
            office.record(closed, TaskClosed(name))

    def test_mean_of_the_latest_measurement(self, office):
        """More than the target counts as the target, what was not measured as nothing."""
        office.adopt(only("task-achievement", ', origin = "common"'), "2005-02-01")
        self.assign(office, "records", "common", "BUREAU", 50, 120)
        self.assign(office, "rules", "common", "BUREAU")
        self.assign(office, "venture", "own", "BUREAU", 10)
        self.assign(office, "reform", "common", "SEOUL", 90, 45)

        [bureau, seoul] = ranking(office).units

        assert (shown(bureau.total), shown(seoul.total)) == ("50", "45")
        result = bureau.areas[0].elements[0]
        assert result.missing
        assert result.reason.ko == (
            "과제 2건의 달성도 평균(%): (records 120 → 100 + rules 미측정 0) ÷ 2 = 50"
        )

    def test_measured_after_the_closing(self, office):
        """What is measured after the evaluation was closed does not change it."""
        office.adopt(only("task-achievement"), "2005-02-01")
        self.assign(office, "records", "common", "BUREAU", 50)
        office.record("2005-12-20", EvaluationClosed("2005"))
        office.record("2005-12-21", TaskAchievementMeasured("records", 100, "조사"))

        assert totals(office)[0] == (1, "BUREAU", "50")

    def test_task_of_a_unit_that_was_merged(self, office):
        """Its task counts for the unit in which the director who answers for it serves then."""
        office.adopt(only("task-achievement", units='"SEOUL", "OTHER"'), "2005-02-01")
        self.assign(office, "records", "common", "BUREAU", 80)
        office.record("2005-07-01", UnitMerged("BUREAU", "OTHER"))
        office.transferred("2005-07-01", "A", "SEOUL")

        assert totals(office) == [(1, "SEOUL", "80"), (2, "OTHER", "0")]


class TestPerHead:
    def test_points_by_the_head_count_of_each_day(self, office):
        """40 points of one head and a half are less a head than 30 points of one."""
        office.adopt(only("points-per-head"), "2005-01-01")
        office.record("2005-07-02", MemberLeft("B"))  # 183 of 365 days
        office.record("2005-01-01", MemberLeaveStarted("D"))
        for number in range(4):
            office.proposes("2005-03-02", f"a{number}", "A")
        for number in range(3):
            office.proposes("2005-03-02", f"c{number}", "C")

        [seoul, bureau] = ranking(office).units

        assert (seoul.heads, bureau.heads) == (1, 1 + Fraction(183, 365))
        assert seoul.total == 100
        assert bureau.total == 100 * (Fraction(40) * 365 / (365 + 183)) / 30
        assert bureau.areas[0].elements[0].reason.en == (
            "40 points × 365 days ÷ 548 person-days = 26.6423 points a head;"
            " 88.8078 % of the best, 30 points (SEOUL)"
        )

    def test_activities_of_listed_kinds_and_none_that_are_void(self, office):
        """Only the kinds listed count, a proposal withdrawn or void does not."""
        kinds = ', activities = ["proposal.submitted"]'
        office.adopt(only("activities-per-head", kinds), "2005-01-01")
        office.club("2005-02-01", "readers", "A")
        office.meets("2005-02-02", "readers", "A")
        for number in range(4):
            office.proposes("2005-03-02", f"a{number}", "A")
            office.proposes("2005-03-02", f"c{number}", "C")
        for number in range(3):
            office.void("2005-04-01", f"submit-c{number}")

        assert totals(office) == [(1, "BUREAU", "100"), (2, "SEOUL", "25")]

    def test_hours_and_nobody_with_any(self, office):
        """Hours count exactly; while nobody has any, all units have nothing."""
        office.adopt(only("hours-per-head"), "2005-01-01")
        assert totals(office) == [(1, "BUREAU", "0"), (1, "SEOUL", "0")]
        office.club("2005-02-01", "readers", "A", "C")
        office.meets("2005-02-02", "readers", "A", "C", hours="0.5")
        office.meets("2005-02-03", "readers", "A", hours="1")

        assert totals(office) == [(1, "BUREAU", "100"), (2, "SEOUL", "33.3333")]

    def test_participation_of_those_who_served(self, office):
        """The share of the people who served at least a day and did something there."""
        office.adopt(only("participation"), "2005-01-01")
        office.record("2005-12-01", MemberJoined("E", "SEOUL", "G9"))
        office.proposes("2005-03-02", "a", "A")
        office.proposes("2005-03-02", "c", "C")
        office.proposes("2005-03-03", "c2", "C")

        assert totals(office) == [(1, "BUREAU", "50"), (2, "SEOUL", "33.3333")]

    def test_units_below_count_into_the_unit_above(self, office):
        """What is done in a team counts for its bureau, on leave or not people's points remain."""
        office.adopt(only("points-per-head"), "2005-01-01")
        office.record("2005-01-01", UnitEstablished("TEAM", "팀", "Team", "BUREAU"))
        office.transferred("2005-01-01", "A", "TEAM")
        office.proposes("2005-03-02", "a", "A")

        [bureau, _] = ranking(office).units

        assert (bureau.unit, bureau.total, bureau.heads) == ("BUREAU", 100, 2)

    def test_a_running_evaluation_counts_to_the_day(self, office):
        """As of June the days until then count, and what was done by then."""
        office.adopt(only("points-per-head"), "2005-01-01")
        office.proposes("2005-03-02", "a", "A")
        office.proposes("2005-09-02", "c", "C")
        office.proposes("2005-09-02", "c2", "C")

        half = ranking(office, as_of=date(2005, 6, 30))
        assert half.counted_until == date(2005, 6, 30)
        assert [(each.unit, each.heads) for each in half.units] == [("BUREAU", 2), ("SEOUL", 2)]
        assert totals(office) == [(1, "SEOUL", "100"), (2, "BUREAU", "50")]


class TestChangingUnits:
    def test_merged_in_mid_year(self, office):
        """What BUREAU's people did and the days they served count for the unit they went into."""
        office.adopt(only("points-per-head", units='"NEW", "SEOUL", "BUREAU"'), "2005-01-01")
        for name in ("a1", "a2", "a3"):
            office.proposes("2005-03-02", name, "A")
        office.proposes("2005-03-02", "c", "C")
        office.record("2005-07-01", UnitMerged("BUREAU", "NEW"))
        for person in "AB":
            office.transferred("2005-07-01", person, "NEW")
        office.proposes("2005-08-02", "b", "B")

        found = ranking(office)

        assert [(each.unit, shown(each.total), each.heads) for each in found.units] == [
            ("NEW", "100", 2),
            ("SEOUL", "25", 2),
        ]
        assert found.absent == ("BUREAU",)
        assert found.left_behind == ()
        before = ranking(office, as_of=date(2005, 6, 30))
        assert [(each.unit, each.heads) for each in before.units[:2]] == [
            ("BUREAU", 2),
            ("SEOUL", 2),
        ]

    def test_split_in_mid_year_follows_the_people(self, office):
        """A takes the spring's proposals along to NEW, B to OTHER, each with their days."""
        office.adopt(only("points-per-head", units='"NEW", "OTHER", "SEOUL"'), "2005-01-01")
        office.proposes("2005-03-02", "a", "A")
        office.proposes("2005-03-02", "both", A=50, B=50)
        office.record("2005-07-01", UnitSplit("BUREAU", ("NEW", "OTHER")))
        office.transferred("2005-07-01", "A", "NEW")
        office.transferred("2005-07-01", "B", "OTHER")

        assert [(each.unit, shown(each.total), each.heads) for each in ranking(office).units] == [
            ("NEW", "100", 1),
            ("OTHER", "33.3333", 1),
            ("SEOUL", "0", 2),
        ]

    def test_gone_or_left_behind_when_the_unit_ended(self, office):
        """Who left earlier or was not moved counts for the successor named first."""
        office.adopt(only("points-per-head", units='"NEW", "OTHER", "SEOUL"'), "2005-01-01")
        office.proposes("2005-03-02", "a", "A")
        office.transferred("2005-04-01", "A", "SEOUL")
        office.record("2005-07-01", UnitSplit("BUREAU", ("NEW", "OTHER")))
        office.proposes("2005-08-01", "b", "B")

        found = ranking(office)

        assert found.left_behind == ("B",)
        [new, *rest] = found.units
        # A's days until April and B's whole year, with a proposal each.
        assert (new.unit, new.heads) == ("NEW", 1 + Fraction(31 + 28 + 31, 365))
        assert new.total == 100
        assert {each.unit: shown(each.total) for each in rest} == {"OTHER": "0", "SEOUL": "0"}

    def test_abolished_without_successor(self, office):
        """What was done in a unit that nothing took the place of counts for where people went."""
        office.adopt(only("points-per-head", units='"SEOUL", "OTHER"'), "2005-01-01")
        office.proposes("2005-03-02", "a", "A")
        office.proposes("2005-03-02", "b", "B")
        office.record("2005-07-01", UnitAbolished("BUREAU", "기능 이관"))
        office.transferred("2005-07-01", "A", "OTHER")

        found = ranking(office)
        assert {each.unit: shown(each.total) for each in found.units} == {
            "OTHER": "100",
            "SEOUL": "0",
        }
        assert found.left_behind == ("B",)

    def test_a_merger_recorded_in_error(self, office):
        """When the merger is void the unit stands and is ranked again."""
        office.adopt(only("points-per-head"), "2005-01-01")
        office.proposes("2005-03-02", "a", "A")
        office.record("2005-07-01", UnitMerged("BUREAU", "OTHER"), "merger")
        assert totals(office) == [(1, "SEOUL", "0")]
        office.void("2005-07-02", "merger")

        assert totals(office) == [(1, "BUREAU", "100"), (2, "SEOUL", "0")]

    def test_two_mergers_one_after_the_other(self, office):
        """BUREAU goes into NEW and NEW into OTHER within the year: all of it counts for OTHER."""
        office.adopt(only("points-per-head", units='"OTHER", "SEOUL"'), "2005-01-01")
        office.proposes("2005-03-02", "a", "A")
        office.record("2005-05-01", UnitMerged("BUREAU", "NEW"))
        for person in "AB":
            office.transferred("2005-05-01", person, "NEW")
        office.record("2005-07-01", UnitMerged("NEW", "OTHER"))
        for person in "AB":
            office.transferred("2005-07-01", person, "OTHER")

        assert [(each.unit, each.heads) for each in ranking(office).units] == [
            ("OTHER", 2),
            ("SEOUL", 2),
        ]
        assert totals(office)[0] == (1, "OTHER", "100")

    def test_a_team_that_ends_leaves_its_work_with_the_bureau(self, office):
        """What a team did stays with its bureau, and counts once among bureaus and offices."""
        groups = only("points-per-head", units='"BUREAU"')
        groups += f'[[evaluation.group]]\nid = "offices"\n{TITLE}\nunits = ["SEOUL", "OTHER"]\n'
        office.adopt(groups, "2005-01-01")
        office.record("2005-01-01", UnitEstablished("TEAM", "팀", "Team", "BUREAU"))
        office.transferred("2005-01-01", "A", "TEAM")
        office.proposes("2005-03-02", "a", "A")
        office.record("2005-07-01", UnitMerged("TEAM", "SEOUL"))
        office.transferred("2005-07-01", "A", "SEOUL")
        office.proposes("2005-08-02", "c", "C")

        [bureau, seoul, other] = ranking(office).units

        assert (bureau.unit, bureau.total, bureau.heads) == ("BUREAU", 100, 1 + Fraction(181, 365))
        assert (seoul.unit, seoul.heads) == ("SEOUL", 2 + Fraction(184, 365))
        assert seoul.areas[0].elements[0].reason.ko.startswith("10점 × 365일 ÷ 914인일")
        assert other.heads == 0

    def test_teams_and_bureaus_side_by_side(self, office):
        """A team in a group of its own counts there and in its bureau; its end is carried over."""
        groups = only("points-per-head")
        groups += f'[[evaluation.group]]\nid = "teams"\n{TITLE}\nunits = ["T1", "T2"]\n'
        office.adopt(groups, "2005-01-01")
        for team in ("T1", "T2"):
            office.record("2005-01-01", UnitEstablished(team, "팀", "Team", "BUREAU"))
        office.transferred("2005-01-01", "A", "T1")
        office.proposes("2005-03-02", "a", "A")
        office.record("2005-07-01", UnitMerged("T1", "T2"))
        office.transferred("2005-07-01", "A", "T2")

        found = {each.unit: (shown(each.total), each.heads) for each in ranking(office).units}

        assert found == {"BUREAU": ("100", 2), "SEOUL": ("0", 2), "T2": ("100", 1)}


class TestScheme:
    def test_the_weights_on_the_last_day_of_the_period(self, office):
        """The rulebook of that day decides, one of the next year does not."""
        office.adopt(only("scores"), "2005-02-01")
        score(office, "SEOUL", "it", "40")
        office.adopt(only("participation"), "2006-01-05")

        found = ranking(office)
        assert (found.units[0].total, found.clause) == (40, "표1")

    def test_no_ranking_without_a_scheme(self, office):
        """It says what is missing: an evaluation, its beginning, a rulebook, a scheme."""
        office.model.rebuild()
        with pytest.raises(NoCompetition, match=r"no rulebook in force on 2005-12-31"):
            ranking(office)
        later = EvaluationOpened("2007", "2007년 평가", date(2007, 1, 1), date(2007, 12, 31))
        office.record("2006-01-10", later)
        office.model.catch_up()
        with pytest.raises(
            NoCompetition, match=r"2007: its period begins on 2007-01-01, after 2006"
        ):
            unit_ranking(office.ledger, office.model.figures(), "2007")
        twice = only("scores")
        twice += twice[twice.index("[[evaluation]]") :].replace('"units"', '"others"')
        office.adopt(twice, "2005-02-01")
        with pytest.raises(NoCompetition, match=r"does not say which .*: units, others"):
            ranking(office)
        with pytest.raises(NoCompetition, match=r"2004: no such evaluation was opened .*2005"):
            unit_ranking(office.ledger, office.model.figures(), "2004")

    def test_leave_does_not_count_as_service(self, office):
        """A month of leave is no month of the head-count."""
        office.adopt(only("points-per-head"), "2005-01-01")
        office.record("2005-06-01", MemberLeaveStarted("A"))
        office.record("2005-07-01", MemberLeaveEnded("A"))

        heads = {each.unit: each.heads for each in ranking(office).units}
        assert heads == {"BUREAU": 2 - Fraction(30, 365), "SEOUL": 2}


def prized(source: str, otherwise: str, places: str = "first = 1, second = 1") -> str:
    """A scheme of one element with prizes for three units."""
    text = only(source, units='"BUREAU", "SEOUL", "OTHER"')
    prizes = (
        f'units = ["BUREAU", "SEOUL", "OTHER"]\nplaces = {{ {places} }}\n'
        f'value = {{ first = 400_000, second = 300_000.5 }}\notherwise = "{otherwise}"\n'
    )
    text = text.replace('units = ["BUREAU", "SEOUL", "OTHER"]\n', prizes)
    return text.replace('id = "units"\n', 'id = "units"\nunit = { ko = "원", en = "won" }\n')


def prizes(office: Office) -> dict[str, tuple[str, int | None] | None]:
    return {
        each.unit: each.prize and (each.prize.grade, each.prize.value)
        for each in ranking(office).units
    }


def test_points_in_all_and_a_head(office):
    """A small unit leads by points a head, a large one by points in all."""
    office.transferred("2000-03-01", "B", "OTHER")
    for number, person in enumerate("ACCD"):
        office.proposes(f"2005-03-0{number + 1}", f"p{number}", person)

    office.adopt(prized("points", "include"), "2005-01-01")
    [first, second, _] = ranking(office).units
    assert (first.unit, first.areas[0].elements[0].amount) == ("SEOUL", 30)
    assert (second.unit, second.total) == ("BUREAU", Fraction(100, 3))
    assert second.areas[0].elements[0].reason.en == (
        "10 points in all; 33.3333 % of the best, 30 points (SEOUL)"
    )
    assert prizes(office) == {
        "SEOUL": ("first", 4_000_000_000),
        "BUREAU": ("second", 3_000_005_000),
        "OTHER": None,  # nothing was reached
    }

    office.adopt(prized("points-per-head", "include"), "2005-01-02", since="2005-01-01", reason="x")
    found = {each.unit: each.areas[0].elements[0].amount for each in ranking(office).units}
    assert found == {"SEOUL": 15, "BUREAU": 10, "OTHER": 0}


@pytest.mark.parametrize(
    ("otherwise", "expected"),
    [
        ("include", {"BUREAU": "first", "SEOUL": "first", "OTHER": None}),
        ("exclude", {"BUREAU": "second", "SEOUL": "second", "OTHER": None}),
    ],
)
def test_units_tied_where_a_prize_ends(office, otherwise, expected):
    """Tied units all get the better prize or all the lower."""
    office.adopt(prized("points", otherwise), "2005-01-01")
    for person in "AC":
        office.proposes("2005-03-01", f"p{person}", person)

    assert {unit: prize and prize[0] for unit, prize in prizes(office).items()} == expected


def test_units_tied_at_the_last_prize(office):
    """Where the last prize ends among tied units, all get it or none does."""
    for person in "AC":
        office.proposes("2005-03-01", f"p{person}", person)
    for day, otherwise, grade in (("01", "include", "first"), ("02", "exclude", None)):
        text = prized("points", otherwise, "first = 1").replace(", second = 300_000.5", "")
        office.adopt(text, f"2005-01-{day}", since="2005-01-01", reason="정정")
        found = prizes(office)
        assert [found[unit] and found[unit][0] for unit in ("BUREAU", "SEOUL")] == [grade, grade]
