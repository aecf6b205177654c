"""Files of rows, CSV and JSON Lines, read line by line; what cannot be read says where and why.

A reader holds one row in memory at a time, whatever stands in the file.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
from abc import ABC, abstractmethod
from collections import deque
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TextIO

import attrs

from .errors import ImportRefused, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = [
    "CELL_CHARS_MAX",
    "LINE_CHARS_MAX",
    "SET_ASIDE_COLUMNS",
    "CsvRows",
    "JsonRows",
    "Row",
    "RowFile",
    "brief",
    "csv_rows",
    "open_rows",
    "read_as",
]

CELL_CHARS_MAX = 100_000
LINE_CHARS_MAX = 4_000_000
ROW_LINES_MAX = 100
SET_ASIDE_COLUMNS = ("line", "problem")
"""What a row set aside has before its own columns; ignored when it is imported again."""

_CHUNK_BYTES = 1 << 20
_SHOWN_CHARS = 40


def brief(text: str) -> str:
    """Quote the beginning of a name found in a file, fit to be shown on one line."""
    return repr(text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…")


@attrs.frozen
class Row:
    """One row as it stands in the file.

    Attributes:
        line: Line it begins on, from 1.
        values: Values by column or key, without the empty ones.
        raw: What stands there: the cells of a CSV file, the text of a JSON line.
        problem: Why it could not be read, if so.
    """

    line: int
    values: Mapping[str, Any]
    raw: Any
    problem: Problem | None = None


def read_as(encoding: str) -> str:
    """The encoding to read with: UTF-8, by whatever name, may begin with a byte order mark."""
    plain = encoding.lower().replace("-", "").replace("_", "")
    return "utf-8-sig" if plain in ("utf8", "utf8sig") else encoding


def open_rows(path: Path, encoding: str) -> TextIO:
    """Open a file of rows that is in an encoding from its beginning to its end.

    Raises:
        ImportRefused: It cannot be read, or is in another encoding.
    """
    try:
        if problem := _check_encoding(path, encoding):
            raise ImportRefused([problem])
        return path.open(encoding=encoding, newline="")
    except OSError as error:
        raise _unreadable(path, error) from error


@contextmanager
def csv_rows(path: Path, encoding: str) -> Iterator[CsvRows]:
    """The rows of a CSV file.

    Raises:
        ImportRefused: It cannot be read, or is in another encoding.
    """
    try:
        with open_rows(path, read_as(encoding)) as file:
            yield CsvRows(file, path.name)
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> ImportRefused:
    reason = f"cannot be read ({error.strerror})"
    return ImportRefused([Problem(path.name, 0, "", "import.unreadable", reason)])


def _check_encoding(path: Path, encoding: str) -> Problem | None:
    """Decode a whole file once, so that nothing is stored of one in another encoding."""
    try:
        io.TextIOWrapper(io.BytesIO(), encoding=encoding).close()
        decoder = codecs.getincrementaldecoder(encoding)()
    except (LookupError, ValueError):
        reason = f"there is no encoding {brief(encoding)}"
        return Problem(path.name, 0, "", "import.encoding", reason, "utf-8 or cp949")
    line, offset, chunk = 1, 0, b"-"
    with path.open("rb") as file:
        while chunk:
            chunk = file.read(_CHUNK_BYTES)
            try:
                line += decoder.decode(chunk, final=not chunk).count("\n")
            except UnicodeDecodeError as error:
                # The decoder's object begins with what it kept of the chunk before.
                at = offset - (len(error.object) - len(chunk)) + error.start
                good = error.object[: error.start].decode(encoding, errors="replace")
                return _undecodable(path, line + good.count("\n"), at, encoding)
            except UnicodeError:
                return _undecodable(path, line, offset, encoding)
            offset += len(chunk)
    return None


def _undecodable(path: Path, line: int, offset: int, encoding: str) -> Problem:
    other = "cp949" if encoding.lower().startswith("utf") else "utf-8"
    with path.open("rb") as file:
        if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            other = "utf-16"
    return Problem(
        path.name,
        line,
        "",
        "import.decoding",
        f"byte {offset + 1:,} of the file is not {encoding.removesuffix('-sig')}",
        f"wrong encoding: try --encoding {other}",
    )


class RowFile(ABC):
    """A file of rows, and how rows of it are set aside.

    Args:
        file: Where it is read from, opened with ``newline=""``.
        name: Its name, for problems.
    """

    def __init__(self, file: TextIO, name: str) -> None:
        self.file = file
        self.name = name

    @abstractmethod
    def check_columns(self, known: Iterable[str]) -> list[Problem]:
        """Find what is wrong with the file as a whole, before its rows are read."""

    @abstractmethod
    def rows(self) -> Iterator[Row]:
        """Read all rows that are not empty, in order."""

    @abstractmethod
    def begin_aside(self, file: TextIO) -> Callable[[Row, str], object]:
        """Return what writes a row and its problem to a file of the same format."""

    def problem(self, line: int, rule: str, reason: str, remedy: str = "") -> Problem:
        """Make a problem of this file."""
        return Problem(self.name, line, "", rule, reason, remedy)


class _UnreadableError(Exception):
    """A line or a row goes beyond a limit; not a ``ValueError``, which a codec may raise."""


class _Lines:
    """The lines of a CSV file, with a way back to the second line of a row that went wrong.

    A quote that is never closed makes the reader take line after line. Only the first of them is
    to blame, so the others are read again as rows of their own.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._again: deque[str] = deque()
        self.taken: list[str] = []
        self.line = 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        text = self._again.popleft() if self._again else _read_line(self._file)
        if not text:
            raise StopIteration
        self.taken.append(text)
        if len(text) > LINE_CHARS_MAX:
            msg = f"the line has more than {LINE_CHARS_MAX:,} characters"
            raise _UnreadableError(msg)
        if len(self.taken) > ROW_LINES_MAX:
            msg = f"a quoted cell goes on for more than {ROW_LINES_MAX} lines"
            raise _UnreadableError(msg)
        return text

    def next_row(self) -> None:
        """Go on after a row that was read."""
        self.line += len(self.taken)
        self.taken = []

    def skip_line(self) -> None:
        """Go on after the first line of a row that could not be read."""
        self._again.extendleft(reversed(self.taken[1:]))
        self.line += 1
        self.taken = []


