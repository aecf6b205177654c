"""Who gets into a programme: what the rule proposes, why, and what people decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from mileage.ledger import format_amount
from mileage.projections import eligible, explain_candidate, programmes
from mileage.projections.explain import months_text
from mileage.projections.granting import cycle_of

from .asking import labelled
from .base import command, option, pass_session
from .output import Column, Shown, show
from .questions import CYCLE, asked, question
from .texts import DECISIONS, OUTCOMES, Words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mileage.projections import Candidate, Decision, Selection
    from mileage.projections.eligibility import Terms

    from .questions import Asked, Question
    from .session import Session

__all__ = [
    "amount_or_none",
    "decided_counts",
    "decision_json",
    "decision_words",
    "eligible_command",
    "stage_words",
    "terms_json",
]


@command(
    "eligible",
    "제도별로 누가 선정되는지 보입니다.\n\nPROGRAMME 없이 부르면 그날 시행 중인 제도를 보입니다."
    " 날짜는 --as-of의 날짜, 없으면 오늘입니다. 규칙은 제안하고 사람이 결정합니다"
    " (`mileage entitlement`).",
    "Show who gets into a programme, within its quota.\n\nWithout PROGRAMME, the programmes"
    " in force are listed. The day that decides is that of --as-of, or today. The rule proposes,"
    " people decide (`mileage entitlement`).",
    [
        "mileage eligible overseas-training --as-of 2005-12-31",
        "mileage eligible overseas-training --as-of 2005-12-31 --all",
        "mileage eligible overseas-training --cycle 2005",
        "mileage eligible --as-of 2005-12-31",
    ],
)
@click.argument("programme", metavar="[PROGRAMME]", required=False)
@option(
    "--all",
    "everyone",
    ko="재직하는 모두와 그 사유",
    en="Everybody who serves, and why they are in or out",
    is_flag=True,
)
@option(
    "--cycle",
    ko="대상 기간, 예: 2005 [그날이 든 기간]; 끝난 기간은 그 마지막 날로 판단",
    en="The period it is about, e.g. 2005  [that of the day]; its last day decides",
    type=CYCLE,
    metavar="PERIOD",
)
@question(period=False)
@pass_session
def eligible_command(
    session: Session,
    programme: str | None,
    *,
    everyone: bool,
    cycle: str | None,
    question: Question,
) -> None:
    """Show a selection."""
    if cycle and programme is None:
        raise click.UsageError("--cycle is of a PROGRAMME: name one")
    with asked(session, question) as answer:
        if programme is None:
            _show_programmes(answer)
            return
        day = cycle_of(answer.figures, programme, answer.day, cycle)
        selection = eligible(answer.figures, programme, day)
        # Without --all: those whom the quota decides about and those decided about; the others
        # did not get that far.
        near = [c for c in selection.candidates if everyone or c.place or c.decision]
        _show_selection(answer, selection, near, everyone=everyone)


def _show_programmes(answer: Asked) -> None:
    figures, day, session = answer.figures, answer.day, answer.session
    found = [eligible(figures, name, day) for name in programmes(figures, day)]
    terms = [terms_json(selection) for selection in found]
    rows = [
        {**each, "title": session.pick(selection.terms.label)}
        for each, selection in zip(terms, found, strict=True)
    ]
    columns = [
        Column("programme"),
        Column("title", wraps=True),
        Column("period"),
        Column("threshold", number=True),
        Column("quota", number=True),
        Column("clause"),
    ]
    document = {**answer.about(), "as_of": day.isoformat(), "programmes": terms}
    none = Words("시행 중인 제도가 없습니다.", "No programme is in force.")
    show(session, document, columns, rows, empty=none)


def amount_or_none(units: int | None) -> str | None:
    """An amount as a decimal text, if there is one."""
    return None if units is None else format_amount(units)


def terms_json(selection: Selection) -> dict[str, Any]:
    """A programme's terms as JSON."""
    terms = selection.terms
    part, unit, recent, service = terms.percentage, terms.unit, terms.recent, terms.service
    return {
        "programme": terms.programme,
        "title": {"ko": terms.label.ko, "en": terms.label.en},
        "account": terms.account,
        "period": terms.period.name,
        "threshold": format_amount(terms.threshold),
        "quota": terms.quota,
        "quota_percent": part
        and {"percent": format_amount(part.percent), "of": part.of, "round": part.rounding},
        "grades": [
            {
                "grade": each.grade,
                "threshold": amount_or_none(each.threshold_points),
                "percent": amount_or_none(each.percent),
                "places": each.places,
                "value": amount_or_none(each.value),
            }
            for each in terms.grades
        ],
        "value": amount_or_none(terms.value),
        "unit": unit and {"ko": unit.ko, "en": unit.en},
        "ranks": list(terms.ranks),
        "exclude_recent": recent
        and {
            "years": recent.years,
            "cycles": recent.cycles,
            "programmes": list(recent.programmes),
        },
        "four_eyes": terms.four_eyes,
        "break_by": list(terms.break_by),
        "otherwise": terms.otherwise,
        "clause": terms.clause,
        "units": list(terms.units),
        "exclude_sanctioned": None
        if terms.sanctioned_years is None
        else {"years": terms.sanctioned_years},
        "months_served": service and {"months": service.months, "full_from": service.full_from},
        "on_leave": terms.on_leave,
    }


