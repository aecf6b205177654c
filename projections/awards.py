"""Awards and their certificates: what was granted to whom, and what was withdrawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from .days import day_of
from .figures import Period

if TYPE_CHECKING:
    from datetime import date

    from .figures import Figures

__all__ = ["AwardLine", "awards"]

_WHOLE = 1_000_000


@attrs.frozen
class AwardLine:
    """One person's part in an award.

    Attributes:
        position: Position of the fact that grants it.
        award: Id of the award.
        title: Its title.
        grade: Its grade, if any.
        certificate: Number of the certificate.
        granted_on: Civil date on which it was granted.
        basis: What it is for.
        proposal: The proposal it is for, if it is for one.
        person: Id of the person.
        share: The person's share, 1/10,000 percent.
        prize: The person's part of the prize in whole won, if there is one.
        withdrawn_on: Civil date on which it was withdrawn, if it was.
        withdrawn_at: Position of the fact that withdrew it.
    """

    position: int
    award: str
    title: str
    grade: str | None
    certificate: str
    granted_on: date
    basis: str
    proposal: str | None
    person: str
    share: int
    prize: int | None
    withdrawn_on: date | None
    withdrawn_at: int | None


def awards(figures: Figures, period: Period | None = None) -> list[AwardLine]:
    """The awards granted in a period, one line for each person, in order of date.

    A prize is divided by the shares; won that do not divide go one each to the largest remainders,
    then in order of the people's ids. Awards recorded in error (voided) are left out, withdrawn
    ones are marked.
    """
    span = period or Period.parse("all")
    rows = figures.query(
        "SELECT a.position, a.award, a.title, a.grade, a.certificate, a.day, a.basis, a.proposal,"
        " a.prize, a.withdrawn_on, a.withdrawn_at, m.person, p.share"
        " FROM awards a JOIN postings p ON p.position = a.position"
        " JOIN people m ON m.id = p.person"
        " WHERE a.day >= ? AND a.day < ? AND p.account = 0 AND p.share > 0"
        " ORDER BY a.day, a.position, m.person",
        (span.day_from, span.day_until),
    )
    of_award: dict[int, list[tuple[str, int]]] = {}
    for row in rows:
        of_award.setdefault(row[0], []).append((row[11], row[12]))
    lines = []
    for row in rows:
        position, award, title, grade, certificate, day, basis, proposal = row[:8]
        prize, withdrawn_on, withdrawn_at, person, share = row[8:]
        parts = None if prize is None else _parts(prize, of_award[position])
        lines.append(
            AwardLine(
                position,
                award,
                title,
                grade,
                certificate,
                day_of(day),
                basis,
                proposal,
                person,
                share,
                None if parts is None else parts[person],
                day_of(withdrawn_on) if withdrawn_on else None,
                withdrawn_at,
            )
        )
    return lines


def _parts(prize: int, shares: list[tuple[str, int]]) -> dict[str, int]:
    parts = {person: prize * share // _WHOLE for person, share in shares}
    order = sorted(shares, key=lambda each: (-(prize * each[1] % _WHOLE), each[0]))
    for person, _ in order[: prize - sum(parts.values())]:
        parts[person] += 1
    return parts
