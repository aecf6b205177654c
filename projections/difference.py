"""How the figures of two read models differ: whose balance changes, and by which rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from .rulebook import MAIN_ACCOUNT

if TYPE_CHECKING:
    import sqlite3

    from .figures import Figures

__all__ = [
    "EXPLAINED_MAX",
    "Change",
    "Difference",
    "Reason",
    "accounts_changed",
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
        account: Id of the account the points are in.
    """

    person: str
    before: int
    after: int
    reasons: tuple[Reason, ...] = ()
    account: str = MAIN_ACCOUNT

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
        account: Id of the account the points are in.
    """

    code: str | None
    before: int
    after: int
    account: str = MAIN_ACCOUNT

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
    before, after = _balances(old) if old else {}, _balances(new)
    changed = [
        (account, person, points, after.get((account, person), 0))
        for (account, person), points in (before | dict.fromkeys(after.keys() - before, 0)).items()
        if points != after.get((account, person), 0)
    ]
    people = dict(new("SELECT id, person FROM people", ())) if changed else {}
    changed = [each for each in changed if each[1] in people]
    changed.sort(key=lambda row: (-abs(row[3] - row[2]), people[row[1]], row[0]))
    reasons = _reasons([row[:2] for row in changed[:EXPLAINED_MAX]], new, old)
    return tuple(
        Difference(people[person], earlier, later, reasons.get((account, person), ()), account)
        for account, person, earlier, later in changed
    )


def _balances(ask: Asking) -> dict[tuple[str, int], int]:
    """Balances by account and number of the person."""
    accounts = dict(ask("SELECT id, account FROM accounts", ()))
    rows = ask("SELECT account, person, points FROM balances", ())
    return {(accounts[account], person): points for account, person, points in rows}


def units_changed(new: Asking, old: Asking) -> tuple[Change, ...]:
    """The units whose points differ, by where people served when they earned them; by code."""
    sums: dict[tuple[str | None, str], list[int]] = {}
    for side, ask in enumerate((old, new)):
        for unit, account, points in ask(
            "SELECT u.unit, a.account, s.points FROM (SELECT unit, account,"
            " cast(sum(points) AS BIGINT) AS points FROM postings GROUP BY unit, account) s"
            " JOIN accounts a ON a.id = s.account LEFT JOIN units u ON u.id = s.unit",
            (),
        ):
            sums.setdefault((unit, account), [0, 0])[side] += points
    found = [
        Change(unit, points[0], points[1], account)
        for (unit, account), points in sums.items()
        if points[0] != points[1]
    ]
    return tuple(sorted(found, key=lambda each: (each.code is not None, each.code, each.account)))


def accounts_changed(new: Asking, old: Asking) -> tuple[Change, ...]:
    """What people's balances add up to, account by account, changed or not; the main one first."""
    sums: dict[str, list[int]] = {}
    for side, ask in enumerate((old, new)):
        for account, points in ask(
            "SELECT a.account, cast(coalesce(sum(b.points), 0) AS BIGINT) FROM accounts a"
            " LEFT JOIN balances b ON b.account = a.id GROUP BY a.account",
            (),
        ):
            sums.setdefault(account, [0, 0])[side] += points
    ordered = sorted(sums, key=lambda account: (account != MAIN_ACCOUNT, account))
    return tuple(
        Change(account, sums[account][0], sums[account][1], account) for account in ordered
    )


# A build's own tables about what it changed; no figures, and so in no digest of them.
_TABLES = (
    "CREATE TABLE changes (place INTEGER PRIMARY KEY, person TEXT NOT NULL,"
    " account TEXT NOT NULL, before BIGINT NOT NULL, after BIGINT NOT NULL)",
    "CREATE TABLE change_reasons (place BIGINT NOT NULL, number BIGINT NOT NULL,"
    " rule TEXT NOT NULL, before BIGINT NOT NULL, after BIGINT NOT NULL,"
    " PRIMARY KEY (place, number)) WITHOUT ROWID",
)


def keep_changes(connection: sqlite3.Connection, differences: Sequence[Difference]) -> None:
    """Write into a build what it changes against the one it replaces."""
    for statement in _TABLES:
        connection.execute(statement)
    connection.executemany(
        "INSERT INTO changes VALUES (?, ?, ?, ?, ?)",
        (
            (place, each.person, each.account, each.before, each.after)
            for place, each in enumerate(differences, 1)
        ),
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
        Difference(person, before, after, tuple(reasons.get(place, ())), account)
        for place, person, account, before, after in figures.query(
            "SELECT place, person, account, before, after FROM changes ORDER BY place"
        )
    )


def _reasons(
    keys: Sequence[tuple[str, int]], new: Asking, old: Asking | None
) -> dict[tuple[str, int], tuple[Reason, ...]]:
    """The rules by which amounts differ between two read models, largest first.

    Args:
        keys: Account and number of the person of each amount.
        new: What answers queries about the new build.
        old: The same of what to compare with.
    """
    sums: dict[tuple[str, int], dict[str, list[int]]] = {key: {} for key in keys}
    people = sorted({person for _, person in keys})
    marks = ", ".join("?" * len(people))
    for side, ask in enumerate((old, new)):
        if ask and people:
            for person, account, rule, points in ask(
                "SELECT p.person, a.account, coalesce(v.rule_id, '') AS rule,"
                " cast(sum(p.points) AS BIGINT)"
                " FROM postings p JOIN accounts a ON a.id = p.account"
                " LEFT JOIN rule_values v ON v.id = p.value"
                f" WHERE p.person IN ({marks}) GROUP BY 1, 2, 3",
                people,
            ):
                if (account, person) in sums:
                    sums[account, person].setdefault(rule, [0, 0])[side] += points
    found = {}
    for key, rules in sums.items():
        differing = [
            Reason(rule, *points) for rule, points in rules.items() if points[0] != points[1]
        ]
        differing.sort(key=lambda each: (-abs(each.after - each.before), each.rule))
        found[key] = tuple(differing)
    return found
