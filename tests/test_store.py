"""The store: what is written stays as it is, whoever writes; files that are no ledger say so."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date
from zoneinfo import ZoneInfo

import pytest
import rfc8785
from eventsourcing.persistence import IntegrityError
from hypothesis import given
from hypothesis import strategies as st
from mileage.ledger import (
    Command,
    CorruptFact,
    Ledger,
    LedgerFileError,
    LockedLedger,
    NewerLedger,
    NotALedger,
    ProposalSubmitted,
    ReadOnlyLedger,
    RulebookAdopted,
    Share,
    equal_shares,
    shares,
)
from mileage.ledger import ledger as ledger_module
from mileage.ledger.facts import Fact, decode, encode, format_instant, parse_instant
from mileage.ledger.fields import to_units
from mileage.ledger.kinds import kinds
from mileage.ledger.kinds.office import rulebook_digest

from .conftest import NOON, new_ledger

MARCH = date(2005, 3, 2)


def submitted(number=1, title="Fewer forms"):
    return ProposalSubmitted(f"2005-{number}", title, "online", shares({"P1": 60, "P2": 40}))


@pytest.fixture
def raw(ledger):
    """A plain connection to the ledger's file, with one proposal recorded."""
    ledger.record(submitted(), on=MARCH, by="officer")
    with closing(sqlite3.connect(ledger.path, isolation_level=None)) as connection:
        yield connection


def rows(connection):
    return connection.execute("SELECT * FROM stored_events ORDER BY position").fetchall()


REPLACING = "INSERT OR REPLACE INTO stored_events SELECT {}, topic, {} FROM stored_events LIMIT 1"


class TestAppendOnly:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE stored_events SET topic = 'x'",
            "UPDATE stored_events SET position = 99 WHERE position = 1",
            "UPDATE OR REPLACE stored_events SET position = 1 WHERE position = 2",
            "DELETE FROM stored_events",
            "DELETE FROM stored_events WHERE position = (SELECT max(position) FROM stored_events)",
            REPLACING.format("position, 'x:y', 1", "json_object('key', 'k')"),
            REPLACING.format("99, originator_id, originator_version", "json_object('key', 'k')"),
            REPLACING.format("99, 'x:y', 1", "state"),
            "REPLACE INTO stored_events SELECT * FROM stored_events",
        ],
        ids=range(9),
    )
    def test_plain_sql_cannot_change_a_fact(self, raw, statement):
        """Invariant 1: plain SQL that changes, removes or replaces a fact is refused."""
        before = rows(raw)
        with pytest.raises(sqlite3.IntegrityError, match="a recorded fact is never"):
            raw.execute(statement)
        assert rows(raw) == before

    def test_ignoring_inserts_add_nothing(self, raw):
        """Plain SQL that inserts a fact again is refused even when told to ignore conflicts."""
        before = rows(raw)
        with pytest.raises(sqlite3.IntegrityError, match="never replaced"):
            raw.execute("INSERT OR IGNORE INTO stored_events SELECT * FROM stored_events")
        assert rows(raw) == before

    def test_a_key_is_unique_whoever_inserts(self, raw):
        """The index alone, without the trigger, refuses a second fact with the same key."""
        raw.execute("DROP TRIGGER stored_events_no_replace")
        with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
            raw.execute(
                "INSERT INTO stored_events (originator_id, originator_version, topic, state)"
                " SELECT 'x:y', 1, topic, state FROM stored_events LIMIT 1"
            )

    def test_positions_are_not_used_again(self, raw, ledger):
        """A position is never given again, even if its fact was removed behind the API's back."""
        last = ledger.position
        raw.execute("DROP TRIGGER stored_events_no_delete")
        raw.execute("DELETE FROM stored_events WHERE position = ?", (last,))
        assert ledger.position == last - 1
        assert ledger.record(submitted(2), on=MARCH, by="officer").position == last + 1
        assert [each.position for each in ledger.facts()] == [*range(1, last), last + 1]

    def test_positions_survive_a_vacuum(self, raw, ledger):
        """Positions are pinned: compacting the file with a gap in it keeps them."""
        raw.execute("DROP TRIGGER stored_events_no_delete")
        raw.execute("DELETE FROM stored_events WHERE position = 3")
        raw.execute("VACUUM")
        assert [each.position for each in ledger.facts()] == [1, 2, 4, 5, 6, 7]


