"""A second opinion: what facts amount to, worked out one fact at a time in plain Python.

Nothing of the projections is used here but the parser of rulebooks. Every rule is written the
slow and obvious way, from the documentation, so that the scoring plan has something to be held
against. Amounts are integers of 1/10,000, a share of 100 % is 1,000,000.
"""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from datetime import date
from fractions import Fraction
from graphlib import TopologicalSorter
from math import ceil, floor
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field, frozen
from mileage.ledger import to_units
from mileage.projections import activity_infos, parse_rulebook

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from mileage.ledger import Ledger, Recorded
    from mileage.projections import Rulebook
    from mileage.projections.rulebook import Programme, Rule

WHOLE = 1_000_000
MAIN = "mileage"

# kind: (kind that names the people, field with the people, field with the grade, with the hours)
ACTIVITIES = {
    "proposal.submitted": ("proposal.submitted", "authors", "", ""),
    "proposal.adopted": ("proposal.submitted", "authors", "grade", ""),
    "proposal.graded": ("proposal.submitted", "authors", "grade", ""),
    "proposal.implemented": ("proposal.submitted", "authors", "", ""),
    "proposal.implementation_credited": (
        "proposal.implementation_credited",
        "implementers",
        "",
        "",
    ),
    "learning_club.registered": ("learning_club.registered", "leader", "", ""),
    "learning_club.session_held": ("learning_club.session_held", "attendees", "", "hours"),
    "learning_club.topic_presented": ("learning_club.topic_presented", "presenter", "", ""),
    "learning_club.result_presented": ("learning_club.result_presented", "presenters", "", ""),
    "learning_club.report_published": ("learning_club.report_published", "writers", "", ""),
    "study_team.formed": ("study_team.formed", "leader", "", ""),
    "study_team.session_held": ("study_team.session_held", "attendees", "", "hours"),
    "study_team.result_delivered": (
        "study_team.result_delivered",
        "contributors",
        "timeliness",
        "",
    ),
    "course.attended": ("course.attended", "person", "", "hours"),
    "course.completed": ("course.completed", "person", "", ""),
    "course.lectured": ("course.lectured", "lecturer", "", "hours"),
    "course.difficulty_solved": ("course.difficulty_solved", "solvers", "", ""),
    "council.met": ("council.met", "attendees", "", ""),
    "contest.entered": ("contest.entered", "entrants", "", ""),
    "contest.shortlisted": ("contest.entered", "entrants", "round", ""),
    "contest.awarded": ("contest.entered", "entrants", "grade", ""),
    "contest.case_shared": ("contest.entered", "entrants", "medium", ""),
    "contest.case_benchmarked": ("contest.entered", "entrants", "", ""),
    "contest.benchmark_credited": ("contest.benchmark_credited", "contributors", "", ""),
    "publicity.published": ("publicity.published", "writers", "medium", ""),
    "task.milestone_reached": ("task.milestone_reached", "contributors", "", ""),
    "task.contributed": ("task.contributed", "contributors", "", ""),
    "award.granted": ("award.granted", "recipients", "grade", ""),
}
# kind: field that a rule can ask for, and the kind that says it
CONDITIONS = {
    "proposal.submitted": ("channel", "proposal.submitted"),
    "proposal.adopted": ("channel", "proposal.submitted"),
    "proposal.graded": ("channel", "proposal.submitted"),
    "proposal.implemented": ("channel", "proposal.submitted"),
    "proposal.implementation_credited": ("channel", "proposal.submitted"),
    "course.attended": ("form", "course.offered"),
    "course.completed": ("form", "course.offered"),
    "course.lectured": ("form", "course.offered"),
    "course.difficulty_solved": ("form", "course.offered"),
    "task.milestone_reached": ("origin", "task.assigned"),
    "task.contributed": ("origin", "task.assigned"),
    "council.met": ("body", "council.met"),
}
WITHDRAWN_BY = {
    "proposal.submitted": ("proposal.withdrawn", "proposal.merged"),
    "proposal.adopted": ("proposal.merged",),
    "proposal.graded": ("proposal.merged",),
    "proposal.implemented": ("proposal.merged",),
    "proposal.implementation_credited": ("proposal.merged",),
    "contest.entered": ("contest.entry_withdrawn",),
    "contest.shortlisted": ("contest.entry_withdrawn",),
    "contest.awarded": ("contest.award_withdrawn",),
    "contest.case_shared": ("contest.award_withdrawn",),
    "contest.case_benchmarked": ("contest.award_withdrawn",),
    "publicity.published": ("publicity.withdrawn",),
    "award.granted": ("award.withdrawn",),
}
HOLDS = ("points.held", "points.released", "points.denied")
MONTHS = {"month": 1, "quarter": 3, "half": 6, "year": 12}


