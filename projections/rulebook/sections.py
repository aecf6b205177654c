"""What a rulebook read aloud is made of: tables of texts in Korean and English."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from attrs import frozen
from mileage.ledger.fields import Label

from .vocabulary import WORDS, default_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "NOTHING",
    "Reading",
    "Section",
    "both",
    "days_of",
    "listed",
    "named",
    "plain",
    "same",
    "stated",
    "word_of",
]

NOTHING = Label("", "")


@frozen
class Section:
    """One table of a rulebook read aloud.

    Attributes:
        title: What the table is of.
        columns: Headings by name of the column.
        rows: A cell for each column.
    """

    title: Label
    columns: Mapping[str, Label]
    rows: Sequence[Sequence[Label]]


@frozen
class Reading:
    """A rulebook read aloud.

    Attributes:
        title: What people call the rulebook.
        sections: Its tables; none is empty.
    """

    title: Label
    sections: tuple[Section, ...]


def days_of(first: date | None, end: date | None) -> Label:
    """The days on which a dated value is in force."""
    if first is None:
        return NOTHING
    if end is None:
        return Label(f"{first}부터", f"from {first}")
    last = end - timedelta(days=1)
    return Label(f"{first}부터 {last}까지", f"{first} to {last}")


def stated(table: str, entry: Mapping[str, Any], key: str) -> str:
    """The word of a key as written, or its default."""
    found = entry.get(key, default_of(table, key))
    return str(found)


def word_of(table: str, entry: Mapping[str, Any], key: str) -> Label:
    """How the word of a key is read."""
    found = stated(table, entry, key)
    return WORDS.get((key, found), Label(found, found))


def named(title: Mapping[str, Any], code: str) -> Label:
    """A title with its code."""
    return Label(f"{title['ko']} ({code})", f"{title['en']} ({code})")


def listed(labels: Iterable[Label]) -> Label:
    """Several texts in a row."""
    texts = list(labels)
    return Label(", ".join(each.ko for each in texts), ", ".join(each.en for each in texts))


def same(text: str) -> Label:
    """A text that reads the same in both languages."""
    return Label(text, text)


def both(value: Any) -> Label:
    """A value; a title in both languages shows both, as both are what is adopted."""
    if isinstance(value, dict) and value.keys() == {"ko", "en"}:
        ko, en = value["ko"], value["en"]
        return same(ko) if ko == en else Label(f"{ko} / {en}", f"{en} / {ko}")
    return same(plain(value))


def plain(value: Any) -> str:
    """A value as it may be written in TOML, but for the quotation marks of texts."""
    match value:
        case bool():
            return "true" if value else "false"
        case Decimal():
            return f"{value.normalize():f}"
        case date():
            return value.isoformat()
        case list():
            return f"[{', '.join(map(plain, value))}]"
        case dict():
            return f"{{ {', '.join(f'{key} = {plain(part)}' for key, part in value.items())} }}"
        case _:
            return str(value)
