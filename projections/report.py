"""The evaluation office's report on a period: one function for each section, as data.

The sections hold ids and codes, never names; whoever prints them looks those up.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from typing import TYPE_CHECKING

import attrs

from .awards import AwardLine, awards
from .competition import Competition, NoCompetition, unit_ranking
from .coverage import Coverage, coverage
from .days import day_before, day_number, day_of
from .diagnoses import DiagnosisResult, diagnoses
from .eligibility import Selection, eligible, programmes
from .evaluations import EvaluationStatus, evaluations
from .indicators import IndicatorResult, indicators
from .participation import (
    Group,
    Money,
    Month,
    Participation,
    ProgrammeActivity,
    activity_by_month,
    activity_by_programme,
    last_day,
    money,
    participation,
)

if TYPE_CHECKING:
    from datetime import datetime

    from mileage.ledger import Ledger

    from .figures import Figures, Period, Ranked

__all__ = [
    "Activity",
    "Evaluated",
    "Former",
    "Report",
    "RulebookInForce",
    "activity",
    "evaluated",
    "former",
    "report",
    "rulebooks_in_force",
]

MONTHS_MAX = 36


@attrs.frozen
class RulebookInForce:
    """A version of a rulebook and the days of a period on which it is in force.

    Attributes:
        rulebook: Its id.
        digest: SHA-256 of its text.
        position: Position of its adoption.
        since: First day in the period.
        until: Last day in the period.
    """

    rulebook: str
    digest: str
    position: int
    since: date
    until: date


@attrs.frozen
class Activity:
    """What people did in a period.

    Attributes:
        programmes: By programme, most activities first.
        months: By month, those without anything included, of a period of three years at most.
    """

    programmes: tuple[ProgrammeActivity, ...]
    months: tuple[Month, ...]

    @property
    def activities(self) -> int:
        """Activities in all, one for each person in them."""
        return sum(each.activities for each in self.programmes)

    @property
    def points(self) -> int:
        """Points in all, 1/10,000 point."""
        return sum(each.points for each in self.programmes)


@attrs.frozen
class Former:
    """The period before, as far as the report's has come, to compare with.

    Attributes:
        period: The period before; up to ``day`` only while the report's is not over.
        day: Day of the head-count: the last of the period before, or the one that corresponds to
            the report's day.
        everybody: Who served on that day and took part.
        activities: Activities that stand, one for each person in them.
        rewarded: How many of them have points.
        points: Points in all, 1/10,000 point.
    """

    period: Period
    day: date
    everybody: Group
    activities: int
    rewarded: int
    points: int


@attrs.frozen
class Evaluated:
    """An evaluation of units whose period ends within the report's.

    Attributes:
        status: The evaluation.
        ranking: What the facts and scores in the figures make of it; ``None`` if there is none.
        problem: Why there is no ranking; empty if there is one.
    """

    status: EvaluationStatus
    ranking: Competition | None
    problem: str = ""


@attrs.frozen
class Report:
    """A period as the evaluation office reports it.

    Attributes:
        organisation: Whose ledger it is.
        time_zone: Zone of all dates, an IANA name.
        period: The period.
        day: Day of the head-count and of the selections: the period's last, or an earlier one
            when it is not over.
        as_of: The day asked for, if one was.
        known_at: The instant asked for, if one was.
        position: Position of the last fact in the figures.
        rulebooks: The rulebooks in force in the period.
        participation: Who took part.
        activity: What they did.
        former: The period before; ``None`` where nothing was done in it.
        coverage: Whether it is rewarded, and why not.
        achievers: People with most points, those tied at the last place included.
        evaluations: The evaluations of units whose period ends in the period, up to the day.
        selections: What each programme in force on the day makes of it.
        awards: The awards granted in the period, one line for each person.
        money: Support of learning clubs and study teams, by item.
        indicators: Indicators of the year in which the day lies.
        diagnoses: Outside diagnoses begun by the day and not concluded before the period.
    """

    organisation: str
    time_zone: str
    period: Period
    day: date
    as_of: date | None
    known_at: datetime | None
    position: int
    rulebooks: tuple[RulebookInForce, ...]
    participation: Participation
    activity: Activity
    former: Former | None
    coverage: Coverage
    achievers: tuple[Ranked, ...]
    evaluations: tuple[Evaluated, ...]
    selections: tuple[Selection, ...]
    awards: tuple[AwardLine, ...]
    money: tuple[Money, ...]
    indicators: tuple[IndicatorResult, ...]
    diagnoses: tuple[DiagnosisResult, ...]


def report(  # noqa: PLR0913 - what a report is asked by
    ledger: Ledger,
    figures: Figures,
    period: Period,
    *,
    as_of: date | None = None,
    known_at: datetime | None = None,
    places: int = 10,
) -> Report:
    """Gather the report on a period; the same question gives the same report.

    Args:
        ledger: The ledger.
        figures: Its figures, as of the same day and instant.
        period: The period.
        as_of: What counted on that civil date, corrections that took effect by then included.
        known_at: Only what had been recorded by that instant.
        places: How many places of the ranking are listed.

    Raises:
        MileageError: The period has not begun.
    """
    day = last_day(ledger, period, as_of)
    return Report(
        organisation=ledger.organisation,
        time_zone=ledger.time_zone.key,
        period=period,
        day=day,
        as_of=as_of,
        known_at=known_at,
        position=figures.position,
        rulebooks=rulebooks_in_force(figures, period, day),
        participation=participation(figures, period, day),
        activity=activity(ledger, figures, period, day),
        former=former(ledger, figures, period, day),
        coverage=coverage(figures, period),
        achievers=tuple(each for each in figures.ranking(period, limit=places) if each.points > 0),
        evaluations=evaluated(ledger, figures, period, day, as_of=as_of, known_at=known_at),
        selections=tuple(eligible(figures, name, day) for name in programmes(figures, day)),
        awards=tuple(each for each in awards(figures, period) if each.granted_on <= day),
        money=tuple(money(ledger, period, as_of=as_of, known_at=known_at)),
        indicators=tuple(
            indicators(ledger, year=day.year, until=day, as_of=as_of, known_at=known_at)
        ),
        diagnoses=tuple(
            each
            for each in diagnoses(ledger, until=day, as_of=as_of, known_at=known_at)
            if each.concluded_on is None or day_number(each.concluded_on) >= period.day_from
        ),
    )


def former(ledger: Ledger, figures: Figures, period: Period, day: date) -> Former | None:
    """The period before, up to the day that corresponds to a day of this one.

    What counts of it is what the figures hold, as of the day they were asked for.
    """
    before = period.before()
    if before is None:
        return None
    last = day_before(before.day_until)
    if day < day_before(period.day_until):
        first, begun = day_of(period.day_from), day_of(before.day_from)
        months = (day.year - first.year) * 12 + day.month - first.month
        last = min(last, _in_month(begun, months, day.day))
        after = last.fromordinal(last.toordinal() + 1)
        before = attrs.evolve(before, day_until=day_number(after))
    did = activity(ledger, figures, before, last)
    if not did.activities:
        return None
    return Former(
        period=before,
        day=last,
        everybody=participation(figures, before, last).everybody,
        activities=did.activities,
        rewarded=sum(each.rewarded for each in did.programmes),
        points=did.points,
    )


def _in_month(begun: date, months: int, day: int) -> date:
    """A day of the month so many after another, or its last where it has not so many days."""
    number = begun.year * 12 + begun.month - 1 + months
    year, month = number // 12, number % 12 + 1
    return date(year, month, min(day, monthrange(year, month)[1]))


def evaluated(  # noqa: PLR0913 - what a report is asked by
    ledger: Ledger,
    figures: Figures,
    period: Period,
    day: date,
    *,
    as_of: date | None = None,
    known_at: datetime | None = None,
) -> tuple[Evaluated, ...]:
    """The evaluations whose period ends within a period and by a day, worked out from figures.

    A ranking that was published is worked out anew like the others, so that it fits the rest of
    the report; ``mileage competition`` shows it as it was published.
    """
    found = []
    for status in evaluations(ledger, as_of=as_of, known_at=known_at):
        if period.day_from <= day_number(status.ends_on) <= day_number(day):
            name = status.evaluation
            try:
                ranking = unit_ranking(ledger, figures, name, as_of=as_of, known_at=known_at)
            except NoCompetition as error:
                found.append(Evaluated(status, None, str(error)))
            else:
                found.append(Evaluated(status, ranking))
    return tuple(found)


def rulebooks_in_force(figures: Figures, period: Period, day: date) -> tuple[RulebookInForce, ...]:
    """The rulebooks in force in a period up to a day, in order of their first day in it."""
    last = day_number(day)
    rows = figures.query(
        "SELECT rulebook, digest, position, day_from, day_until FROM rulebooks"
        " WHERE day_from <= ? AND day_until > ? ORDER BY day_from, position",
        (last, period.day_from),
    )
    return tuple(
        RulebookInForce(
            rulebook=rulebook,
            digest=digest,
            position=position,
            since=day_of(max(day_from, period.day_from)),
            until=min(day, _day_before(day_of(day_until))),
        )
        for rulebook, digest, position, day_from, day_until in rows
    )


def _day_before(day: date) -> date:
    return date.fromordinal(day.toordinal() - 1)


def activity(ledger: Ledger, figures: Figures, period: Period, day: date) -> Activity:
    """What people did in a period, by programme and by month."""
    months = {month.month: month for month in activity_by_month(figures, period)}
    first = min(months, default="")
    since = day_of(period.day_from) if period.day_from else None
    names = _months(f"{since:%Y-%m}" if since else first, f"{day:%Y-%m}") if months else []
    filled = [months.get(name, Month(name, 0, 0)) for name in names]
    return Activity(
        programmes=tuple(activity_by_programme(figures, ledger.kinds, period)),
        months=tuple(filled if len(filled) <= MONTHS_MAX else ()),
    )


def _months(first: str, last: str) -> list[str]:
    """The months from one to another, ``YYYY-MM``."""
    numbers = [int(text[:4]) * 12 + int(text[5:]) - 1 for text in (first, last)]
    return [f"{n // 12:04d}-{n % 12 + 1:02d}" for n in range(numbers[0], numbers[1] + 1)]
