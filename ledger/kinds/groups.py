"""What learning clubs and study teams share: members who join and leave, sessions, an end.

No kind is declared here. Each of the two has a ``Guard`` that speaks of it by its own name and
refuses by its own rules, ``learning_club.not-member`` or ``study_team.not-member``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, TypeVar

import attrs
from mileage.ledger.errors import Refused

from .member import Span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from mileage.ledger.facts import Command

    from .registry import Context

__all__ = ["Group", "Guard", "Session", "founded"]

NAMED_MAX = 5
"""So many people a refusal names."""


@attrs.frozen
class Session:
    """A session that was held.

    Attributes:
        held_on: Date of the session.
        attendees: The members who attended.
    """

    held_on: date
    attendees: tuple[str, ...]


@attrs.frozen(kw_only=True)
class Group:
    """State of a group of members.

    Attributes:
        members: Spans of membership by person.
        last_on: Latest date of anything recorded of it.
        sessions: The sessions held, by code.
        active_on: Latest date on which each member did something as a member.
        dissolved_on: Last day of the group, if it was dissolved.
    """

    members: Mapping[str, tuple[Span, ...]]
    last_on: date
    sessions: Mapping[str, Session] = attrs.field(factory=dict)
    active_on: Mapping[str, date] = attrs.field(factory=dict)
    dissolved_on: date | None = None

    def has_member(self, person: str, day: date) -> bool:
        """Whether the person is a member on that day; the day of leaving is the last."""
        return any(span.covers(day) for span in self.members.get(person, ()))

    def has_had_member(self, person: str, day: date) -> bool:
        """Whether the person is a member on that day or was one before."""
        return any(span.since <= day for span in self.members.get(person, ()))

    def seen(self, day: date) -> Self:
        """The state after something happened on a day."""
        return attrs.evolve(self, last_on=max(self.last_on, day))

    def joined(self, person: str, day: date) -> Self:
        """The state after a person became a member."""
        spans = (*self.members.get(person, ()), Span(day))
        return attrs.evolve(self, members={**self.members, person: spans})

    def left(self, person: str, day: date) -> Self:
        """The state after a person's last day as a member."""
        end = day.fromordinal(day.toordinal() + 1)
        spans = tuple(
            attrs.evolve(span, until=end) if span.until is None else span
            for span in self.members.get(person, ())
        )
        return attrs.evolve(self, members={**self.members, person: spans})

    def held(self, session: str, day: date, attendees: Sequence[str]) -> Self:
        """The state after a session."""
        held = Session(day, tuple(attendees))
        group = self.took_part(attendees, day)
        return attrs.evolve(group, sessions={**self.sessions, session: held})

    def took_part(self, people: Sequence[str], day: date) -> Self:
        """The state after members did something as members."""
        latest = {person: max(self.active_on.get(person, day), day) for person in people}
        return attrs.evolve(self, active_on={**self.active_on, **latest})

    def dissolved(self, day: date) -> Self:
        """The state after the last day."""
        return attrs.evolve(self, dissolved_on=day)


G = TypeVar("G", bound=Group)


def founded(state: type[G], leader: str, day: date, **more: Any) -> G:
    """The state of a group on its first day; its leader is the first member."""
    return state(members={leader: (Span(day),)}, last_on=day, **more)


@attrs.frozen
class Guard:
    """Refuses what does not fit a group, in the words and by the rules of its category.

    Attributes:
        category: Category of the group's streams, the first part of its rules' names.
        noun: What the group is called, e.g. ``learning club``.
        field: Field that holds the group's code.
        first: Kind that founds a group.
        other: Category of the groups whose codes it must not have, because support is granted to
            a group of either by its code.
        other_noun: What those are called.
    """

    category: str
    noun: str
    field: str
    first: str
    other: str
    other_noun: str

    def refusal(self, rule: str, reason: str, *, field: str = "", remedy: str = "") -> Refused:
        """A refusal by one of the category's rules, at the field of the group unless given."""
        return Refused(f"{self.category}.{rule}", reason, field=field or self.field, remedy=remedy)

    def name(self, data: Any) -> str:
        """The group that a fact is about, in words."""
        return f"{self.noun} {getattr(data, self.field)}"

    def check_code(self, data: Any, context: Context) -> None:
        """Refuse a code that a group of the other category has."""
        code = getattr(data, self.field)
        if context.state(f"{self.other}:{code}") is not None:
            raise self.refusal(
                "code-taken", f"{code} is a {self.other_noun} already", remedy="choose another code"
            )

    def going(self, state: G | None, command: Command) -> G:
        """The state of a group that exists and is not dissolved on the day of a command."""
        name = self.name(command.data)
        if state is None:
            raise self.refusal(
                "unknown", f"there is no {name}", remedy=f"record {self.first} first"
            )
        end = state.dissolved_on
        if end and command.occurred_on > end:
            raise self.refusal("already-dissolved", f"{name} was dissolved on {end}")
        return state

    def check_joining(self, state: Group, command: Command) -> None:
        """Refuse to join for somebody who is a member, or is one later."""
        person, day = command.data.person, command.occurred_on
        spans = state.members.get(person, ())
        if any(span.until is None or day < span.until for span in spans):
            reason = f"{person} is a member of {self.name(command.data)} already"
            raise self.refusal("already-member", reason, field="person")

    def check_leaving(self, state: Group, command: Command) -> None:
        """Refuse to leave for somebody who is no member, or who takes part later."""
        person, day = command.data.person, command.occurred_on
        spans = state.members.get(person, ())
        if not any(span.until is None and span.since <= day for span in spans):
            reason = f"{person} is not a member of {self.name(command.data)} on {day}"
            raise self.refusal("not-member", reason, field="person")
        last = state.active_on.get(person, day)
        if day < last:
            raise self.refusal(
                "left-too-early",
                f"{person} took part in {self.name(command.data)} on {last}, after {day}",
                field="occurred_on",
                remedy=f"date it on {last} or later, or void what is later",
            )

    def check_session(self, state: Group, command: Command) -> None:
        """Refuse a session that was held already, or one attended by others than members."""
        data = command.data
        if data.session in state.sessions:
            reason = f"{self.name(data)} has held session {data.session} already"
            raise self.refusal("session-repeated", reason, field="session")
        self.check_members(state, data.attendees, command, field="attendees")

    def check_members(
        self, state: Group, people: Sequence[str], command: Command, *, field: str
    ) -> None:
        """Refuse people who are not members on the day of a command."""
        day = command.occurred_on
        strangers = [person for person in people if not state.has_member(person, day)]
        if strangers:
            more = f" and {len(strangers) - NAMED_MAX} more" if strangers[NAMED_MAX:] else ""
            raise self.refusal(
                "not-member",
                f"{', '.join(strangers[:NAMED_MAX])}{more} not a member of"
                f" {self.name(command.data)} on {day}",
                field=field,
                remedy=f"record {self.category}.joined first",
            )

    def check_dissolving(self, state: Group, command: Command, context: Context) -> None:
        """Refuse to end a group twice, or before something it did or was paid for."""
        day, name = command.occurred_on, self.name(command.data)
        if state.dissolved_on:
            reason = f"{name} was dissolved on {state.dissolved_on}"
            raise self.refusal("already-dissolved", reason)
        support = context.state(f"support:{getattr(command.data, self.field)}")
        last = max(state.last_on, support.last_on) if support else state.last_on
        if day < last:
            raise self.refusal(
                "dissolved-too-early",
                f"something is recorded of {name} on {last}, after {day}",
                field="occurred_on",
                remedy=f"date it on {last} or later, or void what is later",
            )
