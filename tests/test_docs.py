"""What the documents show is what happens: their commands and programs are run."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from attrs import fields
from mileage.ledger.fields import Choice, Reference
from mileage.ledger.kinds import kinds
from mileage.ledger.roster import FIELDS as ROSTER_FIELDS
from mileage.projections import (
    EntitlementChange,
    HrKey,
    activity_infos,
    check_rulebook,
    parse_profile,
    shipped_profiles,
)
from mileage.projections.hrprofile import DATES, ENCODINGS
from mileage.projections.hrprofile import FIELDS as HR_FIELDS
from mileage.projections.hrprofile import FORMATS as HR_FORMATS
from mileage.projections.outbox import totals
from mileage.projections.schema import TABLES, VIEWS

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
UPDATE = bool(os.environ.get("UPDATE_DOCS"))
MINUTE = re.compile(r"20\d\d-\d\d-\d\d \d\d:\d\d")
BLOCK = re.compile(r"```(console|python|toml)\n(.*?)```", re.DOTALL)


def blocks(name, language):
    text = (ROOT / name).read_text("utf-8")
    return [match for match in BLOCK.finditer(text) if match.group(1) == language]


def run(command, folder, language):
    environment = os.environ | {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "MILEAGE_LANG": language,
        "MILEAGE_BY": "office",
        "PYTHONIOENCODING": "utf-8",
    }
    done = subprocess.run(
        shlex.split(command),
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    printed = (done.stdout + done.stderr).rstrip()
    return MINUTE.sub("2026-11-24 13:33", printed)  # the one thing that is another every time


@pytest.mark.parametrize(("name", "language"), [("README.md", "en"), ("README.ko.md", "ko")])
def test_readme_session(name, language, tmp_path):
    """Every command of a README prints what the README shows."""
    (tmp_path / "seeds").symlink_to(ROOT / "seeds")
    text = (ROOT / name).read_text("utf-8")
    found = text
    for match in blocks(name, "console"):
        commands = [line[2:] for line in match.group(2).splitlines() if line.startswith("$ ")]
        shown = "".join(
            f"$ {command}\n"
            + (f"{output}\n" if (output := run(command, tmp_path, language)) else "")
            for command in commands
        )
        found = found.replace(match.group(0), f"```console\n{shown}```")
    if UPDATE:
        (ROOT / name).write_text(found, "utf-8")
    assert found == text


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_readme_programs(name, tmp_path, monkeypatch):
    """Every Python program of a README runs."""
    monkeypatch.chdir(tmp_path)
    programs = blocks(name, "python")
    assert programs
    for match in programs:
        exec(compile(match.group(2), name, "exec"), {})  # noqa: S102


def test_rulebook_page():
    """The rulebook that the documentation shows has no problem."""
    texts = [match.group(2) for match in blocks("docs/rulebook.md", "toml")]
    assert texts
    for text in texts:
        assert check_rulebook(text, activity_infos(kinds)) == []


@pytest.mark.parametrize("name", ["hr_system", "own_kind"])
def test_examples(name, tmp_path):
    """Every example runs in an empty folder and ends well."""
    command = [sys.executable, "-W", "error", str(ROOT / "examples" / f"{name}.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "points" in done.stdout


def kinds_page():
    lines = [
        "# Kinds of facts",
        "",
        "Made from the declarations; `mileage kinds` shows the same. Every import row also has",
        "`kind`, `occurred_on` and, if it likes, `key`, `source`, `recorded_by`. In a cell,",
        "several people are written `P1;P2`, shares `P1:60;P2:40` (without shares: equal ones),",
        "codes `gold;silver`.",
    ]
    for kind in kinds:
        if not kind.name.startswith(OWN):
            lines += [
                "",
                f"## {kind.name}",
                "",
                f"{kind.label.ko} / {kind.label.en}. {kind.help}",
                "",
            ]
            lines += ["| field | type | Korean | English |", "|---|---|---|---|"]
            for name, field in kind.fields.items():
                need = ", optional" if field.optional else ""
                what = type(field).__name__.lower()
                if isinstance(field, Choice):
                    what = " \\| ".join(
                        f"`{word}` {label.ko}" for word, label in field.words.items()
                    )
                elif isinstance(field, Reference):
                    what = f"code of {' or '.join(field.of)}"
                lines.append(f"| {name} | {what}{need} | {field.ko} | {field.en} |")
            lines += ["", f"Natural key: {', '.join(kind.identity)}."]
            if kind.activity:
                of = f" of {kind.activity.of}" if kind.activity.of else ""
                lines[-1] += f" Activity of the {kind.activity.people}{of}."
                asked = [
                    f"{name} of {source}" if source else name
                    for name, source in kind.activity.conditions.items()
                ]
                if asked:
                    lines[-1] += f" Rules can ask for the {', '.join(asked)}."
            if kind.withdraws:
                lines[-1] += f" Withdraws {', '.join(kind.withdraws)}."
    return "\n".join(lines) + "\n"


OWN = ("test.", "mentoring.")
"""Prefixes of kinds that tests and examples declare."""


def test_kinds_page():
    """The page of kinds says what the declarations say."""
    page = ROOT / "docs" / "kinds.md"
    if UPDATE:
        page.write_text(kinds_page(), "utf-8")
    assert page.read_text("utf-8") == kinds_page()


def test_read_model_page():
    """Every table, column and view of the read model stands in its page."""
    text = (ROOT / "docs" / "read-model.md").read_text("utf-8")
    for table, (columns, _) in TABLES.items():
        assert f"`{table}`" in text
        for column in columns.split(","):
            assert column.split()[0] in text, (table, column)
    for view in VIEWS:
        assert f"`{view}`" in text


def test_hr_page():
    """Every column of a batch and every key of its manifest stands in the page about HR."""
    text = (ROOT / "docs" / "hr.md").read_text("utf-8")
    for name in (
        *HR_FIELDS,
        *HR_FORMATS,
        *totals([]),
        "rulebook_sha256",
        "accounts",
        "in_period",
        "previous_sha256",
    ):
        assert f"`{name}`" in text, name
    for name in (*shipped_profiles(), *DATES, *ENCODINGS):
        assert f"`{name}`" in text, name
    for block in blocks("docs/hr.md", "toml"):
        assert parse_profile(block.group(2), file="hr.md")


def test_feed_page():
    """Every field of a change stands in the page about HR."""
    text = (ROOT / "docs" / "hr.md").read_text("utf-8")
    feed = text.partition("## The change feed")[2]
    for name in (*(field.name for field in fields(EntitlementChange)), *HrKey._fields):
        assert f"`{name}`" in feed, name


def test_people_page():
    """Every column of a file of people stands in the page about HR, in both languages."""
    text = (ROOT / "docs" / "hr.md").read_text("utf-8")
    people = text.partition("## People from HR")[2]
    for name, field in ROSTER_FIELDS.items():
        assert f"`{name}`" in people
        assert field.ko in people


def test_awkward_cases_are_told_where_the_page_says():
    """Every story named in docs/cases.md is a test."""
    named = re.findall(r"`(test_\w+)`", (ROOT / "docs/cases.md").read_text("utf-8"))
    files = (ROOT / "tests/scenarios").glob("test_*.py")
    told = {name for file in files for name in re.findall(r"def (test_\w+)", file.read_text())}

    assert len(named) > 17
    assert set(named) <= told
