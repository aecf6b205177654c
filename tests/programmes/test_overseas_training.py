"""해외연수 연계: a quota with a tie rule, recent participants left out, granted and sent to HR."""

from __future__ import annotations

import pytest
from mileage.ledger import MemberLeaveStarted, MileageError, Refused
from mileage.ledger.kinds.entitlement import EntitlementRefused
from mileage.projections import UnknownProgramme, eligible, explain_candidate
from personnel import Personnel, rules

TRAINING = """
[[programme]]
id = "training"
period = "year"
{recent}
values = [ {{ from = 2005-01-01, threshold = 5, quota = 2, clause = "제12조" }} ]
tie = {{ break_by = ["joined"], otherwise = "exclude" }}
"""


@pytest.fixture
def office(tmp_path):
    opened = Personnel(tmp_path)
    opened.adopt(rules(TRAINING.format(recent="exclude_recent = { years = 2 }")), "2005-01-01")
    yield opened
    opened.close()


def earn(office, year):
    """A, B and C earn in that order of points in a year."""
    office.earns(f"{year}-03-02", "A", "ten", "ten")
    office.earns(f"{year}-03-02", "B", "ten")
    office.earns(f"{year}-03-02", "C", "five")


def test_training_from_selection_to_hr(office):
    """Two get in, the third is beyond the quota; what is granted goes to HR once."""
    earn(office, 2005)
    office.record("2005-11-01", MemberLeaveStarted("B"))
    assert office.outcomes("training", "2005-12-31") == {
        "A": "selected",
        "B": "on_leave",
        "C": "selected",
        "D": "below_threshold",
    }
    assert len(office.grants("2007-01-10", "training")) == 2
    assert office.grants("2007-01-10", "training") == []
    assert office.told("2007-01-10") == [
        ("A", "training", "granted", "1"),
        ("C", "training", "granted", "1"),
    ]
    assert office.told("2007-01-11") == []


def test_recent_participants_are_left_out(office):
    """Who was granted within two years of the day is not proposed; the place goes to the next."""
    earn(office, 2005)
    office.grants("2007-01-10", "training", "A")
    for year in ("2007", "2008"):
        earn(office, year)

    found = office.outcomes("training", "2007-12-31")
    assert (found["A"], found["B"], found["C"]) == ("recent", "selected", "selected")
    selection = eligible(office.model.figures(), "training", office.ledger.today())
    told = explain_candidate(selection, selection.of("A"))
    assert "2 years" in told.en
    assert "2년간 제외" in told.ko

    assert office.outcomes("training", "2005-12-31")["A"] == "selected"  # the cycle itself
    office.revokes("2008-04-01", "training", "A")
    assert office.outcomes("training", "2008-12-31")["A"] == "selected"


def test_recent_by_cycles(office):
    """Counted in cycles, a grant leaves out of the next cycle only."""
    text = rules(TRAINING.format(recent="exclude_recent = { cycles = 1 }"))
    office.adopt(text, "2007-01-05", since="2005-01-01", reason="정정")
    for year in ("2005", "2006", "2007"):
        earn(office, year)
    office.grants("2008-01-10", "training", "A", cycle="2005")

    assert office.outcomes("training", "2006-12-31")["A"] == "recent"
    assert office.outcomes("training", "2007-12-31")["A"] == "selected"


def test_refused_and_granted_on_appeal(office):
    """A selection can be refused for a reason, and granted later on appeal."""
    earn(office, 2005)
    office.record("2007-01-10", EntitlementRefused("training", "2005", "A", "징계 중"))
    [key] = office.grants("2007-01-11", "training")
    assert key == "entitlement.granted:training:2005:B:2007-01-11"
    office.grants("2007-02-01", "training", "A")

    [a] = [c for c in office.candidates("training", "2005-12-31") if c.person == "A"]
    assert (a.decision.stage, a.decision.in_effect) == ("granted", True)
    assert len(a.decision.positions) == 2


def test_granting_what_cannot_be(office):
    """Another cycle than the programme has, one to come, or no such programme is refused."""
    earn(office, 2005)
    with pytest.raises(MileageError, match="has no cycle 2005-H1"):
        office.grants("2007-01-10", "training", "A", cycle="2005-H1")
    with pytest.raises(MileageError, match="is no period"):
        office.grants("2007-01-10", "training", "A", cycle="05")
    with pytest.raises(MileageError, match="begins on 2008-01-01"):
        office.grants("2007-01-10", "training", "A", cycle="2008")
    with pytest.raises(UnknownProgramme):
        office.grants("2007-01-10", "trainng", "A")
    with pytest.raises(Refused, match="Z is not known"):
        office.grants("2007-01-10", "training", "Z", reason="x")
    assert len(office.grants("2007-01-10", "training", "A", "A", "B")) == 2
    with pytest.raises(Refused, match="already-granted"):
        office.grants("2007-01-11", "training", "A")
