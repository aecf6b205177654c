"""Comparing two rulebooks: what changed, rule by rule, value by value.

Entries are matched by their id and dated values by their first day, whatever their order in the
text, so that a rule that only moved is no change. What is not written counts as its default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from attrs import frozen

from .reading import document_of
from .sections import both, plain
from .vocabulary import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from .values import Rulebook

__all__ = ["Edit", "compare"]

_UNORDERED = frozenset(("rules", "ranks", "units"))
_ORDERED = frozenset(("threshold", "percent", "places"))


@frozen
class Edit:
    """One thing in which two rulebooks differ.

    Attributes:
        table: Table of the grammar: ``rulebook``, ``rule``, ``cap``, …
        id: Id of the entry; the code for names of codes, the title of an example; empty for the
            table itself.
        change: ``added`` or ``ended`` for an entry, a dated value or a key, ``changed`` for a
            key that says something else, ``moved`` for the order in which caps apply or of the
            grades of a programme, best first.
        key: What differs in the entry, such as ``points.gold``; empty for the whole of it.
        valid_from: First day of the dated value it is about; ``None`` for the entry itself.
        before: What it said, as in TOML; empty when it was not there.
        after: What it says; empty when it is not there.
    """

    table: str
    id: str
    change: Literal["added", "ended", "changed", "moved"]
    key: str
    valid_from: date | None
    before: str
    after: str


def compare(one: Rulebook, other: Rulebook) -> tuple[Edit, ...]:
    """What changed from one rulebook to another, in the order of the texts."""
    before, after = document_of(one), document_of(other)
    edits: list[Edit] = []
    for table in dict.fromkeys((*TABLES[""].keys, *before, *after)):
        old, new = _entries(table, before.get(table)), _entries(table, after.get(table))
        for name in dict.fromkeys((*old, *new)):
            edits += _entry_edits(table, name, old.get(name), new.get(name))
    return (*edits, *_order_of_caps(before, after))


def _entries(table: str, raw: Any) -> dict[str, Any]:
    """Entries of a table by id; those without one by their title, or as a whole."""
    if isinstance(raw, list):
        found: dict[str, Any] = {}
        for number, entry in enumerate(raw, 1):
            name = _name_of(entry, number)
            found[name if name not in found else f"{name} ({number})"] = entry
        return found
    if table == "labels":
        return dict(raw or {})
    return {} if raw is None else {"": raw}


def _name_of(entry: Any, number: int) -> str:
    if not isinstance(entry, dict):
        return str(number)
    title = entry.get("title")
    named = title.get("en") if isinstance(title, dict) else title
    return str(entry.get("id") or named or number)


def _entry_edits(table: str, name: str, old: Any, new: Any) -> Iterator[Edit]:
    if old is None or new is None:
        change: Literal["added", "ended"] = "added" if old is None else "ended"
        yield Edit(table, name, change, "", None, _whole(old), _whole(new))
        return
    if not (isinstance(old, dict) and isinstance(new, dict)):
        yield from _key_edits(table, name, None, "", old, new)
        return
    for key in dict.fromkeys((*old, *new)):
        if key == "values":
            yield from _value_edits(table, name, old.get(key, []), new.get(key, []))
        else:
            one, other = (_said(table, key, entry) for entry in (old, new))
            yield from _key_edits(table, name, None, key, one, other)


def _said(table: str, key: str, entry: Mapping[str, Any]) -> Any:
    """What an entry says under a key, or what holds where it says nothing."""
    known = TABLES[table].keys.get(key) if table in TABLES else None
    found = _by_id(entry.get(key, known.default if known else None))
    if key == "when" and isinstance(found, dict):  # a code alone is a list of one
        return {
            name: sorted(codes) if isinstance(codes, list) else [codes]
            for name, codes in found.items()
        }
    return sorted(found) if key in _UNORDERED and isinstance(found, list) else found


def _by_id(value: Any) -> Any:
    """A list of tables that have ids as a table of them, so that each is compared by itself."""
    if not isinstance(value, list) or not all(isinstance(x, dict) and "id" in x for x in value):
        return value
    return {
        entry["id"]: {key: _by_id(part) for key, part in entry.items() if key != "id"}
        for entry in value
    }


def _value_edits(table: str, name: str, old: Any, new: Any) -> Iterator[Edit]:
    one, other = ({value["from"]: value for value in values} for values in (old, new))
    for day in sorted({*one, *other}):
        before, after = one.get(day), other.get(day)
        if before is None or after is None:
            change: Literal["added", "ended"] = "added" if before is None else "ended"
            yield Edit(table, name, change, "", day, _whole(before), _whole(after))
        else:
            for key in dict.fromkeys((*before, *after)):
                yield from _key_edits(table, name, day, key, before.get(key), after.get(key))


def _key_edits(  # noqa: PLR0913, PLR0917 - where it stands, and what it said and says
    table: str, name: str, day: date | None, key: str, old: Any, new: Any
) -> Iterator[Edit]:
    if isinstance(old, dict) and isinstance(new, dict):
        for part in dict.fromkeys((*old, *new)):
            inner = f"{key}.{part}" if key else part
            yield from _key_edits(table, name, day, inner, old.get(part), new.get(part))
        orders = [[part for part in said if part in old.keys() & new.keys()] for said in (old, new)]
        if key.rpartition(".")[2] in _ORDERED and orders[0] != orders[1]:
            yield Edit(table, name, "moved", key, day, *map(", ".join, orders))
        return
    if old == new:
        return
    change: Literal["added", "ended", "changed"] = "changed"
    if old is None or new is None:
        change = "added" if old is None else "ended"
    yield Edit(table, name, change, key, day, _shown(old), _shown(new))


def _shown(value: Any) -> str:
    return "" if value is None else plain(value)


def _whole(entry: Any) -> str:
    """An entry or a dated value on one line: all it says but for its id or first day."""
    if not isinstance(entry, dict):
        return _shown(entry)
    if entry.keys() == {"ko", "en"}:
        return both(entry).ko
    head = [both(entry["title"]).ko] if "title" in entry else []
    own = {"id", "from", "title", "values"}
    said = [f"{key} = {plain(value)}" for key, value in entry.items() if key not in own]
    dated = [f"{value['from']}: {_whole(value)}" for value in entry.get("values", [])]
    return "; ".join(filter(None, [*head, ", ".join(said), *dated]))


def _order_of_caps(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Edit]:
    """The order in which caps apply, where it is another: each takes what the one before left."""
    old, new = ([cap["id"] for cap in document.get("cap", [])] for document in (before, after))
    kept = [[cap for cap in caps if cap in set(old) & set(new)] for caps in (old, new)]
    if kept[0] != kept[1]:
        yield Edit("cap", "", "moved", "", None, *map(", ".join, kept))
