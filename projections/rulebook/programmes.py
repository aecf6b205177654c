"""Programmes: what people become eligible for by points, and on which terms.

A dated value of a programme is one of three: a **selection** of all who reach a threshold, within a
quota; **tiers** by several thresholds; **grades by rank**, for a percentage or a number of those
who reach the threshold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .dated import read_account, read_codes, read_values
from .tables import (
    EXAMPLES,
    KINDS,
    Table,
    check_count,
    check_id,
    meant,
    open_table,
    read_amount,
    read_text,
    read_word,
)
from .values import (
    BREAK_BY,
    FULL_FROM_MAX,
    GRADES_MAX,
    LABELS_MAX,
    MONTHS_MAX,
    ON_LEAVES,
    OTHERWISE,
    PERIODS,
    POINT,
    POINTS_MAX,
    PROGRAMMES_MAX,
    QUOTA_MAX,
    QUOTA_OFS,
    ROUNDINGS,
    VALUE_MAX,
    YEARS_MAX,
    BreakBy,
    GradeTerms,
    Percentage,
    Programme,
    ProgrammeValue,
    Recent,
    ServiceTerms,
    Tie,
)
from .whole import PERIOD_MONTHS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mileage.projections.toml_positions import Path

    from .text import Check
    from .values import QuotaOf

__all__ = ["read_programme", "read_ranked_grades", "warn_of_unknown"]

_WHOLE = 100 * POINT
_OPTIONAL = (
    *("account", "tie", "unit", "ranks", "units", "exclude_recent", "four_eyes"),
    *("exclude_sanctioned", "months_served", "on_leave"),
)
_TERMS = ("quota", "percent", "places", "round", "value")


def read_programme(
    check: Check, path: Path, raw: object, *, accounts: Sequence[str]
) -> Programme | None:
    """Read a [[programme]] table; what is wrong with it is noted in the check."""
    table = open_table(check, path, raw, ("id", "title", "period", "values"), _OPTIONAL)
    if table is None:
        return None
    name = table.id("id")
    programme = Programme(
        id=name,
        title=table.label("title"),
        period=table.word("period", PERIODS, "year"),
        values=read_values(table, _read_value),
        tie=_read_tie(table),
        line=table.line,
        unit=table.label("unit") if "unit" in table.raw else None,
        ranks=read_codes(table, "ranks"),
        units=read_codes(table, "units"),
        recent=_read_recent(table, name),
        four_eyes=table.flag("four_eyes"),
        sanctioned_years=_read_sanctioned(table),
        service=_read_service(table),
        on_leave=table.word("on_leave", ON_LEAVES, "exclude"),
        account=read_account(table, accounts),
    )
    _check_whole(table, programme)
    return programme


def warn_of_unknown(check: Check, programmes: Sequence[Programme]) -> None:
    """Warn where a programme looks at grants of one that the rulebook does not have."""
    known = [programme.id for programme in programmes]
    for programme in programmes:
        for other in programme.recent.programmes if programme.recent else ():
            if other and other not in known:
                message = f"{programme.id!r} looks at grants of {other!r}, no programme here."
                check.warning("unknown-programme", programme.line, message, meant(other, known))


def _check_whole(table: Table, programme: Programme) -> None:
    """Note what only the terms together show: a tie rule, a unit, cycles without end."""
    limited = any(
        value.quota or value.percentage or (value.grades and not _tiered(value))
        for value in programme.values
    )
    if limited and "tie" not in table.raw:
        predicate, remedy = "has a quota, but no tie.", f"Add {EXAMPLES['tie']}."
        table.check.error("missing-key", table.path, predicate, remedy)
    valued = any(
        value.value is not None or any(grade.value is not None for grade in value.grades)
        for value in programme.values
    )
    if valued and programme.unit is None:
        predicate = "states values, but no unit."
        table.check.error("missing-key", table.path, predicate, f"Add {EXAMPLES['unit']}.")
    if programme.recent and programme.recent.cycles and programme.period == "lifetime":
        predicate = "counts cycles, but the period is lifetime."
        remedy = "Write years, or a period that ends."
        table.check.error("mixed-terms", table.at("exclude_recent"), predicate, remedy)
    months = PERIOD_MONTHS.get(programme.period)
    if programme.service and months and programme.service.months > months:
        predicate = f"asks for more than the {months} months of its period."
        remedy = f"Write {months} or less, or a longer period."
        table.check.error("number-range", table.at("months_served"), predicate, remedy)


def _tiered(value: ProgrammeValue) -> bool:
    return any(grade.threshold_points is not None for grade in value.grades)


# -- terms -----------------------------------------------------------------------------------


def _read_value(check: Check, path: Path, raw: object) -> ProgrammeValue | None:
    table = open_table(check, path, raw, ("from", "threshold", "clause"), _TERMS)
    if table is None:
        return None
    valid_from, clause = table.date("from"), table.text("clause")
    quota, percentage = _read_quota(table)
    grades, threshold = _read_grades(table)
    _check_shape(table, quota)
    if valid_from is None or threshold is None:
        return None
    return ProgrammeValue(
        valid_from,
        threshold,
        quota,
        clause,
        table.line,
        percentage=percentage,
        grades=grades,
        rounding=table.word("round", ROUNDINGS, "down"),
        value=None if grades else _read_plain_value(table),
    )


def _read_plain_value(table: Table) -> int | None:
    raw = table.raw.get("value")
    if isinstance(raw, dict):
        predicate = "is by grade, but the programme has none."
        remedy = "Write one number, or threshold, percent or places by grade."
        table.check.error("grades-differ", table.at("value"), predicate, remedy)
        return None
    return read_amount(table.check, table.at("value"), raw, VALUE_MAX)


def _check_shape(table: Table, quota: int | None) -> None:
    """Note terms that exclude each other, and sums that do not come out."""
    raw, error = table.raw, table.check.error
    by_grade = [
        key
        for key in ("threshold", "percent", "places")
        if key != "threshold" or isinstance(raw.get(key), dict)
        if key in raw
    ]
    if len(by_grade) > 1:
        predicate = f"has {' and '.join(by_grade)} by grade."
        remedy = "Write tiers (threshold by grade) or grades by rank (percent or places), not both."
        error("mixed-terms", table.path, predicate, remedy)
    if "quota" in raw and by_grade and by_grade != ["places"]:
        predicate = "stands beside grades that take all who qualify."
        error("mixed-terms", table.at("quota"), predicate, "Leave the quota out.")
    if ("round" in raw) != ("percent" in raw):
        if "round" in raw:
            predicate, remedy = "rounds nothing: there is no percent.", "Leave round out."
            error("mixed-terms", table.at("round"), predicate, remedy)
        else:
            predicate = "has percent by grade, but no round."
            error("missing-key", table.path, predicate, f"Add {EXAMPLES['round']}.")
    places = raw.get("places")
    if quota is not None and isinstance(places, dict):
        total = sum(each for each in places.values() if type(each) is int)
        if total != quota:
            predicate = f"is {quota}, but the places make {total}."
            error("quota-sum", table.at("quota"), predicate, "Let both say the same.")


def _read_grades(table: Table) -> tuple[tuple[GradeTerms, ...], int | None]:
    """Read tiers or grades by rank, and the lowest threshold."""
    raw = table.raw
    if isinstance(raw.get("threshold"), dict):
        thresholds = _by_grade(table, "threshold", lambda path, each: _points(table, path, each))
        _check_falling(table, thresholds)
        values = _values_by_grade(table, list(thresholds))
        tiers = tuple(
            GradeTerms(grade, threshold_points=points, value=values.get(grade))
            for grade, points in thresholds.items()
        )
        return tiers, min(thresholds.values(), default=None)
    threshold = table.points("threshold")
    for key in ("percent", "places"):
        if key in raw:
            return read_ranked_grades(table, key), threshold
    return (), threshold


def read_ranked_grades(table: Table, key: str) -> tuple[GradeTerms, ...]:
    """Read grades by rank: ``percent`` or ``places`` by grade, best first, with their values."""
    if key == "percent":
        found = _by_grade(table, key, lambda path, each: _percent(table, path, each))
        if sum(found.values()) > _WHOLE:
            predicate, remedy = "makes more than 100 in all.", "Let the parts make 100 or less."
            table.check.error("quota-sum", table.at(key), predicate, remedy)
    else:
        found = _by_grade(table, key, lambda path, each: _people(table, path, each))
    values = _values_by_grade(table, list(found))
    return tuple(
        GradeTerms(
            grade,
            percent=number if key == "percent" else None,
            places=number if key == "places" else None,
            value=values.get(grade),
        )
        for grade, number in found.items()
    )


def _check_falling(table: Table, thresholds: Mapping[str, int]) -> None:
    before: tuple[str, int] | None = None
    for grade, points in thresholds.items():
        if before and points >= before[1]:
            predicate = f"is not below that of {before[0]}, written before it."
            remedy = "Write the highest tier first, each lower than the one before."
            path = (*table.at("threshold"), grade)
            table.check.error("tier-order", path, predicate, remedy)
        before = grade, points


def _values_by_grade(table: Table, grades: Sequence[str]) -> dict[str, int]:
    """Read what each grade is worth; either all of them have a value or none."""
    raw, path = table.raw.get("value"), table.at("value")
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        predicate = "is one number, but there are grades."
        example = ", ".join(f"{grade} = …" for grade in grades)
        table.check.error("grades-differ", path, predicate, f"Write value = {{ {example} }}.")
        return {}
    for grade in raw:
        if grade not in grades:
            predicate, remedy = "is no grade of these terms.", meant(grade, grades)
            table.check.error("grades-differ", (*path, grade), predicate, remedy)
    if missing := [grade for grade in grades if grade not in raw]:
        predicate = f"says nothing of {', '.join(missing)}."
        remedy = "Name every grade; write 0 for one that is worth nothing."
        table.check.error("grades-differ", path, predicate, remedy)
    return {
        grade: read_amount(table.check, (*path, grade), raw[grade], VALUE_MAX) or 0
        for grade in raw
        if grade in grades
    }


def _by_grade(table: Table, key: str, read: Callable[[Path, object], int | None]) -> dict[str, int]:
    """Read a table of a number for each grade, best first."""
    raw, path = table.raw[key], table.at(key)
    if not isinstance(raw, dict):
        predicate = f"is {KINDS[type(raw)]}; a table by grade was expected."
        table.check.error("wrong-type", path, predicate, f"Write {EXAMPLES[key]}.")
        return {}
    if not raw:
        remedy = f"Write {EXAMPLES.get(f'{key} by grade', EXAMPLES[key])}."
        table.check.error("empty", path, "names no grade.", remedy)
    check_count(table.check, path, raw, GRADES_MAX)
    for grade in raw:
        check_id(table.check, (*path, grade), grade)
    return {grade: read((*path, grade), raw[grade]) or 0 for grade in raw}


def _points(table: Table, path: Path, raw: object) -> int | None:
    return read_amount(table.check, path, raw, POINTS_MAX // POINT)


def _percent(table: Table, path: Path, raw: object) -> int | None:
    return read_amount(table.check, path, raw, 100)


def _people(table: Table, path: Path, raw: object) -> int | None:
    if not isinstance(raw, int) or isinstance(raw, bool):
        predicate = f"is {KINDS[type(raw)]}; a number of persons was expected."
        table.check.error("wrong-type", path, predicate, "Write a whole number: 10.")
        return None
    if not 1 <= raw <= QUOTA_MAX:
        predicate = f"is not between 1 and {QUOTA_MAX:,}."
        remedy = "Write how many persons get it; leave it out if there is no limit."
        table.check.error("number-range", path, predicate, remedy)
        return None
    return raw


# -- quota, tie, recent grants -----------------------------------------------------------------


def _read_quota(table: Table) -> tuple[int | None, Percentage | None]:
    raw, path = table.raw.get("quota"), table.at("quota")
    if raw is None:
        return None, None
    if not isinstance(raw, dict):
        return _people(table, path, raw), None
    quota = open_table(table.check, path, raw, ("percent", "of", "round"))
    if quota is None or not {"percent", "of", "round"} <= raw.keys():
        return None, None
    percent = _percent(table, quota.at("percent"), raw["percent"])
    of: int | QuotaOf | None
    if isinstance(raw["of"], str):
        of = read_word(table.check, quota.at("of"), raw["of"], QUOTA_OFS)
    else:
        of = _people(table, quota.at("of"), raw["of"])
    rounding = quota.word("round", ROUNDINGS, "down")
    return None, None if percent is None or of is None else Percentage(percent, of, rounding)


def _read_tie(programme: Table) -> Tie:
    path, raw = programme.at("tie"), programme.raw.get("tie")
    table = open_table(programme.check, path, raw, ("break_by", "otherwise"))
    if table is None:
        # Without a quota nothing ends in a tie: all who reach the threshold get in.
        return Tie(break_by=(), otherwise="include")
    words: list[BreakBy] = []
    for word_path, element in table.items("break_by", LABELS_MAX, empty=True):
        word = read_word(table.check, word_path, element, BREAK_BY)
        if word in words:
            predicate = f"names {word!r} again."
            table.check.error("repeated", word_path, predicate, "Name each word once.")
        elif word is not None:
            words.append(word)
    return Tie(break_by=tuple(words), otherwise=table.word("otherwise", OTHERWISE, "exclude"))


def _read_recent(programme: Table, name: str) -> Recent | None:
    path, raw = programme.at("exclude_recent"), programme.raw.get("exclude_recent")
    table = open_table(programme.check, path, raw, (), ("years", "cycles", "programmes"))
    if table is None:
        return None
    if ("years" in table.raw) == ("cycles" in table.raw):
        predicate = "must say either years or cycles."
        remedy = f"Write {EXAMPLES['exclude_recent']}."
        programme.check.error("mixed-terms", path, predicate, remedy)
    named = [
        read_text(table.check, each, element)
        for each, element in table.items("programmes", PROGRAMMES_MAX)
    ]
    years, cycles = table.number("years", YEARS_MAX), table.number("cycles", YEARS_MAX)
    return Recent(years, cycles, tuple(named) or (name,))


def _read_sanctioned(programme: Table) -> int | None:
    path, raw = programme.at("exclude_sanctioned"), programme.raw.get("exclude_sanctioned")
    if isinstance(raw, bool):
        return 0 if raw else None
    table = open_table(programme.check, path, raw, ("years",))
    return table.number("years", YEARS_MAX) if table else None


def _read_service(programme: Table) -> ServiceTerms | None:
    path, raw = programme.at("months_served"), programme.raw.get("months_served")
    if not isinstance(raw, dict):
        months = programme.number("months_served", MONTHS_MAX)
        return ServiceTerms(months) if months else None
    table = open_table(programme.check, path, raw, ("months", "full_from"))
    if table is None:
        return None
    months, full_from = table.number("months", MONTHS_MAX), table.number("full_from", FULL_FROM_MAX)
    return ServiceTerms(months, full_from) if months and full_from else None
