"""혁신 학습단: a team with a task and a deadline, its money, its result, and its corrections."""

from __future__ import annotations

import inspect
import re
from datetime import date
from decimal import Decimal

import pytest
from cli_cases import answer, run
from mileage.ledger import (
    LearningClubRegistered,
    Refused,
    SupportGranted,
    SupportReturned,
    SupportSettled,
    SupportSpent,
    shares,
)
from mileage.ledger.kinds import groups
from mileage.ledger.kinds.study_team import (
    StudyTeamDissolved,
    StudyTeamFormed,
    StudyTeamJoined,
    StudyTeamLeft,
    StudyTeamResultDelivered,
    StudyTeamSessionHeld,
)
from mileage.projections import budgets
from story import Office, rulebook

BOOK = rulebook(
    """[[rule]]
    id = "formed"
    activity = "study_team.formed"
    values = [ { from = 2000-01-01, points = 1, clause = "1" } ]
    """,
    """[[rule]]
    id = "session"
    activity = "study_team.session_held"
    per = "hour"
    values = [ { from = 2000-01-01, points = 0.5, clause = "2" } ]
    """,
    """[[rule]]
    id = "result"
    activity = "study_team.result_delivered"
    split = "share"
    values = [ { from = 2000-01-01, points = { on_time = 10, late = 6 }, clause = "3" } ]
    """,
)


@pytest.fixture
def office(tmp_path):
    """An office that rewards what teams do, with a team of A and B, due on 31 May."""
    told = Office(tmp_path)
    told.adopt(BOOK, "2005-01-03")
    due = date(2005, 5, 31)
    formed = StudyTeamFormed("venture", "벤처기업 확인제도 개편팀", "확인제도 개편안", "A", due)
    told.record("2005-03-02", formed)
    told.record("2005-03-02", StudyTeamJoined("venture", "B"))
    yield told
    told.close()


def delivered(timeliness):
    return StudyTeamResultDelivered("venture", "개편안", timeliness, shares({"A": 50, "B": 50}))


def test_a_team_from_forming_to_its_end(office):
    """Forming, sessions and the result earn, also for who left before it; the end is the end."""
    met = StudyTeamSessionHeld("venture", "1", "사례", Decimal(2), ("A", "B"))
    office.record("2005-04-01", met)
    office.record("2005-05-10", StudyTeamLeft("venture", "B"))
    office.record("2005-05-31", delivered("on_time"))
    office.record("2005-06-02", StudyTeamDissolved("venture", "과제 완료"))
    assert office.points("A", "B") == ["7", "6"]
    late = StudyTeamSessionHeld("venture", "2", "뒤풀이", Decimal(1), ("A",))
    with pytest.raises(Refused, match=r"study_team\.already-dissolved"):
        office.record("2005-06-03", late)


def test_a_late_result_counts_and_shows(office):
    """A result after the deadline is taken as late: a grade of its own in rule and statement."""
    office.record("2005-06-10", delivered("late"))
    assert office.points("A", "B") == ["4", "3"]
    line = office.model.figures().statement("B")[-1]
    assert (line.kind, line.grade) == ("study_team.result_delivered", "late")
    assert line.title == "벤처기업 확인제도 개편팀"


def test_a_result_recorded_in_error(office):
    """A void takes the result back, and it can be delivered again."""
    office.record("2005-05-20", delivered("on_time"), "result")
    office.void("2005-05-21", "result")
    assert office.points("A", "B") == ["1", "0"]
    office.record("2005-06-10", delivered("late"), "again")
    assert office.points("A", "B") == ["4", "3"]


def test_money_of_a_team(office, monkeypatch):
    """A team is granted, spends, settles and returns money like a club; one budget shows both."""
    office.record("2005-03-02", LearningClubRegistered("readers", "독서", "C"))
    office.record("2005-03-02", SupportGranted("readers", "activity", 50_000))
    office.record("2005-03-10", SupportGranted("venture", "expert", 300_000))
    office.record("2005-04-02", SupportSpent("venture", "expert", 250_000, "r1"))
    office.record("2005-06-02", StudyTeamDissolved("venture", "과제 완료"))
    office.record("2005-06-10", SupportSettled("venture", "혁신담당"))
    office.record("2005-06-11", SupportReturned("venture", 50_000))
    assert [(b.group, b.item, b.left) for b in budgets(office.ledger)] == [
        ("readers", "activity", 50_000),
        ("venture", "expert", 50_000),
        ("venture", "returned", -50_000),
    ]
    monkeypatch.setenv("MILEAGE_LEDGER", str(office.ledger.path))
    assert {line["group"] for line in answer("budget")["budgets"]} == {"readers", "venture"}
    assert [line["left"] for line in answer("budget", "venture")["budgets"]] == [50_000, -50_000]
    assert run("budget", "nobody").exit_code == 1


def test_a_code_is_free_again_when_its_club_never_was(office):
    """A club voided leaves its code to a team, and then cannot be brought back."""
    club = LearningClubRegistered("queue", "독서", "C")
    office.record("2005-03-02", club, "club")
    formed = StudyTeamFormed("queue", "팀", "과제", "C", date(2005, 5, 31))
    with pytest.raises(Refused, match="code-taken"):
        office.record("2005-03-03", formed)
    office.void("2005-03-03", "club")
    office.record("2005-03-03", formed)
    with pytest.raises(Refused, match="cannot-stand-again"):
        office.void("2005-03-04", "fact.voided:club")


def test_every_rule_of_groups_is_refused_for_both():
    """What clubs and teams refuse alike is tried with each of them."""
    from test_kinds import REFUSALS  # noqa: PLC0415 - collected as a module of its own

    named = set(re.findall(r'refusal\(\s*"([a-z-]+)"', inspect.getsource(groups)))
    assert {"code-taken", "not-member", "unknown"} <= named
    tried = {rule for rule, *_ in REFUSALS}
    for category in ("learning_club", "study_team"):
        assert {f"{category}.{rule}" for rule in named} <= tried
