"""The scoring plan in Polars: a third engine beside DuckDB and SQLite, and nobody's in production.

It takes the plan's statements as they are, whatever there will be in the plan, and works them out
over data frames. A query is answered by Polars' own SQL. For ``INSERT`` and ``UPDATE``, which that
does not have, it is asked for the rows they leave in the table, so the statement's own text decides
here too. What is not understood is an error, never a guess.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import polars as pl
import sqlglot
from attrs import define
from mileage.projections import build, plan
from sqlglot import exp

if TYPE_CHECKING:
    import sqlite3

    import duckdb
    from mileage.ledger import Ledger

__all__ = [
    "DECODED",
    "NotUnderstood",
    "OtherRows",
    "PolarsEngine",
    "Step",
    "same_rows",
    "scored_on_both",
]

_DIALECT = "duckdb"  # what the plan is written in
_TYPES = {"BIGINT": pl.Int64, "INTEGER": pl.Int64, "TEXT": pl.String}


class NotUnderstood(Exception):
    """A statement that this engine cannot work out exactly as it stands."""


@define
class PolarsEngine:
    """Tables, and the statements that change them.

    Attributes:
        tables: The tables by name. Their rows have no order, their columns keep their types.
    """

    tables: dict[str, pl.DataFrame]

    @classmethod
    def of_duckdb(cls, con: duckdb.DuckDBPyConnection) -> PolarsEngine:
        """All tables of a DuckDB connection, as they are now."""
        names = con.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        return cls({name: con.sql(f"FROM {name}").pl() for (name,) in names})

    @classmethod
    def of_sqlite(cls, connection: sqlite3.Connection) -> PolarsEngine:
        """All tables of a SQLite connection, as they are now."""
        names = connection.execute("SELECT name FROM pragma_table_list WHERE type = 'table'")
        tables = {}
        for (name,) in names.fetchall():
            if not name.startswith("sqlite_"):
                columns = connection.execute("SELECT name, type FROM pragma_table_info(?)", (name,))
                schema = {column: _TYPES[declared] for column, declared in columns}
                rows = connection.execute(f"SELECT * FROM {name}").fetchall()
                tables[name] = pl.DataFrame(rows, schema, orient="row")
        return cls(tables)

    def execute(self, statement: str) -> str:
        """Work out one ``INSERT … SELECT``, ``UPDATE`` or ``DELETE``; tell which table it changed.

        Raises:
            NotUnderstood: It is none of those, has a clause that is not known here, asks what
                Polars cannot answer, or gives a column what is not of its type.
        """
        try:
            parsed = sqlglot.parse(statement, dialect=_DIALECT)
        except sqlglot.ParseError as error:
            raise NotUnderstood(f"{error}\nin\n{statement}") from error
        match parsed:
            case [exp.Insert() as insert]:
                target = self._target(insert, "expression")
                _name_columns(insert.expression)
                rows = [self.tables[target], self._typed(target, self._asked(insert.expression))]
            case [exp.Update() as update]:
                target = self._target(update, "expressions", "where")
                news = self._asked(self._as_query(target, update))
                rows = [self._left_alone(target, update), self._typed(target, news)]
            case [exp.Delete() as delete]:
                target = self._target(delete, "where")
                rows = [self._left_alone(target, delete)]
            case _:
                raise NotUnderstood(f"neither INSERT, UPDATE nor DELETE:\n{statement}")
        self.tables[target] = pl.concat(rows)
        return target

    def _target(self, statement: exp.Expression, *known: str) -> str:
        """The table that a statement changes, if it has no clause but those known."""
        others = [name for name, value in statement.args.items() if value and name not in known]
        target = statement.this
        if others != ["this"] or target.sql() != target.name or target.name not in self.tables:
            raise NotUnderstood(f"{', '.join(others)} of\n{statement.sql()}")
        return str(target.name)

    def _asked(self, question: exp.Expression) -> pl.DataFrame:
        """What Polars answers."""
        for each in question.find_all(exp.CTE):
            each.set("materialized", None)  # whether it is kept in between changes no row
        for select in list(question.find_all(exp.Select)):
            _find_in_ranges(select)
        text = question.sql(dialect=_DIALECT)
        try:
            with pl.SQLContext(self.tables) as context:
                return context.execute(text, eager=True)
        except pl.exceptions.PolarsError as error:
            raise NotUnderstood(f"{error}\nin\n{text}") from error

    def _as_query(self, target: str, update: exp.Update) -> exp.Select:
        """The rows that an ``UPDATE`` changes, as they are afterwards."""
        news = {each.this.name: each.expression for each in update.expressions}
        kept = {name: exp.column(name, target) for name in self.tables[target].columns}
        if news.keys() - kept.keys():
            raise NotUnderstood(f"{target} has other columns than in\n{update.sql()}")
        columns = [exp.alias_(value, name) for name, value in (kept | news).items()]
        query = exp.select(*columns).from_(target)
        where = update.args.get("where")
        return query.where(where.this.copy()) if where else query

    def _left_alone(self, target: str, statement: exp.Update | exp.Delete) -> pl.DataFrame:
        """The rows that an ``UPDATE`` or ``DELETE`` is not about; Polars answers with those."""
        where = statement.args.get("where")
        return self._asked(exp.delete(target, where.this.copy() if where else None))

    def _typed(self, target: str, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows as rows of a table: column by column in order, and of the very types."""
        schema = self.tables[target].schema
        if rows.width != len(schema):
            raise NotUnderstood(f"{target} has {len(schema)} columns, and is given {rows.width}")
        for given, (name, wanted) in zip(rows.dtypes, schema.items(), strict=True):
            whole = given.is_integer() and wanted.is_integer()
            if given not in {wanted, pl.Null} and not whole:
                raise NotUnderstood(f"{target}.{name} is {wanted}, and is given {given}")
        return pl.DataFrame(
            [
                column.rename(name).cast(wanted)  # a number that does not fit is an error
                for column, (name, wanted) in zip(rows, schema.items(), strict=True)
            ]
        )


