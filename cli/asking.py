"""Questions about points: statement, balance, ranking, activities without points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from mileage.ledger import format_amount
from mileage.projections import MAIN_ACCOUNT, available, redemptions

from .base import COUNT, command, option, pass_session
from .output import Column, Shown, show, to_terminal
from .questions import ACCOUNT, asked, question
from .texts import Words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mileage.ledger import Label
    from mileage.projections import Ranked, RedemptionLine, StatementLine

    from .questions import Asked, Question
    from .session import Session

__all__ = [
    "balance_command",
    "labelled",
    "line_json",
    "ranking_command",
    "statement_command",
    "unrewarded_command",
]

TERMINAL_PLACES = 20
_NO_ACTIVITY = Words("활동이 없습니다.", "No activity.")


@command(
    "statement",
    "한 사람의 점수 내역을 날짜 순으로 보입니다.\n\n보상이 없는 활동과 깎인 점수도 보입니다.",
    "Show a person's points, one by one, in order of date.\n\nActivities without points and points"
    " that were taken away are shown too.",
    ["mileage statement P00001 --period 2005-H1", "mileage statement P00001 --csv > P00001.csv"],
)
@click.argument("person", metavar="PERSON")
@ACCOUNT
@question()
@pass_session
def statement_command(session: Session, person: str, account: str, question: Question) -> None:
    """Show a person's postings."""
    with asked(session, question) as answer:
        answer.check_people([person])
        kept_in = answer.account(account)
        lines = answer.figures.statement(person, question.period, account=account)
        redeemed = _redeemed(answer, person, account)
        left = _available(answer, person, account)
        name = answer.names([person]).get(person)
        total = sum(line.points for line in lines)
        told = answer.amount(kept_in, total)
        document = {
            **answer.about(),
            "person": person,
            "name": name,
            "account": account,
            "points": format_amount(total),
            "redeemed": format_amount(sum(line.points for line in redeemed)),
            "available": format_amount(left),
            "lines": [line_json(line) for line in lines],
            "redemptions": [_redemption_json(line) for line in redeemed],
        }
        labels = answer.figures.labels()
    rows = [_line_row(session, line, labels) for line in lines]
    rows += [_redemption_row(session, line) for line in redeemed]
    rows.sort(key=lambda row: (row["occurred_on"], row["position"]))
    columns = [
        Column("occurred_on"),
        Column("origin_on", detail=not any(line.adjusts for line in lines)),
        Column("position", number=True, optional=True),
        Column("activity", wraps=True),
        Column("grade", wraps=True),
        Column("thing", wraps=True, optional=True),
        Column("title", wraps=True),
        *(Column(each, detail=True) for each in ("unit", "rule", "clause")),
        *(Column(each, number=True, detail=True) for each in ("hours", "share_percent", "gross")),
        Column("cut", number=True),
        Column("points", number=True),
    ]
    span = question.period.name if question.period else None
    who = " ".join(filter(None, [person, name, span]))
    if account != MAIN_ACCOUNT:
        who = f"{who} ({session.pick(kept_in.label)})"
    if redeemed:
        amount = format_amount(left)
        told = Words(f"{told.ko}, 가용 {amount}점", f"{told.en}, {amount} available")
    title = f"{who}: {session.pick(told)}"
    show(session, document, columns, rows, title=title, empty=_NO_ACTIVITY)


def _redeemed(answer: Asked, person: str, account: str) -> list[RedemptionLine]:
    """What was redeemed in the period; there is redemption in the main account only."""
    if account != MAIN_ACCOUNT:
        return []
    return list(redemptions(answer.figures, person, answer.question.period))


def _available(answer: Asked, person: str, account: str) -> int:
    if account != MAIN_ACCOUNT:
        return answer.figures.balance(person, account=account).points
    return available(answer.figures, person).left


