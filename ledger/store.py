"""The event store on SQLite, behind the ``eventsourcing`` library's own factory.

The library chooses its infrastructure by ``PERSISTENCE_MODULE``; this module is one. It differs
from the library's SQLite module in what an auditor needs: the position is a pinned column that is
never used again, a fact cannot be changed or removed even with plain SQL, a source key is unique,
and a state is canonical JSON that is read strictly.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from eventsourcing import sqlite
from eventsourcing.persistence import (
    ConnectionPoolClosedError,
    Mapper,
    Notification,
    PersistenceError,
    StoredEvent,
    Transcoder,
)

from .errors import (
    CorruptFact,
    InvalidFact,
    LedgerFileError,
    LockedLedger,
    NewerLedger,
    NotALedger,
    ReadOnlyLedger,
    UnknownKind,
)
from .facts import Fact, decode, encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .kinds.registry import Kinds

__all__ = ["APPLICATION_ID", "SCHEMA_VERSION", "FactMapper", "Factory", "Recorder", "Session"]

_EVENT_BY_KEY = (
    "SELECT 1 FROM stored_events WHERE json_extract(CAST(state AS TEXT), '$.key') = value"
)
_EVENT_BY_STREAM = "SELECT 1 FROM stored_events WHERE originator_id = value"

APPLICATION_ID = 0x4D4C4745  # "MLGE", so that `file` and this package know a ledger at sight
SCHEMA_VERSION = 1
CACHE_KIB = 65_536
_HEADER_LENGTH = 100

_SCHEMA = (
    """
    CREATE TABLE IF NOT EXISTS stored_events (
        position INTEGER PRIMARY KEY AUTOINCREMENT,
        originator_id TEXT NOT NULL,
        originator_version INTEGER NOT NULL,
        topic TEXT NOT NULL,
        state BLOB NOT NULL,
        UNIQUE (originator_id, originator_version)
    )
    """,
    # The key lives in the canonical state only; the index makes it unique whoever inserts.
    """
    CREATE UNIQUE INDEX IF NOT EXISTS stored_events_key
    ON stored_events (json_extract(CAST(state AS TEXT), '$.key'))
    """,
    """
    CREATE TRIGGER IF NOT EXISTS stored_events_no_update BEFORE UPDATE ON stored_events
    BEGIN SELECT RAISE(ABORT, 'a recorded fact is never changed'); END
    """,
    # INSERT OR REPLACE would remove a row without asking the trigger for DELETE.
    """
    CREATE TRIGGER IF NOT EXISTS stored_events_no_replace BEFORE INSERT ON stored_events
    WHEN EXISTS (SELECT 1 FROM stored_events WHERE position = NEW.position)
      OR EXISTS (SELECT 1 FROM stored_events WHERE originator_id = NEW.originator_id
                 AND originator_version = NEW.originator_version)
      OR EXISTS (SELECT 1 FROM stored_events WHERE json_extract(CAST(state AS TEXT), '$.key')
                 = json_extract(CAST(NEW.state AS TEXT), '$.key'))
    BEGIN SELECT RAISE(ABORT, 'a recorded fact is never replaced'); END
    """,
    """
    CREATE TRIGGER IF NOT EXISTS stored_events_no_delete BEFORE DELETE ON stored_events
    BEGIN SELECT RAISE(ABORT, 'a recorded fact is never removed'); END
    """,
)


# A state that was tampered with can fail in any of these ways, an upcast of an old one too.
_UNREADABLE = (InvalidFact, ValueError, LookupError, TypeError, AttributeError, RecursionError)


class CanonicalTranscoder(Transcoder):
    """The library's seam for encoding; facts are encoded whole by ``FactMapper`` instead."""

    def encode(self, obj: Any) -> bytes:
        """Encode a fact."""
        return encode(obj)

    def decode(self, data: bytes) -> Any:
        """Refuse: a state means nothing without its stream and topic."""
        raise NotImplementedError


