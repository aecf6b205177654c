"""The rulebooks a read model is made with, and what else of the ledger the plan needs as rows."""

from __future__ import annotations

from datetime import date
from itertools import product
from typing import TYPE_CHECKING, Any

import attrs
from mileage.ledger import FactVoided, RulebookAdopted
from mileage.ledger.fields import Shares
from mileage.ledger.ledger import gone_keys

from .days import day_number
from .decode import OFFICE_KINDS, Slice, activity_ids
from .plan import Shape
from .rulebook import ActivityInfo, Adoption, Compiled, compile_rules, parse_rulebook

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mileage.ledger import Ledger, Recorded
    from mileage.ledger.kinds import Kinds

    from .rulebook import Programme, ProgrammeValue

__all__ = [
    "Rules",
    "activity_infos",
    "adopted_rules",
    "gone_facts",
    "is_about_rulebooks",
    "known_activities",
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
            by_rank=any(cap.period == "rank" for cap in caps),
            by_unit=any(cap.per == "unit" for cap in caps),
        )


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
            )
    return found


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
    """Rows of ``w_gone`` for the facts that are void."""
    voids = _voids(office)
    void = gone_keys(item.fact for item in voids)
    standing = {i.fact.data.fact: i.position for i in voids if i.fact.key not in void}
    targets = ledger.positions(list(standing))
    return [(targets[key], "voided", by_position) for key, by_position in standing.items()]


def _voids(office: Sequence[Recorded]) -> list[Recorded]:
    return [item for item in office if isinstance(item.fact.data, FactVoided)]


def known_activities(kinds: Kinds) -> list[tuple[int, str, str, str, int, int | None]]:
    """Rows of ``activities``."""
    numbers = activity_ids(kinds)
    rows = []
    for name, number in numbers.items():
        kind = kinds.get(name)
        of = kind.activity.of if kind.activity else ""
        earns = 1 if kind.activity else 0
        rows.append((number, name, kind.label.ko, kind.label.en, earns, numbers.get(of)))
    return rows


def rule_rows(rules: Rules, kinds: Kinds) -> dict[str, list[tuple[Any, ...]]]:
    """Rows of the read model's tables about rulebooks."""
    numbers = activity_ids(kinds)
    books = {adoption.position: adoption.rulebook for adoption in rules.adoptions}
    rule_titles = {(p, rule.id): rule.title for p, book in books.items() for rule in book.rules}
    cap_titles = {(p, cap.id): cap.title for p, book in books.items() for cap in book.caps}
    names = sorted({value.rule for value in rules.compiled.values})
    rule_numbers = {name: number for number, name in enumerate(names, 1)}
    return {
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
                numbers[row.activity],
                row.grade,
                int(row.per == "hour"),
                int(row.split == "share"),
                row.day_from,
                row.day_until,
                row.points,
                row.clause,
                int(bool(row.ranks or row.units)),
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
