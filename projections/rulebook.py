"""Rulebooks: what earns how many points, from which day and by which clause.

A rulebook is a TOML text that an evaluation officer writes and a committee adopts::

    text ── check_rulebook ──> problems, all at once, each with line and remedy
      └──── parse_rulebook ──> Rulebook: the same text as frozen values
    adopted Rulebooks ── compile_rules ──> Compiled: plain rows for the scoring plan

All points are integers of 1/10,000 point, read from decimals and never through a
binary float. All days are civil days of the ledger's own time zone.

Exceptions::

    ValueError
    └── RulebookError    one or more problems that keep a rulebook from being used
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections import defaultdict
from datetime import date, datetime, time, timedelta
from decimal import Context, Decimal, Inexact, InvalidOperation
from difflib import get_close_matches
from functools import partial
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

from attrs import evolve, field, frozen, mutable

from .toml_positions import Place, UnknownSyntaxError, locate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence, Sized

    from .toml_positions import Path

__all__ = [
    "BREAK_BY",
    "OPEN_DAY",
    "PERIODS",
    "POINT",
    "PROBLEM_CODES",
    "TEXT_BYTES_MAX",
    "ActivityInfo",
    "Adoption",
    "BreakBy",
    "Cap",
    "CapRow",
    "CapValue",
    "Compiled",
    "Label",
    "Otherwise",
    "Per",
    "Period",
    "Problem",
    "Programme",
    "ProgrammeValue",
    "Rule",
    "RuleValue",
    "Rulebook",
    "RulebookError",
    "Split",
    "Tie",
    "ValueRow",
    "Version",
    "check_rulebook",
    "compile_rules",
    "parse_rulebook",
    "period_start",
]

Per = Literal["activity", "hour"]
Split = Literal["share", "each"]
Period = Literal["month", "quarter", "half", "year", "lifetime"]
BreakBy = Literal["activities", "earliest", "joined"]
Otherwise = Literal["include", "exclude"]

PERS: tuple[Per, ...] = ("activity", "hour")
SPLITS: tuple[Split, ...] = ("share", "each")
PERIODS: tuple[Period, ...] = ("month", "quarter", "half", "year", "lifetime")
"""Periods that caps and programmes count in; all but the last are parts of the calendar year."""
BREAK_BY: tuple[BreakBy, ...] = ("activities", "earliest", "joined")
"""What can decide between persons with equal points."""
OTHERWISE: tuple[Otherwise, ...] = ("include", "exclude")

POINT = 10_000
"""Units in one point: every amount of points is a whole number of 1/10,000 point."""
OPEN_DAY = 99_991_231
"""The `day_until` of a row that has no end."""

# Limits: far above any real scheme, low enough that even a hostile text costs only seconds.
TEXT_BYTES_MAX = 1_048_576
"""Longest rulebook that is read, in bytes of UTF-8."""
LINE_CHARS_MAX = 2_000
RULES_MAX = 500
CAPS_MAX = 200
PROGRAMMES_MAX = 200
VALUES_MAX = 200
GRADES_MAX = 100
LABELS_MAX = 1_000
ID_CHARS_MAX = 64
TITLE_CHARS_MAX = 200
TEXT_CHARS_MAX = 1_000
POINTS_MAX = 1_000_000 * POINT
QUOTA_MAX = 1_000_000
DAY_MIN, DAY_MAX = date(1900, 1, 1), date(2999, 12, 31)
_DAY = timedelta(days=1)

PROBLEM_CODES: Mapping[str, str] = MappingProxyType(
    {
        "bad-id": "an id has other characters than letters, digits, '-', '_' and '.', or too many",
        "cap-lowered-then-raised": "a limit goes down and up again within one period",
        "cap-order": "versions in force in one period apply the same caps in another order",
        "cap-starts-late": "a rule gives points before its cap begins (warning)",
        "control-character": "a character that cannot be seen or changes how others are read",
        "date-order": "dated values are not in order of date, or two begin on one day",
        "date-range": "a date outside 1900 to 2999",
        "duplicate-id": "two entries of a kind have the same id",
        "empty": "a text, list or table that must not be empty",
        "grade-dropped": "a later value says nothing of a grade that had points (warning)",
        "missing-key": "something the grammar requires is not written",
        "no-grades": "points by grade for an activity that has no grades",
        "no-hours": "points per hour for an activity that has no hours",
        "not-a-date": "a date was expected",
        "number-places": "a number with more than 4 decimal places",
        "number-range": "a number below or above what is allowed",
        "overlap": "two rules give points for one activity on the same day",
        "repeated": "the same word or rule is named twice",
        "toml-syntax": "the text is not TOML 1.0",
        "too-large": "the text, a line, a list or a title is longer than allowed",
        "unknown-activity": "a rule names an activity that is not known",
        "unknown-key": "a key that the grammar does not have",
        "unknown-rule": "a cap names a rule that the rulebook does not have",
        "unknown-word": "a word outside the list of words allowed there",
        "until-order": "a rule ends before its last value begins",
        "wrong-type": "text, number, list or table stand where another was expected",
    }
)
"""Every code a problem can have, and what it means; codes are stable."""


# Values ------------------------------------------------------------------------------------


@frozen
class Label:
    """What something is called, in Korean and in English."""

    ko: str
    en: str


@frozen
class RuleValue:
    """What a rule gives from a day on.

    Attributes:
        valid_from: First day, by the day the activity was done.
        points: 1/10,000 points per activity or hour; a mapping gives them by grade, a plain
            number counts for every grade alike.
        clause: Where the scheme says so.
        line: Line of the value in the rulebook's text.
    """

    valid_from: date
    points: int | Mapping[str, int]
    clause: str
    line: int


@frozen
class Rule:
    """Points for one kind of activity.

    Attributes:
        id: Name of the rule, unique among the rules of its rulebook.
        title: What people call it.
        activity: The kind of activity that earns.
        per: Whether the points are for the activity or for each hour of it.
        split: "share" divides the points by the declared shares, "each" gives them whole to
            everyone who took part.
        until: First day on which the rule gives nothing any more, or None.
        values: Dated values in order of date; each holds until the next one begins.
        line: Line where the rule begins.
    """

    id: str
    title: Label
    activity: str
    per: Per
    split: Split
    until: date | None
    values: tuple[RuleValue, ...]
    line: int


@frozen
class CapValue:
    """The most 1/10,000 points a person can get in one period, from a day on."""

    valid_from: date
    limit_points: int
    clause: str
    line: int


@frozen
class Cap:
    """A limit on what some rules together give one person in one period.

    Attributes:
        id: Name of the cap, unique among the caps of its rulebook.
        title: What people call it.
        rules: Ids of the rules it covers.
        period: What the limit is counted in.
        values: Dated limits in order of date.
        line: Line where the cap begins.
    """

    id: str
    title: Label
    rules: tuple[str, ...]
    period: Period
    values: tuple[CapValue, ...]
    line: int


@frozen
class ProgrammeValue:
    """What a programme asks for, from a day on.

    Attributes:
        valid_from: First day.
        threshold_points: 1/10,000 points a person needs in the period.
        quota: How many persons get it, or None for all who reach the threshold.
        clause: Where the scheme says so.
        line: Line of the value in the rulebook's text.
    """

    valid_from: date
    threshold_points: int
    quota: int | None
    clause: str
    line: int


@frozen
class Tie:
    """What decides between persons with equal points where a quota ends.

    Attributes:
        break_by: "activities" (more rewarded activities first), "earliest" (reached the total
            earlier), "joined" (longer service first), tried in this order.
        otherwise: Whether all who are still tied get in ("include") or none of them.
    """

    break_by: tuple[BreakBy, ...]
    otherwise: Otherwise


@frozen
class Programme:
    """Something people become eligible for by points, such as training abroad."""

    id: str
    title: Label
    period: Period
    values: tuple[ProgrammeValue, ...]
    tie: Tie
    line: int


@frozen
class Rulebook:
    """A whole rulebook, free of errors.

    Attributes:
        id: Name of the rulebook.
        title: What people call it.
        source: The document it puts into rules.
        rules: Rules in the order of the text.
        caps: Caps in the order of the text, which is the order they apply in.
        programmes: Programmes in the order of the text.
        labels: How codes such as grades are shown.
        digest: SHA-256 of the text's UTF-8, in hexadecimal.
        text: The text itself.
    """

    id: str
    title: Label
    source: str
    rules: tuple[Rule, ...]
    caps: tuple[Cap, ...]
    programmes: tuple[Programme, ...]
    labels: Mapping[str, Label]
    digest: str
    text: str = field(repr=False)


@frozen
class ActivityInfo:
    """What the checker needs to know of a kind of activity."""

    name: str
    has_grade: bool
    has_hours: bool


@frozen
class Problem:
    """One thing that is wrong with a rulebook, where it is, and what to do.

    Attributes:
        code: One of `PROBLEM_CODES`.
        line: Line, from 1.
        column: Column, from 1, in characters.
        message: What is wrong.
        excerpt: The line as written.
        remedy: What to do about it.
        severity: An "error" keeps the rulebook from being used, a "warning" does not.
    """

    code: str
    line: int
    column: int
    message: str
    excerpt: str
    remedy: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        return f"{self.line}:{self.column}: {self.severity} {self.code}: {self.message}"


class RulebookError(ValueError):
    """A rulebook, or several in force together, cannot be used.

    Attributes:
        problems: Everything that was found, warnings too, in order of line.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


