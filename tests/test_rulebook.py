"""Rulebooks: what is refused and why, what a good one says, and what it compiles to.

A file in ``rulebooks/bad`` says on each line what is wrong there: ``#! code: part of the
remedy``. Nothing else may be found, and nothing may be missed.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from datetime import date, timedelta
from itertools import combinations, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from mileage.projections import rulebook, toml_positions
from mileage.projections.rulebook import (
    BREAK_BY,
    OPEN_DAY,
    PERIODS,
    POINT,
    PROBLEM_CODES,
    TEXT_BYTES_MAX,
    ActivityInfo,
    Adoption,
    Asked,
    CapRow,
    Compiled,
    GradeTerms,
    Label,
    Percentage,
    Problem,
    Recent,
    Rulebook,
    RulebookError,
    Tie,
    ValueRow,
    check_rulebook,
    compile_rules,
    parse_rulebook,
    period_start,
)
from mileage.projections.rulebook import values as limits
from mileage.projections.toml_positions import locate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_CHANNEL = {"channel": Asked("proposal.submitted", ("online", "paper"))}
ACTIVITIES = {
    name: ActivityInfo(
        name,
        has_grade=has_grade,
        has_hours=has_hours,
        has_shares=not name.startswith("learning_club"),
        conditions=_CHANNEL if name.startswith("proposal") else {},
    )
    for name, has_grade, has_hours in [
        ("proposal.submitted", False, False),
        ("proposal.adopted", True, False),
        ("proposal.implemented", False, False),
        ("learning_club.registered", False, False),
        ("learning_club.session_held", False, True),
        ("contest.entered", False, False),
        ("contest.awarded", True, False),
    ]
}
TEXTS = Path(__file__).parent / "rulebooks"
GOOD = sorted(TEXTS.glob("good/*.toml"))
BAD = sorted(TEXTS.glob("bad/*.toml"))
EXPECTED = re.compile(r"#! ([a-z-]+): (.*?)(?= #! |$)")

# A slow machine is no reason to fail.
unhurried = settings(deadline=None)

HEAD = """[rulebook]
id = "test"
title = { ko = "시험", en = "Test" }
source = "Test scheme"
"""
RULE = """
[[rule]]
id = "adopted"
title = { ko = "채택", en = "Adopted" }
activity = "proposal.adopted"
values = [ { from = 2005-01-01, points = 10, clause = "제1조" } ]
"""
CAP = """
[[cap]]
id = "%s"
title = { ko = "한도", en = "Cap" }
rules = ["adopted"]
period = "%s"
values = [ { from = 2005-01-01, points = %s, clause = "제7조" } ]
"""


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def parse(text: str) -> Rulebook:
    return parse_rulebook(text, ACTIVITIES)


def check(text: str) -> list[Problem]:
    return check_rulebook(text, ACTIVITIES)


def only_problem(text: str) -> Problem:
    (problem,) = check(text)
    return problem


def adopted(*texts_and_days: tuple[str, date]) -> list[Adoption]:
    return [
        Adoption(position, day, day, parse(text))
        for position, (text, day) in enumerate(texts_and_days, start=7)
    ]


# Bad rulebooks -----------------------------------------------------------------------------


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_bad(path):
    """Each problem is found on its line with its remedy, all of them at once, and no other."""
    text = read(path)
    expected = [
        (number, code, remedy)
        for number, line in enumerate(text.splitlines(), start=1)
        for code, remedy in EXPECTED.findall(line)
    ]

    problems = check(text)

    assert [(p.line, p.code) for p in problems] == [(line, code) for line, code, _ in expected]
    for problem, (_, _, remedy) in zip(problems, expected, strict=True):
        assert remedy in problem.remedy
    assert path.stem.startswith(tuple(code for _, code, _ in expected))


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_errors_keep_a_rulebook_from_being_read(path):
    """A text with an error raises all its problems together; warnings alone do not."""
    problems = check(read(path))
    if all(problem.severity == "warning" for problem in problems):
        assert parse(read(path)).rules
        return

    with pytest.raises(RulebookError) as caught:
        parse(read(path))

    assert caught.value.problems == tuple(problems)
    assert str(caught.value).count("\n") == len(problems) - 1


def test_every_code_has_an_example():
    """Every code of the catalogue is shown by a bad file, or by the tests of compiling."""
    shown = {problem.code for path in BAD for problem in check(read(path))}

    assert shown | {"cap-order"} == set(PROBLEM_CODES)


def test_only_what_may_be_meant_is_a_warning():
    """What may be meant, though it is said in vain, is a warning; all else is an error."""
    problems = [problem for path in BAD for problem in check(read(path))]

    warnings = {problem.code for problem in problems if problem.severity == "warning"}

    assert warnings == {
        *("cap-never-binds", "cap-starts-late", "gap", "grade-dropped", "out-of-reach"),
        *("points-beyond-cap", "unit-by-rank", "unknown-grade", "unknown-label", "value-repeated"),
        "unknown-programme",
    }


def test_a_problem_reads_as_one_line():
    """A problem prints with line, column, severity, code and message."""
    problem = only_problem(HEAD + RULE.replace("points = 10", "points = -1"))

    assert str(problem) == (
        "10:42: error number-range: rule 1, values 1, points is not between 0 and 1,000,000."
    )
    assert problem.excerpt[problem.column - 1 :].startswith("-1, clause")


def test_columns_count_characters():
    """A column behind Korean text counts characters, not bytes."""
    problem = only_problem(HEAD.replace('en = "Test"', "en = 1") + RULE)

    assert problem.excerpt[problem.column - 1] == "1"


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\u202e", "\u2028", "\ud800"])
def test_unseen_characters(character):
    """A character that cannot be seen is refused anywhere, in comments too."""
    problem = only_problem(HEAD + RULE + f"# a{character}b")

    assert (problem.code, problem.column) == ("control-character", 4)
    assert f"U+{ord(character):04X}" in problem.message


def test_byte_order_mark():
    """A byte order mark is named, as editors add it unseen."""
    problem = only_problem("\ufeff" + HEAD + RULE)

    assert (problem.line, problem.column) == (1, 1)
    assert "without a byte order mark" in problem.remedy


def test_line_endings_of_windows():
    """Lines that end with CR LF are counted and quoted like others."""
    text = read(TEXTS / "bad" / "unknown-key.toml")

    problems = check(text.replace("\n", "\r\n"))

    assert problems == check(text)
    assert not any("\r" in problem.excerpt for problem in problems)


def test_a_text_that_is_too_large():
    """A text above the limit is refused before it is parsed."""
    problem = only_problem("#" * (TEXT_BYTES_MAX + 1))

    assert problem.code == "too-large"


def test_a_line_that_is_too_long():
    """A line above the limit is refused: it could make the TOML parser very slow."""
    problem = only_problem(HEAD + RULE + ".".join("a" * 5_000) + " = 1")

    assert (problem.code, problem.line) == ("too-large", 11)


def test_too_many_of_a_thing():
    """Lists and tables have limits, so that a strange text is not worked through."""
    values = "\n".join(
        f'  {{ from = {date(2005, 1, 1) + timedelta(days=n)}, points = 1, clause = "1" }},'
        for n in range(limits.VALUES_MAX + 1)
    )
    grades = ", ".join(f"g{n} = 1" for n in range(limits.GRADES_MAX + 1))
    text = HEAD + RULE.replace("points = 10", f"points = {{ {grades} }}")

    assert only_problem(text).code == "too-large"
    assert only_problem(re.sub(r"\[ \{.*\]", f"[\n{values}\n]", HEAD + RULE)).code == "too-large"


@pytest.mark.parametrize("text", ["a = " + "[" * 1_900, "a = " + "{a=" * 600])
def test_deep_nesting(text):
    """Lists nested beyond reason are a problem, not a crash."""
    assert only_problem(text).code == "toml-syntax"


@pytest.mark.parametrize("number", ["9" * 1_900, "1e99999999999999999999", "0x" + "f" * 1_900])
def test_numbers_beyond_reason(number):
    """A number that no machine should work out is out of range, not a crash."""
    problem = only_problem(HEAD + RULE.replace("points = 10", f"points = {number}"))

    assert (problem.code, problem.line, problem.column) == ("number-range", 10, 42)


def test_syntax_that_not_all_parsers_know():
    """What only some parsers of TOML take is refused, so that a text reads alike everywhere."""
    problem = only_problem(HEAD + RULE.replace('"제1조"', '"""제1조 \\  \n제2조"""'))

    assert (problem.code, problem.line) == ("toml-syntax", 10)
    assert "after a backslash" in problem.remedy


def test_members():
    """What the module exports exists, in order."""
    for module in (rulebook, toml_positions):
        assert list(module.__all__) == sorted(module.__all__, key=_export_order)
        assert all(hasattr(module, name) for name in module.__all__)


def _export_order(name: str) -> tuple[int, str]:
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def test_import_is_light():
    """Importing the module loads no engine and not even the native TOML parser."""
    heavy = "{'duckdb', 'polars', 'pyarrow', 'sqlite_utils', 'tree_sitter'}"
    program = f"import sys, mileage.projections.rulebook; print({heavy} & set(sys.modules))"

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )

    assert done.stdout.strip() == "set()"


# Good rulebooks ----------------------------------------------------------------------------


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_good(path):
    """The rulebooks of the ladder have no problem, not even a warning."""
    assert check(read(path)) == []


def test_the_least_rulebook():
    """One rule with one value is a rulebook; what is left out has its default."""
    text = read(TEXTS / "good" / "1-one-rule.toml")

    book = parse(text)

    (rule,) = book.rules
    (value,) = rule.values
    assert (book.id, book.title, book.source) == (
        "ideas",
        Label("제안", "Ideas"),
        "제안제도 운영지침",
    )
    assert (rule.per, rule.split, rule.until, rule.line) == ("activity", "each", None, 7)
    assert (value.valid_from, value.points, value.clause) == (date(2005, 1, 1), POINT, "제5조")
    assert (book.caps, book.programmes, dict(book.labels)) == ((), (), {})
    assert book.text == text
    assert book.digest == hashlib.sha256(text.encode()).hexdigest()


def test_points_are_exact():
    """Points are whole numbers of 1/10,000 point, by grade or alike for all."""
    book = parse(read(TEXTS / "good" / "2-grades-and-shares.toml"))

    by_grade, flat = book.rules
    assert by_grade.values[1].points == {
        "gold": 120_000,
        "silver": 70_000,
        "bronze": 50_000,
        "encouragement": 25_000,
    }
    assert (by_grade.split, by_grade.until) == ("share", date(2009, 1, 1))
    assert flat.values[0].points == 1
    assert book.labels["encouragement"] == Label("장려상", "Encouragement")


def test_caps_and_programmes():
    """Caps keep the order of the file; a programme without quota lets all in."""
    clubs = parse(read(TEXTS / "good" / "3-hours-and-caps.toml"))
    training = parse(read(TEXTS / "good" / "4-programmes.toml"))

    assert [(cap.id, cap.rules, cap.period) for cap in clubs.caps] == [
        ("session-month", ("session",), "month"),
        ("club-year", ("session", "founded"), "year"),
    ]
    assert [value.limit // POINT for value in clubs.caps[1].values] == [30, 36, 24, 30]
    overseas, certificate = training.programmes
    assert [(v.threshold_points, v.quota) for v in overseas.values] == [
        (300_000, 10),
        (255_000, 12),
    ]
    assert overseas.tie == Tie(("activities", "joined"), "exclude")
    assert (certificate.values[0].quota, certificate.tie) == (None, Tie((), "include"))


def test_tiers_and_grades():
    """Tiers have thresholds, grades by rank percentages or places; each with what it is worth."""
    welfare, bonus, rating = parse(read(TEXTS / "good" / "5-tiers-and-grades.toml")).programmes

    assert welfare.values[0].grades == (
        GradeTerms("gold", threshold_points=300_000, value=3_000_000),
        GradeTerms("silver", threshold_points=205_000, value=2_000_000),
    )
    assert [value.threshold_points for value in welfare.values] == [205_000, 400_000]
    assert welfare.unit == Label("복지점수", "welfare points")
    first, second = bonus.values
    assert [(g.grade, g.percent, g.value) for g in first.grades] == [
        ("S", 200_000, 1_800_000),
        ("A", 300_000, 1_250_000),
        ("B", 500_000, 855_000),
    ]
    assert [(g.grade, g.places) for g in second.grades] == [("S", 1), ("A", 2)]
    assert (first.rounding, bonus.ranks, bonus.four_eyes) == ("half", ("G4", "G5"), True)
    assert [value.percentage for value in rating.values] == [
        Percentage(30_000, 230, "down"),
        Percentage(50_000, "serving", "up"),
    ]
    assert [value.value for value in rating.values] == [5_000, 5_000]
    assert rating.recent == Recent(None, 1, ("rating", "bonus"))


@pytest.mark.parametrize(
    ("period", "start"),
    [
        ("month", date(2005, 12, 1)),
        ("quarter", date(2005, 10, 1)),
        ("half", date(2005, 7, 1)),
        ("year", date(2005, 1, 1)),
        ("lifetime", date.min),
    ],
)
def test_period_start(period, start):
    """A period begins where the calendar says."""
    assert period_start(period, date(2005, 12, 31)) == start
    assert period_start(period, max(start, date(2005, 1, 1))) == start


# Compiling ---------------------------------------------------------------------------------


def test_compiled_rows():
    """A rulebook becomes one row for each value, grade and version, clipped to its days."""
    text = read(TEXTS / "good" / "2-grades-and-shares.toml")

    compiled = compile_rules(adopted((text, date(2006, 7, 1)), (text, date(2008, 1, 1))))

    gold = [row for row in compiled.values if row.grade == "gold"]
    assert [(row.id, row.adoption, row.day_from, row.day_until, row.points) for row in gold] == [
        (1, 7, 20060701, 20080101, 120_000),
        (5, 8, 20080101, 20090101, 120_000),
    ]
    assert compiled.values[-1] == ValueRow(
        id=9,
        adoption=8,
        rule="adopted-flat",
        activity="proposal.adopted",
        grade=None,
        per="activity",
        split="each",
        day_from=20090101,
        day_until=OPEN_DAY,
        points=1,
        clause="별표 1 제3호",
    )


def test_compiled_caps():
    """A cap becomes one row for each limit and rule; caps that share a rule have levels."""
    text = read(TEXTS / "good" / "3-hours-and-caps.toml")

    compiled = compile_rules(adopted((text, date(2005, 1, 1))))

    assert {(row.id, row.cap, row.level, row.period) for row in compiled.caps} == {
        (1, "session-month", 1, "month"),
        (2, "club-year", 2, "year"),
    }
    assert compiled.caps[1] == CapRow(
        id=2,
        cap="club-year",
        level=2,
        rule="session",
        adoption=7,
        period="year",
        day_from=20050101,
        day_until=20060701,
        limit=300_000,
        clause="제7조 제2항",
    )


def test_a_later_adoption_wins_from_its_first_day():
    """A version that begins before an earlier one began replaces it for good."""
    text = HEAD + RULE

    compiled = compile_rules(
        adopted((text, date(2005, 1, 1)), (text, date(2007, 1, 1)), (text, date(2006, 1, 1)))
    )

    on = {day: compiled.rulebook_on(date(day, 6, 1)) for day in (2004, 2005, 2006, 2007)}
    assert {day: version and version.position for day, version in on.items()} == {
        2004: None,
        2005: 7,
        2006: 9,
        2007: 9,
    }


def test_adoptions_come_in_order():
    """Adoptions out of order are a mistake of the program, not of a rulebook."""
    one, two = adopted((HEAD + RULE, date(2005, 1, 1)), (HEAD + RULE, date(2006, 1, 1)))

    with pytest.raises(ValueError, match="order of position"):
        compile_rules([two, one])


def test_no_adoption():
    """Before the first adoption there is nothing to score by."""
    assert compile_rules([]) == Compiled((), (), ())


def test_versions_that_lower_and_raise_a_cap_in_one_period():
    """A limit that goes down and up again across versions is refused, naming the cap."""
    lower, higher = (HEAD + RULE + CAP % ("year", "year", points) for points in (20, 30))
    days = [date(2005, 1, 1), date(2005, 4, 1), date(2005, 9, 1)]

    with pytest.raises(RulebookError) as caught:
        compile_rules(adopted((higher, days[0]), (lower, days[1]), (higher, days[2])))

    (problem,) = caught.value.problems
    assert (problem.code, problem.line) == ("cap-lowered-then-raised", 17)
    assert problem.message.startswith("Adoption 9: The cap 'year' was lowered")
    assert "2006-01-01" in problem.remedy
    assert compile_rules(adopted((higher, days[0]), (lower, days[1]), (higher, date(2006, 1, 1))))


def test_a_cap_keeps_its_level_while_its_period_lasts():
    """A cap put before another one in the middle of a year moves that one up in both versions."""
    old = HEAD + RULE + CAP % ("total", "year", 30)
    new = HEAD + RULE + CAP % ("item", "year", 20) + CAP % ("total", "year", 30)

    middle = compile_rules(adopted((old, date(2005, 1, 1)), (new, date(2005, 7, 1))))
    start = compile_rules(adopted((old, date(2005, 1, 1)), (new, date(2006, 1, 1))))

    assert [(row.cap, row.level) for row in middle.caps] == [
        ("total", 2),
        ("item", 1),
        ("total", 2),
    ]
    assert [(row.cap, row.level) for row in start.caps] == [("total", 1), ("item", 1), ("total", 2)]


def test_a_cap_that_returns_in_the_same_year_keeps_its_level():
    """A yearly cap that is monthly for a while is the same cap when it comes back."""
    yearly = HEAD + RULE + CAP % ("total", "year", 30)
    monthly = HEAD + RULE + CAP % ("total", "month", 30)
    again = HEAD + RULE + CAP % ("item", "month", 20) + CAP % ("total", "year", 30)
    days = (date(2005, month, 1) for month in (1, 4, 7))

    compiled = compile_rules(adopted(*zip((yearly, monthly, again), days, strict=True)))

    assert [(row.period, row.level) for row in compiled.caps if row.cap == "total"] == [
        ("year", 2),
        ("month", 1),
        ("year", 2),
    ]


def test_caps_that_change_places_in_one_period():
    """Caps in another order from the middle of a year are refused, from its start they are not."""
    one = HEAD + RULE + CAP % ("a", "year", 20) + CAP % ("b", "year", 30)
    other = HEAD + RULE + CAP % ("b", "year", 30) + CAP % ("a", "year", 20)

    with pytest.raises(RulebookError) as caught:
        compile_rules(adopted((one, date(2005, 1, 1)), (other, date(2005, 7, 1))))

    (problem,) = caught.value.problems
    assert (problem.code, problem.line) == ("cap-order", 12)
    assert "a, b" in problem.message
    compiled = compile_rules(adopted((one, date(2005, 1, 1)), (other, date(2006, 1, 1))))
    assert [row.level for row in compiled.caps] == [1, 2, 1, 2]
    assert [row.id for row in compiled.caps] == [1, 2, 2, 1]


# Any rulebook of the grammar ---------------------------------------------------------------

FIRST, LAST = date(2005, 1, 1), date(2007, 12, 31)
GRADES = ("gold", "silver", "bronze")
days = st.dates(FIRST, LAST)
texts = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cf", "Zl", "Zp")),
    min_size=1,
    max_size=12,
).filter(str.strip) | st.sampled_from(["제1조 [별표] # 1", '"', "a = 1", "}, {"])
amounts = st.integers(0, 10**10) | st.integers(0, 40).map(lambda n: n * POINT)
labels = st.fixed_dictionaries({"ko": texts, "en": texts})
ascending_days = st.lists(days, min_size=1, max_size=4, unique=True).map(sorted)


def decimal(amount: int) -> str:
    whole, rest = divmod(amount, POINT)
    return f"{whole}.{rest:04}".rstrip("0").rstrip(".")


@st.composite
def rules_of(draw: st.DrawFn, activity: ActivityInfo) -> list[dict[str, Any]]:
    """Rules for one activity that follow each other, or share its grades among them."""
    stretches = draw(st.lists(days, min_size=1, max_size=3, unique=True).map(sorted))
    rules = []
    for start, end in [*pairwise(stretches), (stretches[-1], None)]:
        parts: list[tuple[str, ...]] = [()]
        if activity.has_grade and draw(st.booleans()):
            cut = draw(st.integers(0, len(GRADES) - 1))
            parts = [part for part in (GRADES[:cut], GRADES[cut:]) if part]
        for grades in parts:
            inner = draw(st.lists(st.dates(start, end or LAST), max_size=3))
            froms = sorted({start, *(day for day in inner if day != end)})
            rules.append(
                {
                    "activity": activity.name,
                    "per": draw(st.sampled_from(["activity", "hour"][: 1 + activity.has_hours])),
                    "split": draw(st.sampled_from(["each", "share"][: 1 + activity.has_shares])),
                    "until": end,
                    "values": [
                        (day, {g: draw(amounts) for g in grades} or draw(amounts), draw(texts))
                        for day in froms
                    ],
                }
            )
    return rules


@st.composite
def caps_of(draw: st.DrawFn, rules: list[str]) -> list[dict[str, Any]]:
    caps = []
    for number in range(draw(st.integers(0, 3))):
        froms = draw(ascending_days)
        limits = draw(st.lists(amounts, min_size=len(froms), max_size=len(froms)))
        caps.append(
            {
                "id": f"cap-{number}",
                "rules": draw(st.lists(st.sampled_from(rules), min_size=1, unique=True)),
                "period": draw(st.sampled_from(PERIODS)),
                # A limit may rise and fall in a period, but not the other way round.
                "values": list(
                    zip(froms, sorted(limits, reverse=draw(st.booleans())), strict=True)
                ),
            }
        )
    return draw(st.permutations(caps))


@st.composite
def schemes(draw: st.DrawFn) -> dict[str, Any]:
    """What a rulebook says, before it is written."""
    chosen = draw(
        st.lists(st.sampled_from(sorted(ACTIVITIES)), min_size=1, max_size=3, unique=True)
    )
    rules = [rule for name in chosen for rule in draw(rules_of(ACTIVITIES[name]))]
    for number, rule in enumerate(rules):
        rule["id"] = f"rule-{number}"
    programmes = draw(
        st.lists(
            st.fixed_dictionaries(
                {
                    "period": st.sampled_from(PERIODS),
                    "from": days,
                    "threshold": amounts,
                    "quota": st.none() | st.integers(1, 100),
                    "break_by": st.lists(st.sampled_from(BREAK_BY), unique=True),
                }
            ),
            max_size=2,
        )
    )
    return {
        "rules": rules,
        "caps": draw(caps_of([rule["id"] for rule in rules])),
        "programmes": programmes,
        "title": draw(labels),
        "labels": draw(st.dictionaries(st.sampled_from(GRADES), labels)),
    }


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def label(ko_en: dict[str, str]) -> str:
    return f"{{ ko = {quoted(ko_en['ko'])}, en = {quoted(ko_en['en'])} }}"


def write(scheme: dict[str, Any]) -> str:
    """Write a scheme as a rulebook's text."""
    title = f"title = {label(scheme['title'])}"
    lines = ["[rulebook]", 'id = "any"', title, 'source = """a [text] # not a comment"""']
    for rule in scheme["rules"]:
        lines += ["[[rule]]", f'id = "{rule["id"]}"', title]
        lines += [f'{key} = "{rule[key]}"' for key in ("activity", "per", "split")]
        lines += [f"until = {rule['until']}"] if rule["until"] else []
        lines += ["values = [ # dated"]
        for day, points, clause in rule["values"]:
            amount = decimal(points) if isinstance(points, int) else ""
            if isinstance(points, dict):
                amount = f"{{ {', '.join(f'{g} = {decimal(p)}' for g, p in points.items())} }}"
            lines += [f"  {{ from = {day}, points = {amount}, clause = {quoted(clause)} }},"]
        lines += ["]"]
    for cap in scheme["caps"]:
        lines += ["[[cap]]", f'id = "{cap["id"]}"', title, f"rules = {json.dumps(cap['rules'])}"]
        lines += [f'period = "{cap["period"]}"', "values = ["]
        lines += [
            f'  {{ from = {day}, points = {decimal(limit)}, clause = "제7조" }},'
            for day, limit in cap["values"]
        ]
        lines += ["]"]
    for number, programme in enumerate(scheme["programmes"]):
        quota = f", quota = {programme['quota']}" if programme["quota"] else ""
        lines += ["[[programme]]", f'id = "programme-{number}"', title]
        lines += [f'period = "{programme["period"]}"']
        lines += [f"tie = {{ break_by = {json.dumps(programme['break_by'])}, "]
        lines[-1] += 'otherwise = "include" }'
        lines += [f"values = [ {{ from = {programme['from']}, clause = '제12조'"]
        lines[-1] += f", threshold = {decimal(programme['threshold'])}{quota} }} ]"
    lines += ["[labels]", *(f"{code} = {label(name)}" for code, name in scheme["labels"].items())]
    return "\n".join(lines)