def stage_words(decision: Decision) -> Words:
    """How it stands with a decision, in words."""
    waits = decision.stage == "granted" and decision.four_eyes
    return DECISIONS["awaiting" if waits else decision.stage]


def decision_words(decision: Decision) -> Words:
    """What was decided, when and by whom, and why if that was said."""
    words = stage_words(decision)
    what = " ".join(filter(None, (decision.grade, amount_or_none(decision.value))))
    what = f" ({what})" if what else ""
    why = f": {decision.reason}" if decision.reason else ""
    return Words(
        f"{words.ko}{what}, {decision.decided_on} {decision.decided_by}{why}",
        f"{words.en}{what} on {decision.decided_on} by {decision.decided_by}{why}",
    )


def decision_json(decision: Decision | None) -> dict[str, Any] | None:
    """A decision as JSON."""
    if decision is None:
        return None
    granted_on = decision.granted_on
    return {
        "stage": decision.stage,
        "in_effect": decision.in_effect,
        "decided_on": decision.decided_on.isoformat(),
        "decided_by": decision.decided_by,
        "reason": decision.reason,
        "grade": decision.grade,
        "value": amount_or_none(decision.value),
        "granted_on": granted_on.isoformat() if granted_on else None,
        "granted_by": decision.granted_by or None,
        "approved_by": decision.approved_by or None,
        "positions": list(decision.positions),
    }


def _show_selection(
    answer: Asked, selection: Selection, shown: Sequence[Candidate], *, everyone: bool
) -> None:
    session, units = answer.session, answer.figures.unit_labels()
    labels = answer.figures.labels()
    # Who is under a sanction is not shown to everybody by name.
    names = answer.names(each.person for each in shown if each.outcome != "sanctioned")
    found = [_candidate_json(selection, each, names) for each in shown]
    document = {
        **answer.about(),
        "as_of": selection.as_of.isoformat(),
        **terms_json(selection),
        "candidates": found,
    }
    rows = [
        {
            **row,
            "unit": labelled(session, row["unit"], units),
            "grade": labelled(session, row["grade"], labels),
            "outcome": Shown(row["outcome"], session.pick(OUTCOMES[row["outcome"]])),
            "decision": _decision_cell(session, each),
            "reasons": Shown("", session.pick(Words(row["reason"]["ko"], row["reason"]["en"]))),
        }
        for row, each in zip(found, shown, strict=True)
    ]
    valued = any(each.value is not None for each in shown)
    columns = [
        Column("place", number=True),
        Column("person"),
        Column("name", wraps=True),
        Column("unit", wraps=True),
        Column("points", number=True),
        Column("activities", number=True, optional=True),
        Column("outcome", wraps=True),
        Column("grade", wraps=True),
        *([Column("value", number=True)] if valued or session.format == "csv" else []),
        Column("decision", wraps=True),
        *([Column("reasons", wraps=True)] if everyone and session.format == "table" else []),
        Column("missing", number=True, detail=True),
    ]
    nobody = Words("기준에 이른 사람이 없습니다.", "Nobody reaches the threshold.")
    show(session, document, columns, rows, title=_headline(session, selection), empty=nobody)
    if session.format == "table":
        _tell_decisions(session, selection)


def _decision_cell(session: Session, each: Candidate) -> Shown | None:
    if each.decision is None:
        return None
    return Shown(each.decision.stage, session.pick(stage_words(each.decision)))


