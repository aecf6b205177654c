"""A rulebook read aloud: nothing it says is left out, in either language."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cli_cases import make_agency, ok, run
from mileage.ledger.kinds import kinds
from mileage.projections import activity_infos, parse_rulebook, read_aloud
from mileage.projections.rulebook import reading
from mileage.projections.rulebook.evaluation import ORIGINS, SOURCES
from mileage.projections.rulebook.values import (
    BREAK_BY,
    CAP_PERIODS,
    CAP_PERS,
    OTHERWISE,
    PERS,
    SPLITS,
)
from mileage.seeds import rulebook_path

if TYPE_CHECKING:
    from collections.abc import Iterator

EVERYTHING = Path(__file__).parent / "rulebooks" / "good" / "6-everything.toml"
LABELS = {name: kinds.get(name).label for name in activity_infos(kinds)}
WORDS = {
    "per": (*PERS, *CAP_PERS),
    "split": SPLITS,
    "period": CAP_PERIODS,
    "keep": ("best", "first"),
    "break_by": BREAK_BY,
    "otherwise": OTHERWISE,
    "activity": ("proposal.submitted", "contest.entered"),
    "activities": ("contest.entered",),
    "source": SOURCES,
    "origin": ORIGINS,
}


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of all values that are no tables or lists."""
    if isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(part, (*path, key))
    else:
        yield path


def another(path: tuple[Any, ...], value: Any) -> Any:
    """Another value that may stand there."""
    keys = [key for key in path if isinstance(key, str)]
    match value:
        case str():
            return next((w for w in WORDS.get(keys[-1], ()) if w != value), f"{value}x")
        case date():
            return value + timedelta(days=1)
        case Decimal() | int():
            return value + 1
    raise AssertionError(path)


