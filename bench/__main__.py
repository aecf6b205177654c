"""Run the benchmarks; see the package's docstring."""

from __future__ import annotations

import argparse
import re
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mileage.ledger import Ledger, ProposalSubmitted, equal_shares
from mileage.ledger.importing import import_file
from mileage.projections import ReadModel, activity_infos, parse_rulebook, simulate
from mileage.projections.build import build_read_model
from mileage.projections.kept import Kept
from mileage.seeds import generator, rulebook_path

from . import people, stock
from .people import timed

if TYPE_CHECKING:
    from collections.abc import Collection

CACHE = Path(__file__).parent.parent / ".cache" / "bench"
YEARS = range(2005, 2026)
FACTS_AT_SCALE_4 = 1_496_000  # what the generator gives for these years
MILLION = 1_000_000
REPEATS = 3
# What there is once in an office, and stays as it is when people and things are copied.
OFFICE_WIDE = (
    *("ledger", "rulebook", "unit", "proposal_round", "council", "learning_plan"),
    *("evaluation", "diagnosis", "indicator"),
)
THING = re.compile(
    r'"(key|proposal|into|club|team|group|contest|course|publication|task|award|fact)":"'
)
PERSON = re.compile(r'"P(\d+)"')
RECORDS = 300
RATE = "points = 1,"  # of several rules of the example
YEAR_ONE, PAST_DAY = date(2005, 1, 1), date(2024, 12, 31)
# What the example rulebook does not use of the vocabulary.
VOCABULARY = """
[[rule]]
id = "session-headquarters"
title = { ko = "본청 모임", en = "Sessions at headquarters" }
activity = "learning_club.session_held"
units = ["HQ"]
per = "hour"
values = [ { from = 2005-01-01, points = 0.7, clause = "bench" } ]

[[rule]]
id = "proposal-by-rank"
title = { ko = "직급별 제안", en = "Proposals by rank" }
activity = "proposal.submitted"
ranks = ["G6", "G7"]
split = "share"
values = [ { from = 2005-01-01, points = 2, clause = "bench" } ]

[[cap]]
id = "unit-quarter"
title = { ko = "조직 분기 한도", en = "Cap of a unit" }
rules = ["course-attended"]
period = "quarter"
per = "unit"
values = [ { from = 2005-01-01, points = 400, clause = "bench" } ]

[[cap]]
id = "thing"
title = { ko = "건별 한도", en = "Cap of a thing" }
rules = ["proposal-adopted", "proposal-implemented", "proposal-graded"]
period = "lifetime"
per = "thing"
values = [
  { from = 2005-01-01, points = 12, clause = "bench" },
  { from = 2012-01-01, points = 15, clause = "bench" },
]

[[cap]]
id = "best-in-rank"
title = { ko = "최고 하나", en = "The best one" }
rules = ["contest-awarded"]
period = "rank"
keep = "best"
values = [ { from = 2005-01-01, count = 1, clause = "bench" } ]

[[cap]]
id = "first-in-half"
title = { ko = "반기 처음 몇 번", en = "The first few" }
rules = ["proposal-by-rank", "session-headquarters"]
period = "half"
values = [ { from = 2005-01-01, count = 10, clause = "bench" } ]

[[account]]
id = "leave"
title = { ko = "포상휴가", en = "Leave as a reward" }
unit = { ko = "일", en = "days" }

[[rule]]
id = "leave-online"
title = { ko = "온라인 제안 휴가", en = "Leave for proposals on line" }
activity = "proposal.adopted"
account = "leave"
when = { channel = "online" }
confirm = true
split = "share"
values = [
  { from = 2005-01-01, points = { percent = 10, of = "proposal-adopted" }, clause = "bench" },
]

[[rule]]
id = "workshop"
title = { ko = "연찬회", en = "Workshops" }
activity = "course.attended"
when = { form = "workshop" }
per = "hour"
values = [ { from = 2005-01-01, points = 0.3, clause = "bench" } ]
"""


def say(name: str, value: float, unit: str = "×", note: str = "") -> None:
    """Print one figure."""
    print(f"{name:<58} {value:>9.2f} {unit:<4} {note}", flush=True)


