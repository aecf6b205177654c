"""Money for learning clubs: granted by item, spent with a receipt, settled, returned (지원금)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import attrs
from mileage.ledger.errors import Refused
from mileage.ledger.fields import Choice, Code, Label, Text, Whole

from .registry import Context, Data, Programme, kind, kinds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mileage.ledger.facts import Command, Fact

__all__ = [
    "ITEMS",
    "Support",
    "SupportGranted",
    "SupportReturned",
    "SupportSettled",
    "SupportSpent",
]

ITEMS = {
    "activity": Label("활동비", "activity"),
    "expert": Label("전문가 초빙비", "expert fee"),
    "presentation": Label("발표회", "presentation"),
    "printing": Label("보고서 발간비", "report printing"),
}
"""Items of support: 활동비, 전문가 초빙비, 발표회, 보고서 발간비."""


@attrs.frozen
class Support:
    """State of a club's budget, in whole won.

    Attributes:
        granted: Money granted, by item.
        spent: Money spent, by item.
        returned: Money given back.
        receipts: References of the receipts.
        settled: Whether the spending was settled.
    """

    granted: Mapping[str, int]
    spent: Mapping[str, int]
    returned: int = 0
    receipts: frozenset[str] = frozenset()
    settled: bool = False

    @property
    def left(self) -> int:
        """Money that was granted and neither spent nor returned."""
        return sum(self.granted.values()) - sum(self.spent.values()) - self.returned


def decide(state: Support | None, command: Command, context: Context) -> tuple[Data, ...]:
    """Guard a budget: for a registered club, within the grant of each item, until it is settled."""
    data = command.data
    name = f"the budget of {data.club}"
    club = context.state(f"learning_club:{data.club}")
    if club is None:
        raise Refused(
            "support.club-unknown",
            f"learning club {data.club} was never registered",
            field="club",
            remedy="record learning_club.registered first: registration opens the right to support",
        )
    if isinstance(data, SupportGranted | SupportSpent):
        end = club.dissolved_on
        if end and command.occurred_on > end:
            raise Refused(
                "support.club-dissolved",
                f"learning club {data.club} was dissolved on {end}",
                field="club",
            )
    if state and state.settled and not isinstance(data, SupportReturned):
        raise Refused("support.already-settled", f"{name} is settled", field="club")
    if isinstance(data, SupportGranted):
        return (data,)
    if state is None:
        raise Refused(
            "support.not-granted",
            f"{name} was never granted",
            field="club",
            remedy="record support.granted first",
        )
    if isinstance(data, SupportSpent):
        _check_spending(state, data, name)
    elif isinstance(data, SupportReturned):
        _check_return(state, data, name)
    return (data,)


def _check_spending(state: Support, data: SupportSpent, name: str) -> None:
    if data.receipt in state.receipts:
        raise Refused(
            "support.receipt-repeated",
            f"receipt {data.receipt} of {name} is recorded already",
            field="receipt",
        )
    left = state.granted.get(data.item, 0) - state.spent.get(data.item, 0)
    if data.amount > left:
        raise Refused(
            "support.above-the-grant",
            f"{data.amount:,} won are more than the {left:,} left for {data.item} in {name}",
            field="amount",
        )


def _check_return(state: Support, data: SupportReturned, name: str) -> None:
    if not state.settled:
        raise Refused(
            "support.not-settled",
            f"{name} is not settled",
            field="club",
            remedy="record support.settled first",
        )
    if data.amount > state.left:
        raise Refused(
            "support.above-the-rest",
            f"{data.amount:,} won are more than the {state.left:,} left of {name}",
            field="amount",
        )


def evolve(state: Support | None, fact: Fact) -> Support | None:
    """Fold one fact into a budget's state."""
    known = state or Support(granted={}, spent={})
    match fact.data:
        case SupportGranted(item=item, amount=amount):
            return attrs.evolve(
                known, granted={**known.granted, item: known.granted.get(item, 0) + amount}
            )
        case SupportSpent(item=item, amount=amount, receipt=receipt):
            return attrs.evolve(
                known,
                spent={**known.spent, item: known.spent.get(item, 0) + amount},
                receipts=known.receipts | {receipt},
            )
        case SupportSettled():
            return attrs.evolve(known, settled=True)
        case SupportReturned(amount=amount):
            return attrs.evolve(known, returned=known.returned + amount)
        case _:
            return state


kinds.add_programme(
    Programme("support", Label("동아리 지원금", "Club support"), decide=decide, evolve=evolve)
)


@kind(
    "support.granted",
    ko="지원금 교부",
    en="Support granted",
    category="support",
    id_fields=("club",),
    identity=("club", "item", "occurred_on"),
)
@attrs.frozen
class SupportGranted(Data):
    """A club gets money for an item, in whole won."""

    club: Annotated[str, Code("동아리", "Club")]
    item: Annotated[str, Choice("비목", "Item", words=ITEMS)]
    amount: Annotated[int, Whole("금액(원)", "Amount (won)")]


@kind(
    "support.spent",
    ko="지원금 집행",
    en="Support spent",
    category="support",
    id_fields=("club",),
    identity=("club", "receipt"),
)
@attrs.frozen
class SupportSpent(Data):
    """A club spends money of an item, with the reference of the receipt."""

    club: Annotated[str, Code("동아리", "Club")]
    item: Annotated[str, Choice("비목", "Item", words=ITEMS)]
    amount: Annotated[int, Whole("금액(원)", "Amount (won)")]
    receipt: Annotated[str, Code("증빙 번호", "Receipt")]


@kind(
    "support.settled",
    ko="지원금 정산",
    en="Support settled",
    category="support",
    id_fields=("club",),
    identity=("club", "occurred_on"),
)
@attrs.frozen
class SupportSettled(Data):
    """The spending of a club is settled; nothing is spent of it any more."""

    club: Annotated[str, Code("동아리", "Club")]
    settled_by: Annotated[str, Text("정산 담당", "Settled by", length_max=200)]


@kind(
    "support.returned",
    ko="지원금 반납",
    en="Support returned",
    category="support",
    id_fields=("club",),
    identity=("club", "occurred_on"),
)
@attrs.frozen
class SupportReturned(Data):
    """Money that is left after settlement goes back."""

    club: Annotated[str, Code("동아리", "Club")]
    amount: Annotated[int, Whole("금액(원)", "Amount (won)")]
