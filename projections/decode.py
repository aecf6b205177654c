"""Decoding in columns: stored facts to the plan's input tables, in DuckDB.

Each kind's facts are read with exactly the columns its declaration names, and written back to
JSON: only when that gives the stored bytes again is the fact what was recorded. A wrong type, a
missing or an unknown field, a number that was rounded: all of them show as a difference, and the
replay stops at the first such position.
"""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
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
from .days import OPEN_DAY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date, datetime

    import duckdb
    import pyarrow as pa
    from mileage.ledger import Kind, Kinds, Ledger
    from mileage.ledger.fields import FieldType

OFFICE_TOPICS = ("fact.voided", "rulebook.adopted")

__all__ = [
    "CHUNK_ROWS",
    "SERVICE_STATUS",
    "UNIT_ENDS",
    "Slice",
    "activity_ids",
    "decode_facts",
]

CHUNK_ROWS = 100_000
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
    """Numbers of the kinds that earn points, name people for one that does, or give the title."""
    earning = {kind.category for kind in kinds if kind.activity}
    names = {kind.name for kind in kinds if kind.activity} | set(people_fields(kinds))
    names |= {kind.name for kind in kinds if kind.title and kind.category in earning}
    return {name: number for number, name in enumerate(sorted(names), 1)}


def decode_facts(
    con: duckdb.DuckDBPyConnection,
    ledger: Ledger,
    part: Slice,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Fill the plan's raw tables with a ledger's facts; return the last position read.

    Fills ``w_raw_fact``, ``w_raw_withdrawal``, ``w_raw_service``, ``units``, ``w_raw_unit_end`` and
    ``w_office``: where the voiding facts and adoptions are.

    Args:
        con: Connection on which the tables exist.
        ledger: The ledger.
        part: Which facts count.
        progress: Called with positions done and positions in all.

    Raises:
        CorruptFact: A stored fact is not what its kind would have written.
    """
    import pyarrow as pa  # noqa: PLC0415 - slow to import

    last = ledger.position if part.upto is None else min(part.upto, ledger.position)
    done = 0
    con.execute(f"CREATE TEMP TABLE rare ({_CHUNK_COLUMNS})")
    for table in _chunks(ledger, last):
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
        if gathered >= CHUNK_ROWS:
            _decode_rare(con, ledger, part)
        done += CHUNK_ROWS
        if progress:
            progress(min(done, last), last)
    _decode_rare(con, ledger, part)
    con.execute("DROP TABLE rare")
    return last


def _decode_rare(con: duckdb.DuckDBPyConnection, ledger: Ledger, part: Slice) -> None:
    """Decode what was gathered of rare kinds, and forget it."""
    for (topic,) in con.execute("SELECT DISTINCT topic FROM rare").fetchall():
        _decode_kind(con, ledger, ledger.kinds.by_topic(topic)[0], part, "rare")
    con.execute("DELETE FROM rare")


def _chunks(ledger: Ledger, last: int) -> Iterator[pa.Table]:
    """Arrow tables of stored events, in order of position; the next is read ahead.

    The ledger is read with Python's own SQLite and never with ADBC's: when a second SQLite in one
    process closes a file, POSIX drops the locks of the first, and facts would be lost. To be quick
    all the same, SQLite joins many rows into one text, which Arrow takes apart again.
    """
    connection = sqlite3.connect(
        database_name(ledger.path, read_only=ledger.read_only), uri=True, check_same_thread=False
    )
    connection.text_factory = bytes
    try:
        with ThreadPoolExecutor(1) as reader:
            ahead = reader.submit(_read_chunk, connection, 0, last)
            for start in range(0, last, CHUNK_ROWS):
                table = ahead.result()
                ahead = reader.submit(_read_chunk, connection, start + CHUNK_ROWS, last)
                yield table
            ahead.result()
    finally:
        connection.close()


def _read_chunk(connection: sqlite3.Connection, start: int, last: int) -> pa.Table:
    """Columns ``position``, ``stream``, ``topic`` and ``state`` of the chunk after a position."""
    import pyarrow as pa  # noqa: PLC0415 - slow to import

    end = min(start + CHUNK_ROWS, last)
    parts: list[Sequence[bytes]] = []
    positions: list[int] = []
    for first in range(start, end, JOINED_ROWS):
        within = (first, min(first + JOINED_ROWS, end))
        count, lowest, highest, *columns = connection.execute(_JOINED, within).fetchone()
        if not count:
            continue
        parts.append(columns)
        if highest - lowest + 1 == count:
            positions.extend(range(lowest, highest + 1))
        else:
            positions.extend(row[0] for row in connection.execute(_POSITIONS, within))
    try:
        columns = [_taken_apart([columns[index] for columns in parts]) for index in range(3)]
        return pa.table([pa.array(positions, pa.int64()), *columns], _COLUMN_NAMES)
    except pa.ArrowInvalid as error:
        raise CorruptFact(*_first_unreadable(connection, start, end)) from error


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
    exact = (
        "CAST(try_cast(f.occurred_on AS DATE) AS VARCHAR) = f.occurred_on"
        f" AND {_guard(kind)} AND CAST(to_json(f) AS VARCHAR) = state"
    )
    decoded = (
        f"SELECT CASE WHEN {exact} THEN position ELSE error('corrupt') END AS position, stream,"
        " try_cast(f.occurred_on AS DATE) AS date, f.recorded_at AS recorded_at,"
        " f.recorded_by AS recorded_by, f.data AS data"
        f" FROM ({read})"
    )
    within, limits = _within(part)
    kinds = ledger.kinds
    targets = list(_targets(kind, activity_ids(kinds), people_fields(kinds)))
    try:
        for target, columns in targets or [("", "max(position)")]:
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
    """The condition of a slice; a date that cannot be read is let through, to be found."""
    conditions: list[str] = []
    values: dict[str, Any] = {}
    if part.as_of:
        conditions.append("(date <= $as_of OR date IS NULL)")
        values["as_of"] = part.as_of
    if part.known_at:
        conditions.append("recorded_at <= $known_at")
        values["known_at"] = format_instant(part.known_at)
    return (" WHERE " + " AND ".join(conditions) if conditions else ""), values


def _structure(kind: Kind) -> str:
    """The kind's JSON in DuckDB's structure notation, keys in canonical order."""
    data = ",".join(f'"{name}":{kind.fields[name].column}' for name in sorted(kind.fields))
    envelope = ",".join(f'"{name}":"VARCHAR"' for name in _ENVELOPE)
    return f'{{"data":{{{data}}},{envelope}}}'


def _guard(kind: Kind) -> str:
    """What must hold besides the types: required fields are there, amounts are in range."""
    conditions = ["f.key IS NOT NULL", f"f.recorded_at LIKE '{_INSTANT}'"]
    if kind.category:
        thing = " || '/' || ".join(f'f.data."{name}"' for name in kind.id_fields)
        conditions.append(f"stream = '{kind.category}:' || {thing}")
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


def _targets(
    kind: Kind, numbers: Mapping[str, int], people: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Tables that a kind's decoded rows belong to, each with the columns it takes."""
    activity = kind.activity
    if kind.name in numbers:
        named = people.get(kind.name, "")
        yield (
            "w_raw_fact",
            f"position, stream, {numbers[kind.name]}, {_DAY},"
            f" {_column(activity.grade if activity else '')},"
            f" {_column(activity.hours if activity else '')}, {_column(kind.title)},"
            f" {_parties(named, kind.fields[named]) if named else 'NULL'}",
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
    if kind.name in OFFICE_TOPICS:
        yield "w_office", "position"
    if kind.cls is UnitEstablished:
        standing = "position, data.unit, data.name_ko, data.name_en, data.parent"
        yield "units", f"{standing}, {OPEN_DAY}"
    if kind.cls in UNIT_ENDS:
        yield "w_raw_unit_end", f"position, data.unit, {_DAY}"


def people_fields(kinds: Kinds) -> dict[str, str]:
    """The field in which facts of a kind name the people of an activity, by kind."""
    return {kind.activity.of or kind.name: kind.activity.people for kind in kinds if kind.activity}


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
