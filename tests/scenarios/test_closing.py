"""Closed periods: what was published stays, what changes later is posted later; told as stories."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from cli_cases import answer, ok, run
from mileage.ledger import Refused, format_amount
from mileage.projections import Period, closed_periods, eligible, explain_posting
from story import Office, rulebook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RULES = """
[[rule]]
id = "submitted"
activity = "proposal.submitted"
values = [ { from = 2005-01-01, points = 1, clause = "제1조" } ]

[[rule]]
id = "adopted"
activity = "proposal.adopted"
split = "share"
values = [ { from = 2005-01-01, points = { gold = 10, silver = 6 }, clause = "제2조" } ]

[[cap]]
id = "year"
rules = ["submitted", "adopted"]
period = "year"
values = [ { from = 2005-01-01, points = 12, clause = "제3조" } ]

[[programme]]
id = "award"
title = { ko = "포상", en = "Award" }
period = "year"
values = [ { from = 2005-01-01, threshold = 6, clause = "제4조" } ]
"""
TEXT = rulebook(RULES)
CLOSED_YEAR, OPEN_YEAR = Period.parse("2005"), Period.parse("2006")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """A and B each have a proposal in 2005, A's adopted; 2005 is closed on 10 January 2006."""
    opened = Office(tmp_path)
    opened.adopt(TEXT, "2005-01-01")
    opened.proposes("2005-10-03", "one", "A")
    opened.adopted("2005-11-02", "one", "gold")
    opened.proposes("2005-12-01", "two", "B")
    close(opened, "2005", "2006-01-10")
    yield opened
    opened.close()


def close(office: Office, period: str, day: str) -> None:
    office.at(day)
    office.ledger.close_period(period, on=date.fromisoformat(day), by="office")


def reopen(office: Office, period: str, day: str, approved_by: str = "director") -> None:
    office.at(day)
    on = date.fromisoformat(day)
    office.ledger.reopen_period(
        period, on=on, by="office", approved_by=approved_by, reason="이의 신청"
    )


def years(office: Office, person: str) -> list[str]:
    """Points of a person in 2005 and in 2006; the sum is checked against the auditor's."""
    office.points(person)
    figures = office.model.figures()
    spans = (CLOSED_YEAR, OPEN_YEAR)
    return [format_amount(figures.balance(person, span).points) for span in spans]


def posted(office: Office, person: str) -> list[tuple[str, str, str, str]]:
    """What is posted on 1 January 2006: origin, before, after, cause."""
    return [
        (
            line.adjusts.origin_on.isoformat(),
            format_amount(line.adjusts.before),
            format_amount(line.adjusts.after),
            line.adjusts.cause,
        )
        for line in office.model.figures().statement(person)
        if line.adjusts
    ]


def test_nothing_happens_by_closing(office):
    """Closing changes no figure, and what is recorded in the open year is as ever."""
    assert years(office, "A") == ["11", "0"]
    office.proposes("2006-02-01", "three", "A")
    assert years(office, "A") == ["11", "1"]
    assert posted(office, "A") == []
    [year] = closed_periods(office.ledger, office.model.figures())
    assert (year.closing.period, format_amount(year.points), year.differences) == ("2005", "12", 0)


def test_a_late_grade(office):
    """An adoption of December that becomes known in February is posted on 1 January."""
    office.adopted("2005-12-20", "two", "silver", known="2006-02-03")

    assert years(office, "B") == ["1", "6"]
    assert posted(office, "B") == [("2005-12-20", "0", "6", "late")]
    line = office.model.figures().statement("B")[-1]
    told = [step.en for step in explain_posting(office.ledger, line).steps]
    assert "of 2005-12-20, known after its period was closed" in told[0]
    figures = office.model.figures()
    [found] = closed_periods(office.ledger, figures)
    assert (found.differences, format_amount(found.posted_since)) == (1, "6")
    # Who was short of 6 in the closed year still is; the new one counts it.
    for day, outcome in ((date(2005, 12, 31), "below_threshold"), (date(2006, 2, 3), "selected")):
        with office.model.figures_at(as_of=day) as then:
            assert eligible(then, "award", day).of("B").outcome == outcome


def test_a_void_after_the_closing(office):
    """A's adoption proves wrong in March: 2005 stays, 2006 has the difference, and says why."""
    office.void("2006-03-01", "adopt-one")

    assert years(office, "A") == ["11", "-10"]
    assert posted(office, "A") == [("2005-11-02", "10", "0", "voided")]
    figures = office.model.figures()
    line = figures.statement("A")[-1]
    told = [step.en for step in explain_posting(office.ledger, line).steps]
    assert told == [
        "of 2005-11-02, in a closed period: 10 posted, 0 now",
        f"voided by fact #{office.ledger.position}",
        "the difference of -10 points is posted on 2006-01-01",
    ]
    # It is no activity: A did two things in 2005 and none in 2006.
    assert figures.balance("A", CLOSED_YEAR).activities == 2
    assert figures.balance("A", OPEN_YEAR).activities == 0


