"""Evaluations of units read aloud: weights of areas, units that compete, elements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mileage.ledger.fields import Label

from .sections import NOTHING, Section, both, days_of, listed, plain, same, word_of
from .vocabulary import TABLES, WORDS, key_label

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["evaluation_sections"]

_Row = list[Label]


def evaluation_sections(
    document: Mapping[str, Any], activity: Callable[[str], Label]
) -> Iterator[Section]:
    """The tables of the evaluations of units; empty ones where there are none.

    Args:
        document: The parsed text.
        activity: Gives the name of a kind of activity.
    """
    found = document.get("evaluation", [])
    yield _weights(found)
    yield _groups(found)
    yield _elements(found, activity)


def _weights(found: list[Mapping[str, Any]]) -> Section:
    """The weights of the areas: a row for each dated value."""
    columns = {
        "id": key_label("evaluation", "id"),
        "title": key_label("evaluation", "title"),
        "weights": key_label("evaluation_value", "weights"),
        "days": Label("시행 기간", "In force"),
        "clause": key_label("evaluation_value", "clause"),
    }
    rows = []
    for each in found:
        values = each["values"]
        ends = [*(value["from"] for value in values[1:]), None]
        for value, end in zip(values, ends, strict=True):
            weights = ", ".join(f"{area} {plain(part)}" for area, part in value["weights"].items())
            head = [same(each["id"]), both(each["title"]), same(weights)]
            rows.append([*head, days_of(value["from"], end), same(value["clause"])])
    return Section(key_label("", "evaluation"), columns, rows)


def _groups(found: list[Mapping[str, Any]]) -> Section:
    """Which units are ranked among themselves, and what the first of them get."""
    prizes = any("places" in group for each in found for group in each["group"])
    columns = {
        "id": key_label("evaluation", "id"),
        "group": TABLES["group"].label,
        "units": key_label("group", "units"),
        **({"prizes": key_label("group", "value")} if prizes else {}),
    }
    rows = [
        [
            same(each["id"]),
            _titled(group),
            same(", ".join(group["units"])),
            *([_prizes(each, group)] if prizes else []),
        ]
        for each in found
        for group in each["group"]
    ]
    return Section(key_label("evaluation", "group"), columns, rows)


def _prizes(evaluation: Mapping[str, Any], group: Mapping[str, Any]) -> Label:
    """The prizes of a group: how many units get each, and what it is worth."""
    if "places" not in group:
        return NOTHING
    values = group.get("value", {})
    unit = both(evaluation["unit"]) if values else NOTHING
    ko, en = [], []
    for grade, places in group["places"].items():
        worth = plain(values[grade]) if values else ""
        ko.append(f"{grade} {places}곳 {worth} {unit.ko}".rstrip())
        en.append(f"{grade}: {places} × {worth} {unit.en}" if worth else f"{grade}: {places}")
    tied = WORDS["otherwise", group["otherwise"]]
    return Label(f"{', '.join(ko)}; 동점 {tied.ko}", f"{', '.join(en)}; ties: {tied.en}")


def _elements(found: list[Mapping[str, Any]], activity: Callable[[str], Label]) -> Section:
    """What is looked at in each area, and where its result comes from."""
    columns = {
        "id": key_label("evaluation", "id"),
        "area": TABLES["area"].label,
        "element": TABLES["elements"].label,
        "source": key_label("elements", "source"),
        "weight": key_label("elements", "weight"),
    }
    rows = [
        [same(each["id"]), _titled(area), _titled(element), *_source(element, activity)]
        for each in found
        for area in each["area"]
        for element in area["elements"]
    ]
    return Section(key_label("area", "elements"), columns, rows)


def _source(element: Mapping[str, Any], activity: Callable[[str], Label]) -> _Row:
    """Where the result of an element comes from, and its part of the area."""
    source = word_of("elements", element, "source")
    parts = [word_of("elements", element, "origin")] if "origin" in element else []
    parts += [activity(kind) for kind in element.get("activities", [])]
    of = listed(parts)
    told = Label(f"{source.ko}: {of.ko}", f"{source.en}: {of.en}") if parts else source
    equal = Label("동일", "equal part")
    return [told, same(plain(element["weight"])) if "weight" in element else equal]


def _titled(entry: Mapping[str, Any]) -> Label:
    """The title of an entry in both languages, and its id."""
    title = both(entry["title"])
    return Label(f"{title.ko} ({entry['id']})", f"{title.en} ({entry['id']})")
