"""공통혁신과제·부처고유과제: a task from its assignment to the measured result and its points."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from mileage.ledger import (
    MemberTransferred,
    Refused,
    TaskAchievementMeasured,
    TaskAssigned,
    TaskClosed,
    TaskContributed,
    TaskMilestoneReached,
    shares,
)
from mileage.ledger.kinds.evaluation import EvaluationOpened
from mileage.ledger.kinds.task import TaskReassigned
from mileage.ledger.kinds.unit import UnitMerged
from mileage.projections.competition import unit_ranking
from mileage.projections.measures import shown
from story import Office, rulebook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TITLE = 'title = { ko = "과제", en = "Tasks" }'
RULES = (
    rulebook(
        """
[[rule]]
id = "milestone"
activity = "task.milestone_reached"
split = "share"
values = [ { from = 2005-01-01, points = 10, clause = "제3조" } ]
""",
        """
[[rule]]
id = "contribution"
activity = "task.contributed"
split = "share"
values = [ { from = 2005-01-01, points = 3, clause = "제4조" } ]
""",
    )
    + f"""
[[evaluation]]
id = "tasks"
{TITLE}
values = [ {{ from = 2005-01-01, weights = {{ tasks = 100 }}, clause = "표1" }} ]

[[evaluation.group]]
id = "all"
{TITLE}
units = ["HQ", "SEOUL"]

[[evaluation.area]]
id = "tasks"
{TITLE}
elements = [ {{ id = "achieved", {TITLE}, source = "task-achievement" }} ]
"""
)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """A to C in HQ, D in SEOUL; A, a director, answers for the common task of legal work."""
    opened = Office(tmp_path)
    opened.record("2000-02-01", MemberTransferred("D", "SEOUL"))
    opened.adopt(RULES, "2005-01-01")
    year = EvaluationOpened("2005", "2005년", date(2005, 1, 1), date(2005, 12, 31))
    opened.record("2005-01-03", year)
    assigned = TaskAssigned(
        "legal", "법적업무권장", "common", "HQ", "A", "표준안 2건", date(2005, 11, 30)
    )
    opened.record("2005-02-01", assigned)
    yield opened
    opened.close()


def achieved(office: Office) -> dict[str, str]:
    """The result of each unit when the year is over."""
    office.now = max(office.now, datetime(2006, 1, 10, 3, 0, tzinfo=UTC))
    office.model.catch_up()
    found = unit_ranking(office.ledger, office.model.figures(), "2005")
    return {each.unit: shown(each.total) for each in found.units}


def test_a_task_from_assignment_to_points(office):
    """Contributors get points by their shares; the unit gets what was measured of the target."""
    reached = TaskMilestoneReached("legal", "m1", shares({"A": 50, "B": 30, "D": 20}))
    office.record("2005-06-01", reached)
    contributed = TaskContributed("legal", "survey", shares({"C": 100}), "설문 조사")
    office.record("2005-07-01", contributed)
    office.record("2005-09-01", TaskAchievementMeasured("legal", 60, "중간 점검"))
    office.record("2005-11-30", TaskClosed("legal"))
    office.record("2005-12-10", TaskAchievementMeasured("legal", 90, "최종 점검"))

    assert office.points("A", "B", "C", "D") == ["5", "3", "3", "2"]
    assert achieved(office) == {"HQ": "90", "SEOUL": "0"}
    [line, *_] = office.model.figures().statement("B")
    assert (line.title, line.clause, line.thing) == ("법적업무권장", "제3조", "task:legal")


def test_a_milestone_recorded_in_error(office):
    """A milestone that is void gives no points, and can be reached later."""
    reached = TaskMilestoneReached("legal", "m1", shares({"A": 50, "B": 50}))
    office.record("2005-06-01", reached, "early")
    assert office.points("A", "B") == ["5", "5"]
    office.void("2005-06-10", "early")
    assert office.points("A", "B") == ["0", "0"]
    office.record("2005-08-01", reached, "in time")
    assert office.points("A", "B") == ["5", "5"]


def test_a_measurement_recorded_in_error(office):
    """When the latest measurement is void, the one before it counts again."""
    office.record("2005-09-01", TaskAchievementMeasured("legal", 60, "점검"))
    office.record("2005-10-01", TaskAchievementMeasured("legal", 95, "점검"), "wrong")
    assert achieved(office)["HQ"] == "95"
    office.void("2005-10-02", "wrong")
    assert achieved(office)["HQ"] == "60"


def test_a_task_that_others_take_over(office):
    """A task counts for the unit that leads it in the end; what people did remains theirs."""
    office.record("2005-03-01", TaskMilestoneReached("legal", "m1", shares({"A": 100})))
    office.record("2005-05-01", TaskAchievementMeasured("legal", 40, "점검"))
    office.record("2005-07-01", TaskReassigned("legal", "SEOUL", "D", "조직 개편"), "moved")

    assert achieved(office) == {"HQ": "0", "SEOUL": "40"}
    assert office.points("A", "D") == ["10", "0"]
    office.void("2005-07-02", "moved")
    assert achieved(office) == {"HQ": "40", "SEOUL": "0"}


def test_the_unit_that_leads_it_ends(office):
    """A task of a unit that was merged is led by whom it is given to; it cannot be the old unit."""
    office.record("2005-05-01", TaskAchievementMeasured("legal", 40, "점검"))
    office.record("2005-07-01", UnitMerged("HQ", "SEOUL"))

    assert achieved(office) == {"SEOUL": "40"}
    with pytest.raises(Refused, match=r"unit\.ended"):
        office.record("2005-08-01", TaskReassigned("legal", "HQ", "A", "착오"))


def test_every_milestone_is_reached_by_somebody_who_serves(office):
    """Nothing is recorded of people who are not there, and no milestone before the assignment."""
    early = TaskMilestoneReached("legal", "m0", shares({"A": 100}))
    with pytest.raises(Refused, match=r"fact\.before-the-thing"):
        office.record("2005-01-15", early)
    with pytest.raises(Refused, match=r"member\.unknown"):
        office.record("2005-06-01", TaskMilestoneReached("legal", "m1", shares({"Z": 100})))
