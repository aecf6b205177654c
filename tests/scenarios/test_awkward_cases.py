"""Cases that real organisations run into, each told as a short story with its answer."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from mileage.ledger import (
    AwardGranted,
    PointsConfirmed,
    PointsDenied,
    PointsHeld,
    PointsReleased,
    ProposalAdopted,
    ProposalGraded,
    ProposalHeld,
    ProposalMerged,
    ProposalSubmitted,
    Refused,
    UnitEstablished,
    format_amount,
    shares,
)
from mileage.ledger.kinds.evaluation import EvaluationOpened
from mileage.ledger.kinds.unit import UnitMerged
from mileage.projections import Period, awards, explain_posting
from mileage.projections.competition import unit_ranking
from mileage.projections.ratios import rounded
from story import Office, rulebook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHARED = rulebook("""
[[rule]]
id = "adopted"
activity = "proposal.adopted"
split = "share"
values = [ { from = 2005-01-01, points = 10, clause = "제2조" } ]
""")
CAPPED = (
    SHARED
    + """
[[cap]]
id = "year"
title = { ko = "연 한도", en = "Year's cap" }
rules = ["adopted"]
period = "year"
values = [ { from = 2005-01-01, points = 12, clause = "제7조" } ]
"""
)
SUBMITTED = """
[[rule]]
id = "submitted"
title = { ko = "제안 제출", en = "Proposal submitted" }
activity = "proposal.submitted"
split = "share"
values = [ { from = 2005-01-01, points = 1, clause = "제1조" } ]
"""
IN_RANK = CAPPED.replace('period = "year"', 'period = "rank"')
MERGING = (
    SHARED
    + """
[[evaluation]]
id = "units"
title = { ko = "평가", en = "Evaluation" }
values = [ { from = 2005-01-01, weights = { all = 100 }, clause = "표1" } ]

[[evaluation.group]]
id = "bureaus"
title = { ko = "국", en = "Bureaus" }
units = ["OLD", "NEW", "BIG"]

