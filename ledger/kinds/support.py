"""Money for learning clubs and study teams: granted, spent, settled, returned (학습 지원금)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import attrs
from mileage.ledger.errors import Refused
from mileage.ledger.fields import Choice, Code, Label, Reference, Text, Whole

from .registry import Context, Data, Programme, kind, kinds

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from mileage.ledger.facts import Command, Fact

__all__ = [
    "ITEMS",
    "Support",
    "SupportGranted",
    "SupportReturned",
    "SupportSettled",
    "SupportSpent",
]

GROUPS = ("learning_club", "study_team")
"""Categories of the groups that get support; their codes are all different."""

ITEMS = {
    "activity": Label("활동비", "activity"),
    "expert": Label("전문가 초빙비", "expert fee"),
    "presentation": Label("발표회", "presentation"),
    "printing": Label("보고서 발간비", "report printing"),
}
"""Items of support: 활동비, 전문가 초빙비, 발표회, 보고서 발간비."""


@attrs.frozen
class Support:
    """State of a group's budget, in whole won.

    Attributes:
        granted: Money granted, by item.
        spent: Money spent, by item.
        returned: Money given back.
        receipts: References of the receipts.
        last_on: Latest date on which money was granted or spent.
        settled: Whether the spending was settled.
    """

    granted: Mapping[str, int]
    spent: Mapping[str, int]
    last_on: date
    returned: int = 0
    receipts: frozenset[str] = frozenset()
    settled: bool = False

    @property
    def left(self) -> int:
        """Money that was granted and neither spent nor returned."""
        return sum(self.granted.values()) - sum(self.spent.values()) - self.returned


def decide(state: Support | None, command: Command, context: Context) -> tuple[Data, ...]:
    """Guard a budget: while its group goes on, within the grant of each item, until settled."""
    data = command.data
    name = f"the budget of {data.group}"
    if isinstance(data, SupportGranted | SupportSpent):
        _check_goes_on(data.group, command.occurred_on, context)
    if state and state.settled and not isinstance(data, SupportReturned):
        raise Refused("support.already-settled", f"{name} is settled", field="group")
    if isinstance(data, SupportGranted):
        return (data,)
    if state is None:
        raise Refused(
            "support.not-granted",
            f"{name} was never granted",
            field="group",
            remedy="record support.granted first",
        )
    if isinstance(data, SupportSpent):
        _check_spending(state, data, name)
    elif isinstance(data, SupportReturned):
        _check_return(state, data, name)
    return (data,)


def _check_goes_on(group: str, day: date, context: Context) -> None:
    states = [context.state(f"{category}:{group}") for category in GROUPS]
    for end in [state.dissolved_on for state in states if state]:
        if end and day > end:
            reason = f"{group} was dissolved on {end}"
            raise Refused("support.group-dissolved", reason, field="group")


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
            field="group",
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
    day = fact.occurred_on
    known = state or Support(granted={}, spent={}, last_on=day)
    match fact.data:
        case SupportGranted(item=item, amount=amount):
            granted = {**known.granted, item: known.granted.get(item, 0) + amount}
            return attrs.evolve(known, granted=granted, last_on=max(known.last_on, day))
        case SupportSpent(item=item, amount=amount, receipt=receipt):
            return attrs.evolve(
                known,
                spent={**known.spent, item: known.spent.get(item, 0) + amount},
                receipts=known.receipts | {receipt},
                last_on=max(known.last_on, day),
            )
        case SupportSettled():
            return attrs.evolve(known, settled=True)
        case SupportReturned(amount=amount):
            return attrs.evolve(known, returned=known.returned + amount)
        case _:
            return state


kinds.add_programme(
    Programme("support", Label("학습 지원금", "Learning support"), decide=decide, evolve=evolve)
)


@kind(
    "support.granted",
    ko="지원금 교부",
    en="Support granted",
    category="support",
    id_fields=("group",),
    identity=("group", "item", "occurred_on"),
)
@attrs.frozen
class SupportGranted(Data):
    """A club or team gets money for an item, in whole won."""

    group: Annotated[str, Reference("동아리·학습단", "Club or team", of=GROUPS)]
    item: Annotated[str, Choice("비목", "Item", words=ITEMS)]
    amount: Annotated[int, Whole("금액(원)", "Amount (won)")]


@kind(
    "support.spent",
    ko="지원금 집행",
    en="Support spent",
    category="support",
    id_fields=("group",),
    identity=("group", "receipt"),
)
@attrs.frozen
class SupportSpent(Data):
    """A club or team spends money of an item, with the reference of the receipt."""

    group: Annotated[str, Reference("동아리·학습단", "Club or team", of=GROUPS)]
    item: Annotated[str, Choice("비목", "Item", words=ITEMS)]
    amount: Annotated[int, Whole("금액(원)", "Amount (won)")]
    receipt: Annotated[str, Code("증빙 번호", "Receipt")]


@kind(
    "support.settled",
    ko="지원금 정산",
    en="Support settled",
    category="support",
    id_fields=("group",),
    identity=("group", "occurred_on"),
)
@attrs.frozen
class SupportSettled(Data):
    """The spending of a club or team is settled; nothing is spent of it any more."""

    group: Annotated[str, Reference("동아리·학습단", "Club or team", of=GROUPS)]
    settled_by: Annotated[str, Text("정산 담당", "Settled by", length_max=200)]


@kind(
    "support.returned",
    ko="지원금 반납",
    en="Support returned",
    category="support",
    id_fields=("group",),
    identity=("group", "occurred_on"),
)
@attrs.frozen
class SupportReturned(Data):
    """Money that is left after settlement goes back."""

    group: Annotated[str, Reference("동아리·학습단", "Club or team", of=GROUPS)]
    amount: Annotated[int, Whole("금액(원)", "Amount (won)")]
