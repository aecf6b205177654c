"""Rulebooks as commands take them: files, and what was adopted; their problems as told."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click
from mileage.projections import (
    ReadModel,
    RulebookError,
    activity_infos,
    adopted_rulebooks,
    parse_rulebook,
)

from .base import Failure
from .texts import Words

if TYPE_CHECKING:
    from mileage.ledger import Kinds
    from mileage.projections import AdoptedRulebook, Rulebook, RulebookProblem

    from .session import Session

__all__ = ["IN_SERVICE", "SOURCE", "Stated", "read_rulebook", "read_text", "stated", "told"]

IN_SERVICE = "in-service"
SOURCE = "FILE|#N|in-service"
_POSITION = re.compile(r"#?([0-9]{1,15})")


class Stated(NamedTuple):
    """A rulebook named on the command line.

    Attributes:
        name: What it is called in answers: the file, or ``#N`` for an adoption.
        rulebook: The rulebook.
        adoption: How it was adopted; ``None`` for a file.
    """

    name: str
    rulebook: Rulebook
    adoption: AdoptedRulebook | None = None


def read_text(file: Path) -> str:
    """Read a rulebook's file.

    Raises:
        Failure: It is not UTF-8.
    """
    try:
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Failure(f"{file}: byte {error.start + 1:,} is not UTF-8: save it as UTF-8") from error


def read_rulebook(session: Session, file: Path, kinds: Kinds) -> Rulebook:
    """Read a rulebook; one with errors is told like a check, and nothing is done with it.

    Raises:
        Failure: It has errors.
    """
    try:
        return parse_rulebook(read_text(file), activity_infos(kinds))
    except RulebookError as error:
        for problem in error.problems:
            click.echo(told(file, problem), err=True)
        words = Words(f"{file}: 오류가 있는 규칙집입니다", f"{file}: the rulebook has errors")
        raise Failure(session.pick(words)) from None


def stated(session: Session, source: str) -> Stated:
    """The rulebook that is meant: a file, ``#N`` for an adoption, or ``in-service``.

    ``in-service`` is the one that applies today in the published figures.

    Raises:
        Failure: There is none such, or the file has errors.
    """
    number = _POSITION.fullmatch(source)
    if source != IN_SERVICE and (not number or Path(source).exists()):
        return Stated(source, read_rulebook(session, Path(source), session.kinds()))
    with session.ledger() as ledger, ReadModel(ledger) as model:
        adopted = adopted_rulebooks(ledger)
        if number:
            found = [each for each in adopted if each.position == int(number[1])]
            missing = Words(
                f"{source}: 채택한 규칙집이 아닙니다 (`mileage rules list`)",
                f"{source}: no rulebook was adopted there (see `mileage rules list`)",
            )
        else:
            built = int(model.figures().meta()["rules_position"]) if model.exists else 0
            today = ledger.today()
            found = [e for e in adopted if e.position <= built and e.effective_from <= today][-1:]
            missing = Words(
                f"{source}: 적용 중인 규칙집이 없습니다 (`mileage rules list`)",
                f"{source}: no rulebook is in the figures (see `mileage rules list`)",
            )
    if not found:
        raise Failure(session.pick(missing))
    return Stated(f"#{found[0].position}", found[0].rulebook, found[0])


def told(file: Path, problem: RulebookProblem) -> str:
    """A problem in the manner of compilers: place, what, the line itself, the remedy."""
    colour = "red" if problem.severity == "error" else "yellow"
    severity = click.style(problem.severity, fg=colour, bold=True)
    number = str(problem.line)
    return (
        f"{file}:{problem.line}:{problem.column}: {severity}: {problem.message} [{problem.code}]\n"
        f"  {number} | {problem.excerpt}\n"
        f"  {' ' * len(number)} = {problem.remedy}"
    )
