"""The example's lives: of proposals, of learning clubs and of contests, in one year.

Every life keeps to what the ledger guards: each step later than the one before, sessions held by
members of that day, one award for an entry. What lies beyond the year's end stays open.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from ._agenda import ordinal, workday
from ._texts import (
    ADJUSTMENTS,
    CLUB_THEMES,
    REJECTIONS,
    SESSION_TOPICS,
    SUBJECTS,
    WITHDRAWALS,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ._agenda import Life
    from ._draws import Draws

__all__ = ["Cast", "Proposals", "clubs", "contests"]

# Proposals come little in winter and much before the half-yearly deadlines, rarely on weekends.
_WEIGHT_OF_MONTH = (2, 4, 9, 8, 7, 9, 5, 4, 8, 9, 10, 6)
_WEIGHT_OF_WEEKDAY = (9, 9, 9, 9, 8, 2, 1)

_PROPOSAL_GRADES = ("encouragement",) * 78 + ("bronze",) * 16 + ("silver",) * 5 + ("gold",)
_AGENCY_GRADES = ("grand", "gold", "silver", "bronze", "encouragement")
_INTER_AGENCY_GRADES = ("president", "prime_minister", "minister")

# Percent; only as many decimals as a share may have.
_SHARES = {
    2: (("60", "40"), ("70", "30"), ("62.5", "37.5"), ("80", "20")),
    3: (("50", "30", "20"), ("60", "20", "20"), ("33.3334", "33.3333", "33.3333")),
    4: (("40", "30", "20", "10"), ("55", "15", "15", "15")),
    5: (("40", "20", "20", "10", "10"), ("30", "30", "20", "10", "10")),
}
_AUTHORS = (1,) * 82 + (2,) * 11 + (3,) * 5 + (4,) * 2
_TEAMS = (1, 1, 2, 2, 3, 3, 4, 5)
_HOURS = ("1", "1.5", "2", "2", "2", "2.5", "3")

_CLUB_SIZE_MIN, _CLUB_SIZE_MAX = 4, 12
_ENTRIES_OF_CONTEST_MAX = 750
_LAST_CLUB_MONTH = 12
_LAST_SPENDING_MONTH = 6


@dataclass(frozen=True)
class Cast:
    """A year's participants, by the part each is sure to have.

    Attributes:
        people: Everybody who takes part.
        proposers: Those who submit at least one proposal, the most active first.
        club_only: Those sure to be in a club.
        contest_only: Those sure to be in a contest.
        reviewers: The panel that reviews proposals; empty when too few take part.
    """

    people: Sequence[str]
    proposers: Sequence[str]
    club_only: Sequence[str]
    contest_only: Sequence[str]
    reviewers: Sequence[str]


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
        authors = _team(draws, self._cast.people, (proposer,), draws.one_of(_AUTHORS))
        yield (
            day,
            "proposal.submitted",
            {
                "proposal": code,
                "title": f"{draws.one_of(SUBJECTS)} {draws.one_of(ADJUSTMENTS)}",
                "channel": "online" if draws.chance(70) else "paper",
                "authors": _shared(draws, authors),
            },
        )
        first = proposer not in self._begun
        self._begun.add(proposer)
        if not first and draws.chance(7):  # something of everybody who takes part counts
            withdrawn = {"proposal": code, "reason": draws.one_of(WITHDRAWALS)}
            yield workday(day + 2 + draws.below(12)), "proposal.withdrawn", withdrawn
            return
        good = draws.chance(28)
        for reviewer in self._reviewers(authors):
            day = workday(day + 4 + draws.below(12))
            recommended = draws.chance(90 if good else 25)
            outcome = "recommended" if recommended else "not_recommended"
            reviewed = {"proposal": code, "reviewer": reviewer, "outcome": outcome}
            yield day, "proposal.reviewed", reviewed
        # A few are held and decided a year or two later.
        day = workday(day + (400 + draws.below(330) if draws.chance(3) else 3 + draws.below(20)))
        yield from self._adopted(code, day) if good else self._rejected(code, day)

    def _reviewers(self, authors: Sequence[str]) -> list[str]:
        """Draw one to three reviewers; nobody reviews a proposal of his or her own."""
        panel = self._cast.reviewers
        if not panel:
            return []
        draws = self._draws
        count = 1 if draws.chance(70) else 2 if draws.chance(80) else 3
        return draws.distinct(count, lambda: draws.one_of(panel), besides=authors)

    def _rejected(self, code: str, day: int) -> Life:
        rejected = {"proposal": code, "reason": self._draws.one_of(REJECTIONS)}
        yield day, "proposal.rejected", rejected

    def _adopted(self, code: str, day: int) -> Life:
        draws = self._draws
        adopted = {"proposal": code, "grade": draws.one_of(_PROPOSAL_GRADES)}
        yield day, "proposal.adopted", adopted
        if not draws.chance(65):
            return
        day = workday(day + 20 + draws.below(110))
        yield day, "proposal.implemented", {"proposal": code}
        if draws.chance(5):
            void = {"fact": f"proposal.implemented:{code}", "reason": "실시 사실이 확인되지 않음"}
            yield workday(day + 7 + draws.below(20)), "fact.voided", void


def clubs(draws: Draws, cast: Cast, year: int, count: int) -> Iterator[Life]:
    """Begin a year's learning clubs; those who are only in clubs are dealt to them evenly."""
    start = ordinal(year, 3, 2)
    width = max(3, len(str(count)))
    for index in range(count):
        size = _CLUB_SIZE_MIN + draws.below(_CLUB_SIZE_MAX - _CLUB_SIZE_MIN + 1)
        members = _team(draws, cast.people, cast.club_only[index::count], size)
        draws.shuffle(members)
        club = _Club(draws, f"LC-{year}-{index + 1:0{width}d}", year, members)
        yield club.life(workday(start + draws.below(35)))


