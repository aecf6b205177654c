"""What the tests of programmes are told with: an office that grants, and an HR that is told."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from mileage.ledger import Command, MemberJoined, MemberLeft, format_amount, shares
from mileage.ledger.kinds.award import AwardGranted
from mileage.ledger.kinds.entitlement import EntitlementApproved, EntitlementRevoked
from mileage.projections import Grant, Outbox, eligible, grant
from story import Office, rulebook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mileage.projections import Candidate

__all__ = ["Personnel", "rules"]

EARNING = """
[[rule]]
id = "award"
activity = "award.granted"
split = "share"
values = [ { from = 2000-01-01, points = { ten = 10, five = 5, one = 1 }, clause = "제2조" } ]
"""


def rules(*programmes: str) -> str:
    """A rulebook in which awards earn points, with programmes."""
    title = 'title = { ko = "제도", en = "Programme" }'
    return rulebook(
        EARNING, *(p.replace("[[programme]]", f"[[programme]]\n{title}") for p in programmes)
    )


class Personnel(Office):
    """An office whose people earn points by awards, and whose HR takes batches."""

    awards = 0

    def earns(self, day: str, person: str, *grades: str) -> str:
        """Somebody gets awards worth ``ten``, ``five`` or ``one`` point; the last one's key."""
        for grade in grades:
            self.awards += 1
            name = f"W{self.awards}"
            parts = shares({person: 100})
            self.record(day, AwardGranted(name, "포상", parts, "공적", name, grade), name)
        return name

    def joins(self, day: str, person: str, rank: str = "G6") -> None:
        """Somebody joins the office."""
        self.record(day, MemberJoined(person, "HQ", rank))

    def leaves(self, day: str, person: str) -> None:
        """Somebody leaves the office; that day is the last of service."""
        self.record(day, MemberLeft(person))

    def proposed(self, programme: str, day: str) -> dict[str, Any]:
        """Whom the rule proposes on a day, with grade or value as people read them."""
        return {
            c.person: c.grade or (None if c.value is None else format_amount(c.value))
            for c in self.candidates(programme, day)
            if c.selected
        }

    def candidates(self, programme: str, day: str) -> Sequence[Candidate]:
        """Everybody, in or out."""
        self.model.catch_up()
        return eligible(self.model.figures(), programme, date.fromisoformat(day)).candidates

    def outcomes(self, programme: str, day: str) -> dict[str, str]:
        """What becomes of everybody on a day."""
        return {c.person: c.outcome for c in self.candidates(programme, day)}

    def grants(
        self, day: str, programme: str, *people: str, cycle: str = "2005", **given: Any
    ) -> list[str]:
        """Somebody grants a programme; without names, to all whom the rule proposes."""
        self.at(day)
        granted = grant(
            self.ledger,
            self.model,
            programme,
            people or None,
            on=date.fromisoformat(day),
            by="officer",
            cycle=cycle,
            given=Grant(**given),
        )
        return [each.fact.key for each in granted]

    def approves(self, day: str, programme: str, person: str, cycle: str = "2005") -> None:
        """A director approves a grant."""
        self.at(day)
        data = EntitlementApproved(programme, cycle, person)
        self.ledger.record_all([Command(data, date.fromisoformat(day), "director")])

    def revokes(self, day: str, programme: str, person: str, cycle: str = "2005") -> None:
        """A grant is taken back."""
        self.record(day, EntitlementRevoked(programme, cycle, person, "사유"))

    def at(self, day: str) -> None:
        """Let time go on to a day."""
        noon = datetime.combine(date.fromisoformat(day), self.now.timetz(), UTC)
        self.now = max(self.now, noon)

    def told(self, day: str) -> list[tuple[str, str, str, str]]:
        """What HR is told of programmes on a day: person, programme, code, difference."""
        self.at(day)
        self.model.catch_up()
        folder = self.ledger.path.parent / "hr"
        batch = Outbox(self.ledger).cut(self.model.figures(), folder, as_of=date.fromisoformat(day))
        return [
            (n.key.person, n.key.programme, n.key.code, format_amount(n.delta))
            for n in (batch.lines if batch else ())
            if n.key.programme not in ("mileage", "award")
        ]
