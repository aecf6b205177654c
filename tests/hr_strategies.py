"""Random histories that lead to HR: decisions, awards, redemptions; and an HR system of its own.

The HR system knows nothing but the files it is given, as the real one does.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from attrs import define, field
from hr_receiver import read_batch
from hypothesis import strategies as st
from mileage.ledger import Command
from mileage.ledger.kinds.award import AwardGranted, AwardWithdrawn
from mileage.ledger.kinds.entitlement import (
    EntitlementApproved,
    EntitlementGranted,
    EntitlementRefused,
    EntitlementRevoked,
)
from mileage.ledger.kinds.redemption import RedemptionMade, RedemptionReversed
from strategies import GRADES, OPERATIONS, PEOPLE, TITLES, Play, Step

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from mileage.ledger import Recorded

HR_OPERATIONS = (
    *OPERATIONS,
    *("grant",) * 8,
    *("approve", "revoke", "honour", "redeem") * 5,
    *("refuse", "dishonour", "give_back", "void") * 3,
    *("close",) * 4,
    "reopen",
)
PROGRAMMES = ("training", "bonus")


def hr_steps(min_size: int = 10, max_size: int = 45) -> st.SearchStrategy[list[Step]]:
    """What happens, in order, much of it about HR."""
    late = st.one_of(st.just(0), st.just(0), st.integers(0, 60))
    choice = st.integers(0, 10_000)
    passed = st.integers(0, 45)
    step = st.tuples(st.sampled_from(HR_OPERATIONS), passed, late, choice, choice)
    return st.lists(step, min_size=min_size, max_size=max_size)


@define
class HrPlay(Play):
    """Plays histories with decisions, awards and redemptions too."""

    awards: list[str] = field(factory=list)
    redemptions: list[str] = field(factory=list)

    def _decide(self, kind: type, day: date, one: int, two: int, *more: Any) -> Recorded:
        thing = (PROGRAMMES[two % 2], str(2005 + two % 2), PEOPLE[one % 3])
        key = f"decision-{len(self.recorded)}"
        by = ("officer", "director")[two // 2 % 2]
        command = Command(kind(*thing, *more), day, by, "play", key)
        return self.ledger.record_all([command])[0]

    def _grant(self, day: date, one: int, two: int) -> Recorded:
        grade = (None, *GRADES)[one % 4]
        value = (None, Decimal(0), Decimal("0.5"), Decimal(180))[two // 4 % 4]
        return self._decide(EntitlementGranted, day, one, two, grade, value, "사유")

    def _approve(self, day: date, one: int, two: int) -> Recorded:
        return self._decide(EntitlementApproved, day, one, two)

    def _refuse(self, day: date, one: int, two: int) -> Recorded:
        return self._decide(EntitlementRefused, day, one, two, "사유")

    def _revoke(self, day: date, one: int, two: int) -> Recorded:
        return self._decide(EntitlementRevoked, day, one, two, "사유")

    def _honour(self, day: date, one: int, two: int) -> Recorded:
        name = f"A{one % 4}"
        prize = (None, 1, 100_001, 1_000_000)[two % 4]
        key = f"honour-{len(self.recorded)}"
        data = AwardGranted(
            name, TITLES[two % len(TITLES)], self._shares(one, two), "공적", name, "gold", prize
        )
        done = self._record(data, day, key)
        self.awards.append(name)
        return done

    def _dishonour(self, day: date, one: int, _two: int) -> Recorded | None:
        key = f"dishonour-{len(self.recorded)}"
        if not self.awards:
            return None
        name = self.awards[one % len(self.awards)]
        return self._record(AwardWithdrawn(name, "copied"), day, key)

    def _redeem(self, day: date, one: int, two: int) -> Recorded:
        name = f"r{len(self.redemptions)}"
        points = Decimal(1 + two % 7) / 4
        done = self._record(RedemptionMade(name, PEOPLE[one % 3], points, "책"), day)
        self.redemptions.append(name)
        return done

    def _give_back(self, day: date, one: int, _two: int) -> Recorded | None:
        if not self.redemptions:
            return None
        name = self.redemptions[one % len(self.redemptions)]
        return self._record(RedemptionReversed(name, "취소"), day)


@define
class HrSystem:
    """An HR system that adds up the deltas of the lines it accepts.

    Attributes:
        inbox: Folder from which it reads batches.
        holds: What it has booked, by person, programme, code and period, in 1/10,000.
        read: Batches it has read, by sequence.
        answered: What it said to lines, by batch and line.
    """

    inbox: Path
    holds: dict[tuple[str, ...], int] = field(factory=dict)
    read: dict[int, dict[str, Any]] = field(factory=dict)
    answered: dict[tuple[str, int], str] = field(factory=dict)

    def take(self, sequence: int) -> None:
        """Read a batch and check that it is whole and follows the one before."""
        manifest, rows = read_batch(self.inbox, sequence)
        before = self.read.get(sequence - 1)
        assert manifest["previous_sha256"] == (before["manifest"]["sha256"] if before else None)
        self.read[sequence] = {"manifest": manifest, "rows": rows}

    def answer(self, path: Path, sequence: int, refusing: int, *, repeat: bool) -> None:
        """Accept or reject lines of a batch; every third or so stays without an answer."""
        batch = self.read[sequence]
        name, lines = batch["manifest"]["batch"], ["batch,line,status,reason", ""]
        for row in batch["rows"]:
            number = row.line
            known = self.answered.get((name, number))
            if known and not repeat:
                continue
            status = known or ("accepted", "rejected", "")[(refusing >> number) % 3]
            if refusing < 0:
                status = known or "accepted"
            if status == "accepted" and not known:
                self.holds[row.key] = self.holds.get(row.key, 0) + row.delta
            if status:
                self.answered[name, number] = status
                lines.append(f"{name},{number},{status},")
        lines[1] = f"{name},,received,"
        path.write_text("\n".join(lines) + "\n", "utf-8")
