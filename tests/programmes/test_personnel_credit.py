"""인사 연계: credit by tiers of points, granted, approved by another, sent to HR, revoked."""

from __future__ import annotations

import pytest
from mileage.ledger import Refused
from mileage.projections import decisions
from personnel import Personnel, rules

CREDIT = rules("""
[[programme]]
id = "credit"
period = "year"
unit = { ko = "점", en = "points" }
four_eyes = true
[[programme.values]]
from = 2005-01-01
threshold = { high = 20, low = 10 }
value = { high = 0.5, low = 0.25 }
clause = "제10조"
""")


@pytest.fixture
def office(tmp_path):
    opened = Personnel(tmp_path)
    opened.adopt(CREDIT, "2005-01-01")
    opened.earns("2005-03-02", "A", "ten", "ten")
    opened.earns("2005-03-02", "B", "ten", "five")
    opened.earns("2005-03-02", "C", "five")
    yield opened
    opened.close()


def test_credit_by_points_from_proposal_to_hr(office):
    """Each tier has its credit; it goes to HR when a second person has approved it."""
    assert office.proposed("credit", "2005-12-31") == {"A": "high", "B": "low"}
    assert office.outcomes("credit", "2005-12-31")["C"] == "below_threshold"

    office.grants("2006-01-10", "credit")
    assert office.told("2006-01-10") == []
    office.approves("2006-01-11", "credit", "A")
    assert office.told("2006-01-11") == [
        ("A", "credit", "grade.high", "1"),
        ("A", "credit", "value", "0.5"),
    ]


def test_credit_revoked_and_granted_again_lower(office):
    """When points fall away, the credit is revoked and granted anew; HR gets the difference."""
    office.grants("2006-01-10", "credit", "A")
    office.approves("2006-01-11", "credit", "A")
    office.told("2006-01-11")
    office.void("2006-02-01", "W2", reason="동일 공적 중복 포상")
    [candidate, *_] = [c for c in office.candidates("credit", "2005-12-31") if c.person == "A"]
    assert (candidate.grade, candidate.differs) == ("low", True)

    office.revokes("2006-02-02", "credit", "A")
    office.grants("2006-02-03", "credit", "A")
    office.approves("2006-02-04", "credit", "A")

    assert office.told("2006-02-04") == [
        ("A", "credit", "grade.high", "-1"),
        ("A", "credit", "grade.low", "1"),
        ("A", "credit", "value", "-0.25"),
    ]


def test_credit_beside_the_rule_needs_a_reason(office):
    """Whom the rule does not propose gets a tier only by name and for a reason."""
    with pytest.raises(Refused, match="grade-missing"):
        office.grants("2006-01-10", "credit", "C")
    with pytest.raises(Refused, match="C: below threshold"):
        office.grants("2006-01-10", "credit", "A", "C", grade="low")
    with pytest.raises(Refused, match="grade-unknown"):
        office.grants("2006-01-10", "credit", "C", grade="top", reason="이의신청 인용")
    office.grants("2006-01-10", "credit", "C", grade="low", reason="이의신청 인용")

    office.model.catch_up()
    [made] = decisions(office.model.figures(), "credit")
    assert made.stage == "granted"
    assert (made.grade, made.value, made.granted_because) == ("low", 2_500, "이의신청 인용")
    assert not made.in_effect


def test_a_grant_recorded_in_error_is_voided(office):
    """A void takes the grant away as if it had never been made; it can be granted again."""
    [key] = office.grants("2006-01-10", "credit", "A")
    office.approves("2006-01-11", "credit", "A")
    office.told("2006-01-11")
    approval = "entitlement.approved:credit:2005:A:2006-01-11"
    with pytest.raises(Refused, match="rested-upon"):
        office.void("2006-01-12", key)
    office.void("2006-01-12", approval)
    office.void("2006-01-12", key)

    assert [line[2:] for line in office.told("2006-01-12")] == [
        ("grade.high", "-1"),
        ("value", "-0.5"),
    ]
    assert office.points("A") == ["20"]
