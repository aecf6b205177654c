"""혁신홍보: what is published earns by its medium, and is taken back."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from mileage.ledger import (
    PublicityPublished,
    PublicityWithdrawn,
    Refused,
    format_amount,
    shares,
)
from story import Office, rulebook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RULES = rulebook("""
[[rule]]
id = "publicity"
activity = "publicity.published"
split = "share"

[[rule.values]]
from = 2005-01-01
clause = "제8조"
points = { newsletter = 2, email = 1, case_book = 4, failure_account = 5, joint_newsletter = 3 }
""")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    opened = Office(tmp_path)
    opened.adopt(RULES, "2005-01-01")
    yield opened
    opened.close()


def publishes(office: Office, day: str, medium: str, **parts: int) -> None:
    """Somebody writes something that is published, with shares in percent."""
    data = PublicityPublished(medium, "무엇을 배웠나", medium, shares(parts))
    office.record(day, data, f"publish-{medium}")


def test_each_medium_earns_its_own_points(office):
    """A newsletter with the affiliates, an e-mail, a case book, an account of a failure."""
    for medium in ("newsletter", "email", "case_book", "failure_account"):
        publishes(office, "2005-05-02", medium, A=100)
    publishes(office, "2005-06-01", "joint_newsletter", A=50, B=50)

    assert office.points("A", "B") == ["13.5", "1.5"]
    *_, joint = office.ledger.facts()
    field = joint.fact.kind.fields["medium"]
    assert field.describe("joint_newsletter").ko == "공동 뉴스레터"


def test_what_is_withdrawn_counts_until_then(office):
    """From the day of the withdrawal on it counts no longer; voided, the withdrawal is undone."""
    publishes(office, "2005-05-02", "case_book", A=100)
    office.record("2005-06-01", PublicityWithdrawn("case_book", "사실과 다름"), "gone")
    assert office.points("A") == ["0"]
    with office.model.figures_at(as_of=date(2005, 5, 31)) as figures:
        assert format_amount(figures.balance("A").points) == "4"
    with pytest.raises(Refused, match="rested-upon"):
        office.void("2005-06-02", "publish-case_book")

    office.void("2005-06-02", "gone")
    assert office.points("A") == ["4"]
    office.void("2005-06-02", "publish-case_book")
    assert office.points("A") == ["0"]