def _name_columns(query: exp.Expression) -> None:
    """Give what goes into a table by its place a name by its place.

    To SQL, two columns may have the same name or none; a data frame's may not.
    """
    match query:
        case exp.SetOperation():
            _name_columns(query.left)
            _name_columns(query.right)
        case exp.Select() if not query.is_star:
            columns = [each.unalias() for each in query.expressions]
            query.set("expressions", [exp.alias_(c, f"column{n}") for n, c in enumerate(columns)])


_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)
_COMPARED = (exp.Column, exp.Identifier, exp.Literal, exp.Paren, exp.Add, exp.Sub, exp.Mul)


def _find_in_ranges(select: exp.Select) -> None:
    """Write ``LEFT JOIN … ON equal AND in a range`` so that it does not compare all with all.

    Polars has a hash join for that which drops what finds nothing, but none which keeps it. So
    what is looked up is joined first, once for each of the values it is looked up by, and then
    found by these as equals. That is so for plain comparisons only, which are never true of an
    unknown value; with others, the join stays as it is.
    """
    joins = select.args.get("joins") or []
    for place, join in enumerate(joins):
        on = join.args.get("on")
        parts = list(on.flatten()) if on and join.side == "LEFT" else []
        alias = join.alias_or_name
        by = {c.sql(): c for part in parts for c in part.find_all(exp.Column) if c.table != alias}
        simple = all(
            isinstance(part, _COMPARISONS)
            and all(isinstance(node, _COMPARED) or node is part for node in part.walk())
            for part in parts
        )
        ranged = any(not isinstance(p, exp.EQ) and p.find(exp.Column) for p in parts)
        if not (simple and ranged and by and all(c.table for c in by.values())):
            continue
        keys = {text: f"key{number}" for number, text in enumerate(by)}
        asked = exp.select(*(exp.alias_(by[text].copy(), key) for text, key in keys.items()))
        asked = asked.distinct().from_(select.args["from_"].this.copy())
        asked.set("joins", [before.copy() for before in joins[:place]])

        def by_key(node: exp.Expression, keys: dict[str, str] = keys) -> exp.Expression:
            return exp.column(keys[node.sql()], "asked") if node.sql() in keys else node

        answers = exp.select("asked.*", f"{alias}.*").from_(asked.subquery("asked"))
        answers = answers.join(join.this.copy(), on=on.transform(by_key))
        equal = [
            exp.EQ(this=exp.column(k, alias), expression=by[t].copy()) for t, k in keys.items()
        ]
        join.set("this", answers.subquery(alias))
        join.set("on", exp.and_(*equal))


