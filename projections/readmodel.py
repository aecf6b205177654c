"""The read model in service: where it lies, how it is caught up, rebuilt and swapped.

Builds lie in a folder beside the ledger (``NAME.read``); the link ``NAME.read.sqlite`` names the
one in service. A rebuild writes a new file beside it and moves the link in one step, so a reader
sees the old figures or the new, never half; killed at any point, it leaves the old in service.
"""

from __future__ import annotations

import os
import re
import secrets
import sqlite3
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

import attrs
from mileage.ledger import Ledger, LedgerFileError, MileageError

from .build import build_read_model, fact_mark
from .catchup import apply_facts, prepare, reaches_others
from .days import day_number
from .decode import Slice
from .difference import Difference, people_changed
from .figures import Figures
from .plan import SHAPE, Shape
from .rules import is_about_rulebooks
from .schema import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date, datetime

__all__ = ["CaughtUp", "NoReadModel", "ReadModel", "Rebuilt"]

KEPT_BUILDS = 2
CATCH_UP_FACTS_MAX = 2_000
LOCK_TIMEOUT_SECONDS = 30
ABANDONED_SECONDS = 86_400
_PROCESS = re.compile(r"\.([0-9]+)\.[0-9a-f]{8}\.(?:part|link)")


class NoReadModel(MileageError):
    """Nothing has been published yet, or what there is cannot be used."""


@attrs.frozen
class CaughtUp:
    """What a catch-up did.

    Attributes:
        facts: Number of facts taken in.
        people: Number of people whose figures were worked out anew.
        position: Position of the read model now.
        pending_rulebook: Position of an adoption that waits for a rebuild; 0 without one.
    """

    facts: int
    people: int
    position: int
    pending_rulebook: int


@attrs.frozen
class Rebuilt:
    """What a rebuild did.

    Attributes:
        published: Whether the new build is in service.
        position: Position of the new build.
        differences: People whose balance changed, largest change first.
        path: File of the new build; gone again after a dry run.
    """

    published: bool
    position: int
    differences: tuple[Difference, ...]
    path: Path