def errors(text: str) -> list[Problem]:
    return [problem for problem in check(text) if problem.severity == "error"]


@unhurried
@given(schemes())
def test_any_rulebook_of_the_grammar_is_read_as_written(scheme):
    """A rulebook of the grammar has no error and says exactly what was written."""
    text = write(scheme)

    assert errors(text) == []
    book = parse(text)

    assert [
        (r.id, r.activity, r.per, r.split, r.until, [(v.valid_from, v.points) for v in r.values])
        for r in book.rules
    ] == [
        (r["id"], r["activity"], r["per"], r["split"], r["until"], [v[:2] for v in r["values"]])
        for r in scheme["rules"]
    ]
    assert [
        (c.id, list(c.rules), c.period, [(v.valid_from, v.limit) for v in c.values])
        for c in book.caps
    ] == [(c["id"], c["rules"], c["period"], c["values"]) for c in scheme["caps"]]
    assert [
        (p.period, p.values[0].threshold_points, p.values[0].quota, list(p.tie.break_by))
        for p in book.programmes
    ] == [(p["period"], p["threshold"], p["quota"], p["break_by"]) for p in scheme["programmes"]]
    assert {code: (v.ko, v.en) for code, v in book.labels.items()} == {
        code: (name["ko"], name["en"]) for code, name in scheme["labels"].items()
    }
    lines = text.split("\n")
    for rule in book.rules:
        assert lines[rule.line - 1] == "[[rule]]"
        assert all(f"from = {v.valid_from}" in lines[v.line - 1] for v in rule.values)


