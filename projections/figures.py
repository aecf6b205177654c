"""Figures: what people did amounts to, asked of a published read model.

Everything here is read-only and may be used from several threads; each thread has a connection
of its own.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import contextmanager, suppress
from datetime import MAXYEAR
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

import attrs
from mileage.ledger import Label, MileageError
from mileage.ledger.periods import period_days

from .days import FIRST_DAY, OPEN_DAY, day_before, day_number, day_of
from .rulebook import MAIN_ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date
    from pathlib import Path

__all__ = [
    "AccountInfo",
    "Adjustment",
    "Balance",
    "Cut",
    "Figures",
    "Period",
    "Ranked",
    "StatementLine",
    "Tenure",
    "UnknownAccount",
    "UnknownPerson",
]


class UnknownPerson(MileageError):
    """No fact of joining names that person."""


class UnknownAccount(MileageError):
    """No rulebook in the figures declares that account."""


@attrs.frozen
class AccountInfo:
    """What amounts are kept in apart from others.

    Attributes:
        account: Its id; ``mileage`` is there always.
        label: What people call it.
        unit: What its amounts are in: points, won, days.
    """

    account: str
    label: Label
    unit: Label


@attrs.frozen
class Period:
    """A stretch of whole days.

    Attributes:
        name: How it is written: ``2005``, ``2005-H1``, ``2005-Q3``, ``2005-03`` or ``all``.
        day_from: First day, ``yyyymmdd``.
        day_until: Day after the last, ``yyyymmdd``.
    """

    name: str
    day_from: int
    day_until: int

    @classmethod
    def parse(cls, text: str) -> Period:
        """Read a period.

        Raises:
            ValueError: It is none, or of a year at an end of the calendar, 0000 or 9999.
        """
        if text == "all":
            return cls("all", 0, OPEN_DAY)
        with suppress(ValueError):
            if not text.startswith(f"{MAXYEAR}"):  # its end is no day
                return cls._of(text)
        msg = f"{text!r} is no period: write 2005, 2005-H1, 2005-Q3, 2005-03 or all"
        raise ValueError(msg)

    @classmethod
    def _of(cls, code: str) -> Period:
        first, after = period_days(code)
        return cls(code, day_number(first), day_number(after))

    @property
    def kind(self) -> str:
        """What ``around`` calls a period of this kind: ``month`` … ``lifetime``."""
        _, _, part = self.name.partition("-")
        if not part:
            return "lifetime" if self.name == "all" else "year"
        return {"H": "half", "Q": "quarter"}.get(part[0], "month")

    def before(self) -> Period | None:
        """The period of the same kind just before; ``None`` where there is none."""
        if self.day_from <= FIRST_DAY:
            return None
        return Period.around(self.kind, day_before(self.day_from))

    @classmethod
    def around(cls, kind: str, day: date) -> Period:
        """The period of a kind (``month`` … ``lifetime``) in which a day lies."""
        match kind:
            case "month":
                return cls._of(f"{day.year:04d}-{day.month:02d}")
            case "quarter":
                return cls._of(f"{day.year:04d}-Q{(day.month + 2) // 3}")
            case "half":
                return cls._of(f"{day.year:04d}-H{(day.month + 5) // 6}")
            case "year":
                return cls._of(f"{day.year:04d}")
            case _:
                return cls.parse("all")


@attrs.frozen
class Balance:
    """What a person's postings add up to.

    Attributes:
        person: Id of the person.
        points: Sum of what counts, 1/10,000 point.
        activities: Number of activities; in another account than the main one, of those that it
            rewards.
        rewarded: Number of activities with points.
        account: Id of the account.
    """

    person: str
    points: int
    activities: int
    rewarded: int
    account: str = MAIN_ACCOUNT


@attrs.frozen
class Cut:
    """Points taken away from a posting, and why.

    Attributes:
        cause: ``voided``, ``withdrawn`` or ``cap``.
        points: How many, 1/10,000 point.
        reference: Position of the fact that did it, or the id of the cap.
        label: Title of the cap; ``None`` for facts.
        clause: Clause of the cap; empty for facts.
        limit: Limit of the cap on that day, 1/10,000 point or 1/10,000 activity; 0 for facts.
        period: What the cap counts in (``month`` … ``lifetime``, ``rank``); empty for facts.
        per: Whose points it limits together: ``person``, ``thing`` or ``unit``; empty for facts.
        measure: ``points`` or ``count``; empty for facts.
        keep: Which activities a count lets stand: ``first`` or ``best``; empty for facts.
    """

    cause: Literal["voided", "withdrawn", "held", "denied", "pending", "cap"]
    points: int
    reference: str
    label: Label | None = None
    clause: str = ""
    limit: int = 0
    period: str = ""
    per: str = ""
    measure: str = ""
    keep: str = ""


AdjustmentCause = Literal[
    "late", "voided", "withdrawn", "held", "denied", "pending", "rules", "recalculated"
]


@attrs.frozen
class Adjustment:
    """Why something is posted on a later day than its own: its period was closed.

    Attributes:
        origin_on: The day it is of.
        before: What was posted of it until then, 1/10,000.
        after: What it is worth now, 1/10,000.
        cause: ``late`` became known after the closing; ``voided`` or ``withdrawn``; ``rules``
            changed; ``recalculated`` because of other facts, such as a cap that has room.
        reference: Position of the closing, of the fact that did it, or of the adoption; 0 for none.
    """

    origin_on: date
    before: int
    after: int
    cause: AdjustmentCause
    reference: int


@attrs.frozen
class StatementLine:
    """One posting of a person's account, with all that explains it.

    Attributes:
        person: Id of the person.
        position: Position of the fact in the ledger.
        occurred_on: Civil date of the fact.
        kind: Kind of activity.
        activity: Its label.
        thing: Stream of the thing, e.g. ``proposal:2005-0012``.
        title: Title of the thing, if it has one.
        unit: Unit in which the person served that day, if any.
        grade: Grade, if the activity has one.
        hours: Hours in 1/10,000, if the activity has them.
        share: The person's share, 1/10,000 percent.
        rule: Id of the rule that rewards it; empty when none does.
        rule_label: Title of the rule.
        clause: Clause of the dated value.
        rate: Points of the dated value, 1/10,000 point, per activity or per hour.
        per_hour: Whether the rate is per hour.
        shared: Whether the points are divided by shares.
        valid_from: First day of the dated value.
        adoption: Position of the adoption of the rulebook.
        whole: Points of the activity before they are divided.
        gross: This person's part before cuts.
        cuts: What was taken away.
        points: What counts, 1/10,000 of the account's unit.
        account: Id of the account it is posted in.
        measure: What its amounts are in, where that is not points.
        adjusts: For what was posted after its period was closed: of which day it is, and why.
        when: What the fact says for which the rule is; ``None`` when it is for any.
    """

    person: str
    position: int
    occurred_on: date
    kind: str
    activity: Label
    thing: str
    title: str | None
    unit: str | None
    grade: str | None
    hours: int | None
    share: int
    rule: str
    rule_label: Label | None
    clause: str
    rate: int
    per_hour: bool
    shared: bool
    valid_from: date | None
    adoption: int
    whole: int
    gross: int
    cuts: tuple[Cut, ...]
    points: int
    account: str = MAIN_ACCOUNT
    measure: Label | None = None
    adjusts: Adjustment | None = None
    when: Label | None = None


@attrs.frozen
class Ranked:
    """A person's place in a ranking; those with equal points share a place.

    Attributes:
        place: Place, from 1.
        person: Id of the person.
        unit: Unit at the end of the period, if the person serves then.
        points: 1/10,000 point in the period.
        activities: Number of activities in the period.
    """

    place: int
    person: str
    unit: str | None
    points: int
    activities: int


@attrs.frozen
class Tenure:
    """Where and as what a person serves for a stretch of days.

    Attributes:
        unit: Code of the unit.
        rank: Rank.
        status: ``serving``, ``leave`` or ``left``.
        since: First day.
    """

    unit: str | None
    rank: str | None
    status: str
    since: date


class Figures:
    """Questions to one read model file.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            for connection in self._open:
                connection.close()
            self._open.clear()
        self._local = threading.local()

    def query(self, statement: str, params: Iterable[Any] = ()) -> list[Any]:
        """Run a query on the read model; the schema is described in ``schema``."""
        return self._connection().execute(statement, tuple(params)).fetchall()

    @contextmanager
    def still(self) -> Iterator[None]:
        """Within it, all answers are of one moment, whoever catches the figures up meanwhile."""
        connection = self._connection()
        connection.execute("BEGIN")
        try:
            yield
        finally:
            connection.execute("COMMIT")

    def _connection(self) -> sqlite3.Connection:
        """This thread's connection."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        mark = getattr(self._local, "mark", None)
        if connection and mark and not connection.in_transaction and mark != self._still_mark():
            with self._lock:
                self._open.remove(connection)
            connection.close()
            connection = None
        if connection is None:
            self._local.mark = self._still_mark()
            still = "&immutable=1" if self._local.mark else ""
            connection = sqlite3.connect(
                f"file:{quote(str(self.path))}?mode=ro{still}", uri=True, check_same_thread=False
            )
            self._local.connection = connection
            with self._lock:
                self._open.append(connection)
        return connection

    def _still_mark(self) -> tuple[int, ...] | None:
        """A mark of the file as it stands, where it can only be read so: no log, and none can be.

        Somebody else may write it; then the mark is another one, and it is opened anew.
        """
        if self.path.with_name(f"{self.path.name}-wal").exists():
            return None
        if os.access(self.path.parent, os.W_OK) or not self.path.exists():
            return None
        found = self.path.stat()
        return found.st_ino, found.st_size, found.st_mtime_ns

    def meta(self) -> dict[str, str]:
        """What the read model says of itself; its keys are in the schema's description."""
        return dict(self.query("SELECT key, value FROM meta"))

    @property
    def position(self) -> int:
        """Position of the last fact that is in the figures."""
        return int(self.meta()["position"])

    def person_id(self, person: str) -> int:
        """Number of a person in the read model.

        Raises:
            UnknownPerson: Nobody joined under that id.
        """
        found = self.query("SELECT id FROM people WHERE person = ?", (person,))
        if not found:
            msg = f"{person}: nobody joined under this id"
            raise UnknownPerson(msg)
        return int(found[0][0])

    def accounts(self) -> list[AccountInfo]:
        """The accounts there are, the main one first."""
        rows = self.query(
            "SELECT account, name_ko, name_en, unit_ko, unit_en FROM accounts ORDER BY id"
        )
        return [AccountInfo(name, Label(*row[:2]), Label(*row[2:])) for name, *row in rows]

    def account_id(self, account: str) -> int:
        """Number of an account in the read model.

        Raises:
            UnknownAccount: No rulebook declares it.
        """
        found = self.query("SELECT id FROM accounts WHERE account = ?", (account,))
        if not found:
            known = ", ".join(each.account for each in self.accounts())
            msg = f"{account}: there is no such account (there are: {known})"
            raise UnknownAccount(msg)
        return int(found[0][0])

    def balance(
        self, person: str, period: Period | None = None, *, account: str = MAIN_ACCOUNT
    ) -> Balance:
        """What a person's postings in an account add up to, in a period or in all.

        Raises:
            UnknownPerson: Nobody joined under that id.
            UnknownAccount: No rulebook declares the account.
        """
        number, kept_in = self.person_id(person), self.account_id(account)
        if period is None:
            rows = self.query(
                "SELECT points, activities, rewarded FROM balances"
                " WHERE person = ? AND account = ?",
                (number, kept_in),
            )
        else:
            rows = self.query(
                "SELECT coalesce(sum(points), 0), count(CASE WHEN share > 0 THEN 1 END),"
                " count(CASE WHEN points > 0 AND share > 0 THEN 1 END)"
                " FROM postings WHERE person = ? AND day >= ? AND day < ? AND account = ?",
                (number, period.day_from, period.day_until, kept_in),
            )
        points, activities, rewarded = rows[0] if rows else (0, 0, 0)
        return Balance(person, points, activities, rewarded, account)

    def tenure(self, person: str, day: date) -> Tenure | None:
        """Where and as what a person serves on a day; ``None`` before joining."""
        found = self.query(
            "SELECT u.unit, t.rank, t.status, t.day_from FROM tenures t"
            " LEFT JOIN units u ON u.id = t.unit"
            " WHERE t.person = ? AND t.day_from <= ? AND ? < t.day_until",
            (self.person_id(person), day_number(day), day_number(day)),
        )
        if not found:
            return None
        unit, rank, status, since = found[0]
        return Tenure(unit, rank, status, day_of(since))

    def statement(
        self,
        person: str,
        period: Period | None = None,
        *,
        position: int | None = None,
        account: str | None = MAIN_ACCOUNT,
    ) -> list[StatementLine]:
        """A person's postings in order of date, each with all that explains it.

        Args:
            person: Id of the person.
            period: Only postings of this period.
            position: Only the postings of this fact.
            account: Only the postings in this account; ``None`` for all accounts.

        Raises:
            UnknownPerson: Nobody joined under that id.
            UnknownAccount: No rulebook declares the account.
        """
        number = self.person_id(person)
        kept_in = None if account is None else self.account_id(account)
        span = period or Period.parse("all")
        rows = self.query(
            """
            SELECT p.position, p.day, a.kind, a.name_ko, a.name_en, t.stream, t.title, u.unit,
                   p.grade, p.hours, p.share, v.rule_id, v.name_ko, v.name_en, v.clause, v.points,
                   v.per_hour, v.shared, v.day_from, v.adoption, p.whole, p.gross, p.points,
                   c.account, c.unit_ko, c.unit_en, j.origin_day, j.before, j.after, j.cause,
                   j.reference, v.when_ko, v.when_en, p.activity
            FROM postings p
            LEFT JOIN adjustments j ON j.person = p.person AND j.position = p.position
                                   AND j.activity = p.activity AND j.day = p.day
            JOIN accounts c ON c.id = p.account
            JOIN activities a ON a.id = p.activity
            JOIN things t ON t.id = p.thing
            LEFT JOIN units u ON u.id = p.unit
            LEFT JOIN rule_values v ON v.id = p.value
            WHERE p.person = ? AND p.day >= ? AND p.day < ? AND (? IS NULL OR p.position = ?)
              AND (? IS NULL OR p.account = ?)
            ORDER BY p.day, p.position, p.activity
            """,
            (number, span.day_from, span.day_until, position, position, kept_in, kept_in),
        )
        cuts = self._cuts(number)
        return [_line(person, row, cuts.get((row[0], row[-1]), ())) for row in rows]

    def _cuts(self, number: int) -> dict[tuple[int, int], tuple[Cut, ...]]:
        rows = self.query(
            """
            SELECT c.position, c.activity, c.cause, c.points, c.reference, l.cap_id, l.name_ko,
                   l.name_en, l.clause, l.points, l.period, l.per, l.measure, l.keep
            FROM cuts c
            JOIN postings p ON p.person = c.person AND p.position = c.position
                           AND p.activity = c.activity
            LEFT JOIN adjustments j ON j.person = p.person AND j.position = p.position
                                   AND j.activity = p.activity AND j.day = p.day
            LEFT JOIN rule_values v ON v.id = p.value
            LEFT JOIN cap_limits l ON c.cause = 'cap' AND l.cap = c.reference AND l.rule = v.rule
              AND coalesce(j.origin_day, p.day) >= l.day_from
              AND coalesce(j.origin_day, p.day) < l.day_until
            WHERE c.person = ? ORDER BY c.position, c.stage
            """,
            (number,),
        )
        found: dict[tuple[int, int], tuple[Cut, ...]] = {}
        for position, activity, cause, points, reference, cap, ko, en, *terms in rows:
            cut = (
                Cut(cause, points, cap, Label(ko, en), *terms)
                if cause == "cap"
                else Cut(cause, points, str(reference))
            )
            found[position, activity] = (*found.get((position, activity), ()), cut)
        return found

    def ranking(
        self,
        period: Period | None = None,
        *,
        unit: str | None = None,
        limit: int | None = None,
        account: str = MAIN_ACCOUNT,
    ) -> list[Ranked]:
        """People by points, highest first; those with equal points share a place.

        Args:
            period: Only postings of this period.
            unit: Only postings made while the person served in this unit.
            limit: Only the first so many places; those tied at the last are all listed.
            account: Points of this account.

        Raises:
            UnknownAccount: No rulebook declares the account.
        """
        span = period or Period.parse("all")
        rows = self.query(
            """
            WITH totals AS (
                SELECT p.person, sum(p.points) AS points,
                       count(CASE WHEN p.share > 0 THEN 1 END) AS activities
                FROM postings p LEFT JOIN units u ON u.id = p.unit
                WHERE p.day >= ? AND p.day < ? AND p.account = ? AND (? IS NULL OR u.unit = ?)
                GROUP BY p.person
            ), placed AS (
                SELECT rank() OVER (ORDER BY points DESC) AS place, person, points, activities
                FROM totals
            )
            SELECT place, m.person, (
                SELECT u.unit FROM tenures t JOIN units u ON u.id = t.unit
                WHERE t.person = placed.person AND t.status <> 'left'
                  AND t.day_from < ? AND t.day_until >= ?
                ORDER BY t.day_from DESC LIMIT 1), points, activities
            FROM placed JOIN people m ON m.id = placed.person
            WHERE ? IS NULL OR place <= ?
            ORDER BY place, m.person
            """,
            (
                *(span.day_from, span.day_until, self.account_id(account), unit, unit),
                *(span.day_until, span.day_until, limit, limit),
            ),
        )
        return [Ranked(*row) for row in rows]

    def any_activity(self, period: Period | None = None) -> bool:
        """Whether anybody did anything in a period."""
        span = period or Period.parse("all")
        return bool(
            self.query(
                "SELECT 1 FROM postings WHERE day >= ? AND day < ? LIMIT 1",
                (span.day_from, span.day_until),
            )
        )

    def unrewarded(self, period: Period | None = None) -> list[tuple[str, int]]:
        """Kinds of activity that no rule rewards, with how many there are, most first."""
        span = period or Period.parse("all")
        return self.query(
            "SELECT a.kind, count(*) FROM postings p JOIN activities a ON a.id = p.activity"
            " WHERE p.value = 0 AND p.day >= ? AND p.day < ?"
            " AND NOT EXISTS (SELECT 1 FROM postings o WHERE o.person = p.person"
            " AND o.position = p.position AND o.account > 0)"
            " GROUP BY a.kind ORDER BY count(*) DESC, a.kind",
            (span.day_from, span.day_until),
        )

    def labels(self) -> dict[str, Label]:
        """How codes such as grades are shown, as the latest rulebook says."""
        rows = self.query("SELECT code, name_ko, name_en FROM labels")
        return {code: Label(ko, en) for code, ko, en in rows}

    def unit_labels(self) -> dict[str, Label]:
        """Names of the units by code."""
        rows = self.query("SELECT unit, name_ko, name_en FROM units")
        return {unit: Label(ko, en) for unit, ko, en in rows}

    def content_digest(self) -> str:
        """SHA-256 over every row of every table but ``meta``: what makes two models the same."""
        import hashlib  # noqa: PLC0415

        from .schema import TABLES  # noqa: PLC0415

        digest = hashlib.sha256()
        for name, (columns, key) in TABLES.items():
            if name == "meta":
                continue
            digest.update(f"{name}\n".encode())
            cells = ", ".join(column.split()[0] for column in columns.split(", "))
            rows = f"SELECT json_array({cells}) FROM {name} ORDER BY {key}"
            for (row,) in self._connection().execute(rows):
                digest.update(f"{row}\n".encode())
        return digest.hexdigest()


