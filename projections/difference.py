"""How the figures of two read models differ: whose balance changes, and by which rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    import sqlite3

    from .figures import Figures

__all__ = [
    "EXPLAINED_MAX",
    "Change",
    "Difference",
    "Reason",
    "keep_changes",
    "kept_changes",
    "people_changed",
    "units_changed",
]

EXPLAINED_MAX = 200

Asking = Callable[[str, Iterable[Any]], list[Any]]
"""What answers a query on a read model's tables, in SQLite or before it is published."""


@attrs.frozen
class Reason:
    """What one rule gave a person before and gives after, caps included, in 1/10,000 point.

    Attributes:
        rule: Id of the rule; empty for activities no rule rewards.
        before: Points under the earlier model.
        after: Points under the new build.
    """

    rule: str
    before: int
    after: int


@attrs.frozen
class Difference:
    """How a person's balance differs between two read models.

    Attributes:
        person: Id of the person.
        before: Points in the earlier model, 1/10,000 point.
        after: Points in the new build, 1/10,000 point.
        reasons: The rules that make the difference; only given for the largest differences.
    """

    person: str
    before: int
    after: int
    reasons: tuple[Reason, ...] = ()

    @property
    def change(self) -> int:
        """What the person gains (positive) or loses (negative)."""
        return self.after - self.before


@attrs.frozen
class Change:
    """How a total differs between two read models.

    Attributes:
        code: What it is the total of: a unit or an account; ``None`` for points that people
            earned while they served in no unit.
        before: Points in the earlier model, 1/10,000 point.
        after: Points in the new build, 1/10,000 point.
    """

    code: str | None
    before: int
    after: int

    @property
    def change(self) -> int:
        """What is gained (positive) or lost (negative)."""
        return self.after - self.before


def people_changed(new: Asking, old: Asking | None) -> tuple[Difference, ...]:
    """Whose balance differs between two read models, largest change first.

    Args:
        new: What answers queries about the new build.
        old: The same of what to compare with; ``None`` where there is nothing before.
    """
    before = dict(old("SELECT person, points FROM balances", ())) if old else {}
    after = new(
        "SELECT b.person, m.person, b.points FROM balances b JOIN people m ON m.id = b.person", ()
    )
    changed = [
        (person, before.get(number, 0), points, number)
        for number, person, points in after
        if points != before.get(number, 0)
    ]
    changed.sort(key=lambda row: (-abs(row[2] - row[1]), row[0]))
    reasons = _reasons([number for *_, number in changed[:EXPLAINED_MAX]], new, old)
    return tuple(
        Difference(person, earlier, later, reasons.get(number, ()))
        for person, earlier, later, number in changed
    )


def units_changed(new: Asking, old: Asking) -> tuple[Change, ...]:
    """The units whose points differ, by where people served when they earned them; by code."""
    sums: dict[str | None, list[int]] = {}
    for side, ask in enumerate((old, new)):
        for unit, points in ask(
            "SELECT u.unit, s.points FROM (SELECT unit, cast(sum(points) AS BIGINT) AS points"
            " FROM postings GROUP BY unit) s LEFT JOIN units u ON u.id = s.unit",
            (),
        ):
            sums.setdefault(unit, [0, 0])[side] += points
    found = [Change(unit, *points) for unit, points in sums.items() if points[0] != points[1]]
    return tuple(sorted(found, key=lambda each: (each.code is not None, each.code)))


# A build's own tables about what it changed; no figures, and so in no digest of them.
_TABLES = (
    "CREATE TABLE changes (place INTEGER PRIMARY KEY, person TEXT NOT NULL,"
    " before BIGINT NOT NULL, after BIGINT NOT NULL)",
    "CREATE TABLE change_reasons (place BIGINT NOT NULL, number BIGINT NOT NULL,"
    " rule TEXT NOT NULL, before BIGINT NOT NULL, after BIGINT NOT NULL,"
    " PRIMARY KEY (place, number)) WITHOUT ROWID",
)


def keep_changes(connection: sqlite3.Connection, differences: Sequence[Difference]) -> None:
    """Write into a build what it changes against the one it replaces."""
    for statement in _TABLES:
        connection.execute(statement)
    connection.executemany(
        "INSERT INTO changes VALUES (?, ?, ?, ?)",
        ((n, each.person, each.before, each.after) for n, each in enumerate(differences, 1)),
    )
    connection.executemany(
        "INSERT INTO change_reasons VALUES (?, ?, ?, ?, ?)",
        (
            (place, number, *attrs.astuple(reason))
            for place, each in enumerate(differences, 1)
            for number, reason in enumerate(each.reasons, 1)
        ),
    )


def kept_changes(figures: Figures) -> tuple[Difference, ...] | None:
    """What a build changed when it was made, largest change first; ``None`` if it does not say."""
    if not figures.query("SELECT 1 FROM sqlite_master WHERE name = 'changes'"):
        return None
    reasons: dict[int, list[Reason]] = {}
    for place, *reason in figures.query(
        "SELECT place, rule, before, after FROM change_reasons ORDER BY place, number"
    ):
        reasons.setdefault(place, []).append(Reason(*reason))
    return tuple(
        Difference(person, before, after, tuple(reasons.get(place, ())))
        for place, person, before, after in figures.query(
            "SELECT place, person, before, after FROM changes ORDER BY place"
        )
    )


def _reasons(
    people: Sequence[int], new: Asking, old: Asking | None
) -> dict[int, tuple[Reason, ...]]:
    """The rules by which people's points differ between two read models, largest first."""
    sums: dict[int, dict[str, list[int]]] = {number: {} for number in people}
    marks = ", ".join("?" * len(people))
    for side, ask in enumerate((old, new)):
        if ask and people:
            for number, rule, points in ask(
                "SELECT p.person, coalesce(v.rule_id, '') AS rule,"
                " cast(sum(p.points) AS BIGINT)"
                " FROM postings p LEFT JOIN rule_values v ON v.id = p.value"
                f" WHERE p.person IN ({marks}) GROUP BY 1, 2",
                people,
            ):
                sums[number].setdefault(rule, [0, 0])[side] += points
    found = {}
    for number, rules in sums.items():
        differing = [
            Reason(rule, *points) for rule, points in rules.items() if points[0] != points[1]
        ]
        differing.sort(key=lambda each: (-abs(each.after - each.before), each.rule))
        found[number] = tuple(differing)
    return found
