"""The files of HR batches: four formats, profiles, and what cannot be written."""

from __future__ import annotations

import csv
import io
import json
import sys
import zipfile
from datetime import date
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from mileage.ledger import Entry, ImportRefused, MileageError, to_units
from mileage.projections import (
    HrKey,
    HrLine,
    find_profile,
    parse_profile,
    shipped_profiles,
)
from mileage.projections.hrfile import render
from mileage.projections.hrprofile import DATES, FIELDS, FORMATS
from pyarrow import parquet
from test_hr import Agency

HEAD = """
[profile]
id = "own"
title = { ko = "자체", en = "Own" }
"""
LEAST = """
[[column]]
name = "who"
field = "employee_number"
[[column]]
name = "amount"
field = "new"
"""


@pytest.fixture
def agency(tmp_path):
    """An agency in which nothing was sent yet."""
    opened = Agency(tmp_path)
    yield opened
    opened.model.close()
    opened.ledger.close()


def own(columns: str = LEAST, head: str = "") -> Any:
    return parse_profile(HEAD + head + columns, file="own.toml")


def column(name: str, rest: str) -> str:
    return f'[[column]]\nname = "{name}"\n{rest}\n'


def line(number: int, person: str = "P1", *, new: int = 10_000, **more: Any) -> HrLine:
    about = {"employee_number": "001234", "in_period": "2005-12", "previous": 0, "reason": "facts"}
    key = HrKey(person, "mileage", "earned", "all")
    return HrLine(line=number, key=key, new=new, **{**about, **more})


def written(profile: Any, *lines: HrLine, names: dict[str, str] | None = None) -> bytes:
    manifest = {
        "batch": "0123456789abcdef-000003",
        "sequence": 3,
        "mode": "delta",
        "as_of": "2005-12-20",
        "cut_at": "2005-12-20T05:00:00.000000Z",
        "rows": len(lines),
    }
    entries = {person: Entry(person, name) for person, name in (names or {}).items()}
    return render(profile, manifest, lines, entries)


def sheet(body: bytes) -> list[list[Any]]:
    book = openpyxl.load_workbook(io.BytesIO(body))
    return [list(row) for row in book["batch"].iter_rows()]


# -- the four formats --------------------------------------------------------------------------


