"""Scoring, told as stories: what a person did, what the rulebook says, what comes of it."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import attrs
import pytest
from mileage.ledger import (
    Activity,
    Command,
    ContestAwarded,
    ContestAwardWithdrawn,
    ContestEntered,
    ContestOpened,
    CorruptFact,
    Data,
    Kinds,
    Label,
    LearningClubJoined,
    LearningClubRegistered,
    LearningClubSessionHeld,
    Ledger,
    MemberJoined,
    MemberLeft,
    MemberTransferred,
    MileageError,
    Programme,
    ProposalAdopted,
    ProposalSubmitted,
    ProposalWithdrawn,
    UnitEstablished,
    kind,
    shares,
)
from mileage.ledger import kinds as kind_modules
from mileage.ledger.facts import encode
from mileage.ledger.fields import Code, Day, Hours, Person, Text
from mileage.ledger.kinds.unit import UnitAbolished, UnitMerged
from mileage.projections import (
    Figures,
    Period,
    ReadModel,
    RulebookError,
    activity_infos,
    check_rulebook,
    explain_posting,
    readmodel,
)
from mileage.projections.build import build_read_model
from mileage.projections.open_things import open_things
from mileage.projections.standing import standing_facts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime(2006, 12, 20, 3, 0, tzinfo=UTC)
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
values = [ { from = 2005-01-01, points = 1, clause = "제1조" } ]

[[rule]]
id = "adopted"
title = { ko = "제안 채택", en = "Adoption" }
activity = "proposal.adopted"
split = "share"
values = [ { from = 2005-01-01, points = { gold = 10, silver = 7 }, clause = "제2조" } ]

[[rule]]
id = "session"
title = { ko = "학습", en = "Session" }
activity = "learning_club.session_held"
per = "hour"
values = [ { from = 2005-01-01, points = 0.5, clause = "제3조" } ]

[[rule]]
id = "award"
title = { ko = "우수사례", en = "Award" }
activity = "contest.awarded"
values = [ { from = 2005-01-01, points = { gold = 5 }, clause = "제4조" } ]
"""
CAP = """
[[cap]]
id = "club"
title = { ko = "학습 한도", en = "Club cap" }
rules = ["session"]
period = "year"
values = [ { from = 2005-01-01, points = 2, clause = "제7조" } ]
"""


def at(text: str) -> date:
    return date.fromisoformat(text)


def make_ledger(path: Path, **options: Any) -> Ledger:
    """Make a ledger with units HQ and SEOUL and persons P1 to P4."""
    ledger = Ledger.create(
        path, organisation="청", opened_on=at("2004-01-01"), clock=lambda: NOW, **options
    )
    units = [UnitEstablished(unit, f"{unit} 국", unit) for unit in ("HQ", "SEOUL")]
    people = [MemberJoined(f"P{n}", "HQ", "G5") for n in range(1, 5)]
    ledger.record_all(Command(data, at("2004-01-02"), "setup") for data in (*units, *people))
    return ledger


@pytest.fixture
def agency(tmp_path: Path) -> Iterator[Ledger]:
    """An agency's ledger without rules."""
    with make_ledger(tmp_path / "agency.sqlite") as opened:
        yield opened


@pytest.fixture
def model(agency: Ledger) -> Iterator[ReadModel]:
    """Its read model, not published yet."""
    with ReadModel(agency) as opened:
        yield opened


def adopt(ledger: Ledger, text: str, *, since: str = "2005-01-01") -> None:
    day = at(since)
    ledger.adopt_rulebook(
        text, rulebook="agency", on=at("2006-12-01"), by="c", effective_from=day, reason="first"
    )


def record(ledger: Ledger, data: Any, day: str, key: str | None = None) -> int:
    return ledger.record(data, on=at(day), by="officer-7", source="test", key=key).position


def propose(ledger: Ledger, name: str, day: str, **parts: Any) -> int:
    authors = shares(parts or {"P1": 100})
    return record(ledger, ProposalSubmitted(name, f"Title {name}", "online", authors), day)


def hold_sessions(ledger: Ledger, *days: str, hours: str = "2") -> None:
    record(ledger, LearningClubRegistered("c", "Club", "P1"), "2005-01-10")
    record(ledger, LearningClubJoined("c", "P2"), "2005-01-10")
    for number, day in enumerate(days):
        held = LearningClubSessionHeld("c", f"s{number}", "주제", Decimal(hours), ("P1", "P2"))
        record(ledger, held, day)


def steps(ledger: Ledger, figures: Figures, person: str, position: int) -> list[Label]:
    [line] = figures.statement(person, position=position)
    return list(explain_posting(ledger, line).steps)


def same_both_ways(model: ReadModel) -> Figures:
    """Catch up, and make sure that a rebuild says the same."""
    model.catch_up()
    caught_up = model.figures().content_digest()
    model.rebuild()
    assert model.figures().content_digest() == caught_up
    return model.figures()


