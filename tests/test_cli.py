"""The command line, command by command: what it answers, what it refuses, and how it says so."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from cli_cases import RULEBOOK, answer, make_agency, ok, run
from mileage.cli.base import Command
from mileage.cli.main import COMMANDS, mileage
from mileage.cli.output import Column, Shown
from mileage.cli.texts import COLUMNS
from mileage.cli.width import cut, pad, width, wrap

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder of an agency, made once."""
    folder = tmp_path_factory.mktemp("agency")
    with pytest.MonkeyPatch.context() as patch:
        _plain_environment(patch)
        make_agency(folder)
    return folder


def _plain_environment(patch):
    for name in ("MILEAGE_LEDGER", "MILEAGE_MODULES", "MILEAGE_DEBUG", "LC_ALL", "LC_MESSAGES"):
        patch.delenv(name, raising=False)
    patch.setenv("LANG", "C.UTF-8")
    patch.setenv("MILEAGE_LANG", "en")
    patch.setenv("MILEAGE_BY", "officer-7")


@pytest.fixture(autouse=True)
def agency(built, tmp_path, monkeypatch):
    """A copy of the agency's folder, and the ledger in it as the one commands use."""
    _plain_environment(monkeypatch)
    folder = tmp_path / "agency"
    shutil.copytree(built, folder, symlinks=True)
    monkeypatch.setenv("MILEAGE_LEDGER", str(folder / "agency.sqlite"))
    monkeypatch.chdir(folder)
    return folder


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


# -- init ---------------------------------------------------------------------------------------


def test_init_makes_a_ledger_and_says_so(tmp_path):
    """A new ledger is opened on the day given, in Seoul's zone unless another is named."""
    path = tmp_path / "new.sqlite"
    made = answer("init", "--ledger", path, "--organisation", "청", "--opened-on", "2005-02-01")
    assert made == {
        "ledger": str(path),
        "organisation": "청",
        "time_zone": "Asia/Seoul",
        "opened_on": "2005-02-01",
    }


def test_init_refuses_a_file_that_exists():
    """Nothing is overwritten."""
    result = run("init", "--organisation", "x")
    assert result.exit_code == 1
    assert "exists already" in result.stderr


def test_init_refuses_an_unknown_zone(tmp_path):
    """The zone must be one IANA knows, and no file is left behind."""
    path = tmp_path / "new.sqlite"
    result = run("init", "--ledger", path, "--organisation", "x", "--time-zone", "Seoul")
    assert result.exit_code == 1
    assert "--time-zone" in result.stderr
    assert not path.exists()


# -- record, void -------------------------------------------------------------------------------


def record(*more: str):
    return run(
        "record", "proposal.submitted", "--proposal", "B-1", "--title", "제목", "--channel",
        "online", "--on", "2005-05-02", *more,
    )  # fmt: skip


def test_a_fact_is_recorded_and_counts_at_once():
    """Recording catches the read model up: the next question has the points."""
    assert answer("balance", "P3")["balances"][0]["points"] == "0"
    result = record("--authors", "P3:60", "--authors", "P2:40")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "2005-05-02  Proposal submitted  proposal:B-1" in result.stdout
    assert answer("balance", "P3")["balances"][0]["points"] == "1.5"


def test_a_recorded_fact_is_told_as_json():
    """Amounts are decimal texts, dates ISO; shares are given per person."""
    result = record("--authors", "P3:60;P2:40", "--json", "--by", "clerk", "--source", "form 3")
    told = json.loads(result.stdout)
    assert told["new"] is True
    fact = told["fact"]
    assert fact["data"]["authors"] == [
        {"person": "P3", "percent": "60"},
        {"person": "P2", "percent": "40"},
    ]
    assert (fact["kind"], fact["thing"], fact["key"]) == (
        "proposal.submitted",
        "proposal:B-1",
        "proposal.submitted:B-1",
    )
    assert (fact["occurred_on"], fact["recorded_by"], fact["source"]) == (
        "2005-05-02",
        "clerk",
        "form 3",
    )


def test_the_same_fact_twice_is_one_fact():
    """Repeating a command is harmless and is told."""
    record("--authors", "P3")
    result = record("--authors", "P3")
    assert result.exit_code == 0
    assert "recorded before" in result.stderr


def test_a_voided_fact_is_not_recorded_again_in_silence():
    """Whoever repeats a fact that is void is told so, and how to record it anew."""
    ok("void", "proposal.submitted:A-3", "--reason", "twice", "--on", "2005-03-11")
    again = (
        "record", "proposal.submitted", "--on", "2005-03-10", "--proposal", "A-3",
        "--title", "Shorter queues", "--channel", "online", "--authors", "P1",
    )  # fmt: skip
    result = run(*again)
    assert result.exit_code == 0, result.output
    assert "is void and does not count" in result.stderr


