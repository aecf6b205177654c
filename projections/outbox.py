"""HR batches: exactly what changed since the last one, as a file and its manifest.

What was sent is kept in an outbox (``NAME.hr.sqlite``) with what HR said to it, so that the next
batch carries the difference whatever rule or fact changed since. The file itself is kept there too,
so that it can be written again byte for byte; it is the one place where the employer's numbers and
names are, and erasing a person takes it away. A batch is first written under names nobody takes for
finished, then counts as cut, then gets its names, the manifest last. If the process ends in
between, the next call finishes that batch.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import zlib
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import attrs
from mileage.ledger import LedgerFileError, MileageError, format_amount
from mileage.ledger.facts import format_instant

from .build import fact_mark
from .days import day_number
from .hr import HrKey, HrLine, Whys, entitlements
from .hrfile import FORMAT, render
from .hrprofile import Profile, find_profile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from mileage.ledger import Entry, Ledger

    from .figures import Figures

__all__ = ["Batch", "BatchTally", "HrStatus", "Outbox"]

SCHEMA_VERSION = 3
_SCHEMA = """
CREATE TABLE batches (
    sequence INTEGER PRIMARY KEY,
    manifest TEXT NOT NULL,
    last_fact TEXT NOT NULL,
    personal INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    received_at TEXT
);
CREATE TABLE bodies (
    sequence INTEGER PRIMARY KEY REFERENCES batches (sequence),
    body BLOB NOT NULL
);
CREATE TABLE lines (
    sequence INTEGER NOT NULL REFERENCES batches (sequence),
    line INTEGER NOT NULL,
    person TEXT NOT NULL,
    programme TEXT NOT NULL,
    code TEXT NOT NULL,
    for_period TEXT NOT NULL,
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
CREATE INDEX lines_key ON lines (person, programme, code, for_period);
"""
_PACKING = 1  # the bodies are mostly repetition: more takes longer and gains little
_KEY = "person, programme, code, for_period"


@attrs.frozen
class Batch:
    """A batch as it was cut.

    Attributes:
        sequence: Number of the batch, from 1 without gaps.
        manifest: What the manifest file says.
        lines: Its lines, with what HR said to them. Those of a batch read back have no employee
            numbers: the file has them.
        received_at: Instant (UTC, as text) at which HR's receipt was taken in, if it was.
        file: The file, when it was written by this call.
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
        profile: Profile | None = None,
        full: bool = False,
    ) -> Batch | None:
        """Cut the next batch: what changed since the last, written to a folder.

        Args:
            figures: Figures as of that day; all that is read of them is of one moment.
            folder: Where ``hr-batch-NNNNNN.csv`` (or another ending) and its ``.manifest.json`` go.
            as_of: Day for which it is cut, in the ledger's zone.
            profile: Columns and format of the file; the standard one unless given.
            full: Whether to carry what did not change too, with a delta of 0.

        Returns:
            The batch, or ``None`` when there is nothing to tell; then nothing is written. A batch
            whose process ended before its files were in place is finished first, as it was cut.

        Raises:
            MileageError: Something cannot be written as the profile has it, the day is before the
                last batch's or has not come, or the figures are older than the last batch's.
            LedgerFileError: A file cannot be written, or the outbox is of another ledger; the
                batch does not count as cut.
        """
        if as_of > self.ledger.today():
            msg = f"{as_of} has not come yet: a batch cannot be cut as of that day"
            raise MileageError(msg)
        profile = profile or find_profile()
        with self._connected() as connection:
            connection.execute("BEGIN IMMEDIATE")
            interrupted = self._interrupted(connection)
            if interrupted:
                body = _body(connection, interrupted)
                connection.execute("COMMIT")
                return self._deliver(connection, interrupted, body, folder)
            with figures.still():  # only now: nobody cuts a batch of later ones before these
                self._check_order(connection, figures, as_of)
                lines, entries = self._changes(connection, figures, as_of, full=full)
                if not lines:
                    return None
                about = self._about(figures, as_of, "full" if full else "delta")
                last_fact = figures.meta()["last_fact"]
            batch, body = _batch(_last(connection), lines, about, profile, entries)
            self._prepare(batch, body, folder)  # what can fail fails before it counts as cut
            try:
                self._keep(connection, batch, body, last_fact, personal=profile.personal)
            except BaseException:
                self._discard(batch, folder)
                raise
            return self._deliver(connection, batch, body, folder)

    def _keep(
        self,
        connection: sqlite3.Connection,
        batch: Batch,
        body: bytes,
        last_fact: str,
        *,
        personal: bool,
    ) -> None:
        """From now on the batch counts as cut."""
        manifest = json.dumps(batch.manifest, ensure_ascii=False)
        connection.execute(
            "INSERT INTO batches VALUES (?, ?, ?, ?, 0, NULL)",
            (batch.sequence, manifest, last_fact, personal),
        )
        packed = zlib.compress(body, _PACKING)
        connection.execute("INSERT INTO bodies VALUES (?, ?)", (batch.sequence, packed))
        connection.executemany(
            f"INSERT INTO lines VALUES ({', '.join('?' * 14)})",
            (_row(batch.sequence, line) for line in batch.lines),
        )
        connection.execute("COMMIT")

    def write_again(self, sequence: int, folder: Path) -> Batch:
        """Write a batch that was cut before, byte for byte the same.

        Raises:
            MileageError: There is no such batch, or it told of a person who was erased since.
        """
        with self._connected(create=False) as connection:
            row = connection.execute(
                "SELECT sequence, manifest, received_at FROM batches WHERE sequence = ?",
                (sequence,),
            ).fetchone()
            if not row:
                msg = f"no batch {sequence} was cut"
                raise MileageError(msg)
            batch = _stored(connection, *row)
            return attrs.evolve(batch, file=self._write(batch, _body(connection, batch), folder))

    def erase(self, persons: Iterable[str]) -> tuple[int, ...]:
        """Forget what batches say of people in the employer's terms, and HR's remarks on them.

        The lines stay, under the opaque ids: what was sent and accepted goes on adding up. The
        files in which these people have numbers or names can no longer be written again.

        Returns:
            Numbers of the batches whose files were forgotten.

        Raises:
            MileageError: A batch that tells of them was cut and has not been put in place yet.
        """
        wanted = json.dumps(sorted(persons))
        told = "SELECT sequence FROM lines WHERE person IN (SELECT value FROM json_each(?))"
        with self._connected(create=False) as connection:
            connection.execute("BEGIN IMMEDIATE")
            waiting = connection.execute(
                f"SELECT sequence FROM batches WHERE delivered = 0 AND sequence IN ({told})",
                (wanted,),
            ).fetchone()
            if waiting:
                msg = (
                    f"batch {waiting[0]} was cut and is not written yet:"
                    " finish it first (`mileage hr export DIR`), then erase"
                )
                raise MileageError(msg)
            found = connection.execute(
                f"SELECT sequence FROM batches WHERE personal AND sequence IN ({told})"
                " AND sequence IN (SELECT sequence FROM bodies) ORDER BY sequence",
                (wanted,),
            ).fetchall()
            connection.executemany("DELETE FROM bodies WHERE sequence = ?", found)
            connection.execute(
                "UPDATE lines SET note = '' WHERE note <> ''"
                " AND person IN (SELECT value FROM json_each(?))",
                (wanted,),
            )
            connection.execute("COMMIT")
        return tuple(sequence for (sequence,) in found)

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
            with figures.still():
                due, _ = self._changes(connection, figures, as_of, full=False)
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
            connection.execute("PRAGMA secure_delete = ON")
            self._check_schema(connection)
            last = _last(connection)
            if last and last["ledger"] != self.ledger.stream_of_opening:
                msg = f"{self.path.name}: the outbox of another ledger; move it away"
                raise LedgerFileError(msg)
            yield connection
        except sqlite3.Error as error:
            msg = f"{self.path.name}: the outbox cannot be used ({error})"
            raise LedgerFileError(msg) from error
        finally:
            connection.close()

    def _check_schema(self, connection: sqlite3.Connection) -> None:
        """Make the tables, all or none, or refuse what is no outbox of this version."""
        if _version(connection) == SCHEMA_VERSION:
            return
        connection.execute("BEGIN IMMEDIATE")
        version = _version(connection)
        if version == SCHEMA_VERSION:  # made by another process just now
            connection.execute("COMMIT")
            return
        if version or connection.execute("SELECT 1 FROM sqlite_master").fetchone():
            msg = f"{self.path.name}: written by another version of this package; move it away"
            raise LedgerFileError(msg)
        for statement in _SCHEMA.split(";\n"):
            if whole := statement.strip():
                connection.execute(whole)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")

    def _interrupted(self, connection: sqlite3.Connection) -> Batch | None:
        """The batch that was cut but perhaps not written before the process ended."""
        row = connection.execute(
            "SELECT sequence, manifest, received_at FROM batches WHERE delivered = 0"
        ).fetchone()
        return _stored(connection, *row) if row else None

    def _deliver(
        self, connection: sqlite3.Connection, batch: Batch, body: bytes, folder: Path
    ) -> Batch:
        """Put the files of a batch that counts as cut in place, the manifest last."""
        path = self._write(batch, body, folder)
        connection.execute("UPDATE batches SET delivered = 1 WHERE sequence = ?", (batch.sequence,))
        return attrs.evolve(batch, file=path)

    def _check_order(self, connection: sqlite3.Connection, figures: Figures, as_of: date) -> None:
        """Refuse what would not follow the last batch: lost facts, earlier figures or days."""
        last = _last(connection)
        if not last:
            return
        if as_of.isoformat() < last["as_of"]:
            msg = f"the last batch was cut as of {last['as_of']}: the next cannot be as of {as_of}"
            raise MileageError(msg)
        position = last["position"]
        [(mark,)] = connection.execute(
            "SELECT last_fact FROM batches WHERE sequence = ?", (last["sequence"],)
        ).fetchall()
        try:
            same = not position or fact_mark(self.ledger.at(position)) == mark
        except LookupError:
            same = False
        if not same:
            msg = (
                f"batch {last['sequence']} has told of fact #{position}, which the ledger does not"
                " have: was the ledger restored from an earlier copy? Restore the later one"
            )
            raise LedgerFileError(msg)
        meta = figures.meta()
        asked = [("position", "position"), ("rules_position", "rulebook_position")]
        if meta.get("put_back_at", "") >= last["cut_at"]:
            asked.pop()  # an earlier build was put back since: by its rulebooks, on purpose
        for name, of in asked:
            if int(meta[name]) < last[of]:
                msg = (
                    f"the figures are of fact #{meta[name]}, batch {last['sequence']} told of"
                    f" #{last[of]} already: take the figures in service anew"
                )
                raise MileageError(msg)

    def _changes(
        self, connection: sqlite3.Connection, figures: Figures, as_of: date, *, full: bool
    ) -> tuple[list[HrLine], dict[str, Entry]]:
        """What holds now and is not what the lines before, but rejected ones, add up to."""
        now, sent = entitlements(figures), _sent(connection)
        keys = now.keys() | {key for key, units in sent.items() if units}
        changed = sorted(k for k in keys if full or now.get(k, 0) != sent.get(k, 0))
        entries = self.ledger.directory.find({key.person for key in changed})
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
            entry = entries.get(key.person)
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
        return lines, entries

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
            "accounts": {
                each.account: {"ko": each.unit.ko, "en": each.unit.en}
                for each in figures.accounts()
            },
            "as_of": as_of.isoformat(),
            "known_at": meta["known_at"] or cut_at,
            "in_period": f"{as_of.year:04d}-{as_of.month:02d}",
            "time_zone": self.ledger.time_zone.key,
            "cut_at": cut_at,
        }

    def _prepare(self, batch: Batch, body: bytes, folder: Path) -> None:
        """Write a batch's files under names that nobody takes for finished."""
        files = self._files(batch, body, folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for path, content in files:
                _write_part(path, content)
        except BaseException as error:
            self._discard(batch, folder)
            if isinstance(error, OSError):
                raise _unwritten(folder, error) from error
            raise

    def _discard(self, batch: Batch, folder: Path) -> None:
        for path, _ in self._files(batch, b"", folder):
            with suppress(OSError):
                _part(path).unlink(missing_ok=True)

    def _write(self, batch: Batch, body: bytes, folder: Path) -> Path:
        """Put a batch's files in place; the manifest, last, says that the batch is complete."""
        self._prepare(batch, body, folder)
        files = self._files(batch, body, folder)
        try:
            for path, _ in files:
                _part(path).replace(path)
        except OSError as error:
            raise _unwritten(folder, error) from error
        return files[0][0]

    def _files(self, batch: Batch, body: bytes, folder: Path) -> list[tuple[Path, bytes]]:
        manifest = json.dumps(batch.manifest, ensure_ascii=False, indent=2) + "\n"
        return [
            (folder / batch.manifest["file"], body),
            (folder / f"{_name(batch.sequence)}.manifest.json", manifest.encode()),
        ]


def _unwritten(folder: Path, error: OSError) -> LedgerFileError:
    name = error.filename or folder
    return LedgerFileError(f"{name}: the batch could not be written ({error.strerror})")


def _name(sequence: int) -> str:
    return f"hr-batch-{sequence:06d}"


def _version(connection: sqlite3.Connection) -> int:
    [(version,)] = connection.execute("PRAGMA user_version").fetchall()
    return int(version)


def _body(connection: sqlite3.Connection, batch: Batch) -> bytes:
    """The file of a batch as it was cut."""
    row = connection.execute(
        "SELECT body FROM bodies WHERE sequence = ?", (batch.sequence,)
    ).fetchone()
    digest = batch.manifest["sha256"]
    if not row:
        msg = (
            f"batch {batch.sequence} cannot be written again: it told of a person who was erased"
            f" since. The file HR has is the one with SHA-256 {digest}"
        )
        raise MileageError(msg)
    with suppress(zlib.error):
        body = zlib.decompress(row[0])
        if hashlib.sha256(body).hexdigest() == digest:
            return body
    msg = f"batch {batch.sequence} is damaged in the outbox: its digest is not {digest}"
    raise LedgerFileError(msg)


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
        *line.key,
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
        f"SELECT line, {_KEY}, in_period, previous, new, reason, facts,"
        " supersedes, status, note FROM lines WHERE sequence = ? ORDER BY line",
        (sequence,),
    ).fetchall()
    lines = [
        HrLine(
            line=row[0],
            key=HrKey(*row[1:5]),
            employee_number="",
            in_period=row[5],
            previous=row[6],
            new=row[7],
            reason=row[8],
            facts=_positions(row[9]),
            supersedes=tuple(part for part in row[10].split(";") if part),
            status=row[11],
            note=row[12],
        )
        for row in rows
    ]
    return Batch(sequence, json.loads(manifest), tuple(lines), received_at)


def _batch(
    previous: Mapping[str, Any] | None,
    lines: Sequence[HrLine],
    about: Mapping[str, Any],
    profile: Profile,
    entries: Mapping[str, Entry],
) -> tuple[Batch, bytes]:
    """A batch and its file."""
    sequence = previous["sequence"] + 1 if previous else 1
    manifest = {
        "format": FORMAT,
        "batch": f"{about['ledger'].partition(':')[2]}-{sequence:06d}",
        "sequence": sequence,
        "previous_batch": previous["batch"] if previous else None,
        "previous_sha256": previous["sha256"] if previous else None,
        **about,
        "file": f"{_name(sequence)}.{profile.format}",
        "file_format": profile.format,
        "profile": profile.id,
        "profile_sha256": profile.sha256,
        "encoding": {"csv": profile.encoding, "jsonl": "utf-8"}.get(profile.format),
        **totals(lines),
    }
    body = render(profile, manifest, lines, entries)
    manifest["sha256"] = hashlib.sha256(body).hexdigest()
    return Batch(sequence, manifest, tuple(lines)), body


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
