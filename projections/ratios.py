"""Quotients of whole numbers: kept exact, rounded once, where they are written."""

from __future__ import annotations

from fractions import Fraction

__all__ = ["percent_text", "quotient_text", "rounded"]


def rounded(number: Fraction) -> int:
    """The nearest whole number; a half goes away from zero."""
    whole = (2 * abs(number.numerator) + number.denominator) // (2 * number.denominator)
    return whole if number >= 0 else -whole


def quotient_text(part: Fraction | int, of: Fraction | int, places: int = 2) -> str | None:
    """A quotient as a decimal text rounded to so many places; ``None`` when it is of nothing."""
    if not of:
        return None
    number = rounded(Fraction(part) / of * 10**places)
    whole, rest = divmod(abs(number), 10**places)
    sign = "-" if number < 0 else ""
    return f"{sign}{whole}.{rest:0{places}d}" if places else f"{sign}{whole}"


def percent_text(part: int, of: int, places: int = 1) -> str | None:
    """A part of a whole in percent; ``None`` when it is of nothing."""
    return quotient_text(100 * part, of, places)
