"""The grammar: from the tables of a text to a rulebook."""

from __future__ import annotations

import hashlib
from functools import partial
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING

from .conditions import read_when
from .dated import read_account, read_codes, read_entries, read_values
from .evaluation import read_evaluation
from .examples import read_examples
from .programmes import read_programme, warn_of_unknown
from .relative import is_relative, read_relative, resolve
from .tables import (
    EXAMPLES,
    KINDS,
    Table,
    check_count,
    check_id,
    meant,
    open_table,
    read_label,
    read_points,
    read_text,
)
from .values import (
    ACCOUNTS_MAX,
    CAP_PERIODS,
    CAP_PERS,
    CAPS_MAX,
    COUNT_MAX,
    EVALUATIONS_MAX,
    GRADES_MAX,
    KEEPS,
    LABELS_MAX,
    MAIN_ACCOUNT,
    PERS,
    POINT,
    PROGRAMMES_MAX,
    RULES_MAX,
    SPLITS,
    Account,
    ActivityInfo,
    Cap,
    CapValue,
    Measure,
    Rule,
    Rulebook,
    RuleValue,
)
from .whole import Limit, about_limit, check_overlaps, raised_after_lowering, spans

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mileage.ledger.fields import Label
    from mileage.projections.toml_positions import Path

    from .text import Check

__all__ = ["read_rulebook"]


_TABLES = ("rulebook", "rule")
_MORE_TABLES = ("account", "cap", "programme", "evaluation", "labels", "example")


def read_rulebook(check: Check, document: Mapping[str, object], text: str) -> Rulebook:
    """Read a whole document; what is wrong with it is noted in the check."""
    open_table(check, (), document, _TABLES, _MORE_TABLES)
    root = Table(check, (), document)
    path, raw = root.at("rulebook"), document.get("rulebook")
    head = open_table(check, path, raw, ("id", "title", "source")) or Table(check, path, {})
    accounts = read_entries(root, "account", ACCOUNTS_MAX, _read_account)
    known = (MAIN_ACCOUNT, *(account.id for account in accounts))
    rules = read_entries(root, "rule", RULES_MAX, partial(_read_rule, accounts=known))
    rules = resolve(check, rules, check.activities)
    check_overlaps(check, rules)
    programmes = read_entries(
        root, "programme", PROGRAMMES_MAX, partial(read_programme, accounts=known)
    )
    warn_of_unknown(check, programmes)
    read_cap = partial(_read_cap, rules={rule.id: rule for rule in rules if rule.id})
    return Rulebook(
        id=head.id("id"),
        title=head.label("title"),
        source=head.text("source"),
        rules=rules,
        caps=read_entries(root, "cap", CAPS_MAX, read_cap),
        programmes=programmes,
        evaluations=read_entries(root, "evaluation", EVALUATIONS_MAX, read_evaluation),
        labels=_read_labels(root),
        digest=hashlib.sha256(text.encode()).hexdigest(),
        text=text,
        examples=read_examples(root, rules, programmes, known),
        accounts=accounts,
    )


def _read_account(check: Check, path: Path, raw: object) -> Account | None:
    table = open_table(check, path, raw, ("id", "title"), ("unit",))
    if table is None:
        return None
    return Account(
        id=table.id("id"),
        title=table.label("title"),
        unit=table.label("unit") if "unit" in table.raw else None,
        line=table.line,
    )


