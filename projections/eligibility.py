"""Eligibility for a programme: who reaches its threshold, what the rule proposes, what is decided.

The rule proposes; people decide (``decisions``). Both are asked of the same figures.
"""

from __future__ import annotations

import json
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

import attrs
from mileage.ledger import Label, MileageError

from .days import day_before, day_number
from .decisions import Decision, decisions
from .exclusions import months_served, sanctions
from .figures import Period
from .rulebook import MAIN_ACCOUNT, GradeTerms, Percentage, Recent, ServiceTerms
from .selection import Standing, allot, boundaries, part_of, places_of, tier_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date

    from .exclusions import Sanction
    from .figures import Figures
    from .rulebook import Rounding
    from .rulebook.values import OnLeave

__all__ = ["Candidate", "Selection", "Terms", "UnknownProgramme", "eligible", "programmes"]

Outcome = Literal[
    "selected",
    "below_threshold",
    "beyond_quota",
    "tied_out",
    "on_leave",
    "not_serving",
    "other_rank",
    "other_unit",
    "sanctioned",
    "recent",
    "too_short",
]


class UnknownProgramme(MileageError):
    """No rulebook in force on that day has the programme."""


@attrs.frozen
class Terms:
    """A programme as it stands on a day.

    Attributes:
        programme: Id of the programme.
        label: Its title.
        period: The period its points are counted in; its name is the cycle decisions are for.
        threshold: Points needed, 1/10,000 point; of several tiers the lowest.
        quota: How many can get in; ``None`` for all.
        break_by: What decides between equal points, in order.
        otherwise: Whether those still tied at the last place are all in or all out; between two
            grades, whether all get the better or the lower.
        clause: Clause of the dated value.
        adoption: Position of the adoption of the rulebook.
        percentage: What the quota is a percentage of, if it is one.
        grades: Tiers by points or grades by rank, best first; empty for a plain selection.
        rounding: How percentages of grades become numbers of people.
        value: What a plain selection is worth, 1/10,000 of the unit.
        unit: What values are in.
        ranks: Ranks it is for; all when empty.
        recent: Whose earlier grants leave people out.
        four_eyes: Whether a grant needs a second person's approval.
        units: Units it is for, with all below them; all when empty.
        sanctioned_years: For how many years after its end a sanction leaves people out, 0 while it
            lasts only; ``None`` when sanctions do not matter.
        service: How long one must have served in the period, up to the day.
        on_leave: Whether those on leave on the day can be selected.
        account: Id of the account whose points it counts.
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
    percentage: Percentage | None = None
    grades: tuple[GradeTerms, ...] = ()
    rounding: Rounding = "down"
    value: int | None = None
    unit: Label | None = None
    ranks: tuple[str, ...] = ()
    recent: Recent | None = None
    four_eyes: bool = False
    units: tuple[str, ...] = ()
    sanctioned_years: int | None = None
    service: ServiceTerms | None = None
    on_leave: OnLeave = "exclude"
    account: str = MAIN_ACCOUNT

    @property
    def tiered(self) -> bool:
        """Whether its grades are tiers by points, and not by rank."""
        return any(grade.threshold_points is not None for grade in self.grades)

    def scope_of(self, standing: Standing) -> Outcome | None:
        """Why somebody is none of those the programme is for; ``None`` for one who is."""
        if self.ranks and standing.rank not in self.ranks:
            return "other_rank"
        if self.units and standing.homes.isdisjoint(self.units):
            return "other_unit"
        return None


@attrs.frozen
class Candidate:
    """A person who serves, has activities in the programme's period, or was decided about.

    Attributes:
        place: Place in the order of selection, from 1; those still tied share one. 0 for people
            who cannot be selected or do not reach the threshold.
        person: Id of the person.
        points: Points in the period, 1/10,000 point.
        activities: Rewarded activities in the period.
        outcome: Whether the rule proposes the person, and why not.
        missing: Points short of the threshold, 1/10,000 point.
        unit: Unit on the day, if any.
        rank: Rank on the day, if any.
        grade: Grade or tier the rule proposes, if the programme has any.
        value: What the rule proposes, 1/10,000 of the programme's unit, if stated.
        recent: The earlier grant that leaves the person out.
        decision: What people decided about this cycle; ``None`` while it is open.
        sanction: The sanction that leaves the person out; not for everybody to see.
        served: Months served in the period up to the day, where the programme asks for some.
    """

    place: int
    person: str
    points: int
    activities: int
    outcome: Outcome
    missing: int
    unit: str | None = None
    rank: str | None = None
    grade: str | None = None
    value: int | None = None
    recent: Decision | None = None
    decision: Decision | None = None
    sanction: Sanction | None = None
    served: Fraction | None = None

    @property
    def selected(self) -> bool:
        """Whether the rule proposes the person."""
        return self.outcome == "selected"

    @property
    def differs(self) -> bool:
        """Whether what was granted as proposed is no longer what the rule proposes.

        What was decided for a stated reason stands by that.
        """
        made = self.decision
        if made is None or made.stage not in ("granted", "approved") or made.granted_because:
            return False
        return not self.selected or (made.grade, made.value) != (self.grade, self.value)


@attrs.frozen
class Selection:
    """A programme's terms on a day and what they make of everybody.

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
        """Those whom the rule proposes."""
        return tuple(c for c in self.candidates if c.selected)

    def of(self, person: str) -> Candidate | None:
        """What became of a person; ``None`` for one who neither serves nor did anything."""
        return next((c for c in self.candidates if c.person == person), None)


