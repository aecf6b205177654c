"""The read model as a file: put into service, kept, refused, and opened by other programs."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from mileage.ledger import (
    Ledger,
    MemberJoined,
    MileageError,
    ProposalAdopted,
    ProposalSubmitted,
    shares,
)
from mileage.projections import (
    Difference,
    NoReadModel,
    ReadModel,
    UnknownPerson,
    difference,
)
from mileage.projections.figures import Figures
from mileage.projections.schema import TABLES
from sqlite_utils import Database

if TYPE_CHECKING:
    from collections.abc import Iterator

BOOK = """
[rulebook]
id = "agency"
title = { ko = "규칙집", en = "Rulebook" }
source = "고시"

[[rule]]
id = "submitted"
title = { ko = "제안 제출", en = "Submission" }
activity = "proposal.submitted"
split = "share"
values = [ { from = 2000-01-01, points = 1, clause = "제1조" } ]

[[rule]]
id = "adopted"
title = { ko = "제안 채택", en = "Adoption" }
activity = "proposal.adopted"
split = "share"
values = [ { from = 2000-01-01, points = { gold = 10 }, clause = "제2조" } ]

[[cap]]
id = "year"
title = { ko = "한도", en = "Cap" }
rules = ["adopted"]
period = "year"
values = [ { from = 2000-01-01, points = 7.5, clause = "제3조" } ]

[labels]
gold = { ko = "금상", en = "Gold" }
"""


def propose(ledger: Ledger, name: str, **parts: Any) -> None:
    data = ProposalSubmitted(name, f"불필요한 서식 {name} fewer forms", "online", shares(parts))
    ledger.record(data, on=date(2005, 3, 2), by="o")


@pytest.fixture
def model(ledger: Ledger) -> Iterator[ReadModel]:
    """The read model of an agency with a rulebook and one proposal, not published yet."""
    ledger.adopt_rulebook(BOOK, rulebook="agency", on=date(2005, 1, 1), by="c")
    propose(ledger, "a", P1=75, P2=25)
    with ReadModel(ledger) as opened:
        yield opened


def test_nothing_published(model):
    """Before anything is published, a question is refused with what to do."""
    assert not model.exists
    with pytest.raises(NoReadModel, match="mileage rebuild") as caught:
        model.figures()
    assert isinstance(caught.value, MileageError)


def test_first_catch_up_publishes(model):
    """The first catch-up builds and publishes everything."""
    done = model.catch_up()

    assert (done.facts, done.position) == (model.ledger.position, model.ledger.position)
    assert model.exists
    assert model.figures().position == model.ledger.position
    assert model.figures().balance("P1").points == 7_500
    assert model.catch_up().facts == 0


def test_first_rebuild_shows_everybody(model):
    """The first rebuild shows everyone's balance as gained."""
    done = model.rebuild()

    assert [(d.person, d.before, d.after) for d in done.differences] == [
        ("P1", 0, 7_500),
        ("P2", 0, 2_500),
    ]
    assert [(r.rule, r.before, r.after) for r in done.differences[0].reasons] == [
        ("submitted", 0, 7_500)
    ]
    assert Difference("P1", 3, 1).change == -2


def test_dry_run_before_the_first(model):
    """A dry run before anything was published publishes nothing either."""
    assert len(model.rebuild(dry_run=True).differences) == 2
    assert not model.exists


def test_old_builds_go(model):
    """Of the builds put into service only the last two are kept."""
    for _ in range(4):
        model.rebuild()

    builds = sorted(path.name for path in model.folder.glob("build-*.sqlite"))
    assert builds == ["build-000003.sqlite", "build-000004.sqlite"]
    assert model.figures().path.name == "build-000004.sqlite"


