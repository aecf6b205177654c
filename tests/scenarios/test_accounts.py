"""Several accounts: what must not be added up is kept apart, each told as a short story."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

import pytest
from cli_cases import answer, ok, run
from mileage.ledger import format_amount
from mileage.projections import UnknownAccount, adopt_simulated, eligible, simulate
from mileage.projections.outbox import Outbox
from story import Office, rulebook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACCOUNTS = """
[[account]]
id = "leave"
title = { ko = "포상휴가", en = "Leave as a reward" }
unit = { ko = "일", en = "days" }

[[account]]
id = "hr"
title = { ko = "인사가점", en = "HR bonus" }
"""
RULES = """
[[rule]]
id = "adopted"
activity = "proposal.adopted"
split = "share"
values = [ { from = 2005-01-01, points = 10, clause = "제2조" } ]

[[rule]]
id = "adopted-leave"
activity = "proposal.adopted"
account = "leave"
values = [ { from = 2005-01-01, points = { gold = 1, silver = 0.5 }, clause = "제3조" } ]

[[rule]]
id = "session-hr"
activity = "learning_club.session_held"
account = "hr"
values = [ { from = 2005-01-01, points = 0.2, clause = "제4조" } ]

[[cap]]
id = "leave-year"
rules = ["adopted-leave"]
period = "year"
values = [ { from = 2005-01-01, points = 1.5, clause = "제5조" } ]

