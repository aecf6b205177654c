"""The JSON Schema of import rows: what is accepted fits, what is plainly wrong does not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cli_cases import ok
from jsonschema import Draft202012Validator
from mileage.seeds import generator


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return json.loads(ok("kinds", "--json-schema").stdout)


@pytest.fixture(scope="module")
def validator(schema: dict[str, Any]) -> Draft202012Validator:
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def test_every_row_of_the_example_year_fits(validator):
    """What the ledger accepts of the example year fits, with empty cells of other kinds too."""
    by_kind: dict[str, list[dict[str, str]]] = {}
    for row in generator.rows("1/10"):
        by_kind.setdefault(row["kind"], []).append(row)
    columns = {name for rows in by_kind.values() for row in rows for name in row}
    assert len(by_kind) > 30
    for row in (row for rows in by_kind.values() for row in rows[:25]):
        assert list(validator.iter_errors(row)) == []
        assert list(validator.iter_errors(dict.fromkeys(columns, "") | row)) == []


def test_values_of_json_fit_too(validator):
    """Lists, numbers and objects stand for what cells write as texts."""
    proposal = {
        "kind": "proposal.submitted",
        "occurred_on": "2005-03-02",
        "proposal": "2005-1",
        "title": "서식 줄이기",
        "channel": "online",
        "authors": [{"person": "P1", "percent": 60}, {"person": "P2", "percent": "40"}],
    }
    offered = {
        "kind": "course.offered",
        "occurred_on": "2005-03-02",
        "course": "c1",
        "title": "혁신학교",
        "form": "innovation_school",
        "institute": "본청",
        "capacity": 30,
        "course_hours": 16,
    }
    for row in (proposal, proposal | {"authors": ["P1", "P2"]}, offered):
        assert list(validator.iter_errors(row)) == []


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "proposal.submited"},
        {"occurred_on": "2005-02-30"},
        {"occurred_on": None},
        {"channel": "telephone"},
        {"proposal": "has a space"},
        {"title": ""},
        {"authors": []},
        {"authors": 5},
        {"nonsense": "x"},
    ],
)
def test_what_is_plainly_wrong_does_not_fit(validator, change):
    """A wrong kind, date, word, code, an empty title, no people, a field that is not there."""
    row = {
        "kind": "proposal.submitted",
        "occurred_on": "2005-03-02",
        "proposal": "2005-1",
        "title": "서식 줄이기",
        "channel": "online",
        "authors": "P1",
    }
    assert validator.is_valid(row)
    assert not validator.is_valid(row | change)


def test_decisions_of_the_office_are_not_rows(schema):
    """What has a command of its own cannot be imported, and is not described."""
    assert not {"ledger.opened", "rulebook.adopted"} & set(schema["$defs"])
