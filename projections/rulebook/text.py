"""The text of a rulebook: read as TOML, and what is found wrong noted by line and column."""

from __future__ import annotations

import re
import tomllib
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from attrs import evolve, field, mutable
from mileage.projections.toml_positions import Place, UnknownSyntaxError, locate

from .values import LINE_CHARS_MAX, TEXT_BYTES_MAX, ActivityInfo, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mileage.projections.toml_positions import Path

__all__ = ["IS_IT_A_RULEBOOK", "UNSEEN", "Check", "lines_of", "load", "name_of", "problem_on"]


def load(check: Check, text: str) -> Mapping[str, object] | None:
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


IS_IT_A_RULEBOOK = "Make sure that this is a rulebook."

# Control characters, halves of surrogate pairs, and what reorders or splits text unseen.
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def _check_lines(check: Check, text: str) -> None:
    if len(text.encode(errors="replace")) > TEXT_BYTES_MAX:
        message = f"The text has more than {TEXT_BYTES_MAX:,} bytes."
        check.error_on_line("too-large", 1, message, IS_IT_A_RULEBOOK)
        return
    for number, line in enumerate(check.lines, start=1):
        if len(line) > LINE_CHARS_MAX:
            message = f"The line has more than {LINE_CHARS_MAX:,} characters."
            remedy = "Break a list after a comma: its elements may stand on lines of their own."
            check.error_on_line("too-large", number, message, remedy)
        if found := UNSEEN.search(line):
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


def _note_syntax(check: Check, error: ValueError) -> None:
    message = str(error)
    line, column = len(check.lines), len(check.lines[-1]) + 1
    if (found := _SYNTAX_POSITION.search(message)) and found[1]:
        line, column = int(found[1]), int(found[2])
    known = (text for start, text in _SYNTAX_REMEDIES.items() if message.startswith(start))
    message = f"{_SYNTAX_POSITION.sub('', message)}."
    check.error_on_line("toml-syntax", line, message, next(known, _SYNTAX), column)


@mutable
class Check:
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
        place, message = self.place(path), f"{name_of(path)} {predicate}"
        self.error_on_line(code, place.value_line, message, remedy, place.value_column)

    def error_on_line(
        self, code: str, line: int, message: str, remedy: str, column: int | None = None
    ) -> None:
        """Note an error on a line; without a column, at its first character."""
        problem = problem_on(self.lines, code, line, message, remedy)
        self.problems.append(evolve(problem, column=column) if column else problem)

    def warning(self, code: str, line: int, message: str, remedy: str) -> None:
        """Note something that may be meant but should be looked at."""
        problem = problem_on(self.lines, code, line, message, remedy)
        self.problems.append(evolve(problem, severity="warning"))


def lines_of(text: str) -> list[str]:
    """Split a text into lines the way the TOML parser counts them."""
    # Only what ends a line for the TOML parser does so here, so that its numbers fit.
    return text.replace("\r\n", "\n").split("\n")


def problem_on(lines: Sequence[str], code: str, line: int, message: str, remedy: str) -> Problem:
    """Make a problem that stands at the first character of a line."""
    excerpt = lines[line - 1]
    column = len(excerpt) - len(excerpt.lstrip()) + 1
    return Problem(code, line, column, message, excerpt[:LINE_CHARS_MAX], remedy)


def name_of(path: Path) -> str:
    """Say in words what stands at a path: ``rule 2, values 1, points``."""
    words: list[str] = []
    for step in path:
        if isinstance(step, int):
            words[-1] = f"{words[-1]} {step + 1}"
        else:
            words.append(step)
    return ", ".join(words) or "The text"
