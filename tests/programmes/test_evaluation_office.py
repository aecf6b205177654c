"""혁신발전소(진단·혁신관리팀): a period is opened, scored, closed and published; the diagnosis."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from mileage.ledger import MemberTransferred, Refused, UnitEstablished
from mileage.ledger.kinds.diagnosis import (
    DiagnosisConcluded,
    DiagnosisFindingReported,
    DiagnosisFindingResolved,
    DiagnosisStarted,
)
from mileage.ledger.kinds.evaluation import (
    EvaluationClosed,
    EvaluationOpened,
    EvaluationPublished,
    EvaluationReopened,
    EvaluationUnitScored,
)
from mileage.ledger.kinds.unit import UnitMerged
from mileage.projections.competition import unit_ranking
from mileage.projections.evaluations import evaluations
from mileage.projections.measures import shown
from story import Office, rulebook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TITLE = 'title = { ko = "노력", en = "Effort" }'
RULES = (
    rulebook("""
[[rule]]
id = "submitted"
activity = "proposal.submitted"
values = [ { from = 2005-01-01, points = 1, clause = "제1조" } ]
""")
    + f"""
[[evaluation]]
id = "effort"
{TITLE}
values = [ {{ from = 2005-01-01, weights = {{ effort = 100 }}, clause = "표1" }} ]

[[evaluation.group]]
id = "all"
{TITLE}
units = ["HQ", "SEOUL"]

