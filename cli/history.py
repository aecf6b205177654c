"""Facts as they were recorded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
from mileage.ledger import history
from mileage.ledger.facts import format_instant

from .base import POSITIVE, Failure, command, option, pass_session
from .facts import data_text, fact_json, local_time
from .output import Column, Shown, show
from .questions import instant_of, question
from .texts import Words, pick

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from mileage.ledger import HistoryLine

    from .questions import Question
    from .session import Session

__all__ = ["history_command"]


@command(
    "history",
    "기록된 그대로의 내력을 보입니다.\n\nTHING은 proposal:2005-0012 같은 대상, 사람의 식별자, 또는"
    " '#1234' 같은 기록 번호입니다. 없으면 원장 전체입니다. 사람의 식별자로는 그 사람을 적은"
    " 기록만 나오고, 그 뒤의 채택이나 수상은 대상의 내력에 있습니다.",
    "Show facts as they were recorded, voided ones marked.\n\nTHING is a thing such as"
    " proposal:2005-0012, a person's id, or a position such as '#1234'. Without it, all facts."
    " A person's id lists only the facts that name the person; what became of a proposal is in the"
    " proposal's own history.",
    [
        "mileage history proposal:2005-0012",
        "mileage history P00001 --known-at 2005-06-30",
        "mileage history --last 20",
    ],
)
@click.argument("thing", metavar="[THING]", required=False)
@option("--last", ko="마지막 몇 개만", en="Only the last so many", type=POSITIVE, metavar="N")
@question(period=False)
@pass_session
def history_command(  # noqa: D103 - its help is above
    session: Session,
    thing: str | None,
    last: int | None,
    question: Question,
) -> None:
    with session.ledger() as ledger:
        known = instant_of(ledger, question.known_at)
        lines = history(ledger, **_asked_for(thing), as_of=question.as_of, known_at=known)
        zone = ledger.time_zone
    if thing and not lines:
        raise Failure(
            session.pick(
                Words(
                    f"{thing}: 기록이 없습니다 (대상은 proposal:2005-0012, 기록 번호는 '#1234')",
                    f"{thing}: nothing is recorded of it"
                    " (a thing is written proposal:2005-0012, a position '#1234')",
                )
            )
        )
    lines = lines[-last:] if last else lines
    document = {
        "thing": thing,
        "facts": [
            {**fact_json(line.position, line.fact), "voided_by": line.voided_by} for line in lines
        ],
    }
    columns = [
        Column("position", number=True),
        Column("occurred_on"),
        Column("kind", wraps=True),
        Column("thing", wraps=True),
        Column("data", wraps=True),
        Column("voided_by", number=True),
        Column("recorded_at", optional=True),
        Column("recorded_by", wraps=True, optional=True),
        Column("source", wraps=True, optional=True),
        Column("key", wraps=True, optional=True),
    ]
    show(session, document, columns, [_row(session, line, zone) for line in lines])


def _asked_for(thing: str | None) -> dict[str, Any]:
    """Tell a position, a thing and a person apart."""
    if thing is None:
        return {}
    if thing.startswith("#") and thing[1:].isdecimal() and len(thing) < 20:  # noqa: PLR2004 - fits an integer
        return {"position": int(thing[1:])}
    return {"thing": thing} if ":" in thing else {"person": thing}


def _row(session: Session, line: HistoryLine, zone: ZoneInfo) -> dict[str, Any]:
    fact = line.fact
    said = fact_json(line.position, fact)["data"]
    return {
        "position": line.position,
        "occurred_on": fact.occurred_on.isoformat(),
        "kind": Shown(fact.kind.name, pick(fact.kind.label, session.lang)),
        "thing": fact.originator_id,
        "data": Shown(json.dumps(said, ensure_ascii=False), data_text(fact, session.lang)),
        "voided_by": line.voided_by,
        "recorded_at": Shown(format_instant(fact.recorded_at), local_time(fact, zone)),
        "recorded_by": fact.recorded_by,
        "source": fact.source,
        "key": fact.key,
    }
