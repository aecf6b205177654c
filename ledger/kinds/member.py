"""People as the ledger knows them: an opaque id, where they serve, their rank, their leave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import attrs
from mileage.ledger.errors import Refused
from mileage.ledger.fields import Code, Label, Person, Unit

from .registry import Context, Data, Programme, kind, kinds

if TYPE_CHECKING:
    from datetime import date

    from mileage.ledger.facts import Command, Fact

__all__ = [
    "Member",
    "MemberJoined",
    "MemberLeaveEnded",
    "MemberLeaveStarted",
    "MemberLeft",
    "MemberPromoted",
    "MemberTransferred",
    "Span",
]


@attrs.frozen
class Span:
    """A stretch of days, ``until`` exclusive and open when ``None``."""

    since: date
    until: date | None = None

    def covers(self, day: date) -> bool:
        """Whether the day lies in the span."""
        return self.since <= day and (self.until is None or day < self.until)


@attrs.frozen
class Member:
    """State of a person.

    Attributes:
        service: Spans of employment; a later one after leaving and being hired again.
        leave: Spans of leave.
        units: Where the person serves, each unit with the first day there.
        ranks: Which ranks the person holds, each with the first day.
    """

    service: tuple[Span, ...] = ()
    leave: tuple[Span, ...] = ()
    units: tuple[tuple[date, str], ...] = ()
    ranks: tuple[tuple[date, str], ...] = ()

    @property
    def last_on(self) -> date | None:
        """Latest date on which the person joined, moved, was promoted or went on or off leave."""
        spans = (*self.service, *self.leave)
        begun = [day for day, _ in (*self.units, *self.ranks)]
        return max((*begun, *(s.until or s.since for s in spans)), default=None)

    def serves_on(self, day: date) -> bool:
        """Whether the person is employed on that day; the day of leaving is the last."""
        return any(span.covers(day) for span in self.service)

    def joined_by(self, day: date) -> bool:
        """Whether the person has joined by that day, serving still or not."""
        return any(span.since <= day for span in self.service)

    def on_leave_on(self, day: date) -> bool:
        """Whether the person is on leave on that day."""
        return any(span.covers(day) for span in self.leave)

    def unit_on(self, day: date) -> str | None:
        """The unit in which the person serves on that day, if any."""
        return _latest(self.units, day) if self.serves_on(day) else None

    def rank_on(self, day: date) -> str | None:
        """The rank that the person holds on that day, if any."""
        return _latest(self.ranks, day) if self.serves_on(day) else None


def _latest(begun: tuple[tuple[date, str], ...], day: date) -> str | None:
    """What began last by a day; of two that began on one day the one recorded last counts."""
    found = [each for each in reversed(begun) if each[0] <= day]
    latest = max(found, key=lambda each: each[0], default=None)
    return latest[1] if latest else None


def decide(state: Member | None, command: Command, _context: Context) -> tuple[Data, ...]:
    """Guard the facts of a person: join first, serve while they happen, leave and come back."""
    member = state or Member()
    day = command.occurred_on
    who = command.data.person
    if isinstance(command.data, MemberJoined):
        if any(span.until is None or day < span.until for span in member.service):
            raise Refused("member.already-joined", f"{who} serves on {day} already", field="person")
    elif not member.serves_on(day):
        reason = f"{who} does not serve on {day}"
        raise Refused(
            "member.not-serving",
            reason,
            field="person",
            remedy="record member.joined first, or look at the date",
        )
    match command.data:
        case MemberLeaveStarted():
            _check_leave(member, day, who)
        case MemberLeft() if member.last_on and day < member.last_on:
            raise Refused(
                "member.left-too-early",
                f"something is recorded of the service of {who} on {member.last_on}, after {day}",
                field="occurred_on",
                remedy=f"date it on {member.last_on} or later, or void what is later",
            )
        case MemberLeaveEnded() if not any(
            span.until is None and span.since <= day for span in member.leave
        ):
            raise Refused("member.not-on-leave", f"{who} is not on leave on {day}", field="person")
        case _:
            pass
    return (command.data,)


def _check_leave(member: Member, day: date, who: str) -> None:
    """Refuse leave for somebody who is on leave, or has gone on leave later."""
    if any(span.covers(day) for span in member.leave):
        raise Refused("member.already-on-leave", f"{who} is on leave on {day}", field="person")
    if later := [span.since for span in member.leave if day < span.since]:
        raise Refused(
            "member.later-leave",
            f"{who} is on leave from {min(later)}, after {day}",
            field="occurred_on",
            remedy="void what is later, and record the leaves in order",
        )


def evolve(state: Member | None, fact: Fact) -> Member:
    """Fold one fact into a person's state."""
    member = state or Member()
    day = fact.occurred_on
    changed: dict[str, Any] = {}
    match fact.data:
        case MemberJoined(unit=unit, rank=rank):
            changed["service"] = (*member.service, Span(day))
            changed["units"] = (*member.units, (day, unit))
            changed["ranks"] = (*member.ranks, (day, rank))
        case MemberTransferred(unit=unit):
            changed["units"] = (*member.units, (day, unit))
        case MemberPromoted(rank=rank):
            changed["ranks"] = (*member.ranks, (day, rank))
        case MemberLeft():
            changed["service"] = _close(member.service, day, last_day=True)
            changed["leave"] = _close(member.leave, day, last_day=True)
        case MemberLeaveStarted():
            changed["leave"] = (*member.leave, Span(day))
        case MemberLeaveEnded():
            changed["leave"] = _close(member.leave, day, last_day=False)
        case _:
            pass
    return attrs.evolve(member, **changed)


