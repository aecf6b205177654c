"""Closed periods: their figures stay as they were, what changes later is posted as a difference.

Between two closings, and from the last one until now, facts and rulebooks may change what closed
days amount to: by a late grade, a void, a rule that reaches back. The figures as they were before
and after such a stretch are worked out whole, and what differs is posted on the first day that
was open then (as payroll posts retroactive differences). So for everybody

- the postings of a closed period are those it had when it was closed, and
- all postings add up to what they would without closings.

A stretch in which nothing touches closed days costs nothing. A fact about a closed day that was
not known is posted late, as it is, on the first open day. Where only the unit changed in which
somebody served, nothing is posted: the closed period counts for the unit it counted for.

Which closings count is asked of what is known, not of the day a question is about: figures as of
a day within a closed period are those of that period as it was closed.
"""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

import attrs
from mileage.ledger import FactVoided, PeriodClosed, PeriodReopened, RulebookAdopted
from mileage.ledger.kinds.closing import CLOSINGS
from mileage.ledger.periods import period_days

from .days import day_number
from .decode import Slice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    import duckdb
    from mileage.ledger import Ledger, Recorded

    from .figures import Figures
    from .rules import Rules

__all__ = [
    "ABOUT_FACTS",
    "DIFFERENCE",
    "ClosedPeriod",
    "Closing",
    "closed_periods",
    "closings",
    "post",
    "scores",
    "touches",
]

ABOUT = ("hold", "confirmation")
ABOUT_FACTS = tuple(f"{category}:" for category in ABOUT)
"""How streams of facts about what other facts earn begin; the key of that fact follows."""

DIFFERENCE = 5_000
"""What is added to the number of an activity where only the difference to a posting is posted."""

_FROZEN = 1_000_000  # added to the numbers of rules and caps of each earlier state


@attrs.frozen
class Closing:
    """A period that is closed.

    Attributes:
        period: Its code, such as ``2005``.
        position: Position of the fact that closed it.
        closed_on: Date of that, in the ledger's zone.
        closed_by: Opaque id of who closed it.
        open_from: First day after it, ``yyyymmdd``: all days before are closed.
    """

    period: str
    position: int
    closed_on: date
    closed_by: str
    open_from: int


def closings(ledger: Ledger, part: Slice) -> tuple[Closing, ...]:
    """The periods that are closed by what is known in a slice, in order."""
    found: list[Closing] = []
    for item in ledger.stream(CLOSINGS):
        fact = item.fact
        if not part.has(item.position, date.min, fact.recorded_at):
            continue
        if isinstance(fact.data, PeriodClosed):
            _, after = period_days(fact.data.period)
            found.append(
                Closing(
                    fact.data.period,
                    item.position,
                    fact.occurred_on,
                    fact.recorded_by,
                    day_number(after),
                )
            )
        else:
            found.pop()
    return tuple(found)


# -- what touches closed days --------------------------------------------------------------------


def scores(item: Recorded) -> bool:
    """Whether a fact may change what is posted: by what it says, or by taking something back."""
    kind = item.fact.kind
    return bool(
        kind.activity
        or kind.withdraws
        or kind.title
        or kind.category in {"", "member", "unit", *ABOUT}
        or kind.cls is PeriodReopened
    )


def touches(ledger: Ledger, facts: Iterable[Recorded], open_from: int) -> bool:
    """Whether new facts may change what days before one amount to."""
    return any(_touches(ledger, item, open_from) for item in facts if scores(item))


def _touches(ledger: Ledger, item: Recorded, open_from: int) -> bool:
    fact = item.fact
    if fact.kind.cls is PeriodReopened:
        return False  # nothing was posted late, so that nothing goes back
    if day_number(fact.occurred_on) < open_from:
        return True
    if fact.originator_id.startswith(ABOUT_FACTS):
        return _void_touches(ledger, fact.originator_id.partition(":")[2], open_from)
    if isinstance(fact.data, FactVoided) or fact.kind.withdraws:
        return any(
            day_number(other.fact.occurred_on) < open_from
            for other in ledger.stream(fact.originator_id)
        )
    return False


_TOUCHED = """
SELECT EXISTS (
    SELECT 1 FROM (
        SELECT position, day FROM w_raw_fact
        UNION ALL SELECT position, day FROM w_raw_service
        UNION ALL SELECT position, day FROM w_raw_unit
        UNION ALL SELECT position, day FROM w_raw_unit_end
    ) WHERE position > $after AND position <= $upto AND day < $open_from
) OR EXISTS (
    SELECT 1 FROM w_raw_withdrawal w JOIN w_raw_fact f
      ON f.stream = w.stream AND f.kind = w.kind AND f.position < w.position
    WHERE w.position > $after AND w.position <= $upto AND f.day < $open_from
)
"""


