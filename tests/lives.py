"""Programs that live until they are killed, and are started again: run by the tests as a process.

``python lives.py WAY WORK FOLDER``: in the folder stand ``agency.sqlite`` and ``work.json``, a list
of facts to record, as ``[kind, day, fields]``. Each life does the same work, from the beginning:
record what is not recorded yet, now and then rebuild, and hand over to HR. A life that was killed
is followed by another, until one comes to its end. WORK is how HR is told:

- ``feed``: it takes the feed into ``hr.sqlite`` the way the example does.
- ``batches``: a batch is cut into ``inbox``; HR books in ``hr.sqlite`` what it finds there and
  answers with ``ack.csv``, which is taken in.

WAY is how lives end:

- ``steps``: for every n, a life on a fresh copy of the folder is killed before its n-th statement
  in any database (with batches: in the outbox or HR's own) or its n-th step with a file; the next
  one ends the work. Prints how many ways there were to be killed.
- ``moments``: lives are killed after a random time, at least as many as ``lives.json`` says.
"""

from __future__ import annotations

import importlib.util
import json
import os
import random
import shutil
import signal
import sqlite3
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from hr_receiver import read_batch
from mileage.ledger import Command, Ledger
from mileage.projections import Outbox, ReadModel, acknowledge, find_profile

EXAMPLE = Path(__file__).parents[1] / "examples" / "hr_web.py"
NOON = datetime(2005, 12, 20, 3, 0, tzinfo=UTC)
connect = sqlite3.connect
Work = Callable[..., None]


