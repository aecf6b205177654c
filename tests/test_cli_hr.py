"""The command line where it leads to HR: decisions, redemptions, awards, batches and answers."""

from __future__ import annotations

import csv
import hashlib
import io
import json

import pytest
from cli_cases import RULEBOOK, answer, make_agency, ok, run

TRAINING = ("training", "--cycle", "2005")


@pytest.fixture(autouse=True)
def agency(tmp_path, monkeypatch):
    """An agency's folder, and the ledger in it as the one commands use."""
    for name in ("MILEAGE_MODULES", "MILEAGE_DEBUG", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MILEAGE_LANG", "en")
    monkeypatch.setenv("MILEAGE_BY", "officer-7")
    make_agency(tmp_path)
    monkeypatch.setenv("MILEAGE_LEDGER", str(tmp_path / "agency.sqlite"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def grant(*more):
    return ok("entitlement", "grant", *TRAINING, "--on", "2006-01-10", *more)


def test_a_programme_is_granted_as_proposed():
    """All who are proposed get it, once; the selection then shows what was decided."""
    assert "training/2005/P1" in grant("--proposed").stdout
    assert "nobody to decide about" in grant("--proposed").stderr

    told = answer("eligible", *TRAINING)["candidates"][0]
    assert (told["person"], told["outcome"], told["decision"]["stage"]) == (
        *("P1", "selected", "granted"),
    )
    assert told["decision"]["granted_by"] == "officer-7"
    shown = ok("eligible", *TRAINING)
    assert "Decision" in shown.stdout
    assert "proposed and open: 0" in shown.stderr
    assert (
        answer("eligible", "training", "--as-of", "2005-12-31")["candidates"][0]["decision"] is None
    )


def test_beside_the_rule_it_takes_a_reason():
    """Who is not proposed is refused by name and cause; with a reason it is granted."""
    result = run("entitlement", "grant", *TRAINING, "P2", "P3", "--on", "2006-01-10")
    assert result.exit_code == 1
    assert "--reason: P2: beyond quota; P3: below threshold" in result.stderr
    told = answer("entitlement", "grant", *TRAINING, "P2", "--on", "2006-01-10", "--reason", "이의")
    assert told["recorded"][0]["fact"]["data"]["reason"] == "이의"


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("grant", "training"), 2, "--proposed"),
        (("grant", "training", "P1", "--proposed"), 2, "--proposed"),
        (("grant", "training", "P1", "--value", "1.00001"), 2, "--value"),
        (("grant", "nonsense", "P1"), 1, "in force: training"),
        (("grant", "training", "P1", "--cycle", "20x5"), 2, "is no period"),
        (("grant", "training", "P1", "--cycle", "2005-H1"), 1, "has no cycle"),
        (("grant", "training", "P1", "--cycle", "2005", "--grade", "S"), 1, "grade-unknown"),
        (("grant", "training", "P9", "--reason", "x"), 1, "member.unknown"),
        (("approve", "training"), 2, "--granted"),
        (("approve", "training", "P1", "--cycle", "2005"), 1, "entitlement.not-granted"),
        (("revoke", "training", "P1", "--cycle", "2005", "--reason", "x"), 1, "not-granted"),
        (("revoke", "training", "P1", "--cycle", "2005"), 2, "--reason"),
        (("refuse", "training", "--reason", "x"), 2, "PERSON"),
        (("refuse", "training", "P9", "--cycle", "2005", "--reason", "x"), 1, "member.unknown"),
        (("refuse", "nonsense", "P1", "--cycle", "2005", "--reason", "x"), 1, "in force"),
    ],
)
def test_wrong_decisions(args, code, words):
    """What cannot be decided is told in words, with the exit code of a refusal or of wrong use."""
    result = run("entitlement", *args)
    assert result.exit_code == code, result.output
    assert words in result.stderr


def test_all_are_granted_or_none():
    """When one of several is refused, nothing is recorded of the others."""
    before = answer("history")["facts"][-1]["position"]
    result = run(
        "entitlement", "grant", *TRAINING, "P1", "P9", "--reason", "x", "--on", "2006-01-10"
    )
    assert result.exit_code == 1
    assert answer("history")["facts"][-1]["position"] == before


