"""What is decoded is kept between builds, and never makes a difference."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from driver import Driver
from hypothesis import given, settings
from hypothesis import strategies as st
from mileage.ledger import Command, CorruptFact, Ledger, ProposalSubmitted, equal_shares
from mileage.projections import Figures, ReadModel, decode, kept, simulate
from mileage.projections.build import build_read_model
from mileage.projections.decode import Slice
from strategies import Play, rulebooks, steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mileage.projections.kept import Kept

FACTS = 440
SMALL = {"CHUNK_ROWS": 100, "SEGMENT_ROWS": 100, "KEEP_FACTS_MIN": 10}


@contextmanager
def small_segments() -> Iterator[None]:
    """Segments so small that small ledgers have several."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (decode, kept):
            for name, value in SMALL.items():
                patch.setattr(module, name, value, raising=False)
        yield


@pytest.fixture(scope="module")
def lived(tmp_path_factory) -> Path:
    """The folder of a ledger in which everything happened that can, corrections included."""
    folder = tmp_path_factory.mktemp("lived")
    driver = Driver(folder / "agency.sqlite", Random(20))  # noqa: S311 - a history
    categories = sorted(driver.kinds)
    while driver.ledger.position < FACTS:
        driver.happens(driver.random.choice(categories))
        if driver.ledger.position % 100 == 50:
            driver.void()
            driver.adopt()
    driver.ledger.close()
    return folder


@pytest.fixture
def model(lived, tmp_path) -> Iterator[ReadModel]:
    """The read model of a copy of that ledger, with small segments."""
    shutil.copytree(lived, tmp_path / "copy")
    with (
        small_segments(),
        Ledger.open(tmp_path / "copy" / "agency.sqlite") as ledger,
        ReadModel(ledger) as opened,
    ):
        yield opened