[[evaluation.area]]
id = "effort"
{TITLE}
elements = [
  {{ id = "head", {TITLE}, source = "scores", weight = 75 }},
  {{ id = "proposals", {TITLE}, source = "activities-per-head", weight = 25 }},
]
"""
)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """A and B in HQ, C in its team, D in SEOUL; the first half of 2005 is evaluated."""
    opened = Office(tmp_path)
    opened.record("2000-02-01", MemberTransferred("C", "HQ-INNOV"))
    opened.record("2000-02-01", MemberTransferred("D", "SEOUL"))
    opened.adopt(RULES, "2005-01-01")
    half = EvaluationOpened("H1", "상반기 평가", date(2005, 1, 1), date(2005, 6, 30))
    opened.record("2005-01-03", half)
    yield opened
    opened.close()


def scored(unit: str, marks: int, evaluator: str | None = None, outside: str | None = None):
    return EvaluationUnitScored("H1", unit, "head", Decimal(marks), evaluator, outside)


def totals(office: Office, **question) -> dict[str, str]:
    office.model.catch_up()
    with office.model.figures_at(**question) as figures:
        found = unit_ranking(office.ledger, figures, "H1", **question)
    return {each.unit: shown(each.total) for each in found.units}


def stage(office: Office) -> str:
    [status] = evaluations(office.ledger)
    return status.stage


def test_a_period_from_opening_to_publication(office):
    """Colleagues and outsiders score, the period is closed and published, and that remains."""
    office.proposes("2005-04-01", "d", "D")
    office.record("2005-07-04", scored("SEOUL", 80, "A"))
    office.record("2005-07-04", scored("SEOUL", 90, outside="KPC-1"))
    office.record("2005-07-04", scored("HQ", 60, "D"))
    office.record("2005-07-05", EvaluationClosed("H1"))
    office.record("2005-07-06", EvaluationPublished("H1"))

    assert totals(office) == {"SEOUL": "88.75", "HQ": "45"}
    [status] = evaluations(office.ledger)
    assert (status.stage, status.closed_on) == ("published", date(2005, 7, 5))
    # A proposal of the period that becomes known later changes no published result.
    office.proposes("2005-06-01", "a", "A")
    office.ledger.facts()
    assert totals(office) != {"SEOUL": "88.75", "HQ": "45"}
    assert totals(office, known_at=status.published_at) == {"SEOUL": "88.75", "HQ": "45"}


def test_opened_again_for_a_reason(office):
    """After an objection a published evaluation is opened again, scored, closed and published."""
    office.record("2005-07-04", scored("SEOUL", 80, "A"), "wrong")
    office.record("2005-07-05", EvaluationClosed("H1"))
    office.record("2005-07-06", EvaluationPublished("H1"))
    first = office.now
    office.record("2005-07-20", EvaluationReopened("H1", "이의 신청 인용"))
    assert stage(office) == "open"
    office.void("2005-07-20", "wrong")
    office.record("2005-07-21", scored("SEOUL", 100, "A"), "right")
    office.record("2005-07-22", EvaluationClosed("H1"))
    office.record("2005-07-22", EvaluationPublished("H1"))

    assert stage(office) == "published"
    assert totals(office) == {"SEOUL": "75", "HQ": "0"}
    assert totals(office, known_at=first) == {"SEOUL": "60", "HQ": "0"}


def test_nobody_scores_the_own_unit_or_one_above(office):
    """Who serves in a team cannot score its bureau; one transferred away before the day can."""
    for person in ("A", "C"):
        with pytest.raises(Refused, match=r"evaluation\.own-unit"):
            office.record("2005-07-04", scored("HQ", 100, person))
    office.record("2005-07-04", scored("HQ-INNOV", 100, "A"))  # a team below the own bureau
    office.transferred("2005-07-05", "C", "SEOUL")
    office.record("2005-07-05", scored("HQ", 50, "C"))
    with pytest.raises(Refused, match=r"evaluation\.own-unit"):
        office.record("2005-07-06", scored("SEOUL", 50, "C"))


def test_a_unit_that_ended_after_the_period_is_still_scored(office):
    """What is evaluated is the period: who went into another unit in July is scored for June."""
    office.record("2005-07-01", UnitMerged("SEOUL", "HQ"))
    office.record("2005-07-04", scored("SEOUL", 80, "A"))

    assert totals(office) == {"SEOUL": "60", "HQ": "0"}
    office.record("2005-07-05", UnitEstablished("LATE", "늦은 팀", "Late"))
    with pytest.raises(Refused, match=r"evaluation\.unit-not-there"):
        office.record("2005-07-06", scored("LATE", 80, "A"))


def test_a_closing_recorded_in_error(office):
    """A void closing lets evaluators go on; while a publication rests on it, it stands."""
    office.record("2005-07-05", EvaluationClosed("H1"), "closed")
    office.record("2005-07-06", EvaluationPublished("H1"), "published")
    with pytest.raises(Refused, match=r"correction\.rested-upon"):
        office.void("2005-07-06", "closed")
    office.void("2005-07-06", "published")
    office.void("2005-07-06", "closed")

    assert stage(office) == "open"
    office.record("2005-07-07", scored("HQ", 50, "D"))


def test_as_of_a_day_the_evaluation_was_open(office):
    """As of a day in the period, only what was done and scored by then counts."""
    office.record("2005-03-01", scored("HQ", 50, "D"))
    office.record("2005-07-04", scored("SEOUL", 80, "A"))
    office.now = datetime(2005, 8, 1, tzinfo=UTC)

    assert totals(office, as_of=date(2005, 3, 31)) == {"HQ": "37.5", "SEOUL": "0"}


def test_a_diagnosis_by_outside_consultants(office):
    """Three consultants report, the level is stated, and findings are answered afterwards too."""
    office.record("2005-03-02", DiagnosisStarted("2005", "혁신 수준 진단", "컨설팅사"))
    findings = ("전략 컨설턴트", "조직 컨설턴트", "고객 컨설턴트")
    for number, consultant in enumerate(findings, 1):
        found = DiagnosisFindingReported(
            "2005", f"f{number}", consultant, "학습", "학습 실적이 낮음", 3 if number == 1 else None
        )
        office.record("2005-04-01", found, f"finding-{number}")
    office.record("2005-05-01", DiagnosisFindingResolved("2005", "f1", "동아리 지원", "HQ-INNOV"))
    office.record("2005-06-01", DiagnosisConcluded("2005", 3, "미흡"))
    office.record("2005-09-01", DiagnosisFindingResolved("2005", "f2", "조직 개편", "HQ"), "done")

    state = office.ledger.state("diagnosis:2005")
    assert (len(state.reported), state.resolved) == (3, {"f1", "f2"})
    assert state.concluded_on == date(2005, 6, 1)
    with pytest.raises(Refused, match=r"correction\.rested-upon"):
        office.void("2005-09-02", "finding-2")
    office.void("2005-09-02", "done")
    office.void("2005-09-02", "finding-2")
    assert office.ledger.state("diagnosis:2005").reported.keys() == {"f1", "f3"}
