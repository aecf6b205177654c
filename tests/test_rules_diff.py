"""Two rulebooks compared: what changed, rule by rule and value by value."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_cases import RULEBOOK, make_agency, ok, run
from mileage.ledger.kinds import kinds
from mileage.projections import activity_infos, compare, parse_rulebook
from mileage.seeds import rulebook_path

EVERYTHING = (Path(__file__).parent / "rulebooks" / "good" / "6-everything.toml").read_text("utf-8")


def edits(one: str, other: str) -> list[tuple[str, ...]]:
    books = (parse_rulebook(text, activity_infos(kinds)) for text in (one, other))
    return [
        (e.change, e.table, e.id, str(e.valid_from or ""), e.key, e.before, e.after)
        for e in compare(*books)
    ]


def changed(*replacements: tuple[str, str]) -> list[tuple[str, ...]]:
    text = EVERYTHING
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new, 1)
    return edits(EVERYTHING, text)


def test_what_says_the_same_is_no_change():
    """Comments, order of rules and what only writes out a default are no changes."""
    rule = RULEBOOK[RULEBOOK.index("[[rule]]") : RULEBOOK.index('[[rule]]\nid = "adopted"')]
    moved = RULEBOOK.replace(rule, "").replace("[[cap]]", f"{rule}\n[[cap]]") + "\n# a comment\n"

    assert edits(RULEBOOK, moved) == []
    assert changed(('per = "activity"\n', ""), ('keep = "first"\n', ""), ("7.5", "7.50")) == []
    assert changed(('["session", "pilot"]', '["pilot", "session"]')) == []
    assert changed(('channel = ["online"]', 'channel = "online"')) == []


@pytest.mark.parametrize(
    ("old", "new", "edit"),
    [
        (
            "gold = 12",
            "gold = 13",
            ("changed", "rule", "adopted", "2006-03-01", "points.gold", "12", "13"),
        ),
        (
            "gold = 12, silver = 8",
            "gold = 12, silver = 8, bronze = 5",
            ("added", "rule", "adopted", "2006-03-01", "points.bronze", "", "5"),
        ),
        ('channel = ["online"]', 'channel = "paper"',
         ("changed", "rule", "adopted-online", "", "when.channel", "[online]", "[paper]")),
        ('clause = "제2조"', 'clause = "제2조의2"',
         ("changed", "rule", "session", "2005-01-01", "clause", "제2조", "제2조의2")),
        ("until = 2005-07-01\n", "",
         ("ended", "rule", "pilot", "", "until", "2005-07-01", "")),
        ('ranks = ["G5", "G6"]', 'ranks = ["G5"]',
         ("changed", "rule", "pilot", "", "ranks", "[G5, G6]", "[G5]")),
        ('split = "share"\n', "",
         ("changed", "rule", "adopted", "", "split", "share", "each")),
        ("count = 3", "count = 4", ("changed", "cap", "three", "2005-01-01", "count", "3", "4")),
        ("quota = 2, ", "", ("ended", "programme", "training", "2005-01-01", "quota", "2", "")),
        ('"activities", "earliest"', '"earliest", "activities"',
         ("changed", "programme", "training", "", "tie.break_by", "[activities, earliest]",
          "[earliest, activities]")),
        ('en = "Gold" }', 'en = "Gold medal" }',
         ("changed", "labels", "gold", "", "en", "Gold", "Gold medal")),
        ("expect = { A = 9.5", "expect = { A = 9",
         ("changed", "example", "Pilot and division", "", "expect.A", "9.5", "9")),
        ('source = "시험', 'source = "시행',
         ("changed", "rulebook", "", "", "source", "시험 / Test", "시행 / Test")),
    ],
)  # fmt: skip
def test_one_change(old, new, edit):
    """A change of one value is one edit that names it, with what it said and says."""
    assert changed((old, new)) == [edit]


def test_another_order_of_grades():
    """Who comes first is what grades by rank are about: another order is a change."""
    old, new = "gold = 20, silver = 70.5", "silver = 70.5, gold = 20"
    moved = ("moved", "programme", "bonus", "2005-01-01", "percent", "gold, silver")

    assert changed((old, new)) == [(*moved, "silver, gold")]
    places = ("changed", "evaluation", "units", "", "group.bureaus.places.gold", "1", "3")
    one, other = (
        "places = { gold = 1, silver = 2 }\nvalue",
        "places = { silver = 2, gold = 3 }\nvalue",
    )
    assert changed((one, other)) == [
        places,
        (
            "moved",
            "evaluation",
            "units",
            "",
            "group.bureaus.places",
            "gold, silver",
            "silver, gold",
        ),
    ]
    # A value that is written in another order says the same.
    assert changed(("{ gold = 300, silver = 200 }", "{ silver = 200, gold = 300 }")) == []
    assert changed((old, f"bronze = 1, {new}")) == [
        ("added", "programme", "bonus", "2005-01-01", "percent.bronze", "", "1"),
        (*moved, "silver, gold"),
    ]


def test_a_dated_value_added_and_ended():
    """A value of a new day is added; a day without its value has ended."""
    assert changed(("from = 2006-01-01, points = 40", "from = 2006-02-01, points = 40")) == [
        ("ended", "cap", "month", "2006-01-01", "", "points = 40, clause = 제4조의2", ""),
        ("added", "cap", "month", "2006-02-01", "", "", "points = 40, clause = 제4조의2"),
    ]


def test_a_rule_added_and_ended():
    """An entry that only one has is named whole."""
    [ended, added] = changed(('id = "three"', 'id = "four"'))

    assert ended[:5] == ("ended", "cap", "three", "", "")
    assert added[:5] == ("added", "cap", "four", "", "")
    assert ended[5] == added[6]
    assert "2005-01-01: count = 3, clause = 제6조" in ended[5]


def test_caps_in_another_order():
    """The order of caps is what they apply in, so it is a change."""
    start = EVERYTHING.index('[[cap]]\nid = "three"')
    block = EVERYTHING[start : EVERYTHING.index("[[programme]]")]
    first = '[[cap]]\nid = "month"'
    moved = EVERYTHING.replace(block, "").replace(first, f"{block}{first}")

    assert edits(EVERYTHING, moved) == [
        ("moved", "cap", "", "", "", "month, best, three", "three, month, best")
    ]


def test_the_year_as_amended():
    """Of the shipped rulebooks the second raises one rule from July."""
    texts = [rulebook_path(name).read_text("utf-8") for name in ("smba-2005", "smba-2005-07")]

    found = [edit for edit in edits(*texts) if edit[1] != "example"]

    assert [edit[:4] for edit in found] == [("added", "rule", "club-session", "2005-07-01")]


# -- the command line ----------------------------------------------------------------------------


@pytest.fixture
def agency(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An agency with a rulebook in service, and a file with another."""
    monkeypatch.setenv("MILEAGE_LEDGER", str(make_agency(tmp_path)))
    monkeypatch.setenv("MILEAGE_LANG", "en")
    file = tmp_path / "new.toml"
    file.write_text(RULEBOOK.replace("quota = 1", "quota = 2"), encoding="utf-8")
    return file


