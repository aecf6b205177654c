"""Examples beside the rules: worked out by the scoring plan, failing ones shown with arithmetic."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from cli_cases import RULEBOOK, ok, run
from hypothesis import given
from hypothesis import strategies as st
from mileage.ledger.kinds import kinds
from mileage.projections import activity_infos, parse_rulebook, try_examples
from mileage.seeds import rulebook_path
from story import Office

SHIPPED = sorted(rulebook_path().parent.glob("*.toml"))


def example(given_: str, expect: str, *more: str, text: str = RULEBOOK) -> str:
    lines = [
        "[[example]]",
        'title = { ko = "예", en = "An example" }',
        f"given = [\n{given_}\n]",
        f"expect = {expect}",
        *more,
    ]
    return f"{text}\n" + "\n".join(lines) + "\n"


def tried(text: str) -> Any:
    [trial] = try_examples(parse_rulebook(text, activity_infos(kinds)), kinds)
    return trial


SUBMITTED = (
    '{ on = 2005-03-02, activity = "proposal.submitted", thing = "p",'
    " shares = { A = 60, B = 40 } },"
)
ADOPTED = '{ on = 2005-03-09, activity = "proposal.adopted", thing = "p", grade = "gold" },'


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_rulebook_gives_what_its_examples_say(path):
    """Each shipped rulebook has examples, and all of them pass."""
    rulebook = parse_rulebook(path.read_text("utf-8"), activity_infos(kinds))

    trials = try_examples(rulebook, kinds)

    assert trials
    assert [trial.example.title.en for trial in trials if not trial.passed] == []


def test_points_and_cuts():
    """Shares are divided, later facts about a thing are for those who submitted it, caps cut."""
    more = '{ on = 2005-03-10, activity = "proposal.submitted", people = ["A"] },' * 2
    text = example(f"{SUBMITTED}\n{ADOPTED}\n{more}", "{ A = 10, B = 5 }", "cuts = { A = 2.5 }")

    trial = tried(text)

    assert trial.passed
    assert [(p.person, p.points, p.cut) for p in trial.people] == [
        ("A", 100_000, 25_000),
        ("B", 50_000, 0),
    ]


@pytest.mark.parametrize(
    ("expect", "more", "passed"),
    [
        ("{ A = 7.5, B = 5 }", "cuts = {}", True),
        ("{ A = 7.5, B = 5.0001 }", "", False),
        ("{ A = 7.5, B = 5 }", "cuts = { B = 1 }", False),
        ("{ A = 7.5, B = 5 }", 'selected = { training = ["A"] }', True),
        ("{ A = 7.5, B = 5 }", 'selected = { training = ["A", "B"] }', False),
        ("{ A = 7.5, B = 5 }", "selected = { training = [] }", False),
        ("{ A = 7.5, B = 5 }", "selected = { training = [] }\nas_of = 2004-12-31", True),
        ("{ A = 7.5, B = 5 }", "selected = { training = [] }\nas_of = 2005-03-08", True),
        ("{ A = 7.5, B = 5 }", 'selected = { training = ["A"] }\nas_of = 2005-03-09', True),
    ],
)
def test_what_passes(expect, more, passed):
    """Points, cuts where they are stated, and who gets in must be just what is expected."""
    assert tried(example(f"{SUBMITTED}\n{ADOPTED}", expect, more)).passed == passed


BONUS = """
[[programme]]
id = "bonus"
title = { ko = "성과급", en = "Bonus" }
period = "year"
values = [ { from = 2005-01-01, threshold = 1, places = { S = 1, A = 2 }, clause = "제9조" } ]
tie = { break_by = [], otherwise = "include" }
"""


@pytest.mark.parametrize(
    ("selected", "passed"),
    [
        ('{ S = ["A"], A = ["B"] }', True),
        ('{ A = ["A", "B"] }', False),
        ('{ S = ["A"] }', False),
        ('{ S = ["A"], A = [] }', False),
        ('["A", "B"]', True),
        ('["A"]', False),
    ],
)
def test_grades_that_are_expected(selected, passed):
    """An example may say who gets which grade, or only who gets in."""
    text = RULEBOOK + BONUS
    text = example(
        f"{SUBMITTED}\n{ADOPTED}",
        "{ A = 7.5, B = 5 }",
        f"selected = {{ bonus = {selected} }}",
        text=text,
    )

    trial = tried(text)

    assert trial.passed == passed
    assert dict(trial.selections[0].selected) == {"A": "S", "B": "A"}


def test_examples_do_not_see_each_other():
    """The cap of one example is not used up by another."""
    given_ = '{ on = 2005-03-10, activity = "proposal.submitted", people = ["A"] },'
    text = example(given_, "{ A = 2.5 }", text=example(given_, "{ A = 2.5 }"))

    trials = try_examples(parse_rulebook(text, activity_infos(kinds)), kinds)

    assert [trial.passed for trial in trials] == [True, True]


def test_what_no_rule_rewards_gives_nothing():
    """An activity of before the first value, or without a rule, is an example of 0 points."""
    early = '{ on = 2004-12-31, activity = "proposal.submitted", person = "A" },'
    other = '{ on = 2005-12-31, activity = "course.completed", person = "B" },'

    assert tried(example(f"{early}\n{other}", "{ A = 0, B = 0 }")).passed


# -- as in a ledger ------------------------------------------------------------------------------

PEOPLE, UNITS, RANKS = "ABCD", ("HQ", "HQ-INNOV", "SEOUL"), ("G4", "G5")
SCOPED = rulebook_path("active-administration").read_text("utf-8").partition("# What these")[0]

steps = st.lists(
    st.tuples(
        st.integers(1, 28),
        st.sampled_from(PEOPLE),
        st.sampled_from(("propose", *UNITS, *RANKS)),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda step: (step[0], step[1], step[2] in RANKS, step[2] in UNITS),
).map(sorted)


@given(steps)
def test_an_example_gives_what_a_ledger_gives(tmp_path_factory, story):
    """The same activities, transfers and promotions recorded as facts give the same points."""
    held = {person: {"unit": "HQ", "rank": "G6"} for person in PEOPLE}
    at_first = ", ".join(f'{p} = {{ unit = "HQ", rank = "G6" }}' for p in PEOPLE)
    office = Office(tmp_path_factory.mktemp("ledger"))
    lines = []
    try:
        office.adopt(SCOPED, "2022-01-01")
        for number, (day, person, what) in enumerate(story):
            on, key = f"2022-03-{day:02}", "rank" if what in RANKS else "unit"
            if what == "propose":
                office.proposes(on, f"p{number}", person)
                activity = 'activity = "proposal.submitted"'
                lines.append(f'{{ on = {on}, {activity}, person = "{person}" }},')
            elif held[person][key] != what:
                held[person][key] = what
                (office.promoted if key == "rank" else office.transferred)(on, person, what)
                lines.append(f'{{ on = {on}, person = "{person}", {key} = "{what}" }},')
        points = office.points(*PEOPLE)
    finally:
        office.close()

    expect = f"{{ {', '.join(f'{p} = {n}' for p, n in zip(PEOPLE, points, strict=True))} }}"
    given_ = "\n".join(lines) or '{ on = 2022-03-01, person = "A", rank = "G6" }'
    more = (f"people = {{ {at_first} }}", 'units = { HQ-INNOV = "HQ" }')
    assert tried(example(given_, expect, *more, text=SCOPED)).passed


# -- the command line ----------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A rulebook with one example that fails for B."""
    monkeypatch.setenv("MILEAGE_LANG", "en")
    path = tmp_path / "rules.toml"
    path.write_text(example(f"{SUBMITTED}\n{ADOPTED}", "{ A = 7.5, B = 6 }"), encoding="utf-8")
    return path