def read(path: Any, manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """A file of the standard profile, values as Python has them."""
    body = path.read_bytes()
    match manifest["file_format"]:
        case "csv":
            return list(csv.DictReader(io.StringIO(body.decode(manifest["encoding"]), newline="")))
        case "jsonl":
            return [json.loads(each) for each in body.decode().splitlines()]
        case "parquet":
            return parquet.read_table(io.BytesIO(body)).to_pylist()
        case _:
            head, *rows = [[cell.value for cell in row] for row in sheet(body)]
            return [dict(zip(head, row, strict=True)) for row in rows]


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_tells_the_same(agency, form):
    """Each format has the same lines, exactly; texts as texts, amounts as numbers."""
    agency.propose(P1="66.6667", P2="33.3333")
    batch = agency.cut(form=form)

    assert batch.file.name == f"hr-batch-000001.{form}" == batch.manifest["file"]
    assert batch.manifest["file_format"] == form
    rows = read(batch.file, batch.manifest)
    assert [to_units(str(row["delta"])) for row in rows] == [66_667, 33_333]
    assert [row["employee_number"] for row in rows] == [
        "001234",
        "'=1+1" if form == "csv" else "=1+1",
    ]
    assert {row["batch"] for row in rows} == {batch.manifest["batch"]}
    assert [int(row["line"]) for row in rows] == [1, 2]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("profile", shipped_profiles())
def test_cut_again_in_another_outbox(agency, monkeypatch, form, profile):
    """The same lines of the same moment give the same bytes, whenever they are written."""
    agency.propose(P1="66.6667", P2="33.3333")
    begin = agency.now
    body = agency.cut(profile=profile, form=form).file.read_bytes()
    agency.outbox.path.unlink()
    agency.now = begin
    real = zipfile.time.time
    monkeypatch.setattr(zipfile.time, "time", lambda: real() + 10_000_000)

    again = agency.cut(profile=profile, form=form)
    assert again.file.read_bytes() == body


@pytest.mark.parametrize("form", FORMATS)
def test_written_again_in_its_own_terms(agency, tmp_path, form):
    """A batch remembers format and profile; written again it is the same byte for byte."""
    agency.propose(P1="66.6667", P2="33.3333")
    batch = agency.cut(profile="batch-sheet", form=form)
    agency.ledger.directory.put([Entry("P1", "박하나", "999")])

    again = agency.outbox.write_again(1, tmp_path / "again")

    assert again.file.read_bytes() == batch.file.read_bytes()
    assert again.manifest == batch.manifest
    assert (again.manifest["profile"], again.manifest["file_format"]) == ("batch-sheet", form)
    assert again.manifest["profile_sha256"] == find_profile("batch-sheet").sha256
    about = (tmp_path / "again" / "hr-batch-000001.manifest.json").read_bytes()
    assert about == (agency.folder / "hr-batch-000001.manifest.json").read_bytes()


@pytest.mark.parametrize("number", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "#N/A", "=", "00012"])
def test_no_formula_in_a_sheet(number):
    """Whatever a text begins with, a sheet has it as a text, unchanged."""
    profile = find_profile("batch-sheet")
    _, row = sheet(written(profile, line(1, employee_number=number, new=-5_000)))
    cell = row[2]
    assert (cell.value, cell.data_type, cell.number_format) == (number, "s", "@")
    assert (row[10].value, row[10].data_type) == (-0.5, "n")


def test_no_formula_in_csv_and_numbers_as_they_are():
    """In CSV an apostrophe stands before such a text, constants too; never before an amount."""
    columns = LEAST + column("plus", 'constant = "+x"') + column("change", 'field = "delta"')
    row = line(1, employee_number="-7", new=-5_000)
    assert written(own(columns), row).decode("utf-8-sig").splitlines() == [
        "who,amount,plus,change",
        "'-7,-0.5,'+x,-0.5",
    ]
    kept = own(columns, 'formulas = "keep"\n')
    assert written(kept, row).decode("utf-8-sig").splitlines()[1] == "-7,-0.5,+x,-0.5"


def test_manifest_inside_where_there_is_room(agency):
    """A sheet and the metadata of Parquet repeat the manifest, all but the digest of the file."""
    agency.propose(P1=100)
    batch = agency.cut(form="parquet")
    about = {key: value for key, value in batch.manifest.items() if key != "sha256"}
    assert json.loads(parquet.read_schema(batch.file).metadata[b"mileage.manifest"]) == about
    assert {str(t) for t in parquet.read_schema(batch.file).types} == {
        *("string", "int64", "decimal128(38, 4)"),
    }

    agency.propose(P1=100)
    batch = agency.cut(form="xlsx")
    book = openpyxl.load_workbook(batch.file)
    assert book.sheetnames == ["batch", "manifest"]
    told = dict([cell.value for cell in row] for row in book["manifest"].iter_rows())
    accounts = json.loads(told.pop("accounts"))
    about = {key: value for key, value in batch.manifest.items() if key != "sha256"}
    assert accounts == about.pop("accounts") == {"mileage": {"ko": "점", "en": "points"}}
    assert told == {key: None if value is None else str(value) for key, value in about.items()}
    assert f"{book.properties.created} {book.properties.modified}" == " ".join(
        ["2005-12-20 05:00:00"] * 2
    )


# -- profiles ----------------------------------------------------------------------------------


def test_shipped_profiles_are_good():
    """Every profile that comes with the package can be read, and its id is its name."""
    assert list(shipped_profiles()) == ["standard", "batch-sheet", "effective-dated"]
    for name in shipped_profiles():
        assert find_profile(name).id == name


