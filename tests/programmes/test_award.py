"""우수제안자 포상: granted with a certificate, points and prize by shares, withdrawn, voided."""

from __future__ import annotations

from datetime import date

import pytest
from mileage.ledger import Refused, shares
from mileage.ledger.kinds.award import AwardGranted, AwardWithdrawn
from mileage.projections import Outbox, Period, awards
from personnel import Personnel, rules


@pytest.fixture
def office(tmp_path):
    opened = Personnel(tmp_path)
    opened.adopt(rules(), "2005-01-01")
    yield opened
    opened.close()


def honours(office, day, name="H-1", prize=1_000_001, **parts):
    """An award of ten points with a prize."""
    people = shares(parts or {"A": 60, "B": 40})
    data = AwardGranted(name, "우수제안자 포상", people, "창구 개선", f"{name}호", "ten", prize)
    return office.record(day, data, f"honour-{name}")


def certificates(office, period=None):
    office.model.catch_up()
    return [
        (line.certificate, line.person, line.prize, str(line.withdrawn_on or ""))
        for line in awards(office.model.figures(), period and Period.parse(period))
    ]


def hr(office, day):
    office.at(day)
    office.model.catch_up()
    batch = Outbox(office.ledger).cut(
        office.model.figures(), office.ledger.path.parent, as_of=date.fromisoformat(day)
    )
    return [
        (line.key.person, line.key.code, line.delta // 10_000, line.reason)
        for line in batch.lines
        if line.key.programme == "award"
    ]


def test_award_from_grant_to_certificate_points_and_hr(office):
    """Each recipient has a share of points and prize to the won, a certificate, a line for HR."""
    honours(office, "2005-06-01")

    assert office.points("A", "B") == ["6", "4"]
    assert certificates(office) == [
        ("H-1호", "A", 600_001, ""),
        ("H-1호", "B", 400_000, ""),
    ]
    assert hr(office, "2005-06-02") == [
        ("A", "award.H-1", 1, "facts"),
        ("A", "prize.H-1", 600_001, "facts"),
        ("B", "award.H-1", 1, "facts"),
        ("B", "prize.H-1", 400_000, "facts"),
    ]
    assert certificates(office, "2005-06")
    assert certificates(office, "2005-07") == []


def test_award_withdrawn(office):
    """A withdrawn award gives no points and stays on the list with its date; HR gets it back."""
    honours(office, "2005-06-01", prize=None)
    hr(office, "2005-06-02")
    office.record("2005-07-01", AwardWithdrawn("H-1", "표절"))

    assert office.points("A", "B") == ["0", "0"]
    assert certificates(office) == [
        ("H-1호", "A", None, "2005-07-01"),
        ("H-1호", "B", None, "2005-07-01"),
    ]
    assert hr(office, "2005-07-02") == [
        ("A", "award.H-1", -1, "correction"),
        ("B", "award.H-1", -1, "correction"),
    ]


def test_award_granted_again_to_others(office):
    """After a withdrawal the award can go to others; the list has both."""
    honours(office, "2005-06-01", prize=None)
    office.record("2005-07-01", AwardWithdrawn("H-1", "표절"), "back")
    data = AwardGranted("H-1", "포상", shares({"C": 100}), "공적", "H-1b", "five")
    office.record("2005-08-01", data, "again")

    assert office.points("A", "C") == ["0", "5"]
    assert [line[1:] for line in certificates(office)] == [
        ("A", None, "2005-07-01"),
        ("B", None, "2005-07-01"),
        ("C", None, ""),
    ]


def test_award_recorded_in_error(office):
    """A void takes the award off the list; the withdrawal that rests on it must be voided first."""
    honours(office, "2005-06-01")
    office.record("2005-07-01", AwardWithdrawn("H-1", "표절"), "back")
    with pytest.raises(Refused, match="rested-upon"):
        office.void("2005-07-02", "honour-H-1")
    office.void("2005-07-02", "back")
    office.void("2005-07-02", "honour-H-1")

    assert certificates(office) == []
    assert office.points("A") == ["0"]


def test_award_for_a_proposal(office):
    """An award can name the proposal it is for, which must exist."""
    data = AwardGranted("H-2", "포상", shares({"A": 100}), "공적", "2", "one", None, "idea")
    with pytest.raises(Refused, match=r"thing.unknown"):
        office.record("2005-06-01", data)
    office.proposes("2005-02-01", "idea", "A")
    office.record("2005-06-01", data)
    office.model.catch_up()
    assert [line.proposal for line in awards(office.model.figures())] == ["idea"]
