"""The read model's schema: what a published SQLite file holds, for programs and for people.

Amounts are integers of 1/10,000 point or hour, a share of 100 % is 1,000,000, days are integers
``yyyymmdd`` in the ledger's time zone. Views write them as people read them.

Tables:

- ``meta(key, value)``: ledger, position, rulebooks' position, as_of, known_at, schema.
- ``units(id, unit, name_ko, name_en, parent, day_until)``; ``id`` is the position of the founding
  fact, ``day_until`` the first day without the unit, 99991231 while it stands.
- ``people(id, person)``; ``id`` is the position of the first fact of joining.
- ``tenures(person, day_from, day_until, unit, rank, status, ranked_on)``: ``status`` is
  ``serving``, ``leave`` or ``left``; ``day_until`` is exclusive, 99991231 when open; the rank is
  held since ``ranked_on``.
- ``things(id, stream, title)``: proposals, clubs, entries; ``id`` is the position of the first
  fact that matters for points.
- ``activities(id, kind, name_ko, name_en, earns, named_by, source, account)``: what can be
  counted; facts of one kind (``source`` is the id of its own row) can earn in several accounts.
- ``accounts(id, account, name_ko, name_en, unit_ko, unit_en)``: what amounts are kept in; 0 is the
  main one, ``mileage``, which holds points and counts unless something else is said.
- ``rulebooks``, ``rule_values``, ``rule_scopes``, ``rule_conditions``, ``cap_limits``,
  ``programmes``, ``programme_grades``: the compiled rulebooks in force in this model, each row
  with the days on which it applies; ``labels``: how codes are shown.
- ``postings(person, position, activity, thing, day, unit, grade, hours, share, value, whole,
  gross, points, account)``: in the main account one row for each person in each activity, rewarded
  or not. ``value`` is the dated value that rewards it, 0 for none; ``whole`` the points of the
  activity before it is divided, ``gross`` this person's part, ``points`` what counts after cuts.
  In another account there are rows only for what a rule rewards.
- ``adjustments(person, position, activity, day, origin_day, before, after, cause, reference)``:
  postings of ``day`` that stand for what became known of a closed day, ``origin_day``, after its
  period was closed: what that was worth before and is worth after, and why it changed: ``late``
  (``reference`` is the position of the closing), ``voided``, ``withdrawn`` (of the fact that did
  it), ``rules`` (of the adoption) or ``recalculated``. Unless it is late, the posting is the
  difference only: its share is 0, it is no activity, and its kind has a number of its own.
- ``cuts(person, position, activity, stage, cause, reference, points)``: what was taken away and
  why: ``voided``, ``withdrawn``, ``held`` or ``denied`` (stage 0,
  ``reference`` is the position of the fact that did
  it), ``cap`` (``reference`` is the cap).
- ``balances(person, account, points, activities, rewarded)``: sums of a person's postings by
  account; everybody has a row in the main one.
- ``decisions(position, programme, cycle, person, day, decision, grade, value, reason,
  decided_by)``: what people decided about entitlements, ``granted``, ``approved``, ``refused`` or
  ``revoked``; the latest of a person in a cycle holds.
- ``redemptions(position, person, day, redemption, points, note)``: points redeemed; those given
  back are below 0.
- ``awards(position, day, award, title, grade, certificate, basis, prize, proposal, withdrawn_at,
  withdrawn_on)``: awards granted; who got them stands in ``postings`` at the same position.
- ``sanctions(position, person, sanction, ground, day_from, day_until)``: sanctions of people;
  ``day_until`` is the first day without, 99991231 when open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["SCHEMA_VERSION", "TABLES", "create_tables", "create_views"]

SCHEMA_VERSION = 6

TABLES: dict[str, tuple[str, str]] = {
    "meta": ("key TEXT NOT NULL, value TEXT", "key"),
    "units": (
        "id BIGINT NOT NULL, unit TEXT NOT NULL, name_ko TEXT NOT NULL, name_en TEXT NOT NULL,"
        " parent TEXT, day_until BIGINT NOT NULL",
        "id",
    ),
    "people": ("id BIGINT NOT NULL, person TEXT NOT NULL", "id"),
    "tenures": (
        "person BIGINT NOT NULL, day_from BIGINT NOT NULL, day_until BIGINT NOT NULL,"
        " unit BIGINT, rank TEXT, status TEXT, ranked_on BIGINT",
        "person, day_from",
    ),
    "things": ("id BIGINT NOT NULL, stream TEXT NOT NULL, title TEXT", "id"),
    "activities": (
        "id BIGINT NOT NULL, kind TEXT NOT NULL, name_ko TEXT NOT NULL, name_en TEXT NOT NULL,"
        " earns BIGINT NOT NULL, named_by BIGINT, source BIGINT NOT NULL,"
        " account BIGINT NOT NULL",
        "id",
    ),
    "accounts": (
        "id BIGINT NOT NULL, account TEXT NOT NULL, name_ko TEXT NOT NULL,"
        " name_en TEXT NOT NULL, unit_ko TEXT NOT NULL, unit_en TEXT NOT NULL",
        "id",
    ),
    "rulebooks": (
        "position BIGINT NOT NULL, rulebook TEXT NOT NULL, digest TEXT NOT NULL,"
        " day_from BIGINT NOT NULL, day_until BIGINT NOT NULL",
        "position",
    ),
    "rule_values": (
        "id BIGINT NOT NULL, adoption BIGINT NOT NULL, rule BIGINT NOT NULL,"
        " rule_id TEXT NOT NULL, name_ko TEXT NOT NULL, name_en TEXT NOT NULL,"
        " activity BIGINT NOT NULL, grade TEXT, per_hour BIGINT NOT NULL, shared BIGINT NOT NULL,"
        " day_from BIGINT NOT NULL, day_until BIGINT NOT NULL, points BIGINT NOT NULL,"
        " clause TEXT NOT NULL, scoped BIGINT NOT NULL, confirm BIGINT NOT NULL,"
        " conditions BIGINT NOT NULL, when_ko TEXT NOT NULL, when_en TEXT NOT NULL",
        "id",
    ),
    "cap_limits": (
        "cap BIGINT NOT NULL, rule BIGINT NOT NULL, day_from BIGINT NOT NULL,"
        " day_until BIGINT NOT NULL, stage BIGINT NOT NULL, period TEXT NOT NULL,"
        " points BIGINT NOT NULL, adoption BIGINT NOT NULL, cap_id TEXT NOT NULL,"
        " name_ko TEXT NOT NULL, name_en TEXT NOT NULL, clause TEXT NOT NULL, per TEXT NOT NULL,"
        " measure TEXT NOT NULL, keep TEXT NOT NULL",
        "cap, rule, day_from",
    ),
    "rule_scopes": (
        "value BIGINT NOT NULL, place BIGINT NOT NULL, rank TEXT, unit TEXT",
        "value, place",
    ),
    "rule_conditions": (
        "value BIGINT NOT NULL, said_by BIGINT, field TEXT NOT NULL, code TEXT NOT NULL",
        "value, field, code",
    ),
    "programmes": (
        "programme TEXT NOT NULL, day_from BIGINT NOT NULL, day_until BIGINT NOT NULL,"
        " adoption BIGINT NOT NULL, name_ko TEXT NOT NULL, name_en TEXT NOT NULL,"
        " period TEXT NOT NULL, threshold BIGINT NOT NULL, quota BIGINT, break_by TEXT NOT NULL,"
        " otherwise TEXT NOT NULL, clause TEXT NOT NULL, percent BIGINT, percent_of TEXT,"
        " rounding TEXT NOT NULL, value BIGINT, unit_ko TEXT, unit_en TEXT, ranks TEXT NOT NULL,"
        " recent_years BIGINT, recent_cycles BIGINT, recent_programmes TEXT NOT NULL,"
        " four_eyes BIGINT NOT NULL, units TEXT NOT NULL, sanctioned_years BIGINT,"
        " months_served BIGINT, full_from BIGINT, on_leave TEXT NOT NULL,"
        " account BIGINT NOT NULL",
        "programme, day_from",
    ),
    "programme_grades": (
        "programme TEXT NOT NULL, day_from BIGINT NOT NULL, place BIGINT NOT NULL,"
        " grade TEXT NOT NULL, threshold BIGINT, percent BIGINT, places BIGINT, value BIGINT",
        "programme, day_from, place",
    ),
    "labels": ("code TEXT NOT NULL, name_ko TEXT NOT NULL, name_en TEXT NOT NULL", "code"),
    "postings": (
        "person BIGINT NOT NULL, position BIGINT NOT NULL, activity BIGINT NOT NULL,"
        " thing BIGINT NOT NULL, day BIGINT NOT NULL, unit BIGINT, grade TEXT, hours BIGINT,"
        " share BIGINT NOT NULL, value BIGINT NOT NULL, whole BIGINT NOT NULL,"
        " gross BIGINT NOT NULL, points BIGINT NOT NULL, account BIGINT NOT NULL",
        "person, position, activity, day",
    ),
    "adjustments": (
        "person BIGINT NOT NULL, position BIGINT NOT NULL, activity BIGINT NOT NULL,"
        " day BIGINT NOT NULL, origin_day BIGINT NOT NULL, before BIGINT NOT NULL,"
        " after BIGINT NOT NULL, cause TEXT NOT NULL, reference BIGINT NOT NULL",
        "person, position, activity, day",
    ),
    "cuts": (
        "person BIGINT NOT NULL, position BIGINT NOT NULL, activity BIGINT NOT NULL,"
        " stage BIGINT NOT NULL, cause TEXT NOT NULL, reference BIGINT NOT NULL,"
        " points BIGINT NOT NULL",
        "person, position, activity, stage",
    ),
    "balances": (
        "person BIGINT NOT NULL, account BIGINT NOT NULL, points BIGINT NOT NULL,"
        " activities BIGINT NOT NULL, rewarded BIGINT NOT NULL",
        "person, account",
    ),
    "decisions": (
        "position BIGINT NOT NULL, programme TEXT NOT NULL, cycle TEXT NOT NULL,"
        " person BIGINT NOT NULL, day BIGINT NOT NULL, decision TEXT NOT NULL, grade TEXT,"
        " value BIGINT, reason TEXT, decided_by TEXT NOT NULL",
        "position",
    ),
    "redemptions": (
        "position BIGINT NOT NULL, person BIGINT NOT NULL, day BIGINT NOT NULL,"
        " redemption TEXT NOT NULL, points BIGINT NOT NULL, note TEXT NOT NULL",
        "position",
    ),
    "awards": (
        "position BIGINT NOT NULL, day BIGINT NOT NULL, award TEXT NOT NULL,"
        " title TEXT NOT NULL, grade TEXT, certificate TEXT NOT NULL, basis TEXT NOT NULL,"
        " prize BIGINT, proposal TEXT, withdrawn_at BIGINT, withdrawn_on BIGINT",
        "position",
    ),
    "sanctions": (
        "position BIGINT NOT NULL, person BIGINT NOT NULL, sanction TEXT NOT NULL,"
        " ground TEXT NOT NULL, day_from BIGINT NOT NULL, day_until BIGINT NOT NULL",
        "position",
    ),
}
"""Columns and primary key of every table; each is kept in the order of its key."""

_DAY = "substr({0}, 1, 4) || '-' || substr({0}, 5, 2) || '-' || substr({0}, 7, 2)"


def _day(column: str) -> str:
    return _DAY.format(column)


def _amount(column: str) -> str:
    """A decimal text made of whole numbers only, so that no digit is a float's."""
    return (
        f"CASE WHEN {column} < 0 THEN '-' ELSE '' END || (abs({column}) / 10000)"
        f" || '.' || printf('%04d', abs({column}) % 10000)"
    )