[[evaluation.area]]
id = "all"
title = { ko = "모두", en = "All" }
elements = [ { id = "points", title = { ko = "점수", en = "Points" }, source = "points-per-head" } ]
"""
)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    opened = Office(tmp_path)
    yield opened
    opened.close()


def test_share_of_an_author_at_the_cap_is_gone(office):
    """50/30/20 of 10 points, one author at the cap: what is clipped is gone, and is explained."""
    office.adopt(CAPPED, "2005-01-01")
    office.proposes("2005-02-01", "own", "A")
    office.adopted("2005-02-02", "own", "gold")
    office.proposes("2005-03-01", "joint", A=50, B=30, C=20)
    office.adopted("2005-03-02", "joint", "gold")

    assert office.points("A", "B", "C") == ["12", "3", "2"]
    *_, line = office.model.figures().statement("A")
    [cut] = line.cuts
    assert (line.gross, cut.points, line.points) == (50_000, 30_000, 20_000)
    assert line.gross == line.points + cut.points


def test_coauthor_found_later_shifts_points_and_adds_none(office):
    """The split is corrected by a void and a new submission: what moves adds up to nothing."""
    office.adopt(SHARED, "2005-01-01")
    office.proposes("2005-02-01", "idea", "A")
    office.adopted("2005-02-10", "idea", "gold")
    assert office.points("A", "B") == ["10", "0"]

    for day, key in (("2005-02-10", "adopt-idea"), ("2005-02-01", "submit-idea")):
        office.void(day, key, reason="공동 제안자 누락", known="2005-06-01")
    office.record("2005-02-01", office.submission("idea", A=70, B=30), "again", known="2005-06-01")
    office.record("2005-02-10", ProposalAdopted("idea", "gold"), "decided", known="2005-06-01")

    assert office.points("A", "B") == ["7", "3"]


def test_transfer_in_mid_month_leaves_the_total_alone(office):
    """Each bureau counts what was done while the person was there."""
    office.adopt(SHARED, "2005-01-01")
    for day in ("2005-03-10", "2005-03-20"):
        office.proposes(day, day, "A")
        office.adopted(day, day, "gold")
    office.transferred("2005-03-15", "A", "SEOUL", known="2005-04-01")

    assert office.points("A") == ["20"]
    figures = office.model.figures()
    for unit in ("HQ", "SEOUL"):
        [place] = [row for row in figures.ranking(unit=unit) if row.points]
        assert (place.person, place.points) == ("A", 100_000)


def test_promotion_within_the_year_begins_a_new_cap(office):
    """The cap of a rank starts anew; an award graded late belongs to the rank held on its day."""
    office.adopt(IN_RANK, "2005-01-01")
    for number, day in enumerate(("2005-02-01", "2005-03-01")):
        office.proposes(day, f"p{number}", "A")
        office.adopted(day, f"p{number}", "gold")
    assert office.points("A") == ["12"]

    office.promoted("2005-07-01", "A", "G5")
    office.proposes("2005-06-01", "late", "A")
    office.adopted("2005-06-20", "late", "gold", known="2005-08-01")  # the old rank's
    assert office.points("A") == ["12"]
    office.proposes("2005-08-02", "new", "A")
    office.adopted("2005-08-03", "new", "gold")

    assert office.points("A") == ["22"]


def test_promotion_recorded_late_moves_the_cap(office):
    """A promotion that becomes known in December counts from July, and so does its cap."""
    office.adopt(IN_RANK, "2005-01-01")
    for number, day in enumerate(("2005-02-01", "2005-08-01")):
        office.proposes(day, f"p{number}", "A")
        office.adopted(day, f"p{number}", "gold")
    assert office.points("A") == ["12"]

    office.promoted("2005-07-01", "A", "G5", known="2005-12-01")

    assert office.points("A") == ["20"]


def test_rule_raised_in_march_from_january_for_someone_at_the_cap(office):
    """12 instead of 10 from 1 January: who is at the cap of 12 gains 2, not 4."""
    office.adopt(CAPPED, "2005-01-01")
    office.proposes("2005-01-10", "one", "A")
    office.adopted("2005-01-20", "one", "gold")
    assert office.points("A") == ["10"]
    office.proposes("2005-02-01", "two", A=50, B=50)
    office.adopted("2005-02-02", "two", "gold")
    assert office.points("A", "B") == ["12", "5"]

    raised = CAPPED.replace("points = 10,", "points = 12,")
    office.adopt(raised, "2005-03-15", since="2005-01-01", reason="2월 위원회 의결")

    assert office.points("A", "B") == ["12", "6"]


def test_clearer_wording_does_not_touch_acts_before_it(office):
    """A text adopted from July on leaves what was done before to the text of that time."""
    office.adopt(SHARED, "2005-01-01")
    office.proposes("2005-02-01", "before", "A")
    office.adopted("2005-06-30", "before", "bronze")
    clearer = SHARED.replace("points = 10,", "points = { gold = 10, silver = 10 },")
    office.adopt(clearer, "2005-06-30", since="2005-07-01")
    office.proposes("2005-07-01", "after", "B")
    office.adopted("2005-07-02", "after", "bronze")

    assert office.points("A", "B") == ["10", "0"]


def test_appeal_what_was_known_on_that_day(office):
    """An award is void after an objection and stands again on appeal; each day's answer remains."""
    office.adopt(SHARED, "2005-01-01")
    office.proposes("2005-02-01", "idea", "A")
    office.adopted("2005-02-02", "idea", "gold")
    office.void("2005-03-01", "adopt-idea", reason="이의 신청")
    assert office.points("A") == ["0"]
    *_, objection = office.ledger.facts()
    office.void("2005-05-01", objection.fact.key, reason="이의 기각")
    assert office.points("A") == ["10"]

    for day, known in (("02-20", 100_000), ("04-01", 0), ("05-20", 100_000)):
        moment = datetime.fromisoformat(f"2005-{day}T03:00").replace(tzinfo=UTC)
        with office.model.figures_at(known_at=moment) as figures:
            assert figures.balance("A").points == known


def test_last_minute_of_the_year_in_seoul(office):
    """A fact of 31 December recorded in January counts in the year in which it was done."""
    office.adopt(CAPPED, "2005-01-01")
    office.proposes("2005-12-01", "idea", "A")
    office.adopted("2005-12-31", "idea", "gold", known="2006-01-03")

    assert office.points("A") == ["10"]
    balance = office.model.figures().balance("A", Period.parse("2005-12"))
    assert format_amount(balance.points) == "10"


