"""Best-practice contests, within the agency and across agencies (혁신우수사례 경진대회).

A contest and each of its entries are things of their own, so that a contest of thousands of
entries is as quick to record as a small one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import attrs
from mileage.ledger.errors import Refused
from mileage.ledger.fields import Choice, Code, Codes, Label, Share, Shares, Text

from .registry import Activity, Context, Data, Programme, kind, kinds

if TYPE_CHECKING:
    from datetime import date

    from mileage.ledger.facts import Command, Fact

__all__ = [
    "Contest",
    "ContestAwardWithdrawn",
    "ContestAwarded",
    "ContestEntered",
    "ContestOpened",
    "Entry",
]

SCOPES = {
    "agency": Label("기관 내", "within the agency"),
    "inter_agency": Label("기관 간", "across agencies"),
}


@attrs.frozen
class Contest:
    """State of a contest.

    Attributes:
        grades: Grades it can award, best first.
        opened_on: Date from which it takes entries.
    """

    grades: tuple[str, ...]
    opened_on: date


@attrs.frozen
class Entry:
    """State of an entry.

    Attributes:
        since: Date on which it was entered, or of its standing award, or of the withdrawal.
        awarded: Whether it has an award that stands.
    """

    since: date
    awarded: bool = False


def decide_contest(state: Contest | None, command: Command, _context: Context) -> tuple[Data, ...]:
    """Guard a contest: it is opened once."""
    if state is not None:
        raise Refused(
            "contest.already-opened",
            f"contest {command.data.contest} is open already",
            field="contest",
        )
    return (command.data,)


def evolve_contest(_state: Contest | None, fact: Fact) -> Contest:
    """Fold one fact into a contest's state."""
    return Contest(grades=fact.data.grades, opened_on=fact.occurred_on)


def decide_entry(state: Entry | None, command: Command, context: Context) -> tuple[Data, ...]:
    """Guard an entry: entered into an open contest, one standing award, the award withdrawn."""
    data, day = command.data, command.occurred_on
    contest: Contest | None = context.state(f"contest:{data.contest}")
    if contest is None:
        raise Refused(
            "contest.unknown",
            f"contest {data.contest} was never opened",
            field="contest",
            remedy="record contest.opened first",
        )
    name = f"entry {data.entry} of contest {data.contest}"
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
    if isinstance(data, ContestAwarded):
        if data.grade not in contest.grades:
            raise Refused(
                "contest.grade-unknown",
                f"contest {data.contest} does not know the grade {data.grade!r}",
                field="grade",
                remedy=f"its grades are {', '.join(contest.grades)}",
            )
        if state.awarded:
            reason = f"{name} has an award since {state.since}"
            raise Refused("contest.already-awarded", reason, field="entry")
    elif not state.awarded:
        raise Refused("contest.not-awarded", f"{name} has no award", field="entry")
    _not_before(day, state.since, f"{name} got this far")
    return (data,)


def _not_before(day: date, begun: date, what: str) -> None:
    if day < begun:
        raise Refused(
            "contest.before-last-stage",
            f"{day} is before {begun}, when {what}",
            field="occurred_on",
        )


def evolve_entry(state: Entry | None, fact: Fact) -> Entry | None:
    """Fold one fact into an entry's state."""
    match fact.data:
        case ContestEntered():
            return Entry(since=fact.occurred_on)
        case ContestAwarded():
            return state and Entry(since=fact.occurred_on, awarded=True)
        case _:
            return state and Entry(since=fact.occurred_on, awarded=False)


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


@kind(
    "contest.awarded",
    ko="우수사례 선정",
    en="Best practice awarded",
    category="contest_entry",
    id_fields=("contest", "entry"),
    identity=("contest", "entry", "occurred_on"),
    activity=Activity(people="entrants", of="contest.entered", grade="grade"),
)
@attrs.frozen
class ContestAwarded(Data):
    """An entry is awarded a grade as a best practice."""

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
    withdraws=("contest.awarded",),
)
@attrs.frozen
class ContestAwardWithdrawn(Data):
    """An award is withdrawn, for a reason; it no longer counts from that day on."""

    contest: Annotated[str, Code("대회", "Contest")]
    entry: Annotated[str, Code("출품 번호", "Entry")]
    reason: Annotated[str, Text("사유", "Reason")]
