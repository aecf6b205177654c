"""Periodic evaluation by the evaluation office (혁신발전소): opened, scored, closed, published."""

from __future__ import annotations

from datetime import date  # noqa: TC003 - read at run time by the declaration
from decimal import Decimal  # noqa: TC003 - read at run time by the declaration
from typing import TYPE_CHECKING, Annotated, Literal

import attrs
from mileage.ledger.errors import Refused
from mileage.ledger.fields import Amount, Code, Day, Label, Person, Text, Unit

from .registry import Context, Data, Programme, kind, kinds
from .unit import within

if TYPE_CHECKING:
    from mileage.ledger.facts import Command, Fact

__all__ = [
    "Evaluation",
    "EvaluationClosed",
    "EvaluationOpened",
    "EvaluationPublished",
    "EvaluationReopened",
    "EvaluationUnitScored",
]

SCORE_MAX = 100

Stage = Literal["open", "closed", "published"]


@attrs.frozen
class Evaluation:
    """State of an evaluation.

    Attributes:
        starts_on: First day of the period that is evaluated.
        ends_on: Last day of it.
        stage: ``open`` while scores are given, ``closed``, or ``published``.
        last_on: Date of the latest fact about it.
        scored: Unit, element and evaluator of every score.
    """

    starts_on: date
    ends_on: date
    stage: Stage
    last_on: date
    scored: frozenset[tuple[str, str, str]] = frozenset()


def decide(state: Evaluation | None, command: Command, context: Context) -> tuple[Data, ...]:
    """Guard an evaluation: scores while it is open, one an evaluator; then closed and published."""
    data, day = command.data, command.occurred_on
    name = f"evaluation {data.evaluation}"
    if isinstance(data, EvaluationOpened):
        _check_opening(state, data, name)
        return (data,)
    if state is None:
        raise Refused(
            "evaluation.unknown",
            f"{name} was never opened",
            field="evaluation",
            remedy="record evaluation.opened first",
        )
    if not isinstance(data, EvaluationReopened) and day < state.starts_on:
        raise Refused(
            "evaluation.not-begun",
            f"the period of {name} begins on {state.starts_on}, after {day}",
            field="occurred_on",
        )
    if isinstance(data, EvaluationUnitScored):
        _check_score(state, command, context, name)
        return (data,)
    if day < state.last_on:
        raise Refused(
            "evaluation.out-of-order",
            f"{day} is before {state.last_on}, the date of the last fact about {name}",
            field="occurred_on",
        )
    _check_stage(state, data, name)
    return (data,)


def _check_opening(state: Evaluation | None, data: EvaluationOpened, name: str) -> None:
    if state is not None:
        raise Refused("evaluation.already-opened", f"{name} is opened already", field="evaluation")
    if data.ends_on < data.starts_on:
        raise Refused(
            "evaluation.ends-before-start",
            f"the period of {name} would end on {data.ends_on}, before {data.starts_on}",
            field="ends_on",
        )


def _check_stage(state: Evaluation, data: Data, name: str) -> None:
    if isinstance(data, EvaluationClosed):
        if state.stage != "open":
            raise Refused("evaluation.already-closed", f"{name} is closed", field="evaluation")
    elif state.stage == "open":
        raise Refused(
            "evaluation.not-closed",
            f"{name} is open",
            field="evaluation",
            remedy="record evaluation.closed first",
        )
    elif isinstance(data, EvaluationPublished) and state.stage == "published":
        raise Refused("evaluation.already-published", f"{name} is published", field="evaluation")


def _check_score(state: Evaluation, command: Command, context: Context, name: str) -> None:
    data, day = command.data, command.occurred_on
    if state.stage != "open":
        raise Refused(
            "evaluation.no-more-scores",
            f"{name} is {state.stage}",
            field="evaluation",
            remedy="record evaluation.reopened first, with a reason",
        )
    if (data.evaluator is None) == (data.outside_evaluator is None):
        raise Refused(
            "evaluation.one-evaluator",
            "a score is given by one evaluator, a person of the ledger or one from outside",
            field="evaluator",
            remedy="give evaluator or outside_evaluator",
        )
    judged_on = min(day, state.ends_on)
    if not context.state(f"unit:{data.unit}").exists_on(judged_on):
        raise Refused(
            "evaluation.unit-not-there",
            f"unit {data.unit} does not exist on {judged_on}, in the period of {name}",
            field="unit",
        )
    if data.evaluator and within(
        context, context.state(f"member:{data.evaluator}").unit_on(day), data.unit
    ):
        raise Refused(
            "evaluation.own-unit",
            f"{data.evaluator} serves in {data.unit} on {day} and cannot score it",
            field="evaluator",
        )
    if _scored(data) in state.scored:
        raise Refused(
            "evaluation.score-repeated",
            f"the evaluator has scored {data.element} of {data.unit} already",
            field="element",
            remedy="void the earlier score first, if it is wrong",
        )