def _candidate_json(
    selection: Selection, each: Candidate, names: Mapping[str, str]
) -> dict[str, Any]:
    reason = explain_candidate(selection, each)
    return {
        "place": each.place or None,
        "person": each.person,
        "name": names.get(each.person),
        "unit": each.unit,
        "rank": each.rank,
        "points": format_amount(each.points),
        "activities": each.activities,
        "outcome": each.outcome,
        "missing": format_amount(each.missing),
        "grade": each.grade,
        "value": amount_or_none(each.value),
        "reason": {"ko": reason.ko, "en": reason.en},
        "decision": decision_json(each.decision),
        "differs": each.differs,
        "months_served": months_text(each.served),
    }


def decided_counts(selection: Selection) -> dict[str, int]:
    """How many are decided about, by stage, and how many proposed ones are open."""
    counts = {"granted": 0, "approved": 0, "refused": 0, "revoked": 0, "open": 0}
    for each in selection.candidates:
        if each.decision:
            counts[each.decision.stage] += 1
        elif each.selected:
            counts["open"] += 1
    return counts


def _tell_decisions(session: Session, selection: Selection) -> None:
    """Say on stderr how many are decided, and what no longer fits the rule's proposal."""
    made = [each.decision for each in selection.candidates if each.decision]
    if not made:
        return
    counts: dict[Words, int] = {}
    for each in made:
        words = stage_words(each)
        counts[words] = counts.get(words, 0) + 1
    told = ", ".join(f"{session.pick(words)} {count}" for words, count in counts.items())
    undecided = sum(each.decision is None for each in selection.selected)
    session.note(
        f"결정: {told}; 선정되었으나 미결정 {undecided}",
        f"decided: {told}; proposed and open: {undecided}",
    )
    if others := [each.person for each in selection.candidates if each.differs]:
        people = ", ".join(others)
        session.warn(
            f"부여한 뒤 규칙의 판단이 달라짐: {people}",
            f"granted as proposed, which the rule no longer does: {people}",
        )


def _headline(session: Session, selection: Selection) -> str:
    terms, chosen = selection.terms, len(selection.selected)
    what = f"{session.pick(terms.label)} ({terms.clause})"
    needed, quota = _needed(terms), _quota(terms)
    return session.pick(
        Words(
            f"{what} {terms.period.name}, {selection.as_of} 기준: {needed.ko}{quota.ko},"
            f" 선정 {chosen}명",
            f"{what} {terms.period.name}, on {selection.as_of}: {needed.en}{quota.en}, {chosen} in",
        )
    )


def _needed(terms: Terms) -> Words:
    """What it takes: points, for each tier if there are several; the parts of grades by rank."""
    if terms.tiered:
        tiers = [(each.grade, format_amount(each.threshold_points or 0)) for each in terms.grades]
        return Words(
            ", ".join(f"{grade} {points}점 이상" for grade, points in tiers),
            ", ".join(f"{grade} {points} points" for grade, points in tiers) + " needed",
        )
    threshold = format_amount(terms.threshold)
    parts_ko, parts_en = "", ""
    for each in terms.grades:
        if each.percent is None:
            parts_ko += f", {each.grade} {each.places}명"
            parts_en += f", {each.grade} {each.places}"
        else:
            parts_ko += f", {each.grade} {format_amount(each.percent)}%"
            parts_en += f", {each.grade} {format_amount(each.percent)} %"
    return Words(f"{threshold}점 이상{parts_ko}", f"{threshold} points needed{parts_en}")


_ROUNDINGS = {
    "down": Words("버림", "rounded down"),
    "up": Words("올림", "rounded up"),
    "half": Words("반올림", "rounded half up"),
}
_OF = {
    "serving": Words("현원", "those in service"),
    "eligible": Words("기준 충족 인원", "those who qualify"),
}


def _quota(terms: Terms) -> Words:
    if terms.quota is None:
        return Words("", "")
    part = terms.percentage
    if part is None:
        return Words(f", 정원 {terms.quota}명", f", quota {terms.quota}")
    percent, how = format_amount(part.percent), _ROUNDINGS[part.rounding]
    of = _OF[part.of] if isinstance(part.of, str) else Words(f"{part.of}명", f"{part.of}")
    return Words(
        f", 정원 {terms.quota}명({of.ko}의 {percent}%, {how.ko})",
        f", quota {terms.quota} ({percent} % of {of.en}, {how.en})",
    )
