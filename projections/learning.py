"""Learning plans: targets per unit and measure, and what was learned against them.

Targets are facts about plans; what was learned is asked of the read model, whole columns at once.
A posting counts for the unit in which the person served on the day, and for all units above it,
unless its fact is void or withdrawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
from mileage.ledger import MileageError, to_units
from mileage.ledger.kinds.learning_plan import (
    MEASURES,
    LearningPlanAdopted,
    LearningPlanEnded,
    LearningPlanTargetSet,
)

from .days import day_number
from .standing import POSTING_STANDS, standing_facts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date, datetime

    from mileage.ledger import Ledger, Recorded

    from .figures import Figures

__all__ = [
    "ATTENDED",
    "Plan",
    "Progress",
    "UnknownPlan",
    "learning_plan",
    "learning_plans",
    "learning_progress",
]

_KINDS = ("learning_plan.adopted", "learning_plan.target_set", "learning_plan.ended")
_SESSIONS = ("learning_club.session_held", "study_team.session_held")
ATTENDED = ("course.attended", *_SESSIONS)
"""Kinds whose hours are hours of learning; who lectures is not counted as learning."""
_UNITS = 10_000


class UnknownPlan(MileageError):
    """No standing fact adopts that learning plan."""


@attrs.frozen
class Plan:
    """A learning plan with the targets that hold.

    Attributes:
        plan: Its code.
        title: Its title.
        officer: Id of the learning officer.
        starts_on: First day, in the ledger's zone.
        ends_on: Last day it was adopted for.
        ended_on: Day on which it was ended, if it was.
        targets: Targets by unit and measure, in 1/10,000 of what the measure counts.
    """

    plan: str
    title: str
    officer: str
    starts_on: date
    ends_on: date
    ended_on: date | None
    targets: Mapping[tuple[str, str], int]

    @property
    def last_day(self) -> date:
        """The last day on which learning counts for it."""
        return min(self.ends_on, self.ended_on or self.ends_on)

    def elapsed(self, day: date) -> int:
        """How much of its days have passed by the end of a day, in 1/10,000 percent.

        Rounded down to a tenth of a percent, as what was reached is, to be held against that.
        """
        begun = self.starts_on.toordinal()
        days = max(self.last_day.toordinal() - begun + 1, 1)
        passed = min(max(day.toordinal() - begun + 1, 0), days)
        return passed * 1_000 // days * 1_000


@attrs.frozen
class Progress:
    """What a unit, with the units below it, reached of a target.

    Attributes:
        unit: Code of the unit.
        measure: One of ``MEASURES``.
        target: The target in 1/10,000; ``None`` where the unit has none.
        achieved: What was reached, in 1/10,000; per head and in percent rounded down.
    """

    unit: str
    measure: str
    target: int | None
    achieved: int

    @property
    def percent(self) -> int | None:
        """What was reached in percent of the target, in 1/10,000 percent.

        Rounded down to a tenth of a percent, so that 100 % is not shown before it is reached.
        """
        return self.achieved * 1_000 // self.target * 1_000 if self.target else None

    @property
    def missing(self) -> int | None:
        """What is missing, in 1/10,000; 0 when the target is reached."""
        return None if self.target is None else max(self.target - self.achieved, 0)


def learning_plans(
    ledger: Ledger, *, as_of: date | None = None, known_at: datetime | None = None
) -> list[Plan]:
    """All learning plans with their targets, by first day and code.

    Args:
        ledger: The ledger.
        as_of: What counted on that civil date, corrections that took effect by then included.
        known_at: Only what had been recorded by that instant.
    """
    by_plan: dict[str, list[Recorded]] = {}
    for found in standing_facts(ledger, _KINDS, as_of=as_of, known_at=known_at):
        by_plan.setdefault(found.fact.data.plan, []).append(found)
    plans = [plan for facts in by_plan.values() for plan in _plan(facts)]
    return sorted(plans, key=lambda plan: (plan.starts_on, plan.plan))


def learning_plan(
    ledger: Ledger, plan: str, *, as_of: date | None = None, known_at: datetime | None = None
) -> Plan:
    """One learning plan with its targets; see ``learning_plans``.

    Raises:
        UnknownPlan: No such plan is adopted, as far as was asked for.
    """
    plans = learning_plans(ledger, as_of=as_of, known_at=known_at)
    found = next((each for each in plans if each.plan == plan), None)
    if found is None:
        known = ", ".join(each.plan for each in plans) or "none"
        msg = f"{plan}: no such learning plan is adopted (there are: {known})"
        raise UnknownPlan(msg)
    return found


def _plan(facts: list[Recorded]) -> Iterator[Plan]:
    """The plan that facts are about, if one of them adopts it."""
    targets: dict[tuple[str, str], int] = {}
    adopted, ended_on = None, None
    # A target of a later day takes the place of an earlier one, in whatever order they came.
    for found in sorted(facts, key=lambda item: (item.fact.occurred_on, item.position)):
        match found.fact.data:
            case LearningPlanAdopted() as data:
                adopted = data
            case LearningPlanEnded():
                ended_on = found.fact.occurred_on
            case LearningPlanTargetSet(unit=unit, measure=measure, goal=goal):
                targets[unit, measure] = to_units(goal)
    if adopted:
        yield Plan(
            plan=adopted.plan,
            title=adopted.title,
            officer=adopted.officer,
            starts_on=adopted.starts_on,
            ends_on=adopted.ends_on,
            ended_on=ended_on,
            targets=targets,
        )


def learning_progress(figures: Figures, plan: Plan, day: date) -> list[Progress]:
    """What every unit reached against a plan.

    The head count is that of the people serving and not on leave on ``day``, or on the plan's last
    day if that is earlier; a unit with nobody reaches nothing per head.

    Args:
        figures: The figures, as of the day and as known at the instant of the question.
        plan: The plan, for the same day and instant.
        day: Civil date of the question.

    Returns:
        For each measure that has a target, in the order of ``MEASURES``, a line for every unit, a
        unit before those below it; also for units without a target or without activity.
    """
    measured = [name for name in MEASURES if any(of == name for _, of in plan.targets)]
    if not measured:
        return []
    learned = _learned(figures, plan)
    heads = _heads(figures, min(day, plan.last_day))
    units = _in_order(figures, {unit for unit, _ in plan.targets})
    return [
        Progress(
            unit=unit,
            measure=measure,
            target=plan.targets.get((unit, measure)),
            achieved=_achieved(measure, learned.get(unit, _Learned()), heads.get(unit, 0)),
        )
        for measure in measured
        for unit in units
    ]


@attrs.frozen
class _Learned:
    """What the people of a unit learned in a plan's days; hours in 1/10,000."""

    hours: int = 0
    people: int = 0
    courses_completed: int = 0
    sessions_held: int = 0
    sessions_attended: int = 0