def fresh(model: ReadModel, part: Slice | None = None, kept: Kept | None = None) -> str:
    """Digest of figures built for this question, by decoding everything unless told otherwise."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "figures.sqlite"
        build_read_model(model.ledger, path, part, kept=kept)
        figures = Figures(path)
        digest = figures.content_digest()
        figures.close()
    return digest


def serving(model: ReadModel) -> str:
    """Somebody who serves to this day."""
    rows = model.figures().query(
        "SELECT m.person FROM people m JOIN tenures t ON t.person = m.id"
        " WHERE t.status = 'serving' AND t.day_until = 99991231 ORDER BY m.person"
    )
    return str(rows[0][0])


def segments(model: ReadModel) -> list[tuple[int, int]]:
    """First and last position of the segments kept."""
    return sorted((after + 1, upto) for _, after, upto in model.kept()._folders())


@contextmanager
def decoded() -> Iterator[list[int]]:
    """The positions that are decoded, noted."""
    noted: list[int] = []
    plain = decode._chunks

    def noting(ledger: Any, after: int, last: int) -> Iterator[Any]:
        for block, table in plain(ledger, after, last):
            noted.extend(table["position"].to_pylist())
            yield block, table

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decode, "_chunks", noting)
        yield noted


def tamper(ledger: Ledger, position: int, old: str, new: str) -> None:
    """Change a stored fact behind the API."""
    connection = sqlite3.connect(ledger.path)
    triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    for (name,) in triggers.fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    [(state,)] = connection.execute(
        "SELECT CAST(state AS TEXT) FROM stored_events WHERE position = ?", (position,)
    )
    assert old in state
    connection.execute(
        "UPDATE stored_events SET state = ? WHERE position = ?",
        (state.replace(old, new, 1).encode(), position),
    )
    connection.commit()
    connection.close()


def a_proposal(ledger: Ledger) -> int:
    """Position of an early proposal."""
    return next(
        item.position
        for item in ledger.facts(20)
        if item.fact.kind.name == "proposal.submitted" and item.position < 300
    )


def test_only_newer_facts_are_decoded(model):
    """A second build decodes nothing, and one after new facts decodes those."""
    expected = fresh(model)
    with decoded() as first:
        model.rebuild()
    last = model.ledger.position
    assert sorted(first) == list(range(1, last + 1))
    assert len(segments(model)) >= 3

    with decoded() as second:
        model.rebuild()
    assert second == []
    assert model.figures().content_digest() == expected

    with model.ledger.writer() as writer:
        for number in range(15):
            data = ProposalSubmitted(
                f"late-{number}", "늦은 제안", "paper", equal_shares([serving(model)])
            )
            writer.add(Command(data, model.ledger.today(), "o"))
    with decoded() as third:
        model.rebuild()
    assert sorted(third) == list(range(last + 1, model.ledger.position + 1))
    assert model.figures().content_digest() == fresh(model)
    with decoded() as fourth:
        model.rebuild()
    assert fourth == []


def test_segments_follow_each_other(model):
    """Each fact is in one segment, and small segments are put together."""
    for last in (150, 330, 345, 362, model.ledger.position):
        build = model.kept(writes=True)
        fresh(model, Slice(upto=last), build)
        found = segments(model)
        assert found[0][0] == 1
        assert [after for after, _ in found[1:]] == [upto + 1 for _, upto in found[:-1]]
        assert found[-1][1] == last
    assert len(found) < 7


def test_a_part_of_the_facts(model):
    """Figures as of a day and up to a position are the same from what is kept."""
    model.rebuild()
    facts = list(model.ledger.facts())
    days = sorted({item.fact.occurred_on for item in facts})
    parts = [Slice(as_of=day) for day in (days[3], *days[10::60], days[-1])]
    parts += [Slice(upto=at) for at in (7, 181, 439)]
    parts += [Slice(upto=300, as_of=days[len(days) // 2])]
    parts += [Slice(known_at=facts[at].fact.recorded_at) for at in (50, 233)]
    for part in parts:
        assert fresh(model, part, model.kept()) == fresh(model, part), part
    with decoded() as noted:
        fresh(model, Slice(as_of=days[20]), model.kept())
    assert noted == []


def test_a_simulation_decodes_nothing(model):
    """A rulebook is simulated on what is kept."""
    model.rebuild()
    text = (
        '[rulebook]\nid = "other"\ntitle = { ko = "가", en = "A" }\nsource = "고시"\n[[rule]]\n'
        'id = "s"\ntitle = { ko = "가", en = "A" }\nactivity = "proposal.submitted"\n'
        'values = [ { from = 2004-01-01, clause = "1", points = 1.5 } ]\n'
    )
    since = model.ledger.today()
    with decoded() as noted:
        found = simulate(model, text, effective_from=since)
    assert noted == []
    shutil.rmtree(model.folder / "facts")
    with decoded() as noted:
        assert simulate(model, text, effective_from=since).digest == found.digest
    assert noted != []
    assert not (model.folder / "facts").exists()


def test_anew(model):
    """Asked to, a rebuild decodes everything, and keeps that."""
    model.rebuild()
    for file in (model.folder / "facts").glob("*/w_raw_fact.parquet"):
        file.unlink()
    with decoded() as noted:
        model.rebuild(anew=True)
    assert len(noted) == model.ledger.position
    with decoded() as noted:
        model.rebuild()
    assert noted == []


def cut_short(folder: Path) -> None:
    file = folder / "w_raw_fact.parquet"
    file.write_bytes(file.read_bytes()[:-40])


def other_rows(folder: Path) -> None:
    """A file of the same form with another's rows."""
    other = next(each for each in folder.parent.iterdir() if each != folder)
    shutil.copy(other / "w_raw_fact.parquet", folder / "w_raw_fact.parquet")


def marked(**other: Any) -> Any:
    """A mark that says something else, as another program might have written it."""

    def change(folder: Path) -> None:
        mark = json.loads((folder / kept.MARK).read_text("utf-8"))
        del mark["mark"]
        mark |= other
        mark["mark"] = kept._digest_of(mark)
        (folder / kept.MARK).write_text(json.dumps(mark), "utf-8")

    return change


def flipped(name: str, place: float) -> Any:
    """One bit of a file turned over."""

    def change(folder: Path) -> None:
        content = bytearray((folder / name).read_bytes())
        content[int(len(content) * place)] ^= 1
        (folder / name).write_bytes(content)

    return change


