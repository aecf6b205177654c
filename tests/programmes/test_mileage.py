"""혁신마일리지 제도: no points are recorded; balances and statements follow from the facts."""

from __future__ import annotations

from datetime import date

import pytest
from mileage.ledger import format_amount
from story import Office, rulebook

ONE = '{ from = 2000-01-01, points = 1, clause = "제1조" }'
TWO = '{ from = 2000-01-01, points = 2, clause = "제1조" }'


def text(value):
    rules = ("proposal.submitted", "learning_club.session_held")
    return rulebook(
        *(
            f'[[rule]]\nid = "r{number}"\nactivity = "{activity}"\nvalues = [ {value} ]\n'
            for number, activity in enumerate(rules)
        )
    )


@pytest.fixture
def office(tmp_path):
    opened = Office(tmp_path)
    yield opened
    opened.close()


def statement(office, person):
    lines = office.model.figures().statement(person)
    return [(line.kind, format_amount(line.points), line.position) for line in lines]


def test_mileage_from_facts_to_points_and_back(office):
    """What people did adds up to their mileage, and what is voided no longer does."""
    office.adopt(text(ONE), "2000-01-10")
    office.proposes("2005-03-02", "forms", A=60, B=40)
    office.club("2005-03-03", "readers", "A", "B")
    office.meets("2005-03-10", "readers", "A", "B")
    assert office.points("A", "B", "C") == ["2", "2", "0"]
    first, registered, held = statement(office, "A")
    assert [first[0], registered[0], held[0]] == [
        "proposal.submitted",
        "learning_club.registered",
        "learning_club.session_held",
    ]
    assert registered[1] == "0"  # no rule rewards it: it is listed, never dropped
    assert office.model.figures().unrewarded() == [("learning_club.registered", 1)]

    office.void("2005-03-11", "session-readers-2005-03-10")
    assert office.points("A", "B") == ["1", "1"]
    assert statement(office, "A")[-1][1:] == ("0", held[2])
    office.void("2005-03-12", "fact.voided:session-readers-2005-03-10")
    assert office.points("A", "B") == ["2", "2"]


def test_mileage_follows_the_rules_not_the_other_way_round(office):
    """The same facts under another rulebook are other points; no fact has changed."""
    office.adopt(text(ONE), "2000-01-10")
    office.proposes("2005-03-02", "forms", "A")
    before = [(i.position, i.fact) for i in office.ledger.facts() if i.fact.data]
    assert office.points("A") == ["1"]
    office.adopt(text(TWO), "2005-04-01", since="2005-01-01", reason="별표 오기")
    assert office.points("A") == ["2"]
    assert [(i.position, i.fact) for i in office.ledger.facts()][: len(before)] == before
    with office.model.figures_at(as_of=date(2005, 3, 15)) as then:
        assert format_amount(then.balance("A").points) == "1"  # not yet adopted on that day


def test_no_fact_carries_points(office):
    """No kind of fact has a field in which somebody could put points."""
    named = {name for kind in office.ledger.kinds for name in kind.fields if "point" in name}
    assert named <= {"redeemed_points"}  # what a person spends is a fact, what is earned is not