VIEWS = {
    "statement": f"""
        SELECT m.person, p.position, {_day("p.day")} AS occurred_on, a.kind,
               a.name_ko AS activity_ko, a.name_en AS activity_en, t.stream AS thing, t.title,
               u.unit, p.grade, {_amount("p.hours")} AS hours, {_amount("p.share")} AS share,
               v.rule_id AS rule, v.clause, {_amount("v.points")} AS rate,
               {_amount("p.gross")} AS gross, {_amount("p.points")} AS points,
               p.points AS points_units, c.account
        FROM postings p
        JOIN accounts c ON c.id = p.account
        JOIN people m ON m.id = p.person
        JOIN activities a ON a.id = p.activity
        JOIN things t ON t.id = p.thing
        LEFT JOIN units u ON u.id = p.unit
        LEFT JOIN rule_values v ON v.id = p.value
    """,
    "ranking": f"""
        SELECT rank() OVER (ORDER BY b.points DESC) AS place, m.person,
               {_amount("b.points")} AS points, b.points AS points_units, b.activities, b.rewarded
        FROM balances b JOIN people m ON m.id = b.person
        WHERE b.account = 0
    """,
    "account_balances": f"""
        SELECT m.person, c.account, c.name_ko, c.name_en, {_amount("b.points")} AS points,
               c.unit_ko, c.unit_en, b.points AS points_units
        FROM balances b JOIN people m ON m.id = b.person JOIN accounts c ON c.id = b.account
    """,
    "unrewarded": f"""
        SELECT m.person, p.position, {_day("p.day")} AS occurred_on, a.kind, p.grade,
               t.stream AS thing
        FROM postings p
        JOIN people m ON m.id = p.person
        JOIN activities a ON a.id = p.activity
        JOIN things t ON t.id = p.thing
        WHERE p.value = 0 AND NOT EXISTS (
            SELECT 1 FROM postings o WHERE o.person = p.person AND o.position = p.position
              AND o.account > 0)
    """,
    "cuts_explained": f"""
        SELECT m.person, c.position, c.stage, c.cause,
               CASE WHEN c.cause = 'cap' THEN
                   (SELECT cap_id FROM cap_limits l WHERE l.cap = c.reference LIMIT 1)
                   ELSE c.reference END AS reference,
               {_amount("c.points")} AS points
        FROM cuts c JOIN people m ON m.id = c.person
    """,
    "service": f"""
        SELECT m.person, {_day("s.day_from")} AS day_from,
               CASE WHEN s.day_until < 99991231 THEN {_day("s.day_until")} END AS day_until,
               u.unit, s.rank, s.status
        FROM tenures s JOIN people m ON m.id = s.person LEFT JOIN units u ON u.id = s.unit
    """,
    "available": f"""
        SELECT person, {_amount("earned")} AS earned, {_amount("redeemed")} AS redeemed,
               {_amount("earned - redeemed")} AS available, earned - redeemed AS available_units
        FROM (SELECT m.person, b.points AS earned,
                     coalesce((SELECT sum(r.points) FROM redemptions r WHERE r.person = b.person),
                              0) AS redeemed
              FROM balances b JOIN people m ON m.id = b.person
              WHERE b.account = 0)
    """,
    "entitlements_decided": f"""
        SELECT d.programme, d.cycle, m.person, d.decision, {_day("d.day")} AS decided_on,
               d.grade, {_amount("d.value")} AS value, d.reason, d.decided_by, d.position
        FROM decisions d JOIN people m ON m.id = d.person
    """,
    "certificates": f"""
        SELECT a.certificate, a.award, a.title, a.grade, m.person, {_day("a.day")} AS granted_on,
               {_amount("p.share")} AS share, a.prize,
               CASE WHEN a.withdrawn_on IS NOT NULL THEN {_day("a.withdrawn_on")} END
                   AS withdrawn_on
        FROM awards a JOIN postings p ON p.position = a.position
        JOIN people m ON m.id = p.person
        WHERE p.account = 0
    """,
}


def ddl(*, clustered: bool = False) -> list[str]:
    """Statements that make the tables: clustered by their key in SQLite, plain in DuckDB."""
    made = []
    for name, (columns, key) in TABLES.items():
        body, tail = columns, ""
        if clustered and key == "id":  # the id is the row's place: what full-text search needs
            body = columns.replace("id BIGINT NOT NULL", "id INTEGER PRIMARY KEY", 1)
        elif clustered:
            body, tail = f"{columns}, PRIMARY KEY ({key})", " WITHOUT ROWID"
        made.append(f"CREATE TABLE {name} ({body}){tail}")
    return made


def create_tables(database: Database) -> None:
    """Make the read model's tables in an empty SQLite database."""
    for statement in ddl(clustered=True):
        database.execute(statement)


def create_search(database: Database) -> None:
    """Make the full-text search over the titles of things; triggers keep it up to date."""
    database.table("things").enable_fts(["title"], create_triggers=True)


def create_views(database: Database) -> None:
    """Make indexes and views, once the rows are there."""
    database.table("people").create_index(["person"], unique=True)
    database.table("units").create_index(["unit"], unique=True)
    for name, statement in VIEWS.items():
        database.create_view(name, statement)