class TestLibrary:
    def test_the_notification_log_has_every_fact_in_order(self, ledger):
        """The library's own notification log reads the ledger: ranges, limits and topics."""
        ledger.record_all([Command(submitted(n), MARCH, "o") for n in range(5)])
        log = ledger.recorder
        assert [each.id for each in log.select_notifications(1, 100)] == [*range(1, 12)]
        assert [each.id for each in log.select_notifications(3, 2)] == [3, 4]
        assert [each.id for each in log.select_notifications(3, 9, stop=5)] == [3, 4, 5]
        assert [each.id for each in log.select_notifications(None, 1)] == [1]
        after = log.select_notifications(6, 2, inclusive_of_start=False)
        assert [each.id for each in after] == [7, 8]
        units = log.select_notifications(1, 100, topics=["unit.established"])
        assert [each.topic for each in units] == ["unit.established"] * 2
        assert log.max_notification_id() == 11

    def test_the_mapper_reads_what_the_recorder_gives(self, ledger):
        """A stream selected by the library is decoded by the ledger's mapper."""
        ledger.record(submitted(), on=MARCH, by="officer")
        (stored,) = ledger.recorder.select_events("proposal:2005-1")
        assert ledger.mapper.to_domain_event(stored).data == submitted()

    def test_events_inserted_by_the_library_get_positions(self, ledger):
        """The library's way to insert gives positions, and refuses a version twice."""
        (fact,) = [each.fact for each in ledger.stream("unit:HQ")]
        other = Fact("unit:X", 1, *_rest(fact, key="own"))
        stored = ledger.mapper.to_stored_event(other)
        assert ledger.recorder.insert_events([stored]) == range(7, 8)
        with pytest.raises(IntegrityError):
            ledger.recorder.insert_events([stored])


def _rest(fact, key):
    return (fact.data, fact.occurred_on, fact.recorded_at, fact.recorded_by, fact.source, key)


words = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=40).filter(
    str.strip
)


