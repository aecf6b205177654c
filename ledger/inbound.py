"""People as HR knows them, compared with the ledger: what is different becomes facts of members.

A file is taken whole or not at all. Somebody who is not in it is left alone, unless it is declared
full: then those who serve and are not in it have left. Before anything is kept, the file is held
against the number of rows and the control total that HR states, and against the share of people
whom it would make leavers: a file that was cut short fails there.

Numbers and names go to the directory, facts know an opaque id only. Somebody who is hired again
under another number stays one person: HR names the number before (``previous_number``), and the
directory goes on knowing it.
"""

from __future__ import annotations

import itertools
import secrets
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from .amounts import WHOLE_SHARE, format_amount, to_units
from .directory import Entry
from .errors import ImportRefused, InvalidFact, Problem, Refused
from .facts import Command
from .kinds.member import (
    Member,
    MemberJoined,
    MemberLeaveEnded,
    MemberLeaveStarted,
    MemberLeft,
    MemberPromoted,
    MemberTransferred,
    evolve,
)
from .kinds.office import FactVoided
from .ledger import gone_keys
from .roster import LEAVE, LEFT, check_totals, read_roster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .ledger import Ledger, Writer
    from .roster import RosterRow

__all__ = ["PeopleImport", "PersonChange", "import_people"]

LEAVERS_MAX = Decimal(5)
_MEMBER_KINDS = (
    *("member.joined", "member.transferred", "member.promoted", "member.left"),
    *("member.leave_started", "member.leave_ended", "fact.voided"),
)
_ACTIONS = {
    MemberTransferred: "transferred",
    MemberPromoted: "promoted",
    MemberLeft: "left",
    MemberLeaveStarted: "leave_started",
    MemberLeaveEnded: "leave_ended",
}


@attrs.frozen
class PersonChange:
    """One thing that a file changes.

    Attributes:
        line: Line of the file; 0 for somebody who is not in it.
        person: Opaque id.
        employee_number: The employer's number now; may be empty.
        action: ``joined``, ``rehired``, ``transferred``, ``promoted`` (another rank),
            ``leave_started``, ``leave_ended``, ``left``; in the directory only: ``renamed``,
            ``renumbered``.
        on: Since when; of who left, the last day of service.
        before: Unit, rank or number before; may be empty.
        after: Unit, rank or number from then on; may be empty.
    """

    line: int
    person: str
    employee_number: str
    action: str
    on: date
    before: str = ""
    after: str = ""


@attrs.frozen
class PeopleImport:
    """What a file of people changes.

    Attributes:
        file: Its name.
        rows: Its rows.
        changes: What it changes, in order.
        namesakes: Lines of people who are new and have the name of somebody who left: perhaps hired
            again, and ``previous_number`` was forgotten.
        waiting: Lines that hold from a day that has not come yet: to be imported again then.
        serving: People who served before, on the day of the file.
        absent: People who serve and are not in the file.
        leavers: People it makes leavers.
        recorded: Whether it is kept; not so after a dry run.
    """

    file: str
    rows: int
    changes: tuple[PersonChange, ...]
    namesakes: tuple[int, ...]
    waiting: tuple[int, ...]
    serving: int
    absent: int
    leavers: int
    recorded: bool


class _DryRunError(Exception):
    """Ends a transaction of which nothing is to be kept."""


