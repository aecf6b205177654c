"""What the elements of an evaluation rest on: scores, tasks, activities and days of service.

Everything is exact: results are fractions of 100 and are rounded only where they are shown, half
up to 1/10,000.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import attrs
from mileage.ledger import Label
from mileage.ledger.amounts import SCALE, format_amount

from .ratios import rounded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .rulebook import Element

__all__ = ["Basis", "Finding", "Score", "Tally", "TaskResult", "measure", "shown"]

FULL = Fraction(100)


@attrs.frozen
class Score:
    """A score that an evaluator gave.

    Attributes:
        position: Position of the fact.
        score: 1/10,000 of a mark, 0 to 100 marks.
    """

    position: int
    score: int


@attrs.frozen
class TaskResult:
    """How far a task has come.

    Attributes:
        task: Code.
        origin: ``common`` or ``own``.
        percent: What was measured last, in whole percent of the target; ``None`` without.
        position: Position of the measurement, or of the assignment without one.
    """

    task: str
    origin: str
    percent: int | None
    position: int


@attrs.define
class Tally:
    """What the people of a unit did in the period, and how long they served.

    Attributes:
        person_days: Days of service of everybody, leave not counted.
        people: Who served at least one day.
        counts: Activities of each person, by person and kind.
        points: Points that count, 1/10,000, by kind.
        hours: Hours, 1/10,000, by kind.
    """

    person_days: int = 0
    people: set[str] = attrs.field(factory=set)
    counts: dict[tuple[str, str], int] = attrs.field(factory=dict)
    points: dict[str, int] = attrs.field(factory=dict)
    hours: dict[str, int] = attrs.field(factory=dict)

    def active(self, kinds: Sequence[str]) -> set[str]:
        """Those of the people with at least one activity of the kinds; of any without kinds."""
        found = {person for person, kind in self.counts if not kinds or kind in kinds}
        return found & self.people

    def total(self, source: str, kinds: Sequence[str]) -> Fraction:
        """Points, activities or hours of the kinds; of all without kinds."""
        if source == "activities-per-head":
            counts = (n for (_, kind), n in self.counts.items() if not kinds or kind in kinds)
            return Fraction(sum(counts))
        amounts = self.hours if source == "hours-per-head" else self.points
        units = sum(units for kind, units in amounts.items() if not kinds or kind in kinds)
        return Fraction(units, SCALE)


@attrs.frozen
class Basis:
    """What the results of the units of a group rest on.

    Attributes:
        units: The units, in the order of the rulebook.
        scores: Scores by unit and element, in order of position.
        tasks: Tasks by unit, in order of code.
        tallies: What people did, by unit.
        days: Days of the period.
    """

    units: tuple[str, ...]
    scores: Mapping[tuple[str, str], Sequence[Score]]
    tasks: Mapping[str, Sequence[TaskResult]]
    tallies: Mapping[str, Tally]
    days: int


@attrs.frozen
class Finding:
    """The result of an element for a unit, and why.

    Attributes:
        result: 0 to 100.
        reason: The arithmetic, in Korean and English.
        missing: Whether something it should rest on is missing, wholly or partly.
        facts: Positions of the scores or measurements it rests on.
        amount: What was measured, in all or a head: points, activities or hours; else ``None``.
    """

    result: Fraction
    reason: Label
    missing: bool = False
    facts: tuple[int, ...] = ()
    amount: Fraction | None = None


def shown(amount: Fraction) -> str:
    """Write an amount as people read it, rounded half up to 1/10,000."""
    return format_amount(rounded(amount * SCALE))


def measure(basis: Basis, element: Element) -> dict[str, Finding]:
    """The result of an element for every unit of a group."""
    match element.source:
        case "scores":
            return {unit: _scores(basis, element, unit) for unit in basis.units}
        case "task-achievement":
            return {unit: _achievement(basis, element, unit) for unit in basis.units}
        case "participation":
            return {unit: _participation(basis, element, unit) for unit in basis.units}
        case "points":
            return _in_all(basis, element)
        case _:
            return _per_head(basis, element)


def _scores(basis: Basis, element: Element, unit: str) -> Finding:
    scores = basis.scores.get((unit, element.id), ())
    if not scores:
        return Finding(
            Fraction(0), Label("평가 점수 없음: 0", "no score was given: 0"), missing=True
        )
    mean = Fraction(sum(each.score for each in scores), len(scores) * SCALE)
    marks = " + ".join(format_amount(each.score) for each in scores)
    count = len(scores)
    sum_ = f"({marks}) ÷ {count}" if count > 1 else marks
    equals = f"{sum_} = {shown(mean)}" if count > 1 else sum_
    reason = Label(
        f"평가위원 {count}명의 평균: {equals}",
        f"mean of {count} evaluator{'s'[: count != 1]}: {equals}",
    )
    return Finding(mean, reason, facts=tuple(each.position for each in scores))


def _achievement(basis: Basis, element: Element, unit: str) -> Finding:
    tasks = [task for task in basis.tasks.get(unit, ()) if element.origin in (None, task.origin)]
    if not tasks:
        return Finding(Fraction(0), Label("과제 없음: 0", "no task: 0"), missing=True)
    mean = Fraction(sum(min(task.percent or 0, 100) for task in tasks), len(tasks))

    def arithmetic(unmeasured: str) -> str:
        parts = " + ".join(f"{task.task} {_percent(task, unmeasured)}" for task in tasks)
        return f"({parts}) ÷ {len(tasks)} = {shown(mean)}" if len(tasks) > 1 else parts

    reason = Label(
        f"과제 {len(tasks)}건의 달성도 평균(%): {arithmetic('미측정 0')}",
        f"mean achievement of {len(tasks)} task{'s'[: len(tasks) != 1]} (%):"
        f" {arithmetic('not measured 0')}",
    )
    missing = any(task.percent is None for task in tasks)
    return Finding(mean, reason, missing, tuple(task.position for task in tasks))


def _percent(task: TaskResult, unmeasured: str) -> str:
    if task.percent is None:
        return unmeasured
    return f"{task.percent} → 100" if task.percent > 100 else str(task.percent)  # noqa: PLR2004


_NOBODY = Label("근무한 사람 없음: 0", "nobody served: 0")


def _participation(basis: Basis, element: Element, unit: str) -> Finding:
    tally = basis.tallies[unit]
    people, active = len(tally.people), len(tally.active(element.activities))
    if not people:
        return Finding(Fraction(0), _NOBODY, missing=True)
    result = FULL * active / people
    reason = Label(
        f"근무한 {people:,}명 중 활동한 사람 {active:,}명: {active:,} ÷ {people:,} ="
        f" {shown(result)} %",
        f"{active:,} of the {people:,} people who served took part: {active:,} ÷ {people:,} ="
        f" {shown(result)} %",
    )
    return Finding(result, reason)


_MEASURES: Mapping[str, Callable[[str], Label]] = {
    "points-per-head": lambda n: Label(f"{n}점", f"{n} points"),
    "activities-per-head": lambda n: Label(f"{n}건", f"{n} activities"),
    "hours-per-head": lambda n: Label(f"{n}시간", f"{n} hours"),
}


def _in_all(basis: Basis, element: Element) -> dict[str, Finding]:
    """Points of everybody together; the best unit of the group has 100."""
    totals = {
        unit: basis.tallies[unit].total(element.source, element.activities) for unit in basis.units
    }
    best = max(totals.values(), default=Fraction(0))
    leader = next((unit for unit, total in totals.items() if total == best), "")
    found = {}
    for unit, total in totals.items():
        result = FULL * total / best if best > 0 else Fraction(0)
        points, top, part = shown(total), shown(best), shown(result)
        reason = Label(
            f"합계 {points}점; 최고 {top}점({leader}) 대비 {part} %",
            f"{points} points in all; {part} % of the best, {top} points ({leader})",
        )
        found[unit] = Finding(result, reason, amount=total)
    return found


def _per_head(basis: Basis, element: Element) -> dict[str, Finding]:
    """Amounts a head, by the head-count of each day; the best unit of the group has 100."""
    totals = {
        unit: basis.tallies[unit].total(element.source, element.activities) for unit in basis.units
    }
    heads = {
        unit: totals[unit] * basis.days / days
        for unit in basis.units
        if (days := basis.tallies[unit].person_days)
    }
    best = max(heads.values(), default=Fraction(0))
    leader = next((unit for unit, head in heads.items() if head == best), "")
    found = {}
    for unit in basis.units:
        if unit not in heads:
            found[unit] = Finding(Fraction(0), _NOBODY, missing=True)
            continue
        result = FULL * heads[unit] / best if best else Fraction(0)
        total = _MEASURES[element.source](shown(totals[unit]))
        head = _MEASURES[element.source](shown(heads[unit]))
        top = _MEASURES[element.source](shown(best))
        days = basis.tallies[unit].person_days
        found[unit] = Finding(
            result,
            Label(
                f"{total.ko} × {basis.days:,}일 ÷ {days:,}인일 = 1인당 {head.ko};"
                f" 최고 {top.ko}({leader}) 대비 {shown(result)} %",
                f"{total.en} × {basis.days:,} days ÷ {days:,} person-days = {head.en} a head;"
                f" {shown(result)} % of the best, {top.en} ({leader})",
            ),
            amount=heads[unit],
        )
    return found
