"""Adopting a rulebook: refused before it is recorded when it could not be put into service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from .decode import Slice
from .rulebook import Adoption, compile_rules, parse_rulebook
from .rules import activity_infos, adopted_rules, office_facts

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from mileage.ledger import Ledger, Recorded

    from .rulebook import Compiled, Rulebook

__all__ = ["AdoptedRulebook", "adopt_rulebook", "adopted_rulebooks", "try_adoption"]


@attrs.frozen
class AdoptedRulebook:
    """A rulebook that was adopted and stands.

    Attributes:
        position: Position of the adoption in the ledger.
        adopted_on: Date of the decision.
        effective_from: First day it applies to.
        rulebook: What was adopted.
        applies: Whether there are days on which no later adoption takes its place.
        recorded_by: Who recorded it.
        reason: Why it reaches back, if it does.
    """

    position: int
    adopted_on: date
    effective_from: date
    rulebook: Rulebook
    applies: bool
    recorded_by: str
    reason: str | None


def try_adoption(ledger: Ledger, rulebook: Rulebook, *, on: date, effective_from: date) -> Compiled:
    """Compile the rulebooks adopted so far together with one more.

    Raises:
        RulebookError: They contradict each other; the adoption must be refused.
    """
    before = adopted_rules(ledger, office_facts(ledger, Slice())).adoptions
    return compile_rules([*before, Adoption(ledger.position + 1, on, effective_from, rulebook)])


def adopt_rulebook(  # noqa: PLR0913 - what an adoption states
    ledger: Ledger,
    text: str,
    *,
    on: date,
    by: str,
    effective_from: date | None = None,
    reason: str | None = None,
    check: Callable[[], object] | None = None,
) -> Recorded:
    """Check a rulebook's text, also beside those adopted before, and record its adoption.

    Args:
        ledger: The ledger.
        text: The rulebook, TOML.
        on: Date of the decision.
        by: Opaque id of who records it.
        effective_from: First day it applies to; the date of the decision unless given.
        reason: Why it reaches back, needed when ``effective_from`` is before ``on``.
        check: Called when it is about to be recorded, while nobody else can record; what it
            raises keeps the adoption out.

    Raises:
        RulebookError: The text has errors, or contradicts an adoption before; nothing is recorded.
        Refused: It reaches back without a reason.
    """
    rulebook = parse_rulebook(text, activity_infos(ledger.kinds))

    def last_look() -> None:
        try_adoption(ledger, rulebook, on=on, effective_from=effective_from or on)
        if check:
            check()

    return ledger.adopt_rulebook(
        text,
        rulebook=rulebook.id,
        on=on,
        by=by,
        effective_from=effective_from,
        reason=reason,
        check=last_look,
    )


def adopted_rulebooks(ledger: Ledger) -> list[AdoptedRulebook]:
    """The rulebooks adopted, voided adoptions left out, in order of adoption.

    Raises:
        RulebookError: An adopted text cannot be used.
    """
    rules = adopted_rules(ledger, office_facts(ledger, Slice()))
    applying = {version.adoption.position for version in rules.compiled.versions}
    facts = {
        item.position: item.fact
        for item in ledger.facts(topics=ledger.kinds.topics("rulebook.adopted"))
    }
    return [
        AdoptedRulebook(
            position=adoption.position,
            adopted_on=adoption.occurred_on,
            effective_from=adoption.effective_from,
            rulebook=adoption.rulebook,
            applies=adoption.position in applying,
            recorded_by=facts[adoption.position].recorded_by,
            reason=facts[adoption.position].data.reason,
        )
        for adoption in rules.adoptions
    ]
