"""Decoding in columns: stored facts to the plan's input tables, in DuckDB.

Each kind's facts are read with exactly the columns its declaration names, and written back to
JSON: only when that gives the stored bytes again is the fact what was recorded. A wrong type, a
missing or an unknown field, a number that was rounded: all of them show as a difference, and the
replay stops at the first such position.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import attrs

from mileage.ledger import CorruptFact
from mileage.ledger.amounts import SCALE, WHOLE_SHARE
from mileage.ledger.facts import encode, format_instant
from mileage.ledger.fields import Hours, People, Shares
from mileage.ledger.kinds.member import (
    MemberJoined,
    MemberLeaveEnded,
    MemberLeaveStarted,
    MemberLeft,
    MemberPromoted,
    MemberTransferred,
)
from mileage.ledger.kinds.unit import UnitEstablished

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import date, datetime

    import duckdb

    import pyarrow as pa

    from mileage.ledger import Kind, Kinds, Ledger
    from mileage.ledger.fields import FieldType

__all__ = ["CHUNK_ROWS", "SERVICE_STATUS", "Slice", "activity_ids", "day_number", "decode_facts"]

CHUNK_ROWS = 500_000
_DAY = "year(date) * 10000 + month(date) * 100 + day(date)"
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


def day_number(day: date) -> int:
    """A civil date as the integer ``yyyymmdd`` that columns use."""
    return day.year * 10_000 + day.month * 100 + day.day


def activity_ids(kinds: Kinds) -> dict[str, int]:
    """Numbers of the kinds that earn points, or name people for one that does, by name."""
    names = {kind.name for kind in kinds if kind.activity} | set(people_fields(kinds))
    return {name: number for number, name in enumerate(sorted(names), 1)}


def decode_facts(
    con: duckdb.DuckDBPyConnection,
    ledger: Ledger,
    part: Slice,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[int, int]:
    """Fill the plan's input tables; return the last position read and the last day met.

    Fills ``w_raw_fact``, ``w_raw_party``, ``w_raw_withdrawal``, ``w_raw_service`` and ``units``.

    Args:
        con: Connection on which the tables exist.
        ledger: The ledger.
        part: Which facts count.
        progress: Called with positions done and positions in all.

    Raises:
        CorruptFact: A stored fact is not what its kind would have written.
    """
    last = ledger.position if part.upto is None else min(part.upto, ledger.position)
    done = last_day = 0
    for table in _chunks(ledger, last):
        con.register("chunk", _in_current_version(table, ledger))
        for (topic,) in con.execute("SELECT DISTINCT topic FROM chunk").fetchall():
            kind, _ = ledger.kinds.by_topic(topic)
            last_day = max(last_day, _decode_kind(con, kind, part, ledger.kinds))
        con.unregister("chunk")
        done += CHUNK_ROWS
        if progress:
            progress(min(done, last), last)
    return last, last_day


def _chunks(ledger: Ledger, last: int) -> Iterator[pa.Table]:
    """Arrow tables of stored events, in order of position; the next is read ahead."""
    from adbc_driver_sqlite import dbapi  # noqa: PLC0415 - slow to import

    name = f"file:{quote(str(ledger.path.absolute()))}?mode=ro"
    with (
        dbapi.connect(name, autocommit=True) as connection,
        connection.cursor() as cursor,
        ThreadPoolExecutor(1) as reader,
    ):
        cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": "65536"})

        def read(start: int) -> pa.Table:
            cursor.execute(
                "SELECT position, originator_id AS stream, originator_version AS version, topic,"
                " CAST(state AS TEXT) AS state FROM stored_events WHERE position >"
                f" {start} AND position <= {min(start + CHUNK_ROWS, last)} ORDER BY position"  # noqa: S608
            )
            return cursor.fetch_arrow_table()

        ahead = reader.submit(read, 0)
        for start in range(0, last, CHUNK_ROWS):
            table = ahead.result()
            ahead = reader.submit(read, start + CHUNK_ROWS)
            yield table


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
        fact = ledger.decode(
            row["position"], row["stream"], row["version"], row["topic"], row["state"].encode()
        )
        row["topic"], row["state"] = fact.kind.topic, encode(fact).decode()
    return pa.concat_tables(
        [table.filter(pc.invert(is_old)), pa.Table.from_pylist(rows, schema=table.schema)]
    )


def _decode_kind(
    con: duckdb.DuckDBPyConnection, kind: Kind, part: Slice, kinds: Kinds
) -> int:
    """Decode one kind's facts of the present chunk and hand them on; return their last day."""
    targets = list(_targets(kind, activity_ids(kinds), people_fields(kinds)))
    wanted = [name for name in sorted(kind.fields) if any(f'"{name}"' in t for t in targets)]
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE decoded AS
        SELECT position, stream, f.recorded_at AS recorded_at,
               try_cast(f.occurred_on AS DATE) AS date, length(f.occurred_on) = 10
               AND {_guard(kind)} AND CAST(to_json(f) AS VARCHAR) = state AS exact
               {"".join(f', f.data."{name}"' for name in wanted)}
        FROM (SELECT position, stream, state, from_json(state, ?) AS f
              FROM chunk WHERE topic = ?)
        """,  # noqa: S608 - names come from declarations
        [_structure(kind), kind.topic],
    )
    [(bad, last_day)] = con.execute(
        "SELECT min(position) FILTER (date IS NULL OR exact IS NOT TRUE),"
        f" max({_DAY}) FROM decoded"  # noqa: S608 - a constant
    ).fetchall()
    if bad is not None:
        raise CorruptFact(bad, f"is not what {kind.name} would have stored; restore the ledger")
    conditions, params = [], []
    if part.as_of:
        conditions.append("date <= ?")
        params.append(part.as_of)
    if part.known_at:
        conditions.append("recorded_at <= ?")
        params.append(format_instant(part.known_at))
    where = " WHERE " + " AND ".join(conditions) if conditions else ""
    for statement in targets:
        con.execute(statement + where, params)
    return int(last_day)


def _structure(kind: Kind) -> str:
    """The kind's JSON in DuckDB's structure notation, keys in canonical order."""
    data = ",".join(f'"{name}":{kind.fields[name].column}' for name in sorted(kind.fields))
    envelope = ",".join(f'"{name}":"VARCHAR"' for name in _ENVELOPE)
    return f'{{"data":{{{data}}},{envelope}}}'


def _guard(kind: Kind) -> str:
    """What must hold besides the types: required fields are there, amounts are in range."""
    conditions = ["f.key IS NOT NULL AND f.recorded_at IS NOT NULL"]
    for name, field in kind.fields.items():
        column = f'f.data."{name}"'
        condition = f"{column} IS NOT NULL"
        if isinstance(field, Hours):
            condition = f"{column} BETWEEN 1 AND {field.hours_max * SCALE}"
        elif isinstance(field, Shares):
            condition = f"list_sum(list_transform({column}, lambda s: s.share)) = {WHOLE_SHARE}"
        conditions.append(f"({condition} OR {column} IS NULL)" if field.optional else condition)
    return " AND ".join(conditions)


def _targets(
    kind: Kind, numbers: Mapping[str, int], people: Mapping[str, str]
) -> Iterator[str]:
    """Statements that hand a kind's decoded rows to the tables they belong to."""
    activity = kind.activity
    if kind.name in numbers:
        grade = _column(activity.grade if activity else "")
        hours = _column(activity.hours if activity else "")
        yield (
            f"INSERT INTO w_raw_fact SELECT position, stream, {numbers[kind.name]}, {_DAY},"
            f" {grade}, {hours}, {_column(kind.title)} FROM decoded"
        )
        if kind.name in people:
            yield _party(people[kind.name], kind.fields[people[kind.name]])
    for withdrawn in kind.withdraws:
        yield (
            f"INSERT INTO w_raw_withdrawal SELECT position, stream, {numbers.get(withdrawn, 0)}"
            " FROM decoded"
        )
    if kind.cls in SERVICE_STATUS:
        status = SERVICE_STATUS[kind.cls]
        day = _DAY.replace("date", "(date + 1)") if status == "left" else _DAY
        yield (
            f'INSERT INTO w_raw_service SELECT position, "person", {day},'
            f" {_column('unit' if 'unit' in kind.fields else '')},"
            f" {_column('rank' if 'rank' in kind.fields else '')},"
            f" {_text(status)}, {kind.cls is MemberJoined} FROM decoded"
        )
    if kind.cls is UnitEstablished:
        yield (
            'INSERT INTO units SELECT position, "unit", "name_ko", "name_en", "parent" FROM decoded'
        )


def people_fields(kinds: Kinds) -> dict[str, str]:
    """The field in which facts of a kind name the people of an activity, by kind."""
    return {
        kind.activity.of or kind.name: kind.activity.people for kind in kinds if kind.activity
    }


def _party(name: str, field: FieldType) -> str:
    column = _column(name)
    if isinstance(field, Shares):
        return (
            f"INSERT INTO w_raw_party SELECT position, unnest(range(1, len({column}) + 1)),"
            f" unnest({column}).person, unnest({column}).share FROM decoded"
        )
    if isinstance(field, People):
        return (
            f"INSERT INTO w_raw_party SELECT position, unnest(range(1, len({column}) + 1)),"
            f" unnest({column}), {WHOLE_SHARE} FROM decoded"
        )
    return f"INSERT INTO w_raw_party SELECT position, 1, {column}, {WHOLE_SHARE} FROM decoded"


def _column(name: str) -> str:
    return f'"{name}"' if name else "NULL"


def _text(value: str | None) -> str:
    return f"'{value}'" if value else "NULL"