class TestCanonicalState:
    @given(
        title=words,
        by=words,
        source=words,
        key=words,
        day=st.dates(),
        instant=st.datetimes(),
        people=st.integers(1, 7),
    )
    def test_bytes_are_canonical_and_read_back(self, title, by, source, key, day, instant, people):
        """A stored state is exactly RFC 8785, and decodes to the fact it was made of."""
        instant = instant.replace(tzinfo=NOON.tzinfo)
        authors = equal_shares(f"P{n}" for n in range(people))
        data = ProposalSubmitted("7", title, "paper", authors)
        fact = Fact("proposal:7", 1, data, day, instant, by, source, key)
        state = encode(fact)
        assert state == rfc8785.dumps(json.loads(state))
        assert json.loads(state) == {
            "data": {
                "authors": [
                    {"person": each.person, "share": to_units(each.percent)} for each in authors
                ],
                "channel": "paper",
                "proposal": "7",
                "title": title,
            },
            "key": key,
            "occurred_on": day.isoformat(),
            "recorded_at": format_instant(instant),
            "recorded_by": by,
            "source": source,
        }
        assert decode("proposal:7", 1, "proposal.submitted", state, kinds) == fact

    @given(st.lists(st.datetimes(), min_size=2, max_size=2))
    def test_instants_sort_as_texts(self, pair):
        """Texts of instants sort as the instants do, and read back exactly."""
        first, second = (each.replace(tzinfo=NOON.tzinfo) for each in pair)
        assert (format_instant(first) < format_instant(second)) is (first < second)
        assert parse_instant(format_instant(first)) == first

    def test_instants_are_written_in_utc(self):
        """An instant told in another zone is written as the same instant in UTC."""
        in_seoul = NOON.astimezone(ZoneInfo("Asia/Seoul"))
        assert format_instant(in_seoul) == "2005-12-20T03:00:00.000000Z"

    def test_an_instant_without_a_zone_is_refused(self):
        """An instant whose zone is not known is not written."""
        with pytest.raises(ValueError, match="time zone"):
            format_instant(NOON.replace(tzinfo=None))

    def test_stored_bytes_are_pinned(self, ledger):
        """The bytes of a known fact never change from version to version."""
        reason = RulebookAdopted("r", rulebook_digest('"\n'), MARCH, '"\n', None)
        stored = ledger.mapper.to_stored_event(
            Fact("rulebook:r", 1, reason, MARCH, NOON, "나", "api", "k\\")
        )
        assert stored.state.decode() == (
            '{"data":{"digest":"' + rulebook_digest('"\n') + '","effective_from":"2005-03-02",'
            '"reason":null,"rulebook":"r","text":"\\"\\n"},"key":"k\\\\",'
            '"occurred_on":"2005-03-02","recorded_at":"2005-12-20T03:00:00.000000Z",'
            '"recorded_by":"나","source":"api"}'
        )

    def test_tampering_stops_the_replay_at_its_position(self, raw, ledger):
        """A state changed behind the API's back is a corrupt fact, named by position."""
        raw.execute("DROP TRIGGER stored_events_no_update")
        raw.execute(
            "UPDATE stored_events SET state = replace(CAST(state AS TEXT), '600000', '700000')"
            " WHERE position = 7"
        )
        read = []
        with pytest.raises(CorruptFact, match="fact #7") as corrupt:
            read.extend(ledger.facts())
        assert corrupt.value.position == 7


def closed(ledger, target):
    """Close a ledger so that its file holds everything, and give a copy of it another name."""
    ledger.close()
    return shutil.copy(ledger.path, target)


class TestFiles:
    def refuse(self, path, error, words):
        with pytest.raises(error, match=words) as raised:
            Ledger.open(path)
        assert type(raised.value) is error
        assert str(path.parent) not in str(raised.value)
        assert path.name in str(raised.value)

    def test_no_file(self, tmp_path):
        """A file that is not there is answered with how to make one."""
        self.refuse(tmp_path / "none.sqlite", NotALedger, "no such ledger .*mileage init")

    @pytest.mark.parametrize("content", [b"", b"kind,occurred_on\n", b"\0" * 4096, b"x" * 99])
    def test_something_else(self, tmp_path, content):
        """An empty file, a text and noise are no ledgers."""
        path = tmp_path / "other.sqlite"
        path.write_bytes(content)
        self.refuse(path, NotALedger, "not a ledger file")

    def test_a_folder(self, tmp_path):
        """A folder is no ledger."""
        (tmp_path / "folder.sqlite").mkdir()
        self.refuse(tmp_path / "folder.sqlite", NotALedger, "a folder, not a ledger")

    def test_another_sqlite_file(self, tmp_path):
        """An SQLite file of another program is no ledger, and is left as it is."""
        path = tmp_path / "other.sqlite"
        with closing(sqlite3.connect(path)) as other, other:
            other.execute("CREATE TABLE stored_events (x)")
        before = path.read_bytes()
        self.refuse(path, NotALedger, "an SQLite file, but not a ledger")
        assert path.read_bytes() == before

    def test_a_ledger_without_its_table(self, tmp_path):
        """A file that was being made when its maker was killed is no ledger."""
        path = tmp_path / "half.sqlite"
        ledger_module._make_file(path)
        self.refuse(path, NotALedger, "damaged")

    def test_a_ledger_without_its_opening(self, tmp_path, ledger):
        """A ledger whose first fact is missing is no ledger."""
        with closing(sqlite3.connect(ledger.path)) as raw, raw:
            raw.execute("DROP TRIGGER stored_events_no_delete")
            raw.execute("DELETE FROM stored_events WHERE position = 1")
        path = tmp_path / "headless.sqlite"
        closed(ledger, path)
        self.refuse(path, NotALedger, "first fact does not open")

    @pytest.mark.parametrize("length", [101, 4096, 8192, -1])
    def test_a_truncated_file(self, tmp_path, ledger, length):
        """A file cut anywhere is told to be truncated."""
        path = tmp_path / "cut.sqlite"
        closed(ledger, path)
        os.truncate(path, length if length > 0 else path.stat().st_size + length)
        self.refuse(path, NotALedger, "truncated")

    def test_a_damaged_file(self, tmp_path, ledger):
        """A file overwritten in the middle is told to be damaged, when opened or when read."""
        ledger.record_all([Command(submitted(n), MARCH, "o") for n in range(500)])
        path = tmp_path / "bad.sqlite"
        closed(ledger, path)
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xa5" * (path.stat().st_size - 8192))
        with pytest.raises(NotALedger, match="damaged") as raised, Ledger.open(path) as bad:
            list(bad.facts())
        assert str(tmp_path) not in str(raised.value)

    def test_a_newer_file(self, tmp_path, ledger):
        """A file of a later version is refused with what to do."""
        with closing(sqlite3.connect(ledger.path)) as raw:
            raw.execute("PRAGMA user_version = 2")
        path = tmp_path / "newer.sqlite"
        closed(ledger, path)
        self.refuse(path, NewerLedger, "schema 2, this one knows 1.*update")

    def test_a_fact_of_an_unknown_kind(self, raw, ledger):
        """A fact of a kind no loaded module declares stops the replay, and says what to load."""
        raw.execute(
            "INSERT INTO stored_events (originator_id, originator_version, topic, state)"
            " VALUES ('visit:1', 1, 'visit.paid', '{\"key\":\"v\"}')"
        )
        with pytest.raises(CorruptFact, match=r"unknown kind 'visit\.paid'; load the module"):
            list(ledger.facts())


