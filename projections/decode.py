"""Decoding in columns: stored facts to the plan's input tables, in DuckDB.

Each kind's facts are read with exactly the columns its declaration names, and written back to
JSON: only when that gives the stored bytes again is the fact what was recorded. A wrong type, a
missing or an unknown field, a number that was rounded: all of them show as a difference, and the
replay stops at the first such position.
"""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import attrs
from mileage.ledger import CorruptFact
from mileage.ledger.amounts import WHOLE_SHARE
from mileage.ledger.facts import encode, format_instant
from mileage.ledger.fields import Amount, Codes, Day, People, Shares, Whole
from mileage.ledger.kinds.member import (
    MemberJoined,
    MemberLeaveEnded,
    MemberLeaveStarted,
    MemberLeft,
    MemberPromoted,
    MemberTransferred,
)
from mileage.ledger.kinds.unit import UnitAbolished, UnitEstablished, UnitMerged, UnitSplit
from mileage.ledger.ledger import database_name

from . import registers
from .days import day_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime
    from hashlib import _Hash as Hash

    import duckdb
    import pyarrow as pa
    from mileage.ledger import Kind, Kinds, Ledger
    from mileage.ledger.fields import FieldType

    from .kept import Kept

OFFICE_KINDS = (
    *("fact.voided", "rulebook.adopted"),
    *("points.held", "points.released", "points.denied", "points.confirmed"),
)

__all__ = [
    "CHUNK_ROWS",
    "RAW_TABLES",
    "SERVICE_STATUS",
    "UNIT_ENDS",
    "Block",
    "Slice",
    "activity_ids",
    "condition_fields",
    "decode_facts",
    "decoding",
    "stored_digest",
]

RAW_TABLES = {
    "w_raw_fact": (
        "position BIGINT, stream VARCHAR, kind BIGINT, day BIGINT, grade VARCHAR, hours BIGINT,"
        " title VARCHAR, parties STRUCT(person VARCHAR, share BIGINT)[],"
        " said STRUCT(field VARCHAR, code VARCHAR)[]"
    ),
    "w_raw_withdrawal": "position BIGINT, stream VARCHAR, kind BIGINT, day BIGINT",
    "w_raw_unit": (
        "position BIGINT, unit VARCHAR, name_ko VARCHAR, name_en VARCHAR, parent VARCHAR,"
        " day BIGINT"
    ),
    "w_raw_unit_end": "position BIGINT, unit VARCHAR, day BIGINT",
    "w_raw_service": (
        "position BIGINT, person VARCHAR, day BIGINT, unit VARCHAR, rank VARCHAR, status VARCHAR,"
        " joins BOOLEAN"
    ),
    "w_raw_office": "position BIGINT, day BIGINT",
    **registers.RAW_TABLES,
}
"""What decoding gives: columns of the raw tables, each with ``position`` and ``day``.

Nothing may change their rows afterwards: they are kept for later builds.
"""

CHUNK_ROWS = 100_000
SEGMENT_ROWS = 400_000
BATCH_ROWS = 20_000
RARE_PART = 40
JOINED_ROWS = 1_000
_NOT_CANONICAL = frozenset("\n\r\x1f\x00")
_JOINED = """
SELECT count(*), min(position), max(position), group_concat(originator_id, char(10)),
       group_concat(topic, char(10)), group_concat(state, char(10))
FROM stored_events WHERE position > ? AND position <= ?
"""
_POSITIONS = """
SELECT position FROM stored_events WHERE position > ? AND position <= ? ORDER BY position
"""
_CHUNK_COLUMNS = "position BIGINT, stream VARCHAR, topic VARCHAR, state VARCHAR"
_COLUMN_NAMES = ["position", "stream", "topic", "state"]
_DAY = "year(date) * 10000 + month(date) * 100 + day(date)"
_INSTANT = "____-__-__T__:__:__.______Z"
_ENVELOPE = ("key", "occurred_on", "recorded_at", "recorded_by", "source")