# -- explanations --------------------------------------------------------------------------------


def test_share_is_explained(agency, model):
    """A share of a graded award is explained by clause, grade, share and what counts."""
    adopt(agency, BOOK)
    propose(agency, "a", "2005-03-02", P1="66.6667", P2="33.3333")
    adopted = record(agency, ProposalAdopted("a", "silver"), "2005-04-01")
    model.rebuild()

    assert steps(agency, model.figures(), "P2", adopted) == [
        Label(
            "제2조 (2005-01-01부터) ‘silver’: 7점", "제2조 (from 2005-01-01) for 'silver': 7 points"
        ),
        Label("지분 33.3333%: 7점 중 2.3333점", "share of 33.3333 %: 2.3333 of 7 points"),
        Label("인정 2.3333점", "2.3333 points count"),
    ]
    assert model.figures().balance("P1").points == 6_667 + 46_667
    assert model.figures().balance("P2").points == 3_333 + 23_333


def test_cap_is_explained(agency, model):
    """Where a cap bites, how much of it was used and what it takes away is said."""
    adopt(agency, BOOK + CAP)
    hold_sessions(agency, "2005-02-01", "2005-02-02", "2005-02-03", hours="1.5")
    model.rebuild()
    positions = [line.position for line in model.figures().statement("P1")]

    assert steps(agency, model.figures(), "P1", positions[-1]) == [
        Label(
            "제3조 (2005-01-01부터): 시간당 0.5점 × 1.5시간 = 0.75점",
            "제3조 (from 2005-01-01): 0.5 points an hour × 1.5 hours = 0.75 points",
        ),
        Label(
            "한도 ‘학습 한도’ 제7조: 연 2점 중 1.5점 사용 → −0.25점",
            "cap 'Club cap' 제7조: 1.5 of 2 points a year used → −0.25 points",
        ),
        Label("인정 0.5점", "0.5 points count"),
    ]


def test_voided_is_explained(agency, model):
    """A voided fact keeps its line, and names the fact that voided it."""
    adopt(agency, BOOK)
    position = propose(agency, "a", "2005-03-02")
    void = agency.void(
        "proposal.submitted:a", reason="twice", on=at("2005-03-05"), by="officer-7"
    ).position
    figures = same_both_ways(model)

    assert steps(agency, figures, "P1", position) == [
        Label("제1조 (2005-01-01부터): 1점", "제1조 (from 2005-01-01): 1 point"),
        Label(f"기록 취소 (#{void}): −1점", f"voided by #{void}: −1 point"),
        Label("인정 0점", "0 points count"),
    ]
    assert figures.balance("P1") == attrs.evolve(figures.balance("P1"), points=0, activities=1)


def test_withdrawn_is_explained(agency, model):
    """A withdrawn proposal no longer counts, and its line names the withdrawal."""
    adopt(agency, BOOK)
    position = propose(agency, "a", "2005-03-02", P1=50, P2=50)
    taken = record(agency, ProposalWithdrawn("a", "changed mind"), "2005-03-09")
    figures = same_both_ways(model)

    assert steps(agency, figures, "P2", position)[1:] == [
        Label("지분 50%: 1점 중 0.5점", "share of 50 %: 0.5 of 1 point"),
        Label(f"철회 (#{taken}): −0.5점", f"withdrawn by #{taken}: −0.5 points"),
        Label("인정 0점", "0 points count"),
    ]


def test_award_again_after_withdrawal(agency, model):
    """Only the award that was withdrawn stops counting, not the one given after it."""
    adopt(agency, BOOK)
    record(agency, ContestOpened("k", "Contest", "agency", ("gold",)), "2005-01-05")
    record(agency, ContestEntered("k", "e", "Case", shares({"P1": 100})), "2005-02-01")
    record(agency, ContestAwarded("k", "e", "gold"), "2005-03-01")
    record(agency, ContestAwardWithdrawn("k", "e", "copied"), "2005-04-01")
    record(agency, ContestAwarded("k", "e", "gold"), "2005-05-01", key="second")
    figures = same_both_ways(model)

    assert [line.points for line in figures.statement("P1") if line.rule == "award"] == [0, 50_000]


def test_unrewarded_is_listed(agency, model):
    """What no rule rewards is a line of 0 points that says so, not a line left out."""
    adopt(agency, BOOK)
    record(agency, LearningClubRegistered("c", "Club", "P1"), "2005-02-01")
    early = propose(agency, "early", "2004-12-31")
    model.rebuild()
    figures = model.figures()

    assert figures.unrewarded() == [("learning_club.registered", 1), ("proposal.submitted", 1)]
    assert steps(agency, figures, "P1", early) == [
        Label(
            "2004-12-31에 이 활동을 보상하는 규칙이 없음: 0점",
            "no rule rewards this activity on 2004-12-31: 0 points",
        )
    ]
    assert figures.balance("P1").activities == 2
    assert figures.balance("P1").rewarded == 0


