"""Annual learning plans of the learning officer: targets per unit and measure (학습계획)."""

from __future__ import annotations

from datetime import date  # noqa: TC003 - read at run time by the declaration
from decimal import Decimal  # noqa: TC003 - read at run time by the declaration
from typing import TYPE_CHECKING, Annotated

import attrs
from mileage.ledger.errors import Refused
from mileage.ledger.fields import Amount, Choice, Code, Day, Label, Person, Text, Unit

from .registry import Context, Data, Programme, kind, kinds

if TYPE_CHECKING:
    from mileage.ledger.facts import Command, Fact

__all__ = [
    "MEASURES",
    "LearningPlan",
    "LearningPlanAdopted",
    "LearningPlanEnded",
    "LearningPlanTargetSet",
]

MEASURES = {
    "hours": Label("학습시간", "hours of learning"),
    "hours_per_head": Label("1인당 학습시간", "hours of learning per head"),
    "people": Label("학습 참여 인원", "people who learned"),
    "participation": Label("학습 참여율(%)", "people who learned, percent"),
    "courses_completed": Label("교육 수료", "courses completed"),
    "sessions_held": Label("학습모임 개최", "sessions held"),
    "sessions_attended": Label("학습모임 참석", "sessions attended"),
}
"""What a target can be set for.

Learning is to attend a course, or a session of a learning club or study team.

- ``hours``: hours attended, of all people together.
- ``hours_per_head``: those hours, divided by the head count.
- ``people``: different people who learned.
- ``participation``: those people in percent of the head count.
- ``courses_completed``: completions of courses, one for each person and course.
- ``sessions_held``: sessions of clubs and teams in which somebody of the unit took part.
- ``sessions_attended``: attendances of such sessions, one for each person and session.
"""
_COUNTED = ("people", "courses_completed", "sessions_held", "sessions_attended")


@attrs.frozen
class LearningPlan:
    """State of a learning plan.

    Attributes:
        ends_on: Last day of the plan.
        last_on: Latest date on which it was adopted or a target was set.
        ended_on: Date on which it was ended, if it was.
    """

    ends_on: date
    last_on: date
    ended_on: date | None = None


def decide(state: LearningPlan | None, command: Command, _context: Context) -> tuple[Data, ...]:
    """Guard a learning plan: adopted once, targets set until its last day, ended once."""
    data = command.data
    name = f"learning plan {data.plan}"
    if isinstance(data, LearningPlanAdopted):
        if state is not None:
            reason = f"{name} is adopted already"
            raise Refused("learning_plan.already-adopted", reason, field="plan")
        _check_days(data, command.occurred_on, name)
        return (data,)
    if state is None:
        raise Refused(
            "learning_plan.unknown",
            f"{name} was never adopted",
            field="plan",
            remedy="record learning_plan.adopted first",
        )
    if isinstance(data, LearningPlanTargetSet):
        _check_target(state, command, name)
    elif state.ended_on:
        reason = f"{name} was ended on {state.ended_on}"
        raise Refused("learning_plan.already-ended", reason, field="plan")
    elif command.occurred_on < state.last_on:
        raise Refused(
            "learning_plan.ended-too-early",
            f"a target of {name} was set on {state.last_on}, after {command.occurred_on}",
            field="occurred_on",
            remedy=f"date it on {state.last_on} or later, or void what is later",
        )
    elif command.occurred_on > state.ends_on:
        raise Refused(
            "learning_plan.over-already",
            f"the last day of {name} is {state.ends_on}: it is over on {command.occurred_on}",
            field="occurred_on",
            remedy="a plan that runs to its last day needs no end",
        )
    return (data,)


def _check_days(data: LearningPlanAdopted, day: date, name: str) -> None:
    if data.ends_on < data.starts_on:
        raise Refused(
            "learning_plan.ends-before-start",
            f"{name} would end on {data.ends_on}, before it starts on {data.starts_on}",
            field="ends_on",
        )
    if data.ends_on < day:
        raise Refused(
            "learning_plan.adopted-too-late",
            f"{name} ends on {data.ends_on}, before it is adopted on {day}",
            field="occurred_on",
            remedy="give the date on which it was decided",
        )


def _check_target(state: LearningPlan, command: Command, name: str) -> None:
    data = command.data
    last = min(filter(None, (state.ended_on, state.ends_on)))
    if command.occurred_on > last:
        raise Refused(
            "learning_plan.target-too-late",
            f"the last day of {name} is {last}: no target is set afterwards",
            field="occurred_on",
        )
    if not data.goal:
        raise Refused(
            "learning_plan.target-of-nothing", "a target must be more than 0", field="goal"
        )
    if data.measure in _COUNTED and data.goal % 1:
        raise Refused(
            "learning_plan.not-whole",
            f"{data.measure} are counted: {data.goal} is no whole number",
            field="goal",
        )


def evolve(state: LearningPlan | None, fact: Fact) -> LearningPlan | None:
    """Fold one fact into a learning plan's state."""
    match fact.data:
        case LearningPlanAdopted(ends_on=ends_on):
            return LearningPlan(ends_on, fact.occurred_on)
        case LearningPlanTargetSet() if state:
            return attrs.evolve(state, last_on=max(state.last_on, fact.occurred_on))
        case LearningPlanEnded() if state:
            return attrs.evolve(state, ended_on=fact.occurred_on)
        case _:
            return state


kinds.add_programme(
    Programme("learning_plan", Label("학습계획", "Learning plan"), decide=decide, evolve=evolve)
)


@kind(
    "learning_plan.adopted",
    ko="학습계획 채택",
    en="Learning plan adopted",
    category="learning_plan",
    id_fields=("plan",),
    title="title",
)
@attrs.frozen
class LearningPlanAdopted(Data):
    """A learning plan of the learning officer (학습담당관) is adopted, for the days it covers."""

    plan: Annotated[str, Code("학습계획", "Plan")]
    title: Annotated[str, Text("제목", "Title", length_max=500)]
    officer: Annotated[str, Person("학습담당관", "Learning officer")]
    starts_on: Annotated[date, Day("시작일", "Starts on")]
    ends_on: Annotated[date, Day("종료일", "Ends on")]


@kind(
    "learning_plan.target_set",
    ko="학습목표 설정",
    en="Learning target set",
    category="learning_plan",
    id_fields=("plan",),
    identity=("plan", "unit", "measure", "occurred_on"),
)
@attrs.frozen
class LearningPlanTargetSet(Data):
    """A unit, with the units below it, gets a target; a later one takes its place."""

    plan: Annotated[str, Code("학습계획", "Plan")]
    unit: Annotated[str, Unit("조직", "Unit")]
    measure: Annotated[str, Choice("지표", "Measure", words=MEASURES)]
    goal: Annotated[Decimal, Amount("목표값", "Goal")]


@kind(
    "learning_plan.ended",
    ko="학습계획 종료",
    en="Learning plan ended",
    category="learning_plan",
    id_fields=("plan",),
)
@attrs.frozen
class LearningPlanEnded(Data):
    """A learning plan ends on that day; what is learned afterwards does not count for it."""

    plan: Annotated[str, Code("학습계획", "Plan")]
    reason: Annotated[str, Text("사유", "Reason")]
