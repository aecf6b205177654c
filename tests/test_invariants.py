"""The invariants of the design, each by its number, over random histories.

``MILEAGE_TESTS=thorough`` plays twenty times as many.
"""

from __future__ import annotations

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
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from auditor import Audit, largest_remainders
from compared import audit_lines, balances, model_lines
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from mileage.ledger import (
    Command,
    KeyConflict,
    Ledger,
    ProposalSubmitted,
    Share,
    format_amount,
    to_units,
)
from mileage.ledger.kinds.closing import CLOSINGS
from mileage.projections import (
    MAIN_ACCOUNT,
    Figures,
    Period,
    ReadModel,
    RulebookError,
    decode,
    eligible,
    programmes,
)
from mileage.projections.build import build_read_model
from mileage.projections.days import day_number
from mileage.projections.decode import Slice
from mileage.projections.schema import TABLES
from strategies import PEOPLE, THOROUGH, Play, examples, rulebooks, steps

if TYPE_CHECKING:
    from collections.abc import Iterator

# What is adopted when: after how many steps, which text, how many days back (or ahead).
adoptions = st.lists(
    st.tuples(st.integers(0, 25), rulebooks(), st.sampled_from((0, 0, 150, 400, -30))),
    max_size=3,
)


@contextmanager
def played(history: list[Any], first: str, later: list[Any]) -> Iterator[tuple[Play, ReadModel]]:
    """A ledger with a history, and its read model kept up after each fact."""
    with (
        tempfile.TemporaryDirectory(prefix="mileage-test-") as folder,
        Play(Path(folder) / "agency.sqlite") as play,
        ReadModel(play.ledger) as model,
    ):
        play.adopt_rulebook(first, reach_days=300)
        model.rebuild()
        for index, step in enumerate(history):
            for at, text, reach in later:
                if at == index and play.adopt_rulebook(text, reach_days=reach):
                    model.rebuild()
            if play.step(step):
                model.catch_up()
        yield play, model


@contextmanager
def built(ledger: Ledger, part: Slice | None = None) -> Iterator[Figures]:
    """The figures of a slice of a ledger, built whole."""
    with tempfile.TemporaryDirectory(prefix="mileage-test-") as folder:
        path = Path(folder) / "figures.sqlite"
        build_read_model(ledger, path, part)
        figures = Figures(path)
        try:
            yield figures
        finally:
            figures.close()


# -- 1: nothing lost, nothing invented ---------------------------------------------------------


@examples(5)
@given(steps(), rulebooks())
def test_1_sent_twice_counts_once(history, text):
    """1: What is sent again changes no figure, and the same key for something else is refused."""
    with played(history, text, []) as (play, model):
        before = model.figures().content_digest(), play.ledger.position
        for item in play.recorded:
            fact = item.fact
            again = play.ledger.record(
                fact.data, on=fact.occurred_on, by="somebody else", key=fact.key
            )
            assert (again.position, again.new) == (item.position, False)
            with pytest.raises(KeyConflict):
                play.ledger.record(
                    fact.data, on=fact.occurred_on - timedelta(days=1), by="o", key=fact.key
                )
        model.catch_up()

        assert (model.figures().content_digest(), play.ledger.position) == before


# -- 2 and 3: pure, and incremental equals rebuilt ---------------------------------------------


@examples(12)
@given(steps(10, 45), rulebooks(), adoptions, st.sampled_from((1, 7, 50)))
def test_2_pure(history, text, later, chunk):
    """2: Chunk size, file, and the engine that did the work leave no trace in the figures."""
    with played(history, text, later) as (play, model):
        digests = {model.figures().content_digest()}
        with built(play.ledger) as figures:
            digests.add(figures.content_digest())
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(decode, "CHUNK_ROWS", chunk)
            with built(play.ledger) as figures:
                digests.add(figures.content_digest())
        with _copied(play.ledger) as copy, built(copy) as figures:
            digests.add(figures.content_digest())

        assert len(digests) == 1