def test_two_at_once(model):
    """Rebuilds by two programs at the same time each publish a file of their own."""
    with ReadModel(model.ledger) as other:
        done = []
        threads = [
            threading.Thread(target=lambda each=each: done.append(each.rebuild().path))
            for each in (model, other)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(set(done)) == 2
        assert model.figures().path == other.figures().path
        propose(model.ledger, "b", P1=100)
        other.catch_up()
        assert model.figures().balance("P1").points == 17_500


def test_leftovers_go(model):
    """What a killed rebuild left is removed by the next; one under way is left alone."""
    model.rebuild()
    gone = 2**22 + 1  # more than any process number
    dead = model.folder / f"build.{gone}.0123abcd.part"
    link = model.link.with_name(f"{model.link.name}.{gone}.0123abcd.link")
    alive = model.folder / f"build.{os.getppid()}.0123abcd.part"
    for path in (dead, link, alive):
        path.touch()

    model.rebuild()

    assert not dead.exists()
    assert not link.exists()
    assert alive.exists()


def test_a_reader_notices_a_swap(model):
    """Who asks the read model again after a swap by another program gets the new figures."""
    model.rebuild()
    before = model.figures()
    with ReadModel(model.ledger) as other:
        propose(model.ledger, "b", P1=100)
        other.rebuild()

    assert model.figures() is not before
    assert model.figures().balance("P1").points == 17_500
    assert before.balance("P1").points == 7_500


def test_other_ledgers_model(model, tmp_path):
    """The figures of another ledger are refused."""
    model.rebuild()
    path = tmp_path / "other.sqlite"
    with (
        Ledger.create(path, organisation="B", clock=model.ledger.clock) as other_ledger,
        ReadModel(other_ledger) as other,
    ):
        other.link.symlink_to(model.figures().path)
        with pytest.raises(NoReadModel, match="another ledger"):
            other.figures()
        with pytest.raises(NoReadModel):
            other.catch_up()
        done = other.rebuild()
        assert done.published
        assert done.differences == ()
        assert other.figures().query("SELECT count(*) FROM people") == [(0,)]


def test_other_schema(model):
    """A model of another schema is refused, and a rebuild replaces it."""
    model.rebuild()
    with sqlite3.connect(model.figures().path) as connection:
        connection.execute("UPDATE meta SET value = '999' WHERE key = 'schema'")
    connection.close()

    with ReadModel(model.ledger) as again:
        with pytest.raises(NoReadModel, match="another version"):
            again.figures()
        assert again.rebuild().published
        assert again.figures().balance("P1").points == 7_500


def test_no_model_at_all(model):
    """A file that is no read model is refused, and a rebuild replaces it."""
    model.link.write_text("nonsense" * 100)

    with pytest.raises(NoReadModel, match="no read model"):
        model.figures()
    assert model.rebuild().published
    assert model.figures().balance("P1").points == 7_500


def test_a_dangling_link(model):
    """When the build in service was removed by hand, a catch-up builds it again."""
    model.rebuild()
    model.close()
    for path in model.folder.iterdir():
        path.unlink()

    with pytest.raises(NoReadModel):
        model.figures()
    model.catch_up()
    assert model.figures().balance("P1").points == 7_500


def test_unknown_person(model):
    """Who never joined has no balance and no statement."""
    model.rebuild()
    figures = model.figures()

    for ask in (figures.balance, figures.statement):
        with pytest.raises(UnknownPerson, match="P99"):
            ask("P99")


def test_figures_are_read_only(model):
    """Nothing can be written through the figures."""
    model.rebuild()

    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        model.figures().query("DELETE FROM balances")


def test_an_archive_that_somebody_else_writes(model, tmp_path, monkeypatch):
    """Who may only read, in a folder without a log, reads what stands there now."""
    model.rebuild()
    copy = tmp_path / "copy.sqlite"
    with closing(sqlite3.connect(model.link.resolve())) as source:
        source.execute(f"VACUUM INTO '{copy}'")
    monkeypatch.setattr("os.access", lambda *_: False)
    with closing(Figures(copy)) as figures:
        before = figures.position
        with figures.still():
            assert figures.position == before
            with closing(sqlite3.connect(copy)) as other, other:
                other.execute("PRAGMA journal_mode = DELETE")
                other.execute("UPDATE meta SET value = '3' WHERE key = 'position'")
            assert figures.position == before
        assert figures.position == 3


def test_progress_is_told(model):
    """A rebuild tells how far it is, stage by stage, to the end."""
    told = []
    model.rebuild(progress=lambda stage, done, of: told.append((stage, done, of)))

    assert list(dict.fromkeys(stage for stage, _, _ in told)) == ["decode", "score", "publish"]
    assert all(done <= of for _, done, of in told)
    assert told[-1][1] == told[-1][2]


def test_only_the_largest_differences_are_explained(model, monkeypatch):
    """Where a rule changes very many balances, only the largest differences have reasons."""
    monkeypatch.setattr(difference, "EXPLAINED_MAX", 1)

    done = model.rebuild()

    assert [len(d.reasons) for d in done.differences] == [1, 0]


def test_readers_in_threads(model):
    """One object answers several threads at once."""
    model.rebuild()
    found: list[int] = []

    def ask() -> None:
        found.extend(model.figures().balance("P1").points for _ in range(50))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [7_500] * 200


# -- opened by other programs --------------------------------------------------------------------


def test_views_speak_in_decimals(model):
    """The views show amounts and days as people write them, without a float."""
    model.ledger.record(ProposalAdopted("a", "gold"), on=date(2005, 4, 1), by="o")
    model.rebuild()
    database = Database(sqlite3.connect(model.link))

    rows = list(database.query("SELECT * FROM statement WHERE person = 'P1'"))
    assert [
        (r["occurred_on"], r["thing"], r["rate"], r["share"], r["gross"], r["points"]) for r in rows
    ] == [
        ("2005-03-02", "proposal:a", "1.0000", "75.0000", "0.7500", "0.7500"),
        ("2005-04-01", "proposal:a", "10.0000", "75.0000", "7.5000", "7.5000"),
    ]
    assert [
        (r["place"], r["person"], r["points"]) for r in database.query("SELECT * FROM ranking")
    ] == [
        (1, "P1", "8.2500"),
        (2, "P2", "2.7500"),
        (3, "P3", "0.0000"),
    ]
    assert [
        (r["person"], r["day_from"], r["day_until"], r["status"])
        for r in database.query("SELECT * FROM service WHERE person = 'P1'")
    ] == [("P1", "2000-03-02", None, "serving")]
    for view in database.view_names():
        for row in database.query(f"SELECT * FROM {view}"):
            assert not any(isinstance(value, float) for value in row.values())
    database.close()


def test_full_text_search(model):
    """Things are found by words of their title, also those caught up later."""
    model.rebuild()
    propose(model.ledger, "b", P3=100)
    model.catch_up()
    database = Database(sqlite3.connect(model.link))

    assert {row["stream"] for row in database["things"].search("서식")} == {
        "proposal:a",
        "proposal:b",
    }
    assert [row["stream"] for row in database["things"].search("fewer b")] == ["proposal:b"]
    database.close()


def test_search_follows_a_catch_up(model):
    """The search knows the same things after a catch-up as after a rebuild."""
    model.rebuild()
    propose(model.ledger, "b", P3=100)
    model.ledger.void("proposal.submitted:b", reason="wrong", on=date(2005, 3, 3), by="o")
    model.catch_up()
    data = ProposalSubmitted("b", "자전거 주차장", "paper", shares({"P3": 100}))
    model.ledger.record(data, on=date(2005, 3, 4), by="o", key="again")
    model.catch_up()

    def found(word: str) -> list[str]:
        database = Database(sqlite3.connect(model.link))
        rows = [row["stream"] for row in database["things"].search(word)]
        database.close()
        return rows

    assert found("자전거") == ["proposal:b"]
    assert found("서식") == ["proposal:a"]
    model.rebuild()
    assert found("자전거") == ["proposal:b"]
    assert found("서식") == ["proposal:a"]


def test_every_table_is_there(model):
    """The file holds the tables that the schema describes, each with its key."""
    model.rebuild()
    database = Database(sqlite3.connect(model.link))

    assert set(TABLES) <= set(database.table_names())
    assert database["labels"].get("gold")["name_ko"] == "금상"
    assert database["cap_limits"].count == 1
    database.close()


@pytest.mark.filterwarnings("ignore")  # of datasette's own libraries
def test_datasette_opens_it(model):
    """Datasette serves the tables and views of the read model without further work."""
    datasette = pytest.importorskip("datasette.app")
    model.ledger.record(ProposalAdopted("a", "gold"), on=date(2005, 4, 1), by="o")
    model.rebuild()

    async def ask() -> tuple[Any, Any, Any]:
        served = datasette.Datasette([str(model.figures().path)])
        name = model.figures().path.stem
        ranking = await served.client.get(f"/{name}/ranking.json?_shape=array")
        search = await served.client.get(f"/{name}/things.json?_shape=array&_search=서식")
        page = await served.client.get(f"/{name}/statement")
        return ranking, search, page

    ranking, search, page = asyncio.run(ask())

    assert ranking.status_code == search.status_code == page.status_code == 200
    assert [(row["person"], row["points"]) for row in ranking.json()][:2] == [
        ("P1", "8.2500"),
        ("P2", "2.7500"),
    ]
    assert [row["stream"] for row in search.json()] == ["proposal:a"]


def test_balances_of_those_who_did_nothing(model):
    """Who joined and did nothing has a balance of nothing, caught up or rebuilt."""
    model.rebuild()
    model.ledger.record(MemberJoined("P9", "HQ", "G5"), on=date(2005, 5, 1), by="o")
    model.catch_up()
    assert model.figures().balance("P9").activities == 0
    digest = model.figures().content_digest()
    model.rebuild()
    assert model.figures().content_digest() == digest
