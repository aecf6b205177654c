"""Life cycles of the kinds: what may be recorded, what is refused and by which rule."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Annotated

import attrs
import pytest
from cli_cases import run
from eventsourcing.persistence import Notification
from hypothesis import given
from hypothesis import strategies as st
from mileage.ledger import (
    Activity,
    ContestAwarded,
    ContestAwardWithdrawn,
    ContestEntered,
    ContestOpened,
    CorruptFact,
    CourseAttended,
    CourseCompleted,
    CourseEnrolled,
    CourseEnrolmentCancelled,
    CourseFailed,
    CourseLectured,
    CourseOffered,
    Data,
    FactVoided,
    InvalidFact,
    Kinds,
    LearningClubDissolved,
    LearningClubJoined,
    LearningClubLeft,
    LearningClubRegistered,
    LearningClubSessionHeld,
    LedgerOpened,
    MemberJoined,
    MemberLeaveEnded,
    MemberLeaveStarted,
    MemberLeft,
    MemberPromoted,
    MemberTransferred,
    Programme,
    ProposalAdopted,
    ProposalImplemented,
    ProposalRejected,
    ProposalReviewed,
    ProposalSubmitted,
    ProposalWithdrawn,
    PublicityPublished,
    PublicityWithdrawn,
    Refused,
    RulebookAdopted,
    Share,
    SupportGranted,
    SupportReturned,
    SupportSettled,
    SupportSpent,
    TaskAchievementMeasured,
    TaskAssigned,
    TaskClosed,
    TaskContributed,
    TaskMilestoneReached,
    UnitEstablished,
    UnknownKind,
    equal_shares,
    format_amount,
    kind,
    shares,
    to_units,
)
from mileage.ledger.facts import Command, decode
from mileage.ledger.fields import Code, Codes, Hours, Label, Text
from mileage.ledger.kinds import kind_of, kinds
from mileage.ledger.kinds.office import rulebook_digest
from mileage.ledger.kinds.redemption import RedemptionMade
from refused import CASES

MARCH = date(2005, 3, 2)
APRIL = date(2005, 4, 1)
MAY = date(2005, 5, 2)
JUNE = date(2005, 6, 1)


def submitted(proposal="2005-1", authors=None):
    return ProposalSubmitted(proposal, "Fewer forms", "online", shares(authors or {"P1": 100}))


def session(number="1", attendees=("P1",), hours="2", club="readers"):
    return LearningClubSessionHeld(club, number, "Queues", Decimal(hours), attendees)


def entered(entry="e1", contest="best-2005"):
    return ContestEntered(contest, entry, "One window", shares({"P1": 60, "P2": 40}))


def opened():
    return ContestOpened("best-2005", "Best practice", "agency", ("gold", "silver"))


def club():
    return LearningClubRegistered("readers", "Readers", "P1")


def record(ledger, *facts):
    """Record data and dates given in turn; return the last."""
    for data, day in facts:
        last = ledger.record(data, on=day, by="officer")
    return last


def published(publication="n1"):
    return PublicityPublished(publication, "What failed", "failure_account", shares({"P1": 100}))


def offered(capacity=1, hours="4"):
    return CourseOffered("school-1", "Cohort", "innovation_school", "HQ", capacity, Decimal(hours))


def attended(person="P1", hours="3"):
    return CourseAttended("school-1", person, Decimal(hours))


def assigned(due=date(2005, 12, 31)):
    return TaskAssigned("records", "Records", "common", "HQ", "P1", "All by June", due)


def milestone(code="m1"):
    return TaskMilestoneReached("records", code, shares({"P1": 60, "P2": 40}))


def contributed(code="c1"):
    return TaskContributed("records", code, shares({"P1": 100}), "Analysis")


def measured(percent):
    return TaskAchievementMeasured("records", percent, "survey")


def granted(amount=300_000, item="activity"):
    return SupportGranted("readers", item, amount)


def spent(amount=200_000, receipt="r1", item="activity"):
    return SupportSpent("readers", item, amount, receipt)


class TestLifeCycles:
    def test_proposal_from_submission_to_practice(self, ledger):
        """A proposal is submitted, reviewed twice, adopted and implemented in one stream."""
        record(
            ledger,
            (submitted(), MARCH),
            (ProposalReviewed("2005-1", "P2", "recommended"), APRIL),
            (ProposalReviewed("2005-1", "P3", "not_recommended"), APRIL),
            (ProposalAdopted("2005-1", "gold"), MAY),
            (ProposalImplemented("2005-1"), JUNE),
        )
        kinds_told = [each.fact.kind.name for each in ledger.stream("proposal:2005-1")]
        assert kinds_told == [
            "proposal.submitted",
            "proposal.reviewed",
            "proposal.reviewed",
            "proposal.adopted",
            "proposal.implemented",
        ]
        assert ledger.state("proposal:2005-1").stage == "implemented"

    def test_club_membership_counts_by_date(self, ledger):
        """Whoever left a club may attend up to the last day, and not on the day after."""
        record(
            ledger,
            (club(), MARCH),
            (LearningClubJoined("readers", "P2"), APRIL),
            (LearningClubLeft("readers", "P2"), MAY),
            (session("1", ("P1", "P2")), APRIL),
            (session("2", ("P2",)), MAY),
        )
        with pytest.raises(Refused, match="not-member") as refused:
            record(ledger, (session("3", ("P2",)), date(2005, 5, 3)))
        assert refused.value.field == "attendees"
        record(ledger, (LearningClubJoined("readers", "P2"), JUNE), (session("3", ("P2",)), JUNE))
        assert ledger.state("learning_club:readers").sessions.keys() == {"1", "2", "3"}

    def test_hired_again_after_leaving_on_leave(self, ledger):
        """Who left while on leave and is hired again serves, is not on leave, and can go again."""
        record(
            ledger,
            (MemberLeaveStarted("P2"), MARCH),
            (MemberLeft("P2"), APRIL),
            (MemberJoined("P2", "SEOUL", "G4"), MAY),
        )
        member = ledger.state("member:P2")
        assert member.serves_on(APRIL)
        assert not member.serves_on(date(2005, 4, 2))
        assert member.on_leave_on(APRIL)
        assert not member.on_leave_on(MAY)
        record(ledger, (MemberLeaveStarted("P2"), JUNE))
        assert ledger.state("member:P2").on_leave_on(JUNE)

    def test_leave_ends_on_the_day_of_return(self, ledger):
        """The first day back is no day of leave, and leave can be taken again."""
        record(
            ledger,
            (MemberLeaveStarted("P1"), MARCH),
            (MemberLeaveEnded("P1"), APRIL),
            (MemberLeaveStarted("P1"), MAY),
        )
        member = ledger.state("member:P1")
        assert [member.on_leave_on(day) for day in (MARCH, APRIL, MAY)] == [True, False, True]

    def test_contest_award_given_withdrawn_and_given_again(self, ledger):
        """An award that was withdrawn can be given again under a key of its own."""
        record(
            ledger,
            (opened(), MARCH),
            (entered(), APRIL),
            (ContestAwarded("best-2005", "e1", "gold"), MAY),
            (ContestAwardWithdrawn("best-2005", "e1", "copied"), JUNE),
        )
        again = ContestAwarded("best-2005", "e1", "silver")
        ledger.record(again, on=JUNE, by="officer", key="award-2")
        assert ledger.state("contest_entry:best-2005/e1").awarded

    def test_transferred_and_promoted(self, ledger):
        """A transfer and a promotion leave the spans of service as they are."""
        before = ledger.state("member:P1")
        record(ledger, (MemberTransferred("P1", "SEOUL"), MARCH), (MemberPromoted("P1", "G4"), MAY))
        member = ledger.state("member:P1")
        assert (member.service, member.leave) == (before.service, before.leave)

    def test_where_somebody_serves(self, ledger):
        """A transfer counts from its day, also when recorded late; who left serves nowhere."""
        record(
            ledger,
            (MemberTransferred("P1", "SEOUL"), MAY),
            (MemberTransferred("P1", "HQ"), JUNE),
            (MemberTransferred("P1", "HQ"), APRIL),
            (MemberLeft("P1"), date(2005, 7, 1)),
        )
        member = ledger.state("member:P1")
        days = (date(2000, 3, 1), MARCH, MAY, JUNE, date(2005, 7, 1), date(2005, 7, 2))
        assert [member.unit_on(day) for day in days] == [None, "HQ", "SEOUL", "HQ", "HQ", None]


DISSOLVED = LearningClubDissolved("readers", "done")
GIVEN = {
    "submitted": [(submitted(), MARCH)],
    "adopted": [(submitted(), MARCH), (ProposalAdopted("2005-1", "gold"), MAY)],
    "withdrawn": [(submitted(), MARCH), (ProposalWithdrawn("2005-1", "no"), MAY)],
    "club": [(club(), MARCH), (session("1"), APRIL)],
    "contest": [(opened(), MARCH), (entered(), APRIL)],
    "awarded": [
        (opened(), MARCH),
        (entered(), APRIL),
        (ContestAwarded("best-2005", "e1", "gold"), MAY),
    ],
    "left": [(MemberLeft("P1"), APRIL)],
    "on leave": [(MemberLeaveStarted("P1"), MARCH)],
    "back": [(MemberLeaveStarted("P1"), APRIL), (MemberLeaveEnded("P1"), MAY)],
    "moved": [(MemberTransferred("P1", "SEOUL"), MAY)],
    "new unit": [(UnitEstablished("NEW", "새", "New"), APRIL)],
    "published": [(published(), MARCH)],
    "withdrawn publication": [(published(), MARCH), (PublicityWithdrawn("n1", "no"), APRIL)],
    "course": [(offered(), MARCH), (CourseEnrolled("school-1", "P1"), MARCH)],
    "roomy course": [(offered(capacity=2), MARCH), (CourseEnrolled("school-1", "P1"), MARCH)],
    "attended": [
        (offered(), MARCH),
        (CourseEnrolled("school-1", "P1"), MARCH),
        (attended(), APRIL),
    ],
    "completed": [
        (offered(), MARCH),
        (CourseEnrolled("school-1", "P1"), MARCH),
        (attended(), APRIL),
        (CourseCompleted("school-1", "P1"), APRIL),
    ],
    "task": [(assigned(), MARCH), (milestone(), APRIL), (contributed(), APRIL)],
    "closed": [(assigned(), MARCH), (TaskClosed("records"), MAY)],
    "dissolved": [(club(), MARCH), (granted(), MARCH), (DISSOLVED, APRIL)],
    "granted": [(club(), MARCH), (granted(), MARCH), (spent(), APRIL)],
    "settled": [
        (club(), MARCH),
        (granted(), MARCH),
        (spent(), APRIL),
        (SupportSettled("readers", "office"), MAY),
    ],
    "nothing": [],
}
REACHING_BACK = RulebookAdopted("r", rulebook_digest("x"), MARCH, "x")

REFUSALS = [
    ("ledger.already-opened", "nothing", LedgerOpened("x", "Other", "UTC"), MARCH, ""),
    ("fact.in-the-future", "nothing", submitted(), date(2005, 12, 21), "occurred_on"),
    (
        "fact.before-the-thing",
        "submitted",
        ProposalAdopted("2005-1", "a"),
        date(2005, 3, 1),
        "occurred_on",
    ),
    ("member.unknown", "nothing", submitted(authors={"P9": 100}), MARCH, "authors"),
    ("member.not-serving", "left", submitted(), date(2005, 4, 2), "authors"),
    ("member.not-serving", "nothing", submitted(), date(2000, 3, 1), "authors"),
    ("member.not-serving", "nothing", MemberPromoted("P9", "G4"), MARCH, "person"),
    ("member.already-joined", "nothing", MemberJoined("P1", "HQ", "G5"), MARCH, "person"),
    ("member.already-on-leave", "on leave", MemberLeaveStarted("P1"), APRIL, "person"),
    ("member.later-leave", "back", MemberLeaveStarted("P1"), MARCH, "occurred_on"),
    ("member.left-too-early", "back", MemberLeft("P1"), APRIL, "occurred_on"),
    ("member.left-too-early", "moved", MemberLeft("P1"), APRIL, "occurred_on"),
    ("member.not-on-leave", "nothing", MemberLeaveEnded("P1"), MARCH, "person"),
    ("unit.unknown", "nothing", MemberTransferred("P1", "NOWHERE"), MARCH, "unit"),
    ("unit.not-established", "new unit", MemberTransferred("P1", "NEW"), MARCH, "unit"),
    ("unit.already-established", "nothing", UnitEstablished("HQ", "새", "New"), MARCH, "unit"),
    ("proposal.already-submitted", "submitted", submitted(), APRIL, "proposal"),
    ("proposal.unknown", "nothing", ProposalAdopted("2005-1", "gold"), MARCH, "proposal"),
    ("proposal.not-adopted", "submitted", ProposalImplemented("2005-1"), MAY, "proposal"),
    ("proposal.already-decided", "adopted", ProposalRejected("2005-1", "late"), JUNE, "proposal"),
    ("proposal.already-decided", "adopted", ProposalWithdrawn("2005-1", "late"), JUNE, "proposal"),
    ("proposal.already-decided", "withdrawn", ProposalAdopted("2005-1", "a"), JUNE, "proposal"),
    (
        "proposal.own-review",
        "submitted",
        ProposalReviewed("2005-1", "P1", "recommended"),
        MAY,
        "reviewer",
    ),
    ("proposal.before-last-stage", "adopted", ProposalImplemented("2005-1"), APRIL, "occurred_on"),
    ("learning_club.already-registered", "club", club(), APRIL, "club"),
    ("learning_club.unknown", "nothing", session(), APRIL, "club"),
    ("learning_club.already-member", "club", LearningClubJoined("readers", "P1"), APRIL, "person"),
    ("learning_club.not-member", "club", LearningClubLeft("readers", "P2"), APRIL, "person"),
    ("learning_club.not-member", "club", session("2", ("P1", "P2")), APRIL, "attendees"),
    ("learning_club.session-repeated", "club", session("1"), MAY, "session"),
    ("contest.already-opened", "contest", opened(), APRIL, "contest"),
    ("contest.unknown", "nothing", entered(), APRIL, "contest"),
    ("contest.already-entered", "contest", entered(), MAY, "entry"),
    ("contest.before-last-stage", "contest", entered("e2"), date(2005, 3, 1), "occurred_on"),
    ("contest.entry-unknown", "contest", ContestAwarded("best-2005", "e9", "gold"), MAY, "entry"),
    ("contest.grade-unknown", "contest", ContestAwarded("best-2005", "e1", "iron"), MAY, "grade"),
    (
        "contest.already-awarded",
        "awarded",
        ContestAwarded("best-2005", "e1", "silver"),
        JUNE,
        "entry",
    ),
    (
        "contest.not-awarded",
        "contest",
        ContestAwardWithdrawn("best-2005", "e1", "no"),
        MAY,
        "entry",
    ),
    ("learning_club.already-dissolved", "dissolved", session("2"), MAY, "club"),
    ("learning_club.already-dissolved", "dissolved", DISSOLVED, MAY, "club"),
    ("publicity.already-published", "published", published(), APRIL, "publication"),
    ("publicity.unknown", "nothing", PublicityWithdrawn("n1", "no"), APRIL, "publication"),
    (
        "publicity.already-withdrawn",
        "withdrawn publication",
        PublicityWithdrawn("n1", "no"),
        MAY,
        "publication",
    ),
    ("course.already-offered", "course", offered(), APRIL, "course"),
    ("course.unknown", "nothing", CourseEnrolled("school-1", "P1"), APRIL, "course"),
    ("course.already-enrolled", "course", CourseEnrolled("school-1", "P1"), APRIL, "person"),
    ("course.no-place", "course", CourseEnrolled("school-1", "P2"), APRIL, "person"),
    ("course.not-enrolled", "roomy course", attended("P2"), APRIL, "person"),
    ("course.not-attended", "course", CourseCompleted("school-1", "P1"), APRIL, "person"),
    ("course.too-long", "attended", attended(hours="2"), MAY, "hours"),
    ("course.too-long", "course", CourseLectured("school-1", "P2", Decimal(5)), MAY, "hours"),
    (
        "course.already-attended",
        "attended",
        CourseEnrolmentCancelled("school-1", "P1"),
        MAY,
        "person",
    ),
    ("course.already-ended", "completed", CourseFailed("school-1", "P1", "no"), MAY, "person"),
    ("task.already-assigned", "task", assigned(), APRIL, "task"),
    ("task.due-before-assigned", "nothing", assigned(MARCH), APRIL, "due_on"),
    ("task.unknown", "nothing", milestone(), APRIL, "task"),
    ("task.milestone-repeated", "task", milestone(), MAY, "milestone"),
    ("task.contribution-repeated", "task", contributed(), MAY, "contribution"),
    ("task.already-closed", "closed", milestone(), JUNE, "task"),
    ("task.already-closed", "closed", TaskClosed("records"), MAY, "task"),
    ("thing.unknown", "nothing", granted(), MARCH, "group"),
    ("support.group-dissolved", "dissolved", granted(), MAY, "group"),
    ("support.group-dissolved", "dissolved", spent(), MAY, "group"),
    ("support.not-granted", "club", spent(), APRIL, "group"),
    ("support.above-the-grant", "granted", spent(100_001, "r2"), MAY, "amount"),
    ("support.above-the-grant", "granted", spent(1, "r2", "expert"), MAY, "amount"),
    ("support.receipt-repeated", "granted", spent(1), MAY, "receipt"),
    ("support.not-settled", "granted", SupportReturned("readers", 1), MAY, "group"),
    ("support.already-settled", "settled", spent(1, "r2"), JUNE, "group"),
    ("support.already-settled", "settled", granted(), MAY, "group"),
    ("support.already-settled", "settled", SupportSettled("readers", "office"), JUNE, "group"),
    ("support.above-the-rest", "settled", SupportReturned("readers", 100_001), JUNE, "amount"),
    ("rulebook.reach-without-reason", "nothing", REACHING_BACK, MAY, "reason"),
    ("correction.unknown-fact", "nothing", FactVoided("nothing", "typo"), MAY, "fact"),
]


REFUSALS = [(rule, GIVEN[given], *rest) for rule, given, *rest in REFUSALS] + CASES


@pytest.mark.parametrize(
    ("rule", "given", "data", "day", "field"),
    REFUSALS,
    ids=[f"{rule}-{number}" for number, (rule, *_) in enumerate(REFUSALS)],
)
def test_refusals_name_their_rule_and_store_nothing(ledger, rule, given, data, day, field):
    """A command that breaks a rule is refused by the rule's name and field; nothing is stored."""
    for each, on, *by in given:
        ledger.record(each, on=on, by=by[0] if by else "officer")
    before = ledger.position
    with pytest.raises(Refused) as refused:
        ledger.record(data, on=day, by="officer", key="own-key")
    assert refused.value.rule == rule
    assert refused.value.field == field
    assert rule in str(refused.value)
    assert ledger.position == before


