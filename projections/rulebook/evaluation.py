"""Schemes by which units are evaluated: areas with dated weights, elements with their sources.

::

    evaluation ── groups (units that compete with each other)
      ├── values: from a day on, the weight of each area in percent
      └── areas ── elements: their part of the area, and where their result comes from
"""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from attrs import frozen
from mileage.ledger.amounts import format_amount

from .dated import read_codes, read_entries, read_values
from .programmes import read_ranked_grades
from .tables import EXAMPLES, KINDS, Table, meant, open_table, read_points, read_text
from .values import OTHERWISE, POINT, GradeTerms, Otherwise

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from mileage.ledger.fields import Label
    from mileage.projections.toml_positions import Path

    from .text import Check

__all__ = [
    "ACTIVITIES_MAX",
    "AREAS_MAX",
    "ELEMENTS_MAX",
    "GROUPS_MAX",
    "ORIGINS",
    "SOURCES",
    "Area",
    "Element",
    "Evaluation",
    "EvaluationValue",
    "Group",
    "Origin",
    "Source",
    "read_evaluation",
]

Source = Literal[
    "scores",
    "task-achievement",
    "participation",
    "points",
    "points-per-head",
    "activities-per-head",
    "hours-per-head",
]
Origin = Literal["common", "own"]

SOURCES: tuple[Source, ...] = (
    "scores",
    "task-achievement",
    "participation",
    "points",
    "points-per-head",
    "activities-per-head",
    "hours-per-head",
)
"""Where the result of an element comes from: evaluators' scores, or a measure of the facts."""
ORIGINS: tuple[Origin, ...] = ("common", "own")
"""Which tasks count: the common ones or the agency's own."""

GROUPS_MAX = 50
AREAS_MAX = 50
ELEMENTS_MAX = 100
ACTIVITIES_MAX = 500
WHOLE_PERCENT = 100 * POINT
"""100 percent, in 1/10,000 percent."""

# The keys that an element has besides, by its source.
_KEYS_OF_SOURCE: Mapping[str, tuple[str, ...]] = {
    "scores": (),
    "task-achievement": ("origin",),
    "participation": ("activities",),
    "points": ("activities",),
    "points-per-head": ("activities",),
    "activities-per-head": ("activities",),
    "hours-per-head": ("activities",),
}


@frozen
class Element:
    """One thing that is looked at in an area.

    Attributes:
        id: Name, unique in the whole evaluation: evaluators score by it.
        title: What people call it.
        source: Where its result comes from.
        weight: Its part of the area; all of them make 1.
        origin: Which tasks count for "task-achievement"; all when ``None``.
        activities: Kinds of activity that count for a measure of activities; all when empty.
        line: Line of the text.
    """

    id: str
    title: Label
    source: Source
    weight: Fraction
    origin: Origin | None
    activities: tuple[str, ...]
    line: int


@frozen
class Area:
    """A part of the evaluation that has a weight of its own."""

    id: str
    title: Label
    elements: tuple[Element, ...]
    line: int


@frozen
class Group:
    """Units that are ranked among themselves.

    Attributes:
        id: Name, unique in the evaluation.
        title: What people call it.
        units: Codes of the units.
        line: Line of the text.
        prizes: Prizes by place, best first, each with the number of units that get it and what it
            is worth; none when empty.
        otherwise: Whether units that are tied where a prize ends all get the better or all the
            lower, or none.
    """

    id: str
    title: Label
    units: tuple[str, ...]
    line: int
    prizes: tuple[GradeTerms, ...] = ()
    otherwise: Otherwise = "include"


@frozen
class EvaluationValue:
    """The weights from a day on.

    Attributes:
        valid_from: First day, by the last day of the period that is evaluated.
        weights: Weight of each area in 1/10,000 percent, all of them 100 percent.
        clause: Where the scheme says so.
        line: Line of the value in the rulebook's text.
    """

    valid_from: date
    weights: Mapping[str, int]
    clause: str
    line: int


