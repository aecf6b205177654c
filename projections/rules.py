"""The rulebooks a read model is made with, and what else of the ledger the plan needs as rows."""

from __future__ import annotations

from datetime import date
from itertools import product
from typing import TYPE_CHECKING, Any

import attrs
from mileage.ledger import FactVoided, RulebookAdopted
from mileage.ledger.fields import Choice, Label, Shares
from mileage.ledger.kinds.confirmation import PointsConfirmed
from mileage.ledger.kinds.hold import PointsDenied, PointsHeld, PointsReleased
from mileage.ledger.ledger import gone_keys

from .days import day_number
from .decode import OFFICE_KINDS, Slice, activity_ids
from .plan import Shape
from .rulebook import (
    MAIN_ACCOUNT,
    ActivityInfo,
    Adoption,
    Asked,
    Compiled,
    compile_rules,
    parse_rulebook,
)
from .rulebook.sections import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from mileage.ledger import Ledger, Recorded
    from mileage.ledger.fields import FieldType
    from mileage.ledger.kinds import Kinds

    from .rulebook import Programme, ProgrammeValue, ValueRow

__all__ = [
    "Rules",
    "activity_infos",
    "adopted_rules",
    "confirmed_facts",
    "gone_facts",
    "held_facts",
    "is_about_rulebooks",
    "office_facts",
    "rule_rows",
]


@attrs.frozen
class Rules:
    """The rulebooks a read model is made with.

    Attributes:
        compiled: All of them as rows.
        adoptions: The adoptions, in order of position.
        position: Position of the latest fact about rulebooks that is in them, an adoption or the
            correction of one; 0 without any.
        pending: Position of the latest such fact that is not; 0 without any.
    """

    compiled: Compiled
    adoptions: tuple[Adoption, ...]
    position: int
    pending: int = 0

    @property
    def shape(self) -> Shape:
        """What the rules ask of the plan."""
        caps = self.compiled.caps
        return Shape(
            stages=max((cap.level for cap in caps), default=0),
            scoped=any(value.ranks or value.units for value in self.compiled.values),
            conditions=any(value.when for value in self.compiled.values),
            by_rank=any(cap.period == "rank" for cap in caps),
            by_unit=any(cap.per == "unit" for cap in caps),
            accounts=any(value.account != MAIN_ACCOUNT for value in self.compiled.values),
            confirms=any(value.confirm for value in self.compiled.values),
        )

    @property
    def accounts(self) -> dict[str, int]:
        """The numbers of the accounts; the main one is 0."""
        books = [adoption.rulebook for adoption in self.adoptions]
        declared = {account.id for book in books for account in book.accounts}
        others = sorted(declared - {MAIN_ACCOUNT})
        return {MAIN_ACCOUNT: 0, **{name: number for number, name in enumerate(others, 1)}}


def activity_infos(kinds: Kinds) -> dict[str, ActivityInfo]:
    """What a rulebook can speak of: the kinds that earn, with grades, hours, shares or none."""
    found = {}
    for kind in kinds:
        if activity := kind.activity:
            people = kinds.get(activity.of or kind.name).fields[activity.people]
            found[kind.name] = ActivityInfo(
                kind.name,
                has_grade=bool(activity.grade),
                has_hours=bool(activity.hours),
                has_shares=isinstance(people, Shares),
                named_by=activity.of,
                conditions={
                    field: Asked(source, _words(kinds.get(source or kind.name).fields[field]))
                    for field, source in activity.conditions.items()
                },
            )
    return found


def _words(field: FieldType) -> tuple[str, ...]:
    """The words a field can have; none where it can have any code."""
    return tuple(field.words) if isinstance(field, Choice) else ()


def office_facts(ledger: Ledger, part: Slice) -> list[Recorded]:
    """The voiding facts and adoptions within a slice, in order of position; a scan."""
    return [
        item
        for item in ledger.facts(topics=ledger.kinds.topics(*OFFICE_KINDS))
        if part.has(item.position, item.fact.occurred_on, item.fact.recorded_at)
    ]


def adopted_rules(
    ledger: Ledger,
    office: Sequence[Recorded],
    *,
    upto: int | None = None,
    proposed: Adoption | None = None,
) -> Rules:
    """Compile adopted rulebooks.

    Args:
        ledger: The ledger.
        office: The voiding facts and adoptions that count, in order of position.
        upto: Only adoptions and their corrections up to this position; all unless given.
        proposed: One more that is not adopted, after all others.

    Raises:
        RulebookError: An adopted text cannot be used; the message names the adoption.
    """
    about = [item for item in office if is_about_rulebooks(item)]
    known = [item for item in about if upto is None or item.position <= upto]
    void = gone_keys(item.fact for item in known)
    adoptions = []
    for item in known:
        data = item.fact.data
        if isinstance(data, RulebookAdopted) and item.fact.key not in void:
            rulebook = parse_rulebook(data.text, activity_infos(ledger.kinds))
            adoptions.append(
                Adoption(item.position, item.fact.occurred_on, data.effective_from, rulebook)
            )
    if proposed:
        adoptions.append(proposed)
    return Rules(
        compiled=compile_rules(adoptions),
        adoptions=tuple(adoptions),
        position=known[-1].position if known else 0,
        pending=about[-1].position if len(about) > len(known) else 0,
    )


