"""The plan, the example rulebooks and the made-up years that are shipped with the package."""

import csv
import json
import os
import tomllib
from collections import Counter, defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from mileage.ledger import Ledger, format_amount
from mileage.ledger.importing import import_file
from mileage.ledger.kinds import kinds as registry
from mileage.projections import Period, ReadModel, adopt_rulebook, eligible, programmes
from mileage.seeds import example_year_files, generator, names_file, plan, rulebook_path

PEOPLE_COLUMNS = ("person", "leader", "reviewer", "authors", "attendees", "entrants")
TAKING_PART_COLUMNS = ("leader", "authors", "attendees", "entrants")
YEARS = range(2005, 2008)
OTHERS = ("test.", "mentoring.", "visit.", "sanction.", "entitlement.", "redemption.")
"""Kinds of tests and examples, of what the plan knows nothing of, and of what is decided by the
figures."""
RARE = frozenset(
    {
        "course.enrolment_cancelled",
        "evaluation.reopened",
        "indicator.discontinued",
        "learning_club.dissolved",
        "learning_plan.ended",
        "points.confirmed",
        "points.denied",
        "points.held",
        "points.released",
        "study_team.left",
        "task.reassigned",
        "unit.abolished",
        "unit.merged",
        "unit.split",
    }
)
"""Kinds of corrections and endings, which a made-up year does not have."""
DECIDED_ON = date(2005, 12, 30)
UPDATE = bool(os.environ.get("UPDATE_DOCS"))


def people_in(cell: str) -> list[str]:
    return [part.partition(":")[0] for part in cell.split(";")]


def key_of(row: dict[str, str]) -> str:
    return row.get("key") or f"{row['kind']}:{row.get('proposal', '')}"


