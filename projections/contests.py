"""Contests and their results: who entered what, how far it came, what was made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
from mileage.ledger import MileageError
from mileage.ledger.kinds.contest import (
    ContestAwarded,
    ContestAwardWithdrawn,
    ContestCaseBenchmarked,
    ContestCaseShared,
    ContestClosed,
    ContestEntered,
    ContestEntryWithdrawn,
    ContestOpened,
    ContestShortlisted,
)

from .standing import kinds_about, standing_facts

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from mileage.ledger import Ledger, Recorded, Share

    from .figures import Figures

__all__ = ["ContestEntry", "ContestResult", "UnknownContest", "contest_result", "contest_results"]


class UnknownContest(MileageError):
    """No standing fact opens that contest."""


@attrs.frozen
class ContestEntry:
    """An entry and what came of it.

    Attributes:
        entry: Its number in the contest.
        title: Its title.
        unit: Code of the unit the case is from; ``None`` where that was not said.
        entrants: Who entered it, with shares.
        entered_on: Civil date of the entry.
        passed: Rounds it is through, in order.
        grade: Grade of the award that stands; ``None`` without one.
        awarded_on: Civil date of that award.
        award_withdrawn_on: Civil date on which an award was withdrawn and none given since.
        withdrawn_on: Civil date on which the entrants took it back.
        shared_by: Media by which the case is shared, in order.
        benchmarked_by: Codes of the units that benchmark it, in order.
        place: Its place by the grades of the contest, entries of one grade sharing it; ``None``
            without an award.
        points: What everybody has for it and for what came of it, 1/10,000 point.
    """

    entry: str
    title: str
    unit: str | None
    entrants: tuple[Share, ...]
    entered_on: date
    passed: tuple[str, ...] = ()
    grade: str | None = None
    awarded_on: date | None = None
    award_withdrawn_on: date | None = None
    withdrawn_on: date | None = None
    shared_by: tuple[str, ...] = ()
    benchmarked_by: tuple[str, ...] = ()
    place: int | None = None
    points: int = 0


@attrs.frozen
class ContestResult:
    """A contest with its entries.

    Attributes:
        contest: Its code.
        title: Its title.
        scope: ``agency`` or ``inter_agency``.
        host: Who holds it, if that was said.
        opened_on: Civil date of its opening.
        closed_on: Its last day, if it is closed.
        rounds: Rounds an entry comes through, in order.
        grades: Grades it can award, best first.
        entries: The entries: those with an award by place, then the others by how far they came,
            those taken back last.
    """

    contest: str
    title: str
    scope: str
    host: str | None
    opened_on: date
    closed_on: date | None
    rounds: tuple[str, ...]
    grades: tuple[str, ...]
    entries: tuple[ContestEntry, ...] = ()

    @property
    def awarded(self) -> int:
        """How many entries have an award that stands."""
        return sum(each.place is not None for each in self.entries)


def contest_results(
    ledger: Ledger,
    figures: Figures,
    *,
    as_of: date | None = None,
    known_at: datetime | None = None,
) -> list[ContestResult]:
    """All contests with their entries, by the date of opening and code.

    Args:
        ledger: The ledger.
        figures: Its figures, as of the same day and instant.
        as_of: What counted on that civil date, corrections that took effect by then included.
        known_at: Only what had been recorded by that instant.
    """
    names = kinds_about(ledger, "contest", "contest_entry")
    found = standing_facts(ledger, names, as_of=as_of, known_at=known_at)
    points = dict(figures.query(_POINTS))
    of_contest: dict[str, list[Recorded]] = {}
    for item in found:
        of_contest.setdefault(item.fact.data.contest, []).append(item)
    results = [result for facts in of_contest.values() if (result := _result(facts, points))]
    return sorted(results, key=lambda each: (each.opened_on, each.contest))


def contest_result(
    ledger: Ledger,
    figures: Figures,
    contest: str,
    *,
    as_of: date | None = None,
    known_at: datetime | None = None,
) -> ContestResult:
    """One contest with its entries; see ``contest_results``.

    Raises:
        UnknownContest: No such contest is opened, as far as was asked for.
    """
    results = contest_results(ledger, figures, as_of=as_of, known_at=known_at)
    found = next((each for each in results if each.contest == contest), None)
    if found is None:
        known = ", ".join(each.contest for each in results) or "none"
        msg = f"{contest}: no such contest is opened (there are: {known})"
        raise UnknownContest(msg)
    return found


_POINTS = """
SELECT t.stream, sum(p.points) FROM postings p JOIN things t ON t.id = p.thing
WHERE p.account = 0 AND t.stream >= 'contest_entry:' AND t.stream < 'contest_entry;'
GROUP BY t.stream
"""


def _result(facts: Iterable[Recorded], points: dict[str, int]) -> ContestResult | None:
    """The contest that facts are about, if one of them opens it."""
    contest: ContestResult | None = None
    entries: dict[str, ContestEntry] = {}
    for item in facts:
        data, day = item.fact.data, item.fact.occurred_on
        match data:
            case ContestOpened():
                contest = ContestResult(
                    *(data.contest, data.title, data.scope, data.host, day, None),
                    rounds=data.rounds or (),
                    grades=data.grades,
                )
            case ContestClosed():
                contest = contest and attrs.evolve(contest, closed_on=day)
            case ContestEntered():
                entries[data.entry] = ContestEntry(
                    *(data.entry, data.title, data.unit, data.entrants, day),
                    points=points.get(item.fact.originator_id, 0),
                )
            case _ if data.entry in entries:
                entries[data.entry] = _after(entries[data.entry], item)
    return contest and attrs.evolve(contest, entries=_in_order(contest, entries.values()))


def _after(entry: ContestEntry, item: Recorded) -> ContestEntry:
    """An entry after one more fact about it."""
    day = item.fact.occurred_on
    changes: dict[str, Any] = {}
    match item.fact.data:
        case ContestShortlisted(round=name):
            changes = {"passed": (*entry.passed, name)}
        case ContestAwarded(grade=grade):
            changes = {"grade": grade, "awarded_on": day, "award_withdrawn_on": None}
        case ContestAwardWithdrawn():
            changes = {"grade": None, "awarded_on": None, "award_withdrawn_on": day}
            changes |= {"shared_by": (), "benchmarked_by": ()}
        case ContestEntryWithdrawn():
            changes = {"withdrawn_on": day}
        case ContestCaseShared(medium=medium):
            changes = {"shared_by": (*entry.shared_by, medium)}
        case ContestCaseBenchmarked(unit=unit):
            changes = {"benchmarked_by": (*entry.benchmarked_by, unit)}
    return attrs.evolve(entry, **changes)


def _in_order(contest: ContestResult, entries: Iterable[ContestEntry]) -> tuple[ContestEntry, ...]:
    """Entries with their places, in the order in which results are read out."""
    found = list(entries)
    # As of some days a grade may be one that the contest, opened anew, does not have: the last.
    order = {grade: rank for rank, grade in enumerate(contest.grades)}
    ranks = [order.get(each.grade, len(order)) if each.grade else None for each in found]
    placed = [
        each
        if rank is None
        else attrs.evolve(each, place=1 + sum(r is not None and r < rank for r in ranks))
        for each, rank in zip(found, ranks, strict=True)
    ]
    last = len(found) + 1
    return tuple(
        sorted(
            placed,
            key=lambda each: (
                each.withdrawn_on is not None,
                each.place or last,
                -len(each.passed),
                each.entry,
            ),
        )
    )
