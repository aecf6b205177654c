"""The money of learning clubs and study teams: granted, spent and returned, by group and item."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from mileage.ledger import SupportGranted, SupportReturned, SupportSettled, SupportSpent
from mileage.ledger.kinds.support import ITEMS

from .standing import standing_facts

if TYPE_CHECKING:
    from datetime import date, datetime

    from mileage.ledger import Ledger

__all__ = ["Budget", "budgets"]

_KINDS = ("support.granted", "support.spent", "support.settled", "support.returned")


@attrs.frozen
class Budget:
    """A club's or team's money for one item, in whole won.

    Attributes:
        group: Code of the learning club or study team.
        item: ``activity``, ``expert``, ``presentation`` or ``printing``; ``returned`` for what
            the group gave back of all items together.
        granted: Money granted; 0 for ``returned``.
        spent: Money spent, or given back.
        settled: Whether the group's spending was settled, and nothing granted since.
    """

    group: str
    item: str
    granted: int
    spent: int
    settled: bool

    @property
    def left(self) -> int:
        """Granted and not spent; below 0 for ``returned``, so that a group's lines add up."""
        return self.granted - self.spent


def budgets(
    ledger: Ledger,
    group: str | None = None,
    *,
    as_of: date | None = None,
    known_at: datetime | None = None,
) -> list[Budget]:
    """The budgets of all clubs and teams, or of one, replayed from the facts.

    Args:
        ledger: The ledger.
        group: Only this club or team.
        as_of: What counted on that civil date, corrections that took effect by then included.
        known_at: Only what had been recorded by that instant.

    Returns:
        Lines by group, then by item in the order of ``ITEMS``, what was returned last.
    """
    granted: dict[tuple[str, str], int] = {}
    spent: dict[tuple[str, str], int] = {}
    settled: set[str] = set()
    for found in standing_facts(ledger, _KINDS, as_of=as_of, known_at=known_at):
        match found.fact.data:
            case SupportGranted(group=name, item=item, amount=amount):
                granted[name, item] = granted.get((name, item), 0) + amount
                settled.discard(name)
            case SupportSpent(group=name, item=item, amount=amount):
                spent[name, item] = spent.get((name, item), 0) + amount
            case SupportReturned(group=name, amount=amount):
                spent[name, "returned"] = spent.get((name, "returned"), 0) + amount
            case SupportSettled(group=name):
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
        if group in (None, name)
    ]
