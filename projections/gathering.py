"""What counts for the units of an evaluation, gathered from the ledger and the figures."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import attrs
from mileage.ledger import to_units
from mileage.ledger.kinds.evaluation import EvaluationUnitScored
from mileage.ledger.kinds.task import (
    TaskAchievementMeasured,
    TaskAssigned,
    TaskClosed,
    TaskReassigned,
)

from .days import day_number, day_of
from .measures import Basis, Score, Tally, TaskResult
from .standing import POSTING_STANDS
from .structure import Homes, Service, Structure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mileage.ledger import Recorded

    from .evaluations import EvaluationStatus
    from .figures import Figures
    from .rulebook import Group

__all__ = ["Gathered"]

_ONE_DAY = timedelta(days=1)


@attrs.define
class _Task:
    """A task as it was assigned, and what is known of it since.

    Attributes:
        origin: ``common`` or ``own``.
        assigned_on: Date of the assignment.
        position: Position of the assignment.
        led_by: Unit and director that answer for it, and since when.
        closed_on: Date of its end, if it ended.
        measured: Date, position and percent of the latest measurement.
    """

    origin: str
    assigned_on: date
    position: int
    led_by: tuple[str, str, date]
    closed_on: date | None = None
    measured: tuple[date, int, int] | None = None

    def lead(self, unit: str, director: str, day: date) -> None:
        """Keep the latest of those who answer for it."""
        if day >= self.led_by[2]:
            self.led_by = (unit, director, day)

    def note(self, day: date, position: int, percent: int) -> None:
        """Keep the latest measurement."""
        if self.measured is None or (day, position) > self.measured[:2]:
            self.measured = (day, position, percent)

    def result(self, task: str) -> TaskResult:
        """How far it has come."""
        if self.measured is None:
            return TaskResult(task, self.origin, None, self.position)
        _, position, percent = self.measured
        return TaskResult(task, self.origin, percent, position)


@attrs.define
class Gathered:
    """Everything that counts in the period, as it is found in the ledger and the figures.

    Attributes:
        facts: Standing facts about evaluations, units and tasks.
        figures: The figures.
        status: The evaluation.
        last: Last day that is counted.
        structure: The units.
        service: Where everybody serves.
        scores: Scores by unit and element.
        tasks: Tasks of the period, by code.
        done: Activities added up, by person, unit and kind, and the days between which they lie.
    """

    facts: Sequence[Recorded]
    figures: Figures
    status: EvaluationStatus
    last: date
    structure: Structure
    service: Service
    scores: dict[tuple[str, str], list[Score]] = attrs.field(init=False)
    tasks: dict[str, _Task] = attrs.field(init=False)
    done: Sequence[tuple[str, str | None, str, date, int, int, int]] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.scores = _scores(self.facts, self.status.evaluation)
        self.tasks = _tasks(self.facts, self.status, self.last)
        self.done = _activities(self.figures, self.status.starts_on, self.last, self._ends())

    def _ends(self) -> list[date]:
        """Days in the period on which units ended."""
        ends = {life.ended_on for life in self.structure.units.values() if life.ended_on}
        return sorted(day for day in ends if self.status.starts_on < day <= self.last)

    def basis(self, group: Group, groups: Sequence[Group]) -> Basis:
        """What the results of the units of a group rest on."""
        units = tuple(unit for unit in group.units if self.structure.stands(unit, self.last))
        listed = frozenset(unit for each in groups for unit in each.units)
        own = frozenset(group.units)
        homes = Homes(self.structure, self.service, own, listed - own, self.last)
        tasks: dict[str, list[TaskResult]] = {}
        for name, task in sorted(self.tasks.items()):
            unit, director, since = task.led_by
            if home := homes.of(director, unit, since):
                tasks.setdefault(home, []).append(task.result(name))
        return Basis(
            units=units,
            scores=self.scores,
            tasks=tasks,
            tallies=self._tallies(units, homes),
            days=(self.last - self.status.starts_on).days + 1,
        )

    def _tallies(self, units: Sequence[str], homes: Homes) -> dict[str, Tally]:
        tallies = {unit: Tally() for unit in units}
        for person, unit, since, days in self._service():
            if home := homes.of(person, unit, since):
                tallies[home].person_days += days
                tallies[home].people.add(person)
        for person, unit, kind, day, count, points, hours in self.done:
            if home := homes.of(person, unit, day):
                tally = tallies[home]
                tally.counts[person, kind] = tally.counts.get((person, kind), 0) + count
                tally.points[kind] = tally.points.get(kind, 0) + points
                tally.hours[kind] = tally.hours.get(kind, 0) + hours
        return tallies

    def _service(self) -> Iterator[tuple[str, str | None, date, int]]:
        """Person, unit, first day and number of days of service, never across a unit's end."""
        start, end = self.status.starts_on, self.last + _ONE_DAY
        cuts = self._ends()
        for person, stays in self.service.stays.items():
            for stay in stays:
                since, until = max(stay.since, start), min(stay.until, end)
                if stay.status != "serving" or since >= until:
                    continue
                edges = [since, *(day for day in cuts if since < day < until), until]
                for first, after in pairwise(edges):
                    yield person, stay.unit, first, (after - first).days


