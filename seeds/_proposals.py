"""The example's proposals of one year, with the rounds in which they are decided."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from ._agenda import ordinal, workday
from ._programmes import Cast, shared, team
from ._texts import ADJUSTMENTS, MERGERS, REJECTIONS, SUBJECTS, WITHDRAWALS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ._agenda import Life
    from ._draws import Draws

__all__ = ["Proposals", "proposal_rounds"]

# Proposals come little in winter and much before the half-yearly deadlines, rarely on weekends.
_WEIGHT_OF_MONTH = (2, 4, 9, 8, 7, 9, 5, 4, 8, 9, 10, 6)
_WEIGHT_OF_WEEKDAY = (9, 9, 9, 9, 8, 2, 1)

_PROPOSAL_GRADES = ("encouragement",) * 78 + ("bronze",) * 16 + ("silver",) * 5 + ("gold",)
_AUTHORS = (1,) * 82 + (2,) * 11 + (3,) * 5 + (4,) * 2
_HONOURED = ("gold", "silver")
_GRADES = ("gold", "silver", "bronze", "encouragement")
# When the grade gold is left vacant: from this month and day on to another, in quarter 1 and 3.
_VACANT = {1: ((3, 10), (3, 24)), 3: ((9, 12), (12, 31))}


def _quarter(day: date) -> int:
    return (day.month + 2) // 3


def _round_of(day: int) -> str:
    """The round in which a proposal is decided on a day: one for each quarter."""
    on = date.fromordinal(day)
    return f"PR-{on.year}-Q{_quarter(on)}"


def _sitting(day: int) -> int:
    """A workday on which the round has begun: not the first day of a quarter."""
    day = workday(day)
    on = date.fromordinal(day)
    return workday(day + 1) if on.day == 1 and on.month % 3 == 1 else day


def _is_vacant(day: int) -> bool:
    """Whether the best grade is vacant, its last such day included: that day's order is open."""
    on = date.fromordinal(day)
    span = _VACANT.get(_quarter(on))
    return span is not None and span[0] <= (on.month, on.day) <= span[1]


def proposal_rounds(year: int) -> Iterator[Life]:
    """Hold a round of review in every quarter; in two of them the best grade is left vacant."""
    for quarter in range(1, 5):
        yield _round(year, quarter)


