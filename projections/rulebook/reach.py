"""What a rulebook says in vain: caps that never bind, thresholds and points nobody can reach, gaps.

All of these are warnings, and given only where they can be proved: whatever people do, it makes
no difference. They need the whole of a text that has no errors.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from difflib import get_close_matches
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from attrs import evolve

from .values import POINT
from .whole import PERIOD_MONTHS, period_start, spans

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from .text import Check
    from .values import Cap, CapPeriod, CapValue, Programme, Rule, Rulebook, RuleValue

__all__ = ["check_reach"]


VALUES_MAX = 1_500
"""Dated values and grades up to which all is compared with all: far above any real scheme, low
enough that a hostile text costs only seconds."""


def check_reach(check: Check, rulebook: Rulebook) -> None:
    """Warn of what a rulebook without errors says in vain."""
    for name, values in _all_values(rulebook):
        _warn_of_repetitions(check, name, values)
    for cap in rulebook.caps:
        if cap.per == "unit" and cap.period == "rank":
            message = f"The cap {cap.id!r} is for a unit, which holds no rank."
            remedy = "Write another period, or leave per out: then it is for each person."
            check.warning("unit-by-rank", cap.line, message, remedy)
    _warn_of_labels(check, rulebook)
    if _size(rulebook) <= VALUES_MAX:
        _compare_all(check, rulebook)


def _all_values(rulebook: Rulebook) -> list[tuple[str, Sequence[Any]]]:
    """The dated values of everything that has some, with its id."""
    return [
        *((rule.id, rule.values) for rule in rulebook.rules),
        *((cap.id, cap.values) for cap in rulebook.caps),
        *((programme.id, programme.values) for programme in rulebook.programmes),
    ]


def _size(rulebook: Rulebook) -> int:
    grades = sum(len(_grades(value)) for rule in rulebook.rules for value in rule.values)
    return grades + sum(len(values) for _, values in _all_values(rulebook))


def _compare_all(check: Check, rulebook: Rulebook) -> None:
    rules = {rule.id: rule for rule in rulebook.rules}
    _warn_of_gaps(check, rulebook.rules)
    for index, cap in enumerate(rulebook.caps):
        covered = [rules[name] for name in cap.rules]
        _warn_of_points_beyond(check, cap, covered)
        _warn_of_idle(check, cap, covered, rulebook.caps[:index], rules)
    for programme in rulebook.programmes:
        _warn_of_thresholds(check, programme, rulebook.caps, rules)


# Values that change nothing, and days without any -------------------------------------------------


def _warn_of_repetitions(check: Check, name: str, values: Sequence[Any]) -> None:
    for before, after in pairwise(values):
        if before == evolve(after, valid_from=before.valid_from, line=before.line):
            message = f"From {after.valid_from} on {name!r} says what it said before."
            remedy = "Remove the value, or write what changes on that day."
            check.warning("value-repeated", after.line, message, remedy)


def _warn_of_gaps(check: Check, rules: Sequence[Rule]) -> None:
    """Warn of days without points for an activity that has them before and after."""
    by_activity: defaultdict[str, list[Rule]] = defaultdict(list)
    for rule in rules:
        by_activity[rule.activity].append(rule)
    noted: set[tuple[int, date]] = set()
    for of_activity in by_activity.values():
        grades = {g for rule in of_activity for v in rule.values for g in _grades(v)}
        every: list[str | None] = [*sorted(grades)]
        for grade in every or [None]:
            for before, day_from, after, value in _gaps(of_activity, grade):
                if (value.line, day_from) not in noted:
                    noted.add((value.line, day_from))
                    _note_gap(check, before, day_from, after, value, grade)


def _note_gap(  # noqa: PLR0913, PLR0917 - what stands on both sides of a gap
    check: Check, before: Rule, day_from: date, after: Rule, value: RuleValue, grade: str | None
) -> None:
    of_grade = f", grade {grade}," if grade else ""
    last = value.valid_from - timedelta(days=1)
    message = (
        f"No rule gives points for {after.activity}{of_grade} from {day_from} to {last}: between"
        f" {before.id!r} and {after.id!r}."
    )
    remedy = f"Let {after.id!r} begin on {day_from}, unless the gap is meant."
    check.warning("gap", value.line, message, remedy)


def _grades(value: RuleValue) -> Collection[str]:
    return () if isinstance(value.points, int) else value.points


def _gaps(rules: Sequence[Rule], grade: str | None) -> Iterator[tuple[Rule, date, Rule, RuleValue]]:
    """Yield what ends a stretch, the first day without, and what begins the next one."""
    stretches = sorted(
        (
            (day_from, day_until, rule, value)
            for rule in rules
            for value, day_from, day_until in spans(rule.values, rule.until)
            if isinstance(value.points, int) or grade in value.points
        ),
        key=lambda stretch: (stretch[0], stretch[2].line),
    )
    last: tuple[date, Rule] | None = None
    for day_from, day_until, rule, value in stretches:
        if last and last[0] < day_from and last[1] is not rule:
            yield last[1], last[0], rule, value
        if last is None or day_until > last[0]:
            last = day_until, rule


# What a cap can let through -----------------------------------------------------------------------


def _most(value: RuleValue) -> int:
    points = value.points
    return points if isinstance(points, int) else max(points.values(), default=0)


def _warn_of_points_beyond(check: Check, cap: Cap, covered: Sequence[Rule]) -> None:
    """Warn of points for one activity that are more than a cap lets count in all."""
    if cap.measure != "points":
        return
    for rule in (each for each in covered if (each.per, each.split) == ("activity", "each")):
        for value, day_from, day_until in spans(rule.values, rule.until):
            limit = _limit_most(cap, day_from, day_until)
            if limit is not None and _most(value) > limit:
                message = (
                    f"The rule {rule.id!r} gives more at once than the cap {cap.id!r} (line"
                    f" {cap.line}) ever lets count: it can never be had in full."
                )
                remedy = "Lower the points, or raise the limit."
                check.warning("points-beyond-cap", value.line, message, remedy)


def _limit_most(cap: Cap, day_from: date, day_until: date) -> int | None:
    """The highest limit on some days; None if the cap does not hold on all of them."""
    if not cap.values or cap.values[0].valid_from > day_from:
        return None
    limits = [v.limit for v, start, end in spans(cap.values, None) if _meet(
        (start, end), (day_from, day_until))]  # fmt: skip
    return max(limits)


def _meet(one: tuple[date, date], other: tuple[date, date]) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _warn_of_idle(
    check: Check,
    cap: Cap,
    covered: Sequence[Rule],
    earlier: Sequence[Cap],
    rules: Mapping[str, Rule],
) -> None:
    """Warn of limits that nothing can exceed."""
    for value, day_from, day_until in spans(cap.values, None):
        days = (day_from, day_until)
        message = ""
        if not any(_gives(rule, days) for rule in covered):
            message = "no rule that it covers gives points while it holds"
        elif other := next((c for c in earlier if _makes_idle(c, cap, value, days, rules)), None):
            message = f"the cap {other.id!r} (line {other.line}) never lets more through"
        if message:
            remedy = "Remove the limit, or lower it."
            message = f"The cap {cap.id!r} takes nothing from {day_from} on: {message}."
            check.warning("cap-never-binds", value.line, message, remedy)


def _gives(rule: Rule, days: tuple[date, date]) -> bool:
    return any(
        _most(value) and _meet((start, end), days)
        for value, start, end in spans(rule.values, rule.until)
    )


def _makes_idle(
    other: Cap, cap: Cap, value: CapValue, days: tuple[date, date], rules: Mapping[str, Rule]
) -> bool:
    """Whether what an earlier cap lets through is never more than this one's limit."""
    whole = set(cap.rules) <= set(other.rules)
    alike = other.per == cap.per or (other.per, cap.per) == ("person", "thing")
    if not (whole and alike and cap.keep == "first" and other.values):
        return False
    if other.values[0].valid_from > cap.values[0].valid_from:
        return False
    times = _periods_in(other.period, cap.period)
    span = (period_start(cap.period, days[0]), days[1])
    most = _lets_through(other, span, rules, measure=cap.measure)
    return times is not None and most is not None and most * times <= value.limit


