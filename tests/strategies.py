"""Random histories: people come, move and go, do things, and correct what was recorded.

A history is drawn as plain numbers and played on a real ledger. What the ledger refuses does not
happen, so everything that stands was accepted by the product's own guards.
"""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Self

from attrs import define, field
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from mileage.ledger import (
    Command,
    ContestAwarded,
    ContestAwardWithdrawn,
    ContestEntered,
    ContestOpened,
    FactVoided,
    KeyConflict,
    LearningClubJoined,
    LearningClubLeft,
    LearningClubRegistered,
    LearningClubSessionHeld,
    Ledger,
    MemberJoined,
    MemberLeaveEnded,
    MemberLeaveStarted,
    MemberLeft,
    MemberPromoted,
    MemberTransferred,
    MileageError,
    PointsConfirmed,
    PointsDenied,
    PointsHeld,
    PointsReleased,
    ProposalAdopted,
    ProposalImplemented,
    ProposalRejected,
    ProposalReviewed,
    ProposalSubmitted,
    ProposalWithdrawn,
    Recorded,
    Refused,
    SanctionImposed,
    SanctionLifted,
    Share,
    UnitEstablished,
    equal_shares,
    format_amount,
)
from mileage.ledger.kinds.closing import CLOSINGS
from mileage.ledger.kinds.unit import UnitAbolished, UnitMerged, UnitSplit
from mileage.ledger.periods import period_days
from mileage.projections.adoption import adopt_rulebook

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

THOROUGH = os.environ.get("MILEAGE_TESTS") == "thorough"


def examples(count: int) -> settings:
    """So many examples, or twenty times as many when thoroughness is asked for."""
    return settings(
        max_examples=count * 20 if THOROUGH else count,
        deadline=None,  # a busy machine makes examples slow, not wrong
        suppress_health_check=list(HealthCheck),
    )


PEOPLE = ("P1", "P2", "P3", "P4", "P5")
UNITS = ("HQ", "SEOUL", "BUSAN")
GRADES = ("gold", "silver", "bronze")
OPENED = date(2004, 1, 5)
BEGINNING = datetime(2004, 11, 1, 3, 0, tzinfo=UTC)

# Amounts that round in every way, in 1/10,000 point.
AMOUNTS = (0, 1, 3, 3_333, 5_000, 9_999, 10_000, 25_000, 33_333, 70_001, 100_000)
HOURS = ("0.0001", "0.5", "1", "1.3333", "2.25", "24")
TITLES = (
    "Fewer forms",
    "서식 줄이기",
    'a "quoted" \\ title / one',
    "lines\nand\ttabs",
    "emoji 🙂 and \u2028",
    "=SUM(A1)",
)


# -- rulebooks -----------------------------------------------------------------------------------

ACCOUNT = "welfare"
"""Another account than the main one."""

_GRADED = ("proposal.adopted", "contest.awarded")
_SHARED = ("proposal.submitted", "proposal.adopted", "proposal.implemented", "contest.entered")
_ACTIVITIES = (
    *_SHARED,
    "contest.awarded",
    "learning_club.registered",
    "learning_club.session_held",
)
_STARTS = ("2004-01-01", "2004-12-15", "2005-02-01", "2005-06-15", "2006-01-01")
_amounts = st.sampled_from(AMOUNTS).map(format_amount)


@st.composite
def _dated(draw: st.DrawFn, what: st.SearchStrategy[str], ending: str = "") -> str:
    starts = sorted(draw(st.sets(st.sampled_from(_STARTS), min_size=1, max_size=3)))
    values = [f'{{ from = {start}, {draw(what)}, clause = "제{start}조" }}' for start in starts]
    return f"values = [ {', '.join(values)} ]{ending}\n"


