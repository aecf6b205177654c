"""Competition of units: the ranking of an evaluation, and one unit's result with its reasons."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs
import click
from mileage.ledger import format_amount
from mileage.ledger.facts import format_instant
from mileage.projections.competition import unit_ranking
from mileage.projections.evaluations import evaluations
from mileage.projections.measures import shown

from .asking import labelled
from .base import command, option, pass_session
from .eligibility import amount_or_none
from .output import Column, Node, Shown, print_tree, show
from .questions import asked, instant_of, question
from .texts import Words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mileage.ledger import Label
    from mileage.projections.competition import Competition, ElementResult, UnitResult
    from mileage.projections.evaluations import EvaluationStatus
    from mileage.projections.rulebook import GradeTerms

    from .questions import Asked, Question
    from .session import Session

__all__ = ["competition_command"]

STAGES = {
    "open": Words("진행", "open"),
    "closed": Words("마감", "closed"),
    "published": Words("공표", "published"),
}


@command(
    "competition",
    "국·지방청 평가의 순위를 보입니다.\n\nEVALUATION 없이 부르면 평가의 목록을 보입니다. 공표한"
    " 평가는 공표할 때 알던 대로 보이고, --as-of나 --known-at을 주면 그때 기준으로 계산합니다."
    " 평가 점수 등이 없는 평가요소는 0으로 계산하고 그 이름을 보입니다.",
    "Rank the units that an evaluation compares.\n\nWithout EVALUATION, the evaluations are listed."
    " A published one is shown as it was known when it was published; --as-of and --known-at work"
    " it out as of then. An element for which something is missing counts as 0 and is named.",
    [
        "mileage competition 2005",
        "mileage competition 2005 --unit HQ-PLAN",
        "mileage competition 2005 --as-of 2005-06-30 --csv",
    ],
)
@click.argument("evaluation", metavar="[EVALUATION]", required=False)
@option(
    "--unit",
    ko="이 조직의 결과를 평가요소별로, 그 까닭과 함께",
    en="Only this unit, element by element, each with its reason",
    metavar="CODE",
)
@question(period=False)
@pass_session
def competition_command(
    session: Session, evaluation: str | None, unit: str | None, question: Question
) -> None:
    """Show a ranking of units."""
    if evaluation is None:
        if unit is not None:
            raise click.UsageError("--unit needs an EVALUATION")
        _show_evaluations(session, question)
        return
    with _as_published(session, evaluation, question) as answer:
        found = unit_ranking(
            answer.ledger,
            answer.figures,
            evaluation,
            as_of=answer.question.as_of,
            known_at=instant_of(answer.ledger, answer.question.known_at),
        )
        units, labels = answer.figures.unit_labels(), answer.figures.labels()
        about = {**answer.about(), **_about(found)}
    about.pop("period")
    if unit is None:
        _show_ranking(session, found, about, units, labels)
    else:
        _show_unit(session, found, about, units, unit)
    _tell(session, found)


@contextmanager
def _as_published(session: Session, evaluation: str, question: Question) -> Iterator[Asked]:
    """Answer a question; without a date, about a published evaluation as it was published."""
    if question.as_of is None and question.known_at is None:
        with session.ledger() as ledger:
            known = {each.evaluation: each for each in evaluations(ledger)}
        if evaluation in known and (at := known[evaluation].published_at):
            question = attrs.evolve(question, known_at=at)
    with asked(session, question) as answer:
        yield answer


def _show_evaluations(session: Session, question: Question) -> None:
    with session.ledger() as ledger:
        known_at = instant_of(ledger, question.known_at)
        found = evaluations(ledger, as_of=question.as_of, known_at=known_at)
    listed = [_status_json(each) for each in found]
    document = {
        "as_of": question.as_of.isoformat() if question.as_of else None,
        "known_at": format_instant(known_at) if known_at else None,
        "evaluations": listed,
    }
    rows = [
        {**row, "stage": Shown(each.stage, session.pick(STAGES[each.stage]))}
        for row, each in zip(listed, found, strict=True)
    ]
    columns = [
        Column("evaluation"),
        Column("title", wraps=True),
        *map(Column, ("starts_on", "ends_on", "scheme", "stage", "closed_on")),
        Column("published_at", detail=True),
    ]
    none = Words("실시한 평가가 없습니다.", "No evaluation was opened.")
    show(session, document, columns, rows, empty=none)


def _status_json(status: EvaluationStatus) -> dict[str, Any]:
    return {
        "evaluation": status.evaluation,
        "title": status.title,
        "starts_on": status.starts_on.isoformat(),
        "ends_on": status.ends_on.isoformat(),
        "scheme": status.scheme,
        "stage": status.stage,
        "closed_on": status.closed_on.isoformat() if status.closed_on else None,
        "published_at": format_instant(status.published_at) if status.published_at else None,
    }


def _about(found: Competition) -> dict[str, Any]:
    return {
        **_status_json(found.status),
        "counted_until": found.counted_until.isoformat(),
        "scheme": found.scheme.id,
        "clause": found.clause,
        "adoption": found.adoption,
    }


def _both(label: Label) -> dict[str, str]:
    return {"ko": label.ko, "en": label.en}


def _unit_json(each: UnitResult) -> dict[str, Any]:
    return {
        "group": each.group.id,
        "place": each.place,
        "unit": each.unit,
        "total": shown(each.total),
        "heads": shown(each.heads),
        "missing": list(each.missing),
        "prize": each.prize
        and {"grade": each.prize.grade, "value": amount_or_none(each.prize.value)},
        "areas": [
            {
                "area": area.area.id,
                "title": _both(area.area.title),
                "weight": shown(area.weight),
                "points": shown(area.points),
                "elements": [_element_json(element) for element in area.elements],
            }
            for area in each.areas
        ],
    }


def _element_json(each: ElementResult) -> dict[str, Any]:
    return {
        "element": each.element.id,
        "title": _both(each.element.title),
        "source": each.element.source,
        "weight": shown(each.weight),
        "result": shown(each.result),
        "points": shown(each.points),
        "missing": each.missing,
        "reason": _both(each.reason),
        "facts": list(each.facts),
        "amount": None if each.amount is None else shown(each.amount),
    }


def _show_ranking(
    session: Session,
    found: Competition,
    about: Mapping[str, Any],
    units: Mapping[str, Label],
    labels: Mapping[str, Label],
) -> None:
    titles = {
        element.id: session.pick(element.title)
        for area in found.scheme.areas
        for element in area.elements
    }
    rows = [
        {
            "group": Shown(each.group.id, session.pick(each.group.title)),
            "place": each.place,
            "unit": Shown(each.unit, session.pick(units[each.unit])),
            **{f"area:{area.area.id}": shown(area.points) for area in each.areas},
            "total": shown(each.total),
            "heads": shown(each.heads),
            "missing": Shown(";".join(each.missing), ", ".join(titles[e] for e in each.missing)),
            "amount": _amount(each),
            **_prize_cells(session, each, labels),
        }
        for each in found.units
    ]
    prizes = [prize for group in found.scheme.groups for prize in group.prizes]
    columns = [
        Column("group", wraps=True, label=Words("구분", "Group")),
        Column("place", number=True),
        Column("unit", wraps=True, label=Words("조직", "Unit")),
        *(Column(f"area:{area.id}", number=True, label=area.title) for area in found.scheme.areas),
        Column("total", number=True),
        Column("heads", number=True, optional=True),
        Column("missing", wraps=True, optional=True, label=Words("미비 요소", "Missing")),
        *([_AMOUNT] if any(row["amount"] for row in rows) else []),
        *([Column("prize", wraps=True, label=Words("포상", "Prize"))] if prizes else []),
        *([_prize_value(found)] if any(prize.value is not None for prize in prizes) else []),
    ]
    document = {
        **about,
        "units": [_unit_json(each) for each in found.units],
        "absent": list(found.absent),
        "left_behind": list(found.left_behind),
        "idle_scores": [attrs.asdict(each) for each in found.idle_scores],
    }
    none = Words("평가할 조직이 없습니다.", "There is no unit to rank.")
    show(session, document, columns, rows, title=_headline(session, found), empty=none)


_AMOUNT = Column("amount", number=True, label=Words("실적", "Measured"))


def _amount(each: UnitResult) -> str | None:
    """What was measured, where one element is all that counts."""
    elements = [element for area in each.areas for element in area.elements]
    amount = elements[0].amount if len(elements) == 1 else None
    return None if amount is None else shown(amount)


def _prize_cells(
    session: Session, each: UnitResult, labels: Mapping[str, Label]
) -> dict[str, Shown | str | None]:
    prize = each.prize
    if prize is None:
        return {"prize": None, "prize_value": None}
    return {
        "prize": labelled(session, prize.grade, labels),
        "prize_value": amount_or_none(prize.value),
    }


def _prize_value(found: Competition) -> Column:
    unit = found.scheme.unit
    heading = Words(f"포상({unit.ko})", f"Prize ({unit.en})") if unit else Words("포상", "Prize")
    return Column("prize_value", number=True, label=heading)


def _headline(session: Session, found: Competition) -> str:
    status, scheme = found.status, found.scheme
    stage = STAGES[status.stage]
    return session.pick(
        Words(
            f"{status.title} ({status.starts_on}~{found.counted_until}, {stage.ko}):"
            f" {scheme.title.ko}, {found.clause}, 100점 만점",
            f"{status.title} ({status.starts_on} to {found.counted_until}, {stage.en}):"
            f" {scheme.title.en}, {found.clause}, of 100",
        )
    )


def _show_unit(
    session: Session,
    found: Competition,
    about: Mapping[str, Any],
    units: Mapping[str, Label],
    unit: str,
) -> None:
    result = found.of(unit)
    if result is None:
        listed = ", ".join(each.unit for each in found.units) or "none"
        raise click.UsageError(f"--unit {unit}: it is not ranked here (ranked: {listed})")
    if session.format == "table":
        print_tree(_tree(session, found, result, units))
        return
    rows = [
        {
            "unit": unit,
            "area": area.area.id,
            **_element_json(each),
            "missing": str(each.missing).lower(),
            "reason": session.pick(each.reason),
            "facts": ";".join(map(str, each.facts)),
        }
        for area in result.areas
        for each in area.elements
    ]
    texts = ("unit", "area", "element", "source")
    numbers = ("weight", "result", "points")
    columns = [
        *map(Column, texts),
        *(Column(name, number=True) for name in numbers),
        *map(Column, ("missing", "reason", "facts")),
    ]
    show(session, {**about, **_unit_json(result)}, columns, rows)


def _tree(
    session: Session, found: Competition, result: UnitResult, units: Mapping[str, Label]
) -> Node:
    total, group = shown(result.total), result.group.title
    rivals = sum(each.group == result.group for each in found.units)
    name = session.pick(units[result.unit])
    title, until = found.status.title, found.counted_until
    head = Words(
        f"{name}, {title} ({until}까지): {total}점, {group.ko} {rivals}곳 중 {result.place}위",
        f"{name}, {title} (up to {until}): {total}, place {result.place} of {rivals}"
        f" among {group.en}",
    )
    nodes = list(_area_nodes(session, result))
    if result.prize:
        nodes.append(Node(session.pick(_prize_words(found, result.prize))))
    return Node(session.pick(head), tuple(nodes))


def _prize_words(found: Competition, prize: GradeTerms) -> Words:
    words, value, unit = Words(prize.grade, prize.grade), prize.value, found.scheme.unit
    if value is not None and unit:
        amount = format_amount(value)
        words = Words(f"{words.ko}, {amount} {unit.ko}", f"{words.en}, {amount} {unit.en}")
    return Words(f"포상: {words.ko}", f"prize: {words.en}")


def _area_nodes(session: Session, result: UnitResult) -> Iterator[Node]:
    for area in result.areas:
        weight, points = shown(area.weight), shown(area.points)
        title = session.pick(area.area.title)
        head = Words(f"{title}: {weight} 중 {points}", f"{title}: {points} of {weight}")
        yield Node(session.pick(head), tuple(_element_node(session, e) for e in area.elements))


def _element_node(session: Session, each: ElementResult) -> Node:
    title, weight, points = session.pick(each.element.title), shown(each.weight), shown(each.points)
    head = Words(f"{title}: {weight} 중 {points}", f"{title}: {points} of {weight}")
    arithmetic = f"{weight} × {shown(each.result)} ÷ 100 = {points}"
    below = [Node(session.pick(each.reason)), Node(arithmetic)]
    if each.facts:
        numbers = ", ".join(f"#{position}" for position in each.facts)
        below.append(Node(session.pick(Words(f"기록 {numbers}", f"facts {numbers}"))))
    return Node(session.pick(head), tuple(below))


def _tell(session: Session, found: Competition) -> None:
    """Warn of what should not be overlooked."""
    status = found.status
    if status.published_at and session.format == "table":
        session.note("공표한 결과입니다.", "This is the published result.")
    if found.absent:
        units = ", ".join(found.absent)
        session.warn(
            f"{found.counted_until}에 없는 조직은 순위에서 빠집니다: {units}",
            f"not ranked, as they do not exist on {found.counted_until}: {units}",
        )
    if found.left_behind:
        session.warn(
            f"없어진 조직에 남아 있는 구성원: {_few(found.left_behind)}",
            f"still serving in a unit that has ended: {_few(found.left_behind)}",
        )
    if found.idle_scores:
        scores = [f"#{each.position} {each.unit}/{each.element}" for each in found.idle_scores]
        session.warn(
            f"반영되지 않는 평가 점수(평가 대상 조직이나 평가요소가 아님): {_few(scores)}",
            f"scores that count for nothing (no such unit or element is scored): {_few(scores)}",
        )


def _few(names: Sequence[str], most: int = 10) -> str:
    listed = ", ".join(names[:most])
    return listed if len(names) <= most else f"{listed} … ({len(names):,})"