@frozen
class Evaluation:
    """A scheme by which units are evaluated and ranked.

    Attributes:
        id: Name of the scheme, unique among those of its rulebook.
        title: What people call it.
        groups: Units that compete with each other.
        areas: What is evaluated.
        values: Dated weights of the areas.
        line: Line where it begins.
        unit: What prizes are in; None where they have no value.
    """

    id: str
    title: Label
    groups: tuple[Group, ...]
    areas: tuple[Area, ...]
    values: tuple[EvaluationValue, ...]
    line: int
    unit: Label | None = None

    def value_on(self, day: date) -> EvaluationValue | None:
        """The weights in force on a day, if any are."""
        begun = [value for value in self.values if value.valid_from <= day]
        return begun[-1] if begun else None


def read_evaluation(check: Check, path: Path, raw: object) -> Evaluation | None:
    """Read one [[evaluation]] with its groups, areas and elements."""
    table = open_table(check, path, raw, ("id", "title", "group", "area", "values"), ("unit",))
    if table is None:
        return None
    areas = read_entries(table, "area", AREAS_MAX, _read_area)
    evaluation = Evaluation(
        id=table.id("id"),
        title=table.label("title"),
        groups=read_entries(table, "group", GROUPS_MAX, _read_group),
        areas=areas,
        values=read_values(table, partial(_read_value, areas=[area.id for area in areas])),
        line=table.line,
        unit=table.label("unit") if "unit" in table.raw else None,
    )
    _check_elements(table, evaluation)
    _check_groups(table, evaluation)
    _check_prizes(table, evaluation)
    return evaluation


def _check_elements(table: Table, evaluation: Evaluation) -> None:
    """Note an element whose id another area has: a score would belong to both."""
    lines: dict[str, tuple[int, int]] = {}
    for number, area in enumerate(evaluation.areas):
        for index, element in enumerate(area.elements):
            first, line = lines.setdefault(element.id, (number, element.line))
            if element.id and first != number:
                path = (*table.at("area"), number, "elements", index, "id")
                predicate = f"has the id of the element in line {line}."
                remedy = "Give each element of the evaluation an id of its own."
                table.check.error("duplicate-id", path, predicate, remedy)


def _check_groups(table: Table, evaluation: Evaluation) -> None:
    """Note a unit in two groups: it would have two places."""
    groups: dict[str, int] = {}
    for number, group in enumerate(evaluation.groups):
        for index, unit in enumerate(group.units):
            if groups.setdefault(unit, number) != number:
                path = (*table.at("group"), number, "units", index)
                predicate = f"names {unit!r}, which is in another group."
                table.check.error("repeated", path, predicate, "Name each unit once.")


def _check_prizes(table: Table, evaluation: Evaluation) -> None:
    """Note values of prizes that are in nothing."""
    valued = any(prize.value is not None for group in evaluation.groups for prize in group.prizes)
    if valued and evaluation.unit is None:
        predicate = "states values of prizes, but no unit."
        table.check.error("missing-key", table.path, predicate, f"Add {EXAMPLES['unit']}.")


def _read_group(check: Check, path: Path, raw: object) -> Group | None:
    required, optional = ("id", "title", "units"), ("places", "value", "otherwise")
    table = open_table(check, path, raw, required, optional)
    if table is None:
        return None
    for key in ("value", "otherwise"):
        if key in table.raw and "places" not in table.raw:
            predicate = "is said of prizes, but there are no places."
            check.error("missing-key", table.at(key), predicate, f"Add {EXAMPLES['places']}.")
    if "places" in table.raw and "otherwise" not in table.raw:
        predicate = "has prizes, but does not say what becomes of ties."
        check.error("missing-key", table.path, predicate, f"Add {EXAMPLES['otherwise']}.")
    return Group(
        table.id("id"),
        table.label("title"),
        read_codes(table, "units"),
        table.line,
        prizes=read_ranked_grades(table, "places") if "places" in table.raw else (),
        otherwise=table.word("otherwise", OTHERWISE, "include"),
    )


def _read_area(check: Check, path: Path, raw: object) -> Area | None:
    table = open_table(check, path, raw, ("id", "title", "elements"))
    if table is None:
        return None
    weights = _element_weights(table)
    elements = read_entries(table, "elements", ELEMENTS_MAX, partial(_read_element, weights))
    return Area(table.id("id"), table.label("title"), elements, table.line)