def is_about_rulebooks(item: Recorded) -> bool:
    """Whether a fact changes which rules there are: an adoption, or the correction of one."""
    return item.fact.originator_id.startswith("rulebook:")


def gone_facts(ledger: Ledger, office: Sequence[Recorded]) -> list[tuple[int, str, int]]:
    """Rows of ``w_gone`` for the facts that are void, on hold or denied."""
    voids = _voids(office)
    void = gone_keys(item.fact for item in voids)
    gone = {i.fact.data.fact: ("voided", i.position) for i in voids if i.fact.key not in void}
    gone = held_facts(item for item in office if item.fact.key not in void) | gone
    targets = ledger.positions(list(gone))
    return [(targets[key], *by) for key, by in gone.items()]


def confirmed_facts(ledger: Ledger, office: Sequence[Recorded]) -> list[tuple[int, int]]:
    """Rows of ``w_confirmed``: facts that were confirmed, and by which."""
    void = gone_keys(item.fact for item in _voids(office))
    found = {
        item.fact.data.fact: item.position
        for item in office
        if isinstance(item.fact.data, PointsConfirmed) and item.fact.key not in void
    }
    targets = ledger.positions(list(found))
    return [(targets[key], by) for key, by in found.items()]


def held_facts(about: Iterable[Recorded]) -> dict[str, tuple[str, int]]:
    """Keys of the facts that count for nothing by standing facts about holds, and by which.

    Args:
        about: Facts in order of position; those that are not about holds are passed over.
    """
    found: dict[str, tuple[str, int]] = {}
    for item in about:
        match item.fact.data:
            case PointsHeld(fact=key):
                found[key] = ("held", item.position)
            case PointsDenied(fact=key):
                found[key] = ("denied", item.position)
            case PointsReleased(fact=key):
                found.pop(key, None)
    return found


def _voids(office: Sequence[Recorded]) -> list[Recorded]:
    return [item for item in office if isinstance(item.fact.data, FactVoided)]


def _activity_rows(rules: Rules, kinds: Kinds) -> Iterator[tuple[Any, ...]]:
    """Rows of ``activities``: each kind in the main account, and where else a rule rewards it."""
    numbers, accounts = activity_ids(kinds), rules.accounts
    rewarded = {(accounts[value.account], value.activity) for value in rules.compiled.values}
    for account, name in sorted({*((0, name) for name in numbers), *rewarded}):
        kind, number = kinds.get(name), numbers[name]
        of = kind.activity.of if kind.activity else ""
        yield (
            _in_account(number, account),
            name,
            kind.label.ko,
            kind.label.en,
            int(kind.activity is not None),
            numbers.get(of),
            number,
            account,
        )


def _in_account(activity: int, account: int) -> int:
    """The number of what facts of a kind earn in an account."""
    return account * _KINDS_MAX + activity


_KINDS_MAX = 10_000


def _account_rows(rules: Rules) -> list[tuple[Any, ...]]:
    """Rows of ``accounts``, named as the latest rulebook that declares them does."""
    named = {
        account.id: account
        for adoption in rules.adoptions
        for account in adoption.rulebook.accounts
    }
    rows: list[tuple[Any, ...]] = []
    for name, number in rules.accounts.items():
        account = named.get(name)
        title = account.title if account else _MILEAGE
        unit = (account and account.unit) or _POINTS
        rows.append((number, name, title.ko, title.en, unit.ko, unit.en))
    return rows


_MILEAGE, _POINTS = Label("마일리지", "Mileage"), Label("점", "points")


