"""성과급 연계: grades by rank for a percentage of those who qualify, with rounding and ties."""

from __future__ import annotations

import pytest
from personnel import Personnel, rules

BONUS = """
[[programme]]
id = "bonus"
period = "year"
unit = {{ ko = "%", en = "%" }}
ranks = ["G6"]
values = [
  {{ from = 2005-01-01, threshold = 0, {terms}, clause = "제11조" }},
]
tie = {{ break_by = [], otherwise = "{otherwise}" }}
"""
PERCENT = (
    'percent = { S = 25, A = 50, B = 25 }, round = "half", value = { S = 180, A = 125, B = 0 }'
)


@pytest.fixture
def office(tmp_path):
    opened = Personnel(tmp_path)
    opened.earns("2005-03-02", "A", "ten", "ten")
    opened.earns("2005-03-02", "B", "ten")
    opened.earns("2005-03-02", "C", "five")
    yield opened
    opened.close()


def adopt(office, terms=PERCENT, otherwise="include"):
    office.adopt(rules(BONUS.format(terms=terms, otherwise=otherwise)), "2005-01-01")


def test_bonus_grades_from_proposal_to_hr(office):
    """Everybody of the rank is graded, also who did nothing; a grade worth nothing goes out too."""
    adopt(office)
    office.joins("2005-06-01", "E", "G4")
    assert office.proposed("bonus", "2005-12-31") == {"A": "S", "B": "A", "C": "A", "D": "B"}
    assert office.outcomes("bonus", "2005-12-31")["E"] == "other_rank"

    office.grants("2006-01-10", "bonus")
    assert office.told("2006-01-10") == [
        ("A", "bonus", "grade.S", "1"),
        ("A", "bonus", "value", "180"),
        ("B", "bonus", "grade.A", "1"),
        ("B", "bonus", "value", "125"),
        ("C", "bonus", "grade.A", "1"),
        ("C", "bonus", "value", "125"),
        ("D", "bonus", "grade.B", "1"),
    ]


@pytest.mark.parametrize(
    ("otherwise", "grades"),
    [
        ("include", {"A": "S", "B": "S", "C": "A", "D": "B"}),
        ("exclude", {"A": "A", "B": "A", "C": "A", "D": "B"}),
    ],
)
def test_tied_where_a_grade_ends(office, otherwise, grades):
    """Those tied between two grades all get the better or all the lower, as the rulebook says."""
    adopt(office, otherwise=otherwise)
    office.earns("2005-04-01", "B", "ten")

    assert office.proposed("bonus", "2005-12-31") == grades


@pytest.mark.parametrize(
    ("rounding", "grades"),
    [
        ("down", {"A": "A", "B": "B", "C": "B"}),
        ("up", {"A": "S", "B": "A", "C": "B"}),
        ("half", {"A": "A", "B": "A", "C": "B"}),
    ],
)
def test_percentages_are_rounded_as_stated(office, rounding, grades):
    """Of 4 people 10 % are 0.4 and 40 % are 1.6; the rest of a sum of 90 % get nothing beyond."""
    terms = f'percent = {{ S = 10, A = 30, B = 50 }}, round = "{rounding}"'
    adopt(office, terms)

    found = office.proposed("bonus", "2005-12-31")
    assert {person: found[person] for person in "ABC"} == grades


def test_prizes_by_place(office):
    """Prizes for so many places; who comes after gets none."""
    prizes = "value = { first = 500_000, second = 300_000 }"
    adopt(office, f"places = {{ first = 1, second = 2 }}, {prizes}")

    assert office.proposed("bonus", "2005-12-31") == {"A": "first", "B": "second", "C": "second"}
    assert office.outcomes("bonus", "2005-12-31")["D"] == "beyond_quota"
    office.grants("2006-01-10", "bonus")
    assert ("A", "bonus", "value", "500000") in office.told("2006-01-10")


def test_bonus_of_somebody_who_left(office):
    """A grade corrected after the person left goes out too, as exactly the difference."""
    adopt(office)
    office.grants("2006-01-10", "bonus")
    office.told("2006-01-10")
    office.leaves("2006-02-01", "A")
    office.void("2006-03-02", "W1", reason="표절")
    assert office.proposed("bonus", "2005-12-31")["A"] == "S"  # tied with B, and tie includes

    office.revokes("2006-03-02", "bonus", "A")
    office.grants("2006-03-03", "bonus", "A", grade="A", reason="표절에 따른 감액")

    assert office.told("2006-03-03") == [
        ("A", "bonus", "grade.A", "1"),
        ("A", "bonus", "grade.S", "-1"),
        ("A", "bonus", "value", "-55"),
    ]
