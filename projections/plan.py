"""The scoring plan: activities × rulebook = postings, as SQL that two engines run alike.

A rebuild runs these statements in DuckDB over whole columns, a catch-up runs the same statements
in SQLite over the few rows that are affected. They are written in what both understand; the one
difference, whole-number division, is written ``//`` here and becomes ``/`` for SQLite, where
integers divide to integers.

Input tables (``BIGINT`` unless said otherwise; days are ``yyyymmdd`` in the ledger's zone; amounts
are units of 1/10,000; a share of 100 % is 1,000,000):

- ``activities(id, earns, named_by)``: kinds that matter; those with ``earns`` 1 can earn points,
  ``named_by`` is the kind whose fact about the same thing names the people, or null when the
  fact names them itself.
- ``tenures(person, day_from, day_until, unit, rank TEXT, status
  TEXT)``: where people served when.
- ``rule_values(id, rule, activity, grade TEXT, per_hour, shared, day_from, day_until, points)``,
  ``cap_limits(cap, rule, stage, period TEXT, day_from, day_until, points)``: compiled rulebooks.
- ``w_fact(position, thing, kind, day, grade TEXT, hours)``,
  ``w_party(position, seq, person, share)``: facts, and the people they name.
- ``w_withdrawal(position, thing, kind)``: facts that withdraw earlier ones of a kind.
- ``w_gone(position, cause TEXT, by_position)``: facts that are void; withdrawn ones are added.

Output: ``w_posting`` and ``w_cut``, the rows of the read model's ``postings`` and ``cuts``.
"""

from __future__ import annotations

__all__ = ["WORK_TABLES", "activity_steps", "cap_steps", "tenure_steps", "work_ddl"]

WORK_TABLES = {
    "w_fact": "position BIGINT, thing BIGINT, kind BIGINT, day BIGINT, grade TEXT, hours BIGINT",
    "w_party": "position BIGINT, seq BIGINT, person BIGINT, share BIGINT",
    "w_withdrawal": "position BIGINT, thing BIGINT, kind BIGINT",
    "w_gone": "position BIGINT, cause TEXT, by_position BIGINT",
    "w_service": (
        "position BIGINT, person BIGINT, day BIGINT, unit BIGINT, rank TEXT, status TEXT"
    ),
    "w_origin": "thing BIGINT, kind BIGINT, position BIGINT",
    "w_rated": (
        "position BIGINT, activity BIGINT, thing BIGINT, day BIGINT, grade TEXT, hours BIGINT,"
        " named_at BIGINT, value BIGINT, shared BIGINT, whole BIGINT"
    ),
    "w_posting": (
        "person BIGINT, position BIGINT, activity BIGINT, thing BIGINT, day BIGINT, unit BIGINT,"
        " grade TEXT, hours BIGINT, share BIGINT, value BIGINT, whole BIGINT, gross BIGINT"
    ),
    "w_standing": (
        "person BIGINT, position BIGINT, activity BIGINT, day BIGINT, rule BIGINT, points BIGINT"
    ),
    "w_cut": (
        "person BIGINT, position BIGINT, activity BIGINT, stage BIGINT, cause TEXT,"
        " reference BIGINT, points BIGINT"
    ),
}
"""Columns of the work tables."""

_ORIGIN = """
INSERT INTO w_origin
SELECT f.thing, f.kind,
       coalesce(max(CASE WHEN g.position IS NULL THEN f.position END), max(f.position))
FROM w_fact f LEFT JOIN w_gone g ON g.position = f.position
WHERE f.kind IN (SELECT named_by FROM activities)
GROUP BY f.thing, f.kind
"""

_WITHDRAWN = """
INSERT INTO w_gone
SELECT f.position, 'withdrawn', min(w.position)
FROM w_fact f
JOIN w_withdrawal w ON w.thing = f.thing AND w.kind = f.kind AND w.position > f.position
WHERE NOT EXISTS (SELECT 1 FROM w_gone g WHERE g.position = w.position)
  AND NOT EXISTS (SELECT 1 FROM w_gone g WHERE g.position = f.position)
GROUP BY f.position
"""