def test_held_proposal_adopted_two_years_later(office):
    """The day of the decision is the day that counts for points and for the cap."""
    office.adopt(CAPPED, "2005-01-01")
    office.proposes("2005-02-01", "held", "A")
    office.record("2005-04-01", ProposalHeld("held", "법령 개정 후 재심사"), "hold")
    office.adopted("2007-02-01", "held", "gold")

    assert office.points("A") == ["10"]
    figures = office.model.figures()
    assert figures.balance("A", Period.parse("2005")).points == 0
    assert figures.balance("A", Period.parse("2007")).points == 100_000
    told = [item.fact.kind.label.ko for item in office.ledger.stream("proposal:held")]
    assert told == ["제안 제출", "제안 보류", "제안 채택"]


def test_grade_decided_after_promotion_belongs_to_the_rank_of_that_day(office):
    """A late grade is of the rank held when it is decided, unless it is dated before that."""
    graded = IN_RANK.replace("proposal.adopted", "proposal.graded")
    office.adopt(graded, "2005-01-01")
    for name, decided in (("one", "2005-06-01"), ("two", "2005-08-01")):
        office.proposes("2005-02-01", name, "A")
        office.record("2005-03-01", ProposalAdopted(name), f"adopt-{name}")
        if name == "two":
            office.promoted("2005-07-01", "A", "G5")
        office.record(decided, ProposalGraded(name, "gold"), f"grade-{name}")
    assert office.points("A") == ["20"]

    office.void("2005-08-01", "grade-two", reason="채택일 기준", known="2005-09-01")
    office.record("2005-03-01", ProposalGraded("two", "gold"), "dated back", known="2005-09-01")

    assert office.points("A") == ["12"]


def test_the_same_proposal_by_two_channels(office):
    """Sent twice under one key it is one fact; under two, a ruling says which of them stands."""
    office.adopt(SHARED + SUBMITTED, "2005-01-01")
    online = office.submission("online-7", A=60, B=40)
    first = office.record("2005-02-01", online, "portal:7")
    assert office.record("2005-02-01", online, "portal:7") == first

    paper = ProposalSubmitted("paper-3", "제안 online-7", "paper", shares({"A": 60, "B": 40}))
    office.record("2005-02-03", paper, "desk:3")
    office.adopted("2005-03-01", "paper-3", "gold")
    assert office.points("A", "B") == ["7.2", "4.8"]

    ruling = ProposalMerged("paper-3", "online-7", "2005년 제3차 제안심사위원회 의결")
    office.record("2005-04-01", ruling, "ruling")
    assert office.points("A", "B") == ["0.6", "0.4"]
    office.adopted("2005-04-01", "online-7", "gold")

    assert office.points("A", "B") == ["6.6", "4.4"]
    moment = datetime.fromisoformat("2005-03-20T03:00").replace(tzinfo=UTC)
    with office.model.figures_at(known_at=moment) as figures:
        assert format_amount(figures.balance("A").points) == "7.2"


def test_duplicate_merged_gives_back_the_room_under_the_cap(office):
    """What the duplicate took of the cap is free for what came after it."""
    office.adopt(CAPPED, "2005-01-01")
    for number, name in enumerate(("same", "other"), 1):
        office.proposes(f"2005-02-0{number}", name, "A")
        office.adopted(f"2005-03-0{number}", name, "gold")
    office.proposes("2005-01-20", "original", "B")
    assert office.points("A") == ["12"]

    office.record("2005-05-01", ProposalMerged("same", "original", "먼저 접수"), "ruling")

    assert office.points("A", "B") == ["10", "0"]