def test_effective_dated(agency):
    """One row for each person and entitlement that changed; what is over ends on the day."""
    key = agency.propose(P1="66.6667", P2="33.3333")
    agency.cut(profile="effective-dated")
    agency.ledger.void(key, reason="x", on=date(2005, 4, 1), by="o")
    agency.propose(P2=100)
    batch = agency.cut(profile="effective-dated")
    name = batch.manifest["batch"]

    assert batch.file.read_bytes().decode("utf-8").split("\n") == [
        "RecordId|PersonNumber|PersonId|Entitlement|EffectiveStartDate|EffectiveEndDate|Value|"
        "Change|Action|Reason",
        f"{name}:1|001234|P1|mileage/earned/all|2005-12-20|2005-12-20|0.0000|-6.6667|MERGE|"
        "correction",
        f"{name}:2|'=1+1|P2|mileage/earned/all|2005-12-20|9999-12-31|10.0000|6.6667|MERGE|"
        "correction",
        "",
    ]


def test_every_term_of_a_profile():
    """Columns in their order, constants, delimiter, line end, no header, dates, decimal places."""
    head = (
        'encoding = "utf-8"\ndelimiter = "\\t"\nline_end = "lf"\nheader = false\n'
        'dates = "YYYYMMDD"\n'
    )
    columns = (
        column("금액", 'field = "new"\ndecimals = 1')
        + column("종류", 'constant = "마일리지"')
        + column("성명", 'field = "name"')
        + column("부터", 'field = "effective_start"')
        + column("사번", 'field = "employee_number"')
        + column("whole", 'field = "delta"\ndecimals = 0')
    )
    body = written(own(columns, head), line(1, new=-120_000), names={"P1": "김하나"})
    assert body.decode("utf-8") == "-12.0\t마일리지\t김하나\t20051220\t001234\t-12\n"


@pytest.mark.parametrize("form", FORMATS)
def test_every_field_in_every_format(form):
    """All that a column can be filled from can be written in all formats."""
    columns = "".join(column(name, f'field = "{name}"') for name in FIELDS)
    body = written(own(columns).written_as(form), line(1, facts=(3, 4), supersedes=("a:1",)))
    if form == "parquet":
        [row] = parquet.read_table(io.BytesIO(body)).to_pylist()
        assert row["effective_end"] == date(9999, 12, 31)
        assert row["new"] == Decimal(1)
    if form == "jsonl":
        row = json.loads(body)
        assert (row["line"], row["sequence"], row["new"], row["facts"]) == (1, 3, "1", "3;4")
        assert (row["row_id"], row["mode"]) == ("0123456789abcdef-000003:1", "delta")
        assert row["entitlement"] == "mileage/earned/all"


@pytest.mark.parametrize("dates", DATES)
def test_dates(dates):
    """Each way to write dates, in CSV and as the format of a sheet's cells."""
    profile = own(LEAST + column("d", 'field = "effective_start"'), f'dates = "{dates}"\n')
    text = written(profile, line(1)).decode("utf-8-sig").splitlines()[1].rpartition(",")[2]
    expected = dates.replace("YYYY", "2005").replace("MM", "12").replace("DD", "20")
    assert text == expected
    cell = sheet(written(profile.written_as("xlsx"), line(1)))[1][2]
    assert (f"{cell.value:%F}", cell.number_format) == ("2005-12-20", dates.lower())


