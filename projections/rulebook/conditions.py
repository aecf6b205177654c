"""Conditions: what a fact must say for a rule to be about it, and what the facts of examples say.

A condition is on a field that the kind of activity declares: of the fact itself, or of another
fact about the same thing, such as how the proposal came in that is adopted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .dated import check_code
from .tables import EXAMPLES, KINDS, Table, check_count, meant, read_text
from .values import SCOPE_MAX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mileage.projections.toml_positions import Path

    from .text import Check
    from .values import ActivityInfo, Asked, Conditions

__all__ = ["read_said", "read_when"]


def read_when(table: Table, activity: ActivityInfo | None) -> Conditions:
    """Read ``when = { channel = ["online"], form = "workshop" }``: a code or several of a field."""
    return tuple(
        (name, codes)
        for path, name, asked, raw in _fields(table, activity)
        if (codes := _read_codes(table.check, path, raw, asked))
    )


def read_said(table: Table, activity: ActivityInfo) -> tuple[tuple[str, str], ...]:
    """Read ``when = { channel = "online" }``: one code of each field."""
    return tuple(
        (name, code)
        for path, name, asked, raw in _fields(table, activity)
        if (code := _read_code(table.check, path, raw, asked))
    )


def _fields(
    table: Table, activity: ActivityInfo | None
) -> Iterator[tuple[Path, str, Asked, object]]:
    """The fields under ``when`` that the activity has, each with its path and what is written."""
    check, path, raw = table.check, table.at("when"), table.raw.get("when")
    if raw is None:
        return
    if not isinstance(raw, dict):
        predicate = f"is {KINDS[type(raw)]}; a table was expected."
        check.error("wrong-type", path, predicate, f"Write {EXAMPLES['when']}.")
        return
    if not raw:
        check.error("empty", path, "names no field.", f"Write {EXAMPLES['when']}.")
    check_count(check, path, raw, SCOPE_MAX)
    for name, value in raw.items():
        if activity is None:
            continue  # that there is no such activity is noted already
        if name in activity.conditions:
            yield (*path, name), name, activity.conditions[name], value
        else:
            predicate = f"is no field of {activity.name} that a rule can ask for."
            known = sorted(activity.conditions)
            remedy = meant(name, known) if known else "Leave when out."
            check.error("no-conditions", (*path, name), predicate, remedy)


def _read_codes(check: Check, path: Path, raw: object, asked: Asked) -> tuple[str, ...]:
    if not isinstance(raw, list):
        code = _read_code(check, path, raw, asked)
        return (code,) if code else ()
    if not raw:
        check.error("empty", path, "is empty.", 'Write one code or several: ["online"].')
    check_count(check, path, raw, SCOPE_MAX)
    found: list[str] = []
    for index, each in enumerate(raw[:SCOPE_MAX]):
        code = _read_code(check, (*path, index), each, asked)
        if code in found:
            check.error("repeated", (*path, index), f"names {code!r} again.", "Name each once.")
        elif code:
            found.append(code)
    return tuple(found)


def _read_code(check: Check, path: Path, raw: object, asked: Asked) -> str:
    code = read_text(check, path, raw)
    if code and asked.words and code not in asked.words:
        check.error("unknown-word", path, f"cannot be {code!r}.", meant(code, asked.words))
        return ""
    if code and not asked.words and not check_code(check, path, code):
        return ""
    return code
