"""Rules for facts that say something certain, each told as a short story."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import attrs
import pytest
from mileage.ledger import (
    Activity,
    CouncilMet,
    CourseAttended,
    CourseCompleted,
    CourseEnrolled,
    CourseOffered,
    Data,
    Label,
    MemberLeft,
    MileageError,
    Programme,
    ProposalAdopted,
    ProposalSubmitted,
    kind,
    shares,
)
from mileage.ledger.fields import Code, Person, Text
from mileage.ledger.kinds import Kinds
from mileage.projections import activity_infos, explain_posting, parse_rulebook, plan
from mileage.projections.coverage import coverage
from mileage.projections.figures import Period
from mileage.projections.trials import try_examples
from story import HEAD, Office, rulebook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def rule(name: str, activity: str, points: str, more: str = "", since: str = "2004-01-01") -> str:
    """A rule of the story's rulebook."""
    return (
        f'[[rule]]\nid = "{name}"\nactivity = "{activity}"\n{more}\n'
        f'values = [ {{ from = {since}, points = {points}, clause = "제1조" }} ]\n'
    )


ONLINE = 'when = { channel = "online" }'
ADOPTED = rule("adopted", "proposal.adopted", "{ gold = 10, silver = 7 }")
ADOPTED_ONLINE = rule("adopted-online", "proposal.adopted", "{ gold = 13 }", ONLINE)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    opened = Office(tmp_path)
    yield opened
    opened.close()


def submit(office: Office, day: str, name: str, person: str, channel: str, key: str = "") -> None:
    """Somebody submits a proposal by a channel."""
    data = ProposalSubmitted(name, f"제안 {name}", channel, shares({person: 100}))
    office.record(day, data, key or f"submit-{name}")


def rules_of(office: Office, person: str) -> list[str]:
    """The rules that reward what somebody did, in order."""
    return [line.rule for line in office.model.figures().statement(person)]


def test_an_adoption_is_worth_what_the_submission_says(office):
    """What the submission says decides; where the narrower rule says nothing, the other does."""
    office.adopt(rulebook(ADOPTED, ADOPTED_ONLINE), "2005-01-01")
    for name, person, channel, grade in (
        ("one", "A", "online", "gold"),
        ("two", "B", "paper", "gold"),
        ("three", "C", "online", "silver"),
    ):
        submit(office, "2005-02-01", name, person, channel)
        office.adopted("2005-03-01", name, grade)

    assert office.points("A", "B", "C", "D") == ["13", "10", "7", "0"]
    assert [rules_of(office, person)[-1] for person in "ABC"] == [
        *("adopted-online", "adopted", "adopted"),
    ]


def test_the_explanation_says_the_condition(office):
    """Explanations, statements as JSON and the read model say what was asked for, in words."""
    office.adopt(rulebook(ADOPTED, ADOPTED_ONLINE), "2005-01-01")
    submit(office, "2005-02-01", "one", "A", "online")
    office.adopted("2005-03-01", "one", "gold")
    office.points("A")

    line = office.model.figures().statement("A")[-1]
    steps = explain_posting(office.ledger, line).steps

    assert line.when == Label("접수 경로 온라인", "channel on line")
    assert "접수 경로 온라인" in steps[0].ko
    assert "for 'gold' for channel on line" in steps[0].en


def test_a_submission_that_was_wrong_is_replaced(office):
    """When the submission is voided and recorded anew, the adoption follows what stands."""
    office.adopt(rulebook(ADOPTED, ADOPTED_ONLINE), "2005-01-01")
    submit(office, "2005-02-01", "one", "A", "online")
    office.adopted("2005-03-01", "one", "gold")
    assert office.points("A") == ["13"]

    office.void("2005-03-02", "adopt-one")
    office.void("2005-03-02", "submit-one")
    submit(office, "2005-03-02", "one", "A", "paper", "again")
    office.record("2005-03-02", ProposalAdopted("one", "gold"), "adopt-again")

    assert office.points("A") == ["10"]


