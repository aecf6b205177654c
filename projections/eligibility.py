"""Eligibility for a programme: who reaches its threshold, and who gets in within its quota."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import attrs
from mileage.ledger import Label, MileageError

from .decode import day_number
from .figures import Period

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from .figures import Figures

__all__ = ["Candidate", "Selection", "Terms", "UnknownProgramme", "eligible", "programmes"]

Outcome = Literal[
    "selected", "below_threshold", "beyond_quota", "tied_out", "on_leave", "not_serving"
]


class UnknownProgramme(MileageError):
    """No rulebook in force on that day has the programme."""


@attrs.frozen
class Terms:
    """A programme as it stands on a day.

    Attributes:
        programme: Id of the programme.
        label: Its title.
        period: The period its points are counted in.
        threshold: Points needed, 1/10,000 point.
        quota: How many can get in; ``None`` for all.
        break_by: What decides between equal points, in order.
        otherwise: Whether those still tied at the last place are all in or all out.
        clause: Clause of the dated value.
        adoption: Position of the adoption of the rulebook.
    """

    programme: str
    label: Label
    period: Period
    threshold: int
    quota: int | None
    break_by: tuple[str, ...]
    otherwise: Literal["include", "exclude"]
    clause: str
    adoption: int


@attrs.frozen
class Candidate:
    """A person with activities in the programme's period.

    Attributes:
        place: Place in the order of selection, from 1; those still tied share one. 0 for people
            who do not serve or do not reach the threshold.
        person: Id of the person.
        points: Points in the period, 1/10,000 point.
        activities: Rewarded activities in the period.
        outcome: Whether the person is in, and why not.
        missing: Points short of the threshold, 1/10,000 point.
    """

    place: int
    person: str
    points: int
    activities: int
    outcome: Outcome
    missing: int

    @property
    def selected(self) -> bool:
        """Whether the person gets in."""
        return self.outcome == "selected"


@attrs.frozen
class Selection:
    """A programme's terms on a day and what they make of everyone with activities.

    Attributes:
        terms: The terms.
        as_of: The day.
        candidates: In order of selection; those out for other reasons than places follow.
    """

    terms: Terms
    as_of: date
    candidates: tuple[Candidate, ...]

    @property
    def selected(self) -> tuple[Candidate, ...]:
        """Those who get in."""
        return tuple(c for c in self.candidates if c.selected)

    def of(self, person: str) -> Candidate | None:
        """What became of a person; ``None`` without activities in the period."""
        return next((c for c in self.candidates if c.person == person), None)


@attrs.frozen
class _Standing:
    """A person's standing before places are given; ``order`` sorts, equal ones are tied."""

    person: str
    points: int
    activities: int
    status: str
    order: tuple[int, ...]


def programmes(figures: Figures, as_of: date) -> list[str]:
    """Ids of the programmes in force on a day."""
    day = day_number(as_of)
    rows = figures.query(
        "SELECT programme FROM programmes WHERE day_from <= ? AND ? < day_until ORDER BY programme",
        (day, day),
    )
    return [row[0] for row in rows]


def terms(figures: Figures, programme: str, as_of: date) -> Terms:
    """A programme's terms on a day.

    Raises:
        UnknownProgramme: No rulebook in force on that day has it.
    """
    day = day_number(as_of)
    rows = figures.query(
        "SELECT programme, name_ko, name_en, period, threshold, quota, break_by, otherwise, clause,"
        " adoption FROM programmes WHERE programme = ? AND day_from <= ? AND ? < day_until",
        (programme, day, day),
    )
    if not rows:
        known = ", ".join(programmes(figures, as_of)) or "none"
        msg = f"{programme}: no such programme on {as_of} (in force: {known})"
        raise UnknownProgramme(msg)
    name, ko, en, period, threshold, quota, break_by, otherwise, clause, adoption = rows[0]
    return Terms(
        programme=name,
        label=Label(ko, en),
        period=Period.around(period, as_of),
        threshold=threshold,
        quota=quota,
        break_by=tuple(break_by.split()),
        otherwise=otherwise,
        clause=clause,
        adoption=adoption,
    )


