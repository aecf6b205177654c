"""Simulating a rulebook: what it would change, and adopting just what was looked at."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from attrs import astuple
from cli_cases import RULEBOOK, answer, make_agency, ok, run
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from mileage.ledger import Entry, MemberLeaveStarted
from mileage.projections import (
    Figures,
    NotAsSimulated,
    ReadModel,
    RulebookError,
    UnknownDigest,
    activity_infos,
    adopt_simulated,
    eligible,
    parse_rulebook,
    programmes,
    simulate,
)
from mileage.projections.build import build_read_model
from mileage.projections.decode import Slice
from mileage.projections.rulebook import Adoption
from story import Office
from strategies import Play, rulebooks, steps

if TYPE_CHECKING:
    from collections.abc import Iterator

RAISED = RULEBOOK.replace("gold = 10", "gold = 14").replace("points = 2.5", "points = 2")
BY = {"on": date(2005, 3, 1), "by": "officer"}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """An office with a rulebook in service, a joint proposal and one of B alone."""
    opened = Office(tmp_path)
    opened.adopt(RULEBOOK, "2005-01-01")
    opened.proposes("2005-02-01", "joint", A=60, B=40)
    opened.adopted("2005-02-10", "joint", "gold")
    opened.proposes("2005-02-20", "own", "B")
    opened.now = datetime(2005, 3, 1, 3, 0, tzinfo=UTC)
    yield opened
    opened.close()


def changes(found: Any) -> list[tuple[str, int, int]]:
    return [(each.person, each.before, each.after) for each in found.people]


def test_people_units_and_accounts(office):
    """Everyone's balance, every unit's and the account's, before and after."""
    office.transferred("2005-02-15", "B", "SEOUL")

    found = simulate(office.model, RAISED, effective_from=date(2005, 1, 1))

    # A: 1.5 + 6 → 1.2 + 8.4; B: 1 + 4 → 0.8 + 5.6 in HQ, 2.5 → 2 in SEOUL.
    assert changes(found) == [("A", 75_000, 96_000), ("B", 75_000, 84_000)]
    assert [(u.code, u.before, u.after) for u in found.units] == [
        ("HQ", 125_000, 160_000),
        ("SEOUL", 25_000, 20_000),
    ]
    assert [(a.code, a.change) for a in found.accounts] == [("mileage", 30_000)]
    assert [(r.rule, r.after - r.before) for r in found.people[0].reasons] == [
        ("adopted", 24_000),
        ("submitted", -3_000),
    ]


def test_only_from_the_effective_date(office):
    """What was done before the effective date keeps its points."""
    found = simulate(office.model, RAISED, effective_from=date(2005, 2, 15))

    assert changes(found) == [("B", 75_000, 70_000)]


def test_it_is_what_adopting_then_does(office):
    """After adopting and rebuilding, the figures are those simulated."""
    found = simulate(office.model, RAISED, effective_from=date(2005, 1, 1))
    office.adopt(RAISED, "2005-03-01", since="2005-01-01", reason="인쇄 오류")

    assert office.points("A", "B") == ["9.6", "8.4"]
    assert changes(found) == [("A", 75_000, 96_000), ("B", 75_000, 84_000)]


def test_who_crosses_a_line_of_a_programme(office):
    """With a quota of one, who gets in, who drops out, and who no longer reaches the threshold."""
    office.proposes("2005-03-20", "late", "B")  # B has 10 points, and is in
    lower = RULEBOOK.replace("points = 2.5", "points = 0.5").replace("gold = 10", "gold = 9")

    day = date(2005, 12, 31)
    found = simulate(office.model, lower, effective_from=date(2005, 1, 1), as_of=day)

    assert [c.person for c in eligible(office.model.figures(), "training", day).selected] == ["B"]
    assert [
        (c.programme, c.person, c.before, c.after, c.gets_in, c.drops_out) for c in found.crossings
    ] == [
        ("training", "A", "beyond_quota", "selected", True, False),
        ("training", "B", "selected", "below_threshold", False, True),
    ]


def test_a_programme_that_ends_and_one_that_begins(office):
    """A programme that only one of the two rulebooks has counts as crossed by all who are in."""
    other = RULEBOOK.replace('id = "training"', 'id = "leave"')

    found = simulate(office.model, other, effective_from=date(2005, 1, 1), as_of=date(2005, 12, 31))

    assert [(c.programme, c.person, c.before, c.after) for c in found.crossings] == [
        ("leave", "A", "no_programme", "beyond_quota"),
        ("leave", "B", "no_programme", "selected"),
        ("training", "A", "beyond_quota", "no_programme"),
        ("training", "B", "selected", "no_programme"),
    ]


