"""What the kinds refuse, by programme: each module here has a table ``REFUSALS`` of its own.

A row is ``(rule, given, data, day, field)``: after the facts ``given``, pairs of data and date
(with a third, who recorded it, where that matters; "officer" did else), ``data`` on ``day`` is
refused by the rule named, at that field. Every row is run through the library and through the
command line (``tests/test_kinds.py``), with the people P1, P2 and P3 of the units HQ and SEOUL.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

__all__ = ["CASES"]

CASES: list[tuple[str, Any, Any, Any, str]] = [
    case
    for module in sorted(found.name for found in iter_modules(__path__))
    for case in import_module(f"{__name__}.{module}").REFUSALS
]
