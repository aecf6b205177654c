"""What people decided about entitlements, and what of it is in effect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import attrs

from .days import day_of

if TYPE_CHECKING:
    from datetime import date

    from .figures import Figures

__all__ = ["Decision", "decisions"]


@attrs.frozen
class Decision:
    """How a person's entitlement of a cycle is decided.

    Attributes:
        programme: Id of the programme.
        cycle: The period it is for, such as ``2005``.
        person: Id of the person.
        stage: ``granted``, ``approved``, ``refused`` or ``revoked``.
        decided_on: Civil date of the latest decision.
        decided_by: Who decided it, an opaque id.
        reason: Reason given with the latest decision, if any.
        grade: Grade or tier granted, if any; kept when it is revoked.
        value: Value granted, 1/10,000 of the programme's unit, if any; kept likewise.
        granted_on: Civil date of the latest grant, if any.
        granted_by: Who granted it last.
        granted_because: Reason given with that grant, needed beside the rule's proposal.
        approved_by: Who approved that grant.
        four_eyes: Whether the rulebook in force on the day of the grant asks for approval.
        positions: Positions of the facts, oldest first.
    """

    programme: str
    cycle: str
    person: str
    stage: Literal["granted", "approved", "refused", "revoked"]
    decided_on: date
    decided_by: str
    reason: str | None = None
    grade: str | None = None
    value: int | None = None
    granted_on: date | None = None
    granted_by: str = ""
    granted_because: str | None = None
    approved_by: str = ""
    four_eyes: bool = False
    positions: tuple[int, ...] = ()

    @property
    def in_effect(self) -> bool:
        """Whether the person has it: granted, and approved where that is asked for."""
        return self.stage == "approved" or (self.stage == "granted" and not self.four_eyes)


_ROWS = """
SELECT d.position, d.programme, d.cycle, m.person, d.day, d.decision, d.grade, d.value, d.reason,
       d.decided_by,
       coalesce((SELECT p.four_eyes FROM programmes p
                 WHERE p.programme = d.programme AND p.day_from <= d.day
                 ORDER BY p.day_from DESC LIMIT 1), 0)
FROM decisions d JOIN people m ON m.id = d.person
WHERE (? IS NULL OR d.programme = ?) AND (? IS NULL OR d.cycle = ?)
ORDER BY d.position
"""


def decisions(
    figures: Figures, programme: str | None = None, cycle: str | None = None
) -> list[Decision]:
    """How entitlements are decided, one for each programme, cycle and person.

    Args:
        figures: The figures, as of the day that is asked for.
        programme: Only of this programme.
        cycle: Only of this cycle.

    Returns:
        In order of programme, cycle and person.
    """
    found: dict[tuple[str, str, str], Decision] = {}
    for row in figures.query(_ROWS, (programme, programme, cycle, cycle)):
        key = (row[1], row[2], row[3])
        found[key] = _next(found.get(key), row)
    return [found[key] for key in sorted(found)]


def _next(before: Decision | None, row: Any) -> Decision:
    """Take one more decision into account; ``row`` is one of ``_ROWS``."""
    position, programme, cycle, person, day, stage, grade, value, reason, by, four_eyes = row
    on = day_of(day)
    after = before or Decision(programme, cycle, person, stage, on, by)
    after = attrs.evolve(
        after,
        stage=stage,
        decided_on=on,
        decided_by=by,
        reason=reason,
        approved_by=by if stage == "approved" else "",
        positions=(*after.positions, position),
    )
    if stage != "granted":
        return after
    return attrs.evolve(
        after,
        grade=grade,
        value=value,
        granted_on=on,
        granted_by=by,
        granted_because=reason,
        four_eyes=bool(four_eyes),
    )