# What has a command of its own is not recorded by `record`; the command line's today is another.
_BY_COMMAND = (LedgerOpened, RulebookAdopted, FactVoided, RedemptionMade)
RECORDED = [
    case
    for case in REFUSALS
    if not isinstance(case[2], _BY_COMMAND) and case[0] != "fact.in-the-future"
]


@pytest.mark.parametrize(
    ("rule", "given", "data", "day", "field"),
    RECORDED,
    ids=[f"{rule}-{number}" for number, (rule, *_) in enumerate(RECORDED)],
)
def test_refusals_through_the_command_line(ledger, monkeypatch, rule, given, data, day, field):
    """`mileage record` says what is refused and at which option, exits with 1, stores nothing."""
    for name, value in (("MILEAGE_LANG", "en"), ("MILEAGE_BY", "officer")):
        monkeypatch.setenv(name, value)
    for each, on, *by in given:
        ledger.record(each, on=on, by=by[0] if by else "officer")
    before, kind = ledger.position, kind_of(type(data))
    cells = [
        part
        for name, declared in kind.fields.items()
        if (value := getattr(data, name)) is not None
        for part in (f"--{name.replace('_', '-')}", declared.show(value))
    ]
    when = ("--on", day.isoformat(), "--key", "own-key")
    result = run("--ledger", str(ledger.path), "record", kind.name, *when, *cells)
    assert result.exit_code == 1, result.output
    option = "on" if field == "occurred_on" else field.replace("_", "-")
    assert result.stderr.startswith(f"error: --{option}: " if field else "error: ")
    assert f"[{rule}]" in result.stderr
    assert result.stdout == ""
    assert ledger.position == before