def _lets_through(
    cap: Cap, days: tuple[date, date], rules: Mapping[str, Rule], *, measure: str
) -> int | None:
    """The most that a cap lets through in one of its periods, in points or number."""
    limits = [v.limit for v, start, end in spans(cap.values, None) if _meet((start, end), days)]
    if cap.measure == measure and cap.keep == "first":
        return max(limits, default=None)
    if measure == "count" or any(rules[name].per == "hour" for name in cap.rules):
        return None  # points say nothing of a number, nor a number of points by the hour
    points = [
        _most(value)
        for name in cap.rules
        for value, start, end in spans(rules[name].values, rules[name].until)
        if _meet((start, end), days)
    ]
    return max(limits, default=0) // POINT * max(points, default=0)


def _periods_in(one: CapPeriod, other: CapPeriod) -> int | None:
    """How many of the one period the other can have days in; None for no end of them."""
    if one in (other, "lifetime"):
        return 1
    if one in PERIOD_MONTHS and other in PERIOD_MONTHS:
        return max(PERIOD_MONTHS[other] // PERIOD_MONTHS[one], 1)
    return None


# Thresholds and labels ----------------------------------------------------------------------------


def _warn_of_thresholds(
    check: Check, programme: Programme, caps: Sequence[Cap], rules: Mapping[str, Rule]
) -> None:
    """Warn of thresholds above all that the caps let through in the programme's period."""
    for value, day_from, day_until in spans(programme.values, None):
        days = (period_start(programme.period, day_from), day_until)
        most = _in_all(programme, days, caps, rules)
        if most is not None and most < value.threshold_points:
            message = f"Nobody can reach the threshold of {programme.id!r} from {day_from} on."
            remedy = "Lower it, or raise the caps: they let less through in its period."
            check.warning("out-of-reach", value.line, message, remedy)


def _in_all(
    programme: Programme,
    days: tuple[date, date],
    caps: Sequence[Cap],
    rules: Mapping[str, Rule],
) -> int | None:
    """The most that one person can get in a programme's period; None without a limit."""
    left = {name for name, rule in rules.items() if _gives(rule, days)}
    found = 0
    for cap in sorted(caps, key=lambda each: (-len(left & {*each.rules}), each.line)):
        if cap.per != "person" or not left & {*cap.rules} or not cap.values:
            continue
        begun = min(v.valid_from for name in cap.rules for v in rules[name].values[:1])
        times = _periods_in(cap.period, programme.period)
        most = _lets_through(cap, days, rules, measure="points")
        if cap.values[0].valid_from <= max(begun, days[0]) and times and most is not None:
            found += most * times
            left -= {*cap.rules}
    return None if left else found


def _warn_of_labels(check: Check, rulebook: Rulebook) -> None:
    """Warn of a label for a code that no rule has, where one without a label is much like it."""
    grades = {g for rule in rulebook.rules for v in rule.values for g in _grades(v)}
    bare = sorted(grades - rulebook.labels.keys())
    for code in rulebook.labels:
        if code not in grades and (close := get_close_matches(code, bare, n=1)):
            line = check.place(("labels", code)).line
            message = f"No rule has the grade {code!r}, but {close[0]!r} has no label."
            check.warning("unknown-label", line, message, f"Did you mean {close[0]!r}?")
