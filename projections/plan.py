"""The scoring plan: activities × rulebook = postings, as SQL that two engines run alike.

A rebuild runs these statements in DuckDB over whole columns, a catch-up runs the same statements
in SQLite over the few rows that are affected. They are written in what both understand; the one
difference, whole-number division, is written ``//`` here and becomes ``/`` for SQLite, where
integers divide to integers.

Input tables (``BIGINT`` unless said otherwise; days are ``yyyymmdd`` in the ledger's zone; amounts
are units of 1/10,000; a share of 100 % is 1,000,000):

- ``activities(id, earns, named_by, source, account)``: kinds that matter; those with ``earns`` 1
  can earn points, ``named_by`` is the kind whose fact about the same thing names the people, or
  null when the fact names them itself. What facts of a kind (``source``) earn in another
  ``account`` than the main one, 0, is an activity of its own.
- ``tenures(person, day_from, day_until, unit, rank TEXT, status TEXT, ranked_on)``: where people
  served when; the rank is held since ``ranked_on``.
- ``units(id, unit TEXT, parent TEXT)``: the units and what they are part of.
- ``rule_values(id, rule, activity, grade TEXT, per_hour, shared, day_from, day_until, points,
  scoped, confirm, conditions)``, ``rule_scopes(value, rank TEXT, unit TEXT)``,
  ``rule_conditions(value, said_by, field TEXT, code TEXT)``: compiled rules; a scoped value
  is for the ranks and units of its scopes only, null standing for any, and for facts that say of
  each of its ``conditions`` fields one of the codes; ``said_by`` is the kind whose fact about the
  same thing says it, or null when the fact does itself. One with ``confirm`` 1
  waits until somebody else confirmed the fact.
- ``cap_limits(cap, rule, stage, period TEXT, day_from, day_until, points, per TEXT, measure TEXT,
  keep TEXT)``: compiled caps; a limit in number is in 1/10,000 activities.
- ``w_fact(position, thing, kind, day, grade TEXT, hours)``,
  ``w_party(position, seq, person, share)``: facts, and the people they name.
- ``w_said(position, field TEXT, code TEXT)``: what facts say that a rule may ask for.
- ``w_withdrawal(position, thing, kind)``: facts that withdraw earlier ones of a kind.
- ``w_confirmed(position, by_position)``: facts that somebody else confirmed.
- ``w_gone(position, cause TEXT, by_position)``: facts that are void; withdrawn ones are added.

Output: ``w_posting`` and ``w_cut``, the rows of the read model's ``postings`` and ``cuts``.
"""

from __future__ import annotations

import attrs

__all__ = [
    "SHAPE",
    "WORK_TABLES",
    "Shape",
    "activity_steps",
    "cap_steps",
    "for_sqlite",
    "tenure_steps",
    "work_ddl",
]

_RATED_COLUMNS = (
    "position BIGINT, activity BIGINT, thing BIGINT, day BIGINT, grade TEXT, hours BIGINT,"
    " named_at BIGINT, value BIGINT, shared BIGINT, whole BIGINT"
)
_POSTING_COLUMNS = (
    "person BIGINT, position BIGINT, activity BIGINT, thing BIGINT, day BIGINT, unit BIGINT,"
    " grade TEXT, hours BIGINT, share BIGINT, value BIGINT, whole BIGINT, gross BIGINT"
)