def prepared(facts: int) -> Ledger:
    """The ledger of a size: made once through the import, with its ratio to raw inserts."""
    path = CACHE / f"ledger-{facts}.sqlite"
    if not path.exists():
        rows = CACHE / f"rows-{facts}"
        shutil.rmtree(rows, ignore_errors=True)
        rows.mkdir(parents=True)
        scale = f"{facts * 4}/{FACTS_AT_SCALE_4}"
        print(f"making {facts:,} facts (scale {scale}, {len(YEARS)} years) …", file=sys.stderr)
        generator.write(rows, scale=scale, seed=2005, years=YEARS)
        work = path.with_suffix(".part.sqlite")
        for suffix in ("", "-wal", "-shm"):
            Path(f"{work}{suffix}").unlink(missing_ok=True)
        with Ledger.create(work, organisation="bench", opened_on=date(2005, 1, 1)) as ledger:
            text = rulebook_path().read_text("utf-8")
            ledger.adopt_rulebook(text, rulebook="smba-2005", on=date(2005, 1, 1), by="bench")
            names = [*generator.GROUPS]
            seconds = timed(
                lambda: [import_file(ledger, rows / f"{name}.csv", by="bench") for name in names]
            )
            count = ledger.position
        raw = timed(lambda: raw_inserts(work))
        say("import: CSV to ledger / raw inserts of the same rows", seconds / raw)
        say("import: a row", seconds / count * 1e6, "µs", f"{count:,} facts")
        shutil.rmtree(rows)
        for suffix in ("", "-wal", "-shm"):
            part = Path(f"{work}{suffix}")
            if part.exists():
                part.rename(Path(f"{path}{suffix}"))
    return Ledger.open(path)


