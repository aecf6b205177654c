"""Best-practice contests, within the agency and across agencies (혁신우수사례 경진대회).

A contest and each of its entries are things of their own, so that a contest of thousands of
entries is as quick to record as a small one. Several entries may get one grade (공동 수상); the
order of the grades is the contest's own, best first.

A case that has an award is shared with all staff, by each medium once, and benchmarked by other
units, by each once; the entrants earn by both. Those who carried a benchmarking out are credited
by a fact of its own. When an award is withdrawn, what the entrants earned by sharing and
benchmarking of it counts no longer either; those who benchmarked in good faith keep their credit,
and it can still be recorded. An award given again can be shared and benchmarked anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import attrs
from mileage.ledger.errors import Refused
from mileage.ledger.fields import Choice, Code, Codes, Label, Share, Shares, Text, Unit

from .registry import Activity, Context, Data, Programme, kind, kinds

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from mileage.ledger.facts import Command, Fact

__all__ = [
    "Contest",
    "ContestAwardWithdrawn",
    "ContestAwarded",
    "ContestBenchmarkCredited",
    "ContestCaseBenchmarked",
    "ContestCaseShared",
    "ContestClosed",
    "ContestEntered",
    "ContestEntryWithdrawn",
    "ContestOpened",
    "ContestShortlisted",
    "Entry",
]

SCOPES = {
    "agency": Label("기관 내", "within the agency"),
    "inter_agency": Label("기관 간", "across agencies"),
}
SHARED_BY = {
    "intranet": Label("내부 게시판·지식관리시스템", "intranet"),
    "newsletter": Label("뉴스레터", "newsletter"),
    "email": Label("전자우편", "e-mail"),
    "case_book": Label("사례집", "case book"),
    "briefing": Label("전파 교육·설명회", "briefing"),
}
"""How a case is shared with all staff."""


@attrs.frozen
class Contest:
    """State of a contest.

    Attributes:
        grades: Grades it can award, best first.
        opened_on: Date from which it takes entries.
        rounds: Rounds an entry comes through before an award, in order; none for most contests.
        closed_on: Last day of the contest, if it was closed.
    """

    grades: tuple[str, ...]
    opened_on: date
    rounds: tuple[str, ...] = ()
    closed_on: date | None = None


@attrs.frozen
class Entry:
    """State of an entry.

    Attributes:
        since: Date on which it got this far: entered, through a round, awarded or withdrawn.
        judged_on: Latest date on which it was entered, came through a round or had an award.
        unit: Unit the case is from, or empty.
        passed: Rounds it is through, in order.
        awarded: Whether it has an award that stands.
        withdrawn: Whether the entrants took it back.
        shared_by: Media by which the case is shared under the standing award.
        benchmarked_by: Units that benchmark the case under the standing award.
        benchmarked_on: Date on which a unit first benchmarked it, by unit, whatever came later.
        credited: Units whose people are credited for benchmarking.
    """

    since: date
    judged_on: date
    unit: str = ""
    passed: tuple[str, ...] = ()
    awarded: bool = False
    withdrawn: bool = False
    shared_by: frozenset[str] = frozenset()
    benchmarked_by: frozenset[str] = frozenset()
    benchmarked_on: Mapping[str, date] = attrs.field(factory=dict)
    credited: frozenset[str] = frozenset()


def decide_contest(state: Contest | None, command: Command, context: Context) -> tuple[Data, ...]:
    """Guard a contest: it is opened once and closed once, not before its entries are decided."""
    data = command.data
    name = f"contest {data.contest}"
    if isinstance(data, ContestOpened):
        if state is not None:
            raise Refused("contest.already-opened", f"{name} is open already", field="contest")
    elif state is None:
        raise _never_opened(name)
    elif state.closed_on:
        raise Refused(
            "contest.already-closed", f"{name} was closed on {state.closed_on}", field="contest"
        )
    else:
        _check_closing(data.contest, command.occurred_on, context)
    return (data,)


def _check_closing(contest: str, day: date, context: Context) -> None:
    entries = context.things(f"contest_entry:{contest}/", contest)
    last = max((entry.judged_on for _, entry in entries if entry), default=day)
    if day < last:
        raise Refused(
            "contest.closed-too-early",
            f"something is recorded of entries to contest {contest} on {last}, after {day}",
            field="occurred_on",
            remedy=f"date it on {last} or later, or void what is later",
        )


def _never_opened(name: str) -> Refused:
    return Refused(
        "contest.unknown",
        f"{name} was never opened",
        field="contest",
        remedy="record contest.opened first",
    )


def evolve_contest(state: Contest | None, fact: Fact) -> Contest | None:
    """Fold one fact into a contest's state."""
    data, day = fact.data, fact.occurred_on
    if isinstance(data, ContestOpened):
        return Contest(grades=data.grades, opened_on=day, rounds=data.rounds or ())
    return state and attrs.evolve(state, closed_on=day)