def example() -> Any:
    """The example's module."""
    spec = importlib.util.spec_from_file_location("hr_web", EXAMPLE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


hr_web = example()


def record(ledger: Ledger, number: int, kind: str, day: str, fields: dict[str, Any]) -> bool:
    """Record a fact, once; whether it is new."""
    data = ledger.kinds.get(kind).parse(fields)
    command = Command(data, date.fromisoformat(day), "o", "work", f"work-{number}")
    [recorded] = ledger.record_all([command])
    return recorded.new


def by_feed(folder: Path, *, rebuilds: bool) -> None:
    """HR takes the feed."""
    facts = json.loads((folder / "work.json").read_text())
    with (
        Ledger.open(folder / "agency.sqlite", clock=lambda: NOON) as ledger,
        ReadModel(ledger) as model,
        closing(hr_web.open_hr(folder / "hr.sqlite")) as hr,
    ):
        for number, fact in enumerate(facts):
            if record(ledger, number, *fact) and rebuilds and number % 10 == 9:
                model.rebuild()
            hr_web.take(hr, model)


FORMATS = ("csv", "jsonl", "parquet")
HR_TABLES = """
CREATE TABLE IF NOT EXISTS batches (sequence INTEGER PRIMARY KEY, name TEXT, sha256 TEXT);
CREATE TABLE IF NOT EXISTS lines (
    batch TEXT, line INTEGER, person TEXT, programme TEXT, code TEXT, for_period TEXT,
    delta INTEGER, status TEXT, PRIMARY KEY (batch, line)
);
"""


def by_batches(folder: Path, *, rebuilds: bool) -> None:
    """HR is given files and answers with files."""
    facts = json.loads((folder / "work.json").read_text())
    with (
        Ledger.open(folder / "agency.sqlite", clock=lambda: NOON) as ledger,
        ReadModel(ledger) as model,
        closing(sqlite3.connect(folder / "hr.sqlite")) as hr,
    ):
        for statement in HR_TABLES.split(";"):
            hr.execute(statement)
        deal(folder, model, hr)  # what an earlier life did not come to
        for number, fact in enumerate(facts):
            if record(ledger, number, *fact):
                if rebuilds and number % 10 == 9:
                    model.rebuild()
                deal(folder, model, hr)


def deal(folder: Path, model: ReadModel, hr: sqlite3.Connection, *, refusing: bool = True) -> bool:
    """Cut a batch, let HR book and answer; whether there was anything to cut."""
    outbox, inbox = Outbox(model.ledger), folder / "inbox"
    model.catch_up()
    form = FORMATS[model.figures().position % len(FORMATS)]
    profile = find_profile().written_as(form)
    batch = outbox.cut(model.figures(), inbox, as_of=NOON.date(), profile=profile)
    book(inbox, hr, refusing=refusing)
    said = hr.execute("SELECT batch, line, status FROM lines ORDER BY batch, line").fetchall()
    if said:
        rows = [",".join(map(str, row)) for row in said]
        (folder / "ack.csv").write_text("\n".join(["batch,line,status", *rows]) + "\n")
        acknowledge(outbox, folder / "ack.csv")
    return batch is not None


def book(inbox: Path, hr: sqlite3.Connection, *, refusing: bool) -> None:
    """What HR does with batches that are complete: in one transaction of its own for each."""
    [(last,)] = hr.execute("SELECT coalesce(max(sequence), 0) FROM batches").fetchall()
    while (inbox / f"hr-batch-{last + 1:06d}.manifest.json").exists():
        last += 1
        manifest, rows = read_batch(inbox, last)
        before = hr.execute("SELECT sha256 FROM batches WHERE sequence = ?", (last - 1,)).fetchone()
        assert manifest["previous_sha256"] == (before[0] if before else None)
        with hr:
            about = (last, manifest["batch"], manifest["sha256"])
            hr.execute("INSERT INTO batches VALUES (?, ?, ?)", about)
            for row in rows:
                status = "rejected" if refusing and (row.line + last) % 4 == 0 else "accepted"
                booked = (manifest["batch"], row.line, *row.key, row.delta, status)
                hr.execute("INSERT INTO lines VALUES (?, ?, ?, ?, ?, ?, ?, ?)", booked)


WORKS = {"feed": by_feed, "batches": by_batches}


def killed_before(statement: int, databases: str) -> None:
    """From now on count statements in databases, and steps with files; die before one of them."""
    count = 0
    fsync, replace = os.fsync, Path.replace

    def tick(_: object) -> None:
        nonlocal count
        count += 1
        if count == statement:
            os.kill(os.getpid(), signal.SIGKILL)

    def counted(*args: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*args, **options)
        if str(args[0] if args else options["database"]).endswith(databases):
            connection.set_trace_callback(tick)
        return connection

    def synced(file: int) -> None:
        tick(file)
        fsync(file)

    def replaced(path: Path, target: Path) -> Path:
        tick(path)
        return replace(path, target)

    sqlite3.connect = counted  # type: ignore[assignment]
    os.fsync, Path.replace = synced, replaced  # type: ignore[assignment,method-assign]


def life(
    work: Work, folder: Path, *, statement: int = 0, seconds: float = 0.0, rebuilds: bool = False
) -> bool:
    """Live once in a process of its own; whether it came to its end."""
    child = os.fork()
    if not child:
        code = 1
        try:
            if statement:
                killed_before(statement, "hr.sqlite" if work is by_batches else "")
            work(folder, rebuilds=rebuilds)
            code = 0
        except BaseException:  # noqa: BLE001 - the test shows it
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    if seconds:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)  # not reaped yet: it is this one, ended or not
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        sys.exit("a life went wrong")
    return os.WIFEXITED(status)


def steps(work: Work, folder: Path) -> int:
    """Die before each statement in turn, then live on; each folder is left for the test."""
    number = 0
    while True:
        number += 1
        own = folder.with_name(f"{folder.name}-{number}")
        shutil.copytree(folder, own, symlinks=True)
        if life(work, own, statement=number):
            return number - 1
        assert life(work, own)


def moments(work: Work, folder: Path) -> int:
    """Die at random moments; each life finds what those before it left."""
    lives = json.loads((folder / "lives.json").read_text())
    chance = random.Random(20051220)  # noqa: S311 - the same deaths in every run
    killed = 0
    while killed < lives:
        killed += not life(work, folder, seconds=chance.uniform(0.001, 0.12), rebuilds=True)
    while not life(work, folder, rebuilds=True):
        pass
    return killed


if __name__ == "__main__":
    way = {"steps": steps, "moments": moments}[sys.argv[1]]
    sys.stdout.write(str(way(WORKS[sys.argv[2]], Path(sys.argv[3]))))