def programmes(figures: Figures, as_of: date) -> list[str]:
    """Ids of the programmes in force on a day."""
    day = day_number(as_of)
    rows = figures.query(
        "SELECT programme FROM programmes WHERE day_from <= ? AND ? < day_until ORDER BY programme",
        (day, day),
    )
    return [row[0] for row in rows]


def terms(figures: Figures, programme: str, as_of: date) -> Terms:
    """A programme's terms on a day; a quota in percent is worked out by ``eligible``.

    Raises:
        UnknownProgramme: No rulebook in force on that day has it.
    """
    day = day_number(as_of)
    rows = figures.query(
        "SELECT programme, name_ko, name_en, period, threshold, quota, break_by, otherwise, clause,"
        " adoption, percent, percent_of, rounding, value, unit_ko, unit_en, ranks, recent_years,"
        " recent_cycles, recent_programmes, four_eyes, units,"
        " sanctioned_years, months_served, full_from, on_leave, day_from,"
        " (SELECT a.account FROM accounts a WHERE a.id = programmes.account)"
        " FROM programmes WHERE programme = ? AND day_from <= ? AND ? < day_until",
        (programme, day, day),
    )
    if not rows:
        known = ", ".join(programmes(figures, as_of)) or "none"
        msg = f"{programme}: no such programme on {as_of} (in force: {known})"
        raise UnknownProgramme(msg)
    name, ko, en, period, threshold, quota, break_by, otherwise, clause, adoption = rows[0][:10]
    percent, of, rounding, value, unit_ko, unit_en, ranks, years, cycles = rows[0][10:19]
    recent_programmes, four_eyes, units, sanctioned_years = rows[0][19:23]
    months, full_from, on_leave, day_from, account = rows[0][23:]
    grades = figures.query(
        "SELECT grade, threshold, percent, places, value FROM programme_grades"
        " WHERE programme = ? AND day_from = ? ORDER BY place",
        (programme, day_from),
    )
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
        percentage=_percentage(percent, of, rounding),
        grades=tuple(GradeTerms(*grade) for grade in grades),
        rounding=rounding,
        value=value,
        unit=Label(unit_ko, unit_en) if unit_ko is not None else None,
        ranks=tuple(ranks.split()),
        recent=Recent(years, cycles, tuple(recent_programmes.split())) if years or cycles else None,
        four_eyes=bool(four_eyes),
        units=tuple(units.split()),
        sanctioned_years=sanctioned_years,
        service=ServiceTerms(months, full_from) if months else None,
        on_leave=on_leave,
        account=account,
    )


def _percentage(percent: int | None, of: str, rounding: Rounding) -> Percentage | None:
    if percent is None:
        return None
    return Percentage(percent, int(of) if of.isdecimal() else of, rounding)  # type: ignore[arg-type]


