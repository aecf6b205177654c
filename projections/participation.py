"""Who took part in a period, and in what: head-counts, activities, points."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import attrs
from mileage.ledger import MileageError
from mileage.ledger.kinds.support import ITEMS

from .days import day_before, day_number, day_of
from .ratios import percent_text
from .standing import POSTING_STANDS, standing_facts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from mileage.ledger import Kinds, Label, Ledger

    from .figures import Figures, Period

__all__ = [
    "Group",
    "Money",
    "Month",
    "Participation",
    "ProgrammeActivity",
    "activity_by_month",
    "activity_by_programme",
    "last_day",
    "money",
    "participation",
    "programme_of",
]


@attrs.frozen
class Group:
    """Some of the people who serve on a day, and how many of them took part in the period.

    Attributes:
        code: Unit or rank; empty for everybody.
        people: How many serve on the day, those on leave included.
        on_leave: How many of them are on leave that day.
        taking_part: How many of them have an activity in the period that stands.
    """

    code: str
    people: int
    on_leave: int
    taking_part: int

    @property
    def percent(self) -> str | None:
        """Those taking part in percent of the people, to one place."""
        return percent_text(self.taking_part, self.people)


@attrs.frozen
class Participation:
    """Participation in a period, by the head-count of its last day.

    Attributes:
        day: The day: the period's last, or an earlier one when it is not over.
        everybody: All who serve on the day.
        units: The same by the unit in which they serve on the day, units below it apart.
        ranks: The same by the rank they hold on the day.
        gone: How many took part in the period and do not serve on the day.
    """

    day: date
    everybody: Group
    units: tuple[Group, ...]
    ranks: tuple[Group, ...]
    gone: int


@attrs.frozen
class ProgrammeActivity:
    """What people did in one programme of the plan.

    Attributes:
        programme: Its name, such as ``proposal``.
        label: What people read for it.
        activities: How many activities, one for each person in it.
        people: How many people.
        rewarded: How many of the activities have points.
        points: Points they gave, 1/10,000 point.
    """

    programme: str
    label: Label
    activities: int
    people: int
    rewarded: int
    points: int


@attrs.frozen
class Month:
    """What people did in a month.

    Attributes:
        month: ``YYYY-MM``.
        activities: How many activities, one for each person in it.
        points: Points they gave, 1/10,000 point.
    """

    month: str
    activities: int
    points: int


@attrs.frozen
class Money:
    """Support of an item in a period, in whole won.

    Attributes:
        item: Item of support; empty for what was returned, which is of all items together.
        granted: Granted in the period.
        spent: Spent in the period.
        returned: Given back in the period.
    """

    item: str
    granted: int = 0
    spent: int = 0
    returned: int = 0


def last_day(ledger: Ledger, period: Period, as_of: date | None = None) -> date:
    """The day on which a period is looked at: its last, or ``as_of``, or today if earlier.

    Raises:
        MileageError: The period has not begun by then.
    """
    day = min(as_of or ledger.today(), day_before(period.day_until))
    if day_number(day) < period.day_from:
        msg = f"{period.name} begins on {day_of(period.day_from)}, after {day}"
        raise MileageError(msg)
    return day


def participation(figures: Figures, period: Period, day: date) -> Participation:
    """Who of those serving on a day took part in a period.

    An activity counts unless it was voided or withdrawn, with or without points.

    Args:
        figures: The figures.
        period: The period.
        day: Civil date of the head-count, see ``last_day``.
    """
    number = day_number(day)
    active = (
        "WITH active AS (SELECT DISTINCT p.person FROM postings p"
        f" WHERE p.day >= ? AND p.day < ? AND p.share > 0 AND {POSTING_STANDS})"
    )
    within = (period.day_from, period.day_until)
    rows = figures.query(
        f"""
        {active}
        SELECT coalesce(u.unit, ''), coalesce(t.rank, ''), count(*),
               count(CASE WHEN t.status = 'leave' THEN 1 END), count(a.person)
        FROM tenures t
        LEFT JOIN units u ON u.id = t.unit
        LEFT JOIN active a ON a.person = t.person
        WHERE t.day_from <= ? AND ? < t.day_until AND t.status <> 'left'
        GROUP BY u.unit, t.rank
        """,
        (*within, number, number),
    )
    [(active_in_all,)] = figures.query(f"{active} SELECT count(*) FROM active", within)
    everybody = _group("", rows)
    return Participation(
        day=day,
        everybody=everybody,
        units=_groups(rows, 0),
        ranks=_groups(rows, 1),
        gone=active_in_all - everybody.taking_part,
    )


def _groups(rows: Sequence[tuple[Any, ...]], column: int) -> tuple[Group, ...]:
    codes = sorted({row[column] for row in rows})
    return tuple(_group(code, [row for row in rows if row[column] == code]) for code in codes)


def _group(code: str, rows: Sequence[tuple[Any, ...]]) -> Group:
    return Group(code, *(sum(row[column] for row in rows) for column in (2, 3, 4)))


def activity_by_programme(
    figures: Figures, kinds: Kinds, period: Period
) -> list[ProgrammeActivity]:
    """What people did in a period by programme, most activities first; what stands only."""
    owners = {kind.name: programme_of(kinds, kind.name) for kind in kinds if kind.activity}
    rows = figures.query(
        f"""
        WITH owners AS MATERIALIZED (
            SELECT a.id, o.value AS programme
            FROM json_each(?) o JOIN activities a ON a.kind = o.key
        )
        SELECT o.programme, count(CASE WHEN p.share > 0 THEN 1 END) AS activities,
               count(DISTINCT CASE WHEN p.share > 0 THEN p.person END),
               count(CASE WHEN p.points > 0 AND p.share > 0 THEN 1 END), sum(p.points)
        FROM postings p CROSS JOIN owners o ON o.id = p.activity
        WHERE p.day >= ? AND p.day < ? AND {POSTING_STANDS}
        GROUP BY o.programme ORDER BY activities DESC, o.programme
        """,
        (json.dumps(owners), period.day_from, period.day_until),
    )
    return [
        ProgrammeActivity(programme, kinds.programme(programme).label, *counts)
        for programme, *counts in rows
    ]


def programme_of(kinds: Kinds, name: str) -> str:
    """The programme of the plan that a kind belongs to.

    The first word of its name, where that is one: what is entered into a contest is the contest's.
    """
    word = name.partition(".")[0]
    categories = {kind.category for kind in kinds}
    return word if word in categories else kinds.get(name).category


def activity_by_month(figures: Figures, period: Period) -> list[Month]:
    """What people did in a period, by month; months without anything are left out."""
    rows = figures.query(
        "SELECT p.day / 100, count(CASE WHEN p.share > 0 THEN 1 END), sum(p.points) FROM postings p"
        f" WHERE p.day >= ? AND p.day < ? AND {POSTING_STANDS} GROUP BY 1 ORDER BY 1",
        (period.day_from, period.day_until),
    )
    return [Month(f"{month // 100:04d}-{month % 100:02d}", *counts) for month, *counts in rows]


def money(
    ledger: Ledger,
    period: Period,
    *,
    as_of: date | None = None,
    known_at: datetime | None = None,
) -> list[Money]:
    """Support granted, spent and returned in a period, by item, what was returned last.

    Args:
        ledger: The ledger.
        period: The period in which it was granted, spent or given back.
        as_of: What counted on that civil date, corrections that took effect by then included.
        known_at: Only what had been recorded by that instant.
    """
    found: dict[str, Money] = {}
    for item in standing_facts(ledger, _MONEY, as_of=as_of, known_at=known_at):
        fact = item.fact
        if period.day_from <= day_number(fact.occurred_on) < period.day_until:
            column, data = _MONEY[fact.kind.name], fact.data
            name = getattr(data, "item", "")
            known = found.get(name, Money(name))
            sums = {column: getattr(known, column) + data.amount}
            found[name] = attrs.evolve(known, **sums)
    order = [*ITEMS, ""]
    return sorted(found.values(), key=lambda line: order.index(line.item))


_MONEY = {
    "support.granted": "granted",
    "support.spent": "spent",
    "support.returned": "returned",
}
