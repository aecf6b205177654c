"""The ledger: facts are recorded once, in order, and read back as they were recorded."""

from __future__ import annotations

import os
import secrets
import sqlite3
import threading
from contextlib import contextmanager
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote
from zoneinfo import ZoneInfo

import attrs
from eventsourcing.persistence import InfrastructureFactory, Notification, PersistenceError
from eventsourcing.utils import Environment

from .directory import Directory
from .errors import (
    InvalidFact,
    KeyConflict,
    LedgerFileError,
    NotALedger,
    ReadOnlyLedger,
    Refused,
)
from .facts import KEY_LENGTH_MAX, Command, Fact, Recorded
from .fields import Unit
from .kinds import kind_of
from .kinds import kinds as default_kinds
from .kinds.closing import CLOSINGS, PeriodClosed, PeriodReopened
from .kinds.member import MemberJoined
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

    from .fields import FieldType
    from .kinds.registry import Kind, Kinds

__all__ = ["Ledger", "Writer", "gone_keys", "system_clock", "voided_keys"]

DEFAULT_TIME_ZONE = "Asia/Seoul"
BATCH_ROWS = 5_000
LOOK_AHEAD_ROWS = 1_000
STREAMS_MAX = 100_000
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
            ``NAME.read`` (read models), ``NAME.hr.sqlite`` (what HR was sent) and
            ``NAME.feed.sqlite`` (the change feed).
        organisation: Whose ledger it is.
        stream_of_opening: Stream of the first fact; it identifies the ledger.
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
                "SQLITE_DBNAME": database_name(path, read_only=read_only),
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
        self.stream_of_opening = ""
        self.time_zone = ZoneInfo("UTC")

    @classmethod
    def create(  # noqa: PLR0913 - each is a choice of its own
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
        path = Path(path).resolve()
        zone = _zone(time_zone)
        _check_name(path)
        kinds.load_plugins()
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
            day = opened_on or ledger.today()
            first = ledger.record(opened, on=day, by=recorded_by, source="init")
        except BaseException:
            ledger.close()
            path.unlink()
            raise
        ledger.organisation = organisation
        ledger.stream_of_opening = first.fact.originator_id
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
        path = Path(path).resolve()  # what stands beside a link's target is the ledger's
        check_file(path)
        kinds.load_plugins()
        writable = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
        ledger = cls(path, clock=clock, kinds=kinds, read_only=read_only or not writable)
        try:
            first = ledger.recorder.select_notifications(1, 1)
            opened = ledger._fact(first[0]).data if first else None
            if not isinstance(opened, LedgerOpened):
                msg = f"{path.name}: its first fact does not open a ledger"
                raise NotALedger(msg)  # noqa: TRY301 - closed like after any other error
            ledger.organisation = opened.organisation
            ledger.stream_of_opening = str(first[0].originator_id)
            ledger.time_zone = _zone(opened.time_zone)
        except BaseException:
            ledger.close()
            raise
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
        recorded: list[Recorded] = []
        pending = iter(commands)
        with self.writer() as writer:
            while batch := list(islice(pending, LOOK_AHEAD_ROWS)):
                writer.look_ahead(batch)
                recorded.extend(writer.add(command) for command in batch)
        return recorded

    @contextmanager
    def writer(self) -> Iterator[Writer]:
        """A transaction to which facts are added one by one; rolled back if an error leaves it."""
        if self.read_only:
            msg = (
                f"{self.path.name}: the ledger is open for reading only (to record, let the file"
                " and its folder be written)"
            )
            raise ReadOnlyLedger(msg)
        with self.recorder.session() as session:
            writer = Writer(self, session)
            yield writer
            writer.flush()

    def void(  # noqa: PLR0913 - all but the key and the reason are those of record
        self,
        fact: str,
        *,
        reason: str,
        on: date,
        by: str,
        source: str = "api",
        key: str | None = None,
    ) -> Recorded:
        """Record that a fact was recorded in error and no longer counts from a date on.

        Args:
            fact: Key of that fact.
            reason: Why it does not count.
            on: Civil date from which it no longer counts.
            by: Opaque id of who records it.
            source: Where the correction comes from.
            key: Key of the correction; needed to void a fact a second time, after its first
                voiding was voided.

        Raises:
            Refused: There is no such fact, it is void already, the date is before the fact, or
                another fact rests on it.
        """
        voided = FactVoided(fact=fact, reason=reason)
        return self.record(voided, on=on, by=by, source=source, key=key)

    def adopt_rulebook(  # noqa: PLR0913 - all but the text are those of record
        self,
        text: str,
        *,
        rulebook: str,
        on: date,
        by: str,
        effective_from: date | None = None,
        reason: str | None = None,
        check: Callable[[], object] | None = None,
    ) -> Recorded:
        """Record the adoption of a rulebook, with its whole text.

        The text is kept as it is; ``mileage.projections.parse_rulebook`` says whether it can be
        used. An identical text with the same date of effect is recorded once, unless another
        adoption came after it or it was voided: then it is adopted anew.

        Args:
            text: The rulebook, TOML.
            rulebook: Its id.
            on: Date of the decision.
            by: Opaque id of who records it.
            effective_from: First day it applies to; the date of the decision unless given.
            reason: Why it reaches back, needed when ``effective_from`` is before ``on``.
            check: Called when it is about to be recorded, while nobody else can record; what it
                raises keeps the adoption out.

        Raises:
            Refused: It reaches back without a reason, it is dated before the adoption before it,
                or, without a reason, one that was to apply from a later day would no longer.
        """
        effective = effective_from or on
        digest = rulebook_digest(text)
        key = f"rulebook.adopted:{rulebook}:{digest}:{effective.isoformat()}"
        with self.writer() as writer:
            about = list(self.facts(topics=self.kinds.topics("rulebook.adopted", "fact.voided")))
            gone = gone_keys(item.fact for item in about)
            adoptions = [item for item in about if not _is_void(item.fact)]
            alike = [item for item in adoptions if item.fact.key.startswith(key)]
            standing = [item for item in adoptions if item.fact.key not in gone]
            if standing and standing[-1] in alike:
                return standing[-1]
            if standing:
                _check_order(standing, on, effective, reason)
            if alike:
                key = f"{key}:{len(alike) + 1}"
            if check:
                check()
            adopted = RulebookAdopted(
                rulebook=rulebook,
                digest=digest,
                effective_from=effective,
                text=text,
                reason=reason,
            )
            return writer.add(Command(adopted, on, by, "rules", key))

    def close_period(
        self,
        period: str,
        *,
        on: date,
        by: str,
        check: Callable[[], object] | None = None,
    ) -> Recorded:
        """Close a period: what was published of it stays as it was.

        Args:
            period: ``2005``, ``2005-H1``, ``2005-Q3`` or ``2005-03``; it follows the last one
                closed without a gap, and it is over.
            on: Date of the closing, in the ledger's zone.
            by: Opaque id of who closes it.
            check: Called when it is about to be recorded, while nobody else can record; what it
                raises keeps the closing out.

        Raises:
            InvalidFact: It is no period.
            Refused: It is closed already, not over, or another one comes first.
        """
        return self._about_period(PeriodClosed(period), on, by, check)

    def reopen_period(
        self, period: str, *, on: date, by: str, approved_by: str, reason: str
    ) -> Recorded:
        """Open the period closed last again; its figures follow the facts from then on.

        Args:
            period: The period closed last.
            on: Date, in the ledger's zone.
            by: Opaque id of who records it.
            approved_by: Opaque id of somebody else who approved it.
            reason: Why.

        Raises:
            InvalidFact: It is no period, or no reason is given.
            Refused: It is not closed, not the last one closed, or one person did both.
        """
        return self._about_period(PeriodReopened(period, approved_by, reason), on, by, None)

    def _about_period(
        self,
        data: PeriodClosed | PeriodReopened,
        on: date,
        by: str,
        check: Callable[[], object] | None,
    ) -> Recorded:
        with self.writer() as writer:
            if check:
                check()
            number = len(self.stream(CLOSINGS)) + 1  # a period may be closed more than once
            key = f"{kind_of(type(data)).name}:{data.period}:{number}"
            return writer.add(Command(data, on, by, "closing", key))

    # -- reading -------------------------------------------------------------------------------

    def today(self) -> date:
        """Today's civil date in the ledger's zone."""
        return self.day_of(self.clock())

    def day_of(self, instant: datetime) -> date:
        """Civil date of an instant in the ledger's zone."""
        return instant.astimezone(self.time_zone).date()

    @property
    def position(self) -> int:
        """Position of the last fact."""
        return self.recorder.max_notification_id() or 0

    def beside(self, suffix: str) -> Path:
        """The file or folder beside the ledger that has its name and a suffix."""
        return self.path.with_name(self.path.name.removesuffix(".sqlite") + suffix)

    @property
    def directory(self) -> Directory:
        """Names and other personal data, apart from the facts."""
        with self._lock:
            if self._directory is None:
                self._directory = Directory(self.beside(".people.sqlite"))
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

    def first_position(self, stream: str, topics: Sequence[str]) -> int | None:
        """Position of the first fact of a stream with one of the topics, if any."""
        with self.recorder.reading() as session:
            return session.first_position(stream, topics)

    def mentions(self, person: str) -> list[Recorded]:
        """The facts that name a person, in order of position; a scan of the whole ledger."""
        with self.recorder.reading() as session:
            found = [Recorded(event.id, self._fact(event)) for event in session.mentions(person)]
        return [item for item in found if person in _people(item.fact)]

    def at(self, position: int) -> Recorded:
        """The fact at a position.

        Raises:
            LookupError: There is none.
        """
        return self.at_all([position])[0]

    def at_all(self, positions: Sequence[int]) -> list[Recorded]:
        """The facts at several positions, in the order given.

        Raises:
            LookupError: There is none at one of them.
        """
        with self.recorder.reading() as session:
            events = {event.id: event for event in session.at(positions)}
        for position in positions:
            if position not in events:
                msg = f"no fact has the position {position}"
                raise LookupError(msg)
        return [Recorded(position, self._fact(events[position])) for position in positions]

    def positions(self, keys: Sequence[str]) -> dict[str, int]:
        """Positions of the facts that have one of the keys; unknown keys are left out."""
        with self.recorder.reading() as session:
            return session.positions(keys)

    def by_key(self, key: str) -> Recorded | None:
        """The fact that has a key, if any."""
        with self.recorder.reading() as session:
            event = session.by_key(key)
        return Recorded(event.id, self._fact(event)) if event else None

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
        corrected_on: Latest date on which a correction of it takes effect.
    """

    version: int
    state: Any
    began_on: date | None
    corrected_on: date | None = None


class Writer:
    """Adds facts to the ledger within one transaction; made by ``Ledger.writer``."""

    def __init__(self, ledger: Ledger, session: Session) -> None:
        self._ledger = ledger
        self._session = session
        # What was asked for lately, in two generations, so that memory stays bounded.
        self._streams: dict[str, _Stream] = {}
        self._older_streams: dict[str, _Stream] = {}
        self._pending: dict[str, Recorded] = {}
        self._absent_keys: set[str] = set()
        # Facts of one transaction become known together: they have one instant and one today.
        self._recorded_at = ledger.clock()
        self._today = ledger.day_of(self._recorded_at)
        self._position = -1

    def look_ahead(self, commands: Sequence[Command]) -> None:
        """Ask the database at once for what adding these commands would ask one by one.

        Only a matter of speed: each command is decided on the same way afterwards.
        """
        if len(commands) < 2:  # noqa: PLR2004 - nothing to put together
            return
        keys = {command.effective_key for command in commands}
        keys = {key for key in keys if key not in self._pending}  # not `-`: it walks the whole dict
        self._absent_keys = keys - self._session.known_keys(keys)
        streams = {command.stream for command in commands if command.kind.category}
        fresh = {
            name
            for name in streams
            if name not in self._streams and name not in self._older_streams
        }
        for name in fresh - self._session.known_streams(fresh):
            self._streams[name] = _Stream(version=0, state=None, began_on=None)

    def add(self, command: Command) -> Recorded:
        """Decide on a command and add what it leads to.

        Raises:
            InvalidFact, Refused, KeyConflict: The command was not accepted; what was added
                before stands.
        """
        key = command.effective_key
        same = self.find(key)
        if same is not None:
            if same.fact.kind is command.kind and same.fact.says_the_same(command):
                return same
            raise KeyConflict(key, same.position)
        if len(key) > KEY_LENGTH_MAX:
            raise InvalidFact("key", "the natural key is too long", "give the fact a key")
        if isinstance(command.data, FactVoided):
            return self._void(command, command.data)
        kind = command.kind
        name = kind.stream(command.data)
        self._check(command, kind, name)
        stream = self._stream(name)
        _check_begun(name, stream, command.occurred_on)
        if stream.corrected_on and command.occurred_on < stream.corrected_on:
            self._check_in_effect(name, command)
        programme = self._ledger.kinds.programme(kind.category)
        first: Recorded | None = None
        for number, data in enumerate(programme.decide(stream.state, command, self)):
            recorded = self._append(
                name, stream, command, data, f"{key}/{number + 1}" if number else key
            )
            stream.state = programme.evolve(stream.state, recorded.fact)
            stream.began_on = stream.began_on or recorded.fact.occurred_on
            first = first or recorded
        if first is None:
            raise Refused("fact.nothing-to-record", f"{kind.name} led to no fact")
        return first

    def find(self, key: str) -> Recorded | None:
        """The fact that has a key, whether committed or added in this transaction."""
        if key in self._absent_keys:
            return None
        pending = self._pending.get(key)
        if pending is not None:
            return attrs.evolve(pending, new=False)
        event = self._session.by_key(key)
        return Recorded(event.id, self._ledger._fact(event)) if event else None  # noqa: SLF001

    def state(self, stream: str) -> Any:
        """The folded state of a stream, with what this transaction added."""
        return self._stream(stream).state

    def standing(self, key: str) -> Fact | None:
        """The fact that has a key, unless it is void; with what this transaction added."""
        found = self.find(key)
        if found is None:
            return None
        self.flush()
        facts = [fact for _, fact in self.facts_of(found.fact.originator_id)]
        return None if key in gone_keys(facts) else found.fact

    def things(self, beginning: str, word: str) -> list[tuple[str, Any]]:
        """Streams that begin so and have a fact that says a word, each with its folded state."""
        return [(name, self.state(name)) for name in self.streams(beginning, word)]

    def streams(self, beginning: str, word: str) -> list[str]:
        """Names of streams that begin so and have a fact with a text equal to a word."""
        self.flush()
        return self._session.streams(beginning, word)

    def flush(self) -> None:
        """Hand what is pending to the database; committed only when the transaction ends."""
        if self._pending:
            mapper = self._ledger.mapper
            events = [mapper.to_stored_event(added.fact) for added in self._pending.values()]
            positions = self._session.insert(events)
            if positions[-1] != self._position:  # callers have been told; nothing may be kept
                msg = f"{self._ledger.path.name}: positions are not what they must be; nothing kept"
                raise NotALedger(msg)
            self._pending.clear()
        # Only now may streams be forgotten: the database has everything of theirs.
        if len(self._streams) > STREAMS_MAX:
            self._older_streams, self._streams = self._streams, {}

    def _append(
        self, name: str, stream: _Stream, command: Command, data: Any, key: str
    ) -> Recorded:
        if len(self._pending) >= BATCH_ROWS:
            self.flush()
        if self._position < 0:
            self._position = self._session.last_position_given()
        stream.version += 1
        self._position += 1
        fact = Fact(
            originator_id=name,
            originator_version=stream.version,
            data=data,
            occurred_on=command.occurred_on,
            recorded_at=self._recorded_at,
            recorded_by=command.recorded_by,
            source=command.source,
            key=key,
        )
        recorded = self._pending[key] = Recorded(self._position, fact, new=True)
        self._absent_keys.discard(key)
        return recorded

    def _check(self, command: Command, kind: Kind, own: str) -> None:
        """Rules that hold for every kind: no future, and people and units that are there."""
        day = command.occurred_on
        if day > self._today:
            raise Refused("fact.in-the-future", f"{day} has not come yet", field="occurred_on")
        if isinstance(command.data, LedgerOpened) and self._session.last_position():
            raise Refused("ledger.already-opened", "a ledger is opened once")
        for name, field in kind.references.items():
            value = getattr(command.data, name)
            for thing in () if value is None else field.ids(value):
                if f"{field.refers_to[0]}:{thing}" != own:
                    self._check_reference(day, name, field, thing)

    def _check_reference(self, day: date, name: str, field: FieldType, thing: str) -> None:
        """What a fact refers to is there on its day: a person serves, a unit or thing has begun."""
        found = [
            (stream, self.state(stream))
            for stream in (f"{category}:{thing}" for category in field.refers_to)
        ]
        stream, state = next((pair for pair in found if pair[1] is not None), ("", None))
        match field.refers_to:
            case (("member" | "unit") as category,):
                if state is None:
                    raise Refused(f"{category}.unknown", f"{thing} is not known", field=name)
                if category == "member" and not _may_be_named(field, state, day):
                    raise Refused(
                        "member.not-serving",
                        f"{thing} does not serve on {day}",
                        field=name,
                        remedy="look at the date, or record when the person joined or left",
                    )
                if category == "unit" and day < state.established_on:
                    raise Refused(
                        "unit.not-established",
                        f"{thing} is established on {state.established_on}, after {day}",
                        field=name,
                    )
                ended_too = isinstance(field, Unit) and field.ended
                if category == "unit" and not (state.exists_on(day) or ended_too):
                    raise Refused(
                        "unit.ended",
                        f"{thing} no longer exists on {day}: it ended on {state.ended_on}",
                        field=name,
                        remedy="name the unit that took its place, or look at the date",
                    )
            case categories:
                labels = [self._ledger.kinds.programme(each).label.en for each in categories]
                what = " or ".join(label.lower() for label in labels)
                if state is None:
                    raise Refused("thing.unknown", f"there is no {what} {thing}", field=name)
                began_on = self._stream(stream).began_on
                if began_on and day < began_on:
                    raise Refused(
                        "thing.not-begun",
                        f"{what} {thing} began on {began_on}, after {day}",
                        field=name,
                    )

    def _stream(self, name: str) -> _Stream:
        known = self._streams.get(name)
        if known is None:
            known = self._older_streams.pop(name, None) or self._load(name)
            self._streams[name] = known
        return known

    def _load(self, name: str, *, void: str | None = None, check: bool = False) -> _Stream:
        """Fold a stream's standing facts, as if ``void`` were voided too."""
        facts = self.facts_of(name)
        voids = [(fact.key, fact.data.fact) for _, fact in facts if _is_void(fact)]
        gone = voided_keys([*voids, *([("", void)] if void else [])])
        gone_before = voided_keys(voids) if void else gone
        programme = self._ledger.kinds.programme(name.partition(":")[0])
        then = _Then(self)
        stream = _Stream(version=len(facts), state=None, began_on=None)
        for position, fact in facts:
            if _is_void(fact):
                stream.corrected_on = max(stream.corrected_on or fact.occurred_on, fact.occurred_on)
            if _is_void(fact) or fact.key in gone:
                continue
            if check:
                # What other things became afterwards is not the void's doing; but what stands
                # again must fit what they are now.
                then.position = position
                again = fact.key in gone_before
                with _resting_on(position, fact, again=again):
                    if again:
                        self._check(_asked(fact), fact.kind, name)
                        _check_begun(name, stream, fact.occurred_on)
                    programme.decide(stream.state, _asked(fact), self if again else then)
            stream.state = programme.evolve(stream.state, fact)
            stream.began_on = stream.began_on or fact.occurred_on
        return stream

    def _check_in_effect(self, name: str, command: Command) -> None:
        """Refuse a fact that only a correction of a later day makes room for.

        As of its own day both would count: what was voided, as it still stands on that day, and
        what takes its place.
        """
        self.flush()
        day = command.occurred_on
        events = [fact for _, fact in self.facts_of(name)]
        voids = [fact for fact in events if _is_void(fact)]
        effect = max(fact.occurred_on for fact in voids)
        programme = self._ledger.kinds.programme(name.partition(":")[0])

        def refusal(until: date) -> Refused | None:
            known = [f for f in events if f.occurred_on <= (until if _is_void(f) else day)]
            try:
                programme.decide(self.fold(name, known), command, self)
            except Refused as refused:
                return refused
            return None

        then = refusal(day)
        if then is not None and refusal(effect) is None:
            raise Refused(
                "correction.not-in-effect",
                f"{then.reason}: on {day} what was voided still counts, until {effect}",
                field="occurred_on",
                remedy=f"date it on {effect} or later, or let the correction take effect on {day}",
            )

    def facts_of(self, stream: str) -> list[tuple[int, Fact]]:
        """The facts of a stream that the database has, with their positions."""
        return [(event.id, self._ledger._fact(event)) for event in self._session.events(stream)]  # noqa: SLF001

    def fold(self, stream: str, facts: Sequence[Fact]) -> Any:
        """The state that facts of a stream make, without those that are void among them."""
        gone = gone_keys(facts)
        programme = self._ledger.kinds.programme(stream.partition(":")[0])
        state = None
        for fact in facts:
            if not _is_void(fact) and fact.key not in gone:
                state = programme.evolve(state, fact)
        return state

    def _void(self, command: Command, data: FactVoided) -> Recorded:
        target = self.find(data.fact)
        if target is None:
            raise Refused(
                "correction.unknown-fact", f"no fact has the key {data.fact!r}", field="fact"
            )
        name = target.fact.originator_id
        if isinstance(target.fact.data, LedgerOpened):
            raise Refused("correction.opening", "the opening cannot be voided", field="fact")
        if not target.fact.kind.voidable:
            raise Refused(
                "correction.not-voidable",
                f"a fact of kind {target.fact.kind.name} cannot be voided",
                field="fact",
                remedy="record what undoes it",
            )
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
        events = [fact for _, fact in self.facts_of(name)]
        voids = [(fact.key, fact.data.fact) for fact in events if _is_void(fact)]
        gone = voided_keys(voids)
        if data.fact in gone:
            raise Refused("correction.already-void", f"{data.fact!r} is void already", field="fact")
        before = self._stream(name).state
        after = self._load(name, void=data.fact, check=True)
        # A void that is voided twice over takes away what it had brought back.
        lost_keys = voided_keys([*voids, ("", data.fact)]) - gone
        for lost in (fact for fact in events if fact.key in lost_keys and not _is_void(fact)):
            if after.state is None and self._can_be_mentioned(lost.kind):
                self._check_unmentioned(name, lost.kind)
            elif isinstance(lost.data, MemberJoined):
                self._check_served(name, before, after.state)
        day = command.occurred_on
        after.corrected_on = max(after.corrected_on or day, day)
        self._streams[name] = after
        return self._append(name, after, command, data, command.effective_key)

    def _can_be_mentioned(self, kind: Kind) -> bool:
        """Whether facts of other things have a field for the id; spares a scan of the ledger."""
        return len(kind.id_fields) == 1 and any(
            kind.category in field.refers_to
            or (name == kind.id_fields[0] and other.category not in {kind.category, ""})
            for other in self._ledger.kinds
            for name, field in other.fields.items()
        )

    def _check_served(self, name: str, before: Any, after: Any) -> None:
        """Refuse to void a joining while facts of the service it began name the person."""
        for event in self._session.mentions(name.partition(":")[2]):
            if str(event.originator_id) == name or self._is_void(event):
                continue
            day = self._ledger._fact(event).occurred_on  # noqa: SLF001
            if before.serves_on(day) and not after.serves_on(day):
                raise Refused(
                    "correction.rested-upon",
                    f"fact #{event.id} ({event.topic}) is of {day}, within the service it began",
                    field="fact",
                    remedy="void that one first",
                )

    def _check_unmentioned(self, name: str, kind: Kind) -> None:
        """Refuse to void the last fact that makes a thing exist while others speak of it."""
        thing = name.partition(":")[2]
        for event in self._session.mentions(thing):
            if str(event.originator_id) == name or self._is_void(event):
                continue
            if _speaks_of(self._ledger._fact(event), kind, thing):  # noqa: SLF001
                raise Refused(
                    "correction.rested-upon",
                    f"fact #{event.id} ({event.topic}) speaks of {thing}",
                    field="fact",
                    remedy="void that one first, or correct this one by a later fact",
                )

    def _is_void(self, event: Notification) -> bool:
        stream = str(event.originator_id)
        gone = gone_keys(fact for _, fact in self.facts_of(stream))
        return self._ledger._fact(event).key in gone  # noqa: SLF001


def _check_order(
    standing: Sequence[Recorded], on: date, effective: date, reason: str | None
) -> None:
    """Refuse an adoption that would undo what was decided later, or unsaid what is to come."""
    last = standing[-1]
    if on < last.fact.occurred_on:
        raise Refused(
            "rulebook.before-last-adoption",
            f"{on} is before {last.fact.occurred_on}, when {last.fact.data.rulebook} was adopted"
            f" (#{last.position}); this one would take its place",
            field="occurred_on",
            remedy="adopt it as of today, from an earlier day with a reason",
        )
    undone = [item for item in standing if effective < item.fact.data.effective_from]
    if undone and reason is None:
        raise Refused(
            "rulebook.undoes-without-reason",
            f"with effect from {effective} it takes the place of {undone[-1].fact.data.rulebook}"
            f" (#{undone[-1].position}), adopted with effect from"
            f" {undone[-1].fact.data.effective_from}",
            field="reason",
            remedy="state why, or let it apply from that day on",
        )


def _asked(fact: Fact) -> Command:
    """The command that a fact answers."""
    return Command(fact.data, fact.occurred_on, fact.recorded_by, fact.source, fact.key)


@contextmanager
def _resting_on(position: int, fact: Fact, *, again: bool) -> Iterator[None]:
    """Tell a refusal of a fact as one of the void: it takes its ground, or brings it back."""
    try:
        yield
    except Refused as refused:
        what = f"fact #{position} ({fact.kind.name})"
        if again:
            raise Refused(
                "correction.cannot-stand-again",
                f"{what} would stand again, and cannot: {refused.reason}",
                field="fact",
                remedy="record what is right as a new fact",
            ) from None
        raise Refused(
            "correction.rested-upon",
            f"{what} rests on it: {refused.reason}",
            field="fact",
            remedy=f"void {fact.key!r} first",
        ) from None


def _check_begun(name: str, stream: _Stream, day: date) -> None:
    if stream.began_on and day < stream.began_on:
        raise Refused(
            "fact.before-the-thing",
            f"{day} is before {stream.began_on}, when {name} began",
            field="occurred_on",
        )


@attrs.define
class _Then:
    """What was known of other things just before a position, for ``decide``."""

    writer: Writer
    position: int = 0
    facts: dict[str, list[tuple[int, Fact]]] = attrs.field(factory=dict)

    def state(self, stream: str) -> Any:
        """The folded state of a stream at that time."""
        if stream not in self.facts:
            self.facts[stream] = self.writer.facts_of(stream)
        known = [fact for position, fact in self.facts[stream] if position < self.position]
        return self.writer.fold(stream, known)

    def standing(self, key: str) -> Fact | None:
        """The fact that has a key, unless it is void: as it is now."""
        return self.writer.standing(key)

    def things(self, beginning: str, word: str) -> list[tuple[str, Any]]:
        """Streams that begin so and have a fact that says a word, each with its state then."""
        return [(name, self.state(name)) for name in self.writer.streams(beginning, word)]


def _may_be_named(field: FieldType, member: Any, day: date) -> bool:
    """Whether a person serves on a day or, where that is not asked for, has joined by then."""
    return member.serves_on(day) or (not getattr(field, "serving", True) and member.joined_by(day))


def _speaks_of(fact: Fact, kind: Kind, thing: str) -> bool:
    """Whether a field of a fact holds the id of a thing made by a fact of the kind."""
    for name, field in fact.kind.fields.items():
        value = getattr(fact.data, name)
        if value is None:
            continue
        if kind.category in field.refers_to and thing in field.ids(value):
            return True
        if name == kind.id_fields[0] and value == thing:
            return True
    return False


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


def gone_keys(facts: Iterable[Fact]) -> frozenset[str]:
    """Keys of what is void by the facts that void others among these, in order recorded."""
    return voided_keys([(fact.key, fact.data.fact) for fact in facts if _is_void(fact)])


def _is_void(fact: Fact) -> bool:
    return isinstance(fact.data, FactVoided)


def _people(fact: Fact) -> set[str]:
    found = {fact.originator_id.removeprefix("member:")}
    for name, field in fact.kind.fields.items():
        value = getattr(fact.data, name)
        if field.refers_to == ("member",) and value is not None:
            found.update(field.ids(value))
    return found


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InvalidFact("time_zone", f"{name!r} is no IANA time zone", "Asia/Seoul") from None


def _check_name(path: Path) -> None:
    """Refuse a name that would be taken for memory, or for a file beside another ledger."""
    reserved = (".people.sqlite", ".read.sqlite", ".hr.sqlite", ".feed.sqlite")
    if ":memory:" in path.name or "mode=memory" in path.name or path.name.endswith(reserved):
        msg = f"{path.name}: a ledger cannot have this name"
        raise LedgerFileError(msg)


def database_name(path: Path, *, read_only: bool) -> str:
    """The name under which SQLite opens a ledger's file."""
    if not read_only:
        return str(path.absolute())  # a bare name could be taken for a URI or for memory
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
