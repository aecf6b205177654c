"""Made-up years of an agency, at any scale: import rows that every ledger must accept.

At scale 1 a year has the size of a province's published results: 17,000 people, 1,487 of them
taking part, 2,806 proposals. The units are those of the 2005 plan; people, proposals, clubs and
contests are invented. The same scale, seed and years give the same rows on every machine.

    python -m mileage.seeds.generator --scale 1 --seed 2005 --out DIR
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from . import plan
from ._agenda import Agenda, Row, iso, ordinal
from ._draws import Draws
from ._evaluation import diagnosis, evaluation, indicators
from ._learning import councils, learning_plan, study_teams
from ._office import courses, publicity, tasks
from ._programmes import Cast, clubs, contests
from ._proposals import Proposals, proposal_rounds
from ._staff import Changes, Staff, person_id_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TextIO

    from ._agenda import Life

__all__ = ["FORMATS", "GROUPS", "Row", "Scale", "names", "rows", "write"]

Scale: TypeAlias = Fraction | int | str
"""Times the size of scale 1, exactly: ``1``, ``"0.1"``, ``"1/10"``, ``Fraction(1, 10)``."""

FORMATS = ("csv", "jsonl")

GROUPS: dict[str, tuple[str, ...]] = {
    "units": ("unit", "name_ko", "name_en", "parent"),
    "people": ("person", "unit", "rank"),
    "proposals": (
        "proposal",
        "title",
        "channel",
        "authors",
        "reviewer",
        "outcome",
        "grade",
        "reason",
        "proposal_round",
        "grades",
        "into",
        "ruling",
        "implementers",
    ),
    "clubs": (
        "key",
        "club",
        "title",
        "leader",
        "person",
        "session",
        "topic",
        "hours",
        "attendees",
        "presentation",
        "presenters",
        "report",
        "writers",
        "presenter",
    ),
    "teams": (
        "team",
        "title",
        "assignment",
        "leader",
        "due_on",
        "person",
        "session",
        "topic",
        "hours",
        "attendees",
        "timeliness",
        "contributors",
        "reason",
    ),
    "contests": (
        "contest",
        "title",
        "scope",
        "grades",
        "rounds",
        "host",
        "entry",
        "entrants",
        "round",
        "grade",
        "medium",
        "unit",
        "description",
        "contributors",
        "reason",
    ),
    "publicity": ("publication", "title", "medium", "writers", "reason"),
    "courses": (
        "course",
        "title",
        "form",
        "institute",
        "capacity",
        "course_hours",
        "cohort",
        "target_group",
        "person",
        "lecturer",
        "hours",
        "reason",
        "difficulty",
        "description",
        "solvers",
        "resolution",
    ),
    "awards": (
        "award",
        "title",
        "recipients",
        "basis",
        "certificate",
        "grade",
        "prize",
        "proposal",
        "reason",
    ),
    "learning": (
        "plan",
        "title",
        "officer",
        "starts_on",
        "ends_on",
        "unit",
        "measure",
        "goal",
        "body",
        "meeting",
        "agenda",
        "attendees",
        "resolution_code",
        "resolution",
    ),
    "tasks": (
        "task",
        "title",
        "origin",
        "unit",
        "cpo",
        "target",
        "due_on",
        "milestone",
        "contribution",
        "contributors",
        "description",
        "achieved_percent",
        "measured_by",
    ),
    "support": ("group", "item", "amount", "receipt", "settled_by"),
    "evaluation": (
        "evaluation",
        "title",
        "starts_on",
        "ends_on",
        "scheme",
        "unit",
        "element",
        "score",
        "outside_evaluator",
        "diagnosis",
        "institute",
        "finding",
        "consultant",
        "area",
        "description",
        "level",
        "measure",
        "indicator",
        "measured_in",
        "better",
        "year",
        "target_value",
        "change_percent",
        "value",
        "measured_source",
    ),
    "corrections": ("fact", "reason"),
}
"""Files of a written year in the order of import, each with its columns after the common two."""

_GROUP_OF = {
    "unit": "units",
    "member": "people",
    "proposal": "proposals",
    "proposal_round": "proposals",
    "learning_club": "clubs",
    "study_team": "teams",
    "contest": "contests",
    "publicity": "publicity",
    "course": "courses",
    "task": "tasks",
    "support": "support",
    "learning_plan": "learning",
    "council": "learning",
    "award": "awards",
    "evaluation": "evaluation",
    "diagnosis": "evaluation",
    "indicator": "evaluation",
    "fact": "corrections",
}
_NAME_COLUMNS = ("person", "name", "employee_number")

# Parts in a hundred of the people who serve in a unit; the rest of the units share equally.
_STAFF_PARTS = {
    "RO-SEOUL": 16,
    "RO-GYEONGGI": 14,
    "RO-BUSAN-ULSAN": 11,
    "RO-DAEGU-GYEONGBUK": 9,
    "RO-DAEJEON-CHUNGNAM": 7,
    "RO-GWANGJU-JEONNAM": 6,
    "RO-GYEONGNAM": 6,
    "RO-INCHEON": 6,
    "HQ-INNOV": 1,
    "RO-JEJU": 1,
}
_STAFF_PARTS_OTHERWISE = 3

_EVALUATION_OFFICE = "HQ-INNOV"  # it evaluates the others
_FAMILY_NAMES = "김이박최정강조윤장임한오서신권황안송류홍"
_CAREER_YEARS = 20
_PARTICIPANTS_MIN = 24  # below this there are proposals only: clubs and contests need company


@dataclass(frozen=True)
class _Size:
    """How much there is of everything; per year but for the people at the start."""

    people: int
    recruits: int
    participants: int
    proposals: int
    clubs: int
    entries: int
    finals: int
    publications: int
    courses: int
    changes: Changes

    @classmethod
    def of(cls, scale: Scale) -> _Size:
        """Scale every number, rounding halves up.

        Raises:
            ValueError: The scale is no exact number, or so small that nobody takes part.
        """
        if isinstance(scale, float):
            raise ValueError("give the scale as a text or a Fraction, not a float: it is exact")  # noqa: TRY004
        factor = Fraction(scale)

        def scaled(number: int) -> int:
            return int(factor * number + Fraction(1, 2))

        participants = scaled(1_487)
        if participants < 1:
            raise ValueError(f"scale {scale} is too small: nobody would take part; try 1/1000")
        company = participants >= _PARTICIPANTS_MIN
        return cls(
            people=scaled(17_000),
            recruits=scaled(100),
            participants=participants,
            proposals=scaled(2_806),
            clubs=scaled(90) if company else 0,
            entries=scaled(150) if company else 0,
            finals=max(5, scaled(12)) if company else 0,
            publications=max(4, scaled(120)) if company else 0,
            courses=max(5, scaled(40)) if company else 0,
            changes=Changes(
                transfers=scaled(400),
                promotions=scaled(260),
                leaves=scaled(120),
                leavers=scaled(90),
                retirements=scaled(12),
            ),
        )

    def capacity(self, years: Sequence[int]) -> int:
        """Return how many people there will be after the last year."""
        return self.people + self.recruits * (len(years) - 1)


def rows(scale: Scale = 1, seed: int = 2005, years: Sequence[int] = (2005,)) -> Iterator[Row]:
    """Tell made-up years as import rows: units, then people, then facts in order of date.

    Args:
        scale: Times the size of scale 1; halves are rounded up. At least about 1/2900.
        seed: Another seed tells other years of the same size.
        years: Consecutive years, e.g. ``range(2005, 2026)``. Numbers of participants and of
            proposals are those of each year.

    Yields:
        One row after the other: column to cell, absent fields without a column. Each thing
        exists before a row uses it.

    Raises:
        ValueError: The scale is unfit or the years are not consecutive.
    """
    size = _Size.of(scale)
    if not years or list(years) != list(range(years[0], years[0] + len(years))):
        raise ValueError("years must be consecutive and at least one, e.g. range(2005, 2026)")
    return _rows(size, seed, years)


def names(scale: Scale = 1, seed: int = 2005, years: Sequence[int] = (2005,)) -> Iterator[Row]:
    """Make directory rows (person, name, employee_number) for everybody ``rows`` lets join.

    The names are placeholders, a family name with 혁신 and a number: nobody is called so.

    Raises:
        ValueError: The scale is unfit.
    """
    capacity = _Size.of(scale).capacity(years)
    draws = Draws(seed, "names")
    person_id = person_id_of(capacity)
    for number in range(1, capacity + 1):
        person = person_id(number)
        yield {
            "person": person,
            "name": f"{draws.one_of(_FAMILY_NAMES)}혁신{person[1:]}",
            "employee_number": f"{number * 37 + 11:08d}",  # not the id over again
        }


def write(
    folder: Path,
    *,
    scale: Scale = 1,
    seed: int = 2005,
    years: Sequence[int] = (2005,),
    form: str = "csv",
) -> dict[Path, int]:
    """Write ``rows`` and ``names`` as files, one for each group, UTF-8 with LF.

    Args:
        folder: Where the files go; made when it is missing. Files of the same names are replaced.
        scale: See ``rows``.
        seed: See ``rows``.
        years: See ``rows``.
        form: One of ``FORMATS``.

    Returns:
        Number of rows by file, in the order in which they can be imported (and the directory).
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / f"{name}.{form}" for name in (*GROUPS, "names")}
    written = dict.fromkeys(paths, 0)
    with ExitStack() as files:
        put = {
            name: _writer(
                files.enter_context(path.open("w", encoding="utf-8", newline="\n")),
                _columns(name),
                form,
            )
            for name, path in paths.items()
        }
        for row in rows(scale, seed, years):
            group = _GROUP_OF[row["kind"].partition(".")[0]]
            put[group](row)
            written[group] += 1
        for row in names(scale, seed, years):
            put["names"](row)
            written["names"] += 1
    return {paths[name]: count for name, count in written.items()}