def test_two_departments_merge_on_1_july(office):
    """Averages go by the head-count of each day, the ranking by the structure of the day."""
    office.adopt(MERGING, "2005-01-01")
    for bureau in ("OLD", "NEW", "BIG"):
        office.record("2004-01-01", UnitEstablished(bureau, bureau, bureau))
    for person, bureau in zip("ABCD", ("OLD", "NEW", "BIG", "BIG"), strict=True):
        office.transferred("2004-01-01", person, bureau)
    opened = EvaluationOpened("2005", "2005년", date(2005, 1, 1), date(2005, 12, 31))
    office.record("2005-01-03", opened)
    for name, person in (("a", "A"), ("c", "C"), ("c2", "C")):
        office.proposes("2005-03-02", name, person)
        office.adopted("2005-03-03", name, "gold")
    office.record("2005-07-01", UnitMerged("OLD", "NEW"))
    office.transferred("2005-07-01", "A", "NEW")
    office.proposes("2005-08-02", "b", "B")
    office.adopted("2005-08-03", "b", "gold")
    office.now = datetime(2006, 1, 5, tzinfo=UTC)

    assert office.points("A", "B", "C", "D") == ["10", "10", "20", "0"]
    june = {"OLD": (1, 1_000_000), "NEW": (3, 0), "BIG": (1, 1_000_000)}
    year = {"NEW": (1, 1_000_000), "BIG": (1, 1_000_000)}  # 20 points of two people each
    for day, places in ((date(2005, 6, 30), june), (date(2005, 12, 31), year)):
        with office.model.figures_at(as_of=day) as figures:
            found = unit_ranking(office.ledger, figures, "2005", as_of=day).units
        assert {each.unit: (each.place, rounded(each.total * 10_000)) for each in found} == places


# -- an appeal -----------------------------------------------------------------------------------


def test_an_appeal_puts_points_on_hold_until_it_is_decided(office):
    """Disputed in March, upheld in May: nothing counts between, and each day still answers."""
    office.adopt(CAPPED, "2005-01-01")
    office.proposes("2005-02-01", "one", A=50, B=50)
    office.adopted("2005-02-02", "one", "gold")
    office.proposes("2005-02-03", "two", "A")
    office.adopted("2005-02-04", "two", "gold")
    assert office.points("A", "B") == ["12", "5"]  # 5 and 10, and 12 are let through

    office.record("2005-03-10", PointsHeld("adopt-one", "이의 신청"))
    assert office.points("A", "B") == ["10", "0"]  # what was above the cap has room meanwhile
    [cut] = office.model.figures().statement("B")[-1].cuts
    assert (cut.cause, format_amount(cut.points)) == ("held", "5")
    known = office.now

    office.record("2005-05-02", PointsReleased("adopt-one", "이의 기각"))
    assert office.points("A", "B") == ["12", "5"]
    for asked in ({"as_of": date(2005, 4, 1)}, {"known_at": known}):
        with office.model.figures_at(**asked) as figures:
            assert [format_amount(figures.balance(p).points) for p in "AB"] == ["10", "0"]
    with office.model.figures_at(as_of=date(2005, 3, 9)) as figures:
        assert [format_amount(figures.balance(p).points) for p in "AB"] == ["12", "5"]


def test_an_award_whose_points_are_on_hold_stays_an_award(office):
    """A hold is about points: the award with its certificate is listed, caught up or rebuilt."""
    office.adopt(CAPPED, "2005-01-01")
    award = AwardGranted("A1", "청장상", shares({"A": 100}), "제안 활성화", "2005-001")
    office.record("2005-03-02", award, "award")
    office.record("2005-03-10", PointsHeld("award", "이의 신청"))
    assert office.points("A") == ["0"]  # holds a catch-up against a rebuild

    assert [line.certificate for line in awards(office.model.figures())] == ["2005-001"]
    office.void("2005-04-01", "award")
    assert office.points("A") == ["0"]
    assert awards(office.model.figures()) == []


def test_an_appeal_that_is_lost(office):
    """Denied: it never counts, and says why; a denial recorded in error is voided."""
    office.adopt(SHARED, "2005-01-01")
    office.proposes("2005-02-01", "one", "A")
    office.adopted("2005-02-02", "one", "gold")
    office.record("2005-03-10", PointsHeld("adopt-one", "이의 신청"))
    office.record("2005-05-02", PointsDenied("adopt-one", "표절 인정"), "denial")
    assert office.points("A") == ["0"]
    line = office.model.figures().statement("A")[-1]
    told = explain_posting(office.ledger, line).steps[-2]
    assert (told.ko, told.en) == (
        f"점수 불인정 (#{office.ledger.position}): −10점",
        f"denied by #{office.ledger.position}: −10 points",
    )
    with pytest.raises(Refused, match="counts for nothing"):
        office.record("2005-05-03", PointsHeld("adopt-one", "다시"))

    office.void("2005-05-04", "denial")
    assert office.points("A") == ["0"]  # on hold again
    office.record("2005-05-05", PointsReleased("adopt-one", "인정"))
    assert office.points("A") == ["10"]


