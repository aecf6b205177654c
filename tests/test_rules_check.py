"""What a rulebook says in vain is warned of, and only where it is proved."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from cli_cases import RULEBOOK, run
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from mileage.ledger.kinds import kinds
from mileage.projections import activity_infos, check_rulebook, parse_rulebook, try_examples
from mileage.projections.rulebook import reach
from test_rulebook import ACTIVITIES, FIRST, GRADES, LAST, schemes, write

KNOWN = activity_infos(kinds)
EVERY_CAP = """
[[cap]]
id = "{0}"
title = {{ ko = "한도", en = "Cap" }}
rules = ["adopted"]
period = "{1}"
values = [ {{ from = 2005-01-01, points = {2}, clause = "제9조" }} ]
"""


def codes(text: str) -> list[str]:
    return [problem.code for problem in check_rulebook(text, KNOWN)]


@pytest.mark.parametrize(
    ("first", "second", "idle"),
    [
        (("month", 2), ("year", 24), True),
        (("month", 2), ("year", 23.9999), False),
        (("quarter", 3), ("half", 6), True),
        (("year", 10), ("month", 10), True),
        (("year", 10), ("month", 9), False),
        (("lifetime", 10), ("rank", 10), True),
        (("lifetime", 10), ("year", 10), True),
        (("month", 2), ("lifetime", 1_000), False),
        (("month", 2), ("rank", 1_000), False),
        (("rank", 2), ("year", 1_000), False),
    ],
)
def test_a_cap_within_another(first, second, idle):
    """A cap is idle when an earlier one lets no more through in as many periods as it has."""
    book = RULEBOOK.replace("gold = 10, silver = 7", "gold = 1, silver = 1")
    caps = EVERY_CAP.format("one", *first) + EVERY_CAP.format("two", *second)

    assert ("cap-never-binds" in codes(book + caps)) == idle


def test_a_cap_that_stands_first_may_bind():
    """In the other order both may bind: the first takes what it takes before the second."""
    book = RULEBOOK.replace("gold = 10, silver = 7", "gold = 1, silver = 1")
    caps = EVERY_CAP.format("one", "year", 24) + EVERY_CAP.format("two", "month", 2)

    assert codes(book + caps) == []


@given(
    schemes(),
    st.lists(
        st.tuples(st.dates(FIRST, LAST), st.sampled_from(sorted(ACTIVITIES)),
                  st.sampled_from(GRADES), st.integers(1, 24)),
        min_size=10,
        max_size=60,
    ),
)  # fmt: skip
@settings(max_examples=150)
def test_what_never_binds_takes_nothing(scheme, story):
    """Whatever is done, a cap takes nothing on days for which it is said never to bind."""
    text = write(scheme)
    idle = {p.line for p in check_rulebook(text, KNOWN) if p.code == "cap-never-binds"}
    assume(idle)
    lines = []
    for day, activity, grade, hours in story:
        more = f', grade = "{grade}"' if KNOWN[activity].has_grade else ""
        more += f", hours = {hours}" if KNOWN[activity].has_hours else ""
        lines.append(f'{{ on = {day}, activity = "{activity}", person = "A"{more} }},')
    example = '[[example]]\ntitle = { ko = "예", en = "Example" }\ngiven = [\n'
    text = f"{text}\n{example}" + "\n".join(lines) + "\n]\nexpect = { A = 0 }\n"

    rulebook = parse_rulebook(text, KNOWN)
    [trial] = try_examples(rulebook, kinds)

    caps = {cap.id: cap for cap in rulebook.caps}
    for line in trial.people[0].lines:
        for cut in line.cuts:
            values = [v for v in caps[cut.reference].values if v.valid_from <= line.occurred_on]
            assert values[-1].line not in idle


def test_a_text_too_large_to_compare_is_still_checked(monkeypatch):
    """Beyond reason, what needs all values compared with all is left out, not the rest."""
    caps = EVERY_CAP.format("one", "month", 2) + EVERY_CAP.format("two", "year", 24)
    assert "cap-never-binds" in codes(RULEBOOK + caps)

    monkeypatch.setattr(reach, "VALUES_MAX", 3)

    assert codes(RULEBOOK + caps) == []
    assert codes(RULEBOOK + caps + "\n[unknown]\n") == ["unknown-key"]


def test_a_hostile_text_costs_only_seconds():
    """As many dated values as are compared, all in one cap and one rule, are checked in time."""
    days = [date(1900, 1, 1) + timedelta(days=31 * n) for n in range(reach.VALUES_MAX // 8)]
    half = "\n".join(
        f'  {{ from = {day}, points = {n % 7 + 1}, clause = "제{n}조" }},'
        for n, day in enumerate(days[:180])
    )
    text = RULEBOOK.partition("[[rule]]")[0]
    for number, activity in enumerate(sorted(KNOWN)[:4]):
        text += f'[[rule]]\nid = "r{number}"\ntitle = {{ ko = "ㄱ", en = "a" }}\n'
        text += f'activity = "{activity}"\nvalues = [\n{half}\n]\n'
    for number in range(3):
        text += f'[[cap]]\nid = "c{number}"\ntitle = {{ ko = "ㄱ", en = "a" }}\nperiod = "month"\n'
        text += f'rules = ["r0", "r1", "r2", "r3"]\nvalues = [\n{half}\n]\n'

    assert "cap-never-binds" in codes(text)


def test_warnings_do_not_fail_a_check(tmp_path, monkeypatch):
    """A rulebook with warnings only is usable: exit code 0, each with line and remedy."""
    monkeypatch.setenv("MILEAGE_LANG", "en")
    file = tmp_path / "rules.toml"
    caps = EVERY_CAP.format("one", "month", 20) + EVERY_CAP.format("two", "year", 240)
    file.write_text(RULEBOOK + caps, encoding="utf-8")

    result = run("rules", "check", file)
    document = json.loads(run("rules", "check", file, "--json").stdout)

    assert result.exit_code == 0
    assert "Remove the limit, or lower it." in result.stdout
    assert "0 errors, 1 warning" in result.stderr
    assert [problem["code"] for problem in document["problems"]] == ["cap-never-binds"]
