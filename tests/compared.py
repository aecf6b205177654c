"""The figures of a read model and of the auditor in one shape, so that they can be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from auditor import Audit
    from mileage.projections import Figures

__all__ = ["audit_lines", "balances", "model_lines"]


def model_lines(figures: Figures) -> dict[tuple[str, int], tuple[Any, ...]]:
    """Every posting of a read model, by person and position."""
    return {
        (line.person, line.position): (
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
        )
        for person in _people(figures)
        for line in figures.statement(person)
    }


def audit_lines(audit: Audit) -> dict[tuple[str, int], tuple[Any, ...]]:
    """Every line of the auditor, by person and position."""
    return {
        (line.person, line.position): (
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
        )
        for line in audit.lines
    }


def balances(figures: Figures) -> dict[str, tuple[int, int, int]]:
    """Points, activities and rewarded activities of everybody."""
    found = {person: figures.balance(person) for person in _people(figures)}
    return {person: (b.points, b.activities, b.rewarded) for person, b in found.items()}


def _people(figures: Figures) -> list[str]:
    return [row[0] for row in figures.query("SELECT person FROM people ORDER BY person")]