def import_people(  # noqa: PLR0913 - each is a choice of its own
    ledger: Ledger,
    path: Path | str,
    *,
    by: str,
    on: date | None = None,
    full: bool = False,
    encoding: str = "utf-8",
    ignored: Sequence[str] = (),
    expect_count: int | None = None,
    control_total: int | None = None,
    leavers_max: Decimal = LEAVERS_MAX,
    dry_run: bool = False,
    source: str | None = None,
    new_id: Callable[[], str] | None = None,
) -> PeopleImport:
    """Take in a file of people from HR, whole or not at all.

    Taking in the same file again changes nothing. The directory is written just before the facts;
    if the process is killed in between, it knows people who have not joined yet, and the same file
    completes it.

    Args:
        ledger: The ledger to record in.
        path: The file, CSV; its columns are described in ``roster``.
        by: Opaque id of who records.
        on: Day of the file, in the ledger's zone: since when rows without a date hold, and the
            first day without those who are not in a full file. Today unless given.
        full: Whether everybody who serves is in the file, so that the others have left.
        encoding: Any of Python's; UTF-8 may have a byte order mark.
        ignored: Columns of the file to leave aside.
        expect_count: Number of rows that HR states.
        control_total: Sum of the employee numbers that HR states, each read as the number that its
            digits make.
        leavers_max: The most people, in percent of those who served before, that the file may make
            leavers.
        dry_run: Only tell what would change; nothing is kept.
        source: Source of the facts; the file's name unless given.
        new_id: Makes the opaque id of somebody new; a random one unless given, in a dry run
            ``M-new-1`` and so on.

    Raises:
        ImportRefused: Something is wrong in the file: everything is listed and nothing is kept.
        InvalidFact: The day has not come yet, or ``leavers_max`` is no percentage.
        ReadOnlyLedger, LockedLedger, LedgerFileError: The ledger or the directory cannot be used.
    """
    path, day = Path(path), on or ledger.today()
    if day == date.min:
        raise InvalidFact("on", "no day is before it, on which leavers could have left")
    if day > ledger.today():
        raise InvalidFact("on", f"{day} has not come yet")
    if not 0 <= to_units(leavers_max) <= WHOLE_SHARE:
        raise InvalidFact("leavers_max", "must be from 0 to 100 percent")
    rows, problems = read_roster(path, on=day, encoding=encoding, ignored=ignored)
    count = len(rows) + len(problems)
    problems += check_totals(path.name, rows, count, expect_count, control_total)
    job = _Job(ledger, path.name, by, source or path.name, new_id or _ids(dry_run=dry_run))
    try:
        with ledger.writer() as writer:
            job.begin(writer, day, rows)
            job.take([row for row in rows if row.effective_on <= ledger.today()])
            absent = job.absent(day, rows)
            if full:
                job.dismiss(absent, day)
            job.check_leavers(leavers_max)
            if found := [*problems, *job.problems]:
                raise ImportRefused(sorted(found, key=lambda problem: problem.line))
            if dry_run:
                raise _DryRunError  # noqa: TRY301 - nothing of the transaction is to be kept
            writer.flush()  # what can fail fails before the directory is written
            ledger.directory.put(job.entries.values())
    except _DryRunError:
        pass
    return PeopleImport(
        file=path.name,
        rows=count,
        changes=tuple(job.changes),
        namesakes=tuple(job.namesakes),
        waiting=tuple(row.line for row in rows if row.effective_on > ledger.today()),
        serving=len(job.serving),
        absent=len(absent),
        leavers=len(job.leavers),
        recorded=not dry_run,
    )


def _ids(*, dry_run: bool) -> Callable[[], str]:
    """What makes ids; those of a dry run come to nothing and look like it."""
    numbers = itertools.count(1)
    return lambda: f"M-new-{next(numbers)}" if dry_run else f"M-{secrets.token_hex(5)}"


def members(ledger: Ledger) -> dict[str, Member]:
    """Everybody who ever joined, by opaque id, as the facts recorded so far say."""
    facts = [item.fact for item in ledger.facts(topics=ledger.kinds.topics(*_MEMBER_KINDS))]
    gone = gone_keys(facts)
    found: dict[str, Member] = {}
    for fact in facts:
        if not isinstance(fact.data, FactVoided) and fact.key not in gone:
            person = fact.data.person
            found[person] = evolve(found.get(person), fact)
    return found


