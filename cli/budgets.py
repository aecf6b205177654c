"""The money of learning clubs and study teams."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from mileage.ledger.kinds.support import ITEMS
from mileage.projections import budgets

from .base import Failure, command, pass_session
from .output import Column, Shown, show
from .questions import instant_of, question
from .texts import Words

if TYPE_CHECKING:
    from .questions import Question
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
@question(period=False)
@pass_session
def budget_command(  # noqa: D103 - its help is above
    session: Session,
    group: str | None,
    question: Question,
) -> None:
    with session.ledger() as ledger:
        known = instant_of(ledger, question.known_at)
        lines = budgets(ledger, group, as_of=question.as_of, known_at=known)
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