@st.composite
def _rule(draw: st.DrawFn, activity: str, scope: str = "", account: str = "") -> str:
    flat = _amounts.map(lambda amount: f"points = {amount}")
    graded = st.lists(_amounts, min_size=1, max_size=3).map(
        lambda amounts: (
            "points = { "
            + ", ".join(f"{g} = {a}" for g, a in zip(GRADES, amounts, strict=False))
            + " }"
        )
    )
    name = activity.replace(".", "-") + (_scope_name(scope) if scope else "")
    if account:
        name, scope = f"{name}-{account}", f'{scope}account = "{account}"\n'
    text = f'[[rule]]\nid = "{name}"\nactivity = "{activity}"\n{scope}'
    text += 'title = { ko = "규칙", en = "Rule" }\n'
    text += draw(_dated(st.one_of(flat, graded) if activity in _GRADED else flat))
    if activity == "learning_club.session_held" and draw(st.booleans()):
        text += 'per = "hour"\n'
    if (activity in _SHARED or activity == "contest.awarded") and draw(st.booleans()):
        text += 'split = "share"\n'
    if draw(st.integers(0, 3)) == 0:
        text += "until = 2006-07-01\n"
    if draw(st.integers(0, 5)) == 0:
        text += "confirm = true\n"
    return text


_scopes = st.lists(
    st.sampled_from(('units = ["HQ"]\n', 'ranks = ["G5", "G4"]\n')), min_size=1, unique=True
)
"""For whom a rule of narrower scope is: another one for all stands beside it."""
_ASKING = ("proposal.submitted", "proposal.adopted", "proposal.implemented")
_conditions = st.lists(
    st.sampled_from(
        (
            'when = { channel = "online" }\n',
            'when = { channel = ["paper"] }\n',
            'when = { channel = ["online"] }\nunits = ["HQ"]\n',
            'when = { channel = ["paper", "online"] }\nranks = ["G5", "G4"]\n',
        )
    ),
    min_size=1,
    unique=True,
)
"""What a fact must say, and for whom; of each activity they go before one another."""


def _scope_name(scope: str) -> str:
    """A name of a narrower rule by its keys, and the first code that it asks for."""
    keys = [line.split(maxsplit=1)[0] for line in scope.splitlines()]
    codes = [code for code in ("online", "paper") if code in scope and "when" in keys]
    return "-".join(("", *keys, *codes))


@st.composite
def _cap(draw: st.DrawFn, number: int, rules: list[str]) -> str:
    named = sorted(draw(st.sets(st.sampled_from(rules), min_size=1, max_size=4)))
    if any(rule.endswith(ACCOUNT) for rule in named):  # a cap is for one account
        named = [rule for rule in named if rule.endswith(ACCOUNT)]
    listed = ", ".join(f'"{rule}"' for rule in named)
    periods = st.sampled_from(("month", "quarter", "half", "year", "lifetime", "rank"))
    per = draw(st.sampled_from(("person", "person", "thing", "unit")))
    counted = draw(st.integers(0, 2)) == 0
    best = counted and draw(st.booleans())
    keep = f'keep = "{"best" if best else "first"}"\n' if counted else ""
    limits = st.integers(1, 1 if best else 4).map(lambda count: f"count = {count}")
    points = _amounts.map(lambda amount: f"points = {amount}")
    return (
        f'[[cap]]\nid = "cap-{number}"\ntitle = {{ ko = "한도", en = "Cap" }}\n'
        f'rules = [{listed}]\nperiod = "{draw(periods)}"\nper = "{per}"\n'
        + keep
        + draw(_dated(limits if counted else points))
    )


_for_whom = st.sampled_from(
    ("", "", 'ranks = ["G5"]\n', 'units = ["HQ"]\n', 'ranks = ["G5", "G4"]\nunits = ["SEOUL"]\n')
)
_without = st.sampled_from(
    (
        *("", "", "exclude_sanctioned = true\n", "exclude_sanctioned = { years = 1 }\n"),
        *('on_leave = "include"\n', "months_served = 4\n"),
        'on_leave = "include"\nmonths_served = { months = 3, full_from = 15 }\n',
    )
)