def _read_rule(check: Check, path: Path, raw: object, *, accounts: Sequence[str]) -> Rule | None:
    required = ("id", "title", "activity", "values")
    optional = ("account", "per", "split", "until", "ranks", "units", "when", "confirm")
    table = open_table(check, path, raw, required, optional)
    if table is None:
        return None
    activity = _read_activity(table)
    rule = Rule(
        id=table.id("id"),
        title=table.label("title"),
        activity=activity.name if activity else "",
        per=table.word("per", PERS, "activity"),
        split=table.word("split", SPLITS, "each"),
        until=table.date("until"),
        values=read_values(table, partial(_read_rule_value, activity=activity)),
        line=table.line,
        ranks=read_codes(table, "ranks"),
        units=read_codes(table, "units"),
        account=read_account(table, accounts),
        confirm=table.flag("confirm"),
        when=read_when(table, activity),
    )
    if rule.per == "hour" and activity and not activity.has_hours:
        predicate, remedy = f"is hour, but {activity.name} has none.", 'Write per = "activity".'
        check.error("no-hours", table.at("per"), predicate, remedy)
    if rule.split == "share" and activity and not activity.has_shares:
        predicate = f"is share, but nobody declares shares in {activity.name}."
        check.error("no-shares", table.at("split"), predicate, 'Write split = "each".')
    if rule.until and rule.values and rule.until <= rule.values[-1].valid_from:
        predicate = f"is not after {rule.values[-1].valid_from}, where the last value begins."
        remedy = "Let until be later than every from, or remove values that never count."
        check.error("until-order", table.at("until"), predicate, remedy)
    _warn_of_dropped_grades(check, rule)
    return rule


def _read_activity(table: Table) -> ActivityInfo | None:
    name, known = table.text("activity"), sorted(table.check.activities)
    if name and name not in known:
        predicate, remedy = f"cannot be {name!r}.", meant(name, known)
        table.check.error("unknown-activity", table.at("activity"), predicate, remedy)
    return table.check.activities.get(name)


def _read_rule_value(
    check: Check, path: Path, raw: object, *, activity: ActivityInfo | None
) -> RuleValue | None:
    table = open_table(check, path, raw, ("from", "points", "clause"))
    if table is None:
        return None
    valid_from, clause = table.date("from"), table.text("clause")
    raw_points = table.raw.get("points")
    points: int | Mapping[str, int] | None
    relative = None
    if is_relative(raw_points):
        points, relative = 0, read_relative(check, table.at("points"), raw_points)
    elif isinstance(raw_points, dict):
        points = _read_grades(check, table.at("points"), raw_points, activity)
    else:
        points = table.points("points")
    if valid_from is None:
        return None
    points = 0 if points is None else points
    return RuleValue(valid_from, points, clause, table.line, relative)


def _read_grades(
    check: Check, path: Path, raw: Mapping[str, object], activity: ActivityInfo | None
) -> Mapping[str, int]:
    if activity and not activity.has_grade:
        predicate = f"is by grade, but {activity.name} has none."
        check.error("no-grades", path, predicate, "Write one number: points = 2.5.")
    if not raw:
        check.error("empty", path, "names no grade.", "Write { gold = 10, silver = 7 }.")
    check_count(check, path, raw, GRADES_MAX)
    for grade in raw:
        check_id(check, (*path, grade), grade)
    points = {grade: read_points(check, (*path, grade), raw[grade]) or 0 for grade in raw}
    return MappingProxyType(points)


def _warn_of_dropped_grades(check: Check, rule: Rule) -> None:
    for before, after in pairwise(rule.values):
        if isinstance(before.points, int) or isinstance(after.points, int):
            continue
        if dropped := [grade for grade in before.points if grade not in after.points]:
            message = f"{', '.join(dropped)} had points before {after.valid_from} and now has none."
            remedy = "Name every grade; write 0 for one that earns nothing any more."
            check.warning("grade-dropped", after.line, message, remedy)


def _read_cap(check: Check, path: Path, raw: object, *, rules: Mapping[str, Rule]) -> Cap | None:
    required = ("id", "title", "rules", "period", "values")
    table = open_table(check, path, raw, required, ("per", "keep"))
    if table is None:
        return None
    cap = Cap(
        id=table.id("id"),
        title=table.label("title"),
        rules=_read_cap_rules(table, rules),
        period=table.word("period", CAP_PERIODS, "month"),
        values=read_values(table, _read_cap_value),
        line=table.line,
        per=table.word("per", CAP_PERS, "person"),
        measure=_measure_of(table),
        keep=table.word("keep", KEEPS, "first"),
    )
    if cap.keep == "best" and cap.measure == "points":
        predicate, remedy = "is best, but the limit is in points.", "Write count instead of points."
        check.error("mixed-limits", table.at("keep"), predicate, remedy)
    if cap.keep == "best" and cap.measure == "count":
        for index, value in enumerate(cap.values):
            if value.limit != POINT:
                path = (*table.at("values"), index, "count")
                check.error("best-of-several", path, "is not 1.", "Only one can be the best.")
    _check_one_account(table, cap, rules)
    _warn_of_late_cap(check, cap, rules)
    limits = [Limit(cap, *span) for span in spans(cap.values, None)]
    if limit := raised_after_lowering(limits):
        check.error_on_line("cap-lowered-then-raised", limit.value.line, *about_limit(limit))
    return cap


