"""Learning plans and the progress against them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from mileage.ledger import format_amount
from mileage.ledger.kinds.learning_plan import MEASURES
from mileage.projections import learning_plan, learning_plans, learning_progress

from .base import command, option, pass_session
from .output import Column, Shown, show
from .questions import asked, instant_of, question
from .texts import Words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mileage.ledger import Label
    from mileage.projections import Plan, Progress

    from .questions import Asked, Question
    from .session import Session

__all__ = ["learning_command"]


@command(
    "learning",
    "학습계획의 목표와 실적을 지표별·조직별로 보입니다.\n\n"
    "조직의 값에는 하부 조직이 포함되며, 실적은 활동한 날의 소속으로 셉니다. 1인당 시간과 참여율은"
    " 기준일(계획 기간이 지났으면 그 마지막 날)에 재직 중이고 휴직하지 않은 인원으로 나누어 소수점"
    " 넷째 자리 아래를 버리고, 달성률은 0.1% 아래를 버립니다. PLAN 없이 부르면 학습계획 목록을"
    " 보입니다.",
    "Show what was reached of a learning plan's targets, by measure and unit.\n\n"
    "A unit stands for itself and those below it; what people learn counts where they serve on that"
    " day. Hours per head and participation are divided by the people serving and not on leave on"
    " the day of the question, or on the plan's last day if that is earlier, and rounded down to"
    " four decimals; the percent reached is rounded down to 0.1. Without PLAN, the plans are"
    " listed.",
    [
        "mileage learning",
        "mileage learning LP-2005 --as-of 2005-06-30",
        "mileage learning LP-2005 --unit HQ-PLAN --csv",
    ],
)
@click.argument("plan", metavar="[PLAN]", required=False)
@option("--unit", ko="이 조직만", en="Only this unit", metavar="CODE")
@question(period=False)
@pass_session
def learning_command(
    session: Session, plan: str | None, unit: str | None, question: Question
) -> None:
    """Show the progress against a plan, or the plans."""
    if unit is not None and plan is None:
        raise click.UsageError("--unit: name the PLAN too")
    with asked(session, question) as answer:
        ledger, as_of = answer.ledger, question.as_of
        known_at = instant_of(ledger, question.known_at)
        if plan is None:
            _show_plans(answer, learning_plans(ledger, as_of=as_of, known_at=known_at))
            return
        if unit is not None and unit not in answer.figures.unit_labels():
            raise click.UsageError(f"--unit {unit}: there is no such unit")
        found = learning_plan(ledger, plan, as_of=as_of, known_at=known_at)
        lines = learning_progress(answer.figures, found, answer.day)
        _show_progress(answer, found, [line for line in lines if unit in (None, line.unit)])


def _show_plans(answer: Asked, plans: Sequence[Plan]) -> None:
    session = answer.session
    rows = []
    for plan in plans:
        lines = learning_progress(answer.figures, plan, answer.day)
        reached = sum(line.missing == 0 for line in lines)
        rows.append({**_plan_json(answer, plan), "targets": len(plan.targets), "reached": reached})
    document = {**answer.about(), "as_of": answer.day.isoformat(), "plans": rows}
    columns = [
        Column("plan"),
        Column("title", wraps=True),
        Column("starts_on"),
        Column("ends_on"),
        Column("ended_on", detail=True),
        Column("officer"),
        Column("name", optional=True),
        Column("elapsed_percent", number=True),
        Column("targets", number=True),
        Column("reached", number=True),
    ]
    none = Words("채택한 학습계획이 없습니다.", "No learning plan is adopted.")
    show(session, document, columns, rows, empty=none)


def _show_progress(answer: Asked, plan: Plan, lines: Sequence[Progress]) -> None:
    session, units = answer.session, answer.figures.unit_labels()
    found = [_progress_json(line) for line in lines]
    document = {
        **answer.about(),
        "as_of": answer.day.isoformat(),
        **_plan_json(answer, plan),
        "progress": found,
    }
    rows = [
        {
            **row,
            "measure": Shown(row["measure"], session.pick(MEASURES[row["measure"]])),
            "unit": _named(session, row["unit"], units),
        }
        for row in found
    ]
    columns = [
        Column("measure", wraps=True),
        Column("unit", wraps=True),
        *(Column(name, number=True) for name in ("target", "achieved", "percent", "missing")),
    ]
    elapsed = format_amount(plan.elapsed(answer.day))
    title = Words(
        f"{plan.title} ({plan.starts_on} ~ {plan.last_day}), {answer.day} 기준: 계획 기간의"
        f" {elapsed}% 경과",
        f"{plan.title} ({plan.starts_on} to {plan.last_day}), on {answer.day}: {elapsed}% of its"
        " days have passed",
    )
    none = Words("설정한 목표가 없습니다.", "No target is set.")
    show(session, document, columns, rows, title=session.pick(title), empty=none)


def _named(session: Session, unit: str, units: Mapping[str, Label]) -> Shown:
    """A unit by its name; figures that cannot be brought up to date may not know a new one."""
    return Shown(unit, session.pick(units[unit]) if unit in units else unit)


def _plan_json(answer: Asked, plan: Plan) -> dict[str, Any]:
    return {
        "plan": plan.plan,
        "title": plan.title,
        "officer": plan.officer,
        "name": answer.names([plan.officer]).get(plan.officer),
        "starts_on": plan.starts_on.isoformat(),
        "ends_on": plan.ends_on.isoformat(),
        "ended_on": plan.ended_on.isoformat() if plan.ended_on else None,
        "elapsed_percent": format_amount(plan.elapsed(answer.day)),
    }


def _progress_json(line: Progress) -> dict[str, Any]:
    return {
        "measure": line.measure,
        "unit": line.unit,
        "target": _amount(line.target),
        "achieved": format_amount(line.achieved),
        "percent": _amount(line.percent),
        "missing": _amount(line.missing),
    }


def _amount(units: int | None) -> str | None:
    return None if units is None else format_amount(units)