BAD_PROFILES = {
    "": {"profile.table", "profile.columns"},
    "x = ": {"profile.toml"},
    HEAD: {"profile.columns"},
    HEAD + LEAST + "[colum]\n": {"profile.unknown"},
    HEAD + 'formt = "csv"' + LEAST: {"profile.unknown"},
    HEAD + 'format = "xls"' + LEAST: {"profile.value"},
    HEAD + "format = 3" + LEAST: {"profile.value"},
    HEAD + 'encoding = "klingon"' + LEAST: {"profile.value"},
    HEAD + 'delimiter = "::"' + LEAST: {"profile.value"},
    HEAD + 'header = "no"' + LEAST: {"profile.value"},
    HEAD.replace("own", "o w n") + LEAST: {"profile.id"},
    HEAD.replace('"own"', "3") + LEAST: {"profile.id"},
    HEAD.replace("ko", "kr") + LEAST: {"profile.title"},
    '[profile]\nid = "own"\n' + LEAST: {"profile.missing"},
    HEAD + LEAST + column("x", ""): {"profile.filled"},
    HEAD + LEAST + column("x", 'field = "new"\nconstant = "1"'): {"profile.filled"},
    HEAD + LEAST + column("x", 'field = "salary"'): {"profile.value"},
    HEAD + LEAST + column("who", 'field = "line"'): {"profile.name-twice"},
    HEAD + LEAST + column(" ", 'field = "line"'): {"profile.name"},
    HEAD + LEAST + column("x", "constant = 1"): {"profile.constant"},
    HEAD + LEAST + column("x", 'field = "new"\ndecimals = 5'): {"profile.decimals"},
    HEAD + LEAST + column("x", 'field = "new"\ndecimals = true'): {"profile.decimals"},
    HEAD + LEAST + column("x", 'field = "line"\ndecimals = 1'): {"profile.decimals"},
    HEAD + LEAST + column("x", 'constant = "a"\ndecimals = 1'): {"profile.decimals"},
    HEAD + LEAST + "[[column]]\n" + 'field = "line"\nwidth = 3\n': {
        *("profile.name", "profile.unknown"),
    },
    HEAD + column("who", 'field = "person"'): {"profile.needed"},
    HEAD + column("amount", 'field = "delta"'): {"profile.needed"},
    HEAD + "[column]\n": {"profile.columns"},
    "profile = 3\ncolumn = [3]": {"profile.table"},
}


@pytest.mark.parametrize("text", BAD_PROFILES)
def test_bad_profiles(text):
    """What is wrong with a profile is told with rule, line and remedy."""
    with pytest.raises(ImportRefused) as refused:
        parse_profile(text, file="own.toml")
    problems = refused.value.problems
    assert {problem.rule for problem in problems} >= BAD_PROFILES[text]
    assert all(problem.rule.startswith("profile.") for problem in problems)
    if text.startswith(HEAD):
        assert {problem.rule for problem in problems} == BAD_PROFILES[text]
        assert all(problem.line and problem.remedy for problem in problems)


def test_all_problems_of_a_profile_at_once():
    """Every problem has its line, in the order of the file."""
    text = (
        '[profile]\nid = "own"\ntitle = { ko = "자체", en = "Own" }\nencoding = "cp494"\n\n'
        '[[column]]\nname = "who"\nfield = "employe_number"\n\n[[column]]\nname = "who"\n'
        'field = "new"\ndecimals = 9\n'
    )
    with pytest.raises(ImportRefused) as refused:
        parse_profile(text, file="own.toml")
    assert [(p.line, p.field, p.rule, p.remedy) for p in refused.value.problems] == [
        (4, "profile.encoding", "profile.value", "did you mean 'cp949'?"),
        (8, "column.1.field", "profile.value", "did you mean 'employee_number'?"),
        (11, "column.2.name", "profile.name-twice", "give it another"),
        (13, "column.2.decimals", "profile.decimals", "use 0 to 4"),
    ]


def test_profiles_are_found(tmp_path):
    """By name, or by the path of a file; what is not there is told."""
    path = tmp_path / "payroll.toml"
    path.write_text(HEAD + LEAST, "utf-8")
    assert find_profile(path).id == "own"
    with pytest.raises(MileageError, match="is no profile: use standard, batch-sheet"):
        find_profile("payrol")
    with pytest.raises(MileageError, match=r"none\.toml: No such file"):
        find_profile(tmp_path / "none.toml")
    path.write_bytes((HEAD + LEAST).encode("cp949"))
    with pytest.raises(ImportRefused, match="not-utf-8"):
        find_profile(path)


