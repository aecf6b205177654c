"""The ledger: facts are recorded once, in order, and read back as they were recorded."""

from __future__ import annotations

import os
import secrets
import sqlite3
import threading
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote
from zoneinfo import ZoneInfo

import attrs
from eventsourcing.persistence import InfrastructureFactory, PersistenceError
from eventsourcing.utils import Environment


from .directory import Directory
from .errors import InvalidFact, KeyConflict, LedgerFileError, ReadOnlyLedger, Refused
from .facts import Command, Fact, Recorded
from .kinds import kinds as default_kinds
from .kinds.office import FactVoided, LedgerOpened, RulebookAdopted, rulebook_digest
from .store import (
    APPLICATION_ID,
    SCHEMA_VERSION,
    CanonicalTranscoder,
    FactMapper,
    Recorder,
    Session,
    check_file,
    explained,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from eventsourcing.persistence import Notification

    from .kinds.registry import Kinds

__all__ = ["Ledger", "Writer", "system_clock", "voided_keys"]

DEFAULT_TIME_ZONE = "Asia/Seoul"
BATCH_ROWS = 5_000
LOCK_TIMEOUT_SECONDS = 5


def system_clock() -> datetime:
    """The present instant, in UTC."""
    return datetime.now(UTC)


class Ledger:
    """An append-only ledger of facts in a file.

    Open one with ``Ledger.open`` or make one with ``Ledger.create``; use it as a context manager
    or call ``close``. One object may be used from several threads.

    Attributes:
        path: The ledger's file. Beside it stand ``NAME.people.sqlite`` (the directory),
            ``NAME.read`` (read models) and ``NAME.hr.sqlite`` (what HR was sent).
        organisation: Whose ledger it is.
        time_zone: Zone of all civil dates in it, fixed when it was opened.
        clock: Function that tells the present instant.
        read_only: Whether nothing can be recorded.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Callable[[], datetime] = system_clock,
        kinds: Kinds = default_kinds,
        read_only: bool = False,
        persistence_module: str = "mileage.ledger.store",
    ) -> None:
        self.path = path
        self.clock = clock
        self.kinds = kinds
        self.read_only = read_only
        self._lock = threading.Lock()
        self._directory: Directory | None = None
        environment = Environment(
            name="mileage",
            env={
                "PERSISTENCE_MODULE": persistence_module,
                "SQLITE_DBNAME": _database_name(path, read_only=read_only),
                "SQLITE_LOCK_TIMEOUT": str(LOCK_TIMEOUT_SECONDS),
                "ORIGINATOR_ID_TYPE": "text",
                "CREATE_TABLE": "no",
            },
        )
        with explained(path.name):
            self._factory = InfrastructureFactory.construct(environment)
            recorder = self._factory.application_recorder()
        assert isinstance(recorder, Recorder)  # noqa: S101 - the module above gives this one
        self.recorder: Recorder = recorder
        self.mapper = FactMapper(CanonicalTranscoder())
        self.mapper.kinds = kinds
        self.organisation = ""
        self.time_zone = ZoneInfo("UTC")

    @classmethod
    def create(
        cls,
        path: Path | str,
        *,
        organisation: str,
        time_zone: str = DEFAULT_TIME_ZONE,
        recorded_by: str = "system",
        opened_on: date | None = None,
        clock: Callable[[], datetime] = system_clock,
        kinds: Kinds = default_kinds,
    ) -> Self:
        """Make a new ledger file and open it.

        Args:
            path: File to make; its folder must exist, the file must not.
            organisation: Name of the organisation.
            time_zone: IANA name of the zone of all civil dates; cannot be changed later.
            recorded_by: Id of who opens it.
            opened_on: Civil date of opening; today unless given.
            clock: Function that tells the present instant.
            kinds: Registry of the kinds of facts.

        Raises:
            LedgerFileError: The file exists already or cannot be made.
            InvalidFact: The time zone is unknown or a value is unfit.
        """
        path = Path(path)
        zone = _zone(time_zone)
        if path.exists():
            msg = f"{path.name}: exists already"
            raise LedgerFileError(msg)
        _make_file(path)
        ledger = cls(path, clock=clock, kinds=kinds)
        try:
            ledger.recorder.create_table()
            ledger.time_zone = zone
            opened = LedgerOpened(
                ledger=secrets.token_hex(8), organisation=organisation, time_zone=time_zone
            )
            ledger.record(opened, on=opened_on or ledger.today(), by=recorded_by, source="init")
        except BaseException:
            ledger.close()
            path.unlink()
            raise
        ledger.organisation = organisation
        return ledger

    @classmethod
    def open(
        cls,
        path: Path | str,
        *,
        clock: Callable[[], datetime] = system_clock,
        kinds: Kinds = default_kinds,
        read_only: bool = False,
    ) -> Self:
        """Open an existing ledger file.

        A file or folder that this process may not write is opened for reading only.

        Raises:
            NotALedger: There is no such file, or it is something else, damaged or truncated.
            NewerLedger: A later version of this package wrote it.
        """
        path = Path(path)
        check_file(path)
        kinds.load_plugins()
        writable = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
        ledger = cls(path, clock=clock, kinds=kinds, read_only=read_only or not writable)
        try:
            with explained(path.name):
                first = ledger.recorder.select_notifications(1, 1)
        except BaseException:
            ledger.close()
            raise
        opened = ledger._fact(first[0]).data if first else None
        if not isinstance(opened, LedgerOpened):
            ledger.close()
            msg = f"{path.name}: its first fact does not open a ledger"
            raise LedgerFileError(msg)
        ledger.organisation = opened.organisation
        ledger.time_zone = _zone(opened.time_zone)
        return ledger

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; the object cannot be used afterwards."""
        self._factory.close()
        if self._directory:
            self._directory.close()

    # -- recording -----------------------------------------------------------------------------

    def record(
        self,
        data: Any,
        *,
        on: date,
        by: str,
        source: str = "api",
        key: str | None = None,
    ) -> Recorded:
        """Record one fact; it is on disk when this returns.

        Args:
            data: What happened, an instance of a kind's class.
            on: Civil date, in the ledger's zone, on which it happened or takes effect.
            by: Opaque id of who records it.
            source: Where it comes from.
            key: Key in that source; the kind's natural key unless given.

        Returns:
            The fact with its position; ``new`` is false when it had been recorded before.

        Raises:
            InvalidFact: A value is unfit.
            Refused: It breaks a rule of the thing's life cycle.
            KeyConflict: The key names another fact already.
            ReadOnlyLedger, LockedLedger: The file cannot be written now.
        """
        return self.record_all([Command(data, on, by, source, key)])[0]

    def record_all(self, commands: Iterable[Command]) -> list[Recorded]:
        """Record several facts in one transaction: all of them, or none.

        Raises:
            InvalidFact, Refused, KeyConflict: As for ``record``; nothing was recorded.
        """
        with self.writer() as writer:
            return [writer.add(command) for command in commands]

    @contextmanager
    def writer(self) -> Iterator[Writer]:
        """A transaction to which facts are added one by one; rolled back if an error leaves it."""
        if self.read_only:
            msg = f"{self.path.name}: the ledger is open for reading only"
            raise ReadOnlyLedger(msg)
        with self.recorder.session() as session:
            writer = Writer(self, session)
            yield writer
            writer.flush()

    def void(self, key: str, *, reason: str, on: date, by: str, source: str = "api") -> Recorded:
        """Record that a fact was recorded in error and no longer counts from a date on.

        Raises:
            Refused: There is no such fact, it is void already, the date is before the fact, or
                another fact rests on it.
        """
        return self.record(FactVoided(fact=key, reason=reason), on=on, by=by, source=source)

    def adopt_rulebook(
        self,
        text: str,
        *,
        rulebook: str,
        on: date,
        by: str,
        effective_from: date | None = None,
        reason: str | None = None,
    ) -> Recorded:
        """Record the adoption of a rulebook, with its whole text.

        The text is kept as it is; ``mileage.projections.parse_rulebook`` says whether it can be
        used. An identical text with the same date of effect is recorded once.

        Args:
            text: The rulebook, TOML.
            rulebook: Its id.
            on: Date of the decision.
            by: Opaque id of who records it.
            effective_from: First day it applies to; the date of the decision unless given.
            reason: Why it reaches back, needed when ``effective_from`` is before ``on``.

        Raises:
            Refused: It reaches back without a reason.
        """
        effective = effective_from or on
        digest = rulebook_digest(text)
        with self.writer() as writer:
            same = writer.find(f"rulebook.adopted:{rulebook}:{digest}:{effective.isoformat()}")
            if same is not None:
                return same
            adopted = RulebookAdopted(
                rulebook=rulebook,
                digest=digest,
                effective_from=effective,
                text=text,
                reason=reason,
            )
            return writer.add(Command(adopted, on, by, "rules"))

    # -- reading -------------------------------------------------------------------------------

    def today(self) -> date:
        """Today's civil date in the ledger's zone."""
        return self.clock().astimezone(self.time_zone).date()

    @property
    def position(self) -> int:
        """Position of the last fact."""
        return self.recorder.max_notification_id() or 0

    @property
    def directory(self) -> Directory:
        """Names and other personal data, apart from the facts."""
        with self._lock:
            if self._directory is None:
                self._directory = Directory(self.path.with_suffix(".people.sqlite"))
            return self._directory

    def facts(
        self,
        after: int = 0,
        *,
        upto: int | None = None,
        topics: Sequence[str] = (),
    ) -> Iterator[Recorded]:
        """All facts in order of position, read in batches.

        Args:
            after: Begin after this position.
            upto: End with this position.
            topics: Only these topics; all unless given.

        Raises:
            CorruptFact: A stored fact cannot be read back exactly.
        """
        while True:
            batch = self.recorder.select_notifications(
                after, BATCH_ROWS, upto, topics, inclusive_of_start=False
            )
            if not batch:
                return
            for event in batch:
                yield Recorded(event.id, self._fact(event))
            after = batch[-1].id

    def stream(self, stream: str) -> list[Recorded]:
        """The facts of one thing, oldest first; empty when nothing is recorded of it."""
        return [Recorded(event.id, self._fact(event)) for event in self.recorder.stream(stream)]

    def mentions(self, person: str) -> list[Recorded]:
        """The facts that name a person, in order of position; a scan of the whole ledger."""
        with self.recorder.reading() as session:
            found = [Recorded(event.id, self._fact(event)) for event in session.mentions(person)]
        return [item for item in found if person in _people(item.fact)]

    def by_key(self, key: str) -> Recorded | None:
        """The fact that has a key, if any."""
        with self.recorder.reading() as session:
            event = session.by_key(key)
        return event and Recorded(event.id, self._fact(event))

    def state(self, stream: str) -> Any:
        """The present state of a thing, folded from its facts; ``None`` when it has none."""
        with self.recorder.reading() as session:
            return Writer(self, session).state(stream)

    def _fact(self, event: Notification) -> Fact:
        fact: Fact = self.mapper.to_domain_event(event)
        return fact


@attrs.define
class _Stream:
    """What a transaction knows of a stream.

    Attributes:
        version: Version of its last fact.
        state: Its folded state.
        began_on: Date of its first standing fact.
    """

    version: int
    state: Any
    began_on: date | None


class Writer:
    """Adds facts to the ledger within one transaction; made by ``Ledger.writer``."""

    def __init__(self, ledger: Ledger, session: Session) -> None:
        self._ledger = ledger
        self._session = session
        self._streams: dict[str, _Stream] = {}
        self._pending: dict[str, Fact] = {}
        self._today = ledger.today()
        self._position = -1

    def add(self, command: Command) -> Recorded:
        """Decide on a command and add what it leads to.

        Raises:
            InvalidFact, Refused, KeyConflict: The command was not accepted; what was added
                before stands.
        """
        same = self.find(command.effective_key)
        if same is not None:
            if same.fact.kind is command.kind and same.fact.says_the_same(command):
                return same
            raise KeyConflict(command.effective_key, same.position)
        if isinstance(command.data, FactVoided):
            return self._void(command, command.data)
        self._check(command)
        name = command.stream
        stream = self._stream(name)
        if stream.began_on and command.occurred_on < stream.began_on:
            raise Refused(
                "fact.before-the-thing",
                f"{command.occurred_on} is before {stream.began_on}, when {name} began",
                field="occurred_on",
            )
        programme = self._ledger.kinds.programme(command.kind.category)
        first: Recorded | None = None
        for number, data in enumerate(programme.decide(stream.state, command, self)):
            fact = self._append(name, command, data, number)
            stream.state = programme.evolve(stream.state, fact)
            stream.began_on = stream.began_on or fact.occurred_on
            first = first or Recorded(self._position, fact, new=True)
        if first is None:
            raise Refused("fact.nothing-to-record", f"{command.kind.name} led to no fact")
        return first

    def find(self, key: str) -> Recorded | None:
        """The fact that has a key, whether committed or added in this transaction."""
        pending = self._pending.get(key)
        if pending is not None:
            self.flush()
        event = self._session.by_key(key)
        return event and Recorded(event.id, self._ledger._fact(event))  # noqa: SLF001

    def state(self, stream: str) -> Any:
        """The folded state of a stream, with what this transaction added."""
        return self._stream(stream).state

    def flush(self) -> None:
        """Hand what is pending to the database; committed only when the transaction ends."""
        if self._pending:
            mapper = self._ledger.mapper
            events = [mapper.to_stored_event(fact) for fact in self._pending.values()]
            positions = self._session.insert(events)
            assert positions[-1] == self._position, positions  # noqa: S101 - told to callers
            self._pending.clear()

    def _append(self, stream: str, command: Command, data: Any, number: int) -> Fact:
        fact = Fact(
            originator_id=stream,
            originator_version=self._stream(stream).version + 1,
            data=data,
            occurred_on=command.occurred_on,
            recorded_at=self._ledger.clock(),
            recorded_by=command.recorded_by,
            source=command.source,
            key=command.effective_key + (f"/{number + 1}" if number else ""),
        )
        if self._position < 0:
            self._position = self._session.last_position()
        self._position += 1
        self._stream(stream).version += 1
        self._pending[fact.key] = fact
        if len(self._pending) >= BATCH_ROWS:
            self.flush()
        return fact

    def _check(self, command: Command) -> None:
        """Rules that hold for every kind: no future, and people and units that are there."""
        day = command.occurred_on
        if day > self._today:
            raise Refused("fact.in-the-future", f"{day} has not come yet", field="occurred_on")
        own = command.stream
        for name, field in command.kind.fields.items():
            value = getattr(command.data, name)
            if not field.refers_to or value is None:
                continue
            for thing in field.ids(value):
                stream = f"{field.refers_to}:{thing}"
                if stream == own:
                    continue
                state = self.state(stream)
                if state is None:
                    raise Refused(
                        f"{field.refers_to}.unknown", f"{thing} is not known", field=name
                    )
                if field.refers_to == "member" and not state.serves_on(day):
                    raise Refused(
                        "member.not-serving",
                        f"{thing} does not serve on {day}",
                        field=name,
                        remedy="look at the date, or record when the person joined or left",
                    )
                if field.refers_to == "unit" and day < state.established_on:
                    raise Refused(
                        "unit.not-established",
                        f"{thing} is established on {state.established_on}, after {day}",
                        field=name,
                    )

    def _stream(self, name: str) -> _Stream:
        known = self._streams.get(name)
        if known is None:
            known = self._streams[name] = self._load(name)
        return known

    def _load(self, name: str, *, void: str | None = None, check: bool = False) -> _Stream:
        """Fold a stream's standing facts, as if ``void`` were voided too."""
        ledger = self._ledger
        events = self._session.events(name)
        facts = [(event.id, ledger._fact(event)) for event in events]  # noqa: SLF001
        voids = [(fact.key, fact.data.fact) for _, fact in facts if _is_void(fact)]
        gone = voided_keys([*voids, *([("", void)] if void else [])])
        programme = ledger.kinds.programme(name.partition(":")[0])
        stream = _Stream(version=len(facts), state=None, began_on=None)
        for position, fact in facts:
            if _is_void(fact) or fact.key in gone:
                continue
            if check:
                self._check_still_stands(programme.decide, stream.state, position, fact)
            stream.state = programme.evolve(stream.state, fact)
            stream.began_on = stream.began_on or fact.occurred_on
        return stream

    def _check_still_stands(
        self, decide: Callable[..., Any], state: Any, position: int, fact: Fact
    ) -> None:
        command = Command(fact.data, fact.occurred_on, fact.recorded_by, fact.source, fact.key)
        try:
            decide(state, command, self)
        except Refused as refused:
            raise Refused(
                "correction.rested-upon",
                f"fact #{position} ({fact.kind.name}) rests on it: {refused.reason}",
                field="fact",
                remedy=f"void {fact.key!r} first",
            ) from None

    def _void(self, command: Command, data: FactVoided) -> Recorded:
        target = self.find(data.fact)
        if target is None:
            raise Refused(
                "correction.unknown-fact", f"no fact has the key {data.fact!r}", field="fact"
            )
        name = target.fact.originator_id
        if isinstance(target.fact.data, LedgerOpened):
            raise Refused("correction.opening", "the opening cannot be voided", field="fact")
        if command.occurred_on > self._today:
            reason = f"{command.occurred_on} has not come yet"
            raise Refused("fact.in-the-future", reason, field="occurred_on")
        if command.occurred_on < target.fact.occurred_on:
            raise Refused(
                "correction.before-the-fact",
                f"{command.occurred_on} is before the fact itself, {target.fact.occurred_on}",
                field="occurred_on",
            )
        self.flush()
        events = [self._ledger._fact(event) for event in self._session.events(name)]  # noqa: SLF001
        voids = [(fact.key, fact.data.fact) for fact in events if _is_void(fact)]
        if data.fact in voided_keys(voids):
            raise Refused("correction.already-void", f"{data.fact!r} is void already", field="fact")
        after = self._load(name, void=data.fact, check=True)
        if after.state is None:
            self._check_unmentioned(name)
        fact = self._append(name, command, data, 0)
        after.version = fact.originator_version
        self._streams[name] = after
        return Recorded(self._position, fact, new=True)

    def _check_unmentioned(self, name: str) -> None:
        """Refuse to void the last fact that makes a thing exist while others speak of it."""
        thing = name.partition(":")[2]
        for event in self._session.mentions(thing):
            if event.originator_id != name:
                raise Refused(
                    "correction.rested-upon",
                    f"fact #{event.id} ({event.topic}) speaks of {thing}",
                    field="fact",
                    remedy="void that one first, or correct this one by a later fact",
                )


def voided_keys(voids: Sequence[tuple[str, str]]) -> frozenset[str]:
    """Which keys are void, given ``(key of the voiding fact, key it voids)`` in order recorded.

    A voiding fact may be voided too: then what it voided stands again. The latest always counts,
    so one look from the last to the first is enough.
    """
    gone: set[str] = set()
    for key, target in reversed(voids):
        if key not in gone:
            gone.add(target)
    return frozenset(gone)


def _is_void(fact: Fact) -> bool:
    return isinstance(fact.data, FactVoided)


def _people(fact: Fact) -> set[str]:
    found = {fact.originator_id.removeprefix("member:")}
    for name, field in fact.kind.fields.items():
        value = getattr(fact.data, name)
        if field.refers_to == "member" and value is not None:
            found.update(field.ids(value))
    return found


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InvalidFact("time_zone", f"{name!r} is no IANA time zone", "Asia/Seoul") from None


def _database_name(path: Path, *, read_only: bool) -> str:
    if not read_only:
        return str(path)
    # Without a log to read there is nothing to lock: works even in a folder nobody can write.
    still = "&immutable=1" if not path.with_name(path.name + "-wal").exists() else ""
    return f"file:{quote(str(path.absolute()))}?mode=ro{still}"


def _make_file(path: Path) -> None:
    try:
        connection = sqlite3.connect(path)
        try:
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()
    except (sqlite3.Error, PersistenceError) as error:
        msg = f"{path.name}: cannot be made in this folder ({error})"
        raise LedgerFileError(msg) from error