SERVICE_STATUS: dict[type, str | None] = {
    MemberJoined: "serving",
    MemberTransferred: None,
    MemberPromoted: None,
    MemberLeaveStarted: "leave",
    MemberLeaveEnded: "serving",
    MemberLeft: "left",
}
"""The status a fact about a person's service brings; ``None`` leaves it as it was."""

UNIT_ENDS = (UnitAbolished, UnitMerged, UnitSplit)
"""The facts with which a unit ends; their day is the first without it."""


@attrs.frozen
class Slice:
    """Which facts a question is about.

    Attributes:
        upto: Last position; ``None`` for all.
        as_of: Only what had happened by this civil date (ledger's zone), corrections included.
        known_at: Only what had been recorded by this instant.
    """

    upto: int | None = None
    as_of: date | None = None
    known_at: datetime | None = None

    def has(self, position: int, occurred_on: date, recorded_at: datetime) -> bool:
        """Whether a fact is within the slice."""
        return (
            (self.upto is None or position <= self.upto)
            and (self.as_of is None or occurred_on <= self.as_of)
            and (self.known_at is None or recorded_at <= self.known_at)
        )


def activity_ids(kinds: Kinds) -> dict[str, int]:
    """Numbers of the kinds that earn points, or say for one that does who, what or its title."""
    earning = {kind.category for kind in kinds if kind.activity}
    names = {kind.name for kind in kinds if kind.activity} | set(people_fields(kinds))
    names |= set(condition_fields(kinds))
    names |= {kind.name for kind in kinds if kind.title and kind.category in earning}
    return {name: number for number, name in enumerate(sorted(names), 1)}


@attrs.frozen
class Block:
    """Stored facts that were read together.

    Attributes:
        after: Position before the first.
        upto: Position up to which they go.
        digest: SHA-256 over their positions, streams, topics and stored bytes.
    """

    after: int
    upto: int
    digest: str


def decode_facts(
    con: duckdb.DuckDBPyConnection,
    ledger: Ledger,
    part: Slice,
    progress: Callable[[int, int], None] | None = None,
    kept: Kept | None = None,
) -> int:
    """Fill the raw tables with a ledger's facts; return the last position read.

    Args:
        con: Connection on which the tables of ``RAW_TABLES`` exist, empty.
        ledger: The ledger.
        part: Which facts count.
        progress: Called with positions done and positions in all.
        kept: What was decoded before: it is taken as it is, and only what follows is decoded.

    Raises:
        CorruptFact: A stored fact is not what its kind would have written.
    """
    import pyarrow as pa  # noqa: PLC0415 - slow to import

    last = ledger.position if part.upto is None else min(part.upto, ledger.position)
    # When a fact was recorded is not kept.
    usable = kept if part.known_at is None else None
    done = usable.load(con, last) if usable else 0
    if progress and done:
        progress(done, last)
    blocks: list[Block] = []
    con.execute(f"CREATE TEMP TABLE rare ({_CHUNK_COLUMNS})")
    for block, table in _chunks(ledger, done, last):
        blocks.append(block)
        current = _in_current_version(table, ledger).combine_chunks()
        batches = current.to_batches(max_chunksize=BATCH_ROWS)  # what threads share between them
        con.register("chunk", pa.Table.from_batches(batches, current.schema))
        counts = dict(con.execute("SELECT topic, count(*) FROM chunk GROUP BY topic").fetchall())
        # A rare kind's facts lie thin among the others: gathered first, they decode faster.
        rare = [topic for topic, count in counts.items() if count * RARE_PART < CHUNK_ROWS]
        con.execute("INSERT INTO rare SELECT * FROM chunk WHERE list_contains(?, topic)", [rare])
        for topic in counts.keys() - rare:
            _decode_kind(con, ledger, ledger.kinds.by_topic(topic)[0], part, "chunk")
        con.unregister("chunk")
        [(gathered,)] = con.execute("SELECT count(*) FROM rare").fetchall()
        long = usable and block.upto - blocks[0].after >= SEGMENT_ROWS
        if gathered >= CHUNK_ROWS or long or block.upto == last:
            _decode_rare(con, ledger, part)
            if usable:
                usable.keep(con, blocks)
            blocks = []
        if progress:
            progress(block.upto, last)
    con.execute("DROP TABLE rare")
    _only_until(con, part)
    return last


