"""The same plan gives the same figures on DuckDB and Polars.

A build runs the plan in DuckDB; here each statement runs on Polars as well, over the same tables
in another order, and must leave the same rows in the table that it changes, all of them.
``MILEAGE_TESTS=thorough`` plays twenty times as many histories.
"""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
import pytest
import sqlglot
from attrs import define, evolve, field
from hypothesis import given
from hypothesis import strategies as st
from mileage.ledger import Ledger
from mileage.ledger.importing import import_file
from mileage.ledger.kinds import kinds
from mileage.projections import activity_infos, adopt_rulebook, parse_rulebook, plan, try_examples
from mileage.projections import trials as trying
from mileage.seeds import example_year_files, rulebook_path
from polars_engine import DECODED, NotUnderstood, OtherRows, PolarsEngine, same_rows, scored_on_both
from sqlglot import exp
from strategies import DENSE, OPERATIONS, Play, examples, rulebooks, steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from polars_engine import Step

SHIPPED = sorted(rulebook_path().parent.glob("*.toml"))


@contextmanager
def played(history: list[Any], text: str, later: list[tuple[str, int]]) -> Iterator[Play]:
    """A history, another rulebook adopted (so many days back or ahead) after each part of it."""
    with (
        tempfile.TemporaryDirectory(prefix="mileage-test-") as folder,
        Play(Path(folder) / "agency.sqlite") as play,
    ):
        play.adopt_rulebook(text, reach_days=300)
        part = len(history) // (len(later) + 1)
        for number, (other, reach) in enumerate(later):
            play.run(history[number * part : (number + 1) * part])
            play.adopt_rulebook(other, reach_days=reach)
        play.run(history[len(later) * part :])
        yield play


adoptions = st.lists(st.tuples(rulebooks(), st.sampled_from((0, 150, 400, -30))), max_size=2)


@examples(30)
@given(
    st.one_of(steps(10, 50), steps(15, 45, closing=True)),
    rulebooks(),
    adoptions,
    st.integers(0, 9),
)
def test_same_rows(history, text, later, seed):
    """Whatever the rules and the history, each statement leaves the same rows on both.

    Where periods are closed, the plan runs over what was known then too.
    """
    with played(history, text, later) as play:
        scored_on_both(play.ledger, seed)


@examples(30)
@given(steps(30, 60, dense=True), rulebooks(dense=True), st.integers(0, 9))
def test_same_rows_where_much_is_cut(history, text, seed):
    """The same where caps, corrections and rounding meet all the time."""
    with played(history, text, []) as play:
        scored_on_both(play.ledger, seed)


# -- the example year, and the examples beside the rules ----------------------------------------


def test_same_rows_in_the_example_year(tmp_path):
    """The example year under its rulebooks: thousands of facts, every figure."""
    noon = datetime(2006, 1, 2, 3, 0, tzinfo=UTC)
    with Ledger.create(
        tmp_path / "year.sqlite",
        organisation="중소기업청",
        opened_on=date(2005, 1, 1),
        clock=lambda: noon,
    ) as ledger:
        for file in example_year_files():
            import_file(ledger, file, by="office")
        for name, since in (("smba-2005", date(2005, 1, 1)), ("smba-2005-07", date(2005, 7, 1))):
            text = rulebook_path(name).read_text("utf-8")
            adopt_rulebook(ledger, text, on=since, by="office")

        took = scored_on_both(ledger)

    tables = {step.target: step.after for step in took}
    assert tables["balances"].get_column("points").sum() > 0
    assert tables["cuts"].height
    assert tables["postings"].height > 1_000


