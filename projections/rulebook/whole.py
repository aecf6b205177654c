"""What only the whole shows: rules that overlap, limits that go down and up in one period."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Protocol, TypeVar

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .compiling import Adoption
    from .text import Check
    from .values import Cap, CapPeriod, CapValue, Rule

__all__ = [
    "ONE_DAY",
    "PERIOD_MONTHS",
    "Dated",
    "Limit",
    "Value",
    "about_limit",
    "check_overlaps",
    "period_start",
    "raised_after_lowering",
    "spans",
]


class Dated(Protocol):
    """A value with a first day: of a rule, a cap or a programme."""

    @property
    def valid_from(self) -> date:
        """First day."""

    @property
    def line(self) -> int:
        """Line of the text."""


Value = TypeVar("Value", bound=Dated)


def spans(values: Sequence[Value], until: date | None) -> Iterator[tuple[Value, date, date]]:
    """Yield each dated value with its first day and the day after its last."""
    ends = [*(value.valid_from for value in values[1:]), until or date.max]
    for value, end in zip(values, ends, strict=False):
        if value.valid_from < end:
            yield value, value.valid_from, end


@frozen
class _Claim:
    """A rule's right to give points for an activity; a grade of None means every grade."""

    day_from: date
    day_until: date
    grade: str | None
    rule: Rule
    line: int


def check_overlaps(check: Check, rules: Sequence[Rule]) -> None:
    """Note rules that give points for one activity on the same day (and grade)."""
    claims: defaultdict[tuple[str, str], list[_Claim]] = defaultdict(list)
    for rule in rules:
        if rule.activity and not (rule.scoped or rule.when):
            claims[rule.activity, rule.account].extend(_claims(rule))
    groups = list(claims.values())
    for one, other in combinations([rule for rule in rules if rule.scoped or rule.when], 2):
        if one.activity and _same(one, other) and not _apart(one, other):
            groups.append([*_claims(one), *_claims(other)])
    noted: set[tuple[int, int]] = set()
    for of_activity in groups:
        for rivals in _collisions(of_activity):
            first, second = sorted(rivals, key=lambda claim: claim.rule.line)
            if (first.rule.line, second.rule.line) not in noted:
                noted.add((first.rule.line, second.rule.line))
                _note_overlap(check, first, second)


def _same(one: Rule, other: Rule) -> bool:
    """Whether two rules give points for one activity in one account."""
    return (one.activity, one.account) == (other.activity, other.account)


def _apart(one: Rule, other: Rule) -> bool:
    """Whether nothing can come under two narrower rules without one going before the other.

    They name different ranks, or different units: of two units, the nearer one counts. A rule
    that names units goes before one that names ranks only, and that before one for everybody.
    They ask for different codes of a field, or only one of them asks for any: that goes first.
    """
    if bool(one.when) != bool(other.when) or one.scoped != other.scoped:
        return True
    codes = dict(other.when)
    if any(name in codes and set(codes[name]).isdisjoint(found) for name, found in one.when):
        return True
    if one.ranks and other.ranks and set(one.ranks).isdisjoint(other.ranks):
        return True
    if one.units and other.units:
        return set(one.units).isdisjoint(other.units)
    return bool(one.units) != bool(other.units)


def _note_overlap(check: Check, first: _Claim, second: _Claim) -> None:
    grade = second.grade or first.grade
    message = (
        f"The rule {first.rule.id!r} (line {first.line}) gives points for {first.rule.activity}"
        f"{f', grade {grade},' if grade else ''} too"
        f" from {max(first.day_from, second.day_from)} on."
    )
    remedy = "Let one of the two end with until, or give each its own grades, ranks, units or when."
    check.error_on_line("overlap", second.line, message, remedy)


def _claims(rule: Rule) -> Iterator[_Claim]:
    for value, day_from, day_until in spans(rule.values, rule.until):
        for grade in [None] if isinstance(value.points, int) else value.points:
            yield _Claim(day_from, day_until, grade, rule, value.line)


def _collisions(claims: Sequence[_Claim]) -> Iterator[tuple[_Claim, _Claim]]:
    """Yield pairs of claims on the same grade and day, in one pass over the days.

    It is enough to compare a claim with the one that lasts longest of those that began
    before it, as the claims of one rule never meet.
    """
    longest: dict[str | None, _Claim] = {}
    longest_of_all: _Claim | None = None
    for claim in sorted(claims, key=lambda claim: (claim.day_from, claim.rule.line)):
        rivals = [longest.get(claim.grade), longest.get(None)]
        for rival in rivals if claim.grade is not None else [longest_of_all]:
            if rival and rival.rule is not claim.rule and rival.day_until > claim.day_from:
                yield rival, claim
        longest[claim.grade] = _longer(longest.get(claim.grade), claim)
        longest_of_all = _longer(longest_of_all, claim)


def _longer(one: _Claim | None, other: _Claim) -> _Claim:
    return one if one and one.day_until > other.day_until else other


ONE_DAY = timedelta(days=1)
PERIOD_MONTHS: Mapping[CapPeriod, int] = {"month": 1, "quarter": 3, "half": 6, "year": 12}


def period_start(period: CapPeriod, day: date) -> date:
    """Return the first day of the period that a day belongs to.

    Months, quarters, halves and years are those of the calendar; a lifetime begins on the
    first day there is, and so does the time in a rank, which differs from person to person.
    """
    if period not in PERIOD_MONTHS:
        return date.min
    months = PERIOD_MONTHS[period]
    return date(day.year, (day.month - 1) // months * months + 1, 1)


@frozen
class Limit:
    """A cap's limit while it holds; `adoption` is None while a text is only checked."""

    cap: Cap
    value: CapValue
    day_from: date
    day_until: date
    adoption: Adoption | None = None


def raised_after_lowering(limits: Sequence[Limit]) -> Limit | None:
    """Return the first limit that goes up after one went down in the same period.

    The plan counts a capped sum as a running minimum, and what was earned is never taken
    back: that has one exact answer unless room opens again after it was closed.

    Args:
        limits: Limits of one cap in order of day, all of one kind of period.
    """
    lowered_in: date | None = None
    for before, after in pairwise(limits):
        start = period_start(after.cap.period, after.day_from)
        if period_start(after.cap.period, before.day_until - ONE_DAY) != start:
            continue
        if after.value.limit < before.value.limit:
            lowered_in = start
        elif after.value.limit > before.value.limit and lowered_in == start:
            return after
    return None


def about_limit(limit: Limit) -> tuple[str, str]:
    """Say what is wrong with a limit that rises too early, and what to do."""
    period = limit.cap.period
    message = (
        f"The cap {limit.cap.id!r} was lowered and goes up again on {limit.day_from}, within one"
        f" {period}: what it takes away is then not defined."
    )
    if period not in PERIOD_MONTHS:
        return message, f"Once a limit for a {period} was lowered, leave it there."
    # From its first day, as many days as a period has at most lead into the next one.
    days = ONE_DAY * min(PERIOD_MONTHS[period] * 31, 366)
    start = period_start(period, period_start(period, limit.day_from) + days)
    return message, f"Let the change begin where a {period} begins, such as {start}."
