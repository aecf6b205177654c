"""The facts of some kinds that stand: within a slice of the ledger, and not void in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mileage.ledger import FactVoided
from mileage.ledger.ledger import voided_keys

from .decode import Slice

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from mileage.ledger import Ledger, Recorded

__all__ = ["standing_facts"]


def standing_facts(
    ledger: Ledger,
    kinds: Iterable[str],
    *,
    as_of: date | None = None,
    known_at: datetime | None = None,
) -> list[Recorded]:
    """The standing facts of some kinds, in order of position.

    Args:
        ledger: The ledger.
        kinds: Names of the kinds.
        as_of: What counted on that civil date, corrections that took effect by then included.
        known_at: Only what had been recorded by that instant.
    """
    wanted = [ledger.kinds.get(name) for name in (*kinds, "fact.voided")]
    topics = [kind.topic_of(number) for kind in wanted for number in range(1, kind.version + 1)]
    part = Slice(as_of=as_of, known_at=known_at)
    facts = [
        item
        for item in ledger.facts(topics=topics)
        if part.has(item.position, item.fact.occurred_on, item.fact.recorded_at)
    ]
    voids = [item.fact for item in facts if isinstance(item.fact.data, FactVoided)]
    gone = voided_keys([(fact.key, fact.data.fact) for fact in voids])
    return [
        item
        for item in facts
        if not isinstance(item.fact.data, FactVoided) and item.fact.key not in gone
    ]
