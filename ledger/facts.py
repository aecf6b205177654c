"""Facts and commands: what is stored once and what asks for it to be stored."""

from __future__ import annotations

import functools
import json
import re
from datetime import UTC, date, datetime
from typing import Any

import attrs
import rfc8785

from .errors import InvalidFact
from .fields import Text, parse_date
from .kinds.registry import Kind, Kinds, kind_of

__all__ = ["Command", "Fact", "Recorded", "decode", "encode", "format_instant", "parse_instant"]

_ENVELOPE = frozenset({"data", "key", "occurred_on", "recorded_at", "recorded_by", "source"})
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
KEY_LENGTH_MAX = 400
_WORDS = Text("", "", length_max=KEY_LENGTH_MAX)


def check_words(name: str, value: Any) -> None:
    """Check a text of the envelope: a key, a source, an id of who records.

    Raises:
        InvalidFact: It is unfit.
    """
    try:
        _WORDS.check(value)
    except ValueError as error:
        raise InvalidFact(name, str(error)) from None


@attrs.frozen
class Command:
    """A request to record one fact.

    Attributes:
        data: What happened, an instance of a kind's class.
        occurred_on: Civil date in the ledger's time zone on which it happened or takes effect.
        recorded_by: Opaque id of who records it.
        source: Where it comes from (a file, a system, a document).
        key: Key in that source; without one the kind's natural key is used.
    """

    data: Any
    occurred_on: date
    recorded_by: str
    source: str = "api"
    key: str | None = None

    def __attrs_post_init__(self) -> None:
        """Check the envelope.

        Raises:
            InvalidFact: A value is unfit.
        """
        if type(self.occurred_on) is not date:
            raise InvalidFact("occurred_on", "must be a date")
        for name in ("recorded_by", "source", "key"):
            value = getattr(self, name)
            if value is None and name == "key":
                continue
            check_words(name, value)

    @property
    def kind(self) -> Kind:
        """The kind of the fact asked for."""
        return kind_of(type(self.data))

    @property
    def stream(self) -> str:
        """The stream the fact belongs to."""
        return self.kind.stream(self.data)

    @property
    def effective_key(self) -> str:
        """The key given, or the natural key."""
        return self.key or self.kind.natural_key(self.data, self.occurred_on)


@attrs.frozen
class Fact:
    """One fact, an event of the store; it carries no points.

    Attributes:
        originator_id: Its stream, ``category:id``.
        originator_version: Its place in the stream, from 1.
        data: What happened.
        occurred_on: Civil date in the ledger's time zone on which it happened or takes effect.
        recorded_at: Instant (UTC) at which the ledger learned of it.
        recorded_by: Opaque id of who recorded it.
        source: Where it comes from.
        key: Its key, unique in the ledger.
    """

    originator_id: str
    originator_version: int
    data: Any
    occurred_on: date
    recorded_at: datetime
    recorded_by: str
    source: str
    key: str

    @property
    def kind(self) -> Kind:
        """The kind of the fact."""
        return kind_of(type(self.data))

    def says_the_same(self, command: Command) -> bool:
        """Whether a command asks for what this fact already says."""
        return self.data == command.data and self.occurred_on == command.occurred_on


@attrs.frozen
class Recorded:
    """A fact with its place in the ledger.

    Attributes:
        position: Position in the ledger, from 1; positions may have gaps.
        fact: The fact.
        new: Whether this call recorded it; ``False`` when it had been recorded before.
    """

    position: int
    fact: Fact
    new: bool = False


def format_instant(instant: datetime) -> str:
    """Write an instant in UTC with microseconds, so that text order is time order.

    Raises:
        ValueError: The instant has no time zone.
    """
    if instant.tzinfo is None:
        msg = "an instant must have a time zone"
        raise ValueError(msg)
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def parse_instant(text: str) -> datetime:
    """Read what ``format_instant`` wrote, and nothing else."""
    if not _INSTANT.fullmatch(text):
        msg = "not an instant of the form YYYY-MM-DDTHH:MM:SS.ffffffZ"
        raise ValueError(msg)
    return datetime.fromisoformat(text)


def encode(fact: Fact) -> bytes:
    """Write a fact as canonical JSON (RFC 8785): the bytes that are stored and can be proved.

    The canonical form of an object is that of its members in order of name. So the envelope, whose
    names are fixed, is put together of parts, most of which are the same for many facts.
    """
    return (
        b'{"data":%b,"key":%b,"occurred_on":%b,"recorded_at":%b,"recorded_by":%b,"source":%b}'
        % (
            rfc8785.dumps(fact.kind.dump(fact.data)),
            rfc8785.dumps(fact.key),
            _canonical_day(fact.occurred_on),
            _canonical_instant(fact.recorded_at),
            _canonical_words(fact.recorded_by),
            _canonical_words(fact.source),
        )
    )


@functools.lru_cache(maxsize=4_096)
def _canonical_day(day: date) -> bytes:
    return rfc8785.dumps(day.isoformat())


@functools.lru_cache(maxsize=16)
def _canonical_instant(instant: datetime) -> bytes:
    return rfc8785.dumps(format_instant(instant))


@functools.lru_cache(maxsize=1_024)
def _canonical_words(words: str) -> bytes:
    return rfc8785.dumps(words)


def decode(stream: str, version: int, topic: str, state: bytes, kinds: Kinds) -> Fact:
    """Read a stored fact back, strictly: no unknown, missing or wrongly typed field passes.

    Raises:
        UnknownKind: No loaded module declares the topic.
        ValueError: The state is not what the kind's ``encode`` would have written.
    """
    kind, kind_version = kinds.by_topic(topic)
    stored = json.loads(state)
    if not isinstance(stored, dict) or set(stored) != _ENVELOPE:
        msg = f"must have exactly {', '.join(sorted(_ENVELOPE))}"
        raise ValueError(msg)
    for name in ("key", "recorded_by", "source"):
        _WORDS.check(stored[name])
    fact = Fact(
        originator_id=stream,
        originator_version=version,
        data=kind.load(stored["data"], kind_version),
        occurred_on=parse_date(stored["occurred_on"]),
        recorded_at=parse_instant(stored["recorded_at"]),
        recorded_by=stored["recorded_by"],
        source=stored["source"],
        key=stored["key"],
    )
    if kind.category and kind.stream(fact.data) != stream:
        msg = f"its data belong to {kind.stream(fact.data)}, not to {stream}"
        raise ValueError(msg)
    return fact