def _columns(name: str) -> tuple[str, ...]:
    return ("kind", "occurred_on", *GROUPS[name]) if name in GROUPS else _NAME_COLUMNS


def _writer(file: TextIO, columns: tuple[str, ...], form: str) -> Callable[[Row], object]:
    if form == "jsonl":
        return lambda row: file.write(
            json.dumps({name: row[name] for name in columns if name in row}, ensure_ascii=False)
            + "\n"
        )
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    return lambda row: writer.writerow([row.get(name, "") for name in columns])


def _rows(size: _Size, seed: int, years: Sequence[int]) -> Iterator[Row]:
    # The ledger begins to know units then; it is not the day on which they were really founded.
    begin, start = ordinal(years[0] - _CAREER_YEARS, 1, 1), ordinal(years[0], 1, 1)
    codes: list[str] = []
    for row in _units(iso(begin)):
        codes.append(row["unit"])
        yield row
    codes = codes[1:]  # nobody serves in the agency as such
    wheel = [
        index
        for index, code in enumerate(codes)
        for _ in range(_STAFF_PARTS.get(code, _STAFF_PARTS_OTHERWISE))
    ]
    staff = Staff(Draws(seed, "people"), codes, wheel, size.capacity(years))
    yield from staff.join(size.people, begin + 1, start - 1)
    agenda = Agenda(ordinal(years[-1], 12, 31))
    for year in years:
        new_year = ordinal(year, 1, 1)
        if year > years[0]:
            yield from staff.join(size.recruits, new_year, new_year)
        yield from _year(size, seed, year, staff, agenda, codes, begins=year == years[0])


