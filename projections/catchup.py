"""Catching up: bring a read model from its position to the ledger's, touching only what changed.

The same plan runs as in a rebuild, in SQLite and over few rows: the activities of the new facts
(or of the whole thing, when a fact changes what earlier ones mean), and the caps of the people
concerned. The result is what a rebuild would have given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from mileage.ledger import FactVoided, PointsConfirmed
from mileage.ledger.amounts import WHOLE_SHARE, to_units
from mileage.ledger.fields import Shares
from mileage.ledger.kinds.member import MemberJoined
from mileage.ledger.kinds.unit import UnitEstablished
from mileage.ledger.ledger import voided_keys

from . import plan, registers
from .build import figure_steps
from .closing import ABOUT_FACTS
from .days import OPEN_DAY, day_number
from .decode import SERVICE_STATUS, UNIT_ENDS, activity_ids, condition_fields, people_fields
from .rules import held_facts

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

    from mileage.ledger import Ledger, Recorded
    from mileage.ledger.kinds import Activity

__all__ = ["apply_facts", "prepare", "reaches_others"]

_WORK = tuple(plan.WORK_TABLES)


def prepare(connection: sqlite3.Connection) -> None:
    """Make the plan's work tables on a connection, once."""
    for statement in plan.work_ddl():
        connection.execute(statement)
    for name, columns in registers.RAW_TABLES.items():
        connection.execute(f"CREATE TEMP TABLE {name} ({columns})")
    connection.execute("CREATE TEMP TABLE w_people (id BIGINT PRIMARY KEY)")


def apply_facts(
    connection: sqlite3.Connection, ledger: Ledger, facts: Sequence[Recorded], shape: plan.Shape
) -> int:
    """Bring new facts into a read model, within the connection's transaction.

    Args:
        connection: Writable connection to the read model, after ``prepare``.
        ledger: The ledger.
        facts: All facts after the model's position, in order.
        shape: What the model's rulebooks ask of the plan.

    Returns:
        How many people's figures were worked out anew.
    """
    batch = _Batch(connection, ledger, shape, facts[-1].position)
    for item in facts:
        batch.take(item)
    return batch.apply(facts[-1].position)


def reaches_others(facts: Sequence[Recorded], shape: plan.Shape) -> bool:
    """Whether new facts may change figures of people or activities they say nothing of.

    A cap of a whole unit does so with every fact; where points depend on service, so does every
    fact about it. Then a rebuild is due.
    """
    if shape.by_unit:
        return True
    return shape.follows_service and any(
        item.fact.originator_id.startswith(("member:", "unit:")) for item in facts
    )