def _read_line(file: TextIO) -> str:
    """Read a line; of one that is too long, so much that it shows, and skip the rest."""
    text = file.readline(LINE_CHARS_MAX + 1)
    if len(text) > LINE_CHARS_MAX and not text.endswith(("\n", "\r")):
        while (rest := file.readline(LINE_CHARS_MAX)) and not rest.endswith(("\n", "\r")):
            pass
    return text


class CsvRows(RowFile):
    """A CSV file with a header; cells are stripped, empty ones are absent."""

    def __init__(self, file: TextIO, name: str) -> None:
        super().__init__(file, name)
        self._lines = _Lines(file)
        self._reader = csv.reader(self._lines, strict=True)
        self.columns: list[str] = []

    def check_columns(self, known: Iterable[str]) -> list[Problem]:
        """Read the header and find its problems."""
        from difflib import get_close_matches  # noqa: PLC0415 - only when a file is imported

        header = next(self._cells(), None)
        if header is None:
            return [self.problem(0, "import.empty", "has no header and no rows")]
        if header.problem:
            return [header.problem]
        self.columns = [cell.strip() for cell in header.raw]
        words, problems, seen = sorted({*known, *SET_ASIDE_COLUMNS}), [], set[str]()
        for number, column in enumerate(self.columns, 1):
            if not column:
                reason, remedy, rule = (
                    "has no name",
                    "remove it or name it",
                    "import.column-unnamed",
                )
            elif column in seen:
                reason, remedy, rule = "comes twice", "remove one", "import.column-repeated"
            elif column not in words:
                near = get_close_matches(column[:64], words, n=1)
                reason, rule = "is no field of any kind", "import.column-unknown"
                remedy = f"did you mean {near[0]!r}?" if near else ""
            else:
                seen.add(column)
                continue
            where = f"column {number} {brief(column)}" if column else f"column {number}"
            problems.append(self.problem(header.line, rule, f"{where} {reason}", remedy))
        return problems

    def rows(self) -> Iterator[Row]:
        """Read all rows that are not empty, in order."""
        columns, width = self.columns, len(self.columns)
        ignored = [column for column in SET_ASIDE_COLUMNS if column in columns]
        for row in self._cells():
            if row.problem:
                yield row
                continue
            cells = [cell.strip() for cell in row.raw]
            values = {column: cell for column, cell in zip(columns, cells, strict=False) if cell}
            for column in ignored:
                values.pop(column, None)
            if len(cells) != width and any(cells):
                reason = f"has {len(cells)} cells, the header has {width}"
                problem = self.problem(row.line, "import.ragged", reason, "quote cells with commas")
                yield attrs.evolve(row, values=values, problem=problem)
            elif values:
                yield attrs.evolve(row, values=values)

    def begin_aside(self, file: TextIO) -> Callable[[Row, str], object]:
        """Write the header; rows follow with the line and the problem before their own cells."""
        writer = csv.writer(file)
        kept = [n for n, column in enumerate(self.columns) if column not in SET_ASIDE_COLUMNS]
        left_out = set(range(len(self.columns))) - set(kept)
        writer.writerow([*SET_ASIDE_COLUMNS, *(self.columns[n] for n in kept)])

        def write(row: Row, problem: str) -> None:
            cells = (cell for n, cell in enumerate(row.raw) if n not in left_out)
            writer.writerow([row.line, problem, *cells])

        return write

    def _cells(self) -> Iterator[Row]:
        lines, reader = self._lines, self._reader
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except (csv.Error, _UnreadableError) as error:
                row = self._unreadable(error)
                lines.skip_line()
                yield row
                continue
            problem = None
            if sum(map(len, lines.taken)) > CELL_CHARS_MAX:
                problem = self._long_cell(cells)
            row = Row(lines.line, {}, cells, problem)
            lines.next_row()
            yield row

    def _unreadable(self, error: Exception) -> Row:
        lines = self._lines
        text = lines.taken[0] if lines.taken else ""
        if isinstance(error, _UnreadableError) and len(text) > LINE_CHARS_MAX:
            problem = self.problem(lines.line, "import.too-long", str(error))
            return Row(lines.line, {}, [], problem)
        cells = _lenient_cells(text)
        problem = self._long_cell(cells) or self._bad_quotes(error)
        return Row(lines.line, {}, cells, problem)

    def _bad_quotes(self, error: Exception) -> Problem:
        reason = f"cannot be read as CSV: {error}"
        remedy = "look for a quote that is not closed or not doubled"
        return self.problem(self._lines.line, "import.quotes", reason, remedy)

    def _long_cell(self, cells: Sequence[str]) -> Problem | None:
        for number, cell in enumerate(cells):
            if len(cell) > CELL_CHARS_MAX:
                column = self.columns[number] if number < len(self.columns) else ""
                reason = f"has {len(cell):,} characters, {CELL_CHARS_MAX:,} are allowed"
                problem = self.problem(self._lines.line, "import.too-long", reason)
                return attrs.evolve(problem, field=column or f"column {number + 1}")
        return None


