"""The JSON Schema of rulebooks, made from the vocabulary: what editors check while one writes."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from .vocabulary import CODE, TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from mileage.ledger.fields import Label

    from .values import ActivityInfo
    from .vocabulary import Key, TableWords

__all__ = ["rulebook_schema"]


def rulebook_schema(
    activities: Mapping[str, ActivityInfo], labels: Mapping[str, Label]
) -> dict[str, Any]:
    """Describe a rulebook, as TOML editors see it: dates are texts of the format ``date``.

    A rulebook without errors always fits. One that fits may still have errors that a schema
    cannot say, such as two rules that overlap: ``check_rulebook`` finds them.

    Args:
        activities: The kinds of activity a rule can name.
        labels: Their names.

    Returns:
        A JSON Schema (draft 2020-12); ``$defs`` has one schema for each table of the grammar.
    """
    definitions = {name: _of_table(name, words) for name, words in TABLES.items() if name}
    names = sorted(activities)
    definitions["activity"] = {
        "enum": names,
        "x-taplo": {
            "docs": {"enumValues": [f"{labels[name].ko} / {labels[name].en}" for name in names]}
        },
    }
    infos = list(activities.values())
    definitions["rule"]["allOf"] = [*_of_activities(infos), *_of_conditions(infos, _some)]
    definitions["done"]["allOf"] = list(_of_conditions(infos, _one))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "혁신마일리지 규칙집 / Rulebook of innovation mileage",
        **_of_table("", TABLES[""]),
        "$defs": definitions,
    }


def _of_table(name: str, words: TableWords) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {key: _of_key(stated) for key, stated in words.keys.items()},
        "required": [key for key, stated in words.keys.items() if stated.required],
        "additionalProperties": False,
    }
    if name:
        schema["title"] = f"{words.label.ko} / {words.label.en}"
    if words.one_of:
        schema["oneOf"] = [{"required": [key]} for key in words.one_of]
    return schema


def _of_key(stated: Key) -> dict[str, Any]:
    schema = {**stated.schema, "description": f"{stated.label.ko} / {stated.label.en}"}
    if stated.default is not None:
        schema["default"] = stated.default
    return schema


def _of_conditions(
    infos: Sequence[ActivityInfo], schema: Callable[[Mapping[str, Any]], Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    """What may be asked for or said of activities, by the fields that these have."""
    names: defaultdict[tuple[tuple[str, tuple[str, ...]], ...], list[str]] = defaultdict(list)
    for info in infos:
        names[tuple((name, asked.words) for name, asked in info.conditions.items())].append(
            info.name
        )
    for fields, activities in names.items():
        known = {name: schema({"enum": list(words)} if words else CODE) for name, words in fields}
        when = {"properties": known, "additionalProperties": False}
        yield {
            "if": {
                "properties": {"activity": {"enum": sorted(activities)}},
                "required": ["activity"],
            },
            "then": {"properties": {"when": when}},
        }


def _one(code: Mapping[str, Any]) -> Mapping[str, Any]:
    return code


def _some(code: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"anyOf": [code, {"type": "array", "items": code}]}


def _of_activities(infos: Sequence[ActivityInfo]) -> Iterator[dict[str, Any]]:
    """What a rule may say only of activities that have hours, shares or grades."""
    timed = sorted(info.name for info in infos if info.has_hours)
    shared = sorted(info.name for info in infos if info.has_shares)
    graded = sorted(info.name for info in infos if info.has_grade)
    by_grade = {"contains": {"properties": {"points": {"type": "object"}}, "required": ["points"]}}
    for key, condition, names in (
        ("per", {"const": "hour"}, timed),
        ("split", {"const": "share"}, shared),
        ("values", by_grade, graded),
    ):
        yield {
            "if": {"properties": {key: condition}, "required": [key]},
            "then": {"properties": {"activity": {"enum": names}}},
        }