def test_diff_as_json(agency):
    """What is in service beside a file; the exit code is 0 though they differ."""
    found = json.loads(ok("rules", "diff", "in-service", agency, "--json").stdout)

    assert not found["same"]
    assert found["before"]["name"].startswith("#")
    assert found["changes"] == [
        {
            "change": "changed",
            "table": "programme",
            "id": "training",
            "from": "2005-01-01",
            "key": "quota",
            "before": "1",
            "after": "2",
        }
    ]


def test_diff_as_tables(agency):
    """In words of both languages; rulebooks that say the same say so."""
    assert (
        "changed  programme  training  2005-01-01  quota"
        in ok("rules", "diff", "in-service", agency).stdout
    )
    assert "변경" in ok("rules", "diff", "in-service", agency, "--lang", "ko").stdout
    same = ok("rules", "diff", agency, agency)
    assert (same.stdout, same.stderr) == ("", "They say the same.\n")
    agency.write_text(f"# as in service\n{RULEBOOK}", encoding="utf-8")
    assert "only the wording" in ok("rules", "diff", "in-service", agency).stderr


def test_wrong_use(agency):
    """A broken file is told line by line; one rulebook alone is wrong usage."""
    assert run("rules", "diff", agency).exit_code == 2
    agency.write_text("nonsense", encoding="utf-8")
    broken = run("rules", "diff", "in-service", agency)
    assert broken.exit_code == 1
    assert "toml-syntax" in broken.stderr
