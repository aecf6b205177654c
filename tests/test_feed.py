"""The change feed: every change once, in order, the same however often it is asked for."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import NOON, new_ledger
from hr_strategies import hr_steps
from hypothesis import given
from hypothesis import strategies as st
from mileage.ledger import (
    Ledger,
    LedgerFileError,
    MemberJoined,
    ProposalAdopted,
    ProposalSubmitted,
    shares,
)
from mileage.ledger.kinds.entitlement import EntitlementGranted, EntitlementRevoked
from mileage.projections import (
    BadCursor,
    EntitlementChange,
    Feed,
    HrKey,
    ReadModel,
    changes,
    entitlements,
)
from strategies import rulebooks
from test_hr import BOOK
from test_hr_invariants import opened
from test_invariants import examples

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY = date(2005, 12, 20)
LIVES = Path(__file__).with_name("lives.py")


class Feeding:
    """A ledger with a rulebook in service, a read model and a consumer that adds up."""

    def __init__(self, folder: Path) -> None:
        self.ledger = new_ledger(folder)
        self.ledger.adopt_rulebook(BOOK, rulebook="agency", on=date(2005, 1, 1), by="c")
        self.model = ReadModel(self.ledger)
        self.proposals = 0

    def propose(self, **parts: Any) -> str:
        self.proposals += 1
        data = ProposalSubmitted(str(self.proposals), "제목", "online", shares(parts))
        return self.ledger.record(data, on=date(2005, 3, 2), by="o").fact.key

    def told(self, after: str | None = None, **options: Any) -> list[EntitlementChange]:
        return list(changes(self.model, after=after, **options))


@pytest.fixture
def feeding(tmp_path: Path) -> Iterator[Feeding]:
    """An agency whose feed nobody has asked for."""
    made = Feeding(tmp_path)
    yield made
    made.model.close()
    made.ledger.close()


def brief(found: list[EntitlementChange]) -> list[tuple[Any, ...]]:
    return [(c.sequence, c.key.person, c.key.code, c.previous, c.new, c.reason) for c in found]


def test_changes_in_order(feeding):
    """Changes come in the order of the facts that did them, numbered, each with its reason."""
    feeding.propose(P2=100)
    key = feeding.propose(P1=60, P3=40)
    first = feeding.told()
    assert brief(first) == [
        (1, "P2", "earned", 0, 100_000, "facts"),
        (2, "P1", "earned", 0, 60_000, "facts"),
        (3, "P3", "earned", 0, 40_000, "facts"),
    ]
    assert first[1].facts == (feeding.ledger.by_key(key).position,)
    assert first[1].position == feeding.ledger.position
    assert first[1].noticed_at == NOON

    feeding.ledger.void(key, reason="twice", on=date(2005, 4, 1), by="o")
    granted = EntitlementGranted("training", "2005", "P2", None, None, "선발")
    feeding.ledger.record(granted, on=DAY, by="o")
    second = feeding.told(first[-1].cursor)
    assert brief(second) == [
        (4, "P1", "earned", 60_000, 0, "correction"),
        (5, "P3", "earned", 40_000, 0, "correction"),
        (6, "P2", "granted", 0, 10_000, "decision"),
    ]
    revoked = EntitlementRevoked("training", "2005", "P2", "포기")
    feeding.ledger.record(revoked, on=DAY, by="o")
    [third] = feeding.told(second[-1].cursor)
    assert (third.key, third.delta) == (HrKey("P2", "training", "granted", "2005"), -10_000)


def test_same_changes_again(feeding):
    """From any old cursor the same changes come again, in one go or in parts."""
    cursors, whole = [None], []
    for number in range(4):
        feeding.propose(**{f"P{number % 3 + 1}": 50, f"P{(number + 1) % 3 + 1}": 50})
        whole += feeding.told(cursors[-1])
        cursors = [None, *(change.cursor for change in whole)]
    assert len(whole) == 8
    for number, cursor in enumerate(cursors):
        assert feeding.told(cursor) == whole[number:]
    parts: list[EntitlementChange] = []
    while part := feeding.told(parts[-1].cursor if parts else None, limit=3):
        assert len(part) <= 3
        parts += part
    assert parts == whole
    with Ledger.open(feeding.ledger.path) as other, ReadModel(other) as model:
        assert list(changes(model)) == whole


def test_rebuild_that_changes_nothing(feeding):
    """A rebuild, a lost read model and facts without points yield nothing."""
    feeding.propose(P1=100)
    end = feeding.told()[-1].cursor
    feeding.model.rebuild()
    assert feeding.told(end) == []
    feeding.model.close()
    shutil.rmtree(feeding.model.folder)
    feeding.model.link.unlink()
    assert feeding.told(end) == []
    feeding.ledger.record(MemberJoined("P9", "HQ", "G5"), on=DAY, by="o")
    feeding.ledger.record(ProposalAdopted("1", "gold"), on=DAY, by="o")
    assert feeding.told(end) == []


def test_rule_changes(feeding):
    """A rulebook counts when it is in service; the change says that the rules did it."""
    feeding.propose(P1=100)
    end = feeding.told()[-1].cursor
    text = BOOK.replace("points = 10", "points = 11")
    feeding.ledger.adopt_rulebook(
        text, rulebook="agency", on=DAY, by="c", effective_from=date(2005, 1, 1), reason="r"
    )
    assert feeding.told(end) == []
    feeding.model.rebuild()
    assert brief(feeding.told(end)) == [(2, "P1", "earned", 100_000, 110_000, "rules")]


def test_several_facts_are_one_change(feeding):
    """What happens between two looks is one change of a key, or none when it comes to nothing."""
    feeding.propose(P1=100)
    feeding.propose(P1=100)
    assert brief(feeding.told()) == [(1, "P1", "earned", 0, 200_000, "facts")]
    end = feeding.told()[-1].cursor
    key = feeding.propose(P2=100)
    feeding.ledger.void(key, reason="x", on=date(2005, 4, 1), by="o")
    assert feeding.told(end) == []


def test_json(feeding):
    """A change as JSON has decimals as texts, like the files, and the instant in UTC."""
    feeding.propose(P1="33.3333", P2="66.6667")
    [first, _] = feeding.told()
    assert first.as_json() == {
        "cursor": first.cursor,
        "sequence": 1,
        "person": "P1",
        "programme": "mileage",
        "code": "earned",
        "for_period": "all",
        "previous": "0",
        "new": "3.3333",
        "delta": "3.3333",
        "reason": "facts",
        "facts": [feeding.ledger.position],
        "position": feeding.ledger.position,
        "noticed_at": "2005-12-20T03:00:00.000000Z",
    }
    json.dumps(first.as_json())


@pytest.mark.parametrize("cursor", ["7", "x", "a.b.c", "a.-1.c", "a.1", "a.0.c", "a.٣.c", "." * 9])
def test_no_cursor(feeding, cursor):
    """What never was a cursor is refused."""
    with pytest.raises(BadCursor, match="no cursor of a change feed"):
        feeding.told(cursor)


def test_cursor_of_another_ledger(feeding, tmp_path):
    """A cursor of another ledger is refused, and nothing is made for it."""
    (tmp_path / "b").mkdir()
    other = Feeding(tmp_path / "b")
    with other.model, other.ledger:
        other.propose(P1=100)
        cursor = other.told()[0].cursor
    with pytest.raises(BadCursor, match="of another ledger"):
        feeding.told(cursor)
    assert not feeding.model.exists


def test_cursor_from_the_future(feeding, tmp_path):
    """A cursor behind the end of the feed is refused, and one whose change is another now."""
    feed = Feed(feeding.ledger)
    feeding.propose(P1=100)
    feeding.told()
    shutil.copy(feed.path, tmp_path / "kept")
    feeding.propose(P1=100)
    [late] = feeding.told(feeding.told()[0].cursor)
    shutil.copy(tmp_path / "kept", feed.path)
    with pytest.raises(BadCursor, match="stands behind change 2, and the feed ends with 1"):
        feed.check(late.cursor)
    feeding.propose(P1=100)
    assert len(feeding.told()) == 2
    with pytest.raises(BadCursor, match="change 2 of the feed is not the one"):
        feeding.told(late.cursor)


def test_feed_of_another_ledger(feeding, tmp_path):
    """The journal of another ledger is refused, also where nobody has a cursor."""
    (tmp_path / "b").mkdir()
    other = Feeding(tmp_path / "b")
    with other.model, other.ledger:
        other.propose(P1=100)
        other.told()
        shutil.copy(Feed(other.ledger).path, Feed(feeding.ledger).path)
    with pytest.raises(LedgerFileError, match="the feed of another ledger"):
        feeding.told()


def test_ledger_that_lost_facts(feeding, tmp_path):
    """When the ledger was restored from a copy, the feed says so instead of taking things back."""
    feeding.propose(P1=100)
    with sqlite3.connect(feeding.ledger.path) as source, sqlite3.connect(tmp_path / "kept") as copy:
        source.backup(copy)
    source.close()
    copy.close()
    feeding.propose(P2=100)
    end = feeding.told()[-1].cursor
    feeding.model.close()
    feeding.ledger.close()
    for name in ("agency.sqlite-wal", "agency.sqlite-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    shutil.copy(tmp_path / "kept", tmp_path / "agency.sqlite")
    with Ledger.open(tmp_path / "agency.sqlite") as ledger, ReadModel(ledger) as model:
        for cursor in (None, end):
            with pytest.raises(LedgerFileError, match=r"has told of fact #\d+, which the ledger"):
                list(changes(model, after=cursor))
        data = ProposalSubmitted("9", "제목", "online", shares({"P3": 100}))
        ledger.record(data, on=date(2005, 3, 2), by="o")
        with pytest.raises(LedgerFileError, match="restored from an earlier copy"):
            list(changes(model, after=end))


def test_what_is_no_feed(feeding):
    """A file that is no feed is refused, not overwritten."""
    path = Feed(feeding.ledger).path
    path.write_bytes(b"something else" * 100)
    with pytest.raises(LedgerFileError, match="cannot be used"):
        feeding.told()
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE mine (x)")
    with pytest.raises(LedgerFileError, match="no feed"):
        feeding.told()


def test_changes_are_never_changed(feeding):
    """Nobody changes or removes a change that was told of, whatever program opens the file."""
    feeding.propose(P1=100)
    feeding.told()
    with closing(sqlite3.connect(Feed(feeding.ledger).path)) as connection:
        for statement in ("UPDATE changes SET new = 5", "DELETE FROM changes"):
            with pytest.raises(sqlite3.IntegrityError, match="was told of is never"):
                connection.execute(statement)


def test_read_only(feeding):
    """Where nothing can be written the feed tells what it has."""
    feeding.propose(P1=100)
    told = feeding.told()
    feeding.propose(P2=100)
    with (
        Ledger.open(feeding.ledger.path, read_only=True) as ledger,
        ReadModel(ledger) as model,
    ):
        assert list(changes(model)) == told


@examples(8)
@given(hr_steps(15, 40), rulebooks(), rulebooks(), st.lists(st.integers(0, 5), min_size=40))
def test_9_feed_adds_up(history, text, later, asked):
    """9: What a consumer adds up is what holds, whenever it asks and from wherever it goes on."""
    with opened(text) as (play, model):
        holds: dict[HrKey, int] = {}
        cursors: list[str | None] = [None]
        for index, (step, ask) in enumerate(zip(history, asked, strict=False)):
            play.step(step)
            if index == len(history) // 2 and play.adopt_rulebook(later, reach_days=200):
                model.rebuild()
            if ask == 0:
                model.rebuild()
            if ask < 3:
                for change in changes(model, after=cursors[-1], limit=ask * 3 or None):
                    assert change.previous == holds.get(change.key, 0)
                    assert change.new != change.previous
                    holds[change.key] = change.new
                    cursors.append(change.cursor)
        for change in changes(model, after=cursors[-1]):
            holds[change.key] = holds.get(change.key, 0) + change.delta
        assert {key: units for key, units in holds.items() if units} == entitlements(
            model.figures()
        )
        again = list(changes(model))
        assert [change.cursor for change in again][: len(cursors) - 1] == cursors[1:]
        assert [change.sequence for change in again] == list(range(1, len(again) + 1))


def proposals(count: int) -> list[list[Any]]:
    """Facts to record: proposals, some of them voided again."""
    found: list[list[Any]] = []
    for number in range(count):
        authors = f"P{number % 3 + 1}:60;P{(number + 1) % 3 + 1}:40"
        fields = {"proposal": str(number), "title": "t", "channel": "online", "authors": authors}
        found.append(["proposal.submitted", "2005-03-02", fields])
        if number % 4 == 3:
            fields = {"fact": f"work-{len(found) - 3}", "reason": "x"}
            found.append(["fact.voided", "2005-04-01", fields])
    return found


def lived(way: str, work: str, folder: Path) -> int:
    """Let programs live and die in a folder; how many were killed."""
    command = [sys.executable, "-W", "error", str(LIVES), way, work, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    return int(done.stdout)


def check_taken(folder: Path) -> None:
    """The HR database has every change once, and they add up to what holds."""
    with Ledger.open(folder / "agency.sqlite") as ledger, ReadModel(ledger) as model:
        told = list(changes(model))
        now = entitlements(model.figures())
        with closing(sqlite3.connect(folder / "hr.sqlite")) as hr:
            entries = hr.execute("SELECT * FROM entries ORDER BY sequence").fetchall()
            rows = hr.execute("SELECT * FROM entitlements WHERE amount <> 0").fetchall()
            [(cursor,)] = hr.execute("SELECT cursor FROM feed").fetchall()
    assert [(e[0], HrKey(*e[1:5]), e[5]) for e in entries] == [
        (change.sequence, change.key, change.delta) for change in told
    ]
    assert {HrKey(*key): amount for *key, amount in rows} == now
    assert cursor == told[-1].cursor


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """A folder with a ledger and its figures, in which programs can live."""
    folder = tmp_path / "work"
    folder.mkdir()
    made = Feeding(folder)
    with made.ledger, made.model:
        made.model.rebuild()
    return folder


def test_9_killed_before_every_statement(workplace):
    """9: Killed before any statement in any database, nothing is lost and nothing comes twice."""
    (workplace / "work.json").write_text(json.dumps(proposals(1)))
    ways = lived("steps", "feed", workplace)
    assert ways > 50
    for number in range(1, ways + 1):
        check_taken(workplace.with_name(f"work-{number}"))


def test_9_killed_at_random_moments(workplace):
    """9: Killed a hundred times at random moments, nothing is lost and nothing comes twice."""
    (workplace / "work.json").write_text(json.dumps(proposals(40)))
    (workplace / "lives.json").write_text("100")
    assert lived("moments", "feed", workplace) == 100
    check_taken(workplace)