class FactMapper(Mapper[str]):
    """Maps facts to stored events and back, strictly in both directions."""

    kinds: Kinds

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        """Encode a fact as canonical JSON under its kind's topic."""
        fact: Fact = domain_event
        return StoredEvent(
            originator_id=fact.originator_id,
            originator_version=fact.originator_version,
            topic=fact.kind.topic,
            state=encode(fact),
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """Decode a stored event.

        Raises:
            CorruptFact: It is not what was encoded.
            UnknownKind: No loaded module declares its topic.
        """
        try:
            return decode(
                cast("str", stored_event.originator_id),
                stored_event.originator_version,
                stored_event.topic,
                stored_event.state,
                self.kinds,
            )
        except UnknownKind as error:
            position = getattr(stored_event, "id", 0)
            raise CorruptFact(position, f"{error}; load the module that declares it") from error
        except _UNREADABLE as error:
            position = getattr(stored_event, "id", 0)
            raise CorruptFact(position, f"{error}; restore the ledger from a copy") from error


class Session:
    """One write transaction: what is read in it cannot change before it is committed."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self._cursor = cursor

    def events(self, stream: str) -> list[Notification]:
        """All events of a stream, oldest first."""
        return _notifications(
            self._cursor.execute(
                "SELECT * FROM stored_events WHERE originator_id = ? ORDER BY originator_version",
                (stream,),
            )
        )

    def by_key(self, key: str) -> Notification | None:
        """The event that has a key, if any."""
        found = _notifications(
            self._cursor.execute(
                "SELECT * FROM stored_events WHERE json_extract(CAST(state AS TEXT), '$.key') = ?",
                (key,),
            )
        )
        return found[0] if found else None

    def positions(self, keys: Sequence[str]) -> dict[str, int]:
        """Positions of the events that have one of the keys."""
        rows = self._cursor.execute(
            "SELECT value, (SELECT position FROM stored_events"
            " WHERE json_extract(CAST(state AS TEXT), '$.key') = value) FROM json_each(?)",
            (json.dumps(list(keys)),),
        )
        return {key: position for key, position in rows if position is not None}

    def at(self, positions: Sequence[int]) -> list[Notification]:
        """The events at some positions."""
        return _notifications(
            self._cursor.execute(
                "SELECT * FROM stored_events"
                " WHERE position IN (SELECT value FROM json_each(?)) ORDER BY position",
                (json.dumps(list(positions)),),
            )
        )

    def known_keys(self, keys: Iterable[str]) -> set[str]:
        """Those of the keys that an event has."""
        return self._known(_EVENT_BY_KEY, keys)

    def known_streams(self, streams: Iterable[str]) -> set[str]:
        """Those of the streams that have events."""
        return self._known(_EVENT_BY_STREAM, streams)

    def _known(self, event: str, values: Iterable[str]) -> set[str]:
        rows = self._cursor.execute(
            f"SELECT value FROM json_each(?) WHERE EXISTS ({event})",  # noqa: S608 - no values
            (json.dumps(list(values)),),
        )
        return {row[0] for row in rows}

    def first_position(self, stream: str, topics: Sequence[str]) -> int | None:
        """Position of the first event of a stream that has one of the topics, if any."""
        marks = ",".join("?" * len(topics))
        row = self._cursor.execute(
            f"SELECT min(position) FROM stored_events WHERE originator_id = ? AND topic IN ({marks})",  # noqa: S608, E501 - marks only
            (stream, *topics),
        ).fetchone()
        return row[0] if row else None

    def mentions(self, word: str) -> list[Notification]:
        """Events whose state has a text equal to ``word`` somewhere; a scan of the ledger."""
        return _notifications(
            self._cursor.execute(
                "SELECT * FROM stored_events WHERE instr(CAST(state AS TEXT), ?) ORDER BY position",
                (json.dumps(word, ensure_ascii=False),),
            )
        )

    def streams(self, beginning: str, word: str) -> list[str]:
        """Streams whose name begins so and that have a text equal to ``word`` in a state."""
        rows = self._cursor.execute(
            "SELECT DISTINCT originator_id FROM stored_events"
            " WHERE originator_id >= ? AND originator_id < ?"
            " AND instr(CAST(state AS TEXT), ?) ORDER BY originator_id",
            (beginning, f"{beginning}\U0010ffff", json.dumps(word, ensure_ascii=False)),
        )
        return [row[0] for row in rows]

    def last_position(self) -> int:
        """Position of the last event; 0 when there is none."""
        row = self._cursor.execute("SELECT max(position) FROM stored_events").fetchone()
        return row[0] or 0

    def last_position_given(self) -> int:
        """The highest position ever given, even if nobody has it any longer."""
        row = self._cursor.execute(
            "SELECT seq FROM sqlite_sequence WHERE name = 'stored_events'"
        ).fetchone()
        return row[0] if row else 0

    def insert(self, events: Sequence[StoredEvent]) -> range:
        """Append events; return their positions."""
        self._cursor.executemany(
            "INSERT INTO stored_events (originator_id, originator_version, topic, state)"
            " VALUES (?, ?, ?, ?)",
            [(e.originator_id, e.originator_version, e.topic, e.state) for e in events],
        )
        # Nobody else can insert during this transaction, so the positions are consecutive.
        (last,) = self._cursor.execute("SELECT max(position) FROM stored_events").fetchone()
        return range(last - len(events) + 1, last + 1)


class Recorder(sqlite.SQLiteApplicationRecorder):
    """Application recorder with a pinned position, unique keys and no way to change a fact."""

    def construct_create_table_statements(self) -> list[str]:
        """Statements that make the schema."""
        return list(_SCHEMA)

    def _insert_events(
        self, c: sqlite.SQLiteCursor, stored_events: Sequence[StoredEvent], **_: Any
    ) -> Sequence[int]:
        return Session(c.sqlite_cursor).insert(stored_events)

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Select events in order of position; see the library's ``ApplicationRecorder``."""
        where, params = ["position >= ?" if inclusive_of_start else "position > ?"], [start or 0]
        if stop is not None:
            where.append("position <= ?")
            params.append(stop)
        marks = ",".join("?" * len(topics))
        if topics:
            where.append(f"topic IN ({marks})")
        statement = (
            f"SELECT * FROM stored_events WHERE {' AND '.join(where)}"  # noqa: S608 - no values
            " ORDER BY position LIMIT ?"
        )
        with self._snapshot() as c:
            c.execute(statement, [*params, *topics, limit])
            return _notifications(c.fetchall())

    def stream(self, stream: str) -> list[Notification]:
        """All events of a stream with their positions, oldest first."""
        with self.reading() as session:
            return session.events(stream)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A snapshot to read from."""
        with self._snapshot() as c:
            yield Session(c.sqlite_cursor)

    def max_notification_id(self) -> int:
        """Position of the last event; 0 when there is none."""
        with self.reading() as session:
            return session.last_position()

    @contextmanager
    def _snapshot(self) -> Iterator[sqlite.SQLiteCursor]:
        with (
            explained(self.datastore.pool.db_name),
            self.datastore.transaction(commit=False) as cursor,
        ):
            yield cursor

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A write transaction, begun at once so that nobody writes between a look and an act.

        Raises:
            LockedLedger: Another process writes for longer than the lock timeout.
            ReadOnlyLedger: The file or its folder cannot be written.
        """
        with (
            explained(self.datastore.pool.db_name),
            # The pool would keep readers waiting behind a writer that waits; the file does not.
            self.datastore.get_connection(commit=False) as connection,
        ):
            cursor = connection.cursor()
            # A long import comes back to every part of the key's index.
            cursor.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            cursor.execute("BEGIN IMMEDIATE")
            try:
                yield Session(cursor.sqlite_cursor)
                connection.commit()
            except BaseException:
                connection.rollback()
                raise


class Factory(sqlite.SQLiteFactory):
    """The library's SQLite factory with the recorder of this module."""

    application_recorder_class = Recorder


def _notifications(rows: Any) -> list[Notification]:
    return [
        Notification(
            id=row["position"],
            originator_id=row["originator_id"],
            originator_version=row["originator_version"],
            topic=row["topic"],
            state=row["state"],
        )
        for row in rows
    ]


# What SQLite says of a file that is no ledger, or no longer one.
_DAMAGE = ("malformed", "not a database", "no such table", "no such column")


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Turn the database's errors about the file into the ledger's own."""
    try:
        yield
    except ConnectionPoolClosedError as error:
        file = Path(name.removeprefix("file:").partition("?")[0]).name
        msg = f"{file}: this ledger was closed; open it again"
        raise LedgerFileError(msg) from error
    except (sqlite3.Error, PersistenceError) as error:
        text = str(error).lower()
        file = Path(name.removeprefix("file:").partition("?")[0]).name
        if "locked" in text or "busy" in text or "timed out" in text:
            msg = f"{file}: another process is writing to the ledger; try again when it is done"
            raise LockedLedger(msg) from error
        if "readonly" in text or "read-only" in text or "unable to open" in text:
            msg = f"{file}: cannot be written; look at the file's and the folder's permissions"
            raise ReadOnlyLedger(msg) from error
        if any(word in text for word in _DAMAGE):
            msg = f"{file}: the file is damaged; restore it from a copy"
            raise NotALedger(msg) from error
        if "disk is full" in text or "disk i/o" in text:
            msg = f"{file}: the disk is full or failing; nothing of this was recorded"
            raise LedgerFileError(msg) from error
        raise


def check_file(path: Path) -> None:
    """Look at a file's header before it is opened as a ledger.

    Raises:
        NotALedger: Not there, not SQLite, not a ledger, or shorter than it says it is.
        NewerLedger: A later version wrote it.
    """
    if path.is_dir():
        msg = f"{path.name}: a folder, not a ledger; name the file in it"
        raise NotALedger(msg)
    if not path.is_file():
        msg = f"{path.name}: there is no such ledger (make one with `mileage init`)"
        raise NotALedger(msg)
    with path.open("rb") as file:
        header = file.read(_HEADER_LENGTH)
    if len(header) < _HEADER_LENGTH or not header.startswith(b"SQLite format 3\0"):
        msg = f"{path.name}: not a ledger file; if it was one, restore it from a copy"
        raise NotALedger(msg)
    if int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        msg = f"{path.name}: an SQLite file, but not a ledger"
        raise NotALedger(msg)
    version = int.from_bytes(header[60:64], "big")
    if version > SCHEMA_VERSION:
        msg = (
            f"{path.name}: written by a later version (schema {version}, this one knows"
            f" {SCHEMA_VERSION}); update innovation-mileage"
        )
        raise NewerLedger(msg)
    page = int.from_bytes(header[16:18], "big")
    pages = int.from_bytes(header[28:32], "big")
    if path.stat().st_size < (65_536 if page == 1 else page) * pages:
        msg = f"{path.name}: the file is truncated; restore it from a copy"
        raise NotALedger(msg)
