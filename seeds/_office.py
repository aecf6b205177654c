"""The example's courses, publicity and innovation tasks of one year."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._agenda import iso, ordinal, workday
from ._texts import ADJUSTMENTS, COURSE_TITLES, DIFFICULTIES, PUBLICITY_TITLES, SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ._agenda import Life
    from ._draws import Draws
    from ._programmes import Cast

__all__ = ["courses", "publicity", "tasks"]

_FORMS = ("innovation_school", "course", "workshop", "discussion", "field_day")
_MEDIA = (
    *("newsletter",) * 4,
    *("email",) * 3,
    *("case_book",) * 2,
    "failure_account",
    "joint_newsletter",
)
_CLASS_MAX = 30
_DAY_HOURS = 8


def courses(draws: Draws, cast: Cast, year: int, count: int) -> Iterator[Life]:
    """Begin a year's courses, one after the other from February to November."""
    start = ordinal(year, 2, 14)
    for index in range(count):
        day = workday(start + 270 * index // count)
        yield _course(draws, cast.people, f"CR-{year}-{index + 1:03d}", day, _FORMS[index % 5])
    if count:
        yield _cancelled(f"CR-{year}-000", workday(start + 60))


def _cancelled(code: str, day: int) -> Life:
    offered = {
        "course": code,
        "title": f"{COURSE_TITLES[0]} {code}",
        "form": "workshop",
        "institute": "본청 교육장",
        "capacity": str(_CLASS_MAX),
        "course_hours": str(_DAY_HOURS),
    }
    yield day, "course.offered", offered
    yield workday(day + 10), "course.cancelled", {"course": code, "reason": "강사 사정"}


def _course(draws: Draws, people: Sequence[str], code: str, day: int, form: str) -> Life:
    days = 1 if form in ("discussion", "field_day") else 2
    size = min(8 + draws.below(_CLASS_MAX - 8), len(people) - 1)
    lecturer, *enrolled = draws.distinct(size + 1, lambda: draws.one_of(people))
    offered = {
        "course": code,
        "title": f"{draws.one_of(COURSE_TITLES)} {code}",
        "form": form,
        "institute": "본청 교육장" if draws.chance(60) else "중앙공무원교육원",
        "capacity": str(_CLASS_MAX),
        "course_hours": str(_DAY_HOURS * days),
    }
    if form == "innovation_school":
        offered |= {"cohort": str(int(code[-3:])), "target_group": "신입사무관·과장급"}
    yield day, "course.offered", offered
    for person in enrolled:
        yield day + 3, "course.enrolled", {"course": code, "person": person}
    held = workday(day + 14)
    absent = {person for person in enrolled[1:] if draws.chance(8)}
    for number in range(days):
        held = workday(held + number)
        for person in enrolled:
            if person not in absent:
                hours = str(_DAY_HOURS if draws.chance(85) else _DAY_HOURS // 2)
                attended = {"course": code, "person": person, "hours": hours}
                yield held, "course.attended", attended
    yield held, "course.lectured", {"course": code, "lecturer": lecturer, "hours": "3"}
    if form == "field_day":
        yield from _difficulties(draws, code, held, [p for p in enrolled if p not in absent])
    for person in enrolled:
        outcome = {"course": code, "person": person}
        if person in absent:
            yield held + 1, "course.failed", {**outcome, "reason": "출석 시간 부족"}
        else:
            yield held + 1, "course.completed", outcome


def _difficulties(draws: Draws, code: str, day: int, people: Sequence[str]) -> Life:
    """Hear what is difficult for the companies visited; most of it is solved later."""
    for number in range(1, 3):
        difficulty = {"course": code, "difficulty": f"D{number}"}
        description = draws.one_of(DIFFICULTIES)
        yield day, "course.difficulty_heard", {**difficulty, "description": description}
    solvers = ";".join(people[:2])
    solved = {"course": code, "difficulty": "D1", "solvers": solvers, "resolution": "제도 안내"}
    yield day, "course.difficulty_solved", solved


def publicity(draws: Draws, cast: Cast, year: int, count: int) -> Iterator[Life]:
    """Publish a year's newsletters, e-mails, case books and accounts of a failure."""
    start = ordinal(year, 2, 1)
    for index in range(count):
        code = f"PB-{year}-{index + 1:03d}"
        yield _publication(draws, cast.people, code, workday(start + 320 * index // count))


def _publication(draws: Draws, people: Sequence[str], code: str, day: int) -> Life:
    writers = draws.distinct(1 + draws.below(2), lambda: draws.one_of(people))
    published = {
        "publication": code,
        "title": f"{draws.one_of(PUBLICITY_TITLES)} {code}",
        "medium": draws.one_of(_MEDIA),
        "writers": ";".join(writers),
    }
    yield day, "publicity.published", published
    if draws.chance(4):
        withdrawn = {"publication": code, "reason": "다른 자료와 중복됨"}
        yield workday(day + 15), "publicity.withdrawn", withdrawn


def tasks(
    draws: Draws, cast: Cast, year: int, common: Sequence[Mapping[str, str]], units: Sequence[str]
) -> Iterator[Life]:
    """Assign the common tasks and one of the agency's own to every bureau and office."""
    for task in common:
        yield _task(draws, cast.people, year, (task["code"], task["ko"], "common"), units)
    for unit in units:
        title = f"{draws.one_of(SUBJECTS)} {draws.one_of(ADJUSTMENTS)}"
        yield _task(draws, cast.people, year, (f"own-{unit}", title, "own"), (unit,))


def _task(
    draws: Draws,
    people: Sequence[str],
    year: int,
    what: tuple[str, str, str],
    units: Sequence[str],
) -> Life:
    code, title, origin = what
    name = f"T-{year}-{code}"
    assigned = {
        "task": name,
        "title": title,
        "origin": origin,
        "unit": draws.one_of(units),
        "cpo": draws.one_of(people),
        "target": "연말까지 목표 달성",
        "due_on": iso(ordinal(year, 12, 20)),
    }
    yield workday(ordinal(year, 3, 2)), "task.assigned", assigned
    for number, month in enumerate((6, 10), 1):
        team = draws.distinct(1 + draws.below(3), lambda: draws.one_of(people))
        reached = {"task": name, "milestone": f"M{number}", "contributors": ";".join(team)}
        yield workday(ordinal(year, month, 10)), "task.milestone_reached", reached
    contributed = {
        "task": name,
        "contribution": "C1",
        "contributors": draws.one_of(people),
        "description": "성과 분석",
    }
    yield workday(ordinal(year, 11, 7)), "task.contributed", contributed
    percent = str(70 + draws.below(45))
    measured = {"task": name, "achieved_percent": percent, "measured_by": "자체 평가"}
    yield workday(ordinal(year, 12, 19)), "task.achievement_measured", measured
    yield workday(ordinal(year, 12, 20)), "task.closed", {"task": name}