def test_nothing_is_recorded_or_published(office, tmp_path):
    """Neither the ledger nor the figures in service change, nor is a file left."""
    office.model.catch_up()
    before = (
        office.ledger.position,
        office.model.figures().content_digest(),
        sorted(path.name for path in tmp_path.rglob("*")),
    )

    simulate(office.model, RAISED, effective_from=date(2005, 1, 1), as_of=date(2005, 2, 15))

    after = (
        office.ledger.position,
        office.model.figures().content_digest(),
        sorted(path.name for path in tmp_path.rglob("*")),
    )
    assert after == before


def test_without_published_figures_the_rulebooks_adopted_are_compared(office):
    """Where nothing was ever published, nothing is published for a simulation either."""
    with ReadModel(office.ledger) as model:
        model.link.unlink()
        found = simulate(model, RAISED, effective_from=date(2005, 1, 1))

        assert changes(found) == [("A", 75_000, 96_000), ("B", 75_000, 84_000)]
        assert not model.exists


def test_the_digest_is_of_what_is_simulated(office):
    """The same gives the same digest; another text, date or history gives another."""
    since = date(2005, 1, 1)
    digest = simulate(office.model, RAISED, effective_from=since).digest

    assert simulate(office.model, RAISED, effective_from=since).digest == digest
    others = {
        simulate(office.model, f"{RAISED}\n# a note", effective_from=since).digest,
        simulate(office.model, RAISED, effective_from=date(2005, 2, 1)).digest,
        simulate(office.model, RAISED, effective_from=since, as_of=date(2005, 3, 1)).digest,
    }
    office.proposes("2005-02-28", "more", "A")
    others.add(simulate(office.model, RAISED, effective_from=since).digest)
    assert len(others - {digest}) == 4


def test_adopting_what_was_looked_at(office):
    """The digest adopts the rulebook; it counts after the next rebuild."""
    since = date(2005, 1, 1)
    digest = simulate(office.model, RAISED, effective_from=since).digest

    recorded = adopt_simulated(
        office.model, RAISED, digest=digest, effective_from=since, reason="인쇄 오류", **BY
    )

    assert recorded.new
    assert recorded.fact.data.text == RAISED
    office.model.rebuild()
    assert office.points("A", "B") == ["9.6", "8.4"]


def test_a_fact_that_changes_nothing_of_it_does_not_matter(office):
    """Somebody's leave, which moves no point and no line, keeps nothing from being adopted."""
    since = date(2005, 1, 1)
    digest = simulate(office.model, RAISED, effective_from=since).digest
    office.record("2005-02-25", MemberLeaveStarted("C"))

    assert adopt_simulated(
        office.model, RAISED, digest=digest, effective_from=since, reason="인쇄 오류", **BY
    ).new


@pytest.mark.parametrize("changed", ["fact", "text", "date", "rulebook"])
def test_not_what_was_looked_at(office, changed):
    """A fact that matters, another text, date or rulebook in service: nothing is adopted."""
    since, text = date(2005, 1, 1), RAISED
    digest = simulate(office.model, RAISED, effective_from=since).digest
    if changed == "fact":
        office.proposes("2005-02-28", "more", "A")
    elif changed == "text":
        text = RAISED.replace("gold = 14", "gold = 14.0")
    elif changed == "date":
        since = date(2005, 1, 2)
    else:
        office.adopt(RULEBOOK.replace("gold = 10", "gold = 11"), "2005-02-26", since="2005-01-01",
                     reason="개정")  # fmt: skip
    position = office.ledger.position

    with pytest.raises(NotAsSimulated) as caught:
        adopt_simulated(
            office.model, text, digest=digest, effective_from=since, reason="인쇄 오류", **BY
        )

    assert office.ledger.position == caught.value.now == position
    assert "simulate again" in str(caught.value)


@pytest.mark.parametrize("digest", ["", "abc", "12-zz", "5-2005-02-30-" + "0" * 64])
def test_no_digest(office, digest):
    """What is no digest of a simulation is refused as such."""
    with pytest.raises(UnknownDigest):
        adopt_simulated(office.model, RAISED, digest=digest, **BY)


def test_a_rulebook_with_errors_is_not_simulated(office):
    """Neither one with errors, nor one that contradicts a rulebook adopted before."""
    with pytest.raises(RulebookError):
        simulate(office.model, RAISED.replace("activity", "activty"))


# -- the command line ----------------------------------------------------------------------------