def _touched(
    con: duckdb.DuckDBPyConnection,
    ledger: Ledger,
    office: Sequence[Recorded],
    closed: Sequence[Closing],
    reaching: int | None,
) -> list[Closing]:
    """The closings after which something touched the days closed by then."""
    ends = [*(closing.position for closing in closed[1:]), ledger.position + 1]
    found = []
    for closing, end in zip(closed, ends, strict=True):
        about = [item for item in office if closing.position < item.position <= end]
        last = closing is closed[-1]
        if (
            _office_touches(ledger, about, closing.open_from)
            or (last and reaching is not None and reaching < closing.open_from)
            or con.execute(
                _TOUCHED,
                {"after": closing.position, "upto": end, "open_from": closing.open_from},
            ).fetchall()[0][0]
        ):
            found.append(closing)
    return found


def _office_touches(ledger: Ledger, about: Iterable[Recorded], open_from: int) -> bool:
    for item in about:
        data = item.fact.data
        if isinstance(data, RulebookAdopted):
            if day_number(data.effective_from) < open_from:
                return True
        elif _void_touches(ledger, data.fact, open_from):
            return True
    return False


def _void_touches(ledger: Ledger, key: str, open_from: int) -> bool:
    target = ledger.by_key(key)
    if target is None:
        return False
    data = target.fact.data
    if isinstance(data, FactVoided) or target.fact.kind.category in ABOUT:
        return _void_touches(ledger, data.fact, open_from)
    day = data.effective_from if isinstance(data, RulebookAdopted) else target.fact.occurred_on
    return day_number(day) < open_from


# -- posting differences -------------------------------------------------------------------------

_KEY = "person, position, activity"
_POSTING = (
    "person, position, activity, thing, day, unit, grade, hours, share, value, whole, gross,"
    " points, account"
)
_CUT = "person, position, activity, stage, cause, reference, points"

# What a posting is worth in one state and in the next, where that differs. Cuts of stage 0 say by
# which fact it was taken back, the adoption of the value that another rulebook rewards it.
_CHANGED = """
CREATE OR REPLACE TEMP TABLE c_changed AS
SELECT coalesce(b.person, a.person) AS person, coalesce(b.position, a.position) AS position,
       coalesce(b.activity, a.activity) AS activity, coalesce(b.thing, a.thing) AS thing,
       coalesce(b.day, a.day) AS origin_day, coalesce(b.unit, a.unit) AS unit,
       coalesce(b.grade, a.grade) AS grade, b.hours, coalesce(b.share, a.share) AS share,
       coalesce(nullif(b.value, 0), a.value, 0) AS value, b.whole, b.gross,
       coalesce(a.points, 0) AS before, coalesce(b.points, 0) AS after,
       coalesce(b.account, a.account) AS account, a.person IS NULL AS late,
       CASE WHEN a.person IS NULL THEN 'late' WHEN g.cause IS NOT NULL THEN g.cause
            WHEN coalesce(w.adoption, 0) <> coalesce(v.adoption, 0) THEN 'rules'
            ELSE 'recalculated' END AS cause,
       CASE WHEN a.person IS NULL THEN {closing} WHEN g.cause IS NOT NULL THEN g.reference
            WHEN coalesce(w.adoption, 0) <> coalesce(v.adoption, 0) THEN coalesce(w.adoption, 0)
            ELSE 0 END AS reference
FROM (SELECT * FROM c_posting WHERE state = {state} AND day < {open_from}) a
FULL JOIN (SELECT * FROM c_posting WHERE state = {state} + 1 AND day < {open_from}) b
  ON b.person = a.person AND b.position = a.position AND b.activity = a.activity
LEFT JOIN (SELECT person, position, activity, min(cause) AS cause, min(reference) AS reference
           FROM c_cut WHERE state = {state} + 1 AND stage = 0 GROUP BY ALL) g
  ON g.person = b.person AND g.position = b.position AND g.activity = b.activity
LEFT JOIN rule_values v ON v.id = a.value
LEFT JOIN rule_values w ON w.id = b.value
WHERE a.person IS NULL OR coalesce(a.points, 0) <> coalesce(b.points, 0)
"""


