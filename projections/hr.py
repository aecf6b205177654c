"""HR batches: exactly what changed since the last one, as a file and its manifest.

What was sent is kept in an outbox (``NAME.hr.sqlite``), so that the next batch carries the
difference to it whatever rule or fact changed since, and a batch can be written again byte for
byte. A batch is first written under names nobody takes for finished, then counts as cut, then gets
its names, the manifest last. If the process ends in between, the next call finishes that batch.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import sqlite3
from typing import TYPE_CHECKING, Any

import attrs
from mileage.ledger import LedgerFileError, MileageError, format_amount
from mileage.ledger.facts import format_instant

from .decode import day_number
from .eligibility import eligible, programmes
from .figures import Period

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

    from mileage.ledger import Ledger

    from .figures import Figures

__all__ = ["Batch", "HrLine", "Outbox", "entitlements"]

FORMAT = "mileage-hr/1"
BALANCE = "mileage"
COLUMNS = ("batch", "line", "person", "employee_number", "code", "previous", "new", "delta")
_TEXT_COLUMNS = frozenset({"person", "employee_number", "code"})
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
UNIT = 10_000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS batches (
    sequence INTEGER PRIMARY KEY,
    manifest TEXT NOT NULL,
    delivered INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS lines (
    sequence INTEGER NOT NULL REFERENCES batches (sequence),
    line INTEGER NOT NULL,
    person TEXT NOT NULL,
    employee_number TEXT NOT NULL,
    code TEXT NOT NULL,
    previous INTEGER NOT NULL,
    new INTEGER NOT NULL,
    PRIMARY KEY (sequence, line)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS lines_person ON lines (person, code, sequence);
"""


@attrs.frozen
class HrLine:
    """What changed for one person and one entitlement.

    Attributes:
        line: Number of the line, from 1.
        person: Opaque id.
        employee_number: The employer's number from the directory; may be empty.
        code: ``mileage`` for the balance in points, else programme and period, such as
            ``overseas-training/2005`` (1 in, 0 out); when the period is over it stays.
        previous: What the batches before said, in 1/10,000.
        new: What holds now, in 1/10,000.
    """

    line: int
    person: str
    employee_number: str
    code: str
    previous: int
    new: int

    @property
    def delta(self) -> int:
        """The difference, in 1/10,000."""
        return self.new - self.previous


@attrs.frozen
class Batch:
    """A batch as it was cut.

    Attributes:
        sequence: Number of the batch, from 1 without gaps.
        manifest: What the manifest file says.
        lines: Its lines.
        file: The CSV file, when it was written by this call.
    """

    sequence: int
    manifest: Mapping[str, Any]
    lines: tuple[HrLine, ...]
    file: Path | None = None


def entitlements(figures: Figures, as_of: date) -> dict[tuple[str, str], int]:
    """What everyone is entitled to on a day, by person and code, in 1/10,000; zeros left out."""
    found: dict[tuple[str, str], int] = {
        (person, BALANCE): points
        for person, points in figures.query(
            "SELECT m.person, b.points FROM balances b JOIN people m ON m.id = b.person"
            " WHERE b.points <> 0"
        )
    }
    for programme in programmes(figures, as_of):
        selection = eligible(figures, programme, as_of)
        for candidate in selection.selected:
            found[candidate.person, f"{programme}/{selection.terms.period.name}"] = UNIT
    return found