def rule_rows(rules: Rules, kinds: Kinds) -> dict[str, list[tuple[Any, ...]]]:
    """Rows of the read model's tables about rulebooks."""
    numbers = activity_ids(kinds)
    books = {adoption.position: adoption.rulebook for adoption in rules.adoptions}
    rule_titles = {(p, rule.id): rule.title for p, book in books.items() for rule in book.rules}
    cap_titles = {(p, cap.id): cap.title for p, book in books.items() for cap in book.caps}
    names = sorted({value.rule for value in rules.compiled.values})
    rule_numbers = {name: number for number, name in enumerate(names, 1)}
    accounts = rules.accounts
    return {
        "activities": list(_activity_rows(rules, kinds)),
        "accounts": _account_rows(rules),
        "rulebooks": [
            (
                version.adoption.position,
                version.adoption.rulebook.id,
                version.adoption.rulebook.digest,
                day_number(version.day_from),
                day_number(version.day_until),
            )
            for version in rules.compiled.versions
        ],
        "rule_values": [
            (
                row.id,
                row.adoption,
                rule_numbers[row.rule],
                row.rule,
                rule_titles[row.adoption, row.rule].ko,
                rule_titles[row.adoption, row.rule].en,
                _in_account(numbers[row.activity], accounts[row.account]),
                row.grade,
                int(row.per == "hour"),
                int(row.split == "share"),
                row.day_from,
                row.day_until,
                row.points,
                row.clause,
                int(bool(row.ranks or row.units or row.when)),
                int(row.confirm),
                len(row.when),
                *attrs.astuple(_in_words(row, kinds, books[row.adoption].labels)),
            )
            for row in rules.compiled.values
        ],
        "rule_scopes": [
            (row.id, place, rank, unit)
            for row in rules.compiled.values
            if row.ranks or row.units
            for place, (rank, unit) in enumerate(
                product(row.ranks or (None,), row.units or (None,))
            )
        ],
        "rule_conditions": [
            (row.id, numbers.get(_said_by(row, field, kinds)), field, code)
            for row in rules.compiled.values
            for field, codes in row.when
            for code in codes
        ],
        "cap_limits": [
            (
                row.id,
                rule_numbers[row.rule],
                row.day_from,
                row.day_until,
                row.level,
                row.period,
                row.limit,
                row.adoption,
                row.cap,
                cap_titles[row.adoption, row.cap].ko,
                cap_titles[row.adoption, row.cap].en,
                row.clause,
                row.per,
                row.measure,
                row.keep,
            )
            for row in rules.compiled.caps
            if row.rule in rule_numbers
        ],
        "programmes": list(_programme_rows(rules)),
        "programme_grades": list(_grade_rows(rules)),
        "labels": sorted(
            (code, label.ko, label.en)
            for book in list(books.values())[-1:]
            for code, label in book.labels.items()
        ),
    }


def _said_by(row: ValueRow, field: str, kinds: Kinds) -> str:
    """The kind whose fact about the same thing says a field; empty when the fact itself does."""
    activity = kinds.get(row.activity).activity
    return activity.conditions[field] if activity else ""


def _in_words(row: ValueRow, kinds: Kinds, labels: Mapping[str, Label]) -> Label:
    """The conditions of a value, in Korean and English; empty when there are none."""
    parts = []
    for name, codes in row.when:
        field = kinds.get(_said_by(row, name, kinds) or row.activity).fields[name]
        words = [labels.get(code) or field.describe(code) for code in codes]
        parts.append(
            Label(
                f"{field.ko} {'·'.join(word.ko for word in words)}",
                f"{field.en.lower()} {' or '.join(word.en for word in words)}",
            )
        )
    return listed(parts)


def _programme_spans(rules: Rules) -> Iterator[tuple[int, Programme, ProgrammeValue, int, int]]:
    """Each dated value with its adoption, its programme and the days on which it holds."""
    for version in rules.compiled.versions:
        for programme in version.adoption.rulebook.programmes:
            ends = [*[value.valid_from for value in programme.values[1:]], date.max]
            for value, end in zip(programme.values, ends, strict=True):
                day_from = max(value.valid_from, version.day_from)
                day_until = min(end, version.day_until)
                if day_from < day_until:
                    days = day_number(day_from), day_number(day_until)
                    yield version.adoption.position, programme, value, *days


def _programme_rows(rules: Rules) -> Iterator[tuple[Any, ...]]:
    for adoption, programme, value, day_from, day_until in _programme_spans(rules):
        quota, recent, unit = value.percentage, programme.recent, programme.unit
        yield (
            programme.id,
            day_from,
            day_until,
            adoption,
            programme.title.ko,
            programme.title.en,
            programme.period,
            value.threshold_points,
            value.quota,
            " ".join(programme.tie.break_by),
            programme.tie.otherwise,
            value.clause,
            quota.percent if quota else None,
            str(quota.of) if quota else None,
            quota.rounding if quota else value.rounding,
            value.value,
            unit.ko if unit else None,
            unit.en if unit else None,
            " ".join(programme.ranks),
            recent.years if recent else None,
            recent.cycles if recent else None,
            " ".join(recent.programmes) if recent else "",
            int(programme.four_eyes),
            " ".join(programme.units),
            programme.sanctioned_years,
            programme.service.months if programme.service else None,
            programme.service.full_from if programme.service else None,
            programme.on_leave,
            rules.accounts[programme.account],
        )


def _grade_rows(rules: Rules) -> Iterator[tuple[Any, ...]]:
    for _, programme, value, day_from, _ in _programme_spans(rules):
        for place, each in enumerate(value.grades, 1):
            yield (
                programme.id,
                day_from,
                place,
                each.grade,
                each.threshold_points,
                each.percent,
                each.places,
                each.value,
            )
