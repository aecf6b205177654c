"""``mileage competition``: rankings of units for people and for programs, and what goes wrong."""

from __future__ import annotations

import csv
import io
import shutil

import pytest
from cli_cases import answer, make_agency, ok, run
from mileage.cli.width import width

OPENED = (
    *("record", "evaluation.opened", "--evaluation", "half", "--title", "상반기 평가"),
    *("--starts-on", "2005-01-01", "--ends-on", "2005-06-30", "--on", "2005-01-03"),
)


def score(unit: str, marks: str, *evaluator: str, element: str = "leading", on: str = "2005-07-04"):
    return ok(
        *("record", "evaluation.unit_scored", "--evaluation", "half", "--unit", unit),
        *("--element", element, "--score", marks, "--on", on, *evaluator),
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """An agency whose first half of 2005 is evaluated; SEOUL is part of HQ and ranked apart."""
    folder = tmp_path_factory.mktemp("agency")
    with pytest.MonkeyPatch.context() as patch:
        plain(patch, folder)
        make_agency(folder)
        ok(*OPENED)
        score("HQ", "85", "--outside-evaluator", "KPC-1")
        score("HQ", "80.5", "--outside-evaluator", "KPC-2")
    return folder


def plain(patch, folder):
    patch.setenv("MILEAGE_LANG", "en")
    patch.setenv("MILEAGE_BY", "officer-7")
    patch.setenv("MILEAGE_LEDGER", str(folder / "agency.sqlite"))


@pytest.fixture(autouse=True)
def agency(built, tmp_path, monkeypatch):
    folder = tmp_path / "agency"
    shutil.copytree(built, folder, symlinks=True)
    plain(monkeypatch, folder)
    monkeypatch.chdir(folder)
    return folder


def test_the_ranking_for_people():
    """A table with areas, totals, what is missing, and Korean that stays aligned."""
    table = ok("competition", "half").stdout.splitlines()
    assert table[0] == (
        "상반기 평가 (2005-01-01 to 2005-06-30, open): Evaluation of units, 표1, of 100"
    )
    assert table[1].split() == [
        *("Group", "Place", "Unit", "Innovation", "Effort", "Total", "Head-count", "Missing")
    ]
    assert table[2].split()[2:] == ["1", "Headquarters", "60", "33.1", "93.1", "2"]
    assert table[3].rstrip().endswith("Head")
    korean = ok("competition", "half", "--lang", "ko").stdout.splitlines()
    assert korean[1].startswith("구분")
    assert len({width(line[: line.index("본청") if "본청" in line else 0]) for line in korean}) == 2


def test_the_ranking_for_programs():
    """JSON and CSV have codes and decimal texts, JSON every element with its reason."""
    document = answer("competition", "half")
    assert (document["evaluation"], document["stage"]) == ("half", "open")
    assert (document["scheme"], document["clause"]) == ("units", "표1")
    [first, second] = document["units"]
    assert (first["place"], first["unit"], second["unit"]) == (1, "HQ", "SEOUL")
    [work, effort] = first["areas"]
    assert effort["points"] == "33.1"  # 40 % of (85 + 80.5) / 2
    [element] = effort["elements"]
    assert element["reason"]["ko"] == "평가위원 2명의 평균: (85 + 80.5) ÷ 2 = 82.75"
    assert len(element["facts"]) == 2
    assert second["missing"] == ["leading"]

    rows = list(csv.DictReader(io.StringIO(ok("competition", "half", "--csv").stdout)))
    assert rows[0]["group"] == "all"
    assert rows[0]["area:effort"] == "33.1"
    assert rows[0]["area:work"] == work["points"]
    assert rows[1]["missing"] == "leading"


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_one_unit_explained(lang):
    """A tree of areas and elements with arithmetic and facts; CSV has a row an element."""
    tree = ok("competition", "half", "--unit", "HQ", "--lang", lang).stdout
    assert "(85 + 80.5) ÷ 2 = 82.75" in tree
    assert "40 × 82.75 ÷ 100 = 33.1" in tree
    assert ("기록 #" if lang == "ko" else "facts #") in tree
    assert ("모든 조직 2곳 중 1위" if lang == "ko" else "place 1 of 2 among All units") in tree
    rows = ok("competition", "half", "--unit", "HQ", "--csv", "--lang", lang).stdout
    assert [row["element"] for row in csv.DictReader(io.StringIO(rows))] == ["points", "leading"]
    assert answer("competition", "half", "--unit", "HQ")["total"] == "93.1"


def test_a_published_result_stays():
    """What becomes known after the publication changes nothing, until somebody asks for then."""
    ok("record", "evaluation.closed", "--evaluation", "half", "--on", "2005-07-05")
    ok("record", "evaluation.published", "--evaluation", "half", "--on", "2005-07-06")
    before = answer("competition", "half")
    assert before["stage"] == "published"
    ok("record", "proposal.submitted", "--proposal", "late", "--title", "늦은 제안", "--channel",
       "paper", "--authors", "P2", "--on", "2005-06-01")  # fmt: skip

    later = answer("competition", "half")
    assert later | {"position": before["position"]} == before
    now = answer("competition", "half", "--as-of", "2005-12-31")
    assert now["units"] != before["units"]
    assert "published result" in ok("competition", "half").stderr


def test_what_should_not_be_overlooked():
    """Units that ended, people left in them and idle scores are told on stderr."""
    score("HQ", "50", "--outside-evaluator", "X", element="leadin")
    ok("record", "unit.merged", "--unit", "SEOUL", "--into", "HQ", "--on", "2005-06-01")

    told = ok("competition", "half")

    assert "do not exist on 2005-06-30: SEOUL" in told.stderr
    assert "still serving in a unit that has ended: P2" in told.stderr
    assert "HQ/leadin" in told.stderr
    assert "Seoul" not in told.stdout
    assert answer("competition", "half")["left_behind"] == ["P2"]


def test_the_list_of_evaluations():
    """Without an evaluation those that were opened are listed; as of a day before, none."""
    assert "상반기 평가" in ok("competition").stdout
    assert "진행" in ok("competition", "--lang", "ko").stdout
    [each] = answer("competition")["evaluations"]
    assert (each["evaluation"], each["ends_on"], each["published_at"]) == (
        "half",
        "2005-06-30",
        None,
    )
    assert answer("competition", "--as-of", "2005-01-02")["evaluations"] == []
    assert "No evaluation" in ok("competition", "--as-of", "2005-01-02").stderr


@pytest.mark.parametrize(
    ("args", "code", "complaint"),
    [
        (("2004",), 1, "2004: no such evaluation was opened (opened: half)"),
        (("half", "--as-of", "2005-01-02"), 1, "no such evaluation"),
        (("half", "--unit", "NOWHERE"), 2, "NOWHERE: it is not ranked here (ranked: HQ, SEOUL)"),
        (("--unit", "HQ"), 2, "--unit needs an EVALUATION"),
        (("half", "--as-of", "2005-13-01"), 2, "--as-of"),
        (("half", "--json", "--csv"), 2, "exclude each other"),
    ],
)
def test_wrong_questions(args, code, complaint):
    """Each is refused with its reason on stderr, and nothing on stdout."""
    result = run("competition", *args)
    assert (result.exit_code, result.stdout) == (code, "")
    assert complaint in result.stderr