# Reading a text ----------------------------------------------------------------------------


def check_rulebook(text: str, activities: Mapping[str, ActivityInfo]) -> list[Problem]:
    """Find everything that is wrong with a rulebook, in order of line.

    Only what makes the text unreadable as TOML hides other problems.

    Args:
        text: The rulebook as written.
        activities: The kinds of activity a rule can name.

    Returns:
        Errors and warnings; a rulebook without errors can be parsed.
    """
    return _examine(text, activities)[0]


def parse_rulebook(text: str, activities: Mapping[str, ActivityInfo]) -> Rulebook:
    """Read a rulebook.

    Args:
        text: The rulebook as written.
        activities: The kinds of activity a rule can name.

    Returns:
        The rulebook; warnings do not keep it from being read.

    Raises:
        RulebookError: The text has at least one error.
    """
    problems, rulebook = _examine(text, activities)
    if rulebook is None or any(problem.severity == "error" for problem in problems):
        raise RulebookError(problems)
    return rulebook


def _examine(
    text: str, activities: Mapping[str, ActivityInfo]
) -> tuple[list[Problem], Rulebook | None]:
    check = _Check(_lines(text), activities)
    document = _load(check, text)
    rulebook = None if document is None else _read_rulebook(check, document, text)
    return sorted(check.problems, key=lambda p: (p.line, p.column, p.code)), rulebook


def _load(check: _Check, text: str) -> Mapping[str, object] | None:
    """Return the parsed TOML, or None after noting why there is none."""
    _check_lines(check, text)
    if check.problems:
        return None
    try:
        document = tomllib.loads(text, parse_float=_decimal)
        check.places = locate(text)
    except UnknownSyntaxError as error:
        message = "Not every reader of TOML 1.0 understands this."
        check.error_on_line("toml-syntax", error.line, message, _OLD_SYNTAX, error.column)
    except RecursionError:
        message = "Lists or tables stand too deep in each other."
        check.error_on_line("toml-syntax", 1, message, _SYNTAX)
    except ValueError as error:  # mostly TOMLDecodeError
        _note_syntax(check, error)
    else:
        return document
    return None


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:  # the exponent is beyond what a decimal can have
        return Decimal("inf")


# Control characters, halves of surrogate pairs, and what reorders or splits text unseen.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def _check_lines(check: _Check, text: str) -> None:
    if len(text.encode(errors="replace")) > TEXT_BYTES_MAX:
        message = f"The text has more than {TEXT_BYTES_MAX:,} bytes."
        check.error_on_line("too-large", 1, message, _IS_IT_A_RULEBOOK)
        return
    for number, line in enumerate(check.lines, start=1):
        if len(line) > LINE_CHARS_MAX:
            message = f"The line has more than {LINE_CHARS_MAX:,} characters."
            remedy = "Break a list after a comma: its elements may stand on lines of their own."
            check.error_on_line("too-large", number, message, remedy)
        if found := _UNSEEN.search(line):
            message = f"U+{ord(found[0]):04X} cannot be seen but changes what the text says."
            remedy = "Delete it; type the line again if it cannot be found."
            if found[0] == "\ufeff":
                remedy = "Save the file as UTF-8 without a byte order mark."
            column = found.start() + 1
            check.error_on_line("control-character", number, message, remedy, column)


