"""Units of the organisation: bureaus, regional offices; how they begin, merge, split and end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import attrs
from mileage.ledger.errors import Refused
from mileage.ledger.fields import Code, Label, Text, Units
from mileage.ledger.fields import Unit as UnitCode

from .registry import Context, Data, Programme, kind, kinds

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from mileage.ledger.facts import Command, Fact

__all__ = ["Unit", "UnitAbolished", "UnitEstablished", "UnitMerged", "UnitSplit", "within"]


@attrs.frozen
class Unit:
    """State of a unit.

    Attributes:
        established_on: Date from which people can belong to it.
        parent: Code of the unit it is part of, if any.
        ended_on: First date on which it no longer exists, if it ended.
        successors: Codes of the units that took its place, the main one first.
    """

    established_on: date
    parent: str | None = None
    ended_on: date | None = None
    successors: tuple[str, ...] = ()

    def exists_on(self, day: date) -> bool:
        """Whether people can belong to it on that day."""
        return self.established_on <= day and (self.ended_on is None or day < self.ended_on)


def within(context: Context, unit: str | None, above: str) -> bool:
    """Whether a unit is another one or stands below it."""
    seen: set[str] = set()
    while unit and unit not in seen:
        if unit == above:
            return True
        seen.add(unit)
        state = context.state(f"unit:{unit}")
        unit = state.parent if state else None
    return False


def decide(state: Unit | None, command: Command, context: Context) -> tuple[Data, ...]:
    """Guard the facts of a unit: it begins once, ends once, and something else takes its place.

    People who still serve in it are no reason to refuse: their transfers are of the same day and
    may be recorded afterwards.
    """
    data = command.data
    name = f"unit {data.unit}"
    if isinstance(data, UnitEstablished):
        if state is not None:
            raise Refused("unit.already-established", f"{name} exists already", field="unit")
        return (data,)
    if state is None:
        raise Refused("unit.unknown", f"{data.unit} is not known", field="unit")
    if state.ended_on:
        raise Refused("unit.already-ended", f"{name} ended on {state.ended_on}", field="unit")
    match data:
        case UnitMerged(unit=unit, into=into) if into == unit:
            raise Refused("unit.into-itself", f"{name} would be merged into itself", field="into")
        case UnitSplit(unit=unit, successors=successors) if unit in successors:
            raise Refused(
                "unit.into-itself",
                f"{name} would be one of the units that take its place",
                field="successors",
                remedy="leave it as it is, establish the new unit and transfer people to it",
            )
        case UnitSplit(successors=successors) if len(successors) == 1:
            raise Refused(
                "unit.split-into-one",
                f"{name} would be split into one unit",
                field="successors",
                remedy="record unit.merged instead",
            )
        case UnitMerged(into=into):
            _check_circle((into,), data.unit, context, field="into")
        case UnitSplit(successors=successors):
            _check_circle(successors, data.unit, context, field="successors")
        case _:
            pass
    return (data,)


def _check_circle(successors: Sequence[str], unit: str, context: Context, *, field: str) -> None:
    """Refuse units whose place it took itself, at once or in several steps, on a later day."""
    following, seen = list(successors), set(successors)
    while following:
        state = context.state(f"unit:{following.pop()}")
        further = {*(state.successors if state else ())} - seen
        if unit in further:
            raise Refused(
                "unit.in-a-circle",
                f"unit {unit} takes the place of {', '.join(successors)} later",
                field=field,
                remedy="void the fact that says so if it is the other way round",
            )
        seen |= further
        following += further


def evolve(state: Unit | None, fact: Fact) -> Unit | None:
    """Fold one fact into a unit's state."""
    match fact.data:
        case UnitEstablished(parent=parent):
            return Unit(established_on=fact.occurred_on, parent=parent)
        case UnitMerged(into=into) if state:
            return attrs.evolve(state, ended_on=fact.occurred_on, successors=(into,))
        case UnitSplit(successors=successors) if state:
            return attrs.evolve(state, ended_on=fact.occurred_on, successors=successors)
        case UnitAbolished() if state:
            return attrs.evolve(state, ended_on=fact.occurred_on)
        case _:
            return state


kinds.add_programme(Programme("unit", Label("조직", "Unit"), decide=decide, evolve=evolve))


@kind(
    "unit.established",
    ko="조직 설치",
    en="Unit established",
    category="unit",
    id_fields=("unit",),
    title="name_ko",
)
@attrs.frozen
class UnitEstablished(Data):
    """A unit of the organisation is established; people can belong to it from that day."""

    unit: Annotated[str, Code("조직 코드", "Unit")]
    name_ko: Annotated[str, Text("한글 이름", "Korean name", length_max=200)]
    name_en: Annotated[str, Text("영문 이름", "English name", length_max=200)]
    parent: Annotated[str | None, UnitCode("상위 조직", "Parent unit", optional=True)] = None


@kind("unit.merged", ko="조직 통합", en="Unit merged", category="unit", id_fields=("unit",))
@attrs.frozen
class UnitMerged(Data):
    """A unit is merged into another; that day is the first on which it no longer exists."""

    unit: Annotated[str, UnitCode("조직 코드", "Unit")]
    into: Annotated[str, UnitCode("통합되는 조직", "Merged into")]


@kind("unit.split", ko="조직 분리", en="Unit split", category="unit", id_fields=("unit",))
@attrs.frozen
class UnitSplit(Data):
    """A unit is split into others; that day is the first on which it no longer exists."""

    unit: Annotated[str, UnitCode("조직 코드", "Unit")]
    successors: Annotated[tuple[str, ...], Units("승계 조직(주된 조직 먼저)", "Split into")]


@kind("unit.abolished", ko="조직 폐지", en="Unit abolished", category="unit", id_fields=("unit",))
@attrs.frozen
class UnitAbolished(Data):
    """A unit ends and no other takes its place; that day is the first without it."""

    unit: Annotated[str, UnitCode("조직 코드", "Unit")]
    reason: Annotated[str, Text("사유", "Reason")]