def test_every_rule_of_the_kinds_is_shown():
    """Each rule that the kinds' modules can refuse by stands in the table above."""
    import inspect  # noqa: PLC0415
    import re  # noqa: PLC0415

    from mileage.ledger import kinds as package  # noqa: PLC0415

    named = set()
    for module in vars(package).values():
        if inspect.ismodule(module) and module.__name__.startswith(f"{package.__name__}."):
            source = inspect.getsource(module)
            named |= set(re.findall(r'"([a-z_]+\.[a-z]+-[a-z-]+|[a-z_]+\.unknown)"', source))
    assert named
    assert named <= {rule for rule, *_ in REFUSALS}


def test_a_task_is_measured_after_its_end(ledger):
    """What was achieved may be measured when the task is closed; the facts stay in order."""
    record(ledger, (assigned(), MARCH), (milestone(), APRIL), (TaskClosed("records"), MAY))
    late = record(ledger, (measured(90), JUNE))
    assert late.new
    assert record(ledger, (contributed(), APRIL)).new  # done while it ran, recorded late


def test_a_budget_to_its_last_won(ledger):
    """Granted, spent to the won, settled, the rest returned: nothing is left."""
    record(ledger, (club(), MARCH), (granted(), MARCH), (granted(50_000, "printing"), APRIL))
    record(ledger, (spent(300_000), APRIL), (spent(20_000, "r2", "printing"), MAY))
    record(ledger, (SupportSettled("readers", "office"), MAY))
    assert ledger.state("support:readers").left == 30_000
    record(ledger, (SupportReturned("readers", 30_000), JUNE))
    assert ledger.state("support:readers").left == 0


