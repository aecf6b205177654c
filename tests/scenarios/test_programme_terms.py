"""For whom programmes are and who is left out, each told as a short story with its answer."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from auditor import Audit
from mileage.ledger import (
    MemberJoined,
    MemberLeaveEnded,
    MemberLeaveStarted,
    MemberLeft,
    Refused,
    SanctionImposed,
    SanctionLifted,
)
from mileage.projections import eligible, explain_candidate, explain_sanction
from personnel import Personnel, rules

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TRAINING = """
[[programme]]
id = "training"
period = "year"
{whom}
values = [ {{ from = 2005-01-01, threshold = {threshold}, {quota}clause = "제12조" }} ]
tie = {{ break_by = [], otherwise = "exclude" }}
"""


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Personnel]:
    opened = Personnel(tmp_path)
    yield opened
    opened.close()


def adopt(office: Personnel, whom: str, *, threshold: str = "5", quota: str = "") -> None:
    """Adopt a rulebook with a programme for some people only."""
    text = TRAINING.format(whom=whom, threshold=threshold, quota=quota and f"quota = {quota}, ")
    office.adopt(rules(text), "2005-01-01")


def audited(office: Personnel, day: str) -> dict[str, str]:
    """What becomes of everybody, which is also what the auditor says."""
    found = office.outcomes("training", day)
    audit = Audit(office.ledger).eligible("training", date.fromisoformat(day))
    assert found == {person: outcome for person, (outcome, _) in audit.items()}
    return found


def told(office: Personnel, person: str, day: str) -> tuple[str, str]:
    """Why somebody is in or out, in Korean and English."""
    office.model.catch_up()
    selection = eligible(office.model.figures(), "training", date.fromisoformat(day))
    label = explain_candidate(selection, selection.of(person))
    return label.ko, label.en


# -- units -----------------------------------------------------------------------------------


def test_programme_of_a_unit_and_what_is_below_it(office):
    """Who serves in the unit or below it on the day is in; who moved away before the day is not."""
    adopt(office, 'units = ["HQ"]')
    for person in "ABCD":
        office.earns("2005-03-02", person, "five")
    office.transferred("2005-06-01", "A", "HQ-INNOV")
    office.transferred("2005-06-01", "B", "SEOUL")
    office.transferred("2005-12-31", "C", "SEOUL")

    assert audited(office, "2005-12-30") == {
        "A": "selected",
        "B": "other_unit",
        "C": "selected",
        "D": "selected",
    }
    assert audited(office, "2005-12-31")["C"] == "other_unit"
    assert told(office, "B", "2005-12-31") == ("대상 소속(HQ)이 아님", "only for the units HQ")


def test_programme_of_a_unit_below_leaves_out_the_unit_above(office):
    """A programme of a team is not for the bureau that it is part of."""
    adopt(office, 'units = ["HQ-INNOV", "SEOUL"]')
    office.earns("2005-03-02", "A", "five")
    office.earns("2005-03-02", "B", "five")
    office.transferred("2005-06-01", "B", "HQ-INNOV")

    assert {p: o for p, o in audited(office, "2005-12-31").items() if p in "AB"} == {
        "A": "other_unit",
        "B": "selected",
    }


def test_ranks_and_units_together(office):
    """Where a programme names ranks and units, one has to have both; the rank is said first."""
    adopt(office, 'ranks = ["G6"]\nunits = ["SEOUL"]')
    for person in "ABC":
        office.earns("2005-03-02", person, "five")
        office.transferred("2005-04-01", person, "SEOUL")
    office.promoted("2005-05-01", "B", "G5")
    office.transferred("2005-06-01", "C", "HQ")

    found = audited(office, "2005-12-31")
    assert [found[person] for person in "ABC"] == ["selected", "other_rank", "other_unit"]


def test_quota_in_percent_is_of_the_unit(office):
    """Half of those who serve in the unit, those on leave included, and of nobody else."""
    adopt(office, 'units = ["SEOUL"]', quota='{ percent = 50, of = "serving", round = "down" }')
    for person in "ABCD":
        office.earns("2005-03-02", person, "five")
    for person in "AB":
        office.transferred("2005-06-01", person, "SEOUL")
    office.earns("2005-03-03", "A", "one")

    found = audited(office, "2005-12-31")
    assert (found["A"], found["B"]) == ("selected", "beyond_quota")


def test_grant_to_somebody_of_another_unit_needs_a_reason(office):
    """The rule does not propose people of other units; a grant beside it says why."""
    adopt(office, 'units = ["SEOUL"]')
    office.earns("2005-03-02", "A", "five")

    with pytest.raises(Refused, match="A: other unit"):
        office.grants("2005-12-31", "training", "A")
    assert len(office.grants("2005-12-31", "training", "A", reason="파견")) == 1


# -- sanctions -------------------------------------------------------------------------------


def sanctioned(
    office: Personnel, day: str, person: str, until: str = "", name: str = "S-1", known: str = ""
) -> None:
    """Somebody is under a sanction from a day on."""
    ends = date.fromisoformat(until) if until else None
    office.record(day, SanctionImposed(name, person, "plagiarism", ends), name, known=known)


@pytest.mark.parametrize(
    ("words", "open_again"),
    [("true", "2005-07-01"), ("{ years = 1 }", "2006-07-01"), ("{ years = 3 }", "2008-07-01")],
)
def test_sanction_until_a_stated_day(office, words, open_again):
    """It counts from its first day to the day before its end, and for the years stated after."""
    adopt(office, f"exclude_sanctioned = {words}", threshold="0")
    sanctioned(office, "2005-06-01", "A", "2005-07-01")
    last = date.fromisoformat(open_again).toordinal() - 1

    assert audited(office, "2005-05-31")["A"] == "selected"
    assert audited(office, "2005-06-01")["A"] == "sanctioned"
    assert audited(office, date.fromordinal(last).isoformat())["A"] == "sanctioned"
    assert audited(office, open_again)["A"] == "selected"
    assert set(audited(office, "2005-06-01").values()) == {"sanctioned", "selected"}


def test_sanction_that_ended_on_29_february(office):
    """A year after 29 February is 1 March."""
    adopt(office, "exclude_sanctioned = { years = 1 }", threshold="0")
    sanctioned(office, "2008-01-01", "A", "2008-02-29")

    assert audited(office, "2009-02-28")["A"] == "sanctioned"
    assert audited(office, "2009-03-01")["A"] == "selected"


def test_programme_that_does_not_look_at_sanctions(office):
    """Without the key, or with false, a sanction changes nothing."""
    adopt(office, "exclude_sanctioned = false", threshold="0")
    sanctioned(office, "2005-06-01", "A")

    assert audited(office, "2005-12-31")["A"] == "selected"


def test_sanction_lifted_and_sanction_voided(office):
    """What is lifted ends that day; what was never due never was, also for the years after."""
    adopt(office, "exclude_sanctioned = { years = 1 }", threshold="0")
    sanctioned(office, "2005-03-02", "A")
    sanctioned(office, "2005-03-02", "B", name="S-2")
    assert told(office, "A", "2005-04-01") == (
        "제한 기간이라 제외",
        "left out for the time of a sanction",
    )

    office.record("2005-05-01", SanctionLifted("S-1", "pardon"))
    office.void("2005-05-01", "S-2")

    assert audited(office, "2006-04-30") == {
        "A": "sanctioned",
        "B": "selected",
        "C": "selected",
        "D": "selected",
    }
    assert audited(office, "2006-05-01")["A"] == "selected"


def test_sanction_lifted_on_its_first_day_never_held(office):
    """A sanction lifted on the day on which it begins keeps nobody out, later neither."""
    adopt(office, "exclude_sanctioned = { years = 2 }", threshold="0")
    sanctioned(office, "2005-03-02", "A")
    office.record("2005-03-02", SanctionLifted("S-1", "error"))

    assert audited(office, "2005-03-02")["A"] == "selected"


def test_longest_of_several_sanctions_is_told(office):
    """Of two sanctions the one that counts longer is the reason; an open one longest of all."""
    adopt(office, "exclude_sanctioned = { years = 2 }", threshold="0")
    sanctioned(office, "2005-01-10", "A", "2005-12-01", "S-1")
    sanctioned(office, "2005-02-10", "A", "2005-03-01", "S-2")

    def reason(day: str) -> tuple[str, str]:
        [a] = [c for c in office.candidates("training", day) if c.person == "A"]
        label = explain_sanction(a.sanction)
        return label.ko, label.en

    assert reason("2005-06-30") == (
        "제한 S-1 (plagiarism): 2005-01-10부터 2005-12-01 전까지, 2007-12-01부터 다시 대상",
        "sanction S-1 (plagiarism) from 2005-01-10 until 2005-12-01, in again on 2007-12-01",
    )
    sanctioned(office, "2005-07-01", "A", "", "S-3")
    assert reason("2005-12-31") == (
        "제한 S-3 (plagiarism): 2005-07-01부터, 해제일 없음",
        "sanction S-3 (plagiarism) from 2005-07-01, open",
    )


def test_sanction_follows_who_is_hired_again(office):
    """One person under another staff number is the same person, also for a sanction."""
    adopt(office, "exclude_sanctioned = { years = 1 }", threshold="0")
    sanctioned(office, "2005-02-01", "A", "2005-06-01")
    office.record("2005-03-01", MemberLeft("A"))
    office.record("2005-09-01", MemberJoined("A", "SEOUL", "G6"))
    sanctioned(office, "2005-10-01", "B", name="S-2", known="2005-12-20")

    assert audited(office, "2005-12-31") == {
        "A": "sanctioned",
        "B": "sanctioned",
        "C": "selected",
        "D": "selected",
    }
    office.leaves("2005-12-31", "C")
    sanctioned(office, "2006-01-10", "C", name="S-3")  # found out after the person left
    office.record("2006-02-01", MemberJoined("C", "HQ", "G6"))
    assert audited(office, "2006-02-01")["C"] == "sanctioned"


def test_sanction_known_later(office):
    """What was known on a day still answers: then the sanction was not."""
    adopt(office, "exclude_sanctioned = true", threshold="0")
    sanctioned(office, "2005-03-02", "A", known="2005-06-01")

    for known, outcome in (("2005-05-01", "selected"), ("2005-06-02", "sanctioned")):
        at = office.now.replace(year=2005, month=int(known[5:7]), day=int(known[8:]))
        with office.model.figures_at(as_of=date(2005, 12, 31), known_at=at) as figures:
            assert eligible(figures, "training", date(2005, 12, 31)).of("A").outcome == outcome


def test_grant_to_somebody_under_a_sanction(office):
    """It needs a reason, and the refusal names the person by id only."""
    adopt(office, "exclude_sanctioned = true", threshold="0")
    sanctioned(office, "2005-03-02", "A")

    with pytest.raises(Refused, match="A: sanctioned") as refused:
        office.grants("2005-12-31", "training", "A")
    assert "plagiarism" not in str(refused.value)
    assert len(office.grants("2005-12-31", "training")) == 3


# -- months of service, leave ----------------------------------------------------------------


def on_leave(office: Personnel, person: str, since: str, until: str = "") -> None:
    """Somebody is on leave from a day on, and back on another."""
    office.record(since, MemberLeaveStarted(person))
    if until:
        office.record(until, MemberLeaveEnded(person))


def test_months_by_their_days(office):
    """Days of service over the days of each month, leave left out: exact to the day."""
    adopt(office, "months_served = 6", threshold="0")
    on_leave(office, "A", "2005-04-16", "2005-10-16")  # 3.5 months, then 16 of 31 days, and two
    on_leave(office, "B", "2005-04-16", "2005-10-17")  # a day less
    on_leave(office, "C", "2005-04-16", "2005-10-15")  # a day more

    found = audited(office, "2005-12-31")
    assert [found[person] for person in "ABC"] == ["selected", "too_short", "selected"]
    assert told(office, "B", "2005-12-31") == (
        "2005 기간에 휴직을 빼고 5.9838개월 근무: 6개월에 0.0162개월 부족",
        "5.9838 months served without leave in 2005: 0.0162 short of 6",
    )


def test_months_with_fifteen_days_or_more(office):
    """A month with 15 days of service counts whole, one with 14 not at all."""
    adopt(office, "months_served = { months = 6, full_from = 15 }", threshold="0")
    on_leave(office, "A", "2005-04-16", "2005-10-17")  # 15 days of April and of October
    on_leave(office, "B", "2005-04-16", "2005-10-18")  # 14 of October
    on_leave(office, "C", "2005-02-16", "2005-10-17")

    found = audited(office, "2005-12-31")
    assert [found[person] for person in "ABC"] == ["selected", "selected", "too_short"]
    assert told(office, "C", "2005-12-31") == (
        "2005 기간에 휴직을 빼고 5개월 근무 (15일 이상 근무한 달만 셈): 6개월에 1개월 부족",
        "5 months served without leave in 2005 (months with 15 days or more): 1 short of 6",
    )


def test_stretches_of_one_month_are_added_up(office):
    """A transfer in mid-month breaks nothing off; two stretches of a month are one."""
    adopt(office, "months_served = { months = 12, full_from = 28 }", threshold="0")
    office.transferred("2005-02-15", "A", "SEOUL")
    office.transferred("2005-07-10", "A", "HQ")
    on_leave(office, "B", "2005-03-10", "2005-03-13")
    on_leave(office, "C", "2005-02-10", "2005-02-11")

    found = audited(office, "2005-12-31")
    assert [found[person] for person in "ABC"] == ["selected", "selected", "too_short"]


def test_months_up_to_the_day_that_decides(office):
    """What is not served yet does not count; who was hired again counts with both times."""
    adopt(office, "months_served = 6", threshold="0")
    office.leaves("2005-03-31", "B")
    office.record("2005-10-01", MemberJoined("B", "HQ", "G6"))
    office.joins("2005-07-02", "E")

    assert audited(office, "2005-06-29")["A"] == "too_short"
    assert audited(office, "2005-06-30")["A"] == "selected"
    found = audited(office, "2005-12-31")
    assert (found["B"], found["E"]) == ("selected", "too_short")
    assert audited(office, "2006-06-29")["A"] == "too_short"  # another period


def test_months_of_a_whole_career(office):
    """Where the period is a lifetime, all months since the first joining count."""
    text = TRAINING.replace('"year"', '"lifetime"')
    text = text.format(whom="months_served = 66", threshold="0", quota="")
    office.adopt(rules(text), "2005-01-01")
    office.joins("2005-01-03", "E")

    found = audited(office, "2005-06-30")  # A to D since 2 January 2000: 1/31 of a month short
    assert (found["A"], found["E"]) == ("too_short", "too_short")
    assert audited(office, "2005-07-01")["A"] == "selected"


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        ("", "on_leave"),
        ('on_leave = "exclude"', "on_leave"),
        ('on_leave = "include"', "selected"),
    ],
)
def test_people_on_leave_can_be_selected(office, words, outcome):
    """Leave on the day leaves out, unless the rulebook says include; leaving always does."""
    adopt(office, words, threshold="5")
    for person in "ABC":
        office.earns("2005-03-02", person, "five")
    on_leave(office, "A", "2005-06-01")
    office.leaves("2005-06-01", "B")

    found = audited(office, "2005-12-31")
    assert [found[person] for person in "ABC"] == [outcome, "not_serving", "selected"]