class _Club:
    """One learning club in one year: founded in spring, monthly sessions until December."""

    def __init__(self, draws: Draws, code: str, year: int, members: list[str]) -> None:
        self._draws = draws
        self._code = code
        self._year = year
        self._number = int(code.rpartition("-")[2])
        self._supported = self._number % 2 == 0
        # One in eight comes later, one in twelve goes before the end; the leader does neither.
        self._late = [person for person in members[3:] if draws.chance(12)]
        self._founders = [person for person in members if person not in self._late]
        self._leaving = [person for person in self._founders[3:] if draws.chance(8)]
        self._members = self._founders[:1]
        self._expected = list(members)  # everybody comes at least once
        self._sessions_of_month = 1 if draws.chance(80) else 2 + draws.below(2)

    def life(self, day: int) -> Life:
        draws = self._draws
        title = f"{draws.one_of(CLUB_THEMES)} 연구회 {self._code}"
        registered = {"club": self._code, "title": title, "leader": self._founders[0]}
        yield day, "learning_club.registered", registered
        for person in self._founders[1:]:
            day = workday(day + draws.below(3))
            yield self._join(day, person)
        if self._supported:
            yield from self._grant(day)
        first_month = date.fromordinal(day).month + 1
        for month in range(first_month, _LAST_CLUB_MONTH + 1):
            yield from self._month(month, month - first_month)
            if month == _LAST_SPENDING_MONTH and self._supported:
                yield from self._spend("activity", 200_000, workday(ordinal(self._year, month, 27)))
        yield from self._end()

    def _grant(self, day: int) -> Life:
        for item, amount in (("activity", 300_000), ("printing", 100_000)):
            granted = {"group": self._code, "item": item, "amount": str(amount)}
            yield day, "support.granted", granted

    def _spend(self, item: str, amount: int, day: int) -> Life:
        receipt = f"{self._code}-{item}"
        spent = {"group": self._code, "item": item, "amount": str(amount), "receipt": receipt}
        yield day, "support.spent", spent

    def _end(self) -> Life:
        """Present the year's result; every third club publishes a report; money is settled."""
        day = workday(ordinal(self._year, 12, 26))
        speakers = ";".join(self._members[:2])
        common = {"club": self._code, "topic": "한 해의 학습 결과"}
        presented = {**common, "presentation": "P1", "presenters": speakers}
        yield day, "learning_club.result_presented", presented
        if self._number % 3 == 0:
            report = {**common, "report": "R1", "writers": self._members[0]}
            yield day, "learning_club.report_published", report
        if self._supported:
            yield from self._spend("printing", 100_000, day)
            settled = {"group": self._code, "settled_by": "혁신담당"}
            yield day + 1, "support.settled", settled
            yield day + 2, "support.returned", {"group": self._code, "amount": "100000"}

    def _month(self, month: int, months_before: int) -> Life:
        first = ordinal(self._year, month, 1)
        if months_before == 1:
            for person in self._late:
                yield self._join(workday(first), person)
        if months_before == 4:  # noqa: PLR2004 - whoever goes has come a few times
            for person in self._leaving:
                self._members.remove(person)
                left = {"club": self._code, "person": person}
                yield workday(first), "learning_club.left", left
        for number in range(self._sessions_of_month):
            day = workday(first + 5 + 7 * number + self._draws.below(5))
            yield from self._session(day, f"{self._year}-{month:02d}-{number + 1}")

    def _join(self, day: int, person: str) -> tuple[int, str, dict[str, str]]:
        self._members.append(person)
        return day, "learning_club.joined", {"club": self._code, "person": person}

    def _session(self, day: int, code: str) -> Life:
        draws = self._draws
        come = [p for p in self._members if p in self._expected or draws.chance(80)]
        held = {
            "club": self._code,
            "session": code,
            "topic": draws.one_of(SESSION_TOPICS),
            "hours": draws.one_of(_HOURS),
            "attendees": ";".join(come or self._members[:1]),
        }
        # Recorded by mistake and taken back before the next one, seldom; never somebody's only one.
        mistaken = self._sessions_of_month == 1 and not self._expected and draws.chance(3)
        if mistaken:
            held["key"] = f"session-{self._code}-{code}"
        self._expected = [person for person in self._expected if person not in come]
        yield day, "learning_club.session_held", held
        if mistaken:
            void = {"fact": held["key"], "reason": "열리지 않은 모임"}
            yield workday(day + 2 + draws.below(8)), "fact.voided", void