# -- beside DuckDB --------------------------------------------------------------------------------

DECODED = {"w_fact", "w_party", "w_said", "w_withdrawal", "w_gone", "w_confirmed", "w_service"}
"""The work tables that are there before the plan begins."""


class OtherRows(AssertionError):
    """The engines differ."""


@define
class Step:
    """A statement that both engines ran with the same outcome.

    Attributes:
        statement: The statement.
        before: The tables before it.
        target: The table that it changed.
        after: That table afterwards.
        seconds: How long DuckDB took, and how long Polars.
    """

    statement: str
    before: dict[str, pl.DataFrame]
    target: str
    after: pl.DataFrame
    seconds: tuple[float, float]


def scored_on_both(ledger: Ledger, seed: int = 0) -> list[Step]:
    """Build a ledger's figures on DuckDB and each statement of the plan on Polars beside it.

    Args:
        ledger: The ledger.
        seed: In what order Polars gets the rows; it must not matter.

    Returns:
        What the plan did, statement by statement.

    Raises:
        OtherRows: A statement left other rows in its table than it did in DuckDB.
    """
    score, took = build.score, []

    def score_on_both(con: duckdb.DuckDBPyConnection, *rest: Any) -> None:
        score(_OnBoth(con, seed, took), *rest)

    with patch.object(build, "score", score_on_both), build.scored(ledger):
        pass
    assert {"tenures", "postings", "cuts", "balances"} <= {step.target for step in took}
    return took


@define
class _OnBoth:
    """A DuckDB connection that has each statement of the plan run on Polars as well."""

    con: duckdb.DuckDBPyConnection
    seed: int
    took: list[Step]
    polars: PolarsEngine | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.con, name)

    def execute(self, statement: str, *values: Any) -> Any:
        if self.polars is None and "INSERT INTO tenures" in statement:
            self._begin()
        if self.polars is None or statement.lstrip().startswith("SELECT"):
            return self.con.execute(statement, *values)
        before = dict(self.polars.tables)
        begin = time.perf_counter()
        done = self.con.execute(statement, *values)
        between = time.perf_counter()
        target = self.polars.execute(statement)
        seconds = between - begin, time.perf_counter() - between
        after = self.polars.tables[target]
        self._compare(statement, target, after)
        self.took.append(Step(statement, before, target, after, seconds))
        return done

    def _begin(self) -> None:
        self.polars = PolarsEngine.of_duckdb(self.con)
        for name, table in self.polars.tables.items():
            self.polars.tables[name] = table.sample(fraction=1, shuffle=True, seed=self.seed)
            assert name in DECODED or name not in plan.WORK_TABLES or table.is_empty(), (
                f"{name} is not empty when the plan begins: is it decoded, or does a step of the"
                " plan stand before tenures are made, and ran on DuckDB alone?"
            )

    def _compare(self, statement: str, target: str, theirs: pl.DataFrame) -> None:
        ours = self.con.sql(f"FROM {target}").pl()
        if not same_rows(ours, theirs):
            counted = [Counter(frame.iter_rows()) for frame in (ours, theirs)]
            raise OtherRows(
                f"{target} after {statement}"
                f"\nonly DuckDB: {sorted(counted[0] - counted[1], key=repr)}"
                f"\nonly Polars: {sorted(counted[1] - counted[0], key=repr)}"
            )


def same_rows(one: pl.DataFrame, other: pl.DataFrame) -> bool:
    """Whether two tables have the same columns and the same rows, in whatever order."""
    return one.schema == other.schema and one.sort(one.columns).equals(other.sort(one.columns))
