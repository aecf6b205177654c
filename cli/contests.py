"""Contests and their results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from mileage.ledger import format_amount, to_units
from mileage.ledger.kinds.contest import SCOPES, SHARED_BY
from mileage.projections.contests import contest_result, contest_results

from .asking import labelled
from .base import command, pass_session
from .output import Column, Shown, show
from .questions import asked, question
from .texts import Words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mileage.projections.contests import ContestEntry, ContestResult

    from .questions import Asked, Question
    from .session import Session

__all__ = ["contest_command"]


@command(
    "contest",
    "혁신우수사례 경진대회의 결과를 보입니다.\n\n출품작마다 순위, 등급, 통과한 심사, 공유와"
    " 벤치마킹, 그 일로 모두가 얻은 점수를 보입니다. 같은 등급은 순위가 같습니다. CONTEST 없이"
    " 부르면 경진대회 목록을 보입니다.",
    "Show the results of a best-practice contest.\n\nFor each entry: its place, grade, the rounds"
    " it came through, by what it was shared and who benchmarks it, and the points that everybody"
    " has for it. Entries of one grade share a place. Without CONTEST, the contests are listed.",
    ["mileage contest", "mileage contest CT-2005-I1", "mileage contest CT-2005-I1 --csv"],
)
@click.argument("contest", metavar="[CONTEST]", required=False)
@question(period=False)
@pass_session
def contest_command(session: Session, contest: str | None, question: Question) -> None:
    """Show the results of a contest, or the contests."""
    with asked(session, question) as answer:
        ledger, figures, as_of = answer.ledger, answer.figures, question.as_of
        known_at = answer.known_at
        if contest is None:
            found = contest_results(ledger, figures, as_of=as_of, known_at=known_at)
            _show_contests(answer, found)
            return
        result = contest_result(ledger, figures, contest, as_of=as_of, known_at=known_at)
        _show_result(answer, result)


def _show_contests(answer: Asked, contests: Sequence[ContestResult]) -> None:
    session = answer.session
    found = [_contest_json(each) for each in contests]
    rows = [
        {**row, "scope": Shown(row["scope"], session.pick(SCOPES[row["scope"]]))} for row in found
    ]
    columns = [
        Column("contest"),
        Column("title", wraps=True),
        Column("scope"),
        Column("opened_on"),
        Column("closed_on"),
        Column("entered", number=True),
        Column("awarded", number=True),
    ]
    none = Words("열린 경진대회가 없습니다.", "No contest was opened.")
    show(session, {**answer.about(), "contests": found}, columns, rows, empty=none)


def _show_result(answer: Asked, result: ContestResult) -> None:
    session, figures = answer.session, answer.figures
    people = {share.person for each in result.entries for share in each.entrants}
    names, units, labels = answer.names(people), figures.unit_labels(), figures.labels()
    found = [_entry_json(each, names) for each in result.entries]
    document = {**answer.about(), **_contest_json(result), "entries": found}

    def unit(code: str) -> str:
        return session.pick(units[code]) if code in units else code

    rows = [
        {
            **row,
            "grade": labelled(session, row["grade"], labels),
            "unit": row["unit"] and Shown(row["unit"], unit(row["unit"])),
            "entrants": Shown(
                ";".join(f"{each['person']}:{each['share_percent']}" for each in row["entrants"]),
                ", ".join(_entrant(each) for each in row["entrants"]),
            ),
            "passed": Shown(
                ";".join(row["passed"]),
                ", ".join(_shown(labelled(session, name, labels)) for name in row["passed"]),
            ),
            "shared_by": Shown(
                ";".join(row["shared_by"]),
                ", ".join(session.pick(SHARED_BY[each]) for each in row["shared_by"]),
            ),
            "benchmarked_by": Shown(
                ";".join(row["benchmarked_by"]), ", ".join(map(unit, row["benchmarked_by"]))
            ),
        }
        for row in found
    ]
    columns = [
        Column("place", number=True),
        Column("entry"),
        Column("title", wraps=True),
        Column("unit", wraps=True),
        Column("entrants", wraps=True),
        Column("passed", wraps=True, optional=True),
        Column("grade", wraps=True),
        Column("awarded_on"),
        Column("shared_by", wraps=True, optional=True),
        Column("benchmarked_by", wraps=True, optional=True),
        Column("award_withdrawn_on", optional=True),
        Column("withdrawn_on", optional=True),
        Column("points", number=True),
    ]
    end = result.closed_on
    title = Words(
        f"{result.title} ({SCOPES[result.scope].ko}, {result.opened_on} ~ {end or ''}):"
        f" 출품 {len(found)}, 수상 {result.awarded}",
        f"{result.title} ({SCOPES[result.scope].en}, {result.opened_on} to {end or 'now'}):"
        f" {len(found)} entries, {result.awarded} with an award",
    )
    none = Words("출품작이 없습니다.", "Nothing was entered.")
    show(session, document, columns, rows, title=session.pick(title), empty=none)


def _shown(cell: Shown | None) -> str:
    return cell.text if cell else ""


def _entrant(each: Mapping[str, Any]) -> str:
    words = [each["person"], each["name"] or ""]
    if each["share_percent"] != "100":
        words.append(f"{each['share_percent']}%")
    return " ".join(filter(None, words))


def _contest_json(each: ContestResult) -> dict[str, Any]:
    return {
        "contest": each.contest,
        "title": each.title,
        "scope": each.scope,
        "host": each.host,
        "opened_on": each.opened_on.isoformat(),
        "closed_on": each.closed_on.isoformat() if each.closed_on else None,
        "rounds": list(each.rounds),
        "grades": list(each.grades),
        "entered": len(each.entries),
        "awarded": each.awarded,
    }


def _entry_json(each: ContestEntry, names: Mapping[str, str]) -> dict[str, Any]:
    days = {
        name: day.isoformat() if day else None
        for name, day in (
            ("entered_on", each.entered_on),
            ("awarded_on", each.awarded_on),
            ("award_withdrawn_on", each.award_withdrawn_on),
            ("withdrawn_on", each.withdrawn_on),
        )
    }
    return {
        "place": each.place,
        "entry": each.entry,
        "title": each.title,
        "unit": each.unit,
        "entrants": [
            {
                "person": share.person,
                "name": names.get(share.person),
                "share_percent": format_amount(to_units(share.percent)),
            }
            for share in each.entrants
        ],
        "passed": list(each.passed),
        "grade": each.grade,
        **days,
        "shared_by": list(each.shared_by),
        "benchmarked_by": list(each.benchmarked_by),
        "points": format_amount(each.points),
    }
