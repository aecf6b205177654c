"""Decoded facts, kept between builds, so that a build goes on from what an earlier one decoded.

Beside the builds lie segments (``NAME.read/facts``): the raw tables of a stretch of positions as
Parquet, with a mark that says of which ledger, decoded in which way, from which stored bytes, and
with the digest of every file. They are a cache and nothing more. A segment is taken only if its
mark and its files are whole, and what is built with it is only used once the ledger's stored bytes
have been read again and have the digests of the mark; otherwise it is set aside, and its facts are
decoded anew. So a build gives the same whatever was kept.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import attrs

from .decode import RAW_TABLES, SEGMENT_ROWS, Block, decoding, stored_digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    import duckdb
    from mileage.ledger import Ledger

__all__ = ["Kept", "NotAsKept", "abandoned"]

KEPT_FORMAT = 1
KEEP_FACTS_MIN = 10_000  # fewer are decoded sooner than they are kept
ABANDONED_SECONDS = 86_400
MARK = "mark.json"
_FOLDER = re.compile(r"([0-9]{12})-([0-9]{12})")
_PROCESS = re.compile(r"\.([0-9]+)\.[0-9a-f]{8}\.(?:part|link)")


class NotAsKept(Exception):
    """The ledger's stored facts are not those that were kept: decode them anew."""


@attrs.frozen
class Segment:
    """A stretch of decoded facts on disk.

    Attributes:
        folder: Its folder.
        blocks: The stored facts it is of.
        tables: Content of each raw table's file; tables without rows have none.
    """

    folder: Path
    blocks: tuple[Block, ...]
    tables: dict[str, bytes]

    @property
    def after(self) -> int:
        """Position before the first."""
        return self.blocks[0].after

    @property
    def upto(self) -> int:
        """Position up to which it goes."""
        return self.blocks[-1].upto

    @property
    def length(self) -> int:
        """How many positions it covers."""
        return self.upto - self.after


