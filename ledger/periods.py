"""Periods: stretches of whole days that people name: a year, half, quarter or month."""

from __future__ import annotations

from datetime import date

__all__ = ["period_days"]


def period_days(code: str) -> tuple[date, date]:
    """First day and the day after the last of ``2005``, ``2005-H1``, ``2005-Q3`` or ``2005-03``.

    Days are civil dates in the ledger's zone.

    Raises:
        ValueError: It is no such period.
    """
    year, _, part = code.partition("-")
    months = _months(part) if part or "-" not in code else None
    four = code.isascii() and len(year) == 4 and year.isdecimal()  # noqa: PLR2004 - digits
    if not four or year == "0000" or not months:
        msg = f"{code!r} is no period: write 2005, 2005-H1, 2005-Q3 or 2005-03"
        raise ValueError(msg)
    number, (first, count) = int(year), months
    begins, more = date(number, first, 1), first - 1 + count
    if more < 12:  # noqa: PLR2004 - months
        return begins, date(number, more + 1, 1)
    return begins, date(number + 1, 1, 1) if number < date.max.year else date.max


def _months(part: str) -> tuple[int, int] | None:
    """First month and number of months of a part of a year."""
    if part == "":
        return 1, 12
    if part in ("H1", "H2"):
        return 1 + 6 * (int(part[1]) - 1), 6
    if len(part) == 2 and part[0] == "Q" and part[1] in "1234":  # noqa: PLR2004
        return 1 + 3 * (int(part[1]) - 1), 3
    if len(part) == 2 and part.isdecimal() and 1 <= int(part) <= 12:  # noqa: PLR2004
        return int(part), 1
    return None