def contests(draws: Draws, cast: Cast, year: int, entries: int, finals: int) -> Iterator[Life]:
    """Begin a year's contests: within the agency in autumn, then across agencies."""
    alone = list(cast.contest_only)
    number = 0
    while entries:
        number += 1
        size = min(entries, _ENTRIES_OF_CONTEST_MAX)
        entries -= size
        contest = _Contest(draws, cast.people, f"CT-{year}-A{number}", "agency", _AGENCY_GRADES)
        title = f"{year}년 혁신우수사례 경진대회 ({number}차)"
        surely, alone = alone[:size], alone[size:]
        yield contest.life(title, workday(ordinal(year, 9, 1)), size, surely)
    if finals:
        grades = _INTER_AGENCY_GRADES
        contest = _Contest(draws, cast.people, f"CT-{year}-I1", "inter_agency", grades)
        title = f"{year}년 중앙행정기관 혁신경진대회"
        yield contest.life(title, workday(ordinal(year, 10, 24)), finals, ())


class _Contest:
    """One contest: opened, entries for three weeks, awards a month later, one taken back."""

    def __init__(
        self, draws: Draws, people: Sequence[str], code: str, scope: str, grades: Sequence[str]
    ) -> None:
        self._draws = draws
        self._people = people
        self._code = code
        self._scope = scope
        self._grades = grades

    def life(self, title: str, day: int, entries: int, surely: Sequence[str]) -> Life:
        opened = {
            "contest": self._code,
            "title": title,
            "scope": self._scope,
            "grades": ";".join(self._grades),
        }
        yield day, "contest.opened", opened
        for number in range(entries):
            entered = self._entry(number, surely[number : number + 1])
            yield workday(day + 2 + 18 * number // entries), "contest.entered", entered
        yield from self._awards(workday(day + 49), entries)

    def _entry(self, number: int, surely: Sequence[str]) -> dict[str, str]:
        draws = self._draws
        team = _team(draws, self._people, surely, draws.one_of(_TEAMS))
        return {
            "contest": self._code,
            "entry": _entry_code(number),
            "title": f"{draws.one_of(SUBJECTS)} {draws.one_of(ADJUSTMENTS)} 사례",
            "entrants": _shared(draws, team),
        }

    def _awards(self, day: int, entries: int) -> Life:
        draws = self._draws
        count = min(max(len(self._grades), entries // 6), max(1, entries // 2))
        winners = draws.distinct(count, lambda: draws.below(entries))
        for place, winner in enumerate(winners):
            # One of each grade, then only the lowest: the best are few.
            grade = self._grades[min(place, len(self._grades) - 1)]
            awarded = {"contest": self._code, "entry": _entry_code(winner), "grade": grade}
            yield day, "contest.awarded", awarded
        if self._scope == "agency" and count > 1:
            entry = _entry_code(winners[1])
            taken_back = {
                "contest": self._code,
                "entry": entry,
                "reason": "다른 기관 사례와 동일함이 확인됨",
            }
            yield workday(day + 21), "contest.award_withdrawn", taken_back


def _entry_code(number: int) -> str:
    return f"E{number + 1:03d}"


def _team(draws: Draws, people: Sequence[str], surely: Sequence[str], size: int) -> list[str]:
    """Add different people to those who are in for sure, until there are enough or no more."""
    missing = min(size, len(people)) - len(surely)
    if missing <= 0:
        return list(surely)
    return [*surely, *draws.distinct(missing, lambda: draws.one_of(people), besides=surely)]


def _shared(draws: Draws, team: Sequence[str]) -> str:
    """Write a team's shares: equal ones, or in half of the cases declared ones."""
    if len(team) == 1 or draws.chance(50):
        return ";".join(team)
    parts = draws.one_of(_SHARES[len(team)])
    return ";".join(f"{person}:{part}" for person, part in zip(team, parts, strict=True))


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