def read(path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [{name: cell for name, cell in row.items() if cell} for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def full_year() -> list[dict[str, str]]:
    return list(generator.rows())


@pytest.fixture(
    scope="module",
    params=[("1", (2005,)), ("1/1000", (2005,)), ("1/60", YEARS), ("0.2", YEARS)],
    ids=lambda param: f"{param[0]}-{len(param[1])}y",
)
def told(request) -> list[dict[str, str]]:
    scale, years = request.param
    return list(generator.rows(scale, 7, years))


# The plan


def test_units_of_the_plan():
    """The plan has twelve regional offices, five affiliates and two bureaus led by a CPO."""
    found = plan()
    assert len(found["regional_office"]) == 12
    assert len(found["affiliate"]) == 5
    bureaus = {unit["code"] for unit in found["bureau"]}
    assert {task["cpo"]["unit"] for task in found["task"] if "cpo" in task} <= bureaus
    assert {task["ko"]: task["cpo"]["ko"] for task in found["task"] if "cpo" in task} == {
        "법적업무권장": "기업성장지원국장",
        "지방이양": "기획관리관",
    }


def test_tasks_of_the_plan():
    """Table 2 has the tasks 1 to 17, table 3 four focus areas with fifteen tasks."""
    found = plan()
    assert [task["number"] for task in found["task"]] == list(range(1, 18))
    assert [len(area["tasks"]) for area in found["focus_area"]] == [4, 4, 3, 4]


def test_weights_of_the_plan():
    """The weights of table 1 make 100 % and each has its elements."""
    weights = plan()["weight"]
    assert [weight["percent"] for weight in weights] == [30, 30, 20, 20]
    assert [len(weight["elements"]) for weight in weights] == [4, 4, 3, 3]


def test_indicators_are_exact():
    """Targets of the indicators are read without a binary float."""
    targets = {row["code"]: row["target"] for row in plan()["indicator"]}
    assert targets["user-satisfaction"] == Decimal("70.3")
    assert targets["civil-service-satisfaction"] == Decimal("76.4")


def test_everything_in_the_plan_has_both_names():
    """Whatever has a code has a Korean and an English name, and no code is used twice."""
    found = plan()
    tables = [rows for rows in found.values() if isinstance(rows, list)]
    coded = [found["organisation"], *(row for rows in tables for row in rows)]
    assert all(row["ko"] and row["en"] for row in coded)
    codes = [row["code"] for row in coded]
    assert len(set(codes)) == len(codes)


# The rulebooks


def rulebook(name: str) -> dict:
    return tomllib.loads(rulebook_path(name).read_text(encoding="utf-8"), parse_float=Decimal)


@pytest.mark.parametrize("name", ["smba-2005", "smba-2005-07"])
def test_rulebook_covers_every_activity(name, full_year):
    """Every activity has one rule, and every grade that is given has points and a label."""
    found = rulebook(name)
    rules = {rule["activity"]: rule for rule in found["rule"]}
    assert len(rules) == len(found["rule"])
    for row in full_year:
        if "grade" in row and row["kind"] in rules:
            assert row["grade"] in rules[row["kind"]]["values"][0]["points"]
            assert row["grade"] in found["labels"]
    assert set(rules) <= {row["kind"] for row in full_year}


@pytest.mark.parametrize("name", ["smba-2005", "smba-2005-07"])
def test_rulebook_gives_a_clause_for_every_value(name):
    """Every dated value names its clause and comes in order; caps name rules that exist."""
    found = rulebook(name)
    for entry in (*found["rule"], *found["cap"], *found["programme"]):
        days = [value["from"] for value in entry["values"]]
        assert days == sorted(set(days))
        assert all(value["clause"] for value in entry["values"])
        assert entry["title"]["ko"]
        assert entry["title"]["en"]
    rules = {rule["id"] for rule in found["rule"]}
    assert all(set(cap["rules"]) <= rules for cap in found["cap"])


def test_amended_rulebook_differs_in_one_rule():
    """The rulebook of July raises one rule by a dated value and changes nothing else."""
    before, after = rulebook("smba-2005"), rulebook("smba-2005-07")
    changed = [
        (old, new) for old, new in zip(before["rule"], after["rule"], strict=True) if old != new
    ]
    assert [new["id"] for _, new in changed] == ["club-session"]
    old, new = changed[0]
    assert new["values"][:-1] == old["values"]
    assert new["values"][-1]["points"] > old["values"][-1]["points"]
    assert new["values"][-1]["clause"] != old["values"][-1]["clause"]
    assert after["example"][:-1] == before["example"]  # and one for the rule that is raised
    assert {**after, "rule": before["rule"], "example": before["example"]} == before


def test_unknown_rulebook_names_the_known():
    """Asking for a rulebook that is not shipped says which are."""
    with pytest.raises(ValueError, match=r"there are: .*, smba-2005, smba-2005-07"):
        rulebook_path("smba-2004")


# A made-up year


def test_numbers_of_a_full_year(full_year):
    """At scale 1 a year has 17,000 people, 1,487 of them taking part, and 2,806 proposals."""
    kinds = Counter(row["kind"] for row in full_year)
    assert kinds["member.joined"] == 17_000
    assert kinds["proposal.submitted"] == 2_806
    taking_part = {
        person
        for row in full_year
        for column in TAKING_PART_COLUMNS
        for person in people_in(row.get(column, ""))
        if person
    }
    assert len(taking_part) == 1_487
    in_any_fact = {
        person
        for row in full_year
        if not row["kind"].startswith("member.")
        for column in PEOPLE_COLUMNS
        for person in people_in(row.get(column, ""))
        if person
    }
    assert in_any_fact == taking_part


def test_participation_is_skewed(full_year):
    """Most proposers have one proposal, a few dozens; a quarter is adopted, mostly low."""
    submitted = [row for row in full_year if row["kind"] == "proposal.submitted"]
    proposals = Counter(people_in(row["authors"])[0] for row in submitted)
    assert sum(count == 1 for count in proposals.values()) > len(proposals) / 2
    assert proposals.most_common(1)[0][1] > 40
    grades = Counter(row.get("grade", "") for row in full_year if row["kind"] == "proposal.adopted")
    assert 0.22 < grades.total() / len(submitted) < 0.28
    assert grades["encouragement"] > grades["bronze"] > grades["silver"] > grades["gold"] > 0


def test_every_kind_occurs(full_year):
    """A full year has every kind of fact, unequal shares and a prize taken back."""
    kinds = Counter(row["kind"] for row in full_year)
    by_command = {"ledger.opened", "rulebook.adopted", "period.closed", "period.reopened"}
    known = {kind.name for kind in registry if not kind.name.startswith(OTHERS)}
    assert known - set(kinds) == by_command | RARE
    assert kinds["contest.award_withdrawn"] == 1
    assert kinds["fact.voided"] > 3
    assert any(":" in row.get("authors", "") for row in full_year)
    assert {row["scope"] for row in full_year if "scope" in row} == {"agency", "inter_agency"}


@pytest.mark.parametrize(
    ("scale", "people", "taking_part", "proposals"),
    [("1/10", 1_700, 149, 281), (Fraction(1, 2), 8_500, 744, 1_403), ("0.001", 17, 1, 3)],
)
def test_numbers_are_scaled_and_halves_rounded_up(scale, people, taking_part, proposals):
    """Any scale gives each number times the scale."""
    told = list(generator.rows(scale))
    kinds = Counter(row["kind"] for row in told)
    found = {
        person
        for row in told
        for column in TAKING_PART_COLUMNS
        for person in people_in(row.get(column, ""))
        if person
    }
    assert kinds["member.joined"] == people
    assert kinds["proposal.submitted"] == proposals
    assert len(found) == taking_part


@pytest.mark.parametrize("scale", [0, "1/10000", "-1", "many", 0.1])
def test_unfit_scale(scale):
    """A scale without participants, without meaning or without exactness is refused."""
    with pytest.raises(ValueError, match=r"scale|Invalid literal"):
        generator.rows(scale)


@pytest.mark.parametrize("years", [(), (2005, 2007), (2006, 2005)])
def test_years_must_be_consecutive(years):
    """Years with a gap, backwards or without any are refused."""
    with pytest.raises(ValueError, match="consecutive"):
        generator.rows(1, 2005, years)


# Its life cycles, at several scales and over several years


def test_order(told):
    """Units come first, then people, then facts in order of date and within the years."""
    kinds = [row["kind"] for row in told]
    first_person = kinds.index("member.joined")
    assert set(kinds[:first_person]) == {"unit.established"}
    later = [row for row in told[first_person:] if row["occurred_on"] >= "2005"]
    days = [row["occurred_on"] for row in later]
    assert days == sorted(days)
    assert told[first_person:][-len(later) :] == later
    assert days[-1] <= "2007-12-31"


def test_people_serve_when_they_act(told):
    """Whoever is named has joined before and has not left."""
    joined: dict[str, str] = {}
    left: dict[str, str] = {}
    for row in told:
        if row["kind"] == "member.joined":
            assert row["person"] not in joined
            joined[row["person"]] = row["occurred_on"]
            continue
        for column in PEOPLE_COLUMNS:
            for person in people_in(row[column]) if column in row else ():
                assert joined[person] <= row["occurred_on"]
                assert person not in left
        if row["kind"] == "member.left":
            left[row["person"]] = row["occurred_on"]


def test_units_exist(told):
    """Whatever unit a person or a unit belongs to was established before."""
    units: set[str] = set()
    for row in told:
        assert {row[column] for column in ("parent",) if column in row} <= units
        if row["kind"] == "unit.established":
            units.add(row["unit"])
        elif "unit" in row:
            assert row["unit"] in units


def test_changes_of_staff(told):
    """A transfer or promotion changes something; leave is started before it is ended."""
    now: dict[str, dict[str, str]] = {}
    on_leave: set[str] = set()
    for row in told:
        match row["kind"]:
            case "member.joined":
                now[row["person"]] = {"unit": row["unit"], "rank": row["rank"]}
            case "member.transferred":
                assert now[row["person"]]["unit"] != row["unit"]
                now[row["person"]]["unit"] = row["unit"]
            case "member.promoted":
                assert now[row["person"]]["rank"] > row["rank"]  # G9 is the lowest
                now[row["person"]]["rank"] = row["rank"]
            case "member.leave_started":
                assert row["person"] not in on_leave
                on_leave.add(row["person"])
            case "member.leave_ended":
                on_leave.remove(row["person"])


def test_life_of_a_proposal(told):
    """Submitted, reviewed by others, adopted or rejected, implemented; withdrawn undecided."""
    allowed = {
        "proposal.submitted": {""},
        "proposal.reviewed": {"proposal.submitted", "proposal.reviewed"},
        "proposal.held": {"proposal.submitted", "proposal.reviewed"},
        "proposal.adopted": {"proposal.submitted", "proposal.reviewed", "proposal.held"},
        "proposal.rejected": {"proposal.submitted", "proposal.reviewed", "proposal.held"},
        "proposal.withdrawn": {"proposal.submitted"},
        "proposal.implemented": {"proposal.adopted"},
    }
    stage: dict[str, dict[str, str]] = defaultdict(lambda: {"kind": "", "occurred_on": ""})
    authors: dict[str, list[str]] = {}
    for row in told:
        if row["kind"] not in allowed:
            continue
        before = stage[row["proposal"]]
        assert before["kind"] in allowed[row["kind"]]
        assert before["occurred_on"] < row["occurred_on"]
        stage[row["proposal"]] = row
        if "authors" in row:
            authors[row["proposal"]] = people_in(row["authors"])
        assert row.get("reviewer") not in authors[row["proposal"]]


def test_shares_make_a_whole(told):
    """Declared shares of different people make 100 %, to four decimal places."""
    for row in told:
        for column in ("authors", "entrants"):
            if column not in row:
                continue
            people = people_in(row[column])
            assert len(set(people)) == len(people)
            parts = [Decimal(part.partition(":")[2] or 0) for part in row[column].split(";")]
            assert sum(parts) == (100 if ":" in row[column] else 0)
            assert all(part == round(part, 4) for part in parts)


def test_life_of_a_club(told):
    """Sessions are held by members of that day, four to twelve of them over the year."""
    members: dict[str, dict[str, bool]] = defaultdict(dict)
    sessions: set[tuple[str, str]] = set()
    for row in told:
        match row["kind"]:
            case "learning_club.registered":
                assert row["club"] not in members
                members[row["club"]][row["leader"]] = True
            case "learning_club.joined":
                assert row["person"] not in members[row["club"]]
                members[row["club"]][row["person"]] = True
            case "learning_club.left":
                assert members[row["club"]][row["person"]]
                members[row["club"]][row["person"]] = False
            case "learning_club.session_held":
                attendees = people_in(row["attendees"])
                assert len(set(attendees)) == len(attendees)
                assert all(members[row["club"]].get(person) for person in attendees)
                assert (row["club"], row["session"]) not in sessions
                sessions.add((row["club"], row["session"]))
    assert all(4 <= len(people) <= 12 for people in members.values())


def test_life_of_a_contest(told):
    """Entries come after the opening, an entry has one award of a known grade."""
    grades: dict[str, list[str]] = {}
    entries: set[tuple[str, str]] = set()
    awards: set[tuple[str, str]] = set()
    for row in told:
        match row["kind"]:
            case "contest.opened":
                grades[row["contest"]] = row["grades"].split(";")
            case "contest.entered":
                assert row["contest"] in grades
                assert (row["contest"], row["entry"]) not in entries
                entries.add((row["contest"], row["entry"]))
            case "contest.awarded":
                assert row["grade"] in grades[row["contest"]]
                assert (row["contest"], row["entry"]) in entries - awards
                awards.add((row["contest"], row["entry"]))
            case "contest.award_withdrawn":
                awards.remove((row["contest"], row["entry"]))


def test_voided_facts_exist(told):
    """A fact is voided once, after it was recorded, and nothing else was built on it."""
    keys: set[str] = set()
    for row in told:
        if row["kind"] == "fact.voided":
            assert row["fact"] in keys
            keys.remove(row["fact"])
        if row["kind"] in {"proposal.implemented", "learning_club.session_held"}:
            keys.add(key_of(row))


# The directory and the files


def test_names_are_placeholders():
    """The directory has everybody once, with a placeholder name and a leading zero."""
    told = list(generator.names("1/100", 2005, YEARS))
    joined = {
        row["person"]
        for row in generator.rows("1/100", 2005, YEARS)
        if row["kind"] == "member.joined"
    }
    assert {row["person"] for row in told} == joined
    assert all("혁신" in row["name"] and row["name"][3:].isdecimal() for row in told)
    numbers = [row["employee_number"] for row in told]
    assert len(set(numbers)) == len(numbers)
    assert all(number.startswith("0") and len(number) == 8 for number in numbers)


def test_example_year_is_what_the_generator_writes(tmp_path):
    """The example year shipped is the generator's, byte for byte, but for what was decided."""
    written = generator.write(tmp_path, scale="1/10", seed=2005)
    shipped = [*example_year_files()[:-1], names_file()]
    assert [path.name for path in written] == [path.name for path in shipped]
    for path, committed in zip(written, shipped, strict=True):
        assert path.read_bytes() == committed.read_bytes()


# What was decided at the end of the example year


@pytest.fixture(scope="module")
def year_end(tmp_path_factory):
    """The example year up to its decisions, with the figures of 30 December."""
    noon = datetime(2006, 1, 2, 3, 0, tzinfo=UTC)
    path = tmp_path_factory.mktemp("year") / "year.sqlite"
    with Ledger.create(
        path, organisation="중소기업청", opened_on=date(2005, 1, 1), clock=lambda: noon
    ) as ledger:
        for file in example_year_files()[:-1]:
            import_file(ledger, file, by="office")
        text = rulebook_path().read_text("utf-8")
        adopt_rulebook(ledger, text, on=date(2005, 1, 1), by="office")
        with ReadModel(ledger) as model:
            model.rebuild()
            with model.figures_at(as_of=DECIDED_ON) as figures:
                yield ledger, figures


def decided(figures):
    """Decide as the rules propose; one is refused, one grant waits for its approval."""

    def row(kind, **cells):
        return {"kind": kind, "occurred_on": DECIDED_ON.isoformat(), **cells}

    for name in programmes(figures, DECIDED_ON):
        selection = eligible(figures, name, DECIDED_ON)
        chosen = [each for each in selection.candidates if each.selected][:12]
        for number, each in enumerate(chosen):
            about = {"programme": name, "cycle": "2005", "person": each.person}
            if name == "overseas-training" and number == len(chosen) - 1:
                reason = "파견 요건 미비"
                yield row("entitlement.refused", **about, reason=reason, recorded_by="officer-1")
                continue
            worth = {
                "grade": each.grade or "",
                "value": "" if each.value is None else format_amount(each.value),
            }
            yield row("entitlement.granted", **about, **worth, recorded_by="officer-1")
            if selection.terms.four_eyes and number:
                yield row("entitlement.approved", **about, recorded_by="officer-2")
            if name == "overseas-training" and number == 1:
                reason = "본인 포기"
                yield row("entitlement.revoked", **about, reason=reason, recorded_by="officer-1")
    for number, each in enumerate(figures.ranking(Period.parse("2005"), limit=3), 1):
        redemption = {"redemption": f"RD-2005-{number:03d}"}
        spent = {"person": each.person, "redeemed_points": "10", "purpose": "복지포인트 전환"}
        yield row("redemption.made", **redemption, **spent, recorded_by="officer-1")
        if number == 3:
            reason = "신청 철회"
            yield row("redemption.reversed", **redemption, reason=reason, recorded_by="officer-1")


def test_decisions_are_what_the_rules_propose(year_end):
    """What is decided in the example year is what its rulebook proposes at the end of it."""
    ledger, figures = year_end
    rows = list(decided(figures))
    path = example_year_files()[-1]
    columns = ["kind", "occurred_on", "programme", "cycle", "person", "grade", "value", "reason"]
    columns += ["redemption", "redeemed_points", "purpose", "recorded_by"]
    if UPDATE:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    assert read(path) == [{key: cell for key, cell in row.items() if cell} for row in rows]
    assert import_file(ledger, path, by="office").recorded == len(rows)


def test_every_programme_stands_in_the_example_year():
    """Something of every programme of the plan happens in the example year."""
    told = {row["kind"] for path in example_year_files() for row in read(path)}
    ours = [kind for kind in registry if not kind.name.startswith(OTHERS[:4]) and kind.category]
    categories = {kind.category for kind in ours} - {
        "ledger",
        "rulebook",
        "closing",
        "hold",
        "confirmation",
    }
    assert {registry.get(name).category for name in told} - {""} == categories


def test_files_hold_every_row_in_order(tmp_path):
    """The files together hold the rows, each file in the generator's order; so does JSON Lines."""
    told = list(generator.rows("1/20", 3, YEARS))
    written = generator.write(tmp_path, scale="1/20", seed=3, years=YEARS)
    groups = [read(path) for path in written if path.name != "names.csv"]
    for rows in groups:
        categories = {row["kind"].partition(".")[0] for row in rows}
        assert rows == [row for row in told if row["kind"].partition(".")[0] in categories]
    assert sum(map(len, groups)) == len(told)
    assert sum(written.values()) == len(told) + len(read(tmp_path / "names.csv"))

    lines = generator.write(tmp_path, scale="1/20", seed=3, years=YEARS, form="jsonl")
    for path in lines:
        found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        assert found == read(path.with_suffix(".csv"))


def test_seed_tells_another_year():
    """Another seed tells another year of the same size."""
    one, other = (list(generator.rows("1/50", seed)) for seed in (1, 2))
    assert one != other
    assert Counter(row["kind"] for row in one)["proposal.submitted"] == 56
    assert Counter(row["kind"] for row in other)["proposal.submitted"] == 56


def test_command_line(tmp_path, capsys):
    """The command line writes the files and says how many rows each has."""
    generator.main(["--scale", "1/100", "--years", "2005-2006", "--out", str(tmp_path)])
    assert "units.csv: 19 rows" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        generator.main(["--scale", "0", "--out", str(tmp_path)])
    assert "too small" in capsys.readouterr().err
