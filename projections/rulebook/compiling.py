"""Compiling adopted rulebooks into plain rows for the scoring plan."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import TYPE_CHECKING

from attrs import frozen

from .text import lines_of, problem_on
from .values import (
    MAIN_ACCOUNT,
    CapPer,
    CapPeriod,
    Conditions,
    Keep,
    Measure,
    Per,
    Problem,
    Rulebook,
    RulebookError,
    Split,
)
from .whole import ONE_DAY, Limit, Value, about_limit, period_start, raised_after_lowering, spans

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Adoption", "CapRow", "Compiled", "ValueRow", "Version", "compile_rules"]


_Account = tuple[str, CapPeriod, CapPer, Measure, Keep]


@frozen
class Adoption:
    """A rulebook as it was adopted.

    Attributes:
        position: Position of the adoption in the ledger; a later one wins.
        occurred_on: Day of the adoption.
        effective_from: First day the rulebook applies to, by the day an activity was done.
        rulebook: What was adopted.
    """

    position: int
    occurred_on: date
    effective_from: date
    rulebook: Rulebook


@frozen
class Version:
    """The days an adoption applies to: from `day_from` to the day before `day_until`."""

    adoption: Adoption
    day_from: date
    day_until: date


@frozen
class ValueRow:
    """One value of one rule for one grade, on the days it applies.

    Attributes:
        id: Number of the row, from 1.
        adoption: Position of the adoption it comes from.
        rule: Id of the rule.
        activity: The kind of activity that earns.
        grade: The grade it is for, or None for any grade and for activities without.
        per: What the points are for.
        split: How they are divided among persons.
        day_from: First day, as the number yyyymmdd.
        day_until: The day after the last, as the number yyyymmdd; `OPEN_DAY` if open.
        points: 1/10,000 points.
        clause: Where the scheme says so.
        ranks: Ranks it is for; all when empty.
        units: Units it is for, with all below them; all when empty.
        account: Id of the account it gives its points in.
        confirm: Whether it waits for a confirmation.
        when: Fields that the fact must say, each with the codes that will do.
    """

    id: int
    adoption: int
    rule: str
    activity: str
    grade: str | None
    per: Per
    split: Split
    day_from: int
    day_until: int
    points: int
    clause: str
    ranks: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    account: str = MAIN_ACCOUNT
    confirm: bool = False
    when: Conditions = ()


@frozen
class CapRow:
    """One limit of one cap for one rule, on the days it applies.

    Attributes:
        id: Number of the cap, from 1: the same for the same account in every version.
        cap: Id of the cap.
        level: Stage in which the cap applies, from 1. Caps that share a rule have different
            levels, in the order of the file, and a cap keeps its level throughout a period.
        rule: Id of a rule it covers.
        adoption: Position of the adoption it comes from.
        period: What the limit is counted in.
        day_from: First day, as the number yyyymmdd.
        day_until: The day after the last, as the number yyyymmdd; `OPEN_DAY` if open.
        limit: 1/10,000 points, or 1/10,000 activities for a cap in number.
        clause: Where the scheme says so.
        per: Whose points it limits together.
        measure: Whether the limit is in points or a count.
        keep: Which activities a count lets stand.
    """

    id: int
    cap: str
    level: int
    rule: str
    adoption: int
    period: CapPeriod
    day_from: int
    day_until: int
    limit: int
    clause: str
    per: CapPer = "person"
    measure: Measure = "points"
    keep: Keep = "first"


@frozen
class Compiled:
    """All adopted rulebooks as plain rows, each for the days its version applies to.

    Attributes:
        values: At most one row without ranks, units and conditions applies to an activity, grade
            and day.
        caps: At most one row applies to a cap, rule and day.
        versions: Which adoption applies when, in order of day, without those never in force.
    """

    values: tuple[ValueRow, ...]
    caps: tuple[CapRow, ...]
    versions: tuple[Version, ...]

    def rulebook_on(self, day: date) -> Adoption | None:
        """Return the adoption that applies to a day, or None before the first."""
        for version in self.versions:
            if version.day_from <= day < version.day_until:
                return version.adoption
        return None


def compile_rules(adoptions: Sequence[Adoption]) -> Compiled:
    """Turn adopted rulebooks into rows that a scoring plan can join.

    A version applies from its `effective_from` to the day before the earliest
    `effective_from` of any later adoption.

    Args:
        adoptions: Adoptions in order of position.

    Returns:
        Rows in an order that depends on the adoptions alone.

    Raises:
        RulebookError: Versions in force in one period contradict each other about a cap, so
            that no exact figure exists; an adoption that leads there must be refused.
        ValueError: The adoptions are not in order of position.
    """
    if any(before.position >= after.position for before, after in pairwise(adoptions)):
        raise ValueError("adoptions must be given in order of position, each once")
    versions = _versions(adoptions)
    _check_limits(versions)
    return Compiled(
        values=tuple(
            ValueRow(number, *columns)
            for number, columns in enumerate(_value_columns(versions), start=1)
        ),
        caps=tuple(_cap_rows(versions)),
        versions=versions,
    )


def _versions(adoptions: Sequence[Adoption]) -> tuple[Version, ...]:
    versions: list[Version] = []
    day_until = date.max
    for adoption in reversed(adoptions):
        if adoption.effective_from < day_until:
            versions.append(Version(adoption, adoption.effective_from, day_until))
            day_until = adoption.effective_from
    return tuple(reversed(versions))


def _clipped(
    values: Sequence[Value], until: date | None, version: Version
) -> Iterator[tuple[Value, date, date]]:
    """Yield each dated value with the days on which it and its version apply."""
    for value, value_from, value_until in spans(values, until):
        day_from = max(value_from, version.day_from)
        day_until = min(value_until, version.day_until)
        if day_from < day_until:
            yield value, day_from, day_until


def _day_number(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


_ValueColumns = tuple[
    int,
    str,
    str,
    str | None,
    Per,
    Split,
    int,
    int,
    int,
    str,
    tuple[str, ...],
    tuple[str, ...],
    str,
    bool,
    Conditions,
]


def _value_columns(versions: Sequence[Version]) -> Iterator[_ValueColumns]:
    for version in versions:
        for rule in version.adoption.rulebook.rules:
            for value, day_from, day_until in _clipped(rule.values, rule.until, version):
                points = value.points
                by_grade = {None: points} if isinstance(points, int) else points
                for grade, amount in by_grade.items():
                    yield (
                        version.adoption.position,
                        rule.id,
                        rule.activity,
                        grade,
                        rule.per,
                        rule.split,
                        _day_number(day_from),
                        _day_number(day_until),
                        amount,
                        value.clause,
                        rule.ranks,
                        rule.units,
                        rule.account,
                        rule.confirm,
                        rule.when,
                    )


def _cap_rows(versions: Sequence[Version]) -> Iterator[CapRow]:
    levels = _cap_levels(versions)
    numbers: dict[tuple[str, ...], int] = {}
    for version in versions:
        for cap in version.adoption.rulebook.caps:
            account = (cap.id, cap.per, cap.measure, cap.keep)
            number = numbers.setdefault(account, len(numbers) + 1)
            for value, day_from, day_until in _clipped(cap.values, None, version):
                for rule in cap.rules:
                    yield CapRow(
                        id=number,
                        cap=cap.id,
                        level=levels[version.adoption.position, cap.id],
                        rule=rule,
                        adoption=version.adoption.position,
                        period=cap.period,
                        day_from=_day_number(day_from),
                        day_until=_day_number(day_until),
                        limit=value.limit,
                        clause=value.clause,
                        per=cap.per,
                        measure=cap.measure,
                        keep=cap.keep,
                    )


def _check_limits(versions: Sequence[Version]) -> None:
    """Refuse limits that go down and up again within a period, whichever version says so."""
    limits: defaultdict[_Account, list[Limit]] = defaultdict(list)
    for version in versions:
        for cap in version.adoption.rulebook.caps:
            for span in _clipped(cap.values, None, version):
                limits[cap.account].append(Limit(cap, *span, version.adoption))
    problems = [
        _problem_in(
            limit.adoption, "cap-lowered-then-raised", limit.value.line, *about_limit(limit)
        )
        for of_cap in limits.values()
        if (limit := raised_after_lowering(of_cap)) and limit.adoption
    ]
    if problems:
        raise RulebookError(problems)


def _problem_in(adoption: Adoption, code: str, line: int, message: str, remedy: str) -> Problem:
    lines = lines_of(adoption.rulebook.text)
    return problem_on(lines, code, line, f"Adoption {adoption.position}: {message}", remedy)


# A cap while its periods do not begin anew between versions: its account, and how often they did.
_CapEra = tuple[_Account, int]


def _cap_levels(versions: Sequence[Version]) -> dict[tuple[int, str], int]:
    """Give each cap of each version (adoption's position, cap id) its level.

    Within a version a cap stands one level above the highest earlier cap it shares a rule
    with. Where a version ends inside a period of the cap, what the next one adds belongs to
    the same sum, so the cap must have one level in both.
    """
    eras = _cap_eras(versions)
    below: dict[_CapEra, set[_CapEra]] = {era: set() for era in eras.values()}
    for version in versions:
        position, caps = version.adoption.position, version.adoption.rulebook.caps
        for index, cap in enumerate(caps):
            for earlier in caps[:index]:
                if not set(earlier.rules).isdisjoint(cap.rules):
                    below[eras[position, cap.id]].add(eras[position, earlier.id])
    levels: dict[_CapEra, int] = {}
    try:
        for era in TopologicalSorter(below).static_order():
            levels[era] = 1 + max((levels[lower] for lower in below[era]), default=0)
    except CycleError as error:
        cycle = {era[0][0] for era in error.args[1]}
        raise RulebookError([_about_order(versions, cycle)]) from None
    return {key: levels[era] for key, era in eras.items()}


def _cap_eras(versions: Sequence[Version]) -> dict[tuple[int, str], _CapEra]:
    eras: dict[tuple[int, str], _CapEra] = {}
    last: dict[_Account, tuple[int, Version]] = {}
    for version in versions:
        for cap in version.adoption.rulebook.caps:
            number, before = last.get(cap.account, (0, version))
            last_start = period_start(cap.period, before.day_until - ONE_DAY)
            if before is not version and last_start != period_start(cap.period, version.day_from):
                number += 1
            eras[version.adoption.position, cap.id] = (cap.account, number)
            last[cap.account] = (number, version)
    return eras


def _about_order(versions: Sequence[Version], cap_ids: set[str]) -> Problem:
    adoption, cap = next(
        (version.adoption, cap)
        for version in reversed(versions)
        for cap in version.adoption.rulebook.caps
        if cap.id in cap_ids
    )
    message = (
        f"The order in which the caps {', '.join(sorted(cap_ids))} apply changes within one period."
    )
    remedy = "Keep the order of the earlier rulebook, or begin where a period begins."
    return _problem_in(adoption, "cap-order", cap.line, message, remedy)
