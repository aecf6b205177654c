"""Rulebooks: what earns how many points, from which day and by which clause.

A rulebook is a TOML text that an evaluation officer writes and a committee adopts::

    text ── check_rulebook ──> problems, all at once, each with line and remedy
      └──── parse_rulebook ──> Rulebook: the same text as frozen values
    adopted Rulebooks ── compile_rules ──> Compiled: plain rows for the scoring plan

All points are integers of 1/10,000 point, read from decimals and never through a
binary float. All days are civil days of the ledger's own time zone.

Exceptions::

    MileageError, ValueError
    └── RulebookError    one or more problems that keep a rulebook from being used
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mileage.ledger.fields import Label
from mileage.projections.days import OPEN_DAY

from .compiling import Adoption, CapRow, Compiled, ValueRow, Version, compile_rules
from .evaluation import Area, Element, Evaluation, EvaluationValue, Group
from .grammar import read_rulebook
from .reach import check_reach
from .text import Check, lines_of, load
from .values import (
    BREAK_BY,
    MAIN_ACCOUNT,
    PERIODS,
    POINT,
    PROBLEM_CODES,
    TEXT_BYTES_MAX,
    Account,
    ActivityInfo,
    Asked,
    BreakBy,
    Cap,
    CapValue,
    Example,
    Given,
    GradeTerms,
    Moved,
    Otherwise,
    Per,
    Percentage,
    Period,
    Placed,
    Problem,
    Programme,
    ProgrammeValue,
    Recent,
    Rounding,
    Rule,
    Rulebook,
    RulebookError,
    RuleValue,
    ServiceTerms,
    Split,
    Tie,
)
from .whole import period_start

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "BREAK_BY",
    "MAIN_ACCOUNT",
    "OPEN_DAY",
    "PERIODS",
    "POINT",
    "PROBLEM_CODES",
    "TEXT_BYTES_MAX",
    "Account",
    "ActivityInfo",
    "Adoption",
    "Area",
    "Asked",
    "BreakBy",
    "Cap",
    "CapRow",
    "CapValue",
    "Compiled",
    "Element",
    "Evaluation",
    "EvaluationValue",
    "Example",
    "Given",
    "GradeTerms",
    "Group",
    "Label",
    "Moved",
    "Otherwise",
    "Per",
    "Percentage",
    "Period",
    "Placed",
    "Problem",
    "Programme",
    "ProgrammeValue",
    "Recent",
    "Rounding",
    "Rule",
    "RuleValue",
    "Rulebook",
    "RulebookError",
    "ServiceTerms",
    "Split",
    "Tie",
    "ValueRow",
    "Version",
    "check_rulebook",
    "compile_rules",
    "parse_rulebook",
    "period_start",
]


def check_rulebook(text: str, activities: Mapping[str, ActivityInfo]) -> list[Problem]:
    """Find everything that is wrong with a rulebook, in order of line.

    Only what makes the text unreadable as TOML hides other problems.

    Args:
        text: The rulebook as written.
        activities: The kinds of activity a rule can name.

    Returns:
        Errors and warnings; a rulebook without errors can be parsed.
    """
    return _examine(text, activities)[0]


def parse_rulebook(text: str, activities: Mapping[str, ActivityInfo]) -> Rulebook:
    """Read a rulebook.

    Args:
        text: The rulebook as written.
        activities: The kinds of activity a rule can name.

    Returns:
        The rulebook; warnings do not keep it from being read.

    Raises:
        RulebookError: The text has at least one error.
    """
    problems, rulebook = _examine(text, activities)
    if rulebook is None or any(problem.severity == "error" for problem in problems):
        raise RulebookError(problems)
    return rulebook


def _examine(
    text: str, activities: Mapping[str, ActivityInfo]
) -> tuple[list[Problem], Rulebook | None]:
    check = Check(lines_of(text), activities)
    document = load(check, text)
    rulebook = None if document is None else read_rulebook(check, document, text)
    if rulebook and all(problem.severity == "warning" for problem in check.problems):
        check_reach(check, rulebook)
    return sorted(check.problems, key=lambda p: (p.line, p.column, p.code)), rulebook
