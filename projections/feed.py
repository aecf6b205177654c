"""The change feed: what everyone is entitled to, change by change, for a system in this process.

A consumer keeps a **cursor** with what it made of a change, in one transaction of its own, and asks
for what comes after. It may be killed at any point: after that it asks from the cursor it kept, and
gets the same changes again, as often as it asks.

The figures are built anew at any time, so the changes cannot be read off them. They are kept in a
journal of their own beside the ledger (``NAME.feed.sqlite``), which is only added to: each look at
the figures compares them with what the journal adds up to, and adds the differences in one
transaction. Figures that come out the same, however often they are rebuilt, add nothing. Each
change is chained to the one before by a digest that its cursor carries, so that a cursor of another
ledger, of another copy's journal or from the future is told from a cursor that was given out.

A consumer takes either the feed or the batches (``outbox``): both tell of the same entitlements.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs
from mileage.ledger import LedgerFileError, MileageError, format_amount
from mileage.ledger.facts import format_instant, parse_instant

from .build import fact_mark
from .hr import HrKey, Whys, entitlements

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from mileage.ledger import Ledger

    from .figures import Figures
    from .readmodel import ReadModel

__all__ = ["BadCursor", "EntitlementChange", "Feed", "changes"]

SCHEMA_VERSION = 1
PAGE_ROWS = 500
LOCK_TIMEOUT_SECONDS = 30
_DIGEST_CHARS = 16
_SCHEMA = """
CREATE TABLE journal (
    ledger TEXT NOT NULL,
    position INTEGER NOT NULL,
    last_fact TEXT NOT NULL,
    rules_position INTEGER NOT NULL,
    seen TEXT NOT NULL
);
CREATE TABLE changes (
    sequence INTEGER PRIMARY KEY,
    person TEXT NOT NULL,
    programme TEXT NOT NULL,
    code TEXT NOT NULL,
    for_period TEXT NOT NULL,
    previous INTEGER NOT NULL,
    new INTEGER NOT NULL,
    reason TEXT NOT NULL,
    facts TEXT NOT NULL,
    position INTEGER NOT NULL,
    noticed_at TEXT NOT NULL,
    digest TEXT NOT NULL
);
CREATE TABLE held (
    person TEXT NOT NULL,
    programme TEXT NOT NULL,
    code TEXT NOT NULL,
    for_period TEXT NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (person, programme, code, for_period)
) WITHOUT ROWID;
CREATE TRIGGER changes_stay BEFORE UPDATE ON changes
BEGIN SELECT RAISE (ABORT, 'a change that was told of is never changed'); END;
CREATE TRIGGER changes_are_kept BEFORE DELETE ON changes
BEGIN SELECT RAISE (ABORT, 'a change that was told of is never removed'); END;
"""


class BadCursor(MileageError):
    """A cursor that this feed never gave out, or not yet."""


@attrs.frozen
class EntitlementChange:
    """One change of what one person is entitled to; stable across releases.

    Attributes:
        cursor: To ask for what comes after this change; store it with what is made of the change.
        sequence: Number of the change in the feed, from 1 without gaps; it never means another.
        key: Person, programme, code and period, as in HR batches.
        previous: What held before, in 1/10,000.
        new: What holds from now on, in 1/10,000.
        reason: Why, the first that is true: ``correction``, ``facts`` or ``decision``, ``rules``
            (another rulebook), ``recalculated`` (a limit or a service that changed).
        facts: Positions of the facts that did it, as far as they are known.
        position: Position of the ledger that the figures had reached.
        noticed_at: Instant (UTC) at which the figures were looked at.
    """

    cursor: str
    sequence: int
    key: HrKey
    previous: int
    new: int
    reason: str
    facts: tuple[int, ...]
    position: int
    noticed_at: datetime

    @property
    def delta(self) -> int:
        """The difference, in 1/10,000."""
        return self.new - self.previous

    def as_json(self) -> dict[str, Any]:
        """The change as JSON has it: amounts are decimals written as texts."""
        return {
            "cursor": self.cursor,
            "sequence": self.sequence,
            **self.key._asdict(),
            "previous": format_amount(self.previous),
            "new": format_amount(self.new),
            "delta": format_amount(self.delta),
            "reason": self.reason,
            "facts": list(self.facts),
            "position": self.position,
            "noticed_at": format_instant(self.noticed_at),
        }


def changes(
    model: ReadModel, *, after: str | None = None, limit: int | None = None
) -> Iterator[EntitlementChange]:
    """Bring the figures and the feed up to the ledger, and tell of the changes after a cursor.

    Args:
        model: The read model of the ledger; where the ledger is open for reading only it stays as
            it is, and so does the feed.
        after: Cursor of the last change that was taken; from the beginning unless given.
        limit: At most so many changes.

    Returns:
        The changes there are now, in order.

    Raises:
        BadCursor: The cursor is of another ledger or journal, or from the future.
        LedgerFileError: The journal cannot be used, or has told of facts the ledger has lost.
    """
    feed = Feed(model.ledger)
    feed.check(after)  # before anything is built for a consumer that is wrong here
    if not model.ledger.read_only:
        model.catch_up()
        feed.notice(model)
    return feed.after(after, limit=limit)


class Feed:
    """The journal of the changes that figures went through.

    Attributes:
        path: Its file.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.path = ledger.beside(".feed.sqlite")
        self._name = ledger.stream_of_opening.partition(":")[2]

    def notice(self, model: ReadModel) -> int:
        """Add what is different in the figures in service from what the journal adds up to.

        Several facts between two looks make one change of a key. Where nothing was recorded or
        rebuilt since the last look, nothing is read.

        Returns:
            How many changes were added.

        Raises:
            LedgerFileError: The journal cannot be written, is of another ledger, or has told of
                facts that the ledger has lost.
            NoReadModel: Nothing was published yet.
        """
        with self._connected(create=True) as connection:
            connection.execute("BEGIN IMMEDIATE")
            about = self._about(connection)
            figures = model.figures()  # only now: nobody looks at later ones before these
            with figures.still():
                seen, meta = _seen(figures), figures.meta()
                if (seen and about["seen"] == seen) or int(meta["position"]) < about["position"]:
                    return 0
                added = self._add(connection, figures, about)
            connection.execute(
                "UPDATE journal SET position = ?, last_fact = ?, rules_position = ?, seen = ?",
                (meta["position"], meta["last_fact"], meta["rules_position"], seen),
            )
            connection.execute("COMMIT")
            return added

    def after(
        self, cursor: str | None = None, *, limit: int | None = None
    ) -> Iterator[EntitlementChange]:
        """The changes after a cursor that the journal has now, in order.

        They are read page by page; between two pages nothing is locked.

        Raises:
            BadCursor: The cursor is of another ledger or journal, or from the future.
            LedgerFileError: The journal cannot be used, is of another ledger, or has told of facts
                that the ledger has lost.
        """
        start, last = self.check(cursor)
        return self._pages(start, last if limit is None else min(last, start + limit))

    def check(self, cursor: str | None) -> tuple[int, int]:
        """The numbers of the change a cursor stands behind, 0 for the beginning, and of the last.

        Raises:
            BadCursor, LedgerFileError: As for ``after``.
        """
        name, sequence, digest = _parts(cursor) if cursor else (self._name, 0, "")
        if name != self._name:
            raise BadCursor("the cursor is of another ledger; look at which ledger is open")
        with self._connected() as connection:
            self._about(connection)
            last = _last(connection)
            if sequence > last:
                msg = (
                    f"the cursor stands behind change {sequence}, and the feed ends with {last}:"
                    f" was {self.path.name} restored from an earlier copy? Restore the later one,"
                    " or begin anew without a cursor, from nothing"
                )
                raise BadCursor(msg)
            if sequence and digest != self._digest(connection, sequence):
                msg = (
                    f"change {sequence} of the feed is not the one the cursor stands behind: was"
                    f" {self.path.name} replaced? Put it back, or begin anew without a cursor, from"
                    " nothing"
                )
                raise BadCursor(msg)
        return sequence, last

    # -- adding --------------------------------------------------------------------------------

    def _about(self, connection: sqlite3.Connection) -> Mapping[str, Any]:
        """What the journal says of itself; refuses one that does not belong to the ledger."""
        row = connection.execute("SELECT * FROM journal").fetchone()
        names = ("ledger", "position", "last_fact", "rules_position", "seen")
        about = dict(zip(names, row, strict=True))
        if about["ledger"] != self.ledger.stream_of_opening:
            msg = f"{self.path.name}: the feed of another ledger; move it away"
            raise LedgerFileError(msg)
        position = int(about["position"])
        try:
            same = not position or fact_mark(self.ledger.at(position)) == about["last_fact"]
        except LookupError:
            same = False
        if not same:
            msg = (
                f"{self.path.name} has told of fact #{position}, which the ledger does not have:"
                " was the ledger restored from an earlier copy? Restore the later one, or move the"
                " feed away and let its consumers begin anew, from nothing"
            )
            raise LedgerFileError(msg)
        return about

    def _add(
        self, connection: sqlite3.Connection, figures: Figures, about: Mapping[str, Any]
    ) -> int:
        held = {
            HrKey(*key): amount
            for *key, amount in connection.execute(
                "SELECT person, programme, code, for_period, amount FROM held"
            )
        }
        now, position = entitlements(figures), figures.position
        changed = [key for key in held.keys() | now.keys() if held.get(key, 0) != now.get(key, 0)]
        if not changed:
            return 0
        rules = int(figures.meta()["rules_position"])
        other_rules = bool(about["position"]) and about["rules_position"] != rules
        whys = Whys(self.ledger, figures, after=about["position"], rules_changed=other_rules)
        found = sorted(
            (max(facts, default=position), key, reason, facts)
            for key in changed
            for reason, facts in [whys.of(key)]
        )
        sequence, noticed_at = _last(connection), format_instant(self.ledger.clock())
        digest = self._digest(connection, sequence)
        rows = []
        for number, (_, key, reason, facts) in enumerate(found, sequence + 1):
            listed = ";".join(map(str, facts))
            amounts = (held.get(key, 0), now.get(key, 0))
            row = (number, *key, *amounts, reason, listed, position, noticed_at)
            digest = _chained(digest, row)
            rows.append((*row, digest))
        connection.executemany(f"INSERT INTO changes VALUES ({', '.join('?' * 12)})", rows)
        connection.executemany(
            "INSERT OR REPLACE INTO held VALUES (?, ?, ?, ?, ?)",
            [(*key, now.get(key, 0)) for key in changed],
        )
        connection.execute("DELETE FROM held WHERE amount = 0")
        return len(rows)

    # -- reading -------------------------------------------------------------------------------

    def _pages(self, start: int, last: int) -> Iterator[EntitlementChange]:
        while start < last:
            with self._connected() as connection:
                rows = connection.execute(
                    "SELECT * FROM changes WHERE sequence > ? AND sequence <= ?"
                    " ORDER BY sequence LIMIT ?",
                    (start, last, PAGE_ROWS),
                ).fetchall()
            for sequence, *key, previous, new, reason, facts, position, noticed_at, digest in rows:
                yield EntitlementChange(
                    cursor=f"{self._name}.{sequence}.{digest}",
                    sequence=sequence,
                    key=HrKey(*key),
                    previous=previous,
                    new=new,
                    reason=reason,
                    facts=tuple(int(part) for part in facts.split(";") if part),
                    position=position,
                    noticed_at=parse_instant(noticed_at),
                )
            start += len(rows)

    def _digest(self, connection: sqlite3.Connection, sequence: int) -> str:
        """What the cursor behind a change carries."""
        if not sequence:
            return _chained("", (self.ledger.stream_of_opening,))
        [(digest,)] = connection.execute(
            "SELECT digest FROM changes WHERE sequence = ?", (sequence,)
        ).fetchall()
        return str(digest)

    @contextmanager
    def _connected(self, *, create: bool = False) -> Iterator[sqlite3.Connection]:
        """The journal, or an empty one where nothing was noticed yet."""
        there = create or self.path.exists()
        try:
            connection = sqlite3.connect(
                self.path if there else ":memory:",
                isolation_level=None,
                timeout=LOCK_TIMEOUT_SECONDS,
            )
        except sqlite3.Error as error:
            msg = f"{self.path.name}: {error}"
            raise LedgerFileError(msg) from error
        try:
            self._check_schema(connection)
            yield connection
        except sqlite3.Error as error:
            msg = f"{self.path.name}: the feed cannot be used ({error})"
            raise LedgerFileError(msg) from error
        finally:
            connection.close()

    def _check_schema(self, connection: sqlite3.Connection) -> None:
        """Make the tables of a new journal, in one step; refuse what is none."""
        if _version(connection) == SCHEMA_VERSION:
            return
        connection.execute("BEGIN IMMEDIATE")
        version = _version(connection)
        if version == SCHEMA_VERSION:  # made by another process just now
            connection.execute("COMMIT")
            return
        if version or connection.execute("SELECT 1 FROM sqlite_master").fetchone():
            msg = f"{self.path.name}: written by another version of this package, or no feed"
            raise LedgerFileError(msg)
        for statement in _SCHEMA.split(";\n"):
            whole = statement.strip()
            if whole:
                connection.execute(whole)
        connection.execute(
            "INSERT INTO journal VALUES (?, 0, '', 0, '')", (self.ledger.stream_of_opening,)
        )
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")


