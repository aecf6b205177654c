"""Decisions about what a programme gives: granted, approved, refused, revoked."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click
from mileage.ledger import Command, MileageError, format_amount, to_units
from mileage.ledger.kinds.entitlement import (
    EntitlementApproved,
    EntitlementRefused,
    EntitlementRevoked,
)
from mileage.projections import Grant, ReadModel, decisions, eligible, grant
from mileage.projections.eligibility import terms
from mileage.projections.granting import cycle_of

from .asking import labelled
from .base import DAY, Group, option, pass_session
from .eligibility import amount_or_none, decision_json, stage_words
from .facts import fact_json, print_recorded
from .figures import brought_up, follow
from .output import Column, Shown, show
from .questions import CYCLE, asked, question
from .texts import OUTCOMES, Words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from mileage.ledger import Ledger, Recorded
    from mileage.projections import Decision, Figures

    from .questions import Question
    from .session import Session

__all__ = ["entitlement_command"]

entitlement_command = Group(
    name="entitlement",
    words=Words(
        "제도가 주는 혜택을 부여·승인·불허·취소하고 봅니다.",
        "Grant, approve, refuse and revoke what programmes give, and list it.",
    ),
    examples=(
        "mileage entitlement grant overseas-training --proposed --on 2006-01-10 --cycle 2005",
        "mileage entitlement approve overseas-training P00001 --cycle 2005 --by director",
        "mileage entitlement list --cycle 2005",
    ),
)


class _Number(click.ParamType):  # type: ignore[type-arg]  # generic in later versions
    """A decimal number with at most four places."""

    name = "number"

    def convert(self, value: Any, param: Any, ctx: Any) -> Decimal:
        try:
            return Decimal(format_amount(to_units(value)))
        except ValueError as error:
            self.fail(str(error), param, ctx)


NUMBER = _Number()


def _when(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--on``, ``--cycle`` and ``--source``."""
    for add in (
        option("--source", ko="출처 [cli]", en="Where it comes from  [cli]", default="cli"),
        option(
            "--cycle",
            ko="대상 기간, 예: 2005 [결정한 날이 든 기간]",
            en="The period it is about, e.g. 2005  [that of --on]",
            type=CYCLE,
            metavar="PERIOD",
        ),
        option("--on", ko="결정한 날 [오늘]", en="Date of the decision  [today]", type=DAY),
    ):
        function = add(function)
    return function


@entitlement_command.command(
    "grant",
    words=Words(
        "제도의 혜택을 부여합니다.\n\n--proposed는 규칙이 선정했고 아직 결정하지 않은 모두입니다."
        " 규칙과 다르게 부여할 때는 사유가 필요합니다. 대상 기간이 끝났으면 그 마지막 날로"
        " 판단합니다.",
        "Grant what a programme gives.\n\n--proposed means all whom the rule proposes and nobody"
        " has decided about. To decide otherwise than the rule proposes, a reason is needed. Once"
        " the cycle is over, its last day decides.",
    ),
    examples=[
        "mileage entitlement grant overseas-training --proposed --on 2006-01-10 --cycle 2005",
        "mileage entitlement grant performance-bonus P00001 --grade A --reason '이의신청 인용'",
    ],
    tabular="json",
    by=True,
)
@click.argument("programme", metavar="PROGRAMME")
@click.argument("people", metavar="[PERSON...]", nargs=-1)
@option(
    "--proposed",
    ko="규칙이 선정한 모두",
    en="All whom the rule proposes, as far as nobody has decided",
    is_flag=True,
)
@option("--grade", ko="등급 [규칙의 제안]", en="Grade or tier  [as proposed]", metavar="CODE")
@option("--value", ko="값 [규칙의 제안]", en="Value  [as proposed]", type=NUMBER)
@option("--reason", ko="사유; 규칙과 다를 때 필요", en="Why, if not as proposed")
@_when
@pass_session
def grant_command(  # noqa: PLR0913 - one for each option; its help is above
    session: Session,
    programme: str,
    people: tuple[str, ...],
    *,
    proposed: bool,
    grade: str | None,
    value: Decimal | None,
    reason: str | None,
    on: date | None,
    cycle: str | None,
    source: str,
) -> None:
    if proposed == bool(people):
        raise click.UsageError("name the people, or give --proposed")
    with session.ledger() as ledger, ReadModel(ledger) as model:
        recorded = grant(
            ledger,
            model,
            programme,
            None if proposed else people,
            on=on or ledger.today(),
            by=session.by,
            cycle=cycle,
            given=Grant(grade, value, reason),
            source=source,
        )
        _tell(session, ledger, recorded)


