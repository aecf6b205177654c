"""Units of the organisation: bureaus, regional offices, affiliates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import attrs
from mileage.ledger.errors import Refused
from mileage.ledger.fields import Code, Label, Text
from mileage.ledger.fields import Unit as UnitCode

from .registry import Context, Data, Programme, kind, kinds

if TYPE_CHECKING:
    from datetime import date

    from mileage.ledger.facts import Command, Fact

__all__ = ["Unit", "UnitEstablished"]


@attrs.frozen
class Unit:
    """State of a unit.

    Attributes:
        established_on: Date from which people can belong to it.
    """

    established_on: date


def decide(state: Unit | None, command: Command, _context: Context) -> tuple[Data, ...]:
    """Guard the facts of a unit."""
    if state is not None:
        raise Refused("unit.already-established", f"{command.stream} exists already", field="unit")
    return (command.data,)


def evolve(_state: Unit | None, fact: Fact) -> Unit:
    """Fold one fact into a unit's state."""
    return Unit(established_on=fact.occurred_on)


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
