"""Money for learning clubs and study teams: granted, spent, settled, returned (학습 지원금).

When a budget is settled and what was left is returned, the group can be granted money again, as
for the next fiscal year (회계연도): another account begins.
"""

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


Moves = tuple[tuple["date", int], ...]


@attrs.frozen
class Support:
    """State of a group's budget, in whole won, since it was settled and granted anew.

    Attributes:
        granted: Days and amounts of the money granted, by item.
        spent: Days and amounts of the money spent, by item.
        returned: Money given back.
        receipts: References of all receipts, also of earlier accounts.
        last_on: Latest date on which money was granted or spent.
        settled_on: Date on which the spending was settled, if it was.
    """

    granted: Mapping[str, Moves]
    spent: Mapping[str, Moves]
    last_on: date
    returned: int = 0
    receipts: frozenset[str] = frozenset()
    settled_on: date | None = None

    @property
    def left(self) -> int:
        """Money that was granted and neither spent nor returned."""
        granted, spent = (
            sum(amount for moves in moved.values() for _, amount in moves)
            for moved in (self.granted, self.spent)
        )
        return granted - spent - self.returned

    def room(self, item: str, day: date) -> int:
        """What can be spent of an item on a day, what is spent later not left uncovered."""
        granted, spent = self.granted.get(item, ()), self.spent.get(item, ())
        days = {day, *(on for on, _ in spent if on > day)}
        return min(_until(granted, each) - _until(spent, each) for each in days)


def _until(moves: Moves, day: date) -> int:
    return sum(amount for on, amount in moves if on <= day)


def decide(state: Support | None, command: Command, context: Context) -> tuple[Data, ...]:
    """Guard a budget: while its group goes on, within the grant of each item, until settled."""
    data, day = command.data, command.occurred_on
    name = f"the budget of {data.group}"
    if isinstance(data, SupportGranted | SupportSpent):
        _check_goes_on(data.group, day, context)
    if isinstance(data, SupportGranted):
        if state and state.settled_on:
            _check_grant_anew(state, state.settled_on, day, name)
        return (data,)
    if state and state.settled_on and not isinstance(data, SupportReturned):
        raise _settled(state.settled_on, name)
    if state is None:
        raise Refused(
            "support.not-granted",
            f"{name} was never granted",
            field="group",
            remedy="record support.granted first",
        )
    if isinstance(data, SupportSpent):
        _check_spending(state, data, day, name)
    elif isinstance(data, SupportReturned):
        _check_return(state, data, day, name)
    elif day < state.last_on:
        raise Refused(
            "support.settled-too-early",
            f"money of {name} was granted or spent on {state.last_on}, after {day}",
            field="occurred_on",
            remedy=f"date it on {state.last_on} or later, or void what is later",
        )
    return (data,)


def _settled(settled_on: date, name: str) -> Refused:
    return Refused(
        "support.already-settled", f"{name} is settled since {settled_on}", field="group"
    )


def _check_grant_anew(state: Support, settled_on: date, day: date, name: str) -> None:
    """Refuse a grant that belongs to the settled account, or while money of it is out."""
    if day <= settled_on:
        raise _settled(settled_on, name)
    if state.left:
        raise Refused(
            "support.not-returned",
            f"{state.left:,} won left of {name}, settled on {settled_on}, are not returned",
            field="group",
            remedy="record support.returned first",
        )


def _check_goes_on(group: str, day: date, context: Context) -> None:
    states = [context.state(f"{category}:{group}") for category in GROUPS]
    for end in [state.dissolved_on for state in states if state]:
        if end and day > end:
            reason = f"{group} was dissolved on {end}"
            raise Refused("support.group-dissolved", reason, field="group")


def _check_spending(state: Support, data: SupportSpent, day: date, name: str) -> None:
    if data.receipt in state.receipts:
        raise Refused(
            "support.receipt-repeated",
            f"receipt {data.receipt} of {name} is recorded already",
            field="receipt",
        )
    left = state.room(data.item, day)
    if data.amount > left:
        raise Refused(
            "support.above-the-grant",
            f"{data.amount:,} won are more than the {left:,} left for {data.item} in {name}"
            f" on {day}",
            field="amount",
        )


def _check_return(state: Support, data: SupportReturned, day: date, name: str) -> None:
    if state.settled_on is None or day < state.settled_on:
        raise Refused(
            "support.not-settled",
            f"{name} is not settled" + (f" by {day}" if state.settled_on else ""),
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
            if known.settled_on:
                known = Support(granted={}, spent={}, last_on=day, receipts=known.receipts)
            granted = _moved(known.granted, item, day, amount)
            return attrs.evolve(known, granted=granted, last_on=max(known.last_on, day))
        case SupportSpent(item=item, amount=amount, receipt=receipt):
            return attrs.evolve(
                known,
                spent=_moved(known.spent, item, day, amount),
                receipts=known.receipts | {receipt},
                last_on=max(known.last_on, day),
            )
        case SupportSettled():
            return attrs.evolve(known, settled_on=day)
        case SupportReturned(amount=amount):
            return attrs.evolve(known, returned=known.returned + amount)
        case _:
            return state


def _moved(moves: Mapping[str, Moves], item: str, day: date, amount: int) -> Mapping[str, Moves]:
    return {**moves, item: (*moves.get(item, ()), (day, amount))}


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
