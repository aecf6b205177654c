"""산하기관 확산: affiliates with ledgers of their own, a joint contest, comparable figures."""

from __future__ import annotations

from datetime import date

import pytest
from mileage.ledger import (
    ContestAwarded,
    ContestEntered,
    ContestOpened,
    PublicityPublished,
    shares,
)
from mileage.projections import Period, comparable, same_rules
from story import Office, rulebook

YEAR = Period.parse("2005")
AFFILIATES = ("중소기업협동조합중앙회", "중소기업진흥공단")
RULES = rulebook(
    '[[rule]]\nid = "entered"\nactivity = "contest.entered"\n'
    'values = [ { from = 2005-01-01, points = 2, clause = "제1조" } ]\n',
    '[[rule]]\nid = "awarded"\nactivity = "contest.awarded"\nsplit = "share"\n'
    'values = [ { from = 2005-01-01, points = 10, clause = "제2조" } ]\n',
)


@pytest.fixture
def affiliates(tmp_path):
    """Two affiliates of four people each, with the same rulebook."""
    offices = []
    for name in AFFILIATES:
        folder = tmp_path / name
        folder.mkdir()
        office = Office(folder)
        office.adopt(RULES, "2005-01-01")
        offices.append(office)
    yield offices
    for office in offices:
        office.close()


def joins(office, *, entry, people, prize=""):
    """An office records the joint contest as its own people lived it."""
    office.record("2005-09-01", ContestOpened("J-1", "합동 경진대회", "inter_agency", ("gold",)))
    data = ContestEntered("J-1", entry, "사례", shares(dict.fromkeys(people, 100 // len(people))))
    office.record("2005-09-10", data, f"enter-{entry}")
    if prize:
        office.record("2005-10-01", ContestAwarded("J-1", entry, prize), f"award-{entry}")


def compared(office, **question):
    return comparable(office.ledger, YEAR, **question)


def test_a_joint_contest_counts_in_each_ledger(affiliates):
    """Each affiliate's entries into the joint contest stand in its own figures, points as well."""
    first, second = affiliates
    joins(first, entry="E-1", people="AB", prize="gold")
    joins(second, entry="E-2", people="C")
    second.contest("2005-03-01", "own", "gold")
    second.enters("2005-03-02", "own", "E-1", "D")

    one, other = compared(first), compared(second)
    assert (one.entries, one.entries_joint, one.awards, one.awards_joint) == (1, 1, 1, 1)
    assert (other.entries, other.entries_joint, other.awards, other.awards_joint) == (2, 1, 0, 0)
    assert (one.staff.people, one.staff.taking_part) == (4, 2)
    assert (one.points, other.points) == (140_000, 40_000)
    assert same_rules([one, other])
    assert first.points("A", "B") == ["7", "7"]


def test_an_award_recorded_in_error_is_taken_back(affiliates):
    """After the void the award and its points are gone; known before, they remain an answer."""
    office, _ = affiliates
    joins(office, entry="E-1", people="AB", prize="gold")
    before = office.now
    office.void("2005-10-01", "award-E-1", known="2005-11-01")
    assert (compared(office).awards_joint, compared(office).points) == (0, 40_000)
    known = compared(office, known_at=before)
    assert (known.awards_joint, known.points) == (1, 140_000)
    assert compared(office, as_of=date(2005, 9, 30)).awards_joint == 0
    assert compared(office).entries_joint == 1


def test_a_joint_newsletter_is_an_activity_of_its_writers(affiliates):
    """What affiliates publish together is publicity in the ledger of whoever wrote it."""
    office, other = affiliates
    issue = PublicityPublished("joint-1", "공동 뉴스레터", "newsletter", shares({"A": 100}))
    office.record("2005-06-01", issue)
    done = {each.programme: each.activities for each in compared(office).programmes}
    assert done == {"publicity": 1}
    assert compared(other).programmes == ()


def test_points_mean_the_same_under_the_same_rules_only(affiliates):
    """Another text in force for a part of the year makes points incomparable, not the rest."""
    first, second = affiliates
    assert same_rules([compared(first), compared(second)])
    second.adopt(RULES.replace("points = 2", "points = 3"), "2005-07-01")
    assert not same_rules([compared(first), compared(second)])
    half = Period.parse("2005-H1")
    assert same_rules([comparable(each.ledger, half) for each in affiliates])