@define
class Line:
    """What one person gets for one fact, and why not more."""

    person: str
    position: int
    kind: str
    day: date
    unit: str | None
    grade: str | None
    hours: int | None
    share: int
    adoption: int = 0
    rule: str = ""
    clause: str = ""
    whole: int = 0
    gross: int = 0
    account: str = MAIN
    waits: bool = False
    adjusts: tuple[date, int, int] | None = None
    cuts: list[tuple[str, str, int]] = field(factory=list)

    @property
    def points(self) -> int:
        """What counts."""
        return self.gross - sum(points for _, _, points in self.cuts)


@frozen
class Book:
    """A rulebook as adopted."""

    position: int
    effective_from: date
    rulebook: Rulebook


class Audit:
    """The figures of a ledger, of the facts that had happened and were known by then."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        as_of: date | None = None,
        known_at: datetime | None = None,
        upto: int | None = None,
        closes: bool = True,
    ) -> None:
        self.facts = [
            item
            for item in ledger.facts()
            if (as_of is None or item.fact.occurred_on <= as_of)
            and (known_at is None or item.fact.recorded_at <= known_at)
            and (upto is None or item.position <= upto)
        ]
        self.by_key = {item.fact.key: item for item in self.facts}
        self.books = [
            Book(
                item.position,
                item.fact.data.effective_from,
                parse_rulebook(item.fact.data.text, activity_infos(ledger.kinds)),
            )
            for item in self.facts
            if item.fact.kind.name == "rulebook.adopted" and not self.voided_by(item)
        ]
        self.lines = [line for item in self.facts for line in self._lines(item)]
        self._apply_caps()
        if closes:
            self._close(ledger, as_of, known_at, upto)

    # -- periods that are closed -----------------------------------------------------------------

    def _close(
        self,
        ledger: Ledger,
        as_of: date | None,
        known_at: datetime | None,
        upto: int | None,
    ) -> None:
        """Closed days as they were when they were closed, and what changed later on later days."""
        closed: list[tuple[int, date]] = []
        for item in ledger.facts():
            if known_at is not None and item.fact.recorded_at > known_at:
                continue
            if upto is not None and item.position > upto:
                continue
            if item.fact.kind.name == "period.closed":
                closed.append((item.position, _day_after(item.fact.data.period)))
            elif item.fact.kind.name == "period.reopened":
                closed.pop()
        states = [
            Audit(ledger, as_of=as_of, known_at=known_at, upto=position, closes=False).lines
            for position, _ in closed
        ]
        states.append(self.lines)
        lines, begin = [], None
        for (_, end), state in zip(closed, states, strict=False):
            lines += [x for x in state if x.day < end and (begin is None or x.day >= begin)]
            begin = end
        lines += [x for x in self.lines if begin is None or x.day >= begin]
        for index, (_, end) in enumerate(closed):
            if as_of is None or end <= as_of:
                lines += _differences(states[index], states[index + 1], end)
        self.lines = lines

    # -- what still stands -----------------------------------------------------------------------

    def voided_by(self, item: Recorded) -> int:
        """Position of the latest standing fact that voids this one; 0 when it stands."""
        found = 0
        for other in self.facts:
            if (
                other.fact.kind.name == "fact.voided"
                and other.fact.data.fact == item.fact.key
                and not self.voided_by(other)
            ):
                found = other.position
        return found

    def held_by(self, item: Recorded) -> tuple[str, int] | None:
        """Whether a fact is on hold or denied by the last standing word about it, and where."""
        last = None
        for other in self.facts:
            name = other.fact.kind.name
            about = name in HOLDS and other.fact.data.fact == item.fact.key
            if about and not self.voided_by(other):
                last = (name.partition(".")[2], other.position)
        return None if last is None or last[0] == "released" else last

    def withdrawn_by(self, item: Recorded) -> int:
        """Position of the first standing fact that takes this one back; 0 when none does."""
        for other in self.facts:
            if (
                other.fact.kind.name in WITHDRAWN_BY.get(item.fact.kind.name, ())
                and other.fact.originator_id == item.fact.originator_id
                and other.position > item.position
                and not self.voided_by(other)
            ):
                return other.position
        return 0

    # -- from a fact to lines --------------------------------------------------------------------

    def _lines(self, item: Recorded) -> Iterable[Line]:  # noqa: C901 - what there is to ask
        kind = item.fact.kind.name
        if kind not in ACTIVITIES:
            return []
        named_by, people, grade_field, hours_field = ACTIVITIES[kind]
        data, day = item.fact.data, item.fact.occurred_on
        grade = getattr(data, grade_field) if grade_field else None
        hours = to_units(getattr(data, hours_field)) if hours_field else None
        source = item if named_by == kind else self._naming(item, named_by)
        parts = _parts(getattr(source.fact.data, people))
        lines = []
        for account in self._accounts():
            earned = [
                Line(person, item.position, kind, day, self.unit(person, day), grade, hours, share)
                for person, share in parts
            ]
            self._price(earned, item, grade, hours, day, account)
            lines += [line for line in earned if account == MAIN or line.rule]
        if by := self.voided_by(item):
            cause = "voided"
        elif held := self.held_by(item):
            cause, by = held
        elif by := self.withdrawn_by(item):
            cause = "withdrawn"
        if by:
            for line in lines:
                line.cuts.append((cause, str(by), line.gross))
        elif not self._confirmed(item):
            for line in lines:
                if line.waits:
                    line.cuts.append(("pending", "0", line.gross))
        return lines

    def _confirmed(self, item: Recorded) -> bool:
        return any(
            other.fact.kind.name == "points.confirmed"
            and other.fact.data.fact == item.fact.key
            and not self.voided_by(other)
            for other in self.facts
        )

    def _accounts(self) -> list[str]:
        """The main account, and those in which some rule gives something."""
        others = {rule.account for book in self.books for rule in book.rulebook.rules} - {MAIN}
        return [MAIN, *sorted(others)]

    def _naming(self, item: Recorded, kind: str) -> Recorded:
        """The fact about the same thing that names the people: the latest that stands."""
        named = [
            other
            for other in self.facts
            if other.fact.kind.name == kind and other.fact.originator_id == item.fact.originator_id
        ]
        standing = [
            other for other in named if not self.voided_by(other) and not self.withdrawn_by(other)
        ]
        return (standing or named)[-1]

    def _price(
        self,
        lines: list[Line],
        item: Recorded,
        grade: str | None,
        hours: int | None,
        day: date,
        account: str,
    ) -> None:
        book = self.book_on(day)
        found = []
        for rule in book.rulebook.rules if book else ():
            if (
                rule.activity != item.fact.kind.name
                or rule.account != account
                or (rule.until is not None and day >= rule.until)
                or not self._meant_for(rule, item)
            ):
                continue
            values = [value for value in rule.values if value.valid_from <= day]
            if not values:
                continue
            points = values[-1].points
            if not isinstance(points, int):
                if grade not in points:
                    continue
                points = points[grade]
            found.append((rule, values[-1].clause, points))
        parts = [line.share for line in lines]
        for index, line in enumerate(lines):
            line.account = account
            fitting = [
                (how_near, not rule.when, place)
                for place, (rule, _, _) in enumerate(found)
                if (how_near := self._how_near(rule, line.person, day)) is not None
            ]
            if not fitting:
                continue
            rule, clause, points = found[min(fitting)[-1]]
            whole = points
            if rule.per == "hour":
                whole, rest = divmod(points * (hours or 0), 10_000)
                whole += rest >= 5_000
            amounts = largest_remainders(whole, parts) if rule.split == "share" else None
            line.adoption, line.rule, line.clause = book.position, rule.id, clause
            line.whole, line.waits = whole, rule.confirm
            line.gross = amounts[index] if amounts else whole

    def _meant_for(self, rule: Rule, item: Recorded) -> bool:
        """Whether a fact, or the one that says it of the same thing, has what a rule asks for."""
        for name, codes in rule.when:
            field_name, kind = CONDITIONS[item.fact.kind.name]
            assert field_name == name
            says = item if kind == item.fact.kind.name else self._naming(item, kind)
            if getattr(says.fact.data, name) not in codes:
                return False
        return True

    def _how_near(self, rule: Rule, person: str, day: date) -> int | None:
        """How near a rule is meant for a person: 0 for its own unit, more for a unit above.

        After those for units come those for ranks only, then those for all; ``None`` if not at
        all.
        """
        if rule.ranks and self.rank(person, day)[0] not in rule.ranks:
            return None
        if not rule.units:
            return 1_000 if rule.ranks else 2_000
        unit, steps = self.unit(person, day), 0
        while unit and unit not in rule.units:
            unit, steps = self._parent(unit), steps + 1
        return steps if unit else None

    def _within(self, person: str, day: date, units: Iterable[str]) -> bool:
        """Whether a person serves in one of some units, or below one."""
        unit = self.unit(person, day)
        while unit and unit not in units:
            unit = self._parent(unit)
        return unit is not None

    def _parent(self, unit: str) -> str | None:
        established = [
            i
            for i in self.facts
            if i.fact.kind.name == "unit.established"
            and i.fact.data.unit == unit
            and not self.voided_by(i)
        ]
        return established[-1].fact.data.parent if established else None

    def book_on(self, day: date) -> Book | None:
        """The rulebook in force: the one adopted last of those that reach that day."""
        reaching = [book for book in self.books if book.effective_from <= day]
        return reaching[-1] if reaching else None

    def service(self, person: str) -> list[tuple[date, int, str | None, str | None, str | None]]:
        """What changed in a person's service: day, position, unit, rank, status."""
        statuses = {
            "member.joined": "serving",
            "member.leave_started": "leave",
            "member.leave_ended": "serving",
            "member.left": "left",
        }
        changes = []
        for item in self.facts:
            fact = item.fact
            if fact.originator_id != f"member:{person}" or self.voided_by(item):
                continue
            name, day = fact.kind.name, fact.occurred_on
            if not name.startswith("member."):
                continue
            if name == "member.left":
                day = day.fromordinal(day.toordinal() + 1)
            changes.append(
                (
                    day,
                    item.position,
                    getattr(fact.data, "unit", None),
                    getattr(fact.data, "rank", None),
                    statuses.get(name),
                )
            )
        return sorted(changes, key=lambda change: change[:2])

    def unit(self, person: str, day: date) -> str | None:
        """The unit in which a person serves on a day."""
        unit, status = None, None
        for since, _, new_unit, _, new_status in self.service(person):
            if since <= day:
                unit, status = new_unit or unit, new_status or status
        return None if status == "left" else unit

    def rank(self, person: str, day: date) -> tuple[str | None, date | None]:
        """The rank a person holds in service on a day, and since when."""
        rank, start, status = None, None, None
        for since, _, _, new_rank, new_status in self.service(person):
            if since <= day:
                status = new_status or status
                if new_rank:
                    rank, start = new_rank, since
        return (None, None) if status == "left" else (rank, start)

    def status(self, person: str, day: date) -> str:
        """Whether a person is ``serving``, on ``leave`` or has ``left``; empty before joining."""
        status = ""
        for since, _, _, _, new_status in self.service(person):
            if since <= day:
                status = new_status or status
        return status

    # -- caps ------------------------------------------------------------------------------------

    def _apply_caps(self) -> None:
        """Cut account by account, an earlier cap's before a later one's of the same line."""
        accounts: defaultdict[tuple[Any, ...], list[tuple[Line, int]]] = defaultdict(list)
        before: defaultdict[tuple[Any, ...], set[tuple[Any, ...]]] = defaultdict(set)
        for line in self.lines:
            book = self.book_on(line.day)
            if book is None or line.gross == 0 or line.cuts:
                continue
            earlier: list[tuple[Any, ...]] = []
            for cap in book.rulebook.caps:
                values = [value for value in cap.values if value.valid_from <= line.day]
                if line.rule not in cap.rules or not values:
                    continue
                if cap.per == "unit" and line.unit is None:
                    continue
                owner = line.unit if cap.per == "unit" else line.person
                thing = self._stream(line) if cap.per == "thing" else ""
                if cap.period == "rank":
                    start = self.rank(line.person, line.day)[1]
                else:
                    start = first_day(cap.period, line.day)
                account = (owner, thing, *cap.account, start)
                accounts[account].append((line, values[-1].limit))
                before[account].update(earlier)
                earlier.append(account)
        for account in TopologicalSorter(before).static_order():
            self._cut(account, accounts[account])

    def _cut(self, account: tuple[Any, ...], entries: list[tuple[Line, int]]) -> None:
        _, _, cap_id, _, _, measure, keep, _ = account
        joined = {person: number for number, person in enumerate(self._joined())}
        used = 0

        def turn(entry: tuple[Line, int]) -> tuple[Any, ...]:
            line = entry[0]
            return line.day, line.position, joined[line.person]

        for line, limit in sorted(entries, key=turn):
            if line.points == 0:
                continue
            if keep == "best":  # a better one adds what it is better by
                measured = line.points
                stays = max(measured - used, 0)
            else:
                measured = line.points if measure == "points" else 10_000
                stays = min(measured, max(limit - used, 0))
            used += stays
            if stays < measured:
                taken = line.points if stays == 0 else measured - stays
                line.cuts.append(("cap", cap_id, taken))

    def _stream(self, line: Line) -> str:
        return next(i.fact.originator_id for i in self.facts if i.position == line.position)

    # -- figures ---------------------------------------------------------------------------------

    def people(self) -> list[str]:
        """Everybody who ever joined."""
        return sorted(self._joined())

    def _joined(self) -> list[str]:
        """Everybody in the order of their first joining."""
        joined = (i.fact.data.person for i in self.facts if i.fact.kind.name == "member.joined")
        return list(dict.fromkeys(joined))

    def balances(self) -> dict[tuple[str, str], tuple[int, int, int]]:
        """Points, activities and rewarded activities of everybody, by person and account."""
        found = {(person, MAIN): (0, 0, 0) for person in self.people()}
        for line in self.lines:
            points, activities, rewarded = found.get((line.person, line.account), (0, 0, 0))
            found[line.person, line.account] = (
                points + line.points,
                activities + (line.share > 0),
                rewarded + (line.points > 0 and line.share > 0),
            )
        return found

    def eligible(self, programme_id: str, day: date) -> dict[str, tuple[str, str | None]]:
        """What becomes of everyone who serves or did something, and which grade, by person."""
        book = self.book_on(day)
        programme = next(p for p in book.rulebook.programmes if p.id == programme_id)
        value = [v for v in programme.values if v.valid_from <= day][-1]
        start = first_day(programme.period, day)
        serving = [p for p in self.people() if self.status(p, day) in ("serving", "leave")]
        sums: dict[str, list[int]] = {person: [0, 0, 0] for person in serving}
        for line in self.lines:
            if line.account != programme.account:
                continue
            if first_day(programme.period, line.day) == start:
                total = sums.setdefault(line.person, [0, 0, 0])
                total[0] += line.points
                if line.points > 0:
                    total[1] += line.share > 0
                    total[2] = max(total[2], line.day.toordinal())
        outcome: dict[str, tuple[str, str | None]] = {}
        running = []
        for person, (points, rewarded, last) in sums.items():
            if barred := self._barred(programme, person, day):
                outcome[person] = (barred, None)
            elif points < value.threshold_points:
                outcome[person] = ("below_threshold", None)
            else:
                joined = self.service(person)[0][0].toordinal()
                breaks = {"activities": -rewarded, "earliest": last, "joined": joined}
                running.append(
                    ((-points, *(breaks[word] for word in programme.tie.break_by)), person)
                )
        meant = [p for p in serving if not self._not_meant(programme, p, day)]
        ends = _ends(value, len(running), len(meant))
        for order, person in running:
            if value.grades and value.grades[0].threshold_points is not None:
                reached = [g for g in value.grades if sums[person][0] >= g.threshold_points]
                outcome[person] = ("selected", reached[0].grade)
                continue
            first = sum(other < order for other, _ in running)
            last = first + sum(other == order for other, _ in running) - 1
            outcome[person] = _allotted(first, last, ends, programme.tie.otherwise)
        return outcome

    def _barred(self, programme: Programme, person: str, day: date) -> str:
        """Why points do not help a person; empty when they do."""
        status = self.status(person, day)
        if status == "leave" and programme.on_leave == "exclude":
            return "on_leave"
        if status not in ("serving", "leave"):
            return "not_serving"
        return (
            self._not_meant(programme, person, day)
            or self._kept_out(programme, person, day)
            or self._too_short(programme, person, day)
        )

    def _too_short(self, programme: Programme, person: str, day: date) -> str:
        """Whether a person served too few months of the period, day by day up to the day."""
        if programme.service is None:
            return ""
        start = first_day(programme.period, day) or self._first_service(person)
        served: defaultdict[tuple[int, int], int] = defaultdict(int)
        for number in range(start.toordinal(), day.toordinal() + 1):
            each = day.fromordinal(number)
            served[each.year, each.month] += self.status(person, each) == "serving"
        months = Fraction(0)
        for (year, month), days in served.items():
            if programme.service.full_from is None:
                months += Fraction(days, monthrange(year, month)[1])
            elif days >= programme.service.full_from:
                months += 1
        return "too_short" if months < programme.service.months else ""

    def _first_service(self, person: str) -> date:
        return self.service(person)[0][0]

    def _kept_out(self, programme: Programme, person: str, day: date) -> str:
        """Whether a sanction keeps a person out, while it lasts and so many years after."""
        years = programme.sanctioned_years
        for item in self.facts if years is not None else ():
            fact = item.fact
            if fact.kind.name != "sanction.imposed" or self.voided_by(item):
                continue
            if fact.data.person != person or fact.occurred_on > day:
                continue
            end = fact.data.until
            for other in self.facts:
                lifted = other.fact.kind.name == "sanction.lifted" and not self.voided_by(other)
                if lifted and other.fact.data.sanction == fact.data.sanction:
                    end = other.fact.occurred_on
            if end == fact.occurred_on:
                continue
            if end is None or (day.year - years, day.month, day.day) < (
                end.year,
                end.month,
                end.day,
            ):
                return "sanctioned"
        return ""

    def _not_meant(self, programme: Programme, person: str, day: date) -> str:
        """Why a programme is not for a person; empty when it is."""
        if programme.ranks and self.rank(person, day)[0] not in programme.ranks:
            return "other_rank"
        if programme.units and not self._within(person, day, programme.units):
            return "other_unit"
        return ""


