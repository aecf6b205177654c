"""Building a read model from a ledger, whole: decode, score and publish in columns."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs
from mileage.ledger import CorruptFact
from mileage.ledger.facts import format_instant

from . import closing, plan, registers
from .days import OPEN_DAY
from .decode import RAW_TABLES, Slice, decode_facts
from .kept import Kept, NotAsKept
from .publish import publish
from .rules import Rules, adopted_rules, confirmed_facts, gone_facts, rule_rows
from .schema import SCHEMA_VERSION, ddl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    import duckdb
    from mileage.ledger import Ledger, Recorded

    from .rulebook import Adoption

__all__ = ["build_read_model", "fact_mark", "figure_steps", "scored"]

_INTERN = (
    # A unit whose founding was voided may be established again: the latest that stands counts.
    f"""
    INSERT INTO units
    SELECT position, unit, name_ko, name_en, parent, {OPEN_DAY} FROM w_raw_unit
    WHERE position IN (
        SELECT max(position) FROM w_raw_unit
        WHERE position NOT IN (SELECT position FROM w_gone) GROUP BY unit)
    """,
    """
    UPDATE units SET day_until = e.day
    FROM (SELECT unit, min(day) AS day FROM w_raw_unit_end
          WHERE position NOT IN (SELECT position FROM w_gone) GROUP BY unit) e
    WHERE e.unit = units.unit
    """,
    """
    INSERT INTO people
    SELECT min(position), person FROM w_raw_service WHERE joins GROUP BY person
    """,
    """
    INSERT INTO w_service
    SELECT s.position, m.id, s.day, u.id, s.rank, s.status
    FROM w_raw_service s JOIN people m ON m.person = s.person LEFT JOIN units u ON u.unit = s.unit
    """,
    """
    INSERT INTO things
    SELECT min(f.position), f.stream,
           coalesce(arg_max(f.title, f.position) FILTER (g.position IS NULL),
                    arg_max(f.title, f.position))
    FROM w_raw_fact f LEFT JOIN w_gone g ON g.position = f.position AND g.cause = 'voided'
    GROUP BY f.stream
    """,
    """
    INSERT INTO w_fact
    SELECT f.position, t.id, f.kind, f.day, f.grade, f.hours
    FROM w_raw_fact f JOIN things t ON t.stream = f.stream
    """,
    """
    INSERT INTO w_party
    SELECT p.position, p.seq, m.id, p.party.share
    FROM (SELECT position, unnest(range(1, len(parties) + 1)) AS seq, unnest(parties) AS party
          FROM w_raw_fact) p
    LEFT JOIN people m ON m.person = p.party.person
    """,
    """
    INSERT INTO w_withdrawal
    SELECT w.position, t.id, w.kind
    FROM w_raw_withdrawal w JOIN things t ON t.stream = w.stream
    """,
)

_SAID = """
INSERT INTO w_said
SELECT position, s.said.field, s.said.code
FROM (SELECT position, unnest(said) AS said FROM w_raw_fact) s
WHERE s.said.code IS NOT NULL
"""

_BALANCES = """
INSERT INTO balances
SELECT m.id, 0, coalesce(s.points, 0), coalesce(s.activities, 0), coalesce(s.rewarded, 0)
FROM people m
LEFT JOIN (SELECT person, cast(sum(points) AS BIGINT) AS points,
                  count(CASE WHEN share > 0 THEN 1 END) AS activities,
                  count(CASE WHEN points > 0 AND share > 0 THEN 1 END) AS rewarded
           FROM postings WHERE {whose} AND account = 0 GROUP BY person) s ON s.person = m.id
WHERE m.id IN (SELECT {everybody})
"""

_OTHER_BALANCES = """
INSERT INTO balances
SELECT person, account, cast(sum(points) AS BIGINT), count(CASE WHEN share > 0 THEN 1 END),
       count(CASE WHEN points > 0 AND share > 0 THEN 1 END)
FROM postings WHERE {whose} AND account > 0 GROUP BY person, account
"""

_POSTINGS = """
INSERT INTO postings
SELECT p.person, p.position, p.activity, p.thing, p.day, p.unit, p.grade, p.hours, p.share,
       p.value, p.whole, p.gross, cast(p.gross - coalesce(c.points, 0) AS BIGINT), {account}
