"""The money of learning clubs: what was granted, spent and returned, by club and item."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from mileage.ledger import FactVoided, SupportGranted, SupportReturned, SupportSettled, SupportSpent
from mileage.ledger.kinds.support import ITEMS
from mileage.ledger.ledger import voided_keys

from .decode import Slice

if TYPE_CHECKING:
    from datetime import date, datetime

    from mileage.ledger import Ledger

__all__ = ["Budget", "budgets"]

_TOPICS = (
    "support.granted",
    "support.spent",
    "support.settled",
    "support.returned",
    "fact.voided",
)


@attrs.frozen
class Budget:
    """A club's money for one item, in whole won.

    Attributes:
        club: Code of the club.
        item: ``activity``, ``expert``, ``presentation`` or ``printing``; ``returned`` for what
            the club gave back of all items together.
        granted: Money granted; 0 for ``returned``.
        spent: Money spent, or given back.
        settled: Whether the club's spending was settled.
    """

    club: str
    item: str
    granted: int
    spent: int
    settled: bool

    @property
    def left(self) -> int:
        """Granted and not spent; below 0 for ``returned``, so that a club's lines add up."""
        return self.granted - self.spent


def budgets(
    ledger: Ledger,
    club: str | None = None,
    *,
    as_of: date | None = None,
    known_at: datetime | None = None,
) -> list[Budget]:
    """The budgets of all clubs, or of one, replayed from the facts.

    Args:
        ledger: The ledger.
        club: Only this club.
        as_of: What counted on that civil date, corrections that took effect by then included.
        known_at: Only what had been recorded by that instant.

    Returns:
        Lines by club, then by item in the order of ``ITEMS``, what was returned last.
    """
    part = Slice(as_of=as_of, known_at=known_at)
    facts = [
        item.fact
        for item in ledger.facts(topics=_TOPICS)
        if part.has(item.position, item.fact.occurred_on, item.fact.recorded_at)
    ]
    gone = voided_keys([(f.key, f.data.fact) for f in facts if isinstance(f.data, FactVoided)])
    granted: dict[tuple[str, str], int] = {}
    spent: dict[tuple[str, str], int] = {}
    settled: set[str] = set()
    for fact in facts:
        if fact.key in gone:
            continue
        match fact.data:
            case SupportGranted(club=name, item=item, amount=amount):
                granted[name, item] = granted.get((name, item), 0) + amount
            case SupportSpent(club=name, item=item, amount=amount):
                spent[name, item] = spent.get((name, item), 0) + amount
            case SupportReturned(club=name, amount=amount):
                spent[name, "returned"] = spent.get((name, "returned"), 0) + amount
            case SupportSettled(club=name):
                settled.add(name)
            case _:
                pass
    order = {item: place for place, item in enumerate((*ITEMS, "returned"))}
    lines = sorted(granted.keys() | spent.keys(), key=lambda line: (line[0], order[line[1]]))
    return [
        Budget(
            name, item, granted.get((name, item), 0), spent.get((name, item), 0), name in settled
        )
        for name, item in lines
        if club in (None, name)
    ]