class TestReadOnly:
    def test_nothing_is_written_beside_a_ledger_that_is_read(self, tmp_path, ledger):
        """A closed ledger opened for reading only leaves no file beside it, and is unchanged."""
        folder = tmp_path / "archive"
        folder.mkdir()
        path = folder / "old.sqlite"
        closed(ledger, path)
        before = path.read_bytes()
        with Ledger.open(path, read_only=True) as reader:
            assert reader.position == 6
            assert reader.state("member:P1") is not None
            assert os.listdir(folder) == ["old.sqlite"]  # noqa: PTH208 - names are enough
        assert path.read_bytes() == before

    def test_a_reader_sees_what_a_writer_adds(self, ledger):
        """A ledger read while somebody else writes shows what was added since it was opened."""
        with Ledger.open(ledger.path, read_only=True) as reader:
            ledger.record(submitted(), on=MARCH, by="officer")
            assert reader.position == ledger.position == 7

    @pytest.mark.parametrize("what", ["file", "folder"])
    def test_what_cannot_be_written_is_opened_for_reading(self, ledger, monkeypatch, what):
        """Without the right to write the file or its folder, a ledger can still be read."""
        denied = ledger.path if what == "file" else ledger.path.parent
        monkeypatch.setattr(os, "access", lambda path, _mode: path != denied)
        with Ledger.open(ledger.path) as reader:
            assert reader.read_only
            assert reader.position == 6
            with pytest.raises(ReadOnlyLedger, match=r"agency\.sqlite: .*reading only") as error:
                reader.record(submitted(), on=MARCH, by="officer")
        assert str(ledger.path.parent) not in str(error.value)

    @pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no users on this system")
    def test_a_folder_nobody_may_write(self, tmp_path, ledger):
        """A ledger in a folder without the right to write answers, and refuses to record."""
        folder = tmp_path / "archive"
        folder.mkdir()
        path = folder / "old.sqlite"
        closed(ledger, path)
        path.chmod(0o444)
        folder.chmod(0o555)
        try:
            if os.geteuid() == 0:
                pytest.skip("the superuser may write everywhere")
            with Ledger.open(path) as reader:
                assert reader.position == 6
                with pytest.raises(ReadOnlyLedger):
                    reader.record(submitted(), on=MARCH, by="officer")
        finally:
            folder.chmod(0o755)

    def test_the_database_itself_refuses(self, ledger):
        """Even past the ledger's own check, a file opened for reading is not written."""
        with Ledger.open(ledger.path, read_only=True) as reader:
            reader.read_only = False
            with pytest.raises(ReadOnlyLedger, match="cannot be written") as error:
                reader.record(submitted(), on=MARCH, by="officer")
        assert str(ledger.path.parent) not in str(error.value)