def test_unrewarded_and_voided(agency, model):
    """A line that no rule rewards still says that its fact was voided."""
    adopt(agency, BOOK)
    position = propose(agency, "early", "2004-12-31")
    void = agency.void(
        "proposal.submitted:early", reason="twice", on=at("2005-01-02"), by="officer-7"
    ).position
    model.rebuild()

    assert f"voided by #{void}" in steps(agency, model.figures(), "P1", position)[-1].en


def test_explanation_names_its_sources(agency, model):
    """An explanation carries the fact's key, recorder and source, and the rulebook's digest."""
    adopt(agency, BOOK)
    position = propose(agency, "a", "2005-03-02")
    model.rebuild()
    [line] = model.figures().statement("P1", position=position)
    found = explain_posting(agency, line)

    assert (found.key, found.recorded_by, found.source) == (
        "proposal.submitted:a",
        "officer-7",
        "test",
    )
    assert found.recorded_at == NOW
    assert (found.rulebook, found.adopted_on) == ("agency", at("2006-12-01"))
    assert len(found.rulebook_digest) == 64


# -- periods, units, ranking ---------------------------------------------------------------------


def test_ranking_ties(agency, model):
    """People with equal points share a place, and the place after is left out."""
    adopt(agency, BOOK)
    propose(agency, "a", "2005-03-02", P1=50, P2=50)
    propose(agency, "b", "2005-03-03", P3=100)
    propose(agency, "c", "2005-03-04", P4="10", P3="90")
    model.rebuild()
    figures = model.figures()

    assert [(r.place, r.person, r.points) for r in figures.ranking()] == [
        (1, "P3", 19_000),
        (2, "P1", 5_000),
        (2, "P2", 5_000),
        (4, "P4", 1_000),
    ]
    assert [r.person for r in figures.ranking(limit=2)] == ["P3", "P1", "P2"]


def test_periods(agency, model):
    """A day belongs to its month, quarter, half and year, and to no other."""
    adopt(agency, BOOK)
    for number, day in enumerate(("2005-06-30", "2005-07-01", "2005-12-31", "2006-01-01")):
        propose(agency, str(number), day)
    model.rebuild()
    figures = model.figures()

    def points(name: str) -> int:
        return figures.balance("P1", Period.parse(name)).points // 10_000

    assert [points(name) for name in ("2005", "2006", "all")] == [3, 1, 4]
    assert [points(f"2005-{part}") for part in ("H1", "H2", "Q2", "Q3", "Q4")] == [1, 2, 1, 1, 1]
    assert [points(f"2005-{part}") for part in ("06", "07", "12")] == [1, 1, 1]
    assert len(figures.statement("P1", Period.parse("2005-H2"))) == 2


@pytest.mark.parametrize("text", ["", "05", "2005-13", "2005-Q5", "2005-H0", "2005-1", "２００５"])
def test_no_period(text):
    """What is no period is refused with an example of one."""
    with pytest.raises(ValueError, match="2005-H1"):
        Period.parse(text)


def test_unit_by_date_of_transfer(agency, model):
    """Points stay with the unit of the day, also when the transfer is recorded late."""
    adopt(agency, BOOK)
    propose(agency, "a", "2005-03-01")
    propose(agency, "b", "2005-03-02")
    model.rebuild()
    record(agency, MemberTransferred("P1", "SEOUL"), "2005-03-02")
    figures = same_both_ways(model)

    assert [(r.person, r.points) for r in figures.ranking(unit="HQ")] == [("P1", 10_000)]
    assert [(r.person, r.points) for r in figures.ranking(unit="SEOUL")] == [("P1", 10_000)]
    assert figures.tenure("P1", at("2005-03-01")).unit == "HQ"
    assert figures.tenure("P1", at("2005-03-02")).unit == "SEOUL"
    assert figures.tenure("P1", at("2004-01-01")) is None


def test_no_unit_after_leaving(agency, model):
    """What comes after a person left counts for the person, but for no unit any more."""
    adopt(agency, BOOK)
    propose(agency, "a", "2005-03-01")
    record(agency, MemberLeft("P1"), "2005-03-31")
    adopted = record(agency, ProposalAdopted("a", "gold"), "2005-04-01")
    figures = same_both_ways(model)
    [line] = figures.statement("P1", position=adopted)

    assert (line.unit, line.points) == (None, 100_000)
    assert [r.points for r in figures.ranking(unit="HQ")] == [10_000]


def test_last_day_of_service(agency, model):
    """The day of leaving is the last on which the unit still counts."""
    adopt(agency, BOOK)
    record(agency, MemberLeft("P1"), "2005-03-31")
    propose(agency, "a", "2005-03-31")
    figures = same_both_ways(model)

    assert figures.statement("P1")[0].unit == "HQ"
    assert figures.tenure("P1", at("2005-04-01")).status == "left"


# -- rules and caps ------------------------------------------------------------------------------


