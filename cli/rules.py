"""Rulebooks: checked, adopted, listed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from mileage.projections import (
    NotAsSimulated,
    ReadModel,
    RulebookError,
    UnknownDigest,
    activity_infos,
    adopt_rulebook,
    adopt_simulated,
    adopted_rulebooks,
    check_rulebook,
)

from .base import DAY, Failure, Group, option, pass_session
from .facts import print_recorded
from .figures import follow, telling
from .output import Column, Shown, show
from .reading import diff_command, schema_command, show_command
from .rulebooks import read_text, told
from .simulating import simulate_command
from .texts import STATUSES, Words
from .trying import test_command

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from mileage.ledger import Ledger, Recorded
    from mileage.projections import AdoptedRulebook, RulebookProblem

    from .session import Session

__all__ = ["rules_command"]

rules_command = Group(
    name="rules",
    words=Words(
        "규칙집을 점검·시험·열람·비교·시뮬레이션하고 채택합니다.",
        "Check, test, read, compare, simulate, adopt and list rulebooks.",
    ),
    examples=(
        "mileage rules check smba-2005.toml",
        "mileage rules test smba-2005.toml",
        "mileage rules adopt smba-2005.toml --on 2005-01-03",
        "mileage rebuild --dry-run",
    ),
)


@rules_command.command(
    "check",
    words=Words(
        "규칙집을 점검해 모든 문제를 줄과 고칠 방법과 함께 보입니다.\n\n오류가 있으면 종료"
        " 코드 1입니다.",
        "List everything wrong with a rulebook, with line and remedy.\n\nExit code 1 when there are"
        " errors; warnings alone do not count.",
    ),
    examples=["mileage rules check smba-2005.toml"],
)
@click.argument("file", type=Path)
@pass_session
def check_command(session: Session, file: Path) -> None:
    problems = check_rulebook(read_text(file), activity_infos(session.kinds()))
    errors = sum(problem.severity == "error" for problem in problems)
    _show_problems(session, file, problems)
    if errors:
        raise click.exceptions.Exit(1)


def _show_problems(session: Session, file: Path, problems: Sequence[RulebookProblem]) -> None:
    found = [
        {
            "line": problem.line,
            "column": problem.column,
            "severity": problem.severity,
            "code": problem.code,
            "message": problem.message,
            "excerpt": problem.excerpt,
            "remedy": problem.remedy,
        }
        for problem in problems
    ]
    errors = sum(problem.severity == "error" for problem in problems)
    if session.format == "table":
        for problem in problems:
            click.echo(told(file, problem))
        warnings = len(problems) - errors
        session.note(
            f"{file}: 오류 {errors}개, 경고 {warnings}개",
            f"{file}: {errors} error{'s'[: errors != 1]}, {warnings} warning{'s'[: warnings != 1]}",
        )
        return
    names = ("line", "column")
    columns = [Column(name, number=name in names) for name in (found[0] if found else _PROBLEM)]
    show(session, {"file": str(file), "ok": not errors, "problems": found}, columns, found)


_PROBLEM = ("line", "column", "severity", "code", "message", "excerpt", "remedy")


for each in (test_command, show_command, diff_command, simulate_command, schema_command):
    rules_command.add_command(each)


@rules_command.command(
    "adopt",
    words=Words(
        "규칙집을 채택합니다.\n\n원문이 원장에 기록됩니다. 오류가 있거나 앞서 채택한 것과"
        " 어긋나면 기록하지"
        " 않습니다. 점수에는 `mileage rebuild` 뒤에 적용됩니다.",
        "Adopt a rulebook.\n\nIts text becomes a fact of the ledger. A text with errors, or"
        " one that"
        " contradicts an adoption before it, is refused. Figures follow it after `mileage"
        " rebuild`.",
    ),
    examples=[
        "mileage rules adopt smba-2005.toml --on 2005-01-03",
        "mileage rules adopt smba-2005-07.toml --on 2005-06-20 --effective-from 2005-07-01",
        'mileage rules adopt new.toml --effective-from 2005-01-01 --reason "table misprinted"',
        "mileage rules adopt new.toml --effective-from 2005-07-01 --simulated 3530-9f86d0…",
    ],
    tabular="json",
    by=True,
)
@click.argument("file", type=Path)
@option("--on", ko="결정한 날 [오늘]", en="Date of the decision  [today]", type=DAY)
@option("--effective-from", ko="시행일 [결정한 날]", en="First day it applies to  [--on]", type=DAY)
@option("--reason", ko="소급하는 사유", en="Why it reaches back, if it does")
@option(
    "--simulated",
    ko="이 지문의 시뮬레이션에서 본 그대로일 때에만",
    en="Only if it changes what the simulation of this digest showed",
    metavar="DIGEST",
)
@pass_session
def adopt_command(  # noqa: PLR0913, PLR0917 - what an adoption states
    session: Session,
    file: Path,
    on: date | None,
    effective_from: date | None,
    reason: str | None,
    simulated: str | None,
) -> None:
    text = read_text(file)
    with session.ledger() as ledger:
        before = [each for each in adopted_rulebooks(ledger) if each.applies]
        try:
            recorded = _adopt(
                session,
                ledger,
                text,
                simulated,
                on=on or ledger.today(),
                by=session.by,
                effective_from=effective_from,
                reason=reason,
            )
        except RulebookError as error:
            for problem in error.problems:
                click.echo(told(file, problem), err=True)
            raise Failure(
                session.pick(Words(f"{file}: 채택하지 않았습니다", f"{file}: not adopted"))
            ) from None
        if recorded.new:
            _warn_of_replaced(session, before, recorded)
        if session.format == "json":
            print_recorded(session, ledger, recorded)
        else:
            _tell_adoption(session, recorded)
        follow(session, ledger)


def _adopt(
    session: Session, ledger: Ledger, text: str, simulated: str | None, **stated: Any
) -> Recorded:
    """Adopt a rulebook; one that was simulated, only as it was looked at."""
    if simulated is None:
        return adopt_rulebook(ledger, text, **stated)
    with ReadModel(ledger) as model, telling(session) as tell:
        try:
            return adopt_simulated(model, text, digest=simulated, progress=tell, **stated)
        except UnknownDigest as error:
            raise click.UsageError(f"--simulated: {error}") from error
        except NotAsSimulated as error:
            since = error.now - error.position
            words = Words(
                f"#{error.position}에서 시뮬레이션한 것과 달라 채택하지 않았습니다 (그 뒤 기록"
                f" {since:,}건). 원문, 시행일, 적용 중인 규칙집, 점수에 관계되는 기록 가운데 하나가"
                " 바뀌었습니다. 같은 --effective-from으로 `mileage rules simulate`를 다시 하고,"
                " 그 지문으로 채택하십시오",
                f"not adopted: this is not what was simulated at fact #{error.position} ({since:,}"
                " recorded since). The text, the effective date, the rulebooks in service or facts"
                " that matter are others. Run `mileage rules simulate` again with the same"
                " --effective-from, and adopt with the digest it gives",
            )
            raise Failure(session.pick(words)) from None


def _warn_of_replaced(
    session: Session, before: Sequence[AdoptedRulebook], recorded: Recorded
) -> None:
    """Warn when a rulebook of another id ends: perhaps both were meant to hold."""
    data = recorded.fact.data
    if before and before[-1].rulebook.id != data.rulebook:
        other, day = before[-1].rulebook.id, data.effective_from
        session.warn(
            f"규칙집 {other}은(는) {day}부터 통째로 대체됩니다",
            f"the rulebook {other} is replaced whole from {day} on",
        )


def _tell_adoption(session: Session, recorded: Recorded) -> None:
    fact = recorded.fact
    book, day = fact.data.rulebook, fact.data.effective_from
    click.echo(
        session.pick(
            Words(
                f"#{recorded.position}  {fact.occurred_on}  규칙집 {book} 채택, {day}부터 시행",
                f"#{recorded.position}  {fact.occurred_on}  rulebook {book} adopted,"
                f" effective from {day}",
            )
        )
    )
    if not recorded.new:
        session.note("이미 채택한 것이라 더하지 않았습니다", "adopted before, nothing added")


@rules_command.command(
    "list",
    words=Words("채택한 규칙집을 보입니다.", "List the rulebooks adopted."),
    examples=["mileage rules list"],
)
@pass_session
def list_command(session: Session) -> None:
    with session.ledger() as ledger, ReadModel(ledger) as model:
        adopted = adopted_rulebooks(ledger)
        built = int(model.figures().meta()["rules_position"]) if model.exists else 0
    found = [_adoption_json(each, built) for each in adopted]
    rows = [
        {
            **row,
            "title": session.pick(each.rulebook.title),
            "digest": Shown(row["digest"], row["digest"][:12]),
            "status": Shown(row["status"], session.pick(STATUSES[row["status"]])),
        }
        for row, each in zip(found, adopted, strict=True)
    ]
    columns = [
        Column("position", number=True),
        Column("adopted_on"),
        Column("effective_from"),
        Column("rulebook"),
        Column("title", wraps=True),
        Column("status", wraps=True),
        Column("digest", optional=True),
        Column("recorded_by", optional=True),
        Column("reason", wraps=True, optional=True),
    ]
    none = Words("채택한 규칙집이 없습니다.", "No rulebook has been adopted.")
    show(session, {"rulebooks": found}, columns, rows, empty=none)


def _adoption_json(each: AdoptedRulebook, built: int) -> dict[str, Any]:
    status = "in_service" if each.position <= built else "waiting"
    return {
        "position": each.position,
        "rulebook": each.rulebook.id,
        "title": {"ko": each.rulebook.title.ko, "en": each.rulebook.title.en},
        "digest": each.rulebook.digest,
        "adopted_on": each.adopted_on.isoformat(),
        "effective_from": each.effective_from.isoformat(),
        "status": status if each.applies else "superseded",
        "recorded_by": each.recorded_by,
        "reason": each.reason,
    }