def test_four_eyes_from_grant_to_batch(agency):
    """A grant waits for another person's approval, then goes out; a revocation takes it back."""
    text = RULEBOOK.replace('period = "year"', 'period = "year"\nfour_eyes = true')
    (agency / "four.toml").write_text(text, encoding="utf-8")
    ok("rules", "adopt", "four.toml", "--on", "2005-01-02")
    ok("rebuild", "--quiet")
    grant("--proposed")
    assert "to be approved" in ok("entitlement", "list").stdout
    ok("hr", "export", "out", "--as-of", "2006-01-10")
    assert "training" not in (agency / "out" / "hr-batch-000001.csv").read_text("utf-8-sig")

    approve = ("entitlement", "approve", *TRAINING, "--granted", "--on", "2006-01-11")
    own = run(*approve)
    assert (own.exit_code, "own-approval" in own.stderr) == (1, True)
    ok(*approve, "--by", "director")
    ok("hr", "export", "out", "--as-of", "2006-01-11")
    [row] = csv.DictReader(
        io.StringIO((agency / "out" / "hr-batch-000002.csv").read_text("utf-8-sig"))
    )
    assert (row["person"], row["employee_number"], row["programme"], row["delta"]) == (
        *("P1", "00012345", "training", "1"),
    )
    ok("entitlement", "revoke", *TRAINING, "P1", "--reason", "표절", "--on", "2006-02-01")
    assert "revoked" in ok("entitlement", "list", "--csv").stdout
    told = answer("hr", "status", "--as-of", "2006-02-01")["due"]
    assert [(line["delta"], line["reason"]) for line in told] == [("-1", "decision")]


def test_what_the_rule_no_longer_proposes_is_shown():
    """After a void, a grant that was made as proposed is listed with what the rule says now."""
    grant("--proposed")
    assert answer("entitlement", "list")["decisions"][0]["proposed"] is None
    ok("void", "proposal.adopted:A-1", "--reason", "표절", "--on", "2006-02-01")

    told = answer("entitlement", "list")["decisions"][0]
    assert told["proposed"] == "below_threshold"
    warned = ok("eligible", *TRAINING).stderr
    assert "no longer does: P1" in warned


def test_explained_with_the_decision():
    """Why somebody is in or out, and what was decided by whom, as JSON and as a tree."""
    ok("entitlement", "refuse", *TRAINING, "P1", "--reason", "징계 중", "--on", "2005-12-20")
    told = answer("explain", "P1", "--programme", "training", "--as-of", "2005-12-31")
    assert (told["outcome"], told["decision"]["stage"]) == ("selected", "refused")
    tree = ok("explain", "P1", "--programme", "training", "--as-of", "2005-12-31").stdout
    assert "refused on 2005-12-20 by officer-7: 징계 중" in tree


def test_points_are_redeemed_and_given_back():
    """What is left is shown, more is refused, and it comes back."""
    told = answer("redeem", "P1", "7.5", "--purpose", "도서", "--on", "2005-11-02")
    assert (told["new"], told["available"]) == (True, "2.5")
    result = run("redeem", "P1", "2.5001", "--purpose", "도서", "--on", "2005-11-03")
    assert (result.exit_code, "more-than-available" in result.stderr) == (1, True)
    balance = answer("balance", "P1")["balances"][0]
    assert (balance["points"], balance["redeemed"], balance["available"]) == ("10", "7.5", "2.5")
    assert "10 points, 2.5 available" in ok("statement", "P1").stdout
    assert answer("balance", "P1", "--as-of", "2005-11-01")["balances"][0]["available"] == "10"

    name = told["fact"]["data"]["redemption"]
    ok(
        "record",
        "redemption.reversed",
        "--redemption",
        name,
        "--reason",
        "품절",
        "--on",
        "2005-11-05",
    )
    lines = answer("statement", "P1")
    assert [line["points"] for line in lines["redemptions"]] == ["7.5", "-7.5"]
    assert (lines["redeemed"], lines["available"]) == ("0", "10")


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("P1", "0", "--purpose", "x"), 1, "more than 0"),
        (("P1", "many", "--purpose", "x"), 2, "POINTS"),
        (("P9", "1", "--purpose", "x"), 1, "nobody joined"),
        (("P1", "1"), 2, "--purpose"),
        (("P1", "1", "--purpose", "x", "--on", "2999-01-01"), 1, "has not come yet"),
    ],
)
def test_wrong_redemptions(args, code, words):
    """What cannot be redeemed is told in words."""
    result = run("redeem", *args)
    assert result.exit_code == code, result.output
    assert words in result.stderr