histories = st.lists(st.tuples(schemes(), days), min_size=1, max_size=3)


def number(day: date) -> int:
    return int(day.strftime("%Y%m%d"))


def applying(adoptions: Sequence[Adoption], day: date) -> Adoption | None:
    """Say naively which adoption applies: the last of those that reach the day."""
    return next((a for a in reversed(adoptions) if a.effective_from <= day), None)


def in_force(values: Sequence[Any], day: date) -> Any:
    return next((value for value in reversed(values) if value.valid_from <= day), None)


def compile_or_refuse(history: Sequence[tuple[dict[str, Any], date]]) -> Compiled:
    """Compile a history; one that has no exact figure is not what is tested here."""
    try:
        return compile_rules(adopted(*((write(scheme), day) for scheme, day in history)))
    except RulebookError:
        assume(False)
        raise


@unhurried
@given(histories, st.lists(days, min_size=1, max_size=20))
def test_a_day_has_at_most_one_value(history, some_days):
    """At most one row applies to an activity, grade and day: the one a reader would look up."""
    compiled = compile_or_refuse(history)
    adoptions = [*adopted(*((write(scheme), day) for scheme, day in history))]
    edges = {date.fromisoformat(str(row.day_from)) for row in compiled.values}

    for day in [*some_days, *edges, *(edge - timedelta(days=1) for edge in edges)]:
        adoption = applying(adoptions, day)
        assert compiled.rulebook_on(day) == adoption
        expected = defaultdict(list)
        for rule in adoption.rulebook.rules if adoption else ():
            value = None if rule.until and day >= rule.until else in_force(rule.values, day)
            for grade in GRADES if value else ():
                points = value.points if isinstance(value.points, int) else value.points.get(grade)
                if points is not None:
                    expected[rule.activity, grade].append((adoption.position, rule.id, points))
        for activity in ACTIVITIES:
            for grade in GRADES:
                rows = [
                    (row.adoption, row.rule, row.points)
                    for row in compiled.values
                    if row.activity == activity
                    and row.grade in {None, grade}
                    and row.day_from <= number(day) < row.day_until
                ]
                assert len(rows) <= 1
                assert rows == expected[activity, grade]