@st.composite
def _terms(draw: st.DrawFn) -> str:
    """Terms of every shape: a quota in number or percent, grades by rank, tiers."""
    shape = draw(st.sampled_from(("quota", "quota", "percentage", "percent", "places", "tiers")))
    rounding = draw(st.sampled_from(("down", "up", "half")))
    threshold = f"threshold = {draw(_amounts)}"
    match shape:
        case "quota":
            return f"{threshold}, quota = {draw(st.integers(1, 4))}"
        case "percentage":
            percent = draw(st.sampled_from((10, "33.3333", 50, 90)))
            of = draw(st.sampled_from(('"serving"', '"eligible"', 5)))
            quota = f'{{ percent = {percent}, of = {of}, round = "{rounding}" }}'
            return f"{threshold}, quota = {quota}"
        case "percent":
            first = draw(st.integers(1, 99))
            second = draw(st.integers(1, 100 - first))
            return f'{threshold}, percent = {{ S = {first}, A = {second} }}, round = "{rounding}"'
        case "places":
            s, a = draw(st.integers(1, 3)), draw(st.integers(1, 3))
            return f"{threshold}, places = {{ S = {s}, A = {a} }}"
        case _:
            high, low = draw(st.sampled_from(((10, 1), ("3.3333", "0.0001"), (50, "7.0001"))))
            return f"threshold = {{ gold = {high}, silver = {low} }}"


@st.composite
def _programme(draw: st.DrawFn, accounts: tuple[str, ...] = ("",)) -> str:
    counted = draw(st.sampled_from(accounts))
    account = f'account = "{counted}"\n' if counted else ""
    terms = draw(_terms())
    words = draw(st.lists(st.sampled_from(("activities", "earliest", "joined")), unique=True))
    otherwise = draw(st.sampled_from(("include", "exclude")))
    period = draw(st.sampled_from(("half", "year", "lifetime")))
    listed = ", ".join(f'"{word}"' for word in words)
    return (
        '[[programme]]\nid = "training"\ntitle = { ko = "연수", en = "Training" }\n'
        f'period = "{period}"\n{account}{draw(_for_whom)}{draw(_without)}'
        f'values = [ {{ from = 2004-01-01, {terms}, clause = "제12조" }} ]\n'
        f'tie = {{ break_by = [{listed}], otherwise = "{otherwise}" }}\n'
    )


@st.composite
def rulebooks(draw: st.DrawFn, *, dense: bool = False) -> str:
    """Rulebook texts, most of them free of errors; dense ones reward and limit nearly all."""
    chosen = draw(st.sets(st.sampled_from(_ACTIVITIES), min_size=7 if dense else 3))
    rules = [draw(_rule(activity)) for activity in _ACTIVITIES if activity in chosen]
    ids = [a.replace(".", "-") for a in _ACTIVITIES if a in chosen]
    scoped = sorted(draw(st.sets(st.sampled_from(sorted(chosen)), max_size=2)))
    rules += [draw(_rule(activity, scope)) for activity in scoped for scope in draw(_scopes)]
    ids += [f"{a.replace('.', '-')}-{s}" for a in scoped for s in ("units", "ranks")]
    asking = sorted(draw(st.sets(st.sampled_from(_ASKING), max_size=2)))
    for activity in asking:
        for when in draw(_conditions):
            rules.append(draw(_rule(activity, when)))
            ids.append(f"{activity.replace('.', '-')}{_scope_name(when)}")
    kept_apart = sorted(draw(st.sets(st.sampled_from(_ACTIVITIES), max_size=3)))
    rules += [draw(_rule(activity, account=ACCOUNT)) for activity in kept_apart]
    ids += [f"{a.replace('.', '-')}-{ACCOUNT}" for a in kept_apart]
    if scoped and kept_apart:
        rules.append(draw(_rule(scoped[0], draw(_scopes)[0], ACCOUNT)))
        ids += [f"{scoped[0].replace('.', '-')}-{s}-{ACCOUNT}" for s in ("units", "ranks")]
    named = "\n".join(rules)
    ids = [one for one in ids if f'id = "{one}"' in named]
    # Few ids for many caps, so that one cap means something else in the next version.
    numbers = draw(st.permutations((1, 2, 3)))[: draw(st.integers(1 if dense else 0, 3))]
    caps = [draw(_cap(number, ids)) for number in numbers]
    head = (
        '[rulebook]\nid = "random"\ntitle = { ko = "규칙집", en = "Rulebook" }\nsource = "고시"\n'
    )
    if f'"{ACCOUNT}"' in named or draw(st.booleans()):
        head += f'[[account]]\nid = "{ACCOUNT}"\ntitle = {{ ko = "복지", en = "Welfare" }}\n'
        return "\n".join((head, *rules, *caps, draw(_programme(accounts=("", ACCOUNT)))))
    return "\n".join((head, *rules, *caps, draw(_programme())))


