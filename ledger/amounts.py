"""Exact amounts: integers of 1/10,000 (of a point, an hour, a percent), never a binary float."""

from __future__ import annotations

import re
from decimal import Context, Decimal, Inexact

__all__ = ["SCALE", "WHOLE_SHARE", "format_amount", "to_units"]

SCALE = 10_000
"""Units in one point, one hour or one percent."""

WHOLE_SHARE = 100 * SCALE
"""Units of a share of 100 %."""

_AMOUNT_MAX = 10**15  # leaves room for products with a share within 64 bits
_PLAIN = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
# Enough digits for every amount allowed: what does not fit into them is no such amount, and is
# reported, not rounded.
_EXACT = Context(prec=40, traps=[Inexact])


def to_units(amount: Decimal | int | str) -> int:
    """Convert a decimal amount to integer units of 1/10,000.

    Raises:
        ValueError: The text is no plain decimal, has more than four decimal places, is not
            finite, or is absurdly large. A ``float`` is refused: its digits are not exact.
    """
    if isinstance(amount, (float, bool)):
        msg = "give a decimal or a text, not a float"
        raise ValueError(msg)  # noqa: TRY004 - one kind of error for every unfit amount
    if isinstance(amount, str) and not _PLAIN.fullmatch(amount):
        msg = "not a decimal number"
        raise ValueError(msg)
    number = Decimal(amount)
    if not number.is_finite() or abs(number) > _AMOUNT_MAX // SCALE:
        msg = "out of range"
        raise ValueError(msg)
    try:
        return int(_EXACT.scaleb(number, 4).to_integral_exact(context=_EXACT))
    except Inexact:
        msg = "more than four decimal places"
        raise ValueError(msg) from None


def format_amount(units: int) -> str:
    """Write integer units of 1/10,000 as a decimal without superfluous zeros, e.g. ``2.5``."""
    whole, part = divmod(abs(units), SCALE)
    text = f"{whole}.{part:04d}".rstrip("0").rstrip(".") if part else str(whole)
    return f"-{text}" if units < 0 else text
