"""Points in percent of what another rule gives.

They are worked out when the text is read, for every day on which either rule says something new,
so that scoring, statements and simulations know amounts only. What is no whole 1/10,000 point is
rounded to the nearest, halves up.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import attrs

from .tables import Table, meant, open_table
from .values import POINT, Relative, Rule, RuleValue

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from mileage.projections.toml_positions import Path

    from .text import Check
    from .values import ActivityInfo

__all__ = ["is_relative", "read_relative", "resolve"]

_WHOLE = 100 * POINT
PERCENT_MAX = 1_000 * POINT


def is_relative(raw: object) -> bool:
    """Whether points are written in percent of another rule: ``{ percent = 50, of = "ID" }``."""
    return isinstance(raw, dict) and isinstance(raw.get("of"), str)


def read_relative(check: Check, path: Path, raw: object) -> Relative:
    """Read ``{ percent = 50, of = "ID" }``."""
    table = open_table(check, path, raw, ("percent", "of")) or Table(check, path, {})
    percent = table.points("percent") or 0
    if "percent" in table.raw and not 0 < percent <= PERCENT_MAX:
        predicate = "is not above 0 and at most 1000."
        check.error("number-range", table.at("percent"), predicate, "Write percent = 50.")
    return Relative(percent, table.text("of"), path)


def resolve(
    check: Check, rules: Sequence[Rule], activities: Mapping[str, ActivityInfo]
) -> tuple[Rule, ...]:
    """Put amounts in the place of percentages; what cannot be is noted in the check."""
    by_id = {rule.id: rule for rule in rules if rule.id}
    return tuple(_resolved(check, rule, by_id, activities) for rule in rules)


def _resolved(
    check: Check, rule: Rule, by_id: Mapping[str, Rule], activities: Mapping[str, ActivityInfo]
) -> Rule:
    if not any(value.relative for value in rule.values):
        return rule
    ends = [*(value.valid_from for value in rule.values[1:]), rule.until]
    found: list[RuleValue] = []
    for value, end in zip(rule.values, ends, strict=True):
        base = _base(check, rule, value.relative, by_id, activities) if value.relative else None
        if value.relative is None or base is None:
            found.append(value)
        else:
            found += _amounts(check, value, value.relative, base, end)
    return attrs.evolve(rule, values=tuple(found))


def _base(
    check: Check,
    rule: Rule,
    relative: Relative,
    by_id: Mapping[str, Rule],
    activities: Mapping[str, ActivityInfo],
) -> Rule | None:
    """The rule that points are in percent of, if it can be."""
    path, base = (*relative.path, "of"), by_id.get(relative.of)
    if base is None:
        check.error("unknown-rule", path, "is no rule.", meant(relative.of, sorted(by_id)))
        return None
    if any(value.relative for value in base.values):
        predicate = f"is {relative.of!r}, which is in percent itself."
        check.error("not-relative", path, predicate, "Name the rule that has the amounts.")
        return None
    if base.per != rule.per:
        predicate = f"is {relative.of!r}, which gives points per {base.per}, not per {rule.per}."
        check.error("not-relative", path, predicate, f'Write per = "{base.per}".')
        return None
    graded = any(not isinstance(value.points, int) for value in base.values)
    info = activities.get(rule.activity)
    if graded and info and not info.has_grade:
        predicate = f"is {relative.of!r}, whose points are by grade; {rule.activity} has none."
        check.error("not-relative", path, predicate, "Name a rule with one number.")
        return None
    return base


def _amounts(
    check: Check, value: RuleValue, relative: Relative, base: Rule, end: date | None
) -> Iterator[RuleValue]:
    """A value for each day on which the other rule says something new while this one holds."""
    before = [each for each in base.values if each.valid_from <= value.valid_from]
    if not base.values:
        return  # what is wrong there is noted already
    if not before:
        predicate = f"is {base.id!r}, which says nothing before {base.values[0].valid_from}."
        remedy = f"Begin with it: from = {base.values[0].valid_from}."
        check.error("not-relative", (*relative.path, "of"), predicate, remedy)
        return
    later = [
        each
        for each in base.values
        if each.valid_from > value.valid_from and (end is None or each.valid_from < end)
    ]
    for each in (before[-1], *later):
        yield RuleValue(
            valid_from=max(each.valid_from, value.valid_from),
            points=_part(each.points, relative.percent),
            clause=value.clause,
            line=value.line,
        )


def _part(points: int | Mapping[str, int], percent: int) -> int | Mapping[str, int]:
    if isinstance(points, int):
        return (points * percent + _WHOLE // 2) // _WHOLE
    return MappingProxyType(
        {grade: (amount * percent + _WHOLE // 2) // _WHOLE for grade, amount in points.items()}
    )