WORK_TABLES = {
    "w_fact": "position BIGINT, thing BIGINT, kind BIGINT, day BIGINT, grade TEXT, hours BIGINT",
    "w_party": "position BIGINT, seq BIGINT, person BIGINT, share BIGINT",
    "w_said": "position BIGINT, field TEXT, code TEXT",
    "w_withdrawal": "position BIGINT, thing BIGINT, kind BIGINT",
    "w_gone": "position BIGINT, cause TEXT, by_position BIGINT",
    "w_confirmed": "position BIGINT, by_position BIGINT",
    "w_service": (
        "position BIGINT, person BIGINT, day BIGINT, unit BIGINT, rank TEXT, status TEXT"
    ),
    "w_origin": "thing BIGINT, kind BIGINT, position BIGINT",
    "w_rated": _RATED_COLUMNS,
    "w_posting": _POSTING_COLUMNS,
    "w_rated_scoped": _RATED_COLUMNS,
    "w_met": "position BIGINT, activity BIGINT, value BIGINT",
    "w_scoped": _POSTING_COLUMNS,
    "w_standing": (
        "person BIGINT, position BIGINT, activity BIGINT, thing BIGINT, day BIGINT, unit BIGINT,"
        " ranked_on BIGINT, rule BIGINT, points BIGINT"
    ),
    "w_chosen": "person BIGINT, position BIGINT, activity BIGINT, value BIGINT",
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
WHERE f.kind IN ({kinds})
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
INSERT INTO {rated}
SELECT f.position, a.id, f.thing, f.day, f.grade, f.hours, coalesce(o.position, f.position),
       coalesce(v.id, 0), coalesce(v.shared, 0),
       CASE WHEN v.per_hour = 1 THEN (v.points * f.hours + 5000) // 10000
            ELSE coalesce(v.points, 0) END
FROM w_fact f
JOIN activities a ON a.source = f.kind AND a.earns = 1
LEFT JOIN w_origin o ON o.thing = f.thing AND o.kind = a.named_by
{join} rule_values v
  ON v.scoped = {scoped} AND v.activity = a.id AND f.day >= v.day_from AND f.day < v.day_until
  AND (v.grade IS NULL OR v.grade = f.grade)
WHERE a.account = 0 OR v.id IS NOT NULL
"""

# A fact says at most one code of a field, so that each of the fields that is met counts once.
_MET = """
INSERT INTO w_met
SELECT r.position, r.activity, r.value
FROM w_rated_scoped r
JOIN rule_values v ON v.id = r.value
JOIN rule_conditions c ON c.value = r.value
LEFT JOIN w_origin o ON o.thing = r.thing AND o.kind = c.said_by
JOIN w_said s ON s.position = coalesce(o.position, r.position)
             AND s.field = c.field AND s.code = c.code
GROUP BY r.position, r.activity, r.value
HAVING count(*) = max(v.conditions)
"""

_UNMET = """
DELETE FROM w_rated_scoped
WHERE value IN (SELECT value FROM rule_conditions)
  AND NOT EXISTS (
    SELECT 1 FROM w_met m WHERE m.position = w_rated_scoped.position
      AND m.activity = w_rated_scoped.activity AND m.value = w_rated_scoped.value)
"""

# A share of the points that is no whole unit is rounded down; the units left over go one each to
# the largest remainders, then to those named first, so that the parts add up to the whole.
_POSTED = """
INSERT INTO {posting}
WITH remainders AS (
    SELECT r.position, r.activity, r.value, p.seq, r.whole * p.share % 1000000 AS remainder
    FROM {rated} r JOIN w_party p ON p.position = r.named_at
    WHERE r.shared = 1 AND r.whole * p.share % 1000000 > 0
),
rest AS (
    SELECT position, activity, value, seq,
           row_number() OVER (PARTITION BY position, activity, value
                              ORDER BY remainder DESC, seq) AS place,
           cast(sum(remainder) OVER (PARTITION BY position, activity, value) AS BIGINT) AS total
    FROM remainders
)
SELECT p.person, r.position, r.activity, r.thing, r.day, t.unit, r.grade, r.hours, p.share,
       r.value, r.whole,
       CASE WHEN r.shared = 0 THEN r.whole
            ELSE r.whole * p.share // 1000000
                 + CASE WHEN rest.place * 1000000 <= rest.total THEN 1 ELSE 0 END END
FROM {rated} r
JOIN w_party p ON p.position = r.named_at
LEFT JOIN rest
  ON rest.position = r.position AND rest.activity = r.activity AND rest.value = r.value
 AND rest.seq = p.seq
LEFT JOIN tenures t ON t.person = p.person AND r.day >= t.day_from AND r.day < t.day_until
                   AND t.status <> 'left'
"""

# Of the rules for some only, the one of the nearest unit counts, then one that names ranks only,
# then one for everybody; among those, one with conditions. It goes before a rule for all.
_CHOSEN = """
INSERT INTO w_chosen
WITH RECURSIVE above AS (
    SELECT id, unit, parent, 0 AS distance FROM units
    UNION ALL
    SELECT a.id, u.unit, u.parent, a.distance + 1
    FROM above a JOIN units u ON u.unit = a.parent
    WHERE a.distance < {units_deep}
),
fit AS (
    SELECT p.person, p.position, p.activity, p.value,
           row_number() OVER (PARTITION BY p.person, p.position, p.activity
                              ORDER BY coalesce(a.distance, {units_deep} + coalesce(c.part, 2)),
                                       v.conditions DESC, p.value) AS place
    FROM w_scoped p
    JOIN rule_values v ON v.id = p.value
    LEFT JOIN (SELECT value, rank, unit, 1 AS part FROM rule_scopes) c ON c.value = p.value
    LEFT JOIN tenures t ON t.person = p.person AND p.day >= t.day_from AND p.day < t.day_until
                       AND t.status <> 'left'
    LEFT JOIN above a ON a.id = p.unit AND a.unit = c.unit
    WHERE (c.rank IS NULL OR c.rank = t.rank) AND (c.unit IS NULL OR a.distance IS NOT NULL)
)
SELECT person, position, activity, value FROM fit WHERE place = 1
"""

_REPLACED = """
DELETE FROM w_posting WHERE EXISTS (
    SELECT 1 FROM w_chosen c WHERE c.person = w_posting.person
      AND c.position = w_posting.position AND c.activity = w_posting.activity)
"""

_REPLACING = """
INSERT INTO w_posting
SELECT s.* FROM w_scoped s JOIN w_chosen c
  ON c.person = s.person AND c.position = s.position AND c.activity = s.activity
 AND c.value = s.value
"""

_GONE_CUT = """
INSERT INTO w_cut
SELECT p.person, p.position, p.activity, 0, g.cause, g.by_position, p.gross
FROM w_posting p JOIN w_gone g ON g.position = p.position
"""

_PENDING = """
INSERT INTO w_cut
SELECT p.person, p.position, p.activity, 0, 'pending', 0, p.gross
FROM w_posting p JOIN rule_values v ON v.id = p.value
WHERE v.confirm = 1
  AND NOT EXISTS (SELECT 1 FROM w_confirmed c WHERE c.position = p.position)
  AND NOT EXISTS (SELECT 1 FROM w_gone g WHERE g.position = p.position)
"""

_TENURE = """
LEFT JOIN tenures t ON t.person = p.person AND p.day >= t.day_from AND p.day < t.day_until
                   AND t.status <> 'left'
"""

_STANDING = """
INSERT INTO w_standing
SELECT p.person, p.position, p.activity, p.thing, p.day, p.unit, {ranked_on}, v.rule, p.gross
FROM w_posting p JOIN rule_values v ON v.id = p.value
{tenures}
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
    WHEN 'rank' THEN s.ranked_on
    ELSE 0 END
"""

# A cap adds up what it measures, points or activities, for whom it is and in the order in which
# it lets them count. Only where that exceeds a limit does anything have to be cut. With S the
# running sum, what stands of it under a steady limit L is the smaller of both. Where the limit
# changes on the way, it is T = max so far of (S + min(0, min so far of (L - S))): each posting
# takes what room is left, a limit that is raised gives new room, and one that is lowered takes
# nothing back. Where only the best counts, what stands is the highest so far: a better one adds
# what it is better by.
_CAPPED = """
INSERT INTO w_cut
WITH roomed AS NOT MATERIALIZED (
    SELECT s.person, s.position, s.activity, s.day, s.points, l.cap,
           CASE l.keep WHEN 'best' THEN 0 ELSE l.points END AS room,
           CASE l.per WHEN 'unit' THEN -s.unit ELSE s.person END AS owner,
           CASE l.per WHEN 'thing' THEN s.thing ELSE 0 END AS part,
           CASE WHEN l.measure = 'count' AND l.keep = 'first' THEN 10000 ELSE s.points END
               AS measured,
           CASE l.keep WHEN 'best' THEN 1 ELSE 0 END AS best,
           {period} AS period
    FROM w_standing s
    JOIN cap_limits l
      ON l.stage = {stage} AND l.rule = s.rule AND s.day >= l.day_from AND s.day < l.day_until
    WHERE s.points > 0 AND (l.per <> 'unit' OR s.unit IS NOT NULL)
),
full_periods AS (
    SELECT owner, cap, period, part, min(room) AS limited, max(room) > min(room) AS changes
    FROM roomed
    GROUP BY owner, cap, period, part HAVING sum(measured) > min(room)
),
summed AS (
    SELECT r.person, r.position, r.activity, r.day, r.points, r.cap, r.room, r.owner, r.part,
           r.measured, r.best, r.period, f.limited, f.changes,
           cast(sum(r.measured) OVER so_far AS BIGINT) AS total,
           max(r.measured) OVER so_far AS highest
    FROM roomed r
    JOIN full_periods f
      ON f.owner = r.owner AND f.cap = r.cap AND f.period = r.period AND f.part = r.part
    WINDOW so_far AS (PARTITION BY r.owner, r.cap, r.period, r.part
                      ORDER BY r.day, r.position, r.person
                      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
bounded AS (
    SELECT summed.*, min(room - total) OVER so_far AS slack
    FROM summed WHERE changes
    WINDOW so_far AS (PARTITION BY owner, cap, period, part
                      ORDER BY day, position, person
                      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
raised AS (
    SELECT bounded.*,
           max(total + CASE WHEN slack < 0 THEN slack ELSE 0 END) OVER so_far AS stands
    FROM bounded
    WINDOW so_far AS (PARTITION BY owner, cap, period, part
                      ORDER BY day, position, person
                      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
stepped AS (
    SELECT person, position, activity, cap, points, measured, stands,
           lag(stands, 1, 0) OVER (PARTITION BY owner, cap, period, part
                                   ORDER BY day, position, person) AS stood
    FROM raised
    UNION ALL
    SELECT person, position, activity, cap, points, measured,
           CASE WHEN total > limited THEN limited ELSE total END,
           CASE WHEN total - measured > limited THEN limited ELSE total - measured END
    FROM summed WHERE NOT changes AND best = 0 AND total > limited
    UNION ALL
    SELECT person, position, activity, cap, points, measured, highest,
           lag(highest, 1, 0) OVER (PARTITION BY owner, cap, period, part
                                    ORDER BY day, position, person)
    FROM summed WHERE best = 1
),
kept AS (
    SELECT stepped.*, CASE WHEN stands > stood THEN stands - stood ELSE 0 END AS stays
    FROM stepped
)
SELECT person, position, activity, {stage}, 'cap', cap,
       CASE WHEN stays = 0 THEN points ELSE measured - stays END
FROM kept
WHERE measured > stays
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

# Each service fact says what it changes; what it leaves unsaid holds from the one before: the
# latest said so far, found as the greatest text that begins with day and position. Most people
# have one fact only, and need no window.
_TENURES = """
INSERT INTO tenures
WITH standing AS (
    SELECT * FROM w_service
    WHERE NOT EXISTS (SELECT 1 FROM w_gone g WHERE g.position = w_service.position)
),
several AS (
    SELECT person FROM standing GROUP BY person HAVING count(*) > 1
),
timed AS (
    SELECT standing.*,
           CAST(day AS TEXT) || CAST(1000000000000 + position AS TEXT) AS said
    FROM standing
    WHERE person IN (SELECT person FROM several)
),
held AS (
    SELECT person, day,
           lead(day, 1, 99991231) OVER in_turn AS next_day,
           max(said || CAST(unit AS TEXT)) OVER so_far AS unit_said,
           max(said || rank) OVER so_far AS rank_said,
           max(said || status) OVER so_far AS status_said
    FROM timed
    WINDOW in_turn AS (PARTITION BY person ORDER BY day, position),
           so_far AS (PARTITION BY person ORDER BY day, position
                      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
)
SELECT person, day, next_day, CAST(substr(unit_said, 22) AS BIGINT), substr(rank_said, 22),
       substr(status_said, 22), CAST(substr(rank_said, 1, 8) AS BIGINT)
FROM held
WHERE day < next_day
UNION ALL
SELECT person, day, 99991231, unit, rank, status, day FROM standing
WHERE person NOT IN (SELECT person FROM several)
"""

_UNITS_DEEP = 32


@attrs.frozen
class Shape:
    """What the compiled rules ask of the plan beyond the ordinary.

    Attributes:
        stages: How many stages of caps there are.
        scoped: Whether a rule is for some ranks or units only.
        conditions: Whether a rule is for facts only that say something certain.
        by_rank: Whether a cap counts in the time a rank is held.
        by_unit: Whether a cap limits the people of a unit together.
        accounts: Whether a rule gives points in another account than the main one.
        confirms: Whether a rule waits for facts to be confirmed.
    """

    stages: int = 0
    scoped: bool = False
    conditions: bool = False
    by_rank: bool = False
    by_unit: bool = False
    accounts: bool = False
    confirms: bool = False

    @property
    def follows_service(self) -> bool:
        """Whether points depend on where and as what people serve."""
        return self.scoped or self.by_rank or self.by_unit


SHAPE = """
SELECT coalesce(max(stage), 0), EXISTS (SELECT 1 FROM rule_scopes),
       EXISTS (SELECT 1 FROM rule_conditions),
       coalesce(max(CASE WHEN period = 'rank' THEN 1 ELSE 0 END), 0),
       coalesce(max(CASE WHEN per = 'unit' THEN 1 ELSE 0 END), 0),
       EXISTS (SELECT 1 FROM activities WHERE account > 0),
       EXISTS (SELECT 1 FROM rule_values WHERE confirm = 1)
FROM cap_limits
"""
"""Question that gives a ``Shape``, in the order of its attributes."""


def work_ddl() -> list[str]:
    """Statements that make the work tables, empty."""
    return [f"CREATE TEMP TABLE {name} ({columns})" for name, columns in WORK_TABLES.items()]


def tenure_steps() -> list[str]:
    """From ``w_service`` and ``w_gone`` to ``tenures``."""
    return [_TENURES]


def activity_steps(shape: Shape) -> list[str]:
    """From facts and the people they name to ``w_posting`` and its stage-0 ``w_cut``."""
    kinds = "SELECT named_by FROM activities"
    if shape.conditions:
        kinds += " UNION SELECT said_by FROM rule_conditions"
    steps = [
        _WITHDRAWN,
        _ORIGIN.format(kinds=kinds),
        _RATED.format(rated="w_rated", join="LEFT JOIN", scoped=0),
        _POSTED.format(rated="w_rated", posting="w_posting"),
    ]
    if shape.scoped or shape.conditions:
        steps += [
            _RATED.format(rated="w_rated_scoped", join="JOIN", scoped=1),
            *([_MET, _UNMET] if shape.conditions else []),
            _POSTED.format(rated="w_rated_scoped", posting="w_scoped"),
            _CHOSEN.format(units_deep=_UNITS_DEEP),
            _REPLACED,
            _REPLACING,
        ]
    return [*steps, _GONE_CUT, *([_PENDING] if shape.confirms else [])]


def cap_steps(shape: Shape) -> list[str]:
    """From ``w_posting`` to all of ``w_cut``, one step for each stage of nested caps."""
    ranked_on, tenures = ("t.ranked_on", _TENURE) if shape.by_rank else ("0", "")
    steps = [_STANDING.format(ranked_on=ranked_on, tenures=tenures)] if shape.stages else []
    for stage in range(1, shape.stages + 1):
        steps.append(_CAPPED.format(stage=stage, period=_PERIOD))
        if stage < shape.stages:
            steps.append(_AFTER_STAGE.format(stage=stage))
    return steps


def for_sqlite(statement: str) -> str:
    """Write a statement of the plan the way SQLite understands it."""
    return statement.replace("//", "/")
