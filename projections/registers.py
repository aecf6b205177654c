"""Registers: facts that give no points but that figures speak of, kept as rows of their own.

Decisions about entitlements, mileage redeemed, awards with their certificates, sanctions. A rebuild
reads them in columns, a catch-up one by one; both put them into the same raw tables and run the
same statements, in what DuckDB and SQLite both understand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .days import OPEN_DAY, day_number

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from mileage.ledger import Kind, Recorded

__all__ = ["CATEGORIES", "RAW_TABLES", "STEPS", "catch_up", "targets"]

_COMMON = "position BIGINT, day BIGINT, recorded_by TEXT, "
RAW_TABLES = {
    "w_raw_decision": _COMMON
    + "programme TEXT, cycle TEXT, person TEXT, decision TEXT, grade TEXT, value BIGINT,"
    " reason TEXT",
    "w_raw_redemption": _COMMON + "redemption TEXT, person TEXT, points BIGINT, note TEXT",
    "w_raw_award": _COMMON
    + "award TEXT, title TEXT, grade TEXT, certificate TEXT, basis TEXT, prize BIGINT,"
    " proposal TEXT",
    "w_raw_sanction": _COMMON + "sanction TEXT, person TEXT, ground TEXT, until TEXT",
}
"""Columns of the raw tables; days are ``yyyymmdd``, values and points 1/10,000, prizes won."""

# For each kind its raw table and what goes into the columns behind the common ones: a field, a
# word written with '=', or nothing.
_ENTRIES: dict[str, tuple[str, tuple[str, ...]]] = {
    "entitlement.granted": (
        "w_raw_decision",
        ("programme", "cycle", "person", "=granted", "grade", "value", "reason"),
    ),
    "entitlement.approved": (
        "w_raw_decision",
        ("programme", "cycle", "person", "=approved", "", "", ""),
    ),
    "entitlement.refused": (
        "w_raw_decision",
        ("programme", "cycle", "person", "=refused", "", "", "reason"),
    ),
    "entitlement.revoked": (
        "w_raw_decision",
        ("programme", "cycle", "person", "=revoked", "", "", "reason"),
    ),
    "redemption.made": (
        "w_raw_redemption",
        ("redemption", "person", "redeemed_points", "purpose"),
    ),
    "redemption.reversed": ("w_raw_redemption", ("redemption", "", "", "reason")),
    "award.granted": (
        "w_raw_award",
        ("award", "title", "grade", "certificate", "basis", "prize", "proposal"),
    ),
    "award.withdrawn": ("w_raw_award", ("award", "", "", "", "", "", "")),
    "sanction.imposed": ("w_raw_sanction", ("sanction", "person", "ground", "until")),
    "sanction.lifted": ("w_raw_sanction", ("sanction", "", "ground", "")),
}

CATEGORIES = frozenset(name.partition(".")[0] for name in _ENTRIES)
"""Categories of the streams whose facts are registered."""

# What is on hold or denied is what a fact earns: an award with its prize, or a decision, stands.
_STANDS = (
    "NOT EXISTS (SELECT 1 FROM w_gone g WHERE g.position = {0}.position AND g.cause = 'voided')"
)

STEPS = (
    f"""
    INSERT INTO decisions
    SELECT d.position, d.programme, d.cycle, m.id, d.day, d.decision, d.grade, d.value, d.reason,
           d.recorded_by
    FROM w_raw_decision d JOIN people m ON m.person = d.person
    WHERE {_STANDS.format("d")}
    """,
    f"""
    INSERT INTO redemptions
    SELECT r.position, m.id, r.day, r.redemption, r.points, r.note
    FROM w_raw_redemption r JOIN people m ON m.person = r.person
    WHERE {_STANDS.format("r")}
    UNION ALL
    SELECT b.position, m.id, b.day, b.redemption, -r.points, b.note
    FROM w_raw_redemption b
    JOIN w_raw_redemption r ON r.redemption = b.redemption AND r.position < b.position
    JOIN people m ON m.person = r.person
    WHERE b.person IS NULL AND {_STANDS.format("b")} AND {_STANDS.format("r")}
    """,
    f"""
    INSERT INTO awards
    SELECT a.position, a.day, a.award, a.title, a.grade, a.certificate, a.basis, a.prize,
           a.proposal, min(w.position), min(w.day)
    FROM w_raw_award a
    LEFT JOIN w_raw_award w
      ON w.award = a.award AND w.title IS NULL AND w.position > a.position
     AND {_STANDS.format("w")}
    WHERE a.title IS NOT NULL AND {_STANDS.format("a")}
    GROUP BY a.position, a.day, a.award, a.title, a.grade, a.certificate, a.basis, a.prize,
             a.proposal
    """,
    f"""
    INSERT INTO sanctions
    SELECT s.position, m.id, s.sanction, s.ground, s.day,
           coalesce(min(l.day), CAST(replace(s.until, '-', '') AS BIGINT), {OPEN_DAY})
    FROM w_raw_sanction s
    JOIN people m ON m.person = s.person
    LEFT JOIN w_raw_sanction l
      ON l.sanction = s.sanction AND l.person IS NULL AND l.position > s.position
     AND {_STANDS.format("l")}
    WHERE {_STANDS.format("s")}
    GROUP BY s.position, m.id, s.sanction, s.ground, s.day, s.until
    """,
)
"""From the raw tables, ``w_gone`` and ``people`` to the read model's registers."""

_TABLES = ("decisions", "redemptions", "awards", "sanctions")


def targets(kind: Kind, day: str) -> Iterator[tuple[str, str]]:
    """The raw table of a kind, if it is registered, and the columns a replay reads into it."""
    if kind.name in _ENTRIES:
        table, entries = _ENTRIES[kind.name]
        columns = ", ".join(_column(entry) for entry in entries)
        yield table, f"position, {day}, recorded_by, {columns}"


def _column(entry: str) -> str:
    if entry.startswith("="):
        return f"'{entry[1:]}'"
    return f'data."{entry}"' if entry else "NULL"


def catch_up(connection: sqlite3.Connection, facts: Iterable[Recorded]) -> None:
    """Derive the rows of some things anew, of all their facts; ``w_gone`` has those void."""
    for table in RAW_TABLES:
        connection.execute(f"DELETE FROM {table}")
    for item in facts:
        for table in _TABLES:
            connection.execute(f"DELETE FROM {table} WHERE position = ?", (item.position,))
        if item.fact.kind.name in _ENTRIES:
            table, row = _row(item)
            marks = ", ".join("?" * len(row))
            connection.execute(f"INSERT INTO {table} VALUES ({marks})", row)
    for statement in STEPS:
        connection.execute(statement)


def _row(item: Recorded) -> tuple[str, tuple[Any, ...]]:
    fact = item.fact
    table, entries = _ENTRIES[fact.kind.name]
    said, day = fact.kind.dump(fact.data), fact.occurred_on
    values = (entry[1:] if entry.startswith("=") else said.get(entry) for entry in entries)
    return table, (item.position, day_number(day), fact.recorded_by, *values)
