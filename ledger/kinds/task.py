"""Innovation tasks, the 17 common ones and the agency's own (공통혁신과제, 부처고유과제)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

import attrs
from mileage.ledger.errors import Refused
from mileage.ledger.fields import Choice, Code, Day, Label, Person, Share, Shares, Text, Unit, Whole

from .registry import Activity, Context, Data, Programme, kind, kinds

if TYPE_CHECKING:
    from mileage.ledger.facts import Command, Fact

__all__ = [
    "Task",
    "TaskAchievementMeasured",
    "TaskAssigned",
    "TaskClosed",
    "TaskContributed",
    "TaskMilestoneReached",
    "TaskReassigned",
]

ORIGINS = {
    "common": Label("공통혁신과제", "common task"),
    "own": Label("부처고유과제", "the agency's own task"),
}


@attrs.frozen
class Task:
    """State of a task.

    Attributes:
        milestones: Codes of the milestones reached.
        contributed: Codes of the contributions recorded.
        worked_on: Latest date on which something was done for it, or somebody else made to answer.
        closed_on: Date on which it was closed, if it was.
    """

    milestones: frozenset[str] = frozenset()
    contributed: frozenset[str] = frozenset()
    worked_on: date = date.min
    closed_on: date | None = None


def decide(state: Task | None, command: Command, _context: Context) -> tuple[Data, ...]:
    """Guard a task: assigned once, each milestone and contribution once, nothing after its end."""
    data = command.data
    name = f"task {data.task}"
    if isinstance(data, TaskAssigned):
        if state is not None:
            raise Refused("task.already-assigned", f"{name} is assigned already", field="task")
        if data.due_on < command.occurred_on:
            raise Refused(
                "task.due-before-assigned",
                f"{name} would be due on {data.due_on}, before it is assigned",
                field="due_on",
            )
        return (data,)
    if state is None:
        raise Refused(
            "task.unknown",
            f"{name} was never assigned",
            field="task",
            remedy="record task.assigned first",
        )
    # What was achieved may be measured afterwards; what was done is of the time before.
    if state.closed_on and not (
        isinstance(data, TaskAchievementMeasured) or command.occurred_on <= state.closed_on
    ):
        raise Refused(
            "task.already-closed", f"{name} was closed on {state.closed_on}", field="task"
        )
    match data:
        case TaskMilestoneReached(milestone=milestone) if milestone in state.milestones:
            raise Refused(
                "task.milestone-repeated",
                f"milestone {milestone} of {name} is reached already",
                field="milestone",
            )
        case TaskContributed(contribution=contribution) if contribution in state.contributed:
            raise Refused(
                "task.contribution-repeated",
                f"contribution {contribution} to {name} is recorded already",
                field="contribution",
            )
        case TaskClosed() if state.closed_on:
            raise Refused(
                "task.already-closed", f"{name} was closed on {state.closed_on}", field="task"
            )
        case TaskClosed() if command.occurred_on < state.worked_on:
            raise Refused(
                "task.closed-too-early",
                f"something is recorded of {name} on {state.worked_on}, after"
                f" {command.occurred_on}",
                field="occurred_on",
                remedy=f"date it on {state.worked_on} or later, or void what is later",
            )
        case _:
            return (data,)


def evolve(state: Task | None, fact: Fact) -> Task | None:
    """Fold one fact into a task's state."""
    data, day = fact.data, fact.occurred_on
    if isinstance(data, TaskAssigned):
        return Task(worked_on=day)
    if state is None:
        return None
    match data:
        case TaskMilestoneReached(milestone=milestone):
            state = attrs.evolve(state, milestones=state.milestones | {milestone})
        case TaskContributed(contribution=contribution):
            state = attrs.evolve(state, contributed=state.contributed | {contribution})
        case TaskClosed():
            return attrs.evolve(state, closed_on=day)
        case TaskAchievementMeasured():  # also afterwards
            return state
        case _:
            pass
    return attrs.evolve(state, worked_on=max(state.worked_on, day))


kinds.add_programme(Programme("task", Label("혁신과제", "Task"), decide=decide, evolve=evolve))

_BY_ORIGIN = {"origin": "task.assigned"}


@kind(
    "task.assigned",
    ko="혁신과제 지정",
    en="Task assigned",
    category="task",
    id_fields=("task",),
    title="title",
)
@attrs.frozen
class TaskAssigned(Data):
    """A task is given to a unit, with the director who answers for it (CPO) and a target."""

    task: Annotated[str, Code("과제", "Task")]
    title: Annotated[str, Text("제목", "Title", length_max=500)]
    origin: Annotated[str, Choice("구분", "Origin", words=ORIGINS)]
    unit: Annotated[str, Unit("주관 부서", "Unit")]
    cpo: Annotated[str, Person("과제해결 책임자", "CPO")]
    target: Annotated[str, Text("목표", "Target", length_max=500)]
    due_on: Annotated[date, Day("기한", "Due on")]


@kind(
    "task.reassigned",
    ko="혁신과제 재지정",
    en="Task reassigned",
    category="task",
    id_fields=("task",),
    identity=("task", "occurred_on"),
)
@attrs.frozen
class TaskReassigned(Data):
    """Another unit or director answers for a task from that day on, for a reason."""

    task: Annotated[str, Code("과제", "Task")]
    unit: Annotated[str, Unit("주관 부서", "Unit")]
    cpo: Annotated[str, Person("과제해결 책임자", "CPO")]
    reason: Annotated[str, Text("사유", "Reason")]


@kind(
    "task.milestone_reached",
    ko="추진단계 달성",
    en="Milestone reached",
    category="task",
    id_fields=("task",),
    identity=("task", "milestone"),
    activity=Activity(people="contributors", conditions=_BY_ORIGIN),
)
@attrs.frozen
class TaskMilestoneReached(Data):
    """A milestone of a task is reached, by people with declared shares."""

    task: Annotated[str, Code("과제", "Task")]
    milestone: Annotated[str, Code("추진단계", "Milestone")]
    contributors: Annotated[tuple[Share, ...], Shares("기여자", "Contributors")]


@kind(
    "task.achievement_measured",
    ko="목표 달성도 측정",
    en="Achievement measured",
    category="task",
    id_fields=("task",),
    identity=("task", "occurred_on"),
)
@attrs.frozen
class TaskAchievementMeasured(Data):
    """How far the target of a task is reached, in whole percent of it, by a stated measurement."""

    task: Annotated[str, Code("과제", "Task")]
    achieved_percent: Annotated[int, Whole("달성도(%)", "Achieved (%)", least=0, most=1_000)]
    measured_by: Annotated[str, Text("측정 출처", "Source of the measurement", length_max=200)]


@kind(
    "task.contributed",
    ko="과제 기여",
    en="Contributed to a task",
    category="task",
    id_fields=("task",),
    identity=("task", "contribution"),
    activity=Activity(people="contributors", conditions=_BY_ORIGIN),
)
@attrs.frozen
class TaskContributed(Data):
    """People contribute to a task, with declared shares."""

    task: Annotated[str, Code("과제", "Task")]
    contribution: Annotated[str, Code("기여", "Contribution")]
    contributors: Annotated[tuple[Share, ...], Shares("기여자", "Contributors")]
    description: Annotated[str, Text("내용", "Description", length_max=500)]


@kind("task.closed", ko="혁신과제 종료", en="Task closed", category="task", id_fields=("task",))
@attrs.frozen
class TaskClosed(Data):
    """A task ends; its achievement may still be measured."""

    task: Annotated[str, Code("과제", "Task")]