@define
class _Diverted:
    """A SQLite connection whose statements another engine runs."""

    connection: sqlite3.Connection
    polars: PolarsEngine
    changed: set[str] = field(factory=set)

    def execute(self, statement: str) -> None:
        self.changed.add(self.polars.execute(statement))

    def write(self) -> None:
        """Put what the other engine made into the database."""
        for name in self.changed:
            rows = self.polars.tables[name]
            self.connection.execute(f"DELETE FROM {name}")
            marks = ", ".join("?" * rows.width)
            self.connection.executemany(f"INSERT INTO {name} VALUES ({marks})", rows.iter_rows())


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_examples_hold_on_polars(path, monkeypatch):
    """What the examples of each shipped rulebook say holds for the figures Polars makes."""
    score, changed = trying._Play.score, set()

    def score_on_polars(play: Any, shape: plan.Shape) -> None:
        diverted = _Diverted(play.connection, PolarsEngine.of_sqlite(play.connection))
        score(evolve(play, connection=diverted), shape)
        diverted.write()
        changed.update(diverted.changed)

    monkeypatch.setattr(trying._Play, "score", score_on_polars)
    monkeypatch.setattr(plan, "for_sqlite", str)
    rulebook = parse_rulebook(path.read_text("utf-8"), activity_infos(kinds))

    trials = try_examples(rulebook, kinds)

    assert trials
    assert [trial.example.title.en for trial in trials if not trial.passed] == []
    assert {"tenures", "postings", "cuts", "balances"} <= changed


# -- that it would show ------------------------------------------------------------------------

# Of everything the plan does: rules for ranks and units only, for facts that say something certain,
# another account, limits that change, caps of each sort and one within another.
RULEBOOK = """
[rulebook]
id = "all"
title = { ko = "규칙집", en = "Rulebook" }
source = "고시"

[[account]]
id = "welfare"
title = { ko = "복지", en = "Welfare" }
"""
RULES = {
    "submitted": 'activity = "proposal.submitted"\nsplit = "share"',
    "submitted-seoul": 'activity = "proposal.submitted"\nsplit = "share"\nunits = ["SEOUL"]',
    "submitted-busan": 'activity = "proposal.submitted"\nunits = ["BUSAN"]',
    "submitted-rank": 'activity = "proposal.submitted"\nranks = ["G5", "G4"]',
    "submitted-online": 'activity = "proposal.submitted"\nwhen = { channel = "online" }',
    "submitted-seoul-paper": (
        'activity = "proposal.submitted"\nunits = ["SEOUL"]\nwhen = { channel = ["paper"] }'
    ),
    "adopted": 'activity = "proposal.adopted"\nsplit = "share"',
    "adopted-paper": 'activity = "proposal.adopted"\nwhen = { channel = "paper" }',
    "session": 'activity = "learning_club.session_held"\nper = "hour"',
    "session-welfare": 'activity = "learning_club.session_held"\naccount = "welfare"',
    "awarded": 'activity = "contest.awarded"',
    "entered": 'activity = "contest.entered"\nconfirm = true',
}
POINTS = {
    "submitted": ("3.3333", "1.0001"),
    "submitted-seoul": ("5.0003",),
    "submitted-busan": ("4", "7"),
    "submitted-rank": ("2",),
    "submitted-online": ("4.0004",),
    "submitted-seoul-paper": ("6.0002", "0"),
    "adopted-paper": ("{ gold = 11 }",),
    "adopted": ("{ gold = 10, silver = 6.5 }", "{ gold = 12.0001, bronze = 1 }"),
    "session": ("0.7001",),
    "session-welfare": ("2",),
    "awarded": ("{ gold = 9, silver = 5, bronze = 2.5 }",),
    "entered": ("1",),
}
CAPS = (
    ('["session"]', 'period = "month"', "points = 1.5"),
    ('["session", "awarded"]', 'period = "quarter"', "points = 6", "points = 9", "points = 4"),
    ('["submitted", "adopted"]', 'period = "lifetime"\nper = "thing"', "points = 9"),
    ('["submitted-seoul", "submitted-busan"]', 'period = "half"\nper = "unit"', "points = 20"),
    ('["submitted-rank"]', 'period = "rank"\nkeep = "first"', "count = 2", "count = 3"),
    ('["awarded"]', 'period = "rank"\nkeep = "best"', "count = 1"),
    ('["session-welfare"]', 'period = "year"\nkeep = "first"', "count = 3"),
)
STARTS = ("2004-01-01", "2005-06-01", "2006-01-01")