def test_a_place_given_back_is_free(ledger):
    """Who cancels makes room for the next."""
    enrolled, other = CourseEnrolled("school-1", "P1"), CourseEnrolled("school-1", "P2")
    record(ledger, (offered(), MARCH), (enrolled, MARCH))
    record(ledger, (CourseEnrolmentCancelled("school-1", "P1"), APRIL), (other, APRIL))
    assert list(ledger.state("course:school-1").participants) == ["P2"]


UNFIT = [
    ("a grant of nothing", lambda: granted(0), "amount"),
    ("half a won", lambda: granted(Decimal("0.5")), "amount"),
    (
        "more than all of a task ten times",
        lambda: measured(1_001),
        "achieved_percent",
    ),
    ("shares that make 90 %", lambda: submitted(authors={"P1": 50, "P2": 40}), "authors"),
    ("a share of nothing", lambda: submitted(authors={"P1": 100, "P2": 0}), "authors"),
    ("a negative share", lambda: submitted(authors={"P1": 110, "P2": -10}), "authors"),
    ("no authors", lambda: ProposalSubmitted("1", "T", "online", ()), "authors"),
    (
        "an author twice",
        lambda: ProposalSubmitted("1", "T", "online", equal_shares(["P1", "P1"])),
        "authors",
    ),
    (
        "a list of authors",
        lambda: ProposalSubmitted("1", "T", "online", [Share("P1", Decimal(100))]),
        "authors",
    ),
    ("another channel", lambda: ProposalSubmitted("1", "T", "fax", shares({"P1": 100})), "channel"),
    ("an empty title", lambda: ProposalSubmitted("1", " ", "online", shares({"P1": 100})), "title"),
    (
        "a long title",
        lambda: ProposalSubmitted("1", "x" * 501, "online", shares({"P1": 100})),
        "title",
    ),
    ("a NUL", lambda: ProposalSubmitted("1", "a\0b", "online", shares({"P1": 100})), "title"),
    (
        "half a surrogate pair",
        lambda: ProposalSubmitted("1", "\ud800", "online", shares({"P1": 100})),
        "title",
    ),
    ("an id with a space", lambda: MemberLeft("P 1"), "person"),
    ("an id with a colon", lambda: MemberLeft("P:1"), "person"),
    ("an id of 65 letters", lambda: MemberLeft("P" * 65), "person"),
    ("a number for an id", lambda: MemberLeft(1), "person"),
    ("no hours", lambda: session(hours="0"), "hours"),
    ("negative hours", lambda: session(hours="-1"), "hours"),
    ("more hours than a day", lambda: session(hours="24.0001"), "hours"),
    ("hours as a float", lambda: LearningClubSessionHeld("c", "1", "T", 1.5, ("P1",)), "hours"),
    ("a hundred-thousandth hour", lambda: session(hours="1.00001"), "hours"),
    ("nobody attending", lambda: session(attendees=()), "attendees"),
    ("a grade twice", lambda: ContestOpened("c", "T", "agency", ("gold", "gold")), "grades"),
    (
        "a day as text",
        lambda: RulebookAdopted("r", rulebook_digest("x"), "2005-01-01", "x"),
        "effective_from",
    ),
    ("another text's digest", lambda: RulebookAdopted("r", "0" * 64, MARCH, "x"), "digest"),
]