@pytest.mark.parametrize(
    ("authors", "complaint"),
    [
        ("P3:60;P2:30", "--authors: shares make 90 %, not 100 %"),
        ("P9", "--authors: P9 is not known [member.unknown]"),
        ("P3:x", "--authors"),
    ],
)
def test_a_refused_fact_names_option_and_reason(authors, complaint):
    """Exit code 1, one line on stderr, nothing recorded."""
    before = len(answer("history")["facts"])
    result = record("--authors", authors)
    assert result.exit_code == 1
    assert complaint in result.stderr
    assert result.stdout == ""
    assert len(answer("history")["facts"]) == before


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (("record", "proposal.submited"), "did you mean 'proposal.submitted'"),
        (("record", "fact.voided"), "mileage void"),
        (("record", "rulebook.adopted"), "mileage rules adopt"),
        (("record", "proposal.rejected", "--proposal", "A-1"), "Missing option '--reason'"),
        (("record", "member.left", "--person", "P1", "--on", "2005-02-30"), "does not exist"),
        (("ranking", "--period", "2005-H3"), "no period"),
        (("ranking", "--json", "--csv"), "exclude each other"),
        (("ranking", "--known-at", "2005-03-02T99:00"), "not an instant"),
        (("ranking", "--unit", "NOWHERE"), "no such unit"),
        (("explain", "P1", "--programme", "training", "--period", "2005"), "of its own"),
        (("explain", "P2", "--position", "9"), "no activity of P2"),
        (("import", "a.csv", "b.csv", "--rejects", "c.csv"), "one FILE"),
        (("balance",), "Missing argument"),
        (("nonsense",), "No such command"),
        (("--module", "no_such_module", "kinds"), "no_such_module"),
    ],
)
def test_wrong_usage_is_exit_code_2(args, complaint):
    """What cannot be understood is told with the usage."""
    result = run(*args)
    assert result.exit_code == 2, result.output
    assert complaint in result.stderr


def test_a_voided_fact_stays_on_record_and_counts_no_more():
    """The history marks it; the statement shows what it took away."""
    ok("void", "proposal.submitted:A-3", "--reason", "twice", "--on", "2005-03-11")
    facts = answer("history", "proposal:A-3")["facts"]
    assert [fact["kind"] for fact in facts] == ["proposal.submitted", "fact.voided"]
    assert facts[0]["voided_by"] == facts[1]["position"]
    assert facts[1]["voided_by"] is None
    lines = answer("statement", "P1", "--period", "2005-03")["lines"]
    [voided] = [line for line in lines if line["thing"] == "proposal:A-3"]
    assert voided["points"] == "0"
    assert voided["cuts"][0]["cause"] == "voided"


def test_a_fact_others_rest_on_is_not_voided():
    """The message names the fact that rests on it, and what to void first."""
    result = run("void", "proposal.submitted:A-1", "--reason", "x", "--on", "2005-06-01")
    assert result.exit_code == 1
    assert "correction.rested-upon" in result.stderr
    assert "void 'proposal.adopted:A-1' first" in result.stderr


def test_recording_succeeds_even_if_the_figures_cannot_follow(agency):
    """The fact is stored; stderr says that the figures wait."""
    target = (agency / "agency.read.sqlite").resolve()
    target.write_bytes(b"not a database, but long enough to be taken for one" * 40)
    result = record("--authors", "P3")
    assert result.exit_code == 0
    assert "recorded, but not taken into the figures" in result.stderr
    assert answer("history", "proposal:B-1")["facts"]


# -- import -------------------------------------------------------------------------------------


def test_problems_of_an_import_are_listed_one_a_line(agency):
    """Each with file, line and field; nothing of the file is stored."""
    bad = "kind,occurred_on,person,unit,rank\n"
    bad += "member.joined,2005-13-01,P7,HQ,G5\nmember.joined,2005-01-01,P8,NOWHERE,G5\n"
    (agency / "bad.csv").write_text(bad, encoding="utf-8")
    result = run("import", "bad.csv")
    assert result.exit_code == 1
    first, second, last = result.stderr.splitlines()
    assert first.startswith("bad.csv:2: occurred_on: ")
    assert second.startswith("bad.csv:3: unit: NOWHERE is not known")
    assert "nothing of it is recorded" in last
    assert run("history", "P7").exit_code == 1


def test_bad_rows_can_be_set_aside(agency):
    """Good rows are recorded, bad ones wait in the file named; the exit code is 1."""
    rows = "kind,occurred_on,person,unit,rank\n"
    rows += "member.joined,2005-01-03,P7,HQ,G5\nmember.joined,2005-01-03,P8,NOWHERE,G5\n"
    (agency / "rows.csv").write_text(rows, encoding="utf-8")
    result = run("import", "rows.csv", "--rejects", "aside.csv", "--json")
    assert result.exit_code == 1
    [told] = json.loads(result.stdout)["files"]
    assert (told["recorded"], told["rejected"]) == (1, 1)
    assert told["problems"][0]["line"] == 3
    assert "rows.csv:3: unit:" in result.stderr
    assert rows_of((agency / "aside.csv").read_text(encoding="utf-8-sig"))[0]["person"] == "P8"


def test_files_after_a_refused_one_are_left(agency):
    """What was imported before stays, as is told."""
    (agency / "bad.csv").write_text("nonsense\n1\n", encoding="utf-8")
    result = run("import", "facts.csv", "bad.csv", "facts.csv")
    assert result.exit_code == 1
    assert "nor of the 1 after it" in result.stderr
    assert "facts.csv" in result.stdout