def test_a_failing_example_is_shown_with_its_arithmetic(file):
    """Line, expected, got, and how the points came about; exit code 1."""
    result = run("rules", "test", file)

    line = file.read_text("utf-8").splitlines().index("[[example]]") + 1
    assert result.exit_code == 1
    assert result.stdout.startswith(f"{file}:{line}: failed: An example\n└─ B: expected 6, got 5\n")
    assert "share of 40 %: 4 of 10 points" in result.stdout
    assert "A: expected" not in result.stdout
    assert "1 example: 0 passed, 1 failed" in result.stderr


def test_in_korean(file):
    """The same in Korean."""
    result = run("rules", "test", file, "--lang", "ko")

    assert "기대와 다름: 예" in result.stdout
    assert "B: 기대 6점, 결과 5점" in result.stdout
    assert "지분 40%: 10점 중 4점" in result.stdout


def test_as_json_and_csv(file):
    """Programs get all examples, those that pass too."""
    document = json.loads(run("rules", "test", file, "--json").stdout)
    rows = list(csv.DictReader(io.StringIO(run("rules", "test", file, "--csv").stdout)))

    [found] = document["examples"]
    assert (document["ok"], found["passed"]) == (False, False)
    assert [(p["person"], p["expected"], p["got"]) for p in found["people"]] == [
        ("A", "7.5", "7.5"),
        ("B", "6", "5"),
    ]
    assert [(row["person"], row["passed"]) for row in rows] == [("A", "true"), ("B", "false")]


def test_several_files(file):
    """All examples of all files are worked out; one without examples is said."""
    plain = file.with_name("plain.toml")
    plain.write_text(RULEBOOK, encoding="utf-8")

    result = run("rules", "test", file, *SHIPPED, plain)

    assert result.exit_code == 1
    assert result.stdout.count("failed:") == 1
    assert f"{plain}: there are no examples" in result.stderr
    assert ok("rules", "test", plain).exit_code == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nonsense", "toml-syntax"),
        (example(ADOPTED, "{ A = 10 }"), "no-people"),
        (example(SUBMITTED, "{ A = 10 }"), "not-expected"),
    ],
)
def test_a_rulebook_with_errors(file, text, said):
    """What is wrong with the text, examples included, is told as by a check; nothing is tried."""
    file.write_text(text, encoding="utf-8")
    result = run("rules", "test", file)

    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stdout == ""
    assert said in run("rules", "check", file).stdout


def test_wrong_use(file):
    """Without a file it is wrong usage; a file that is not there is said."""
    assert run("rules", "test").exit_code == 2
    assert "No such file" in run("rules", "test", file.with_name("nowhere.toml")).stderr


def test_the_documented_rulebook_gives_what_its_example_says():
    """The example of the documentation passes too."""
    page = (Path(__file__).parent.parent / "docs" / "rulebook.md").read_text("utf-8")
    text = page.partition("```toml\n")[2].partition("```")[0]

    assert tried(text).passed