def _version(connection: sqlite3.Connection) -> int:
    [(version,)] = connection.execute("PRAGMA user_version").fetchall()
    return int(version)


def _last(connection: sqlite3.Connection) -> int:
    """Number of the last change; 0 without any."""
    [(last,)] = connection.execute("SELECT coalesce(max(sequence), 0) FROM changes").fetchall()
    return int(last)


def _seen(figures: Figures) -> str:
    """What tells figures that were looked at before: their file as it stands; empty if gone."""
    try:
        stat = figures.path.stat()
    except OSError:  # later ones are in service already: the next look is at those
        return ""
    parts = (figures.path.name, stat.st_ino, stat.st_mtime_ns, stat.st_size, figures.position)
    return ":".join(map(str, parts))


def _chained(before: str, row: tuple[Any, ...]) -> str:
    text = json.dumps([before, *row], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_CHARS]


def _parts(cursor: str) -> tuple[str, int, str]:
    name, _, rest = cursor.partition(".")
    sequence, _, digest = rest.partition(".")
    whole = sequence.isascii() and sequence.isdecimal() and len(sequence) < 19  # noqa: PLR2004 - 63 bits
    if not (name and whole and digest and int(sequence)):
        raise BadCursor("this is no cursor of a change feed; give one as it was told, or none")
    return name, int(sequence), digest