def eligible(figures: Figures, programme: str, as_of: date) -> Selection:
    """Who gets into a programme on a day.

    People on leave or no longer serving on that day are not selected, whatever their points.

    Args:
        figures: Figures as of that day.
        programme: Id of the programme.
        as_of: Civil date in the ledger's zone.

    Raises:
        UnknownProgramme: No rulebook in force on that day has it.
    """
    stated = terms(figures, programme, as_of)
    standings = _standings(figures, stated, as_of)
    fit = [s for s in standings if s.status == "serving" and s.points >= stated.threshold]
    ordered = sorted(fit, key=lambda s: (s.order, s.person))
    chosen = select(ordered, stated.quota, stated.otherwise)
    places = _places(ordered)
    candidates = [
        Candidate(place, s.person, s.points, s.activities, outcome, 0)
        for s, place, outcome in zip(ordered, places, chosen, strict=True)
    ]
    chosen_from = set(fit)
    rest = sorted(
        (s for s in standings if s not in chosen_from), key=lambda s: (-s.points, s.person)
    )
    candidates += [
        Candidate(
            0,
            s.person,
            s.points,
            s.activities,
            _left_out(s.status),
            max(0, stated.threshold - s.points),
        )
        for s in rest
    ]
    return Selection(stated, as_of, tuple(candidates))


def select(
    ordered: Sequence[_Standing], quota: int | None, otherwise: Literal["include", "exclude"]
) -> list[Outcome]:
    """Fill the quota from the front; ``otherwise`` decides about a tie at the last place."""
    if quota is None or len(ordered) <= quota:
        return ["selected"] * len(ordered)
    line = ordered[quota - 1].order if quota else None
    tie_splits = quota > 0 and ordered[quota].order == line
    outcomes: list[Outcome] = []
    for index, standing in enumerate(ordered):
        if tie_splits and standing.order == line:
            outcomes.append("selected" if otherwise == "include" else "tied_out")
        else:
            outcomes.append("selected" if index < quota else "beyond_quota")
    return outcomes


def _places(ordered: Sequence[_Standing]) -> list[int]:
    places: list[int] = []
    for index, standing in enumerate(ordered):
        tied = index and ordered[index - 1].order == standing.order
        places.append(places[-1] if tied else index + 1)
    return places


def _left_out(status: str) -> Outcome:
    match status:
        case "serving":
            return "below_threshold"
        case "leave":
            return "on_leave"
        case _:
            return "not_serving"


def _standings(figures: Figures, stated: Terms, as_of: date) -> list[_Standing]:
    day = day_number(as_of)
    rows = figures.query(
        """
        SELECT m.person, sum(p.points), count(CASE WHEN p.points > 0 THEN 1 END),
               max(CASE WHEN p.points > 0 THEN p.day * 10000000000 + p.position END),
               (SELECT t.status FROM tenures t WHERE t.person = p.person
                AND t.day_from <= ? AND ? < t.day_until),
               (SELECT min(t.day_from) FROM tenures t WHERE t.person = p.person)
        FROM postings p JOIN people m ON m.id = p.person
        WHERE p.day >= ? AND p.day < ? GROUP BY p.person
        """,
        (day, day, stated.period.day_from, stated.period.day_until),
    )
    return [
        _Standing(
            person=person,
            points=points,
            activities=activities,
            status=status or "",
            order=(
                -points,
                *_broken(stated.break_by, activities, reached or 0, joined or 0),
            ),
        )
        for person, points, activities, reached, status, joined in rows
    ]


def _broken(
    break_by: tuple[str, ...], activities: int, reached: int, joined: int
) -> tuple[int, ...]:
    """What breaks ties, smaller first: more activities, reached earlier, longer service."""
    day_reached = reached // 10_000_000_000
    values = {"activities": -activities, "earliest": day_reached, "joined": joined}
    return tuple(values[name] for name in break_by)