def test_an_encoding_is_given_by_option(agency):
    """A cp949 file is refused as UTF-8 with a hint, and read with the option."""
    text = "unit,name_ko,name_en,occurred_on\nBUSAN,부산지방청,Busan,2001-01-01\n"
    (agency / "old.csv").write_bytes(text.encode("cp949"))
    refused = run("import", "old.csv", "--kind", "unit.established")
    assert refused.exit_code == 1
    assert "--encoding cp949" in refused.stderr
    [told] = answer("import", "old.csv", "--kind", "unit.established", "--encoding", "cp949")[
        "files"
    ]
    assert told["recorded"] == 1


# -- history ------------------------------------------------------------------------------------


def test_history_is_asked_by_thing_person_and_position():
    """The same facts, found three ways."""
    of_thing = answer("history", "proposal:A-1")["facts"]
    assert [fact["kind"] for fact in of_thing] == ["proposal.submitted", "proposal.adopted"]
    [fact] = answer("history", f"#{of_thing[0]['position']}")["facts"]
    assert fact == of_thing[0]
    assert fact in answer("history", "P2")["facts"]
    assert len(answer("history", "--last", "2")["facts"]) == 2
    assert answer("history", "proposal:A-1", "--as-of", "2005-03-31")["facts"] == of_thing[:1]
    assert answer("history", "--known-at", "2001-01-01")["facts"] == []


def test_history_of_nothing_says_how_to_ask():
    """An unknown thing is exit code 1."""
    result = run("history", "proposal:Z")
    assert result.exit_code == 1
    assert "nothing is recorded of it" in result.stderr


# -- questions about points ---------------------------------------------------------------------


def test_statement_shows_every_point_and_every_cut():
    """Points, cuts and clauses of each activity, and their sum."""
    told = answer("statement", "P1", "--period", "2005")
    assert (told["person"], told["name"], told["points"]) == ("P1", "홍길동", "10")
    assert [(line["gross"], line["points"]) for line in told["lines"]] == [
        ("1.5", "1.5"),
        ("2.5", "2.5"),
        ("2.5", "0"),
        ("6", "6"),
    ]
    assert told["lines"][2]["cuts"] == [{"cause": "cap", "reference": "month", "points": "2.5"}]
    assert told["lines"][0]["clause"] == "제1조"
    text = ok("statement", "P1").stdout
    assert text.startswith("P1 홍길동: 10 points\n")
    assert "Gold" in text


def test_balance_knows_places_and_times():
    """As of a day, as known at a day, in a period."""
    assert answer("balance", "P1")["balances"][0] == {
        "person": "P1",
        "name": "홍길동",
        "unit": "HQ",
        "rank": "G5",
        "points": "10",
        "activities": 4,
        "rewarded": 3,
        "redeemed": "0",
        "available": "10",
    }
    assert answer("balance", "P1", "--as-of", "2005-03-02")["balances"][0]["points"] == "1.5"
    assert answer("balance", "P1", "--period", "2005-Q2")["balances"][0]["points"] == "6"


def test_known_at_a_date_is_the_end_of_that_day():
    """In the ledger's zone: 23:59:59.999999 in Seoul."""
    told = answer("ranking", "--known-at", "2099-01-01")
    assert told["known_at"] == "2099-01-01T14:59:59.999999Z"
    told = answer("ranking", "--known-at", "2099-01-01T12:00")
    assert told["known_at"] == "2099-01-01T03:00:00.000000Z"


def test_unknown_people_are_named_all_at_once():
    """Exit code 1, with the way to find them."""
    result = run("balance", "P1", "X", "Y")
    assert result.exit_code == 1
    assert "X, Y: nobody joined" in result.stderr
    assert "directory search" in result.stderr


def test_ranking_shares_places_and_shows_names():
    """Names are null where the directory has none."""
    told = answer("ranking", "--period", "2005")
    assert [(each["place"], each["person"], each["points"]) for each in told["ranking"]] == [
        (1, "P1", "10"),
        (2, "P2", "5"),
    ]
    assert [each["person"] for each in answer("ranking", "--limit", "1")["ranking"]] == ["P1"]
    assert [each["person"] for each in answer("ranking", "--unit", "SEOUL")["ranking"]] == ["P2"]


def test_a_programme_selects_and_explains():
    """Who is in, who is out, and why."""
    told = answer("eligible", "training", "--as-of", "2005-12-31", "--all")
    assert [(each["person"], each["outcome"]) for each in told["candidates"]] == [
        ("P1", "selected"),
        ("P2", "beyond_quota"),
        ("P3", "below_threshold"),
    ]
    assert (told["threshold"], told["quota"], told["clause"]) == ("5", 1, "제4조")
    assert "1 in" in ok("eligible", "training", "--as-of", "2005-12-31").stdout
    why = answer("explain", "P2", "--programme", "training", "--as-of", "2005-12-31")
    assert why["outcome"] == "beyond_quota"
    assert "정원" in why["reason"]["ko"]
    listed = answer("eligible", "--as-of", "2005-12-31")["programmes"]
    assert [each["programme"] for each in listed] == ["training"]


def test_an_unknown_programme_names_those_there_are():
    """Exit code 1, with the programmes in force."""
    result = run("eligible", "nonsense", "--as-of", "2005-12-31")
    assert result.exit_code == 1
    assert "in force: training" in result.stderr