def _line(person: str, row: Sequence[Any], cuts: tuple[Cut, ...]) -> StatementLine:
    position, day, kind, ko, en, thing, title, unit, grade, hours, share = row[:11]
    rule, rule_ko, rule_en, clause, rate, per_hour, shared, valid_from, adoption = row[11:20]
    whole, gross, points, account, unit_ko, unit_en = row[20:26]
    origin, before, after, cause, reference, when_ko, when_en = row[26:33]
    return StatementLine(
        person=person,
        position=position,
        occurred_on=day_of(day),
        kind=kind,
        activity=Label(ko, en),
        thing=thing,
        title=title,
        unit=unit,
        grade=grade,
        hours=hours,
        share=share,
        rule=rule or "",
        rule_label=Label(rule_ko, rule_en) if rule else None,
        clause=clause or "",
        rate=rate or 0,
        per_hour=bool(per_hour),
        shared=bool(shared),
        valid_from=day_of(valid_from) if valid_from else None,
        adoption=adoption or 0,
        whole=whole,
        gross=gross,
        cuts=cuts,
        points=points,
        account=account,
        measure=Label(unit_ko, unit_en) if account != MAIN_ACCOUNT else None,
        adjusts=Adjustment(day_of(origin), before, after, cause, reference) if origin else None,
        when=Label(when_ko, when_en) if when_ko else None,
    )
