"""Explanations: every point, and every point that did not come, with its reason."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
from mileage.ledger import format_amount
from mileage.ledger.facts import format_instant
from mileage.projections import (
    MAIN_ACCOUNT,
    eligible,
    explain_candidate,
    explain_loss,
    explain_posting,
    explain_sanction,
    explain_without_caps,
    losses,
)

from .asking import line_json
from .base import POSITIVE, command, option, pass_session
from .eligibility import amount_or_none, decision_json, decision_words, terms_json
from .output import Column, Node, print_tree, show
from .questions import asked, question
from .texts import Words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mileage.projections import Explanation, Loss, Sanction

    from .questions import Asked, Question
    from .session import Session

__all__ = ["explain_command"]


@command(
    "explain",
    "한 사람의 점수마다 그 까닭을 보입니다.\n\n기록, 규칙, 근거, 계산, 깎인 것을 모두 보입니다."
    " --programme은 그 제도에 왜 선정되었는지, 왜 안 되었는지를 보입니다.",
    "Explain a person's points, one by one.\n\nEach with its fact, rule, clause, arithmetic"
    " and what"
    " was taken away. With --programme: why the person gets into it, or not.",
    [
        "mileage explain P00001 --period 2005-03",
        "mileage explain P00001 --position 1234",
        "mileage explain P00001 --programme overseas-training --as-of 2005-12-31",
    ],
)
@click.argument("person", metavar="PERSON")
@option(
    "--position",
    ko="이 번호의 기록만",
    en="Only the fact at this position",
    type=POSITIVE,
    metavar="N",
)
@option("--programme", ko="이 제도의 선정 여부", en="Whether the person gets into it", metavar="ID")
@question()
@pass_session
def explain_command(
    session: Session,
    person: str,
    position: int | None,
    programme: str | None,
    question: Question,
) -> None:
    """Explain points or a selection."""
    if programme and (position or question.period):
        raise click.UsageError("--programme has a period of its own: no --position, no --period")
    with asked(session, question) as answer:
        answer.check_people([person])
        document = {
            **answer.about(),
            "person": person,
            "name": answer.names([person]).get(person),
        }
        root = (
            _programme(answer, document, programme)
            if programme
            else _postings(answer, document, position)
        )
    if session.format == "json":
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))
    elif session.format == "csv":
        show(session, document, [Column(name) for name in _CSV], list(_steps(session, document)))
    else:
        print_tree(root)


_CSV = (
    *("person", "name", "position", "occurred_on", "activity", "thing", "points", "rule", "clause"),
    *("step", "text"),
)


def _steps(session: Session, document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """One row for each step of each explanation."""
    language = session.lang
    for posting in document.get("postings", [document]):
        steps = posting["steps"] if "steps" in posting else [posting["reason"]]
        for number, step in enumerate(steps, 1):
            known = {name: posting.get(name) for name in _CSV} if "steps" in posting else {}
            who = {"person": document["person"], "name": document["name"]}
            yield {**known, **who, "step": number, "text": step[language]}


def _amount(answer: Asked, account: str, units: int) -> str:
    """An amount with its unit, and with the account where that is not the main one."""
    kept_in = answer.account(account)
    said = answer.session.pick(answer.amount(kept_in, units))
    return said if account == MAIN_ACCOUNT else f"{answer.session.pick(kept_in.label)} {said}"


def _who(document: dict[str, Any]) -> str:
    name = document["name"]
    return f"{document['person']} {name}" if name else str(document["person"])


def _postings(answer: Asked, document: dict[str, Any], position: int | None) -> Node:
    person, period = document["person"], answer.question.period
    lines = answer.figures.statement(person, period, position=position, account=None)
    if position is not None and not lines:
        raise click.UsageError(f"--position {position}: no activity of {person}")
    explained = [explain_posting(answer.ledger, line) for line in lines]
    sums = {
        each.account: sum(line.points for line in lines if line.account == each.account)
        for each in answer.figures.accounts()
    }
    document["points"] = format_amount(sums[MAIN_ACCOUNT])
    document["accounts"] = {name: format_amount(amount) for name, amount in sums.items()}
    document["postings"] = [_posting_json(each) for each in explained]
    who = _who(document) + (f" {period.name}" if period else "")
    told = [
        _amount(answer, each.account, sums[each.account])
        for each in answer.figures.accounts()
        if each.account == MAIN_ACCOUNT or sums[each.account]
    ]
    head = f"{who}: {', '.join(told)}"
    return Node(head, tuple(_posting_node(answer, each) for each in explained))


def _posting_json(each: Explanation) -> dict[str, Any]:
    return {
        **line_json(each.line),
        "key": each.key,
        "recorded_at": format_instant(each.recorded_at),
        "recorded_by": each.recorded_by,
        "source": each.source,
        "rulebook": each.rulebook or None,
        "rulebook_digest": each.rulebook_digest or None,
        "adopted_on": each.adopted_on.isoformat() if each.adopted_on else None,
        "steps": [{"ko": step.ko, "en": step.en} for step in each.steps],
    }


def _posting_node(answer: Asked, each: Explanation) -> Node:
    line, pick = each.line, answer.session.pick
    title = f" “{line.title}”" if line.title else ""
    head = f"{line.occurred_on}  {pick(line.activity)}  {line.thing}{title}"
    below = [pick(step) for step in each.steps]
    if line.rule_label is not None:
        below.insert(0, pick(_rule(each, pick(line.rule_label))))
    below.append(pick(_origin(answer, each)))
    said = _amount(answer, line.account, line.points)
    return Node(f"{head}: {said}", tuple(map(Node, below)))


def _rule(each: Explanation, title: str) -> Words:
    line = each.line
    return Words(
        f"규칙 ‘{title}’ ({line.rule}): {each.adopted_on} 채택한 규칙집 {each.rulebook}"
        f" (#{line.adoption})",
        f"rule '{title}' ({line.rule}) of rulebook {each.rulebook}, adopted on {each.adopted_on}"
        f" (#{line.adoption})",
    )


def _origin(answer: Asked, each: Explanation) -> Words:
    when = f"{each.recorded_at.astimezone(answer.ledger.time_zone):%Y-%m-%d %H:%M}"
    number = each.line.position
    return Words(
        f"기록 #{number}: {when} {each.recorded_by}, 출처 {each.source}",
        f"fact #{number}: recorded {when} by {each.recorded_by}, from {each.source}",
    )


def _programme(answer: Asked, document: dict[str, Any], programme: str) -> Node:
    selection = eligible(answer.figures, programme, answer.day)
    candidate = selection.of(document["person"])
    reason = explain_candidate(selection, candidate)
    document |= {
        "as_of": answer.day.isoformat(),
        **terms_json(selection),
        "outcome": candidate.outcome if candidate else "no_activity",
        "place": (candidate.place or None) if candidate else None,
        "points": format_amount(candidate.points if candidate else 0),
        "grade": candidate.grade if candidate else None,
        "value": amount_or_none(candidate.value) if candidate else None,
        "decision": decision_json(candidate.decision) if candidate else None,
        "reason": {"ko": reason.ko, "en": reason.en},
        "sanction": _sanction_json(candidate.sanction if candidate else None),
    }
    pick, terms = answer.session.pick, selection.terms
    lines = answer.figures.statement(document["person"], terms.period, account=terms.account)
    lost = losses(lines)
    document["losses"] = [_loss_json(each) for each in lost]
    below = tuple(
        Node(f"{line.occurred_on}  {pick(line.activity)}  {line.thing}: {points}")
        for line in lines
        if (points := format_amount(line.points)) != "0"
    )
    if lost:
        enough = explain_without_caps(lost, candidate)
        title = Words("깎였거나 점수가 없는 활동", "what was cut or earned nothing")
        told = [explain_loss(each) for each in lost] + ([enough] if enough else [])
        below = (*below, Node(pick(title), tuple(Node(pick(each)) for each in told)))
    head = f"{_who(document)}, {pick(terms.label)} ({terms.clause}) {terms.period.name}"
    decided = candidate.decision if candidate else None
    nodes = [Node(pick(reason), below)]
    if candidate and candidate.sanction:
        nodes.append(Node(pick(explain_sanction(candidate.sanction))))
    if decided:
        nodes.append(Node(pick(decision_words(decided))))
    return Node(head, tuple(nodes))


def _sanction_json(sanction: Sanction | None) -> dict[str, Any] | None:
    if sanction is None:
        return None
    until, bars_until = sanction.until, sanction.bars_until
    return {
        "sanction": sanction.sanction,
        "ground": sanction.ground,
        "since": sanction.since.isoformat(),
        "until": until.isoformat() if until else None,
        "bars_until": bars_until.isoformat() if bars_until else None,
    }


def _loss_json(loss: Loss) -> dict[str, Any]:
    said = explain_loss(loss)
    return {
        "month": loss.month,
        "cause": loss.cause,
        "cap": loss.cap or None,
        "clause": loss.clause or None,
        "count": loss.count,
        "points": format_amount(loss.points),
        "text": {"ko": said.ko, "en": said.en},
    }