class Outbox:
    """The batches that were cut for HR."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.path = ledger.beside(".hr.sqlite")

    def cut(
        self, figures: Figures, folder: Path, *, as_of: date, encoding: str = "utf-8-sig"
    ) -> Batch | None:
        """Cut the next batch: what changed since the last, written to a folder.

        Args:
            figures: Figures as of that day.
            folder: Where ``hr-batch-NNNNNN.csv`` and its ``.manifest.json`` go.
            as_of: Day on which programmes are decided, in the ledger's zone.
            encoding: Encoding of the CSV file.

        Returns:
            The batch, or ``None`` when nothing changed; then nothing is written.

        Raises:
            MileageError: Something cannot be written in the encoding.
            LedgerFileError: A file cannot be written; the batch does not count as cut.
        """
        if as_of > self.ledger.today():
            msg = f"{as_of} has not come yet: a batch cannot be cut as of that day"
            raise MileageError(msg)
        now = entitlements(figures, as_of)
        connection = self._open()
        try:
            connection.execute("BEGIN IMMEDIATE")
            interrupted = self._interrupted(connection)
            if interrupted:
                return self._deliver(connection, interrupted, folder)
            self._check_order(connection, as_of)
            lines = self._changes(connection, now, as_of)
            if not lines:
                return None
            sequence, previous = self._last(connection)
            batch = _batch(sequence + 1, previous, lines, self._about(figures, as_of), encoding)
            self._prepare(batch, folder)  # what can fail fails before the batch counts as cut
            connection.execute(
                "INSERT INTO batches VALUES (?, ?, 0)",
                (batch.sequence, json.dumps(batch.manifest, ensure_ascii=False)),
            )
            connection.executemany(
                "INSERT INTO lines VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(batch.sequence, *attrs.astuple(line)) for line in lines],
            )
            return self._deliver(connection, batch, folder)
        except (OSError, sqlite3.Error) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            msg = f"the batch could not be written: {reason}"
            raise LedgerFileError(msg) from error
        finally:
            connection.close()

    def write_again(self, sequence: int, folder: Path) -> Batch:
        """Write a batch that was cut before, byte for byte the same.

        Raises:
            MileageError: There is no such batch.
        """
        for batch in self.batches():
            if batch.sequence == sequence:
                return attrs.evolve(batch, file=self._write(batch, folder))
        msg = f"no batch {sequence} was cut"
        raise MileageError(msg)

    def batches(self) -> list[Batch]:
        """All batches, oldest first."""
        if not self.path.exists():
            return []
        connection = self._open()
        try:
            rows = connection.execute("SELECT sequence, manifest FROM batches ORDER BY sequence")
            return [_stored(connection, *row) for row in rows.fetchall()]
        finally:
            connection.close()

    def _open(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(self.path, isolation_level=None, timeout=30)
            connection.executescript(_SCHEMA)
        except sqlite3.Error as error:
            msg = f"{self.path.name}: {error}"
            raise LedgerFileError(msg) from error
        return connection

    def _interrupted(self, connection: sqlite3.Connection) -> Batch | None:
        """The batch that was cut but perhaps not written before the process ended."""
        row = connection.execute(
            "SELECT sequence, manifest FROM batches WHERE delivered = 0"
        ).fetchone()
        return _stored(connection, *row) if row else None

    def _deliver(self, connection: sqlite3.Connection, batch: Batch, folder: Path) -> Batch:
        """Commit a batch, then put its files in place, the manifest last."""
        connection.execute("COMMIT")
        path = self._write(batch, folder)
        connection.execute("UPDATE batches SET delivered = 1 WHERE sequence = ?", (batch.sequence,))
        return attrs.evolve(batch, file=path)

    def _check_order(self, connection: sqlite3.Connection, as_of: date) -> None:
        """Refuse another ledger's outbox, and a day before the last batch's."""
        _, last = self._last(connection)
        if last and last["ledger"] != self.ledger.stream_of_opening:
            msg = f"{self.path.name}: the outbox of another ledger; move it away"
            raise LedgerFileError(msg)
        if last and as_of.isoformat() < last["as_of"]:
            msg = f"the last batch was cut as of {last['as_of']}: the next cannot be as of {as_of}"
            raise MileageError(msg)

    def _changes(
        self, connection: sqlite3.Connection, now: Mapping[tuple[str, str], int], as_of: date
    ) -> list[HrLine]:
        sent = {
            (person, code): new
            for person, code, new in connection.execute(
                "SELECT person, code, new FROM lines l WHERE sequence = (SELECT max(sequence)"
                " FROM lines m WHERE m.person = l.person AND m.code = l.code)"
            )
            if _is_current(code, as_of)
        }
        changed = sorted(k for k in now.keys() | sent.keys() if now.get(k, 0) != sent.get(k, 0))
        numbers = self.ledger.directory.find({person for person, _ in changed})
        return [
            HrLine(
                line=number,
                person=person,
                employee_number=numbers[person].employee_number if person in numbers else "",
                code=code,
                previous=sent.get((person, code), 0),
                new=now.get((person, code), 0),
            )
            for number, (person, code) in enumerate(changed, 1)
        ]

    def _last(self, connection: sqlite3.Connection) -> tuple[int, Mapping[str, Any] | None]:
        row = connection.execute(
            "SELECT sequence, manifest FROM batches ORDER BY sequence DESC LIMIT 1"
        ).fetchone()
        return (row[0], json.loads(row[1])) if row else (0, None)

    def _about(self, figures: Figures, as_of: date) -> dict[str, Any]:
        meta = figures.meta()
        return {
            "ledger": meta["ledger"],
            "position": int(meta["position"]),
            "rulebook_position": int(meta["rules_position"]),
            "as_of": as_of.isoformat(),
            "time_zone": self.ledger.time_zone.key,
            "cut_at": format_instant(self.ledger.clock()),
        }

    def _prepare(self, batch: Batch, folder: Path) -> None:
        """Write a batch's files under names that nobody takes for finished."""
        folder.mkdir(parents=True, exist_ok=True)
        bodies = self._bodies(batch, folder)
        try:
            for path, body in bodies:
                _write_part(path, body)
        except BaseException:
            for path, _ in bodies:
                _part(path).unlink(missing_ok=True)
            raise

    def _write(self, batch: Batch, folder: Path) -> Path:
        """Put a batch's files in place; the manifest, last, says that the batch is complete."""
        self._prepare(batch, folder)
        for path, _ in self._bodies(batch, folder):
            _part(path).replace(path)
        return folder / f"{_name(batch)}.csv"

    def _bodies(self, batch: Batch, folder: Path) -> list[tuple[Path, bytes]]:
        body = render(batch.manifest["batch"], batch.lines, batch.manifest["encoding"])
        manifest = json.dumps(batch.manifest, ensure_ascii=False, indent=2) + "\n"
        return [
            (folder / f"{_name(batch)}.csv", body),
            (folder / f"{_name(batch)}.manifest.json", manifest.encode()),
        ]


