"""The example's study teams, its learning plan and the meetings of its standing bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._agenda import iso, ordinal, workday
from ._texts import ASSIGNMENTS, MEETING_AGENDAS, SESSION_TOPICS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ._agenda import Life
    from ._draws import Draws
    from ._programmes import Cast

__all__ = ["councils", "learning_plan", "study_teams"]

_TEAM_SESSIONS = 5
_BODIES = ("learning_council", "promotion_council", "promotion_team")
# Goals for a unit in a year: hours in all, courses completed, percent of the people who take part.
_GOALS = (("hours", "40"), ("courses_completed", "5"), ("participation", "20"))


def study_teams(draws: Draws, cast: Cast, year: int, count: int) -> Iterator[Life]:
    """Form a year's study teams, each for one assignment and with a deadline."""
    start = ordinal(year, 3, 7)
    for index in range(count):
        size = min(3 + draws.below(4), len(cast.people))
        members = draws.distinct(size, lambda: draws.one_of(cast.people))
        code = f"ST-{year}-{index + 1:03d}"
        day = workday(start + 90 * index // count)
        yield _study_team(draws, code, day, members, draws.one_of(ASSIGNMENTS))


def _study_team(draws: Draws, code: str, day: int, members: Sequence[str], work: str) -> Life:
    due = day + 150
    formed = {
        "team": code,
        "title": f"{work} 개편팀 {code}",
        "assignment": f"{work} 개편 방안 마련",
        "leader": members[0],
        "due_on": iso(due),
    }
    yield day, "study_team.formed", formed
    for person in members[1:]:
        yield day + 1, "study_team.joined", {"team": code, "person": person}
    if draws.chance(50):
        granted = {"group": code, "item": "expert", "amount": "500000"}
        yield day + 2, "support.granted", granted
    for number in range(1, _TEAM_SESSIONS + 1):
        come = [members[0], *(person for person in members[1:] if draws.chance(85))]
        held = {
            "team": code,
            "session": f"S{number}",
            "topic": draws.one_of(SESSION_TOPICS),
            "hours": "2",
            "attendees": ";".join(come),
        }
        yield workday(day + 25 * number), "study_team.session_held", held
    late = draws.chance(20)
    delivered = {
        "team": code,
        "topic": f"{work} 개편 방안",
        "timeliness": "late" if late else "on_time",
        "contributors": ";".join(members[:2]),
    }
    ended = workday(due + 5) if late else workday(due - 7)
    yield ended, "study_team.result_delivered", delivered
    yield ended + 1, "study_team.dissolved", {"team": code, "reason": "과제 완료"}


def learning_plan(draws: Draws, cast: Cast, year: int, units: Sequence[str]) -> Iterator[Life]:
    """Adopt a year's learning plan, with targets for every unit."""
    code = f"LP-{year}"
    day = workday(ordinal(year, 2, 21))

    def life() -> Life:
        adopted = {
            "plan": code,
            "title": f"{year}년 학습계획",
            "officer": draws.one_of(cast.people),
            "starts_on": iso(ordinal(year, 1, 1)),
            "ends_on": iso(ordinal(year, 12, 31)),
        }
        yield day, "learning_plan.adopted", adopted
        for unit in units:
            for measure, goal in _GOALS:
                target = {"plan": code, "unit": unit, "measure": measure, "goal": goal}
                yield day + 1, "learning_plan.target_set", target

    yield life()


def councils(draws: Draws, cast: Cast, year: int) -> Iterator[Life]:
    """Meet every quarter, each of the standing bodies."""
    for number, body in enumerate(_BODIES):
        members = draws.distinct(min(7, len(cast.people)), lambda: draws.one_of(cast.people))
        yield _meetings(draws, body, workday(ordinal(year, 2, 24)) + number, members)


def _meetings(draws: Draws, body: str, first: int, members: Sequence[str]) -> Life:
    for number in range(4):
        day = workday(first + 91 * number)
        meeting = f"{iso(day)[:4]}-{number + 1}"
        met = {
            "body": body,
            "meeting": meeting,
            "agenda": draws.one_of(MEETING_AGENDAS),
            "attendees": ";".join([members[0], *(p for p in members[1:] if draws.chance(85))]),
        }
        yield day, "council.met", met
        if number == 0:
            resolved = {
                "body": body,
                "meeting": meeting,
                "resolution_code": "R1",
                "resolution": "추진계획을 원안대로 의결",
            }
            yield day, "council.resolved", resolved
