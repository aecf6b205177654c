"""Indicators of performance (성과지표): targets for a year, values measured with their source.

The year of a value is that of its date. A target is a value, or a change on the last value of the
year before ("10 % above the year before"). An indicator begins with its definition, so the
definition is dated to the first day of which a value is known.
"""

from __future__ import annotations

from decimal import Decimal  # noqa: TC003 - read at run time by the declaration
from typing import TYPE_CHECKING, Annotated

import attrs
from mileage.ledger.errors import InvalidFact, Refused
from mileage.ledger.fields import Amount, Choice, Code, Label, Text, Whole

from .registry import Context, Data, Programme, kind, kinds

if TYPE_CHECKING:
    from datetime import date

    from mileage.ledger.facts import Command, Fact

__all__ = [
    "Indicator",
    "IndicatorDefined",
    "IndicatorDiscontinued",
    "IndicatorMeasured",
    "IndicatorTargetSet",
]

BETTER = {
    "higher": Label("높을수록 좋음", "the higher the better"),
    "lower": Label("낮을수록 좋음", "the lower the better"),
}
VALUE_MOST = 1_000_000_000
YEAR_LEAST, YEAR_MOST = 1900, 2999
FALL_MOST, RISE_MOST = -100, 100_000


@attrs.frozen
class Indicator:
    """State of an indicator.

    Attributes:
        last_on: Latest date on which it was defined, measured or set a target.
        discontinued_on: Last day on which it is measured, if it was discontinued.
    """

    last_on: date
    discontinued_on: date | None = None


def decide(state: Indicator | None, command: Command, _context: Context) -> tuple[Data, ...]:
    """Guard an indicator: defined once, a target not after its year, nothing after its end."""
    data = command.data
    name = f"indicator {data.indicator}"
    if isinstance(data, IndicatorDefined):
        if state is not None:
            raise Refused(
                "indicator.already-defined", f"{name} is defined already", field="indicator"
            )
        return (data,)
    if state is None:
        raise Refused(
            "indicator.unknown",
            f"{name} was never defined",
            field="indicator",
            remedy="record indicator.defined first",
        )
    end = state.discontinued_on
    if end and (isinstance(data, IndicatorDiscontinued) or command.occurred_on > end):
        raise Refused(
            "indicator.already-discontinued",
            f"{name} was discontinued on {end}",
            field="indicator",
        )
    if isinstance(data, IndicatorDiscontinued) and command.occurred_on < state.last_on:
        raise Refused(
            "indicator.discontinued-too-early",
            f"something is recorded of {name} on {state.last_on}, after {command.occurred_on}",
            field="occurred_on",
            remedy=f"date it on {state.last_on} or later, or void what is later",
        )
    if isinstance(data, IndicatorTargetSet) and command.occurred_on.year > data.year:
        raise Refused(
            "indicator.year-over",
            f"a target of {name} for {data.year} cannot be set on {command.occurred_on}:"
            " the year is over",
            field="year",
            remedy="give the date on which it was decided",
        )
    return (data,)


def evolve(state: Indicator | None, fact: Fact) -> Indicator | None:
    """Fold one fact into an indicator's state."""
    day = fact.occurred_on
    if isinstance(fact.data, IndicatorDefined):
        return Indicator(day)
    if state and isinstance(fact.data, IndicatorDiscontinued):
        return attrs.evolve(state, discontinued_on=day)
    return state and attrs.evolve(state, last_on=max(state.last_on, day))


kinds.add_programme(
    Programme("indicator", Label("성과지표", "Indicator"), decide=decide, evolve=evolve)
)


@kind(
    "indicator.defined",
    ko="성과지표 설정",
    en="Indicator defined",
    category="indicator",
    id_fields=("indicator",),
    title="title",
)
@attrs.frozen
class IndicatorDefined(Data):
    """An indicator is defined: what is measured, in what, and whether more of it is better."""

    indicator: Annotated[str, Code("지표", "Indicator")]
    title: Annotated[str, Text("이름", "Title", length_max=500)]
    measured_in: Annotated[str, Text("측정 단위", "Measured in", length_max=50)]
    better: Annotated[str, Choice("방향", "Better", words=BETTER)]


@kind(
    "indicator.target_set",
    ko="성과목표 설정",
    en="Target set",
    category="indicator",
    id_fields=("indicator",),
    identity=("indicator", "year", "occurred_on"),
)
@attrs.frozen
class IndicatorTargetSet(Data):
    """A target is set for a year: a value, or a change on the last value of the year before.

    A later target for the same year takes the place of the earlier one.
    """

    indicator: Annotated[str, Code("지표", "Indicator")]
    year: Annotated[int, Whole("연도", "Year", least=YEAR_LEAST, most=YEAR_MOST)]
    target_value: Annotated[
        Decimal | None,
        Amount("목표값", "Target value", least=-VALUE_MOST, most=VALUE_MOST, optional=True),
    ] = None
    change_percent: Annotated[
        Decimal | None,
        Amount(
            "전년 대비(%)",
            "Change on the year before (%)",
            least=FALL_MOST,
            most=RISE_MOST,
            optional=True,
        ),
    ] = None

    def __attrs_post_init__(self) -> None:
        """Check the fields, and that there is one target and not two."""
        super().__attrs_post_init__()
        if (self.target_value is None) == (self.change_percent is None):
            found = "neither" if self.target_value is None else "both"
            raise InvalidFact(
                "target_value", f"{found} of target_value and change_percent given", "give one"
            )


@kind(
    "indicator.measured",
    ko="성과지표 측정",
    en="Indicator measured",
    category="indicator",
    id_fields=("indicator",),
    identity=("indicator", "occurred_on"),
)
@attrs.frozen
class IndicatorMeasured(Data):
    """A value is measured, with its source; the latest of a year is the year's."""

    indicator: Annotated[str, Code("지표", "Indicator")]
    value: Annotated[Decimal, Amount("측정값", "Value", least=-VALUE_MOST, most=VALUE_MOST)]
    measured_source: Annotated[str, Text("측정 출처", "Source of the value", length_max=200)]


@kind(
    "indicator.discontinued",
    ko="성과지표 폐지",
    en="Indicator discontinued",
    category="indicator",
    id_fields=("indicator",),
)
@attrs.frozen
class IndicatorDiscontinued(Data):
    """An indicator is no longer measured after that day, for a reason."""

    indicator: Annotated[str, Code("지표", "Indicator")]
    reason: Annotated[str, Text("사유", "Reason")]
