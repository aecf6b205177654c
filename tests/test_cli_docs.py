"""The reference of the command line is what the commands say and answer.

``python tests/test_cli_docs.py`` writes ``docs/cli.md`` again.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for writing the file; the tests need it not

from cli_cases import make_agency, ok, run
from mileage.cli.main import mileage

REFERENCE = Path(__file__).parent.parent / "docs" / "cli.md"

INTRODUCTION = """\
# The command line

<!-- Written by tests/test_cli_docs.py from the commands themselves; a test compares it. -->

`mileage` records what people did, and answers what it amounts to. Every command is a thin call of
the library; see `mileage.ledger` and `mileage.projections`.

**Which ledger, which language, who.** `--ledger PATH` (or `MILEAGE_LEDGER`; `mileage.sqlite` unless
given), `--lang ko|en` (or `MILEAGE_LANG`; else Korean where the locale is Korean) and, for what
records, `--by ID` (or `MILEAGE_BY`; else the account's name) may stand before or after the command.
`--module NAME` (or `MILEAGE_MODULES`, several with commas) imports a module that declares kinds of
facts of your own; installed packages declare theirs under the entry point `mileage.kinds`.

**When.** Dates are days of the ledger's own time zone. `--as-of DATE` asks what counted on that
day, `--known-at` what had been recorded by then; a date means the end of that day, an instant may
have a zone (`2005-03-02T17:30+09:00`) and is in the ledger's without one. `--period` is a year
`2005`, half `2005-H1`, quarter `2005-Q3`, month `2005-03`, or `all`.

**Up to date.** A question first takes in what was recorded since. An adopted rulebook waits for
`mileage rebuild`, which shows whom it concerns; until then questions say on stderr that it waits.

**Output.** Data on stdout, messages on stderr. Tables are for people: on a terminal they keep
within its width, in a pipe nothing is cut; `NO_COLOR` is respected. `--csv` is UTF-8 with a header,
codes instead of names, and an apostrophe before any text that a spreadsheet would take for a
formula. `--json` is one document of the shape shown below; lists are cut to their first item here.
Amounts are decimal texts (never binary floats), dates are ISO 8601, instants are in UTC, and what
is absent is `null`. Keys may be added in later versions, none is removed or renamed. Neither CSV
nor JSON depends on the language.

**Exit codes.** 0: done. 1: something was found or refused (a rulebook with errors, a refused fact
or file, rows set aside, an unknown person, an unusable file). 2: wrong usage. 130: interrupted.
141: the reader of a pipe went away. `MILEAGE_DEBUG=1` shows a traceback where a fault of the
program is reported.
"""

# One call for each command that answers in JSON, in an order in which all of them succeed.
CALLS = {
    "kinds": "kinds",
    "init": "init --ledger new.sqlite --organisation 중소기업청 --opened-on 2005-02-01",
    "record KIND": "record proposal.submitted --proposal 2005-0012 --title '서식 줄이기'"
    " --channel online --authors P1:60 --authors P3:40 --on 2005-05-02",
    "void": "void proposal.submitted:2005-0012 --reason 'entered twice' --on 2005-05-03",
    "import": "import facts.csv",
    "history": "history proposal:2005-0012",
    "statement": "statement P1 --period 2005-03",
    "balance": "balance P1 --as-of 2005-06-30",
    "explain": "explain P1 --period 2005-03",
    "explain --programme": "explain P1 --programme training --as-of 2005-12-31",
    "ranking": "ranking --period 2005",
    "unrewarded": "unrewarded",
    "eligible": "eligible training --as-of 2005-12-31",
    "eligible (no PROGRAMME)": "eligible --as-of 2005-12-31",
    "budget": "budget",
    "learning": "learning LP-2005 --as-of 2005-12-31",
    "learning (no PLAN)": "learning --as-of 2005-12-31",
    "entitlement grant": "entitlement grant training P1 --on 2006-01-10 --cycle 2005",
    "entitlement approve": "entitlement approve training P1 --cycle 2005 --by director"
    " --on 2006-01-11",
    "entitlement list": "entitlement list --cycle 2005",
    "entitlement revoke": "entitlement revoke training P1 --cycle 2005 --reason 표절"
    " --on 2006-01-12",
    "entitlement refuse": "entitlement refuse training P2 --cycle 2005 --reason '징계 중'"
    " --on 2006-01-12",
    "redeem": "redeem P1 1.5 --purpose 도서 --on 2005-12-01",
    "awards": "awards --period 2005",
    "contest": "contest C-1",
    "contest (no CONTEST)": "contest",
    "indicators": "indicators --year 2005",
    "overview": "overview --period 2005",
    "compare": "compare agency.sqlite --period 2005",
    "report": "report 2005",
    "competition": "competition half",
    "competition --unit": "competition half --unit HQ",
    "competition (no EVALUATION)": "competition",
    "close": "close 2005-01 --on 2005-02-10",
    "periods": "periods",
    "reopen": "reopen 2005-01 --approved-by director --reason '심사 정정' --on 2005-02-11",
    "rules check": "rules check bad.toml",
    "rules test": "rules test example.toml",
    "rules show": "rules show rules.toml",
    "rules diff": "rules diff rules.toml new.toml",
    "rules simulate": "rules simulate lower.toml --effective-from 2005-04-01 --as-of 2005-12-31",
    "rules adopt": "rules adopt new.toml --on 2005-06-20",
    "rules list": "rules list",
    "rebuild": "rebuild --dry-run",
    "catch-up": "catch-up",
    "builds list": "builds list",
    "builds show": "builds show 1",
    "builds use": "builds use 1",
    "hr export": "hr export out --as-of 2005-12-31",
    "hr ack": "hr ack ack.csv",
    "hr status": "hr status --as-of 2006-12-31",
    "hr list": "hr list",
    "hr profiles": "hr profiles effective-dated",
    "hr profiles (no NAME)": "hr profiles",
    "hr changes": "hr changes --limit 5",
    "people import": "people import people.csv --full --leavers-max 50% --on 2006-02-01",
    "directory import": "directory import names.csv",
    "directory set": "directory set P3 --name 김철수",
    "directory show": "directory show P1",
    "directory search": "directory search 홍길",
    "directory erase": "directory erase P1 --yes",
}

# What the calls for plans, budgets and indicators ask about.
PLANNED = (
    ("learning_plan.adopted", "2005-01-10", "--plan", "LP-2005", "--title", "2005년 학습계획",
     "--officer", "P1", "--starts-on", "2005-01-01", "--ends-on", "2005-12-31"),
    ("learning_plan.target_set", "2005-01-10", "--plan", "LP-2005", "--unit", "HQ",
     "--measure", "hours", "--goal", "100"),
    ("learning_club.registered", "2005-03-02", "--club", "LC-1", "--title", "독서",
     "--leader", "P1"),
    ("support.granted", "2005-03-02", "--group", "LC-1", "--item", "activity",
     "--amount", "300000"),
    ("indicator.defined", "2004-02-01", "--indicator", "users", "--title", "이용자 만족도",
     "--measured-in", "%", "--better", "higher"),
    ("indicator.measured", "2004-12-20", "--indicator", "users", "--value", "63.9",
     "--measured-source", "설문"),
    ("indicator.target_set", "2005-02-01", "--indicator", "users", "--year", "2005",
     "--change-percent", "10"),
    ("indicator.measured", "2005-12-10", "--indicator", "users", "--value", "70.3",
     "--measured-source", "설문"),
)  # fmt: skip

EXAMPLE = """
[[example]]
title = { ko = "공동 제안", en = "A joint proposal" }
given = [
  { on = 2005-03-02, activity = "proposal.adopted", grade = "gold", shares = { A = 60, B = 40 } },
]
expect = { A = 6, B = 4 }
selected = { training = ["A"] }
"""

_CHANGING = (
    (r'"(recorded_at|cut_at|noticed_at|made_at)": "[^"]*"', r'"\1": "2005-12-20T03:00:00.000000Z"'),
    (r'"(sha256|previous_sha256|content_sha256)": "[0-9a-f]{64}"', rf'"\1": "{"0" * 64}"'),
    (r'"bytes": [0-9]+', '"bytes": 0'),
    (r'"digest": "([0-9-]+)-[0-9a-f]{64}"', rf'"digest": "\1-{"0" * 64}"'),
    (r'"ledger": "ledger:[0-9a-f]{16}"', '"ledger": "ledger:0123456789abcdef"'),
    (r'"[0-9a-f]{16}-0', '"0123456789abcdef-0'),
    (r'"[0-9a-f]{16}[.]([0-9]+)[.][0-9a-f]{16}"', r'"0123456789abcdef.\1.89abcdef01234567"'),
    (r'"rulebook_sha256": "[0-9a-f]{64}"', rf'"rulebook_sha256": "{"0" * 64}"'),
    (r'"known_at": "20[^"]*"', '"known_at": "2005-12-20T03:00:00.000000Z"'),
)


def first_items(value: Any) -> Any:
    """A document with its lists cut to their first item."""
    if isinstance(value, dict):
        return {name: first_items(item) for name, item in value.items()}
    return [first_items(item) for item in value[:1]] if isinstance(value, list) else value


def answers(folder: Path) -> dict[str, str]:
    """What every command answers in JSON."""
    os.environ.update(MILEAGE_BY="officer-7", MILEAGE_LANG="en", MILEAGE_LEDGER="agency.sqlite")
    os.environ.pop("MILEAGE_MODULES", None)
    make_agency(folder)
    os.chdir(folder)
    rules = (folder / "rules.toml").read_text(encoding="utf-8")
    (folder / "bad.toml").write_text(rules.replace('"share"', '"halves"', 1), encoding="utf-8")
    (folder / "new.toml").write_text(rules.replace("silver = 7", "silver = 8"), encoding="utf-8")
    lower = rules.replace("gold = 10", "gold = 9")
    (folder / "lower.toml").write_text(lower, encoding="utf-8")
    (folder / "example.toml").write_text(rules + EXAMPLE, encoding="utf-8")
    ok("record", "contest.opened", "--contest", "C-1", "--title", "경진대회", "--scope", "agency",
       "--grades", "gold", "--on", "2005-02-01")  # fmt: skip
    ok("record", "contest.entered", "--contest", "C-1", "--entry", "E-1", "--title", "사례",
       "--entrants", "P3", "--on", "2005-02-02")  # fmt: skip
    for kind, day, *cells in PLANNED:
        ok("record", kind, "--on", day, *cells)
    ok("record", "award.granted", "--award", "A-1", "--title", "우수제안자", "--recipients", "P3",
       "--basis", "창구 개선", "--certificate", "2005-1", "--on", "2005-12-01")  # fmt: skip
    ok("record", "evaluation.opened", "--evaluation", "half", "--title", "상반기 평가",
       "--starts-on", "2005-01-01", "--ends-on", "2005-06-30", "--on", "2005-01-03")  # fmt: skip
    ok("record", "evaluation.unit_scored", "--evaluation", "half", "--unit", "HQ",
       "--element", "leading", "--score", "85", "--outside-evaluator", "KPC-1",
       "--on", "2005-07-04")  # fmt: skip
    (folder / "people.csv").write_text(
        "employee_number,name,unit,rank,person\n0099,최새롬,HQ,G6,P9\n0001,홍길동,HQ,G5,P1\n"
        "0002,,HQ,G5,P2\n",
        encoding="utf-8",
    )
    told = {}
    for name, line in CALLS.items():
        if name == "hr ack":
            batch = json.loads(ok("hr", "list", "--json").stdout)["batches"][0]["batch"]
            ack = f"batch,line,status,reason\n{batch},,accepted,\n{batch},1,rejected,unknown\n"
            (folder / "ack.csv").write_text(ack, encoding="utf-8")
        result = run(*shlex.split(line), "--json")
        assert result.exit_code == (1 if name == "rules check" else 0), (name, result.output)
        document = first_items(json.loads(result.stdout))
        if name == "rules adopt":
            document["fact"]["data"]["text"] = "…"
        text = json.dumps(document, ensure_ascii=False, indent=2)
        for pattern, constant in _CHANGING:
            text = re.sub(pattern, constant, text)
        told[name] = text
    return told


def commands() -> list[tuple[str, ...]]:
    """Paths of all commands; of the kinds, one stands for all."""
    context = mileage.make_context("mileage", [], resilient_parsing=True)
    paths: list[tuple[str, ...]] = []
    for name in mileage.list_commands(context):
        group = mileage.get_command(context, name)
        paths.append((name,))
        if name == "record":
            paths.append((name, "proposal.submitted"))
        elif hasattr(group, "list_commands"):
            paths.extend((name, each) for each in group.list_commands(context))
    return paths


def reference(folder: Path) -> str:
    """The whole reference."""
    told = answers(folder)
    parts = [INTRODUCTION, "## mileage\n", _block("", ok("--help").stdout)]
    for path in commands():
        parts.append(f"## mileage {' '.join(path)}\n")
        parts.append(_block("", ok(*path, "--help").stdout))
        name = "record KIND" if path == ("record", "proposal.submitted") else " ".join(path)
        for call, text in told.items():
            if call == name or call.startswith((f"{name} --", f"{name} (")):
                parts.append(f"`mileage {CALLS[call]} --json`:\n")
                parts.append(_block("json", text))
    return "\n".join(parts)


def _block(language: str, text: str) -> str:
    return f"```{language}\n{text.rstrip()}\n```\n"


@pytest.fixture
def here():
    """Leave folder and environment as they were."""
    saved, folder = dict(os.environ), Path.cwd()
    yield
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(saved)


@pytest.mark.usefixtures("here")
def test_the_reference_is_what_the_commands_say(tmp_path):
    """Help and JSON of every command; ``python tests/test_cli_docs.py`` writes it anew."""
    assert REFERENCE.read_text(encoding="utf-8") == reference(tmp_path)


def test_every_command_is_in_the_reference():
    """And every one that has ``--json`` shows what it answers."""
    text = REFERENCE.read_text(encoding="utf-8")
    for path in commands():
        assert f"## mileage {' '.join(path)}\n" in text
    for line in CALLS.values():
        assert f"`mileage {line} --json`" in text


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        written = reference(Path(scratch))
        REFERENCE.parent.mkdir(exist_ok=True)
        REFERENCE.write_text(written, encoding="utf-8")
        os.chdir(REFERENCE.parent)
