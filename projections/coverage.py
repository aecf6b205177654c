"""Reward coverage: whether even a small result is rewarded, and why not where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
from mileage.ledger import Label

from .days import day_of
from .ratios import percent_text

if TYPE_CHECKING:
    from datetime import date

    from .figures import Figures, Period

__all__ = ["WHY", "Coverage", "Unrewarded", "UnrewardedKind", "coverage"]

WHY = {
    "no_rulebook": Label("시행 중인 규칙집 없음", "no rulebook in force"),
    "no_rule": Label("보상하는 규칙 없음", "no rule rewards it"),
    "no_points": Label("규칙이 0점으로 정함", "the rule gives 0 points"),
    "share": Label("지분이 작아 0점", "a share too small for any points"),
    "cap": Label("상한 초과", "above a cap"),
    "pending": Label("확인 대기", "not confirmed yet"),
    "held": Label("점수 보류", "on hold"),
    "denied": Label("점수 불인정", "denied"),
    "withdrawn": Label("철회·선정 취소", "withdrawn"),
    "voided": Label("기록 취소", "voided"),
}
"""Why an activity has no points; another word than these is the cause of its last cut."""


@attrs.frozen
class Unrewarded:
    """A person's part in an activity that has no points.

    Attributes:
        position: Position of the fact.
        occurred_on: Civil date of the fact.
        person: Id of the person.
        unit: Unit in which the person served that day, if any.
        kind: Kind of activity.
        label: Its name.
        grade: Grade, if the activity has one.
        thing: Stream of the thing.
        title: Title of the thing, if it has one.
        why: Why it has no points, a word of ``WHY``.
        cap: Title of the cap that took the last of them, if one did.
        clause: Clause of the cap, or of the rule that gives 0 points.
    """

    position: int
    occurred_on: date
    person: str
    unit: str | None
    kind: str
    label: Label
    grade: str | None
    thing: str
    title: str | None
    why: str
    cap: Label | None
    clause: str


@attrs.frozen
class UnrewardedKind:
    """How many activities of a kind have no points for one reason.

    Attributes:
        why: The reason, a word of ``WHY``.
        kind: Kind of activity.
        label: Its name.
        count: How many, one for each person in them.
    """

    why: str
    kind: str
    label: Label
    count: int


@attrs.frozen
class Coverage:
    """The activities of a period with and without points.

    Attributes:
        activities: Activities that stand, one for each person in them.
        rewarded: How many of those have points.
        kinds: Activities without points counted by reason and kind.
        unrewarded: Each of them, by reason, then in order of date.
    """

    activities: int
    rewarded: int
    kinds: tuple[UnrewardedKind, ...]
    unrewarded: tuple[Unrewarded, ...]

    @property
    def percent(self) -> str | None:
        """Those rewarded in percent of the activities that stand, to one place."""
        return percent_text(self.rewarded, self.activities)


# A posting without points has lost all it had to one fact, or the last of it to a cap.
_UNREWARDED = """
SELECT p.position, p.day, m.person, u.unit, a.kind, a.name_ko, a.name_en, p.grade, t.stream,
       t.title,
       CASE WHEN c.cause IS NOT NULL AND (p.gross > 0 OR c.stage = 0) THEN c.cause
            WHEN p.value = 0 AND NOT EXISTS (
                SELECT 1 FROM rulebooks r WHERE p.day >= r.day_from AND p.day < r.day_until)
                THEN 'no_rulebook'
            WHEN p.value = 0 THEN 'no_rule'
            WHEN p.whole = 0 THEN 'no_points'
            ELSE 'share' END,
       l.name_ko, l.name_en, coalesce(l.clause, v.clause, '')
FROM postings p
JOIN people m ON m.id = p.person
JOIN activities a ON a.id = p.activity
JOIN things t ON t.id = p.thing
LEFT JOIN units u ON u.id = p.unit
LEFT JOIN rule_values v ON v.id = p.value
LEFT JOIN cuts c ON c.person = p.person AND c.position = p.position AND c.activity = p.activity
  AND c.stage = (SELECT max(d.stage) FROM cuts d WHERE d.person = p.person
                 AND d.position = p.position AND d.activity = p.activity)
LEFT JOIN cap_limits l ON c.cause = 'cap' AND l.cap = c.reference AND l.rule = v.rule
  AND p.day >= l.day_from AND p.day < l.day_until
WHERE p.day >= ? AND p.day < ? AND p.points <= 0 AND p.account = 0 AND p.share > 0
  AND NOT EXISTS (SELECT 1 FROM postings o WHERE o.person = p.person AND o.position = p.position
                  AND o.account > 0 AND o.points > 0)
ORDER BY p.day, p.position, m.person, a.kind
"""


def coverage(figures: Figures, period: Period) -> Coverage:
    """Every activity of a period without points, with why, and how many have some."""
    within = (period.day_from, period.day_until)
    [(activities, rewarded)] = figures.query(
        "SELECT count(DISTINCT p.person || ' ' || p.position || ' ' || a.source),"
        " count(DISTINCT CASE WHEN p.points > 0 THEN p.person || ' ' || p.position || ' ' ||"
        " a.source END) FROM postings p JOIN activities a ON a.id = p.activity"
        " WHERE p.day >= ? AND p.day < ? AND p.share > 0",
        within,
    )
    reasons = list(WHY)
    lines = [_unrewarded(row) for row in figures.query(_UNREWARDED, within)]
    lines.sort(key=lambda line: reasons.index(line.why) if line.why in WHY else len(reasons))
    counts: dict[tuple[str, str, Label], int] = {}
    for line in lines:
        about = (line.why, line.kind, line.label)
        counts[about] = counts.get(about, 0) + 1
    gone = sum(line.why in ("voided", "withdrawn") for line in lines)
    return Coverage(
        activities=activities - gone,
        rewarded=rewarded,
        kinds=tuple(UnrewardedKind(*about, count) for about, count in counts.items()),
        unrewarded=tuple(lines),
    )


def _unrewarded(row: tuple[Any, ...]) -> Unrewarded:
    position, day, person, unit, kind, ko, en, grade, thing, title, why, cap_ko, cap_en, clause = (
        row
    )
    return Unrewarded(
        position=position,
        occurred_on=day_of(day),
        person=person,
        unit=unit,
        kind=kind,
        label=Label(ko, en),
        grade=grade,
        thing=thing,
        title=title,
        why=why,
        cap=Label(cap_ko, cap_en) if cap_ko else None,
        clause=clause,
    )