def _only_until(con: duckdb.DuckDBPyConnection, part: Slice) -> None:
    """Leave out what had not happened by the day of a slice."""
    if part.as_of:
        until = day_number(part.as_of)
        # The day of leaving is the last of service; its row has the day after.
        after = day_number(min(part.as_of, date.max - timedelta(1)) + timedelta(1))
        for table in RAW_TABLES:
            latest = f"CASE status WHEN 'left' THEN {after} ELSE {until} END"
            bound = latest if table == "w_raw_service" else until
            con.execute(f"DELETE FROM {table} WHERE day > {bound}")


def _decode_rare(con: duckdb.DuckDBPyConnection, ledger: Ledger, part: Slice) -> None:
    """Decode what was gathered of rare kinds, and forget it."""
    for (topic,) in con.execute("SELECT DISTINCT topic FROM rare").fetchall():
        _decode_kind(con, ledger, ledger.kinds.by_topic(topic)[0], part, "rare")
    con.execute("DELETE FROM rare")


def stored_digest(ledger: Ledger, blocks: Sequence[Block]) -> Iterator[Block]:
    """The blocks as they are stored now."""
    with closing(_connected(ledger)) as connection:
        for block in blocks:
            digest = sha256()
            for _ in _joined(connection, block.after, block.upto, digest):
                pass
            yield attrs.evolve(block, digest=digest.hexdigest())


def _connected(ledger: Ledger) -> sqlite3.Connection:
    """A connection to the ledger's file that gives bytes as they are stored."""
    connection = sqlite3.connect(
        database_name(ledger.path, read_only=ledger.read_only), uri=True, check_same_thread=False
    )
    connection.text_factory = bytes
    return connection


def _chunks(ledger: Ledger, after: int, last: int) -> Iterator[tuple[Block, pa.Table]]:
    """Arrow tables of stored events, in order of position; the next is read ahead.

    The ledger is read with Python's own SQLite and never with ADBC's: when a second SQLite in one
    process closes a file, POSIX drops the locks of the first, and facts would be lost. To be quick
    all the same, SQLite joins many rows into one text, which Arrow takes apart again.
    """
    with closing(_connected(ledger)) as connection, ThreadPoolExecutor(1) as reader:
        starts = range(after, last, CHUNK_ROWS)
        ahead = [reader.submit(_read_chunk, connection, start, last) for start in starts[:1]]
        for start in starts:
            found = ahead.pop().result()
            if start + CHUNK_ROWS < last:
                ahead.append(reader.submit(_read_chunk, connection, start + CHUNK_ROWS, last))
            yield found


def _read_chunk(connection: sqlite3.Connection, start: int, last: int) -> tuple[Block, pa.Table]:
    """Columns ``position``, ``stream``, ``topic`` and ``state`` of the chunk after a position."""
    import pyarrow as pa  # noqa: PLC0415 - slow to import

    end = min(start + CHUNK_ROWS, last)
    parts: list[Sequence[bytes]] = []
    positions: list[int] = []
    digest = sha256()
    for columns, at in _joined(connection, start, end, digest):
        parts.append(columns)
        positions.extend(at)
    try:
        columns = [_taken_apart([columns[index] for columns in parts]) for index in range(3)]
        table = pa.table([pa.array(positions, pa.int64()), *columns], _COLUMN_NAMES)
    except pa.ArrowInvalid as error:
        raise CorruptFact(*_first_unreadable(connection, start, end)) from error
    return Block(start, end, digest.hexdigest()), table