def _everything() -> str:
    def values(amounts: Any) -> str:
        dated = [
            f'{{ from = {start}, {amount}, clause = "제1조" }}'
            for start, amount in zip(STARTS, amounts, strict=False)
        ]
        return f"values = [ {', '.join(dated)} ]\n"

    title = 'title = { ko = "이름", en = "Title" }'
    rules = [
        f'[[rule]]\nid = "{name}"\n{title}\n{what}\n'
        + values(f"points = {points}" for points in POINTS[name])
        for name, what in RULES.items()
    ]
    caps = [
        f'[[cap]]\nid = "cap-{number}"\n{title}\nrules = {named}\n{how}\n{values(limits)}'
        for number, (named, how, *limits) in enumerate(CAPS)
    ]
    return "\n".join((RULEBOOK, *rules, *caps))


@pytest.fixture(scope="module")
def everything():
    """The steps of a build in which every statement of the plan has something to do."""
    draw = Random(2005)  # noqa: S311 - any history will do, if it is the same
    names = [draw.choice(DENSE + OPERATIONS) for _ in range(700)]
    history = [
        (
            name,
            draw.choice((0, 0, 1, 2, 5)),
            draw.choice((0, 0, 0, 40)),
            *draw.choices(range(9999), k=2),
        )
        for name in names
    ]
    with played(history, _everything(), []) as play:
        return scored_on_both(play.ledger)


def test_every_statement_has_something_to_do(everything):
    """No statement of the plan stays without rows, so that the comparison means something."""
    idle = [
        step.statement for step in everything if same_rows(step.before[step.target], step.after)
    ]
    assert idle == []
    used = {step.target for step in everything}
    assert plan.WORK_TABLES.keys() - used <= DECODED


def mutants(statement: str) -> Iterator[str]:
    """A statement with one thing in it changed, for each thing that can be."""
    whole = sqlglot.parse_one(statement, dialect="duckdb")
    for place, node in enumerate(whole.walk()):
        for other in _otherwise(node):
            copy = whole.copy()
            list(copy.walk())[place].replace(other)
            yield copy.sql(dialect="duckdb")


OTHERWISE: dict[type[exp.Expression], type[exp.Expression]] = {
    exp.LT: exp.LTE,
    exp.LTE: exp.LT,
    exp.GT: exp.GTE,
    exp.GTE: exp.GT,
    exp.Min: exp.Max,
    exp.Max: exp.Min,
    exp.Add: exp.Sub,
    exp.Sub: exp.Add,
    exp.Mod: exp.IntDiv,
    exp.IntDiv: exp.Mod,
    exp.Or: exp.And,
}


def _otherwise(node: exp.Expression) -> Iterator[exp.Expression]:
    if type(node) in OTHERWISE:
        copy = node.copy()
        yield OTHERWISE[type(node)](this=copy.this, expression=copy.expression)
    match node:
        case exp.And():
            yield from (node.left.copy(), node.right.copy())
        case exp.Not():
            yield node.this.copy()
        case exp.Ordered():
            yield exp.Ordered(this=node.this.copy(), desc=not node.args.get("desc"))
        case exp.Literal() if node.is_int:
            yield exp.Literal.number(int(node.name) + 1)
        case exp.Literal():
            yield exp.Literal.string(f"{node.name}?")
        case exp.Join(side="LEFT"):
            yield exp.Join(this=node.this.copy(), on=node.args["on"].copy())


def test_a_changed_statement_shows(everything):
    """Every statement of which something is changed can be seen to leave other rows."""
    unseen = [
        step.statement
        for step in everything
        if (changed := list(mutants(step.statement)))
        and not any(shows(step, mutant) for mutant in changed)
    ]
    assert unseen == []


