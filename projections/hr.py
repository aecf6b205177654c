"""What HR is told: for everyone what is decided and earned, and why it changed.

A line is about one person and one **key**: a programme, a code and the period it is for. For each
key HR adds up the deltas it accepted.

==============  ======================  =========  ===============================================
programme       code                    period     amount
==============  ======================  =========  ===============================================
``mileage``     ``earned``              ``all``    points earned
``mileage``     ``redeemed``            ``all``    points redeemed and not given back
an account      ``earned``              ``all``    what is in another account, in its unit
a programme     ``granted``             the cycle  1 for who has it, where it has no grades
a programme     ``grade.CODE``          the cycle  1 for who has that grade or tier
a programme     ``value``               the cycle  what was granted, in the programme's unit
``award``       ``award.ID``            the year   1 for who got the award
``award``       ``prize.ID``            the year   the person's part of the prize, in won
==============  ======================  =========  ===============================================

Of programmes only what is decided goes out: granted and, where four eyes are asked for, approved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import attrs

from .awards import awards
from .decisions import decisions

if TYPE_CHECKING:
    from mileage.ledger import Ledger

    from .figures import Figures

__all__ = ["HrKey", "HrLine", "Whys", "entitlements"]

UNIT = 10_000
MILEAGE, AWARD = "mileage", "award"


class HrKey(NamedTuple):
    """What a line is about.

    Attributes:
        person: Opaque id.
        programme: Programme, account (``mileage`` or another) or ``award``.
        code: What of it; see the module's table.
        for_period: The period it is for, such as ``2005``.
    """

    person: str
    programme: str
    code: str
    for_period: str


@attrs.frozen
class HrLine:
    """What changed for one person and one key.

    Attributes:
        line: Number of the line in its batch, from 1.
        key: What it is about.
        employee_number: The employer's number, as the directory has it when the line is made;
            may be empty.
        in_period: Month in which the batch was cut, such as ``2005-12``: where payroll posts it.
        previous: What the lines before, but rejected ones, add up to, in 1/10,000.
        new: What holds now, in 1/10,000.
        reason: Why, the first that is true: ``resent`` (rejected before), ``correction``,
            ``facts`` or ``decision``, ``rules`` (another rulebook), ``recalculated`` (a limit or a
            service that changed); ``unchanged`` in a full batch.
        facts: Positions of the facts that did it, as far as they are known.
        supersedes: Ids of the rejected lines it takes the place of, ``BATCH:LINE``.
        status: ``out``, ``accepted`` or ``rejected`` by HR.
        note: What HR said to a rejection.
    """

    line: int
    key: HrKey
    employee_number: str
    in_period: str
    previous: int
    new: int
    reason: str
    facts: tuple[int, ...] = ()
    supersedes: tuple[str, ...] = ()
    status: str = "out"
    note: str = ""

    @property
    def delta(self) -> int:
        """The difference, in 1/10,000."""
        return self.new - self.previous


def entitlements(figures: Figures) -> dict[HrKey, int]:
    """What everyone has by the figures, by key, in 1/10,000; zeros left out."""
    found: dict[HrKey, int] = {}
    for code, statement in _POINTS.items():
        for person, account, points in figures.query(statement):
            found[HrKey(person, account, code, "all")] = points
    for made in decisions(figures):
        if made.in_effect:
            code = f"grade.{made.grade}" if made.grade else "granted"
            found[HrKey(made.person, made.programme, code, made.cycle)] = UNIT
            if made.value:
                found[HrKey(made.person, made.programme, "value", made.cycle)] = made.value
    for line in awards(figures):
        if line.withdrawn_on is None:
            year = f"{line.granted_on.year:04d}"
            found[HrKey(line.person, AWARD, f"award.{line.award}", year)] = UNIT
            if line.prize:
                found[HrKey(line.person, AWARD, f"prize.{line.award}", year)] = line.prize * UNIT
    return found


_POINTS = {
    "earned": (
        "SELECT m.person, a.account, b.points FROM balances b JOIN people m ON m.id = b.person"
        " JOIN accounts a ON a.id = b.account WHERE b.points <> 0"
    ),
    "redeemed": (
        f"SELECT m.person, '{MILEAGE}', sum(r.points)"
        " FROM redemptions r JOIN people m ON m.id = r.person"
        " GROUP BY m.person HAVING sum(r.points) <> 0"
    ),
}


class Whys:
    """Why amounts changed since a batch, asked key by key.

    Args:
        ledger: The ledger.
        figures: The figures now.
        after: Only facts after this position: that of the batch before.
        rules_changed: Whether the figures follow other rulebooks than that batch did.
    """

    def __init__(
        self, ledger: Ledger, figures: Figures, *, after: int, rules_changed: bool
    ) -> None:
        self.ledger = ledger
        self.after = after
        self.upto = figures.position
        self.rules_changed = rules_changed
        self._given = _by_account(figures, _GIVEN, after)
        self._taken = _by_account(figures, _TAKEN, after)
        self._redeemed = _by_account(figures, _REDEEMED, after)

    def of(self, key: HrKey) -> tuple[str, tuple[int, ...]]:
        """The reason, and the positions of the facts that did it, as far as they are known."""
        if key.code == "earned":
            return self._earned(key)
        if key.programme == MILEAGE:
            found = self._redeemed.get((key.person, MILEAGE), set())
            return ("facts" if found else "correction"), tuple(sorted(found))
        if key.programme == AWARD and key.code.startswith(("award.", "prize.")):
            stream, what = f"award:{key.code.partition('.')[2]}", "facts"
        else:
            stream = f"entitlement:{key.programme}/{key.for_period}/{key.person}"
            what = "decision"
        facts = [i for i in self.ledger.stream(stream) if self.after < i.position <= self.upto]
        corrected = any(item.fact.kind.name in _CORRECTIONS for item in facts)
        return ("correction" if corrected else what), tuple(item.position for item in facts)

    def _earned(self, key: HrKey) -> tuple[str, tuple[int, ...]]:
        """Why what is in an account changed; the account stands where the programme does."""
        earned = key.person, key.programme
        given, taken = self._given.get(earned, set()), self._taken.get(earned, set())
        facts = tuple(sorted(given | taken))
        if facts:
            return ("correction" if taken else "facts"), facts
        return ("rules" if self.rules_changed else "recalculated"), facts


_CORRECTIONS = ("fact.voided", "award.withdrawn")
_GIVEN = """
SELECT m.person, a.account, p.position FROM postings p JOIN people m ON m.id = p.person
JOIN accounts a ON a.id = p.account WHERE p.position > ?
"""
_TAKEN = """
SELECT m.person, a.account, c.reference FROM cuts c JOIN people m ON m.id = c.person
JOIN activities k ON k.id = c.activity JOIN accounts a ON a.id = k.account
WHERE c.cause <> 'cap' AND c.reference > ?
"""
_REDEEMED = f"""
SELECT m.person, '{MILEAGE}', r.position FROM redemptions r JOIN people m ON m.id = r.person
WHERE r.position > ?
"""


def _by_account(figures: Figures, statement: str, after: int) -> dict[tuple[str, str], set[int]]:
    """Positions of facts by the person concerned and the account."""
    found: dict[tuple[str, str], set[int]] = {}
    for person, account, position in figures.query(statement, (after,)):
        found.setdefault((person, account), set()).add(position)
    return found
