"""Several organisations side by side, each with a ledger of its own."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from mileage.ledger import Ledger, MileageError, format_amount
from mileage.ledger.facts import format_instant
from mileage.projections import Period, RulebookError, comparable, same_rules
from mileage.projections.hrfile import harmless
from mileage.projections.ratios import percent_text, quotient_text

from .base import Failure, command, pass_session
from .output import Column, show
from .questions import instant_of, question
from .texts import Words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mileage.ledger import Label
    from mileage.projections import Comparable

    from .questions import Question
    from .session import Session
    from .texts import Bilingual

__all__ = ["compare_command"]

PLACES, HEAD_PLACES = 1, 2
_TROUBLE = (MileageError, RulebookError, sqlite3.Error, OSError)


@command(
    "compare",
    "여러 기관의 원장을 나란히 놓고 비교합니다.\n\n산하기관처럼 기관마다 원장이 따로 있을 때"
    " 씁니다. 원장은 읽기만 합니다. 날짜는 각 원장의 시간대를 따르고, 인원은 기간 마지막 날의 재직"
    " 인원(휴직자 포함)입니다. 기관 간 경진대회는 참가한 기관마다 셉니다. 1인당 점수는 기간 내내"
    " 같은 규칙집을 적용한 기관끼리만 비교할 수 있습니다.",
    "Put the figures of several organisations side by side.\n\nFor organisations with a ledger of"
    " their own, such as affiliates. The ledgers are only read. Dates are days of each ledger's own"
    " time zone; the head-count is of the period's last day, those on leave included. A contest"
    " across agencies counts in each of them. Points per head can only be compared where the same"
    " rulebooks were in force all the time.",
    [
        "mileage compare smba.sqlite kbiz.sqlite sbc.sqlite --period 2005",
        "mileage compare *.sqlite --period 2005-H1 --as-of 2005-06-30 --csv",
    ],
)
@click.argument(
    "ledgers", metavar="LEDGER...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@question()
@pass_session
def compare_command(session: Session, ledgers: tuple[Path, ...], question: Question) -> None:
    """Compare ledgers."""
    period = question.period or Period.parse("all")
    found = _answers(session, ledgers, question, period)
    names = _headings(found)
    document = _document(found, question, period)
    columns = [
        Column("measure", wraps=True, label=_MEASURE),
        *(Column(file, number=True, label=Words(names[file], names[file])) for file in found),
    ]
    lines = _lines(session, list(found.values()))
    if session.format == "csv":
        head = {file: harmless(each.organisation) for file, each in found.items()}
        rows: list[dict[str, Any]] = [{"measure": "organisation", **head}]
        rows += [{"measure": line.measure, **_cells(found, line)} for line in lines]
    else:
        rows = [
            {"measure": line.text, **{f: _shown(cell) for f, cell in _cells(found, line).items()}}
            for line in lines
            if line.shown
        ]
    show(session, document, columns, rows)
    if session.format == "table" and not document["same_rulebooks"]:
        session.note(
            "(기간 내내 같은 규칙집을 적용한 것이 아니어서 1인당 점수는 비교할 수 없습니다)",
            "(points per head cannot be compared: the rulebooks in force differ)",
        )


def _answers(
    session: Session, ledgers: Sequence[Path], question: Question, period: Period
) -> dict[str, Comparable]:
    """The figures of each ledger by its file; all that is wrong is told at once."""
    found: dict[str, Comparable] = {}
    problems: list[str] = []
    kinds = session.kinds()
    for path in ledgers:
        try:
            with Ledger.open(path, kinds=kinds, read_only=True) as ledger:
                twice = [f for f, each in found.items() if each.ledger == ledger.stream_of_opening]
                if twice:
                    same = Words(
                        f"{twice[0]}와(과) 같은 원장입니다", f"the same ledger as {twice[0]}"
                    )
                    problems.append(f"{path}: {session.pick(same)}")
                    continue
                known_at = instant_of(ledger, question.known_at)
                found[str(path)] = comparable(
                    ledger, period, as_of=question.as_of, known_at=known_at
                )
        except _TROUBLE as error:
            problems.append(f"{path}: {str(error).removeprefix(f'{path.name}: ')}")
    if problems:
        raise Failure("\n".join(problems))
    return found


def _headings(found: Mapping[str, Comparable]) -> dict[str, str]:
    """What heads the column of each ledger: its organisation, with the file if two are alike."""
    names = [each.organisation for each in found.values()]
    return {
        file: name if names.count(name) == 1 else f"{name} ({file})"
        for file, name in zip(found, names, strict=True)
    }


class _Line(NamedTuple):
    """One figure of every organisation; ``shown`` is false where it stands in CSV only."""

    measure: str
    text: str
    values: list[str | None]
    shown: bool = True


def _cells(found: Mapping[str, Comparable], line: _Line) -> dict[str, str | None]:
    return dict(zip(found, line.values, strict=True))


def _shown(value: str | None) -> str | None:
    """A whole number as people read it."""
    return f"{int(value):,}" if value and value.isdecimal() else value


def _lines(session: Session, found: Sequence[Comparable]) -> list[_Line]:
    zones_differ = len({each.time_zone for each in found}) > 1
    figures = [_figures(each) for each in found]
    measures = dict(_MEASURES)
    if not same_rules(found):
        measures["points_per_head"] = _NOT_COMPARABLE
    lines = [
        _Line(
            name,
            session.pick(measures[name]),
            [row[name] for row in figures],
            shown=name != "time_zone" or zones_differ,
        )
        for name in figures[0]
    ]
    answer = str(same_rules(found)).lower()
    lines.append(_Line("points_comparable", "", [answer] * len(found), shown=False))
    place = next(i for i, line in enumerate(lines) if line.measure == "activities_per_head") + 1
    lines[place:place] = [
        _Line(
            f"activities_per_head.{programme}",
            f"- {session.pick(label)}",
            [
                next((_per_head(p.activities, e) for p in e.programmes if p.programme == programme),
                     _per_head(0, e))
                for e in found
            ],
        )
        for programme, label in _programmes(found).items()
    ]  # fmt: skip
    return lines


def _programmes(found: Sequence[Comparable]) -> dict[str, Label]:
    """The programmes that anybody took part in, those with most activities in all first."""
    labels: dict[str, Label] = {}
    counts: dict[str, int] = {}
    for each in found:
        for done in each.programmes:
            labels[done.programme] = done.label
            counts[done.programme] = counts.get(done.programme, 0) + done.activities
    return {name: labels[name] for name in sorted(labels, key=lambda name: (-counts[name], name))}


def _per_head(number: int, each: Comparable) -> str | None:
    return quotient_text(number, each.staff.people, HEAD_PLACES)


def _figures(each: Comparable) -> dict[str, str | None]:
    """What is compared, in the order in which it is shown; exact figures rounded once."""
    return {
        "day": each.day.isoformat(),
        "time_zone": each.time_zone,
        "people": str(each.staff.people),
        "on_leave": str(each.staff.on_leave),
        "taking_part": str(each.staff.taking_part),
        "participation_percent": each.staff.percent,
        "activities_per_head": _per_head(each.activities, each),
        "learning_hours_per_head": quotient_text(
            each.learning_hours, 10_000 * each.staff.people, HEAD_PLACES
        ),
        "proposals_submitted": str(each.proposals_submitted),
        "proposals_adopted": str(each.proposals_adopted),
        "proposals_adopted_percent": percent_text(
            each.proposals_adopted, each.proposals_submitted, PLACES
        ),
        "contest_entries": str(each.entries),
        "contest_entries_joint": str(each.entries_joint),
        "contest_awards": str(each.awards),
        "contest_awards_joint": str(each.awards_joint),
        "budget_granted": str(each.granted),
        "budget_spent": str(each.spent),
        "budget_spent_percent": percent_text(each.spent, each.granted, PLACES),
        "points_per_head": quotient_text(each.points, 10_000 * each.staff.people, HEAD_PLACES),
    }


_MEASURES: dict[str, Bilingual] = {
    "day": Words("기준일", "On"),
    "time_zone": Words("시간대", "Time zone"),
    "people": Words("재직 인원(명)", "People"),
    "on_leave": Words("- 휴직", "- on leave"),
    "taking_part": Words("참여 인원(명)", "People taking part"),
    "participation_percent": Words("참여율(%)", "Participation (%)"),
    "activities_per_head": Words("1인당 활동(건)", "Activities per head"),
    "learning_hours_per_head": Words("1인당 학습시간", "Hours of learning per head"),
    "proposals_submitted": Words("제안 제출(건)", "Proposals submitted"),
    "proposals_adopted": Words("제안 채택(건)", "Proposals adopted"),
    "proposals_adopted_percent": Words("채택률(%)", "Adopted of those submitted (%)"),
    "contest_entries": Words("경진대회 출품(건)", "Contest entries"),
    "contest_entries_joint": Words("- 기관 간 대회", "- across agencies"),
    "contest_awards": Words("경진대회 수상(건)", "Contest awards"),
    "contest_awards_joint": Words("- 기관 간 대회", "- across agencies"),
    "budget_granted": Words("지원금 교부(원)", "Support granted (won)"),
    "budget_spent": Words("지원금 집행(원)", "Support spent (won)"),
    "budget_spent_percent": Words("집행률(%)", "Spent of what was granted (%)"),
    "points_per_head": Words("1인당 점수", "Points per head"),
}
_MEASURE = Words("항목", "Figure")
_NOT_COMPARABLE = Words("1인당 점수(비교 불가)", "Points per head (not comparable)")


def _document(
    found: Mapping[str, Comparable], question: Question, period: Period
) -> dict[str, Any]:
    return {
        "period": period.name,
        "as_of": question.as_of.isoformat() if question.as_of else None,
        "same_rulebooks": same_rules(list(found.values())),
        "same_time_zone": len({each.time_zone for each in found.values()}) == 1,
        "ledgers": [_ledger_json(file, each) for file, each in found.items()],
    }


def _ledger_json(file: str, each: Comparable) -> dict[str, Any]:
    counts = _figures(each)
    numbers = {"people", "on_leave", "taking_part", "proposals_submitted", "proposals_adopted",
               "contest_entries", "contest_entries_joint", "contest_awards",
               "contest_awards_joint", "budget_granted", "budget_spent"}  # fmt: skip
    return {
        "file": file,
        "organisation": each.organisation,
        "ledger": each.ledger,
        "position": each.position,
        "known_at": format_instant(each.known_at) if each.known_at else None,
        **{name: int(value) if name in numbers and value else value
           for name, value in counts.items()},
        "activities": each.activities,
        "learning_hours": format_amount(each.learning_hours),
        "points": format_amount(each.points),
        "programmes": [
            {
                "programme": done.programme,
                "label": {"ko": done.label.ko, "en": done.label.en},
                "activities": done.activities,
                "per_head": _per_head(done.activities, each),
            }
            for done in each.programmes
        ],
        "rulebooks": [
            {
                "rulebook": book.rulebook,
                "digest": book.digest,
                "since": book.since.isoformat(),
                "until": book.until.isoformat(),
            }
            for book in each.rulebooks
        ],
    }  # fmt: skip
