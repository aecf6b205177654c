"""The organisation on a day: which units stand, what they are part of, what took their place."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import attrs
from mileage.ledger.kinds.unit import UnitAbolished, UnitEstablished, UnitMerged, UnitSplit

from .days import day_of
from .decode import UNIT_ENDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from mileage.ledger import Recorded

    from .figures import Figures

__all__ = ["Homes", "Service", "Stay", "Structure", "UnitLife"]

_ONE_DAY = timedelta(days=1)


@attrs.frozen
class UnitLife:
    """A unit from its first day to its end.

    Attributes:
        unit: Code.
        established_on: First day.
        parent: Unit it is part of, if any.
        ended_on: First day without it, if it ended.
        successors: Units that took its place, the main one first.
    """

    unit: str
    established_on: date
    parent: str | None
    ended_on: date | None = None
    successors: tuple[str, ...] = ()

    def ended_by(self, day: date) -> bool:
        """Whether it no longer exists on that day."""
        return self.ended_on is not None and self.ended_on <= day


@attrs.frozen
class Structure:
    """The units of an organisation.

    Attributes:
        units: Each unit by its code.
    """

    units: Mapping[str, UnitLife]

    @classmethod
    def of(cls, facts: Iterable[Recorded]) -> Structure:
        """Fold the standing facts about units."""
        units: dict[str, UnitLife] = {}
        for item in facts:
            data, day = item.fact.data, item.fact.occurred_on
            if isinstance(data, UnitEstablished):
                units[data.unit] = UnitLife(data.unit, day, data.parent)
            elif isinstance(data, UNIT_ENDS) and (life := units.get(data.unit)):
                successors = _successors(data)
                units[data.unit] = attrs.evolve(life, ended_on=day, successors=successors)
        return cls(units)

    def stands(self, unit: str, day: date) -> bool:
        """Whether a unit exists on a day."""
        life = self.units.get(unit)
        return life is not None and life.established_on <= day and not life.ended_by(day)

    def upwards(self, unit: str | None) -> Iterator[UnitLife]:
        """A unit and those above it, nearest first."""
        seen: set[str] = set()
        life = self.units.get(unit) if unit else None
        while life and life.unit not in seen:
            seen.add(life.unit)
            yield life
            life = self.units.get(life.parent) if life.parent else None


def _successors(data: UnitAbolished | UnitMerged | UnitSplit) -> tuple[str, ...]:
    match data:
        case UnitMerged(into=into):
            return (into,)
        case UnitSplit(successors=successors):
            return successors
        case _:
            return ()


@attrs.frozen
class Stay:
    """A stretch of days that somebody serves in a unit.

    Attributes:
        since: First day.
        until: Day after the last; ``date.max`` when open.
        unit: Code of the unit.
        status: ``serving``, ``leave`` or ``left``.
    """

    since: date
    until: date
    unit: str | None
    status: str


@attrs.frozen
class Service:
    """Where everybody serves.

    Attributes:
        stays: Each person's stretches of service, in order.
    """

    stays: Mapping[str, Sequence[Stay]]

    @classmethod
    def of(cls, figures: Figures) -> Service:
        """Read it from a read model."""
        stays: dict[str, list[Stay]] = {}
        rows = figures.query(
            "SELECT m.person, t.day_from, t.day_until, u.unit, t.status FROM tenures t"
            " JOIN people m ON m.id = t.person LEFT JOIN units u ON u.id = t.unit"
            " ORDER BY t.person, t.day_from"
        )
        for person, since, until, unit, status in rows:
            stays.setdefault(person, []).append(Stay(day_of(since), day_of(until), unit, status))
        return cls(stays)

    def unit_on(self, person: str, day: date) -> str | None:
        """The unit in which somebody serves on a day, leave included."""
        for stay in self.stays.get(person, ()):
            if stay.since <= day < stay.until:
                return None if stay.status == "left" else stay.unit
        return None


@attrs.frozen
class Homes:
    """Which of the units that are ranked together something counts for.

    That is the ranked unit in which it happened or the nearest above. If that unit ended in the
    period, it counts for the ranked unit of where the person serves on the day on which it ended.
    Whoever was gone by then, or was left behind in the unit, counts for the unit that took its
    place, the one named first. What happened in a unit below one that is ranked in another group
    stays there, also when the unit below ended.

    Attributes:
        structure: The units.
        service: Where everybody serves.
        group: Units that are ranked together; those that ended are carried over.
        others: Units that are ranked in other groups.
        last: Last day of the period that is counted.
    """

    structure: Structure
    service: Service
    group: frozenset[str]
    others: frozenset[str]
    last: date

    def of(self, person: str, unit: str | None, day: date) -> str | None:
        """The ranked unit that something counts for which a person did in a unit on a day."""
        return self._home(person, unit, day, frozenset())

    def _home(self, person: str, unit: str | None, day: date, seen: frozenset[str]) -> str | None:
        deciding = self._deciding(unit)
        if deciding is None or not deciding.ended_by(self.last):
            return deciding.unit if deciding else None
        if deciding.unit in seen or deciding.ended_on is None:
            return None
        moved = self._moved(person, deciding) if day < deciding.ended_on else None
        following = moved or next(iter(deciding.successors), None)
        return self._home(person, following, deciding.ended_on, seen | {deciding.unit})

    def _deciding(self, unit: str | None) -> UnitLife | None:
        """The unit that decides: the nearest of the group, or else one that ended."""
        above = list(self.structure.upwards(unit))
        for life in above:
            if life.unit in self.group:
                return life
        ended = [life for life in above if life.ended_by(self.last)]
        elsewhere = any(life.unit in self.others and life not in ended for life in above)
        return ended[0] if ended and not elsewhere else None

    def _moved(self, person: str, ended: UnitLife) -> str | None:
        """Where somebody who served in a unit to its end serves on the day it ended."""
        assert ended.ended_on is not None  # noqa: S101 - only asked of a unit that ended
        before = self.service.unit_on(person, ended.ended_on - _ONE_DAY)
        after = self.service.unit_on(person, ended.ended_on)
        stayed = ended in self.structure.upwards(before)
        left_behind = ended in self.structure.upwards(after)
        return after if stayed and not left_behind else None