def _scored(data: EvaluationUnitScored) -> tuple[str, str, str]:
    evaluator = data.evaluator and f"member:{data.evaluator}"
    return data.unit, data.element, evaluator or f"outside:{data.outside_evaluator}"


def evolve(state: Evaluation | None, fact: Fact) -> Evaluation | None:
    """Fold one fact into an evaluation's state."""
    data = fact.data
    if isinstance(data, EvaluationOpened):
        return Evaluation(data.starts_on, data.ends_on, "open", fact.occurred_on)
    if state is None:
        return None
    state = attrs.evolve(state, last_on=max(state.last_on, fact.occurred_on))
    if isinstance(data, EvaluationUnitScored):
        return attrs.evolve(state, scored=state.scored | {_scored(data)})
    return attrs.evolve(state, stage=STAGES.get(type(data), state.stage))


kinds.add_programme(
    Programme("evaluation", Label("혁신평가", "Evaluation"), decide=decide, evolve=evolve)
)


@kind(
    "evaluation.opened",
    ko="평가 실시",
    en="Evaluation opened",
    category="evaluation",
    id_fields=("evaluation",),
    title="title",
)
@attrs.frozen
class EvaluationOpened(Data):
    """The evaluation of a period is opened, by a scheme of the rulebook."""

    evaluation: Annotated[str, Code("평가", "Evaluation")]
    title: Annotated[str, Text("제목", "Title", length_max=500)]
    starts_on: Annotated[date, Day("평가 기간 시작일", "Period starts on")]
    ends_on: Annotated[date, Day("평가 기간 종료일", "Period ends on")]
    scheme: Annotated[
        str | None,
        Code("평가 방식(규칙집의 식별자)", "Scheme (its id in the rulebook)", optional=True),
    ] = None


@kind(
    "evaluation.unit_scored",
    ko="평가 점수 부여",
    en="Unit scored",
    category="evaluation",
    id_fields=("evaluation",),
    identity=("evaluation", "unit", "element", "evaluator", "outside_evaluator"),
)
@attrs.frozen
class EvaluationUnitScored(Data):
    """An evaluator, one of the people or from outside, scores an element of a unit, 0 to 100."""

    evaluation: Annotated[str, Code("평가", "Evaluation")]
    unit: Annotated[str, Unit("피평가 조직", "Unit", ended=True)]
    element: Annotated[str, Code("평가요소", "Element")]
    score: Annotated[Decimal, Amount("점수(100점 만점)", "Score (of 100)", most=SCORE_MAX)]
    evaluator: Annotated[str | None, Person("평가위원", "Evaluator", optional=True)] = None
    outside_evaluator: Annotated[
        str | None, Code("외부 평가위원 번호", "Outside evaluator's code", optional=True)
    ] = None


@kind(
    "evaluation.closed",
    ko="평가 마감",
    en="Evaluation closed",
    category="evaluation",
    id_fields=("evaluation",),
    identity=("evaluation", "occurred_on"),
)
@attrs.frozen
class EvaluationClosed(Data):
    """No more scores are given in an evaluation."""

    evaluation: Annotated[str, Code("평가", "Evaluation")]


@kind(
    "evaluation.published",
    ko="평가 결과 공표",
    en="Evaluation published",
    category="evaluation",
    id_fields=("evaluation",),
    identity=("evaluation", "occurred_on"),
)
@attrs.frozen
class EvaluationPublished(Data):
    """The result of a closed evaluation is published, as it is known then."""

    evaluation: Annotated[str, Code("평가", "Evaluation")]


@kind(
    "evaluation.reopened",
    ko="평가 재개",
    en="Evaluation reopened",
    category="evaluation",
    id_fields=("evaluation",),
    identity=("evaluation", "occurred_on"),
)
@attrs.frozen
class EvaluationReopened(Data):
    """A closed or published evaluation is opened again, for a reason; scores can be given."""

    evaluation: Annotated[str, Code("평가", "Evaluation")]
    reason: Annotated[str, Text("사유", "Reason")]


STAGES: dict[type, Stage] = {
    EvaluationClosed: "closed",
    EvaluationPublished: "published",
    EvaluationReopened: "open",
}
"""The stage that a fact brings an evaluation to."""