@pytest.mark.parametrize(("make", "field"), [each[1:] for each in UNFIT], ids=[e[0] for e in UNFIT])
def test_unfit_values_are_refused_by_field(make, field):
    """Data with an unfit value cannot be made; the error names the field."""
    with pytest.raises(InvalidFact) as invalid:
        make()
    assert invalid.value.field == field


class TestAmounts:
    @given(st.integers(-(10**15), 10**15))
    def test_amounts_survive_their_text(self, units):
        """Every amount is read back exactly from the text it is written as."""
        assert to_units(format_amount(units)) == units

    @pytest.mark.parametrize(
        "text",
        [
            "1.00001",
            "1." + "0" * 30 + "1",
            "1e999999999",
            "1e3",
            "NaN",
            "Infinity",
            "",
            " 1",
            "1_000",
            "१",
            "0x10",
            "1" * 50,
            Decimal("1e999999"),
            Decimal("1e-999999"),
            Decimal("NaN"),
            1.5,
            True,
        ],
    )
    def test_what_is_no_exact_amount_is_refused(self, text):
        """A number that has no exact form in 1/10,000 is refused, never rounded."""
        with pytest.raises(ValueError, match=r"not a|more than four|out of range|give a decimal"):
            to_units(text)

    @given(st.integers(1, 3_000))
    def test_equal_shares_make_the_whole(self, number):
        """Shares of any number of people make exactly 100 % and differ by 0.0001 % at most."""
        parts = [to_units(part.percent) for part in equal_shares(f"P{n}" for n in range(number))]
        assert sum(parts) == 1_000_000
        assert max(parts) - min(parts) <= 1


