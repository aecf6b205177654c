"""The JSON Schema of import rows, made of the declarations: what an HR system can check before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .registry import Kind

__all__ = ["row_schema"]

_ENVELOPE: dict[str, Any] = {
    "occurred_on": {"type": "string", "format": "date"},
    "key": {"type": ["string", "null"], "maxLength": 400},
    "source": {"type": ["string", "null"]},
    "recorded_by": {"type": ["string", "null"]},
}
_ABSENT = {"enum": [None, ""]}


def row_schema(kinds: Iterable[Kind]) -> dict[str, Any]:
    """Describe one row of a JSON Lines import file, for every kind that can be imported.

    A row that is accepted always fits. One that fits may still be refused for what a schema
    cannot say: that a person is known, that shares make 100 %, what happened before.

    Returns:
        A JSON Schema (draft 2020-12); ``$defs`` has one schema for each kind, by its name.
    """
    definitions = {kind.name: _of_kind(kind) for kind in kinds}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A fact of an innovation mileage ledger, as a row of a JSON Lines file",
        "type": "object",
        "properties": {"kind": {"enum": list(definitions)}},
        "required": ["kind", "occurred_on"],
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": name}}, "required": ["kind"]},
                "then": {"$ref": f"#/$defs/{name}"},
            }
            for name in definitions
        ],
        "$defs": definitions,
    }


def _of_kind(kind: Kind) -> dict[str, Any]:
    properties: dict[str, Any] = {"kind": {"const": kind.name}, **_ENVELOPE}
    for name, field in kind.fields.items():
        schema = {**field.schema(), "title": f"{field.ko} / {field.en}"}
        properties[name] = {"anyOf": [schema, _ABSENT]} if field.optional else schema
    required = [name for name, field in kind.fields.items() if not field.optional]
    return {
        "title": f"{kind.label.ko} / {kind.label.en}",
        "description": kind.help,
        "type": "object",
        "properties": properties,
        "required": ["kind", "occurred_on", *required],
        # Cells of other kinds may stand there, empty.
        "additionalProperties": _ABSENT,
    }
