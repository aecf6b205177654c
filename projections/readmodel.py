"""The read model in service: where it lies, how it is caught up, rebuilt and swapped.

Builds lie in a folder beside the ledger (``NAME.read``); the link ``NAME.read.sqlite`` names the
one in service. A rebuild writes a new file beside it and moves the link in one step, so a reader
sees the old figures or the new, never half; killed at any point, it leaves the old in service,
and the next goes on from what it had decoded. The build before stays, and can be put back.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import tempfile
import threading
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

import attrs
from mileage.ledger import Ledger, MileageError, ReadOnlyLedger
from mileage.ledger.facts import format_instant, parse_instant
from mileage.ledger.ledger import database_name

from .build import build_read_model, fact_mark
from .catchup import apply_facts, prepare, reaches_others
from .closing import closings, scores, touches
from .days import day_number
from .decode import Slice
from .difference import Difference, keep_changes, kept_changes, people_changed
from .figures import Figures
from .kept import Kept, abandoned
from .plan import SHAPE, Shape
from .rules import is_about_rulebooks
from .schema import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date, datetime

    from mileage.ledger import Recorded

__all__ = ["Build", "CaughtUp", "NoReadModel", "NoSuchBuild", "ReadModel", "Rebuilt"]

KEPT_BUILDS = 2
BUILT_AGAIN_MAX = 3
CATCH_UP_FACTS_MAX = 2_000
LOCK_TIMEOUT_SECONDS = 30
SWAP_LOCK_SECONDS = 2  # an import that takes longer is in no figures yet anyway


class NoReadModel(MileageError):
    """Nothing has been published yet, or what there is cannot be used."""


class NoSuchBuild(MileageError):
    """No build has that number."""


@attrs.frozen
class Build:
    """A read model that lies beside the ledger.

    Attributes:
        number: Its number; builds are numbered as they are made.
        path: Its file.
        size: Size of the file in bytes.
        in_service: Whether questions are answered from it.
        usable: Whether it can be: it is whole, of this ledger, and of this version's schema. All
            that follows is only there for those.
        made_at: When it was made, UTC.
        replaced: Number of the build that was in service then; 0 for none.
        position: Position of the last fact in it.
        rulebooks: Id, position of the adoption and SHA-256 of each rulebook in it, in order.
        pending_rulebook: Position of a later adoption that is not in it; 0 without one.
    """

    number: int
    path: Path
    size: int
    in_service: bool
    usable: bool = False
    made_at: datetime | None = None
    replaced: int = 0
    position: int = 0
    rulebooks: tuple[tuple[str, int, str], ...] = ()
    pending_rulebook: int = 0

    def digest(self) -> str:
        """SHA-256 over all its figures; see ``Figures.content_digest``.

        Raises:
            NoReadModel: It cannot be used.
        """
        with closing(self._figures()) as figures:
            return figures.content_digest()

    def changes(self) -> tuple[Difference, ...]:
        """What it changed against the build it replaced, when it was made; largest change first.

        Raises:
            NoReadModel: It cannot be used, or does not say, as those of an earlier version.
        """
        with closing(self._figures()) as figures:
            changes = kept_changes(figures)
        if changes is None:
            msg = f"{self.path.name}: made by an earlier version, without what it changed"
            raise NoReadModel(msg)
        return changes

    def _figures(self) -> Figures:
        if not self.usable:
            msg = f"{self.path.name}: no read model of this version and this ledger"
            raise NoReadModel(msg)
        return Figures(self.path)


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
        number: Number of the new build; 0 after a dry run.
        position: Position of the new build.
        differences: People whose balance changed, largest change first.
        path: File of the new build; gone again after a dry run.
    """

    published: bool
    number: int
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
            build_read_model(self.ledger, path, part, rules_upto=rules, kept=self.kept())
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
                done = self._take_in(connection)
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
            pending = int(self.figures().meta()["pending_rulebook"])
            return CaughtUp(facts, len(rebuilt.differences), rebuilt.position, pending)

    def _follows(self, connection: sqlite3.Connection) -> bool:
        """Whether the ledger still has the model's last fact; a restored copy may not."""
        meta = dict(connection.execute("SELECT key, value FROM meta").fetchall())
        try:
            return fact_mark(self.ledger.at(int(meta["position"]))) == meta.get("last_fact")
        except LookupError:
            return False

    def _take_in(self, connection: sqlite3.Connection) -> CaughtUp | None:
        """Apply the facts since; ``None`` when a rebuild is quicker, or needed for their reach."""
        meta = dict(connection.execute("SELECT key, value FROM meta").fetchall())
        position = int(meta["position"])
        facts = []
        for item in self.ledger.facts(position):
            facts.append(item)
            if len(facts) > CATCH_UP_FACTS_MAX:
                return None
        if not facts:
            return CaughtUp(0, 0, position, int(meta["pending_rulebook"]))
        [found] = connection.execute(SHAPE).fetchall()
        shape = Shape(found[0], *map(bool, found[1:]))
        if reaches_others(facts, shape) or self._reaches_closed(facts, meta):
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
        closed = self._closed_until(facts[-1].position)
        for key, value in (("pending_rulebook", pending), ("closed_until", closed)):
            if value or key == "closed_until":
                connection.execute("UPDATE meta SET value = ? WHERE key = ?", (str(value), key))
        return CaughtUp(
            len(facts), people, facts[-1].position, pending or int(meta["pending_rulebook"])
        )

    def _reaches_closed(self, facts: Sequence[Recorded], meta: Mapping[str, str]) -> bool:
        """Whether new facts change what was posted of closed days, or close some."""
        if int(meta["adjusted"]):
            return any(scores(item) for item in facts)
        closed = self._closed_until(facts[-1].position)
        return touches(self.ledger, facts, max(closed, int(meta["closed_until"])))

    def _closed_until(self, position: int) -> int:
        """First open day by the closings up to a position, ``yyyymmdd``."""
        closed = closings(self.ledger, Slice(upto=position))
        return closed[-1].open_from if closed else 0

    # -- rebuilding ----------------------------------------------------------------------------

    def rebuild(
        self,
        *,
        dry_run: bool = False,
        anew: bool = False,
        progress: Callable[[str, int, int], None] | None = None,
    ) -> Rebuilt:
        """Build all figures anew, with all rulebooks adopted, and put them into service.

        Recording goes on meanwhile; what is recorded until the new build comes into service is in
        it.

        Args:
            dry_run: Only show what would change; nothing is published.
            anew: Decode every fact, and take nothing of what earlier builds decoded.
            progress: Called with the stage's name, steps done and steps in all.

        Raises:
            CorruptFact, RulebookError: The model in service stays as it is.
            ReadOnlyLedger: The folder of the builds, or that of the ledger, cannot be written.
        """
        with self._lock:
            return self._rebuild(dry_run=dry_run, anew=anew, hold=True, progress=progress)

    def kept(self, *, writes: bool = False, anew: bool = False) -> Kept:
        """What builds of this ledger have decoded."""
        return Kept(self.folder / "facts", self.ledger, writes=writes, anew=anew)

    def _rebuild(
        self,
        *,
        dry_run: bool = False,
        anew: bool = False,
        hold: bool = False,
        rules_upto: int | None = None,
        progress: Callable[[str, int, int], None] | None = None,
    ) -> Rebuilt:
        try:
            self.folder.mkdir(exist_ok=True)
            self._check_writable()
            self._sweep()
        except OSError as error:
            raise _not_written(self.folder) from error
        path = self._path(self._next_number())
        work = self.folder / f"build.{os.getpid()}.{secrets.token_hex(4)}.part"
        try:
            for _ in range(BUILT_AGAIN_MAX):
                work.unlink(missing_ok=True)
                kept = self.kept(writes=True, anew=anew)
                build_read_model(
                    self.ledger, work, rules_upto=rules_upto, kept=kept, progress=progress
                )
                anew = False
                if self._bring_up(work):
                    break
            with closing(Figures(work)) as figures:
                old = self._usable()
                differences = people_changed(figures.query, old.query if old else None)
            with closing(sqlite3.connect(work)) as connection, connection:
                about = {
                    "made_at": format_instant(self.ledger.clock()),
                    "replaced": str(self._number_in_service()),
                }
                connection.executemany("INSERT INTO meta VALUES (?, ?)", about.items())
                keep_changes(connection, differences)
            if not dry_run:
                with self._nobody_records() if hold else nullcontext():
                    self._bring_up(work)
                    path, replaced = self._reserve(), self._number_in_service()
                    work.replace(path)
                    self._put_in_service(path)
                self._clear(replaced)
            with closing(Figures(work if dry_run else path)) as figures:
                position = figures.position
        finally:
            for leftover in self.folder.glob(f"{work.name}*"):
                leftover.unlink(missing_ok=True)
        return Rebuilt(not dry_run, 0 if dry_run else _number(path), position, differences, path)

    def _bring_up(self, path: Path) -> bool:
        """Take into a build out of service what was recorded since; whether that was possible.

        It is not for very many facts, nor for those that reach others' figures: then a build is
        quicker.
        """
        with closing(_writable(path)) as connection:
            done = None
            while done is None or done.facts:
                connection.execute("BEGIN IMMEDIATE")
                done = self._take_in(connection) if self._follows(connection) else None
                if done is None:
                    connection.rollback()
                    return False
                connection.commit()
        with path.open("rb+") as file:
            os.fsync(file.fileno())
        return True

    @contextmanager
    def _nobody_records(self) -> Iterator[None]:
        """Keep recorders waiting for a moment, if that can be had soon.

        Not for a catch-up: who records may be asking, and would wait for itself.
        """
        if self.ledger.read_only:
            yield
            return
        name = database_name(self.ledger.path, read_only=False)
        with closing(sqlite3.connect(name, uri=True, timeout=SWAP_LOCK_SECONDS)) as connection:
            with suppress(sqlite3.OperationalError):
                connection.execute("BEGIN IMMEDIATE")
            yield
            connection.rollback()

    # -- builds --------------------------------------------------------------------------------

    def builds(self) -> list[Build]:
        """The builds that lie beside the ledger, by number."""
        return [self._described(path) for path in sorted(self.folder.glob("build-*.sqlite"))]

    def build(self, number: int) -> Build:
        """A build by its number.

        Raises:
            NoSuchBuild: There is none.
        """
        found = {each.number: each for each in self.builds()}
        if number not in found:
            known = ", ".join(map(str, found)) or "none"
            msg = f"there is no build {number} (there are: {known})"
            raise NoSuchBuild(msg)
        return found[number]

    def use(self, number: int) -> Build:
        """Put an earlier build back into service, in one step.

        Its figures are those of the rulebooks in it. It takes in what was recorded since; an
        adoption among that waits for the next rebuild, which applies all rulebooks again.

        Raises:
            NoSuchBuild: There is none.
            NoReadModel: It is damaged, or made by another version or for another ledger.
            ReadOnlyLedger: The folder of the builds, or that of the ledger, cannot be written.
        """
        with self._lock:
            path = self.build(number).path
            self._check_writable()
            _checked(Figures(path), self.ledger).close()
            self._bring_up(path)
            with self._nobody_records():
                self._bring_up(path)
                with closing(_writable(path)) as connection, connection:
                    back = ("put_back_at", format_instant(self.ledger.clock()))
                    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", back)
                self._put_in_service(path)
            self.catch_up()
            return self._described(self._target())

    def _described(self, path: Path) -> Build:
        serving = self.exists and self.link.resolve() == path.resolve()
        build = Build(_number(path), path, path.stat().st_size, serving)
        try:
            with closing(_checked(Figures(path), self.ledger)) as figures:
                meta = figures.meta()
                rulebooks = figures.query(
                    "SELECT rulebook, position, digest FROM rulebooks ORDER BY position"
                )
        except NoReadModel:
            return build
        return attrs.evolve(
            build,
            usable=True,
            made_at=parse_instant(meta["made_at"]) if "made_at" in meta else None,
            replaced=int(meta.get("replaced", 0)),
            position=int(meta["position"]),
            rulebooks=tuple(rulebooks),
            pending_rulebook=int(meta["pending_rulebook"]),
        )

    def _number_in_service(self) -> int:
        target = self.link.resolve()
        return _number(target) if self.exists and target.parent == self.folder.resolve() else 0

    def _usable(self) -> Figures | None:
        """The figures in service, if they are of this ledger and can be compared with."""
        try:
            return self.figures()
        except NoReadModel:
            return None

    def _check_writable(self) -> None:
        for folder in (self.folder, self.link.parent):
            if not os.access(folder, os.W_OK):
                raise _not_written(folder)

    def _put_in_service(self, path: Path) -> None:
        """Move the link in one step; a reader has the old file or the new."""
        step = self.link.with_name(f"{self.link.name}.{os.getpid()}.{secrets.token_hex(4)}.link")
        step.symlink_to(path.relative_to(self.link.parent))
        step.replace(self.link)

    def _clear(self, spared: int) -> None:
        """Remove old builds, but not the one in service nor the one that it replaced."""
        spare = {spared, self._number_in_service()}
        builds = sorted(self.folder.glob("build-*.sqlite"))
        for old in builds[:-KEPT_BUILDS]:
            if _number(old) in spare:
                continue
            for file in self.folder.glob(f"{old.name}*"):
                with suppress(OSError):
                    file.unlink()

    def _sweep(self) -> None:
        """Remove what a rebuild left that was killed; those under way are left alone."""
        links = self.link.parent.glob(f"{self.link.name}.*.link")
        for leftover in (*self.folder.glob("build.*.part*"), *links):
            if abandoned(leftover):
                leftover.unlink(missing_ok=True)
        self.kept().sweep()

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
        numbers = [_number(p) for p in self.folder.glob("build-*.sqlite")]
        return max(numbers, default=0) + 1

    def _target(self) -> Path:
        if not self.exists:
            where = " where its folder can be written" if self.ledger.read_only else ""
            msg = f"{self.link.name}: nothing is published yet (run `mileage rebuild`{where})"
            raise NoReadModel(msg)
        return self.link.resolve()

    def _connection(self) -> sqlite3.Connection:
        """The connection that catches up; a new one after a swap."""
        target = self._target()
        if self._writer is None or self._writer[0] != target:
            if self._writer:
                self._writer[1].close()
            self.figures()  # checks that this is a model of this ledger
            connection = _writable(target)
            self._writer = (target, connection)
        return self._writer[1]


def _writable(path: Path) -> sqlite3.Connection:
    """A connection that catches up a build."""
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, timeout=LOCK_TIMEOUT_SECONDS
    )
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA temp_store = MEMORY")
    prepare(connection)
    return connection


def _not_written(folder: Path) -> ReadOnlyLedger:
    return ReadOnlyLedger(
        f"{folder.name}: the folder cannot be written; look at its permissions, or work on a copy"
        " of the ledger"
    )


def _number(path: Path) -> int:
    """The number in the name of a build's file."""
    return int(path.stem.removeprefix("build-"))


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
