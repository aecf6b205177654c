"""Profiles: which columns the file of an HR batch has, and how its values are written.

A profile is a TOML file. Three come with the package (``shipped_profiles``); any other is read from
a file of one's own. It is checked as a whole: every problem is told with its line and what to do.
"""

from __future__ import annotations

import hashlib
import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

import attrs
from mileage.ledger import ImportRefused, Label, LedgerFileError, MileageError
from mileage.ledger.errors import Problem
from mileage.ledger.fields import Code

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = [
    "DATES",
    "ENCODINGS",
    "FIELDS",
    "FORMATS",
    "Profile",
    "ProfileColumn",
    "find_profile",
    "parse_profile",
    "shipped_profiles",
]

FieldKind = Literal["text", "integer", "amount", "date"]

FIELDS: Mapping[str, FieldKind] = {
    "batch": "text",
    "sequence": "integer",
    "mode": "text",
    "line": "integer",
    "row_id": "text",
    "person": "text",
    "employee_number": "text",
    "name": "text",
    "programme": "text",
    "code": "text",
    "for_period": "text",
    "entitlement": "text",
    "in_period": "text",
    "effective_start": "date",
    "effective_end": "date",
    "previous": "amount",
    "new": "amount",
    "delta": "amount",
    "reason": "text",
    "facts": "text",
    "supersedes": "text",
}
"""What a column can be filled from, and what kind of value that is; see ``docs/hr.md``."""

PERSONAL = frozenset({"employee_number", "name"})
FORMATS = ("csv", "xlsx", "jsonl", "parquet")
ENCODINGS = ("utf-8-sig", "utf-8", "cp949")
DATES = {
    "YYYY-MM-DD": "%Y-%m-%d",
    "YYYYMMDD": "%Y%m%d",
    "YYYY.MM.DD": "%Y.%m.%d",
    "YYYY/MM/DD": "%Y/%m/%d",
    "DD.MM.YYYY": "%d.%m.%Y",
    "MM/DD/YYYY": "%m/%d/%Y",
}
DELIMITERS = (",", ";", "\t", "|")
LINE_ENDS = {"crlf": "\r\n", "lf": "\n"}
DECIMALS_MAX = 4
STANDARD = "standard"
_ID = Code("", "")


@attrs.frozen
class ProfileColumn:
    """One column of a file.

    Attributes:
        name: Its heading; the key in JSON Lines.
        field: What it is filled from, one of ``FIELDS``; empty for a constant.
        constant: The text that stands in every row, where it is filled from nothing.
        decimals: Decimal places of an amount, 0 to 4; ``None`` for as many as it needs.
    """

    name: str
    field: str = ""
    constant: str = ""
    decimals: int | None = None

    @property
    def kind(self) -> FieldKind:
        """What kind of value stands in it."""
        return FIELDS[self.field] if self.field else "text"


@attrs.frozen
class Profile:
    """How the file of a batch is written.

    Attributes:
        id: Its name, as the manifest has it.
        title: What people read.
        columns: The columns, in order.
        format: ``csv``, ``xlsx``, ``jsonl`` or ``parquet``.
        encoding: Of CSV: ``utf-8-sig``, ``utf-8`` or ``cp949``.
        delimiter: Of CSV: comma, semicolon, tab or bar.
        line_end: Of CSV: ``crlf`` or ``lf``.
        header: Whether CSV and XLSX begin with a row of names.
        dates: How dates are written, one of ``DATES``; Parquet has dates of its own.
        formulas: ``quote`` puts an apostrophe before a text in CSV that a spreadsheet would run,
            ``keep`` leaves it, for programs.
        sha256: Digest of the text it was read from.
    """

    id: str
    title: Label
    columns: tuple[ProfileColumn, ...]
    format: str = "csv"
    encoding: str = "utf-8-sig"
    delimiter: str = ","
    line_end: str = "crlf"
    header: bool = True
    dates: str = "YYYY-MM-DD"
    formulas: str = "quote"
    sha256: str = ""

    @property
    def personal(self) -> bool:
        """Whether it writes what belongs to a person rather than to an opaque id."""
        return any(column.field in PERSONAL for column in self.columns)

    def written_as(self, file_format: str | None = None, encoding: str | None = None) -> Profile:
        """The profile in another format or encoding than its own.

        Raises:
            MileageError: There is no such format or encoding, or the format has no choice of it.
        """
        chosen = file_format or self.format
        if chosen not in FORMATS:
            msg = f"{chosen!r} is no format (use {', '.join(FORMATS)})"
            raise MileageError(msg)
        if encoding and chosen != "csv":
            msg = f"{chosen} has no choice of encoding; leave it out, or use csv"
            raise MileageError(msg)
        if encoding and encoding not in ENCODINGS:
            msg = f"{encoding!r} is no encoding (use {', '.join(ENCODINGS)})"
            raise MileageError(msg)
        return attrs.evolve(self, format=chosen, encoding=encoding or self.encoding)