# -- what cannot be written --------------------------------------------------------------------


def test_what_cp949_cannot_hold_names_row_and_column():
    """A name that cannot be encoded stops the file: its rows are named, the name is not."""
    columns = LEAST + column("성명", 'field = "name"')
    profile = own(columns, 'encoding = "cp949"\n')
    names = {"P1": "김하나", "P2": "뷁🙂", "P3": "Ñandú"}
    lines = [line(1), line(2, "P2"), line(3, "P3")]
    with pytest.raises(MileageError) as refused:
        written(profile, *lines, names=names)
    assert [each.partition(";")[0] for each in str(refused.value).splitlines()] == [
        "line 2 of the batch, column '성명': cannot be written in cp949",
        "line 3 of the batch, column '성명': cannot be written in cp949",
    ]
    assert "🙂" not in str(refused.value)
    assert "뷁🙂" in written(profile.written_as(None, "utf-8"), *lines, names=names).decode()
    heading = own(LEAST + column("Ñ", 'field = "line"'), 'encoding = "cp949"\n')
    with pytest.raises(MileageError, match="the heading 'Ñ'"):
        written(heading, line(1))


@pytest.mark.parametrize("form", FORMATS)
def test_no_amount_is_rounded(form):
    """An amount with more decimal places than its column has is refused."""
    columns = column("who", 'field = "person"') + column("n", 'field = "new"\ndecimals = 2')
    profile = own(columns).written_as(form)
    with pytest.raises(MileageError, match="line 2 of the batch, column 'n': has more than 2"):
        written(profile, line(1, new=12_300), line(2, new=12_345))
    assert written(profile, line(1, new=12_300))


def test_what_a_sheet_cannot_hold():
    """A sheet would cut long texts, round long amounts and refuse control characters."""
    profile = find_profile("standard").written_as("xlsx")
    bad = [
        line(1, facts=tuple(range(1_000_000, 1_005_000))),
        line(2, new=10**15),
        line(3, employee_number="a\x01b"),
    ]
    with pytest.raises(MileageError) as refused:
        written(profile, *bad)
    told = str(refused.value).splitlines()
    assert [each.partition(",")[0] for each in told] == [
        f"line {number} of the batch"
        for number in (1, 2, 2, 3)  # new and delta
    ]
    assert "39,999 characters" in told[0]
    assert len(written(find_profile(), *bad[:2])) > 39_999


def test_too_many_rows_for_a_sheet(monkeypatch):
    """More rows than a sheet has are refused, not left out."""
    monkeypatch.setattr("mileage.projections.hrfile.SHEET_ROWS_MAX", 2)
    profile = find_profile("batch-sheet")
    assert written(profile, line(1))
    with pytest.raises(MileageError, match="has room for 2 rows, these are 3"):
        written(profile, line(1), line(2))


def test_only_ten_problems_are_shown():
    """A file full of them tells how many there are."""
    profile = own(LEAST, 'encoding = "cp949"\n')
    with pytest.raises(MileageError, match="and 15 more"):
        written(profile, *(line(n, employee_number="🙂") for n in range(1, 26)))


def test_without_openpyxl(monkeypatch, agency):
    """Where the extra is not installed the message says how to get it; nothing is cut."""
    agency.propose(P1=100)
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(MileageError, match=r"pip install 'innovation-mileage\[xlsx\]'"):
        agency.cut(form="xlsx")
    assert agency.outbox.batches() == []


def test_formats_and_encodings_that_there_are_not():
    """An encoding is a matter of CSV; other words are refused."""
    profile = find_profile()
    with pytest.raises(MileageError, match="'xls' is no format"):
        profile.written_as("xls")
    with pytest.raises(MileageError, match="xlsx has no choice of encoding"):
        profile.written_as("xlsx", "cp949")
    with pytest.raises(MileageError, match="'latin-1' is no encoding"):
        profile.written_as(None, "latin-1")
