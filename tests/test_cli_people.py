"""The command line that takes in people from HR."""

from __future__ import annotations

import pytest
from cli_cases import answer, make_agency, ok, run

HEAD = "employee_number,name,unit,rank,status,effective_on,previous_number,person\n"


@pytest.fixture(autouse=True)
def agency(tmp_path, monkeypatch):
    """An agency's folder, and the ledger in it as the one commands use."""
    for name in ("MILEAGE_MODULES", "MILEAGE_DEBUG", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MILEAGE_LANG", "en")
    monkeypatch.setenv("MILEAGE_BY", "hr-1")
    make_agency(tmp_path)
    monkeypatch.setenv("MILEAGE_LEDGER", str(tmp_path / "agency.sqlite"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def put(agency):
    """Write a file of people."""

    def written(*rows: str) -> None:
        (agency / "people.csv").write_text(HEAD + "\n".join(rows) + "\n", "utf-8")

    return written


def test_dry_run_then_import(put):
    """A dry run shows the changes, the import records them, again nothing is different."""
    put("0099,최새롬,HQ,G6,serving,2005-06-01,,P9")
    shown = ok("people", "import", "people.csv", "--dry-run")
    assert "joined" in shown.stdout
    assert "nothing is recorded" in shown.stderr
    assert run("history", "member:P9").exit_code == 1

    shown = ok("people", "import", "people.csv")
    assert "recorded" in shown.stderr
    assert "people who serve are not in the file" in shown.stderr
    assert "Joined" in ok("history", "member:P9").stdout
    assert "최새롬" in ok("directory", "show", "P9").stdout

    again = ok("people", "import", "people.csv")
    assert again.stdout == ""
    assert "Nothing is different." in again.stderr


def test_in_korean(put, monkeypatch):
    """Changes are shown in Korean words."""
    monkeypatch.setenv("MILEAGE_LANG", "ko")
    put("0099,최새롬,HQ,G6,휴직,2005-06-01,,P9")
    shown = ok("people", "import", "people.csv")
    assert "임용" in shown.stdout
    assert "휴직" in shown.stdout
    assert "기록함" in shown.stderr


def test_json(put):
    """The answer as JSON has counts and changes."""
    put("0099,최새롬,HQ,G6,serving,2005-06-01,,P9")
    told = answer("people", "import", "people.csv", "--dry-run")
    assert (told["rows"], told["recorded"], told["waiting"]) == (1, False, [])
    assert told["changes"] == [
        {
            "line": 2,
            "person": "P9",
            "employee_number": "0099",
            "action": "joined",
            "on": "2005-06-01",
            "before": "",
            "after": "HQ",
        }
    ]


def test_refused(put):
    """What is wrong is told line by line, and how to allow more leavers; the exit code is 1."""
    put("0099,최새롬,NOWHERE,G6,serving,2005-06-01,,P9")
    refused = run("people", "import", "people.csv", "--full", "--expect-count", "2")
    assert refused.exit_code == 1
    for words in (
        *("people.csv:2: unit: ", "[people.count]", "[people.leavers]", "--leavers-max"),
        "nothing of it is recorded",
    ):
        assert words in refused.stderr


@pytest.mark.parametrize(
    "options", [("--leavers-max", "many"), ("--expect-count", "-1"), ("--on", "yesterday")]
)
def test_wrong_use(put, options):
    """Wrong use is told without a traceback; the exit code is 2."""
    put()
    refused = run("people", "import", "people.csv", *options)
    assert refused.exit_code == 2


def test_share_out_of_range(put):
    """A share beyond 100 % and a day to come are refused."""
    put("0099,최새롬,HQ,G6,serving,2005-06-01,,P9")
    for options in (("--leavers-max", "120%"), ("--on", "2999-01-01")):
        refused = run("people", "import", "people.csv", *options)
        assert refused.exit_code == 1
        assert "error:" in refused.stderr