def _joined(
    connection: sqlite3.Connection, after: int, upto: int, digest: Hash
) -> Iterator[tuple[Sequence[bytes], Sequence[int]]]:
    """Streams, topics and states of stored events, many joined by line breaks, and where they are.

    The digest takes up all that is read. As the number of rows is in it, a line break within a
    state, which no recorded fact has, cannot pass for one between two.
    """
    for first in range(after, upto, JOINED_ROWS):
        within = (first, min(first + JOINED_ROWS, upto))
        count, lowest, highest, *columns = connection.execute(_JOINED, within).fetchone()
        if not count:
            continue
        at: Sequence[int] = range(lowest, highest + 1)
        if len(at) != count:
            at = [row[0] for row in connection.execute(_POSITIONS, within)]
        digest.update(f"{lowest} {highest} {count} {'' if isinstance(at, range) else at}".encode())
        for column in columns:
            digest.update(b"\n%d " % len(column))
            digest.update(column)
        yield columns, at


def _taken_apart(lines: Sequence[bytes]) -> pa.Array:
    """A column of texts that SQLite joined with line breaks; canonical JSON has none of its own."""
    import pyarrow as pa  # noqa: PLC0415 - slow to import
    import pyarrow.compute as pc  # noqa: PLC0415

    pieces = pc.split_pattern(pa.array(lines, pa.large_binary()), b"\n")
    return pc.list_flatten(pieces).cast(pa.large_string())  # which checks that it is UTF-8


def _first_unreadable(connection: sqlite3.Connection, start: int, end: int) -> tuple[int, str]:
    """The first event that is no text on one line, which canonical JSON always is."""
    rows = connection.execute(
        "SELECT position, CAST(originator_id AS BLOB), CAST(topic AS BLOB), CAST(state AS BLOB)"
        " FROM stored_events WHERE position > ? AND position <= ? ORDER BY position",
        (start, end),
    )
    for position, *parts in rows:
        try:
            texts = [part.decode() for part in parts]
        except UnicodeDecodeError:
            return position, "is not UTF-8; restore the ledger from a copy"
        if any(set(text) & _NOT_CANONICAL for text in texts):
            return position, "is not canonical JSON; restore the ledger from a copy"
    return start + 1, "cannot be read; restore the ledger from a copy"


def _in_current_version(table: pa.Table, ledger: Ledger) -> pa.Table:
    """Rewrite what an earlier version of a kind stored as the present version would store it."""
    import pyarrow as pa  # noqa: PLC0415 - slow to import
    import pyarrow.compute as pc  # noqa: PLC0415

    current = {kind.topic for kind in ledger.kinds}
    old = [topic for topic in pc.unique(table["topic"]).to_pylist() if topic not in current]
    if not old:
        return table
    is_old = pc.is_in(table["topic"], value_set=pa.array(old))
    rows = table.filter(is_old).to_pylist()
    for row in rows:
        fact = ledger.at(row["position"]).fact
        row["topic"], row["state"] = fact.kind.topic, encode(fact).decode()
    return pa.concat_tables(
        [table.filter(pc.invert(is_old)), pa.Table.from_pylist(rows, schema=table.schema)]
    )


