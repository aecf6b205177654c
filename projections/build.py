"""Building a read model from a ledger, whole: decode, score and publish in columns."""

from __future__ import annotations

import sqlite3
from datetime import date
from typing import TYPE_CHECKING, Any

import attrs

from mileage.ledger import CorruptFact, Ledger, RulebookAdopted
from mileage.ledger.ledger import voided_keys

from . import plan
from .decode import Slice, activity_ids, day_number, decode_facts
from .rulebook import ActivityInfo, Adoption, Compiled, compile_rules, parse_rulebook
from .schema import SCHEMA_VERSION, TABLES, create_tables, create_views, ddl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    import duckdb

    from mileage.ledger.kinds import Kinds

__all__ = [
    "Rules",
    "activity_infos",
    "adopted_rules",
    "build_read_model",
    "gone_facts",
    "known_activities",
]

_DUCKDB_TYPES = {"TEXT": "VARCHAR"}

_RAW_TABLES = {
    "w_raw_fact": (
        "position BIGINT, stream VARCHAR, kind BIGINT, day BIGINT, grade VARCHAR, hours BIGINT,"
        " title VARCHAR"
    ),
    "w_raw_party": "position BIGINT, seq BIGINT, person VARCHAR, share BIGINT",
    "w_raw_withdrawal": "position BIGINT, stream VARCHAR, kind BIGINT",
    "w_raw_service": (
        "position BIGINT, person VARCHAR, day BIGINT, unit VARCHAR, rank VARCHAR, status VARCHAR,"
        " joins BOOLEAN"
    ),
}

_INTERN = (
    "INSERT INTO people SELECT min(position), person FROM w_raw_service WHERE joins GROUP BY person",
    """
    INSERT INTO w_service
    SELECT s.position, m.id, s.day, u.id, s.rank, s.status
    FROM w_raw_service s JOIN people m ON m.person = s.person LEFT JOIN units u ON u.unit = s.unit
    """,
    """
    INSERT INTO things
    SELECT min(position), stream, max(title) FROM w_raw_fact GROUP BY stream
    """,
    """
    INSERT INTO w_fact
    SELECT f.position, t.id, f.kind, f.day, f.grade, f.hours
    FROM w_raw_fact f JOIN things t ON t.stream = f.stream
    """,
    """
    INSERT INTO w_party
    SELECT p.position, p.seq, m.id, p.share
    FROM w_raw_party p LEFT JOIN people m ON m.person = p.person
    """,
    """
    INSERT INTO w_withdrawal
    SELECT w.position, t.id, w.kind
    FROM w_raw_withdrawal w JOIN things t ON t.stream = w.stream
    """,
)

BALANCES = """
INSERT INTO balances
SELECT m.id, cast(coalesce(sum(p.points), 0) AS BIGINT), count(p.person),
       count(CASE WHEN p.points > 0 THEN 1 END)
FROM people m LEFT JOIN postings p ON p.person = m.id
WHERE {where}
GROUP BY m.id
"""

POSTINGS = """
INSERT INTO postings
SELECT p.person, p.position, p.activity, p.thing, p.day, p.unit, p.grade, p.hours, p.share,
       p.value, p.whole, p.gross, cast(p.gross - coalesce(c.points, 0) AS BIGINT)
FROM w_posting p
LEFT JOIN (SELECT person, position, activity, sum(points) AS points FROM w_cut
           GROUP BY person, position, activity) c
  ON c.person = p.person AND c.position = p.position AND c.activity = p.activity
"""


@attrs.frozen
class Rules:
    """The rulebooks a read model is made with.

    Attributes:
        compiled: All of them as rows.
        adoptions: The adoptions, in order of position.
        position: Position of the latest adoption; 0 without one.
    """

    compiled: Compiled
    adoptions: tuple[Adoption, ...]
    position: int

    @property
    def stages(self) -> int:
        """How many stages of caps there are."""
        return max((cap.level for cap in self.compiled.caps), default=0)


def activity_infos(kinds: Kinds) -> dict[str, ActivityInfo]:
    """What a rulebook can speak of: the kinds that earn, with grades or hours or neither."""
    return {
        kind.name: ActivityInfo(kind.name, bool(kind.activity.grade), bool(kind.activity.hours))
        for kind in kinds
        if kind.activity
    }