def _tell(session: Session, ledger: Ledger, recorded: Sequence[Recorded]) -> None:
    if session.format == "json":
        import json  # noqa: PLC0415 - only for --json

        facts = [{"new": r.new, "fact": fact_json(r.position, r.fact)} for r in recorded]
        click.echo(json.dumps({"recorded": facts}, ensure_ascii=False, indent=2))
    else:
        for each in recorded:
            print_recorded(session, ledger, each)
        if not recorded:
            session.note("결정할 사람이 없습니다", "there is nobody to decide about")
    follow(session, ledger)


@entitlement_command.command(
    "approve",
    words=Words(
        "부여된 혜택을 승인합니다. 부여한 사람은 승인할 수 없습니다.\n\n--granted는 승인을 기다리는"
        " 모두입니다.",
        "Approve what was granted, by another person than the one who granted it.\n\n--granted"
        " means all that wait for approval.",
    ),
    examples=["mileage entitlement approve performance-bonus --granted --cycle 2005 --by director"],
    tabular="json",
    by=True,
)
@click.argument("programme", metavar="PROGRAMME")
@click.argument("people", metavar="[PERSON...]", nargs=-1)
@option(
    "--granted",
    ko="승인을 기다리는 모두",
    en="All that were granted and wait for approval",
    is_flag=True,
)
@_when
@pass_session
def approve_command(  # noqa: PLR0913 - one for each option; its help is above
    session: Session,
    programme: str,
    people: tuple[str, ...],
    *,
    granted: bool,
    on: date | None,
    cycle: str | None,
    source: str,
) -> None:
    if granted == bool(people):
        raise click.UsageError("name the people, or give --granted")
    with session.ledger() as ledger:
        day, period, made = _about(session, ledger, programme, on, cycle)
        waiting = [each.person for each in made if each.stage == "granted" and each.four_eyes]
        commands = [
            Command(EntitlementApproved(programme, period, person), day, session.by, source)
            for person in (waiting if granted else dict.fromkeys(people))
        ]
        _tell(session, ledger, ledger.record_all(commands))


def _about(
    session: Session, ledger: Ledger, programme: str, on: date | None, cycle: str | None
) -> tuple[date, str, list[Decision]]:
    """The date of a decision, the cycle it is about, and what was decided of it so far.

    A cycle that is named needs no rulebook any more: its programme may have ended since.
    """
    day = on or ledger.today()
    with brought_up(session, ledger, None, None) as figures:
        if cycle is None:
            cycle = terms(figures, programme, day).period.name
        made = decisions(figures, programme, cycle)
        if not made:
            cycle_of(figures, programme, day, cycle)  # refuses what there never was
    return day, cycle, made


def _against(kind: type) -> Callable[..., None]:
    """A command that refuses or revokes: they differ in the fact alone."""

    def run(  # noqa: PLR0913 - one for each option
        session: Session,
        programme: str,
        people: tuple[str, ...],
        *,
        reason: str,
        on: date | None,
        cycle: str | None,
        source: str,
    ) -> None:
        with session.ledger() as ledger:
            day, period, _ = _about(session, ledger, programme, on, cycle)
            commands = [
                Command(kind(programme, period, person, reason), day, session.by, source)
                for person in dict.fromkeys(people)
            ]
            _tell(session, ledger, ledger.record_all(commands))

    return run


