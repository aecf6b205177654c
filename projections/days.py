"""Days as the integers ``yyyymmdd`` that columns use, and as civil dates."""

from __future__ import annotations

from datetime import date, timedelta

__all__ = ["FIRST_DAY", "OPEN_DAY", "day_before", "day_number", "day_of"]

FIRST_DAY = 10_101
"""The first day of the calendar."""
OPEN_DAY = 99_991_231
"""The day after the last of what has no end."""


def day_number(day: date) -> int:
    """A civil date as the integer ``yyyymmdd`` that columns use."""
    return day.year * 10_000 + day.month * 100 + day.day


def day_of(number: int) -> date:
    """The civil date of an integer ``yyyymmdd``."""
    return date(number // 10_000, number // 100 % 100, number % 100)


def day_before(number: int) -> date:
    """The civil date before that of an integer ``yyyymmdd``: the last of what ends with it."""
    return day_of(number) - timedelta(days=1)