@pytest.fixture
def agency(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An agency with figures of 2005, and a rulebook that lowers gold."""
    monkeypatch.setenv("MILEAGE_LEDGER", str(make_agency(tmp_path)))
    monkeypatch.setenv("MILEAGE_LANG", "en")
    file = tmp_path / "lowered.toml"
    file.write_text(RULEBOOK.replace("gold = 10", "gold = 9"), encoding="utf-8")
    return file


def test_simulate_as_json(agency):
    """People, units, accounts and crossings, in one document."""
    found = answer("rules", "simulate", agency, "--effective-from", "2005-04-01")

    assert [(d["person"], d["change"]) for d in found["differences"]] == [
        ("P1", "-0.6"),
        ("P2", "-0.4"),
    ]
    assert found["people"] == 2
    assert [(u["unit"], u["change"]) for u in found["units"]] == [("HQ", "-0.6"), ("SEOUL", "-0.4")]
    assert found["accounts"][0]["change"] == "-1"
    assert found["effective_from"] == "2005-04-01"
    assert found["differences"][0]["reasons"][0]["rule"] == "adopted"


def test_simulate_as_tables(agency):
    """The four tables in words, and how to adopt just this."""
    result = ok("rules", "simulate", agency, "--effective-from", "2005-04-01", "--as-of",
                "2005-12-31")  # fmt: skip

    for text in ("Accounts", "Units", "Programmes (on 2005-12-31)", "People", "Seoul Office"):
        assert text in result.stdout
    assert "training" in result.stdout  # P2 falls below the threshold
    assert "mileage rules adopt" in result.stderr
    assert '--effective-from 2005-04-01 --reason "…" --simulated' in result.stderr


def test_simulate_as_csv(agency):
    """One row for each account, unit, person and crossing."""
    text = ok("rules", "simulate", agency, "--effective-from", "2005-04-01", "--as-of",
              "2005-12-31", "--csv").stdout  # fmt: skip

    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["what"] for row in rows] == ["account", *["unit"] * 2, *["person"] * 2, "crossing"]
    assert rows[-1]["outcome_after"] == "below_threshold"


def test_adopt_simulated(agency):
    """Only with the digest of the same; else it is said how to go on, and exit code 1."""
    since = ("--effective-from", "2005-04-01")
    digest = answer("rules", "simulate", agency, *since)["digest"]
    adopt = ("rules", "adopt", agency, "--on", "2005-04-01", "--simulated", digest)

    refused = run(*adopt, "--effective-from", "2005-05-01")
    assert refused.exit_code == 1
    assert "Run `mileage rules simulate` again" in refused.stderr
    assert (
        "시뮬레이션한 것과 달라"
        in run(*adopt, "--effective-from", "2005-05-01", "--lang", "ko").stderr
    )
    assert len(answer("rules", "list")["rulebooks"]) == 1

    ok(*adopt, *since)
    assert len(answer("rules", "list")["rulebooks"]) == 2


def test_wrong_use(agency):
    """A digest that is none is wrong usage; a file that is no rulebook is told line by line."""
    none = run("rules", "adopt", agency, "--simulated", "3530")
    assert none.exit_code == 2
    assert "copy it whole" in none.stderr

    agency.write_text("[rulebook]\n", encoding="utf-8")
    broken = run("rules", "simulate", agency)
    assert broken.exit_code == 1
    assert ":1:1: error" in broken.stderr
    assert json.loads(ok("rules", "list", "--json").stdout)["rulebooks"]


def test_units_that_the_ledger_does_not_know(agency):
    """A rule for a unit that nobody established says so: it may be misspelt."""
    text = agency.read_text("utf-8").replace("split =", 'units = ["SEOUL", "SEUOL"]\nsplit =')
    agency.write_text(text, encoding="utf-8")

    result = ok("rules", "simulate", agency, "--effective-from", "2005-04-01")

    assert "the ledger does not know: SEUOL" in result.stderr


def test_what_has_not_happened_yet_changes_nothing(agency):
    """A rulebook from a day to come says that there is nothing to see yet."""
    result = ok("rules", "simulate", agency, "--effective-from", "2999-01-01")

    assert "Nothing changes." in result.stdout
    assert "nothing has happened since 2999-01-01 yet" in result.stderr


# -- against two whole read models ---------------------------------------------------------------


def everybody(ledger: Any, folder: Path, day: date, **which: Any) -> dict[str, Any]:
    """All candidates of all programmes by figures that were built whole."""
    path = folder / f"{len(list(folder.iterdir()))}.sqlite"
    build_read_model(ledger, path, Slice(as_of=day), **which)
    figures = Figures(path)
    found = {name: eligible(figures, name, day) for name in programmes(figures, day)}
    points = figures.query(
        "SELECT m.person, a.account, b.points FROM balances b JOIN people m ON m.id = b.person"
        " JOIN accounts a ON a.id = b.account"
    )
    units = figures.query(
        "SELECT u.unit, a.account, sum(p.points) FROM postings p"
        " JOIN accounts a ON a.id = p.account LEFT JOIN units u ON u.id = p.unit GROUP BY 1, 2"
    )
    figures.close()
    sums = [{tuple(key): amount for *key, amount in rows} for rows in (points, units)]
    return {"programmes": found, "points": sums[0], "units": sums[1]}


def changed(one: dict[Any, int], other: dict[Any, int]) -> set[tuple[Any, ...]]:
    """Which amounts of two read models differ: what of, before, after."""
    both = {key: (one.get(key, 0), other.get(key, 0)) for key in one.keys() | other.keys()}
    return {(*key, *pair) for key, pair in both.items() if pair[0] != pair[1]}


def line(selection: Any, person: str) -> tuple[bool, bool, str | None]:
    candidate = selection.of(person) if selection else None
    if candidate is None:
        return False, False, None
    return candidate.selected, not candidate.missing, candidate.grade


@settings(max_examples=25)
@given(steps(20, 45), rulebooks(), rulebooks(), st.integers(-200, 300))
def test_it_says_what_two_whole_models_say(history, text, other, ago):
    """People, units, crossings and costs are those of two read models built whole."""
    with (
        tempfile.TemporaryDirectory(prefix="mileage-test-") as name,
        Play(Path(name) / "agency.sqlite") as play,
        ReadModel(play.ledger) as model,
    ):
        folder = Path(name) / "models"
        folder.mkdir()
        play.adopt_rulebook(text, reach_days=300)
        play.run(history)
        model.rebuild()
        day, since = play.today - timedelta(days=ago), play.today - timedelta(days=300)
        try:
            found = simulate(model, other, effective_from=since, as_of=day)
        except RulebookError:
            assume(False)
        infos = activity_infos(play.ledger.kinds)
        last = play.ledger.position
        proposed = Adoption(last + 1, play.today, since, parse_rulebook(other, infos))
        old = everybody(play.ledger, folder, day)
        new = everybody(play.ledger, folder, day, proposed=proposed)

    people = {(p.person, p.account, p.before, p.after) for p in found.people}
    assert people == changed(old["points"], new["points"])
    units = {(u.code, u.account, u.before, u.after) for u in found.units}
    assert units == changed(old["units"], new["units"])
    assert {(a.code, a.before, a.after) for a in found.accounts} == {
        (
            name,
            *(sum(p for (_, a), p in side["points"].items() if a == name) for side in (old, new)),
        )
        for name in {"mileage"}
        | {a for side in (old, new) for _, a in side["points"]}
        | {a.code for a in found.accounts}
    }
    expected = set()
    for programme in old["programmes"].keys() | new["programmes"].keys():
        sides = old["programmes"].get(programme), new["programmes"].get(programme)
        for person in {person for person, _ in new["points"]}:
            if line(sides[0], person) != line(sides[1], person):
                each = [side.of(person) if side else None for side in sides]
                outcomes = [
                    "no_programme" if side is None else one.outcome if one else "no_activity"
                    for side, one in zip(sides, each, strict=True)
                ]
                points = [one.points if one else 0 for one in each]
                grades = [one.grade if one else None for one in each]
                values = [one.value if one else None for one in each]
                expected.add((programme, person, *outcomes, *points, *grades, *values))
    assert {astuple(crossing) for crossing in found.crossings} == expected
    for cost in found.costs:
        sides = old["programmes"].get(cost.programme), new["programmes"].get(cost.programme)
        sums = [sum(c.value or 0 for c in side.selected) if side else 0 for side in sides]
        assert [cost.before, cost.after] == sums


# -- what it costs -------------------------------------------------------------------------------

BONUS = """
[[programme]]
id = "bonus"
title = { ko = "성과금", en = "Bonus" }
period = "year"
unit = { ko = "원", en = "won" }
[[programme.values]]
from = 2005-01-01
threshold = { gold = 8, silver = 4 }
value = { gold = 500000, silver = 200000 }
clause = "제5조"
"""
PAYING = RULEBOOK.replace("[labels]", f"{BONUS}\n[labels]")


@pytest.fixture
def paying(tmp_path: Path) -> Iterator[Office]:
    """An office whose rulebook has a bonus in money: A 7.5 points, B 4, C 2.5."""
    opened = Office(tmp_path)
    opened.adopt(PAYING, "2005-01-01")
    opened.proposes("2005-02-01", "joint", A=60, B=40)
    opened.adopted("2005-02-10", "joint", "gold")
    opened.proposes("2005-03-20", "own", "C")
    opened.now = datetime(2005, 12, 1, 3, 0, tzinfo=UTC)
    yield opened
    opened.close()


def test_cost_and_grades(paying):
    """What the programme costs before and after, and who gets which grade then."""
    found = simulate(
        paying.model, PAYING.replace("gold = 10", "gold = 12"), effective_from=date(2005, 1, 1)
    )

    # A: 1.5 + 6 → 1.5 + 7.2 (silver → gold); B: 1 + 4 → 1 + 4.8 (silver); C: 2.5.
    [cost] = found.costs
    assert (cost.programme, cost.unit.ko, cost.selected_before, cost.selected_after) == (
        "bonus", "원", 2, 2,
    )  # fmt: skip
    assert (cost.before, cost.after, cost.change) == (
        4_000_000_000, 7_000_000_000, 3_000_000_000,
    )  # fmt: skip
    [crossing] = [c for c in found.crossings if c.programme == "bonus"]
    assert (crossing.person, crossing.grade_before, crossing.grade_after) == ("A", "silver", "gold")
    assert (crossing.value_before, crossing.value_after) == (2_000_000_000, 5_000_000_000)
    assert (crossing.gets_in, crossing.drops_out) == (False, False)


def test_a_programme_that_is_not_there_costs_nothing(paying):
    """A programme that ends, or is paid in something else, has its cost on one side only."""
    ended = simulate(paying.model, RULEBOOK, effective_from=date(2005, 1, 1))
    assert [(c.programme, c.before, c.after) for c in ended.costs] == [("bonus", 4_000_000_000, 0)]
    days = PAYING.replace('{ ko = "원", en = "won" }', '{ ko = "일", en = "days" }')
    days = days.replace("gold = 500000, silver = 200000", "gold = 5, silver = 2")
    other = simulate(paying.model, days, effective_from=date(2005, 1, 1))
    assert [(c.unit.en, c.selected_before, c.selected_after, c.change) for c in other.costs] == [
        ("won", 2, 0, -4_000_000_000),
        ("days", 0, 2, 40_000),
    ]
    assert other.crossings == ()
    assert other.digest != ended.digest


def test_only_what_is_paid_changes(paying):
    """Where only a value changes nobody crosses a line, but the cost does, and so the digest."""
    same = simulate(paying.model, PAYING, effective_from=date(2005, 1, 1))
    dearer = simulate(
        paying.model, PAYING.replace("500000", "600000"), effective_from=date(2005, 1, 1)
    )
    assert (same.costs[0].change, same.crossings, dearer.crossings) == (0, (), ())
    assert same.digest != dearer.digest


def test_costs_on_the_command_line(paying, tmp_path, monkeypatch):
    """Costs in the table, in JSON and in CSV, with names and grades of those who cross."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MILEAGE_LEDGER", "office.sqlite")
    monkeypatch.setenv("MILEAGE_LANG", "en")
    paying.ledger.directory.put([Entry("A", "김가나", "0001")])
    raised = PAYING.replace("gold = 10", "gold = 12")
    (tmp_path / "raised.toml").write_text(raised, encoding="utf-8")
    line = ("rules", "simulate", "raised.toml", "--effective-from", "2005-01-01",
            "--as-of", "2005-12-31")  # fmt: skip

    table = ok(*line).stdout
    document = answer(*line)
    rows = list(csv.DictReader(io.StringIO(ok(*line, "--csv").stdout)))

    assert "Costs" in table
    assert "김가나" in table.partition("Programmes")[2].partition("Costs")[0]
    [cost] = document["costs"]
    assert (cost["programme"], cost["unit"]["en"]) == ("bonus", "won")
    assert (cost["before"], cost["after"], cost["change"]) == ("400000", "700000", "300000")
    [crossing] = document["crossings"]
    assert (crossing["before"]["grade"], crossing["after"]["grade"]) == ("silver", "gold")
    assert (crossing["before"]["value"], crossing["after"]["value"]) == ("200000", "500000")
    assert crossing["name"] == "김가나"
    [cost] = [row for row in rows if row["what"] == "cost"]
    assert (cost["before"], cost["after"], cost["measured_in"]) == ("400000", "700000", "won")
    assert "비용" in ok("--lang", "ko", *line).stdout