def _add_against(name: str, kind: type, words: Words, example: str) -> None:
    function = pass_session(_against(kind))
    for add in (
        _when,
        option("--reason", ko="사유", en="Why", required=True),
        click.argument("people", metavar="PERSON...", nargs=-1, required=True),
        click.argument("programme", metavar="PROGRAMME"),
    ):
        function = add(function)
    entitlement_command.command(name, words=words, examples=[example], tabular="json", by=True)(
        function
    )


_add_against(
    "refuse",
    EntitlementRefused,
    Words(
        "혜택을 주지 않기로 합니다. 이의신청이 받아들여지면 다시 부여할 수 있습니다.",
        "Decide that people do not get what a programme gives; on appeal it may be granted still.",
    ),
    "mileage entitlement refuse overseas-training P00001 --cycle 2005 --reason '징계 중'",
)
_add_against(
    "revoke",
    EntitlementRevoked,
    Words(
        "부여된 혜택을 그날부터 취소합니다. 퇴직한 사람의 것도 됩니다.",
        "Take back what was granted, from that day on; also of people who left.",
    ),
    "mileage entitlement revoke overseas-training P00001 --cycle 2005 --reason '표절 확인'",
)


@entitlement_command.command(
    "list",
    words=Words(
        "결정된 혜택과 그 결정을 보입니다.\n\n그날의 규칙이 달리 판단하면 그것도 보입니다.",
        "List what was decided, by whom, and what the rule proposes where that is something else.",
    ),
    examples=[
        "mileage entitlement list",
        "mileage entitlement list performance-bonus --cycle 2005 --as-of 2006-01-31 --csv",
    ],
)
@click.argument("programme", metavar="[PROGRAMME]", required=False)
@option("--cycle", ko="이 대상 기간만", en="Only of this cycle", type=CYCLE, metavar="PERIOD")
@question(period=False)
@pass_session
def list_command(
    session: Session, programme: str | None, cycle: str | None, question: Question
) -> None:
    with asked(session, question) as answer:
        made = decisions(answer.figures, programme, cycle)
        names = answer.names(each.person for each in made)
        found = [
            {
                "programme": each.programme,
                "cycle": each.cycle,
                "person": each.person,
                "name": names.get(each.person),
                **(decision_json(each) or {}),
                "proposed": None,
            }
            for each in made
        ]
        current = _proposed_now(answer.figures, made, answer.day)
        labels = answer.figures.labels()
        for row, each in zip(found, made, strict=True):
            row["proposed"] = current.get((each.programme, each.cycle, each.person))
        document = {**answer.about(), "decisions": found}
    rows = [
        {
            **row,
            "decision": Shown(row["stage"], session.pick(stage_words(each))),
            "grade": labelled(session, each.grade, labels),
            "value": amount_or_none(each.value),
            "proposed": _proposed_cell(session, row["proposed"]),
        }
        for row, each in zip(found, made, strict=True)
    ]
    columns = [
        *(Column(name) for name in ("programme", "cycle", "person")),
        Column("name", wraps=True),
        Column("decision", wraps=True),
        Column("grade", wraps=True),
        Column("value", number=True),
        Column("decided_on"),
        Column("decided_by", wraps=True, optional=True),
        Column("granted_by", detail=True),
        Column("approved_by", detail=True),
        Column("reason", wraps=True),
        Column("proposed", wraps=True),
    ]
    none = Words("결정된 혜택이 없습니다.", "Nothing has been decided.")
    show(session, document, columns, rows, empty=none)


def _proposed_now(
    figures: Figures, made: Sequence[Decision], day: date
) -> dict[tuple[str, str, str], str]:
    """What the rule proposes for the cycles decided about, by what counts now, where it differs."""
    found = {}
    for programme, cycle in dict.fromkeys((each.programme, each.cycle) for each in made):
        try:
            selection = eligible(figures, programme, cycle_of(figures, programme, day, cycle))
        except MileageError:  # a cycle or programme that no rulebook has any more proposes nothing
            continue
        for each in selection.candidates:
            if each.differs:
                found[programme, cycle, each.person] = each.grade or each.outcome
    return found


def _proposed_cell(session: Session, word: str | None) -> Shown | str | None:
    return Shown(word, session.pick(OUTCOMES[word])) if word in OUTCOMES else word
