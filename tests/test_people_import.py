"""People from HR: what a file says and the ledger does not becomes facts, whole or not at all."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from mileage.ledger import (
    Entry,
    ImportRefused,
    InvalidFact,
    LedgerFileError,
    MemberJoined,
    MemberTransferred,
)
from mileage.ledger.inbound import PeopleImport, import_people, members

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mileage.ledger import Ledger

    Take = Callable[..., PeopleImport]

HEAD = "employee_number,name,unit,rank,status,effective_on,previous_number,person"
DAY = date(2005, 12, 20)
PEOPLE = (
    *("001,김하나,HQ,G5,serving,2005-12-01,,", "002,이둘,HQ,G5,serving,2005-12-01,,"),
    "003,박셋,HQ,G5,serving,2005-12-01,,",
)


@pytest.fixture
def take(ledger: Ledger, tmp_path: Path) -> Take:
    """Take in rows, in a ledger whose directory knows P1 to P3 by the numbers 001 to 003."""
    ledger.directory.put(
        [Entry("P1", "김하나", "001"), Entry("P2", "이둘", "002"), Entry("P3", "박셋", "003")]
    )
    numbers = itertools.count(1)

    def taken(*rows: str, head: str = HEAD, **options: Any) -> PeopleImport:
        path = tmp_path / "people.csv"
        encoding = options.get("encoding", "utf-8")
        path.write_bytes("\n".join((head, *rows, "")).encode(encoding))
        options = {"by": "hr", "new_id": lambda: f"N{next(numbers)}", **options}
        options.setdefault("leavers_max", Decimal(50))
        return import_people(ledger, path, **options)

    return taken


def changed(done: PeopleImport) -> list[tuple[Any, ...]]:
    return [(c.person, c.action, c.on.isoformat(), c.before, c.after) for c in done.changes]


def problems(take: Take, *rows: str, **options: Any) -> list[tuple[Any, ...]]:
    with pytest.raises(ImportRefused) as refused:
        take(*rows, **options)
    return [(each.line, each.field, each.rule) for each in refused.value.problems]


def test_joiner(ledger, take):
    """Somebody new gets an opaque id; name and number stand in the directory only."""
    done = take("0099,최새롬,SEOUL,G7,serving,2005-12-05,,")
    assert changed(done) == [("N1", "joined", "2005-12-05", "", "SEOUL")]
    assert ledger.directory.get("N1") == Entry("N1", "최새롬", "0099")
    member = ledger.state("member:N1")
    assert (member.unit_on(DAY), member.rank_on(DAY)) == ("SEOUL", "G7")
    stored = ledger.by_key("member.joined:N1:2005-12-05").fact
    assert (stored.source, stored.recorded_by) == ("people.csv", "hr")
    facts = b"".join(
        path.read_bytes() for path in ledger.path.parent.glob("agency.sqlite*") if path.is_file()
    )
    assert "최새롬".encode() not in facts


def test_changes_of_people(ledger, take):
    """Moves, ranks, leave, coming back and leaving each become their fact."""
    done = take(
        "001,김하나,SEOUL,G4,serving,2005-12-01,,",
        "002,이둘,HQ,G5,leave,2005-12-02,,",
        "003,박셋,,,left,2005-12-03,,",
    )
    assert changed(done) == [
        ("P1", "transferred", "2005-12-01", "HQ", "SEOUL"),
        ("P1", "promoted", "2005-12-01", "G5", "G4"),
        ("P2", "leave_started", "2005-12-02", "", ""),
        ("P3", "left", "2005-12-03", "", ""),
    ]
    assert not ledger.state("member:P3").serves_on(date(2005, 12, 4))
    assert ledger.state("member:P3").serves_on(date(2005, 12, 3))
    done = take("002,이둘,HQ,G5,serving,2005-12-10,,")
    assert changed(done) == [("P2", "leave_ended", "2005-12-10", "", "")]


def test_same_file_again(ledger, take):
    """A file that was taken in changes nothing when it comes again."""
    rows = (
        "001,김하나,SEOUL,G4,leave,2005-12-01,,",
        "003,박셋,,,left,2005-12-03,,",
        "0099,최새롬,SEOUL,G7,serving,2005-12-05,,",
    )
    assert len(take(*rows).changes) == 5
    position = ledger.position
    assert take(*rows).changes == ()
    assert ledger.position == position


def test_korean_columns(ledger, take):
    """Columns and states may be in Korean, the file in cp949, and columns may be left out."""
    head = "사번,성명,소속,직급,상태,발령일,생년"
    done = take(
        "001,김하나,SEOUL,G5,휴직,2005.12.01,1970",
        head=head,
        encoding="cp949",
        ignored=["생년"],
    )
    assert [change.action for change in done.changes] == ["transferred", "leave_started"]
    done = take("001,HQ", head="사번,소속", on=date(2005, 12, 10))
    assert changed(done) == [
        ("P1", "transferred", "2005-12-10", "SEOUL", "HQ"),
        ("P1", "leave_ended", "2005-12-10", "", ""),
    ]
    assert ledger.directory.get("P1").name == "김하나"


def test_dated_rows_of_one_person(take):
    """Several rows of one person are taken in the order of their days."""
    done = take(
        "0099,최새롬,HQ,G6,serving,20051115,,",
        "0099,최새롬,SEOUL,G7,serving,2005-11-01,,",
    )
    assert changed(done) == [
        ("N1", "joined", "2005-11-01", "", "SEOUL"),
        ("N1", "transferred", "2005-11-15", "SEOUL", "HQ"),
        ("N1", "promoted", "2005-11-15", "G7", "G6"),
    ]


def test_row_of_the_past(ledger, take):
    """A row of an earlier day is held against what held then, and what came later stands."""
    ledger.record(MemberTransferred("P1", "SEOUL"), on=date(2005, 12, 10), by="o")
    take("001,김하나,HQ,G4,serving,2005-12-01,,")
    member = ledger.state("member:P1")
    assert (member.unit_on(DAY), member.rank_on(DAY)) == ("SEOUL", "G4")


def test_rows_of_days_to_come(take):
    """What holds from a day to come waits, and is told."""
    done = take("001,김하나,SEOUL,G5,serving,2006-01-01,,", *PEOPLE[1:])
    assert (done.waiting, done.changes, done.rows) == ((2,), (), 3)


def test_absent_people(take):
    """Who is not in the file is left alone; in a full file they have left the day before."""
    done = take(PEOPLE[0], PEOPLE[1])
    assert (done.absent, done.changes, done.leavers) == (1, (), 0)
    done = take(PEOPLE[0], PEOPLE[1], full=True, on=date(2005, 12, 15))
    assert changed(done) == [("P3", "left", "2005-12-14", "", "")]
    assert (done.absent, done.leavers, done.serving) == (1, 1, 3)
    assert take(PEOPLE[0], PEOPLE[1], full=True, on=date(2005, 12, 15)).changes == ()


def test_somebody_whose_row_waits_is_not_absent(take):
    """Who stands in a full file with a day to come has not left."""
    done = take(*PEOPLE[:2], "003,박셋,SEOUL,G5,serving,2006-01-01,,", full=True)
    assert (done.absent, done.leavers) == (0, 0)


def test_too_many_leavers(ledger, take):
    """A file that makes more leavers than allowed is refused, whether they are in it or absent."""
    position = ledger.position
    assert problems(take, PEOPLE[0], full=True) == [(0, "", "people.leavers")]
    left = "001,김하나,,,left,2005-12-01,,"
    assert problems(take, left, leavers_max=Decimal("33.3")) == [(0, "", "people.leavers")]
    assert ledger.position == position
    assert take(left, leavers_max=Decimal("33.3334")).leavers == 1


def test_stated_count_and_total(take):
    """A file with another count or control total than HR states is refused."""
    assert problems(take, *PEOPLE, expect_count=4) == [(0, "", "people.count")]
    total = "people.control-total"
    assert problems(take, *PEOPLE, control_total=7) == [(0, "employee_number", total)]
    assert take(*PEOPLE, expect_count=3, control_total=6).changes == ()
    done = take("A-9x9,최새롬,SEOUL,G7,serving,2005-12-05,,", control_total=99)
    assert len(done.changes) == 1


def test_cut_in_the_middle_of_a_row(take):
    """A file that ends in the middle of a row is refused."""
    assert problems(take, PEOPLE[0], "002,이둘,HQ") == [(3, "", "import.ragged")]


def test_dry_run(ledger, take):
    """A dry run tells what would change and keeps nothing."""
    position = ledger.position
    done = take("0099,최새롬,SEOUL,G7,serving,2005-12-05,,", "001,김한나,HQ,G5,,,,", dry_run=True)
    assert changed(done) == [
        ("N1", "joined", "2005-12-05", "", "SEOUL"),
        ("P1", "renamed", "2005-12-20", "", ""),
    ]
    assert not done.recorded
    assert ledger.position == position
    assert ledger.directory.get("P1").name == "김하나"
    assert ledger.directory.get("N1") is None


def test_all_problems_at_once(ledger, take):
    """All problems are listed with their lines and columns, and nothing is kept."""
    position = ledger.position
    found = problems(
        take,
        "0091,가,NOWHERE,G7,serving,2005-12-05,,",
        "0092,나,,G7,serving,2005-12-05,,",
        "0093,,HQ,G7,serving,2005-12-05,,",
        ",라,HQ,G7,serving,2005-12-05,,",
        "0095,마,HQ,G7,away,2005-12-05,,",
        "0096,바,HQ,G7,serving,2005-13-05,,",
        "0097,사,,,left,2005-12-05,,",
        "0098,아,HQ,G7,serving,2005-12-05,777,",
        "001,김하나,HQ,G5,serving,2005-12-05,,",
        "001,김하나,SEOUL,G5,serving,2005-12-05,,",
    )
    assert found == [
        (2, "unit", "unit.unknown"),
        (3, "unit", "people.missing"),
        (4, "name", "people.missing"),
        (5, "employee_number", "people.invalid"),
        (6, "status", "people.invalid"),
        (7, "effective_on", "people.invalid"),
        (8, "employee_number", "people.unknown"),
        (9, "previous_number", "people.previous-unknown"),
        (11, "employee_number", "people.repeated"),
    ]
    assert ledger.position == position
    assert ledger.directory.search("가") == []


def test_no_names_in_messages(take):
    """Messages carry lines and ids, no names and no numbers of people."""
    with pytest.raises(ImportRefused) as refused:
        take("0777,비밀이름,NOWHERE,G7,serving,2005-12-05,,", "0777,비밀이름,,,left,2005-12-01,,")
    assert "비밀이름" not in str(refused.value)
    assert "0777" not in str(refused.value)


@pytest.mark.parametrize(
    ("head", "rule"),
    [
        ("name,unit", "import.column-missing"),
        ("employee_number,사번", "import.column-repeated"),
        ("employee_number,birthday", "import.column-unknown"),
    ],
)
def test_unfit_columns(take, head, rule):
    """A file without the number, with a column twice or an unknown one is refused."""
    assert [found[2] for found in problems(take, head=head)] == [rule]


def test_rehire_under_a_new_number(ledger, take):
    """Hired again under a new number somebody stays one person, known by both numbers."""
    take("003,박셋,,,left,2005-06-30,,")
    done = take("777,박셋,SEOUL,G4,serving,2005-10-01,003,")
    assert changed(done) == [
        ("P3", "rehired", "2005-10-01", "", "SEOUL"),
        ("P3", "renumbered", "2005-10-01", "003", "777"),
    ]
    assert ledger.directory.get("P3").employee_number == "777"
    assert take("777,박셋,SEOUL,G4,serving,2005-10-01,003,").changes == ()
    assert take("003,박셋,,,left,2005-06-30,,", "777,,HQ,,,2005-12-01,,").changes[0].person == "P3"
    assert ledger.directory.get("P3").employee_number == "777"
    assert len(members(ledger)) == 3


def test_left_and_hired_again_in_one_file(take):
    """Leaving and being hired again under another number may stand in one file."""
    done = take("777,박셋,SEOUL,G4,serving,2005-10-01,003,", "003,박셋,,,left,2005-06-30,,")
    assert [change.action for change in done.changes] == ["left", "rehired", "renumbered"]
    assert {change.person for change in done.changes} == {"P3"}


def test_namesake(take):
    """Somebody new with the name of somebody who left is pointed out, and taken in."""
    take("003,박셋,,,left,2005-06-30,,")
    done = take(
        "777,박셋,SEOUL,G4,serving,2005-10-01,,",
        "778,김하나,SEOUL,G4,serving,2005-10-01,,",
        dry_run=True,
    )
    assert [change.action for change in done.changes] == ["joined", "joined"]
    assert done.namesakes == (2,)
    assert take("777,박셋,SEOUL,G4,serving,2005-10-01,003,").namesakes == ()


def test_number_of_somebody_else(take):
    """A number that is somebody's is not given to another person who serves."""
    assert problems(take, "002,이둘,HQ,G5,serving,2005-12-01,001,") == [
        (2, "employee_number", "people.number-taken")
    ]
    assert problems(take, "002,이둘,HQ,G5,serving,2005-12-01,,P9") == [
        (2, "employee_number", "people.number-taken")
    ]


