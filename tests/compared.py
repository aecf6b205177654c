"""The figures of a read model and of the auditor in one shape, so that they can be compared."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from mileage.projections import MAIN_ACCOUNT

if TYPE_CHECKING:
    from auditor import Audit
    from mileage.projections import Figures

__all__ = ["audit_lines", "balances", "model_lines"]


Lines = dict[tuple[str, int, str, date], tuple[Any, ...]]


def model_lines(figures: Figures) -> Lines:
    """Every posting of a read model, by person, position, account and day."""
    return {
        (line.person, line.position, line.account, line.occurred_on): (
            line.kind,
            line.occurred_on,
            line.unit,
            line.grade,
            line.hours,
            line.share,
            line.adoption,
            line.rule,
            line.clause,
            line.whole,
            line.gross,
            [(cut.cause, cut.reference, cut.points) for cut in line.cuts],
            line.points,
            line.adjusts and (line.adjusts.origin_on, line.adjusts.before, line.adjusts.after),
        )
        for person in _people(figures)
        for line in figures.statement(person, account=None)
    }


def audit_lines(audit: Audit) -> Lines:
    """Every line of the auditor, by person, position, account and day."""
    return {
        (line.person, line.position, line.account, line.day): (
            line.kind,
            line.day,
            line.unit,
            line.grade,
            line.hours,
            line.share,
            line.adoption,
            line.rule,
            line.clause,
            line.whole,
            line.gross,
            line.cuts,
            line.points,
            line.adjusts,
        )
        for line in audit.lines
    }


def balances(figures: Figures) -> dict[tuple[str, str], tuple[int, int, int]]:
    """Points, activities and rewarded activities of everybody, by person and account.

    In another account than the main one, only of those who have something there.
    """
    found = {}
    for account in figures.accounts():
        for person in _people(figures):
            b = figures.balance(person, account=account.account)
            if b.activities or account.account == MAIN_ACCOUNT:
                found[person, account.account] = (b.points, b.activities, b.rewarded)
    return found


def _people(figures: Figures) -> list[str]:
    return [row[0] for row in figures.query("SELECT person FROM people ORDER BY person")]