def _decode_kind(
    con: duckdb.DuckDBPyConnection, ledger: Ledger, kind: Kind, part: Slice, rows: str
) -> None:
    """Decode one kind's facts of the present chunk and hand them to the tables they belong to."""
    import duckdb  # noqa: PLC0415 - slow to import

    read = (
        f"SELECT position, stream, state, from_json(state, $structure) AS f FROM {rows}"
        " WHERE topic = $topic"
    )
    values: dict[str, Any] = {"structure": _structure(kind), "topic": kind.topic}
    exact = _exact(kind)
    decoded = (
        f"SELECT CASE WHEN {exact} THEN position ELSE error('corrupt') END AS position, stream,"
        " try_cast(f.occurred_on AS DATE) AS date, f.recorded_at AS recorded_at,"
        " f.recorded_by AS recorded_by, f.data AS data"
        f" FROM ({read})"
    )
    within, limits = _within(part)
    try:
        for target, columns in _targets(kind, ledger.kinds) or [("", "max(position)")]:
            into = f"INSERT INTO {target} " if target else ""
            con.execute(
                f"{into}SELECT {columns} FROM ({decoded}){within}",
                values | limits,
            ).fetchall()
    except (duckdb.Error, ValueError) as error:
        # What the strict reader finds it says best; it takes what is merely written otherwise.
        for _ in ledger.facts(topics=(kind.topic,)):
            pass
        [(bad,)] = con.execute(
            f"SELECT min(position) FROM ({read}) WHERE ({exact}) IS NOT TRUE",
            values,
        ).fetchall()
        if bad is None:
            raise
        msg = f"is not what {kind.name} would have stored; restore the ledger from a copy"
        raise CorruptFact(bad, msg) from error


def _within(part: Slice) -> tuple[str, dict[str, Any]]:
    """The condition on when a fact was recorded; that on its day is for the raw tables."""
    if part.known_at:
        return " WHERE recorded_at <= $known_at", {"known_at": format_instant(part.known_at)}
    return "", {}


def decoding(kinds: Kinds) -> str:
    """SHA-256 over how facts are decoded: what one way of decoding gave is of no use to another."""
    ways = [
        (kind.topic, kind.version, _structure(kind), _exact(kind), _targets(kind, kinds))
        for kind in sorted(kinds, key=lambda kind: kind.topic)
    ]
    return sha256(repr((RAW_TABLES, ways)).encode()).hexdigest()


def _structure(kind: Kind) -> str:
    """The kind's JSON in DuckDB's structure notation, keys in canonical order."""
    data = ",".join(f'"{name}":{kind.fields[name].column}' for name in sorted(kind.fields))
    envelope = ",".join(f'"{name}":"VARCHAR"' for name in _ENVELOPE)
    return f'{{"data":{{{data}}},{envelope}}}'


def _exact(kind: Kind) -> str:
    """The condition that what was read is all that was stored."""
    return (
        "CAST(try_cast(f.occurred_on AS DATE) AS VARCHAR) = f.occurred_on"
        f" AND {_guard(kind)} AND CAST(to_json(f) AS VARCHAR) = state"
    )


def _guard(kind: Kind) -> str:
    """What must hold besides the types: required fields are there, amounts are in range."""
    conditions = ["f.key IS NOT NULL", f"f.recorded_at LIKE '{_INSTANT}'"]
    if kind.category:
        thing = " || '/' || ".join(f'f.data."{name}"' for name in kind.id_fields)
        conditions.append(f"stream = '{kind.category}:'" + (f" || {thing}" if thing else ""))
    for name, field in kind.fields.items():
        column = f'f.data."{name}"'
        condition = f"{column} IS NOT NULL"
        if isinstance(field, Amount):
            condition = f"{column} BETWEEN {field.units[0]} AND {field.units[1]}"
        elif isinstance(field, Day):
            condition = f"CAST(try_cast({column} AS DATE) AS VARCHAR) = {column}"
        elif isinstance(field, Whole):
            condition = f"{column} BETWEEN {field.least} AND {field.most}"
        elif isinstance(field, Shares):
            shares = f"list_transform({column}, lambda s: s.share)"
            persons = f"list_transform({column}, lambda s: s.person)"
            condition = f"list_sum({shares}) = {WHOLE_SHARE} AND {_unlike(persons, column)}"
        elif isinstance(field, Codes):
            condition = f"len({column}) > 0 AND {_unlike(column, column)}"
        conditions.append(f"({condition} OR {column} IS NULL)" if field.optional else condition)
    return " AND ".join(conditions)


