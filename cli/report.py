"""The evaluation office's report in one command."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from mileage.ledger import format_amount
from mileage.ledger.facts import format_instant
from mileage.projections import report
from mileage.projections.measures import shown

from .base import POSITIVE, Failure, command, option, pass_session
from .eligibility import decided_counts
from .indicators import indicator_json
from .overview import money_json
from .questions import PERIOD, asked, question

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mileage.projections import Report
    from mileage.projections.participation import Group
    from mileage.projections.report import Evaluated

    from .questions import Asked, Question
    from .session import Session

__all__ = ["report_command"]

FORMS = {".md": "md", ".markdown": "md", ".html": "html", ".htm": "html"}
PLACES = 10


@command(
    "report",
    "기간의 평가 보고서를 씁니다.\n\n참여(소속별·직급별), 활동, 보상 여부와 점수가 없는 활동의"
    " 까닭, 점수 상위, 조직 평가, 제도별 선정, 포상, 지원금, 성과지표, 외부 진단이 들어갑니다."
    " --to 없이 부르면 Markdown을 화면에 씁니다. 보고서는 한국어이고, --lang en이면"
    " 영어입니다. 같은 물음에는 언제나 같은 파일이 나옵니다.",
    "Write the evaluation office's report on a period.\n\nIt has participation by unit and rank,"
    " activities, whether they are rewarded and why not, who has most points, the ranking of"
    " units, who gets into which programme, awards, support, indicators and outside"
    " diagnosis. Without --to it is printed, as Markdown. The report is in"
    " Korean, or in English with --lang en. The same question always gives the same file.",
    [
        "mileage report 2005 --to report-2005.html",
        "mileage report 2005-H1 --to report.md --as-of 2005-06-30",
        "mileage report 2005 --lang en --format html > report.html",
    ],
    tabular="json",
)
@click.argument("period", metavar="PERIOD", type=PERIOD)
@option(
    "--to",
    ko="이 파일에 씀; 이름이 .html이나 .md로 끝남",
    en="Write to this file; its name ends in .html or .md",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
)
@option(
    "--format",
    "form",
    ko="md 또는 html [파일 이름대로, 없으면 md]",
    en="md or html  [as the file's name says, else md]",
    type=click.Choice(["md", "html"]),
)
@option(
    "--places",
    ko=f"점수 상위를 이 순위까지 [{PLACES}]",
    en=f"List so many places of the ranking  [{PLACES}]",
    type=POSITIVE,
    default=PLACES,
    metavar="N",
)
@question(period=False)
@pass_session
def report_command(
    session: Session,
    *,
    to: Path | None,
    form: str | None,
    places: int,
    question: Question,
) -> None:
    """Write a report."""
    form, period = _form(session, to, form), question.period
    assert period is not None  # noqa: S101 - PERIOD is required
    with asked(session, question) as answer:
        found = report(
            answer.ledger,
            answer.figures,
            period,
            as_of=question.as_of,
            known_at=answer.known_at,
            places=places,
        )
        names = answer.names(_people(found))
        if session.format == "json":
            click.echo(json.dumps(_document(found, names), ensure_ascii=False, indent=2))
            return
        text = _rendered(answer, found, names, form)
    if to is None:
        click.echo(text, nl=False)
        return
    _write(to, text)
    session.note(f"{to}: {period.name} 보고서를 썼습니다", f"{to}: report on {period.name} written")


def _form(session: Session, to: Path | None, form: str | None) -> str:
    """The form asked for; a file's name and ``--format`` must agree."""
    if session.format == "json" and (to or form):
        raise click.UsageError("--json prints the data: leave out --to and --format")
    if to is None:
        return form or "md"
    named = FORMS.get(to.suffix.lower())
    if named is None:
        raise click.UsageError(f"--to {to}: the name must end in .html or .md")
    if form not in (None, named):
        raise click.UsageError(f"--to {to} is {named}, --format says {form}")
    return named


