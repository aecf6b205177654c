"""What the tests of the ledger share: an agency of two units and three people, at a fixed time."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from mileage.ledger import Ledger, MemberJoined, UnitEstablished

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A busy machine makes examples slow, not wrong; and every example opens a ledger of its own.
settings.register_profile(
    "mileage",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    max_examples=50,
)
settings.load_profile("mileage")

NOON = datetime(2005, 12, 20, 3, 0, tzinfo=UTC)
"""The tests' present: 20 December 2005, noon in Seoul."""


def new_ledger(folder: Path, name: str = "agency.sqlite") -> Ledger:
    """Make a ledger with units HQ and SEOUL and persons P1 to P3, who joined in 2000."""
    ledger = Ledger.create(
        folder / name, organisation="중소기업청", opened_on=date(2000, 1, 1), clock=lambda: NOON
    )
    for unit in ("HQ", "SEOUL"):
        established = UnitEstablished(unit, "조직", "Unit")
        ledger.record(established, on=date(2000, 1, 1), by="setup")
    for person in ("P1", "P2", "P3"):
        ledger.record(MemberJoined(person, "HQ", "G5"), on=date(2000, 3, 2), by="setup")
    return ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """An agency's ledger in a folder of its own."""
    with new_ledger(tmp_path) as opened:
        yield opened
