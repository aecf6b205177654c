"""What scenarios are told with: an office that records what happened and looks at what it gives."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from auditor import Audit
from compared import balances
from mileage.ledger import (
    Command,
    ContestAwarded,
    ContestEntered,
    ContestOpened,
    LearningClubJoined,
    LearningClubRegistered,
    LearningClubSessionHeld,
    Ledger,
    MemberJoined,
    MemberPromoted,
    MemberTransferred,
    ProposalAdopted,
    ProposalImplemented,
    ProposalSubmitted,
    UnitEstablished,
    format_amount,
    shares,
)
from mileage.projections import ReadModel
from mileage.seeds import rulebook_path

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Office", "rulebook"]

HEAD = '[rulebook]\nid = "story"\ntitle = { ko = "이야기", en = "Story" }\nsource = "Story"\n'


def rulebook(*tables: str) -> str:
    """A rulebook of tables, each written as ``rule id activity`` lines of TOML."""
    titled = [table.replace("[[rule]]", f"[[rule]]\n{_TITLE}") for table in tables]
    return HEAD + "\n".join(table.replace("[[cap]]", f"[[cap]]\n{_TITLE}") for table in titled)


_TITLE = 'title = { ko = "조항", en = "Clause" }'


class Office:
    """An agency with the units HQ, HQ-INNOV (part of it) and SEOUL, and people A to D in HQ.

    Everybody joined on 2 January 2000 with rank G6. Facts are recorded in the order told; after
    each question the figures are held against the auditor, and a catch-up against a rebuild.
    """

    def __init__(self, folder: Path) -> None:
        self.now = datetime(2000, 1, 10, 3, 0, tzinfo=UTC)
        self.ledger = Ledger.create(
            folder / "office.sqlite",
            organisation="청",
            opened_on=date(2000, 1, 1),
            clock=lambda: self.now,
        )
        self.model = ReadModel(self.ledger)
        start = date(2000, 1, 2)
        units = [("HQ", None), ("HQ-INNOV", "HQ"), ("SEOUL", None)]
        self.ledger.record_all(
            Command(data, start, "setup")
            for data in (
                *(UnitEstablished(unit, f"{unit} 국", unit, above) for unit, above in units),
                *(MemberJoined(person, "HQ", "G6") for person in "ABCD"),
            )
        )

    def close(self) -> None:
        """Close what is open."""
        self.model.close()
        self.ledger.close()

    def record(self, day: str, data: Any, key: str | None = None, *, known: str = "") -> int:
        """Record what happened on a day; it becomes known that day, or on a later one."""
        on = date.fromisoformat(day)
        seen = datetime.combine(date.fromisoformat(known or day), self.now.timetz(), UTC)
        self.now = max(self.now + timedelta(seconds=1), seen)
        return self.ledger.record(data, on=on, by="office", source="story", key=key).position

    def at(self, day: str) -> None:
        """Time goes on to a day."""
        then = datetime.combine(date.fromisoformat(day), self.now.timetz(), UTC)
        self.now = max(self.now + timedelta(seconds=1), then)

    def adopt(self, text: str, day: str, *, since: str = "", reason: str = "") -> None:
        """Adopt a rulebook (a text, or the name of a shipped one), and rebuild."""
        if "\n" not in text:
            text = rulebook_path(text).read_text("utf-8")
        on = date.fromisoformat(day)
        self.now = max(self.now, datetime.combine(on, self.now.timetz(), UTC))
        self.ledger.adopt_rulebook(
            text,
            rulebook="story",
            on=on,
            by="office",
            effective_from=date.fromisoformat(since) if since else None,
            reason=reason or None,
        )
        self.model.rebuild()

    def void(self, day: str, key: str, *, reason: str = "기록 오류", known: str = "") -> None:
        """Void a fact by its key, from a day on."""
        on = date.fromisoformat(day)
        seen = datetime.combine(date.fromisoformat(known or day), self.now.timetz(), UTC)
        self.now = max(self.now + timedelta(seconds=1), seen)
        self.ledger.void(key, reason=reason, on=on, by="office")

    # -- what happens --------------------------------------------------------------------------

    def proposes(self, day: str, name: str, *people: str, **parts: int) -> None:
        """Somebody submits a proposal, alone or with shares in percent."""
        self.record(
            day, self.submission(name, **(parts or dict.fromkeys(people, 100))), f"submit-{name}"
        )

    def submission(self, name: str, **parts: int) -> ProposalSubmitted:
        """A proposal as submitted, with its authors' shares in percent."""
        return ProposalSubmitted(name, f"제안 {name}", "online", shares(parts))

    def adopted(self, day: str, name: str, grade: str, *, known: str = "") -> None:
        """A proposal is adopted with a grade."""
        self.record(day, ProposalAdopted(name, grade), f"adopt-{name}", known=known)

    def implemented(self, day: str, name: str) -> None:
        """A proposal is carried out."""
        self.record(day, ProposalImplemented(name), f"implement-{name}")

    def club(self, day: str, name: str, *members: str) -> None:
        """A learning club is registered; the first named leads it."""
        self.record(day, LearningClubRegistered(name, f"동아리 {name}", members[0]))
        for person in members[1:]:
            self.record(day, LearningClubJoined(name, person))

    def meets(self, day: str, name: str, *people: str, hours: str = "1") -> None:
        """A club holds a session."""
        held = LearningClubSessionHeld(name, f"s-{day}", "주제", Decimal(hours), people)
        self.record(day, held, f"session-{name}-{day}")

    def contest(self, day: str, name: str, *grades: str) -> None:
        """A contest is opened, with its grades."""
        self.record(day, ContestOpened(name, f"대회 {name}", "agency", grades))

    def enters(self, day: str, contest: str, entry: str, *people: str) -> None:
        """Somebody enters a contest."""
        entrants = shares(dict.fromkeys(people, Decimal(100) / len(people)))
        self.record(day, ContestEntered(contest, entry, f"사례 {entry}", entrants))

    def awarded(self, day: str, contest: str, entry: str, grade: str) -> None:
        """An entry gets an award."""
        self.record(day, ContestAwarded(contest, entry, grade), f"award-{contest}-{entry}")

    def transferred(self, day: str, person: str, unit: str, *, known: str = "") -> None:
        """Somebody moves to another unit."""
        self.record(day, MemberTransferred(person, unit), known=known)

    def promoted(self, day: str, person: str, rank: str, *, known: str = "") -> None:
        """Somebody gets another rank."""
        self.record(day, MemberPromoted(person, rank), known=known)

    # -- what it gives -------------------------------------------------------------------------

    def points(self, *people: str, account: str = "mileage") -> list[str]:
        """Points of people in an account in all, as the office would read them."""
        self.model.catch_up()
        figures = self.model.figures()
        caught_up = figures.content_digest()
        assert balances(figures) == Audit(self.ledger).balances()
        self.model.rebuild()
        assert self.model.figures().content_digest() == caught_up
        found = (self.model.figures().balance(person, account=account) for person in people)
        return [format_amount(balance.points) for balance in found]
