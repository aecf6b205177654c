"""선택적 복지: welfare points by tier; mileage redeemed, given back, never more than there is."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from mileage.ledger import InvalidFact, KeyConflict, Refused, format_amount
from mileage.ledger.kinds.redemption import RedemptionMade, RedemptionReversed
from mileage.projections import Period, UnknownPerson, available, redeem, redemptions
from personnel import Personnel, rules

WELFARE = rules("""
[[programme]]
id = "welfare"
period = "year"
unit = { ko = "복지점수", en = "welfare points" }
[[programme.values]]
from = 2005-01-01
threshold = { gold = 15, silver = 5 }
value = { gold = 300, silver = 100 }
clause = "제13조"
""")


@pytest.fixture
def office(tmp_path):
    opened = Personnel(tmp_path)
    opened.adopt(WELFARE, "2005-01-01")
    opened.earns("2005-03-02", "A", "ten", "ten")
    opened.earns("2005-03-02", "B", "five")
    yield opened
    opened.close()


def spend(office, day, person, points, **more):
    office.at(day)
    return redeem(
        office.ledger,
        office.model,
        person,
        Decimal(points),
        purpose="도서",
        on=date.fromisoformat(day),
        by="officer",
        **more,
    )


def left(office, person):
    office.model.catch_up()
    found = available(office.model.figures(), person)
    return format_amount(found.earned), format_amount(found.redeemed), format_amount(found.left)


def test_welfare_points_differ_by_tier(office):
    """Each tier gets its welfare points, granted and sent to HR."""
    assert office.proposed("welfare", "2005-12-31") == {"A": "gold", "B": "silver"}
    office.grants("2006-01-02", "welfare")
    assert [line for line in office.told("2006-01-02") if line[2] == "value"] == [
        ("A", "welfare", "value", "300"),
        ("B", "welfare", "value", "100"),
    ]


def test_redeemed_and_given_back(office):
    """Points earned stay earned; what is left is less by what was redeemed, until given back."""
    spend(office, "2005-06-01", "A", "12.5", redemption="R-1")
    assert left(office, "A") == ("20", "12.5", "7.5")
    assert office.points("A") == ["20"]
    assert office.model.figures().ranking(limit=1)[0].points == 200_000

    office.record("2005-07-01", RedemptionReversed("R-1", "품절"))
    assert left(office, "A") == ("20", "0", "20")
    lines = redemptions(office.model.figures(), "A")
    assert [(line.points, line.note) for line in lines] == [(125_000, "도서"), (-125_000, "품절")]
    june = redemptions(office.model.figures(), "A", Period.parse("2005-06"))
    assert [line.points for line in june] == [125_000]


def test_no_more_than_there_is(office):
    """Nobody redeems more than is left, now and on the day of the redemption."""
    spend(office, "2005-06-01", "B", "3")
    with pytest.raises(Refused, match=r"B has 2 points available on 2005-06-02, not 2\.0001"):
        spend(office, "2005-06-02", "B", "2.0001")
    office.earns("2005-08-01", "B", "ten")
    with pytest.raises(Refused, match="more-than-available"):
        spend(office, "2005-07-01", "B", "5")  # it was not there yet on that day
    spend(office, "2005-08-01", "B", "12")
    assert left(office, "B") == ("15", "15", "0")
    with pytest.raises(InvalidFact, match="more than 0"):
        spend(office, "2005-08-01", "B", "0")
    with pytest.raises(UnknownPerson):
        spend(office, "2005-08-01", "Z", "1")


def test_sent_twice_counts_once(office):
    """The same redemption again is one, also when nothing is left; another under its id is none."""
    first = spend(office, "2005-06-01", "B", "5", redemption="R-1")
    again = spend(office, "2005-06-01", "B", "5", redemption="R-1")
    assert (again.position, again.new) == (first.position, False)
    with pytest.raises(KeyConflict):
        spend(office, "2005-06-01", "B", "4", redemption="R-1")
    assert left(office, "B")[1] == "5"


def test_points_found_wrong_after_they_were_spent(office):
    """After a void the balance can be below zero: shown, told to HR, and nothing can be spent."""
    key = office.earns("2005-03-02", "C", "ten")
    spend(office, "2005-06-01", "C", "8")
    office.void("2005-07-01", key, reason="표절")

    assert left(office, "C") == ("0", "8", "-8")
    with pytest.raises(Refused, match="C has -8 points available"):
        spend(office, "2005-08-01", "C", "1")
    view = "SELECT available FROM available WHERE person = 'C'"
    assert office.model.figures().query(view) == [("-8.0000",)]
    with office.model.figures_at(as_of=date(2005, 6, 1)) as figures:
        assert available(figures, "C").left == 20_000


def test_recorded_by_another_system(office):
    """A redemption that another system made is a fact: it is taken, and its void undoes it."""
    office.record("2005-06-01", RedemptionMade("X", "B", Decimal(9), "복지몰"), "mall-1")
    assert left(office, "B") == ("5", "9", "-4")
    office.void("2005-06-02", "mall-1")
    assert left(office, "B") == ("5", "0", "5")
    office.points("B")  # a rebuild says the same
