"""History: facts as they were recorded, with those marked that were voided later."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from .kinds.office import FactVoided
from .ledger import gone_keys

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from .facts import Fact, Recorded
    from .ledger import Ledger

__all__ = ["HistoryLine", "history"]


@attrs.frozen
class HistoryLine:
    """One fact as it was recorded.

    Attributes:
        position: Position of the fact.
        fact: The fact.
        voided_by: Position of the fact that voids it; ``None`` while it stands.
    """

    position: int
    fact: Fact
    voided_by: int | None


def history(  # noqa: PLR0913 - each is a way to ask
    ledger: Ledger,
    *,
    thing: str | None = None,
    person: str | None = None,
    position: int | None = None,
    as_of: date | None = None,
    known_at: datetime | None = None,
) -> list[HistoryLine]:
    """Facts in the order in which they were recorded: of a thing, about a person, or all.

    Args:
        ledger: The ledger.
        thing: Only facts of this stream, e.g. ``proposal:2005-0012``.
        person: Only facts that name this person.
        position: Only the fact at this position.
        as_of: Only what had happened by this civil date, in the ledger's zone.
        known_at: Only what had been recorded by this instant.

    Returns:
        The facts; empty when there are none. A void counts only when it lies within ``as_of``
        and ``known_at`` too.
    """

    def within(item: Recorded) -> bool:
        return (as_of is None or item.fact.occurred_on <= as_of) and (
            known_at is None or item.fact.recorded_at <= known_at
        )

    items = [item for item in _asked(ledger, thing, person, position) if within(item)]
    voids = [item for item in _voids(ledger, items, thing, person, position) if within(item)]
    void = gone_keys(item.fact for item in voids)
    by = {item.fact.data.fact: item.position for item in voids if item.fact.key not in void}
    return [HistoryLine(item.position, item.fact, by.get(item.fact.key)) for item in items]


def _asked(
    ledger: Ledger, thing: str | None, person: str | None, position: int | None
) -> Iterable[Recorded]:
    if position is not None:
        return ledger.facts(position - 1, upto=position)
    if thing is not None:
        return ledger.stream(thing)
    return ledger.mentions(person) if person is not None else ledger.facts()


def _voids(
    ledger: Ledger,
    items: list[Recorded],
    thing: str | None,
    person: str | None,
    position: int | None,
) -> list[Recorded]:
    """Facts that void others, in order; a fact that voids stands in the stream of its target."""
    if thing is None and person is None and position is None:
        return [item for item in items if isinstance(item.fact.data, FactVoided)]
    streams = {item.fact.originator_id for item in items}
    found = [item for stream in streams for item in ledger.stream(stream)]
    return sorted(
        (item for item in found if isinstance(item.fact.data, FactVoided)),
        key=lambda item: item.position,
    )
