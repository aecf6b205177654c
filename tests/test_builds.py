"""Builds kept side by side: listed, shown, put back, and rebuilt while recording goes on."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sqlite3
import sys
import threading
import time
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from cli_cases import RULEBOOK, answer, make_agency, ok, run
from mileage.cli import output
from mileage.ledger import Command, Ledger, equal_shares
from mileage.ledger import ProposalSubmitted as Submitted
from mileage.projections import (
    NoReadModel,
    NoSuchBuild,
    Outbox,
    ReadModel,
    readmodel,
)
from story import Office

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RAISED = RULEBOOK.replace("points = 2.5", "points = 3")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """An office with two builds: the second under a rulebook that gives 3 instead of 2.5 points."""
    opened = Office(tmp_path)
    opened.adopt(RULEBOOK, "2005-01-01")
    opened.proposes("2005-02-01", "one", "A")
    opened.now = datetime(2005, 3, 1, 3, 0, tzinfo=UTC)
    opened.model.rebuild()
    opened.adopt(RAISED, "2005-03-02", since="2005-01-01", reason="소급")
    yield opened
    opened.close()


def numbers(model: ReadModel) -> list[tuple[int, bool]]:
    return [(each.number, each.in_service) for each in model.builds()]


def points(model: ReadModel) -> int:
    return model.figures().balance("A").points


# -- listed --------------------------------------------------------------------------------------


def test_what_a_build_says_of_itself(office):
    """Number, time, position, rulebooks, size, digest, and what it replaced."""
    first, second = office.model.builds()

    assert (first.number, second.number) == (2, 3)
    assert (first.in_service, second.in_service) == (False, True)
    assert (first.made_at, second.made_at) == (
        datetime(2005, 3, 1, 3, 0, tzinfo=UTC),
        datetime(2005, 3, 2, 3, 0, tzinfo=UTC),
    )
    assert (first.replaced, second.replaced) == (1, 2)
    assert second.position == office.ledger.position
    assert [len(each.rulebooks) for each in (first, second)] == [1, 1]
    assert [each.rulebooks[0][0] for each in (first, second)] == ["test", "test"]
    assert second.rulebooks[0][1] == office.ledger.position
    assert second.size == second.path.stat().st_size
    assert second.digest() == office.model.figures().content_digest() != first.digest()


def test_the_digest_is_of_the_figures_alone(office):
    """Made again from the same facts, the digest is the same; with another fact it is not."""
    digest = office.model.build(3).digest()
    office.now = datetime(2005, 3, 4, 3, 0, tzinfo=UTC)
    office.model.rebuild()
    assert office.model.build(4).digest() == digest
    office.proposes("2005-03-05", "two", "B")
    office.model.catch_up()
    assert office.model.build(4).digest() != digest


def test_no_builds(tmp_path):
    """Where nothing was built there is nothing to list."""
    office = Office(tmp_path)
    assert office.model.builds() == []
    with pytest.raises(NoSuchBuild, match=r"no build 1 \(there are: none\)"):
        office.model.use(1)
    office.close()


def test_what_cannot_be_used_is_listed_as_such(office):
    """A damaged build is listed, refused, and the one in service stays."""
    path = office.model.build(2).path
    path.write_bytes(b"nonsense" * 1000)

    damaged, serving = office.model.builds()

    assert (damaged.usable, damaged.size, damaged.position) == (False, 8000, 0)
    assert (serving.usable, serving.in_service) == (True, True)
    with pytest.raises(NoReadModel, match="no read model"):
        office.model.use(2)
    assert points(office.model) == 30_000


def test_anothers_build_is_refused(office, tmp_path):
    """A build of another ledger, put among ours, does not come into service."""
    (tmp_path / "other").mkdir()
    other = Office(tmp_path / "other")
    other.model.rebuild()
    shutil.copy(other.model.figures().path, office.model.build(2).path)
    other.close()

    with pytest.raises(NoReadModel, match="another ledger"):
        office.model.use(2)
    assert numbers(office.model) == [(2, False), (3, True)]


# -- what a build changed ------------------------------------------------------------------------


def test_changes_stay_with_the_build(office):
    """What a rebuild changed can be read afterwards, whatever is recorded then."""
    office.proposes("2005-03-05", "two", A=50, B=50)
    office.adopt(RAISED.replace("points = 3,", "points = 1,"), "2005-03-06", since="2005-01-01",
          reason="소급")  # fmt: skip
    office.proposes("2005-03-07", "three", "C")
    office.model.catch_up()

    [change, *others] = office.model.build(4).changes()

    assert (change.person, change.before, change.after) == ("A", 30_000, 15_000)
    assert [(r.rule, r.before, r.after) for r in change.reasons] == [("submitted", 30_000, 15_000)]
    assert [(c.person, c.before, c.after) for c in others] == [("B", 0, 5_000)]
    again = office.model.rebuild()
    assert office.model.build(again.number).changes() == again.differences == ()


def test_a_build_of_an_earlier_version(office):
    """A build that does not say what it changed is not taken for one that changed nothing."""
    path = office.model.build(2).path
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE changes")
    connection.execute("DELETE FROM meta WHERE key IN ('made_at', 'replaced')")
    connection.commit()
    connection.close()

    build = office.model.build(2)

    assert (build.usable, build.made_at, build.replaced) == (True, None, 0)
    with pytest.raises(NoReadModel, match="earlier version"):
        build.changes()
    office.model.use(2)
    assert points(office.model) == 25_000


# -- put back ------------------------------------------------------------------------------------


def test_put_back(office):
    """The build before answers again, at once, also to others who have it open."""
    with ReadModel(office.ledger) as other:
        assert points(other) == 30_000
        build = office.model.use(2)
        assert (build.number, build.in_service) == (2, True)
        assert points(office.model) == points(other) == 25_000
    assert numbers(office.model) == [(2, True), (3, False)]


def test_catching_up_under_the_rulebooks_of_the_build(office):
    """A build put back takes in new facts by its own rulebooks; the later one waits."""
    office.proposes("2005-03-05", "two", "B")
    office.model.catch_up()
    office.model.use(2)
    assert office.model.figures().position == office.ledger.position
    assert office.model.figures().balance("B").points == 25_000

    office.proposes("2005-03-06", "three", "C")
    done = office.model.catch_up()

    assert (done.facts, done.pending_rulebook) == (1, office.model.build(3).rulebooks[0][1])
    assert office.model.figures().balance("C").points == 25_000
    office.model.rebuild()
    assert [office.model.figures().balance(p).points for p in "ABC"] == [30_000] * 3
    assert office.model.figures().meta()["pending_rulebook"] == "0"


def test_far_behind(office, monkeypatch):
    """Put back far behind, it is built anew, under its own rulebooks still."""
    monkeypatch.setattr(readmodel, "CATCH_UP_FACTS_MAX", 3)
    for number in range(5):
        office.proposes("2005-03-05", f"b{number}", "B")
    build = office.model.use(2)

    assert (build.number, build.in_service) == (4, True)
    assert points(office.model) == 25_000
    assert build.pending_rulebook == office.model.build(3).rulebooks[0][1]


def test_a_ledger_restored_from_a_copy(office, tmp_path):
    """A build of facts that the ledger no longer has is not caught up but replaced."""
    for suffix in ("", "-wal"):
        source = office.ledger.path.with_name(office.ledger.path.name + suffix)
        shutil.copy(source, tmp_path / f"copy{suffix}")
    office.proposes("2005-03-05", "two", "B")
    office.model.rebuild()
    office.model.use(3)
    office.close()
    for suffix in ("", "-wal"):
        shutil.copy(tmp_path / f"copy{suffix}", tmp_path / f"office.sqlite{suffix}")
    (tmp_path / "office.sqlite-shm").unlink(missing_ok=True)
    with (
        Ledger.open(tmp_path / "office.sqlite", clock=office.ledger.clock) as ledger,
        ReadModel(ledger) as model,
    ):
        build = model.use(4)
        assert build.number == 5
        assert model.figures().position == ledger.position
        assert model.figures().balance("B").points == 0


def test_old_builds_spare_the_one_in_service(office):
    """Clearing leaves the one in service, the one it replaced, and the latest."""
    office.model.use(2)
    office.model.rebuild(dry_run=True)
    assert numbers(office.model) == [(2, True), (3, False)]
    office.model.rebuild()
    assert numbers(office.model) == [(2, False), (3, False), (4, True)]
    office.model.use(2)
    office.model.rebuild()
    assert numbers(office.model) == [(2, False), (4, False), (5, True)]
    office.model.rebuild()
    assert numbers(office.model) == [(5, False), (6, True)]


def test_hr_is_told_nothing_by_it(office):
    """Putting a build back sends nothing; the next batch has what differs."""
    outbox = Outbox(office.ledger)
    office.now = datetime(2005, 3, 31, 3, 0, tzinfo=UTC)
    folder, day = office.ledger.path.parent / "hr", date(2005, 3, 31)
    outbox.cut(office.model.figures(), folder, as_of=day)
    sent = sorted(folder.iterdir())
    office.model.use(2)
    assert sorted(folder.iterdir()) == sent
    assert len(outbox.batches()) == 1

    batch = outbox.cut(office.model.figures(), folder, as_of=day)

    assert [(line.key.person, line.delta) for line in batch.lines if line.delta] == [("A", -5_000)]


# -- recording goes on ---------------------------------------------------------------------------


def submission(name: str, person: str = "B") -> Command:
    return Command(Submitted(name, "제안", "paper", equal_shares([person])), date(2005, 3, 2), "o")


def during(monkeypatch: pytest.MonkeyPatch, work: Any, times: int = 1) -> None:
    """Have something done when a build has been made and not been compared yet."""
    plain, left = readmodel.build_read_model, [times]

    def build(*args: Any, **options: Any) -> None:
        plain(*args, **options)
        if left[0]:
            left[0] -= 1
            work()

    monkeypatch.setattr(readmodel, "build_read_model", build)


def test_facts_recorded_meanwhile_are_in_it(office, monkeypatch):
    """What is recorded while a build is made is in it, and in what it says it changes."""
    during(monkeypatch, lambda: office.ledger.record_all([submission("late")]))

    rebuilt = office.model.rebuild()

    assert rebuilt.position == office.ledger.position
    assert [(d.person, d.after) for d in rebuilt.differences] == [("B", 30_000)]
    assert office.model.figures().position == office.ledger.position
    digest = office.model.figures().content_digest()
    office.model.rebuild()
    assert office.model.figures().content_digest() == digest


def test_facts_recorded_to_the_last_moment(office, monkeypatch):
    """What is recorded while the differences are worked out is in it too."""
    plain = readmodel.people_changed

    def changed(*args: Any) -> Any:
        office.ledger.record_all([submission("last")])
        return plain(*args)

    monkeypatch.setattr(readmodel, "people_changed", changed)
    office.model.rebuild()
    assert office.model.figures().position == office.ledger.position
    assert office.model.figures().balance("B").points == 30_000


def test_many_facts_recorded_meanwhile(office, monkeypatch):
    """Too many facts to catch up with are taken in by building again, but not for ever."""
    monkeypatch.setattr(readmodel, "CATCH_UP_FACTS_MAX", 3)
    made = []

    def import_some() -> None:
        made.append(len(made))
        office.ledger.record_all(submission(f"m{len(made)}-{n}") for n in range(10))

    during(monkeypatch, import_some)
    rebuilt = office.model.rebuild()
    assert rebuilt.position == office.ledger.position

    during(monkeypatch, import_some, times=3)
    before = office.ledger.position
    rebuilt = office.model.rebuild()
    assert len(made) == 4
    assert before < rebuilt.position < office.ledger.position
    office.model.catch_up()
    assert office.model.figures().position == office.ledger.position


def test_an_adoption_meanwhile_waits(office, monkeypatch):
    """A rulebook adopted while a build is made is not in it, and waits."""
    lower = RAISED.replace("points = 3,", "points = 1,")
    during(
        monkeypatch,
        lambda: office.ledger.adopt_rulebook(
            lower, rulebook="test", on=date(2005, 3, 2), by="o", effective_from=date(2005, 1, 1),
            reason="소급",
        ),
    )  # fmt: skip
    office.model.rebuild()
    assert points(office.model) == 30_000
    assert office.model.figures().meta()["pending_rulebook"] == str(office.ledger.position)
    office.model.rebuild()
    assert points(office.model) == 10_000


def test_recording_all_the_while(office):
    """While others record without pause, every fact known at a swap is in the new figures."""
    stop, wrong, known = threading.Event(), [], []

    def record() -> None:
        number = 0
        try:
            while not stop.is_set():
                number += 1
                office.ledger.record_all([submission(f"w{number}")])
                time.sleep(0.005)
        except BaseException as error:  # noqa: BLE001 - told by the test's own thread
            wrong.append(error)

    plain = office.model._put_in_service

    def swap(path: Path) -> None:
        last = office.ledger.position
        plain(path)
        known.append((last, office.model.figures().position))

    office.model._put_in_service = swap
    writer = threading.Thread(target=record)
    writer.start()
    try:
        for _ in range(5):
            office.model.rebuild()
    finally:
        stop.set()
        writer.join()

    assert wrong == []
    assert len(known) == 5
    assert all(at >= last for last, at in known)
    assert known[-1][0] > known[0][0] + 5
    office.model.catch_up()
    digest = office.model.figures().content_digest()
    office.model.rebuild()
    assert office.model.figures().content_digest() == digest


def test_a_long_import_does_not_hold_it_up(office, monkeypatch):
    """A transaction under way keeps no build from coming into service, nor is it disturbed."""
    monkeypatch.setattr(readmodel, "SWAP_LOCK_SECONDS", 0.05)
    with office.ledger.writer() as writer:
        writer.add(submission("import-1"))
        rebuilt = office.model.rebuild()
        assert rebuilt.published
        writer.add(submission("import-2"))
    assert office.model.catch_up().facts == 2
    assert office.model.figures().balance("B").points == 40_000  # the cap of a month


def test_a_read_only_ledger(office):
    """Who may only read the ledger can list and show builds, and cannot disturb it."""
    with Ledger.open(office.ledger.path, read_only=True) as ledger, ReadModel(ledger) as model:
        assert numbers(model) == [(2, False), (3, True)]
        assert model.build(3).changes()[0].person == "A"


# -- the command line ----------------------------------------------------------------------------


@pytest.fixture
def agency(tmp_path, monkeypatch) -> Path:
    """A small agency, with a build under its rulebook and one under another."""
    monkeypatch.setenv("MILEAGE_LANG", "en")
    monkeypatch.setenv("MILEAGE_BY", "officer-7")
    monkeypatch.setenv("MILEAGE_LEDGER", "agency.sqlite")
    make_agency(tmp_path)
    monkeypatch.chdir(tmp_path)
    ok("rebuild")
    raised = RAISED.replace("points = 4,", "points = 40,")
    (tmp_path / "raised.toml").write_text(raised, encoding="utf-8")
    ok("rules", "adopt", "raised.toml", "--on", "2005-06-01", "--effective-from", "2005-01-01",
       "--reason", "소급")  # fmt: skip
    ok("rebuild")
    return tmp_path


@pytest.mark.usefixtures("agency")
def test_builds_in_every_form():
    """The list as a table, as JSON and as CSV; `builds` alone is `builds list`."""
    listed = answer("builds", "list")["builds"]
    assert listed == json.loads(ok("builds", "--json").stdout)["builds"]
    assert [each["in_service"] for each in listed] == [False, True]
    assert [each["rulebooks"][0]["rulebook"] for each in listed] == ["test", "test"]
    assert len(listed[0]["content_sha256"]) == 64
    assert listed[1]["replaced"] == listed[0]["build"]
    rows = list(csv.DictReader(io.StringIO(ok("builds", "--csv").stdout)))
    assert [row["state"] for row in rows] == ["kept", "in_service"]
    assert [row["content_sha256"] for row in rows] == [each["content_sha256"] for each in listed]
    table = ok("builds").stdout
    assert table == ok("builds", "list").stdout
    assert "in service" in table
    assert "사용 중" in ok("--lang", "ko", "builds").stdout


@pytest.mark.usefixtures("agency")
def test_show_in_every_form():
    """Who gained and lost with a build, in every form, after the fact."""
    shown = answer("builds", "show", "3")
    assert (shown["build"], shown["replaced"], shown["in_service"]) == (3, 2, True)
    assert (shown["people"], shown["gain"], shown["lose"]) == (2, 2, 0)
    [one, other] = shown["differences"]
    assert {one["person"], other["person"]} == {"P1", "P2"}
    assert one["reasons"][0]["rule"] == "submitted"
    assert len(answer("builds", "show", "3", "--limit", "1")["differences"]) == 1
    rows = list(csv.DictReader(io.StringIO(ok("builds", "show", "3", "--csv").stdout)))
    assert [row["person"] for row in rows] == [one["person"], other["person"]]
    told = ok("builds", "show", "3")
    assert "Build 3 (in service)" in told.stdout
    assert "against build 2: 2 gain, 0 lose" in told.stderr


@pytest.mark.usefixtures("agency")
def test_use():
    """Back to the build before: figures, the warning that a rulebook waits, and forth again."""
    raised = answer("balance", "P1")
    used = run("builds", "use", "2")
    assert used.exit_code == 0
    assert "build 2 is in service" in used.stderr
    assert "is not in the figures until `mileage rebuild`" in used.stderr
    assert answer("balance", "P1") != raised
    assert answer("builds", "use", "3")["in_service"] is True
    assert answer("balance", "P1") == raised


@pytest.mark.usefixtures("agency")
@pytest.mark.parametrize("word", ["show", "use"])
def test_no_such_build(word):
    """A build that is not there is refused with those that are; a number that is none is usage."""
    refused = run("builds", word, "9")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == "error: there is no build 9 (there are: 2, 3)\n"
    assert run("builds", word, "nine").exit_code == 2
    assert run("builds", word).exit_code == 2


def test_a_damaged_build_is_no_traceback(agency):
    """A damaged build is listed as such; showing or using it is refused in one line."""
    path = next((agency / "agency.read").glob("build-000002.sqlite"))
    path.write_bytes(b"nonsense" * 1000)
    assert "cannot be used" in ok("builds").stdout
    for word in ("show", "use"):
        refused = run("builds", word, "2")
        assert refused.exit_code == 1
        assert refused.stderr.startswith("error: build-000002.sqlite: no read model")


@pytest.mark.usefixtures("agency")
def test_from_facts():
    """Every fact read again gives the same figures, and is published."""
    digest = answer("builds")["builds"][-1]["content_sha256"]
    assert answer("rebuild", "--from-facts")["build"] == 4
    assert answer("builds")["builds"][-1]["content_sha256"] == digest


def test_a_poisoned_fact_on_the_command_line(agency):
    """A damaged fact ends a rebuild with 1, its position and what to do."""
    connection = sqlite3.connect(agency / "agency.sqlite")
    for (name,) in connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    ).fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute(
        "UPDATE stored_events SET state = CAST(replace(CAST(state AS TEXT), '\"share\":600000',"
        " '\"share\":600001') AS BLOB)"
    )
    connection.commit()
    [(position,)] = connection.execute(
        "SELECT min(position) FROM stored_events WHERE instr(CAST(state AS TEXT), '600001')"
    )
    connection.close()

    refused = run("rebuild")

    assert refused.exit_code == 1
    assert refused.stderr.startswith(f"error: fact #{position}: ")
    assert "restore the ledger from a copy" in refused.stderr
    assert answer("builds")["builds"][-1]["in_service"] is True


def test_the_bar_estimates_stage_by_stage(monkeypatch):
    """On a terminal the bar shows the time gone by and what is left of the stage at hand."""
    shown = io.StringIO()
    shown.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("NO_COLOR", raising=False)
    now = [0.0]
    monkeypatch.setattr("rich.progress.Progress.get_time", lambda _: now[0], raising=False)
    with output.progress("reading") as bar:
        for done in range(1, 6):
            now[0] += 2
            bar(done, 10, "reading")
        bar(1, 4, "scoring")
    text = shown.getvalue()
    assert "reading" in text
    assert "scoring" in text
    assert "/ " in text