def _differences(before: list[Line], after: list[Line], end: date) -> list[Line]:
    """What closed days are worth more or less than before, posted on the first open day."""
    found = []
    old = {(x.person, x.position, x.account): x for x in before if x.day < end}
    new = {(x.person, x.position, x.account): x for x in after if x.day < end}
    for key in old.keys() | new.keys():
        one, other = old.get(key), new.get(key)
        points = (one.points if one else 0, other.points if other else 0)
        if one is None:
            found.append(evolve(other, day=end, adjusts=(other.day, *points)))
        elif points[0] != points[1]:
            line = other or one
            ruled = other if other and other.rule else one
            change = points[1] - points[0]
            found.append(
                evolve(
                    line,
                    day=end,
                    unit=line.unit or one.unit,
                    hours=None,
                    share=0,
                    adoption=ruled.adoption,
                    rule=ruled.rule,
                    clause=ruled.clause,
                    whole=change,
                    gross=change,
                    cuts=[],
                    adjusts=(line.day, *points),
                )
            )
    return found


def _day_after(period: str) -> date:
    """The day after the last of a period such as 2005, 2005-H1, 2005-Q3 or 2005-03."""
    year, _, part = period.partition("-")
    months = {"": 12, "H1": 6, "H2": 12, "Q1": 3, "Q2": 6, "Q3": 9, "Q4": 12}
    last = months[part] if part in months else int(part)
    return date(int(year) + last // 12, last % 12 + 1, 1)


def _allotted(
    first: int, last: int, ends: list[tuple[str | None, int]], otherwise: str
) -> tuple[str, str | None]:
    """What those get who are tied from one place to another."""
    place = first if otherwise == "include" else last
    for grade, end in ends:
        if place < end:
            return "selected", grade
    outside = first >= max((end for _, end in ends), default=0)
    return "beyond_quota" if outside else "tied_out", None


def _ends(value: Any, fit: int, serving: int) -> list[tuple[str | None, int]]:
    """Up to how many people each grade goes, the plain selection being one without a name."""
    if value.grades:
        found, percents, places = [], Fraction(0), 0
        for grade in value.grades:
            percents += Fraction(grade.percent or 0, 1_000_000)
            places += grade.places or 0
            end = places or rounded(percents * fit, value.rounding)
            found.append((grade.grade, end))
        return found
    if value.percentage:
        of = {"serving": serving, "eligible": fit}.get(value.percentage.of, value.percentage.of)
        part = Fraction(value.percentage.percent, 1_000_000) * of
        return [(None, rounded(part, value.percentage.rounding))]
    return [(None, fit if value.quota is None else value.quota)]


def rounded(number: Fraction, how: str) -> int:
    """A number of people: down, up, or to the nearest, halves up."""
    return {"down": floor(number), "up": ceil(number), "half": floor(number + Fraction(1, 2))}[how]


def largest_remainders(whole: int, shares: list[int]) -> list[int]:
    """Divide by shares: rounded down, what is left over to the largest remainders, then in order.

    Shares that do not make a whole (everybody has all of it) are no division.
    """
    if sum(shares) != WHOLE:
        return [whole] * len(shares)
    parts = [whole * share // WHOLE for share in shares]
    order = sorted(range(len(shares)), key=lambda i: -(whole * shares[i] % WHOLE))
    for index in order[: whole - sum(parts)]:
        parts[index] += 1
    return parts


def first_day(period: str, day: date) -> date | None:
    """First day of the period a day lies in; ``None`` for a lifetime."""
    if period == "lifetime":
        return None
    months = MONTHS[period]
    return day.replace(month=(day.month - 1) // months * months + 1, day=1)


def _parts(people: Any) -> list[tuple[str, int]]:
    if isinstance(people, str):
        return [(people, WHOLE)]
    return [
        (part, WHOLE) if isinstance(part, str) else (part.person, to_units(part.percent))
        for part in people
    ]