@attrs.define(slots=False)
class _Batch:
    """What new facts touch.

    Attributes:
        shape: What the model's rulebooks ask of the plan.
        upto: Position of the last of them.
        streams: Things of which every activity is derived anew.
        alone: Facts that are derived by themselves.
        members: Persons whose service is derived anew.
        registered: Things whose rows in the registers are derived anew.
    """

    connection: sqlite3.Connection
    ledger: Ledger
    shape: plan.Shape
    upto: int
    streams: dict[str, None] = attrs.field(factory=dict)
    alone: list[Recorded] = attrs.field(factory=list)
    members: dict[str, None] = attrs.field(factory=dict)
    registered: dict[str, None] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self.numbers = activity_ids(self.ledger.kinds)
        self.people_fields = people_fields(self.ledger.kinds)
        self.naming = {k.activity.of for k in self.ledger.kinds if k.activity and k.activity.of}
        self.said_fields = condition_fields(self.ledger.kinds) if self.shape.conditions else {}
        if self.shape.conditions:
            self.naming |= set(self.said_fields)
        self.topics = tuple(self.ledger.kinds.topics(*self.numbers))

    def _facts(self, stream: str) -> list[Recorded]:
        """A stream's facts up to the batch's last: somebody may be recording more just now."""
        return [item for item in self.ledger.stream(stream) if item.position <= self.upto]

    def take(self, item: Recorded) -> None:  # noqa: C901 - a case for each sort of fact
        """Note what a new fact touches."""
        fact, kind = item.fact, item.fact.kind
        stream = fact.originator_id
        if stream.partition(":")[0] in registers.CATEGORIES:
            self.registered[stream] = None
        if stream.startswith(ABOUT_FACTS):
            target = self.ledger.by_key(stream.partition(":")[2])
            if target:
                self.streams[target.fact.originator_id] = None
        elif isinstance(fact.data, FactVoided):
            self.streams[stream] = None
            if stream.startswith("member:"):
                self.members[stream] = None
            elif stream.startswith("unit:"):
                self._establish(stream)
        elif kind.cls in SERVICE_STATUS:
            self.members[stream] = None
        elif kind.cls is UnitEstablished or kind.cls in UNIT_ENDS:
            self._establish(stream)
        elif kind.withdraws or (kind.activity and self._needs_others(kind.activity)):
            self.streams[stream] = None
        elif (kind.name in self.naming or kind.title) and fact.originator_version > 1:
            # It changes who did what the thing's others say, or what the thing is called.
            self.streams[stream] = None
        elif kind.name in self.numbers:
            self.alone.append(item)

    def _needs_others(self, activity: Activity) -> bool:
        """Whether what an activity earns depends on other facts about the same thing."""
        return bool(activity.of) or (self.shape.conditions and any(activity.conditions.values()))

    def apply(self, position: int) -> int:
        """Derive, score and write what was noted."""
        execute = self.connection.execute
        for table in (*_WORK, "w_people"):
            execute(f"DELETE FROM {table}")
        if self.members:
            self._serve()
        if self.registered:
            self._register()
        if self.streams or self.alone:
            self._derive()
            self._score()
        execute("UPDATE meta SET value = ? WHERE key = 'position'", (str(position),))
        [(count,)] = execute("SELECT count(*) FROM w_people").fetchall()
        return int(count)

    def _establish(self, stream: str) -> None:
        """List a unit as its standing facts say, or not at all."""
        facts = self._facts(stream)
        gone = _voided_by(facts)
        standing = [item for item in facts if item.fact.key not in gone]
        founded = [item for item in standing if item.fact.kind.cls is UnitEstablished]
        ends = [
            day_number(item.fact.occurred_on)
            for item in standing
            if item.fact.kind.cls in UNIT_ENDS
        ]
        unit = stream.partition(":")[2]
        self.connection.execute("DELETE FROM units WHERE unit = ?", (unit,))
        for item in founded[-1:]:
            self.connection.execute(
                "INSERT INTO units VALUES (?, ?, ?, ?, ?, ?)",
                (item.position, *attrs.astuple(item.fact.data), *(ends or [OPEN_DAY])),
            )

    def _serve(self) -> None:
        """Derive anew where and as what the members concerned served."""
        execute = self.connection.execute
        for stream in self.members:
            facts = self._facts(stream)
            joined = next(item for item in facts if isinstance(item.fact.data, MemberJoined))
            person = joined.fact.data.person
            execute("INSERT OR IGNORE INTO people VALUES (?, ?)", (joined.position, person))
            execute("INSERT OR IGNORE INTO balances VALUES (?, 0, 0, 0, 0)", (joined.position,))
            execute("DELETE FROM tenures WHERE person = ?", (joined.position,))
            self._insert_gone(facts)
            for item in facts:
                if item.fact.kind.cls in SERVICE_STATUS:
                    self._insert_service(joined.position, item)
        for statement in plan.tenure_steps():
            execute(plan.for_sqlite(statement))
        execute(
            "UPDATE postings SET unit = (SELECT t.unit FROM tenures t WHERE t.person ="
            " postings.person AND postings.day >= t.day_from AND postings.day < t.day_until"
            " AND t.status <> 'left')"
            " WHERE person IN (SELECT person FROM w_service)"
        )
        execute("DELETE FROM w_gone")

    def _register(self) -> None:
        """Derive the registers' rows of the things concerned anew."""
        found = [self._facts(stream) for stream in self.registered]
        for facts in found:
            self._insert_gone(facts)
        registers.catch_up(self.connection, [item for facts in found for item in facts])
        self.connection.execute("DELETE FROM w_gone")

    def _insert_service(self, person: int, item: Recorded) -> None:
        fact = item.fact
        status = SERVICE_STATUS[fact.kind.cls]
        day = fact.occurred_on
        if status == "left":
            day = day.fromordinal(day.toordinal() + 1)  # the day of leaving is the last of service
        unit = getattr(fact.data, "unit", None)
        self.connection.execute(
            "INSERT INTO w_service VALUES (?, ?, ?, (SELECT id FROM units WHERE unit = ?), ?, ?)",
            (
                item.position,
                person,
                day_number(day),
                unit,
                getattr(fact.data, "rank", None),
                status,
            ),
        )

    def _derive(self) -> None:
        """Fill the plan's input tables and run it up to the postings of the facts concerned."""
        whole = {stream: self._facts(stream) for stream in self.streams}
        for facts in whole.values():
            self._insert_gone(facts)
            relevant = [item for item in facts if item.fact.kind.name in self.numbers]
            if not relevant:
                continue
            thing = relevant[0].position
            title = _standing_title(relevant, _voided_by(facts))
            self.connection.execute(
                "INSERT INTO things VALUES (?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET title = excluded.title",
                (thing, relevant[0].fact.originator_id, title),
            )
            for item in facts:
                for withdrawn in item.fact.kind.withdraws:
                    self.connection.execute(
                        "INSERT INTO w_withdrawal VALUES (?, ?, ?)",
                        (item.position, thing, self.numbers.get(withdrawn, 0)),
                    )
            for item in relevant:
                self._insert_fact(item, thing)
                if self.shape.confirms:
                    self._insert_confirmed(item)
        for item in self.alone:
            stream = item.fact.originator_id
            if stream in whole:
                continue
            thing = self.ledger.first_position(stream, self.topics) or item.position
            self.connection.execute(
                "INSERT OR IGNORE INTO things VALUES (?, ?, ?)", (thing, stream, _title(item))
            )
            self._insert_fact(item, thing)
        for statement in plan.activity_steps(self.shape):
            self.connection.execute(plan.for_sqlite(statement))

    def _insert_gone(self, facts: Sequence[Recorded]) -> None:
        by = {key: ("voided", position) for key, position in _voided_by(facts).items()}
        for item in facts:
            if item.fact.kind.activity and item.fact.key not in by:
                by |= self._held(item.fact.key)
        self.connection.executemany(
            "INSERT INTO w_gone VALUES (?, ?, ?)",
            [(item.position, *by[item.fact.key]) for item in facts if item.fact.key in by],
        )

    def _held(self, key: str) -> dict[str, tuple[str, int]]:
        """Whether a fact is on hold or denied, and by which fact."""
        facts = self._facts(f"hold:{key}")
        gone = _voided_by(facts)
        return held_facts(item for item in facts if item.fact.key not in gone)

    def _insert_confirmed(self, item: Recorded) -> None:
        facts = self._facts(f"confirmation:{item.fact.key}")
        gone = _voided_by(facts)
        self.connection.executemany(
            "INSERT INTO w_confirmed VALUES (?, ?)",
            [
                (item.position, each.position)
                for each in facts
                if isinstance(each.fact.data, PointsConfirmed) and each.fact.key not in gone
            ][:1],
        )

    def _insert_fact(self, item: Recorded, thing: int) -> None:
        fact, kind = item.fact, item.fact.kind
        activity = kind.activity
        hours = getattr(fact.data, activity.hours) if activity and activity.hours else None
        self.connection.execute(
            "INSERT INTO w_fact VALUES (?, ?, ?, ?, ?, ?)",
            (
                item.position,
                thing,
                self.numbers[kind.name],
                day_number(fact.occurred_on),
                getattr(fact.data, activity.grade) if activity and activity.grade else None,
                None if hours is None else to_units(hours),
            ),
        )
        self.connection.executemany(
            "INSERT INTO w_said VALUES (?, ?, ?)",
            [
                (item.position, name, code)
                for name in self.said_fields.get(kind.name, ())
                if (code := getattr(fact.data, name)) is not None
            ],
        )
        if kind.name in self.people_fields:
            self.connection.executemany(
                "INSERT INTO w_party VALUES (?, ?, (SELECT id FROM people WHERE person = ?), ?)",
                [(item.position, seq, person, share) for seq, person, share in self._party(item)],
            )

    def _party(self, item: Recorded) -> Iterable[tuple[int, str, int]]:
        name = self.people_fields[item.fact.kind.name]
        field, value = item.fact.kind.fields[name], getattr(item.fact.data, name)
        if isinstance(field, Shares):
            for seq, part in enumerate(value, 1):
                yield seq, part.person, to_units(part.percent)
        else:
            for seq, person in enumerate(value if isinstance(value, tuple) else (value,), 1):
                yield seq, person, WHOLE_SHARE

    def _score(self) -> None:
        """Score the people concerned: their other postings as they are, the caps anew."""
        execute = self.connection.execute
        execute("INSERT OR IGNORE INTO w_people SELECT person FROM w_posting")
        execute("INSERT OR IGNORE INTO w_people SELECT person FROM w_party")
        mine = "person IN (SELECT id FROM w_people)"
        anew = "position IN (SELECT position FROM w_fact)"
        execute(
            "INSERT INTO w_posting SELECT person, position, activity, thing, day, unit, grade,"
            f" hours, share, value, whole, gross FROM postings WHERE {mine} AND NOT {anew}"
        )
        execute(
            "INSERT INTO w_cut SELECT person, position, activity, stage, cause, reference, points"
            f" FROM cuts WHERE stage = 0 AND {mine} AND NOT {anew}"
        )
        for statement in plan.cap_steps(self.shape):
            execute(plan.for_sqlite(statement))
        for table in ("postings", "cuts", "balances"):
            execute(f"DELETE FROM {table} WHERE {mine}")
        for statement in figure_steps(self.shape, "w_people"):
            execute(plan.for_sqlite(statement))


def _voided_by(facts: Iterable[Recorded]) -> dict[str, int]:
    """Keys that are void by facts of one stream, with the position of the fact that voids them."""
    voids = [
        (item.fact.key, item.fact.data.fact, item.position)
        for item in facts
        if isinstance(item.fact.data, FactVoided)
    ]
    void = voided_keys([(key, target) for key, target, _ in voids])
    return {target: position for key, target, position in voids if key not in void}


def _standing_title(facts: Iterable[Recorded], gone: Mapping[str, int]) -> str | None:
    """The title of a thing: the latest that stands, or else the latest."""
    titled = [(item.fact.key in gone, _title(item)) for item in facts if _title(item) is not None]
    standing = [title for void, title in titled if not void]
    return next(reversed(standing or [title for _, title in titled]), None)


def _title(item: Recorded) -> str | None:
    kind = item.fact.kind
    return getattr(item.fact.data, kind.title) if kind.title else None