FROM w_posting p
{accounts}
LEFT JOIN (SELECT person, position, activity, sum(points) AS points FROM w_cut
           GROUP BY person, position, activity) c
  ON c.person = p.person AND c.position = p.position AND c.activity = p.activity
"""


def figure_steps(shape: plan.Shape, people: str = "") -> list[str]:
    """From ``w_posting`` and ``w_cut`` to ``postings``, ``cuts`` and ``balances``.

    Args:
        shape: What the rules ask of the plan.
        people: Table of the numbers of the people concerned; everybody unless given.
    """
    account, accounts = ("0", "")
    if shape.accounts:
        account, accounts = "a.account", "JOIN activities a ON a.id = p.activity"
    whose = f"person IN (SELECT id FROM {people})" if people else "1 = 1"
    balances = _BALANCES.format(whose=whose, everybody=f"id FROM {people or 'people'}")
    return [
        _POSTINGS.format(account=account, accounts=accounts),
        "INSERT INTO cuts SELECT * FROM w_cut",
        balances,
        *([_OTHER_BALANCES.format(whose=whose)] if shape.accounts else []),
    ]


def _close(  # noqa: PLR0913, PLR0917 - what a build is of
    con: duckdb.DuckDBPyConnection,
    ledger: Ledger,
    part: Slice,
    office: Sequence[Recorded],
    rules: Rules,
    rules_upto: int | None,
    kept: Kept | None,
) -> dict[str, str]:
    """Put closed periods back as they were; what the model says of closings."""

    def at(position: int) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        then = attrs.evolve(part, upto=min(position, part.upto or position))
        upto = min(position, position if rules_upto is None else rules_upto)
        earlier = Kept(kept.folder, ledger) if kept and not kept.anew else None
        return scored(ledger, then, rules_upto=upto, kept=earlier, closes=False)

    adjusted = closing.post(con, ledger, part, office, rules, at)
    if adjusted:
        con.execute("DELETE FROM balances")
        whole = attrs.evolve(rules.shape, accounts=True)
        for statement in figure_steps(whole)[2:]:
            con.execute(statement)
    closed = closing.closings(ledger, part)
    return {
        "closed_until": str(closed[-1].open_from if closed else 0),
        "adjusted": str(int(adjusted)),
    }


def build_read_model(  # noqa: PLR0913 - what a build is of
    ledger: Ledger,
    path: Path,
    part: Slice | None = None,
    *,
    rules_upto: int | None = None,
    proposed: Adoption | None = None,
    kept: Kept | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> None:
    """Write a complete read model to a new file.

    Args:
        ledger: The ledger.
        path: File to write; must not exist.
        part: Which facts count; all unless given.
        rules_upto: Only rulebooks adopted up to this position; all unless given.
        proposed: A rulebook to score with as if it were adopted after all others.
        kept: What earlier builds decoded; it is taken where it is of just these stored facts.
        progress: Called with the stage's name, steps done and steps in all.

    Raises:
        CorruptFact: A stored fact cannot be read back exactly; nothing is left behind.
        RulebookError: An adopted rulebook cannot be used.
    """
    tell = progress or _tell_nobody
    for attempt in (1, 2):
        try:
            with scored(
                ledger,
                part,
                rules_upto=rules_upto,
                proposed=proposed,
                kept=kept,
                progress=progress,
            ) as con:
                publish(con, path, lambda *at: tell("publish", *at))
        except NotAsKept:
            path.unlink(missing_ok=True)
            if attempt == 2:  # noqa: PLR2004 - somebody changes the ledger's file all the while
                raise
        else:
            return


@contextmanager
def scored(  # noqa: PLR0913 - what a build is of
    ledger: Ledger,
    part: Slice | None = None,
    *,
    rules_upto: int | None = None,
    proposed: Adoption | None = None,
    kept: Kept | None = None,
    closes: bool = True,
    progress: Callable[[str, int, int], None] | None = None,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The tables of a read model, in a connection of its own; else as ``build_read_model``.

    Without ``closes``, as if no period was ever closed.

    What is done within it may only be used when it has been left without an error.

    Raises:
        NotAsKept: The ledger's stored facts are not those that were kept; do it again.
    """
    import duckdb  # noqa: PLC0415 - slow to import

    part, tell = part or Slice(), progress or _tell_nobody
    with duckdb.connect(config={"preserve_insertion_order": "false"}) as con:
        try:
            for name, columns in RAW_TABLES.items():
                con.execute(f"CREATE TABLE {name} ({columns})")
            for statement in (*ddl(), *plan.work_ddl()):
                con.execute(statement)
            last = decode_facts(con, ledger, part, lambda *at: tell("decode", *at), kept)
            rows = con.execute("SELECT position FROM w_raw_office ORDER BY position").fetchall()
            office = ledger.at_all([position for (position,) in rows])
            rules = adopted_rules(ledger, office, upto=rules_upto, proposed=proposed)
            _fill(con, "w_gone", gone_facts(ledger, office))
            if rules.shape.confirms:
                _fill(con, "w_confirmed", confirmed_facts(ledger, office))
            score(con, ledger, rules, lambda *at: tell("score", *at))
            meta = model_meta(ledger, part, last, _last_day(con), rules)
            if closes:
                meta |= _close(con, ledger, part, office, rules, rules_upto, kept)
            _fill(con, "meta", list(meta.items()))
            if kept:
                kept.check()  # what follows leaves a processor free for it
            yield con
            if kept:
                kept.confirm()
        finally:  # before the connection is closed: what is kept is written from it meanwhile
            if kept:
                kept.finish()