def test_explain_is_a_tree_of_reasons():
    """Each posting with its rule, clause, arithmetic, cap and fact."""
    tree = ok("explain", "P1", "--period", "2005-03").stdout
    assert tree.splitlines()[0] == "P1 홍길동 2005-03: 4 points"
    assert "├─ 2005-03-02  Proposal submitted  proposal:A-1" in tree
    assert "share of 60 %: 1.5 of 2.5 points" in tree
    assert "cap 'Monthly cap' 제3조" in tree
    told = answer("explain", "P1", "--position", "8")
    assert told["postings"][0]["steps"][0].keys() == {"ko", "en"}
    assert told["postings"][0]["rulebook"] == "test"


def test_activities_without_a_rule_are_listed():
    """A small result is always rewarded: checked, not assumed."""
    assert answer("unrewarded")["unrewarded"] == []
    assert "Every activity has a rule" in run("unrewarded").stderr
    assert "There was no activity in this period" in run("unrewarded", "--period", "2004").stderr
    ok("record", "proposal.implemented", "--proposal", "A-1", "--on", "2005-06-01")
    told = answer("unrewarded")["unrewarded"]
    assert told == [{"activity": "proposal.implemented", "count": 2}]


# -- rulebooks and publishing -------------------------------------------------------------------


def test_rules_check_lists_problems_with_line_and_remedy(agency):
    """On stdout, as findings are what was asked for; exit code 1 for errors."""
    (agency / "bad.toml").write_text(RULEBOOK.replace('"share"', '"halves"', 1), encoding="utf-8")
    result = run("rules", "check", "bad.toml")
    assert result.exit_code == 1
    assert "bad.toml:11:" in result.stdout
    assert 'split = "halves"' in result.stdout
    assert "1 error, 0 warnings" in result.stderr
    told = json.loads(run("rules", "check", "bad.toml", "--json").stdout)
    assert (told["ok"], told["problems"][0]["line"]) == (False, 11)
    assert ok("rules", "check", "rules.toml").stdout == ""
    assert answer("rules", "check", "rules.toml") == {
        "file": "rules.toml",
        "ok": True,
        "problems": [],
    }


def test_a_rulebook_with_errors_is_not_adopted(agency):
    """Problems on stderr, nothing recorded."""
    (agency / "bad.toml").write_text(RULEBOOK.replace('"share"', '"halves"', 1), encoding="utf-8")
    before = answer("rules", "list")
    result = run("rules", "adopt", "bad.toml", "--on", "2005-06-01")
    assert result.exit_code == 1
    assert "not adopted" in result.stderr
    assert answer("rules", "list") == before


def test_an_adoption_that_contradicts_another_is_refused(agency):
    """A cap that goes down and up within a period has no exact figure: seen before recording."""
    lower = RULEBOOK.replace("points = 4,", "points = 2,")
    (agency / "low.toml").write_text(lower, encoding="utf-8")
    ok("rules", "adopt", "low.toml", "--on", "2005-06-05", "--effective-from", "2005-06-10")
    (agency / "again.toml").write_text(RULEBOOK + "\n", encoding="utf-8")
    before = answer("rules", "list")
    result = run(
        "rules", "adopt", "again.toml", "--on", "2005-06-15", "--effective-from", "2005-06-20"
    )
    assert result.exit_code == 1
    assert "cap-lowered-then-raised" in result.stderr
    assert answer("rules", "list") == before


def test_reaching_back_needs_a_reason(agency):
    """The message names the option that is missing."""
    raised = RULEBOOK.replace("points = 2.5", "points = 3")
    (agency / "new.toml").write_text(raised, encoding="utf-8")
    args = ("rules", "adopt", "new.toml", "--on", "2005-06-20", "--effective-from", "2005-01-01")
    result = run(*args)
    assert result.exit_code == 1
    assert "--reason" in result.stderr
    assert run(*args, "--reason", "misprint").exit_code == 0


def test_an_adopted_rulebook_waits_for_a_rebuild(agency):
    """Adopting, asking and catching up say so; the dry run shows who gains, the rebuild applies."""
    raised = RULEBOOK.replace("gold = 10", "gold = 20")
    (agency / "new.toml").write_text(raised, encoding="utf-8")
    args = ("rules", "adopt", "new.toml", "--on", "2005-06-20", "--effective-from", "2005-01-01")
    assert "until `mileage rebuild`" in run(*args, "--reason", "misprint").stderr
    assert "until `mileage rebuild`" in run("ranking").stderr
    assert [each["status"] for each in answer("rules", "list")["rulebooks"]][-1] == "waiting"
    dry = answer("rebuild", "--dry-run")
    assert (dry["published"], dry["people"]) == (False, 2)
    assert dry["differences"][0] == {
        "person": "P1",
        "name": "홍길동",
        "account": "mileage",
        "before": "10",
        "after": "16",
        "change": "6",
        "reasons": [{"rule": "adopted", "before": "6", "after": "12"}],
    }
    assert answer("balance", "P1")["balances"][0]["points"] == "10"
    assert "+6" in ok("rebuild").stdout
    assert answer("balance", "P1")["balances"][0]["points"] == "16"
    assert "no balance changes" in run("rebuild").stderr.lower()