def post(  # noqa: PLR0913, PLR0917 - what a build is of
    con: duckdb.DuckDBPyConnection,
    ledger: Ledger,
    part: Slice,
    office: Sequence[Recorded],
    rules: Rules,
    at: Callable[[int], AbstractContextManager[duckdb.DuckDBPyConnection]],
) -> bool:
    """Put the postings of closed periods back as they were, and post what differs.

    Args:
        con: The tables of a build, scored with all facts; changed in place, balances excepted.
        ledger: The ledger.
        part: Which facts count in the build.
        office: The voiding facts and adoptions that count.
        rules: The rulebooks of the build.
        at: Gives the tables of a build as of a position.

    Returns:
        Whether anything differs from the figures without closings.
    """
    closed = closings(ledger, part)
    proposed = [a for a in rules.adoptions if a.position > ledger.position]
    reaching = min((day_number(a.effective_from) for a in proposed), default=None)
    touched = _touched(con, ledger, office, closed, reaching) if closed else []
    if not touched:
        return False
    _gather(con, touched, at)
    starts = [0, *(closing.open_from for closing in touched)]
    con.execute(
        f"DELETE FROM cuts WHERE ({_KEY}) IN (SELECT ({_KEY}) FROM c_posting"
        f" WHERE state = {len(touched) + 1})"
    )
    con.execute(f"DELETE FROM postings WHERE day < {starts[-1]}")
    for state, (start, end) in enumerate(pairwise(starts), 1):
        within = f"state = {state} AND day >= {start} AND day < {end}"
        con.execute(f"INSERT INTO postings SELECT {_POSTING} FROM c_posting WHERE {within}")
        con.execute(
            f"INSERT INTO cuts SELECT {_CUT} FROM c_cut WHERE state = {state} AND ({_KEY}) IN"
            f" (SELECT ({_KEY}) FROM c_posting WHERE {within})"
        )
    for state, closing in enumerate(touched, 1):
        if part.as_of is None or closing.open_from <= day_number(part.as_of):
            _differences(con, state, closing)
    con.execute(
        f"INSERT INTO activities SELECT id + {DIFFERENCE}, kind, name_ko, name_en, 0, NULL, source,"
        f" account FROM activities WHERE id + {DIFFERENCE} IN (SELECT activity FROM postings)"
    )
    con.execute("DROP TABLE c_posting; DROP TABLE c_cut; DROP TABLE c_changed")
    return True


def _differences(con: duckdb.DuckDBPyConnection, state: int, closing: Closing) -> None:
    """Post what the next state gives for closed days and this one did not."""
    day = closing.open_from
    con.execute(_CHANGED.format(state=state, open_from=day, closing=closing.position))
    con.execute(
        f"INSERT INTO postings SELECT {_KEY}, thing, {day}, unit, grade, hours, share, value,"
        " whole, gross, after, account FROM c_changed WHERE late"
    )
    con.execute(
        f"INSERT INTO cuts SELECT {_CUT} FROM c_cut WHERE state = {state + 1} AND ({_KEY}) IN"
        f" (SELECT ({_KEY}) FROM c_changed WHERE late)"
    )
    con.execute(
        f"INSERT INTO postings SELECT person, position, activity + {DIFFERENCE}, thing, {day},"
        " unit, grade, NULL, 0, value, after - before, after - before, after - before, account"
        " FROM c_changed WHERE NOT late"
    )
    con.execute(
        "INSERT INTO adjustments SELECT person, position,"
        f" CASE WHEN late THEN activity ELSE activity + {DIFFERENCE} END, {day}, origin_day,"
        " before, after, cause, reference FROM c_changed"
    )


def _gather(
    con: duckdb.DuckDBPyConnection,
    touched: Sequence[Closing],
    at: Callable[[int], AbstractContextManager[duckdb.DuckDBPyConnection]],
) -> None:
    """Bring together the closed days as they were before each stretch, and as they are.

    What rules and caps of earlier states said comes with them, under numbers of its own.
    """
    now = len(touched) + 1
    con.execute(
        f"CREATE TEMP TABLE c_posting AS SELECT 0 AS state, {_POSTING} FROM postings LIMIT 0"
    )
    con.execute(f"CREATE TEMP TABLE c_cut AS SELECT 0 AS state, {_CUT} FROM cuts LIMIT 0")
    for state, closing in enumerate(touched, 1):
        with at(closing.position) as then:
            _renumber(con, then, closing.open_from)
            for table, query in _AS_THEN.items():
                more = state * _FROZEN
                rows = then.sql(query.format(state=state, more=more)).to_arrow_table()
                names = [f"column{number}" for number in range(rows.num_columns)]
                con.register("brought", rows.rename_columns(names))
                fresh = " WHERE column0 NOT IN (SELECT id FROM activities)"
                con.execute(
                    f"INSERT INTO {table} SELECT * FROM brought"
                    + (fresh if table == "activities" else "")
                )
                con.unregister("brought")
    con.execute(
        f"INSERT INTO c_posting SELECT {now}, {_POSTING} FROM postings"
        f" WHERE day < {touched[-1].open_from}"
    )
    con.execute(
        f"INSERT INTO c_cut SELECT {now}, {_CUT} FROM cuts WHERE ({_KEY}) IN"
        f" (SELECT ({_KEY}) FROM c_posting WHERE state = {now})"
    )


