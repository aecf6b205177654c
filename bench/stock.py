"""The same work as its users would write it with the stock parts, to be compared with.

The library's notification log and JSON transcoder, one Python loop over facts, and
``insert_all`` of sqlite-utils. It scores what the example rulebook says, caps included, and
leaves out what a first version would leave out: voided facts, versions, explanations.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from eventsourcing.persistence import JSONTranscoder
from sqlite_utils import Database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mileage.ledger import Ledger
    from mileage.projections.rulebook import Rulebook

SECTION = 10_000
NAMED_BY = {
    "proposal.adopted": "proposal.submitted",
    "proposal.implemented": "proposal.submitted",
    "contest.awarded": "contest.entered",
}
PEOPLE = {
    "proposal.submitted": "authors",
    "contest.entered": "entrants",
    "learning_club.registered": "leader",
    "learning_club.session_held": "attendees",
}


def notifications(ledger: Ledger) -> Iterator[Any]:
    """Read the notification log in sections, as the library's own followers do."""
    start = 1
    while section := ledger.recorder.select_notifications(start, SECTION):
        yield from section
        start = section[-1].id + 1


def rebuild(ledger: Ledger, rulebook: Rulebook, path: Path) -> dict[str, int]:
    """Balances and postings by a plain loop, written with ``insert_all``."""
    transcoder = JSONTranscoder()
    rules = {rule.activity: rule for rule in rulebook.rules}
    caps = [(cap, frozenset(cap.rules)) for cap in rulebook.caps]
    parties: dict[tuple[str, str], list[tuple[str, int]]] = {}
    used: dict[tuple[str, str, str], int] = defaultdict(int)
    balances: dict[str, int] = defaultdict(int)
    postings = []
    for notification in notifications(ledger):
        state = transcoder.decode(notification.state)
        data, day, kind = state["data"], state["occurred_on"], notification.topic
        if kind in PEOPLE:
            parties[notification.originator_id, kind] = _parties(data[PEOPLE[kind]])
        if kind == "member.joined":
            balances[data["person"]] += 0
        rule = rules.get(kind)
        if rule is None:
            continue
        named = parties.get((notification.originator_id, NAMED_BY.get(kind, kind)), [])
        value = [v for v in rule.values if v.valid_from.isoformat() <= day][-1:]
        for person, share in named:
            whole = _whole(value[0].points, data) if value else 0
            points = gross = whole * share // 1_000_000 if rule.split == "share" else whole
            for cap, members in caps:
                if rule.id in members:
                    key = (person, cap.id, _period(cap.period, day))
                    points = min(points, max(0, cap.values[-1].limit - used[key]))
                    used[key] += points
            balances[person] += points
            postings.append(
                {
                    "person": person,
                    "position": notification.id,
                    "kind": kind,
                    "occurred_on": day,
                    "thing": notification.originator_id,
                    "rule": rule.id,
                    "gross": gross,
                    "points": points,
                }
            )
    database = Database(sqlite3.connect(path))
    database["postings"].insert_all(postings, pk=("person", "position"))
    database["balances"].insert_all(
        ({"person": person, "points": points} for person, points in balances.items()), pk="person"
    )
    database.conn.close()
    return balances


def _parties(named: Any) -> list[tuple[str, int]]:
    if isinstance(named, str):
        return [(named, 1_000_000)]
    return [(p["person"], p["share"]) if isinstance(p, dict) else (p, 1_000_000) for p in named]


def _whole(points: Any, data: dict[str, Any]) -> int:
    if not isinstance(points, int):
        return int(points.get(data["grade"], 0))
    return points * data["hours"] // 10_000 if "hours" in data else points


def _period(period: str, day: str) -> str:
    if period == "month":
        return day[:7]
    return day[:4] if period == "year" else period
