"""Closing of periods: closed, reopened, and what became of them since."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
from mileage.ledger import format_amount
from mileage.projections import MAIN_ACCOUNT, Period, ReadModel, closed_periods

from .base import DAY, Failure, command, option, pass_session
from .facts import fact_json, print_recorded
from .figures import follow
from .output import Column, show
from .questions import asked, question
from .texts import Words

if TYPE_CHECKING:
    from datetime import date

    from mileage.ledger import Ledger, Recorded

    from .questions import Question
    from .session import Session

__all__ = ["close_command", "periods_command", "reopen_command"]


@command(
    "close",
    "기간을 마감합니다. 공표한 그 기간의 점수는 그 뒤로 바뀌지 않습니다.\n\n마감 뒤에 알려진 일,"
    " 취소, 규칙 변경이 바꾸는 것은 열려 있는 첫날에 차액으로 올립니다. 기간은 차례로, 끝난 뒤에"
    " 마감합니다.",
    "Close a period: what was published of it stays as it was.\n\nWhat becomes known later, voids"
    " and changed rules are posted as differences on the first day that is open. Periods are closed"
    " in order, and after their end.",
    ["mileage close 2005", "mileage close 2006-Q1 --on 2006-04-10"],
    tabular="json",
    by=True,
)
@click.argument("period", metavar="PERIOD")
@option("--on", ko="마감일 [오늘]", en="Date  [today]", type=DAY)
@pass_session
def close_command(session: Session, period: str, *, on: date | None) -> None:  # noqa: D103
    with session.ledger() as ledger, ReadModel(ledger) as model:
        _check_period(period)

        def check() -> None:
            if model.exists and int(model.figures().meta()["pending_rulebook"]):
                waits = Words(
                    "채택한 규칙집이 아직 점수에 없습니다: `mileage rebuild` 뒤에 마감하십시오",
                    "an adopted rulebook is not in the figures yet: close after `mileage rebuild`",
                )
                raise Failure(session.pick(waits))

        recorded = ledger.close_period(period, on=on or ledger.today(), by=session.by, check=check)
        _tell(session, ledger, recorded)


@command(
    "reopen",
    "마지막에 마감한 기간을 다시 엽니다. 사유와 다른 사람의 승인이 있어야 합니다.\n\n그 기간의"
    " 점수는 다시 기록과 규칙을 따르고, 그 뒤에 올린 차액은 제 날짜로 돌아갑니다.",
    "Open the period closed last again, with a reason and another person's approval.\n\nIts figures"
    " follow the facts and rules again, and differences posted since go back to their own days.",
    ['mileage reopen 2005 --approved-by director-1 --reason "심사 결과 정정"'],
    tabular="json",
    by=True,
)
@click.argument("period", metavar="PERIOD")
@option("--approved-by", ko="승인한 사람", en="Who approved it", metavar="ID", required=True)
@option("--reason", ko="사유", en="Why", required=True)
@option("--on", ko="날짜 [오늘]", en="Date  [today]", type=DAY)
@pass_session
def reopen_command(  # noqa: D103 - its help is above
    session: Session, period: str, *, approved_by: str, reason: str, on: date | None
) -> None:
    with session.ledger() as ledger:
        _check_period(period)
        recorded = ledger.reopen_period(
            period,
            on=on or ledger.today(),
            by=session.by,
            approved_by=approved_by,
            reason=reason,
        )
        _tell(session, ledger, recorded)


def _check_period(period: str) -> None:
    try:
        span = Period.parse(period)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if span.kind == "lifetime":
        raise click.UsageError(
            "all is no period that can be closed: write 2005, 2005-Q3 or 2005-03"
        )


def _tell(session: Session, ledger: Ledger, recorded: Recorded) -> None:
    if session.format == "json":
        fact = fact_json(recorded.position, recorded.fact)
        document = {"new": recorded.new, "fact": fact}
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        print_recorded(session, ledger, recorded)
    follow(session, ledger)


@command(
    "periods",
    "마감한 기간을 차례로 보입니다: 언제 누가 마감했는지, 그 점수, 그 뒤에 다른 날에 올린 차액.",
    "List the periods that are closed, in order: when and by whom, the points in them, and what was"
    " posted elsewhere since.",
    ["mileage periods", "mileage periods --json"],
)
@question(period=False)
@pass_session
def periods_command(session: Session, question: Question) -> None:
    """Show closed periods."""
    with asked(session, question) as answer:
        found = [
            {
                "period": each.closing.period,
                "closed_on": each.closing.closed_on.isoformat(),
                "closed_by": each.closing.closed_by,
                "position": each.closing.position,
                "points": format_amount(each.points),
                "differences": each.differences,
                "posted_since": format_amount(each.posted_since),
            }
            for each in closed_periods(answer.ledger, answer.figures, known_at=answer.known_at)
        ]
        document: dict[str, Any] = {**answer.about(), "account": MAIN_ACCOUNT, "periods": found}
    columns = [
        *(Column(name) for name in ("period", "closed_on", "closed_by")),
        *(Column(name, number=True) for name in ("position", "points")),
        *(Column(name, number=True) for name in ("differences", "posted_since")),
    ]
    none = Words("마감한 기간이 없습니다.", "No period is closed.")
    show(session, document, columns, found, empty=none)
