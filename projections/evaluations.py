"""Evaluations and how far they have come: open, closed, published."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from mileage.ledger.kinds.evaluation import STAGES, EvaluationOpened

from .standing import kinds_about, standing_facts

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from mileage.ledger import Fact, Ledger, Recorded
    from mileage.ledger.kinds.evaluation import Stage

__all__ = ["EvaluationStatus", "evaluations", "statuses"]


@attrs.frozen
class EvaluationStatus:
    """An evaluation and how far it has come.

    Attributes:
        evaluation: Code.
        title: What it is called.
        starts_on: First day of the period.
        ends_on: Last day of the period.
        scheme: Scheme of the rulebook it follows; ``None`` for the only one.
        stage: ``open``, ``closed`` or ``published``.
        closed_on: Civil date of the closing, unless it is open.
        published_at: Instant at which the publication was recorded, if it is published (UTC).
    """

    evaluation: str
    title: str
    starts_on: date
    ends_on: date
    scheme: str | None
    stage: Stage = "open"
    closed_on: date | None = None
    published_at: datetime | None = None


def evaluations(
    ledger: Ledger, *, as_of: date | None = None, known_at: datetime | None = None
) -> list[EvaluationStatus]:
    """The evaluations opened so far, in order of opening.

    Args:
        ledger: The ledger.
        as_of: What counted on that civil date.
        known_at: Only what had been recorded by that instant.
    """
    kinds = kinds_about(ledger, "evaluation")
    facts = standing_facts(ledger, kinds, as_of=as_of, known_at=known_at)
    return list(statuses(facts).values())


def statuses(facts: Iterable[Recorded]) -> dict[str, EvaluationStatus]:
    """Every evaluation by its code, folded from the standing facts about them."""
    found: dict[str, EvaluationStatus] = {}
    for item in facts:
        data = item.fact.data
        if isinstance(data, EvaluationOpened):
            opened = (data.title, data.starts_on, data.ends_on, data.scheme)
            found[data.evaluation] = EvaluationStatus(data.evaluation, *opened)
        elif type(data) in STAGES and (status := found.get(data.evaluation)):
            found[data.evaluation] = _moved(status, item.fact)
    return found


def _moved(status: EvaluationStatus, fact: Fact) -> EvaluationStatus:
    stage = STAGES[type(fact.data)]
    match stage:
        case "open":
            return attrs.evolve(status, stage=stage, closed_on=None, published_at=None)
        case "closed":
            return attrs.evolve(status, stage=stage, closed_on=fact.occurred_on)
        case _:
            return attrs.evolve(status, stage=stage, published_at=fact.recorded_at)