def _read_cap_rules(table: Table, rules: Mapping[str, Rule]) -> tuple[str, ...]:
    named: list[str] = []
    for path, raw in table.items("rules", RULES_MAX):
        rule = read_text(table.check, path, raw)
        if rule in named:
            predicate = f"names {rule!r} again."
            table.check.error("repeated", path, predicate, "Name each rule once.")
        elif rule and rule not in rules:
            predicate, remedy = f"names no rule: {rule!r}.", meant(rule, list(rules))
            table.check.error("unknown-rule", path, predicate, remedy)
        elif rule:
            named.append(rule)
    return tuple(named)


def _read_cap_value(check: Check, path: Path, raw: object) -> CapValue | None:
    keys = ("from", "clause") if isinstance(raw, dict) and "count" in raw else None
    table = open_table(check, path, raw, keys or ("from", "points", "clause"), ("count", "points"))
    if table is None:
        return None
    valid_from, clause = table.date("from"), table.text("clause")
    points, count = table.points("points"), table.number("count", COUNT_MAX)
    limit = points if count is None else count * POINT
    if valid_from is None or limit is None:
        return None
    return CapValue(valid_from, limit, clause, table.line)


def _measure_of(cap: Table) -> Measure:
    """What the limits of a cap are counted in, the same in all its values."""
    raw = cap.raw.get("values")
    values = raw if isinstance(raw, list) else []
    counted = any(isinstance(value, dict) and "count" in value for value in values)
    for index, value in enumerate(values):
        if counted and isinstance(value, dict) and "points" in value:
            predicate = "is a limit in points, where a number of activities limits too."
            path = (*cap.at("values"), index, "points")
            cap.check.error("mixed-limits", path, predicate, "Write count throughout, or points.")
    return "count" if counted else "points"


def _check_one_account(table: Table, cap: Cap, rules: Mapping[str, Rule]) -> None:
    accounts = sorted({rules[rule].account for rule in cap.rules})
    if len(accounts) > 1:
        predicate = f"names rules of several accounts: {', '.join(accounts)}."
        remedy = "Write a cap for each account."
        table.check.error("mixed-accounts", table.at("rules"), predicate, remedy)


def _warn_of_late_cap(check: Check, cap: Cap, rules: Mapping[str, Rule]) -> None:
    for value in cap.values[:1]:
        begun = (
            rule
            for rule in cap.rules
            for first in rules[rule].values[:1]
            if first.valid_from < value.valid_from
        )
        if early := ", ".join(begun):
            message = (
                f"{early} gives points before {value.valid_from}, where the cap begins: those are"
                " neither limited nor counted towards the limit."
            )
            remedy = "Let the cap begin with the rules it limits, if that is not meant."
            check.warning("cap-starts-late", value.line, message, remedy)


def _read_labels(root: Table) -> Mapping[str, Label]:
    path, raw = root.at("labels"), root.raw.get("labels", {})
    if not isinstance(raw, dict):
        predicate = f"is {KINDS[type(raw)]}; a table was expected."
        root.check.error("wrong-type", path, predicate, f"Write {EXAMPLES['labels']}.")
        return MappingProxyType({})
    check_count(root.check, path, raw, LABELS_MAX)
    for code in raw:
        check_id(root.check, (*path, code), code)
    labels = {code: read_label(root.check, (*path, code), raw[code]) for code in raw}
    return MappingProxyType(labels)
