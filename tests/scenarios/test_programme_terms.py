"""For whom programmes are and who is left out, each told as a short story with its answer."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from auditor import Audit
from mileage.ledger import Refused
from mileage.projections import eligible, explain_candidate
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