def _scores(facts: Iterable[Recorded], evaluation: str) -> dict[tuple[str, str], list[Score]]:
    scores: dict[tuple[str, str], list[Score]] = {}
    for item in facts:
        match item.fact.data:
            case EvaluationUnitScored(evaluation=name, unit=unit, element=element, score=score):
                if name == evaluation:
                    given = Score(item.position, to_units(score))
                    scores.setdefault((unit, element), []).append(given)
            case _:
                pass
    return scores


def _tasks(facts: Iterable[Recorded], status: EvaluationStatus, last: date) -> dict[str, _Task]:
    """The tasks that ran in the period; measured up to the closing of the evaluation."""
    tasks: dict[str, _Task] = {}
    for item in facts:
        data, day = item.fact.data, item.fact.occurred_on
        match data:
            case TaskAssigned(task=name):
                tasks[name] = _Task(data.origin, day, item.position, (data.unit, data.cpo, day))
            case TaskReassigned(task=name) if name in tasks and day <= last:
                tasks[name].lead(data.unit, data.cpo, day)
            case TaskAchievementMeasured(task=name, achieved_percent=percent) if name in tasks:
                if status.closed_on is None or day <= status.closed_on:
                    tasks[name].note(day, item.position, percent)
            case TaskClosed(task=name) if name in tasks:
                tasks[name].closed_on = day
            case _:
                pass
    return {
        name: task
        for name, task in tasks.items()
        if task.assigned_on <= last
        and (task.closed_on is None or task.closed_on >= status.starts_on)
    }


def _activities(
    figures: Figures, start: date, last: date, ends: Sequence[date]
) -> list[tuple[str, str | None, str, date, int, int, int]]:
    """Standing activities added up: person, unit, kind, a day, number, points, hours.

    Those before and after the end of a unit are not added together.
    """
    before = (f"p.day < {day_number(day)}" for day in ends)
    together = ", ".join(("p.person", "p.unit", "p.activity", *before))
    rows = figures.query(
        f"""
        SELECT m.person, u.unit, a.kind, min(p.day),
               count(CASE WHEN p.share > 0 THEN 1 END), sum(p.points), sum(coalesce(p.hours, 0))
        FROM postings p
        JOIN people m ON m.id = p.person
        JOIN activities a ON a.id = p.activity
        LEFT JOIN units u ON u.id = p.unit
        WHERE p.day BETWEEN ? AND ? AND {POSTING_STANDS}
        GROUP BY {together}
        """,
        (day_number(start), day_number(last)),
    )
    return [(who, unit, kind, day_of(day), *sums) for who, unit, kind, day, *sums in rows]
