"""HR batches: exactly what changed since the last one, as a file and its manifest.

What was sent is kept in an outbox (``NAME.hr.sqlite``) with what HR said to it, so that the next
batch carries the difference whatever rule or fact changed since, and a batch can be written again
byte for byte. A batch is first written under names nobody takes for finished, then counts as cut,
then gets its names, the manifest last. If the process ends in between, the next call finishes that
batch.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs
from mileage.ledger import LedgerFileError, MileageError, format_amount
from mileage.ledger.facts import format_instant

from .days import day_number
from .hr import HrKey, HrLine, Whys, entitlements
from .hrfile import FORMAT, render

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from mileage.ledger import Ledger

    from .figures import Figures

__all__ = ["Batch", "BatchTally", "HrStatus", "Outbox"]

SCHEMA_VERSION = 2
_SCHEMA = """
CREATE TABLE IF NOT EXISTS batches (
    sequence INTEGER PRIMARY KEY,
    manifest TEXT NOT NULL,
    delivered INTEGER NOT NULL,
    received_at TEXT
);
CREATE TABLE IF NOT EXISTS lines (
    sequence INTEGER NOT NULL REFERENCES batches (sequence),
    line INTEGER NOT NULL,
    person TEXT NOT NULL,
    programme TEXT NOT NULL,
    code TEXT NOT NULL,
    for_period TEXT NOT NULL,
    employee_number TEXT NOT NULL,
    in_period TEXT NOT NULL,
    previous INTEGER NOT NULL,
    new INTEGER NOT NULL,
    reason TEXT NOT NULL,
    facts TEXT NOT NULL,
    supersedes TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('out', 'accepted', 'rejected')),
    note TEXT NOT NULL,
    PRIMARY KEY (sequence, line)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS lines_key ON lines (person, programme, code, for_period);