[[programme]]
id = "rest"
title = { ko = "휴가 보상", en = "Rest" }
account = "leave"
period = "year"
values = [ { from = 2005-01-01, threshold = 1.5, clause = "제6조" } ]
"""
TEXT = rulebook(ACCOUNTS + RULES)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    opened = Office(tmp_path)
    yield opened
    opened.close()


def a_year(office: Office) -> None:
    """A has two gold proposals, one of them with B, and meets a club; C only meets."""
    office.adopt(TEXT, "2005-01-01")
    office.proposes("2005-02-01", "one", "A")
    office.adopted("2005-02-02", "one", "gold")
    office.proposes("2005-03-01", "two", A=60, B=40)
    office.adopted("2005-03-02", "two", "gold")
    office.club("2005-04-01", "club", "A", "C")
    office.meets("2005-04-02", "club", "A", "C")


def test_each_account_has_its_own_sum_and_cap(office):
    """One adoption gives points and leave; the cap on leave takes no points."""
    a_year(office)

    assert office.points("A", "B", "C") == ["16", "4", "0"]
    assert office.points("A", "B", "C", account="leave") == ["1.5", "1", "0"]  # 2 days, 1.5 at most
    assert office.points("A", "B", "C", account="hr") == ["0.2", "0", "0.2"]
    figures = office.model.figures()
    cuts = [
        (line.account, cut.reference, format_amount(cut.points))
        for line in figures.statement("A", account=None)
        for cut in line.cuts
    ]
    assert cuts == [("leave", "leave-year", "0.5")]
    assert [r.person for r in figures.ranking(account="leave")] == ["A", "B"]
    assert [each.account for each in figures.accounts()] == ["mileage", "hr", "leave"]


def test_a_programme_counts_one_account(office):
    """Who has 16 points but a threshold of leave is measured by the leave."""
    a_year(office)
    office.model.catch_up()

    chosen = eligible(office.model.figures(), "rest", date(2005, 12, 31))

    assert [(c.person, format_amount(c.points)) for c in chosen.selected] == [("A", "1.5")]
    assert format_amount(chosen.of("B").points) == "1"


def test_a_void_takes_from_every_account(office):
    """A proposal adopted by mistake leaves nothing anywhere, and the cap has room again."""
    a_year(office)
    office.void("2005-05-01", "adopt-one")

    assert office.points("A") == ["6"]
    assert office.points("A", account="leave") == ["1"]


def test_what_earns_in_no_account_is_unrewarded(office):
    """A session that earns in another account is rewarded; a registration is not."""
    a_year(office)
    office.model.catch_up()

    kinds = dict(office.model.figures().unrewarded())

    assert kinds == {"proposal.submitted": 3, "learning_club.registered": 1}


def test_simulated_account_by_account(office):
    """A dearer day of leave shows in its account, and as no change of points."""
    a_year(office)
    office.model.catch_up()
    dearer = TEXT.replace("points = 1.5, ", "points = 2, ")

    found = simulate(office.model, dearer, effective_from=date(2005, 1, 1))

    assert [(c.code, format_amount(c.change)) for c in found.accounts] == [
        ("mileage", "0"),
        ("hr", "0"),
        ("leave", "0.5"),
    ]
    assert [(d.person, d.account, format_amount(d.change)) for d in found.people] == [
        ("A", "leave", "0.5")
    ]
    assert [r.rule for r in found.people[0].reasons] == ["adopted-leave"]
    adopt_simulated(
        *(office.model, dearer),
        digest=found.digest,
        on=office.ledger.today(),
        by="office",
        effective_from=date(2005, 1, 1),
        reason="소급",
    )
    differences = office.model.rebuild().differences
    assert [(d.person, d.account, d.after) for d in differences] == [("A", "leave", 20_000)]
    assert office.model.build(office.model.builds()[-1].number).changes() == differences


def test_an_account_that_ends_with_its_rulebook(office):
    """A new rulebook without the account changes nothing before its day."""
    a_year(office)
    only_points = rulebook(RULES[: RULES.index('[[rule]]\nid = "adopted-leave"')])
    office.adopt(only_points, "2006-01-01")
    office.proposes("2006-02-01", "three", "B")
    office.adopted("2006-02-02", "three", "gold")

    assert office.points("B") == ["14"]
    assert office.points("B", account="leave") == ["1"]


def test_hr_is_told_of_every_account(office, tmp_path):
    """What is in an account goes out under its name, and a correction takes it back."""
    a_year(office)
    office.model.catch_up()
    outbox = Outbox(office.ledger)

    def told(day: str) -> list[tuple[str, str, str]]:
        figures = office.model.figures()
        batch = outbox.cut(figures, tmp_path / "hr", as_of=date.fromisoformat(day))
        return [
            (n.key.programme, format_amount(n.delta), n.reason)
            for n in batch.lines
            if n.key.person == "A"
        ]

    told_first = sorted(told("2005-04-02"))
    manifest = outbox.batches()[0].manifest
    assert manifest["accounts"]["leave"] == {"ko": "일", "en": "days"}
    assert told_first == [
        ("hr", "0.2", "facts"),
        ("leave", "1.5", "facts"),
        ("mileage", "16", "facts"),
    ]
    office.void("2005-05-01", "adopt-one")
    office.model.catch_up()
    assert sorted(told("2005-05-01")) == [
        ("leave", "-0.5", "correction"),
        ("mileage", "-10", "correction"),
    ]


def test_unknown_account(office):
    """An account nobody declared is refused by name."""
    a_year(office)

    with pytest.raises(UnknownAccount, match=r"money.*mileage, hr, leave"):
        office.model.figures().balance("A", account="money")


def test_commands(office, monkeypatch):
    """Statements, balances, rankings and explanations say which account they are about."""
    a_year(office)
    office.model.catch_up()
    office.close()
    monkeypatch.setenv("MILEAGE_LEDGER", str(office.ledger.path))
    monkeypatch.setenv("MILEAGE_LANG", "en")

    assert answer("balance", "A", "--account", "leave")["balances"][0]["points"] == "1.5"
    ranked = answer("ranking", "--account", "leave")
    assert [(r["person"], r["points"]) for r in ranked["ranking"]] == [("A", "1.5"), ("B", "1")]
    told = answer("statement", "A", "--account", "leave")
    assert [(each["account"], each["points"]) for each in told["lines"]] == [
        ("leave", "1"),
        ("leave", "0.5"),
    ]
    assert (
        "1.5 days"
        in ok("statement", "A", "--account", "leave").stderr
        + ok("statement", "A", "--account", "leave").stdout
    )
    explained = answer("explain", "A")
    assert explained["accounts"] == {"mileage": "16", "hr": "0.2", "leave": "1.5"}
    told = ok("explain", "A").stdout
    assert "Leave as a reward 0.5 days" in told
    assert "1 of 1.5 days a year used → −0.5 days" in told
    wrong = run("balance", "A", "--account", "money")
    assert wrong.exit_code == 2
    assert "mileage, hr, leave" in wrong.stderr
    assert json.loads(ok("explain", "A", "--programme", "rest", "--json").stdout)["account"] == (
        "leave"
    )
