"""Publicity: newsletters, joint ones too, e-mail, case books, accounts of a failure (혁신홍보)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import attrs
from mileage.ledger.errors import Refused
from mileage.ledger.fields import Choice, Code, Label, Share, Shares, Text

from .registry import Activity, Context, Data, Programme, kind, kinds

if TYPE_CHECKING:
    from datetime import date

    from mileage.ledger.facts import Command, Fact

__all__ = ["Publication", "PublicityPublished", "PublicityWithdrawn"]

MEDIA = {
    "newsletter": Label("뉴스레터", "newsletter"),
    "email": Label("전자우편", "e-mail"),
    "case_book": Label("사례집", "case book"),
    "joint_newsletter": Label("공동 뉴스레터", "joint newsletter with affiliates"),
    "failure_account": Label("실패사례 체험수기", "account of a failure"),
}


@attrs.frozen
class Publication:
    """State of a publication.

    Attributes:
        published_on: Date on which it was published.
        withdrawn: Whether it was withdrawn.
    """

    published_on: date
    withdrawn: bool = False


def decide(state: Publication | None, command: Command, _context: Context) -> tuple[Data, ...]:
    """Guard a publication: published once, withdrawn at most once."""
    data = command.data
    name = f"publication {data.publication}"
    if isinstance(data, PublicityPublished):
        if state is not None:
            raise Refused(
                "publicity.already-published", f"{name} is published already", field="publication"
            )
    elif state is None:
        raise Refused(
            "publicity.unknown",
            f"{name} was never published",
            field="publication",
            remedy="record publicity.published first",
        )
    elif state.withdrawn:
        raise Refused(
            "publicity.already-withdrawn", f"{name} is withdrawn already", field="publication"
        )
    return (data,)


def evolve(state: Publication | None, fact: Fact) -> Publication | None:
    """Fold one fact into a publication's state."""
    if isinstance(fact.data, PublicityPublished):
        return Publication(published_on=fact.occurred_on)
    return state and attrs.evolve(state, withdrawn=True)


kinds.add_programme(
    Programme("publicity", Label("혁신홍보", "Publicity"), decide=decide, evolve=evolve)
)


@kind(
    "publicity.published",
    ko="혁신홍보 게재",
    en="Publicity published",
    category="publicity",
    id_fields=("publication",),
    title="title",
    activity=Activity(people="writers", grade="medium"),
)
@attrs.frozen
class PublicityPublished(Data):
    """Something about innovation is published; the medium stands for the grade of a rule."""

    publication: Annotated[str, Code("홍보물", "Publication")]
    title: Annotated[str, Text("제목", "Title", length_max=500)]
    medium: Annotated[str, Choice("매체", "Medium", words=MEDIA)]
    writers: Annotated[tuple[Share, ...], Shares("작성자", "Writers")]


@kind(
    "publicity.withdrawn",
    ko="혁신홍보 철회",
    en="Publicity withdrawn",
    category="publicity",
    id_fields=("publication",),
    identity=("publication", "occurred_on"),
    withdraws=("publicity.published",),
)
@attrs.frozen
class PublicityWithdrawn(Data):
    """A publication is withdrawn, for a reason; it no longer counts from that day on."""

    publication: Annotated[str, Code("홍보물", "Publication")]
    reason: Annotated[str, Text("사유", "Reason")]