# -- histories -----------------------------------------------------------------------------------

# What happens how often; a void is drawn often, as a history without one proves little.
OPERATIONS = (
    *("submit",) * 5,
    *("adopt",) * 5,
    *("session",) * 4,
    *("enter",) * 3,
    *("award",) * 4,
    *("void",) * 4,
    *("implement", "transfer", "club", "join_club", "contest") * 2,
    *("void_last", "again") * 2,
    *("reject", "review", "withdraw", "leave_club", "unaward"),
    *("promote", "leave_start", "leave_end", "left", "rejoin", "unit", "end_unit"),
    *("sanction", "lift"),
    *("hold", "hold", "release", "deny"),
    *("confirm",) * 3,
)

# What meets caps, withdrawals and rounding, many times in the same short while.
DENSE = (*("session", "award") * 4, *("unaward", "submit", "adopt") * 2, "enter", "void")

Step = tuple[str, int, int, int, int]


CLOSING = (*OPERATIONS, *("close", "void") * 8, "session", "award", "reopen")
"""What happens where periods are closed too."""


def steps(
    min_size: int = 5, max_size: int = 40, *, dense: bool = False, closing: bool = False
) -> st.SearchStrategy[list[Step]]:
    """What happens, in order: operation, days passed, days recorded late, and two choices."""
    never = st.just(0)
    late = st.one_of(*[never] * (1 if closing else 3), st.integers(0, 300))
    choice = st.integers(0, 10_000)
    names = st.sampled_from(DENSE if dense else CLOSING if closing else OPERATIONS)
    passed = st.integers(0, 8 if dense else 45)
    step = st.tuples(names, passed, late, choice, choice)
    return st.lists(step, min_size=min_size, max_size=max_size)