def line_json(line: StatementLine) -> dict[str, Any]:
    """A posting as JSON."""
    return {
        "position": line.position,
        "occurred_on": line.occurred_on.isoformat(),
        "activity": line.kind,
        "account": line.account,
        "thing": line.thing,
        "title": line.title,
        "unit": line.unit,
        "grade": line.grade,
        "hours": None if line.hours is None else format_amount(line.hours),
        "share_percent": format_amount(line.share),
        "rule": line.rule or None,
        "clause": line.clause or None,
        "when": line.when and {"ko": line.when.ko, "en": line.when.en},
        "gross": format_amount(line.gross),
        "cuts": [
            {"cause": cut.cause, "reference": cut.reference, "points": format_amount(cut.points)}
            for cut in line.cuts
        ],
        "points": format_amount(line.points),
        "adjusts": line.adjusts
        and {
            "origin_on": line.adjusts.origin_on.isoformat(),
            "before": format_amount(line.adjusts.before),
            "after": format_amount(line.adjusts.after),
            "cause": line.adjusts.cause,
            "reference": line.adjusts.reference or None,
        },
    }


def _redemption_json(line: RedemptionLine) -> dict[str, Any]:
    return {
        "position": line.position,
        "occurred_on": line.occurred_on.isoformat(),
        "redemption": line.redemption,
        "points": format_amount(line.points),
        "note": line.note,
    }


_REDEEMED = Words("마일리지 사용", "Mileage redeemed")
_GIVEN_BACK = Words("마일리지 사용 취소", "Redemption reversed")


def _redemption_row(session: Session, line: RedemptionLine) -> dict[str, Any]:
    """A redemption among the postings: what it takes is below 0."""
    given_back = line.points < 0
    kind = "redemption.reversed" if given_back else "redemption.made"
    return {
        "position": line.position,
        "occurred_on": line.occurred_on.isoformat(),
        "activity": Shown(kind, session.pick(_GIVEN_BACK if given_back else _REDEEMED)),
        "thing": f"redemption:{line.redemption}",
        "title": line.note,
        "points": format_amount(-line.points),
    }


def _line_row(session: Session, line: StatementLine, labels: Mapping[str, Label]) -> dict[str, Any]:
    cut = sum(cut.points for cut in line.cuts)
    return {
        **line_json(line),
        "activity": Shown(line.kind, session.pick(line.activity)),
        "grade": labelled(session, line.grade, labels),
        "cut": format_amount(-cut) if cut else None,
        "origin_on": line.adjusts.origin_on.isoformat() if line.adjusts else None,
    }


def labelled(session: Session, code: str | None, labels: Mapping[str, Label]) -> Shown | None:
    """A code with the name people read for it, where there is one."""
    if code is None:
        return None
    return Shown(code, session.pick(labels[code]) if code in labels else code)


@command(
    "balance",
    "사람별 점수 합계를 보입니다.\n\n사용은 기간 안의 것이고, 가용은 기간과 관계없이 적립한"
    " 모두에서 사용한 모두를 뺀 것입니다.",
    "Show what people's points add up to.\n\nWhat was redeemed is that of the period; what is"
    " available is all that was earned less all that was redeemed, whatever the period.",
    ["mileage balance P00001 P00002", "mileage balance P00001 --as-of 2005-06-30 --json"],
)
@click.argument("people", metavar="PERSON...", nargs=-1, required=True)
@ACCOUNT
@question()
@pass_session
def balance_command(
    session: Session, people: tuple[str, ...], account: str, question: Question
) -> None:
    """Show balances."""
    with asked(session, question) as answer:
        answer.check_people(people)
        answer.account(account)
        names = answer.names(people)
        units = answer.figures.unit_labels()
        found = [_balance_json(answer, person, account, names) for person in dict.fromkeys(people)]
        document = {**answer.about(), "account": account, "balances": found}
    rows = [{**row, "unit": labelled(session, row["unit"], units)} for row in found]
    columns = [
        Column("person"),
        Column("name", wraps=True),
        Column("unit", wraps=True),
        Column("rank", optional=True),
        Column("points", number=True),
        Column("activities", number=True),
        Column("rewarded", number=True),
        Column("redeemed", number=True),
        Column("available", number=True),
    ]
    show(session, document, columns, rows)


def _balance_json(
    answer: Asked, person: str, account: str, names: Mapping[str, str]
) -> dict[str, Any]:
    balance = answer.figures.balance(person, answer.question.period, account=account)
    tenure = answer.figures.tenure(person, answer.day)
    redeemed = _redeemed(answer, person, account)
    return {
        "person": person,
        "name": names.get(person),
        "unit": tenure.unit if tenure else None,
        "rank": tenure.rank if tenure else None,
        "points": format_amount(balance.points),
        "activities": balance.activities,
        "rewarded": balance.rewarded,
        "redeemed": format_amount(sum(line.points for line in redeemed)),
        "available": format_amount(_available(answer, person, account)),
    }


