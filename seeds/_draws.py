"""Random draws that come out the same on every Python.

Everything is built on ``Random.random``: Python promises its sequence for a seed, but not that of
``shuffle``, ``sample`` or ``choices``.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Draws"]

T = TypeVar("T")


class Draws:
    """A stream of draws.

    Args:
        seed: What names the stream; the same words give the same draws.
    """

    __slots__ = ("fraction",)

    def __init__(self, *seed: int | str) -> None:
        source = Random()  # noqa: S311 - made-up data, nothing secret
        source.seed("/".join(map(str, seed)), version=2)
        self.fraction: Callable[[], float] = source.random

    def below(self, bound: int) -> int:
        """Draw an integer from 0 to ``bound - 1``."""
        return int(self.fraction() * bound)

    def chance(self, percent: int) -> bool:
        """Draw whether something happens that happens ``percent`` times in a hundred."""
        return self.fraction() * 100 < percent

    def one_of(self, items: Sequence[T]) -> T:
        """Draw one of the items."""
        return items[int(self.fraction() * len(items))]

    def shuffle(self, items: list[T]) -> None:
        """Put a list into random order (Fisher and Yates)."""
        for last in range(len(items) - 1, 0, -1):
            other = int(self.fraction() * (last + 1))
            items[last], items[other] = items[other], items[last]

    @staticmethod
    def distinct(count: int, draw: Callable[[], T], *, besides: Sequence[T] = ()) -> list[T]:
        """Call ``draw`` until it has given ``count`` different results, none of ``besides``."""
        seen = set(besides)
        found: list[T] = []
        while len(found) < count:
            item = draw()
            if item not in seen:
                seen.add(item)
                found.append(item)
        return found
