"""What kept somebody's points down: what was cut or earned nothing, counted by month and cause.

This answers *why not*: which activities in a programme's period gave less than their rule says,
and what took it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import attrs
from mileage.ledger import Label, format_amount
from mileage.ledger.amounts import SCALE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .eligibility import Candidate
    from .figures import Cut, StatementLine

__all__ = ["Loss", "explain_loss", "explain_without_caps", "losses"]


@attrs.frozen
class Loss:
    """Activities of one kind in one month that one cause kept down.

    Attributes:
        month: ``yyyy-mm`` of the activities, in the ledger's zone.
        activity: Label of the kind.
        cause: ``cap``, ``voided``, ``withdrawn``, or ``unrewarded`` where no rule gives points.
        cap: Id of the cap; empty for other causes.
        label: Title of the cap; ``None`` for other causes.
        clause: Clause of the cap; empty for other causes.
        count: How many activities.
        points: What they lost, 1/10,000 point; 0 where there was nothing to lose.
    """

    month: str
    activity: Label
    cause: str
    cap: str
    label: Label | None
    clause: str
    count: int
    points: int


def losses(lines: Iterable[StatementLine]) -> tuple[Loss, ...]:
    """What was cut from postings or earned nothing, in order of month and activity.

    Args:
        lines: Postings of one person, such as those of a programme's period.
    """
    found: defaultdict[tuple[str, str, str, str], list[tuple[StatementLine, Cut | None]]]
    found = defaultdict(list)
    for line in lines:
        month = f"{line.occurred_on:%Y-%m}"
        if not line.rule and not line.cuts:
            found[month, line.kind, "unrewarded", ""].append((line, None))
        for cut in line.cuts:
            reference = cut.reference if cut.cause == "cap" else ""
            found[month, line.kind, cut.cause, reference].append((line, cut))
    return tuple(_loss(key, parts) for key, parts in sorted(found.items(), key=lambda it: it[0]))


def _loss(key: tuple[str, str, str, str], parts: list[tuple[StatementLine, Cut | None]]) -> Loss:
    month, _, cause, reference = key
    line, cut = parts[0]
    return Loss(
        month=month,
        activity=line.activity,
        cause=cause,
        cap=reference,
        label=cut.label if cut else None,
        clause=cut.clause if cut else "",
        count=len(parts),
        points=sum(each.points for _, each in parts if each),
    )


def explain_loss(loss: Loss) -> Label:  # noqa: PLR0911 - one for each cause
    """Say what was lost, when and to what."""
    what = Label(
        f"{loss.month} {loss.activity.ko} {loss.count}건",
        f"{loss.month}: {loss.count} × {loss.activity.en}",
    )
    points = format_amount(loss.points)
    taken = Label(f"−{points}점", f"−{points} point{'' if loss.points == SCALE else 's'}")
    match loss.cause:
        case "cap":
            title = loss.label or Label(loss.cap, loss.cap)
            return Label(
                f"{what.ko}: 한도 ‘{title.ko}’ {loss.clause} {taken.ko}",
                f"{what.en}: cap '{title.en}' {loss.clause} {taken.en}",
            )
        case "voided":
            return Label(f"{what.ko}: 기록 취소 {taken.ko}", f"{what.en}: voided {taken.en}")
        case "pending":
            return Label(f"{what.ko}: 확인 대기 {taken.ko}", f"{what.en}: pending {taken.en}")
        case "held":
            return Label(f"{what.ko}: 점수 보류 {taken.ko}", f"{what.en}: on hold {taken.en}")
        case "denied":
            return Label(f"{what.ko}: 점수 불인정 {taken.ko}", f"{what.en}: denied {taken.en}")
        case "withdrawn":
            return Label(f"{what.ko}: 철회 {taken.ko}", f"{what.en}: withdrawn {taken.en}")
        case _:
            return Label(f"{what.ko}: 보상하는 규칙이 없음", f"{what.en}: no rule rewards it")


def explain_without_caps(found: Iterable[Loss], candidate: Candidate | None) -> Label | None:
    """Say whether caps alone keep somebody below a threshold; ``None`` where they do not."""
    capped = sum(loss.points for loss in found if loss.cause == "cap")
    if candidate is None or not candidate.missing or capped < candidate.missing:
        return None
    points = format_amount(candidate.points + capped)
    return Label(
        f"한도로 깎이지 않았다면 {points}점으로 기준에 이름",
        f"without the caps it would be {points} points, and enough",
    )