_SYNTAX_POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
# What tomllib says, by its beginning, and what to do then.
_SYNTAX_REMEDIES = {
    "Cannot overwrite": "The key stands there twice: keep one of the two.",
    "Duplicate inline table key": "The key stands there twice: keep one of the two.",
    "Cannot declare": "The table was begun before: keep one, or write [[rule]], [[cap]] and"
    " [[programme]] with two brackets.",
    "Cannot mutate": "A list in [ … ] cannot be continued below: write all of it in one place.",
    "Expected '='": "Write key = value.",
    "Illegal character '\\n'": 'End the text with a quotation mark: "…".',
    "Invalid initial character for a key": "Name keys and grades with letters A to Z, digits, '-'"
    " and '_'; [labels] says how they are shown in Korean.",
    "Unterminated string": 'End the text with a quotation mark: "…".',
    "Unclosed array": "End the list with ] and put a comma between its elements.",
    "Unclosed inline table": "End the table with } on its line and put commas between its keys.",
}
_SYNTAX = (
    'Write texts as "…", dates as 2005-01-01, numbers as 2.5, lists as [a, b] and tables as'
    " { key = value }."
)
_OLD_SYNTAX = (
    "Write an inline table { … } on one line with no comma at its end, and nothing after a"
    " backslash that ends a line."
)


def _note_syntax(check: _Check, error: ValueError) -> None:
    message = str(error)
    line, column = len(check.lines), len(check.lines[-1]) + 1
    if (found := _SYNTAX_POSITION.search(message)) and found[1]:
        line, column = int(found[1]), int(found[2])
    known = (text for start, text in _SYNTAX_REMEDIES.items() if message.startswith(start))
    message = f"{_SYNTAX_POSITION.sub('', message)}."
    check.error_on_line("toml-syntax", line, message, next(known, _SYNTAX), column)