def decide_entry(state: Entry | None, command: Command, context: Context) -> tuple[Data, ...]:
    """Guard an entry: entered, through the rounds, one standing award, its case made use of."""
    data, day = command.data, command.occurred_on
    contest: Contest | None = context.state(f"contest:{data.contest}")
    name = f"entry {data.entry} of contest {data.contest}"
    if contest is None:
        raise _never_opened(f"contest {data.contest}")
    if isinstance(data, ContestEntered | ContestShortlisted | ContestAwarded):
        _check_open(contest, data.contest, day)
    if isinstance(data, ContestEntered):
        if state is not None:
            raise Refused("contest.already-entered", f"{name} exists already", field="entry")
        _not_before(day, contest.opened_on, f"contest {data.contest} opened")
        return (data,)
    if state is None:
        raise Refused(
            "contest.entry-unknown",
            f"contest {data.contest} has no entry {data.entry}",
            field="entry",
            remedy="record contest.entered first",
        )
    if isinstance(data, ContestBenchmarkCredited):
        _check_credit(state, data, day, name)
    else:
        _check_entry(state, contest, data, name)
        _not_before(day, state.since, f"{name} got this far")
    return (data,)


def _check_entry(state: Entry, contest: Contest, data: Data, name: str) -> None:
    if state.withdrawn:
        raise Refused(
            "contest.already-withdrawn", f"{name} was withdrawn on {state.since}", field="entry"
        )
    match data:
        case ContestShortlisted():
            _check_round(state, contest, data, name)
        case ContestAwarded():
            _check_award(state, contest, data, name)
        case ContestEntryWithdrawn():
            _check_no_award(state, name, "record contest.award_withdrawn first")
        case _:
            _check_case(state, data, name)


def _check_open(contest: Contest, code: str, day: date) -> None:
    if contest.closed_on and day > contest.closed_on:
        raise Refused(
            "contest.already-closed",
            f"contest {code} was closed on {contest.closed_on}",
            field="contest",
        )


def _check_round(state: Entry, contest: Contest, data: ContestShortlisted, name: str) -> None:
    if data.round not in contest.rounds:
        known = ", ".join(contest.rounds)
        raise Refused(
            "contest.round-unknown",
            f"contest {data.contest} has no round {data.round!r}",
            field="round",
            remedy=f"its rounds are {known}" if known else "it was opened without rounds",
        )
    left = contest.rounds[len(state.passed) :]
    if data.round not in left[:1]:
        raise Refused(
            "contest.round-out-of-turn",
            f"{data.round} is not the round for {name}, which is through"
            f" {', '.join(state.passed) or 'none yet'}",
            field="round",
            remedy=f"the next round is {left[0]}" if left else "it is through all rounds",
        )


def _check_award(state: Entry, contest: Contest, data: ContestAwarded, name: str) -> None:
    if data.grade not in contest.grades:
        raise Refused(
            "contest.grade-unknown",
            f"contest {data.contest} does not know the grade {data.grade!r}",
            field="grade",
            remedy=f"its grades are {', '.join(contest.grades)}",
        )
    _check_no_award(state, name)
    if missing := contest.rounds[len(state.passed) :]:
        raise Refused(
            "contest.not-shortlisted",
            f"{name} is not through {', '.join(missing)}",
            field="entry",
            remedy="record contest.shortlisted for each round first",
        )


def _check_no_award(state: Entry, name: str, remedy: str = "") -> None:
    if state.awarded:
        reason = f"{name} has an award since {state.since}"
        raise Refused("contest.already-awarded", reason, field="entry", remedy=remedy)


def _check_case(state: Entry, data: Data, name: str) -> None:
    """Refuse what rests on an award that does not stand, and what was recorded of it before."""
    if not state.awarded:
        raise Refused("contest.not-awarded", f"{name} has no award", field="entry")
    if isinstance(data, ContestCaseShared) and data.medium in state.shared_by:
        raise Refused(
            "contest.already-shared",
            f"{name} is shared by {data.medium} already",
            field="medium",
        )
    if isinstance(data, ContestCaseBenchmarked):
        if data.unit == state.unit:
            raise Refused(
                "contest.own-benchmark",
                f"{name} is a case of {data.unit} itself",
                field="unit",
                remedy="name the other unit that adopts it",
            )
        if data.unit in state.benchmarked_by:
            raise Refused(
                "contest.already-benchmarked",
                f"{data.unit} benchmarks {name} already",
                field="unit",
            )


