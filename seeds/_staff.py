"""The example's people: who joins where and with what rank, and what the years do to them."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from datetime import date
from math import gcd
from typing import TYPE_CHECKING

from ._agenda import Row, iso, ordinal, workday

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ._agenda import Life
    from ._draws import Draws

__all__ = ["RANKS", "Changes", "Staff", "person_id_of"]

RANKS = ("G9", "G8", "G7", "G6", "G5", "G4", "G3")
"""Codes of the ranks, lowest first."""

_NEVER = date.max.toordinal()
_DIGITS_MIN = 5
_FROM_PARTICIPANTS = 4  # every fourth transfer or promotion moves somebody with a balance


@dataclass(frozen=True)
class Changes:
    """How many changes of staff a year brings."""

    transfers: int
    promotions: int
    leaves: int
    leavers: int
    retirements: int


def person_id_of(capacity: int) -> Callable[[int], str]:
    """Return what makes a person's number an opaque id, as wide as the largest one needs."""
    return f"P{{:0{max(_DIGITS_MIN, len(str(capacity)))}d}}".format


class Staff:
    """Everybody who has joined: a few bytes a person, whatever the scale.

    Args:
        draws: Where the luck comes from.
        units: Codes of the units people serve in.
        wheel: Indexes into ``units``, each as often as the unit is large.
        capacity: How many people there will ever be.
    """

    def __init__(
        self, draws: Draws, units: Sequence[str], wheel: Sequence[int], capacity: int
    ) -> None:
        self._draws = draws
        self._units = units
        self._wheel = wheel
        self._capacity = capacity
        self.id = person_id_of(capacity)
        self._unit = bytearray()
        self._rank = bytearray()
        self._free_from = array("i")  # first day on which one may be drawn for something new
        self._reviewers: set[int] = set()  # they stay: a review may come months later
        # People differ in how much they incline to take part, for good: an order of all of them.
        self._stride = max(1, capacity * 618 // 1000)
        while gcd(self._stride, capacity) != 1:
            self._stride += 1

    def join(self, count: int, first: int, last: int) -> Iterator[Row]:
        """Let people join between two days; those who joined long ago may rank higher."""
        draws = self._draws
        for number in range(len(self._unit) + 1, len(self._unit) + count + 1):
            day = first + draws.below(last - first + 1)
            senior = (last - day) / max(1, last - first)
            luck = draws.fraction()
            rank = int(len(RANKS) * luck * luck * (0.3 + 0.7 * senior))
            unit = draws.one_of(self._wheel)
            self._unit.append(unit)
            self._rank.append(rank)
            self._free_from.append(day)
            yield {
                "kind": "member.joined",
                "occurred_on": iso(day),
                "person": self.id(number),
                "unit": self._units[unit],
                "rank": RANKS[rank],
            }

    def participants(self, draws: Draws, count: int, day: int) -> list[int]:
        """Draw who takes part in the year that begins on a day, in no order; few do every year."""

        def draw() -> int:
            while True:
                luck = draws.fraction()
                place = int(self._capacity * luck * luck)
                number = (place * self._stride + self._capacity // 3) % self._capacity + 1
                if number <= len(self._unit) and self._free_from[number - 1] <= day:
                    return number

        return draws.distinct(count, draw)

    def keep(self, reviewers: Sequence[int]) -> None:
        """Take note of people who must not leave or go on leave."""
        self._reviewers.update(reviewers)

    def changes(
        self, draws: Draws, year: int, numbers: Changes, participants: Sequence[int]
    ) -> Iterator[Life]:
        """Plan a year's changes of staff: nobody has more than one.

        Those who leave or go on leave within the year take no part in it; participants retire on
        its last day, when nothing else happens.
        """
        first = ordinal(year, 1, 1)
        taking_part = set(participants)
        spared = taking_part | self._reviewers
        changed: set[int] = set()

        def draw(pick: Callable[[], int], excluded: set[int]) -> int:
            while True:
                number = pick()
                free = self._free_from[number - 1] <= first
                if free and number not in changed and number not in excluded:
                    changed.add(number)
                    return number

        def anyone() -> int:
            return draws.below(len(self._unit)) + 1

        def participant() -> int:
            return draws.one_of(participants)

        for index in range(numbers.transfers + numbers.promotions):
            number = draw(participant if index % _FROM_PARTICIPANTS == 0 else anyone, set())
            promoted = index >= numbers.transfers and self._rank[number - 1] < len(RANKS) - 1
            move = self._promote if promoted else self._transfer
            yield move(draws, number, workday(first + 30 + draws.below(320)))
        for _ in range(numbers.leaves):
            yield self._leave(draws, draw(anyone, spared), first + 7 + draws.below(300))
        for _ in range(numbers.leavers):
            yield self._go(draw(anyone, spared), workday(first + 7 + draws.below(340)))
        for _ in range(numbers.retirements):
            yield self._go(draw(participant, self._reviewers), ordinal(year, 12, 31))

    def _transfer(self, draws: Draws, number: int, day: int) -> Life:
        others = len(self._units) - 1
        unit = (self._unit[number - 1] + 1 + draws.below(others)) % len(self._units)
        self._unit[number - 1] = unit
        yield day, "member.transferred", {"person": self.id(number), "unit": self._units[unit]}

    def _promote(self, _draws: Draws, number: int, day: int) -> Life:
        self._rank[number - 1] += 1
        rank = self._rank[number - 1]
        yield day, "member.promoted", {"person": self.id(number), "rank": RANKS[rank]}

    def _leave(self, draws: Draws, number: int, day: int) -> Life:
        back = day + 30 + draws.below(335)
        self._free_from[number - 1] = back
        yield day, "member.leave_started", {"person": self.id(number)}
        yield back, "member.leave_ended", {"person": self.id(number)}

    def _go(self, number: int, day: int) -> Life:
        self._free_from[number - 1] = _NEVER
        yield day, "member.left", {"person": self.id(number)}