HOLD = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
held.execute("ROLLBACK")
"""


class TestLocks:
    def test_another_process_that_writes(self, ledger, monkeypatch):
        """While another process writes, reading goes on and recording says what to do."""
        monkeypatch.setattr(ledger_module, "LOCK_TIMEOUT_SECONDS", 1)
        with (
            Ledger.open(ledger.path, clock=ledger.clock) as waiting,
            subprocess.Popen(
                [sys.executable, "-c", HOLD, str(ledger.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            ) as other,
        ):
            assert other.stdout.readline() == "held\n"
            assert len([*waiting.facts()]) == 6
            with pytest.raises(LockedLedger, match=r"agency\.sqlite: another process") as locked:
                waiting.record(submitted(), on=MARCH, by="officer")
            assert str(ledger.path.parent) not in str(locked.value)
            other.communicate()
            assert waiting.record(submitted(), on=MARCH, by="officer").new

    def test_an_own_transaction_within_another(self, ledger, monkeypatch):
        """A second transaction begun within the first waits, and gives up with the same error."""
        monkeypatch.setattr(ledger_module, "LOCK_TIMEOUT_SECONDS", 1)
        with Ledger.open(ledger.path, clock=ledger.clock) as own:
            with own.writer(), pytest.raises(LockedLedger):
                own.record(submitted(), on=MARCH, by="officer")
            assert own.record(submitted(), on=MARCH, by="officer").new

    def test_readers_do_not_wait_behind_a_writer_that_waits(self, ledger):
        """While one thread writes and another waits to, a third reads at once."""
        with ThreadPoolExecutor(1) as pool:
            with ledger.writer():
                waiting = pool.submit(ledger.record, submitted(), on=MARCH, by="officer")
                while not waiting.running():
                    pass
                assert [len([*ledger.facts()]) for _ in range(20)] == [6] * 20
                assert waiting.running()
            assert waiting.result().new

    def test_a_full_disk(self, ledger):
        """When the disk is full, recording says so, nothing is stored, and it can go on."""
        before = ledger.position
        with ledger.recorder.datastore.get_connection(commit=True) as connection:
            cursor = connection.cursor()
            cursor.execute("PRAGMA page_count")
            cursor.execute(f"PRAGMA max_page_count = {cursor.fetchone()[0]}")
        commands = [Command(submitted(n, "x" * 500), MARCH, "o") for n in range(500)]
        with pytest.raises(LedgerFileError, match="disk is full"):
            ledger.record_all(commands)
        assert ledger.position == before
        with ledger.recorder.datastore.get_connection(commit=True) as connection:
            connection.cursor().execute("PRAGMA max_page_count = 1000000")
        assert len(ledger.record_all(commands)) == 500


def test_every_share_stored_is_exact(tmp_path):
    """A third in percent is stored as the units it was declared with, to the last digit."""
    with new_ledger(tmp_path) as ledger:
        thirds = equal_shares(["P1", "P2", "P3"])
        assert thirds[0] != Share("P1", thirds[1].percent)
        data = ProposalSubmitted("1", "T", "online", thirds)
        ledger.record(data, on=MARCH, by="officer")
        assert ledger.stream("proposal:1")[0].fact.data.authors == thirds