DAMAGE = {
    "cut short": cut_short,
    "rows of another segment": other_rows,
    "a bit of a number": flipped("w_raw_fact.parquet", 0.3),
    "a bit of another": flipped("w_raw_fact.parquet", 0.6),
    "no file": lambda folder: (folder / "w_raw_fact.parquet").unlink(),
    "no mark": lambda folder: (folder / kept.MARK).unlink(),
    "a mark that is none": lambda folder: (folder / kept.MARK).write_text("[]"),
    "a mark cut short": lambda folder: (folder / kept.MARK).write_text('{"format": 1'),
    **{f"a bit of the mark at {p}": flipped(kept.MARK, p) for p in (0.1, 0.3, 0.5, 0.7, 0.95)},
    "another ledger": marked(ledger="ledger:0123"),
    "another way of decoding": marked(decoding="0" * 64),
    "another format": marked(format=0),
    "no blocks": marked(blocks=[]),
    "blocks of elsewhere": marked(blocks=[[0, 1, "0" * 64]]),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_damaged_foreign_or_old(model, damage):
    """What is kept and is not whole, or another's, is set aside, and its facts are decoded."""
    model.rebuild()
    expected = model.figures().content_digest()
    found = sorted((model.folder / "facts").iterdir())
    damage(found[len(damage.__name__) % len(found)])

    with decoded() as noted:
        rebuilt = model.rebuild()

    assert rebuilt.differences == ()
    assert noted != []
    assert model.figures().content_digest() == expected
    with decoded() as noted:
        model.rebuild()
    assert noted == []
    assert model.figures().content_digest() == expected


def test_a_changed_fact_is_noticed(model):
    """A stored fact changed behind the API, into one that could be: the figures are of it."""
    model.rebuild()
    position = a_proposal(model.ledger)
    people = {
        member
        for item in model.ledger.facts()
        if item.fact.kind.name == "member.joined"
        for member in [item.fact.data.person]
    }
    share = model.ledger.at(position).fact.data.authors[0]
    other = (people - {each.person for each in model.ledger.at(position).fact.data.authors}).pop()
    tamper(model.ledger, position, f'"person":"{share.person}"', f'"person":"{other}"')

    before = model.figures().content_digest()
    text_before = sorted((model.folder / "facts").iterdir())
    assert fresh(model, kept=model.kept()) == fresh(model) != before  # without writing
    assert sorted((model.folder / "facts").iterdir()) == text_before
    model.rebuild()
    assert model.figures().content_digest() == fresh(model)
    with decoded() as noted:
        model.rebuild()
    assert noted == []


def test_a_changed_fact_before_new_ones(model):
    """What is kept of changed facts is not kept any longer with that of new ones."""
    model.rebuild()
    first, last = segments(model)[-1]
    position = next(
        item.position
        for item in model.ledger.facts(first - 1)
        if item.fact.kind.name == "proposal.submitted"
    )
    fact = model.ledger.at(position).fact.data
    assert 20 < last - first < 49
    with model.ledger.writer() as writer:
        for number in range(last - first + 1):
            authors = equal_shares([serving(model)])
            data = ProposalSubmitted(f"late-{number}", "늦은 제안", "paper", authors)
            writer.add(Command(data, model.ledger.today(), "o"))
    other = {"P1", "P2", "P3", "P4", "P5", "P6"} - {each.person for each in fact.authors}
    old = fact.authors[0].person
    tamper(model.ledger, position, f'"person":"{old}"', f'"person":"{min(other)}"')

    model.rebuild()

    assert model.figures().content_digest() == fresh(model)
    with decoded() as noted:
        model.rebuild()
    assert noted == []
    assert model.figures().content_digest() == fresh(model)


def test_a_folder_of_any_name(lived, tmp_path):
    """Characters that mean something to programs mean nothing in the name of a folder."""
    name = "it's [2005] * 원장?"
    shutil.copytree(lived, tmp_path / name)
    with (
        small_segments(),
        Ledger.open(tmp_path / name / "agency.sqlite") as ledger,
        ReadModel(ledger) as model,
    ):
        model.rebuild()
        digest = model.figures().content_digest()
        with decoded() as noted:
            model.rebuild()
        assert noted == []
        assert model.figures().content_digest() == digest


def test_a_poisoned_fact_stops_the_build(model):
    """A stored fact damaged behind the API stops the build also where its columns are kept."""
    model.rebuild()
    before = model.figures().content_digest()
    position = a_proposal(model.ledger)
    tamper(model.ledger, position, '"share":', '"share":1')

    for _ in range(2):
        with pytest.raises(CorruptFact, match="restore the ledger") as caught:
            model.rebuild()
        assert caught.value.position == position
        assert model.figures().content_digest() == before
    assert [path.name for path in model.folder.iterdir() if "part" in path.name] == []

    tamper(model.ledger, position, '"share":1', '"share":')
    model.rebuild()
    assert model.figures().content_digest() == before


def test_a_removed_and_a_slipped_in_fact(model):
    """Facts taken away or put in behind the API are noticed among those kept."""
    model.rebuild()
    position = next(
        item.position
        for item in model.ledger.facts(100)
        if item.fact.kind.name == "learning_club.session_held"
    )
    connection = sqlite3.connect(model.ledger.path)
    triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    for (name,) in triggers.fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    row = connection.execute("SELECT * FROM stored_events WHERE position = ?", (position,))
    row = row.fetchone()
    connection.execute("DELETE FROM stored_events WHERE position = ?", (position,))
    connection.commit()
    without = fresh(model)
    model.rebuild()
    assert model.figures().content_digest() == without
    connection.execute("INSERT INTO stored_events VALUES (?, ?, ?, ?, ?)", row)
    connection.commit()
    connection.close()
    model.rebuild()
    assert model.figures().content_digest() == fresh(model) != without


def test_two_at_once(model):
    """Rebuilds at the same time each give the whole, whatever one takes away from the other."""
    expected = fresh(model)
    wrong: list[BaseException] = []

    def rebuild(each: ReadModel) -> None:
        try:
            each.rebuild()
        except BaseException as error:  # noqa: BLE001 - told by the test's own thread
            wrong.append(error)

    for _ in range(3):
        with ReadModel(model.ledger) as other:
            threads = [threading.Thread(target=rebuild, args=[each]) for each in (model, other)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert wrong == []
        assert model.figures().content_digest() == expected
        damage = sorted((model.folder / "facts").iterdir())[1]
        (damage / "w_raw_fact.parquet").write_bytes(b"")
    assert [p.name for p in model.folder.rglob("*") if ".part" in p.name] == []


def test_a_folder_that_cannot_be_written(model):
    """Where nothing can be kept, the figures are built all the same."""
    (model.folder).mkdir()
    (model.folder / "facts").write_text("in the way")

    model.rebuild()
    model.rebuild()

    assert model.figures().content_digest() == fresh(model)


def test_small_ledgers_keep_nothing(lived, tmp_path):
    """A few facts are decoded sooner than they are kept."""
    shutil.copytree(lived, tmp_path / "copy")
    with Ledger.open(tmp_path / "copy" / "agency.sqlite") as ledger, ReadModel(ledger) as model:
        model.rebuild()
        assert not (model.folder / "facts").exists()


@settings(max_examples=8)
@given(steps(20, 40), rulebooks(), rulebooks(), st.integers(3, 15))
def test_histories_in_any_stretches(history, text, other, every):
    """Rebuilt now and then over a random history, the figures are those from scratch."""
    with (
        pytest.MonkeyPatch.context() as patch,
        tempfile.TemporaryDirectory(prefix="mileage-test-") as folder,
        Play(Path(folder) / "agency.sqlite") as play,
        ReadModel(play.ledger) as model,
    ):
        for module in (decode, kept):
            for name, value in {"CHUNK_ROWS": 10, "SEGMENT_ROWS": 20, "KEEP_FACTS_MIN": 3}.items():
                patch.setattr(module, name, value, raising=False)
        play.adopt_rulebook(text, reach_days=300)
        for number, step in enumerate(history):
            play.step(step)
            if number == len(history) // 2:
                play.adopt_rulebook(other, reach_days=100)
            if number % every == 0:
                model.rebuild()
        model.rebuild()
        assert model.figures().content_digest() == fresh(model)
        assert segments(model)[0][0] == 1
        as_of = play.today - timedelta(days=60)
        assert fresh(model, Slice(as_of=as_of), model.kept()) == fresh(model, Slice(as_of=as_of))


REBUILD = """
import sys
from mileage.ledger import Ledger
from mileage.projections import ReadModel, decode, kept
import duckdb, pyarrow, adbc_driver_sqlite.dbapi, sqlite_utils
for module in (decode, kept):
    module.CHUNK_ROWS, module.SEGMENT_ROWS, module.KEEP_FACTS_MIN = 100, 100, 10
with Ledger.open(sys.argv[1]) as ledger, ReadModel(ledger) as model:
    print("ready", flush=True)
    model.rebuild()
    print("done", flush=True)
"""


def test_killed_and_gone_on(model):
    """Killed at random 24 times, each goes on from what the last kept, and nothing differs."""
    expected = fresh(model)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kept, "KEEP_FACTS_MIN", 10**9)
        model.rebuild()
    random, whole, continued, unfinished = Random(7), 0.4, 0, 0  # noqa: S311
    for _ in range(24):
        shown = segments(model)
        if shown and shown[-1][1] == model.ledger.position:
            shutil.rmtree(model.folder / "facts")
            shown = []
        continued += bool(shown)
        process = subprocess.Popen(
            [sys.executable, "-c", REBUILD, str(model.ledger.path)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout.readline() == "ready\n"
        begun = time.monotonic()
        time.sleep(random.uniform(0, whole))
        process.send_signal(signal.SIGKILL)
        if process.stdout.readline() != "done\n":
            unfinished += 1
            whole *= 1.1
        else:
            whole = (time.monotonic() - begun) * 0.9
        process.wait()
        process.stdout.close()
        assert model.figures().content_digest() == expected

    assert unfinished > 12
    assert continued > 0
    model.rebuild()
    assert model.figures().content_digest() == expected
    assert [p.name for p in model.folder.rglob("*") if ".part" in p.name] == []
    assert segments(model)[-1][1] == model.ledger.position