def test_a_hold_does_not_outlive_a_void(office):
    """What is voided while it is on hold is void, and a release gives nothing back."""
    office.adopt(SHARED, "2005-01-01")
    office.proposes("2005-02-01", "one", "A")
    office.adopted("2005-02-02", "one", "gold")
    office.record("2005-03-10", PointsHeld("adopt-one", "이의 신청"))
    office.void("2005-03-11", "adopt-one")
    assert office.points("A") == ["0"]
    assert [cut.cause for cut in office.model.figures().statement("A")[-1].cuts] == ["voided"]
    office.record("2005-03-12", PointsReleased("adopt-one", "인정"))
    assert office.points("A") == ["0"]


# -- confirmed by somebody else -------------------------------------------------------------------


def test_pending_until_somebody_else_confirms(office):
    """A department's grant is shown at once and counts once the audit office confirms it."""
    office.adopt(SHARED.replace('split = "share"', 'split = "share"\nconfirm = true'), "2005-01-01")
    office.proposes("2005-02-01", "one", A=60, B=40)
    office.adopted("2005-02-02", "one", "gold")
    assert office.points("A", "B") == ["0", "0"]
    line = office.model.figures().statement("A")[-1]
    assert (format_amount(line.gross), [cut.cause for cut in line.cuts]) == ("6", ["pending"])
    assert explain_posting(office.ledger, line).steps[-2].en == "not confirmed yet: −6 points"

    data = PointsConfirmed("adopt-one")
    with pytest.raises(Refused, match="cannot confirm it"):
        office.record("2005-03-01", data)
    office.now += timedelta(days=27)
    office.ledger.record(data, on=date(2005, 3, 1), by="audit-office", key="confirmation")
    assert office.points("A", "B") == ["6", "4"]
    assert office.model.figures().statement("A")[-1].occurred_on == date(2005, 2, 2)
    with office.model.figures_at(as_of=date(2005, 2, 28)) as figures:
        assert format_amount(figures.balance("A").points) == "0"

    office.void("2005-03-05", "confirmation")
    assert office.points("A", "B") == ["0", "0"]


# -- points relative to another value --------------------------------------------------------------

HALF = """
[[rule]]
id = "awarded"
activity = "contest.awarded"
values = [
  { from = 2005-01-01, points = { percent = 33.3333, of = "adopted" }, clause = "제5조" },
  { from = 2006-01-01, points = { percent = 150, of = "adopted" }, clause = "제5조" },
]

[[rule]]
id = "adopted"
activity = "proposal.adopted"
values = [
  { from = 2005-01-01, points = { gold = 10, silver = 7 }, clause = "제2조" },
  { from = 2005-07-01, points = { gold = 20, silver = 7 }, clause = "제2조" },
]
"""


def test_points_in_percent_of_another_rule(office):
    """A third of what an adoption gives, whatever that is on the day; later half as much again."""
    office.adopt(rulebook(HALF), "2005-01-01")
    office.contest("2005-01-10", "c", "gold", "silver")
    for number, (day, grade) in enumerate(
        [("2005-02-01", "gold"), ("2005-08-01", "gold"), ("2006-02-01", "silver")]
    ):
        office.enters(day, "c", f"e{number}", "ABC"[number])
        office.awarded(day, "c", f"e{number}", grade)

    # 10 × 33.3333 % is 3.33333, to the nearest 1/10,000; 20 × 33.3333 % is 6.66666; 7 × 150 %.
    assert office.points("A", "B", "C") == ["3.3333", "6.6667", "10.5"]
    line = office.model.figures().statement("B")[-1]
    assert (line.rule, str(line.valid_from)) == ("awarded", "2005-07-01")