class TestNaturalKeys:
    @pytest.mark.parametrize(
        ("data", "key"),
        [
            (submitted(), "proposal.submitted:2005-1"),
            (ProposalReviewed("7", "P2", "recommended"), "proposal.reviewed:7:P2:2005-03-02"),
            (MemberLeft("P1"), "member.left:P1:2005-03-02"),
            (session("3"), "learning_club.session_held:readers:3"),
            (ContestAwarded("c", "e", "gold"), "contest.awarded:c:e:2005-03-02"),
            (FactVoided("member.left:P1:2005-03-02", "x"), "fact.voided:member.left:P1:2005-03-02"),
        ],
    )
    def test_natural_key(self, data, key):
        """A fact without a key is named by its kind and what identifies it."""
        assert Command(data, MARCH, "officer").effective_key == key

    def test_a_natural_key_that_is_too_long_asks_for_a_key(self, ledger):
        """A fact whose natural key cannot be stored is refused, and accepted with a key."""
        key = "k" * 400
        ledger.record(submitted(), on=MARCH, by="officer", key=key)
        with pytest.raises(InvalidFact, match="give the fact a key"):
            ledger.void(key, reason="typo", on=MAY, by="officer")
        assert ledger.void(key, reason="typo", on=MAY, by="officer", key="void-1").new