def test_number_used_again(ledger, take):
    """The number of somebody who left, under another name, has to be explained."""
    take("003,박셋,,,left,2005-06-30,,")
    row = "003,오다른,HQ,G7,serving,2005-10-01"
    assert problems(take, row + ",,") == [(2, "employee_number", "people.number-reused")]

    done = take(row + ",,Q7")
    assert changed(done) == [("Q7", "joined", "2005-10-01", "", "HQ")]
    assert ledger.directory.holders(["003"]) == {"003": ("Q7",)}
    assert ledger.directory.former_holders(["003"]) == {"003": ("P3",)}
    assert ledger.directory.get("P3") == Entry("P3", "박셋", "")
    assert take(row + ",,").changes == ()


def test_same_person_under_another_name(take):
    """Repeating the number as the one before says that it is the same person."""
    take("003,박셋,,,left,2005-06-30,,")
    done = take("003,박세,HQ,G5,serving,2005-10-01,003,")
    assert [(change.person, change.action) for change in done.changes] == [
        ("P3", "rehired"),
        ("P3", "renamed"),
    ]


def test_ambiguous_number(ledger, take):
    """A number that the directory knows of two people is refused unless the row names the id."""
    ledger.directory.put([Entry("P2", "이둘", "001")])
    row = "001,,SEOUL,,serving,2005-12-01"
    assert problems(take, row + ",,") == [(2, "employee_number", "people.number-ambiguous")]


