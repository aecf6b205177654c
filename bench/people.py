"""What many people ask and are told: a batch for 100,000 of them, one person's figures."""

from __future__ import annotations

import csv
import os
import shutil
import sqlite3
import statistics
import sys
import time
from contextlib import closing
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

from mileage.ledger import Entry, Ledger
from mileage.ledger.importing import import_file
from mileage.projections import Outbox, ReadModel, find_profile
from mileage.seeds import rulebook_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mileage.projections import Figures, Profile

PEOPLE = 100_000
EACH = 10  # proposals a person has a part in: a million postings in all
UNITS = 20
QUESTIONS = 400
FORMATS = ("csv", "jsonl", "parquet", "xlsx")


def timed(work: Callable[[], Any]) -> float:
    """Seconds a piece of work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def made(cache: Path) -> Ledger:
    """A ledger of 100,000 people, each with ten parts in proposals; made once."""
    path = cache / f"people-{PEOPLE}.sqlite"
    if not path.exists():
        print(f"making {PEOPLE:,} people with {EACH} postings each …", file=sys.stderr)
        rows = cache / "people-rows"
        shutil.rmtree(rows, ignore_errors=True)
        rows.mkdir(parents=True)
        work = path.with_suffix(".part.sqlite")
        for leftover in cache.glob(f"{path.stem}.part.*"):
            leftover.unlink()
        with Ledger.create(work, organisation="bench", opened_on=date(2005, 1, 1)) as ledger:
            text = rulebook_path().read_text("utf-8")
            ledger.adopt_rulebook(text, rulebook="smba-2005", on=date(2005, 1, 1), by="bench")
            for file in (_units(rows), _joined(rows), _proposals(rows)):
                import_file(ledger, file, by="bench")
            entries = (Entry(f"P{n:06d}", f"구성원{n}", f"{n:08d}") for n in range(PEOPLE))
            ledger.directory.put(entries)
        for leftover in sorted(cache.glob(f"{path.stem}.part.*"), reverse=True):
            leftover.rename(leftover.with_name(leftover.name.replace(".part.", ".", 1)))
        shutil.rmtree(rows)
    return Ledger.open(path)


def _written(path: Path, head: str, rows: Iterator[tuple[Any, ...]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head.split(","))
        writer.writerows(rows)
    return path


def _units(folder: Path) -> Path:
    rows = (("unit.established", "2005-01-01", f"U{n}", "조직", "Unit") for n in range(UNITS))
    return _written(folder / "units.csv", "kind,occurred_on,unit,name_ko,name_en", rows)


def _joined(folder: Path) -> Path:
    rows = (
        ("member.joined", "2005-01-03", f"P{n:06d}", f"U{n % UNITS}", "G6") for n in range(PEOPLE)
    )
    return _written(folder / "people.csv", "kind,occurred_on,person,unit,rank", rows)


def _proposals(folder: Path) -> Path:
    rows = (
        (
            "proposal.submitted",
            f"2005-{1 + n % 11:02d}-{4 + n % 20:02d}",
            f"S-{n}",
            f"제안 {n}",
            "online",
            ";".join(f"P{(n + 7_919 * k) % PEOPLE:06d}:{100 // EACH}" for k in range(EACH)),
        )
        for n in range(PEOPLE)
    )
    return _written(
        folder / "proposals.csv", "kind,occurred_on,proposal,title,channel,authors", rows
    )


def bench_batch(ledger: Ledger, folder: Path, say: Callable[..., None], repeats: int) -> None:
    """A full batch in every format, against writing rows that are in memory already."""
    with ReadModel(ledger) as model:
        if not model.exists:
            model.rebuild()
        figures = model.figures()
        rows: list[list[str]] = []  # those of the first batch, which is CSV
        for form in FORMATS:
            profile = find_profile().written_as(form)
            ratios, seconds = [], []
            cut = partial(_cut, ledger, figures, profile)
            for number in range(repeats):
                target = folder / f"{form}-{number}"
                taken = timed(partial(cut, target))
                seconds.append(taken)
                if not rows:
                    file = target / "hr-batch-000001.csv"
                    with file.open(encoding="utf-8-sig", newline="") as source:
                        rows = list(csv.reader(source))
                ratios.append(taken / timed(partial(_plain, folder / "plain.csv", rows)))
            note = f"{len(rows) - 1:,} lines; {statistics.median(seconds):.1f} s"
            say(f"full batch, {form} / csv.writer, its rows", statistics.median(ratios), note=note)


def _cut(ledger: Ledger, figures: Figures, profile: Profile, folder: Path) -> None:
    """The first batch of an outbox of its own."""
    outbox = Outbox(ledger)
    outbox.path = folder.with_suffix(".hr.sqlite")
    outbox.cut(figures, folder, as_of=date(2005, 12, 31), full=True, profile=profile)


def _plain(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(rows)
        file.flush()
        os.fsync(file.fileno())


_BALANCE = (
    "SELECT points, activities, rewarded FROM balances"
    " WHERE account = 0 AND person = (SELECT id FROM people WHERE person = ?)"
)
_STATEMENT = """
    SELECT p.position, p.day, a.kind, t.stream, t.title, u.unit, p.grade, v.rule_id, v.clause,
           v.points, p.whole, p.gross, p.points
    FROM postings p
    JOIN activities a ON a.id = p.activity
    JOIN things t ON t.id = p.thing
    LEFT JOIN units u ON u.id = p.unit
    LEFT JOIN rule_values v ON v.id = p.value
    WHERE p.account = 0 AND p.person = (SELECT id FROM people WHERE person = ?)
    ORDER BY p.day, p.position, p.activity
"""


def bench_read(ledger: Ledger, say: Callable[..., None]) -> None:
    """One person's balance and statement, against the bare query of the same rows."""
    with ReadModel(ledger) as model:
        if not model.exists:
            model.rebuild()
        figures = model.figures()
        [(postings,)] = figures.query("SELECT count(*) FROM postings")
        with closing(sqlite3.connect(f"file:{figures.path}?mode=ro", uri=True)) as bare:
            _asked(figures, bare, say, postings)


def _asked(
    figures: Figures, bare: sqlite3.Connection, say: Callable[..., None], postings: int
) -> None:
    people = [f"P{(n * 7_907 + 13) % PEOPLE:06d}" for n in range(QUESTIONS)]
    for name, ask, query in (
        ("balance", figures.balance, _BALANCE),
        ("statement", figures.statement, _STATEMENT),
    ):
        ours, theirs = [], []
        for number, person in enumerate(people):
            turns = [
                (ours, lambda person=person, ask=ask: ask(person)),
                (theirs, lambda person=person, q=query: bare.execute(q, (person,)).fetchall()),
            ]
            for times, work in turns if number % 2 else reversed(turns):
                work()  # both find the pages in memory
                times.append(timed(work))
        for word, figure in (("median", statistics.median), ("95th percentile", _p95)):
            note = f"{postings:,} postings; {figure(ours) * 1e6:.0f} µs"
            say(
                f"{name} of one person / bare query, {word}",
                figure(ours) / figure(theirs),
                note=note,
            )


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]