@mutable
class _Check:
    """What is known of a text while it is read, and what was found wrong so far."""

    lines: Sequence[str]
    activities: Mapping[str, ActivityInfo]
    places: Mapping[Path, Place] = field(factory=dict)
    problems: list[Problem] = field(factory=list)

    def place(self, path: Path) -> Place:
        """Return where an entry stands, or the nearest one that holds it."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Place(1, 1, 1, 1))

    def error(self, code: str, path: Path, predicate: str, remedy: str) -> None:
        """Note an error in the value at a path; the message says of it what the predicate is."""
        place, message = self.place(path), f"{_name(path)} {predicate}"
        self.error_on_line(code, place.value_line, message, remedy, place.value_column)

    def error_on_line(
        self, code: str, line: int, message: str, remedy: str, column: int | None = None
    ) -> None:
        """Note an error on a line; without a column, at its first character."""
        problem = _problem(self.lines, code, line, message, remedy)
        self.problems.append(evolve(problem, column=column) if column else problem)

    def warning(self, code: str, line: int, message: str, remedy: str) -> None:
        """Note something that may be meant but should be looked at."""
        problem = _problem(self.lines, code, line, message, remedy)
        self.problems.append(evolve(problem, severity="warning"))


def _lines(text: str) -> list[str]:
    # Only what ends a line for the TOML parser does so here, so that its numbers fit.
    return text.replace("\r\n", "\n").split("\n")


def _problem(lines: Sequence[str], code: str, line: int, message: str, remedy: str) -> Problem:
    excerpt = lines[line - 1]
    column = len(excerpt) - len(excerpt.lstrip()) + 1
    return Problem(code, line, column, message, excerpt[:LINE_CHARS_MAX], remedy)


def _name(path: Path) -> str:
    """Say in words what stands at a path: ``rule 2, values 1, points``."""
    words: list[str] = []
    for step in path:
        if isinstance(step, int):
            words[-1] = f"{words[-1]} {step + 1}"
        else:
            words.append(step)
    return ", ".join(words) or "The text"


# Tables and plain values -------------------------------------------------------------------

_IS_IT_A_RULEBOOK = "Make sure that this is a rulebook."
# How a key of the grammar is written.
_EXAMPLES = {
    "rulebook": "[rulebook] and below it id, title and source",
    "rule": "[[rule]]",
    "cap": "[[cap]]",
    "programme": "[[programme]]",
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
    "period": 'period = "year"',
    "values": 'values = [ { from = 2005-01-01, …, clause = "…" } ]',
    "threshold": "threshold = 30",
    "tie": 'tie = { break_by = ["activities"], otherwise = "exclude" }',
    "break_by": 'break_by = ["activities"]',
    "otherwise": 'otherwise = "exclude"',
}
_KINDS: Mapping[type, str] = {
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
_Word = TypeVar("_Word", bound=str)


@frozen
class _Table:
    """One table of the text: hands out typed values and notes what is wrong with them.

    What is wrong or missing comes out as something neutral of the same type, so that
    reading goes on and finds the next problem; the error keeps it from being used.
    """

    check: _Check
    path: Path
    raw: Mapping[str, object]

    @property
    def line(self) -> int:
        return self.check.place(self.path).line

    def at(self, key: str) -> Path:
        return (*self.path, key)

    def text(self, key: str, *, chars_max: int = TEXT_CHARS_MAX) -> str:
        return _read_text(self.check, self.at(key), self.raw.get(key), chars_max)

    def id(self, key: str) -> str:
        text = self.text(key)
        if text:
            _check_id(self.check, self.at(key), text)
        return text

    def label(self, key: str) -> Label:
        return _read_label(self.check, self.at(key), self.raw.get(key))

    def word(self, key: str, words: tuple[_Word, ...], default: _Word) -> _Word:
        return _read_word(self.check, self.at(key), self.raw.get(key), words) or default

    def date(self, key: str) -> date | None:
        return _read_date(self.check, self.at(key), self.raw.get(key))

    def points(self, key: str) -> int | None:
        return _read_points(self.check, self.at(key), self.raw.get(key))

    def items(self, key: str, count_max: int, *, empty: bool = False) -> list[tuple[Path, object]]:
        """Return the elements of a list with their paths; none if the list is missing."""
        path, raw = self.at(key), self.raw.get(key)
        if raw is None:
            return []
        if not isinstance(raw, list):
            predicate = f"is {_KINDS[type(raw)]}; a list was expected."
            self.check.error("wrong-type", path, predicate, f"Write {_EXAMPLES[key]}.")
            return []
        if not (raw or empty):
            self.check.error("empty", path, "is empty.", f"Write {_EXAMPLES[key]}.")
        _check_count(self.check, path, raw, count_max)
        return [((*path, index), element) for index, element in enumerate(raw[:count_max])]


def _open(
    check: _Check, path: Path, raw: object, required: Sequence[str], optional: Sequence[str] = ()
) -> _Table | None:
    """Return a table after comparing its keys with the grammar, or None if there is none."""
    if raw is None:
        return None
    if not isinstance(raw, dict):
        shape = f"{{ {', '.join(f'{key} = …' for key in required)} }}"
        predicate = f"is {_KINDS[type(raw)]}; a table was expected."
        remedy = f"Write {_EXAMPLES.get(str(path[-1]), shape)}."
        check.error("wrong-type", path, predicate, remedy)
        return None
    for key in required:
        if key not in raw:
            remedy = f"Add {_EXAMPLES.get(key, f'{key} = …')}."
            check.error("missing-key", path, f"has no {key}.", remedy)
    known = [*required, *optional]
    for key in raw:
        if key not in known:
            place = check.place((*path, key))
            message, remedy = f"{_name(path)} has no key {key!r}.", _meant(key, known)
            check.error_on_line("unknown-key", place.line, message, remedy, place.column)
    return _Table(check, path, raw)


def _meant(word: str, known: Sequence[str]) -> str:
    """Offer the nearest of the words that are known, and all of them."""
    listed = f"Known here: {', '.join(known) or 'none'}."
    close = get_close_matches(word, known, n=1)
    return f"Did you mean {close[0]!r}? {listed}" if close else listed


def _check_count(check: _Check, path: Path, raw: Sized, count_max: int) -> None:
    if len(raw) > count_max:
        check.error("too-large", path, f"has more than {count_max:,} entries.", _IS_IT_A_RULEBOOK)


def _read_text(check: _Check, path: Path, raw: object, chars_max: int = TEXT_CHARS_MAX) -> str:
    if raw is None:
        return ""
    if not isinstance(raw, str):
        predicate = f"is {_KINDS[type(raw)]}; a text was expected."
        check.error("wrong-type", path, predicate, 'Write it in quotation marks: "…".')
    elif not raw.strip():
        check.error("empty", path, "is empty.", "Write what it says.")
    elif len(raw) > chars_max:
        check.error("too-large", path, f"has more than {chars_max:,} characters.", "Shorten it.")
    elif found := re.search(rf"[\t\n]|{_UNSEEN.pattern}", raw):
        predicate = f"has the character U+{ord(found[0]):04X}, which cannot be seen."
        check.error("control-character", path, predicate, "Write it on one line without that.")
    else:
        return raw
    return ""


_ID = re.compile(rf"[A-Za-z0-9._-]{{1,{ID_CHARS_MAX}}}")


def _check_id(check: _Check, path: Path, text: str) -> None:
    if not _ID.fullmatch(text):
        predicate = f"cannot be called {text[:ID_CHARS_MAX]!r}."
        remedy = f"Use letters A to Z, digits, '-', '_' and '.', at most {ID_CHARS_MAX} in all."
        check.error("bad-id", path, predicate, remedy)


def _read_label(check: _Check, path: Path, raw: object) -> Label:
    table = _open(check, path, raw, ("ko", "en"))
    if table is None:
        return Label("", "")
    texts = (table.text(key, chars_max=TITLE_CHARS_MAX) for key in ("ko", "en"))
    return Label(*texts)


def _read_word(check: _Check, path: Path, raw: object, words: tuple[_Word, ...]) -> _Word | None:
    text = _read_text(check, path, raw)
    for word in words:
        if text == word:
            return word
    if text:
        check.error("unknown-word", path, f"cannot be {text!r}.", _meant(text, words))
    return None


def _read_date(check: _Check, path: Path, raw: object) -> date | None:
    if raw is None:
        return None
    if type(raw) is not date:  # a datetime is a date too, but says more than a rulebook may
        predicate = f"is {_KINDS[type(raw)]}; a date was expected."
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


def _read_points(check: _Check, path: Path, raw: object) -> int | None:
    """Read an amount of points, exactly, in 1/10,000 points."""
    if raw is None:
        return None
    if isinstance(raw, bool) or not isinstance(raw, int | Decimal):
        predicate = f"is {_KINDS[type(raw)]}; a number was expected."
        check.error("wrong-type", path, predicate, "Write it without quotation marks: 2.5.")
        return None
    points = Decimal(raw)
    if not points.is_finite() or not 0 <= points <= POINTS_MAX // POINT:
        predicate = f"is not between 0 and {POINTS_MAX // POINT:,}."
        check.error("number-range", path, predicate, "Write the points the scheme states.")
        return None
    try:
        return int(points.quantize(_SMALLEST, context=_EXACT).scaleb(4))
    except Inexact:
        predicate = "has more than 4 decimal places."
        check.error("number-places", path, predicate, "Round it to 1/10,000 point.")
        return None


# The grammar -------------------------------------------------------------------------------


class _HasId(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def line(self) -> int: ...


class _Dated(Protocol):
    @property
    def valid_from(self) -> date: ...
    @property
    def line(self) -> int: ...


_Entry = TypeVar("_Entry", bound=_HasId)
_Value = TypeVar("_Value", bound=_Dated)


def _read_rulebook(check: _Check, document: Mapping[str, object], text: str) -> Rulebook:
    _open(check, (), document, ("rulebook", "rule"), ("cap", "programme", "labels"))
    root = _Table(check, (), document)
    path, raw = root.at("rulebook"), document.get("rulebook")
    head = _open(check, path, raw, ("id", "title", "source")) or _Table(check, path, {})
    rules = _read_entries(root, "rule", RULES_MAX, _read_rule)
    _check_overlaps(check, rules)
    read_cap = partial(_read_cap, rules={rule.id: rule for rule in rules if rule.id})
    return Rulebook(
        id=head.id("id"),
        title=head.label("title"),
        source=head.text("source"),
        rules=rules,
        caps=_read_entries(root, "cap", CAPS_MAX, read_cap),
        programmes=_read_entries(root, "programme", PROGRAMMES_MAX, _read_programme),
        labels=_read_labels(root),
        digest=hashlib.sha256(text.encode()).hexdigest(),
        text=text,
    )


def _read_entries(
    root: _Table, key: str, count_max: int, read: Callable[[_Check, Path, object], _Entry | None]
) -> tuple[_Entry, ...]:
    """Read all [[rule]], [[cap]] or [[programme]] tables; each has an id of its own."""
    entries: list[_Entry] = []
    lines: dict[str, int] = {}
    for path, raw in root.items(key, count_max):
        entry = read(root.check, path, raw)
        if entry is None:
            continue
        entries.append(entry)
        if entry.id in lines:
            predicate = f"has the id of the {key} in line {lines[entry.id]}."
            remedy = f"Give each {key} an id of its own, or write all values into one."
            root.check.error("duplicate-id", (*path, "id"), predicate, remedy)
        elif entry.id:
            lines[entry.id] = entry.line
    return tuple(entries)


def _read_values(
    table: _Table, read: Callable[[_Check, Path, object], _Value | None]
) -> tuple[_Value, ...]:
    """Read dated values; only those in order of date come out."""
    values: list[_Value] = []
    for path, raw in table.items("values", VALUES_MAX):
        value = read(table.check, path, raw)
        if value is None:
            continue
        if values and value.valid_from <= values[-1].valid_from:
            predicate = f"is {value.valid_from}, but the one before is {values[-1].valid_from}."
            remedy = "Write values in order of date, one for each day on which something changes."
            table.check.error("date-order", (*path, "from"), predicate, remedy)
        else:
            values.append(value)
    return tuple(values)


def _read_rule(check: _Check, path: Path, raw: object) -> Rule | None:
    required = ("id", "title", "activity", "values")
    table = _open(check, path, raw, required, ("per", "split", "until"))
    if table is None:
        return None
    activity = _read_activity(table)
    rule = Rule(
        id=table.id("id"),
        title=table.label("title"),
        activity=activity.name if activity else "",
        per=table.word("per", PERS, "activity"),
        split=table.word("split", SPLITS, "each"),
        until=table.date("until"),
        values=_read_values(table, partial(_read_rule_value, activity=activity)),
        line=table.line,
    )
    if rule.per == "hour" and activity and not activity.has_hours:
        predicate, remedy = f"is hour, but {activity.name} has none.", 'Write per = "activity".'
        check.error("no-hours", table.at("per"), predicate, remedy)
    if rule.until and rule.values and rule.until <= rule.values[-1].valid_from:
        predicate = f"is not after {rule.values[-1].valid_from}, where the last value begins."
        remedy = "Let until be later than every from, or remove values that never count."
        check.error("until-order", table.at("until"), predicate, remedy)
    _warn_of_dropped_grades(check, rule)
    return rule


def _read_activity(table: _Table) -> ActivityInfo | None:
    name, known = table.text("activity"), sorted(table.check.activities)
    if name and name not in known:
        predicate, remedy = f"cannot be {name!r}.", _meant(name, known)
        table.check.error("unknown-activity", table.at("activity"), predicate, remedy)
    return table.check.activities.get(name)


def _read_rule_value(
    check: _Check, path: Path, raw: object, *, activity: ActivityInfo | None
) -> RuleValue | None:
    table = _open(check, path, raw, ("from", "points", "clause"))
    if table is None:
        return None
    valid_from, clause = table.date("from"), table.text("clause")
    raw_points = table.raw.get("points")
    points: int | Mapping[str, int] | None
    if isinstance(raw_points, dict):
        points = _read_grades(check, table.at("points"), raw_points, activity)
    else:
        points = table.points("points")
    if valid_from is None:
        return None
    return RuleValue(valid_from, 0 if points is None else points, clause, table.line)


def _read_grades(
    check: _Check, path: Path, raw: Mapping[str, object], activity: ActivityInfo | None
) -> Mapping[str, int]:
    if activity and not activity.has_grade:
        predicate = f"is by grade, but {activity.name} has none."
        check.error("no-grades", path, predicate, "Write one number: points = 2.5.")
    if not raw:
        check.error("empty", path, "names no grade.", "Write { gold = 10, silver = 7 }.")
    _check_count(check, path, raw, GRADES_MAX)
    for grade in raw:
        _check_id(check, (*path, grade), grade)
    points = {grade: _read_points(check, (*path, grade), raw[grade]) or 0 for grade in raw}
    return MappingProxyType(points)


def _warn_of_dropped_grades(check: _Check, rule: Rule) -> None:
    for before, after in pairwise(rule.values):
        if isinstance(before.points, int) or isinstance(after.points, int):
            continue
        if dropped := [grade for grade in before.points if grade not in after.points]:
            message = f"{', '.join(dropped)} had points before {after.valid_from} and now has none."
            remedy = "Name every grade; write 0 for one that earns nothing any more."
            check.warning("grade-dropped", after.line, message, remedy)


def _read_cap(check: _Check, path: Path, raw: object, *, rules: Mapping[str, Rule]) -> Cap | None:
    table = _open(check, path, raw, ("id", "title", "rules", "period", "values"))
    if table is None:
        return None
    cap = Cap(
        id=table.id("id"),
        title=table.label("title"),
        rules=_read_cap_rules(table, rules),
        period=table.word("period", PERIODS, "month"),
        values=_read_values(table, _read_cap_value),
        line=table.line,
    )
    _warn_of_late_cap(check, cap, rules)
    limits = [_Limit(cap, *span) for span in _spans(cap.values, None)]
    if limit := _raised_after_lowering(limits):
        check.error_on_line("cap-lowered-then-raised", limit.value.line, *_about_limit(limit))
    return cap


def _read_cap_rules(table: _Table, rules: Mapping[str, Rule]) -> tuple[str, ...]:
    named: list[str] = []
    for path, raw in table.items("rules", RULES_MAX):
        rule = _read_text(table.check, path, raw)
        if rule in named:
            predicate = f"names {rule!r} again."
            table.check.error("repeated", path, predicate, "Name each rule once.")
        elif rule and rule not in rules:
            predicate, remedy = f"names no rule: {rule!r}.", _meant(rule, list(rules))
            table.check.error("unknown-rule", path, predicate, remedy)
        elif rule:
            named.append(rule)
    return tuple(named)


def _read_cap_value(check: _Check, path: Path, raw: object) -> CapValue | None:
    table = _open(check, path, raw, ("from", "points", "clause"))
    if table is None:
        return None
    valid_from, points, clause = table.date("from"), table.points("points"), table.text("clause")
    if valid_from is None or points is None:
        return None
    return CapValue(valid_from, points, clause, table.line)


def _warn_of_late_cap(check: _Check, cap: Cap, rules: Mapping[str, Rule]) -> None:
    for value in cap.values[:1]:
        begun = (
            rule
            for rule in cap.rules
            for first in rules[rule].values[:1]
            if first.valid_from < value.valid_from
        )
        if early := ", ".join(begun):
            message = (
                f"{early} gives points before {value.valid_from}, where the cap begins: those are"
                " neither limited nor counted towards the limit."
            )
            remedy = "Let the cap begin with the rules it limits, if that is not meant."
            check.warning("cap-starts-late", value.line, message, remedy)


def _read_programme(check: _Check, path: Path, raw: object) -> Programme | None:
    table = _open(check, path, raw, ("id", "title", "period", "values"), ("tie",))
    if table is None:
        return None
    programme = Programme(
        id=table.id("id"),
        title=table.label("title"),
        period=table.word("period", PERIODS, "year"),
        values=_read_values(table, _read_programme_value),
        tie=_read_tie(table),
        line=table.line,
    )
    if "tie" not in table.raw and any(value.quota for value in programme.values):
        predicate, remedy = "has a quota, but no tie.", f"Add {_EXAMPLES['tie']}."
        check.error("missing-key", path, predicate, remedy)
    return programme


def _read_programme_value(check: _Check, path: Path, raw: object) -> ProgrammeValue | None:
    table = _open(check, path, raw, ("from", "threshold", "clause"), ("quota",))
    if table is None:
        return None
    valid_from, threshold = table.date("from"), table.points("threshold")
    quota, clause = _read_quota(table), table.text("clause")
    if valid_from is None or threshold is None:
        return None
    return ProgrammeValue(valid_from, threshold, quota, clause, table.line)


def _read_quota(table: _Table) -> int | None:
    raw, path = table.raw.get("quota"), table.at("quota")
    if raw is None:
        return None
    if not isinstance(raw, int) or isinstance(raw, bool):
        predicate = f"is {_KINDS[type(raw)]}; a number of persons was expected."
        table.check.error("wrong-type", path, predicate, "Write a whole number: 10.")
        return None
    if not 1 <= raw <= QUOTA_MAX:
        predicate = f"is not between 1 and {QUOTA_MAX:,}."
        remedy = "Write how many persons get it; leave quota out if all do."
        table.check.error("number-range", path, predicate, remedy)
        return None
    return raw


def _read_tie(programme: _Table) -> Tie:
    path, raw = programme.at("tie"), programme.raw.get("tie")
    table = _open(programme.check, path, raw, ("break_by", "otherwise"))
    if table is None:
        # Without a quota nothing ends in a tie: all who reach the threshold get in.
        return Tie(break_by=(), otherwise="include")
    words: list[BreakBy] = []
    for word_path, element in table.items("break_by", LABELS_MAX, empty=True):
        word = _read_word(table.check, word_path, element, BREAK_BY)
        if word in words:
            predicate = f"names {word!r} again."
            table.check.error("repeated", word_path, predicate, "Name each word once.")
        elif word is not None:
            words.append(word)
    return Tie(break_by=tuple(words), otherwise=table.word("otherwise", OTHERWISE, "exclude"))


def _read_labels(root: _Table) -> Mapping[str, Label]:
    path, raw = root.at("labels"), root.raw.get("labels", {})
    if not isinstance(raw, dict):
        predicate = f"is {_KINDS[type(raw)]}; a table was expected."
        root.check.error("wrong-type", path, predicate, f"Write {_EXAMPLES['labels']}.")
        return MappingProxyType({})
    _check_count(root.check, path, raw, LABELS_MAX)
    for code in raw:
        _check_id(root.check, (*path, code), code)
    labels = {code: _read_label(root.check, (*path, code), raw[code]) for code in raw}
    return MappingProxyType(labels)


# What only the whole shows -----------------------------------------------------------------


def _spans(values: Sequence[_Value], until: date | None) -> Iterator[tuple[_Value, date, date]]:
    """Yield each dated value with its first day and the day after its last."""
    ends = [*(value.valid_from for value in values[1:]), until or date.max]
    for value, end in zip(values, ends, strict=False):
        if value.valid_from < end:
            yield value, value.valid_from, end


@frozen
class _Claim:
    """A rule's right to give points for an activity; a grade of None means every grade."""

    day_from: date
    day_until: date
    grade: str | None
    rule: Rule
    line: int