@unhurried
@given(histories, st.lists(days, min_size=1, max_size=20))
def test_a_day_has_the_limits_of_its_version(history, some_days):
    """The limits that apply to a rule on a day are those of its version, in order of the file."""
    compiled = compile_or_refuse(history)
    adoptions = [*adopted(*((write(scheme), day) for scheme, day in history))]

    for day in some_days:
        adoption = applying(adoptions, day)
        for rule in adoption.rulebook.rules if adoption else ():
            rows = [
                row
                for row in compiled.caps
                if row.rule == rule.id and row.day_from <= number(day) < row.day_until
            ]
            assert [(row.cap, row.limit) for row in rows] == [
                (cap.id, limit.limit)
                for cap in adoption.rulebook.caps
                if rule.id in cap.rules and (limit := in_force(cap.values, day))
            ]
            assert [row.level for row in rows] == sorted({row.level for row in rows})


@unhurried
@given(histories)
def test_a_cap_is_whole_within_a_period(history):
    """Within a period a cap has one number and one level, as its points make one sum."""
    compiled = compile_or_refuse(history)

    for one, other in combinations(compiled.caps, 2):
        assert (one.id == other.id) == (one.cap == other.cap)
        if one.cap == other.cap and one.period == other.period and _meet(one, other):
            assert one.level == other.level
    assert all(row.day_from < row.day_until for row in (*compiled.values, *compiled.caps))