def adopted_rules(ledger: Ledger, part: Slice, *, upto: int | None = None) -> Rules:
    """Compile the rulebooks adopted within a slice.

    Args:
        ledger: The ledger.
        part: Which facts count.
        upto: Only adoptions up to this position; all unless given.

    Raises:
        RulebookError: An adopted text cannot be used; the message names the adoption.
    """
    void = _voids(ledger, part)[1]
    adoptions = []
    for item in ledger.facts(topics=("rulebook.adopted",)):
        fact = item.fact
        if not part.has(item.position, fact.occurred_on, fact.recorded_at) or fact.key in void:
            continue
        if upto is not None and item.position > upto:
            continue
        data: RulebookAdopted = fact.data
        rulebook = parse_rulebook(data.text, activity_infos(ledger.kinds))
        adoptions.append(Adoption(item.position, fact.occurred_on, data.effective_from, rulebook))
    return Rules(
        compiled=compile_rules(adoptions),
        adoptions=tuple(adoptions),
        position=adoptions[-1].position if adoptions else 0,
    )


def _voids(ledger: Ledger, part: Slice) -> tuple[list[tuple[str, str, int]], frozenset[str]]:
    """Voiding facts within a slice (key, key voided, position) and the keys that are void."""
    found = [
        (item.fact.key, item.fact.data.fact, item.position)
        for item in ledger.facts(topics=("fact.voided",))
        if part.has(item.position, item.fact.occurred_on, item.fact.recorded_at)
    ]
    return found, voided_keys([(key, target) for key, target, _ in found])


def gone_facts(ledger: Ledger, part: Slice) -> list[tuple[int, str, int]]:
    """Rows of ``w_gone`` for the facts that are void within a slice."""
    voids, void = _voids(ledger, part)
    standing = {target: position for key, target, position in voids if key not in void}
    rows = []
    for target, by_position in standing.items():
        fact = ledger.by_key(target)
        assert fact is not None, target  # noqa: S101 - a void names a recorded fact
        rows.append((fact.position, "voided", by_position))
    return rows


def known_activities(kinds: Kinds) -> list[tuple[int, str, str, str, int, int | None]]:
    """Rows of ``activities``."""
    numbers = activity_ids(kinds)
    rows = []
    for name, number in numbers.items():
        kind = kinds.get(name)
        of = kind.activity.of if kind.activity else ""
        earns = 1 if kind.activity else 0
        rows.append((number, name, kind.label.ko, kind.label.en, earns, numbers.get(of)))
    return rows


def rule_rows(rules: Rules, kinds: Kinds) -> dict[str, list[tuple[Any, ...]]]:
    """Rows of the read model's tables about rulebooks."""
    numbers = activity_ids(kinds)
    books = {adoption.position: adoption.rulebook for adoption in rules.adoptions}
    rule_titles = {(p, rule.id): rule.title for p, book in books.items() for rule in book.rules}
    cap_titles = {(p, cap.id): cap.title for p, book in books.items() for cap in book.caps}
    names = sorted({value.rule for value in rules.compiled.values})
    rule_numbers = {name: number for number, name in enumerate(names, 1)}
    return {
        "rulebooks": [
            (
                version.adoption.position,
                version.adoption.rulebook.id,
                version.adoption.rulebook.digest,
                day_number(version.day_from),
                day_number(version.day_until),
            )
            for version in rules.compiled.versions
        ],
        "rule_values": [
            (
                row.id,
                row.adoption,
                rule_numbers[row.rule],
                row.rule,
                rule_titles[row.adoption, row.rule].ko,
                rule_titles[row.adoption, row.rule].en,
                numbers[row.activity],
                row.grade,
                int(row.per == "hour"),
                int(row.split == "share"),
                row.day_from,
                row.day_until,
                row.points,
                row.clause,
            )
            for row in rules.compiled.values
        ],
        "cap_limits": [
            (
                row.id,
                rule_numbers[row.rule],
                row.day_from,
                row.day_until,
                row.level,
                row.period,
                row.limit_points,
                row.adoption,
                row.cap,
                cap_titles[row.adoption, row.cap].ko,
                cap_titles[row.adoption, row.cap].en,
                row.clause,
            )
            for row in rules.compiled.caps
            if row.rule in rule_numbers
        ],
        "programmes": list(_programme_rows(rules)),
        "labels": sorted(
            (code, label.ko, label.en)
            for book in list(books.values())[-1:]
            for code, label in book.labels.items()
        ),
    }


def _programme_rows(rules: Rules) -> Iterator[tuple[Any, ...]]:
    for version in rules.compiled.versions:
        for programme in version.adoption.rulebook.programmes:
            ends = [*[value.valid_from for value in programme.values[1:]], date.max]
            for value, end in zip(programme.values, ends, strict=True):
                day_from = max(value.valid_from, version.day_from)
                day_until = min(end, version.day_until)
                if day_from < day_until:
                    yield (
                        programme.id,
                        day_number(day_from),
                        day_number(day_until),
                        version.adoption.position,
                        programme.title.ko,
                        programme.title.en,
                        programme.period,
                        value.threshold_points,
                        value.quota,
                        " ".join(programme.tie.break_by),
                        programme.tie.otherwise,
                        value.clause,
                    )


