"""Cases in which money and careers move, each told as a short story with its answer."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from mileage.ledger import Refused
from mileage.projections import available, eligible, explain_candidate, redeem
from personnel import Personnel, rules

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROMOTION = """
[[programme]]
id = "promotion"
period = "half"
unit = { ko = "점", en = "points" }
values = [ { from = 2005-01-01, threshold = 5, value = 0.5, clause = "제10조" } ]
"""
RATING = """
[[programme]]
id = "rating"
period = "year"
unit = {{ ko = "점", en = "points" }}
tie = {{ break_by = ["activities"], otherwise = "{otherwise}" }}
[[programme.values]]
from = 2005-01-01
threshold = 1
quota = {{ percent = 5, of = {of}, round = "{rounding}" }}
value = 0.5
clause = "제15조"
"""


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Personnel]:
    opened = Personnel(tmp_path)
    yield opened
    opened.close()


def spend(office: Personnel, day: str, person: str, points: int) -> None:
    """Somebody redeems points."""
    office.at(day)
    on, amount = date.fromisoformat(day), Decimal(points)
    redeem(office.ledger, office.model, person, amount, purpose="도서", on=on, by="o")


def test_award_withdrawn_after_its_bonus_went_to_hr(office):
    """The promotion list of 31 July stands; the one of 31 January carries the difference."""
    office.adopt(rules(PROMOTION), "2005-01-01")
    office.earns("2005-03-02", "A", "five")
    key = office.earns("2005-04-01", "B", "five")
    office.grants("2005-07-31", "promotion", cycle="2005-H1")
    assert [line[0] for line in office.told("2005-07-31")] == ["A", "A", "B", "B"]
    [listed] = (office.ledger.path.parent / "hr").glob("*.csv")
    before = listed.read_bytes()

    office.void("2005-09-01", key, reason="표절")
    assert office.told("2005-09-01") == []  # nobody has decided about the credit yet
    [b] = [c for c in office.candidates("promotion", "2005-06-30") if c.person == "B"]
    assert b.decision.in_effect
    assert b.differs
    office.revokes("2005-09-10", "promotion", "B", cycle="2005-H1")

    assert office.told("2006-01-31") == [
        ("B", "promotion", "granted", "-1"),
        ("B", "promotion", "value", "-0.5"),
    ]
    assert listed.read_bytes() == before


def test_plagiarism_after_the_points_were_spent(office):
    """The balance is below zero, nothing can be spent or granted; the co-author keeps theirs."""
    office.adopt(rules(PROMOTION), "2005-01-01")
    key = office.earns("2005-03-02", "A", "ten")
    office.earns("2005-03-02", "B", "ten")
    spend(office, "2005-03-02", "A", 6)
    spend(office, "2005-03-02", "B", 6)
    office.void("2005-05-02", key, reason="표절")

    office.model.catch_up()
    figures = office.model.figures()
    assert [available(figures, person).left for person in "AB"] == [-60_000, 40_000]
    with pytest.raises(Refused, match="more-than-available"):
        spend(office, "2005-05-03", "A", 1)
    with pytest.raises(Refused, match="A: below threshold"):
        office.grants("2005-07-31", "promotion", "A", cycle="2005-H1")
    assert len(office.grants("2005-07-31", "promotion", cycle="2005-H1")) == 1

    office.earns("2005-08-01", "A", "five")
    office.model.catch_up()
    assert available(office.model.figures(), "A").left == -10_000


@pytest.mark.parametrize(
    ("rounding", "otherwise", "quota", "chosen"),
    [
        ("down", "exclude", 11, 10),
        ("down", "include", 11, 12),
        ("up", "exclude", 12, 12),
        ("half", "exclude", 12, 12),
    ],
)
def test_five_percent_of_230_with_a_tie_at_11_and_12(office, rounding, otherwise, quota, chosen):
    """11.5 people: rounded as stated, and those tied at 11 and 12 are in together or out."""
    text = RATING.format(of='"serving"', rounding=rounding, otherwise=otherwise)
    office.adopt(rules(text), "2005-01-01")
    names = [f"P{n:03d}" for n in range(226)]  # with A to D there are 230
    for name in names:
        office.joins("2005-01-03", name)
    for grade, some in (("ten", names[:10]), ("five", names[10:12]), ("one", names[12:20])):
        for name in some:
            office.earns("2005-03-02", name, grade)

    assert len(office.proposed("rating", "2005-12-31")) == chosen
    selection = eligible(office.model.figures(), "rating", date(2005, 12, 31))
    assert selection.terms.quota == quota
    told = explain_candidate(selection, selection.of(names[11])).en
    assert told.startswith("in: " if chosen == 12 else "tied at place 11")


def test_five_percent_of_something_else(office):
    """The establishment can be a number of its own, whoever serves; or all those who qualify."""
    text = RATING.format(of=20, rounding="down", otherwise="exclude")
    office.adopt(rules(text), "2005-01-01")
    office.earns("2005-03-02", "A", "ten")
    office.earns("2005-03-02", "B", "five")
    assert office.proposed("rating", "2005-12-31") == {"A": "0.5"}

    text = RATING.format(of='"eligible"', rounding="down", otherwise="exclude")
    office.adopt(rules(text), "2005-06-01", since="2005-01-01", reason="정정")
    assert office.proposed("rating", "2005-12-31") == {}