@pytest.fixture
def registry():
    """A registry with one programme and no kinds."""
    found = Kinds()
    found.add_programme(Programme("visit", Label("방문", "Visit")))
    return found


def declare(registry, name="visit.paid", /, **changes):
    fields = {"visit": Annotated[str, Code("방문", "Visit")], **changes.pop("fields", {})}
    cls = attrs.frozen(type("Visit", (Data,), {"__annotations__": fields, "__doc__": "A visit."}))
    told = {"ko": "방문", "en": "Visit", "category": "visit", "id_fields": ("visit",), **changes}
    return kind(name, registry=registry, **told)(cls)


class TestDeclarations:
    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"category": "unheard"}, "no programme has the category"),
            ({"identity": ("visitor",)}, "has no field visitor"),
            ({"title": "subject"}, "has no field subject"),
            ({"activity": Activity(people="people")}, "has no field people"),
            ({"activity": Activity(people="visit", hours="length")}, "has no field length"),
            ({"fields": {"source": Annotated[str, Text("가", "A")]}}, "source is reserved"),
            ({"fields": {"problem": Annotated[str, Text("가", "A")]}}, "problem is reserved"),
            ({"fields": {"plain": str}}, "must be annotated with one field type"),
            ({"version": 3, "upcasts": {1: dict}}, "no upcast from version 2"),
        ],
    )
    def test_contradictions_are_found_when_declared(self, registry, changes, message):
        """A declaration that contradicts itself raises when it is made and registers nothing."""
        with pytest.raises(ValueError, match=message):
            declare(registry, **changes)
        assert "visit.paid" not in registry

    def test_a_field_name_has_one_meaning(self, registry):
        """Two kinds cannot have fields of one name that a replay would read differently."""
        declare(
            registry, "visit.paid", fields={"length": Annotated[Decimal, Hours("시간", "Hours")]}
        )
        with pytest.raises(ValueError, match=r"length means something else in 'visit\.paid'"):
            declare(
                registry, "visit.planned", fields={"length": Annotated[tuple, Codes("가", "A")]}
            )

    def test_names_are_taken_once(self, registry):
        """A kind's name and a category can be declared once."""
        declare(registry)
        with pytest.raises(ValueError, match="already registered"):
            declare(registry)
        with pytest.raises(ValueError, match="already registered"):
            registry.add_programme(Programme("visit", Label("방문", "Visit")))

    def test_an_unknown_kind_is_told_with_the_nearest(self):
        """A misspelt kind is answered with the nearest one."""
        with pytest.raises(UnknownKind, match=r"did you mean 'proposal\.submitted'"):
            kinds.get("proposal.submited")