def test_catch_up_says_what_it_took_in():
    """Nothing new is no error."""
    told = answer("catch-up")
    assert (told["facts"], told["people"], told["pending_rulebook"]) == (0, 0, None)


def test_hr_gets_what_changed_once(agency):
    """A batch is cut, then nothing changes, then it is written again, the same."""
    told = answer("hr", "export", "out", "--as-of", "2005-12-31")["batch"]
    assert (told["sequence"], told["rows"], told["sum_positive"]) == (1, 2, "15")
    body = (agency / "out" / "hr-batch-000001.csv").read_bytes()
    again = run("hr", "export", "out", "--as-of", "2005-12-31")
    assert (again.exit_code, again.stdout) == (0, "")
    assert "nothing changed" in again.stderr
    ok("hr", "export", "copy", "--again", "1")
    assert (agency / "copy" / "hr-batch-000001.csv").read_bytes() == body
    assert [each["sequence"] for each in answer("hr", "list")["batches"]] == [1]
    assert run("hr", "export", "out", "--again", "7").exit_code == 1


# -- directory, kinds ---------------------------------------------------------------------------


def test_names_are_put_in_found_and_shown():
    """Set, show and search; an absent one is exit code 1."""
    ok("directory", "set", "P3", "--name", "김철수")
    assert answer("directory", "search", "철수")["entries"][0]["person"] == "P3"
    assert answer("directory", "show", "P1")["entries"][0]["employee_number"] == "00012345"
    result = run("directory", "show", "P1", "P9")
    assert result.exit_code == 1
    assert "P9: not in the directory" in result.stderr
    assert "홍길동" in result.stdout


def test_a_bad_file_of_names_is_refused_whole(agency):
    """With file, line and field."""
    bad = "person,name\nP5,이\nP 6,박\nP5,최\nP7,\n"
    (agency / "bad.csv").write_text(bad, encoding="utf-8")
    result = run("directory", "import", "bad.csv")
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert [line.split(": ")[0] for line in lines[:3]] == ["bad.csv:3", "bad.csv:4", "bad.csv:5"]
    assert "stands in an earlier row" in lines[1]
    assert run("directory", "show", "P5").exit_code == 1


def test_kinds_are_listed_with_their_fields():
    """For people, and with a schema of every field for programs."""
    assert "proposal.submitted" in ok("kinds").stdout
    kinds = {each["kind"]: each for each in answer("kinds")["kinds"]}
    fields = {each["field"]: each for each in kinds["unit.established"]["fields"]}
    assert fields["parent"]["optional"]
    assert fields["unit"]["schema"]["type"] == "string"


OWN_KIND = '''
from typing import Annotated

import attrs
from mileage.ledger import Activity, Data, Kinds, Label, Programme, kind
from mileage.ledger.fields import Code, Person
from mileage.ledger.kinds import kinds

if "cli_test_help.given" not in kinds:
    kinds.add_programme(Programme("cli_test_help", Label("도움", "Help")))

    @kind("cli_test_help.given", ko="도움 줌", en="Help given", category="cli_test_help",
          id_fields=("cli_test_help",), activity=Activity(people="helper"))
    @attrs.frozen
    class HelpGiven(Data):
        """Somebody helps."""

        cli_test_help: Annotated[str, Code("도움 번호", "Help")]
        helper: Annotated[str, Person("도운 사람", "Helper")]
'''


def test_an_organisations_own_kind_is_loaded_by_name(agency, monkeypatch):
    """``--module`` stands before the command, after it, or in the environment."""
    from mileage.ledger.kinds import kinds  # noqa: PLC0415

    monkeypatch.setattr(kinds, "_kinds", dict(kinds._kinds))
    monkeypatch.setattr(kinds, "_programmes", dict(kinds._programmes))
    (agency / "cli_test_own.py").write_text(OWN_KIND, encoding="utf-8")
    monkeypatch.syspath_prepend(agency)
    ok(
        "record", "--module", "cli_test_own", "cli_test_help.given", "--cli-test-help", "H-1",
        "--helper", "P1", "--on", "2005-07-01",
    )  # fmt: skip
    assert "cli_test_help.given" in ok("--module", "cli_test_own", "kinds").stdout


# -- output -------------------------------------------------------------------------------------


def test_formulas_are_harmless_in_csv():
    """A text that a spreadsheet would run gets an apostrophe; a negative number does not."""
    rows = rows_of(ok("statement", "P1", "--csv").stdout)
    assert rows[1]["title"] == "'=SUM(A1)"
    assert rows[2]["cut"] == "-2.5"
    assert rows_of(ok("directory", "show", "P2", "--csv").stdout)[0]["name"] == "'=cmd|calc"


def test_csv_has_stable_names_and_codes_in_any_language():
    """What programs read does not change with the language."""
    english = ok("statement", "P1", "--csv").stdout
    assert english == ok("statement", "P1", "--csv", "--lang", "ko").stdout
    assert rows_of(english)[3]["grade"] == "gold"
    assert ok("ranking", "--json").stdout == ok("ranking", "--json", "--lang", "ko").stdout


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_columns_stay_aligned_with_korean_text(lang):
    """The last column ends at the same terminal cell on every line."""
    lines = ok("ranking", "--lang", lang, "--csv").stdout
    table = ok("ranking", "--lang", lang).stdout.splitlines()
    assert len(table) == len(lines.splitlines())
    assert len({width(line) for line in table}) == 1


