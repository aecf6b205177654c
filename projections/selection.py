"""Selecting: places in order, quotas and grades by rank, tiers by points; functions of values.

Standings come in order; those whose ``order`` is equal are tied, and where a quota or a grade ends
among them, all of them get the better or all the worse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

import attrs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .rulebook import Rounding

__all__ = ["Ordered", "Standing", "allot", "boundaries", "part_of", "places_of", "tier_of"]

_HUNDRED = 1_000_000
"""100 percent in 1/10,000 percent."""


class Ordered(Protocol):
    """Somebody or something in an order."""

    @property
    def order(self) -> object:
        """What sorts; equal ones are tied."""


@attrs.frozen
class Standing:
    """A person's standing before places are given.

    Attributes:
        person: Id of the person.
        points: Points in the period, 1/10,000 point.
        activities: Rewarded activities in the period.
        status: ``serving``, ``leave``, ``left`` or empty, on the day.
        unit: Unit on the day, if any.
        rank: Rank on the day, if any.
        order: What sorts, smaller first; equal ones are tied.
        homes: The unit and those above it.
    """

    person: str
    points: int
    activities: int
    status: str
    unit: str | None
    rank: str | None
    order: tuple[int, ...]
    homes: frozenset[str] = frozenset()


def part_of(percent: int, whole: int, rounding: Rounding) -> int:
    """So many of a whole number of people: a percentage in 1/10,000, rounded as stated."""
    product = percent * whole
    match rounding:
        case "down":
            return product // _HUNDRED
        case "up":
            return -(-product // _HUNDRED)
        case "half":
            return (2 * product + _HUNDRED) // (2 * _HUNDRED)


def boundaries(percents: Sequence[int], whole: int, rounding: Rounding) -> list[int]:
    """Up to which place each grade goes: the sums of the percentages so far, each rounded.

    So grades that make 100 percent together take everybody.
    """
    found, total = [], 0
    for percent in percents:
        total += percent
        found.append(min(part_of(total, whole, rounding), whole))
    return found


def places_of(ordered: Sequence[Standing]) -> list[int]:
    """The place of each, from 1; those who are tied share one."""
    places: list[int] = []
    for index, standing in enumerate(ordered):
        tied = index and ordered[index - 1].order == standing.order
        places.append(places[-1] if tied else index + 1)
    return places


def tier_of(points: int, thresholds: Sequence[int]) -> int:
    """Which of several thresholds, highest first, somebody with enough points reaches."""
    return next(index for index, threshold in enumerate(thresholds) if points >= threshold)


def allot(
    ordered: Sequence[Ordered], ends: Sequence[int], otherwise: Literal["include", "exclude"]
) -> list[tuple[int | None, bool]]:
    """Give each person, or unit, one of several grades by rank, or none.

    Args:
        ordered: Those who qualify, in order.
        ends: Up to which place each grade goes, best grade first; never falling.
        otherwise: Whether those tied where a grade ends all get the better one or the lower.

    Returns:
        For each the number of the grade, ``None`` beyond the last, and whether it is a tie that
        keeps out of the last grade.
    """
    found: list[tuple[int | None, bool]] = []
    start = 0
    while start < len(ordered):
        end = start + 1
        while end < len(ordered) and ordered[end].order == ordered[start].order:
            end += 1
        best, worst = _grade_at(start, ends), _grade_at(end - 1, ends)
        grade = best if otherwise == "include" else worst
        found += [(grade, grade is None and best is not None)] * (end - start)
        start = end
    return found


def _grade_at(index: int, ends: Sequence[int]) -> int | None:
    return next((grade for grade, end in enumerate(ends) if index < end), None)