def shipped_profiles() -> dict[str, str]:
    """The texts of the profiles that come with the package, by id; the usual one first."""
    folder = files(__package__).joinpath("profiles")
    found = {
        entry.name.removesuffix(".toml"): entry.read_text("utf-8")
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    }
    return dict(sorted(found.items(), key=lambda item: (item[0] != STANDARD, item[0])))


def find_profile(name: str | Path = STANDARD) -> Profile:
    """A profile that comes with the package, by id, or one's own, by the path of its file.

    A name with an ending or a folder is a path.

    Raises:
        ImportRefused: The file has problems; all are listed.
        LedgerFileError: The file cannot be read.
        MileageError: No profile has that name.
    """
    from pathlib import Path  # noqa: PLC0415 - the name in annotations is for types

    path = Path(name)
    if path.suffix or len(path.parts) > 1:
        return parse_profile(_text_of(path), file=path.name)
    texts = shipped_profiles()
    if path.name not in texts:
        msg = f"{path.name!r} is no profile: use {', '.join(texts)} or the path of a .toml file"
        raise MileageError(msg)
    return parse_profile(texts[path.name], file=f"{path.name}.toml")


def _text_of(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except OSError as error:
        msg = f"{path.name}: {error.strerror}"
        raise LedgerFileError(msg) from error
    except UnicodeDecodeError as error:
        reason = f"byte {error.start + 1:,} is not UTF-8"
        problem = Problem(path.name, 0, "", "profile.not-utf-8", reason, "save it as UTF-8")
        raise ImportRefused([problem]) from error


def parse_profile(text: str, *, file: str) -> Profile:
    """Read a profile.

    Args:
        text: The TOML text.
        file: Its name, for problems.

    Raises:
        ImportRefused: It has problems; all are listed with line and remedy.
    """
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        problem = Problem(file, _line_of(error), "", "profile.toml", str(error))
        raise ImportRefused([problem]) from error
    reading = _Reading(document)
    profile = reading.profile()
    if reading.found or profile is None:
        raise ImportRefused(_placed(reading.found, text, file))
    return attrs.evolve(profile, sha256=hashlib.sha256(text.encode()).hexdigest())


def _line_of(error: Exception) -> int:
    _, _, rest = str(error).rpartition("(at line ")
    number = rest.partition(",")[0]
    return int(number) if number.isdecimal() else 0


Path_ = tuple[str | int, ...]


def _placed(found: list[tuple[Path_, str, str, str]], text: str, file: str) -> list[Problem]:
    """Problems with their lines, in the order of the file."""
    from .toml_positions import UnknownSyntaxError, locate  # noqa: PLC0415 - a native parser

    try:
        places = locate(text)
    except UnknownSyntaxError:
        places = {}
    problems = []
    for path, rule, reason, remedy in found:
        known = next((path[:n] for n in range(len(path), 0, -1) if path[:n] in places), ())
        line = places[known].line if known else 1
        field = ".".join(str(part + 1 if isinstance(part, int) else part) for part in path)
        problems.append(Problem(file, line, field, f"profile.{rule}", reason, remedy))
    return sorted(problems, key=lambda problem: problem.line)


_LABEL_KEYS = {"ko", "en"}


class _Reading:
    """A document looked through whole; what is wrong is collected by its path."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.found: list[tuple[Path_, str, str, str]] = []

    def profile(self) -> Profile | None:
        """The profile, as far as it could be read."""
        self._only((), self.document, {"profile", "column"})
        head = self._table(("profile",), self.document.get("profile"))
        columns = self._columns()
        checks: dict[str, Callable[[Path_, Any], bool]] = {
            "id": self._id,
            "title": self._title,
            "format": self._one_of(FORMATS),
            "encoding": self._one_of(ENCODINGS),
            "delimiter": self._one_of(DELIMITERS),
            "line_end": self._one_of(tuple(LINE_ENDS)),
            "header": self._flag,
            "dates": self._one_of(tuple(DATES)),
            "formulas": self._one_of(("quote", "keep")),
        }
        self._only(("profile",), head, set(checks))
        for key in ("id", "title"):
            if head and key not in head:
                self._wrong(("profile",), "missing", f"{key} is missing", f"add {key} = …")
        good = {
            key: value
            for key, value in head.items()
            if key in checks and checks[key](("profile", key), value)
        }
        if self.found:
            return None
        title = Label(good["title"]["ko"], good["title"]["en"])
        return Profile(**{**good, "title": title, "columns": columns})

    def _columns(self) -> tuple[ProfileColumn, ...]:
        given = self.document.get("column")
        if not isinstance(given, list) or not given:
            self._wrong(("column",), "columns", "there are no columns", "add [[column]] tables")
            return ()
        names: dict[str, int] = {}
        columns = []
        for index, each in enumerate(given):
            path: Path_ = ("column", index)
            table = self._table(path, each)
            self._only(path, table, {"name", "field", "constant", "decimals"})
            name = table.get("name")
            if not isinstance(name, str) or not name.strip() or not name.isprintable():
                self._wrong((*path, "name"), "name", "is no name", "give a text of one line")
            elif name in names:
                reason = f"column {names[name] + 1} has this name already"
                self._wrong((*path, "name"), "name-twice", reason, "give it another")
            else:
                names[name] = index
            if column := self._column(path, table):
                columns.append(column)
        fields = {column.field for column in columns}
        if len(columns) == len(given):
            for needed in (("person", "employee_number"), ("new", "delta")):
                if not fields & set(needed):
                    either = " or ".join(needed)
                    reason = f"no column is filled from {either}: a row would tell nothing"
                    self._wrong(("column", 0), "needed", reason, f"add one with field = {either}")
        return tuple(columns)

    def _column(self, path: Path_, table: Mapping[str, Any]) -> ProfileColumn | None:
        field, constant = table.get("field"), table.get("constant")
        decimals = table.get("decimals")
        before = len(self.found)
        if (field is None) == (constant is None):
            reason = "is filled from " + ("nothing" if field is None else "two things")
            self._wrong(path, "filled", reason, "give either field or constant")
        elif field is not None:
            self._one_of(tuple(FIELDS))((*path, "field"), field)
        elif not isinstance(constant, str) or (constant and not constant.isprintable()):
            self._wrong((*path, "constant"), "constant", "is no text", "write it in quotes")
        if decimals is not None:
            whole = isinstance(decimals, int) and not isinstance(decimals, bool)
            if not whole or not 0 <= decimals <= DECIMALS_MAX:
                reason = "is no number of decimal places"
                self._wrong((*path, "decimals"), "decimals", reason, "use 0 to 4")
            elif isinstance(field, str) and FIELDS.get(field, "amount") != "amount":
                reason = f"{field} has no decimal places"
                self._wrong((*path, "decimals"), "decimals", reason, "leave it out")
            elif constant is not None:
                reason = "a constant has no decimal places"
                self._wrong((*path, "decimals"), "decimals", reason, "leave it out")
        if len(self.found) > before or not isinstance(table.get("name"), str):
            return None
        return ProfileColumn(str(table["name"]), field or "", constant or "", decimals)

    # -- values --------------------------------------------------------------------------------

    def _table(self, path: Path_, value: Any) -> Mapping[str, Any]:
        if isinstance(value, dict):
            return value
        name = f"[{path[0]}]" if len(path) == 1 else "a table"
        self._wrong(path, "table", f"is not {name}" if value is not None else "is missing",
                    f"write {name}")  # fmt: skip
        return {}

    def _only(self, path: Path_, table: Mapping[str, Any], known: set[str]) -> None:
        for key in table:
            if key not in known:
                self._wrong((*path, key), "unknown", "is no key here", _near(key, known))

    def _one_of(self, words: tuple[str, ...]) -> Callable[[Path_, Any], bool]:
        def check(path: Path_, value: Any) -> bool:
            if isinstance(value, str) and value in words:
                return True
            shown = repr(value)[:40]
            remedy = _near(value if isinstance(value, str) else "", set(words))
            self._wrong(path, "value", f"{shown} is not known here", remedy)
            return False

        return check

    def _flag(self, path: Path_, value: Any) -> bool:
        if isinstance(value, bool):
            return True
        self._wrong(path, "value", "is neither true nor false", "write true or false")
        return False

    def _id(self, path: Path_, value: Any) -> bool:
        try:
            _ID.check(value)
        except ValueError as error:
            self._wrong(path, "id", str(error), "such as payroll-2005")
            return False
        return True

    def _title(self, path: Path_, value: Any) -> bool:
        texts = isinstance(value, dict) and set(value) == _LABEL_KEYS
        if texts and all(isinstance(text, str) and text.strip() for text in value.values()):
            return True
        remedy = 'write { ko = "…", en = "…" }'
        self._wrong(path, "title", "is no title in two languages", remedy)
        return False

    def _wrong(self, path: Path_, rule: str, reason: str, remedy: str) -> None:
        self.found.append((path, rule, reason, remedy))


def _near(word: str, known: set[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only when something is wrong

    close = get_close_matches(word, sorted(known), n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"use {', '.join(repr(each)[1:-1] for each in sorted(known))}"