def _check_overlaps(check: _Check, rules: Sequence[Rule]) -> None:
    claims: defaultdict[str, list[_Claim]] = defaultdict(list)
    for rule in rules:
        if rule.activity:
            claims[rule.activity].extend(_claims(rule))
    noted: set[tuple[int, int]] = set()
    for of_activity in claims.values():
        for rivals in _collisions(of_activity):
            first, second = sorted(rivals, key=lambda claim: claim.rule.line)
            if (first.rule.line, second.rule.line) not in noted:
                noted.add((first.rule.line, second.rule.line))
                _note_overlap(check, first, second)


def _note_overlap(check: _Check, first: _Claim, second: _Claim) -> None:
    grade = second.grade or first.grade
    message = (
        f"The rule {first.rule.id!r} (line {first.line}) gives points for {first.rule.activity}"
        f"{f', grade {grade},' if grade else ''} too"
        f" from {max(first.day_from, second.day_from)} on."
    )
    remedy = "Let one of the two end with until, or give each its own grades."
    check.error_on_line("overlap", second.line, message, remedy)


def _claims(rule: Rule) -> Iterator[_Claim]:
    for value, day_from, day_until in _spans(rule.values, rule.until):
        for grade in [None] if isinstance(value.points, int) else value.points:
            yield _Claim(day_from, day_until, grade, rule, value.line)


