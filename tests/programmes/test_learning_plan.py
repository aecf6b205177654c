"""학습계획: targets per unit, what people learn against them, and how the answer changes."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from cli_cases import answer, ok, run
from mileage.ledger import (
    CourseAttended,
    CourseCompleted,
    CourseEnrolled,
    CourseOffered,
    LearningClubJoined,
    LearningClubRegistered,
    LearningClubSessionHeld,
    MemberLeaveStarted,
    MemberTransferred,
    format_amount,
)
from mileage.ledger.kinds.learning_plan import (
    MEASURES,
    LearningPlanAdopted,
    LearningPlanEnded,
    LearningPlanTargetSet,
)
from mileage.ledger.kinds.study_team import StudyTeamFormed, StudyTeamSessionHeld
from mileage.projections import UnknownPlan, learning_plan, learning_plans, learning_progress
from story import Office

YEAR = (date(2005, 1, 1), date(2005, 12, 31))
END = date(2005, 12, 31)


@pytest.fixture
def office(tmp_path):
    """A plan for 2005; A and B serve in HQ, C in HQ-INNOV below it, D in SEOUL."""
    told = Office(tmp_path)
    told.record("2005-01-03", MemberTransferred("C", "HQ-INNOV"))
    told.record("2005-01-03", MemberTransferred("D", "SEOUL"))
    told.record("2005-01-10", LearningPlanAdopted("LP-2005", "2005년 학습계획", "A", *YEAR))
    yield told
    told.close()


def sets(office, day, unit, measure, goal, key=None):
    target = LearningPlanTargetSet("LP-2005", unit, measure, Decimal(goal))
    office.record(day, target, key)


def learns(office, day="2005-03-10", hours="6", *, person="C", course="c1"):
    offered = CourseOffered(course, "과정", "course", "본청", 30, Decimal(40))
    office.record(day, offered)
    office.record(day, CourseEnrolled(course, person))
    office.record(day, CourseAttended(course, person, Decimal(hours)), f"attended-{course}")


def meets(office, day="2005-04-06"):
    """A club of A and C meets for two hours, and a team of D alone for one."""
    office.record(day, LearningClubRegistered("readers", "독서", "A"))
    office.record(day, LearningClubJoined("readers", "C"))
    held = LearningClubSessionHeld("readers", "1", "주제", Decimal(2), ("A", "C"))
    office.record(day, held, "club-session")
    office.record(day, StudyTeamFormed("team", "팀", "과제", "D", END))
    office.record(day, StudyTeamSessionHeld("team", "1", "주제", Decimal(1), ("D",)))


def progress(office, day=END, *, known_at=None):
    """Lines as ``(measure, unit, target, achieved, percent, missing)``, amounts as texts."""
    office.model.catch_up()
    plan = learning_plan(office.ledger, "LP-2005", as_of=day, known_at=known_at)
    with office.model.figures_at(as_of=day, known_at=known_at) as figures:
        lines = learning_progress(figures, plan, day)

    def text(units):
        return None if units is None else format_amount(units)

    return [
        (
            line.measure,
            line.unit,
            *map(text, (line.target, line.achieved, line.percent, line.missing)),
        )
        for line in lines
    ]


def achieved(office, **question):
    """What every unit achieved, by measure and unit."""
    return {(measure, unit): got for measure, unit, _, got, *_ in progress(office, **question)}


def test_a_plan_from_adoption_to_its_end(office):
    """Units above have what is learned below; units without a target or activity are shown."""
    sets(office, "2005-01-15", "HQ", "hours", "12")
    sets(office, "2005-01-15", "SEOUL", "hours", "3")
    learns(office)
    meets(office)
    assert progress(office) == [
        ("hours", "HQ", "12", "10", "83.3", "2"),
        ("hours", "HQ-INNOV", None, "8", None, None),
        ("hours", "SEOUL", "3", "1", "33.3", "2"),
    ]
    office.record("2005-04-01", LearningPlanEnded("LP-2005", "조직 개편"), known="2005-06-01")
    assert [line[3] for line in progress(office)] == ["6", "6", "0"]


def test_every_measure(office):
    """Hours, people, completions and sessions, in number and per head, each counted once."""
    for measure in MEASURES:
        sets(office, "2005-01-15", "HQ", measure, "1")
    learns(office)
    office.record("2005-03-11", CourseCompleted("c1", "C"))
    meets(office)
    found = achieved(office)
    assert {measure: found[measure, "HQ"] for measure in MEASURES} == {
        "hours": "10",
        "hours_per_head": "3.3333",  # three people serve in HQ and below it
        "people": "2",
        "participation": "66.6666",
        "courses_completed": "1",
        "sessions_held": "1",
        "sessions_attended": "2",
    }
    assert found["sessions_held", "HQ-INNOV"] == "1"
    assert found["participation", "SEOUL"] == "100"
    office.record("2005-05-02", MemberLeaveStarted("B"))
    assert achieved(office)["hours_per_head", "HQ"] == "5"


def test_a_later_target_takes_the_place_of_an_earlier_one(office):
    """By the day it is set for, in whatever order it is recorded; as of a day it had not come."""
    sets(office, "2005-06-01", "HQ", "hours", "20", "raised")
    sets(office, "2005-01-15", "HQ", "hours", "10")
    assert progress(office)[0][2] == "20"
    assert progress(office, date(2005, 5, 31))[0][2] == "10"
    office.void("2005-06-02", "raised")
    assert progress(office)[0][2] == "10"


def test_what_was_learned_counts_where_and_when_it_was(office):
    """A transfer takes nothing along; days outside the plan count for nothing."""
    sets(office, "2005-01-15", "SEOUL", "hours", "10")
    learns(office, "2005-03-10", "6", person="D", course="c1")
    office.record("2005-03-11", MemberTransferred("D", "HQ"))
    learns(office, "2005-03-12", "2", person="D", course="c2")
    learns(office, "2006-01-02", "4", person="D", course="c3")
    assert achieved(office, day=date(2006, 1, 31)) == {
        ("hours", "HQ"): "2",
        ("hours", "HQ-INNOV"): "0",
        ("hours", "SEOUL"): "6",
    }


def test_attendance_recorded_in_error(office):
    """What is void does not count; as of a day before, and as known before, it still does."""
    sets(office, "2005-01-15", "HQ", "people", "2")
    learns(office)
    assert progress(office)[0][3:] == ("1", "50", "1")
    office.void("2005-05-02", "attended-c1")
    assert progress(office)[0][3:] == ("0", "0", "2")
    assert achieved(office, day=date(2005, 5, 1))["people", "HQ"] == "1"
    then = datetime(2005, 4, 30, tzinfo=ZoneInfo("Asia/Seoul"))
    assert achieved(office, known_at=then)["people", "HQ"] == "1"


def test_a_plan_voided_is_none(office):
    """A plan adopted in error is no plan, and asking for it says which there are."""
    assert [plan.plan for plan in learning_plans(office.ledger)] == ["LP-2005"]
    office.void("2005-01-11", "learning_plan.adopted:LP-2005")
    with pytest.raises(UnknownPlan, match="there are: none"):
        learning_plan(office.ledger, "LP-2005")


class TestCommand:
    @pytest.fixture(autouse=True)
    def _told(self, office, monkeypatch):
        monkeypatch.setenv("MILEAGE_LEDGER", str(office.ledger.path))
        monkeypatch.setenv("MILEAGE_LANG", "en")
        sets(office, "2005-01-15", "HQ", "hours", "12")
        learns(office)
        office.model.catch_up()

    def test_progress_as_json_and_csv(self):
        """Amounts are decimal texts, what is absent is null, and the codes stand in CSV."""
        found = answer("learning", "LP-2005", "--as-of", "2005-12-31")
        assert found["plan"] == "LP-2005"
        assert found["officer"] == "A"
        assert found["progress"][0] == {
            "measure": "hours",
            "unit": "HQ",
            "target": "12",
            "achieved": "6",
            "percent": "50",
            "missing": "6",
        }
        assert found["progress"][2]["target"] is None
        told = ok("learning", "LP-2005", "--unit", "HQ", "--csv").stdout
        assert [row["achieved"] for row in csv.DictReader(io.StringIO(told))] == ["6"]

    def test_progress_in_korean(self):
        """Measures and units are named in the reader's language."""
        shown = ok("--lang", "ko", "learning", "LP-2005", "--as-of", "2005-12-31").stdout
        assert "2005년 학습계획 (2005-01-01 ~ 2005-12-31), 2005-12-31 기준" in shown
        assert "학습시간" in shown
        assert "HQ 국" in shown

    def test_plans_are_listed(self):
        """Without a plan's code all are listed, with how many of their targets are reached."""
        [plan] = json.loads(ok("learning", "--json").stdout)["plans"]
        assert (plan["plan"], plan["targets"], plan["reached"]) == ("LP-2005", 1, 0)

    def test_wrong_questions(self):
        """An unknown plan is a finding, an unknown unit or one without a plan is wrong usage."""
        assert run("learning", "LP-1999").exit_code == 1
        assert run("learning", "LP-2005", "--as-of", "2005-01-02").exit_code == 1
        assert run("learning", "LP-2005", "--unit", "NOWHERE").exit_code == 2
        assert run("learning", "--unit", "HQ").exit_code == 2


@pytest.mark.parametrize(
    ("day", "percent"),
    [
        (date(2004, 12, 31), "0"),
        (date(2005, 1, 1), "0.2"),
        (date(2005, 6, 30), "49.5"),
        (date(2005, 12, 30), "99.7"),
        (END, "100"),
        (date(2006, 3, 1), "100"),
    ],
)
def test_how_much_of_a_plan_has_passed(office, day, percent):
    """What was reached is held against the days that have passed, the last not before its end."""
    [plan] = learning_plans(office.ledger)
    assert format_amount(plan.elapsed(day)) == percent


def test_a_plan_that_was_ended_early_is_over_then(office):
    """The days of a plan are those up to its end."""
    office.record("2005-04-10", LearningPlanEnded("LP-2005", "개편"))
    [plan] = learning_plans(office.ledger)
    assert format_amount(plan.elapsed(date(2005, 2, 19))) == "50"
    assert format_amount(plan.elapsed(date(2005, 4, 10))) == "100"