# The rule that counts is the one in force on the day of the fact (value.day_from, day_until).
_RATED = """
INSERT INTO w_rated
SELECT f.position, a.id, f.thing, f.day, f.grade, f.hours, coalesce(o.position, f.position),
       coalesce(v.id, 0), coalesce(v.shared, 0),
       CASE WHEN v.per_hour = 1 THEN (v.points * f.hours + 5000) // 10000
            ELSE coalesce(v.points, 0) END
FROM w_fact f
JOIN activities a ON a.id = f.kind AND a.earns = 1
LEFT JOIN w_origin o ON o.thing = f.thing AND o.kind = a.named_by
LEFT JOIN rule_values v
  ON v.activity = a.id AND f.day >= v.day_from AND f.day < v.day_until
  AND (v.grade IS NULL OR v.grade = f.grade)
"""

# A share of the points that is no whole unit is rounded down; the units left over go one each to
# the largest remainders, then to those named first, so that the parts add up to the whole.
_POSTED = """
INSERT INTO w_posting
WITH remainders AS (
    SELECT r.position, r.activity, p.seq, r.whole * p.share % 1000000 AS remainder
    FROM w_rated r JOIN w_party p ON p.position = r.named_at
    WHERE r.shared = 1 AND r.whole * p.share % 1000000 > 0
),
rest AS (
    SELECT position, activity, seq,
           row_number() OVER (PARTITION BY position, activity
                              ORDER BY remainder DESC, seq) AS place,
           cast(sum(remainder) OVER (PARTITION BY position, activity) AS BIGINT) AS total
    FROM remainders
)
SELECT p.person, r.position, r.activity, r.thing, r.day, t.unit, r.grade, r.hours, p.share,
       r.value, r.whole,
       CASE WHEN r.shared = 0 THEN r.whole
            ELSE r.whole * p.share // 1000000
                 + CASE WHEN rest.place * 1000000 <= rest.total THEN 1 ELSE 0 END END
FROM w_rated r
JOIN w_party p ON p.position = r.named_at
LEFT JOIN rest
  ON rest.position = r.position AND rest.activity = r.activity AND rest.seq = p.seq
LEFT JOIN tenures t ON t.person = p.person AND r.day >= t.day_from AND r.day < t.day_until
                   AND t.status <> 'left'
"""

_GONE_CUT = """
INSERT INTO w_cut
SELECT p.person, p.position, p.activity, 0, g.cause, g.by_position, p.gross
FROM w_posting p JOIN w_gone g ON g.position = p.position
"""

_STANDING = """
INSERT INTO w_standing
SELECT p.person, p.position, p.activity, p.day, v.rule, p.gross
FROM w_posting p JOIN rule_values v ON v.id = p.value
WHERE p.gross > 0
  AND v.rule IN (SELECT rule FROM cap_limits)
  AND NOT EXISTS (SELECT 1 FROM w_cut c WHERE c.position = p.position
                  AND c.person = p.person AND c.activity = p.activity)
"""

# Halves are numbered 5 and 6, so that none is taken for a quarter when a cap changes its period.
_PERIOD = """
CASE l.period
    WHEN 'month' THEN s.day // 100
    WHEN 'quarter' THEN s.day // 10000 * 10 + (s.day // 100 % 100 + 2) // 3
    WHEN 'half' THEN s.day // 10000 * 10 + 4 + (s.day // 100 % 100 + 5) // 6
    WHEN 'year' THEN s.day // 10000
    ELSE 0 END
"""