"""
_KEY = "person, programme, code, for_period"


@attrs.frozen
class Batch:
    """A batch as it was cut.

    Attributes:
        sequence: Number of the batch, from 1 without gaps.
        manifest: What the manifest file says.
        lines: Its lines, with what HR said to them.
        received_at: Instant (UTC, as text) at which HR's receipt was taken in, if it was.
        file: The CSV file, when it was written by this call.
    """

    sequence: int
    manifest: Mapping[str, Any]
    lines: tuple[HrLine, ...]
    received_at: str | None = None
    file: Path | None = None


@attrs.frozen
class BatchTally:
    """How it stands with a batch.

    Attributes:
        sequence: Number of the batch.
        as_of: Day for which it was cut.
        received: Whether HR said that it has it.
        rows: Number of its lines.
        accepted: Lines that HR accepted.
        rejected: Lines that HR rejected.
    """

    sequence: int
    as_of: str
    received: bool
    rows: int
    accepted: int
    rejected: int

    @property
    def out(self) -> int:
        """Lines that HR has said nothing to."""
        return self.rows - self.accepted - self.rejected


@attrs.frozen
class HrStatus:
    """What is out, what came back, what is due.

    Attributes:
        batches: How it stands with each batch, oldest first.
        due: What the next batch would carry now.
    """

    batches: tuple[BatchTally, ...]
    due: tuple[HrLine, ...]


class Outbox:
    """The batches that were cut for HR."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.path = ledger.beside(".hr.sqlite")

    def cut(
        self,
        figures: Figures,
        folder: Path,
        *,
        as_of: date,
        encoding: str = "utf-8-sig",
        full: bool = False,
    ) -> Batch | None:
        """Cut the next batch: what changed since the last, written to a folder.

        Args:
            figures: Figures as of that day.
            folder: Where ``hr-batch-NNNNNN.csv`` and its ``.manifest.json`` go.
            as_of: Day for which it is cut, in the ledger's zone.
            encoding: Encoding of the CSV file.
            full: Whether to carry what did not change too, with a delta of 0.

        Returns:
            The batch, or ``None`` when there is nothing to tell; then nothing is written.

        Raises:
            MileageError: Something cannot be written in the encoding.
            LedgerFileError: A file cannot be written; the batch does not count as cut.
        """
        if as_of > self.ledger.today():
            msg = f"{as_of} has not come yet: a batch cannot be cut as of that day"
            raise MileageError(msg)
        with self._connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            interrupted = self._interrupted(connection)
            if interrupted:
                return self._deliver(connection, interrupted, folder)
            self._check_order(connection, as_of)
            lines = self._changes(connection, figures, as_of, full=full)
            if not lines:
                return None
            about = self._about(figures, as_of, "full" if full else "delta")
            batch = _batch(_last(connection), lines, about, encoding)
            self._prepare(batch, folder)  # what can fail fails before the batch counts as cut
            connection.execute(
                "INSERT INTO batches VALUES (?, ?, 0, NULL)",
                (batch.sequence, json.dumps(batch.manifest, ensure_ascii=False)),
            )
            connection.executemany(
                f"INSERT INTO lines VALUES ({', '.join('?' * 15)})",
                [_row(batch.sequence, line) for line in lines],
            )
            return self._deliver(connection, batch, folder)

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
        with self._connected() as connection:
            rows = connection.execute(
                "SELECT sequence, manifest, received_at FROM batches ORDER BY sequence"
            )
            return [_stored(connection, *row) for row in rows.fetchall()]

    def status(self, figures: Figures, as_of: date) -> HrStatus:
        """What is out, what HR said, and what the next batch would carry.

        Args:
            figures: Figures as of that day.
            as_of: Day for which the next batch would be cut.
        """
        with self._connected(create=False) as connection:
            rows = connection.execute(
                "SELECT b.sequence, b.manifest, b.received_at IS NOT NULL, count(l.line),"
                " count(CASE WHEN l.status = 'accepted' THEN 1 END),"
                " count(CASE WHEN l.status = 'rejected' THEN 1 END)"
                " FROM batches b LEFT JOIN lines l ON l.sequence = b.sequence"
                " GROUP BY b.sequence ORDER BY b.sequence"
            ).fetchall()
            due = self._changes(connection, figures, as_of, full=False)
        tallies = [
            BatchTally(sequence, json.loads(manifest)["as_of"], bool(received), *counts)
            for sequence, manifest, received, *counts in rows
        ]
        return HrStatus(tuple(tallies), tuple(due))

    @contextmanager
    def _connected(self, *, create: bool = True) -> Iterator[sqlite3.Connection]:
        """The outbox, or an empty one; what fails in its files or folder says so."""
        path = self.path if create or self.path.exists() else ":memory:"
        try:
            connection = sqlite3.connect(path, isolation_level=None, timeout=30)
        except sqlite3.Error as error:
            msg = f"{self.path.name}: {error}"
            raise LedgerFileError(msg) from error
        try:
            self._check_schema(connection)
            yield connection
        except (OSError, sqlite3.Error) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            msg = f"the batch could not be written: {reason}"
            raise LedgerFileError(msg) from error
        finally:
            connection.close()

    def _check_schema(self, connection: sqlite3.Connection) -> None:
        [(version,)] = connection.execute("PRAGMA user_version").fetchall()
        if version == SCHEMA_VERSION:
            return
        if version or connection.execute("SELECT 1 FROM sqlite_master").fetchone():
            msg = f"{self.path.name}: written by another version of this package; move it away"
            raise LedgerFileError(msg)
        connection.executescript(_SCHEMA)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _interrupted(self, connection: sqlite3.Connection) -> Batch | None:
        """The batch that was cut but perhaps not written before the process ended."""
        row = connection.execute(
            "SELECT sequence, manifest, received_at FROM batches WHERE delivered = 0"
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
        last = _last(connection)
        if last and last["ledger"] != self.ledger.stream_of_opening:
            msg = f"{self.path.name}: the outbox of another ledger; move it away"
            raise LedgerFileError(msg)
        if last and as_of.isoformat() < last["as_of"]:
            msg = f"the last batch was cut as of {last['as_of']}: the next cannot be as of {as_of}"
            raise MileageError(msg)

    def _changes(
        self, connection: sqlite3.Connection, figures: Figures, as_of: date, *, full: bool
    ) -> list[HrLine]:
        """What holds now and is not what the lines before, but rejected ones, add up to."""
        now, sent = entitlements(figures), _sent(connection)
        keys = now.keys() | {key for key, units in sent.items() if units}
        changed = sorted(k for k in keys if full or now.get(k, 0) != sent.get(k, 0))
        numbers = self.ledger.directory.find({key.person for key in changed})
        rejected, last = _rejected(connection), _last(connection)
        after = last["position"] if last else 0
        rules = int(figures.meta()["rules_position"])
        other_rules = last is not None and last["rulebook_position"] != rules
        whys = Whys(self.ledger, figures, after=after, rules_changed=other_rules)
        lines = []
        for number, key in enumerate(changed, 1):
            before, after_all = sent.get(key, 0), now.get(key, 0)
            reason: str = "unchanged"
            facts: tuple[int, ...] = ()
            supersedes: tuple[str, ...] = ()
            if before != after_all:
                reason, facts = whys.of(key)
                again = rejected.get(key, [])
                supersedes = tuple(name for name, _ in again)
                facts = tuple(sorted({*facts, *(each for _, of in again for each in of)}))
            entry = numbers.get(key.person)
            lines.append(
                HrLine(
                    line=number,
                    key=key,
                    employee_number=entry.employee_number if entry else "",
                    in_period=f"{as_of.year:04d}-{as_of.month:02d}",
                    previous=before,
                    new=after_all,
                    reason="resent" if supersedes else reason,
                    facts=facts,
                    supersedes=supersedes,
                )
            )
        return lines

    def _about(self, figures: Figures, as_of: date, mode: str) -> dict[str, Any]:
        meta, day = figures.meta(), day_number(as_of)
        books = figures.query(
            "SELECT digest FROM rulebooks WHERE day_from <= ? AND ? < day_until", (day, day)
        )
        cut_at = format_instant(self.ledger.clock())
        return {
            "ledger": meta["ledger"],
            "mode": mode,
            "correction": "delta",
            "position": int(meta["position"]),
            "rulebook_position": int(meta["rules_position"]),
            "rulebook_sha256": books[0][0] if books else None,
            "as_of": as_of.isoformat(),
            "known_at": meta["known_at"] or cut_at,
            "in_period": f"{as_of.year:04d}-{as_of.month:02d}",
            "time_zone": self.ledger.time_zone.key,
            "cut_at": cut_at,
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


def _last(connection: sqlite3.Connection) -> Mapping[str, Any] | None:
    """The manifest of the last batch."""
    row = connection.execute(
        "SELECT manifest FROM batches ORDER BY sequence DESC LIMIT 1"
    ).fetchone()
    return json.loads(row[0]) if row else None


def _sent(connection: sqlite3.Connection) -> dict[HrKey, int]:
    """What the lines that were not rejected add up to, by key."""
    rows = connection.execute(
        f"SELECT {_KEY}, sum(new - previous) FROM lines WHERE status <> 'rejected' GROUP BY {_KEY}"
    )
    return {HrKey(*key): units for *key, units in rows}


def _rejected(connection: sqlite3.Connection) -> dict[HrKey, list[tuple[str, tuple[int, ...]]]]:
    """Rejected lines that no later line has taken the place of, by key: their ids and facts."""
    taken = {
        name
        for (names,) in connection.execute("SELECT supersedes FROM lines WHERE supersedes <> ''")
        for name in names.split(";")
    }
    rows = connection.execute(
        f"SELECT json_extract(b.manifest, '$.batch') || ':' || l.line, l.facts, {_KEY}"
        " FROM lines l JOIN batches b ON b.sequence = l.sequence"
        " WHERE l.status = 'rejected' ORDER BY l.sequence, l.line"
    )
    found: dict[HrKey, list[tuple[str, tuple[int, ...]]]] = {}
    for name, facts, *key in rows:
        if name not in taken:
            found.setdefault(HrKey(*key), []).append((name, _positions(facts)))
    return found


def _positions(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(";") if part)


def _row(sequence: int, line: HrLine) -> tuple[Any, ...]:
    return (
        sequence,
        line.line,
        *attrs.astuple(line.key),
        line.employee_number,
        line.in_period,
        line.previous,
        line.new,
        line.reason,
        ";".join(map(str, line.facts)),
        ";".join(line.supersedes),
        line.status,
        line.note,
    )


def _stored(
    connection: sqlite3.Connection, sequence: int, manifest: str, received_at: str | None
) -> Batch:
    rows = connection.execute(
        f"SELECT line, {_KEY}, employee_number, in_period, previous, new, reason, facts,"
        " supersedes, status, note FROM lines WHERE sequence = ? ORDER BY line",
        (sequence,),
    ).fetchall()
    lines = [
        HrLine(
            line=row[0],
            key=HrKey(*row[1:5]),
            employee_number=row[5],
            in_period=row[6],
            previous=row[7],
            new=row[8],
            reason=row[9],
            facts=_positions(row[10]),
            supersedes=tuple(part for part in row[11].split(";") if part),
            status=row[12],
            note=row[13],
        )
        for row in rows
    ]
    return Batch(sequence, json.loads(manifest), tuple(lines), received_at)


def _batch(
    previous: Mapping[str, Any] | None,
    lines: Sequence[HrLine],
    about: Mapping[str, Any],
    encoding: str,
) -> Batch:
    sequence = previous["sequence"] + 1 if previous else 1
    name = f"{about['ledger'].partition(':')[2]}-{sequence:06d}"
    body = render(name, lines, encoding)
    manifest = {
        "format": FORMAT,
        "batch": name,
        "sequence": sequence,
        "previous_batch": previous["batch"] if previous else None,
        "previous_sha256": previous["sha256"] if previous else None,
        **about,
        "encoding": encoding,
        **totals(lines),
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    return Batch(sequence, manifest, tuple(lines))


def totals(lines: Iterable[HrLine]) -> dict[str, Any]:
    """Control totals of a batch: rows, sums, and the sum of the CRC-32 of the person ids."""
    lines = list(lines)
    deltas = [line.delta for line in lines]
    return {
        "rows": len(lines),
        "sum_positive": format_amount(sum(delta for delta in deltas if delta > 0)),
        "sum_negative": format_amount(sum(delta for delta in deltas if delta < 0)),
        "sum_new": format_amount(sum(line.new for line in lines)),
        "hash_total": sum(zlib.crc32(line.key.person.encode()) for line in lines),
    }


def _part(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


def _write_part(path: Path, body: bytes) -> None:
    with _part(path).open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