def copied(facts: int) -> Ledger:
    """A ledger of several million facts: copies of one of a million, people and things renamed.

    Importing so many takes long and shows nothing that a million does not.
    """
    path = CACHE / f"ledger-{facts}.sqlite"
    if not path.exists():
        prepared(MILLION).close()
        shutil.copy(CACHE / f"ledger-{MILLION}.sqlite", path)
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -500000")
        [(last,)] = connection.execute("SELECT max(position) FROM stored_events").fetchall()
        connection.create_function("renamed_stream", 2, renamed_stream, deterministic=True)
        connection.create_function("renamed_state", 2, renamed_state, deterministic=True)
        for number in range(1, facts // MILLION):
            letter = chr(ord("A") + number)
            connection.execute(
                "INSERT INTO stored_events (originator_id, originator_version, topic, state)"
                " SELECT renamed_stream(originator_id, ?), originator_version, topic,"
                " CAST(renamed_state(CAST(state AS TEXT), ?) AS BLOB)"
                " FROM stored_events WHERE position <= ?"
                " AND substr(topic, 1, instr(topic, '.') - 1) NOT IN"
                f" ({', '.join(map(repr, OFFICE_WIDE))}) ORDER BY position",
                (letter, letter, last),
            )
            connection.commit()
        connection.close()
    return Ledger.open(path)


def renamed_stream(stream: str, letter: str) -> str:
    """The stream of a copied fact."""
    category, _, thing = stream.partition(":")
    named = f"P{letter}{thing[1:]}" if category == "member" else f"{letter}.{thing}"
    return f"{category}:{named}"


def renamed_state(state: str, letter: str) -> str:
    """What a copied fact says: of other people and other things."""
    return PERSON.sub(rf'"P{letter}\1"', THING.sub(rf'"\1":"{letter}.', state))


def raw_inserts(path: Path) -> None:
    """Insert a ledger's rows into an empty table of the same columns, in one transaction."""
    source = sqlite3.connect(path)
    with tempfile.TemporaryDirectory() as folder:
        target = sqlite3.connect(Path(folder) / "raw.sqlite")
        target.execute(
            "CREATE TABLE stored_events (position INTEGER PRIMARY KEY AUTOINCREMENT,"
            " originator_id TEXT NOT NULL, originator_version INTEGER NOT NULL,"
            " topic TEXT NOT NULL, state BLOB NOT NULL,"
            " UNIQUE (originator_id, originator_version))"
        )
        rows = source.execute("SELECT * FROM stored_events ORDER BY position")
        target.executemany("INSERT INTO stored_events VALUES (?, ?, ?, ?, ?)", rows)
        target.commit()
        target.close()
    source.close()


def raw_select(path: Path) -> float:
    """Seconds for a raw ``SELECT`` of all facts in order, fetched row by row in Python."""
    connection = sqlite3.connect(path)
    statement = "SELECT * FROM stored_events ORDER BY position"
    seconds = timed(lambda: sum(1 for _ in connection.execute(statement)))
    connection.close()
    return seconds


def bench_rebuild(ledger: Ledger, folder: Path, repeats: int) -> float:
    """Rebuild, stage by stage, as ratios to a raw ``SELECT`` in the same run."""
    warm_up(folder)
    found: list[dict[str, float]] = []
    for number in range(repeats):
        raw = raw_select(ledger.path)
        ends: dict[str, float] = {}
        start = time.perf_counter()
        build_read_model(
            ledger,
            folder / f"build-{number}.sqlite",
            kept=Kept(folder / f"facts-{number}", ledger, writes=True),
            progress=lambda stage, *_, ends=ends: ends.__setitem__(stage, time.perf_counter()),
        )
        begins = [start, *ends.values()]
        ratios = {s: (end - begins[i]) / raw for i, (s, end) in enumerate(ends.items())}
        ratios["balances"] = (ends["score"] - start) / raw
        ratios["all"] = (begins[-1] - start) / raw
        ratios["seconds"] = begins[-1] - start
        found.append(ratios)
    median = {name: statistics.median(run[name] for run in found) for name in found[0]}
    say("rebuild: decode / raw SELECT", median["decode"])
    say("rebuild: score / raw SELECT", median["score"])
    say("rebuild: publish / raw SELECT", median["publish"])
    say("rebuild: up to balances / raw SELECT", median["balances"], note="at most 4")
    say("rebuild: all / raw SELECT", median["all"], note="at most 7")
    say("rebuild: all", median["seconds"], "s", f"median of {repeats}")
    return median["seconds"]


def warm_up(folder: Path) -> None:
    """Load the libraries, so that the first figure is not their import."""
    with Ledger.create(folder / "warm.sqlite", organisation="bench") as ledger:
        build_read_model(ledger, folder / "warm.read.sqlite")


def bench_stock(ledger: Ledger, folder: Path, ours: float) -> None:
    """The stock way of the same work, as a ratio to ours."""
    text = rulebook_path().read_text("utf-8")
    rulebook = parse_rulebook(text, activity_infos(ledger.kinds))
    seconds = timed(lambda: stock.rebuild(ledger, rulebook, folder / "stock.sqlite"))
    say("the stock way / rebuild", seconds / ours, note="at least 6")


def bench_record(ledger: Ledger, folder: Path) -> None:
    """Record one fact and read the new balance, against the bare append of the same event."""
    copies = [folder / "record.sqlite", folder / "append.sqlite"]
    for copy in copies:
        shutil.copy(ledger.path, copy)
    people = [
        row[0]
        for row in sqlite3.connect(ledger.path).execute(
            "SELECT DISTINCT json_extract(CAST(state AS TEXT), '$.data.authors[0].person')"
            " FROM stored_events WHERE topic = 'proposal.submitted' ORDER BY position DESC LIMIT ?",
            (RECORDS,),
        )
    ]
    day = date(2025, 12, 30)
    with Ledger.open(copies[0]) as ours, Ledger.open(copies[1]) as bare, ReadModel(ours) as model:
        model.rebuild()
        serving = [p for p in people if ours.state(f"member:{p}").serves_on(day)]
        recorded, appended = [], []
        for number, person in enumerate(serving):
            data = ProposalSubmitted(f"bench-{number}", "t", "online", equal_shares([person]))

            def ask(data: ProposalSubmitted = data, person: str = person) -> None:
                ours.record(data, on=day, by="bench")
                model.catch_up()
                model.figures().balance(person)

            recorded.append(timed(ask))
            event = ours.recorder.stream(f"proposal:bench-{number}")[0]
            appended.append(timed(lambda e=event: bare.recorder.insert_events([e])))
    recorded, appended = recorded[5:], appended[5:]  # the first ones load what the rest reuse
    ratio = statistics.median(recorded) / statistics.median(appended)
    say("record and read the balance / bare append, median", ratio, note="at most 5")
    say("record and read the balance, median", statistics.median(recorded) * 1e3, "ms")


def bench_rescore(ledger: Ledger, folder: Path, repeats: int, wanted: Collection[str]) -> None:
    """Rebuild after a mere change of rules, and simulate one; what is decoded is kept."""
    path = folder / "rescore.sqlite"
    for suffix in ("", "-wal"):
        if Path(f"{ledger.path}{suffix}").exists():
            shutil.copy(f"{ledger.path}{suffix}", f"{path}{suffix}")
    plain = rulebook_path().read_text("utf-8")
    cases = (("", plain, 4), (" (all vocabulary)", with_vocabulary(plain), 8))
    with Ledger.open(path) as copy, ReadModel(copy) as model:
        for name, text, limit in cases:
            adopted(copy, text)
            model.rebuild()
            found: list[tuple[float, ...]] = []
            for number in range(1, repeats + 1):
                raw = raw_select(path)
                adopted(copy, text.replace(RATE, f"points = 1.{number},"))
                rescored = timed(model.rebuild)
                other = text.replace(RATE, f"points = 2.{number},")
                ask = partial(simulate, model, other, effective_from=YEAR_ONE)
                simulated, then = timed(ask), timed(partial(ask, as_of=PAST_DAY))
                found.append((rescored / raw, simulated / rescored, then / rescored))
            ratios = [statistics.median(each) for each in zip(*found, strict=True)]
            if "rescore" in wanted:
                say(f"re-score{name} / raw SELECT", ratios[0], note=f"at most {limit}")
            if "simulate" in wanted:
                say(f"simulate{name} / re-score", ratios[1], note="at most 1.2")
                say(f"simulate{name}, as of a past day / re-score", ratios[2])


def bench_engines(ledger: Ledger, folder: Path, repeats: int) -> None:
    """The plan on Polars against DuckDB, statement by statement in turn, over the same tables."""
    # Run from the project's folder, as this is; nobody needs Polars but here and in tests.
    from tests.polars_engine import scored_on_both  # noqa: PLC0415

    path = folder / "engines.sqlite"
    shutil.copy(ledger.path, path)
    plain = rulebook_path().read_text("utf-8")
    with Ledger.open(path) as copy:
        for name, text in (("", plain), (" (all vocabulary)", with_vocabulary(plain))):
            adopted(copy, text)
            found: list[tuple[float, float]] = []
            for _ in range(repeats):
                took = [step.seconds for step in scored_on_both(copy)]
                found.append((sum(each[0] for each in took), sum(each[1] for each in took)))
            ratio = statistics.median(polars / duck for duck, polars in found)
            rows = f"{len(took)} statements, same rows"
            say(f"plan in Polars / in DuckDB{name}", ratio, note=rows)
            say(f"plan in DuckDB{name}", statistics.median(duck for duck, _ in found), "s")


def with_vocabulary(text: str) -> str:
    """A rulebook with everything else there is to say in one."""
    at = text.index("[[cap]]")
    return f"{text[:at]}{VOCABULARY}\n{text[at:]}"


def adopted(ledger: Ledger, text: str) -> None:
    """Adopt a rulebook in the place of the one before."""
    ledger.adopt_rulebook(text, rulebook="smba-2005", on=YEAR_ONE, by="bench")


def bench_help() -> None:
    """``mileage --help`` against importing click alone, as whole processes."""
    command = [str(Path(sys.executable).parent / "mileage"), "--help"]
    click = [sys.executable, "-c", "import click"]
    ratios = []
    for _ in range(15):
        ours = timed(lambda: subprocess.run(command, check=True, capture_output=True))  # noqa: S603
        theirs = timed(lambda: subprocess.run(click, check=True, capture_output=True))  # noqa: S603
        ratios.append(ours / theirs)
    say("mileage --help / python -c 'import click', median", statistics.median(ratios), note="≤ 2")


LEDGER = ("rebuild", "stock", "rescore", "simulate", "engines", "record")
PEOPLE = ("batch", "read")


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--facts", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    names = [*LEDGER, *PEOPLE, "help"]
    parser.add_argument("--only", choices=names, action="append", default=[])
    asked = parser.parse_args()
    wanted = set(asked.only or names)
    if wanted & set(LEDGER):
        bench_ledger(asked.facts, asked.repeats, wanted)
    if wanted & set(PEOPLE):
        with tempfile.TemporaryDirectory() as name, people.made(CACHE) as ledger:
            if "batch" in wanted:
                people.bench_batch(ledger, Path(name), say, asked.repeats)
            if "read" in wanted:
                people.bench_read(ledger, say)
    if "help" in wanted:
        bench_help()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 / 1024
    say("peak memory of this process", peak, "GiB")


def bench_ledger(count: int, repeats: int, wanted: set[str]) -> None:
    """What is measured on a ledger of the seeds' generator."""
    make = copied if count > MILLION else prepared
    with tempfile.TemporaryDirectory() as name, make(count) as ledger:
        folder = Path(name)
        kinds = Counter(
            dict(
                sqlite3.connect(ledger.path).execute(
                    "SELECT topic, count(*) FROM stored_events GROUP BY topic"
                )
            )
        )
        print(
            f"{ledger.position:,} facts:", ", ".join(f"{k} {n:,}" for k, n in kinds.most_common(6))
        )
        seconds = 0.0
        if {"rebuild", "stock"} & wanted:
            seconds = bench_rebuild(ledger, folder, repeats)
        if "stock" in wanted:
            bench_stock(ledger, folder, seconds)
        if {"rescore", "simulate"} & wanted:
            bench_rescore(ledger, folder, repeats, wanted)
        if "engines" in wanted:
            bench_engines(ledger, folder, repeats)
        if "record" in wanted:
            bench_record(ledger, folder)


if __name__ == "__main__":
    main()