@define
class Play:
    """Plays a history on a new ledger; what is refused does not happen."""

    path: Path
    now: datetime = BEGINNING
    ledger: Ledger = field(init=False)
    proposals: list[str] = field(factory=list)
    clubs: list[str] = field(factory=list)
    contests: list[str] = field(factory=list)
    entries: list[tuple[str, str]] = field(factory=list)
    sanctions: list[str] = field(factory=list)
    recorded: list[Recorded] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        """Make the ledger, with units and people."""
        self.ledger = Ledger.create(
            self.path, organisation="중소기업청", opened_on=OPENED, clock=lambda: self.now
        )
        above = {"BUSAN": "SEOUL"}
        units = [
            Command(UnitEstablished(unit, f"{unit} 국", unit, above.get(unit)), OPENED, "s")
            for unit in UNITS
        ]
        people = [
            Command(MemberJoined(p, UNITS[n % 2], "G5"), OPENED + timedelta(days=n), "s")
            for n, p in enumerate(PEOPLE)
        ]
        self.ledger.record_all([*units, *people])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.ledger.close()

    @property
    def today(self) -> date:
        """Today in the ledger's zone."""
        return self.ledger.day_of(self.now)

    def run(self, history: list[Step], after: Callable[[], Any] = lambda: None) -> Play:
        """Play steps; ``after`` is called after each that was accepted."""
        for step in history:
            if self.step(step):
                after()
        return self

    def step(self, step: Step) -> bool:
        """Play one step; tell whether the ledger took it."""
        name, passed, late, one, two = step
        self.now += timedelta(days=passed, seconds=1)
        day = max(self.today - timedelta(days=late), OPENED + timedelta(days=10))
        try:
            done = getattr(self, f"_{name}")(day, one, two)
        except (KeyConflict, Refused):
            return False
        if done is None or not done.new:
            return False
        self.recorded.append(done)
        return True

    def adopt_rulebook(self, text: str, *, reach_days: int = 0) -> bool:
        """Adopt a rulebook from so many days back (or ahead); tell whether it was accepted."""
        self.now += timedelta(seconds=1)
        effective = self.today - timedelta(days=reach_days)
        try:
            done = adopt_rulebook(
                self.ledger,
                text,
                on=self.today,
                by="committee",
                effective_from=effective,
                reason="소급" if reach_days > 0 else None,
            )
        except MileageError:
            return False
        return done.new

    # -- operations ------------------------------------------------------------------------------

    def _record(self, data: Any, day: date, key: str | None = None) -> Recorded:
        return self.ledger.record(data, on=day, by="officer", key=key)

    def _at(self, stage: str) -> list[str]:
        """The proposals that have come so far."""
        states = {name: self.ledger.state(f"proposal:{name}") for name in self.proposals}
        return [name for name, state in states.items() if state and state.stage == stage]

    def _shares(self, one: int, two: int) -> tuple[Share, ...]:
        count = 1 + one % 4
        start = two % len(PEOPLE)
        people = [PEOPLE[(start + index) % len(PEOPLE)] for index in range(count)]
        if one % 3 == 0 or count == 1:
            return equal_shares(people)
        # Odd shares: each but the last takes something between 0.0001 % and what leaves the rest.
        left, parts = 1_000_000, []
        for index in range(count - 1):
            part = 1 + (one * 7_919 + two * 104_729 * (index + 1)) % (left - (count - index))
            parts.append(part)
            left -= part
        units = [*parts, left]
        return tuple(
            Share(person, Decimal(format_amount(part)))
            for person, part in zip(people, units, strict=True)
        )

    def _submit(self, day: date, one: int, two: int) -> Recorded:
        name = f"2005-{len(self.proposals)}"
        data = ProposalSubmitted(
            name, TITLES[one % len(TITLES)], ("online", "paper")[two % 2], self._shares(one, two)
        )
        done = self._record(data, day)
        self.proposals.append(name)
        return done

    def _adopt(self, day: date, one: int, two: int) -> Recorded | None:
        name = _pick(self._at("submitted"), one)
        return name and self._record(ProposalAdopted(name, GRADES[two % 3]), day)

    def _implement(self, day: date, one: int, _two: int) -> Recorded | None:
        name = _pick(self._at("adopted"), one)
        return name and self._record(ProposalImplemented(name), day)

    def _reject(self, day: date, one: int, _two: int) -> Recorded | None:
        name = _pick(self.proposals, one)
        return name and self._record(ProposalRejected(name, "no"), day)

    def _review(self, day: date, one: int, two: int) -> Recorded | None:
        name = _pick(self.proposals, one)
        reviewer = PEOPLE[two % len(PEOPLE)]
        return name and self._record(ProposalReviewed(name, reviewer, "recommended"), day)

    def _withdraw(self, day: date, one: int, _two: int) -> Recorded | None:
        name = _pick(self.proposals, one)
        return name and self._record(ProposalWithdrawn(name, "changed mind"), day)

    def _club(self, day: date, one: int, two: int) -> Recorded:
        name = f"club-{len(self.clubs)}"
        leader = PEOPLE[two % len(PEOPLE)]
        done = self._record(LearningClubRegistered(name, TITLES[one % len(TITLES)], leader), day)
        self.clubs.append(name)
        return done

    def _join_club(self, day: date, one: int, two: int) -> Recorded | None:
        name = _pick(self.clubs, one)
        return name and self._record(LearningClubJoined(name, PEOPLE[two % len(PEOPLE)]), day)

    def _leave_club(self, day: date, one: int, two: int) -> Recorded | None:
        name = _pick(self.clubs, one)
        return name and self._record(LearningClubLeft(name, PEOPLE[two % len(PEOPLE)]), day)

    def _session(self, day: date, one: int, two: int) -> Recorded | None:
        name = _pick(self.clubs, one)
        if name is None:
            return self._club(day, one, two)
        club = self.ledger.state(f"learning_club:{name}")
        if not club:
            return None
        members = [person for person in PEOPLE if club.has_member(person, day)]
        attendees = tuple(members[: 1 + two % 3]) or PEOPLE[:1]
        hours = Decimal(HOURS[two % len(HOURS)])
        code = f"s{len(self.recorded)}"
        return self._record(LearningClubSessionHeld(name, code, "주제", hours, attendees), day)

    def _contest(self, day: date, one: int, _two: int) -> Recorded:
        name = f"contest-{len(self.contests)}"
        scope = ("agency", "inter_agency")[one % 2]
        done = self._record(ContestOpened(name, TITLES[one % len(TITLES)], scope, GRADES), day)
        self.contests.append(name)
        return done

    def _enter(self, day: date, one: int, two: int) -> Recorded | None:
        contest = _pick(self.contests, one)
        if contest is None:
            return self._contest(day, one, two)
        entry = f"e{len(self.entries)}"
        data = ContestEntered(contest, entry, TITLES[two % len(TITLES)], self._shares(two, one))
        done = self._record(data, day)
        self.entries.append((contest, entry))
        return done

    def _award(self, day: date, one: int, two: int) -> Recorded | None:
        entry = _pick(self.entries, one)
        if entry is None:
            return self._enter(day, one, two)
        key = f"award-{len(self.recorded)}"
        return self._record(ContestAwarded(*entry, GRADES[two % 3]), day, key)

    def _unaward(self, day: date, one: int, _two: int) -> Recorded | None:
        entry = _pick(self.entries, one)
        key = f"unaward-{len(self.recorded)}"
        return entry and self._record(ContestAwardWithdrawn(*entry, "copied"), day, key)

    def _transfer(self, day: date, one: int, two: int) -> Recorded:
        person, unit = PEOPLE[one % len(PEOPLE)], UNITS[two % len(UNITS)]
        return self._record(MemberTransferred(person, unit), day)

    def _promote(self, day: date, one: int, two: int) -> Recorded:
        return self._record(MemberPromoted(PEOPLE[one % len(PEOPLE)], f"G{two % 9}"), day)

    def _leave_start(self, day: date, one: int, _two: int) -> Recorded:
        return self._record(MemberLeaveStarted(PEOPLE[one % len(PEOPLE)]), day)

    def _leave_end(self, day: date, one: int, _two: int) -> Recorded:
        return self._record(MemberLeaveEnded(PEOPLE[one % len(PEOPLE)]), day)

    def _left(self, day: date, one: int, two: int) -> Recorded | None:
        if two % 2:
            return None
        return self._record(MemberLeft(PEOPLE[one % len(PEOPLE)]), day)

    def _rejoin(self, day: date, one: int, two: int) -> Recorded:
        person, unit = PEOPLE[one % len(PEOPLE)], UNITS[two % len(UNITS)]
        return self._record(MemberJoined(person, unit, "G6"), day)

    def _sanction(self, day: date, one: int, two: int) -> Recorded:
        name = f"sanction-{len(self.sanctions)}"
        until = (None, day + timedelta(days=1), day + timedelta(days=90))[two % 3]
        data = SanctionImposed(name, PEOPLE[one % len(PEOPLE)], "code", until)
        done = self._record(data, day)
        self.sanctions.append(name)
        return done

    def _hold(self, day: date, one: int, _two: int) -> Recorded | None:
        target = _pick([i for i in self.recorded[-12:] if i.fact.kind.activity], one)
        return target and self._about_hold(PointsHeld, target.fact.key, day)

    def _release(self, day: date, one: int, _two: int) -> Recorded | None:
        return self._end_hold(PointsReleased, day, one)

    def _deny(self, day: date, one: int, _two: int) -> Recorded | None:
        return self._end_hold(PointsDenied, day, one)

    def _confirm(self, day: date, one: int, _two: int) -> Recorded | None:
        target = _pick([i for i in self.recorded[-12:] if i.fact.kind.activity], one)
        if target is None:
            return None
        data = PointsConfirmed(target.fact.key)
        key = f"confirm-{len(self.recorded)}"
        return self.ledger.record(data, on=day, by="verifier", key=key)

    def _end_hold(self, kind: type, day: date, one: int) -> Recorded | None:
        held = [i for i in self.recorded if isinstance(i.fact.data, PointsHeld)]
        target = _pick(held, one)
        return target and self._about_hold(kind, target.fact.data.fact, day)

    def _about_hold(self, kind: type, key: str, day: date) -> Recorded:
        return self._record(kind(key, "이의"), day, f"hold-{len(self.recorded)}")

    def _lift(self, day: date, one: int, _two: int) -> Recorded | None:
        name = _pick(self.sanctions, one)
        return name and self._record(SanctionLifted(name, "code"), day)

    def _close(self, _day: date, one: int, _two: int) -> Recorded | None:
        state = self.ledger.state(CLOSINGS)
        begins = state.until if state and state.until else date(2004, (1, 10, 11)[one % 3], 1)
        codes = [
            f"{begins:%Y-%m}",
            *([f"{begins:%Y}-Q{(begins.month + 2) // 3}"] if begins.month % 3 == 1 else []),
            *([f"{begins:%Y}"] if begins.month == 1 else []),
        ]
        over = [code for code in codes if period_days(code)[1] <= self.today]
        code = _pick(over, one) if one % 3 == 0 else (over or [None])[-1]
        return code and self.ledger.close_period(code, on=self.today, by="officer")

    def _reopen(self, _day: date, _one: int, _two: int) -> Recorded | None:
        state = self.ledger.state(CLOSINGS)
        period = state.periods[-1] if state and state.periods else "2004"
        return self.ledger.reopen_period(
            period, on=self.today, by="officer", approved_by="director", reason="error"
        )

    def _unit(self, day: date, one: int, _two: int) -> Recorded:
        name = f"U{one % 3}"
        key = f"unit-{len(self.recorded)}"
        return self._record(UnitEstablished(name, f"{name} 국", name, "HQ"), day, key)

    def _end_unit(self, day: date, one: int, two: int) -> Recorded:
        name, others = f"U{one % 3}", (f"U{two % 3}", "HQ")
        ends = (UnitMerged(name, others[0]), UnitSplit(name, others), UnitAbolished(name, "end"))
        return self._record(ends[two % len(ends)], day, f"end-{len(self.recorded)}")

    def _void(self, day: date, one: int, two: int) -> Recorded | None:
        # One of the latest: those before are mostly rested upon.
        target = _pick(self.recorded[-8:], one)
        return target and self._void_fact(target, day, two)

    def _void_last(self, day: date, _one: int, two: int) -> Recorded | None:
        voids = [item for item in self.recorded if isinstance(item.fact.data, FactVoided)]
        return self._void_fact(voids[-1], day, two) if voids else None

    def _void_fact(self, target: Recorded, day: date, two: int) -> Recorded:
        return self.ledger.void(
            target.fact.key,
            reason="mistake",
            on=max(day, target.fact.occurred_on),
            by="officer",
            key=f"void-{len(self.recorded)}-{two}",
        )

    def _again(self, day: date, one: int, two: int) -> Recorded | None:
        """What was voided is recorded again, with other people and another title."""
        first = (ProposalSubmitted, LearningClubRegistered, UnitEstablished)
        voided = [
            item
            for item in self.recorded
            if isinstance(item.fact.data, first)
            and self.ledger.state(item.fact.originator_id) is None
        ]
        target = _pick(voided, one)
        key = f"again-{len(self.recorded)}"
        title = TITLES[two % len(TITLES)]
        match target and target.fact.data:
            case ProposalSubmitted(proposal=name):
                data: Any = ProposalSubmitted(name, title, "paper", self._shares(two, one))
            case LearningClubRegistered(club=name):
                data = LearningClubRegistered(name, title, PEOPLE[two % len(PEOPLE)])
            case UnitEstablished(unit=name):
                data = UnitEstablished(name, title, name)
            case _:
                return None
        return self._record(data, day, key)


def _pick(items: list[Any], choice: int) -> Any:
    return items[choice % len(items)] if items else None