def test_what_no_rule_is_for_is_unrewarded(office):
    """A fact that does not say what the only rule asks for is listed, never dropped."""
    office.adopt(rulebook(ADOPTED_ONLINE), "2005-01-01")
    submit(office, "2005-02-01", "one", "A", "paper")
    office.adopted("2005-03-01", "one", "gold")

    assert office.points("A") == ["0"]
    found = coverage(office.model.figures(), Period.parse("2005"))
    assert [(line.kind, line.why) for line in found.unrewarded] == [
        *(("proposal.submitted", "no_rule"), ("proposal.adopted", "no_rule")),
    ]


def test_whom_a_rule_is_for_goes_before_what_the_fact_says(office):
    """The nearest unit first, then ranks, then everybody; among equals the one with a condition."""
    office.adopt(
        rulebook(
            rule("all", "proposal.submitted", "1"),
            rule("all-online", "proposal.submitted", "2", ONLINE),
            rule("rank", "proposal.submitted", "3", 'ranks = ["G4"]'),
            rule("unit", "proposal.submitted", "4", 'units = ["SEOUL"]'),
            rule("unit-online", "proposal.submitted", "5", f'units = ["SEOUL"]\n{ONLINE}'),
        ),
        "2005-01-01",
    )
    office.promoted("2005-01-02", "B", "G4")
    office.transferred("2005-01-02", "C", "SEOUL")
    for person in "ABC":
        for channel in ("online", "paper"):
            submit(office, "2005-02-01", f"{person}-{channel}", person, channel)

    assert office.points("A", "B", "C") == ["3", "6", "9"]


def test_a_rule_for_everybody_is_for_those_who_left_too(office):
    """A condition asks nothing of the person: what is adopted after one left earns the same."""
    office.adopt(rulebook(ADOPTED, ADOPTED_ONLINE), "2005-01-01")
    submit(office, "2005-02-01", "one", "A", "online")
    office.record("2005-02-15", MemberLeft("A"))
    office.adopted("2005-03-01", "one", "gold")

    assert office.points("A") == ["13"]


def test_a_course_earns_by_its_form(office):
    """What the offer says holds for all who complete it, whenever that becomes known."""
    office.adopt(
        rulebook(
            rule("course", "course.completed", "1"),
            rule(
                *("school", "course.completed", "20"),
                'when = { form = ["innovation_school", "workshop"] }',
            ),
        ),
        "2005-01-01",
    )
    for course, form in (("c1", "innovation_school"), ("c2", "discussion")):
        offered = CourseOffered(course, "과정", form, "연수원", 10, Decimal(8))
        office.record("2005-02-01", offered, f"offer-{course}")
        for person in "AB":
            office.record("2005-02-02", CourseEnrolled(course, person))
            office.record("2005-02-03", CourseAttended(course, person, Decimal(8)))
    office.record("2005-03-01", CourseCompleted("c1", "A"))
    assert office.points("A", "B") == ["20", "0"]

    office.record("2005-03-01", CourseCompleted("c2", "A"))
    office.record("2005-03-02", CourseCompleted("c1", "B"))
    assert office.points("A", "B") == ["21", "20"]


def test_a_meeting_earns_by_the_body_that_met(office):
    """The fact itself says it; another account can ask too."""
    account = '[[account]]\nid = "hr"\ntitle = { ko = "인사", en = "HR" }\n'
    office.adopt(
        rulebook(
            account,
            rule("met", "council.met", "1"),
            rule(
                "met-hr", "council.met", "2", 'account = "hr"\nwhen = { body = "learning_council" }'
            ),
        ),
        "2005-01-01",
    )
    office.record("2005-02-01", CouncilMet("learning_council", "1", "안건", ("A", "B")))
    office.record("2005-02-02", CouncilMet("promotion_team", "1", "안건", ("A", "C")))

    assert office.points("A", "B", "C") == ["2", "1", "1"]
    assert office.points("A", "B", "C", account="hr") == ["2", "2", "0"]


def test_a_transfer_known_late_needs_no_rebuild(office):
    """Conditions do not depend on service: a catch-up takes what is new of it."""
    office.adopt(rulebook(ADOPTED, ADOPTED_ONLINE), "2005-01-01")
    submit(office, "2005-02-01", "one", "A", "online")
    office.adopted("2005-03-01", "one", "gold")
    office.model.catch_up()
    before = office.model.figures().query("SELECT value FROM meta WHERE key = 'made_at'")

    office.transferred("2005-02-15", "A", "SEOUL", known="2005-04-01")
    office.model.catch_up()

    assert office.model.figures().query("SELECT value FROM meta WHERE key = 'made_at'") == before
    assert office.points("A") == ["13"]