def test_decimal_points_stand_below_each_other():
    """Without digits that nobody wrote."""
    ok("record", "proposal.submitted", "--proposal", "B-3", "--title", "t", "--channel", "online",
       "--authors", "P3:33.3333", "--authors", "P2:66.6667", "--on", "2005-05-03")  # fmt: skip
    heading, *lines = ok("ranking").stdout.splitlines()
    amounts = [line.split()[-2] for line in lines]
    assert amounts == ["10", "6.6667", "0.8333"]
    ends = [
        line.index(amount) + amount.find(".") for line, amount in zip(lines, amounts, strict=True)
    ]
    begun = lines[0].index(" 10 ") + 3
    assert [width(line[:end]) for line, end in zip(lines[1:], ends[1:], strict=True)] == [
        width(lines[0][:begun])
    ] * 2
    assert heading.startswith("Place")


def test_width_counts_cells():
    """Hangul takes two cells, decomposed Hangul too; marks take none."""
    assert [width(text) for text in ("ab", "한글", "\u1112\u1161\u11ab", "e\u0301", "…")] == [
        2,
        4,
        2,
        1,
        1,
    ]
    assert pad("한", 4) == "한  "
    assert pad("한", 4, right=True) == "  한"
    assert cut("한글", 3) == ("한", "글")
    assert wrap("서식을 줄이는 방법", 7) == ["서식을", "줄이는", "방법"]
    assert all(width(line) <= 4 for line in wrap("긴낱말하나", 4))


def test_texts_cannot_move_the_cursor():
    """A line break or a direction mark in a title becomes a space."""
    result = record("--authors", "P3", "--json")
    assert result.exit_code == 0
    ok(
        "record", "proposal.submitted", "--proposal", "B-2", "--title", "a\nb\u202ec\x9b31m",
        "--channel", "online", "--authors", "P3", "--on", "2005-05-03",
    )  # fmt: skip
    text = ok("statement", "P3").stdout
    assert "a b c 31m" in text


def test_every_heading_has_both_languages():
    """No table can be printed with a column that has no heading."""
    assert all(words.ko and words.en for words in COLUMNS.values())
    assert Column("points", number=True).name in COLUMNS
    assert Shown("gold", "금상").code == "gold"


# -- help ---------------------------------------------------------------------------------------


def commands() -> list[tuple[str, ...]]:
    """Every command and group by its path."""
    found: list[tuple[str, ...]] = [()]
    context = mileage.make_context("mileage", [], resilient_parsing=True)
    for name in mileage.list_commands(context):
        group = mileage.get_command(context, name)
        found.append((name,))
        if hasattr(group, "list_commands"):
            found.extend((name, each) for each in group.list_commands(context))
    return found


@pytest.mark.parametrize("path", commands(), ids=" ".join)
@pytest.mark.parametrize("lang", ["ko", "en"])
def test_every_command_has_help_with_an_example(path, lang, monkeypatch):
    """In both languages, within 80 columns but for the examples."""
    monkeypatch.setenv("MILEAGE_LANG", lang)
    text = ok(*path, "--help").stdout
    usage, _, examples = text.partition("\n예:\n" if lang == "ko" else "\nExamples:\n")
    assert "mileage" in examples
    assert max(width(line) for line in usage.splitlines()) <= 80
    assert ("사용법: " if lang == "ko" else "Usage: ") in text


@pytest.mark.parametrize("path", [path for path in commands() if path[:1] == ("record",)][1:])
def test_an_example_of_recording_says_nothing_contradictory(path):
    """It is refused for what is not in the ledger, if at all: never for a value or two in one."""
    [example] = ok(*path, "--help").stdout.partition("\nExamples:\n")[2].strip().splitlines()
    result = run(*shlex.split(example)[1:])
    assert result.exit_code == 0 or re.search(r"\[[a-z_]+\.[a-z-]+\]", result.stderr), result.stderr
    assert not {"--evaluator", "--outside-evaluator"} <= set(shlex.split(example))


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_what_the_command_says(name):
    """The lazily listed line stands for a command that is there and has options of its own."""
    context = mileage.make_context("mileage", [], resilient_parsing=True)
    found = mileage.get_command(context, name)
    assert found is not None
    assert found.name == name
    assert not isinstance(found, Command) or found.examples


def test_options_may_stand_before_and_after_the_command(agency, tmp_path, monkeypatch):
    """The one nearest to the end counts, and any counts more than the environment."""
    monkeypatch.setenv("MILEAGE_LEDGER", str(tmp_path / "none.sqlite"))
    path = agency / "agency.sqlite"
    assert ok("--ledger", path, "balance", "P1").stdout
    assert ok("balance", "P1", "--ledger", path).stdout
    assert ok("--ledger", "x.sqlite", "rules", "--ledger", path, "list").stdout
    assert "순위" in ok("--lang", "ko", "ranking", "--ledger", path).stdout
    assert "Place" in ok("--lang", "ko", "ranking", "--ledger", path, "--lang", "en").stdout


