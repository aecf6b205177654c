"""Tables and plain values of a rulebook's text, each checked and read exactly."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import Context, Decimal, Inexact
from difflib import get_close_matches
from typing import TYPE_CHECKING, TypeVar

from attrs import frozen
from mileage.ledger.fields import Label

from .text import IS_IT_A_RULEBOOK, UNSEEN, Check, name_of
from .values import (
    DAY_MAX,
    DAY_MIN,
    ID_CHARS_MAX,
    POINT,
    POINTS_MAX,
    TEXT_CHARS_MAX,
    TITLE_CHARS_MAX,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence, Sized

    from mileage.projections.toml_positions import Path

__all__ = [
    "EXAMPLES",
    "ID_PATTERN",
    "KINDS",
    "Table",
    "check_count",
    "check_id",
    "meant",
    "open_table",
    "read_amount",
    "read_date",
    "read_label",
    "read_points",
    "read_text",
    "read_word",
]

# How a key of the grammar is written.
EXAMPLES = {
    "rulebook": "[rulebook] and below it id, title and source",
    "rule": "[[rule]]",
    "account": "[[account]] and below it id and title",
    "cap": "[[cap]]",
    "programme": "[[programme]]",
    "evaluation": "[[evaluation]]",
    "group": "[[evaluation.group]] and below it id, title and units",
    "area": "[[evaluation.area]] and below it id, title and elements",
    "elements": 'elements = [ { id = "…", title = { ko = "…", en = "…" }, source = "scores" } ]',
    "weights": "weights = { area-id = 30, … }, in percent",
    "weight": "weight = 25, in percent of the area",
    "activities": 'activities = ["course.attended"]',
    "origin": 'origin = "common"',
    "labels": '[labels] and gold = { ko = "…", en = "…" }',
    "id": 'id = "a-short-name"',
    "title": 'title = { ko = "…", en = "…" }',
    "ko": 'ko = "…"',
    "en": 'en = "…"',
    "source": 'source = "…", the document these rules come from',
    "activity": 'activity = "…", the kind of activity that earns',
    "from": "from = 2005-01-01, the first day",
    "points": "points = 2.5",
    "clause": 'clause = "…", where the scheme says so',
    "rules": 'rules = ["…"], the rules it limits',
    "ranks": 'ranks = ["G6"], the ranks it is for',
    "units": 'units = ["HQ"], the units it is for',
    "when": 'when = { channel = ["online"] }',
    "period": 'period = "year"',
    "values": 'values = [ { from = 2005-01-01, …, clause = "…" } ]',
    "threshold": "threshold = 30",
    "tie": 'tie = { break_by = ["activities"], otherwise = "exclude" }',
    "break_by": 'break_by = ["activities"]',
    "otherwise": 'otherwise = "exclude"',
    "unit": 'unit = { ko = "가점", en = "points" }, what the values are in',
    "percent": "percent = { S = 20, A = 30, B = 40, C = 10 }",
    "places": "places = { first = 1, second = 2 }",
    "round": 'round = "half"; or "down" or "up"',
    "of": 'of = "serving"; or "eligible", or a number of persons',
    "programmes": 'programmes = ["overseas-training"]',
    "exclude_recent": "exclude_recent = { years = 3 } or { cycles = 1 }",
    "confirm": "confirm = true",
    "confirmed": "confirmed = true",
    "four_eyes": "four_eyes = true",
    "months_served": "months_served = 6 or { months = 6, full_from = 15 }",
    "on_leave": 'on_leave = "include"',
    "exclude_sanctioned": "exclude_sanctioned = true or { years = 2 }",
    "example": "[[example]]",
    "given": 'given = [ { on = 2005-03-02, activity = "…", person = "A" } ]',
    "expect": "expect = { A = 2.5 }, the points of everybody who takes part",
    "people": 'people = ["A", "B"]',
    "on": "on = 2005-03-02, the day it was done",
    "person": 'person = "A"',
}
KINDS: Mapping[type, str] = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    Decimal: "a decimal number",
    datetime: "a date with a time",
    date: "a date",
    time: "a time",
    list: "a list",
    dict: "a table",
}
_A_LIST = "a list: […]"
_LEAVE_OUT = "Write how many; leave it out if there is no limit."
_Word = TypeVar("_Word", bound=str)


@frozen
class Table:
    """One table of the text: hands out typed values and notes what is wrong with them.

    What is wrong or missing comes out as something neutral of the same type, so that
    reading goes on and finds the next problem; the error keeps it from being used.
    """

    check: Check
    path: Path
    raw: Mapping[str, object]

    @property
    def line(self) -> int:
        """Line on which the table begins."""
        return self.check.place(self.path).line

    def at(self, key: str) -> Path:
        """Path of one of its keys."""
        return (*self.path, key)

    def text(self, key: str, *, chars_max: int = TEXT_CHARS_MAX) -> str:
        """Read a text; an empty one if it is missing."""
        return read_text(self.check, self.at(key), self.raw.get(key), chars_max)

    def id(self, key: str) -> str:
        """Read an id; an empty text if it is missing."""
        text = self.text(key)
        if text:
            check_id(self.check, self.at(key), text)
        return text

    def label(self, key: str) -> Label:
        """Read a label in both languages."""
        return read_label(self.check, self.at(key), self.raw.get(key))

    def word(self, key: str, words: tuple[_Word, ...], default: _Word) -> _Word:
        """Read one of some words; the default if it is missing."""
        return read_word(self.check, self.at(key), self.raw.get(key), words) or default

    def date(self, key: str) -> date | None:
        """Read a date; ``None`` if it is missing."""
        return read_date(self.check, self.at(key), self.raw.get(key))

    def points(self, key: str) -> int | None:
        """Read an amount in 1/10,000 point; ``None`` if it is missing."""
        return read_points(self.check, self.at(key), self.raw.get(key))

    def number(self, key: str, number_max: int) -> int | None:
        """Read a whole number from 1 on; ``None`` if it is missing."""
        raw, path = self.raw.get(key), self.at(key)
        if raw is None:
            return None
        if not isinstance(raw, int) or isinstance(raw, bool):
            predicate = f"is {KINDS[type(raw)]}; a whole number was expected."
            self.check.error("wrong-type", path, predicate, "Write a whole number: 10.")
            return None
        if not 1 <= raw <= number_max:
            predicate, remedy = f"is not between 1 and {number_max:,}.", _LEAVE_OUT
            self.check.error("number-range", path, predicate, remedy)
            return None
        return raw

    def flag(self, key: str) -> bool:
        """Read true or false; false if it is missing."""
        raw = self.raw.get(key, False)
        if not isinstance(raw, bool):
            predicate = f"is {KINDS[type(raw)]}; true or false was expected."
            self.check.error("wrong-type", self.at(key), predicate, f"Write {EXAMPLES[key]}.")
            return False
        return raw

    def items(self, key: str, count_max: int, *, empty: bool = False) -> list[tuple[Path, object]]:
        """Return the elements of a list with their paths; none if the list is missing."""
        path, raw = self.at(key), self.raw.get(key)
        if raw is None:
            return []
        if not isinstance(raw, list):
            predicate = f"is {KINDS[type(raw)]}; a list was expected."
            self.check.error("wrong-type", path, predicate, f"Write {EXAMPLES.get(key, _A_LIST)}.")
            return []
        if not (raw or empty):
            self.check.error("empty", path, "is empty.", f"Write {EXAMPLES.get(key, _A_LIST)}.")
        check_count(self.check, path, raw, count_max)
        return [((*path, index), element) for index, element in enumerate(raw[:count_max])]


def open_table(
    check: Check, path: Path, raw: object, required: Sequence[str], optional: Sequence[str] = ()
) -> Table | None:
    """Return a table after comparing its keys with the grammar, or None if there is none."""
    if raw is None:
        return None
    if not isinstance(raw, dict):
        shape = f"{{ {', '.join(f'{key} = …' for key in required)} }}"
        predicate = f"is {KINDS[type(raw)]}; a table was expected."
        remedy = f"Write {EXAMPLES.get(str(path[-1]), shape)}."
        check.error("wrong-type", path, predicate, remedy)
        return None
    for key in required:
        if key not in raw:
            remedy = f"Add {EXAMPLES.get(key, f'{key} = …')}."
            check.error("missing-key", path, f"has no {key}.", remedy)
    known = [*required, *optional]
    for key in raw:
        if key not in known:
            place = check.place((*path, key))
            message, remedy = f"{name_of(path)} has no key {key!r}.", meant(key, known)
            check.error_on_line("unknown-key", place.line, message, remedy, place.column)
    return Table(check, path, raw)


def meant(word: str, known: Sequence[str]) -> str:
    """Offer the nearest of the words that are known, and all of them."""
    listed = f"Known here: {', '.join(known) or 'none'}."
    close = get_close_matches(word, known, n=1)
    return f"Did you mean {close[0]!r}? {listed}" if close else listed


def check_count(check: Check, path: Path, raw: Sized, count_max: int) -> None:
    """Note a list or table with more entries than allowed."""
    if len(raw) > count_max:
        check.error("too-large", path, f"has more than {count_max:,} entries.", IS_IT_A_RULEBOOK)


def read_text(check: Check, path: Path, raw: object, chars_max: int = TEXT_CHARS_MAX) -> str:
    """Read a text of one line; an empty one if there is none that is fit."""
    if raw is None:
        return ""
    if not isinstance(raw, str):
        predicate = f"is {KINDS[type(raw)]}; a text was expected."
        check.error("wrong-type", path, predicate, 'Write it in quotation marks: "…".')
    elif not raw.strip():
        check.error("empty", path, "is empty.", "Write what it says.")
    elif len(raw) > chars_max:
        check.error("too-large", path, f"has more than {chars_max:,} characters.", "Shorten it.")
    elif found := re.search(rf"[\t\n]|{UNSEEN.pattern}", raw):
        predicate = f"has the character U+{ord(found[0]):04X}, which cannot be seen."
        check.error("control-character", path, predicate, "Write it on one line without that.")
    else:
        return raw
    return ""


ID_PATTERN = rf"[A-Za-z0-9._-]{{1,{ID_CHARS_MAX}}}"
"""What an id looks like, as a regular expression."""
_ID = re.compile(ID_PATTERN)


def check_id(check: Check, path: Path, text: str) -> None:
    """Note an id or code with other characters than an id has."""
    if not _ID.fullmatch(text):
        predicate = f"cannot be called {text[:ID_CHARS_MAX]!r}."
        remedy = f"Use letters A to Z, digits, '-', '_' and '.', at most {ID_CHARS_MAX} in all."
        check.error("bad-id", path, predicate, remedy)


def read_label(check: Check, path: Path, raw: object) -> Label:
    """Read a label in both languages; empty texts for what is missing."""
    table = open_table(check, path, raw, ("ko", "en"))
    if table is None:
        return Label("", "")
    texts = (table.text(key, chars_max=TITLE_CHARS_MAX) for key in ("ko", "en"))
    return Label(*texts)


def read_word(check: Check, path: Path, raw: object, words: tuple[_Word, ...]) -> _Word | None:
    """Read one of some words, or ``None`` if there is none of them."""
    text = read_text(check, path, raw)
    for word in words:
        if text == word:
            return word
    if text:
        check.error("unknown-word", path, f"cannot be {text!r}.", meant(text, words))
    return None


def read_date(check: Check, path: Path, raw: object) -> date | None:
    """Read a civil date within the years allowed, or ``None`` if there is none."""
    if raw is None:
        return None
    if type(raw) is not date:  # a datetime is a date too, but says more than a rulebook may
        predicate = f"is {KINDS[type(raw)]}; a date was expected."
        remedy = "Write the day alone, without quotation marks or a time: 2005-01-01."
        check.error("not-a-date", path, predicate, remedy)
        return None
    if not DAY_MIN <= raw <= DAY_MAX:
        predicate = f"is not between {DAY_MIN} and {DAY_MAX}."
        check.error("date-range", path, predicate, "Write the year with all its digits.")
        return None
    return raw


_SMALLEST = Decimal(1) / POINT
_EXACT = Context(prec=28, traps=[Inexact])


def read_points(check: Check, path: Path, raw: object) -> int | None:
    """Read an amount of points, exactly, in 1/10,000 points."""
    return read_amount(check, path, raw, POINTS_MAX // POINT)


def read_amount(check: Check, path: Path, raw: object, most: int) -> int | None:
    """Read an amount from 0 to the most, exactly, in 1/10,000; ``None`` if it is missing."""
    if raw is None:
        return None
    if isinstance(raw, bool) or not isinstance(raw, int | Decimal):
        predicate = f"is {KINDS[type(raw)]}; a number was expected."
        check.error("wrong-type", path, predicate, "Write it without quotation marks: 2.5.")
        return None
    points = Decimal(raw)
    if not points.is_finite() or not 0 <= points <= most:
        predicate = f"is not between 0 and {most:,}."
        check.error("number-range", path, predicate, "Write the number the scheme states.")
        return None
    try:
        return int(points.quantize(_SMALLEST, context=_EXACT).scaleb(4))
    except Inexact:
        predicate = "has more than 4 decimal places."
        check.error("number-places", path, predicate, "Round it to 1/10,000.")
        return None