# Only where a period's points exceed a limit does anything have to be cut. There, in order of
# date and position, with S the running sum and L the limit in force on the day, what stands is
# T = max so far of (S + min(0, min so far of (L - S))): each posting takes what room is left, a
# limit that is raised gives new room, and one that is lowered takes nothing back.
_CAPPED = """
INSERT INTO w_cut
WITH roomed AS (
    SELECT s.person, s.position, s.activity, s.day, s.points, l.cap, l.points AS room,
           {period} AS period
    FROM w_standing s
    JOIN cap_limits l
      ON l.stage = {stage} AND l.rule = s.rule AND s.day >= l.day_from AND s.day < l.day_until
),
full_periods AS (
    SELECT person, cap, period FROM roomed
    GROUP BY person, cap, period HAVING sum(points) > min(room)
),
summed AS (
    SELECT r.*, cast(sum(r.points) OVER so_far AS BIGINT) AS total
    FROM roomed r
    JOIN full_periods f ON f.person = r.person AND f.cap = r.cap AND f.period = r.period
    WINDOW so_far AS (PARTITION BY r.person, r.cap, r.period
                      ORDER BY r.day, r.position, r.activity
                      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
bounded AS (
    SELECT summed.*, min(room - total) OVER so_far AS slack
    FROM summed
    WINDOW so_far AS (PARTITION BY person, cap, period ORDER BY day, position, activity
                      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
kept AS (
    SELECT bounded.*,
           max(total + CASE WHEN slack < 0 THEN slack ELSE 0 END) OVER so_far AS stands
    FROM bounded
    WINDOW so_far AS (PARTITION BY person, cap, period ORDER BY day, position, activity
                      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
stepped AS (
    SELECT kept.*,
           lag(stands, 1, 0) OVER (PARTITION BY person, cap, period
                                   ORDER BY day, position, activity) AS stood
    FROM kept
)
SELECT person, position, activity, {stage}, 'cap', cap,
       points - CASE WHEN stands > stood THEN stands - stood ELSE 0 END
FROM stepped
WHERE points > CASE WHEN stands > stood THEN stands - stood ELSE 0 END
"""

_AFTER_STAGE = """
UPDATE w_standing SET points = points - (
    SELECT c.points FROM w_cut c
    WHERE c.stage = {stage} AND c.person = w_standing.person
      AND c.position = w_standing.position AND c.activity = w_standing.activity)
WHERE EXISTS (
    SELECT 1 FROM w_cut c
    WHERE c.stage = {stage} AND c.person = w_standing.person
      AND c.position = w_standing.position AND c.activity = w_standing.activity)
"""

# Each service fact says what it changes; what it leaves unsaid holds from the one before. Most
# people have one fact only, and need no window.
_TENURES = """
INSERT INTO tenures
WITH standing AS (
    SELECT * FROM w_service
    WHERE NOT EXISTS (SELECT 1 FROM w_gone g WHERE g.position = w_service.position)
),
several AS (
    SELECT person FROM standing GROUP BY person HAVING count(*) > 1
),
counted AS (
    SELECT standing.*,
           count(unit) OVER so_far AS unit_group,
           count(rank) OVER so_far AS rank_group,
           count(status) OVER so_far AS status_group,
           lead(day, 1, 99991231) OVER (PARTITION BY person ORDER BY day, position) AS next_day
    FROM standing
    WHERE person IN (SELECT person FROM several)
    WINDOW so_far AS (PARTITION BY person ORDER BY day, position
                      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
)
SELECT person, day, next_day, unit_held, rank_held, status_held
FROM (SELECT person, day, next_day,
             max(unit) OVER (PARTITION BY person, unit_group) AS unit_held,
             max(rank) OVER (PARTITION BY person, rank_group) AS rank_held,
             max(status) OVER (PARTITION BY person, status_group) AS status_held
      FROM counted) held
WHERE day < next_day
UNION ALL
SELECT person, day, 99991231, unit, rank, status FROM standing
WHERE person NOT IN (SELECT person FROM several)
"""


def work_ddl() -> list[str]:
    """Statements that make the work tables, empty."""
    return [f"CREATE TEMP TABLE {name} ({columns})" for name, columns in WORK_TABLES.items()]


def tenure_steps() -> list[str]:
    """From ``w_service`` and ``w_gone`` to ``tenures``."""
    return [_TENURES]


def activity_steps() -> list[str]:
    """From facts and the people they name to ``w_posting`` and its stage-0 ``w_cut``."""
    return [_WITHDRAWN, _ORIGIN, _RATED, _POSTED, _GONE_CUT]


def cap_steps(stages: int) -> list[str]:
    """From ``w_posting`` to all of ``w_cut``, one step for each stage of nested caps."""
    steps = [_STANDING] if stages else []
    for stage in range(1, stages + 1):
        steps.append(_CAPPED.format(stage=stage, period=_PERIOD))
        if stage < stages:
            steps.append(_AFTER_STAGE.format(stage=stage))
    return steps


def for_sqlite(statement: str) -> str:
    """Write a statement of the plan the way SQLite understands it."""
    return statement.replace("//", "/")