def _tell_nobody(_stage: str, _done: int, _all: int) -> None:
    pass


def _last_day(con: duckdb.DuckDBPyConnection) -> int:
    """The last day of any fact the figures depend on."""
    days = " UNION ALL ".join(f"SELECT max(day) AS day FROM {table}" for table in RAW_TABLES)
    [(day,)] = con.execute(f"SELECT coalesce(max(day), 0) FROM ({days})").fetchall()
    return int(day)


def fact_mark(item: Recorded) -> str:
    """What tells a fact from another at the same position of another history of the ledger."""
    return f"{item.fact.key} {format_instant(item.fact.recorded_at)}"


def model_meta(
    ledger: Ledger, part: Slice, last: int, last_day: int, rules: Rules
) -> dict[str, str]:
    """What a read model says of itself."""
    return {
        "schema": str(SCHEMA_VERSION),
        "ledger": ledger.stream_of_opening,
        "position": str(last),
        "last_fact": fact_mark(ledger.at(last)) if last else "",
        "rules_position": str(rules.position),
        "pending_rulebook": str(rules.pending),
        "last_day": str(last_day),
        "as_of": part.as_of.isoformat() if part.as_of else "",
        "known_at": part.known_at.isoformat() if part.known_at else "",
    }


def score(
    con: duckdb.DuckDBPyConnection,
    ledger: Ledger,
    rules: Rules,
    progress: Callable[[int, int], None],
) -> None:
    """From decoded facts to ``postings``, ``cuts`` and ``balances``, in the connection."""
    for table, rows in rule_rows(rules, ledger.kinds).items():
        _fill(con, table, rows)
    said = [_SAID] if rules.shape.conditions else []
    for statement in (*_INTERN, *said, *registers.STEPS):
        con.execute(statement)
    _check_parties(con)
    steps = (
        *plan.tenure_steps(),
        *plan.activity_steps(rules.shape),
        *plan.cap_steps(rules.shape),
        *figure_steps(rules.shape),
    )
    for done, statement in enumerate(steps, 1):
        con.execute(statement)
        progress(done, len(steps))


def _check_parties(con: duckdb.DuckDBPyConnection) -> None:
    [(bad,)] = con.execute(
        "SELECT min(position) FROM w_party WHERE person IS NULL OR share IS NULL OR share <= 0"
    ).fetchall()
    if bad is not None:
        raise CorruptFact(bad, "names somebody who never joined; restore the ledger from a copy")


def _fill(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    import pyarrow as pa  # noqa: PLC0415 - slow to import

    if rows:
        columns = [pa.array(column) for column in zip(*rows, strict=True)]
        names = [f"column{number}" for number in range(len(columns))]
        con.register("filled", pa.table(columns, names))
        con.execute(f"INSERT INTO {table} SELECT * FROM filled")
        con.unregister("filled")