def shows(step: Step, mutant: str) -> bool:
    """Whether a changed statement leaves other rows than the plan's."""
    polars = PolarsEngine(dict(step.before))
    try:
        polars.execute(mutant)
    except (NotUnderstood, pl.exceptions.PolarsError):
        return False
    return not same_rows(polars.tables[step.target], step.after)


def test_a_difference_is_told(tmp_path, monkeypatch):
    """When Polars works out another statement, the comparison says where which rows differ."""
    execute = PolarsEngine.execute

    def heard_wrong(polars: PolarsEngine, statement: str) -> str:
        return execute(polars, statement.replace("coalesce(v.points, 0)", "7"))

    monkeypatch.setattr(PolarsEngine, "execute", heard_wrong)
    with Play(tmp_path / "agency.sqlite") as play:
        play.adopt_rulebook(_everything(), reach_days=300)
        assert play.step(("submit", 1, 0, 1, 1))
        with pytest.raises(OtherRows) as told:
            scored_on_both(play.ledger)
    assert str(told.value).startswith("w_rated after \nINSERT INTO w_rated")
    assert ", 33333)" in str(told.value)
    assert ", 7)" in str(told.value)


# -- what statements mean ------------------------------------------------------------------------

TABLES = {
    "a": ("id BIGINT, k BIGINT, v BIGINT, t TEXT", [
        (1, 1, 5, "x"), (2, 1, None, "y"), (3, 2, -7, None), (4, None, 7, "y"), (5, 3, 0, "x"),
    ]),
    "b": ("id BIGINT, k BIGINT, lo BIGINT, hi BIGINT, t TEXT", [
        (1, 1, 0, 5, "x"), (2, 2, -7, 0, None), (3, None, 0, 9, "y"), (4, 1, 5, 6, None),
    ]),
    "tree": ("unit TEXT, parent TEXT", [("top", None), ("mid", "top"), ("low", "mid")]),
    "found": ("one BIGINT, two BIGINT", []),
}  # fmt: skip
SO_FAR = "PARTITION BY t ORDER BY id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
QUERIES = (
    "SELECT id, v // 2 FROM a",
    "SELECT id, v % 3 FROM a",
    "SELECT id, -v // (0 - 3) FROM a",
    "SELECT id, 0 FROM a WHERE v <> 5",
    "SELECT id, 0 FROM a WHERE NOT (v > 5 AND k = 1)",
    "SELECT id, 0 FROM a WHERE v > 5 OR t = 'y'",
    "SELECT id, CASE WHEN v > 5 THEN 1 WHEN NOT v > 5 THEN 2 ELSE 3 END FROM a",
    "SELECT id, CASE t WHEN 'x' THEN 1 WHEN 'y' THEN 2 END FROM a",
    "SELECT id, coalesce(v, k, 9) FROM a",
    "SELECT id, id FROM a",
    "SELECT a.id, b.id FROM a JOIN b ON b.k = a.k",
    "SELECT a.id, b.id FROM a LEFT JOIN b ON b.k = a.k AND a.v >= b.lo AND a.v < b.hi",
    "WITH c AS (SELECT * FROM b) SELECT a.id, count(c.id) FROM a LEFT JOIN tree ON tree.unit = a.t"
    " LEFT JOIN c ON c.k = a.k AND a.v >= c.lo AND c.t <> 'y' GROUP BY a.id",
    "SELECT a.id, c.id FROM a JOIN b ON b.id = a.id LEFT JOIN b c ON b.k = a.k AND c.lo <= b.lo",
    "SELECT a.id, b.id FROM a JOIN b ON b.k = a.k AND (b.t IS NULL OR b.t = a.t)",
    "SELECT a.id, b.id FROM a LEFT JOIN b ON b.lo = 0 AND b.t = a.t",
    "SELECT a.id, b.id FROM a LEFT JOIN b ON b.lo <= a.v + 0 AND b.hi > a.v * 1 AND b.k = a.k",
    "SELECT a.id, b.id FROM a LEFT JOIN b ON b.lo <= coalesce(a.v, 5) AND b.k = a.k",
    "SELECT a.id, b.id FROM a LEFT JOIN b USING (k)",
    "SELECT a.id, b.id FROM a JOIN b ON a.v >= b.lo",
    "SELECT a.id, b.id FROM a LEFT JOIN b ON b.k = a.k WHERE b.id IS NULL",
    "SELECT id, 0 FROM a WHERE k IN (SELECT k FROM b)",
    "SELECT count(*), 0 FROM a WHERE k NOT IN (SELECT k FROM b)",
    "SELECT id, 0 FROM a WHERE k NOT IN (SELECT k FROM b WHERE k IS NOT NULL)",
    "SELECT id, 0 FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.k = a.k AND b.lo > 0)",
    "SELECT id, 0 FROM a WHERE NOT EXISTS (SELECT 1 FROM b WHERE b.k = a.k)",
    "SELECT id, v + (SELECT b.hi FROM b WHERE b.id = a.id) FROM a",
    "SELECT k, sum(v) FROM a GROUP BY k",
    "SELECT k, count(*) - count(v) FROM a GROUP BY k HAVING count(*) > 1",
    "SELECT count(*), sum(v) FROM a WHERE id > 99",
    "SELECT min(v), max(v) FROM a",
    "SELECT count(CASE WHEN v > 0 THEN 1 END), max(CASE WHEN v < 0 THEN v END) FROM a",
    "SELECT id, CAST(substr(CAST(id * 1000 AS TEXT) || t, 1, 2) AS BIGINT) FROM a",
    "SELECT id, 0 FROM a WHERE 'v' || t = 'vx'",
    "SELECT id, row_number() OVER (PARTITION BY t ORDER BY id DESC) FROM a",
    "SELECT id, lag(id, 1, 0) OVER (PARTITION BY t ORDER BY id) FROM a",
    "SELECT id, lead(v, 1, 9) OVER (PARTITION BY t ORDER BY id) FROM a",
    "SELECT id, cast(sum(v) OVER (PARTITION BY t) AS BIGINT) FROM a",
    f"SELECT id, cast(sum(v) OVER ({SO_FAR}) AS BIGINT) FROM a",
    f"SELECT id, max(v) OVER so_far - min(k) OVER so_far FROM a WINDOW so_far AS ({SO_FAR})",
    "SELECT id, CAST(max(CAST(id AS TEXT) || t) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED"
    " PRECEDING AND CURRENT ROW) = '2y' AS BIGINT) FROM a",
    "WITH RECURSIVE above AS (SELECT unit, parent, 0 AS d FROM tree UNION ALL SELECT u.unit,"
    " t.parent, u.d + 1 FROM above u JOIN tree t ON t.unit = u.parent WHERE u.d < 9)"
    " SELECT d, count(*) FROM above GROUP BY d",
    "WITH n AS NOT MATERIALIZED (SELECT * FROM a WHERE v > 0), m AS (SELECT n.*, 1 AS u FROM n)"
    " SELECT id, u FROM m UNION ALL SELECT id, 0 FROM n",
    "SELECT k, k FROM a UNION SELECT k, k FROM b",
)
CHANGES = (
    "DELETE FROM a WHERE v > 0",
    "DELETE FROM a WHERE NOT EXISTS (SELECT 1 FROM b WHERE b.k = a.k)",
    "DELETE FROM a",
    "UPDATE a SET v = 1 WHERE v < 5",
    "UPDATE a SET v = k, k = v",
    "UPDATE a SET v = v - (SELECT sum(b.hi) FROM b WHERE b.k = a.k), t = NULL"
    " WHERE EXISTS (SELECT 1 FROM b WHERE b.k = a.k)",
    "INSERT INTO a SELECT id + 10, NULL, v, 'z' FROM a",
)


