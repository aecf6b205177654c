"""Programs that cut batches and take in answers are killed: nothing is lost, nothing twice."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from conftest import NOON
from lives import deal
from mileage.ledger import Ledger
from mileage.projections import HrKey, Outbox, ReadModel, entitlements
from test_feed import lived, proposals, workplace

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["workplace"]


def check_booked(folder: Path) -> None:
    """What HR booked and what is still to come is what holds, and both sides know the same."""
    with (
        Ledger.open(folder / "agency.sqlite", clock=lambda: NOON) as ledger,
        ReadModel(ledger) as model,
        closing(sqlite3.connect(folder / "hr.sqlite")) as hr,
    ):
        rounds = 0
        while deal(folder, model, hr, refusing=False):
            rounds += 1
        assert rounds < 3  # what was rejected goes out once more, and then there is nothing
        booked = hr.execute(
            "SELECT person, programme, code, for_period, sum(delta) FROM lines"
            " WHERE status = 'accepted' GROUP BY 1, 2, 3, 4 HAVING sum(delta) <> 0"
        ).fetchall()
        assert {HrKey(*key): amount for *key, amount in booked} == entitlements(model.figures())
        answers = hr.execute("SELECT batch, line, status FROM lines ORDER BY batch, line")
        kept = [
            (batch.manifest["batch"], line.line, line.status)
            for batch in Outbox(ledger).batches()
            for line in batch.lines
        ]
        assert kept == answers.fetchall()
        sequences = [batch.sequence for batch in Outbox(ledger).batches()]
        assert sequences == list(range(1, len(sequences) + 1))


def test_9_killed_before_every_step(workplace):
    """9: Killed before any statement or step with a file, what HR books adds up."""
    (workplace / "work.json").write_text(json.dumps(proposals(1)))
    ways = lived("steps", "batches", workplace)
    assert ways > 40
    for number in range(1, ways + 1):
        check_booked(workplace.with_name(f"work-{number}"))


def test_9_killed_at_random_moments(workplace):
    """9: Killed a hundred times while cutting and taking in answers, what HR books adds up."""
    (workplace / "work.json").write_text(json.dumps(proposals(110)))
    (workplace / "lives.json").write_text("100")
    assert lived("moments", "batches", workplace) == 100
    check_booked(workplace)
