"""``mileage compare``: several ledgers side by side, read only."""

from __future__ import annotations

import hashlib
import json
import shutil

import pytest
from cli_cases import FACTS, RULEBOOK, answer, make_agency, ok, run

MORE = """\
kind,occurred_on,club,title,leader,person,session,topic,hours,attendees
learning_club.registered,2005-02-01,C1,독서,P1,,,,,
learning_club.joined,2005-02-01,C1,,,P2,,,,
learning_club.session_held,2005-03-01,C1,,,,1,책,1.5,P1;P2
"""


@pytest.fixture
def agencies(tmp_path):
    """An agency with figures, and an affiliate of two people in another zone without any."""
    first = make_agency(tmp_path)
    second = tmp_path / "affiliate.sqlite"
    at = ("--ledger", second)
    ok("init", *at, "--organisation", "=SUM(A1)", "--time-zone", "America/New_York",
       "--opened-on", "2000-01-01")  # fmt: skip
    rows = "\n".join(line for line in FACTS.splitlines() if ",P3," not in line)
    (tmp_path / "few.csv").write_text(rows, encoding="utf-8")
    (tmp_path / "more.csv").write_text(MORE, encoding="utf-8")
    for name in ("few.csv", "more.csv"):
        ok("import", *at, tmp_path / name, "--no-catch-up")
    return first, second


def digests(folder):
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.is_file()
    }


def test_two_organisations_side_by_side(agencies):
    """Head-count, participation, activities, hours, proposals and points of each ledger."""
    found = answer("compare", *agencies, "--period", "2005")
    one, other = found["ledgers"]
    assert found["period"] == "2005"
    assert (one["organisation"], other["organisation"]) == ("중소기업청", "=SUM(A1)")
    assert (one["people"], one["taking_part"], one["participation_percent"]) == (3, 2, "66.7")
    assert (other["people"], other["participation_percent"]) == (2, "100.0")
    assert (one["proposals_submitted"], one["proposals_adopted"]) == (3, 1)
    assert one["proposals_adopted_percent"] == "33.3"
    assert (one["activities"], one["activities_per_head"]) == (6, "2.00")
    assert (other["learning_hours"], other["learning_hours_per_head"]) == ("3", "1.50")
    per_head = {each["programme"]: each["per_head"] for each in other["programmes"]}
    assert per_head == {"proposal": "3.00", "learning_club": "1.50"}
    assert one["points_per_head"] == "5.00"
    assert other["points"] == "0"  # it has adopted no rulebook
    assert found["same_rulebooks"] is False
    assert found["same_time_zone"] is False


def test_points_are_marked_where_rulebooks_differ(agencies, tmp_path):
    """Points per head stand under another name until the same rulebook is in force in both."""
    table = run("compare", *agencies, "--period", "2005", "--lang", "en")
    assert "Points per head (not comparable)" in table.stdout
    assert "cannot be compared" in table.stderr
    (tmp_path / "same.toml").write_text(RULEBOOK, encoding="utf-8")
    ok("rules", "adopt", "--ledger", agencies[1], tmp_path / "same.toml", "--on", "2005-01-01")
    table = run("compare", *agencies, "--period", "2005", "--lang", "ko")
    assert "1인당 점수 " in table.stdout
    assert "비교 불가" not in table.stdout
    assert table.stderr == ""


def test_nothing_is_written(agencies, tmp_path):
    """Neither a ledger nor what stands beside it changes, and no read model is made."""
    before = digests(tmp_path)
    ok("compare", *agencies, "--period", "2005", "--as-of", "2005-03-05")
    ok("compare", *agencies)
    assert digests(tmp_path) == before
    assert not (tmp_path / "affiliate.read.sqlite").exists()


