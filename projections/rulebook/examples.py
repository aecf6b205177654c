"""Examples beside the rules: given these activities, expect these points.

An example stands in the rulebook's text as ``[[example]]``. Here it is read and checked; what the
rules make of it is worked out by the scoring plan (``mileage.projections.trials``).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from attrs import frozen
from mileage.ledger.amounts import WHOLE_SHARE, format_amount
from mileage.ledger.fields import Code

from .conditions import read_said
from .dated import note_unknown_account
from .tables import KINDS, Table, check_count, meant, open_table, read_points, read_text
from .values import (
    EXAMPLES_MAX,
    GIVEN_MAX,
    MAIN_ACCOUNT,
    PEOPLE_MAX,
    Example,
    Given,
    Moved,
    Placed,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import TypeVar

    from mileage.projections.toml_positions import Path

    from .text import Check
    from .values import ActivityInfo, Programme, Rule

    Value = TypeVar("Value")

__all__ = ["read_examples"]

_LEDGER_CODE = Code("", "")
_PARTIES = ("person", "people", "shares")


def read_examples(
    root: Table, rules: Sequence[Rule], programmes: Sequence[Programme], accounts: Sequence[str]
) -> tuple[Example, ...]:
    """Read all ``[[example]]`` tables; what is wrong with them is noted in the check."""
    grades = {
        programme.id: tuple(
            dict.fromkeys(each.grade for value in programme.values for each in value.grades)
        )
        for programme in programmes
    }
    reader = _Reader(root.check, rules, grades, accounts)
    found = [reader.example(path, raw) for path, raw in root.items("example", EXAMPLES_MAX)]
    return tuple(example for example in found if example)


@frozen
class _Reader:
    check: Check
    rules: Sequence[Rule]
    programmes: Mapping[str, tuple[str, ...]]
    accounts: Sequence[str]

    def example(self, path: Path, raw: object) -> Example | None:
        required = ("title", "given", "expect")
        optional = ("people", "units", "accounts", "cuts", "selected", "as_of")
        table = open_table(self.check, path, raw, required, optional)
        if table is None:
            return None
        given, people = self._given(table), self._people(table)
        expect = _amounts(table, "expect")
        cuts = _amounts(table, "cuts") if "cuts" in table.raw else None
        example = Example(
            title=table.label("title"),
            people=people,
            units=self._units(table),
            given=given,
            expect=expect,
            accounts=self._accounts(table),
            cuts=cuts,
            selected=self._selected(table),
            as_of=table.date("as_of"),
            line=table.line,
        )
        self._check_people(table, example)
        return example

    # -- who there is --------------------------------------------------------------------------

    def _people(self, table: Table) -> Mapping[str, Placed]:
        def read(path: Path, raw: object) -> Placed | None:
            placed = open_table(self.check, path, raw, (), ("unit", "rank"))
            return Placed(_code(placed, "unit"), _code(placed, "rank")) if placed else None

        return _mapping(table, "people", read)

    def _units(self, table: Table) -> Mapping[str, str]:
        return _mapping(table, "units", lambda path, raw: _read_code(self.check, path, raw))

    def _selected(self, table: Table) -> Mapping[str, Mapping[str, str | None]]:
        def read(path: Path, raw: object) -> Mapping[str, str | None]:
            name = str(path[-1])
            if name not in self.programmes:
                remedy = meant(name, sorted(self.programmes))
                self.check.error("no-such-programme", path, "is no programme.", remedy)
            if isinstance(raw, dict):
                return self._by_grade(path, raw, self.programmes.get(name))
            people = _codes(Table(self.check, path[:-1], {name: raw}), name, empty=True)
            return dict.fromkeys(people)

        return _mapping(table, "selected", read)

    def _accounts(self, table: Table) -> Mapping[str, Mapping[str, int]]:
        def read(path: Path, raw: object) -> Mapping[str, int]:
            name = str(path[-1])
            if name == MAIN_ACCOUNT:
                remedy = "Write what people have in it under expect."
                self.check.error("unknown-account", path, "is the main account.", remedy)
            elif name not in self.accounts:
                note_unknown_account(self.check, path, name, self.accounts)
            return _amounts(Table(self.check, path[:-1], {name: raw}), name)

        return _mapping(table, "accounts", read)

    def _by_grade(
        self, path: Path, raw: Mapping[str, object], known: Sequence[str] | None
    ) -> Mapping[str, str | None]:
        """People by the grade they are expected to get; each is named once."""
        found: dict[str, str | None] = {}
        for grade in raw:
            if known is not None and grade not in known:
                predicate, remedy = "is no grade of the programme.", meant(grade, known)
                self.check.error("grades-differ", (*path, grade), predicate, remedy)
            for index, person in enumerate(_codes(Table(self.check, path, raw), grade, empty=True)):
                if person in found:
                    predicate = f"names {person!r} again."
                    remedy = "Name each person once: nobody gets two grades."
                    self.check.error("repeated", (*path, grade, index), predicate, remedy)
                found[person] = grade
        return found

    def _check_people(self, table: Table, example: Example) -> None:
        known = example.everybody
        for key in ("expect", "cuts"):
            for person in getattr(example, key) or ():
                self._check_person(table, (key, person), person, known)
        for account, amounts in example.accounts.items():
            for person in amounts:
                self._check_person(table, ("accounts", account, person), person, known)
        for programme, people in example.selected.items():
            for index, (person, grade) in enumerate(people.items()):
                at = (programme, index) if grade is None else (programme, grade)
                self._check_person(table, ("selected", *at), person, known)
        written = table.raw.get("expect")
        if not isinstance(written, dict):
            return
        if forgotten := [person for person in known if person not in written]:
            predicate = f"says nothing of {', '.join(forgotten)}."
            remedy = "Name everybody who takes part; write 0 for those who get nothing."
            self.check.error("not-expected", table.at("expect"), predicate, remedy)

    def _check_person(self, table: Table, at: Path, person: str, known: Sequence[str]) -> None:
        if person not in known:
            path, remedy = (*table.path, *at), meant(person, known)
            self.check.error("unknown-person", path, "has no part in this example.", remedy)

    # -- what they did -------------------------------------------------------------------------

    def _given(self, table: Table) -> tuple[Given | Moved, ...]:
        found: list[Given | Moved] = []
        named: dict[tuple[str, str], Given] = {}
        for path, raw in table.items("given", GIVEN_MAX):
            moves = isinstance(raw, dict) and "activity" not in raw and {"unit", "rank"} & {*raw}
            entry = self._moved(path, raw) if moves else self._done(path, raw, named)
            if entry:
                found.append(entry)
            if isinstance(entry, Given) and entry.thing:
                named[entry.thing, entry.activity] = entry
        return tuple(found)

    def _moved(self, path: Path, raw: object) -> Moved | None:
        table = open_table(self.check, path, raw, ("on", "person"), ("unit", "rank"))
        if table is None:
            return None
        on, person = table.date("on"), _code(table, "person")
        if on is None or person is None:
            return None
        return Moved(on, person, Placed(_code(table, "unit"), _code(table, "rank")), table.line)

    def _done(
        self, path: Path, raw: object, named: Mapping[tuple[str, str], Given]
    ) -> Given | None:
        optional = ("grade", "hours", "thing", "when", "confirmed", *_PARTIES)
        table = open_table(self.check, path, raw, ("on", "activity"), optional)
        if table is None:
            return None
        on, activity = table.date("on"), self._activity(table)
        if activity is None:
            return None
        thing = _code(table, "thing") or ""
        origin = named.get((thing, activity.named_by)) if thing else None
        grade, hours = self._grade(table, activity), self._hours(table, activity)
        parties = self._parties(table, activity, origin)
        when = read_said(table, activity)
        self._check_said(table, activity, when, thing, named)
        if on is None:
            return None
        confirmed = table.flag("confirmed")
        return Given(on, activity.name, grade, hours, parties, thing, table.line, confirmed, when)

    def _check_said(
        self,
        table: Table,
        activity: ActivityInfo,
        when: Sequence[tuple[str, str]],
        thing: str,
        named: Mapping[tuple[str, str], Given],
    ) -> None:
        """Note what a fact of the same thing given before is the one to say."""
        for name, _ in when:
            source = activity.conditions[name].said_by
            if thing and (origin := named.get((thing, source))):
                path = (*table.at("when"), name)
                predicate = f"is what {source} of the same thing says (line {origin.line})."
                self.check.error("no-conditions", path, predicate, "Write it there.")

    def _activity(self, table: Table) -> ActivityInfo | None:
        name, known = table.text("activity"), sorted(self.check.activities)
        if name and name not in known:
            predicate, remedy = f"cannot be {name!r}.", meant(name, known)
            self.check.error("unknown-activity", table.at("activity"), predicate, remedy)
        return self.check.activities.get(name)

    def _grade(self, table: Table, activity: ActivityInfo) -> str | None:
        grade = _code(table, "grade")
        if not activity.has_grade:
            if "grade" in table.raw:
                predicate = f"is given, but {activity.name} has none."
                self.check.error("no-grades", table.at("grade"), predicate, "Leave grade out.")
            return None
        if "grade" not in table.raw:
            self.check.error("missing-key", table.path, "has no grade.", 'Add grade = "…".')
        elif grade and (known := self._grades(activity)) and grade not in known:
            line = self.check.place(table.at("grade")).value_line
            message = f"No rule gives points for {activity.name} of grade {grade!r}."
            self.check.warning("unknown-grade", line, message, meant(grade, known))
        return grade

    def _grades(self, activity: ActivityInfo) -> list[str]:
        """Grades that some rule gives points for; none where a rule is for all of them."""
        grades: dict[str, None] = {}
        for rule in self.rules:
            for value in rule.values if rule.activity == activity.name else ():
                if isinstance(value.points, int):
                    return []
                grades |= dict.fromkeys(value.points)
        return list(grades)

    def _hours(self, table: Table, activity: ActivityInfo) -> int | None:
        if not activity.has_hours:
            if "hours" in table.raw:
                predicate = f"is given, but {activity.name} has none."
                self.check.error("no-hours", table.at("hours"), predicate, "Leave hours out.")
            return None
        if "hours" not in table.raw:
            self.check.error("missing-key", table.path, "has no hours.", "Add hours = 2.")
        hours = table.points("hours")
        if hours == 0:
            predicate = "is 0; nothing lasts no time."
            self.check.error("number-range", table.at("hours"), predicate, "Write how many.")
        return hours

    def _parties(
        self, table: Table, activity: ActivityInfo, origin: Given | None
    ) -> tuple[tuple[str, int], ...]:
        """Who did it, with their shares; of a thing given before, those it names."""
        stated = [key for key in _PARTIES if key in table.raw]
        if not stated:
            if origin is None:
                remedy = 'Add person = "A", people = ["A", "B"] or shares = { A = 60, B = 40 }.'
                self.check.error("no-people", table.path, "names nobody.", remedy)
            return origin.parties if origin else ()
        if len(stated) > 1:
            predicate = f"stands beside {stated[0]}."
            self.check.error("no-people", table.at(stated[1]), predicate, "Keep one of the two.")
        parties = self._stated(table, activity, stated[0])
        if origin and parties != origin.parties:
            predicate = f"differs from {activity.named_by} of the same thing (line {origin.line})."
            remedy = "Leave it out: the people are those named there."
            self.check.error("no-people", table.at(stated[0]), predicate, remedy)
        return parties

    def _stated(
        self, table: Table, activity: ActivityInfo, key: str
    ) -> tuple[tuple[str, int], ...]:
        if key == "shares":
            return self._shares(table, activity)
        people = _codes(table, key) if key == "people" else (_code(table, key) or "",)
        if not activity.has_shares:
            return tuple((person, WHOLE_SHARE) for person in people if person)
        part, rest = divmod(WHOLE_SHARE, max(len(people), 1))
        return tuple(
            (person, part + (index < rest)) for index, person in enumerate(people) if person
        )

    def _shares(self, table: Table, activity: ActivityInfo) -> tuple[tuple[str, int], ...]:
        shares = _amounts(table, "shares")
        if not activity.has_shares:
            predicate = f"is given, but nobody declares shares in {activity.name}."
            self.check.error("no-shares", table.at("shares"), predicate, 'Write people = ["…"].')
        elif shares and sum(shares.values()) != WHOLE_SHARE:
            predicate = f"makes {format_amount(sum(shares.values()))} %, not 100."
            self.check.error("shares-sum", table.at("shares"), predicate, "Let them add up to 100.")
        return tuple(shares.items())


# Plain values --------------------------------------------------------------------------------


def _entries(table: Table, key: str) -> Iterator[tuple[Path, str, object]]:
    """Yield the entries of a table whose keys are codes of people, units or programmes."""
    path, raw = table.at(key), table.raw.get(key)
    if raw is None:
        return
    if not isinstance(raw, dict):
        predicate = f"is {KINDS[type(raw)]}; a table was expected."
        table.check.error("wrong-type", path, predicate, "Write { A = … }.")
        return
    check_count(table.check, path, raw, PEOPLE_MAX)
    for code, value in raw.items():
        _check_code(table.check, (*path, code), code)
        yield (*path, code), code, value


def _mapping(
    table: Table, key: str, read: Callable[[Path, object], Value | None]
) -> Mapping[str, Value]:
    found = {code: read(path, raw) for path, code, raw in _entries(table, key)}
    return MappingProxyType({code: value for code, value in found.items() if value is not None})


def _amounts(table: Table, key: str) -> Mapping[str, int]:
    return _mapping(table, key, lambda path, raw: read_points(table.check, path, raw))


def _code(table: Table, key: str) -> str | None:
    return _read_code(table.check, table.at(key), table.raw.get(key))


def _codes(table: Table, key: str, *, empty: bool = False) -> tuple[str, ...]:
    found: list[str] = []
    for path, raw in table.items(key, PEOPLE_MAX, empty=empty):
        code = _read_code(table.check, path, raw)
        if code in found:
            table.check.error("repeated", path, f"names {code!r} again.", "Name each once.")
        elif code:
            found.append(code)
    return tuple(found)


def _read_code(check: Check, path: Path, raw: object) -> str | None:
    code = read_text(check, path, raw)
    if code:
        _check_code(check, path, code)
    return code or None


def _check_code(check: Check, path: Path, code: str) -> None:
    try:
        _LEDGER_CODE.check(code)
    except ValueError as error:
        check.error("bad-id", path, f"is no code: {error}.", "Write the code as the ledger would.")