def test_record_sends_redemptions_to_their_own_command():
    """A bare record would not look at what is left."""
    result = run("record", "redemption.made", "--redemption", "x")
    assert (result.exit_code, "mileage redeem" in result.stderr) == (2, True)


def test_certificates_are_listed():
    """With names where they are known, in a period, and the date of a withdrawal."""
    ok(
        *("record", "award.granted", "--award", "A-1", "--title", "우수제안자"),
        *("--recipients", "P1:60", "--recipients", "P3:40", "--basis", "창구 개선"),
        *("--certificate", "2005-1", "--prize", "1000000", "--on", "2005-12-01"),
    )
    told = answer("awards", "--period", "2005-12")["awards"]
    assert [(each["name"], each["prize"]) for each in told] == [
        ("홍길동", 600_000),
        (None, 400_000),
    ]
    assert answer("awards", "--period", "2005-11")["awards"] == []
    ok("record", "award.withdrawn", "--award", "A-1", "--reason", "표절", "--on", "2005-12-05")
    assert answer("awards")["awards"][0]["withdrawn_on"] == "2005-12-05"
    assert answer("awards", "--as-of", "2005-12-04")["awards"][0]["withdrawn_on"] is None


def test_hr_answers(agency):
    """Accepted and rejected lines are told, a bad file is refused whole with its lines."""
    name = answer("hr", "export", "out", "--as-of", "2005-12-31")["batch"]["batch"]
    rows = ("batch,line,status,reason", f"{name},,accepted,", f"{name},1,rejected,unknown")
    (agency / "ack.csv").write_text("\n".join(rows), encoding="utf-8")
    assert "1 accepted, 1 rejected" in ok("hr", "ack", "ack.csv").stdout
    shown = ok("hr", "status", "--as-of", "2005-12-31")
    assert "1 of them rejected before" in shown.stderr

    (agency / "bad.csv").write_text(
        f"batch,line,status\n{name},1,accepted\nx,1,rejected\n", "utf-8"
    )
    result = run("hr", "ack", "bad.csv")
    assert result.exit_code == 1
    assert "bad.csv:2: status: " in result.stderr
    assert "bad.csv:3: batch: " in result.stderr
    assert run("hr", "ack", "none.csv").exit_code == 1


def test_profiles_are_listed_shown_and_checked(agency):
    """A profile that comes with mileage can be printed, changed, checked and used."""
    listed = answer("hr", "profiles")["profiles"]
    assert [each["profile"] for each in listed] == ["standard", "batch-sheet", "effective-dated"]
    assert "effective-dated" in ok("hr", "profiles").stdout
    text = ok("hr", "profiles", "effective-dated", "--toml").stdout
    (agency / "own.toml").write_text(text.replace('"effective-dated"', '"payroll"'), "utf-8")
    shown = answer("hr", "profiles", "own.toml")
    assert (shown["profile"], shown["columns"][1]["field"]) == ("payroll", "employee_number")
    assert "PersonNumber" in ok("hr", "profiles", "own.toml", "--lang", "ko").stdout

    told = answer("hr", "export", "out", "--as-of", "2005-12-31", "--profile", "own.toml")["batch"]
    assert (told["profile"], told["file"]) == ("payroll", "out/hr-batch-000001.csv")
    (agency / "own.toml").unlink()
    again = answer("hr", "export", "again", "--again", "1")["batch"]
    assert again == {**told, "file": "again/hr-batch-000001.csv"}
    one, two = (agency / each / "hr-batch-000001.csv" for each in ("out", "again"))
    assert one.read_bytes() == two.read_bytes()

    (agency / "bad.toml").write_text(text.replace('"new"', '"neu"').replace("lf", "cr"), "utf-8")
    result = run("hr", "profiles", "bad.toml")
    assert result.exit_code == 1
    assert "bad.toml:11: profile.line_end: 'cr' is not known here" in result.stderr
    assert "column.7.field: 'neu' is not known here" in result.stderr
    assert "did you mean 'new'?" in result.stderr


