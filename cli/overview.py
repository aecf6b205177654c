"""The state of a year on one screen."""

from __future__ import annotations

import json
import shutil
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import click
from mileage.ledger import format_amount
from mileage.ledger.facts import format_instant
from mileage.projections import Period, overview
from mileage.projections.ratios import percent_text

from .base import command, pass_session
from .facts import local_time
from .indicators import indicator_json, indicator_outcome
from .output import even, to_terminal
from .questions import asked, question
from .texts import Words
from .width import clean, cut, pad, width, wrap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mileage.projections import IndicatorResult, Overview, Selection
    from mileage.projections.participation import Money

    from .questions import Asked, Question
    from .session import Session

__all__ = ["money_json", "overview_command"]

COLUMNS_LEAST, COLUMNS_MOST = 80, 120
GAP = 2
PROGRAMMES_MAX, INDICATORS_MAX = 7, 6


@command(
    "overview",
    "한 해의 현황을 한 화면에 보입니다.\n\n참여, 분야별 활동, 점수 상위, 제도별 선정, 처리할 일,"
    " 지원금, 성과지표, 규칙집, 마지막 기록과 인사 통보를 보입니다. 기간이 없으면 --as-of의 해,"
    " 그것도 없으면 올해입니다. 인원과 처리할 일은 기간 마지막 날(아직이면 오늘) 기준입니다.",
    "Show the state of a year on one screen.\n\nParticipation, activities by programme, who has"
    " most points, who gets into which programme, what is open, support, indicators, the rulebook"
    " in force, the last fact and the last batch for HR. Without a period it is the year of"
    " --as-of, or this year. People and open things are those of the period's last day, or of"
    " today when it is not over.",
    ["mileage overview --period 2005", "mileage overview --as-of 2005-06-30 --json"],
    tabular="json",
)
@question()
@pass_session
def overview_command(session: Session, question: Question) -> None:
    """Show the state of a period."""
    with asked(session, question) as answer:
        period = question.period or Period.around("year", answer.day)
        known_at = answer.known_at
        found = overview(
            answer.ledger, answer.figures, period, as_of=question.as_of, known_at=known_at
        )
        names = answer.names(each.person for each in found.top)
        if session.format == "json":
            document = {**answer.about(), "period": period.name, **_document(found, names)}
            click.echo(json.dumps(document, ensure_ascii=False, indent=2))
        else:
            click.echo("\n".join(_Screen(answer, found, names).lines()))


def _document(found: Overview, names: Mapping[str, str]) -> dict[str, Any]:
    staff, fact, batch = found.participation.everybody, found.last_fact, found.last_batch
    return {
        "organisation": found.organisation,
        "day": found.day.isoformat(),
        "participation": {
            "people": staff.people,
            "on_leave": staff.on_leave,
            "taking_part": staff.taking_part,
            "percent": staff.percent,
        },
        "activities": found.coverage.activities,
        "rewarded": found.coverage.rewarded,
        "points": format_amount(found.points),
        "programmes": [
            {
                "programme": each.programme,
                "label": {"ko": each.label.ko, "en": each.label.en},
                "activities": each.activities,
                "people": each.people,
                "points": format_amount(each.points),
            }
            for each in found.programmes
        ],
        "unrewarded": [
            {"why": each.why, "activity": each.kind, "count": each.count}
            for each in found.coverage.kinds
        ],
        "top": [
            {
                "place": each.place,
                "person": each.person,
                "name": names.get(each.person),
                "unit": each.unit,
                "points": format_amount(each.points),
            }
            for each in found.top
        ],
        "selections": [
            {
                "programme": each.terms.programme,
                "title": {"ko": each.terms.label.ko, "en": each.terms.label.en},
                "quota": each.terms.quota,
                "threshold": format_amount(each.terms.threshold),
                "selected": len(each.selected),
            }
            for each in found.selections
        ],
        "open": [
            {
                "sort": each.sort,
                "label": {"ko": each.label.ko, "en": each.label.en},
                "count": each.count,
                "since": each.since.isoformat() if each.since else None,
            }
            for each in found.open
        ],
        "budget": money_json(found.money),
        "indicators": [indicator_json(each) for each in found.indicators],
        "rulebook": found.rulebook
        and {
            "rulebook": found.rulebook.rulebook,
            "digest": found.rulebook.digest,
            "position": found.rulebook.position,
        },
        "pending_rulebook": found.waiting or None,
        "last_fact": fact
        and {
            "position": fact.position,
            "kind": fact.fact.kind.name,
            "occurred_on": fact.fact.occurred_on.isoformat(),
            "recorded_at": format_instant(fact.fact.recorded_at),
        },
        "last_batch": batch
        and {
            "sequence": batch.sequence,
            "as_of": batch.manifest["as_of"],
            "rows": batch.manifest["rows"],
        },
    }


def money_json(lines: Sequence[Money]) -> list[dict[str, Any]]:
    """Support by item as JSON, in whole won."""
    return [
        {
            "item": line.item or None,
            "granted": line.granted,
            "spent": line.spent,
            "returned": line.returned,
        }
        for line in lines
    ]


