"""The JSON Schema of rulebooks: every rulebook without errors fits, what is plainly wrong not."""

from __future__ import annotations

import json
import pkgutil
import tomllib
from copy import deepcopy
from datetime import date, datetime, time
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cli_cases import ok, run
from hypothesis import given
from jsonschema import Draft202012Validator
from mileage.ledger.kinds import kinds
from mileage.projections import activity_infos, check_rulebook, rulebook
from mileage.projections.rulebook.vocabulary import TABLES, WORDS
from mileage.seeds import rulebook_path
from test_rulebook import schemes, write

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXTS = Path(__file__).parent / "rulebooks"
EVERYTHING = (TEXTS / "good" / "6-everything.toml").read_text("utf-8")
SHIPPED = sorted(rulebook_path().parent.glob("*.toml"))
# What a schema can see; the rest needs the dates, the names or the sums of the whole text.
STRUCTURAL = {
    *("bad-id", "empty", "missing-key", "no-grades", "no-hours", "no-shares", "not-a-date"),
    *("number-range", "unknown-activity", "unknown-key", "unknown-word", "wrong-type"),
}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return json.loads(ok("rules", "schema").stdout)


@pytest.fixture(scope="module")
def validator(schema: dict[str, Any]) -> Draft202012Validator:
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def as_json(value: Any) -> Any:
    """A TOML value as editors hand it to a schema."""
    match value:
        case dict():
            return {key: as_json(part) for key, part in value.items()}
        case list():
            return [as_json(part) for part in value]
        case Decimal():
            return float(value)
        case datetime() | date() | time():
            return value.isoformat()
        case _:
            return value


def read(text: str) -> Any:
    return as_json(tomllib.loads(text, parse_float=Decimal))


GOOD = [*sorted(TEXTS.glob("good/*.toml")), *SHIPPED]


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_good_rulebooks_fit(path, validator):
    """Those of the ladder and all that are shipped fit."""
    assert list(validator.iter_errors(read(path.read_text("utf-8")))) == []


@given(schemes())
def test_any_rulebook_of_the_grammar_fits(validator, scheme):
    """Whatever the grammar can say fits."""
    assert list(validator.iter_errors(read(write(scheme)))) == []


@pytest.mark.parametrize("path", sorted(TEXTS.glob("bad/*.toml")), ids=lambda p: p.stem)
def test_bad_rulebooks(path, validator):
    """What is wrong with the structure does not fit; warnings alone fit."""
    text = path.read_text("utf-8")
    problems = check_rulebook(text, activity_infos(kinds))
    if any(p.code in {"toml-syntax", "control-character", "too-large"} for p in problems):
        pytest.skip("not read as TOML, or only too long")
    fits = validator.is_valid(read(text))

    if {problem.code for problem in problems} & STRUCTURAL:
        assert not fits
    if all(problem.severity == "warning" for problem in problems):
        assert fits


def mutants() -> Iterator[tuple[str, Any]]:
    """The fullest rulebook with one key dropped, one added, or one value of another type."""
    document = tomllib.loads(EVERYTHING, parse_float=Decimal)

    def places(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        if isinstance(value, dict | list):
            yield path
            for key, part in value.items() if isinstance(value, dict) else enumerate(value):
                yield from places(part, (*path, key))

    def at(changed: Any, path: tuple[Any, ...]) -> Any:
        for step in path:
            changed = changed[step]
        return changed

    for path in places(document, ()):
        holder = at(document, path)
        for key in list(holder) if isinstance(holder, dict) else range(len(holder)):
            dropped = deepcopy(document)
            del at(dropped, path)[key]
            yield f"{path} without {key}", dropped
            for wrong in ("nonsense words", -1, True, [], {}, Decimal("1e9")):
                changed = deepcopy(document)
                at(changed, path)[key] = wrong
                yield f"{path} {key} = {wrong!r}", changed
        if isinstance(holder, dict):
            added = deepcopy(document)
            at(added, path)["unheard-of"] = "nonsense words"
            yield f"{path} with another key", added


def toml(value: Any) -> str:
    """A value as TOML, inline."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return json.dumps(value, ensure_ascii=False)
        case dict():
            return f"{{ {', '.join(f'{json.dumps(k)} = {toml(v)}' for k, v in value.items())} }}"
        case list():
            return f"[{', '.join(map(toml, value))}]"
        case date():
            return value.isoformat()
        case _:
            return f"{value:f}" if isinstance(value, Decimal) else str(value)


def test_the_schema_says_what_the_grammar_says(validator):
    """Of hundreds of damaged rulebooks just those fit that have no error of structure."""
    seen = {True: 0, False: 0}
    for name, changed in mutants():
        text = "\n".join(f"{json.dumps(key)} = {toml(value)}" for key, value in changed.items())
        problems = check_rulebook(text, activity_infos(kinds))
        wrong = {p.code for p in problems if p.code in STRUCTURAL}
        fits = validator.is_valid(as_json(changed))
        seen[fits] += 1
        if fits:
            # A tie may be needed, a grade or hours: that depends on what other values are.
            told = [p for p in problems if p.code in STRUCTURAL and p.code != "missing-key"]
            assert not told, (name, told)
        else:
            assert wrong or any(p.severity == "error" for p in problems), name
    assert seen[True] > 50
    assert seen[False] > 500


def test_the_vocabulary_is_the_grammar(monkeypatch):
    """Every table that the grammar reads has the same keys in the vocabulary."""
    known: dict[str, set[str]] = {}
    for found in pkgutil.iter_modules(rulebook.__path__):
        module = import_module(f"{rulebook.__name__}.{found.name}")
        if original := getattr(module, "open_table", None):

            def record(check, path, raw, required, optional=(), original=original):
                known.setdefault(table_at(path, raw), set()).update(required, optional)
                return original(check, path, raw, required, optional)

            monkeypatch.setattr(module, "open_table", record)

    assert check_rulebook(EVERYTHING, activity_infos(kinds)) == []

    assert known == {name: set(words.keys) for name, words in TABLES.items()}


def table_at(path: tuple[Any, ...], raw: Any) -> str:
    """The table of the vocabulary that stands at a path."""
    name = str(next((step for step in reversed(path) if isinstance(step, str)), ""))
    if path[-1:] in {("title",), ("unit",)} or path[:1] == ("labels",):
        return "label"
    if path[2:3] == ("people",):
        return "placed"
    if name == "points":
        return "relative"
    if name == "given":
        return "done" if "activity" in raw else "moved"
    return f"{path[0]}_value" if name == "values" else name


def test_every_word_is_read_aloud():
    """Every word of the vocabulary has a name in both languages."""
    for words in TABLES.values():
        for key, stated in words.keys.items():
            items = stated.schema.get("items", stated.schema)
            for word in items.get("enum", ()):
                assert WORDS[key, word].ko
                assert WORDS[key, word].en


def test_every_kind_of_activity_is_offered(schema):
    """Editors offer all activities, with their names; the command takes no argument."""
    offered = schema["$defs"]["activity"]
    names = offered["x-taplo"]["docs"]["enumValues"]

    assert offered["enum"] == sorted(activity_infos(kinds))
    assert "제안 채택 / Proposal adopted" in names
    assert len(names) == len(offered["enum"])
    assert run("rules", "schema", "rules.toml").exit_code == 2
