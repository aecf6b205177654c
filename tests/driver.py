"""Drives every programme at random, knowing nothing of them but their declarations.

For any kind, data are made of its fields: ids of things that have begun, people, shares, words of
a choice. What the ledger refuses does not happen. A kind that is added is driven by being there.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from attrs import define, field
from mileage.ledger import (
    Command,
    InvalidFact,
    KeyConflict,
    Ledger,
    MemberJoined,
    Refused,
    UnitEstablished,
    equal_shares,
    format_amount,
    shares,
)
from mileage.ledger import fields as types
from mileage.projections import RulebookError, activity_infos, adopt_rulebook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from random import Random

    from mileage.ledger import Kind, Kinds, Recorded

__all__ = ["Driver", "rulebook_of_everything"]

PEOPLE = ("P1", "P2", "P3", "P4", "P5", "P6")
UNITS = ("HQ", "HQ-A", "SEOUL")
GRADES = ("gold", "silver", "bronze")
OPENED = date(2004, 1, 5)
BEGINNING = datetime(2005, 1, 10, 3, 0, tzinfo=UTC)
# What has a command of its own, and what tests and examples declare besides.
NOT_DRIVEN = (
    "ledger.",
    "rulebook.",
    "fact.",
    "period.",
    "points.",
    "test.",
    "mentoring.",
    "visit.",
)
BEGINS, TRIES, AROUND, SAME = 0.1, 6, 0.6, 0.3
ENDS = (
    *(".abolished", ".cancelled", ".closed", ".dissolved", ".ended", ".settled", ".split"),
    *("member.left", "unit.merged", "entry_withdrawn"),
)
AMOUNTS = (1, 3_333, 5_000, 10_000, 25_000, 70_001, 100_000)


@define
class Driver:
    """An office in which anything may happen.

    Attributes:
        kinds: The kinds that can be recorded, by category; the first of each begins a thing.
        owners: Category whose things a field names, by the field's name.
        things: Ids of the things of each category, as the values of their id fields.
        named: People named so far, by category and id of the thing.
        around: Those of the thing something is just about to happen to.
        codes: Codes named last in facts of a thing and on which day, by field.
        recorded: The facts taken, in order.
        refused: How often each rule refused.
    """

    path: Path
    random: Random
    now: datetime = BEGINNING
    ledger: Ledger = field(init=False)
    kinds: dict[str, list[Kind]] = field(factory=dict)
    owners: dict[str, str] = field(factory=dict)
    things: dict[str, list[tuple[str, ...]]] = field(factory=dict)
    named: dict[tuple[str, ...], list[str]] = field(factory=dict)
    around: list[str] = field(factory=list)
    codes: dict[tuple[str, ...], dict[str, tuple[str, date]]] = field(factory=dict)
    recorded: list[Recorded] = field(factory=list)
    refused: dict[str, int] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        """Make the ledger, with units and people."""
        self.ledger = Ledger.create(
            self.path, organisation="중소기업청", opened_on=OPENED, clock=lambda: self.now
        )
        units = [UnitEstablished(u, f"{u} 국", u, "HQ" if "-" in u else None) for u in UNITS]
        people = [MemberJoined(p, UNITS[n % 3], f"G{5 + n % 2}") for n, p in enumerate(PEOPLE)]
        self.ledger.record_all(Command(data, OPENED, "s") for data in (*units, *people))
        for kind in self.ledger.kinds:
            if not kind.name.startswith(NOT_DRIVEN):
                self.kinds.setdefault(kind.category, []).append(kind)
                if len(kind.id_fields) == 1 and kind.id_fields[0].endswith(kind.category[-4:]):
                    self.owners[kind.id_fields[0]] = kind.category
        self.things |= {"unit": [(u,) for u in UNITS], "member": [(p,) for p in PEOPLE]}

    def happens(self, category: str) -> Recorded | None:
        """Something happens in a programme; ``None`` when the ledger refuses all that is tried."""
        kinds = self.kinds[category]
        begins = not self.things.get(category) or self.random.random() < BEGINS
        # Were an end as likely as all else, little would happen before it.
        weights = [0.2 if kind.name.endswith(ENDS) else 1 for kind in kinds]
        tried = [kinds[0]] if begins else self.random.choices(kinds, weights, k=TRIES)
        return next((done for kind in tried if (done := self.try_kind(kind))), None)

    def try_kind(self, kind: Kind) -> Recorded | None:
        """Try to record a fact of a kind."""
        self.now += timedelta(days=self.random.choice((0, 0, 1, 3, 9)), seconds=1)
        late = self.random.choice((0, 0, 0, 0, 0, 2, 30))
        day = max(self.ledger.today() - timedelta(days=late), OPENED + timedelta(days=1))
        identity = dict(self._identity(kind))
        self.around = self.named.get((kind.category, *identity.values()), [])
        same, day = self._same(kind, identity, day)
        cells = self._data(kind, day, identity | same)
        if cells is None:
            return None
        try:
            data = kind.cls(**cells)
            key = f"k{len(self.recorded)}" if self.random.random() < 0.5 else None
            done = self.ledger.record(data, on=day, by=self.random.choice(("o1", "o2")), key=key)
        except (InvalidFact, KeyConflict) as error:
            self._refuse(type(error).__name__)
            return None
        except Refused as error:
            self._refuse(error.rule)
            return None
        if not done.new:
            return None
        self.recorded.append(done)
        thing = tuple(cells[name] for name in kind.id_fields)
        for name, declared in kind.references.items():
            if declared.refers_to == ("member",) and cells[name] is not None:
                named = declared.ids(cells[name])
                self.named.setdefault((kind.category, *thing), []).extend(named)
        codes = self.codes.setdefault((kind.category, *thing), {})
        for name, declared in kind.fields.items():
            if type(declared) is types.Code and cells[name] is not None:
                codes[name] = (cells[name], day)
        known = self.things.setdefault(kind.category, [])
        if thing not in known:
            known.append(thing)
        return done

    def void(self) -> Recorded | None:
        """One of the latest facts turns out to have been recorded in error."""
        if not self.recorded:
            return None
        self.now += timedelta(days=self.random.choice((0, 1, 5)), seconds=1)
        target = self.random.choice(self.recorded[-12:]).fact
        day = max(
            target.occurred_on, self.ledger.today() - timedelta(days=self.random.choice((0, 7)))
        )
        try:
            key = f"void-{len(self.recorded)}"
            done = self.ledger.void(target.key, reason="오기", on=day, by="o1", key=key)
        except Refused as error:
            self._refuse(error.rule)
            return None
        self.recorded.append(done)
        return done

    def adopt(self) -> None:
        """A rulebook is adopted that rewards most of what can be done."""
        self.now += timedelta(seconds=1)
        text = rulebook_of_everything(self.ledger.kinds, self.random)
        since = self.ledger.today() - timedelta(days=self.random.choice((0, 20, 300)))
        today = self.ledger.today()
        try:
            adopt_rulebook(
                self.ledger, text, on=today, by="o1", effective_from=since, reason="소급"
            )
        except RulebookError:  # it contradicts an adoption before it
            self._refuse("RulebookError")

    def _refuse(self, rule: str) -> None:
        self.refused[rule] = self.refused.get(rule, 0) + 1

    # -- data of a declaration -------------------------------------------------------------------

    def _same(self, kind: Kind, identity: dict[str, Any], day: date) -> tuple[dict[str, str], date]:
        """Now and then: a code that was named of the thing, such as of a session, and its day."""
        codes = self.codes.get((kind.category, *identity.values()), {})
        shared = [name for name in kind.fields if name in codes and name not in identity]
        if not shared or self.random.random() >= SAME:
            return {}, day
        name = self.random.choice(shared)
        code, on = codes[name]
        return {name: code}, on

    def _data(self, kind: Kind, day: date, cells: dict[str, Any]) -> dict[str, Any] | None:
        """Values for the fields of a kind; ``None`` when it needs a thing that is not there."""
        for name, declared in kind.fields.items():
            if name in cells:
                continue
            if declared.optional and self.random.random() < 0.5:
                cells[name] = None
                continue
            value = self._value(name, declared, day)
            if value is None and not declared.optional:
                return None
            cells[name] = value
        return cells

    def _identity(self, kind: Kind) -> Iterator[tuple[str, Any]]:
        """Ids of a thing: mostly of one that has begun; new ones for what begins a thing."""
        known = self.things.get(kind.category, [])
        if known and (kind is not self.kinds[kind.category][0] or self.random.random() < 0.1):
            lately = known[-3:] if self.random.random() < 0.8 else known
            yield from zip(kind.id_fields, self.random.choice(lately), strict=True)
            return
        for name in kind.id_fields:
            if type(kind.fields[name]) is types.Code:
                category = self.owners.get(name, kind.category)
                others = self.things.get(category, [])
                if category != kind.category and others:
                    yield name, self.random.choice(others[-3:])[0]
                else:
                    yield name, f"{category}-{len(known)}"

    def _value(self, name: str, declared: types.FieldType, day: date) -> Any:  # noqa: C901, PLR0911, PLR0912
        pick = self.random
        match declared:
            case types.Person():
                return pick.choice(self._people(day))
            case types.Unit():
                return pick.choice(UNITS)
            case types.Reference(of=categories):
                known = [thing[0] for each in categories for thing in self.things.get(each, [])]
                return pick.choice(known) if known else None
            case types.Choice(words=words):
                return pick.choice(list(words))
            case types.Shares():
                return self._shares(self._people(day))
            case types.People():
                people = self._people(day)
                return tuple(pick.sample(people, min(len(people), pick.randint(1, 3))))
            case types.Codes() if "unit" in declared.refers_to:
                return tuple(pick.sample(UNITS, pick.randint(1, 2)))
            case types.Codes():
                return GRADES[: pick.randint(1, 3)]
            case types.Text():
                return f"{name} {pick.randint(1, 9)}"
            case types.Day():
                return day + timedelta(days=pick.choice((-30, 0, 60, 200)))
            case types.Whole() if name == "year":
                return day.year + pick.randint(0, 1)
            case types.Whole(least=least, most=most):
                return min(max(pick.choice((0, 1, 3, 50, 2_005)), least), most)
            case types.Amount():
                least, most = declared.units
                units = min(max(pick.choice((1, 5_000, 13_333, 80_000, 900_000)), least), most)
                return Decimal(format_amount(units))
            case _ if name == "certificate":  # each award has a number of its own
                return f"certificate-{len(self.recorded)}"
            case _ if name in ("grade", "rank", "round"):
                return pick.choice(GRADES)
            case _:
                others = self.things.get(name)
                return pick.choice(others)[0] if others else f"{name}-{pick.randint(1, 3)}"

    def _people(self, day: date) -> list[str]:
        """Mostly those the thing has to do with, or who serve on a day, some more than others."""
        if self.around and self.random.random() < AROUND:
            return list(dict.fromkeys(self.around))
        serving = [p for p in PEOPLE if self.ledger.state(f"member:{p}").serves_on(day)]
        if self.random.random() < 0.05 or not serving:
            return list(PEOPLE)
        return serving[:3] if self.random.random() < 0.7 else serving

    def _shares(self, among: list[str]) -> tuple[types.Share, ...]:
        people = self.random.sample(among, min(len(among), self.random.randint(1, 3)))
        if len(people) == 1 or self.random.random() < 0.4:
            return equal_shares(people)
        part = self.random.randint(1, 999_999 - len(people))
        rest, others = 1_000_000 - part, people[1:]
        units = [rest // len(others)] * len(others)
        units[0] += rest - sum(units)
        return shares(
            {
                person: format_amount(unit)
                for person, unit in zip(people, [part, *units], strict=True)
            }
        )


def rulebook_of_everything(kinds: Kinds, random: Random) -> str:
    """A rulebook that rewards nearly every activity, in every form it can have, with caps."""
    lines = [
        '[rulebook]\nid = "everything"\nsource = "고시"\n'
        'title = { ko = "규칙집", en = "Rulebook" }\n'
    ]
    names = []
    for info in activity_infos(kinds).values():
        if random.random() < 0.1 or info.name.startswith(NOT_DRIVEN):
            continue
        name = info.name.replace(".", "-").replace("_", "-")
        names.append(name)
        amount = format_amount(random.choice(AMOUNTS))
        grades = ", ".join(f"{grade} = {format_amount(random.choice(AMOUNTS))}" for grade in GRADES)
        points = f"{{ {grades} }}" if info.has_grade and random.random() < 0.7 else amount
        lines.append(
            f'[[rule]]\nid = "{name}"\ntitle = {{ ko = "규칙", en = "Rule" }}\n'
            f'activity = "{info.name}"\n'
            + ('per = "hour"\n' if info.has_hours and random.random() < 0.7 else "")
            + ('split = "share"\n' if info.has_shares and random.random() < 0.7 else "")
            + f'values = [ {{ from = 2004-01-01, points = {points}, clause = "제1조" }} ]\n'
        )
        for asks, asked in info.conditions.items():
            words = random.sample(asked.words, random.randint(1, len(asked.words)))
            listed = ", ".join(f'"{word}"' for word in words)
            lines.append(
                f'[[rule]]\nid = "{name}-{asks}"\ntitle = {{ ko = "규칙", en = "Rule" }}\n'
                f'activity = "{info.name}"\nwhen = {{ {asks} = [{listed}] }}\n'
                f'values = [ {{ from = 2004-01-01, points = {amount}, clause = "제1조의2" }} ]\n'
            )
    for number in range(3):
        named = ", ".join(f'"{name}"' for name in random.sample(names, 6))
        period = random.choice(("month", "half", "year"))
        lines.append(
            f'[[cap]]\nid = "cap-{number}"\ntitle = {{ ko = "한도", en = "Cap" }}\n'
            f'rules = [{named}]\nperiod = "{period}"\n'
            f"values = [ {{ from = 2004-01-01, points = {random.randint(1, 20)},"
            ' clause = "제2조" } ]\n'
        )
    return "\n".join(lines)
