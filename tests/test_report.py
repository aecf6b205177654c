"""``mileage report``: what the evaluation office reports, as data, Markdown and HTML."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from cli_cases import answer, make_agency, ok, run
from mileage.cli.rendering import Names, render
from mileage.ledger import (
    MemberLeaveStarted,
    MemberLeft,
    MileageError,
    ProposalWithdrawn,
    SupportGranted,
    SupportReturned,
    SupportSettled,
    SupportSpent,
)
from mileage.ledger.kinds.indicator import (
    IndicatorDefined,
    IndicatorMeasured,
    IndicatorTargetSet,
)
from mileage.projections import Period, report
from mileage.seeds import example_year_files, rulebook_path
from story import Office, rulebook

YEAR = Period.parse("2005")
RULES = rulebook(
    '[[rule]]\nid = "submitted"\nactivity = "proposal.submitted"\nsplit = "share"\n'
    'values = [ { from = 2005-02-01, points = 2, clause = "제1조" } ]\n',
    '[[rule]]\nid = "adopted"\nactivity = "proposal.adopted"\n'
    'values = [ { from = 2005-02-01, points = { gold = 10, none = 0 }, clause = "제2조" } ]\n',
    '[[rule]]\nid = "session"\nactivity = "learning_club.session_held"\nper = "hour"\n'
    'values = [ { from = 2005-02-01, points = 0.0001, clause = "제3조" } ]\n',
    '[[cap]]\nid = "month"\nrules = ["submitted"]\nperiod = "month"\n'
    'values = [ { from = 2005-02-01, points = 3, clause = "제4조" } ]\n',
)


@pytest.fixture
def office(tmp_path):
    found = Office(tmp_path)
    found.adopt(RULES, "2005-02-01")
    yield found
    found.close()


def reported(office, period=YEAR, **question):
    office.model.catch_up()
    part = {name: question[name] for name in ("as_of", "known_at") if name in question}
    with office.model.figures_at(**part) as figures:
        return report(office.ledger, figures, period, **question)


def shares_of(groups):
    return {each.code: (each.people, each.on_leave, each.taking_part) for each in groups}


class TestParticipation:
    def test_by_unit_and_rank_of_the_last_day(self, office):
        """People count where they serve on the last day, with what they did anywhere before."""
        office.proposes("2005-03-01", "one", "A")
        office.transferred("2005-06-01", "A", "SEOUL")
        office.promoted("2005-06-01", "A", "G5")
        office.record("2005-07-01", MemberLeaveStarted("B"))
        office.now = office.now.replace(year=2006)

        found = reported(office).participation
        assert found.day == date(2005, 12, 31)
        assert found.everybody.percent == "25.0"
        assert shares_of(found.units) == {"HQ": (3, 1, 0), "SEOUL": (1, 0, 1)}
        assert shares_of(found.ranks) == {"G5": (1, 0, 1), "G6": (3, 1, 0)}
        half = reported(office, Period.parse("2005-H1"), as_of=date(2005, 5, 31)).participation
        assert shares_of(half.units) == {"HQ": (4, 0, 1)}

    def test_who_left_is_told_apart(self, office):
        """Somebody who took part and left is no longer in the head-count, and is not forgotten."""
        office.proposes("2005-03-01", "one", "A")
        office.record("2005-05-31", MemberLeft("A"))
        office.now = office.now.replace(year=2006)
        found = reported(office).participation
        assert (found.everybody.people, found.everybody.taking_part, found.gone) == (3, 0, 1)

    def test_what_was_voided_or_withdrawn_is_no_participation(self, office):
        """Only an activity that stands counts; a period without one has nobody taking part."""
        office.proposes("2005-03-01", "one", "A")
        office.proposes("2005-03-01", "two", "B")
        office.proposes("2005-04-01", "three", "C")
        office.void("2005-03-02", "submit-one")
        office.record("2005-03-02", ProposalWithdrawn("two", "다시 씀"))
        found = reported(office)
        assert found.participation.everybody.taking_part == 1
        assert found.coverage.activities == 1
        assert [each.activities for each in found.activity.programmes] == [1]

    def test_a_period_that_has_not_begun(self, office):
        """A report on the future is refused, not empty."""
        with pytest.raises(MileageError, match="2006 begins on 2006-01-01"):
            reported(office, Period.parse("2006"))


class TestFormer:
    def test_the_whole_period_before(self, office):
        """Head-count, activities and points of the half before, each on its own last day."""
        office.proposes("2005-03-01", "one", "A")
        office.proposes("2005-04-01", "two", "B")
        office.record("2005-06-30", MemberLeft("B"))
        office.proposes("2005-09-01", "three", "A")
        office.now = office.now.replace(year=2006)
        found = reported(office, Period.parse("2005-H2"))
        assert found.former.period.name == "2005-H1"
        assert found.former.day == date(2005, 6, 30)
        assert (found.former.everybody.people, found.former.everybody.taking_part) == (4, 2)
        assert (found.former.activities, found.former.rewarded) == (2, 2)
        assert found.former.points == 40_000
        [now, then, change] = re.findall(
            r"^\| (?:2005년|증감).*$", rendered_of(office, found), re.MULTILINE
        )
        assert now == "| 2005년 하반기 | 3 | 1 | 33.3% | 1 | 2 | 100.0% |"
        assert then == "| 2005년 상반기 | 4 | 2 | 50.0% | 2 | 4 | 100.0% |"
        assert change == "| 증감 | -1 | -1 | -16.7%p | -1 | -2 | 0.0%p |"

    @pytest.mark.parametrize(
        ("period", "day", "name", "last"),
        [
            ("2005", date(2005, 6, 30), "2004", date(2004, 6, 30)),
            ("2004", date(2004, 2, 29), "2003", date(2003, 2, 28)),
            ("2005-Q2", date(2005, 5, 31), "2005-Q1", date(2005, 2, 28)),
            ("2005-03", date(2005, 3, 31), "2005-02", date(2005, 2, 28)),
            ("2005-03", date(2005, 3, 30), "2005-02", date(2005, 2, 28)),
            ("2005-03", date(2005, 3, 10), "2005-02", date(2005, 2, 10)),
        ],
    )
    def test_as_far_as_this_one_has_come(self, office, period, day, name, last):
        """What is not over is held against as much of the period before, not against all of it."""
        for number, month in enumerate(range(24)):
            at = date(2003 + month // 12, month % 12 + 1, 1)
            office.proposes(at.isoformat(), f"p{number}", "A")
        office.proposes("2005-02-10", "on-the-day", "A")
        office.proposes("2005-02-11", "after-it", "A")
        office.now = office.now.replace(year=2006)
        former = reported(office, Period.parse(period), as_of=day).former
        assert (former.period.name, former.day) == (name, last)
        months = {"2004": 6, "2003": 2, "2005-Q1": 2, "2005-02": 2}[name]
        if last == date(2005, 2, 10):
            months = 1
        assert former.activities == months

    def test_none_before(self, office):
        """Nothing to compare with: no activity before, or no period before."""
        office.proposes("2005-03-01", "one", "A")
        office.now = office.now.replace(year=2006)
        assert reported(office).former is None
        assert reported(office, Period.parse("all")).former is None
        assert "비교" not in rendered_of(office, reported(office))


class TestCoverage:
    def test_every_reason_is_told(self, office):
        """No rulebook, no rule, a rule of 0, a share too small, a cap, withdrawn, voided."""
        office.proposes("2005-01-20", "early", "A")
        office.proposes("2005-03-01", "one", "A")
        office.proposes("2005-03-02", "two", "A")
        office.proposes("2005-03-03", "three", "A")
        office.adopted("2005-03-10", "one", "none")
        office.adopted("2005-03-10", "two", "gold")
        office.implemented("2005-03-20", "two")
        office.club("2005-04-01", "readers", "B")
        office.meets("2005-04-02", "readers", "B", hours="0.25")
        office.proposes("2005-05-01", "four", "C")
        office.record("2005-05-02", ProposalWithdrawn("four", "다시 씀"))
        office.proposes("2005-05-03", "five", "C")
        office.void("2005-05-04", "submit-five")

        found = reported(office).coverage
        assert [(each.why, each.thing) for each in found.unrewarded] == [
            ("no_rulebook", "proposal:early"),
            ("no_rule", "proposal:two"),
            ("no_rule", "learning_club:readers"),
            ("no_points", "proposal:one"),
            ("no_points", "learning_club:readers"),
            ("cap", "proposal:three"),
            ("withdrawn", "proposal:four"),
            ("voided", "proposal:five"),
        ]
        cap = next(each for each in found.unrewarded if each.why == "cap")
        assert (cap.person, cap.clause, cap.cap.ko) == ("A", "제4조", "조항")
        assert (found.activities, found.rewarded, found.percent) == (9, 3, "33.3")
        counted = {(each.why, each.kind): each.count for each in found.kinds}
        assert counted["no_rule", "proposal.implemented"] == 1
        assert sum(counted.values()) == len(found.unrewarded)

    def test_a_share_too_small(self, office):
        """A share that rounds to nothing is told apart from a rule that gives nothing."""
        office.adopt(RULES.replace("points = 2,", "points = 0.0001,"), "2005-06-01")
        office.proposes("2005-06-02", "one", A=60, B=40)
        [line] = reported(office).coverage.unrewarded
        assert (line.person, line.why) == ("B", "share")

    def test_as_of_and_known_at(self, office):
        """Before a void took effect, and before it was known, the activity had its points."""
        office.proposes("2005-03-01", "one", "A")
        known = office.now
        office.void("2005-04-01", "submit-one", known="2005-05-01")
        assert [each.why for each in reported(office).coverage.unrewarded] == ["voided"]
        assert reported(office, as_of=date(2005, 3, 31)).coverage.unrewarded == ()
        assert reported(office, known_at=known).coverage.unrewarded == ()


def test_money_of_the_period(office):
    """What was granted, spent and returned within the period, by item; voids are left out."""
    office.club("2005-01-10", "readers", "A")
    office.record("2005-02-01", SupportGranted("readers", "activity", 300_000))
    office.record("2005-03-01", SupportSpent("readers", "activity", 100_000, "r1"))
    office.record("2005-03-02", SupportSpent("readers", "activity", 50_000, "r2"), "wrong")
    office.void("2005-03-03", "wrong")
    office.record("2005-07-01", SupportSettled("readers", "office"))
    office.record("2005-07-02", SupportReturned("readers", 200_000))
    lines = [(m.item, m.granted, m.spent, m.returned) for m in reported(office).money]
    assert lines == [("activity", 300_000, 100_000, 0), ("", 0, 0, 200_000)]
    first_half = reported(office, Period.parse("2005-H1")).money
    assert [(m.item, m.returned) for m in first_half] == [("activity", 0)]


def test_months_without_anything_are_shown(office):
    """The months of a period follow each other up to its last day, empty ones included."""
    office.proposes("2005-02-01", "one", "A")
    office.proposes("2005-05-01", "two", "A")
    found = [(each.month[5:], each.activities) for each in reported(office).activity.months]
    assert found == [("01", 0), ("02", 1), ("03", 0), ("04", 0), ("05", 1)]


def test_rulebooks_in_force_in_the_period(office):
    """Each version is named with the days of the period on which it was in force."""
    office.adopt(RULES.replace("points = 2,", "points = 1,"), "2005-07-01")
    office.now = office.now.replace(year=2006)
    spans = [(each.since, each.until) for each in reported(office).rulebooks]
    assert spans == [
        (date(2005, 2, 1), date(2005, 6, 30)),
        (date(2005, 7, 1), date(2005, 12, 31)),
    ]


# -- documents -----------------------------------------------------------------------------------


class Strict(HTMLParser):
    """Reads HTML in which every element is closed in turn, and remembers what it says."""

    VOID = frozenset({"meta", "line", "rect"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open, self.ids, self.texts, self.elements = [], [], [], []

    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        assert len(names) == len(set(names)), (tag, names)
        given = dict(attributes)
        self.elements.append((tag, given))
        if "id" in given:
            assert given["id"] not in self.ids
            self.ids.append(given["id"])
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        assert tag in self.VOID
        self.handle_starttag(tag, attributes)

    def handle_endtag(self, tag):
        assert self.open, tag
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    def attributes(self, tag, name):
        return [given.get(name) for found, given in self.elements if found == tag]


def parsed(text):
    parser = Strict()
    parser.feed(text)
    parser.close()
    assert parser.open == []
    return parser


NASTY = '<script>alert(1)</script> | "a" & `b` [c](d)\n# e'


@pytest.fixture
def eventful(office):
    """A year with something in every section, and a title that tries to break out."""
    office.record("2004-01-02", IndicatorDefined("users", NASTY, "%", "higher"))
    measured = IndicatorMeasured("users", Decimal("63.9"), "설문|조사")
    office.record("2004-12-20", measured)
    office.record("2005-02-01", IndicatorTargetSet("users", 2005, change_percent=Decimal(10)))
    office.record("2005-06-01", IndicatorMeasured("users", Decimal("68.1"), "설문"))
    office.record("2005-03-01", office.submission("one", A=100), "submit-one")
    office.proposes("2005-03-02", "two", "A")
    office.record("2005-03-03", attrs_title(office.submission("three", A=100)), "submit-three")
    office.club("2005-04-01", "readers", "B")
    office.record("2005-04-02", SupportGranted("readers", "expert", 1_200_000))
    office.adopted("2005-05-02", "one", "gold")
    return office


def attrs_title(data):
    import attrs  # noqa: PLC0415

    return attrs.evolve(data, title=NASTY)


def rendered_of(office, found):
    """A report as Markdown in Korean."""
    figures = office.model.figures()
    return render(found, "md", "ko", Names({}, figures.unit_labels(), figures.labels()))


def rendered(office, form, lang="ko", people=None, **question):
    found = reported(office, **question)
    figures = office.model.figures()
    names = Names(people or {}, figures.unit_labels(), figures.labels())
    return render(found, form, lang, names)


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_html_is_well_formed_and_stands_alone(eventful, lang):
    """Every element is closed, nothing is fetched, charts say in words what they show."""
    text = rendered(eventful, "html", lang, {"A": "<b>홍길동</b>"})
    page = parsed(text)
    assert text.startswith("<!DOCTYPE html>\n")
    assert page.attributes("html", "lang") == [lang]
    assert page.ids[:8] == [
        "participation",
        "activities",
        "months-title",
        "months-values",
        "coverage",
        "achievers",
        "evaluations",
        "selections",
    ]
    assert {"awards", "budget", "indicators", "diagnoses", "unrewarded"} <= set(page.ids)
    assert {"script", "link", "img", "iframe", "b"}.isdisjoint(tag for tag, _ in page.elements)
    assert not re.search(r"https?:|url\(|@import", text)
    bars = [given for tag, given in page.elements if tag == "svg"]
    assert bars
    assert all(given.get("role") == "img" for given in bars)
    assert all(given.get("aria-label") or given.get("aria-labelledby") for given in bars)
    said = " ".join("".join(page.texts).split())
    assert "<script>alert(1)</script>" in said
    assert "A <b>홍길동</b>" in said
    assert "70.29 (+10 %)" in said
    assert ("2.19 미달" if lang == "ko" else "2.19 short") in said


def test_html_tables_are_rectangular(eventful):
    """Every row of a table has a cell for each column."""
    text = rendered(eventful, "html")
    for table in re.findall(r"<table.*?</table>", text, re.DOTALL):
        rows = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
        counts = {len(re.findall(r"<t[hd][ >]", row)) for row in rows}
        assert len(counts) == 1, table


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_markdown_tables_hold_whatever_a_title_says(eventful, lang):
    """A title cannot end a cell, a row or begin a heading; every row has all its cells."""
    text = rendered(eventful, "md", lang)
    blocks = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert len(blocks) >= 8
    for block in blocks:
        counts = {len(re.findall(r"(?<!\\)\|", row)) for row in block.splitlines()}
        assert len(counts) == 1, block
    assert "<script>" not in text
    assert not re.search(r"^# e", text, re.MULTILINE)
    headings = re.findall(r"^## (\d+)\. ", text, re.MULTILINE)
    assert headings == [str(number) for number in range(1, 11)]
    assert "██" in text


@pytest.mark.parametrize("form", ["md", "html"])
def test_the_same_question_gives_the_same_bytes(eventful, form):
    """Another day, another run, a rebuilt model: the same report; no clock is in it."""
    eventful.now = eventful.now.replace(year=2006)
    before = rendered(eventful, form)
    eventful.model.rebuild()
    eventful.now = eventful.now.replace(year=2009)
    assert rendered(eventful, form) == before
    end = {"as_of": date(2005, 12, 31), "lang": "en"}
    known = {"known_at": datetime(2006, 1, 10, tzinfo=UTC), "lang": "en"}
    assert "as recorded by 2006-01-10 09:00:00" in rendered(eventful, form, **known).replace(
        "\\", ""
    )
    assert "only what had happened by 2005-12-31" in rendered(eventful, form, **end)
    assert rendered(eventful, form, **end) == rendered(eventful, form, **end)


def test_an_empty_year_is_a_report_too(tmp_path):
    """A ledger in which nothing has happened gives a report that says so."""
    empty = Office(tmp_path)
    empty.now = empty.now.replace(year=2005)
    try:
        for form in ("md", "html"):
            text = rendered(empty, form)
            assert "활동이 없습니다." in text
            assert "시행 중인 제도가 없습니다." in text
            assert "정한 지표가 없습니다." in text
        parsed(rendered(empty, "html"))
    finally:
        empty.close()


class TestCommand:
    @pytest.fixture
    def agency(self, tmp_path):
        return make_agency(tmp_path)

    def test_written_to_a_file_by_its_suffix(self, agency, tmp_path):
        """.html gives HTML, .md Markdown, in Korean unless English is asked for; names are in."""
        at = ("report", "2005", "--ledger", agency)
        page, text = tmp_path / "r.html", tmp_path / "r.md"
        done = ok(*at, "--to", page)
        assert done.stdout == ""
        assert "r.html" in done.stderr
        ok(*at, "--to", text)
        parsed(page.read_text("utf-8"))
        assert text.read_text("utf-8").startswith("# 중소기업청 2005년 혁신마일리지 평가 보고서\n")
        assert "P1 홍길동" in text.read_text("utf-8")
        assert ok(*at, "--lang", "ko").stdout == text.read_text("utf-8")
        assert "Of the 3 people" in ok(*at, "--lang", "en").stdout
        assert ok(*at, "--format", "html", "--lang", "ko").stdout == page.read_text("utf-8")
        assert not list(tmp_path.glob("*.part"))

    def test_wrong_usage(self, agency, tmp_path):
        """Another suffix, a form that contradicts it and a period that is none are refused."""
        at = ("--ledger", agency)
        before = agency.read_bytes()
        for wrong in (
            ("2005", "--to", agency),
            ("2005", "--to", tmp_path / "r"),
            ("2005", "--to", tmp_path / "r.html", "--format", "md"),
            ("2005", "--to", tmp_path / "r.html", "--json"),
            ("2005", "--format", "pdf"),
            ("05",),
            (),
        ):
            result = run("report", *wrong, *at)
            assert (result.exit_code, result.stdout) == (2, ""), wrong
        assert agency.read_bytes() == before
        missing = run("report", "2005", *at, "--to", tmp_path / "no" / "r.md", "--lang", "en")
        assert missing.exit_code == 1
        assert missing.stderr == f"error: {tmp_path / 'no' / 'r.md'}: No such file or directory\n"

    def test_json_has_the_data(self, agency):
        """What the documents show is there as data, amounts as decimal texts."""
        found = answer("report", "2005", "--ledger", agency)
        assert found["participation"]["taking_part"] == 2
        assert found["participation"]["units"] == [
            {"unit": "HQ", "people": 2, "on_leave": 0, "taking_part": 1, "percent": "50.0"},
            {"unit": "SEOUL", "people": 1, "on_leave": 0, "taking_part": 1, "percent": "100.0"},
        ]
        [line] = found["coverage"]["unrewarded"]
        assert (line["person"], line["thing"], line["why"]) == ("P1", "proposal:A-3", "cap")
        assert found["activities"]["points"] == "15"
        assert found["achievers"][0]["name"] == "홍길동"
        none_decided = {"granted": 0, "approved": 0, "refused": 0, "revoked": 0, "open": 1}
        [selection] = found["selections"]
        assert selection["programme"] == "training"
        assert (selection["quota"], selection["threshold"]) == (1, "5")
        assert (selection["selected"], selection["decided"]) == (["P1"], none_decided)
        assert (found["evaluations"], found["awards"], found["diagnoses"]) == ([], [], [])


@pytest.fixture(scope="module")
def year(tmp_path_factory):
    """The example year, the rulebook adopted before it."""
    path = tmp_path_factory.mktemp("report") / "year.sqlite"
    at = ("--ledger", path)
    ok("init", *at, "--organisation", "중소기업청", "--opened-on", "2005-01-01")
    ok("rules", "adopt", *at, rulebook_path(), "--on", "2005-01-01")
    ok("import", *at, *example_year_files())
    return path


class TestExampleYear:
    def test_units_are_ranked(self, year):
        """The evaluation that ends in the year is there, group by group, with the areas' parts."""
        [found] = answer("report", "2005", "--ledger", year)["evaluations"]
        now = ("--known-at", "2099-01-01")
        published = answer("competition", "EV-2005", *now, "--ledger", year)["units"]
        assert (found["evaluation"], found["stage"]) == ("EV-2005", "published")
        told = [(each["group"], each["place"], each["unit"], each["total"]) for each in published]
        assert told == [
            (each["group"], each["place"], each["unit"], each["total"]) for each in found["units"]
        ]
        assert set(found["units"][0]["areas"]) == {
            *("common-tasks", "own-tasks", "learning", "infrastructure"),
        }
        assert answer("report", "2005-H1", "--ledger", year)["evaluations"] == []

    def test_awards_decisions_and_diagnosis(self, year):
        """Awards of the year, what was decided by programme, and how the diagnosis ended."""
        found = answer("report", "2005", "--ledger", year)
        training = next(s for s in found["selections"] if s["programme"] == "overseas-training")
        assert training["decided"] == {
            "granted": 10,
            "approved": 0,
            "refused": 1,
            "revoked": 1,
            "open": 0,
        }
        assert len({each["certificate"] for each in found["awards"]}) == 3
        assert sum(each["prize"] for each in found["awards"]) == 900_000
        [diagnosis] = found["diagnoses"]
        assert (diagnosis["findings"], diagnosis["resolved"], diagnosis["level"]) == (3, 2, 4)

    @pytest.mark.parametrize("lang", ["ko", "en"])
    def test_both_documents_show_them(self, year, lang):
        """The page and the Markdown name the first unit, the certificates and the level."""
        [ranked, *_] = answer("report", "2005", "--ledger", year)["evaluations"][0]["units"]
        for form in ("html", "md"):
            asked = ("report", "2005", "--ledger", year, "--format", form, "--lang", lang)
            text = ok(*asked).stdout
            assert ranked["total"] in text
            assert re.search(r"2005.{1,2}001", text)

    def test_without_a_rulebook_the_reason_is_told(self, tmp_path):
        """An evaluation that no rulebook in force describes is named with what is missing."""
        at = ("--ledger", tmp_path / "bare.sqlite")
        ok("init", *at, "--organisation", "청", "--opened-on", "2005-01-01")
        ok("record", "evaluation.opened", *at, "--evaluation", "E", "--title", "평가", "--on",
           "2005-03-02", "--starts-on", "2005-01-01", "--ends-on", "2005-12-31")  # fmt: skip
        [found] = answer("report", "2005", *at)["evaluations"]
        assert found["units"] == []
        assert "no rulebook" in found["problem"]