class _Screen:
    """The screen: two columns of blocks where there is room, then lines of their own."""

    def __init__(self, answer: Asked, found: Overview, names: Mapping[str, str]) -> None:
        self.session, self.ledger = answer.session, answer.ledger
        self.units = answer.figures.unit_labels()
        self.found, self.names = found, names
        room = shutil.get_terminal_size().columns if to_terminal() else COLUMNS_LEAST
        self.room = min(room, COLUMNS_MOST)
        self.two = self.room >= COLUMNS_LEAST
        self.column = (self.room - GAP) // 2 if self.two else self.room

    def say(self, ko: str, en: str) -> str:
        """A text in the session's language."""
        return self.session.pick(Words(ko, en))

    def lines(self) -> list[str]:
        """All lines of the screen."""
        found = self.found
        title = self.say(
            f"{found.organisation} {found.period.name} 현황 ({found.day} 기준)",
            f"{found.organisation} {found.period.name} (on {found.day})",
        )
        return [
            click.style(clean(title), bold=True),
            *wrap(self._people(), self.room),
            *self._beside(
                [*self._programmes(), *self._selections()],
                [*self._top(), *self._open(), *self._indicators()],
            ),
            *self._named(self._facts()),
        ]

    # -- blocks ----------------------------------------------------------------------------------

    def _people(self) -> str:
        staff, covered = self.found.participation.everybody, self.found.coverage
        points = format_amount(self.found.points)
        taking_part, rewarded = _percent(staff.percent), _percent(covered.percent)
        if not covered.activities:
            return self.say(
                f"재직 {staff.people:,}명(휴직 {staff.on_leave:,}) · 활동 없음",
                f"{staff.people:,} people ({staff.on_leave:,} on leave) · no activity",
            )
        return self.say(
            f"재직 {staff.people:,}명(휴직 {staff.on_leave:,}) · 참여 {staff.taking_part:,}명"
            f"({taking_part}) · 활동 {covered.activities:,}건 · 점수 {points}점 · 보상된 활동"
            f" {rewarded}",
            f"{staff.people:,} people ({staff.on_leave:,} on leave) · {staff.taking_part:,} taking"
            f" part ({taking_part}) · {covered.activities:,} activities · {points} points ·"
            f" {rewarded} rewarded",
        )

    def _programmes(self) -> list[str]:
        rows = [
            (self.session.pick(p.label), p.activities, p.people, p.points)
            for p in self.found.programmes
        ]
        if len(rows) > PROGRAMMES_MAX:
            rest = rows[PROGRAMMES_MAX - 1 :]
            others = self.say(f"그 밖 {len(rest)}개 분야", f"{len(rest)} others")
            counts = (sum(row[1] for row in rest), 0, sum(row[3] for row in rest))
            rows = [*rows[: PROGRAMMES_MAX - 1], (others, *counts)]
        head = (self.say("분야", "Programme"), self.say("활동", "Count"),
                self.say("사람", "People"), self.say("점수", "Points"))  # fmt: skip
        amounts = even([format_amount(points) for *_, points in rows])
        cells = [
            (label, f"{done:,}", f"{people:,}" if people else "", amount)
            for (label, done, people, _), amount in zip(rows, amounts, strict=True)
        ]
        return self._table([head, *cells])

    def _top(self) -> list[str]:
        head = (self.say("점수 상위", "Most points"), "", self.say("점수", "Points"))
        cells = []
        amounts = even([format_amount(each.points) for each in self.found.top])
        for each, amount in zip(self.found.top, amounts, strict=True):
            who = " ".join(filter(None, [each.person, self.names.get(each.person)]))
            unit = self.session.pick(self.units[each.unit]) if each.unit in self.units else ""
            cells.append((f"{each.place} {who} {unit}", "", amount))
        return self._table([head, *cells])

    def _selections(self) -> list[str]:
        if not self.found.selections:
            return []
        head = (self.say("제도별 선정", "Selected"), "", self.say("선정/정원", "In/quota"))
        cells = [(self._terms(each), "", self._quota(each)) for each in self.found.selections]
        return self._table([head, *cells])

    def _terms(self, each: Selection) -> str:
        threshold = format_amount(each.terms.threshold)
        label = self.session.pick(each.terms.label)
        return self.say(f"{label} {threshold}점 이상", f"{label}, {threshold} points")

    def _quota(self, each: Selection) -> str:
        quota = "-" if each.terms.quota is None else f"{each.terms.quota:,}"
        return f"{len(each.selected):,}/{quota}"

    def _open(self) -> list[str]:
        head = (self.say("처리할 일", "Open"), self.say("건수", "Count"),
                self.say("가장 오랜", "Oldest"))  # fmt: skip
        cells = [
            (self.session.pick(each.label), f"{each.count:,}", f"{each.since or ''}")
            for each in self.found.open
        ]
        return self._table([head, *(cells or [(self.say("없음", "nothing"), "", "")])])

    def _indicators(self) -> list[str]:
        head = (self.say("성과지표", "Indicator"), self.say("실적", "Value"),
                self.say("목표", "Target"), self.say("결과", "Outcome"))  # fmt: skip
        cells = [self._indicator(each) for each in self.found.indicators[:INDICATORS_MAX]]
        return self._table([head, *cells]) if cells else []

    def _indicator(self, each: IndicatorResult) -> tuple[str, ...]:
        found = indicator_json(each)
        return (
            each.title,
            f"{found['value'] or ''}",
            f"{found['target'] or ''}",
            self.session.pick(indicator_outcome(each)),
        )

    def _facts(self) -> list[tuple[str, str]]:
        return [
            (self.say("지원금", "Support"), self._money()),
            (self.say("보상 없음", "Unrewarded"), self._unrewarded()),
            (self.say("규칙집", "Rulebook"), self._rulebook()),
            (self.say("마지막 기록", "Last fact"), self._last_fact()),
            (self.say("인사 통보", "HR batch"), self._last_batch()),
        ]

    def _money(self) -> str:
        lines = self.found.money
        granted = sum(line.granted for line in lines)
        spent, returned = (
            sum(line.spent for line in lines),
            sum(line.returned for line in lines),
        )
        percent = _percent(percent_text(spent, granted))
        return self.say(
            f"교부 {granted:,}원 · 집행 {spent:,}원({percent}) · 반납 {returned:,}원",
            f"{granted:,} won granted · {spent:,} spent ({percent}) · {returned:,} returned",
        )

    def _unrewarded(self) -> str:
        kinds = [k for k in self.found.coverage.kinds if k.why.startswith("no_")]
        if not self.found.coverage.activities:
            return self.say("활동 없음", "no activity")
        if not kinds:
            return self.say(
                "규칙 없는 활동 없음(상한·철회·취소는 보고서 참조)",
                "every kind has a rule (for caps, withdrawn and voided ones see the report)",
            )
        return ", ".join(f"{self.session.pick(kind.label)} {kind.count:,}" for kind in kinds)

    def _rulebook(self) -> str:
        book, waiting = self.found.rulebook, self.found.waiting
        text = (
            self.say(
                f"{book.rulebook} (#{book.position}, 지문 {book.digest[:12]})",
                f"{book.rulebook} (#{book.position}, digest {book.digest[:12]})",
            )
            if book
            else self.say("시행 중인 규칙집 없음", "none in force")
        )
        if waiting:
            text += self.say(f" · #{waiting} 재구축 대기", f" · #{waiting} waits for rebuild")
        return text

    def _last_fact(self) -> str:
        item = self.found.last_fact
        if item is None:
            return self.say("없음", "none")
        label = self.session.pick(item.fact.kind.label)
        recorded = local_time(item.fact, self.ledger.time_zone)
        return self.say(
            f"#{item.position} {item.fact.occurred_on} {label} ({recorded} 기록)",
            f"#{item.position} {item.fact.occurred_on} {label} (recorded {recorded})",
        )

    def _last_batch(self) -> str:
        batch = self.found.last_batch
        if batch is None:
            return self.say("통보한 적 없음", "none cut")
        as_of, rows = batch.manifest["as_of"], batch.manifest["rows"]
        return self.say(
            f"{batch.sequence}차 ({as_of} 기준, {rows:,}행)",
            f"no. {batch.sequence} (as of {as_of}, {rows:,} rows)",
        )

    # -- layout ----------------------------------------------------------------------------------

    def _table(self, rows: Sequence[tuple[str, ...]]) -> list[str]:
        """A block: the first cell as wide as there is room, the others to the right."""
        others = [max(width(row[i]) for row in rows) for i in range(1, len(rows[0]))]
        first = self.column - sum(each + 1 for each in others if each)
        lines = []
        for row in rows:
            cells = [pad(_fit(clean(row[0]), first), first)]
            cells += [
                pad(clean(cell), room, right=True)
                for cell, room in zip(row[1:], others, strict=True)
                if room
            ]
            lines.append(" ".join(cells))
        return [click.style(lines[0], bold=True), *lines[1:]]

    def _beside(self, left: list[str], right: list[str]) -> list[str]:
        """Two blocks side by side, or below each other on a narrow terminal."""
        if not self.two:
            return [line.rstrip() for line in (*left, *right)]
        blank = " " * self.column
        pairs = zip_longest(left, right, fillvalue="")
        return [f"{one or blank}{' ' * GAP}{other}".rstrip() for one, other in pairs]

    def _named(self, facts: Sequence[tuple[str, str]]) -> list[str]:
        """A line for each name and text; long texts go on below themselves."""
        column = max(width(name) for name, _ in facts) + GAP
        lines = []
        for name, text in facts:
            first, *more = wrap(clean(text), self.room - column)
            lines.append(click.style(pad(name, column), bold=True) + first)
            lines += [" " * column + line for line in more]
        return lines


def _percent(text: str | None) -> str:
    return "-" if text is None else f"{text}%"


def _fit(text: str, cells: int) -> str:
    """A text cut to a width, with a sign where something was cut."""
    return text if width(text) <= cells else f"{cut(text, max(cells - 1, 1))[0]}…"