def eligible(
    figures: Figures, programme: str, as_of: date, *, short: Collection[str] | None = None
) -> Selection:
    """Whom a programme's rule proposes on a day, and what people decided.

    Everybody who serves on that day is in or out, each for a reason. People on leave, no longer
    serving, of another rank or unit, under a sanction, with a recent grant or with too few months
    of service are not proposed, whatever their points.

    Args:
        figures: Figures as of that day.
        programme: Id of the programme.
        as_of: Civil date in the ledger's zone.
        short: Of the people short of the threshold, only these are asked about, and others may
            be left out; all are listed unless given.

    Raises:
        UnknownProgramme: No rulebook in force on that day has it.
    """
    stated = terms(figures, programme, as_of)
    if stated.percentage and stated.percentage.of == "serving":
        short = None  # a percentage of all who serve needs them all
    standings = _standings(figures, stated, as_of, short)
    lately = _recent_grants(figures, stated, as_of)
    years, service = stated.sanctioned_years, stated.service
    barred = {} if years is None else sanctions(figures, as_of, years)
    served = months_served(figures, stated.period, as_of, service.full_from) if service else {}
    excluded = _Excluded(barred, lately, served)
    out = {s.person: reason for s in standings if (reason := _left_out(s, stated, excluded))}
    fit = sorted((s for s in standings if s.person not in out), key=lambda s: (s.order, s.person))
    stated = attrs.evolve(stated, quota=_quota(stated, standings, len(fit)))
    made = {each.person: each for each in decisions(figures, programme, stated.period.name)}
    candidates = _placed(stated, fit)
    for s in sorted((s for s in standings if s.person in out), key=_from_the_top):
        missing = max(0, stated.threshold - s.points)
        candidates.append(
            Candidate(0, s.person, s.points, s.activities, out[s.person], missing, s.unit, s.rank)
        )
    return Selection(
        stated,
        as_of,
        tuple(
            attrs.evolve(
                each,
                recent=lately.get(each.person),
                decision=made.get(each.person),
                sanction=barred.get(each.person),
                served=served.get(each.person, Fraction(0)) if service else None,
            )
            if service or any(each.person in known for known in (lately, made, barred))
            else each
            for each in candidates
        ),
    )


def _from_the_top(standing: Standing) -> tuple[int, str]:
    return -standing.points, standing.person


@attrs.frozen
class _Excluded:
    """What leaves people out, by person: sanctions, recent grants, few months served."""

    barred: Mapping[str, Sanction]
    lately: Mapping[str, Decision]
    served: Mapping[str, Fraction]

    def reason(self, person: str, service: ServiceTerms | None) -> Outcome | None:
        if person in self.barred:
            return "sanctioned"
        if person in self.lately:
            return "recent"
        if service and self.served.get(person, 0) < service.months:
            return "too_short"
        return None


def _left_out(standing: Standing, stated: Terms, excluded: _Excluded) -> Outcome | None:
    """Why somebody cannot be selected, whatever the quota."""
    if standing.status == "leave" and stated.on_leave == "exclude":
        return "on_leave"
    if standing.status not in ("serving", "leave"):
        return "not_serving"
    if outside := stated.scope_of(standing):
        return outside
    if reason := excluded.reason(standing.person, stated.service):
        return reason
    return "below_threshold" if standing.points < stated.threshold else None


def _quota(stated: Terms, standings: Sequence[Standing], fit: int) -> int | None:
    """The number a quota comes to: as stated, of all grades, or the percentage rounded."""
    percentage = stated.percentage
    if percentage is None:
        if not stated.grades or stated.tiered:
            return stated.quota
        last = _ends(stated, fit)[-1]
        return last if last < fit or stated.grades[0].places is not None else None
    whole = percentage.of
    if whole == "eligible":
        whole = fit
    elif whole == "serving":
        whole = sum(
            s.status in ("serving", "leave") and stated.scope_of(s) is None for s in standings
        )
    return part_of(percentage.percent, whole, percentage.rounding)


def _placed(stated: Terms, fit: Sequence[Standing]) -> list[Candidate]:
    """Those who qualify, in order, each with the place and with what the rule proposes."""
    if stated.tiered:
        thresholds = [grade.threshold_points or 0 for grade in stated.grades]
        allotted: list[tuple[int | None, bool]] = [
            (tier_of(s.points, thresholds), False) for s in fit
        ]
    else:
        allotted = allot(fit, _ends(stated, len(fit)), stated.otherwise)
    candidates = []
    for s, place, (number, tied) in zip(fit, places_of(fit), allotted, strict=True):
        outcome: Outcome = "tied_out" if tied else "beyond_quota" if number is None else "selected"
        grade = stated.grades[number] if stated.grades and number is not None else None
        plain = stated.value if outcome == "selected" else None
        candidates.append(
            Candidate(
                place,
                s.person,
                s.points,
                s.activities,
                outcome,
                0,
                s.unit,
                s.rank,
                grade.grade if grade else None,
                grade.value if grade else plain,
            )
        )
    return candidates


def _ends(stated: Terms, fit: int) -> list[int]:
    """Up to which place each grade goes; a plain selection is one grade up to the quota."""
    if not stated.grades:
        return [fit if stated.quota is None else stated.quota]
    if stated.grades[0].percent is not None:
        return boundaries([grade.percent or 0 for grade in stated.grades], fit, stated.rounding)
    ends, total = [], 0
    for grade in stated.grades:
        total += grade.places or 0
        ends.append(total)
    return ends


