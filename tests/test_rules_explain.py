"""Why somebody is not in a programme: what is missing, and what was cut or earned nothing."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from cli_cases import RULEBOOK, answer, make_agency, ok
from mileage.projections import (
    Period,
    eligible,
    explain_loss,
    explain_without_caps,
    losses,
)
from story import Office

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """An office where A proposed three times in March (4 points a month count) and once in May."""
    opened = Office(tmp_path)
    opened.adopt(RULEBOOK.replace("threshold = 5", "threshold = 8"), "2005-01-01")
    for day in (2, 9, 16):
        opened.proposes(f"2005-03-{day:02}", f"march-{day}", "A")
    opened.proposes("2005-05-02", "may", "A")
    opened.model.catch_up()
    yield opened
    opened.close()


def told(office: Office, person: str) -> list[str]:
    office.model.catch_up()
    figures = office.model.figures()
    found = losses(figures.statement(person, Period.parse("2005")))
    candidate = eligible(figures, "training", date(2005, 12, 31)).of(person)
    enough = explain_without_caps(found, candidate)
    return [explain_loss(each).en for each in found] + ([enough.en] if enough else [])


def test_capped_by_month(office):
    """Activities that a cap cut are counted by month, with what they lost; others are not there."""
    assert told(office, "A") == [
        "2005-03: 2 × Proposal submitted: cap 'Monthly cap' 제3조 −3.5 points",
        "without the caps it would be 10 points, and enough",
    ]


def test_not_enough_even_without_caps(office):
    """Where the caps took less than is missing, they are not what keeps somebody out."""
    office.void("2005-05-03", "submit-may")

    assert told(office, "A") == [
        "2005-03: 2 × Proposal submitted: cap 'Monthly cap' 제3조 −3.5 points",
        "2005-05: 1 × Proposal submitted: voided −2.5 points",
    ]


def test_what_no_rule_rewards(office):
    """Activities without a rule are there too: they gave nothing."""
    office.club("2005-06-01", "books", "B")

    assert told(office, "B") == ["2005-06: 1 × Learning club registered: no rule rewards it"]


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("en", "2005-03: 1 × Proposal submitted: cap 'Monthly cap' 제3조 −2.5 points"),
        ("ko", "2005-03 제안 제출 1건: 한도 ‘월 한도’ 제3조 −2.5점"),
    ],
)
def test_in_the_tree_and_in_json(tmp_path, monkeypatch, lang, text):
    """The tree has them below the reason, JSON in both languages."""
    monkeypatch.setenv("MILEAGE_LEDGER", str(make_agency(tmp_path)))
    question = ("explain", "P1", "--programme", "training", "--as-of", "2005-12-31")

    document = answer(*question)

    assert text in ok(*question, "--lang", lang).stdout
    assert [loss["cause"] for loss in document["losses"]] == ["cap"]
    assert document["losses"][0]["cap"] == "month"
    assert document["losses"][0]["text"][lang] == text
