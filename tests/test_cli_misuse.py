"""Whatever is given to a command: a message where it belongs, never a fault of the program."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

import click
import pytest
from cli_cases import run
from mileage.cli.main import mileage
from test_cli_docs import CALLS, answers

# Nothing, several lines, what looks like an option, what no number or date holds, a folder.
VALUES = ("", "가\n나", "-1", "9" * 20, "9999-12-31", "folder")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder in which every call of the reference succeeded."""
    saved, here = dict(os.environ), Path.cwd()
    made = tmp_path_factory.mktemp("misuse")
    answers(made)
    (made / "folder").mkdir()
    yield made
    os.chdir(here)
    os.environ.clear()
    os.environ.update(saved)


def _called(line):
    """A call's command, the words that name it, and its arguments."""
    context = mileage.make_context("mileage", [], resilient_parsing=True)
    words, found, named = shlex.split(line), mileage, 0
    while isinstance(found, click.Group):
        found, named = found.get_command(context, words[named]), named + 1
    return found, words[:named], words[named:]


def _spoilt(line):
    """A call with one option or argument after the other given each of the values."""
    command, path, rest = _called(line)
    for param in command.params:
        if isinstance(param, click.Option) and not param.is_flag and param.name != "module":
            name = param.opts[0]
            at = rest.index(name) if name in rest else len(rest)
            for value in VALUES:
                yield [*path, *rest[:at], *rest[at + 2 :], name, value]
    for at, word in enumerate(rest):
        if not word.startswith("--") and not (at and rest[at - 1].startswith("--")):
            for value in VALUES:
                yield [*path, *rest[:at], value, *rest[at + 1 :]]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", CALLS)
def test_every_option_of_every_command(name):
    """Nothing given to an option is a fault of the program; JSON is JSON, usage on stderr."""
    for args in _spoilt(CALLS[name]):
        result = run(*args, "--json", "--lang", "ko")
        told = f"{args}: {result.output}"
        assert result.exit_code in (0, 1, 2), told
        assert "fault of this program" not in result.stderr, told
        assert "SQLite" not in result.stderr, told
        if result.exit_code == 2:
            assert "\n오류: " in f"\n{result.stderr}", told
            assert result.stdout == "", told
        elif result.stdout:
            json.loads(result.stdout, parse_constant=_no_number)
        if result.exit_code:
            assert result.stderr or name == "rules check", told


def _no_number(found):
    pytest.fail(f"{found} is no JSON")


def _with_periods():
    for line in CALLS.values():
        command, path, rest = _called(line)
        for name in ("--period", "--cycle"):
            if any(name in param.opts for param in command.params):
                at = rest.index(name) if name in rest else len(rest)
                yield [*path, *rest[:at], *rest[at + 2 :], name]
    yield ["report"]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "period", ["0000", "9999", "2005-13", "2005-H3", "2005-Q5", "2005-", "٢٠٠٥"]
)
def test_what_is_no_period(period):
    """Each command that has periods says what a period looks like: wrong usage."""
    calls = list(_with_periods())
    assert len(calls) > 10
    for args in calls:
        result = run(*args, period, "--lang", "en")
        assert result.exit_code == 2, (args, result.output)
        assert "error: Invalid value for" in result.stderr
        assert "write 2005, 2005-H1, 2005-Q3, 2005-03 or all" in result.stderr


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "day", ["0001-01-01", "9999-12-31", "0001-01-01T00:00", "9999-12-31T23:59"]
)
def test_the_ends_of_the_calendar(day):
    """Long before anything and long after it are days like others."""
    everybody = json.loads(run("ranking", "--json").stdout)["ranking"]
    found = run("ranking", "--known-at", day, "--json")
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout)["ranking"] == (everybody if day[0] == "9" else [])


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("args", "ko", "en"),
    [
        (["nosuch"], "오류: nosuch 명령은 없습니다", "error: No such command 'nosuch'."),
        (["ranking", "--lmit", "3"], "오류: --lmit 옵션은 없습니다", "error: No such option"),
        (["ranking", "--limit"], "오류: --limit 옵션을", "error: Option '--limit' requires"),
        (["statement"], "오류: 'PERSON' 값이 없습니다", "error: Missing argument 'PERSON'."),
        (["ranking", "--limit", "x"], "오류: '--limit' 값이", "error: Invalid value for '--limit'"),
        (["void", "x", "--reason", "-"], "오류: KEY: ", "error: KEY: "),
        (["void", "x", "--reason", "-", "--by", " "], "오류: --by: ", "error: --by: "),
        (["statement", "P99"], "오류: P99: ", "error: P99: "),
        (["ranking", "\udcb0"], "오류: '\\udcb0'", "error: '\\udcb0' is no text in UTF-8"),
    ],
)
def test_lead_words(args, ko, en):
    """A message begins with a word of the language, and so does the usage before it."""
    for lang, lead, usage in (("ko", ko, "사용법: "), ("en", en, "Usage: ")):
        result = run(*args, env={"MILEAGE_LANG": lang})
        assert result.exit_code in (1, 2)
        lines = result.stderr.splitlines()
        assert any(line.startswith(lead) for line in lines), result.stderr
        if result.exit_code == 2:
            assert lines[0].startswith(usage)
