"""Mileage redeemed for benefits, and awards with their certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from mileage.ledger import format_amount
from mileage.projections import ReadModel, available, awards, redeem

from .asking import labelled
from .base import DAY, command, option, pass_session
from .entitlements import NUMBER
from .facts import fact_json, print_recorded
from .figures import follow
from .output import Column, show
from .questions import asked, question
from .texts import Words

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

    from mileage.projections import AwardLine

    from .questions import Question
    from .session import Session

__all__ = ["awards_command", "redeem_command"]


@command(
    "redeem",
    "마일리지를 씁니다. 그날과 지금 가용한 점수를 넘을 수 없습니다.\n\n적립한 점수는 그대로여서"
    " 순위와 선정에는 영향이 없습니다. 되돌리려면 `mileage record redemption.reversed`.",
    "Redeem a person's points, no more than are available on that day and now.\n\nPoints earned"
    " stay earned: rankings and selections do not change. `mileage record redemption.reversed`"
    " gives them back.",
    ["mileage redeem P00001 10 --purpose 도서구입 --on 2005-11-02"],
    tabular="json",
    by=True,
)
@click.argument("person", metavar="PERSON")
@click.argument("points", metavar="POINTS", type=NUMBER)
@option("--purpose", ko="용도", en="What for", required=True)
@option("--on", ko="사용일 [오늘]", en="Date  [today]", type=DAY)
@option(
    "--redemption",
    ko="사용 번호; 같은 번호는 한 번만 [자동]",
    en="Id of the redemption; one id counts once  [made up]",
    metavar="ID",
)
@option("--source", ko="출처 [cli]", en="Where it comes from  [cli]", default="cli")
@pass_session
def redeem_command(  # noqa: PLR0913, D103 - one for each option; its help is above
    session: Session,
    person: str,
    points: Decimal,
    *,
    purpose: str,
    on: date | None,
    redemption: str | None,
    source: str,
) -> None:
    with session.ledger() as ledger, ReadModel(ledger) as model:
        recorded = redeem(
            ledger,
            model,
            person,
            points,
            purpose=purpose,
            on=on or ledger.today(),
            by=session.by,
            redemption=redemption,
            source=source,
        )
        model.catch_up()
        left = format_amount(available(model.figures(), person).left)
        if session.format == "json":
            import json  # noqa: PLC0415 - only for --json

            fact = fact_json(recorded.position, recorded.fact)
            document = {"new": recorded.new, "fact": fact, "available": left}
            click.echo(json.dumps(document, ensure_ascii=False, indent=2))
        else:
            print_recorded(session, ledger, recorded)
            session.note(f"가용 {left}점", f"{left} points left")
        follow(session, ledger)


@command(
    "awards",
    "포상과 상장을 사람별로 보입니다. 취소된 것은 취소일이 있습니다.\n\n부상은 지분으로 나눈 각자의"
    " 몫이며 원 단위입니다.",
    "List awards and their certificates, person by person; withdrawn ones have the date.\n\nA"
    " prize is each person's part by the shares, in whole won.",
    ["mileage awards --period 2005", "mileage awards --period 2005-12 --csv > certificates.csv"],
)
@question()
@pass_session
def awards_command(session: Session, question: Question) -> None:
    """Show the list of certificates."""
    with asked(session, question) as answer:
        lines = awards(answer.figures, question.period)
        names = answer.names(line.person for line in lines)
        labels = answer.figures.labels()
        found = [{**_award_json(line), "name": names.get(line.person)} for line in lines]
        document = {**answer.about(), "awards": found}
    rows = [{**row, "grade": labelled(session, row["grade"], labels)} for row in found]
    columns = [
        Column("certificate"),
        Column("award", optional=True),
        Column("title", wraps=True),
        Column("grade", wraps=True),
        Column("person"),
        Column("name", wraps=True),
        Column("share_percent", number=True, optional=True),
        Column("granted_on"),
        Column("prize", number=True),
        Column("basis", wraps=True, optional=True),
        Column("proposal", optional=True),
        Column("withdrawn_on"),
    ]
    none = Words("수여한 포상이 없습니다.", "No award was granted.")
    show(session, document, columns, rows, empty=none)


def _award_json(line: AwardLine) -> dict[str, Any]:
    withdrawn = line.withdrawn_on
    return {
        "position": line.position,
        "award": line.award,
        "title": line.title,
        "grade": line.grade,
        "certificate": line.certificate,
        "granted_on": line.granted_on.isoformat(),
        "basis": line.basis,
        "proposal": line.proposal,
        "person": line.person,
        "share_percent": format_amount(line.share),
        "prize": line.prize,
        "withdrawn_on": withdrawn.isoformat() if withdrawn else None,
    }
