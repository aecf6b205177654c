"""Facts about the ledger itself: its opening, the rulebooks adopted, corrections."""

from __future__ import annotations

import hashlib
from datetime import date  # noqa: TC003 - read at run time by the declaration
from typing import TYPE_CHECKING, Annotated

import attrs
from mileage.ledger.errors import InvalidFact, Refused
from mileage.ledger.fields import Code, Day, Label, Text

from .registry import Context, Data, Programme, kind, kinds

if TYPE_CHECKING:
    from mileage.ledger.facts import Command

__all__ = ["FactVoided", "LedgerOpened", "RulebookAdopted", "rulebook_digest"]

RULEBOOK_LENGTH_MAX = 1_000_000
KEY_LENGTH_MAX = 400


def rulebook_digest(text: str) -> str:
    """SHA-256 of a rulebook's text (UTF-8), in hexadecimal: what identifies a version."""
    return hashlib.sha256(text.encode()).hexdigest()


def decide_rulebook(_state: object, command: Command, _context: Context) -> tuple[Data, ...]:
    """Guard adoptions: reaching back needs a reason."""
    data = command.data
    if data.effective_from < command.occurred_on and data.reason is None:
        raise Refused(
            "rulebook.reach-without-reason",
            f"adopted on {command.occurred_on} with effect from {data.effective_from}",
            field="reason",
            remedy="state why it reaches back",
        )
    return (command.data,)


kinds.add_programme(Programme("ledger", Label("원장", "Ledger")))
kinds.add_programme(Programme("rulebook", Label("규칙집", "Rulebook"), decide=decide_rulebook))


@kind(
    "ledger.opened",
    ko="원장 개설",
    en="Ledger opened",
    category="ledger",
    id_fields=("ledger",),
    title="organisation",
)
@attrs.frozen
class LedgerOpened(Data):
    """The ledger is opened for an organisation, its time zone fixed for good."""

    ledger: Annotated[str, Code("원장", "Ledger")]
    organisation: Annotated[str, Text("기관", "Organisation", length_max=200)]
    time_zone: Annotated[str, Text("시간대", "Time zone", length_max=64)]


@kind(
    "rulebook.adopted",
    ko="규칙집 채택",
    en="Rulebook adopted",
    category="rulebook",
    id_fields=("rulebook",),
    identity=("rulebook", "digest", "effective_from"),
)
@attrs.frozen
class RulebookAdopted(Data):
    """A rulebook is adopted, its whole text kept, with effect from a date."""

    rulebook: Annotated[str, Code("규칙집", "Rulebook")]
    digest: Annotated[str, Code("지문", "Digest")]
    effective_from: Annotated[date, Day("시행일", "Effective from")]
    text: Annotated[str, Text("원문", "Text", length_max=RULEBOOK_LENGTH_MAX)]
    reason: Annotated[str | None, Text("소급 사유", "Reason for reach", optional=True)] = None

    def __attrs_post_init__(self) -> None:
        """Check the fields and that the digest is the text's."""
        super().__attrs_post_init__()
        if self.digest != rulebook_digest(self.text):
            raise InvalidFact("digest", "is not the SHA-256 of the text")


@kind(
    "fact.voided",
    ko="기록 취소",
    en="Fact voided",
    category="",
    id_fields=("fact",),
)
@attrs.frozen
class FactVoided(Data):
    """A fact recorded in error no longer counts, from the date given on; it stays on record."""

    fact: Annotated[str, Text("취소할 기록의 키", "Key of the fact", length_max=KEY_LENGTH_MAX)]
    reason: Annotated[str, Text("사유", "Reason")]