def _lenient_cells(text: str) -> list[str]:
    """Split a line that is no good CSV into cells all the same, to set it aside."""
    try:
        return next(csv.reader([text]), [])
    except csv.Error:  # a cell beyond the limit of the csv module
        cells: list[list[str]] = []
        quoted = False
        for part in text.rstrip("\r\n").split(","):
            if quoted:
                cells[-1].append(part)
            else:
                cells.append([part])
            quoted ^= part.count('"') % 2 == 1
        return [",".join(parts) for parts in cells]


class JsonRows(RowFile):
    """A JSON Lines file: one object on each line; null and empty values are absent."""

    def __init__(self, file: TextIO, name: str) -> None:
        super().__init__(file, name)
        self._decode = json.JSONDecoder(
            object_pairs_hook=_unique, parse_float=Decimal, parse_constant=_refuse_constant
        ).decode

    def check_columns(self, known: Iterable[str]) -> list[Problem]:
        """Find nothing: each line has its own keys, known to its kind or not."""
        del known
        return []

    def rows(self) -> Iterator[Row]:
        """Read all rows that are not empty, in order."""
        line = 0
        while text := _read_line(self.file):
            line += 1
            if not text.isspace():
                yield self._row(line, text)

    def begin_aside(self, file: TextIO) -> Callable[[Row, str], object]:
        """Rows are written with the line and the problem before their own keys."""

        def write(row: Row, problem: str) -> None:
            begin = {"line": row.line, "problem": problem}
            own = row.values or {"unreadable": row.raw.strip()}
            try:
                text = json.dumps({**begin, **own}, ensure_ascii=False, default=str)
            except RecursionError:
                text = json.dumps({**begin, "unreadable": row.raw.strip()}, ensure_ascii=False)
            file.write(text + "\n")

        return write

    def _row(self, line: int, text: str) -> Row:
        if len(text) > LINE_CHARS_MAX:
            reason = f"the line has more than {LINE_CHARS_MAX:,} characters"
            return Row(line, {}, "", self.problem(line, "import.too-long", reason))
        try:
            values = self._decode(text)
        except RecursionError:
            reason = "is nested too deeply"
        except json.JSONDecodeError as error:
            reason = f"is not valid JSON at character {error.colno}: {error.msg}"
        except (ValueError, ArithmeticError) as error:  # also a number beyond what Python reads
            reason = str(error) if isinstance(error, _BadValueError) else "has an absurd number"
        else:
            if isinstance(values, dict):
                for name in SET_ASIDE_COLUMNS:
                    values.pop(name, None)
                return Row(line, values, text)
            reason = "is not a JSON object"
        return Row(line, {}, text, self.problem(line, "import.json", f"the line {reason}"))


class _BadValueError(ValueError):
    """Valid for Python's JSON reader, not for an exact one."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                msg = f"has the key {brief(name)} twice"
                raise _BadValueError(msg)
            seen.add(name)
    return found


def _refuse_constant(word: str) -> None:
    msg = f"has {word}, which is no number"
    raise _BadValueError(msg)