def _check_credit(state: Entry, data: ContestBenchmarkCredited, day: date, name: str) -> None:
    begun = state.benchmarked_on.get(data.unit)
    if begun is None:
        raise Refused(
            "contest.not-benchmarked",
            f"{data.unit} has not benchmarked {name}",
            field="unit",
            remedy="record contest.case_benchmarked first",
        )
    if data.unit in state.credited:
        raise Refused(
            "contest.already-credited",
            f"those who benchmarked {name} in {data.unit} are credited already",
            field="unit",
            remedy="void that fact and name everybody in one",
        )
    _not_before(day, begun, f"{data.unit} benchmarked it")


def _not_before(day: date, begun: date, what: str) -> None:
    if day < begun:
        raise Refused(
            "contest.before-last-stage",
            f"{day} is before {begun}, when {what}",
            field="occurred_on",
        )


def evolve_entry(state: Entry | None, fact: Fact) -> Entry | None:
    """Fold one fact into an entry's state."""
    data, day = fact.data, fact.occurred_on
    if isinstance(data, ContestEntered):
        return Entry(since=day, judged_on=day, unit=data.unit or "")
    if state is None:
        return None
    changes: dict[str, Any] = {}
    match data:
        case ContestShortlisted():
            changes = {"since": day, "judged_on": day, "passed": (*state.passed, data.round)}
        case ContestAwarded():
            changes = {"since": day, "judged_on": day, "awarded": True}
        case ContestAwardWithdrawn():
            nothing: frozenset[str] = frozenset()
            changes = {"since": day, "awarded": False}
            changes |= {"shared_by": nothing, "benchmarked_by": nothing}
        case ContestEntryWithdrawn():
            changes = {"since": day, "withdrawn": True}
        case ContestCaseShared(medium=medium):
            changes = {"shared_by": state.shared_by | {medium}}
        case ContestCaseBenchmarked(unit=unit):
            first = {unit: day, **state.benchmarked_on}
            changes = {"benchmarked_by": state.benchmarked_by | {unit}, "benchmarked_on": first}
        case ContestBenchmarkCredited(unit=unit):
            changes = {"credited": state.credited | {unit}}
    return attrs.evolve(state, **changes)


kinds.add_programme(
    Programme("contest", Label("경진대회", "Contest"), decide=decide_contest, evolve=evolve_contest)
)
kinds.add_programme(
    Programme(
        "contest_entry",
        Label("출품작", "Contest entry"),
        decide=decide_entry,
        evolve=evolve_entry,
    )
)

_BY_ENTRANTS = Activity(people="entrants", of="contest.entered")


@kind(
    "contest.opened",
    ko="경진대회 개최",
    en="Contest opened",
    category="contest",
    id_fields=("contest",),
    title="title",
)
@attrs.frozen
class ContestOpened(Data):
    """A contest is opened, with the grades it can award, best first."""

    contest: Annotated[str, Code("대회", "Contest")]
    title: Annotated[str, Text("제목", "Title", length_max=500)]
    scope: Annotated[str, Choice("범위", "Scope", words=SCOPES)]
    grades: Annotated[tuple[str, ...], Codes("등급", "Grades")]
    rounds: Annotated[tuple[str, ...] | None, Codes("심사 단계", "Rounds", optional=True)] = None
    host: Annotated[str | None, Text("주최", "Host", length_max=200, optional=True)] = None


@kind(
    "contest.closed",
    ko="경진대회 종료",
    en="Contest closed",
    category="contest",
    id_fields=("contest",),
    identity=("contest", "occurred_on"),
)
@attrs.frozen
class ContestClosed(Data):
    """A contest ends; that day is the last for entries, rounds and awards."""

    contest: Annotated[str, Code("대회", "Contest")]


@kind(
    "contest.entered",
    ko="경진대회 출품",
    en="Contest entry",
    category="contest_entry",
    id_fields=("contest", "entry"),
    title="title",
    activity=Activity(people="entrants"),
)
@attrs.frozen
class ContestEntered(Data):
    """A case is entered into a contest by one or several persons, with declared shares."""

    contest: Annotated[str, Code("대회", "Contest")]
    entry: Annotated[str, Code("출품 번호", "Entry")]
    title: Annotated[str, Text("제목", "Title", length_max=500)]
    entrants: Annotated[tuple[Share, ...], Shares("출품자", "Entrants")]
    unit: Annotated[str | None, Unit("출품 부서", "Unit of the case", optional=True)] = None