@pytest.mark.parametrize(
    "statement", [*(f"INSERT INTO found {query}" for query in QUERIES), *CHANGES]
)
def test_a_statement_means_the_same(statement):
    """What the plan is made of leaves the same rows on all three engines, unknowns included."""
    con, lite = duckdb.connect(), sqlite3.connect(":memory:")
    for each in (con, lite):
        for name, (columns, rows) in TABLES.items():
            each.execute(f"CREATE TABLE {name} ({columns})")
            marks = ", ".join("?" * (columns.count(",") + 1))
            for row in rows:
                each.execute(f"INSERT INTO {name} VALUES ({marks})", row)
    polars = PolarsEngine.of_sqlite(lite)

    con.execute(statement)
    lite.execute(plan.for_sqlite(statement))
    target = polars.execute(statement)

    tables = [
        PolarsEngine.of_duckdb(con).tables[target],
        PolarsEngine.of_sqlite(lite).tables[target],
    ]
    for table in tables:
        assert same_rows(table, polars.tables[target]), (table, polars.tables[target])
    assert not same_rows(table, pl.DataFrame(TABLES[target][1], table.schema, orient="row"))
    con.close()
    lite.close()


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("SELECT * FROM a", "neither INSERT, UPDATE nor DELETE"),
        ("CREATE TABLE c (id BIGINT)", "neither INSERT, UPDATE nor DELETE"),
        ("DELETE FROM a; DELETE FROM b", "neither INSERT, UPDATE nor DELETE"),
        ("INSERT INTO found SELECT FROM WHERE", "Expected"),
        ("INSERT INTO found (two, one) SELECT id, v FROM a", "this of"),
        ("INSERT INTO nowhere SELECT id, v FROM a", "this of"),
        ("INSERT OR REPLACE INTO found SELECT id, v FROM a", "alternative"),
        ("INSERT INTO found SELECT id, v FROM a ON CONFLICT DO NOTHING", "conflict"),
        ("INSERT INTO found SELECT id, v FROM a RETURNING one", "returning"),
        ("INSERT INTO found SELECT id FROM a", "has 2 columns, and is given 1"),
        ("INSERT INTO found SELECT * FROM a", "has 2 columns, and is given 4"),
        ("INSERT INTO found SELECT id, v / 2 FROM a", "two is Int64, and is given Float64"),
        ("INSERT INTO found SELECT id, v > 2 FROM a", "two is Int64, and is given Boolean"),
        ("INSERT INTO found SELECT id, t FROM a", "two is Int64, and is given String"),
        ("INSERT INTO found SELECT id, nothing FROM a", "nothing"),
        ("INSERT INTO found SELECT id, CAST(t AS BIGINT) FROM a", "conversion"),
        ("INSERT INTO found SELECT id, arg_max(id, v) OVER () FROM a", "arg_max"),
        ("UPDATE a SET w = 1", "has other columns"),
        ("UPDATE a SET v = b.id FROM b WHERE b.k = a.k", "from_"),
        ("DELETE FROM a USING b WHERE b.k = a.k", "using"),
        ("UPDATE a AS x SET v = 1 WHERE x.k = 1", "this of"),
    ],
)
def test_what_is_not_understood_is_refused(statement, why):
    """A statement that cannot be worked out as it stands is an error, and changes nothing."""
    tables = {
        name: pl.DataFrame(
            rows,
            {
                part.split()[0]: pl.Int64 if part.endswith("BIGINT") else pl.String
                for part in columns.split(", ")
            },
            orient="row",
        )
        for name, (columns, rows) in TABLES.items()
    }
    polars = PolarsEngine(dict(tables))

    with pytest.raises(NotUnderstood, match=why):
        polars.execute(statement)

    assert polars.tables == tables