def renamed(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The document with each code that is a key (a grade, a person, a unit) called otherwise."""

    def walk(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        if isinstance(value, dict):
            if path[-1:] in [(k,) for k in ("points", "labels", "people", "units", "shares",
                                            "expect", "cuts", "selected", "weights")]:  # fmt: skip
                yield from ((*path, key) for key in value)
            for key, part in value.items():
                yield from walk(part, (*path, key))
        elif isinstance(value, list):
            for index, part in enumerate(value):
                yield from walk(part, (*path, index))

    for path in walk(document, ()):
        changed = deepcopy(document)
        at = changed
        for step in path[:-1]:
            at = at[step]
        at[f"{path[-1]}x"] = at.pop(path[-1])
        yield str(path), changed


def cells(text: reading.Reading, lang: str) -> list[str]:
    return [getattr(cell, lang) for s in text.sections for row in s.rows for cell in row]


@pytest.mark.parametrize("path", [EVERYTHING, rulebook_path()], ids=lambda path: path.stem)
def test_every_value_is_read(path, monkeypatch):
    """Whatever value of the text changes, what is read changes in Korean and in English."""
    rulebook = parse_rulebook(path.read_text("utf-8"), activity_infos(kinds))
    document = reading.document_of(rulebook)
    told = read_aloud(rulebook, LABELS)
    mutants = list(renamed(document))
    for at in leaves(document):
        changed = deepcopy(document)
        holder = changed
        for step in at[:-1]:
            holder = holder[step]
        holder[at[-1]] = another(at, holder[at[-1]])
        mutants.append((str(at), changed))
    assert len(mutants) > 80

    for name, changed in mutants:
        monkeypatch.setattr(reading, "document_of", lambda _book, changed=changed: changed)
        other = read_aloud(rulebook, LABELS)
        for lang in ("ko", "en"):
            # How caps keep is said only where they count.
            if not ("keep" in name and cells(told, lang) == cells(other, lang)):
                assert cells(told, lang) != cells(other, lang), (name, lang)


@pytest.mark.parametrize("table", ["[[inspection]]", "[inspection]"])
def test_what_has_no_words_of_its_own_is_read_as_written(table, monkeypatch):
    """Tables and keys that the vocabulary does not know are read as they stand."""
    rulebook = parse_rulebook(EVERYTHING.read_text("utf-8"), activity_infos(kinds))
    document = reading.document_of(rulebook)
    entry = {"id": "areas", "weights": {"tasks": 60, "learning": Decimal("40.50")}}
    document["inspection"] = [entry] if table.startswith("[[") else entry
    document["programme"][0]["three_eyes"] = True
    document["programme"][0]["values"][0]["tiers"] = [{"points": 10}]
    monkeypatch.setattr(reading, "document_of", lambda _: document)

    told = " ".join(cells(read_aloud(rulebook, LABELS), "en"))

    for text in ("areas", "{ tasks = 60, learning = 40.5 }", "three_eyes true",
                 "tiers [{ points = 10 }]"):  # fmt: skip
        assert text in told


def test_dated_values_read_with_their_last_day():
    """A value ends on the day before the next begins, or before the rule ends."""
    rulebook = parse_rulebook(EVERYTHING.read_text("utf-8"), activity_infos(kinds))
    told = cells(read_aloud(rulebook, LABELS), "ko")

    assert "2005-01-01부터 2006-02-28까지" in told
    assert "2005-01-01부터 2005-06-30까지" in told
    assert "2006-03-01부터" in told
    assert "건당 금상 (gold) 10점, 은상 (silver) 7.5점" in told
    assert "한 사람의 한 건: 한 직급에 있는 동안에 가장 높은 1건만" in told
    assert "한 조직 전체: 한 달에 30점까지" in told


def section(title: str, lang: str) -> list[dict[str, str]]:
    """Rows of a table of the fullest rulebook, by name of the column."""
    rulebook = parse_rulebook(EVERYTHING.read_text("utf-8"), activity_infos(kinds))
    [found] = [s for s in read_aloud(rulebook, LABELS).sections if s.title.en == title]
    return [
        {name: getattr(cell, lang) for name, cell in zip(found.columns, row, strict=True)}
        for row in found.rows
    ]


def test_grades_are_read_one_by_one():
    """Tiers, percentages and places stand row by row with what they take and are worth."""
    told = [
        (row["id"], row["order"], row["grade"], row["takes"], row["value"])
        for row in section("Grades of programmes", "en")
    ]
    assert told == [
        ("benefits", "1", "Gold (gold)", "8 points or more", "300 benefit points / 복지점수"),
        ("benefits", "2", "Silver (silver)", "4.5 points or more", "200 benefit points / 복지점수"),
        ("bonus", "1", "Gold (gold)", "20 %, rounded half up", ""),
        ("bonus", "2", "Silver (silver)", "70.5 %, rounded half up", ""),
        ("bonus", "1", "Gold (gold)", "1 person", ""),
        ("bonus", "2", "Silver (silver)", "2 people", ""),
    ]
    korean = [(row["grade"], row["takes"]) for row in section("Grades of programmes", "ko")]
    assert korean[2:5] == [
        ("금상 (gold)", "20 %, 반올림"),
        ("은상 (silver)", "70.5 %, 반올림"),
        ("금상 (gold)", "1명"),
    ]


def test_programmes_are_read_in_words():
    """A quota in percent, what leaves people out and for whom it is are words, not TOML."""
    rows = section("Programmes", "en")
    quotas = [(row["id"], row["threshold"], row["quota"]) for row in rows]
    assert quotas == [
        ("training", "10 points or more", "2"),
        ("training", "12.5 points or more", "all who reach it"),
        ("benefits", "by grade, see below", "all who reach it"),
        ("bonus", "1 point or more", "by grade, see below"),
        ("bonus", "1 point or more", "3"),
        ("bonus", "1 point or more", "5 % of 230 people, rounded down"),
    ]
    assert rows[2]["further"] == (
        "unit of the values benefit points / 복지점수, ranks [G5], units [HQ, 본청],"
        " recent participants left out (years 2, grants of [training]),"
        " people under a sanction left out (years after its end 2),"
        " months served in the period (months 6, days that make a month 15),"
        " people on leave can be selected, approved by a second person true"
    )
    assert section("Programmes", "ko")[5]["quota"] == "230명의 5 %, 버림"


# -- the command line ----------------------------------------------------------------------------


@pytest.fixture
def agency(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An agency whose rulebook was adopted and is in service."""
    monkeypatch.setenv("MILEAGE_LEDGER", str(make_agency(tmp_path)))
    monkeypatch.setenv("MILEAGE_LANG", "en")
    return tmp_path / "rules.toml"


def test_a_file_an_adoption_and_what_is_in_service(agency):
    """All three name the same rulebook; an adoption says when it was adopted."""
    listed = json.loads(ok("rules", "list", "--json").stdout)["rulebooks"][0]
    number = listed["position"]
    shown = [ok("rules", "show", source).stdout.splitlines() for source in
             (agency, f"#{number}", str(number), "in-service")]  # fmt: skip

    assert all(lines[1:] == shown[0][1:] for lines in shown)
    assert f"#{number}: adopted on 2005-01-01" in shown[1][0]
    assert shown[2] == shown[3]
    document = json.loads(ok("rules", "show", "in-service", "--json").stdout)
    assert document["adoption"]["position"] == number
    assert [section["title"]["en"] for section in document["sections"]] == [
        "Rulebook", "Rules", "Caps", "Programmes", "Evaluations of units", "Groups", "Elements",
        "Names of codes",
    ]  # fmt: skip


def test_a_markdown_document(agency):
    """Markdown has a table for each section, nothing that a text could break, and lines to sign."""
    text = agency.read_text("utf-8").replace("제1조", "제1조 | *굵게* `코드`")
    agency.write_text(text, encoding="utf-8")

    shown = ok("rules", "show", agency, "--format", "md", "--lang", "ko").stdout

    assert "## 점수 규칙" in shown
    assert r"제1조 \| \*굵게\* \`코드\`" in shown
    assert shown.rstrip().splitlines()[-1] == "|   |   |   |   |"
    tables = [block.splitlines() for block in shown.split("\n\n") if block.startswith("|")]
    for table in tables:
        assert len({line.replace(r"\|", "").count("|") for line in table}) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("#99999",), 1, "no rulebook was adopted there"),
        (("nowhere.toml",), 1, "No such file"),
        (("rules.toml", "--format", "html"), 2, "--format"),
        (("in-service", "--format", "md", "--json"), 2, "exclude each other"),
    ],
)
@pytest.mark.usefixtures("agency")
def test_wrong_use(arguments, code, said):
    """An adoption or file that is not there is said; so is a form there is not."""
    result = run("rules", "show", *arguments)

    assert result.exit_code == code
    assert said in result.stderr


def test_nothing_in_service(tmp_path):
    """Without an adopted rulebook none is in service."""
    ledger = ("--ledger", tmp_path / "new.sqlite")
    ok("init", *ledger, "--organisation", "청", "--opened-on", "2005-01-01")

    result = run("rules", "show", "in-service", *ledger, "--lang", "en")

    assert (result.exit_code, "no rulebook is in the figures" in result.stderr) == (1, True)