def _achieved(measure: str, learned: _Learned, heads: int) -> int:
    """What was reached of a measure, in 1/10,000."""
    match measure:
        case "hours":
            return learned.hours
        case "hours_per_head":
            return learned.hours // heads if heads else 0
        case "participation":
            return learned.people * 100 * _UNITS // heads if heads else 0
        case _:
            counted: int = getattr(learned, measure)
            return counted * _UNITS


# Every unit with itself and all units below it. UNION drops what was found before, so that a unit
# entered as its own parent ends the walk.
_WITHIN = """
WITH RECURSIVE within(top, id, unit) AS (
    SELECT unit, id, unit FROM units
    UNION
    SELECT w.top, u.id, u.unit FROM within w JOIN units u ON u.parent = w.unit
)
"""

_LEARNED = """
, learned AS (
    SELECT p.unit, p.person, p.position, p.hours, a.kind
    FROM postings p JOIN activities a ON a.id = p.activity
    WHERE a.kind IN ({kinds}) AND p.day >= ? AND p.day <= ?
      AND p.share > 0 AND {stands}
)
SELECT w.top,
       coalesce(sum(l.hours), 0),
       count(DISTINCT CASE WHEN l.kind IN ({attended}) THEN l.person END),
       count(CASE WHEN l.kind = 'course.completed' THEN 1 END),
       count(DISTINCT CASE WHEN l.kind IN ({sessions}) THEN l.position END),
       count(CASE WHEN l.kind IN ({sessions}) THEN 1 END)
FROM learned l JOIN within w ON w.id = l.unit
GROUP BY w.top
"""

_HEADS = """
SELECT w.top, count(DISTINCT t.person)
FROM tenures t JOIN within w ON w.id = t.unit
WHERE t.status = 'serving' AND t.day_from <= ? AND ? < t.day_until
GROUP BY w.top
"""


def _learned(figures: Figures, plan: Plan) -> dict[str, _Learned]:
    statement = _WITHIN + _LEARNED.format(
        stands=POSTING_STANDS,
        kinds=_quoted(*ATTENDED, "course.completed"),
        attended=_quoted(*ATTENDED),
        sessions=_quoted(*_SESSIONS),
    )
    days = (day_number(plan.starts_on), day_number(plan.last_day))
    rows: list[Any] = figures.query(statement, days)
    return {unit: _Learned(*counted) for unit, *counted in rows}


def _heads(figures: Figures, day: date) -> dict[str, int]:
    return dict(figures.query(_WITHIN + _HEADS, (day_number(day),) * 2))


def _quoted(*kinds: str) -> str:
    return ", ".join(f"'{kind}'" for kind in kinds)


def _in_order(figures: Figures, targeted: set[str]) -> list[str]:
    """All units, each before those below it, by code among those beside it."""
    parents = dict(figures.query("SELECT unit, parent FROM units"))

    def path(unit: str) -> tuple[str, ...]:
        above = [unit]
        while (parent := parents.get(above[-1])) and parent not in above:
            above.append(parent)
        return tuple(reversed(above))

    return sorted(parents.keys() | targeted, key=path)