def _unlike(items: str, column: str) -> str:
    """That no item is there twice; most lists have one, which needs no look."""
    different = f"len(list_distinct({items})) = len({column})"
    return f"CASE WHEN len({column}) > 1 THEN {different} ELSE true END"


def _targets(kind: Kind, kinds: Kinds) -> list[tuple[str, str]]:
    """Tables that a kind's decoded rows belong to, each with the columns it takes."""
    said = condition_fields(kinds).get(kind.name, ())
    return list(_rows_of(kind, activity_ids(kinds), people_fields(kinds), said))


def _rows_of(
    kind: Kind, numbers: Mapping[str, int], people: Mapping[str, str], said: Sequence[str]
) -> Iterator[tuple[str, str]]:
    activity = kind.activity
    if kind.name in numbers:
        named = people.get(kind.name, "")
        yield (
            "w_raw_fact",
            f"position, stream, {numbers[kind.name]}, {_DAY},"
            f" {_column(activity.grade if activity else '')},"
            f" {_column(activity.hours if activity else '')}, {_column(kind.title)},"
            f" {_parties(named, kind.fields[named]) if named else 'NULL'}, {_said(said)}",
        )
    for withdrawn in kind.withdraws:
        yield "w_raw_withdrawal", f"position, stream, {numbers.get(withdrawn, 0)}, {_DAY}"
    if kind.cls in SERVICE_STATUS:
        status = SERVICE_STATUS[kind.cls]
        day = _DAY.replace("date", "(date + 1)") if status == "left" else _DAY
        yield (
            "w_raw_service",
            f"position, data.person, {day}, {_column('unit' if 'unit' in kind.fields else '')},"
            f" {_column('rank' if 'rank' in kind.fields else '')},"
            f" {_text(status)}, {kind.cls is MemberJoined}",
        )
    yield from registers.targets(kind, _DAY)
    if kind.name in OFFICE_KINDS:
        yield "w_raw_office", f"position, {_DAY}"
    if kind.cls is UnitEstablished:
        standing = "position, data.unit, data.name_ko, data.name_en, data.parent"
        yield "w_raw_unit", f"{standing}, {_DAY}"
    if kind.cls in UNIT_ENDS:
        yield "w_raw_unit_end", f"position, data.unit, {_DAY}"


def people_fields(kinds: Kinds) -> dict[str, str]:
    """The field in which facts of a kind name the people of an activity, by kind."""
    return {kind.activity.of or kind.name: kind.activity.people for kind in kinds if kind.activity}


def condition_fields(kinds: Kinds) -> dict[str, tuple[str, ...]]:
    """The fields of each kind that a rule may ask for, of its own facts or of others."""
    found: dict[str, dict[str, None]] = {}
    for kind in kinds:
        for name, source in kind.activity.conditions.items() if kind.activity else ():
            found.setdefault(source or kind.name, {})[name] = None
    return {kind: tuple(sorted(names)) for kind, names in found.items()}


def _said(names: Sequence[str]) -> str:
    """What a fact says under some fields, as a list of field and code."""
    parts = ", ".join(f"{{'field': '{name}', 'code': {_column(name)}}}" for name in names)
    return f"[{parts}]" if parts else "NULL"


def _parties(name: str, field: FieldType) -> str:
    """The people a field names as a list of person and share."""
    column = _column(name)
    if isinstance(field, Shares):
        return column
    persons = column if isinstance(field, People) else f"[{column}]"
    return f"list_transform({persons}, lambda p: {{'person': p, 'share': {WHOLE_SHARE}}})"


def _column(name: str) -> str:
    return f'data."{name}"' if name else "NULL"


def _text(value: str | None) -> str:
    return f"'{value}'" if value else "NULL"