def _round(year: int, quarter: int) -> Life:
    first = ordinal(year, 3 * quarter - 2, 1)
    code = {"proposal_round": _round_of(first)}
    grades = ";".join(_GRADES)
    title = f"{year}년 {quarter}분기 제안심사위원회"
    yield first, "proposal_round.opened", {**code, "title": title, "grades": grades}
    if quarter in _VACANT:
        since, until = (ordinal(year, *day) for day in _VACANT[quarter])
        grade = {**code, "grade": "gold"}
        vacant = {**grade, "reason": "해당작 없음"}
        yield since, "proposal_round.grade_left_vacant", vacant
        if quarter == 1:
            reopened = {**grade, "reason": "추가 심사에서 해당작이 나옴"}
            yield until, "proposal_round.grade_reopened", reopened
    after = ordinal(year + quarter // 4, 3 * quarter % 12 + 1, 1)
    yield after - 1, "proposal_round.closed", code


class Proposals:
    """The proposals submitted in a year, spread over its days and over its proposers.

    Most proposers have one proposal; what is left goes to two fifths of them, most of it to a few.
    """

    def __init__(self, draws: Draws, cast: Cast, year: int, count: int) -> None:
        self._draws = draws
        self._cast = cast
        self._year = year
        self._width = max(4, len(str(count)))
        self._submitted = 0
        self._due = _spread(year, count)
        most_active = max(1, len(cast.proposers) * 2 // 5)
        self._proposers = list(cast.proposers)
        for _ in range(count - len(cast.proposers)):
            luck = draws.fraction()
            self._proposers.append(cast.proposers[int(most_active * luck * luck)])
        draws.shuffle(self._proposers)
        self._begun: set[str] = set()
        self._adopted_so_far: list[str] = []
        self._awards = 0

    def begun(self, day_of_year: int) -> Iterator[Life]:
        """Begin the proposals that are submitted on a day, counted from 0."""
        first = ordinal(self._year, 1, 1)
        while self._submitted < self._due[day_of_year]:
            proposer = self._proposers[self._submitted]
            self._submitted += 1
            code = f"{self._year}-{self._submitted:0{self._width}d}"
            yield self._life(code, proposer, first + day_of_year)

    def _life(self, code: str, proposer: str, day: int) -> Life:
        draws = self._draws
        authors = team(draws, self._cast.people, (proposer,), draws.one_of(_AUTHORS))
        cell = shared(draws, authors)
        yield (
            day,
            "proposal.submitted",
            {
                "proposal": code,
                "title": f"{draws.one_of(SUBJECTS)} {draws.one_of(ADJUSTMENTS)}",
                "channel": "online" if draws.chance(70) else "paper",
                "authors": cell,
            },
        )
        first = proposer not in self._begun
        self._begun.add(proposer)
        if not first and draws.chance(7):  # something of everybody who takes part counts
            withdrawn = {"proposal": code, "reason": draws.one_of(WITHDRAWALS)}
            yield workday(day + 2 + draws.below(12)), "proposal.withdrawn", withdrawn
            return
        good = draws.chance(28)
        if not first and good and self._adopted_so_far and draws.chance(4):
            merged = {
                "proposal": code,
                "into": draws.one_of(self._adopted_so_far),
                "ruling": draws.one_of(MERGERS),
            }
            yield workday(day + 5), "proposal.merged", merged
            return
        for reviewer in self._reviewers(authors):
            day = _sitting(day + 4 + draws.below(12))
            recommended = draws.chance(90 if good else 25)
            outcome = "recommended" if recommended else "not_recommended"
            reviewed = {
                "proposal": code,
                "reviewer": reviewer,
                "outcome": outcome,
                "proposal_round": _round_of(day),
            }
            yield day, "proposal.reviewed", reviewed
        # A few are held and decided a year or two later.
        if draws.chance(3):
            day = _sitting(day + 1)
            held = {
                "proposal": code,
                "reason": "관계 기관 협의 중",
                "proposal_round": _round_of(day),
            }
            yield day, "proposal.held", held
            day += 400 + draws.below(330)
        day = _sitting(day + 3 + draws.below(20))
        yield from self._adopted(code, cell, day) if good else self._rejected(code, day)

    def _reviewers(self, authors: Sequence[str]) -> list[str]:
        """Draw one to three reviewers; nobody reviews a proposal of his or her own."""
        panel = self._cast.reviewers
        if not panel:
            return []
        draws = self._draws
        count = 1 if draws.chance(70) else 2 if draws.chance(80) else 3
        return draws.distinct(count, lambda: draws.one_of(panel), besides=authors)

    def _rejected(self, code: str, day: int) -> Life:
        reason = self._draws.one_of(REJECTIONS)
        rejected = {"proposal": code, "reason": reason, "proposal_round": _round_of(day)}
        yield day, "proposal.rejected", rejected

    def _adopted(self, code: str, authors: str, day: int) -> Life:
        draws = self._draws
        adopted = {"proposal": code, "proposal_round": _round_of(day)}
        grade, late = self._grade(day), draws.chance(3)
        if not late:
            adopted["grade"] = grade
        yield day, "proposal.adopted", adopted
        self._adopted_so_far.append(code)
        if late:
            day = _sitting(day + 21)
            grade = self._grade(day)
            graded = {"proposal": code, "proposal_round": _round_of(day), "grade": grade}
            yield day, "proposal.graded", graded
        if draws.chance(65):
            day = workday(day + 20 + draws.below(110))
            yield from self._implemented(code, day)
            day += 30
        if grade in _HONOURED and date.fromordinal(day + 50).year == self._year:
            yield from self._honoured(code, authors, workday(day + 10))

    def _implemented(self, code: str, day: int) -> Life:
        draws = self._draws
        yield day, "proposal.implemented", {"proposal": code}
        if draws.chance(5):
            void = {"fact": f"proposal.implemented:{code}", "reason": "실시 사실이 확인되지 않음"}
            yield workday(day + 7 + draws.below(20)), "fact.voided", void
        elif date.fromordinal(day + 14).year == self._year and draws.chance(30):
            crew = team(draws, self._cast.people, (), 1 + draws.below(2))
            credited = {"proposal": code, "implementers": shared(draws, crew)}
            yield workday(day + 10), "proposal.implementation_credited", credited

    def _honoured(self, code: str, authors: str, day: int) -> Life:
        """Award the authors of a good proposal; now and then the award is withdrawn."""
        self._awards += 1
        name = f"AW-{self._year}-{self._awards:03d}"
        granted = {
            "award": name,
            "title": "우수제안자 표창",
            "recipients": authors,
            "basis": "우수제안 채택",
            "certificate": f"{self._year}-{self._awards:03d}",
            "grade": "commissioner",
            "prize": "300000",
            "proposal": code,
        }
        yield day, "award.granted", granted
        if self._draws.chance(10):
            yield (
                workday(day + 21),
                "award.withdrawn",
                {"award": name, "reason": "공적 사실과 다름"},
            )

    def _grade(self, day: int) -> str:
        grade = self._draws.one_of(_PROPOSAL_GRADES)
        return "silver" if grade == "gold" and _is_vacant(day) else grade


def _spread(year: int, count: int) -> list[int]:
    """Return for each day of the year how many of ``count`` are submitted by its end."""
    first, last = ordinal(year, 1, 1), ordinal(year, 12, 31)
    starts = [ordinal(year, month, 1) for month in range(1, 13)]
    weights = []
    for day in range(first, last + 1):
        month = sum(start <= day for start in starts) - 1
        holiday = day in (first, last)
        weekday = (day - 1) % 7
        weights.append(0 if holiday else _WEIGHT_OF_MONTH[month] * _WEIGHT_OF_WEEKDAY[weekday])
    whole, so_far, due = sum(weights), 0, []
    for weight in weights:
        so_far += weight
        due.append(count * so_far // whole)
    return due
