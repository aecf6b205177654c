"""Trials: what the scoring plan makes of the examples that stand beside a rulebook's rules.

Each example gets a read model of its own, made by the statements that a catch-up runs (see
``plan``) over the example's activities instead of a ledger's facts, and asked like any other.
"""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from . import plan
from .build import figure_steps
from .days import OPEN_DAY, day_number
from .decode import activity_ids
from .eligibility import eligible
from .figures import Figures, StatementLine
from .rulebook import Adoption, Given, compile_rules
from .rulebook.values import DAY_MIN, MAIN_ACCOUNT, Placed
from .rules import Rules, rule_rows
from .schema import ddl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from mileage.ledger.kinds import Kinds

    from .rulebook import Example, Rulebook

__all__ = ["PersonTrial", "SelectionTrial", "Trial", "try_examples"]


@attrs.frozen
class PersonTrial:
    """What an example expects of one person in one account, and what the rules give.

    Attributes:
        person: The person.
        account: Id of the account.
        expected: Points expected, 1/10,000.
        points: Points the rules give, 1/10,000.
        expected_cut: What caps are expected to take, 1/10,000 point; ``None`` if not stated.
        cut: What caps take, 1/10,000 point.
        lines: The person's postings.
    """

    person: str
    account: str
    expected: int
    points: int
    expected_cut: int | None
    cut: int
    lines: tuple[StatementLine, ...]

    @property
    def passed(self) -> bool:
        """Whether the rules give what is expected."""
        return self.points == self.expected and self.expected_cut in (None, self.cut)


@attrs.frozen
class SelectionTrial:
    """Whom an example expects in a programme, and who gets in.

    Attributes:
        programme: Id of the programme.
        expected: People expected in, each with the grade or tier; ``None`` where none is stated.
        selected: People who get in, in order of place, each with the grade or tier, if there are
            any; empty when the programme is not in force that day.
    """

    programme: str
    expected: Mapping[str, str | None]
    selected: Mapping[str, str | None]

    @property
    def passed(self) -> bool:
        """Whether exactly those get in, in whatever order, with the grades that are stated."""
        return self.expected.keys() == self.selected.keys() and all(
            grade in (None, self.selected[person]) for person, grade in self.expected.items()
        )


@attrs.frozen
class Trial:
    """One example and what came of it."""

    example: Example
    people: tuple[PersonTrial, ...]
    selections: tuple[SelectionTrial, ...]

    @property
    def passed(self) -> bool:
        """Whether all of it is as expected."""
        people = all(each.passed for each in self.people)
        return people and all(each.passed for each in self.selections)


def try_examples(rulebook: Rulebook, kinds: Kinds) -> tuple[Trial, ...]:
    """Work out every example of a rulebook, as if it had been adopted before all of them.

    Args:
        rulebook: The rulebook with its examples.
        kinds: The kinds of facts; they must have the activities of the rules.
    """
    adoption = Adoption(1, DAY_MIN, DAY_MIN, rulebook)
    rules = Rules(compile_rules([adoption]), (adoption,), 1)
    rows = rule_rows(rules, kinds)
    stage = _Stage(rows, activity_ids(kinds), tuple(rules.accounts), rules.shape)
    return tuple(_trial(example, stage) for example in rulebook.examples)


def _trial(example: Example, stage: _Stage) -> Trial:
    with stage.played(example) as figures:
        people = tuple(
            trial
            for account in stage.accounts
            for person in example.everybody
            if (trial := _person(example, figures, person, account))
        )
    if not example.selected:
        return Trial(example, people, ())
    day = example.as_of or max(entry.on for entry in example.given)
    until = tuple(entry for entry in example.given if entry.on <= day)
    with stage.played(attrs.evolve(example, given=until)) as figures:
        return Trial(example, people, tuple(_selections(example, figures, day)))


def _person(example: Example, figures: Figures, person: str, account: str) -> PersonTrial | None:
    """What somebody has in an account; None where nothing is, and nothing was to be expected."""
    lines = figures.statement(person, account=account)
    if account == MAIN_ACCOUNT:
        expected, cuts = example.expect[person], example.cuts
    else:
        expected, cuts = example.accounts.get(account, {}).get(person, 0), None
        if not expected and not lines:
            return None
    return PersonTrial(
        person=person,
        account=account,
        expected=expected,
        points=sum(line.points for line in lines),
        expected_cut=None if cuts is None else cuts.get(person, 0),
        cut=sum(cut.points for line in lines for cut in line.cuts),
        lines=tuple(lines),
    )