def _name(batch: Batch) -> str:
    return f"hr-batch-{batch.sequence:06d}"


def _stored(connection: sqlite3.Connection, sequence: int, manifest: str) -> Batch:
    lines = connection.execute(
        "SELECT line, person, employee_number, code, previous, new FROM lines"
        " WHERE sequence = ? ORDER BY line",
        (sequence,),
    ).fetchall()
    return Batch(sequence, json.loads(manifest), tuple(HrLine(*row) for row in lines))


def _is_current(code: str, as_of: date) -> bool:
    """Whether a code can still change: a programme's period that is over stays as it was."""
    if code == BALANCE:
        return True
    period = Period.parse(code.rpartition("/")[2])
    return period.day_from <= day_number(as_of) < period.day_until


def _batch(
    sequence: int,
    previous: Mapping[str, Any] | None,
    lines: list[HrLine],
    about: Mapping[str, Any],
    encoding: str,
) -> Batch:
    name = f"{about['ledger'].partition(':')[2]}-{sequence:06d}"
    body = render(name, lines, encoding)
    deltas = [line.delta for line in lines]
    manifest = {
        "format": FORMAT,
        "batch": name,
        "sequence": sequence,
        "previous_batch": previous["batch"] if previous else None,
        "previous_sha256": previous["sha256"] if previous else None,
        **about,
        "encoding": encoding,
        "rows": len(lines),
        "sum_positive": format_amount(sum(delta for delta in deltas if delta > 0)),
        "sum_negative": format_amount(sum(delta for delta in deltas if delta < 0)),
        "sum_new": format_amount(sum(line.new for line in lines)),
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    return Batch(sequence, manifest, tuple(lines))


def render(name: str, lines: list[HrLine] | tuple[HrLine, ...], encoding: str) -> bytes:
    """Write a batch's lines as CSV; a text that a spreadsheet would run is made harmless.

    Raises:
        MileageError: The encoding is unknown or cannot write a line; the message names it.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for line in lines:
        row = {
            "batch": name,
            "line": str(line.line),
            "person": line.person,
            "employee_number": line.employee_number,
            "code": line.code,
            "previous": format_amount(line.previous),
            "new": format_amount(line.new),
            "delta": format_amount(line.delta),
        }
        writer.writerow(
            harmless(row[column]) if column in _TEXT_COLUMNS else row[column] for column in COLUMNS
        )
    try:
        return out.getvalue().encode(encoding)
    except LookupError:
        msg = f"{encoding!r} is no encoding (use utf-8-sig, utf-8 or cp949)"
        raise MileageError(msg) from None
    except UnicodeEncodeError as error:
        number = out.getvalue().count("\n", 0, error.start) + 1
        msg = f"line {number} of the batch cannot be written in {encoding}; use utf-8-sig"
        raise MileageError(msg) from None


def harmless(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would take for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _part(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


def _write_part(path: Path, body: bytes) -> None:
    with _part(path).open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