def test_half_an_unit_is_rounded_up(agency, model):
    """Points per hour are rounded to 1/10,000 point, half a unit upwards."""
    adopt(agency, BOOK.replace("points = 0.5", "points = 0.0001"))
    hold_sessions(agency, "2005-02-01", hours="0.4999")
    held = LearningClubSessionHeld("c", "half", "주제", Decimal("0.5"), ("P1",))
    record(agency, held, "2005-02-02")
    model.rebuild()

    lines = model.figures().statement("P1")
    assert [line.points for line in lines if line.hours] == [0, 1]


def test_shares_need_somebody_who_declared_them(agency):
    """A rule cannot divide by shares what has none: everybody would get all of it."""
    text = BOOK.replace('per = "hour"', 'split = "share"')

    problems = check_rulebook(text, activity_infos(agency.kinds))

    assert [(problem.code, problem.severity) for problem in problems] == [("no-shares", "error")]
    assert "learning_club.session_held" in problems[0].message


def test_cap_in_force_on_the_day(agency, model):
    """A cap that is raised within its period gives new room, and what is used stays used."""
    limits = (
        'values = [ { from = 2005-01-01, points = 2, clause = "7" },'
        ' { from = 2005-06-01, points = 3, clause = "7a" } ]'
    )
    adopt(agency, BOOK + CAP.partition("values")[0] + limits)
    hold_sessions(agency, "2005-02-01", "2005-03-01", "2005-04-01", "2005-07-01", "2005-08-01")
    figures = same_both_ways(model)

    lines = [line for line in figures.statement("P1") if line.rule]
    assert [line.points // 10_000 for line in lines] == [1, 1, 0, 1, 0]
    assert [line.cuts[0].clause for line in lines if line.cuts] == ["7", "7a"]


def test_lowered_cap_takes_nothing_back(agency, model):
    """A cap that is lowered closes the rest of the period, and leaves what was given."""
    limits = (
        'values = [ { from = 2005-01-01, points = 3, clause = "7" },'
        ' { from = 2005-06-01, points = 1, clause = "7a" } ]'
    )
    adopt(agency, BOOK + CAP.partition("values")[0] + limits)
    hold_sessions(agency, "2005-02-01", "2005-03-01", "2005-07-01", "2006-02-01", "2006-02-02")
    figures = same_both_ways(model)

    lines = [line for line in figures.statement("P1") if line.rule]
    assert [line.points // 10_000 for line in lines] == [1, 1, 0, 1, 0]


def test_cap_changes_from_quarters_to_halves(agency, model):
    """A cap that counts in quarters, then in halves, mixes no quarter with a half."""
    adopt(agency, BOOK + CAP.replace('"year"', '"quarter"'))
    adopt(agency, BOOK + CAP.replace('"year"', '"half"'), since="2005-03-15")
    hold_sessions(
        agency, "2005-02-01", "2005-02-02", "2005-02-03", "2005-04-01", "2005-04-02", "2005-04-03"
    )
    figures = same_both_ways(model)

    # In the first quarter 2 of 2 are used. The half is another sum, with room of its own.
    lines = [line for line in figures.statement("P1") if line.rule]
    assert [line.points // 10_000 for line in lines] == [1, 1, 0, 1, 1, 0]


# -- corrections of what others build upon -------------------------------------------------------


def test_club_registered_again(agency, model):
    """A thing recorded again after a correction is shown under the title that stands."""
    adopt(agency, BOOK)
    record(agency, LearningClubRegistered("c", "Zebra", "P1"), "2005-02-01")
    model.catch_up()
    agency.void("learning_club.registered:c", reason="wrong", on=at("2005-02-02"), by="o")
    model.catch_up()
    record(agency, LearningClubRegistered("c", "Aardvark", "P2"), "2005-02-03", key="again")
    figures = same_both_ways(model)

    assert [line.title for line in figures.statement("P2")] == ["Aardvark"]


def test_unit_established_again(agency, model):
    """A unit whose founding was voided can be established again."""
    model.catch_up()
    record(agency, UnitEstablished("X", "옛 이름", "Old name"), "2005-02-01")
    model.catch_up()
    agency.void("unit.established:X", reason="wrong", on=at("2005-02-02"), by="o")
    model.catch_up()
    record(agency, UnitEstablished("X", "새 이름", "New name"), "2005-02-03", key="again")
    record(agency, MemberTransferred("P1", "X"), "2005-02-04")
    figures = same_both_ways(model)

    assert figures.query("SELECT name_en FROM units WHERE unit = 'X'") == [("New name",)]
    assert figures.tenure("P1", at("2005-02-04")).unit == "X"


def test_unit_that_ends(agency, model):
    """A unit is listed with its end, as a fact says, and without it when that was an error."""
    record(agency, UnitEstablished("X", "이름", "Name"), "2005-02-01")
    model.catch_up()
    record(agency, UnitMerged("X", "HQ"), "2005-07-01")
    figures = same_both_ways(model)
    ended = "SELECT day_until FROM units WHERE unit = 'X'"
    assert figures.query(ended) == [(20050701,)]

    with model.figures_at(as_of=at("2005-06-30")) as before:
        assert before.query(ended) == [(99991231,)]
    agency.void("unit.merged:X", reason="wrong", on=at("2005-07-02"), by="o")
    figures = same_both_ways(model)
    assert figures.query(ended) == [(99991231,)]
    with model.figures_at(as_of=at("2005-07-01")) as before:
        assert before.query(ended) == [(20050701,)]
    record(agency, UnitAbolished("X", "no use"), "2005-09-01")
    assert same_both_ways(model).query(ended) == [(20050901,)]


def test_voided_unit_is_no_unit(agency, model):
    """A unit whose founding was voided is not listed, and is again when the void is voided."""
    record(agency, UnitEstablished("X", "이름", "Name"), "2005-02-01")
    model.catch_up()
    agency.void("unit.established:X", reason="wrong", on=at("2005-02-02"), by="o")
    figures = same_both_ways(model)
    assert figures.query("SELECT 1 FROM units WHERE unit = 'X'") == []

    agency.void(
        "fact.voided:unit.established:X", reason="right after all", on=at("2005-02-03"), by="o"
    )
    figures = same_both_ways(model)
    assert figures.query("SELECT 1 FROM units WHERE unit = 'X'") == [(1,)]


def test_void_of_a_void(agency, model):
    """What a voided correction had taken away stands again."""
    adopt(agency, BOOK)
    propose(agency, "a", "2005-03-02")
    agency.void("proposal.submitted:a", reason="twice", on=at("2005-03-05"), by="o")
    assert same_both_ways(model).balance("P1").points == 0

    agency.void("fact.voided:proposal.submitted:a", reason="no", on=at("2005-03-06"), by="o")
    assert same_both_ways(model).balance("P1").points == 10_000


def test_voided_fact_still_counted_before(agency, model):
    """As of a day before the correction took effect, the fact still counts."""
    agency.adopt_rulebook(BOOK, rulebook="agency", on=at("2005-01-01"), by="c")
    propose(agency, "a", "2005-03-02")
    agency.void("proposal.submitted:a", reason="twice", on=at("2005-06-01"), by="o")
    model.rebuild()

    with model.figures_at(as_of=at("2005-05-31")) as figures:
        assert figures.balance("P1").points == 10_000
    with model.figures_at(as_of=at("2005-06-01")) as figures:
        assert figures.balance("P1").points == 0


# -- keeping up and rebuilding -------------------------------------------------------------------


def test_dry_run(agency, model):
    """A dry run shows who gains and why, and publishes nothing."""
    adopt(agency, BOOK)
    propose(agency, "a", "2005-03-02", P1=50, P2=50)
    record(agency, ProposalAdopted("a", "gold"), "2005-04-01")
    model.rebuild()
    before = model.figures().content_digest(), sorted(model.folder.iterdir())
    adopt(agency, BOOK.replace("gold = 10", "gold = 12"), since="2005-04-01")

    shown = model.rebuild(dry_run=True)

    assert not shown.published
    assert not shown.path.exists()
    assert [(d.person, d.before, d.after, d.change) for d in shown.differences] == [
        ("P1", 55_000, 65_000, 10_000),
        ("P2", 55_000, 65_000, 10_000),
    ]
    assert [(r.rule, r.before, r.after) for r in shown.differences[0].reasons] == [
        ("adopted", 50_000, 60_000)
    ]
    assert (model.figures().content_digest(), sorted(model.folder.iterdir())) == before

    published = model.rebuild()
    assert published.published
    assert published.differences == shown.differences
    assert model.rebuild().differences == ()


def test_adoption_waits_for_a_rebuild(agency, model):
    """A catch-up takes in facts under the old rules, and says that new ones wait."""
    adopt(agency, BOOK)
    model.rebuild()
    propose(agency, "a", "2005-03-02")
    adopt(agency, BOOK.replace("points = 1,", "points = 3,"), since="2005-03-01")
    adopted = agency.position
    propose(agency, "b", "2005-03-03")

    assert model.catch_up().pending_rulebook == adopted
    assert model.catch_up().pending_rulebook == adopted
    assert model.figures().balance("P1").points == 20_000

    model.rebuild()
    assert model.catch_up().pending_rulebook == 0
    assert model.figures().balance("P1").points == 60_000


def test_voided_adoption_waits_for_a_rebuild(agency, model):
    """An adoption that is voided changes figures, so it waits for a rebuild too."""
    adopt(agency, BOOK)
    adoption = agency.position
    propose(agency, "a", "2005-03-02")
    model.rebuild()
    [item] = agency.facts(adoption - 1, upto=adoption)
    void = agency.void(item.fact.key, reason="not voted", on=at("2006-12-02"), by="o").position

    assert model.catch_up().pending_rulebook == void
    assert model.figures().balance("P1").points == 10_000

    model.rebuild()
    assert model.figures().balance("P1").points == 0


def test_far_behind(agency, model, monkeypatch):
    """Far behind, a catch-up builds anew, under the old rules, and says that new ones wait."""
    monkeypatch.setattr(readmodel, "CATCH_UP_FACTS_MAX", 20)
    adopt(agency, BOOK)
    model.rebuild()
    adopt(agency, BOOK.replace("points = 1,", "points = 3,"), since="2005-03-01")
    adopted = agency.position
    for number in range(30):
        propose(agency, str(number), "2005-03-02")

    done = model.catch_up()

    assert (done.facts, done.position) == (31, agency.position)
    assert done.pending_rulebook == adopted
    assert model.catch_up().pending_rulebook == adopted
    assert model.figures().balance("P1").points == 300_000
    model.rebuild()
    assert model.figures().balance("P1").points == 900_000


def test_thousands_of_facts(agency, model):
    """A catch-up over more than two thousand facts gives what a rebuild gives."""
    adopt(agency, BOOK)
    model.rebuild()
    agency.record_all(
        Command(
            ProposalSubmitted(str(number), "Title", "paper", shares({f"P{number % 4 + 1}": 100})),
            at("2005-03-02"),
            "import",
        )
        for number in range(2_100)
    )

    done = model.catch_up()

    assert done.facts == 2_100
    assert model.figures().balance("P1").points == 525 * 10_000
    assert same_both_ways(model).position == agency.position


def test_bad_rulebook_leaves_the_model(agency, model):
    """An adopted text that cannot be used stops a rebuild and leaves the model in service."""
    adopt(agency, BOOK)
    propose(agency, "a", "2005-03-02")
    model.rebuild()
    before = model.figures().content_digest()
    adopt(agency, "no rulebook")

    with pytest.raises(RulebookError) as caught:
        model.rebuild()

    assert isinstance(caught.value, MileageError)
    assert model.figures().content_digest() == before
    assert not list(model.folder.glob("*.part*"))


# -- stored facts that are not what was recorded -------------------------------------------------


def tamper(ledger: Ledger, position: int, change: str, value: Any = None) -> None:
    """Change a stored fact behind the ledger's back."""
    connection = sqlite3.connect(ledger.path)
    for name in ("update", "replace", "delete"):
        connection.execute(f"DROP TRIGGER stored_events_no_{name}")
    connection.execute("DROP INDEX stored_events_key")
    params = (value, position) if "?" in change else (position,)
    connection.execute(f"UPDATE stored_events SET {change} WHERE position = ?", params)
    connection.commit()
    connection.close()


def replaced(old: str, new: str) -> str:
    return f"state = CAST(replace(CAST(state AS TEXT), '{old}', '{new}') AS BLOB)"


DAMAGE = {
    "a number as text": replaced('"hours":20000', '"hours":"20000"'),
    "a float": replaced('"hours":20000', '"hours":20000.0'),
    "a fraction": replaced('"hours":20000', '"hours":19999.6'),
    "null": replaced('"hours":20000', '"hours":null'),
    "negative": replaced('"hours":20000', '"hours":-20000'),
    "absurd": replaced('"hours":20000', '"hours":99990000'),
    "a field is missing": replaced('"hours":20000,', ""),
    "a field too many": replaced('"hours":20000', '"hours":20000,"points":1'),
    "a field of the envelope too many": replaced('"source"', '"points":1,"source"'),
    "a field of the envelope is missing": replaced(',"source":"test"', ""),
    "a day that does not exist": replaced("2005-02-01", "2005-02-30"),
    "a day written otherwise": replaced("2005-02-01", "2005/02/01"),
    "no day": replaced('"2005-02-01"', "null"),
    "an instant written otherwise": replaced("T03:00:00.000000Z", " 03:00:00"),
    "people as one text": replaced('["P1","P2"]', '"P1"'),
    "nobody": replaced('["P1","P2"]', "[]"),
    "one twice": replaced('["P1","P2"]', '["P1","P1"]'),
    "somebody unknown": replaced('["P1","P2"]', '["P1","P9"]'),
    "another thing's": replaced('"club":"c"', '"club":"d"'),
    "not canonical": replaced('"hours":20000', '"hours": 20000'),
    "not JSON": "state = CAST('not JSON' AS BLOB)",
    "cut off": "state = CAST(substr(CAST(state AS TEXT), 1, 60) AS BLOB)",
    "not UTF-8": "state = CAST(X'FF' || substr(state, 2) AS BLOB)",
    "an unknown topic": "topic = 'session.unknown'",
    "a later version": "topic = 'learning_club.session_held@2'",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_damaged_fact(agency, model, damage):
    """A stored fact that is not what was recorded stops the replay, by its position."""
    adopt(agency, BOOK)
    hold_sessions(agency, "2005-02-01")
    position = agency.position
    propose(agency, "after", "2005-03-01")
    model.rebuild()
    before = model.figures().content_digest()
    tamper(agency, position, damage)

    with pytest.raises(CorruptFact) as caught:
        model.rebuild()

    assert caught.value.position == position
    assert f"#{position}" in str(caught.value)
    assert model.figures().content_digest() == before
    assert [path.name for path in model.folder.iterdir() if "part" in path.name] == []


def test_damaged_shares(agency, model):
    """Shares that do not make a whole, or of less than nothing, stop the replay."""
    position = propose(agency, "a", "2005-03-01", P1=60, P2=40)
    tamper(agency, position, replaced('"share":600000', '"share":600001'))
    with pytest.raises(CorruptFact) as caught:
        model.rebuild()
    assert caught.value.position == position


def test_damaged_fact_stops_a_catch_up(agency, model):
    """A catch-up stops at a damaged fact and leaves the figures where they were."""
    adopt(agency, BOOK)
    model.rebuild()
    before = model.figures().content_digest()
    propose(agency, "a", "2005-03-01")
    hold_sessions(agency, "2005-02-01")
    tamper(agency, agency.position, DAMAGE["a float"])

    with pytest.raises(CorruptFact):
        model.catch_up()

    assert model.figures().content_digest() == before


# -- kinds of one's own, and older versions of them ----------------------------------------------


def own_kinds(version: int) -> tuple[Kinds, type]:
    """The product's kinds and one more, in its first or second version."""
    registry = Kinds()
    for category in ("ledger", "rulebook", "unit", "member", "proposal"):
        registry.add_programme(kind_modules.kinds.programme(category))
    for each in kind_modules.kinds:
        if each.category in {"ledger", "rulebook", "unit", "member", "proposal", ""}:
            registry.add(each)
    registry.add_programme(Programme("mentoring", Label("멘토링", "Mentoring")))
    options: dict[str, Any] = {
        "ko": "멘토링",
        "en": "Mentoring",
        "category": "mentoring",
        "id_fields": ("pair",),
        "identity": ("pair", "occurred_on"),
        "activity": Activity(people="mentor", hours="hours"),
        "registry": registry,
    }
    if version == 1:

        @kind("mentoring.held", title="topic", **options)
        @attrs.frozen
        class Held(Data):
            """A mentor and a junior meet."""

            pair: Annotated[str, Code("짝", "Pair")]
            mentor: Annotated[str, Person("멘토", "Mentor")]
            hours: Annotated[Decimal, Hours("시간", "Hours")]
            topic: Annotated[str, Text("주제", "Topic", length_max=500)]

        return registry, Held

    def upcast(stored: dict[str, Any]) -> dict[str, Any]:
        return {**stored, "place": "office"}

    @kind("mentoring.held", title="topic", version=2, upcasts={1: upcast}, **options)
    @attrs.frozen
    class HeldSomewhere(Data):
        """A mentor and a junior meet somewhere."""

        pair: Annotated[str, Code("짝", "Pair")]
        mentor: Annotated[str, Person("멘토", "Mentor")]
        hours: Annotated[Decimal, Hours("시간", "Hours")]
        topic: Annotated[str, Text("주제", "Topic", length_max=500)]
        place: Annotated[str, Text("장소", "Place")]

    return registry, HeldSomewhere


def own_tasks(version: int) -> tuple[Kinds, type]:
    """The product's kinds, with tasks of another making, in its first or second version."""
    registry = Kinds()
    for category in ("ledger", "rulebook", "unit", "member"):
        registry.add_programme(kind_modules.kinds.programme(category))
    for each in kind_modules.kinds:
        if each.category in {"ledger", "rulebook", "unit", "member", ""}:
            registry.add(each)
    registry.add_programme(Programme("task", Label("과제", "Task")))
    options: dict[str, Any] = {
        "ko": "과제",
        "en": "Task",
        "category": "task",
        "id_fields": ("task",),
        "registry": registry,
    }
    if version == 1:

        @kind("task.assigned", **options)
        @attrs.frozen
        class Given(Data):
            """A task is given, to be done some day."""

            task: Annotated[str, Code("과제", "Task")]

        return registry, Given

    def upcast(stored: dict[str, Any]) -> dict[str, Any]:
        return {**stored, "due_on": "2005-02-28"}

    @kind("task.assigned", version=2, upcasts={1: upcast}, **options)
    @attrs.frozen
    class GivenWithDate(Data):
        """A task is given, to be done by a day."""

        task: Annotated[str, Code("과제", "Task")]
        due_on: Annotated[date, Day("기한", "Due on")]

    return registry, GivenWithDate


def test_older_version_in_questions_to_the_facts(tmp_path):
    """What is asked of the facts themselves is answered by both versions of a kind alike."""
    registry, given = own_tasks(1)
    path = tmp_path / "own.sqlite"
    with make_ledger(path, kinds=registry) as ledger:
        record(ledger, given("a"), "2005-02-01")
        record(ledger, given("gone"), "2005-02-01")
        ledger.void("task.assigned:gone", reason="오기", on=date(2005, 2, 1), by="o")
    registry, given = own_tasks(2)
    with Ledger.open(path, kinds=registry, clock=lambda: NOW) as ledger:
        record(ledger, given("b", date(2005, 12, 1)), "2005-02-03")
        for found in (list(standing_facts(ledger, ["task.assigned"])), ledger.stream("task:a")):
            assert found[0].fact.data == given("a", date(2005, 2, 28))
        assert len(standing_facts(ledger, ["task.assigned"])) == 2
        running, overdue = open_things(ledger, date(2005, 3, 1))
        assert (running.sort, running.count, running.since) == ("task", 2, date(2005, 2, 1))
        assert (overdue.sort, overdue.count, overdue.since) == (
            *("task_overdue", 1),
            date(2005, 2, 28),
        )


MENTORING = """
[[rule]]
id = "mentoring"
title = { ko = "멘토링", en = "Mentoring" }
activity = "mentoring.held"
per = "hour"
values = [ { from = 2005-01-01, points = 2, clause = "제9조" } ]
"""


def test_older_version_in_replay(tmp_path):
    """Facts stored by an earlier version of a kind count beside those of the present one."""
    text = BOOK[: BOOK.index("[[rule]]")] + MENTORING
    registry, held = own_kinds(1)
    path = tmp_path / "own.sqlite"
    with make_ledger(path, kinds=registry) as ledger:
        adopt(ledger, text)
        record(ledger, held("a", "P1", Decimal("1.5"), "First"), "2005-02-01")

    registry, held = own_kinds(2)
    with (
        Ledger.open(path, kinds=registry, clock=lambda: NOW) as ledger,
        ReadModel(ledger) as model,
    ):
        model.rebuild()
        record(ledger, held("a", "P1", Decimal(1), "Second", "café"), "2005-02-02")
        figures = same_both_ways(model)

        lines = figures.statement("P1")
        assert [line.points for line in lines] == [30_000, 20_000]
        assert len({line.thing for line in lines}) == 1
        [first] = ledger.facts(lines[0].position - 1, upto=lines[0].position)
        assert first.fact.data.place == "office"
        assert b"office" in encode(first.fact)


def test_own_kind_about_a_person(tmp_path):
    """An activity of one's own may belong to a person's own stream, and can be voided there."""
    registry, _ = own_kinds(1)

    @kind(
        "member.lectured",
        ko="강의",
        en="Lectured",
        category="member",
        id_fields=("person",),
        identity=("person", "occurred_on"),
        activity=Activity(people="person"),
        registry=registry,
    )
    @attrs.frozen
    class Lectured(Data):
        """A person gives a lecture."""

        person: Annotated[str, Code("구성원", "Person")]

    text = MENTORING.replace("mentoring.held", "member.lectured").replace('per = "hour"', "")
    with (
        make_ledger(tmp_path / "own.sqlite", kinds=registry) as ledger,
        ReadModel(ledger) as model,
    ):
        adopt(ledger, BOOK[: BOOK.index("[[rule]]")] + text)
        record(ledger, Lectured("P1"), "2005-02-01")
        assert same_both_ways(model).balance("P1").points == 20_000

        key = "member.lectured:P1:2005-02-01"
        ledger.void(key, reason="cancelled", on=at("2005-02-02"), by="o")
        assert same_both_ways(model).balance("P1").points == 0


def test_titles_come_back_as_they_were(agency, model):
    """Whatever a title may hold is read back in columns exactly, and is found damaged if not."""
    titles = [
        'a "quoted" \\ title',
        "tab\tand\nlines\r\n",
        "emoji 🙂, \u2028, \u00ad, \ue000, \ufffd",
        "한글 café ﬁ",
        "/ </script> 'x' --",
        "\u0085 \u200b x",
    ]
    for number, title in enumerate(titles):
        data = ProposalSubmitted(str(number), title, "paper", shares({"P1": 100}))
        record(agency, data, "2005-02-01")
    figures = same_both_ways(model)

    assert [line.title for line in figures.statement("P1")] == titles


def test_build_leaves_no_half_file(agency, tmp_path, monkeypatch):
    """A build that fails while it writes leaves no file behind."""

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mileage.projections.publish.create_views", fail)
    path = tmp_path / "model.sqlite"

    with pytest.raises(OSError, match="No space"):
        build_read_model(agency, path)

    assert not path.exists()


def test_as_of_a_day_to_come(agency, model):
    """As of a day after all that happened, the figures in service answer."""
    adopt(agency, BOOK)
    propose(agency, "a", "2005-03-02")
    model.rebuild()

    with model.figures_at(as_of=NOW.date() + timedelta(days=1)) as figures:
        assert figures is model.figures()