def test_voided_fact_is_recorded_anew(ledger, take):
    """What was voided and HR says again is recorded again, under a key of its own."""
    row = "001,김하나,SEOUL,G5,serving,2005-12-01,,"
    take(row)
    ledger.void("member.transferred:P1:2005-12-01", reason="x", on=date(2005, 12, 1), by="o")
    assert ledger.state("member:P1").unit_on(DAY) == "HQ"
    assert len(take(row).changes) == 1
    assert ledger.state("member:P1").unit_on(DAY) == "SEOUL"
    take("001,김하나,HQ,G5,serving,2005-12-01,,")
    assert ledger.state("member:P1").unit_on(DAY) == "HQ"


def test_last_day_otherwise(take):
    """Another last day than the one recorded is a correction, which HR's file does not make."""
    take("003,박셋,,,left,2005-06-30,,")
    row = "003,박셋,,,left,2005-05-31,,"
    assert problems(take, row) == [(2, "effective_on", "people.left-otherwise")]
    assert take("003,박셋,,,left,2005-07-31,,").changes == ()


def test_wrong_arguments(take):
    """A day to come and a share that is none are refused."""
    with pytest.raises(InvalidFact, match="has not come yet"):
        take(*PEOPLE, on=date(2005, 12, 21))
    for share in ("-1", "100.1"):
        with pytest.raises(InvalidFact, match="from 0 to 100"):
            take(*PEOPLE, leavers_max=Decimal(share))


