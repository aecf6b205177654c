"""Comparable figures of several organisations, each with a ledger of its own (산하기관 확산)."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
from mileage.ledger.ledger import database_name

from .build import build_read_model
from .decode import Slice
from .figures import Figures
from .learning import ATTENDED
from .participation import (
    Group,
    ProgrammeActivity,
    activity_by_programme,
    last_day,
    money,
    participation,
)
from .report import RulebookInForce, rulebooks_in_force
from .schema import SCHEMA_VERSION
from .standing import POSTING_STANDS, standing_facts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date, datetime

    from mileage.ledger import Ledger

    from .figures import Period

__all__ = ["Comparable", "comparable", "same_rules"]


@attrs.frozen
class Comparable:
    """What can be compared of an organisation in a period.

    Attributes:
        organisation: Whose ledger it is.
        ledger: What identifies the ledger.
        time_zone: Zone of its dates, an IANA name.
        day: Civil date, in that zone, of the head-count.
        known_at: The instant asked for, if one was.
        position: Position of the last fact of the ledger.
        staff: Who serves on the day, and how many of them took part.
        programmes: What people did, by programme.
        learning_hours: Hours of learning of everybody in the period, 1/10,000 hour.
        proposals_submitted: Proposals submitted in the period that stand.
        proposals_adopted: Proposals adopted in the period that stand.
        entries: Entries into contests in the period that stand.
        entries_joint: How many of them into contests across agencies.
        awards: Awards in the period that stand.
        awards_joint: How many of them of contests across agencies.
        granted: Support granted in the period, in whole won.
        spent: Support spent in the period, in whole won.
        points: Points in the period, 1/10,000 point.
        rulebooks: The rulebooks in force in the period.
    """

    organisation: str
    ledger: str
    time_zone: str
    day: date
    known_at: datetime | None
    position: int
    staff: Group
    programmes: tuple[ProgrammeActivity, ...]
    learning_hours: int
    proposals_submitted: int
    proposals_adopted: int
    entries: int
    entries_joint: int
    awards: int
    awards_joint: int
    granted: int
    spent: int
    points: int
    rulebooks: tuple[RulebookInForce, ...]

    @property
    def activities(self) -> int:
        """Activities in all, one for each person in them."""
        return sum(each.activities for each in self.programmes)


def same_rules(found: Sequence[Comparable]) -> bool:
    """Whether points mean the same: the same texts in force since the same days, and some at all.

    Each is in force until the next; where a period is not over, the last day may be another in
    another time zone.
    """
    terms = {tuple((book.digest, book.since) for book in each.rulebooks) for each in found}
    return len(terms) == 1 and terms != {()}


def comparable(
    ledger: Ledger,
    period: Period,
    *,
    as_of: date | None = None,
    known_at: datetime | None = None,
) -> Comparable:
    """The figures of one ledger, which is only read.

    The figures are built in a temporary folder, with the rulebooks of the read model in service
    beside the ledger, or with all that were adopted where there is none.

    Args:
        ledger: The ledger; may be open for reading only.
        period: The period, in days of the ledger's own zone.
        as_of: What counted on that civil date of the ledger's own zone.
        known_at: Only what had been recorded by that instant.

    Raises:
        MileageError: A fact cannot be read, or the period has not begun.
        RulebookError: An adopted rulebook cannot be used.
    """
    part = Slice(as_of=as_of, known_at=known_at)
    day = last_day(ledger, period, as_of)
    with _figures(ledger, part) as figures:
        return _comparable(ledger, figures, period, day, part)


@contextmanager
def _figures(ledger: Ledger, part: Slice) -> Iterator[Figures]:
    with tempfile.TemporaryDirectory(prefix="mileage-") as folder:
        path = Path(folder) / "figures.sqlite"
        build_read_model(ledger, path, part, rules_upto=_rules_in_service(ledger))
        figures = Figures(path)
        try:
            yield figures
        finally:
            figures.close()


def _rules_in_service(ledger: Ledger) -> int | None:
    """Up to which position rulebooks are in service; ``None`` without a usable read model."""
    model = ledger.beside(".read.sqlite")
    if not model.exists():
        return None
    name = database_name(model.resolve(), read_only=True)
    try:
        with closing(sqlite3.connect(name, uri=True)) as connection:
            meta = dict(connection.execute("SELECT key, value FROM meta").fetchall())
    except sqlite3.Error:
        return None
    own = meta.get("ledger") == ledger.stream_of_opening
    return int(meta["rules_position"]) if own and meta["schema"] == str(SCHEMA_VERSION) else None


def _comparable(
    ledger: Ledger, figures: Figures, period: Period, day: date, part: Slice
) -> Comparable:
    done = tuple(activity_by_programme(figures, ledger.kinds, period))
    things = _things(figures, period)
    joint = _joint_contests(ledger, part)
    lines = money(ledger, period, as_of=part.as_of, known_at=part.known_at)

    def entries(kind: str, *, joint_only: bool) -> int:
        contests = [thing.partition(":")[2].partition("/")[0] for thing in things.get(kind, ())]
        return sum(contest in joint for contest in contests) if joint_only else len(contests)

    return Comparable(
        organisation=ledger.organisation,
        ledger=ledger.stream_of_opening,
        time_zone=ledger.time_zone.key,
        day=day,
        known_at=part.known_at,
        position=figures.position,
        staff=participation(figures, period, day).everybody,
        programmes=done,
        learning_hours=_learning_hours(figures, period),
        proposals_submitted=len(things.get("proposal.submitted", ())),
        proposals_adopted=len(things.get("proposal.adopted", ())),
        entries=entries("contest.entered", joint_only=False),
        entries_joint=entries("contest.entered", joint_only=True),
        awards=entries("contest.awarded", joint_only=False),
        awards_joint=entries("contest.awarded", joint_only=True),
        granted=sum(line.granted for line in lines),
        spent=sum(line.spent for line in lines),
        points=sum(each.points for each in done),
        rulebooks=rulebooks_in_force(figures, period, day),
    )


def _things(figures: Figures, period: Period) -> dict[str, list[str]]:
    """The proposals and entries that something happened to in a period, by kind; each once."""
    rows = figures.query(
        "SELECT DISTINCT a.kind, t.stream FROM postings p"
        " JOIN activities a ON a.id = p.activity JOIN things t ON t.id = p.thing"
        " WHERE a.kind IN ('proposal.submitted', 'proposal.adopted', 'contest.entered',"
        " 'contest.awarded') AND p.day >= ? AND p.day < ? AND p.share > 0"
        f" AND {POSTING_STANDS}",
        (period.day_from, period.day_until),
    )
    found: dict[str, list[str]] = {}
    for kind, stream in rows:
        found.setdefault(kind, []).append(stream)
    return found


def _joint_contests(ledger: Ledger, part: Slice) -> frozenset[str]:
    """The contests that are held across agencies."""
    opened = standing_facts(ledger, ["contest.opened"], as_of=part.as_of, known_at=part.known_at)
    return frozenset(
        item.fact.data.contest for item in opened if item.fact.data.scope == "inter_agency"
    )


def _learning_hours(figures: Figures, period: Period) -> int:
    marks = ",".join("?" * len(ATTENDED))
    [(hours,)] = figures.query(
        "SELECT coalesce(sum(p.hours), 0) FROM postings p JOIN activities a ON a.id = p.activity"
        f" WHERE a.kind IN ({marks}) AND p.day >= ? AND p.day < ? AND {POSTING_STANDS}",
        (*ATTENDED, period.day_from, period.day_until),
    )
    return int(hours)