def _element_weights(area: Table) -> Mapping[Path, Fraction]:
    """The part of each element in its area: as weighed in percent, or equal ones."""
    listed = area.raw.get("elements")
    items: list[tuple[Path, object]] = [
        ((*area.at("elements"), index), raw)
        for index, raw in enumerate(listed if isinstance(listed, list) else ())
    ]
    stated: dict[Path, int] = {}
    for path, raw in items:
        if isinstance(raw, dict) and "weight" in raw:
            stated[path] = read_points(area.check, (*path, "weight"), raw["weight"]) or 0
    if not stated:
        return {path: Fraction(1, len(items)) for path, _ in items}
    for path, raw in items:
        if isinstance(raw, dict) and path not in stated:
            remedy = "Give every element of the area a weight, or none: then they are equal."
            area.check.error("missing-key", path, "has no weight.", remedy)
    if len(stated) == len(items):
        _check_whole(area.check, area.at("elements"), sum(stated.values()), "the elements")
    return {path: Fraction(weight, WHOLE_PERCENT) for path, weight in stated.items()}


def _check_whole(check: Check, path: Path, percent: int, what: str) -> None:
    if percent != WHOLE_PERCENT:
        predicate = f"make {format_amount(percent)} percent together, not 100."
        remedy = f"Let the weights of {what} make 100."
        check.error("weights-do-not-add-up", path, predicate, remedy)


def _read_element(
    weights: Mapping[Path, Fraction], check: Check, path: Path, raw: object
) -> Element | None:
    written = raw.get("source") if isinstance(raw, dict) else None
    # What an unknown source would have besides is not known either.
    known = _KEYS_OF_SOURCE.get(str(written), ("origin", "activities"))
    table = open_table(check, path, raw, ("id", "title", "source"), ("weight", *known))
    if table is None:
        return None
    origin = table.word("origin", ORIGINS, "common") if "origin" in table.raw else None
    source = table.word("source", SOURCES, "scores")
    return Element(
        id=table.id("id"),
        title=table.label("title"),
        source=source,
        weight=weights.get(path, Fraction(0)),
        origin=origin,
        activities=_read_activities(table, in_hours=source == "hours-per-head"),
        line=table.line,
    )


def _read_activities(table: Table, *, in_hours: bool) -> tuple[str, ...]:
    named: list[str] = []
    known = sorted(table.check.activities)
    for path, raw in table.items("activities", ACTIVITIES_MAX):
        kind = read_text(table.check, path, raw)
        if kind in named:
            table.check.error("repeated", path, f"names {kind!r} again.", "Name each kind once.")
        elif kind and kind not in known:
            predicate, remedy = f"cannot be {kind!r}.", meant(kind, known)
            table.check.error("unknown-activity", path, predicate, remedy)
        elif kind:
            named.append(kind)
            if in_hours and not table.check.activities[kind].has_hours:
                predicate = f"is {kind}, which has no hours."
                table.check.error("no-hours", path, predicate, "Name kinds that have hours only.")
    return tuple(named)


def _read_value(
    check: Check, path: Path, raw: object, *, areas: list[str]
) -> EvaluationValue | None:
    table = open_table(check, path, raw, ("from", "weights", "clause"))
    if table is None:
        return None
    valid_from, clause = table.date("from"), table.text("clause")
    weights = _read_weights(table, areas)
    if valid_from is None:
        return None
    return EvaluationValue(valid_from, MappingProxyType(weights), clause, table.line)


def _read_weights(value: Table, areas: list[str]) -> dict[str, int]:
    """The weight of each area; all of them have one."""
    check, path, raw = value.check, value.at("weights"), value.raw.get("weights")
    if not isinstance(raw, dict):
        if raw is not None:
            predicate = f"is {KINDS[type(raw)]}; a table was expected."
            check.error("wrong-type", path, predicate, f"Write {EXAMPLES['weights']}.")
        return {}
    for area in areas:
        if area and area not in raw:
            check.error("missing-key", path, f"has no {area}.", f"Add {area} = …, in percent.")
    for area in raw:
        if area not in areas:
            check.error("unknown-area", (*path, area), "is no area.", meant(area, areas))
    weights = {area: read_points(check, (*path, area), raw[area]) for area in raw}
    stated = {area: weight for area, weight in weights.items() if weight is not None}
    # What is missing, unknown or unfit has been noted: the sum says nothing then.
    if set(stated) == set(areas):
        _check_whole(check, path, sum(stated.values()), "the areas")
    return stated