@pytest.mark.parametrize("form", ["csv", "xlsx", "jsonl", "parquet"])
def test_formats_of_a_batch(agency, form):
    """The format is one's choice; the file has the ending, the manifest and the list tell it."""
    told = answer("hr", "export", "out", "--as-of", "2005-12-31", "--format", form)["batch"]
    assert told["file"] == f"out/hr-batch-000001.{form}"
    digest = hashlib.sha256((agency / told["file"]).read_bytes()).hexdigest()
    assert told["sha256"] == digest
    [listed] = answer("hr", "list")["batches"]
    assert listed == {**told, "file": f"hr-batch-000001.{form}"}


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("export", "out", "--format", "xls"), 2, "xls"),
        (("export", "out", "--encoding", "latin-1"), 2, "latin-1"),
        (("export", "out", "--format", "xlsx", "--encoding", "cp949"), 1, "no choice of encoding"),
        (("export", "out", "--profile", "payrol"), 1, "is no profile"),
        (("export", "out", "--profile", "none.toml"), 1, "none.toml"),
        (("export", "out", "--again", "1", "--format", "csv"), 2, "--again"),
        (("export", "out", "--again", "1", "--profile", "standard"), 2, "--again"),
        (("export", "out", "--again", "1"), 1, "no batch 1"),
        (("export", "names.csv"), 1, "could not be written"),
        (("export", "out", "--as-of", "2999-01-01"), 1, "has not come yet"),
        (("profiles", "nothing"), 1, "is no profile"),
        (("profiles", "--toml"), 2, "--toml"),
        (("profiles", "names.csv", "--toml"), 1, "names.csv"),
    ],
)
def test_wrong_exports(agency, args, code, words):
    """What cannot be written is told in words, and no batch is cut."""
    result = run("hr", *args)
    assert result.exit_code == code, result.output
    assert words in result.stderr
    assert "Traceback" not in result.output
    assert answer("hr", "list")["batches"] == []
    assert not (agency / "out").exists()


def test_somebody_is_erased():
    """First it is shown what there is; then it goes, and old files are not written again."""
    balance = answer("balance", "P1")
    ok("hr", "export", "out", "--as-of", "2005-12-31")
    asked = ok("directory", "erase", "P1")
    assert "00012345" in asked.stdout
    assert "nothing is erased without --yes" in asked.stderr
    assert answer("directory", "show", "P1")["entries"][0]["name"] == "홍길동"

    done = ok("directory", "erase", "P1", "--yes")
    assert "P1: erased" in done.stdout
    assert "cannot be written again: 1" in done.stderr
    assert run("directory", "show", "P1").exit_code == 1
    balance["balances"][0]["name"] = None
    assert answer("balance", "P1") == balance

    result = run("hr", "export", "again", "--again", "1")
    assert result.exit_code == 1
    assert "told of a person who was erased" in result.stderr
    assert answer("hr", "list")["batches"][0]["sha256"] in result.stderr

    result = run("directory", "erase", "P1", "P2", "--yes", "--json")
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert told == {"erased": ["P2"], "unknown": ["P1"], "batches": []}
    assert "P1: not in the directory" in result.stderr


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_both_languages(lang):
    """Every answer can be given in both languages, and JSON does not depend on it."""
    grant("--proposed", "--lang", lang)
    for args in (
        ("eligible", *TRAINING, "--all"),
        ("eligible",),
        ("entitlement", "list"),
        ("balance", "P1"),
        ("statement", "P1"),
        ("awards",),
        ("hr", "status"),
        ("hr", "profiles"),
        ("hr", "profiles", "batch-sheet"),
    ):
        assert ok(*args, "--lang", lang).exit_code == 0
        assert json.loads(ok(*args, "--json", "--lang", lang).stdout) == answer(*args)
