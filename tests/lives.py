"""Programs that live until they are killed, and are started again: run by the tests as a process.

``python lives.py WAY FOLDER``: in the folder stand ``agency.sqlite`` and ``work.json``, a list of
facts to record, as ``[kind, day, fields]``. Each life does the same work, from the beginning:
record what is not recorded yet, now and then rebuild, take the feed into ``hr.sqlite`` the way the
example does. A life that was killed is followed by another, until one comes to its end.

- ``steps``: for every n, a life on a fresh copy of the folder is killed before its n-th statement
  in any database; the next one ends the work. Prints how many ways there were to be killed.
- ``moments``: lives are killed after a random time, at least as many as ``lives`` in ``work.json``.
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
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from mileage.ledger import Command, Ledger
from mileage.projections import ReadModel

EXAMPLE = Path(__file__).parents[1] / "examples" / "hr_web.py"
NOON = datetime(2005, 12, 20, 3, 0, tzinfo=UTC)
connect = sqlite3.connect


def example() -> Any:
    """The example's module."""
    spec = importlib.util.spec_from_file_location("hr_web", EXAMPLE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


hr_web = example()


def work(folder: Path, *, rebuilds: bool) -> None:
    """What every life does; it can be done again from the beginning at any time."""
    facts = json.loads((folder / "work.json").read_text())
    with (
        Ledger.open(folder / "agency.sqlite", clock=lambda: NOON) as ledger,
        ReadModel(ledger) as model,
        closing(hr_web.open_hr(folder / "hr.sqlite")) as hr,
    ):
        for number, (kind, day, fields) in enumerate(facts):
            data = ledger.kinds.get(kind).parse(fields)
            command = Command(data, date.fromisoformat(day), "o", "work", f"work-{number}")
            [recorded] = ledger.record_all([command])
            if rebuilds and recorded.new and number % 10 == 9:
                model.rebuild()
            hr_web.take(hr, model)


def killed_before(statement: int) -> None:
    """From now on count statements in all databases, and die before one of them."""
    count = 0

    def tick(_: str) -> None:
        nonlocal count
        count += 1
        if count == statement:
            os.kill(os.getpid(), signal.SIGKILL)

    def counted(*args: Any, **options: Any) -> sqlite3.Connection:
        connection = connect(*args, **options)
        connection.set_trace_callback(tick)
        return connection

    sqlite3.connect = counted  # type: ignore[assignment]


def life(folder: Path, *, statement: int = 0, seconds: float = 0.0, rebuilds: bool = False) -> bool:
    """Live once in a process of its own; whether it came to its end."""
    child = os.fork()
    if not child:
        code = 1
        try:
            if statement:
                killed_before(statement)
            work(folder, rebuilds=rebuilds)
            code = 0
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


def steps(folder: Path) -> int:
    """Die before each statement in turn, then live on; each folder is left for the test."""
    number = 0
    while True:
        number += 1
        own = folder.with_name(f"{folder.name}-{number}")
        shutil.copytree(folder, own, symlinks=True)
        if life(own, statement=number):
            return number - 1
        assert life(own)


def moments(folder: Path) -> int:
    """Die at random moments; each life finds what those before it left."""
    lives = json.loads((folder / "lives.json").read_text())
    chance = random.Random(20051220)  # noqa: S311 - the same deaths in every run
    killed = 0
    while killed < lives:
        killed += not life(folder, seconds=chance.uniform(0.001, 0.12), rebuilds=True)
    while not life(folder, rebuilds=True):
        pass
    return killed


if __name__ == "__main__":
    sys.stdout.write(str({"steps": steps, "moments": moments}[sys.argv[1]](Path(sys.argv[2]))))