@command(
    "ranking",
    "점수가 많은 순서로 보입니다.\n\n점수가 같으면 순위가 같고, 끝 순위의 동점자는 모두 보입니다.",
    "Rank people by points, highest first.\n\nThose with equal points share a place; all who are"
    " tied at the last place are shown.",
    [
        "mileage ranking --period 2005 --limit 10",
        "mileage ranking --unit HQ-PLAN --as-of 2005-06-30 --csv",
    ],
)
@option(
    "--unit",
    ko="이 조직에서 한 활동만",
    en="Only what people did while in this unit",
    metavar="CODE",
)
@option(
    "--limit",
    ko=f"이 순위까지; 0은 모두 [화면에서는 {TERMINAL_PLACES}]",
    en=f"Only so many places, 0 for all  [on a terminal {TERMINAL_PLACES}]",
    type=COUNT,
    metavar="N",
)
@ACCOUNT
@question()
@pass_session
def ranking_command(
    session: Session, unit: str | None, limit: int | None, account: str, question: Question
) -> None:
    """Show the ranking."""
    shortened = limit is None and session.format == "table" and to_terminal()
    places = TERMINAL_PLACES if shortened else limit or None
    with asked(session, question) as answer:
        units = answer.figures.unit_labels()
        if unit is not None and unit not in units:
            raise click.UsageError(f"--unit {unit}: there is no such unit")
        answer.account(account)
        ranked = answer.figures.ranking(question.period, unit=unit, limit=places, account=account)
        found = _ranking_json(answer, ranked)
        document = {**answer.about(), "unit": unit, "account": account, "ranking": found}
    rows = [{**row, "unit": labelled(session, row["unit"], units)} for row in found]
    columns = [
        Column("place", number=True),
        Column("person"),
        Column("name", wraps=True),
        Column("unit", wraps=True),
        Column("points", number=True),
        Column("activities", number=True, optional=True),
    ]
    show(session, document, columns, rows, empty=_NO_ACTIVITY)
    if shortened and len(found) >= TERMINAL_PLACES:
        session.note(
            f"({TERMINAL_PLACES}위까지; 모두 보려면 --limit 0)",
            f"(the first {TERMINAL_PLACES} places; --limit 0 shows all)",
        )


def _ranking_json(answer: Asked, ranked: Sequence[Ranked]) -> list[dict[str, Any]]:
    names = answer.names(each.person for each in ranked)
    return [
        {
            "place": each.place,
            "person": each.person,
            "name": names.get(each.person),
            "unit": each.unit,
            "points": format_amount(each.points),
            "activities": each.activities,
        }
        for each in ranked
    ]


@command(
    "unrewarded",
    "보상하는 규칙이 없는 활동의 종류를 보입니다.\n\n작은 성과도 빠짐없이 보상하는지 살피는 데"
    " 씁니다.",
    "List the kinds of activity that no rule rewards.\n\nThat even a small result is"
    " rewarded can be"
    " checked with this.",
    ["mileage unrewarded --period 2005"],
)
@question()
@pass_session
def unrewarded_command(session: Session, question: Question) -> None:
    """Show what no rule rewards."""
    with asked(session, question) as answer:
        counted = answer.figures.unrewarded(question.period)
        any_activity = bool(counted) or answer.figures.any_activity(question.period)
        found = [{"activity": kind, "count": count} for kind, count in counted]
        document = {**answer.about(), "unrewarded": found}
        labels = {kind: answer.ledger.kinds.get(kind).label for kind, _ in counted}
    rows = [
        {"activity": kind, "label": session.pick(labels[kind]), "count": count}
        for kind, count in counted
    ]
    columns = [Column("activity"), Column("label"), Column("count", number=True)]
    every = (
        Words("모든 활동에 보상하는 규칙이 있습니다.", "Every activity has a rule that rewards it.")
        if any_activity
        else Words("이 기간에는 활동이 없습니다.", "There was no activity in this period.")
    )
    show(session, document, columns, rows, empty=every)
