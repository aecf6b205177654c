"""The file of an HR batch: CSV whose texts no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from mileage.ledger import MileageError, format_amount

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .hr import HrLine

__all__ = ["COLUMNS", "FORMAT", "harmless", "render"]

FORMAT = "mileage-hr/2"
COLUMNS = (
    *("batch", "line", "person", "employee_number", "programme", "code", "for_period"),
    *("in_period", "previous", "new", "delta", "reason", "facts", "supersedes"),
)
_NUMBERS = frozenset({"line", "previous", "new", "delta"})
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def render(name: str, lines: Sequence[HrLine], encoding: str) -> bytes:
    """Write a batch's lines as CSV; a text that a spreadsheet would run is made harmless.

    Raises:
        MileageError: The encoding is unknown or cannot write a line; the message names it.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for line in lines:
        row = {
            "batch": name,
            "line": str(line.line),
            "person": line.key.person,
            "employee_number": line.employee_number,
            "programme": line.key.programme,
            "code": line.key.code,
            "for_period": line.key.for_period,
            "in_period": line.in_period,
            "previous": format_amount(line.previous),
            "new": format_amount(line.new),
            "delta": format_amount(line.delta),
            "reason": line.reason,
            "facts": ";".join(map(str, line.facts)),
            "supersedes": ";".join(line.supersedes),
        }
        writer.writerow(
            row[column] if column in _NUMBERS else harmless(row[column]) for column in COLUMNS
        )
    try:
        return out.getvalue().encode(encoding)
    except LookupError:
        msg = f"{encoding!r} is no encoding (use utf-8-sig, utf-8 or cp949)"
        raise MileageError(msg) from None
    except UnicodeEncodeError as error:
        number = out.getvalue().count("\n", 0, error.start) + 1
        msg = f"line {number} of the batch cannot be written in {encoding}; use utf-8-sig"
        raise MileageError(msg) from None


def harmless(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would take for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