def _recent_grants(figures: Figures, stated: Terms, as_of: date) -> dict[str, Decision]:
    """Grants in effect that leave people out, the latest of each person."""
    recent, found = stated.recent, dict[str, Decision]()
    if recent is None:
        return found
    before = _cycles_before(stated.period, recent.cycles or 0)
    for programme in recent.programmes:
        for each in decisions(figures, programme):
            if each.granted_on is None or not each.in_effect or not _earlier(each, stated, as_of):
                continue
            if recent.years is None:
                counts = each.cycle in before
            else:
                ends = day_number(each.granted_on) + recent.years * 10_000
                counts = day_number(as_of) < ends
            latest = found.get(each.person)
            if counts and (latest is None or each.granted_on >= (latest.granted_on or as_of)):
                found[each.person] = each
    return found


def _earlier(grant: Decision, stated: Terms, as_of: date) -> bool:
    """Whether a grant came before: for an earlier cycle, or of another programme by that day.

    Grants of the cycle itself and of later ones say nothing about it, also when it is asked for
    again after they were made.
    """
    try:
        begun = Period.parse(grant.cycle).day_from < stated.period.day_from
    except ValueError:
        begun = False
    if begun or grant.programme == stated.programme:
        return begun
    return grant.granted_on is not None and grant.granted_on <= as_of


def _cycles_before(period: Period, count: int) -> set[str]:
    """Names of the so many periods of the same kind before one."""
    names: set[str] = set()
    kind = period.kind
    for _ in range(count):
        period = Period.around(kind, day_before(period.day_from))
        names.add(period.name)
    return names


_STANDINGS = """
WITH sums AS (
    SELECT p.person, sum(p.points) AS points,
           count(CASE WHEN p.points > 0 AND p.share > 0 THEN 1 END) AS activities,
           max(CASE WHEN p.points > 0 THEN p.day END) AS reached
    FROM postings p WHERE p.account = ? AND p.day >= ? AND p.day < ? GROUP BY p.person
)
SELECT m.person, coalesce(s.points, 0), coalesce(s.activities, 0), coalesce(s.reached, 0),
       coalesce((SELECT min(j.day_from) FROM tenures j WHERE j.person = m.id), 0),
       coalesce(t.status, ''), u.unit, t.rank
FROM people m
LEFT JOIN sums s ON s.person = m.id
LEFT JOIN tenures t ON t.person = m.id AND t.day_from <= ? AND ? < t.day_until
LEFT JOIN units u ON u.id = t.unit
WHERE (? OR coalesce(s.points, 0) >= ? OR m.person IN (SELECT value FROM json_each(?)))
  AND (t.status IN ('serving', 'leave') OR s.person IS NOT NULL
       OR EXISTS (SELECT 1 FROM decisions d
                  WHERE d.person = m.id AND d.programme = ? AND d.cycle = ?))
"""


def _standings(
    figures: Figures, stated: Terms, as_of: date, short: Collection[str] | None
) -> list[Standing]:
    day, period = day_number(as_of), stated.period
    rows = figures.query(
        _STANDINGS,
        (
            figures.account_id(stated.account),
            *(period.day_from, period.day_until, day, day),
            *(short is None, stated.threshold, json.dumps(list(short or ()))),
            *(stated.programme, period.name),
        ),
    )
    homes = _homes(figures) if stated.units else {}
    return [
        Standing(
            person=person,
            points=points,
            activities=activities,
            status=status,
            unit=unit,
            rank=rank,
            order=(-points, *_broken(stated.break_by, activities, reached, joined)),
            homes=homes.get(unit, frozenset()),
        )
        for person, points, activities, reached, joined, status, unit, rank in rows
    ]


def _homes(figures: Figures) -> dict[str | None, frozenset[str]]:
    """Each unit with those above it, by its code."""
    above: dict[str, str | None] = dict(figures.query("SELECT unit, parent FROM units"))
    found: dict[str | None, frozenset[str]] = {}
    for unit in above:
        homes: set[str] = set()
        each: str | None = unit
        while each is not None and each not in homes:
            homes.add(each)
            each = above.get(each)
        found[unit] = frozenset(homes)
    return found


def _broken(
    break_by: tuple[str, ...], activities: int, reached: int, joined: int
) -> tuple[int, ...]:
    """What breaks ties, smaller first: more activities, reached earlier, longer service."""
    values = {"activities": -activities, "earliest": reached, "joined": joined}
    return tuple(values[name] for name in break_by)
