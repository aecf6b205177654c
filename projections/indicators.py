"""Indicators of performance: the value of a year against its target and the year before."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import attrs
from mileage.ledger import to_units
from mileage.ledger.amounts import WHOLE_SHARE
from mileage.ledger.kinds.indicator import (
    IndicatorDefined,
    IndicatorDiscontinued,
    IndicatorMeasured,
    IndicatorTargetSet,
)

from .standing import standing_facts

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from mileage.ledger import Ledger, Recorded

__all__ = ["IndicatorResult", "Measurement", "indicators"]

_KINDS = (
    "indicator.defined",
    "indicator.target_set",
    "indicator.measured",
    "indicator.discontinued",
)


@attrs.frozen
class Measurement:
    """A value as it was measured.

    Attributes:
        value: The value, in 1/10,000 of what it is measured in.
        measured_on: Civil date of the measurement.
        source: Where it comes from.
        position: Position of the fact.
    """

    value: int
    measured_on: date
    source: str
    position: int


@attrs.frozen
class IndicatorResult:
    """An indicator in a year.

    Attributes:
        indicator: Code of the indicator.
        title: Its name.
        measured_in: What it is measured in, e.g. ``%``.
        better: ``higher`` or ``lower``.
        year: The year.
        measured: The latest value of the year, if any.
        before: The latest value of the year before, if any.
        target: The target in 1/10,000, exact; ``None`` without one, or when it is a change on a
            year before that has no value.
        change_asked: The change the target asks for on the year before, 1/10,000 percent; ``None``
            when the target is a value or there is none.
        target_set_on: Civil date on which the target was set.
        discontinued_on: Last day on which it is measured, if it was discontinued.
    """

    indicator: str
    title: str
    measured_in: str
    better: str
    year: int
    measured: Measurement | None
    before: Measurement | None
    target: Fraction | None
    change_asked: int | None
    target_set_on: date | None
    discontinued_on: date | None

    @property
    def missing(self) -> Fraction | None:
        """How far the value is from the target, 1/10,000; 0 when it is reached."""
        if self.measured is None or self.target is None:
            return None
        short = self.target - self.measured.value
        return max(short if self.better == "higher" else -short, Fraction(0))

    @property
    def reached(self) -> bool | None:
        """Whether the value reaches the target; ``None`` without a value or a target."""
        return None if self.missing is None else self.missing == 0

    @property
    def change(self) -> int | None:
        """The value less that of the year before, 1/10,000."""
        if self.measured is None or self.before is None:
            return None
        return self.measured.value - self.before.value


@attrs.define
class _Record:
    """All that is known of one indicator."""

    defined: IndicatorDefined
    defined_on: date
    discontinued_on: date | None = None
    targets: dict[int, tuple[date, IndicatorTargetSet]] = attrs.field(factory=dict)
    measured: dict[int, Measurement] = attrs.field(factory=dict)


def indicators(  # noqa: PLR0913 - each is a way to ask
    ledger: Ledger,
    *,
    year: int | None = None,
    indicator: str | None = None,
    as_of: date | None = None,
    known_at: datetime | None = None,
    until: date | None = None,
) -> list[IndicatorResult]:
    """Indicators in a year, or in every year with a value or a target.

    Args:
        ledger: The ledger.
        year: Only this year; indicators that had begun and not ended by then are listed even
            without a value.
        indicator: Only this indicator.
        as_of: What counted on that civil date, corrections that took effect by then included.
        known_at: Only what had been recorded by that instant.
        until: Only what was set and measured by that civil date, whatever the date of a
            correction.

    Returns:
        By indicator in the order of definition, then by year.
    """
    items = standing_facts(ledger, _KINDS, as_of=as_of, known_at=known_at, until=until)
    records = _records(items)
    found = []
    for code, record in records.items():
        if indicator in (None, code):
            years = _years(record) if year is None else [year]
            found += [_result(record, each) for each in years if _lives_in(record, each)]
    return found


def _records(items: Iterable[Recorded]) -> dict[str, _Record]:
    facts = sorted(items, key=lambda item: (item.fact.occurred_on, item.position))
    records: dict[str, _Record] = {}
    for item in facts:
        day, data = item.fact.occurred_on, item.fact.data
        if isinstance(data, IndicatorDefined):
            records[data.indicator] = _Record(data, day)
            continue
        record = records.get(data.indicator)
        if record is None:  # its definition was voided from an earlier day than this fact was
            continue
        match data:
            case IndicatorTargetSet(year=year):
                record.targets[year] = (day, data)
            case IndicatorMeasured(value=value, measured_source=source):
                record.measured[day.year] = Measurement(to_units(value), day, source, item.position)
            case IndicatorDiscontinued():
                record.discontinued_on = day
            case _:
                pass
    return records


def _years(record: _Record) -> Iterable[int]:
    return sorted(record.targets.keys() | record.measured.keys()) or [record.defined_on.year]


def _lives_in(record: _Record, year: int) -> bool:
    end = record.discontinued_on
    return record.defined_on.year <= year and (end is None or year <= end.year)


def _result(record: _Record, year: int) -> IndicatorResult:
    defined, before = record.defined, record.measured.get(year - 1)
    set_on, target = record.targets.get(year, (None, None))
    asked = target.change_percent if target else None
    return IndicatorResult(
        indicator=defined.indicator,
        title=defined.title,
        measured_in=defined.measured_in,
        better=defined.better,
        year=year,
        measured=record.measured.get(year),
        before=before,
        target=_target(target, before),
        change_asked=None if asked is None else to_units(asked),
        target_set_on=set_on,
        discontinued_on=record.discontinued_on,
    )


def _target(target: IndicatorTargetSet | None, before: Measurement | None) -> Fraction | None:
    """The target as a value; a change is one of the size of the value before, whatever its sign."""
    if target is None:
        return None
    if target.target_value is not None:
        return Fraction(to_units(target.target_value))
    if before is None or target.change_percent is None:
        return None
    change = Fraction(to_units(target.change_percent), WHOLE_SHARE)
    return before.value + abs(before.value) * change
