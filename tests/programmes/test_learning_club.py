"""학습동아리: a club from its registration to its last day, what it earns, and its corrections."""

from __future__ import annotations

from decimal import Decimal

import pytest
from mileage.ledger import (
    LearningClubDissolved,
    LearningClubJoined,
    LearningClubLeft,
    LearningClubRegistered,
    LearningClubReportPublished,
    LearningClubResultPresented,
    LearningClubSessionHeld,
    Refused,
    SupportGranted,
    SupportSpent,
    shares,
)
from mileage.ledger.kinds.learning_club import LearningClubTopicPresented
from story import Office, rulebook

BOOK = rulebook(
    *(
        f"""[[rule]]
        id = "{name.partition(".")[2].replace("_", "-")}"
        activity = "{name}"
        {more}
        values = [ {{ from = 2000-01-01, points = {points}, clause = "{name}" }} ]
        """
        for name, points, more in (
            ("learning_club.registered", 1, ""),
            ("learning_club.session_held", 0.5, 'per = "hour"'),
            ("learning_club.topic_presented", 2, ""),
            ("learning_club.result_presented", 3, 'split = "share"'),
            ("learning_club.report_published", 4, 'split = "share"'),
        )
    )
)


@pytest.fixture
def office(tmp_path):
    """An office that rewards what clubs do, with a club of A and B that met once."""
    told = Office(tmp_path)
    told.adopt(BOOK, "2005-01-03")
    told.record("2005-02-01", LearningClubRegistered("readers", "독서", "A"))
    told.record("2005-02-01", LearningClubJoined("readers", "B"))
    met = LearningClubSessionHeld("readers", "1", "대기 시간", Decimal("1.5"), ("A", "B"))
    told.record("2005-03-02", met, "met")
    yield told
    told.close()


def test_a_club_from_registration_to_dissolution(office):
    """Founding, attending, presenting and writing earn; the club's facts tell its whole life."""
    office.record("2005-03-02", LearningClubTopicPresented("readers", "1", "B"))
    presented = LearningClubResultPresented("readers", "p1", "결과", shares({"A": 60, "B": 40}))
    office.record("2005-11-01", presented)
    published = LearningClubReportPublished("readers", "r1", "보고서", shares({"B": 100}))
    office.record("2005-11-02", published)
    office.record("2005-11-30", LearningClubLeft("readers", "B"))
    office.record("2005-12-01", LearningClubDissolved("readers", "한 해를 마침"))

    assert office.points("A", "B") == ["3.55", "7.95"]
    told = [item.fact.kind.name for item in office.ledger.stream("learning_club:readers")]
    assert told[-1] == "learning_club.dissolved"
    assert len(told) == 8


def test_a_session_that_was_never_held(office):
    """It can be voided only after what rests on it; then nobody has anything for it."""
    topic = LearningClubTopicPresented("readers", "1", "B")
    office.record("2005-03-02", topic, "topic")
    with pytest.raises(Refused, match="rested-upon") as refused:
        office.void("2005-03-03", "met")
    assert "'topic'" in refused.value.remedy
    office.void("2005-03-03", "topic")
    assert office.points("A", "B") == ["1.75", "0.75"]
    office.void("2005-03-03", "met")
    assert office.points("A", "B") == ["1", "0"]


def test_a_presenter_named_by_mistake(office):
    """The wrong presenter's points go to the right one, and attendance stays as it was."""
    office.record("2005-03-02", LearningClubTopicPresented("readers", "1", "B"), "topic")
    office.void("2005-03-02", "topic")
    office.record("2005-03-02", LearningClubTopicPresented("readers", "1", "A"))
    assert office.points("A", "B") == ["3.75", "0.75"]


def test_a_club_does_not_end_before_its_last_payment(office):
    """Money spent in May keeps the club from having ended in April, until that is voided."""
    office.record("2005-03-02", SupportGranted("readers", "activity", 1_000))
    office.record("2005-05-02", SupportSpent("readers", "activity", 1_000, "r1"), "paid")
    ended = LearningClubDissolved("readers", "끝")
    with pytest.raises(Refused, match="dissolved-too-early"):
        office.record("2005-04-01", ended)
    office.void("2005-05-02", "paid")
    office.record("2005-04-01", ended)
    assert office.ledger.state("learning_club:readers").dissolved_on.isoformat() == "2005-04-01"