def _collisions(claims: Sequence[_Claim]) -> Iterator[tuple[_Claim, _Claim]]:
    """Yield pairs of claims on the same grade and day, in one pass over the days.

    It is enough to compare a claim with the one that lasts longest of those that began
    before it, as the claims of one rule never meet.
    """
    longest: dict[str | None, _Claim] = {}
    longest_of_all: _Claim | None = None
    for claim in sorted(claims, key=lambda claim: (claim.day_from, claim.rule.line)):
        rivals = [longest.get(claim.grade), longest.get(None)]
        for rival in rivals if claim.grade is not None else [longest_of_all]:
            if rival and rival.rule is not claim.rule and rival.day_until > claim.day_from:
                yield rival, claim
        longest[claim.grade] = _longer(longest.get(claim.grade), claim)
        longest_of_all = _longer(longest_of_all, claim)


def _longer(one: _Claim | None, other: _Claim) -> _Claim:
    return one if one and one.day_until > other.day_until else other


_PERIOD_MONTHS: Mapping[Period, int] = {"month": 1, "quarter": 3, "half": 6, "year": 12}


def period_start(period: Period, day: date) -> date:
    """Return the first day of the period that a day belongs to.

    Months, quarters, halves and years are those of the calendar; a lifetime begins on the
    first day there is.
    """
    if period == "lifetime":
        return date.min
    months = _PERIOD_MONTHS[period]
    return date(day.year, (day.month - 1) // months * months + 1, 1)


@frozen
class _Limit:
    """A cap's limit while it holds; `adoption` is None while a text is only checked."""

    cap: Cap
    value: CapValue
    day_from: date
    day_until: date
    adoption: Adoption | None = None


def _raised_after_lowering(limits: Sequence[_Limit]) -> _Limit | None:
    """Return the first limit that goes up after one went down in the same period.

    The plan counts a capped sum as a running minimum, and what was earned is never taken
    back: that has one exact answer unless room opens again after it was closed.

    Args:
        limits: Limits of one cap in order of day, all of one kind of period.
    """
    lowered_in: date | None = None
    for before, after in pairwise(limits):
        start = period_start(after.cap.period, after.day_from)
        if period_start(after.cap.period, before.day_until - _DAY) != start:
            continue
        if after.value.limit_points < before.value.limit_points:
            lowered_in = start
        elif after.value.limit_points > before.value.limit_points and lowered_in == start:
            return after
    return None


def _about_limit(limit: _Limit) -> tuple[str, str]:
    """Say what is wrong with a limit that rises too early, and what to do."""
    period = limit.cap.period
    message = (
        f"The cap {limit.cap.id!r} was lowered and goes up again on {limit.day_from}, within one"
        f" {period}: what it takes away is then not defined."
    )
    if period == "lifetime":
        return message, "Once a limit for a lifetime was lowered, leave it there."
    # From its first day, as many days as a period has at most lead into the next one.
    days = _DAY * min(_PERIOD_MONTHS[period] * 31, 366)
    start = period_start(period, period_start(period, limit.day_from) + days)
    return message, f"Let the change begin where a {period} begins, such as {start}."


# Compiling for the scoring plan ------------------------------------------------------------


@frozen
class Adoption:
    """A rulebook as it was adopted.

    Attributes:
        position: Position of the adoption in the ledger; a later one wins.
        occurred_on: Day of the adoption.
        effective_from: First day the rulebook applies to, by the day an activity was done.
        rulebook: What was adopted.
    """

    position: int
    occurred_on: date
    effective_from: date
    rulebook: Rulebook


@frozen
class Version:
    """The days an adoption applies to: from `day_from` to the day before `day_until`."""

    adoption: Adoption
    day_from: date
    day_until: date


@frozen
class ValueRow:
    """One value of one rule for one grade, on the days it applies.

    Attributes:
        id: Number of the row, from 1.
        adoption: Position of the adoption it comes from.
        rule: Id of the rule.
        activity: The kind of activity that earns.
        grade: The grade it is for, or None for any grade and for activities without.
        per: What the points are for.
        split: How they are divided among persons.
        day_from: First day, as the number yyyymmdd.
        day_until: The day after the last, as the number yyyymmdd; `OPEN_DAY` if open.
        points: 1/10,000 points.
        clause: Where the scheme says so.
    """

    id: int
    adoption: int
    rule: str
    activity: str
    grade: str | None
    per: Per
    split: Split
    day_from: int
    day_until: int
    points: int
    clause: str


@frozen
class CapRow:
    """One limit of one cap for one rule, on the days it applies.

    Attributes:
        id: Number of the cap, from 1: the same for the same cap id in every version.
        cap: Id of the cap.
        level: Stage in which the cap applies, from 1. Caps that share a rule have different
            levels, in the order of the file, and a cap keeps its level throughout a period.
        rule: Id of a rule it covers.
        adoption: Position of the adoption it comes from.
        period: What the limit is counted in.
        day_from: First day, as the number yyyymmdd.
        day_until: The day after the last, as the number yyyymmdd; `OPEN_DAY` if open.
        limit_points: 1/10,000 points per person and period.
        clause: Where the scheme says so.
    """

    id: int
    cap: str
    level: int
    rule: str
    adoption: int
    period: Period
    day_from: int
    day_until: int
    limit_points: int
    clause: str


@frozen
class Compiled:
    """All adopted rulebooks as plain rows, each for the days its version applies to.

    Attributes:
        values: At most one row applies to an activity, grade and day.
        caps: At most one row applies to a cap, rule and day.
        versions: Which adoption applies when, in order of day, without those never in force.
    """

    values: tuple[ValueRow, ...]
    caps: tuple[CapRow, ...]
    versions: tuple[Version, ...]

    def rulebook_on(self, day: date) -> Adoption | None:
        """Return the adoption that applies to a day, or None before the first."""
        for version in self.versions:
            if version.day_from <= day < version.day_until:
                return version.adoption
        return None


def compile_rules(adoptions: Sequence[Adoption]) -> Compiled:
    """Turn adopted rulebooks into rows that a scoring plan can join.

    A version applies from its `effective_from` to the day before the earliest
    `effective_from` of any later adoption.

    Args:
        adoptions: Adoptions in order of position.

    Returns:
        Rows in an order that depends on the adoptions alone.

    Raises:
        RulebookError: Versions in force in one period contradict each other about a cap, so
            that no exact figure exists; an adoption that leads there must be refused.
        ValueError: The adoptions are not in order of position.
    """
    if any(before.position >= after.position for before, after in pairwise(adoptions)):
        raise ValueError("adoptions must be given in order of position, each once")
    versions = _versions(adoptions)
    _check_limits(versions)
    return Compiled(
        values=tuple(
            ValueRow(number, *columns)
            for number, columns in enumerate(_value_columns(versions), start=1)
        ),
        caps=tuple(_cap_rows(versions)),
        versions=versions,
    )


def _versions(adoptions: Sequence[Adoption]) -> tuple[Version, ...]:
    versions: list[Version] = []
    day_until = date.max
    for adoption in reversed(adoptions):
        if adoption.effective_from < day_until:
            versions.append(Version(adoption, adoption.effective_from, day_until))
            day_until = adoption.effective_from
    return tuple(reversed(versions))


def _clipped(
    values: Sequence[_Value], until: date | None, version: Version
) -> Iterator[tuple[_Value, date, date]]:
    """Yield each dated value with the days on which it and its version apply."""
    for value, value_from, value_until in _spans(values, until):
        day_from = max(value_from, version.day_from)
        day_until = min(value_until, version.day_until)
        if day_from < day_until:
            yield value, day_from, day_until


def _day_number(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


_ValueColumns = tuple[int, str, str, str | None, Per, Split, int, int, int, str]


def _value_columns(versions: Sequence[Version]) -> Iterator[_ValueColumns]:
    for version in versions:
        for rule in version.adoption.rulebook.rules:
            for value, day_from, day_until in _clipped(rule.values, rule.until, version):
                points = value.points
                by_grade = {None: points} if isinstance(points, int) else points
                for grade, amount in by_grade.items():
                    yield (
                        version.adoption.position,
                        rule.id,
                        rule.activity,
                        grade,
                        rule.per,
                        rule.split,
                        _day_number(day_from),
                        _day_number(day_until),
                        amount,
                        value.clause,
                    )


def _cap_rows(versions: Sequence[Version]) -> Iterator[CapRow]:
    levels = _cap_levels(versions)
    numbers: dict[str, int] = {}
    for version in versions:
        for cap in version.adoption.rulebook.caps:
            number = numbers.setdefault(cap.id, len(numbers) + 1)
            for value, day_from, day_until in _clipped(cap.values, None, version):
                for rule in cap.rules:
                    yield CapRow(
                        id=number,
                        cap=cap.id,
                        level=levels[version.adoption.position, cap.id],
                        rule=rule,
                        adoption=version.adoption.position,
                        period=cap.period,
                        day_from=_day_number(day_from),
                        day_until=_day_number(day_until),
                        limit_points=value.limit_points,
                        clause=value.clause,
                    )


def _check_limits(versions: Sequence[Version]) -> None:
    """Refuse limits that go down and up again within a period, whichever version says so."""
    limits: defaultdict[tuple[str, Period], list[_Limit]] = defaultdict(list)
    for version in versions:
        for cap in version.adoption.rulebook.caps:
            for span in _clipped(cap.values, None, version):
                limits[cap.id, cap.period].append(_Limit(cap, *span, version.adoption))
    problems = [
        _problem_in(
            limit.adoption, "cap-lowered-then-raised", limit.value.line, *_about_limit(limit)
        )
        for of_cap in limits.values()
        if (limit := _raised_after_lowering(of_cap)) and limit.adoption
    ]
    if problems:
        raise RulebookError(problems)


def _problem_in(adoption: Adoption, code: str, line: int, message: str, remedy: str) -> Problem:
    lines = _lines(adoption.rulebook.text)
    return _problem(lines, code, line, f"Adoption {adoption.position}: {message}", remedy)


# A cap while its periods do not begin anew between versions: its id, its period, and how often
# they did.
_CapEra = tuple[str, Period, int]


def _cap_levels(versions: Sequence[Version]) -> dict[tuple[int, str], int]:
    """Give each cap of each version (adoption's position, cap id) its level.

    Within a version a cap stands one level above the highest earlier cap it shares a rule
    with. Where a version ends inside a period of the cap, what the next one adds belongs to
    the same sum, so the cap must have one level in both.
    """
    eras = _cap_eras(versions)
    below: dict[_CapEra, set[_CapEra]] = {era: set() for era in eras.values()}
    for version in versions:
        position, caps = version.adoption.position, version.adoption.rulebook.caps
        for index, cap in enumerate(caps):
            for earlier in caps[:index]:
                if not set(earlier.rules).isdisjoint(cap.rules):
                    below[eras[position, cap.id]].add(eras[position, earlier.id])
    levels: dict[_CapEra, int] = {}
    try:
        for era in TopologicalSorter(below).static_order():
            levels[era] = 1 + max((levels[lower] for lower in below[era]), default=0)
    except CycleError as error:
        raise RulebookError([_about_order(versions, {era[0] for era in error.args[1]})]) from None
    return {key: levels[era] for key, era in eras.items()}


def _cap_eras(versions: Sequence[Version]) -> dict[tuple[int, str], _CapEra]:
    eras: dict[tuple[int, str], _CapEra] = {}
    last: dict[tuple[str, Period], tuple[int, Version]] = {}
    for version in versions:
        for cap in version.adoption.rulebook.caps:
            number, before = last.get((cap.id, cap.period), (0, version))
            last_start = period_start(cap.period, before.day_until - _DAY)
            if before is not version and last_start != period_start(cap.period, version.day_from):
                number += 1
            eras[version.adoption.position, cap.id] = (cap.id, cap.period, number)
            last[cap.id, cap.period] = (number, version)
    return eras


def _about_order(versions: Sequence[Version], cap_ids: set[str]) -> Problem:
    adoption, cap = next(
        (version.adoption, cap)
        for version in reversed(versions)
        for cap in version.adoption.rulebook.caps
        if cap.id in cap_ids
    )
    message = (
        f"The order in which the caps {', '.join(sorted(cap_ids))} apply changes within one period."
    )
    remedy = "Keep the order of the earlier rulebook, or begin where a period begins."
    return _problem_in(adoption, "cap-order", cap.line, message, remedy)