class _Job:
    """One file being taken in."""

    def __init__(
        self, ledger: Ledger, file: str, by: str, source: str, new_id: Callable[[], str]
    ) -> None:
        self.problems: list[Problem] = []
        self.changes: list[PersonChange] = []
        self.entries: dict[str, Entry] = {}
        self.serving: set[str] = set()
        self.leavers: set[str] = set()
        self.namesakes: list[int] = []
        self._ledger = ledger
        self._file = file
        self._by = by
        self._source = source
        self._new_id = new_id
        self._holders: dict[str, tuple[str, ...]] = {}
        self._former: dict[str, tuple[str, ...]] = {}
        self._known: dict[str, Entry] = {}
        self._names: dict[str, tuple[str, ...]] = {}
        self._named: dict[tuple[str, date], int] = {}
        self._writer: Writer

    def begin(self, writer: Writer, day: date, rows: Sequence[RosterRow]) -> None:
        """Look up who serves, and whose the numbers of the file are."""
        self._writer = writer
        before = members(self._ledger)
        self.serving = {who for who, member in before.items() if member.serves_on(day)}
        numbers = {row.employee_number for row in rows} | {row.previous_number for row in rows}
        directory = self._ledger.directory
        self._holders = directory.holders(numbers)
        self._former = directory.former_holders(numbers)
        self._names = directory.namesakes(row.name for row in rows)
        people = {who for held in (self._holders, self._former) for w in held.values() for who in w}
        self._known = directory.find(people | {row.person for row in rows} | self.serving)

    # -- row by row ----------------------------------------------------------------------------

    def take(self, rows: Sequence[RosterRow]) -> None:
        """Take rows in the order of their days."""
        for row in sorted(rows, key=lambda each: (each.effective_on, each.line)):
            try:
                self._follow(self._person(row), row)
            except Refused as refused:
                self._wrong(row.line, refused.field, refused.rule, refused.reason, refused.remedy)
            except InvalidFact as error:
                self._wrong(row.line, error.field, "people.invalid", error.reason, error.remedy)

    def _person(self, row: RosterRow) -> str:
        """Whom a row is about; somebody new gets an id.

        Raises:
            Refused: That cannot be told.
        """
        number, before = row.employee_number, row.previous_number
        holder = self._one(number, "employee_number")
        if before and before != number:
            person = self._one(before, "previous_number")
            if person is None:
                raise Refused(
                    "people.previous-unknown",
                    "nobody is known under the number before",
                    field="previous_number",
                    remedy="look at the number, or leave it empty for somebody new",
                )
            self._same(holder, person)
            self._same(row.person, person)
            return person
        if row.person and row.person != holder:
            if holder and self._state(holder).serves_on(row.effective_on):
                self._same(row.person, holder)
            return row.person
        if holder is None:
            return self._new_id()
        self._check_reuse(holder, row)
        return holder

    def _one(self, number: str, field: str) -> str | None:
        """Who has a number, or else who had it."""
        held = self._holders.get(number) or self._former.get(number) or ()
        if len(held) > 1:
            reason = f"the directory knows {len(held)} people under this number"
            remedy = "give the opaque id in person, or correct the directory"
            raise Refused("people.number-ambiguous", reason, field=field, remedy=remedy)
        return held[0] if held else None

    @staticmethod
    def _same(one: str | None, other: str) -> None:
        if one and one != other:
            raise Refused(
                "people.number-taken",
                f"the number is that of {one}, the row is about {other}",
                field="employee_number",
                remedy="look at the numbers; the directory has what is known of them",
            )

    def _check_reuse(self, person: str, row: RosterRow) -> None:
        """Refuse to take for one person whoever has the number of somebody who left."""
        entry, member = self._entry(person), self._state(person)
        gone = bool(member.service) and not member.serves_on(row.effective_on)
        if not gone or row.status == LEFT or row.previous_number == row.employee_number:
            return
        if entry and row.name and row.name != entry.name:
            raise Refused(
                "people.number-reused",
                f"the number is that of {person}, who left and had another name",
                field="employee_number",
                remedy="for the same person repeat the number in previous_number, for another one"
                " give a new id in person",
            )

    def _follow(self, person: str, row: RosterRow) -> None:
        """Record what a row says and the ledger does not."""
        member, day = self._state(person), row.effective_on
        if line := self._named.get((person, day)):
            raise Refused(
                "people.repeated",
                f"line {line} is about the same person and day",
                field="employee_number",
                remedy="leave one of them",
            )
        self._named[person, day] = row.line
        if row.status == LEFT:
            self._leave_service(person, member, row)
        elif member.serves_on(day):
            self._move(person, member, row)
        else:
            self._join(person, member, row)
        self._enter(person, row)
        if row.status != LEFT:
            away = self._state(person).on_leave_on(day)
            if away != (row.status == LEAVE):
                data = MemberLeaveEnded(person) if away else MemberLeaveStarted(person)
                self._record(row.line, data, day, row.employee_number)

    def _join(self, person: str, member: Member, row: RosterRow) -> None:
        needed = {"unit": row.unit, "rank": row.rank}
        if not member.service:
            needed["name"] = row.name
        for field, value in needed.items():
            if not value:
                raise Refused("people.missing", "is missing for somebody who joins", field=field)
        if not member.service and any(map(self._has_left, self._names.get(row.name, ()))):
            self.namesakes.append(row.line)
        data = MemberJoined(person, row.unit, row.rank)
        action = "rehired" if member.service else "joined"
        self._record(row.line, data, row.effective_on, row.employee_number, action, after=row.unit)

    def _move(self, person: str, member: Member, row: RosterRow) -> None:
        day, number = row.effective_on, row.employee_number
        unit, rank = member.unit_on(day) or "", member.rank_on(day) or ""
        if row.unit and row.unit != unit:
            moved = MemberTransferred(person, row.unit)
            self._record(row.line, moved, day, number, before=unit, after=row.unit)
        if row.rank and row.rank != rank:
            ranked = MemberPromoted(person, row.rank)
            self._record(row.line, ranked, day, number, before=rank, after=row.rank)

    def _leave_service(self, person: str, member: Member, row: RosterRow) -> None:
        """Record a last day of service, unless it is known."""
        day = row.effective_on
        if not member.service:
            reason = "nobody who ever joined has this number"
            remedy = "import the row of joining first"
            raise Refused("people.unknown", reason, field="employee_number", remedy=remedy)
        span = next((span for span in member.service if span.covers(day)), None)
        if span is None or span.until == day + timedelta(days=1):
            return
        if span.until is not None:
            raise Refused(
                "people.left-otherwise",
                f"the ledger has {span.until - timedelta(days=1)} as the last day of service",
                field="effective_on",
                remedy="void that fact first, if it is wrong",
            )
        self._record(row.line, MemberLeft(person), day, row.employee_number)

    def _enter(self, person: str, row: RosterRow) -> None:
        """Note what the directory is to know of a person."""
        known = self._entry(person)
        number = row.employee_number
        if known and person in self._former.get(number, ()):
            number = known.employee_number  # a row of the time before
        entry = Entry(person, row.name or (known.name if known else person), number)
        if entry == known:
            return
        if known and known.employee_number and known.employee_number != number:
            before = known.employee_number
            self._note(row, person, "renumbered", before=before, after=number)
            self._former[before] = (person,)
            self._holders.pop(before, None)
        if known and row.name and row.name != known.name:
            self._note(row, person, "renamed")
        self._take_number(number, person)
        self.entries[person] = entry

    def _take_number(self, number: str, person: str) -> None:
        """Make a number that of a person, and no longer of whoever left and had it before."""
        for other in self._holders.get(number, ()):
            if other != person:
                entry = self._entry(other)
                if entry:
                    self.entries[other] = attrs.evolve(entry, employee_number="")
                self._former[number] = (*self._former.get(number, ()), other)
        self._holders[number] = (person,)

    # -- those who are not in the file ---------------------------------------------------------

    def absent(self, day: date, rows: Sequence[RosterRow]) -> list[str]:
        """Who serves and is in no row, not even one that has to wait."""
        numbers = [row.employee_number for row in rows] + [row.previous_number for row in rows]
        there = {who for who, _ in self._named} | {row.person for row in rows}
        for number in numbers:
            there.update(self._holders.get(number, ()), self._former.get(number, ()))
        last = day - timedelta(days=1)
        return sorted(
            who
            for who in self.serving - there
            if self._state(who).serves_on(day) and self._state(who).serves_on(last)
        )

    def dismiss(self, people: Iterable[str], day: date) -> None:
        """Record that people have left: the day before was their last."""
        for person in people:
            entry = self._known.get(person)
            try:
                number = entry.employee_number if entry else ""
                self._record(0, MemberLeft(person), day - timedelta(days=1), number)
            except Refused as refused:
                self._wrong(0, "", refused.rule, f"{person}: {refused.reason}", refused.remedy)

    def check_leavers(self, most: Decimal) -> None:
        """Refuse a file that makes too many people leavers."""
        served, left = len(self.serving), len(self.leavers & self.serving)
        if left * WHOLE_SHARE > to_units(most) * served:
            share = format_amount(left * WHOLE_SHARE // served)
            reason = (
                f"makes {left:,} of {served:,} people leavers ({share} %);"
                f" at most {format_amount(to_units(most))} % are allowed"
            )
            remedy = "was it cut short? If it is right, allow more with --leavers-max"
            self._wrong(0, "", "people.leavers", reason, remedy)

    # -- recording -----------------------------------------------------------------------------

    def _has_left(self, person: str) -> bool:
        service = self._state(person).service
        return bool(service) and all(span.until is not None for span in service)

    def _entry(self, person: str) -> Entry | None:
        return self.entries.get(person) or self._known.get(person)

    def _state(self, person: str) -> Member:
        return self._writer.state(f"member:{person}") or Member()

    def _record(  # noqa: PLR0913 - a fact and how it is told
        self,
        line: int,
        data: Any,
        day: date,
        number: str,
        action: str = "",
        *,
        before: str = "",
        after: str = "",
    ) -> None:
        """Add a fact that the ledger does not have; one voided before gets another key."""
        command = Command(data, day, self._by, self._source)
        key, times = command.effective_key, 1
        while self._writer.find(key):
            times += 1
            key = f"{command.effective_key}:{times}"
        self._writer.add(attrs.evolve(command, key=key))
        if isinstance(data, MemberLeft):
            self.leavers.add(data.person)
        what = action or _ACTIONS[type(data)]
        self.changes.append(PersonChange(line, data.person, number, what, day, before, after))

    def _note(
        self, row: RosterRow, person: str, action: str, *, before: str = "", after: str = ""
    ) -> None:
        self.changes.append(
            PersonChange(
                row.line, person, row.employee_number, action, row.effective_on, before, after
            )
        )

    def _wrong(self, line: int, field: str, rule: str, reason: str, remedy: str = "") -> None:
        self.problems.append(Problem(self._file, line, field, rule, reason, remedy))