def _selections(example: Example, figures: Figures, day: date) -> list[SelectionTrial]:
    in_force = {
        programme
        for (programme,) in figures.query(
            "SELECT programme FROM programmes WHERE day_from <= ? AND ? < day_until",
            (day_number(day), day_number(day)),
        )
    }
    return [
        SelectionTrial(
            programme,
            expected,
            {each.person: each.grade for each in eligible(figures, programme, day).selected}
            if programme in in_force
            else {},
        )
        for programme, expected in example.selected.items()
    ]


@attrs.frozen
class _Stage:
    """Where examples are played, each in an empty read model with the rules in it."""

    rows: Mapping[str, list[tuple[Any, ...]]]
    activities: Mapping[str, int]
    accounts: tuple[str, ...]
    shape: plan.Shape

    @contextmanager
    def played(self, example: Example) -> Iterator[Figures]:
        """The figures of an example's activities."""
        with tempfile.TemporaryDirectory(prefix="mileage-") as folder:
            path = Path(folder) / "example.sqlite"
            with closing(sqlite3.connect(path)) as connection, connection:
                connection.execute("PRAGMA synchronous = OFF")  # nobody misses it after a crash
                for statement in (*ddl(clustered=True), *plan.work_ddl()):
                    connection.execute(statement)
                play = _Play(connection, self.activities)
                for table, rows in self.rows.items():
                    for row in rows:
                        play.insert(table, *row)
                play.write(example)
                play.score(self.shape)
            figures = Figures(path)
            try:
                yield figures
            finally:
                figures.close()


@attrs.frozen
class _Play:
    """One example as rows of the plan's input tables."""

    connection: sqlite3.Connection
    activities: Mapping[str, int]
    ids: dict[str, dict[str, int]] = attrs.field(factory=dict)

    def write(self, example: Example) -> None:
        """Put who there is and what they do into the input tables."""
        self._place(example)
        for position, entry in enumerate(example.given, 1):
            if isinstance(entry, Given):
                self._do(position, entry)
            else:
                self._serve(position, entry.person, day_number(entry.on), entry.to)
        self._write_things(example)

    def insert(self, table: str, *row: Any) -> None:
        """Add one row."""
        marks = ", ".join("?" * len(row))
        self.connection.execute(f"INSERT INTO {table} VALUES ({marks})", row)

    def _id(self, table: str, code: str) -> int:
        known = self.ids.setdefault(table, {})
        return known.setdefault(code, len(known) + 1)

    def _place(self, example: Example) -> None:
        """Everybody serves from the first day there is, with no unit and rank but those said."""
        for person in example.everybody:
            placed = example.people.get(person, Placed())
            self._serve(
                0, person, day_number(DAY_MIN), attrs.evolve(placed, rank=placed.rank or "")
            )

    def _serve(self, position: int, person: str, day: int, to: Placed) -> None:
        unit = self._id("units", to.unit) if to.unit else None
        status = None if position else "serving"
        self.insert("w_service", position, self._id("people", person), day, unit, to.rank, status)

    def _do(self, position: int, entry: Given) -> None:
        thing = self._id("things", entry.thing or f"#{position}")
        kind, day = self.activities[entry.activity], day_number(entry.on)
        self.insert("w_fact", position, thing, kind, day, entry.grade, entry.hours)
        for field, code in entry.when:
            self.insert("w_said", position, field, code)
        if entry.confirmed:
            self.insert("w_confirmed", position, position)
        for seq, (person, share) in enumerate(entry.parties, 1):
            self.insert("w_party", position, seq, self._id("people", person), share)

    def _write_things(self, example: Example) -> None:
        """Write who, where and what there is, once all of it is known."""
        for unit, above in example.units.items():
            self._id("units", unit)
            self._id("units", above)
        for person, number in self.ids.get("people", {}).items():
            self.insert("people", number, person)
        for unit, number in self.ids.get("units", {}).items():
            self.insert("units", number, unit, unit, unit, example.units.get(unit), OPEN_DAY)
        for thing, number in self.ids.get("things", {}).items():
            self.insert("things", number, thing, None)

    def score(self, shape: plan.Shape) -> None:
        """Run the plan over the input tables."""
        steps = (
            *plan.tenure_steps(),
            *plan.activity_steps(shape),
            *plan.cap_steps(shape),
            *figure_steps(shape),
        )
        for statement in steps:
            self.connection.execute(plan.for_sqlite(statement))
