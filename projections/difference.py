"""How the figures of two read models differ: whose balance changes, and by which rules."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

import attrs

from .figures import Figures

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from pathlib import Path

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


def people_changed(new: Path, old: Path | None) -> tuple[Difference, ...]:
    """Whose balance differs between two read models, largest change first.

    Args:
        new: File of the new build.
        old: File to compare with; ``None`` where there is nothing before.
    """
    with _beside(new, old) as figures:
        before = "coalesce(o.points, 0)" if old else "0"
        rows = figures.query(
            f"SELECT m.person, {before}, b.points, b.person FROM balances b"
            " JOIN people m ON m.id = b.person LEFT JOIN old.balances o ON o.person = b.person"
            f" WHERE b.points <> {before}"
        )
        rows.sort(key=lambda row: (-abs(row[2] - row[1]), row[0]))
        return tuple(
            Difference(
                person,
                earlier,
                later,
                _reasons(figures, number, first=not old) if index < EXPLAINED_MAX else (),
            )
            for index, (person, earlier, later, number) in enumerate(rows)
        )


def units_changed(new: Path, old: Path) -> tuple[Change, ...]:
    """The units whose points differ, by where people served when they earned them; by code."""
    with _beside(new, old) as figures:
        rows = figures.query(
            """
            WITH sums AS (
                SELECT unit, 0 AS before, points AS after FROM postings
                UNION ALL SELECT unit, points, 0 FROM old.postings
            )
            SELECT u.unit, sum(before), sum(after)
            FROM sums LEFT JOIN units u ON u.id = sums.unit
            GROUP BY u.unit HAVING sum(before) <> sum(after) ORDER BY u.unit
            """
        )
    return tuple(Change(*row) for row in rows)


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


def kept_changes(figures: Figures) -> tuple[Difference, ...]:
    """What a build changed when it was made, largest change first."""
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


@contextmanager
def _beside(new: Path, old: Path | None) -> Iterator[Figures]:
    """The figures of a build, with those before as ``old``; the build itself stands for none."""
    figures = Figures(new)
    try:
        figures.query("ATTACH ? AS old", (f"file:{quote(str(old or new))}?mode=ro",))
        yield figures
    finally:
        figures.close()


def _reasons(new: Figures, person: int, *, first: bool) -> tuple[Reason, ...]:
    """The rules by which a person's points differ between a build and ``old``."""
    rows = new.query(
        """
        WITH sums AS (
            SELECT coalesce(v.rule_id, '') AS rule, 0 AS before, p.points AS after
            FROM postings p LEFT JOIN rule_values v ON v.id = p.value WHERE p.person = ?
            UNION ALL
            SELECT coalesce(v.rule_id, ''), p.points, 0
            FROM old.postings p LEFT JOIN old.rule_values v ON v.id = p.value
            WHERE p.person = ? AND NOT ?
        )
        SELECT rule, sum(before), sum(after) FROM sums GROUP BY rule
        HAVING sum(before) <> sum(after) ORDER BY abs(sum(after) - sum(before)) DESC, rule
        """,
        (person, person, first),
    )
    return tuple(Reason(*row) for row in rows)
