"""혁신교육·학습 추진회의, 혁신추진협의회, 혁신추진단: meetings, who attended, what was resolved."""

from __future__ import annotations

import pytest
from mileage.ledger import Refused
from mileage.ledger.kinds.council import BODIES, CouncilMet, CouncilResolved
from story import Office, rulebook

BOOK = rulebook(
    """[[rule]]
    id = "met"
    activity = "council.met"
    values = [ { from = 2000-01-01, points = 0.5, clause = "1" } ]
    """
)


@pytest.fixture
def office(tmp_path):
    """An office that rewards those who attend meetings."""
    told = Office(tmp_path)
    told.adopt(BOOK, "2005-01-03")
    yield told
    told.close()


@pytest.mark.parametrize("body", BODIES)
def test_a_meeting_and_its_resolutions(office, body):
    """Each body's meeting earns for those who attended; its resolutions stand in its history."""
    office.record("2005-02-15", CouncilMet(body, "1", "2005년 학습계획(안)", ("A", "B")), "met")
    office.record("2005-02-15", CouncilResolved(body, "1", "r1", "원안대로 의결"))
    assert office.points("A", "B", "C") == ["0.5", "0.5", "0"]
    assert office.model.figures().statement("A")[0].title == "2005년 학습계획(안)"
    told = [item.fact.kind.name for item in office.ledger.stream(f"council:{body}/1")]
    assert told == ["council.met", "council.resolved"]


def test_a_meeting_recorded_in_error(office):
    """It can be voided after its resolutions; then its points are gone."""
    met = CouncilMet("learning_council", "1", "안건", ("A",))
    office.record("2005-02-15", met, "met")
    resolved = CouncilResolved("learning_council", "1", "r1", "의결")
    office.record("2005-02-15", resolved, "resolved")
    with pytest.raises(Refused, match="rested-upon"):
        office.void("2005-02-16", "met")
    office.void("2005-02-16", "resolved")
    office.void("2005-02-16", "met")
    assert office.points("A") == ["0"]