def _units(occurred_on: str) -> Iterator[Row]:
    plan_of_2005 = plan()
    agency = plan_of_2005["organisation"]
    for unit in (agency, *plan_of_2005["bureau"], *plan_of_2005["regional_office"]):
        row = {
            "kind": "unit.established",
            "occurred_on": occurred_on,
            "unit": unit["code"],
            "name_ko": unit["ko"],
            "name_en": unit["en"],
        }
        if unit is not agency:
            row["parent"] = unit.get("parent", agency["code"])
        yield row


def _year(  # noqa: PLR0913, PLR0917 - all that a year is told of
    size: _Size,
    seed: int,
    year: int,
    staff: Staff,
    agenda: Agenda,
    codes: Sequence[str],
    *,
    begins: bool,
) -> Iterator[Row]:
    def draws(of: str) -> Draws:
        return Draws(seed, year, of)

    first, last = ordinal(year, 1, 1), ordinal(year, 12, 31)
    numbers = staff.participants(draws("participants"), size.participants, first)
    cast = _cast(size, staff, numbers, draws("reviewers"))
    proposals = Proposals(draws("proposals"), cast, year, size.proposals)
    plan_of_2005 = plan()
    units = (*plan_of_2005["bureau"], *plan_of_2005["regional_office"])
    evaluated = [unit["code"] for unit in units if unit["code"] != _EVALUATION_OFFICE]
    planned: list[Iterator[Life]] = [
        staff.changes(draws("staff"), year, size.changes, numbers),
        proposal_rounds(year),
        clubs(draws("clubs"), cast, year, size.clubs),
        contests(draws("contests"), cast, year, size.entries, size.finals, codes),
        publicity(draws("publicity"), cast, year, size.publications),
        courses(draws("courses"), cast, year, size.courses),
    ]
    if size.courses:  # what an office does whatever its size
        planned += [
            tasks(draws("tasks"), cast, year, plan_of_2005["task"], codes),
            study_teams(draws("teams"), cast, year, max(2, size.courses // 4)),
            learning_plan(draws("plan"), cast, year, codes),
            councils(draws("councils"), cast, year),
            evaluation(draws("evaluation"), year, evaluated),
            diagnosis(draws("diagnosis"), year, evaluated),
            indicators(draws("indicators"), year, plan_of_2005["indicator"], first=begins),
        ]
    for lives in planned:
        for life in lives:
            agenda.add(life)
    for day in range(first, last + 1):
        for life in proposals.begun(day - first):
            agenda.add(life)
        yield from agenda.rows(day)


def _cast(size: _Size, staff: Staff, numbers: Sequence[int], draws: Draws) -> Cast:
    """Give every participant a part that is sure to come, so that the numbers are exact."""
    panel: list[int] = []
    if size.clubs:
        panel = draws.distinct(max(6, len(numbers) // 50), lambda: draws.one_of(numbers))
        staff.keep(panel)
    club_only = min(len(numbers) * 16 // 100, size.clubs * 4)
    contest_only = min(len(numbers) * 9 // 100, size.entries)
    proposers = len(numbers) - club_only - contest_only
    people = [staff.id(number) for number in numbers]
    return Cast(
        people=people,
        proposers=people[:proposers],
        club_only=people[proposers : proposers + club_only],
        contest_only=people[proposers + club_only :],
        reviewers=[staff.id(number) for number in panel],
    )


def _years(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m mileage.seeds.generator", description=__doc__)
    parser.add_argument("--scale", default="1", help='size, e.g. "1/10" (default: 1)')
    parser.add_argument("--seed", type=int, default=2005, help="which years to tell")
    parser.add_argument("--years", type=_years, default=range(2005, 2006), help="e.g. 2005-2025")
    parser.add_argument("--out", type=Path, required=True, help="folder for the files")
    parser.add_argument("--format", choices=FORMATS, default="csv", help="form of the files")
    options = parser.parse_args(arguments)
    try:
        written = write(
            options.out,
            scale=options.scale,
            seed=options.seed,
            years=options.years,
            form=options.format,
        )
    except ValueError as error:
        parser.error(str(error))
    for path, count in written.items():
        sys.stdout.write(f"{path}: {count:,} rows\n")


if __name__ == "__main__":
    main()