def build_read_model(
    ledger: Ledger,
    path: Path,
    part: Slice | None = None,
    *,
    rules_upto: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> None:
    """Write a complete read model to a new file.

    Args:
        ledger: The ledger.
        path: File to write; must not exist.
        part: Which facts count; all unless given.
        rules_upto: Only rulebooks adopted up to this position; all unless given.
        progress: Called with the stage's name, steps done and steps in all.

    Raises:
        CorruptFact: A stored fact cannot be read back exactly; nothing is left behind.
        RulebookError: An adopted rulebook cannot be used.
    """
    import duckdb  # noqa: PLC0415 - slow to import

    part = part or Slice()
    tell = progress or (lambda _stage, _done, _all: None)
    with duckdb.connect(config={"preserve_insertion_order": "false"}) as con:
        for name, columns in _RAW_TABLES.items():
            con.execute(f"CREATE TABLE {name} ({columns})")
        for statement in (*ddl(), *plan.work_ddl()):
            con.execute(statement)
        last, last_day = decode_facts(con, ledger, part, lambda done, of: tell("decode", done, of))
        rules = adopted_rules(ledger, part, upto=rules_upto)
        score(con, ledger, part, rules)
        tell("score", 1, 1)
        meta = model_meta(ledger, part, last, last_day, rules)
        _fill(con, "meta", list(meta.items()))
        try:
            publish(con, path, lambda done, of: tell("publish", done, of))
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def model_meta(
    ledger: Ledger, part: Slice, last: int, last_day: int, rules: Rules
) -> dict[str, str]:
    """What a read model says of itself."""
    return {
        "schema": str(SCHEMA_VERSION),
        "ledger": ledger.stream_of_opening,
        "position": str(last),
        "rules_position": str(rules.position),
        "pending_rulebook": "0",
        "last_day": str(last_day),
        "as_of": part.as_of.isoformat() if part.as_of else "",
        "known_at": part.known_at.isoformat() if part.known_at else "",
    }


def score(con: duckdb.DuckDBPyConnection, ledger: Ledger, part: Slice, rules: Rules) -> None:
    """From decoded facts to ``postings``, ``cuts`` and ``balances``, in the connection."""
    _fill(con, "activities", known_activities(ledger.kinds))
    for table, rows in rule_rows(rules, ledger.kinds).items():
        _fill(con, table, rows)
    _fill(con, "w_gone", gone_facts(ledger, part))
    for statement in _INTERN:
        con.execute(statement)
    _check_parties(con)
    steps = (*plan.tenure_steps(), *plan.activity_steps(), *plan.cap_steps(rules.stages))
    for statement in steps:
        con.execute(statement)
    con.execute(POSTINGS)
    con.execute(BALANCES.format(where="1 = 1"))
    con.execute(
        "INSERT INTO cuts SELECT person, position, activity, stage, cause, reference, points"
        " FROM w_cut"
    )


def _check_parties(con: duckdb.DuckDBPyConnection) -> None:
    [(bad,)] = con.execute(
        "SELECT min(position) FROM w_party WHERE person IS NULL OR share IS NULL OR share <= 0"
    ).fetchall()
    if bad is not None:
        raise CorruptFact(bad, "names somebody who never joined; restore the ledger from a copy")


def _fill(con: duckdb.DuckDBPyConnection, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    for row in rows:
        con.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", list(row))  # noqa: S608


def publish(
    con: duckdb.DuckDBPyConnection, path: Path, progress: Callable[[int, int], None]
) -> None:
    """Write the read model's tables to a new SQLite file: the bulk by a bulk path."""
    from adbc_driver_sqlite import dbapi  # noqa: PLC0415 - slow to import
    from sqlite_utils import Database  # noqa: PLC0415 - slow to import

    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA page_size = 8192")
        database = Database(connection)
        create_tables(database)
        connection.commit()
    finally:
        connection.close()
    with (
        dbapi.connect(f"file:{path.absolute()}", autocommit=True) as bulk,
        bulk.cursor() as cursor,
    ):
        cursor.execute("PRAGMA journal_mode = OFF")
        cursor.execute("PRAGMA synchronous = OFF")
        for done, (name, (_, key)) in enumerate(TABLES.items()):
            rows = con.sql(f"SELECT * FROM {name} ORDER BY {key}").to_arrow_table()  # noqa: S608
            if rows.num_rows:
                cursor.adbc_ingest(name, rows, mode="append")
            progress(done, len(TABLES) + 1)
    connection = sqlite3.connect(path)
    try:
        create_views(Database(connection))
        connection.commit()
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
    finally:
        connection.close()
    progress(len(TABLES) + 1, len(TABLES) + 1)
