"""Indicators against target and the year before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from mileage.ledger import format_amount
from mileage.projections import indicators
from mileage.projections.ratios import quotient_text, rounded

from .base import Failure, command, option, pass_session
from .output import Column, Shown, show
from .questions import instant_of, question
from .texts import Words

if TYPE_CHECKING:
    from mileage.projections import IndicatorResult

    from .questions import Question
    from .session import Session

__all__ = ["indicator_json", "indicator_outcome", "indicators_command", "target_text"]

YEAR_LEAST, YEAR_MOST = 1900, 2999


@command(
    "indicators",
    "성과지표의 측정값을 목표, 전년과 견주어 보입니다.\n\n한 해의 값은 그해에 마지막으로 측정한"
    " 값입니다. 전년 대비 목표는 전년의 값에서 정확히 계산하고, 보일 때만 소수점 아래 넷째 자리로"
    " 반올림합니다. 연도 없이 INDICATOR를 주면 해마다의 값을 보입니다.",
    "Show the indicators' values against their targets and the year before.\n\nThe value of a year"
    " is the last one measured in it. A target relative to the year before is worked out exactly"
    " and rounded to four decimal places only where it is shown. With INDICATOR and no year, every"
    " year is shown.",
    [
        "mileage indicators --year 2005",
        "mileage indicators user-satisfaction",
        "mileage indicators --as-of 2005-06-30 --json",
    ],
)
@click.argument("indicator", metavar="[INDICATOR]", required=False)
@option(
    "--year",
    ko="연도 [--as-of의 해, 없으면 올해]",
    en="The year  [that of --as-of, or this year]",
    type=click.IntRange(YEAR_LEAST, YEAR_MOST),
    metavar="YEAR",
)
@question(period=False)
@pass_session
def indicators_command(
    session: Session, indicator: str | None, year: int | None, question: Question
) -> None:
    """Show indicators."""
    with session.ledger() as ledger:
        known = instant_of(ledger, question.known_at)
        if year is None and indicator is None:
            year = (question.as_of or ledger.today()).year

        def ask(year: int | None) -> list[IndicatorResult]:
            return indicators(
                ledger, year=year, indicator=indicator, as_of=question.as_of, known_at=known
            )

        found = ask(year)
        exists = found or indicator is None or ask(None)
    if not exists:
        raise Failure(
            session.pick(
                Words(
                    f"{indicator}: 이런 지표가 없습니다", f"{indicator}: there is no such indicator"
                )
            )
        )
    document = {"year": year, "indicators": [indicator_json(each) for each in found]}
    columns = [
        Column("indicator"),
        Column("title", wraps=True),
        Column("year", number=True),
        Column("value", number=True),
        Column("measured_in", wraps=True),
        Column("target", number=True),
        Column("change_asked_percent", number=True, optional=True),
        Column("outcome", wraps=True),
        Column("year_before", number=True),
        Column("change", number=True),
        Column("measured_on", optional=True),
        Column("measured_source", wraps=True, optional=True),
        Column("missing", number=True, detail=True),
        Column("better", detail=True),
        Column("change_percent", number=True, detail=True),
    ]
    rows = [_row(session, each) for each in found]
    none = Words("이 해의 지표가 없습니다.", "No indicator in this year.")
    show(session, document, columns, rows, empty=none)


def indicator_json(each: IndicatorResult) -> dict[str, Any]:
    """An indicator in a year as JSON."""
    measured, before = each.measured, each.before
    return {
        "indicator": each.indicator,
        "title": each.title,
        "measured_in": each.measured_in,
        "better": each.better,
        "year": each.year,
        "value": format_amount(measured.value) if measured else None,
        "measured_on": measured.measured_on.isoformat() if measured else None,
        "measured_source": measured.source if measured else None,
        "position": measured.position if measured else None,
        "target": None if each.target is None else format_amount(rounded(each.target)),
        "change_asked_percent": _amount(each.change_asked),
        "target_set_on": each.target_set_on.isoformat() if each.target_set_on else None,
        "reached": each.reached,
        "missing": _missing(each),
        "year_before": format_amount(before.value) if before else None,
        "change": _amount(each.change),
        "change_percent": quotient_text(100 * each.change, abs(before.value))
        if before and each.change is not None
        else None,
        "discontinued_on": each.discontinued_on.isoformat() if each.discontinued_on else None,
    }


def _missing(each: IndicatorResult) -> str | None:
    """How far a value is from its target, rounded; what is not reached never rounds to 0."""
    if each.missing is None:
        return None
    return format_amount(max(rounded(each.missing), 0 if each.reached else 1))


def _amount(units: int | None) -> str | None:
    return None if units is None else format_amount(units)


def _row(session: Session, each: IndicatorResult) -> dict[str, Any]:
    found = indicator_json(each)
    code = {True: "reached", False: "missed", None: ""}[each.reached]
    change = found["change"]
    return {
        **found,
        "outcome": Shown(code, session.pick(indicator_outcome(each))),
        "change": change and Shown(change, f"+{change}" if (each.change or 0) > 0 else change),
    }


def indicator_outcome(each: IndicatorResult) -> Words:
    """Whether an indicator reached its target, and how far it is from it, in words."""
    if each.measured is None:
        return Words("측정 전", "not measured")
    if each.missing is None:
        if each.target_set_on:
            return Words("전년 값 없음", "no value the year before")
        return Words("목표 없음", "no target")
    if each.reached:
        return Words("달성", "reached")
    short = _missing(each)
    return (
        Words(f"{short} 미달", f"{short} short")
        if each.better == "higher"
        else Words(f"{short} 초과", f"{short} above")
    )


def target_text(each: IndicatorResult) -> str:
    """The target as people read it: rounded, with the change it asks for where it is one."""
    value = "" if each.target is None else format_amount(rounded(each.target))
    if each.change_asked is None:
        return value
    sign = "+" if each.change_asked > 0 else ""
    return f"{value} ({sign}{format_amount(each.change_asked)} %)".strip()