@kind(
    "contest.shortlisted",
    ko="경진대회 심사 통과",
    en="Contest entry shortlisted",
    category="contest_entry",
    id_fields=("contest", "entry"),
    identity=("contest", "entry", "round"),
    activity=attrs.evolve(_BY_ENTRANTS, grade="round"),
)
@attrs.frozen
class ContestShortlisted(Data):
    """An entry comes through a round, in turn; the round stands for the grade of a rule."""

    contest: Annotated[str, Code("대회", "Contest")]
    entry: Annotated[str, Code("출품 번호", "Entry")]
    round: Annotated[str, Code("심사 단계", "Round")]


@kind(
    "contest.entry_withdrawn",
    ko="출품 철회",
    en="Contest entry withdrawn",
    category="contest_entry",
    id_fields=("contest", "entry"),
    identity=("contest", "entry", "occurred_on"),
    withdraws=("contest.entered", "contest.shortlisted"),
)
@attrs.frozen
class ContestEntryWithdrawn(Data):
    """The entrants take an entry without an award back; it no longer counts from that day on."""

    contest: Annotated[str, Code("대회", "Contest")]
    entry: Annotated[str, Code("출품 번호", "Entry")]
    reason: Annotated[str, Text("사유", "Reason")]


@kind(
    "contest.awarded",
    ko="우수사례 선정",
    en="Best practice awarded",
    category="contest_entry",
    id_fields=("contest", "entry"),
    identity=("contest", "entry", "occurred_on"),
    activity=attrs.evolve(_BY_ENTRANTS, grade="grade"),
)
@attrs.frozen
class ContestAwarded(Data):
    """An entry through all rounds is awarded a grade, alone or together with others."""

    contest: Annotated[str, Code("대회", "Contest")]
    entry: Annotated[str, Code("출품 번호", "Entry")]
    grade: Annotated[str, Code("등급", "Grade")]


@kind(
    "contest.award_withdrawn",
    ko="우수사례 선정 취소",
    en="Award withdrawn",
    category="contest_entry",
    id_fields=("contest", "entry"),
    identity=("contest", "entry", "occurred_on"),
    withdraws=("contest.awarded", "contest.case_shared", "contest.case_benchmarked"),
)
@attrs.frozen
class ContestAwardWithdrawn(Data):
    """An award is withdrawn, for a reason; neither it nor what rests on it counts any longer."""

    contest: Annotated[str, Code("대회", "Contest")]
    entry: Annotated[str, Code("출품 번호", "Entry")]
    reason: Annotated[str, Text("사유", "Reason")]


@kind(
    "contest.case_shared",
    ko="우수사례 공유",
    en="Best practice shared",
    category="contest_entry",
    id_fields=("contest", "entry"),
    identity=("contest", "entry", "medium", "occurred_on"),
    activity=attrs.evolve(_BY_ENTRANTS, grade="medium"),
)
@attrs.frozen
class ContestCaseShared(Data):
    """A case with an award is shared with all staff; the medium stands for the grade of a rule."""

    contest: Annotated[str, Code("대회", "Contest")]
    entry: Annotated[str, Code("출품 번호", "Entry")]
    medium: Annotated[str, Choice("공유 방법", "Medium", words=SHARED_BY)]


@kind(
    "contest.case_benchmarked",
    ko="우수사례 벤치마킹",
    en="Best practice benchmarked",
    category="contest_entry",
    id_fields=("contest", "entry"),
    identity=("contest", "entry", "unit", "occurred_on"),
    activity=_BY_ENTRANTS,
)
@attrs.frozen
class ContestCaseBenchmarked(Data):
    """Another unit adopts a case with an award; the entrants earn by it."""

    contest: Annotated[str, Code("대회", "Contest")]
    entry: Annotated[str, Code("출품 번호", "Entry")]
    unit: Annotated[str, Unit("도입 부서", "Adopting unit")]
    description: Annotated[str, Text("내용", "Description")]


@kind(
    "contest.benchmark_credited",
    ko="벤치마킹 공로 인정",
    en="Benchmarking credited",
    category="contest_entry",
    id_fields=("contest", "entry"),
    identity=("contest", "entry", "unit"),
    activity=Activity(people="contributors"),
)
@attrs.frozen
class ContestBenchmarkCredited(Data):
    """Those who carried a unit's benchmarking of a case out are credited, with shares."""

    contest: Annotated[str, Code("대회", "Contest")]
    entry: Annotated[str, Code("출품 번호", "Entry")]
    unit: Annotated[str, Unit("도입 부서", "Adopting unit")]
    contributors: Annotated[tuple[Share, ...], Shares("기여자", "Contributors")]