def _meet(one: CapRow, other: CapRow) -> bool:
    """Tell whether two rows of a cap have days in one period."""
    first, second = sorted((one, other), key=lambda row: row.day_from)
    last = min(first.day_until, 20_301_231)
    last_day = date.fromisoformat(str(last)) - timedelta(days=1)
    start = date.fromisoformat(str(second.day_from))
    return period_start(one.period, last_day) >= period_start(one.period, start)


@unhurried
@given(
    st.sampled_from(PERIODS),
    st.lists(
        st.tuples(st.dates(FIRST, date(2006, 6, 30)), st.integers(1, 3)), min_size=1, max_size=4
    ),
)
def test_limits_are_refused_when_room_opens_again(period, changes):
    """A history is refused exactly if in some period a limit goes down and later up."""
    adoptions = adopted(
        *((HEAD + RULE + CAP % ("cap", period, limit), day) for day, limit in changes)
    )
    by_period = defaultdict(list)
    for offset in range(600):
        day = FIRST + timedelta(days=offset)
        if adoption := applying(adoptions, day):
            limit = adoption.rulebook.caps[0].values[0].limit
            by_period[period_start(period, day)].append(limit)
    reopened = any(
        before > low < after
        for limits in by_period.values()
        for before, low, after in combinations([x for x, y in pairwise([*limits, 0]) if x != y], 3)
    )

    if reopened:
        with pytest.raises(RulebookError, match="cap-lowered-then-raised"):
            compile_rules(adoptions)
    else:
        assert compile_rules(adoptions).caps


