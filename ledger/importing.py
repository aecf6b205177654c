"""Import of CSV and JSON Lines files: all of a file or nothing, or with the bad rows set aside."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from .errors import ImportRefused, InvalidFact, KeyConflict, Problem, Refused, UnknownKind
from .facts import Command, check_words
from .fields import parse_date
from .ledger import LOOK_AHEAD_ROWS
from .rowfiles import CsvRows, JsonRows, brief, open_rows, read_as

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date
    from typing import TextIO

    from .kinds.registry import Kind
    from .ledger import Ledger, Writer
    from .rowfiles import Row, RowFile

__all__ = ["NOT_IMPORTED", "ImportResult", "import_file"]

PROBLEMS_MAX = 1_000
COMMIT_ROWS = 50_000
_REFUSED_STREAMS_MAX = 100_000

_READERS: dict[str, type[RowFile]] = {"csv": CsvRows, "jsonl": JsonRows}
_FORMATS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_ENVELOPE = ("kind", "occurred_on", "key", "source", "recorded_by")

# A file states what people did; these are decisions about the ledger, made by its own commands.
NOT_IMPORTED = frozenset({"ledger.opened", "rulebook.adopted"})


@attrs.frozen
class ImportResult:
    """What became of a file.

    Attributes:
        file: Its name.
        rows: Rows read, empty ones not counted.
        recorded: Rows recorded now.
        repeated: Rows that had been recorded before.
        rejected: Rows set aside.
        problems: Their problems in order of lines; after the first 1,000 only how many more.
    """

    file: str
    rows: int
    recorded: int
    repeated: int
    rejected: int
    problems: tuple[Problem, ...]


def import_file(  # noqa: PLR0913 - each is a choice of its own
    ledger: Ledger,
    path: Path | str,
    *,
    by: str,
    kind: str | None = None,
    encoding: str = "utf-8",
    format: str | None = None,  # noqa: A002 - what it is called everywhere
    source: str | None = None,
    rejects: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ImportResult:
    """Record the rows of a file, each of them once however often the file is imported.

    Without ``rejects`` the file is one transaction: all of it is recorded, or nothing and all
    problems are raised. With it, good rows are recorded in transactions of 50,000 and bad ones are
    written to that file, in the same format and encoding, with the line they stood on and the
    problem; once corrected it can be imported as it is. A run that was interrupted is simply
    repeated: rows recorded before are recognised.

    Args:
        ledger: The ledger to record in.
        path: The file.
        by: Opaque id of who records, where a row has no ``recorded_by``.
        kind: Kind of the rows that name none.
        encoding: Any of Python's; UTF-8 may have a byte order mark.
        format: ``csv`` or ``jsonl``; told by the file's suffix unless given.
        source: Source of the rows that name none; the file's name unless given.
        rejects: File to set bad rows aside in; made only if there are any.
        progress: Called now and then with the bytes read and all bytes.

    Raises:
        ImportRefused: Something is wrong in the file. With ``rejects``: it cannot be read at all.
        UnknownKind, InvalidFact: ``kind``, ``by`` or ``source`` is unfit.
        ReadOnlyLedger, LockedLedger: The ledger cannot be written now.
        OSError: The rejects file cannot be written.
    """
    path = Path(path)
    source = path.name.encode(errors="replace").decode() if source is None else source
    check_words("recorded_by", by)
    check_words("source", source)
    if kind is not None:
        ledger.kinds.get(kind)
    if rejects is not None and not rejects.name:
        raise InvalidFact("rejects", "is no name of a file")
    if rejects is not None and rejects.absolute() == path.absolute():
        raise InvalidFact("rejects", "is the file to import itself", "choose another name")
    encoding = read_as(encoding)
    with ExitStack() as stack:
        file = _open(path, encoding, format or _FORMATS.get(path.suffix.lower(), ""), stack)
        total = path.stat().st_size
        job = _Job(ledger, file, by, source, kind)
        job.tell = (lambda done: progress(min(done, total), total)) if progress else None
        job.check_columns()
        if rejects is None:
            job.record_whole()
        else:
            with _aside(rejects, file, encoding) as job.set_aside:
                job.record_in_batches()
        if progress:
            progress(total, total)
    return job.result()


def _open(path: Path, encoding: str, form: str, stack: ExitStack) -> RowFile:
    if form not in _READERS:
        reason = "is neither a .csv nor a .jsonl file"
        raise ImportRefused(
            [Problem(path.name, 0, "", "import.format", reason, "name the format: csv or jsonl")]
        )
    file = stack.enter_context(open_rows(path, encoding))
    return _READERS[form](file, path.name)


@contextmanager
def _aside(path: Path, rows: RowFile, encoding: str) -> Iterator[Callable[[Row, Problem], object]]:
    """A place for bad rows; the file appears when all of them are in it, and only if there are."""
    part = path.with_name(path.name + ".part")
    with ExitStack() as stack:
        write: Callable[[Row, str], object] | None = None

        def set_aside(row: Row, problem: Problem) -> None:
            nonlocal write
            if write is None:
                write = rows.begin_aside(stack.enter_context(_new(part, encoding, rows)))
            write(row, str(attrs.evolve(problem, line=0)).removeprefix(f"{problem.file}: "))

        try:
            yield set_aside
            stack.close()
            if write is not None:
                os.replace(part, path)  # noqa: PTH105 - the same on every system, unlike rename
        finally:
            stack.close()
            if write is not None:
                part.unlink(missing_ok=True)


def _new(part: Path, encoding: str, rows: RowFile) -> TextIO:
    if encoding == "utf-8-sig" and isinstance(rows, JsonRows):
        encoding = "utf-8"  # only spreadsheets want the mark
    return part.open("w", encoding=encoding, errors="backslashreplace", newline="")


class _Job:
    """One file being imported."""

    def __init__(
        self, ledger: Ledger, file: RowFile, by: str, source: str, kind: str | None
    ) -> None:
        self.tell: Callable[[int], None] | None = None
        self.set_aside: Callable[[Row, Problem], object] | None = None
        self._ledger = ledger
        self._file = file
        self._by = by
        self._source = source
        self._kind = kind
        self._rows = self._recorded = self._repeated = self._rejected = 0
        self._problems: list[Problem] = []
        self._refused_streams: dict[str, int] = {}
        self._position_before = ledger.position

    def check_columns(self) -> None:
        """Check the header, if the format has one.

        Raises:
            ImportRefused: It is unfit.
        """
        kinds = [kind for kind in self._ledger.kinds if kind.name not in NOT_IMPORTED]
        known = {*_ENVELOPE, *(name for kind in kinds for name in kind.fields)}
        problems = self._file.check_columns(known)
        if isinstance(self._file, CsvRows) and not problems:
            needed = ("occurred_on",) if self._kind else ("kind", "occurred_on")
            problems = [
                self._file.problem(1, "import.column-missing", f"there is no column {name!r}")
                for name in needed
                if name not in self._file.columns
            ]
        if problems:
            raise ImportRefused(problems)

    def record_whole(self) -> None:
        """Record all rows in one transaction.

        Raises:
            ImportRefused: A row was refused; nothing is recorded.
        """
        rows = self._file.rows()
        with self._ledger.writer() as writer:
            while self._take(writer, rows):
                pass
            if self._problems:
                raise ImportRefused(self._listed())

    def record_in_batches(self) -> None:
        """Record good rows, a batch in each transaction, and set the others aside."""
        rows, more = self._file.rows(), True
        while more:
            with self._ledger.writer() as writer:
                for _ in range(COMMIT_ROWS // LOOK_AHEAD_ROWS):
                    more = more and self._take(writer, rows)

    def result(self) -> ImportResult:
        """What became of the file."""
        return ImportResult(
            file=self._file.name,
            rows=self._rows,
            recorded=self._recorded,
            repeated=self._repeated,
            rejected=self._rejected,
            problems=tuple(self._listed()),
        )

    def _take(self, writer: Writer, rows: Iterator[Row]) -> bool:
        """Take up the next rows; return whether there were any."""
        batch = list(islice(rows, LOOK_AHEAD_ROWS))
        commands = [self._command(row) for row in batch]
        writer.look_ahead([command for command in commands if isinstance(command, Command)])
        for row, command in zip(batch, commands, strict=True):
            problem = self._add(writer, row, command) if type(command) is Command else command
            if isinstance(problem, Problem):
                self._refuse(row, problem)
        self._rows += len(batch)
        if self.tell:
            self.tell(self._file.file.buffer.tell())
        return bool(batch)

    def _command(self, row: Row) -> Command | Problem:
        if row.problem:
            return row.problem
        values = dict(row.values)
        try:
            kind = self._kind_of(_text(values, "kind") or self._kind)
            occurred_on = _date(_text(values, "occurred_on"))
            key = _text(values, "key")
            source = _text(values, "source") or self._source
            by = _text(values, "recorded_by") or self._by
            return Command(kind.parse(values), occurred_on, by, source, key)
        except InvalidFact as error:
            return self._invalid(row, error)
        except UnknownKind as error:
            return self._problem(row, "kind", "kind.unknown", str(error))

    def _kind_of(self, name: str | None) -> Kind:
        if name is None:
            raise InvalidFact("kind", "is missing")
        if name in NOT_IMPORTED:
            raise InvalidFact("kind", f"{name} is not imported", "it has a command of its own")
        return self._ledger.kinds.get(name if len(name) <= len(brief(name)) else brief(name))

    def _add(self, writer: Writer, row: Row, command: Command) -> Problem | None:
        try:
            recorded = writer.add(command)
        except Refused as error:
            remedy = self._rests_on(writer, command, error) or error.remedy
            return self._problem(row, error.field, error.rule, error.reason, remedy)
        except KeyConflict as error:
            return self._conflict(row, error)
        except InvalidFact as error:
            return self._invalid(row, error)
        if recorded.new:
            self._recorded += 1
        else:
            self._repeated += 1
        return None

    def _refuse(self, row: Row, problem: Problem) -> None:
        self._rejected += 1
        if len(self._problems) < PROBLEMS_MAX:
            self._problems.append(problem)
        stream = self._stream_of(row)
        if stream and len(self._refused_streams) < _REFUSED_STREAMS_MAX:
            self._refused_streams.setdefault(stream, row.line)
        if self.set_aside:
            self.set_aside(row, problem)

    def _rests_on(self, writer: Writer, command: Command, error: Refused) -> str:
        """Name the earlier row to correct first, when this one is refused only for its sake."""
        if not self._refused_streams or error.rule == "fact.in-the-future":
            return ""
        own = command.stream if command.kind.category else ""
        for stream in (own, *_streams_named(command)):
            line = self._refused_streams.get(stream)
            if line and (stream == own or writer.state(stream) is None):
                return f"line {line}, about {stream}, was refused: correct that one first"
        return ""

    def _stream_of(self, row: Row) -> str:
        """Stream a refused row belongs to, as far as it can be told."""
        name = row.values.get("kind") or self._kind
        if not isinstance(name, str) or name not in self._ledger.kinds:
            return ""
        kind = self._ledger.kinds.get(name)
        ids = [row.values.get(field) for field in kind.id_fields]
        if not kind.category or not all(isinstance(each, str) and len(each) <= 64 for each in ids):  # noqa: PLR2004 - longer ones are no ids
            return ""
        return f"{kind.category}:{'/'.join(map(str, ids))}"

    def _conflict(self, row: Row, error: KeyConflict) -> Problem:
        if error.position > self._position_before:
            reason = f"{error.key!r} also names another row of this file, which says something else"
            return self._problem(row, "key", "key.conflict", reason, "give one of them a key")
        reason = f"{error.key!r} already names fact #{error.position}, which says something else"
        remedy = "void that fact and give the corrected one a key of its own"
        return self._problem(row, "key", "key.conflict", reason, remedy)

    def _invalid(self, row: Row, error: InvalidFact) -> Problem:
        field = error.field if len(error.field) <= len(brief(error.field)) else brief(error.field)
        return self._problem(row, field, "fact.invalid", error.reason, error.remedy)

    def _problem(self, row: Row, field: str, rule: str, reason: str, remedy: str = "") -> Problem:
        return Problem(self._file.name, row.line, field, rule, reason, remedy)

    def _listed(self) -> Sequence[Problem]:
        more = self._rejected - len(self._problems)
        if not more:
            return self._problems
        reason = f"{more:,} more problems are not listed"
        return [*self._problems, self._file.problem(0, "import.more", reason)]


def _text(values: dict[str, Any], name: str) -> str | None:
    """Take a text of the envelope out of a row's values; empty is absent."""
    value = values.pop(name, None)
    if value is not None and type(value) is not str:
        raise InvalidFact(name, "must be a string")
    return value or None


def _date(text: str | None) -> date:
    if text is None:
        raise InvalidFact("occurred_on", "is missing")
    try:
        return parse_date(text)
    except ValueError as error:
        raise InvalidFact("occurred_on", str(error)) from None


def _streams_named(command: Command) -> Iterator[str]:
    """Streams of other things that a command names, by a reference or by an id of theirs."""
    for name, field in command.kind.references.items():
        value = getattr(command.data, name)
        if value is not None:
            yield from (
                f"{category}:{thing}" for category in field.refers_to for thing in field.ids(value)
            )
    for name in command.kind.id_fields:
        yield f"{name}:{getattr(command.data, name)}"