def _rendered(answer: Asked, found: Report, names: Mapping[str, str], form: str) -> str:
    from .rendering import Names, render  # noqa: PLC0415 - slow, and not for --help

    figures = answer.figures
    shown = Names(people=names, units=figures.unit_labels(), codes=figures.labels())
    return render(found, form, answer.session.document_lang, shown)


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    part = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}.part")
    try:
        part.write_text(text, encoding="utf-8", newline="\n")
        part.replace(path)
    except OSError as error:
        raise Failure(f"{path}: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)


def _people(found: Report) -> set[str]:
    """Everybody whom the report names."""
    return {
        *(each.person for each in found.achievers),
        *(each.person for selection in found.selections for each in selection.selected),
        *(each.person for each in found.coverage.unrewarded),
        *(each.person for each in found.awards),
    }


def _document(found: Report, names: Mapping[str, str]) -> dict[str, Any]:
    staff = found.participation
    return {
        "as_of": found.as_of.isoformat() if found.as_of else None,
        "known_at": format_instant(found.known_at) if found.known_at else None,
        "period": found.period.name,
        "position": found.position,
        "organisation": found.organisation,
        "day": found.day.isoformat(),
        "rulebooks": [
            {
                "rulebook": book.rulebook,
                "digest": book.digest,
                "position": book.position,
                "since": book.since.isoformat(),
                "until": book.until.isoformat(),
            }
            for book in found.rulebooks
        ],
        "participation": {
            **_group_json(staff.everybody, None),
            "no_longer_serving": staff.gone,
            "units": [_group_json(each, "unit") for each in staff.units],
            "ranks": [_group_json(each, "rank") for each in staff.ranks],
        },
        "activities": {
            "count": found.activity.activities,
            "points": format_amount(found.activity.points),
            "programmes": [
                {
                    "programme": each.programme,
                    "activities": each.activities,
                    "people": each.people,
                    "rewarded": each.rewarded,
                    "points": format_amount(each.points),
                }
                for each in found.activity.programmes
            ],
            "months": [
                {"month": each.month, "activities": each.activities}
                for each in found.activity.months
            ],
        },
        "former": _former_json(found),
        "coverage": _coverage_json(found, names),
        "achievers": [
            {
                "place": each.place,
                "person": each.person,
                "name": names.get(each.person),
                "unit": each.unit,
                "points": format_amount(each.points),
            }
            for each in found.achievers
        ],
        "evaluations": [_evaluated_json(each) for each in found.evaluations],
        "selections": [
            {
                "programme": each.terms.programme,
                "quota": each.terms.quota,
                "threshold": format_amount(each.terms.threshold),
                "selected": [one.person for one in each.selected],
                "decided": decided_counts(each),
            }
            for each in found.selections
        ],
        "awards": [
            {
                "award": each.award,
                "certificate": each.certificate,
                "granted_on": each.granted_on.isoformat(),
                "person": each.person,
                "name": names.get(each.person),
                "prize": each.prize,
                "withdrawn_on": each.withdrawn_on.isoformat() if each.withdrawn_on else None,
            }
            for each in found.awards
        ],
        "budget": money_json(found.money),
        "indicators": [indicator_json(each) for each in found.indicators],
        "diagnoses": [
            {
                "diagnosis": each.diagnosis,
                "title": each.title,
                "institute": each.institute,
                "findings": each.findings,
                "resolved": each.resolved,
                "level": each.level,
            }
            for each in found.diagnoses
        ],
    }


def _former_json(found: Report) -> dict[str, Any] | None:
    former = found.former
    if former is None:
        return None
    return {
        "period": former.period.name,
        "day": former.day.isoformat(),
        "participation": _group_json(former.everybody, None),
        "activities": former.activities,
        "rewarded": former.rewarded,
        "points": format_amount(former.points),
    }


def _evaluated_json(each: Evaluated) -> dict[str, Any]:
    status, ranking = each.status, each.ranking
    return {
        "evaluation": status.evaluation,
        "title": status.title,
        "stage": status.stage,
        "problem": each.problem or None,
        "units": [
            {
                "group": unit.group.id,
                "place": unit.place,
                "unit": unit.unit,
                "total": shown(unit.total),
                "areas": {area.area.id: shown(area.points) for area in unit.areas},
                "missing": list(unit.missing),
            }
            for unit in (ranking.units if ranking else ())
        ],
    }


def _group_json(each: Group, code: str | None) -> dict[str, Any]:
    return {
        **({code: each.code or None} if code else {}),
        "people": each.people,
        "on_leave": each.on_leave,
        "taking_part": each.taking_part,
        "percent": each.percent,
    }


def _coverage_json(found: Report, names: Mapping[str, str]) -> dict[str, Any]:
    covered = found.coverage
    return {
        "activities": covered.activities,
        "rewarded": covered.rewarded,
        "percent": covered.percent,
        "kinds": [
            {"why": each.why, "activity": each.kind, "count": each.count} for each in covered.kinds
        ],
        "unrewarded": [
            {
                "position": each.position,
                "occurred_on": each.occurred_on.isoformat(),
                "person": each.person,
                "name": names.get(each.person),
                "unit": each.unit,
                "activity": each.kind,
                "grade": each.grade,
                "thing": each.thing,
                "title": each.title,
                "why": each.why,
                "clause": each.clause or None,
            }
            for each in covered.unrewarded
        ],
    }