def _renumber(
    con: duckdb.DuckDBPyConnection, then: duckdb.DuckDBPyConnection, open_from: int
) -> None:
    """Make ``c_kind`` (id, in this state) and ``c_day`` (keys of closed days) in an earlier state.

    Accounts have the numbers they have now; one that is gone comes back.
    """
    numbers = dict(con.execute("SELECT account, id FROM accounts").fetchall())
    then.execute("CREATE TEMP TABLE c_account (id BIGINT, number BIGINT)")
    for number, *row in then.execute("SELECT * FROM accounts ORDER BY id").fetchall():
        if row[0] not in numbers:
            numbers[row[0]] = max(numbers.values()) + 1
            con.execute("INSERT INTO accounts VALUES (?, ?, ?, ?, ?, ?)", (numbers[row[0]], *row))
        then.execute("INSERT INTO c_account VALUES (?, ?)", (number, numbers[row[0]]))
    then.execute(
        "CREATE TEMP TABLE c_kind AS SELECT a.id, c.number * 10000 + a.id % 10000 AS activity,"
        " c.number AS account FROM activities a JOIN c_account c ON c.id = a.account"
    )
    then.execute(f"CREATE TEMP TABLE c_day AS SELECT * FROM postings WHERE day < {open_from}")


_AS_THEN = {
    "c_posting": """
        SELECT {state}, p.person, p.position, k.activity, p.thing, p.day, p.unit, p.grade, p.hours,
               p.share, CASE WHEN p.value > 0 THEN p.value + {more} ELSE 0 END, p.whole, p.gross,
               p.points, k.account
        FROM c_day p JOIN c_kind k ON k.id = p.activity
    """,
    "c_cut": """
        SELECT {state}, c.person, c.position, k.activity, c.stage, c.cause,
               CASE c.cause WHEN 'cap' THEN c.reference + {more} ELSE c.reference END, c.points
        FROM cuts c JOIN c_kind k ON k.id = c.activity SEMI JOIN c_day p
          ON p.person = c.person AND p.position = c.position AND p.activity = c.activity
    """,
    # Numbers of kinds that no fact has: nothing is scored by these any more.
    "rule_values": """
        SELECT * REPLACE (id + {more} AS id, rule + {more} AS rule, -activity AS activity)
        FROM rule_values WHERE id IN (SELECT value FROM c_day)
    """,
    "cap_limits": """
        SELECT * REPLACE (cap + {more} AS cap, rule + {more} AS rule)
        FROM cap_limits WHERE cap IN (SELECT reference FROM cuts WHERE cause = 'cap')
    """,
    "activities": """
        SELECT k.activity, a.kind, a.name_ko, a.name_en, a.earns, a.named_by, a.source, k.account
        FROM activities a JOIN c_kind k ON k.id = a.id
    """,
}
"""What is brought from an earlier state, by the table it goes to."""


# -- asking --------------------------------------------------------------------------------------


@attrs.frozen
class ClosedPeriod:
    """A closed period, and what became of it since.

    Attributes:
        closing: How it was closed.
        points: What is posted in it, in the main account, in 1/10,000 point.
        differences: How many postings of its days stand on later days.
        posted_since: What these add up to, in the main account, in 1/10,000 point.
    """

    closing: Closing
    points: int
    differences: int
    posted_since: int


def closed_periods(
    ledger: Ledger, figures: Figures, *, known_at: datetime | None = None
) -> tuple[ClosedPeriod, ...]:
    """The periods that are closed, in order, with what was posted of them since.

    Args:
        ledger: The ledger.
        figures: Its figures.
        known_at: Only closings recorded by then, UTC; those the figures are of.
    """
    found, begin = [], 0
    for closing in closings(ledger, Slice(upto=figures.position, known_at=known_at)):
        within = (begin, closing.open_from)
        [(points,)] = figures.query(
            "SELECT coalesce(sum(points), 0) FROM postings"
            " WHERE account = 0 AND day >= ? AND day < ?",
            within,
        )
        [(count, since)] = figures.query(
            "SELECT count(*), coalesce(sum(j.after - j.before), 0) FROM adjustments j"
            " JOIN activities a ON a.id = j.activity"
            " WHERE a.account = 0 AND j.origin_day >= ? AND j.origin_day < ?",
            within,
        )
        found.append(ClosedPeriod(closing, points, count, since))
        begin = closing.open_from
    return tuple(found)