def test_a_rulebook_that_waits_does_not_count(agencies):
    """A ledger is compared by the figures it publishes, not by a rulebook that waits."""
    first = agencies[0]
    (first.parent / "new.toml").write_text(RULEBOOK.replace("2.5", "9"), encoding="utf-8")
    ok("rules", "adopt", "--ledger", first, first.parent / "new.toml", "--on", "2005-01-01")
    assert answer("compare", first, "--period", "2005")["ledgers"][0]["points"] == "15"
    ok("rebuild", "--ledger", first, "--quiet")
    assert answer("compare", first, "--period", "2005")["ledgers"][0]["points"] == "17.6"


def test_as_of_and_known_at(agencies):
    """As of a day, only what had happened; known at a day before all was recorded, nothing."""
    of_march = answer("compare", *agencies, "--period", "2005", "--as-of", "2005-03-05")
    assert [each["proposals_submitted"] for each in of_march["ledgers"]] == [1, 1]
    assert [each["day"] for each in of_march["ledgers"]] == ["2005-03-05"] * 2
    known = answer("compare", *agencies, "--period", "2005", "--known-at", "2005-12-31")
    assert [each["people"] for each in known["ledgers"]] == [0, 0]
    assert known["ledgers"][0]["participation_percent"] is None
    # The end of that day is another instant in another zone.
    instants = [each["known_at"] for each in known["ledgers"]]
    assert instants == ["2005-12-31T14:59:59.999999Z", "2006-01-01T04:59:59.999999Z"]


def test_all_that_is_wrong_is_told_by_file(agencies, tmp_path):
    """A missing file, another file, a damaged one and the same ledger twice, all at once."""
    first, second = agencies
    copy, broken = tmp_path / "copy.sqlite", tmp_path / "broken.sqlite"
    shutil.copy(first, copy)
    broken.write_bytes(second.read_bytes()[:5_000])
    files = [first, copy, tmp_path / "none.sqlite", tmp_path / "few.csv", broken, tmp_path]
    result = run("compare", *files, "--lang", "en")
    assert (result.exit_code, result.stdout) == (1, "")
    lines = result.stderr.removeprefix("error: ").splitlines()
    assert [line.partition(": ")[0] for line in lines] == [str(file) for file in files[1:]]
    for line, reason in zip(
        lines,
        ("the same ledger as", "no such ledger", "not a ledger", "truncated", "a folder"),
        strict=True,
    ):
        assert reason in line


def test_usage(agencies):
    """Wrong usage is told as such; a period that has not begun is refused."""
    assert run("compare").exit_code == 2
    assert run("compare", agencies[0], "--period", "05").exit_code == 2
    result = run("compare", agencies[0], "--period", "2999", "--lang", "en")
    assert result.exit_code == 1
    assert "2999 begins on 2999-01-01" in result.stderr


def test_csv_has_a_column_for_each_ledger(agencies):
    """A measure a line; an organisation's name is no formula."""
    text = run("compare", *agencies, "--period", "2005", "--csv").stdout
    rows = {line.split(",")[0]: line.split(",")[1:] for line in text.splitlines()}
    assert rows["measure"] == [str(file) for file in agencies]
    assert rows["organisation"] == ["중소기업청", "'=SUM(A1)"]
    assert rows["time_zone"] == ["Asia/Seoul", "America/New_York"]
    assert rows["activities_per_head.learning_club"] == ["0.00", "1.50"]
    assert rows["points_comparable"] == ["false", "false"]


def test_organisations_of_one_name_are_told_apart(agencies, tmp_path):
    """Where two have the same name, their files stand in the headings."""
    third = tmp_path / "third.sqlite"
    ok("init", "--ledger", third, "--organisation", "중소기업청", "--opened-on", "2000-01-01")
    head = ok("compare", agencies[0], third, "--period", "2005").stdout.splitlines()[0]
    assert f"중소기업청 ({third})" in head
    document = json.loads(ok("compare", agencies[0], third, "--json").stdout)
    assert [each["file"] for each in document["ledgers"]] == [str(agencies[0]), str(third)]