@unhurried
@given(st.sampled_from(GOOD + BAD), st.data())
def test_a_damaged_text_is_a_problem_and_never_a_crash(path, data):
    """Whatever a text looks like, checking it names places in it, and parsing agrees."""
    text = read(path)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = start + data.draw(st.integers(0, 12))
        text = text[:start] + data.draw(st.text(max_size=3) | texts) + text[end:]

    problems = check(text)

    lines = text.replace("\r\n", "\n").split("\n")
    assert problems == sorted(problems, key=lambda p: (p.line, p.column, p.code))
    for problem in problems:
        assert problem.code in PROBLEM_CODES
        assert problem.excerpt == lines[problem.line - 1]
        assert 1 <= problem.column <= len(problem.excerpt) + 1
        assert problem.message.endswith(".")
        assert problem.remedy.endswith((".", "?"))
    if any(problem.severity == "error" for problem in problems):
        with pytest.raises(RulebookError):
            parse(text)
    else:
        assert parse(text).text == text


# Positions ---------------------------------------------------------------------------------

keys = st.text("abc_-1", min_size=1, max_size=2) | st.sampled_from(
    ["가", "a.b", "[x]", "#", 'q"', ""]
)
leaves = (
    st.integers(0, 10**6)
    | st.booleans()
    | st.dates(FIRST, LAST)
    | st.sampled_from(["", "]", "}", "# no", "a = 1", "[[x]]", "가\n[나]\n", "'''", '"""'])
)
trees = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=12,
)


