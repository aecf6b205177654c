"""What is open on a day: proposals nobody decided, clubs that go on, tasks past their due date."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

import attrs
from mileage.ledger import Label

from .standing import standing_rows

if TYPE_CHECKING:
    from datetime import datetime

    from mileage.ledger import Ledger

__all__ = ["OpenThings", "open_things"]


@attrs.frozen
class OpenThings:
    """How many things of a sort are open, and since when.

    Attributes:
        sort: ``proposal``, ``learning_club`` …, or ``task_overdue``.
        label: What is open, in words.
        count: How many.
        since: Civil date since which the oldest is open, or on which it was due.
    """

    sort: str
    label: Label
    count: int
    since: date | None


@attrs.frozen
class _Sort:
    """What opens things of a sort and what closes them: kinds with what they add to a sum.

    Attributes:
        sort: Its name.
        label: What is open.
        steps: A thing is open while its standing facts add up to more than 0.
    """

    sort: str
    label: Label
    steps: dict[str, int]


_ENDED = -1_000_000
_SORTS = (
    _Sort(
        "proposal",
        Label("심사 중인 제안", "proposals undecided"),
        {
            "proposal.submitted": 1,
            "proposal.adopted": -1,
            "proposal.rejected": -1,
            "proposal.withdrawn": -1,
            "proposal.merged": -1,
        },
    ),
    _Sort(
        "proposal_round",
        Label("진행 중인 심사 회차", "review rounds open"),
        {"proposal_round.opened": 1, "proposal_round.closed": -1},
    ),
    _Sort(
        "evaluation",
        Label("마감 전인 평가", "evaluations not closed"),
        {"evaluation.opened": 1, "evaluation.closed": -1, "evaluation.reopened": 1},
    ),
    _Sort(
        "learning_club",
        Label("활동 중인 학습동아리", "learning clubs active"),
        {"learning_club.registered": 1, "learning_club.dissolved": -1},
    ),
    _Sort(
        "study_team",
        Label("활동 중인 학습단", "study teams active"),
        {"study_team.formed": 1, "study_team.dissolved": -1},
    ),
    _Sort(
        "course",
        Label("수료 여부가 남은 교육", "courses with results due"),
        {
            "course.enrolled": 1,
            "course.enrolment_cancelled": -1,
            "course.completed": -1,
            "course.failed": -1,
            "course.cancelled": _ENDED,
        },
    ),
    _Sort(
        "contest",
        Label("시상 전인 경진대회", "contests without an award"),
        {
            "contest.opened": 1,
            "contest.awarded": -1,
            "contest.award_withdrawn": 1,
            "contest.closed": _ENDED,
        },
    ),
    _Sort(
        "task",
        Label("진행 중인 혁신과제", "tasks running"),
        {"task.assigned": 1, "task.closed": -1},
    ),
)
_OVERDUE = Label("기한이 지난 혁신과제", "tasks overdue")

_STEPS = {kind: (sort.sort, step) for sort in _SORTS for kind, step in sort.steps.items()}
# The cross join makes SQLite read the facts once, not once for each step.
# An award belongs to an entry, which is a thing of its own, and closes the contest.
_OPEN = """
, steps AS MATERIALIZED (
    SELECT key AS kind, json_extract(value, '$[0]') AS sort, json_extract(value, '$[1]') AS step
    FROM json_each('{steps}')
),
things AS (
    SELECT sort, min(s.day) AS since, max(json_extract(s.state, '$.data.due_on')) AS due_on
    FROM standing s CROSS JOIN steps ON steps.kind = s.kind
    GROUP BY sort, CASE WHEN s.stream LIKE 'contest_entry:%'
                        THEN 'contest:' || json_extract(s.state, '$.data.contest')
                        ELSE s.stream END
    HAVING sum(step) > 0
)
SELECT sort, count(*), min(since), count(CASE WHEN due_on < '{day}' THEN 1 END),
       min(CASE WHEN due_on < '{day}' THEN due_on END)
FROM things GROUP BY sort
"""


def open_things(
    ledger: Ledger, day: date, *, as_of: date | None = None, known_at: datetime | None = None
) -> list[OpenThings]:
    """What is open at the end of a day, of each sort of which something is open.

    Args:
        ledger: The ledger.
        day: Civil date in the ledger's zone; what happened later does not count.
        as_of: Only corrections that took effect by that civil date.
        known_at: Only what had been recorded by that instant.
    """
    kinds = [name for name in _STEPS if name in ledger.kinds]
    statement = _OPEN.format(steps=json.dumps(_STEPS), day=day.isoformat())
    rows = standing_rows(ledger, statement, kinds, as_of=as_of, known_at=known_at, until=day)
    counted = {sort: rest for sort, *rest in rows}
    found = []
    for sort in _SORTS:
        count, since, overdue, due_on = counted.get(sort.sort, (0, None, 0, None))
        if count:
            found.append(OpenThings(sort.sort, sort.label, count, date.fromisoformat(since)))
        if overdue and sort.sort == "task":
            found.append(OpenThings("task_overdue", _OVERDUE, overdue, date.fromisoformat(due_on)))
    return found
