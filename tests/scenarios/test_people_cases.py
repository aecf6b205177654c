"""Awkward cases of people as HR tells of them: hired again, and a file that was cut short."""

from __future__ import annotations

import csv
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from mileage.ledger import Entry, ImportRefused, Refused
from mileage.ledger.inbound import import_people
from mileage.projections import changes, redeem
from personnel import Personnel, rules

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mileage.ledger.inbound import PeopleImport

HEAD = "employee_number,name,unit,rank,status,effective_on,previous_number"
BONUS = """
[[programme]]
id = "bonus"
period = "year"
values = [ { from = 2005-01-01, threshold = 10, clause = "제13조" } ]
"""


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Personnel]:
    opened = Personnel(tmp_path)
    opened.ledger.directory.put([Entry(who, f"이름{who}", f"100{who}") for who in "ABCD"])
    yield opened
    opened.close()


def hears(office: Personnel, day: str, *rows: str, full: bool = False) -> PeopleImport:
    """HR sends a file on a day."""
    office.at(day)
    path = office.ledger.path.with_name("people.csv")
    path.write_text("\n".join((HEAD, *rows, "")), "utf-8")
    return import_people(office.ledger, path, by="hr", full=full, leavers_max=Decimal(30))


def test_hired_again_under_a_new_number_in_the_same_period(office):
    """Somebody who leaves and is hired again is one person: paid once, and what is owed follows."""
    office.adopt(rules(BONUS), "2005-01-01")
    plagiarised = office.earns("2005-02-01", "A", "five")
    office.earns("2005-03-02", "A", "five")
    redeem(
        *(office.ledger, office.model, "A", Decimal(8)),
        purpose="도서",
        on=date(2005, 3, 2),
        by="o",
    )
    hears(office, "2005-04-30", "100A,이름A,,,left,2005-04-30,")
    done = hears(office, "2005-09-01", "2077,이름A,SEOUL,G6,serving,2005-09-01,100A")
    assert [(c.person, c.action) for c in done.changes] == [("A", "rehired"), ("A", "renumbered")]

    office.earns("2005-10-01", "A", "five")  # 15 in one year, before and after
    office.grants("2005-12-31", "bonus", cycle="2005")
    told = [line for line in office.told("2005-12-31") if line[1] == "bonus"]
    assert told == [("A", "bonus", "granted", "1")]
    [sent] = office.ledger.path.parent.glob("hr/*.csv")
    with sent.open(encoding="utf-8-sig", newline="") as rows:
        assert {row["employee_number"] for row in csv.DictReader(rows)} == {"2077"}
    assert office.grants("2005-12-31", "bonus", cycle="2005") == []

    office.void("2006-01-10", plagiarised, reason="표절")
    office.earns("2006-01-11", "A", "one")
    with pytest.raises(Refused, match="more-than-available"):  # 11 earned, 8 spent
        redeem(
            *(office.ledger, office.model, "A", Decimal(4)),
            purpose="도서",
            on=date(2006, 1, 11),
            by="o",
        )
    people = {change.key.person for change in changes(office.model)}
    assert people == {"A"}


def test_file_that_was_cut_short(office):
    """A file without its end makes nobody a leaver: absence says nothing, and a full one fails."""
    rows = [f"100{who},이름{who},HQ,G6,serving,2005-03-02," for who in "ABCD"]
    for member in "ABCD":
        office.earns("2005-03-01", member, "one")
    done = hears(office, "2005-03-02", *rows[:2])
    assert (done.changes, done.absent) == ((), 2)
    with pytest.raises(ImportRefused, match=r"makes 2 of 4 people leavers \(50 %\)"):
        hears(office, "2005-03-02", *rows[:2], full=True)
    assert office.ledger.state("member:D").serves_on(date(2005, 3, 2))
    done = hears(office, "2005-03-02", *rows[:3], full=True)
    assert [(c.person, c.action) for c in done.changes] == [("D", "left")]
