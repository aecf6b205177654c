"""The facts of some kinds that stand: within a slice of the ledger, and not void in it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

from eventsourcing.persistence import Notification
from mileage.ledger.facts import encode, format_instant
from mileage.ledger.ledger import database_name, gone_keys

from .decode import Slice

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from mileage.ledger import Ledger, Recorded

__all__ = ["POSTING_STANDS", "kinds_about", "last_fact", "standing_facts", "standing_rows"]

POSTING_STANDS = (
    "p.account = 0 AND NOT EXISTS (SELECT 1 FROM cuts c WHERE c.person = p.person"
    " AND c.position = p.position AND c.activity = p.activity AND c.stage = 0)"
)
"""SQL: the posting ``p`` in the main account is of an activity neither voided nor withdrawn."""

_STANDING = """
WITH versions AS MATERIALIZED (
    SELECT key AS topic, json_extract(value, '$.kind') AS kind, json_extract(value, '$.old') AS old
    FROM json_each(:topics)
),
standing AS (
    SELECT position, stream, kind, json_extract(state, '$.occurred_on') AS day, state
    FROM (SELECT position, originator_id AS stream, kind,
                 CASE WHEN old
                      THEN as_now(position, originator_id, originator_version, v.topic, state)
                      ELSE CAST(state AS TEXT) END AS state
          FROM stored_events e CROSS JOIN versions v ON v.topic = e.topic)
    WHERE position NOT IN (SELECT value FROM json_each(:gone))
      AND (:until IS NULL OR json_extract(state, '$.occurred_on') <= :until)
      AND (:known_at IS NULL OR json_extract(state, '$.recorded_at') <= :known_at)
)
"""
_LAST = """
SELECT position FROM stored_events
WHERE (:as_of IS NULL OR json_extract(CAST(state AS TEXT), '$.occurred_on') <= :as_of)
  AND (:known_at IS NULL OR json_extract(CAST(state AS TEXT), '$.recorded_at') <= :known_at)
ORDER BY position DESC LIMIT 1
"""


def kinds_about(ledger: Ledger, *categories: str) -> list[str]:
    """Names of the kinds of facts about things of some categories."""
    return [kind.name for kind in ledger.kinds if kind.category in categories]


def standing_facts(
    ledger: Ledger,
    kinds: Iterable[str],
    *,
    as_of: date | None = None,
    known_at: datetime | None = None,
    until: date | None = None,
) -> list[Recorded]:
    """The standing facts of some kinds, in order of position.

    Args:
        ledger: The ledger.
        kinds: Names of the kinds.
        as_of: What counted on that civil date, corrections that took effect by then included.
        known_at: Only what had been recorded by that instant.
        until: Only facts of that civil date or earlier, whatever the date of a correction.
    """
    part = Slice(as_of=as_of, known_at=known_at)
    gone = _gone(ledger, part)
    return [
        item
        for item in ledger.facts(topics=ledger.kinds.topics(*kinds))
        if part.has(item.position, item.fact.occurred_on, item.fact.recorded_at)
        and item.fact.key not in gone
        and (until is None or item.fact.occurred_on <= until)
    ]


def standing_rows(  # noqa: PLR0913 - what is asked, and of which facts
    ledger: Ledger,
    statement: str,
    kinds: Iterable[str],
    *,
    as_of: date | None = None,
    known_at: datetime | None = None,
    until: date | None = None,
) -> list[Any]:
    """Ask the same facts in SQL, for kinds of which there are many.

    Args:
        ledger: The ledger.
        statement: A query on ``standing(position, stream, kind, day, state)``: ``kind`` is a
            name, ``day`` a text ``YYYY-MM-DD``, ``state`` the JSON as the present version of the
            kind stores it.
        kinds: As for ``standing_facts``; likewise ``as_of``, ``known_at`` and ``until``.
        as_of: See there.
        known_at: See there.
        until: See there.
    """
    gone = _gone(ledger, Slice(as_of=as_of, known_at=known_at))
    days = [day for day in (as_of, until) if day]
    given = {
        "topics": json.dumps(_versions(ledger, kinds)),
        "gone": json.dumps(list(ledger.positions(list(gone)).values())),
        "until": min(days).isoformat() if days else None,
        "known_at": format_instant(known_at) if known_at else None,
    }
    return _query(ledger, _STANDING + statement, given)


def last_fact(
    ledger: Ledger, *, as_of: date | None = None, known_at: datetime | None = None
) -> Recorded | None:
    """The fact of the highest position, voided or not, of what had happened and was known."""
    given = {
        "as_of": as_of.isoformat() if as_of else None,
        "known_at": format_instant(known_at) if known_at else None,
    }
    rows = _query(ledger, _LAST, given)
    return ledger.at(rows[0][0]) if rows else None


def _versions(ledger: Ledger, kinds: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The topics of some kinds, each with the kind and whether it is of an earlier version."""
    return {
        kind.topic_of(number): {"kind": kind.name, "old": number < kind.version}
        for kind in map(ledger.kinds.get, kinds)
        for number in range(1, kind.version + 1)
    }


def _gone(ledger: Ledger, part: Slice) -> frozenset[str]:
    """Keys of the facts that are void within a slice."""
    return gone_keys(
        item.fact
        for item in ledger.facts(topics=ledger.kinds.topics("fact.voided"))
        if part.has(item.position, item.fact.occurred_on, item.fact.recorded_at)
    )


def _query(ledger: Ledger, statement: str, values: dict[str, Any]) -> list[Any]:
    name = database_name(ledger.path, read_only=True)
    with closing(sqlite3.connect(name, uri=True)) as connection:

        def as_now(position: int, stream: str, version: int, topic: str, state: bytes) -> str:
            event = Notification(stream, version, topic, state, position)
            return encode(ledger.mapper.to_domain_event(event)).decode()

        connection.create_function("as_now", 5, as_now, deterministic=True)
        return connection.execute(statement, values).fetchall()