class _Writer:
    """Writes a tree as TOML in one of the many ways there are, and notes where it put what."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.text = ""
        self.starts: dict[tuple[str | int, ...], tuple[int, int]] = {}

    def flip(self) -> bool:
        return self.draw(st.booleans())

    def key(self, key: str) -> str:
        bare = re.fullmatch(r"[A-Za-z0-9_-]+", key) and self.flip()
        return key if bare else quoted(key)

    def gap(self, *, lines: bool = False) -> str:
        return self.draw(st.sampled_from(["", " ", "\t", *(["\n", " # ]}\n"] if lines else [])]))

    def leaf(self, value: object) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        if not isinstance(value, str):
            return str(value)
        if "'''" not in value and self.flip():
            return f"'''\n{value}'''"
        if '"' not in value and self.flip():
            return f'"""\n{value}"""'
        return quoted(value)

    def value(self, path: tuple[str | int, ...], value: object) -> None:
        if isinstance(value, list):
            self.text += "["
            for index, element in enumerate(value):
                self.text += self.gap(lines=True)
                self.starts[*path, index] = (len(self.text), len(self.text))
                self.value((*path, index), element)
                self.text += self.gap(lines=True)
                self.text += "," if index < len(value) - 1 or self.flip() else ""
            self.text += self.gap(lines=True) + "]"
        elif isinstance(value, dict):
            self.text += "{ "
            for index, (key, element) in enumerate(value.items()):
                self.text += ", " if index else ""
                self.pair((*path, key), element)
            self.text += " }"
        else:
            self.text += self.leaf(value)

    def pair(self, path: tuple[str | int, ...], value: object, *, dotted: str = "") -> None:
        start = len(self.text) + len(dotted)
        self.text += f"{dotted}{self.key(str(path[-1]))}{self.gap()}={self.gap()}"
        self.starts[path] = (start, len(self.text))
        self.value(path, value)

    def table(self, path: tuple[str | int, ...], table: dict[str, Any]) -> None:
        """Write a table below its header: pairs first, then tables with headers of their own."""
        later = []
        for key, value in table.items():
            headed = isinstance(value, dict) or (
                isinstance(value, list) and value and all(isinstance(v, dict) for v in value)
            )
            if headed and self.flip():
                later.append((key, value))
            else:
                self.pair((*path, key), value)
                self.text += f"{self.gap()}{'# [a]' if self.flip() else ''}\n"
        for key, value in later:
            here = (*path, key)
            if isinstance(value, dict):
                self.header(here, "[", "]")
                self.table(here, value)
                continue
            for index, element in enumerate(value):
                self.header((*here, index), "[[", "]]")
                self.table((*here, index), element)

    def header(self, path: tuple[str | int, ...], opened: str, closed: str) -> None:
        names = self.gap().join([""]) + ".".join(self.key(k) for k in path if isinstance(k, str))
        self.text += self.gap()
        self.starts[path] = (len(self.text), len(self.text))
        if path[-1] == 0:
            self.starts[path[:-1]] = self.starts[path]
        self.text += f"{opened}{self.gap()}{names}{self.gap()}{closed}{self.gap()}\n"


@st.composite
def written(draw: st.DrawFn) -> _Writer:
    writer = _Writer(draw)
    writer.table((), draw(st.dictionaries(keys, trees, max_size=4)))
    return writer


def paths(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else ()
    for key, element in enumerate(value) if isinstance(value, list) else inner:
        yield (*path, key)
        yield from paths(element, (*path, key))


def offsets(text: str, place: toml_positions.Place) -> tuple[int, int]:
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    key = starts[place.line - 1] + place.column - 1
    return key, starts[place.value_line - 1] + place.value_column - 1


@unhurried
@given(written())
def test_every_key_and_value_is_located(writer):
    """Every path of the parsed document has the place where it was written, and no other has."""
    document = tomllib.loads(writer.text)

    places = locate(writer.text)

    assert set(places) == set(paths(document))
    assert {path: offsets(writer.text, place) for path, place in places.items()} == writer.starts


def test_dotted_keys_and_later_headers():
    """A dotted key names tables on its way; a header may name the last table of a list."""
    text = 'a."b c".d = 1\n[[t]]\n[t.u]\nx.y = 2\n[[t]]\n[[t.v]]\nz = 3\n'

    places = locate(text)

    assert set(places) == set(paths(tomllib.loads(text)))
    assert (places["a", "b c"].line, places["a", "b c"].column) == (1, 3)
    assert (places["t", 0, "u", "x", "y"].line, places["t", 0, "u", "x", "y"].column) == (4, 3)
    assert places["t", 1].line == 5
    assert places["t", 1, "v", 0].line == 6


def test_paths_beyond_reason_are_not_followed():
    """Very deep paths are left out: they would need memory by the square of their length."""
    places = locate(".".join("a" * 1_000) + " = 1")

    assert max(map(len, places)) == toml_positions.DEPTH_MAX


def test_a_problem_is_a_value():
    """Two checks of one text find equal problems."""
    text = read(TEXTS / "bad" / "overlap.toml")

    assert check(text) == check(text)
    assert evolve(only_problem(text), line=1) != only_problem(text)
