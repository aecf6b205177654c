"""The money of learning clubs and study teams."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from mileage.ledger.kinds.support import ITEMS
from mileage.projections import budgets

from .base import DAY, INSTANT, Failure, command, option, pass_session
from .output import Column, Shown, show
from .questions import instant_of
from .texts import Words

if TYPE_CHECKING:
    from datetime import date, datetime

    from .session import Session
    from .texts import Bilingual

__all__ = ["budget_command"]


@command(
    "budget",
    "학습동아리·혁신 학습단 지원금의 교부·집행·반납·잔액을 비목별로 보입니다. 금액은 원입니다.",
    "Show what learning clubs and study teams were granted, spent and returned, by item, in whole"
    " won.",
    ["mileage budget", "mileage budget LC-2005-002 --as-of 2005-06-30"],
)
@click.argument("group", metavar="[GROUP]", required=False)
@option("--as-of", ko="이날 기준 [오늘]", en="As of this date  [today]", type=DAY)
@option(
    "--known-at",
    ko="이때까지 기록된 것만; 날짜는 그날 끝",
    en="Only what was recorded by then; a date means the end of that day",
    type=INSTANT,
    metavar="DATE|INSTANT",
)
@pass_session
def budget_command(  # noqa: D103 - its help is above
    session: Session,
    group: str | None,
    as_of: date | None,
    known_at: date | datetime | None,
) -> None:
    with session.ledger() as ledger:
        known = instant_of(ledger, known_at)
        lines = budgets(ledger, group, as_of=as_of, known_at=known)
    if group and not lines:
        none = Words(f"{group}: 교부된 지원금이 없습니다", f"{group}: nothing was granted")
        raise Failure(session.pick(none))
    rows = [
        {
            "group": line.group,
            "item": Shown(line.item, session.pick(_ITEMS[line.item])),
            "granted": Shown(str(line.granted), f"{line.granted:,}"),
            "spent": Shown(str(line.spent), f"{line.spent:,}"),
            "left": Shown(str(line.left), f"{line.left:,}"),
            "settled": Shown(str(line.settled).lower(), session.pick(_SETTLED[line.settled])),
        }
        for line in lines
    ]
    names = ("group", "item", "granted", "spent", "left", "settled")
    document = {"budgets": [{name: getattr(line, name) for name in names} for line in lines]}
    columns = [Column(name, number=name in {"granted", "spent", "left"}) for name in names]
    none = Words("교부된 지원금이 없습니다.", "No support was granted.")
    left = sum(line.left for line in lines)
    show(session, document, columns, rows, empty=none)
    if lines and session.format == "table":
        session.note(f"잔액 합계 {left:,}원", f"{left:,} won left in all")


_SETTLED = {True: Words("정산", "settled"), False: Words("", "")}
_ITEMS: dict[str, Bilingual] = {**ITEMS, "returned": Words("반납", "returned")}