@pytest.mark.parametrize(
    ("env", "heading"),
    [
        ({"LANG": "ko_KR.UTF-8"}, "순위"),
        ({"LANG": "ko_KR.UTF-8", "LC_ALL": "C"}, "Place"),
        ({"LANG": "ko_KR.UTF-8", "MILEAGE_LANG": "en"}, "Place"),
        ({"LANG": "de_DE.UTF-8"}, "Place"),
    ],
)
def test_the_language_is_that_of_the_locale(monkeypatch, env, heading):
    """Korean in a Korean locale, English elsewhere, unless told otherwise."""
    monkeypatch.delenv("MILEAGE_LANG")
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert ok("ranking").stdout.startswith(heading)


def test_the_recorder_is_the_account_unless_named(monkeypatch):
    """Made fit for an id."""
    monkeypatch.delenv("MILEAGE_BY")
    monkeypatch.setenv("LOGNAME", "kim min/su")
    told = json.loads(record("--authors", "P3", "--json").stdout)
    assert told["fact"]["recorded_by"] == "kim-min-su"


# -- bad ledger files ---------------------------------------------------------------------------


def _not_one(path: Path) -> None:
    path.write_text("hello" * 100, encoding="utf-8")


def _another_database(path: Path) -> None:
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (x)")
    connection.close()


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def _newer(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _gone(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (_not_one, "not a ledger file"),
        (_another_database, "not a ledger"),
        (_truncated, "truncated"),
        (_newer, "later version"),
        (_gone, "mileage init"),
    ],
)
def test_a_bad_ledger_file_is_one_clear_line(agency, spoil, complaint):
    """Exit code 1, whatever is asked."""
    spoil(agency / "agency.sqlite")
    for args in (("ranking",), ("history",), ("record", "member.left", "--person", "P1")):
        result = run(*args)
        assert result.exit_code == 1
        assert complaint in result.stderr
        assert len(result.stderr.splitlines()) == 1
        assert result.stdout == ""


