"""The example's lives: of learning clubs and of contests, in one year.

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
    SESSION_TOPICS,
    SUBJECTS,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ._agenda import Life
    from ._draws import Draws

__all__ = ["Cast", "clubs", "contests", "shared", "team"]

_AGENCY_GRADES = ("grand", "gold", "silver", "bronze", "encouragement")
_ROUNDS = ("preliminary", "final")
_INTER_AGENCY_GRADES = ("president", "prime_minister", "minister")

# Percent; only as many decimals as a share may have.
_SHARES = {
    2: (("60", "40"), ("70", "30"), ("62.5", "37.5"), ("80", "20")),
    3: (("50", "30", "20"), ("60", "20", "20"), ("33.3334", "33.3333", "33.3333")),
    4: (("40", "30", "20", "10"), ("55", "15", "15", "15")),
    5: (("40", "20", "20", "10", "10"), ("30", "30", "20", "10", "10")),
}
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


def clubs(draws: Draws, cast: Cast, year: int, count: int) -> Iterator[Life]:
    """Begin a year's learning clubs; those who are only in clubs are dealt to them evenly."""
    start = ordinal(year, 3, 2)
    width = max(3, len(str(count)))
    for index in range(count):
        size = _CLUB_SIZE_MIN + draws.below(_CLUB_SIZE_MAX - _CLUB_SIZE_MIN + 1)
        members = team(draws, cast.people, cast.club_only[index::count], size)
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
        if not mistaken and come and draws.chance(50):
            presented = {"club": self._code, "session": code, "presenter": draws.one_of(come)}
            yield day, "learning_club.topic_presented", presented
        if mistaken:
            void = {"fact": held["key"], "reason": "열리지 않은 모임"}
            yield workday(day + 2 + draws.below(8)), "fact.voided", void


def contests(  # noqa: PLR0913, PLR0917 - all that a year's contests are told of
    draws: Draws, cast: Cast, year: int, entries: int, finals: int, units: Sequence[str]
) -> Iterator[Life]:
    """Begin a year's contests: within the agency in autumn, then across agencies in two rounds."""
    alone = list(cast.contest_only)
    number = 0
    while entries:
        number += 1
        size = min(entries, _ENTRIES_OF_CONTEST_MAX)
        entries -= size
        code = f"CT-{year}-A{number}"
        contest = _Contest(draws, cast.people, units, code, "agency", _AGENCY_GRADES)
        title = f"{year}년 혁신우수사례 경진대회 ({number}차)"
        surely, alone = alone[:size], alone[size:]
        yield contest.life(title, workday(ordinal(year, 9, 1)), size, surely)
    if finals:
        grades = _INTER_AGENCY_GRADES
        code = f"CT-{year}-I1"
        contest = _Contest(draws, cast.people, units, code, "inter_agency", grades)
        title = f"{year}년 중앙행정기관 혁신경진대회"
        yield contest.life(title, workday(ordinal(year, 10, 24)), finals, ())


class _Contest:
    """One contest: opened, entries for three weeks, awards a month later, one taken back.

    Across agencies entries come through two rounds. The best case of the agency is shared with all
    staff and benchmarked by another unit.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what makes a contest
        self,
        draws: Draws,
        people: Sequence[str],
        units: Sequence[str],
        code: str,
        scope: str,
        grades: Sequence[str],
    ) -> None:
        self._draws = draws
        self._people = people
        self._units = units
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
        if self._scope == "inter_agency":
            opened |= {"rounds": ";".join(_ROUNDS), "host": "행정자치부"}
        yield day, "contest.opened", opened
        for number in range(entries):
            entered = self._entry(number, surely[number : number + 1])
            yield workday(day + 2 + 18 * number // entries), "contest.entered", entered
        if entries > len(surely) + 2:
            taken = {**self._of(entries - 1), "reason": "준비 부족"}
            yield workday(day + 25), "contest.entry_withdrawn", taken
            entries -= 1
        yield from self._awards(day, entries)

    def _of(self, number: int) -> dict[str, str]:
        return {"contest": self._code, "entry": _entry_code(number)}

    def _entry(self, number: int, surely: Sequence[str]) -> dict[str, str]:
        draws = self._draws
        entrants = team(draws, self._people, surely, draws.one_of(_TEAMS))
        return {
            "contest": self._code,
            "entry": _entry_code(number),
            "title": f"{draws.one_of(SUBJECTS)} {draws.one_of(ADJUSTMENTS)} 사례",
            "entrants": shared(draws, entrants),
        }

    def _awards(self, begun: int, entries: int) -> Life:
        draws, day = self._draws, workday(begun + 49)
        count = min(max(len(self._grades), entries // 6), max(1, entries // 2))
        winners = draws.distinct(count, lambda: draws.below(entries))
        if self._scope == "inter_agency":
            yield from self._rounds(begun, winners, entries)
        for place, winner in enumerate(winners):
            # One of each grade, then only the lowest: the best are few.
            grade = self._grades[min(place, len(self._grades) - 1)]
            yield day, "contest.awarded", {**self._of(winner), "grade": grade}
        yield day + 1, "contest.closed", {"contest": self._code}
        if self._scope == "agency":
            yield from self._used(winners[0], workday(day + 7))
            if count > 1:
                taken_back = {**self._of(winners[1]), "reason": "다른 기관 사례와 동일함이 확인됨"}
                yield workday(day + 28), "contest.award_withdrawn", taken_back

    def _rounds(self, begun: int, winners: Sequence[int], entries: int) -> Life:
        """Let the winners through both rounds, and one more through the first."""
        first, last = _ROUNDS
        through = [*winners, *(n for n in range(entries) if n not in winners)][: len(winners) + 1]
        for number in through:
            yield workday(begun + 30), "contest.shortlisted", {**self._of(number), "round": first}
        for number in winners:
            yield workday(begun + 40), "contest.shortlisted", {**self._of(number), "round": last}

    def _used(self, winner: int, day: int) -> Life:
        """Share the best case with all staff; another unit does it the same way."""
        draws, case = self._draws, self._of(winner)
        yield day, "contest.case_shared", {**case, "medium": "case_book"}
        by = {**case, "unit": draws.one_of(self._units)}
        benchmarked = {**by, "description": "같은 방식으로 처리 절차를 바꿈"}
        yield workday(day + 7), "contest.case_benchmarked", benchmarked
        credited = {**by, "contributors": ";".join(team(draws, self._people, (), 2))}
        yield workday(day + 14), "contest.benchmark_credited", credited


def _entry_code(number: int) -> str:
    return f"E{number + 1:03d}"


def team(draws: Draws, people: Sequence[str], surely: Sequence[str], size: int) -> list[str]:
    """Add different people to those who are in for sure, until there are enough or no more."""
    missing = min(size, len(people)) - len(surely)
    if missing <= 0:
        return list(surely)
    return [*surely, *draws.distinct(missing, lambda: draws.one_of(people), besides=surely)]


def shared(draws: Draws, people: Sequence[str]) -> str:
    """Write a team's shares: equal ones, or in half of the cases declared ones."""
    if len(people) == 1 or draws.chance(50):
        return ";".join(people)
    parts = draws.one_of(_SHARES[len(people)])
    return ";".join(f"{person}:{part}" for person, part in zip(people, parts, strict=True))