class Kept:
    """The decoded facts kept of a ledger, as one build uses them.

    Args:
        folder: Where segments lie.
        ledger: The ledger.
        writes: Whether what is decoded is kept.
        anew: Whether to take nothing of what is kept.
    """

    def __init__(
        self, folder: Path, ledger: Ledger, *, writes: bool = False, anew: bool = False
    ) -> None:
        self.folder, self.ledger, self.writes, self.anew = folder, ledger, writes, anew
        self._used: list[Segment] = []
        self._taken: list[Segment] = []
        self._refused: set[Path] = set()
        self._confirmed: set[Path] = set()
        self._writer, self._reader = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
        self._checked: Future[list[Segment]] | None = None
        self._written: list[Future[None]] = []

    # -- taking --------------------------------------------------------------------------------

    def load(self, con: duckdb.DuckDBPyConnection, last: int) -> int:
        """Fill the raw tables with what is kept; the position up to which it goes, or 0.

        Nothing may be made of the rows in the end before ``confirm`` has said that the stored
        facts are the same.
        """
        import duckdb  # noqa: PLC0415 - slow to import
        import pyarrow as pa  # noqa: PLC0415 - slow to import
        import pyarrow.parquet as pq  # noqa: PLC0415

        found = [] if self.anew else self._chain(last)
        try:
            for each in found:
                for table, content in each.tables.items():
                    con.register("kept", pq.read_table(pa.BufferReader(content)))
                    con.execute(f"INSERT INTO {table} SELECT * FROM kept")
                    con.unregister("kept")
        except (duckdb.Error, pa.ArrowException):  # whole, but of columns that others wrote
            for table in RAW_TABLES:
                con.execute(f"DELETE FROM {table}")
            found = []
        self._taken = [attrs.evolve(each, tables={}) for each in found]
        self._used = list(self._taken)
        return self._used[-1].upto if self._used else 0

    def check(self) -> None:
        """Begin to read the stored facts again; those that were read for this are not."""
        unread = [each for each in self._taken if each.folder not in self._confirmed]
        self._confirmed |= {each.folder for each in unread}
        self._checked = self._reader.submit(self._changed, unread)

    def confirm(self) -> None:
        """Wait until the stored facts have been read again.

        Raises:
            NotAsKept: Some are not those that were kept. That is set aside; build again.
        """
        changed, self._checked = self._checked.result() if self._checked else [], None
        if not changed:
            return
        for written in self._written:  # what is put together with them meanwhile is no better
            written.result()
        for folder, after, upto in self._folders():
            if any(after < each.upto and each.after < upto for each in changed):
                self._confirmed.discard(folder)
                self._set_aside(folder)
        raise NotAsKept

    def _changed(self, segments: Sequence[Segment]) -> list[Segment]:
        """Those whose stored facts are others now."""
        return [s for s in segments if tuple(stored_digest(self.ledger, s.blocks)) != s.blocks]

    def _chain(self, last: int) -> list[Segment]:
        """The whole segments that follow each other from the first fact on, as far as they go."""
        way = decoding(self.ledger.kinds)
        chain: list[Segment] = []
        for folder, after, upto in sorted(self._folders(), key=lambda f: (f[1], -f[2])):
            end = chain[-1].upto if chain else 0
            if after != end or upto > last or folder in self._refused:
                continue
            segment = self._read(folder, way)
            if segment and (segment.after, segment.upto) == (after, upto):
                chain.append(segment)
            else:
                self._set_aside(folder)
        return chain

    def _folders(self) -> list[tuple[Path, int, int]]:
        """Folders of segments with the positions in their names."""
        named = ((each, _FOLDER.fullmatch(each.name)) for each in self.folder.glob("*-*"))
        return [(each, int(found[1]), int(found[2])) for each, found in named if found]

    def _read(self, folder: Path, way: str) -> Segment | None:
        """A segment as its mark describes it; ``None`` if it is another's, old or damaged."""
        try:
            mark = json.loads((folder / MARK).read_text("utf-8"))
            blocks = tuple(Block(*block) for block in mark["blocks"])
            said = mark.pop("mark")
            digests = mark["tables"]
            tables = {table: _file(folder, table).read_bytes() for table in digests}
            whole = (
                said == _digest_of(mark)
                and mark["format"] == KEPT_FORMAT
                and mark["ledger"] == self.ledger.stream_of_opening
                and mark["decoding"] == way
                and all(sha256(tables[table]).hexdigest() == digests[table] for table in digests)
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        return Segment(folder, blocks, tables) if whole and blocks else None

    def _set_aside(self, folder: Path) -> None:
        """Take a segment no more; a build that keeps what it decodes removes it."""
        self._refused.add(folder)
        if self.writes:
            shutil.rmtree(folder, ignore_errors=True)

    # -- keeping -------------------------------------------------------------------------------

    def keep(self, con: duckdb.DuckDBPyConnection, blocks: Sequence[Block]) -> None:
        """Keep what was decoded of some stored facts that follow those kept; goes on meanwhile.

        Small segments are put together with what follows them.
        """
        end = self._used[-1].upto if self._used else 0
        if not self.writes or not blocks or blocks[0].after != end:
            return
        if blocks[-1].upto - end < KEEP_FACTS_MIN:
            return
        together = tuple(blocks)
        while self._used and self._used[-1].length <= min(
            together[-1].upto - together[0].after,
            SEGMENT_ROWS - (together[-1].upto - together[0].after),
        ):
            together = (*self._used.pop().blocks, *together)
        folder = self.folder / f"{together[0].after:012d}-{together[-1].upto:012d}"
        self._used.append(Segment(folder, together, {}))
        self._refused.discard(folder)
        self._written.append(self._writer.submit(self._write, con.cursor(), folder, together))

    def finish(self) -> None:
        """Wait until everything is kept; what it stands in for goes."""
        for each in self._written:
            each.result()
        self._written.clear()
        self._reader.shutdown()
        self._writer.shutdown()
        self._writer, self._reader = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
        if self.writes:
            names = {segment.folder for segment in self._used}
            end = self._used[-1].upto if self._used else 0
            for folder, _, upto in self._folders():
                if folder not in names and upto <= end:
                    shutil.rmtree(folder, ignore_errors=True)

    def _write(
        self, cursor: duckdb.DuckDBPyConnection, folder: Path, blocks: Sequence[Block]
    ) -> None:
        import duckdb  # noqa: PLC0415 - slow to import

        work = folder.with_name(f"{folder.name}.{os.getpid()}.{secrets.token_hex(4)}.part")
        try:
            work.mkdir(parents=True)
            mark = {
                "format": KEPT_FORMAT,
                "ledger": self.ledger.stream_of_opening,
                "decoding": decoding(self.ledger.kinds),
                "blocks": [attrs.astuple(block) for block in blocks],
                "tables": dict(_tables(cursor, work, blocks[0].after, blocks[-1].upto)),
            }
            mark["mark"] = _digest_of(mark)
            (work / MARK).write_text(json.dumps(mark, indent=1), "utf-8")
            shutil.rmtree(folder, ignore_errors=True)  # left by another build; it is no better
            work.rename(folder)
        except (duckdb.Error, OSError):  # it is a cache: without it facts are decoded again
            shutil.rmtree(work, ignore_errors=True)
        finally:
            cursor.close()

    def sweep(self) -> None:
        """Remove what builds left that were killed."""
        with suppress(OSError):
            for leftover in self.folder.glob("*.part"):
                if abandoned(leftover):
                    shutil.rmtree(leftover, ignore_errors=True)


def _tables(
    cursor: duckdb.DuckDBPyConnection, folder: Path, after: int, upto: int
) -> Iterator[tuple[str, str]]:
    """Write the rows of the raw tables, and say the digest of each file."""
    for table in RAW_TABLES:
        file = _file(folder, table)
        name = str(file).replace("'", "''")
        [(count,)] = cursor.execute(
            f"COPY (SELECT * FROM {table} WHERE position > {after} AND position <= {upto})"
            f" TO '{name}' (FORMAT parquet, COMPRESSION snappy)"
        ).fetchall()
        if count:
            yield table, sha256(file.read_bytes()).hexdigest()
        else:
            file.unlink()


def _file(folder: Path, table: str) -> Path:
    return folder / f"{table}.parquet"


def _digest_of(mark: Mapping[str, Any]) -> str:
    return sha256(json.dumps(mark, sort_keys=True).encode()).hexdigest()


def abandoned(leftover: Path) -> bool:
    """Whether the process that was making a file or folder has ended."""
    found = _PROCESS.search(leftover.name)
    return found is not None and not _alive(int(found[1]), leftover)


def _alive(process: int, leftover: Path) -> bool:
    """Whether the process that made a file may still be at it."""
    if os.name != "posix":  # there is no harmless way to ask: a day is more than any rebuild takes
        with suppress(OSError):
            return time.time() - leftover.stat().st_mtime < ABANDONED_SECONDS
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