def test_a_rule_that_reaches_back(office):
    """Gold is worth 11 from 1 January 2005: what that adds, up to the cap, stands in 2006."""
    dearer = TEXT.replace("gold = 10", "gold = 12")
    office.adopt(dearer, "2006-04-01", since="2005-01-01", reason="개정")

    assert years(office, "A") == ["11", "1"]  # 1 + 12 is 13, and 12 are let through
    assert posted(office, "A") == [("2005-11-02", "10", "11", "rules")]
    office.model.catch_up()
    lines = office.model.figures().statement("A")
    assert [(format_amount(line.rate), line.rule) for line in lines[:2]] == [
        ("1", "submitted"),
        ("10", "adopted"),
    ]


def test_a_cap_that_has_room_again(office):
    """What a void makes room for under a cap of the closed year is a difference too."""
    reopen(office, "2005", "2006-01-11")
    office.proposes("2005-12-24", "more", "A")
    office.proposes("2005-12-28", "most", "A")  # the thirteenth point
    close(office, "2005", "2006-01-20")
    assert years(office, "A") == ["12", "0"]

    office.void("2006-02-01", "submit-more")

    assert years(office, "A") == ["12", "0"]  # one falls away, another one counts at last
    assert sorted(posted(office, "A")) == [
        ("2005-12-24", "1", "0", "voided"),
        ("2005-12-28", "0", "1", "recalculated"),
    ]


def test_a_difference_is_closed_in_its_turn(office):
    """What was posted in 2006 stays there when 2006 is closed, and changes again in 2007."""
    office.void("2006-03-01", "adopt-one")
    close(office, "2006", "2007-01-08")
    key = office.ledger.at(office.ledger.position - 1).fact.key
    office.void("2007-02-01", key, reason="취소가 잘못됨")

    assert years(office, "A") == ["11", "-10"]
    figures = office.model.figures()
    assert format_amount(figures.balance("A", Period.parse("2007")).points) == "10"
    assert format_amount(figures.balance("A").points) == "11"


def test_reopened(office):
    """A period that is reopened follows the facts; two people decide, and only the last opens."""
    office.void("2006-03-01", "adopt-one")
    assert years(office, "A") == ["11", "-10"]
    with pytest.raises(Refused, match="two people"):
        reopen(office, "2005", "2006-03-02", approved_by="office")
    reopen(office, "2005", "2006-03-02")
    assert years(office, "A") == ["1", "0"]
    close(office, "2005", "2006-03-03")
    assert years(office, "A") == ["1", "0"]
    office.adopted("2005-12-20", "two", "gold", known="2006-03-04")
    assert years(office, "B") == ["1", "10"]


def test_what_was_known_then(office):
    """What the closed year was, as known on a day before it was touched, is answered as before."""
    office.void("2006-03-01", "adopt-one")
    known = office.ledger.at(office.ledger.position - 1).fact.recorded_at
    with office.model.figures_at(known_at=known) as figures:
        assert format_amount(figures.balance("A").points) == "11"
        assert not [line for line in figures.statement("A") if line.adjusts]


def test_a_closing_cannot_be_voided(office):
    """Voiding the closing would open the period for one person alone."""
    key = office.ledger.at(office.ledger.position).fact.key
    with pytest.raises(Refused, match="cannot be voided"):
        office.ledger.void(key, reason="?", on=date(2006, 1, 11), by="office")


def test_commands(office, monkeypatch):
    """Closed, asked and reopened from the command line, rightly and wrongly."""
    office.void("2006-03-01", "adopt-one")
    office.model.catch_up()
    office.close()
    monkeypatch.setenv("MILEAGE_LEDGER", str(office.ledger.path))
    monkeypatch.setenv("MILEAGE_LANG", "en")
    monkeypatch.setenv("MILEAGE_BY", "officer-7")

    [period] = answer("periods")["periods"]
    assert period["period"] == "2005"
    assert (period["points"], period["differences"], period["posted_since"]) == ("12", 1, "-10")
    assert "2005-11-02" in ok("statement", "A").stdout
    adjusts = answer("statement", "A")["lines"][-1]["adjusts"]
    assert (adjusts["origin_on"], adjusts["cause"]) == ("2005-11-02", "voided")
    assert "-10 points is posted on 2006-01-01" in ok("explain", "A", "--period", "2006").stdout
    assert answer("close", "2006-Q1", "--on", "2006-04-01")["fact"]["kind"] == "period.closed"
    for wrong, code, words in (
        (("close", "2006-Q1"), 1, "is closed"),
        (("close", "2006-Q3"), 1, "first day that is open"),
        (("close", "2099"), 1, "2006-04-01 is the first day that is open"),
        (("close", "summer"), 2, "is no period"),
        (("close", "all"), 2, "no period that can be closed"),
        (("reopen", "2005", "--approved-by", "d", "--reason", "r"), 1, "reopen 2006-Q1 first"),
        (("reopen", "2006-Q1", "--approved-by", "officer-7", "--reason", "r"), 1, "two people"),
    ):
        refused = run(*wrong)
        assert (refused.exit_code, words in refused.stderr) == (code, True), refused.stderr
    assert ok("reopen", "2006-Q1", "--approved-by", "director", "--reason", "late").exit_code == 0
    assert [each["period"] for each in answer("periods")["periods"]] == ["2005"]
