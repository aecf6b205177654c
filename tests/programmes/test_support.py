"""학습동아리 지원: a club's money from the grant to what is returned, and its corrections."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from mileage.ledger import (
    LearningClubRegistered,
    Ledger,
    MemberJoined,
    SupportGranted,
    SupportReturned,
    SupportSettled,
    SupportSpent,
    UnitEstablished,
)
from mileage.projections import budgets

START = datetime(2005, 12, 1, 3, 0, tzinfo=UTC)


@pytest.fixture
def office(tmp_path):
    """A ledger with a club, whose clock is an hour later with every fact."""
    ticks = iter(START + timedelta(hours=hour) for hour in range(1_000))
    with Ledger.create(
        tmp_path / "a.sqlite",
        organisation="청",
        opened_on=date(2005, 1, 1),
        clock=lambda: next(ticks),
    ) as ledger:
        for data in (
            UnitEstablished("HQ", "본청", "HQ"),
            MemberJoined("P1", "HQ", "G5"),
            LearningClubRegistered("readers", "독서", "P1"),
        ):
            ledger.record(data, on=date(2005, 1, 3), by="o")
        yield ledger


def lines(ledger, **question):
    return [(b.item, b.granted, b.spent, b.left) for b in budgets(ledger, **question)]


def test_a_club_from_grant_to_return(office):
    """What was granted is spent by item, settled, and the rest returned: nothing is left."""
    facts = (
        (SupportGranted("readers", "expert", 300_000), date(2005, 3, 2), "grant"),
        (SupportGranted("readers", "printing", 100_000), date(2005, 3, 2), None),
        (SupportSpent("readers", "expert", 250_000, "r1"), date(2005, 5, 2), "spent"),
        (SupportSettled("readers", "office"), date(2005, 11, 1), None),
        (SupportReturned("readers", 150_000), date(2005, 11, 2), None),
    )
    for data, day, key in facts:
        office.record(data, on=day, by="o", key=key)

    assert lines(office) == [
        ("expert", 300_000, 250_000, 50_000),
        ("printing", 100_000, 0, 100_000),
        ("returned", 0, 150_000, -150_000),
    ]
    assert sum(budget.left for budget in budgets(office)) == 0
    assert lines(office, as_of=date(2005, 4, 1)) == [
        ("expert", 300_000, 0, 300_000),
        ("printing", 100_000, 0, 100_000),
    ]
    assert not budgets(office, "others")


def test_another_year(office):
    """A settled budget that is empty gets a grant again, and is open as long as that one is."""
    facts = (
        (SupportGranted("readers", "expert", 300_000), date(2005, 3, 2)),
        (SupportSpent("readers", "expert", 250_000, "r1"), date(2005, 5, 2)),
        (SupportSettled("readers", "office"), date(2005, 6, 1)),
        (SupportReturned("readers", 50_000), date(2005, 6, 2)),
        (SupportGranted("readers", "expert", 100_000), date(2005, 7, 1)),
        (SupportSpent("readers", "expert", 100_000, "r2"), date(2005, 7, 2)),
    )
    for data, day in facts:
        office.record(data, on=day, by="o")

    assert lines(office) == [("expert", 400_000, 350_000, 50_000), ("returned", 0, 50_000, -50_000)]
    assert not any(budget.settled for budget in budgets(office))
    assert all(budget.settled for budget in budgets(office, as_of=date(2005, 6, 30)))

    office.record(SupportSettled("readers", "office"), on=date(2005, 11, 1), by="o")
    assert all(budget.settled for budget in budgets(office))


def test_spending_recorded_in_error(office):
    """A void takes the spending back; what was known before remains an answer."""
    grant = SupportGranted("readers", "activity", 200_000)
    office.record(grant, on=date(2005, 3, 2), by="o")
    spent = SupportSpent("readers", "activity", 200_000, "r1")
    recorded = office.record(spent, on=date(2005, 4, 1), by="o", key="wrong")
    office.void("wrong", reason="다른 동아리의 영수증", on=date(2005, 4, 1), by="o")

    assert lines(office) == [("activity", 200_000, 0, 200_000)]
    known = recorded.fact.recorded_at
    assert lines(office, known_at=known) == [("activity", 200_000, 200_000, 0)]
    again = SupportSpent("readers", "activity", 200_000, "r2")
    assert office.record(again, on=date(2005, 4, 2), by="o").new