def test_directory_that_cannot_be_written(ledger, take, monkeypatch):
    """When the directory cannot be written, no fact is recorded."""
    position = ledger.position

    def fail(_: object) -> None:
        raise LedgerFileError("disk full")

    monkeypatch.setattr(ledger.directory, "put", fail)
    with pytest.raises(LedgerFileError):
        take("0099,최새롬,SEOUL,G7,serving,2005-12-05,,")
    assert ledger.position == position


KILLED = """
import os, signal, sys
from datetime import UTC, date, datetime
from mileage.ledger import Ledger
from mileage.ledger.directory import Directory
from mileage.ledger.inbound import import_people
put = Directory.put
def die(directory, entries):
    if sys.argv[2] == "after":
        put(directory, entries)
    os.kill(os.getpid(), signal.SIGKILL)
Directory.put = die
clock = lambda: datetime(2005, 12, 20, 3, tzinfo=UTC)
with Ledger.open(sys.argv[1] + "/agency.sqlite", clock=clock) as ledger:
    import_people(ledger, sys.argv[1] + "/people.csv", by="hr")
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed(ledger, take, tmp_path, when):
    """Killed before the facts are kept, none is; the same file completes it, with one id each."""
    row = "0099,최새롬,SEOUL,G7,serving,2005-12-05,,"
    take(row, dry_run=True)
    position = ledger.position
    command = [sys.executable, "-c", KILLED, str(tmp_path), when]
    done = subprocess.run(command, check=False, env=os.environ)
    assert done.returncode == -signal.SIGKILL
    assert ledger.position == position
    known = ledger.directory.holders(["0099"])
    assert bool(known) == (when == "after")

    [change] = take(row).changes

    assert (change.person,) == known.get("0099", ("N2",))
    assert ledger.directory.holders(["0099"]) == {"0099": (change.person,)}


def test_many_people(ledger, take):
    """A year's establishment is taken in at once, and people who served before stay."""
    rows = [f"{n:06d},이름{n},HQ,G6,serving,2005-12-05,," for n in range(2_000)]
    done = take(*rows, *PEOPLE, full=True)
    assert len(done.changes) == 2_000
    assert (done.absent, len(members(ledger))) == (0, 2_003)
    ledger.record(MemberJoined("P9", "HQ", "G6"), on=date(2005, 12, 6), by="o")
    assert take(*rows, *PEOPLE, full=True).leavers == 1