def test_a_locked_ledger_is_told(agency, monkeypatch):
    """Another process writes for longer than we wait."""
    monkeypatch.setattr("mileage.ledger.ledger.LOCK_TIMEOUT_SECONDS", 1)
    other = sqlite3.connect(agency / "agency.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    result = record("--authors", "P3")
    other.execute("ROLLBACK")
    other.close()
    assert result.exit_code == 1
    assert "another process" in result.stderr


def test_a_read_only_ledger_is_asked_and_not_written(agency, monkeypatch):
    """Questions are answered as far as the figures go, and say how far; recording is refused."""
    ok("import", "facts.csv")
    connection = sqlite3.connect((agency / "agency.read.sqlite").resolve())
    connection.execute("UPDATE meta SET value = '5' WHERE key = 'position'")
    connection.commit()
    connection.close()
    monkeypatch.setattr("mileage.ledger.ledger.os.access", lambda *_: False)
    result = run("ranking")
    assert result.exit_code == 0
    assert "as of fact #5, the ledger has #11" in result.stderr
    refused = record("--authors", "P3")
    assert refused.exit_code == 1
    assert "reading only" in refused.stderr


def test_without_figures_and_without_a_way_to_make_them_it_says_so(agency, monkeypatch):
    """A question to a read-only ledger that has no read model."""
    (agency / "agency.read.sqlite").unlink()
    monkeypatch.setattr("mileage.ledger.ledger.os.access", lambda *_: False)
    result = run("ranking")
    assert result.exit_code == 1
    assert "mileage rebuild" in result.stderr


@pytest.mark.parametrize(
    "args", [("rebuild",), ("rebuild", "--dry-run"), ("builds", "use", "1")], ids=" ".join
)
def test_figures_in_a_folder_that_cannot_be_written(agency, monkeypatch, args):
    """What would write figures says that the folder is not for that, and what to do."""
    monkeypatch.setattr("os.access", lambda *_: False)
    result = run(*args)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: agency.read: the folder cannot be written; look at")
    assert not list(agency.glob("agency.read/*.part"))


def test_figures_of_an_archive(agency, monkeypatch):
    """Figures in a folder without the right to write, and so without a log beside them, answer."""
    before = answer("ranking")
    folder = (agency / "agency.read.sqlite").resolve().parent
    for log in (*folder.glob("*-wal"), *folder.glob("*-shm")):
        log.unlink()
    folder.chmod(0o555)
    monkeypatch.setattr("os.access", lambda *_: False)
    opened = []
    connect = sqlite3.connect

    def watched(*args, **kwargs):
        opened.extend(map(str, args[:1]))
        return connect(*args, **kwargs)

    monkeypatch.setattr("mileage.projections.figures.sqlite3.connect", watched)
    try:
        assert answer("ranking") == before
    finally:
        folder.chmod(0o755)
    assert any(name.endswith("build-000001.sqlite?mode=ro&immutable=1") for name in opened)


def test_figures_that_somebody_else_writes(agency):
    """A fact is recorded while the figures are locked; the warning says why they wait."""
    with closing(sqlite3.connect((agency / "agency.read.sqlite").resolve())) as other:
        other.execute("BEGIN EXCLUSIVE")
        result = record("--authors", "P3")
    assert result.exit_code == 0
    assert "another process is writing the figures" in result.stderr


def test_figures_that_are_damaged(agency):
    """Whatever became of the file, a question says to rebuild, and a rebuild puts it right."""
    before = answer("ranking")["ranking"]
    path = (agency / "agency.read.sqlite").resolve()
    whole = path.read_bytes()
    holes = whole[: 2 * 4096] + b"\xff" * (len(whole) - 2 * 4096)
    for damaged in (b"", b"no database", whole[: len(whole) // 2], holes):
        number = (agency / "agency.read.sqlite").resolve()
        number.write_bytes(damaged)
        result = run("ranking")
        assert result.exit_code == 1, damaged[:20]
        assert "run `mileage rebuild`" in result.stderr
        ok("rebuild", "--quiet")
        assert answer("ranking")["ranking"] == before


def test_the_first_question_builds_the_figures(agency):
    """Without a read model, one is made."""
    (agency / "agency.read.sqlite").unlink()
    assert answer("balance", "P1")["balances"][0]["points"] == "10"


def test_what_is_not_there_is_named(agency):
    """Files to read and folders to write to."""
    for args in (("rules", "check", "none.toml"), ("import", "none.csv")):
        result = run(*args)
        assert result.exit_code == 1
        assert args[2 if args[0] == "rules" else 1] in result.stderr
    (agency / "taken").write_text("x", encoding="utf-8")
    result = run("hr", "export", "taken", "--as-of", "2005-12-31")
    assert result.exit_code == 1
    assert "Traceback" not in result.stderr


def test_a_fault_of_the_program_is_told_without_a_traceback(monkeypatch):
    """And with one only where MILEAGE_DEBUG asks for it."""

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the roof is on fire")

    monkeypatch.setattr("mileage.cli.history.history", fail)
    result = run("history")
    assert result.exit_code == 1
    assert "RuntimeError: the roof is on fire" in result.stderr
    monkeypatch.setenv("MILEAGE_DEBUG", "1")
    assert isinstance(run("history").exception, RuntimeError)


def test_an_interrupt_is_exit_code_130(monkeypatch):
    """Ctrl-C stops without a traceback."""

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mileage.cli.history.history", interrupt)
    result = run("history")
    assert result.exit_code == 130
    assert "interrupted" in result.stderr


def test_explain_as_csv():
    """An explanation as CSV has a row for each step, and one for a programme."""
    rows = ok("explain", "P1", "--period", "2005-03", "--csv").stdout.splitlines()
    assert rows[0].startswith("person,name,position,occurred_on,activity")
    assert len(rows) > 2
    programme = ("--programme", "training", "--as-of", "2005-12-31")
    assert len(ok("explain", "P1", *programme, "--csv").stdout.splitlines()) == 2


def test_module_that_cannot_be_imported(tmp_path, monkeypatch):
    """A module of one's own that fails says how, on one line and without a traceback."""
    (tmp_path / "cli_test_broken.py").write_text("1 / 0\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)

    result = run("--module", "cli_test_broken", "kinds")

    assert result.exit_code == 2
    assert "--module cli_test_broken: ZeroDivisionError: division by zero" in result.stderr


def test_interrupted_in_a_query(monkeypatch):
    """Ctrl-C while the figures are worked out ends with 130 and no talk of a fault."""

    def interrupted(*_args, **_options):
        raise RuntimeError("Query interrupted")

    monkeypatch.setattr("mileage.projections.readmodel.build_read_model", interrupted)
    result = run("rebuild")

    assert result.exit_code == 130
    assert result.stderr == "interrupted\n"


def test_batch_again_takes_no_terms():
    """A batch is written again as it was, so other terms are wrong usage."""
    ok("hr", "export", "out")
    result = run("hr", "export", "out", "--again", "1", "--encoding", "cp949")

    assert result.exit_code == 2
    assert "leave out --as-of, --profile, --format, --encoding and --full" in result.stderr


def test_another_rulebook_replaces_the_whole(agency):
    """Adopting a rulebook of another id warns that the present one ends."""
    other = RULEBOOK.replace('id = "test"', 'id = "other"')
    assert other != RULEBOOK
    (agency / "other.toml").write_text(other, encoding="utf-8")
    adopted = ok("rules", "adopt", "other.toml", "--on", "2005-12-01")

    assert "warning: the rulebook test is replaced whole from 2005-12-01 on" in adopted.stderr


def test_refused_file_is_in_the_answer(agency):
    """A program that reads the answer finds the refused file and every problem of it."""
    rows = "kind,occurred_on,person,unit,rank\nmember.joined,2005-01-02,P9,NOWHERE,G5\n"
    (agency / "bad.csv").write_text(rows, encoding="utf-8")
    result = run("import", "bad.csv", "--json")

    assert result.exit_code == 1
    [file] = json.loads(result.stdout)["files"]
    assert (file["file"], file["rows"], file["recorded"]) == ("bad.csv", None, 0)
    assert [(p["line"], p["rule"]) for p in file["problems"]] == [(2, "unit.unknown")]


def test_opened_in_the_future(tmp_path):
    """The message names the option that was given."""
    path = tmp_path / "late.sqlite"
    result = run("--ledger", str(path), "init", "--organisation", "청", "--opened-on", "2999-01-01")

    assert result.exit_code == 1
    assert result.stderr.startswith("error: --opened-on: 2999-01-01 has not come yet")
    assert not path.exists()