def state(**changes):
    """Stored state of a session of a learning club, with some of it changed."""
    data = {
        "attendees": ["P1"],
        "club": "readers",
        "hours": 20_000,
        "session": "1",
        "topic": "Queues",
    }
    envelope = {
        "data": data | changes.pop("data", {}),
        "key": "k",
        "occurred_on": "2005-04-01",
        "recorded_at": "2005-04-01T00:00:00.000000Z",
        "recorded_by": "officer",
        "source": "api",
    }
    return json.dumps(envelope | changes).encode()


BAD_STATES = [
    state(more=1),
    state(data={"more": 1}),
    state(data={"hours": "20000"}),
    state(data={"hours": 2.5}),
    state(data={"hours": True}),
    state(data={"hours": None}),
    state(data={"hours": -1}),
    state(data={"attendees": "P1"}),
    state(data={"attendees": [1]}),
    state(data={"club": "others"}),
    state(occurred_on="2005-02-30"),
    state(occurred_on=20050401),
    state(recorded_at="2005-04-01T00:00:00Z"),
    state(recorded_by=""),
    state(key=None),
    b"{}",
    b"[]",
    b"null",
    b"{",
    b"\xff",
    b"[" * 100_000,
]


def at_7(topic, stored):
    """A stored event at position 7 of the ledger."""
    return Notification(
        id=7,
        originator_id="learning_club:readers",
        originator_version=1,
        topic=topic,
        state=stored,
    )


class TestStrictDecoding:
    def test_the_state_the_others_are_made_of_is_read(self):
        """The unchanged state is read back as the fact it says."""
        fact = decode("learning_club:readers", 1, "learning_club.session_held", state(), kinds)
        assert fact.data == session(hours="2")

    @pytest.mark.parametrize("stored", BAD_STATES, ids=range(len(BAD_STATES)))
    def test_no_other_state_passes(self, ledger, stored):
        """A state with an unknown, missing or wrongly typed value is a corrupt fact."""
        with pytest.raises(CorruptFact, match="fact #7"):
            ledger.mapper.to_domain_event(at_7("learning_club.session_held", stored))

    @pytest.mark.parametrize(
        "topic", ["club.session", "proposal.submitted@2", "proposal.submitted@1", "@"]
    )
    def test_an_unknown_topic_is_corrupt(self, ledger, topic):
        """A topic that no module declares, or a later version, stops the replay."""
        with pytest.raises(CorruptFact, match="load the module that declares it"):
            ledger.mapper.to_domain_event(at_7(topic, state()))

    def test_an_old_version_is_upcast(self, registry):
        """A fact stored under version 1 is read as version 3, step by step."""

        def to_2(data):
            return {**data, "purpose": data["why"]}

        def to_3(data):
            return {name: data[name] for name in ("visit", "purpose")}

        cls = declare(
            registry,
            version=3,
            upcasts={1: to_2, 2: to_3},
            fields={"purpose": Annotated[str, Text("목적", "Purpose")]},
        )
        old = json.loads(state()) | {"data": {"visit": "v1", "why": "audit"}}
        fact = decode("visit:v1", 1, "visit.paid", json.dumps(old).encode(), registry)
        assert fact.data == cls(visit="v1", purpose="audit")
        assert fact.kind.topic == "visit.paid@3"


CELLS = {
    ProposalSubmitted: "proposal=7 title=Forms channel=paper authors=P1:60;P2:40",
    LearningClubSessionHeld: "club=c session=1 topic=T hours=1.5 attendees=P1;P2",
    ContestOpened: "contest=c title=T scope=inter_agency grades=gold;silver",
    UnitEstablished: "unit=U name_ko=조직 name_en=Unit",
    PublicityPublished: "publication=p title=T medium=email writers=P1:60;P2:40",
    CourseOffered: "course=c title=T form=workshop institute=I capacity=30 course_hours=16",
    TaskAssigned: "task=t title=T origin=own unit=U cpo=P1 target=T due_on=2005-12-31",
    SupportSpent: "group=c item=expert amount=250000 receipt=r-1",
}


@pytest.mark.parametrize("cls", CELLS, ids=lambda cls: cls.__name__)
def test_cells_are_read_as_they_are_shown(cls):
    """What a field shows as a cell is what it reads from one."""
    found = next(each for each in kinds if each.cls is cls)
    cells = dict(cell.split("=") for cell in CELLS[cls].split())
    data = found.parse(cells)
    shown = {
        name: field.show(getattr(data, name))
        for name, field in found.fields.items()
        if getattr(data, name) is not None
    }
    assert shown == cells