@examples(3)
@given(steps(10, 45), rulebooks(), st.integers(1, 5))
def test_2_pure_in_threads(history, text, threads):
    """2: However many threads the engine has, the figures are the same."""
    import duckdb  # noqa: PLC0415 - only this test looks behind the engine

    connect = duckdb.connect

    def with_threads(config: dict[str, Any]) -> Any:
        return connect(config={**config, "threads": threads})

    with (
        played(history, text, []) as (play, model),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(duckdb, "connect", with_threads)
        with built(play.ledger) as figures:
            assert figures.content_digest() == model.figures().content_digest()


@contextmanager
def _copied(ledger: Ledger) -> Iterator[Ledger]:
    with tempfile.TemporaryDirectory(prefix="mileage-test-") as folder:
        path = Path(folder) / "copy.sqlite"
        source, target = sqlite3.connect(ledger.path), sqlite3.connect(path)
        source.backup(target)
        source.close()
        target.close()
        with Ledger.open(path, clock=ledger.clock) as copy:
            yield copy


@examples(12)
@given(steps(10, 45), rulebooks(), st.data())
def test_3_incremental_equals_rebuilt(history, text, data):
    """3: Caught up fact by fact, the figures are at any time those of a rebuild."""
    with (
        tempfile.TemporaryDirectory(prefix="mileage-test-") as folder,
        Play(Path(folder) / "agency.sqlite") as play,
        ReadModel(play.ledger) as model,
    ):
        play.adopt_rulebook(text, reach_days=300)
        model.rebuild()
        digests = {play.ledger.position: model.figures().content_digest()}
        for step in history:
            if play.step(step):
                model.catch_up()
                digests[play.ledger.position] = model.figures().content_digest()
        looked_at = data.draw(st.sets(st.sampled_from(sorted(digests)), max_size=3))
        for position in (*looked_at, play.ledger.position):
            with built(play.ledger, Slice(upto=position)) as figures:
                assert figures.content_digest() == digests[position], position


@examples(6)
@given(steps(10, 45), rulebooks(), st.integers(1, 9))
def test_3_in_batches_of_any_size(history, text, size):
    """3: Taken in a few at a time, facts give what they give one by one."""
    with (
        tempfile.TemporaryDirectory(prefix="mileage-test-") as folder,
        Play(Path(folder) / "agency.sqlite") as play,
        ReadModel(play.ledger) as model,
    ):
        play.adopt_rulebook(text, reach_days=300)
        model.rebuild()
        for step in history:
            if play.step(step) and len(play.recorded) % size == 0:
                assert model.catch_up().facts == size
        model.catch_up()

        with built(play.ledger) as figures:
            assert figures.content_digest() == model.figures().content_digest()


# -- 4: every point has a reason ---------------------------------------------------------------


@examples(25)
@given(steps(10, 45), rulebooks(), adoptions)
def test_4_every_point_has_a_reason(history, text, later):
    """4: Line by line the model says what the auditor says, and the lines add up to the balance."""
    with played(history, text, later) as (play, model):
        figures, audit = model.figures(), Audit(play.ledger)

        assert model_lines(figures) == audit_lines(audit)
        assert balances(figures) == audit.balances()
        for person in PEOPLE:
            lines = figures.statement(person, account=None)
            for account in figures.accounts():
                points = [line.points for line in lines if line.account == account.account]
                assert figures.balance(person, account=account.account).points == sum(points)
            for line in lines:
                assert line.points == line.gross - sum(cut.points for cut in line.cuts)
                assert 0 <= line.points <= line.gross <= line.whole
                assert all(cut.points >= 0 for cut in line.cuts)
                assert bool(line.rule) == bool(line.clause) == bool(line.adoption)
                if line.rule:
                    whole = line.rate
                    if line.per_hour:
                        whole = (line.rate * line.hours + 5_000) // 10_000
                    assert line.whole == whole
                    assert line.valid_from <= line.occurred_on
                else:
                    assert line.whole == 0
        done = {(line.person, line.position) for line in audit.lines}
        rewarded = {(line.person, line.position) for line in audit.lines if line.rule}
        assert sum(count for _, count in figures.unrewarded()) == len(done - rewarded)


@examples(20)
@given(steps(30, 60, dense=True), rulebooks(dense=True))
def test_4_where_much_is_cut(history, text):
    """4: Also where caps, corrections and rounding meet all the time, auditor and model agree."""
    with played([], text, []) as (play, model):
        play.run(history)
        model.catch_up()
        audit = Audit(play.ledger)

        assert model_lines(model.figures()) == audit_lines(audit)
        assert balances(model.figures()) == audit.balances()


@examples(30)
@given(steps(20, 45, dense=True), rulebooks(dense=True))
def test_4_eligibility(history, text):
    """4: Who gets in, who does not and why is what the auditor says, ties and quota included."""
    with played([], text, []) as (play, model):
        play.run(history)
        model.catch_up()
        day, audit = play.today, Audit(play.ledger)
        assert programmes(model.figures(), day) == (["training"] if audit.book_on(day) else [])
        assume(audit.book_on(day))

        selection = eligible(model.figures(), "training", day)

        found = {c.person: (c.outcome, c.grade) for c in selection.candidates}
        assert found == audit.eligible("training", day)


# -- 5: exact ----------------------------------------------------------------------------------


@st.composite
def odd_shares(draw: st.DrawFn) -> list[int]:
    """Two to five parts of 1,000,000, in any proportion."""
    cuts = draw(st.sets(st.integers(1, 999_999), min_size=1, max_size=4))
    edges = [0, *sorted(cuts), 1_000_000]
    return [after - before for before, after in pairwise(edges)]


@examples(10)
@given(st.lists(odd_shares(), min_size=1, max_size=30), st.integers(0, 1_000_000 * 10_000))
@example(shares=[[1, 999_999], [333_333, 333_333, 333_334], [500_000, 500_000]], points=1)
def test_5_shares_add_up(shares, points):
    """5: The parts of a split add up to the whole, the rest to the largest remainders."""
    text = (
        '[rulebook]\nid = "r"\ntitle = { ko = "가", en = "A" }\nsource = "고시"\n[[rule]]\n'
        'id = "s"\ntitle = { ko = "가", en = "A" }\nactivity = "proposal.submitted"\n'
        'split = "share"\nvalues = [ { from = 2004-01-01, clause = "1",'
        f" points = {format_amount(points)} }} ]\n"
    )
    with played([], text, []) as (play, model):
        for number, parts in enumerate(shares):
            authors = tuple(
                Share(person, to_decimal(part)) for person, part in zip(PEOPLE, parts, strict=False)
            )
            data = ProposalSubmitted(str(number), "제목", "paper", authors)
            play.ledger.record(data, on=play.today, by="o")
        model.catch_up()

        found: dict[int, list[int]] = {}
        for (_, position, *_), line in sorted(model_lines(model.figures()).items()):
            found.setdefault(position, []).append(line[10])
        assert [sum(parts) for parts in found.values()] == [points] * len(shares)
        ordered = [found[position] for position in sorted(found)]
        assert ordered == [largest_remainders(points, parts) for parts in shares]


def to_decimal(units: int) -> Decimal:
    amount = Decimal(format_amount(units))
    assert to_units(amount) == units
    return amount


@examples(4)
@given(steps(15, 45), rulebooks())
def test_5_no_float(history, text):
    """5: No table holds a binary float."""
    with played(history, text, []) as (play, model):
        assert model.catch_up().position == play.ledger.position
        figures = model.figures()
        for table in TABLES:
            for column in [row[1] for row in figures.query(f"PRAGMA table_info({table})")]:
                types = figures.query(f'SELECT DISTINCT typeof("{column}") FROM {table}')
                assert {row[0] for row in types} <= {"integer", "text", "null"}, (table, column)


# -- 6: two clocks -----------------------------------------------------------------------------


@examples(10)
@given(steps(15, 45), rulebooks(), adoptions, st.data())
def test_6_two_clocks(history, text, later, data):
    """6: As of a day, as known at an instant or both, figures are those of the facts by then."""
    with played(history, text, later) as (play, model):
        facts = [item.fact for item in play.ledger.facts()]
        days = st.sampled_from(sorted({fact.occurred_on for fact in facts}))
        instants = st.sampled_from(sorted({fact.recorded_at for fact in facts}))
        as_of = data.draw(st.none() | days)
        known_at = data.draw(st.none() | instants)
        try:
            with model.figures_at(as_of=as_of, known_at=known_at) as figures:
                audit = Audit(play.ledger, as_of=as_of, known_at=known_at)
                assert model_lines(figures) == audit_lines(audit)
                assert balances(figures) == audit.balances()
        except RulebookError:
            assume(False)


@examples(8)
@given(steps(15, 45), rulebooks(), st.data())
def test_6_what_was_answered_then(history, text, data):
    """6: Asked again as known at an earlier instant, the ledger answers what it answered then."""
    with (
        tempfile.TemporaryDirectory(prefix="mileage-test-") as folder,
        Play(Path(folder) / "agency.sqlite") as play,
        ReadModel(play.ledger) as model,
    ):
        play.adopt_rulebook(text, reach_days=300)
        model.rebuild()
        answers = []
        for step in history:
            if play.step(step):
                model.catch_up()
                answers.append((play.now, model.figures().content_digest()))
        assume(answers)
        for known_at, digest in data.draw(st.sets(st.sampled_from(answers), max_size=3)):
            with model.figures_at(known_at=known_at) as figures:
                assert figures.content_digest() == digest


# -- 7: the past under the old rule ------------------------------------------------------------


@examples(10)
@given(steps(15, 45), rulebooks(), rulebooks(), st.sampled_from((0, 30, 120, 250)))
def test_7_the_past_under_the_old_rule(history, text, new_text, reach):
    """7: A new version changes nothing dated before the day it says, and stands behind the rest."""
    with played(history, text, []) as (play, model):
        before = model_lines(model.figures())
        assume(play.adopt_rulebook(new_text, reach_days=reach))
        adoption = play.ledger.position
        since = play.today - timedelta(days=reach)
        model.rebuild()
        after = model_lines(model.figures())

        for key in before.keys() | after.keys():
            line, account = after.get(key) or before[key], key[2]
            day, adopted = line[1], line[6]
            if day < since:
                assert after[key] == before[key]
            elif key in after:
                assert adopted in (0, adoption)
            else:  # only in the main account is there a line without a rule
                assert account != MAIN_ACCOUNT


# -- 8: closed stays closed ----------------------------------------------------------------------


@examples(15)
@given(steps(15, 45, closing=True), rulebooks(), adoptions)
def test_8_closed_stays_closed(history, text, later):
    """8: What was published of a closed period never changes, and nothing is lost by closing."""
    with (
        tempfile.TemporaryDirectory(prefix="mileage-test-") as folder,
        Play(Path(folder) / "agency.sqlite") as play,
        ReadModel(play.ledger) as model,
    ):
        play.adopt_rulebook(text, reach_days=300)
        model.rebuild()
        published: dict[str, Any] = {}
        for index, step in enumerate(history):
            for at, other, reach in later:
                if at == index and play.adopt_rulebook(other, reach_days=reach):
                    model.rebuild()
            if not play.step(step):
                continue
            model.catch_up()
            state = play.ledger.state(CLOSINGS)
            closed = state.periods if state else ()
            published = {name: lines for name, lines in published.items() if name in closed}
            for name in closed:
                lines = published.setdefault(name, _of_period(model.figures(), name))
                assert _of_period(model.figures(), name) == lines
        figures, audit = model.figures(), Audit(play.ledger)

        assert model_lines(figures) == audit_lines(audit)
        assert balances(figures) == audit.balances()
        sums = {key: found[0] for key, found in Audit(play.ledger, closes=False).balances().items()}
        assert {key: found[0] for key, found in balances(figures).items() if found[0]} == {
            key: points for key, points in sums.items() if points
        }
        with built(play.ledger) as anew:
            assert anew.content_digest() == figures.content_digest()


def _of_period(figures: Figures, name: str) -> dict[Any, Any]:
    """What is posted in a period: by whom, for what, how many points and by which rule."""
    period = Period.parse(name)
    return {
        key: (line[0], line[3:])
        for key, line in model_lines(figures).items()
        if period.day_from <= day_number(key[3]) < period.day_until
    }


@examples(8)
@given(steps(15, 40, closing=True), rulebooks(), st.integers(0, 400))
def test_8_closed_as_of_a_day(history, text, ago):
    """8: As of any day, closings count as they are known, and the auditor says the same."""
    with played(history, text, []) as (play, _):
        day = play.today - timedelta(days=ago)
        with built(play.ledger, Slice(as_of=day)) as figures:
            audit = Audit(play.ledger, as_of=day)
            assert model_lines(figures) == audit_lines(audit)
            assert balances(figures) == audit.balances()
        known = play.ledger.clock() - timedelta(days=ago)
        with built(play.ledger, Slice(known_at=known)) as figures:
            assert model_lines(figures) == audit_lines(Audit(play.ledger, known_at=known))


# -- 10: readers never see half ----------------------------------------------------------------

REBUILD = """
import sys
from mileage.ledger import Ledger
from mileage.projections import ReadModel
with Ledger.open(sys.argv[1]) as ledger, ReadModel(ledger) as model:
    print("ready", flush=True)
    while True:
        model.rebuild()
        print("done", flush=True)
"""


@pytest.fixture(scope="module")
def busy_ledger(tmp_path_factory) -> Iterator[tuple[Path, str]]:
    """A ledger of some thousand facts, published, and the digest of its figures."""
    path = tmp_path_factory.mktemp("busy") / "agency.sqlite"
    text = (
        '[rulebook]\nid = "r"\ntitle = { ko = "가", en = "A" }\nsource = "고시"\n[[rule]]\n'
        'id = "s"\ntitle = { ko = "가", en = "A" }\nactivity = "proposal.submitted"\n'
        'split = "share"\nvalues = [ { from = 2004-01-01, clause = "1", points = 1.5 } ]\n'
        '[[cap]]\nid = "c"\ntitle = { ko = "가", en = "A" }\nrules = ["s"]\nperiod = "year"\n'
        'values = [ { from = 2004-01-01, clause = "2", points = 100 } ]\n'
    )
    with Play(path) as play:
        play.adopt_rulebook(text, reach_days=300)
        with play.ledger.writer() as writer:
            for number in range(3_000):
                authors = (Share(PEOPLE[number % 5], to_decimal(1_000_000)),)
                data = ProposalSubmitted(f"b{number}", "제목", "paper", authors)
                writer.add(Command(data, play.today, "o"))
        with ReadModel(play.ledger) as model:
            model.rebuild()
            digest = model.figures().content_digest()
    yield path, digest
    shutil.rmtree(path.parent)


def _start_rebuilding(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", REBUILD, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("share", range(1, 13 if THOROUGH else 7))
def test_10_killed_rebuild(busy_ledger, share):
    """10: A rebuild killed at any point leaves the figures in service, and the next one works."""
    path, digest = busy_ledger
    process = _start_rebuilding(path)
    begun = time.monotonic()
    process.stdout.readline()
    whole = time.monotonic() - begun
    time.sleep(whole * share / (13 if THOROUGH else 7))
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()

    with Ledger.open(path) as ledger, ReadModel(ledger) as model:
        assert model.figures().content_digest() == digest
        assert model.catch_up().facts == 0
        rebuilt = model.rebuild()
        assert rebuilt.published
        assert rebuilt.differences == ()
        assert model.figures().content_digest() == digest
        names = [file.name for file in path.parent.glob("**/*")]
        assert [name for name in names if ".part" in name or name.endswith(".link")] == []


def test_10_readers_during_swaps(busy_ledger):
    """10: Readers see consistent figures all the while rebuilds are swapped in."""
    path, digest = busy_ledger
    process = _start_rebuilding(path)
    seen: list[tuple[str, int, int]] = []
    files: set[Path] = set()
    wrong: list[BaseException] = []
    until = time.monotonic() + (30 if THOROUGH else 5)

    def read() -> None:
        try:
            with Ledger.open(path, read_only=True) as ledger, ReadModel(ledger) as model:
                while time.monotonic() < until:
                    figures = model.figures()
                    files.add(figures.path)
                    [(points,)] = figures.query("SELECT sum(points) FROM postings")
                    [(total,)] = figures.query("SELECT sum(points) FROM balances")
                    seen.append((figures.content_digest(), points, total))
        except BaseException as error:  # noqa: BLE001 - told by the test's own thread
            wrong.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    process.kill()
    process.wait()
    process.stdout.close()

    assert wrong == []
    assert len(files) > 1
    assert {found for found, _, _ in seen} == {digest}
    assert all(points == total for _, points, total in seen)


def test_the_histories_are_worth_something():
    """Histories that are drawn do happen: enough is accepted, and of every kind."""
    kinds: dict[str, int] = {}

    @settings(max_examples=12, database=None, deadline=None, derandomize=True)
    @given(steps(30, 45))
    def play_some(history: list[Any]) -> None:
        with tempfile.TemporaryDirectory() as folder, Play(Path(folder) / "a.sqlite") as play:
            for item in play.run(history).recorded:
                name = item.fact.kind.name
                kinds[name] = kinds.get(name, 0) + 1

    play_some()
    wanted = {"proposal.submitted", "proposal.adopted", "contest.awarded", "fact.voided"}
    assert wanted | {"learning_club.session_held", "member.transferred"} <= kinds.keys()
    assert sum(kinds.values()) > 100