def _close(spans: tuple[Span, ...], day: date, *, last_day: bool) -> tuple[Span, ...]:
    """End the open span: after ``day`` when that is its last day, else on ``day``."""
    until = day.fromordinal(day.toordinal() + 1) if last_day else day
    return tuple(attrs.evolve(span, until=until) if span.until is None else span for span in spans)


kinds.add_programme(Programme("member", Label("구성원", "Member"), decide=decide, evolve=evolve))


@kind(
    "member.joined",
    ko="임용",
    en="Joined",
    category="member",
    id_fields=("person",),
    identity=("person", "occurred_on"),
)
@attrs.frozen
class MemberJoined(Data):
    """A person joins, in a unit and with a rank."""

    person: Annotated[str, Code("구성원", "Person")]
    unit: Annotated[str, Unit("소속", "Unit")]
    rank: Annotated[str, Code("직급", "Rank")]


@kind(
    "member.transferred",
    ko="전보",
    en="Transferred",
    category="member",
    id_fields=("person",),
    identity=("person", "occurred_on"),
)
@attrs.frozen
class MemberTransferred(Data):
    """A person moves to another unit, from that day on."""

    person: Annotated[str, Person("구성원", "Person")]
    unit: Annotated[str, Unit("소속", "Unit")]


@kind(
    "member.promoted",
    ko="승진",
    en="Promoted",
    category="member",
    id_fields=("person",),
    identity=("person", "occurred_on"),
)
@attrs.frozen
class MemberPromoted(Data):
    """A person gets another rank, from that day on."""

    person: Annotated[str, Person("구성원", "Person")]
    rank: Annotated[str, Code("직급", "Rank")]


@kind(
    "member.leave_started",
    ko="휴직",
    en="Leave started",
    category="member",
    id_fields=("person",),
    identity=("person", "occurred_on"),
)
@attrs.frozen
class MemberLeaveStarted(Data):
    """A person goes on leave, from that day on."""

    person: Annotated[str, Person("구성원", "Person")]


@kind(
    "member.leave_ended",
    ko="복직",
    en="Leave ended",
    category="member",
    id_fields=("person",),
    identity=("person", "occurred_on"),
)
@attrs.frozen
class MemberLeaveEnded(Data):
    """A person is back from leave, from that day on."""

    person: Annotated[str, Person("구성원", "Person")]


@kind(
    "member.left",
    ko="퇴직",
    en="Left",
    category="member",
    id_fields=("person",),
    identity=("person", "occurred_on"),
)
@attrs.frozen
class MemberLeft(Data):
    """A person leaves; that day is the last day of service."""

    person: Annotated[str, Person("구성원", "Person")]