class ReadModel:
    """The published figures of a ledger.

    Attributes:
        ledger: The ledger.
        link: The link to the file in service; Datasette and other programs open this.
        folder: The folder with the builds.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.link = ledger.beside(".read.sqlite")
        self.folder = ledger.beside(".read")
        self._lock = threading.RLock()
        self._figures: Figures | None = None
        self._writer: tuple[Path, sqlite3.Connection] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; the files stay."""
        with self._lock:
            if self._figures:
                self._figures.close()
                self._figures = None
            if self._writer:
                self._writer[1].close()
                self._writer = None

    # -- asking --------------------------------------------------------------------------------

    @property
    def exists(self) -> bool:
        """Whether a build is in service."""
        return self.link.exists()

    def figures(self) -> Figures:
        """The figures in service, as they stand; see ``catch_up``.

        Raises:
            NoReadModel: Nothing was published yet, or by another version or for another ledger.
        """
        with self._lock:
            target = self._target()
            if self._figures is None or self._figures.path != target:
                # Threads may still read the old one: it is closed when the last lets go of it.
                self._figures = _checked(Figures(target), self.ledger)
            return self._figures

    @contextmanager
    def figures_at(
        self, *, as_of: date | None = None, known_at: datetime | None = None
    ) -> Iterator[Figures]:
        """Figures as of a day and as known at an instant.

        Without either, or when all facts are earlier anyway, these are the figures in service;
        otherwise a model of just those facts and rulebooks is built for the question.

        Args:
            as_of: What counted on that civil date, corrections that took effect by then included.
            known_at: Only what had been recorded by that instant.

        Raises:
            NoReadModel: Nothing was published yet.
        """
        if known_at is None and (as_of is None or self._nothing_after(as_of)):
            yield self.figures()
            return
        with tempfile.TemporaryDirectory(prefix="mileage-") as folder:
            path = Path(folder) / "figures.sqlite"
            rules = int(self.figures().meta()["rules_position"])
            part = Slice(as_of=as_of, known_at=known_at)
            build_read_model(self.ledger, path, part, rules_upto=rules)
            figures = Figures(path)
            try:
                yield figures
            finally:
                figures.close()

    def _nothing_after(self, day: date) -> bool:
        return int(self.figures().meta()["last_day"]) <= day_number(day)

    # -- keeping up ----------------------------------------------------------------------------

    def catch_up(self) -> CaughtUp:
        """Take in the facts recorded since; only what they touch is worked out anew.

        Rulebooks adopted since are not applied: a rebuild shows what they change and puts them
        into service. Without a read model, or far behind, a rebuild is made instead.

        Raises:
            CorruptFact: A fact cannot be read back exactly; the model stays where it was.
        """
        with self._lock:
            if not self.exists:
                rebuilt = self.rebuild()
                return CaughtUp(rebuilt.position, 0, rebuilt.position, 0)
            connection = self._connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                if not self._follows(connection):
                    connection.rollback()
                    rebuilt = self.rebuild()
                    return CaughtUp(0, len(rebuilt.differences), rebuilt.position, 0)
                done = self._catch_up(connection)
            except BaseException:
                connection.rollback()
                raise
            if done is not None:
                connection.commit()
                return done
            connection.rollback()
            before = self.figures().position
            rules = int(self.figures().meta()["rules_position"])
            rebuilt = self._rebuild(rules_upto=rules)
            facts = rebuilt.position - before
            return CaughtUp(facts, len(rebuilt.differences), rebuilt.position, self._pending())

    def _follows(self, connection: sqlite3.Connection) -> bool:
        """Whether the ledger still has the model's last fact; a restored copy may not."""
        meta = dict(connection.execute("SELECT key, value FROM meta").fetchall())
        try:
            return fact_mark(self.ledger.at(int(meta["position"]))) == meta.get("last_fact")
        except LookupError:
            return False

    def _catch_up(self, connection: sqlite3.Connection) -> CaughtUp | None:
        """Apply the facts since; ``None`` when a rebuild is quicker, or needed for their reach."""
        meta = dict(connection.execute("SELECT key, value FROM meta").fetchall())
        position = int(meta["position"])
        facts = []
        for item in self.ledger.facts(position):
            facts.append(item)
            if len(facts) > CATCH_UP_FACTS_MAX:
                return None
        if not facts:
            return CaughtUp(0, 0, position, self._pending())
        [found] = connection.execute(SHAPE).fetchall()
        shape = Shape(found[0], *map(bool, found[1:]))
        if reaches_others(facts, shape):
            return None
        people = apply_facts(connection, self.ledger, facts, shape)
        pending = max((item.position for item in facts if is_about_rulebooks(item)), default=0)
        last_day = max(day_number(item.fact.occurred_on) for item in facts)
        connection.execute(
            "UPDATE meta SET value = max(CAST(value AS INTEGER), ?) WHERE key = 'last_day'",
            (last_day,),
        )
        connection.execute(
            "UPDATE meta SET value = ? WHERE key = 'last_fact'", (fact_mark(facts[-1]),)
        )
        if pending:
            connection.execute(
                "UPDATE meta SET value = ? WHERE key = 'pending_rulebook'", (str(pending),)
            )
        return CaughtUp(
            len(facts), people, facts[-1].position, pending or int(meta["pending_rulebook"])
        )

    def _pending(self) -> int:
        return int(self.figures().meta()["pending_rulebook"])

    # -- rebuilding ----------------------------------------------------------------------------

    def rebuild(
        self,
        *,
        dry_run: bool = False,
        progress: Callable[[str, int, int], None] | None = None,
    ) -> Rebuilt:
        """Build all figures anew, with all rulebooks adopted, and put them into service.

        Args:
            dry_run: Only show what would change; nothing is published.
            progress: Called with the stage's name, steps done and steps in all.

        Raises:
            CorruptFact, RulebookError: The model in service stays as it is.
        """
        with self._lock:
            return self._rebuild(dry_run=dry_run, progress=progress)

    def _rebuild(
        self,
        *,
        dry_run: bool = False,
        rules_upto: int | None = None,
        progress: Callable[[str, int, int], None] | None = None,
    ) -> Rebuilt:
        try:
            self.folder.mkdir(exist_ok=True)
            self._sweep()
        except OSError as error:
            msg = f"{self.folder.name}: cannot be written; look at the folder's permissions"
            raise LedgerFileError(msg) from error
        path = self._path(self._next_number())
        work = self.folder / f"build.{os.getpid()}.{secrets.token_hex(4)}.part"
        try:
            build_read_model(self.ledger, work, rules_upto=rules_upto, progress=progress)
            differences = people_changed(work, self._usable())
            figures = Figures(work)
            position = figures.position
            figures.close()
            if not dry_run:
                path = self._reserve()
                work.replace(path)
                self._put_in_service(path)
        finally:
            for leftover in self.folder.glob(f"{work.name}*"):
                leftover.unlink(missing_ok=True)
        return Rebuilt(not dry_run, position, differences, path)

    def _usable(self) -> Path | None:
        """The file in service, if it is a model of this ledger that can be compared with."""
        try:
            return self.figures().path
        except NoReadModel:
            return None

    def _put_in_service(self, path: Path) -> None:
        """Move the link in one step; a reader has the old file or the new."""
        step = self.link.with_name(f"{self.link.name}.{os.getpid()}.{secrets.token_hex(4)}.link")
        step.symlink_to(path.relative_to(self.link.parent))
        step.replace(self.link)
        builds = sorted(self.folder.glob("build-*.sqlite"))
        for old in builds[:-KEPT_BUILDS]:
            for file in self.folder.glob(f"{old.name}*"):
                with suppress(OSError):
                    file.unlink()

    def _sweep(self) -> None:
        """Remove what a rebuild left that was killed; those under way are left alone."""
        links = self.link.parent.glob(f"{self.link.name}.*.link")
        for leftover in (*self.folder.glob("build.*.part*"), *links):
            found = _PROCESS.search(leftover.name)
            if found and not _alive(int(found[1]), leftover):
                leftover.unlink(missing_ok=True)

    def _reserve(self) -> Path:
        """A file name that no other rebuild takes, also not at the same time."""
        number = self._next_number()
        while True:
            path = self._path(number)
            try:
                path.touch(exist_ok=False)
            except FileExistsError:
                number += 1
            else:
                return path

    def _path(self, number: int) -> Path:
        return self.folder / f"build-{number:06d}.sqlite"

    def _next_number(self) -> int:
        numbers = [int(p.name[6:12]) for p in self.folder.glob("build-*.sqlite")]
        return max(numbers, default=0) + 1

    def _target(self) -> Path:
        if not self.exists:
            msg = f"{self.link.name}: nothing is published yet (run `mileage rebuild`)"
            raise NoReadModel(msg)
        return self.link.resolve()

    def _connection(self) -> sqlite3.Connection:
        """The connection that catches up; a new one after a swap."""
        target = self._target()
        if self._writer is None or self._writer[0] != target:
            if self._writer:
                self._writer[1].close()
            self.figures()  # checks that this is a model of this ledger
            connection = sqlite3.connect(
                target,
                isolation_level=None,
                check_same_thread=False,
                timeout=LOCK_TIMEOUT_SECONDS,
            )
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA temp_store = MEMORY")
            prepare(connection)
            self._writer = (target, connection)
        return self._writer[1]


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


def _checked(figures: Figures, ledger: Ledger) -> Figures:
    """Refuse a model of another schema or of another ledger."""
    try:
        meta = figures.meta()
    except sqlite3.DatabaseError as error:
        figures.close()
        msg = f"{figures.path.name}: no read model ({error}); run `mileage rebuild`"
        raise NoReadModel(msg) from error
    if meta.get("schema") != str(SCHEMA_VERSION) or meta.get("ledger") != ledger.stream_of_opening:
        figures.close()
        msg = (
            f"{figures.path.name}: made by another version or for another ledger;"
            " run `mileage rebuild`"
        )
        raise NoReadModel(msg)
    return figures