def test_closed_periods_keep_the_words(office):
    """A posting of a closed period still says by which condition it was rewarded."""
    office.adopt(rulebook(ADOPTED, ADOPTED_ONLINE), "2005-01-01")
    submit(office, "2005-02-01", "one", "A", "online")
    office.adopted("2005-03-01", "one", "gold")
    office.at("2006-01-10")
    office.ledger.close_period("2005", on=date(2006, 1, 10), by="office")
    office.adopt(rulebook(ADOPTED), "2006-02-01", since="2005-01-01", reason="소급")

    lines = office.model.figures().statement("A")
    assert [(line.rule, line.points, bool(line.when)) for line in lines[-2:]] == [
        *(("adopted-online", 130_000, True), ("adopted", -30_000, False)),
    ]


def test_a_rulebook_that_asks_nothing_has_no_step_for_it():
    """The plan of other rulebooks is as long as ever, and reads nothing of what facts say."""
    ordinary, asking = (
        "".join(plan.activity_steps(plan.Shape(scoped=True, conditions=conditions)))
        for conditions in (False, True)
    )

    for table in ("w_met", "w_said", "rule_conditions"):
        assert table not in ordinary
        assert table in asking


# -- kinds of one's own ----------------------------------------------------------------------------


def own_kinds(**conditions: str) -> Kinds:
    """A registry with an activity of coaching whose plan says a method and a level."""
    registry = Kinds()
    registry.add_programme(Programme("coaching", Label("코칭", "Coaching")))

    @kind(
        *("test.planned",),
        ko="계획",
        en="Planned",
        category="coaching",
        id_fields=("coaching",),
        registry=registry,
    )
    @attrs.frozen
    class Planned(Data):
        """Coaching is planned."""

        coaching: Annotated[str, Code("코칭", "Coaching")]
        method: Annotated[str, Code("방법", "Method")]
        remark: Annotated[str, Text("비고", "Remark")]

    @kind(
        *("test.coached",),
        ko="코칭",
        en="Coached",
        category="coaching",
        id_fields=("coaching",),
        activity=Activity(people="coach", conditions=conditions),
        registry=registry,
    )
    @attrs.frozen
    class Coached(Data):
        """Somebody is coached."""

        coaching: Annotated[str, Code("코칭", "Coaching")]
        coach: Annotated[str, Person("코치", "Coach")]
        level: Annotated[str, Code("수준", "Level")]

    return registry


@pytest.mark.parametrize(
    "conditions",
    [
        {"method": ""},
        {"remark": "test.planned"},
        {"coach": ""},
        {"method": "test.nothing"},
        {"coaching": "test.planned"},
    ],
    ids=["not its own", "no code", "a person", "no such kind", "its own too"],
)
def test_a_wrong_declaration_is_refused(conditions):
    """What cannot be asked for is told when the kinds are checked."""
    with pytest.raises(MileageError, match=next(iter(conditions))):
        own_kinds(**conditions).check()


@pytest.mark.parametrize(
    ("said", "points"),
    [
        ('when = { method = "pair", level = "high" }', 50_000),
        ('when = { level = "high", method = "group" }', 50_000),
        ('when = { method = "pair", level = "low" }', 10_000),
        ('when = { method = "alone", level = "high" }', 10_000),
        ('when = { method = "pair" }', 10_000),
        ("", 10_000),
    ],
)
def test_several_fields_must_all_be_said(said, points):
    """Each of the fields must have one of its codes."""
    registry = own_kinds(method="test.planned", level="")
    registry.check()
    comma = f", {said}" if said else ""
    title = 'title = { ko = "이름", en = "Name" }\n'
    text = HEAD + "".join(
        (
            rule("all", "test.coached", "1", title),
            rule(
                *("some", "test.coached", "5"),
                f'{title}when = {{ method = ["pair", "group"], level = "high" }}',
            ),
            f"[[example]]\n{title}",
            f'given = [ {{ on = 2005-01-01, activity = "test.coached", person = "A"{comma} }} ]\n',
            "expect = { A = 1 }\n",
        )
    )

    [trial] = try_examples(parse_rulebook(text, activity_infos(registry)), registry)

    assert trial.people[0].points == points
