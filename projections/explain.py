"""Explanations: every point, and every point that did not come, in words.

An explanation is made of the posting's own columns, the fact in the ledger and the adopted
rulebook; nothing is computed a second time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from mileage.ledger import Label, format_amount, to_units
from mileage.ledger.amounts import SCALE

if TYPE_CHECKING:
    from datetime import date, datetime
    from fractions import Fraction

    from mileage.ledger import Ledger

    from .eligibility import Candidate, Selection, Terms
    from .exclusions import Sanction
    from .figures import Adjustment, Cut, StatementLine

__all__ = [
    "Explanation",
    "arithmetic",
    "explain_candidate",
    "explain_posting",
    "explain_sanction",
    "months_text",
]

_WHOSE = {
    "person": Label("", ""),
    "thing": Label("건별 ", " for one thing"),
    "unit": Label("부서 전체 ", " for the whole unit"),
}
PERIODS = {
    "month": Label("월", "month"),
    "quarter": Label("분기", "quarter"),
    "half": Label("반기", "half-year"),
    "year": Label("연", "year"),
    "lifetime": Label("재직 중", "lifetime"),
    "rank": Label("현 직급", "time in the rank"),
}


@attrs.frozen
class Explanation:
    """One posting explained.

    Attributes:
        line: The posting.
        key: Key of the fact.
        recorded_at: Instant (UTC) at which the ledger learned of it.
        recorded_by: Who recorded it.
        source: Where it came from.
        rulebook: Id of the rulebook; empty when no rule rewards it.
        rulebook_digest: SHA-256 of the rulebook's text; empty likewise.
        adopted_on: Date of the adoption, if any.
        steps: The arithmetic, line by line, in Korean and English.
    """

    line: StatementLine
    key: str
    recorded_at: datetime
    recorded_by: str
    source: str
    rulebook: str
    rulebook_digest: str
    adopted_on: date | None
    steps: tuple[Label, ...]


def explain_posting(ledger: Ledger, line: StatementLine) -> Explanation:
    """Explain one posting: its fact, its rule, its arithmetic and what was taken away."""
    fact = ledger.at(line.position).fact
    adoption = ledger.at(line.adoption).fact if line.adoption else None
    return Explanation(
        line=line,
        key=fact.key,
        recorded_at=fact.recorded_at,
        recorded_by=fact.recorded_by,
        source=fact.source,
        rulebook=adoption.data.rulebook if adoption else "",
        rulebook_digest=adoption.data.digest if adoption else "",
        adopted_on=adoption.occurred_on if adoption else None,
        steps=arithmetic(line),
    )


def _amount(units: int, measure: Label | None = None) -> Label:
    """An amount in the unit of its account; of points where none is given."""
    amount = format_amount(units)
    if measure:
        return Label(f"{amount}{measure.ko}", f"{amount} {measure.en}")
    return Label(f"{amount}점", f"{amount} point{'' if abs(units) == SCALE else 's'}")


def arithmetic(line: StatementLine) -> tuple[Label, ...]:
    """Say line by line how a posting came to its points, and what was taken away."""
    return tuple(_steps(line))


def _steps(line: StatementLine) -> list[Label]:
    adjusts, steps = line.adjusts, []
    if adjusts and adjusts.cause != "late":
        return _difference(line, adjusts)
    if adjusts:
        steps.append(
            Label(
                f"{adjusts.origin_on}의 일이나 그 기간을 마감(#{adjusts.reference})한 뒤에"
                f" 알려져 {line.occurred_on}에 올림",
                f"of {adjusts.origin_on}, known after its period was closed"
                f" (#{adjusts.reference}): posted on {line.occurred_on}",
            )
        )
    if not line.rule:
        day = adjusts.origin_on if adjusts else line.occurred_on
        nothing = Label(
            f"{day}에 이 활동을 보상하는 규칙이 없음: 0점",
            f"no rule rewards this activity on {day}: 0 points",
        )
        return [*steps, nothing, *(_cut(cut, 0, line.measure) for cut in line.cuts)]
    steps.append(_rate(line))
    if line.shared and line.gross != line.whole:
        share, gross = format_amount(line.share), format_amount(line.gross)
        whole, part = (_amount(each, line.measure) for each in (line.whole, line.gross))
        steps.append(
            Label(
                f"지분 {share}%: {whole.ko} 중 {part.ko}",
                f"share of {share} %: {gross} of {whole.en}",
            )
        )
    left = line.gross
    for cut in line.cuts:
        steps.append(_cut(cut, left, line.measure))
        left -= cut.points
    counts = "counts" if abs(line.points) == SCALE else "count"
    points = _amount(line.points, line.measure)
    steps.append(Label(f"인정 {points.ko}", f"{points.en} {counts}"))
    return steps


_CHANGED_BY = {
    "voided": Label("기록 #{0}(으)로 취소됨", "voided by fact #{0}"),
    "withdrawn": Label("기록 #{0}(으)로 철회됨", "withdrawn by fact #{0}"),
    "held": Label("기록 #{0}(으)로 보류됨", "put on hold by fact #{0}"),
    "denied": Label("기록 #{0}(으)로 불인정됨", "denied by fact #{0}"),
    "pending": Label("확인이 없음", "not confirmed"),
    "rules": Label("채택한 규칙집 #{0}에 따름", "by the rulebook adopted as #{0}"),
    "recalculated": Label("그 기간의 다른 기록이 달라짐", "other facts of that period changed"),
}


def _difference(line: StatementLine, adjusts: Adjustment) -> list[Label]:
    """Say why only a difference is posted, and what it is between."""
    why = _CHANGED_BY[adjusts.cause]
    before, after = format_amount(adjusts.before), format_amount(adjusts.after)
    posted, worth, points = (
        _amount(each, line.measure) for each in (adjusts.before, adjusts.after, line.points)
    )
    return [
        Label(
            f"{adjusts.origin_on}의 활동, 마감한 기간: 올린 것 {posted.ko}, 지금은 {worth.ko}",
            f"of {adjusts.origin_on}, in a closed period: {before} posted, {after} now",
        ),
        Label(why.ko.format(adjusts.reference), why.en.format(adjusts.reference)),
        Label(
            f"차액 {points.ko}, {line.occurred_on}에 올림",
            f"the difference of {points.en} is posted on {line.occurred_on}",
        ),
    ]


def _rate(line: StatementLine) -> Label:
    rate, whole = (_amount(each, line.measure) for each in (line.rate, line.whole))
    clause = line.clause
    since = f"{line.valid_from}"
    when_ko = f" {line.when.ko}" if line.when else ""
    when_en = f" for {line.when.en}" if line.when else ""
    if line.per_hour and line.hours is not None:
        hours = format_amount(line.hours)
        return Label(
            f"{clause} ({since}부터){when_ko}: 시간당 {rate.ko} × {hours}시간 = {whole.ko}",
            f"{clause} (from {since}){when_en}: {rate.en} an hour × {hours}"
            f" hour{'' if line.hours == SCALE else 's'} = {whole.en}",
        )
    grade_ko = f" ‘{line.grade}’" if line.grade else ""
    grade_en = f" for '{line.grade}'" if line.grade else ""
    return Label(
        f"{clause} ({since}부터){grade_ko}{when_ko}: {whole.ko}",
        f"{clause} (from {since}){grade_en}{when_en}: {whole.en}",
    )


_TAKEN = {
    "voided": Label("기록 취소", "voided"),
    "withdrawn": Label("철회", "withdrawn"),
    "held": Label("점수 보류", "put on hold"),
    "denied": Label("점수 불인정", "denied"),
}


def _cut(cut: Cut, left: int, measure: Label | None) -> Label:
    taken = _amount(cut.points, measure)
    if cut.cause == "pending":
        return Label(f"확인 대기: −{taken.ko}", f"not confirmed yet: −{taken.en}")
    if cut.cause in _TAKEN:
        by = _TAKEN[cut.cause]
        return Label(
            f"{by.ko} (#{cut.reference}): −{taken.ko}",
            f"{by.en} by #{cut.reference}: −{taken.en}",
        )
    limit = format_amount(cut.limit)
    per = PERIODS[cut.period]
    label = cut.label or Label(cut.reference, cut.reference)
    whose = _WHOSE[cut.per]
    if cut.measure == "count":
        if cut.keep == "best":
            return Label(
                f"한도 ‘{label.ko}’ {cut.clause}: {whose.ko}{per.ko} 가장 높은 1건만 인정,"
                f" 앞서 인정된 만큼 → −{taken.ko}",
                f"cap '{label.en}' {cut.clause}: only the best counts, in one {per.en}{whose.en};"
                f" what counted before → −{taken.en}",
            )
        number = "" if cut.limit == SCALE else f" {limit}"
        counts = "count" if number else "counts"
        return Label(
            f"한도 ‘{label.ko}’ {cut.clause}: {whose.ko}{per.ko} 먼저 한 {limit}건만 인정"
            f" → −{taken.ko}",
            f"cap '{label.en}' {cut.clause}: only the first{number} {counts}, in one"
            f" {per.en}{whose.en} → −{taken.en}",
        )
    used = max(cut.limit - (left - cut.points), 0)
    room, spent = _amount(cut.limit, measure), _amount(used, measure)
    return Label(
        f"한도 ‘{label.ko}’ {cut.clause}: {whose.ko}{per.ko} {room.ko} 중 {spent.ko} 사용"
        f" → −{taken.ko}",
        f"cap '{label.en}' {cut.clause}: {format_amount(used)} of"
        f" {room.en} a {per.en}{whose.en} used → −{taken.en}",
    )


def explain_candidate(selection: Selection, candidate: Candidate | None) -> Label:
    """Say why a person is in or out."""
    terms = selection.terms
    if candidate is None:
        return Label(
            f"{terms.period.name} 기간의 활동이 없음", f"no activity in {terms.period.name}"
        )
    quota, place = terms.quota, candidate.place
    match candidate.outcome:
        case "selected":
            return _selected(selection, candidate)
        case "below_threshold":
            threshold, missing = format_amount(terms.threshold), format_amount(candidate.missing)
            return Label(
                f"기준 {threshold}점에 {missing}점 부족",
                f"{missing} points short of the threshold of {threshold}",
            )
        case "beyond_quota":
            return Label(f"{place}위: 정원 {quota}명을 넘음", _beyond(place, quota))
        case "tied_out":
            return Label(
                f"{place}위 동점: 정원 {quota}명에 모두 들 수 없어 모두 제외",
                f"tied at place {place}: not all fit in the quota of {quota}, so none",
            )
        case _:
            return _left_out(selection, candidate)


def _left_out(  # noqa: PLR0911 - one answer for each outcome
    selection: Selection, candidate: Candidate
) -> Label:
    """Out, whatever the points."""
    terms, day = selection.terms, selection.as_of
    match candidate.outcome:
        case "on_leave":
            return Label(f"{day} 현재 휴직 중", f"on leave on {day}")
        case "other_rank":
            ranks = ", ".join(terms.ranks)
            return Label(f"대상 직급({ranks})이 아님", f"only for the ranks {ranks}")
        case "other_unit":
            units = ", ".join(terms.units)
            return Label(f"대상 소속({units})이 아님", f"only for the units {units}")
        case "sanctioned":
            return Label("제한 기간이라 제외", "left out for the time of a sanction")
        case "recent":
            return _recent(terms, candidate)
        case "too_short":
            return _too_short(terms, candidate)
        case _:
            return Label(f"{day} 현재 재직하지 않음", f"not serving on {day}")


def _beyond(place: int, quota: int | None) -> str:
    return f"place {place}: beyond the quota of {quota}"


def _selected(selection: Selection, candidate: Candidate) -> Label:
    """In, with points and place; with the grade or tier and what it takes, if there are any."""
    terms, points = selection.terms, format_amount(candidate.points)
    grade = next((each for each in terms.grades if each.grade == candidate.grade), None)
    needed = terms.threshold
    if grade and grade.threshold_points is not None:
        needed = grade.threshold_points
    quota, threshold = terms.quota, format_amount(needed)
    lead_ko, lead_en = ("선정", "in") if grade is None else (f"‘{grade.grade}’", grade.grade)
    in_all_ko = "" if quota is None else f" / 정원 {quota}명"
    in_all_en = "" if quota is None else f" of {quota}"
    if grade and grade.percent is not None:
        percent = format_amount(grade.percent)
        in_all_ko, in_all_en = f", {percent}%", f", {percent} %"
    return Label(
        f"{lead_ko}: {points}점, 기준 {threshold}점 이상, {candidate.place}위{in_all_ko}",
        f"{lead_en}: {points} points, {threshold} needed, place {candidate.place}{in_all_en}",
    )


def explain_sanction(sanction: Sanction) -> Label:
    """Say which sanction leaves somebody out, and for how long: for those who may know."""
    code, since = f"{sanction.sanction} ({sanction.ground})", sanction.since
    ko, en = f"제한 {code}: {since}부터", f"sanction {code} from {since}"
    if sanction.until is None:
        return Label(f"{ko}, 해제일 없음", f"{en}, open")
    ko, en = f"{ko} {sanction.until} 전까지", f"{en} until {sanction.until}"
    if sanction.bars_until != sanction.until:
        ko, en = (
            f"{ko}, {sanction.bars_until}부터 다시 대상",
            f"{en}, in again on {sanction.bars_until}",
        )
    return Label(ko, en)


def _too_short(terms: Terms, candidate: Candidate) -> Label:
    """Left out for few months of service: how many there are, and how many are missing."""
    served, service = months_text(candidate.served), terms.service
    if served is None or service is None:  # an outcome of another version's figures
        return Label("근무 기간 부족", "served too short a time")
    needed, missing = service.months, format_amount(service.months * SCALE - to_units(served))
    days, name = service.full_from, terms.period.name
    counted_ko = "" if days is None else f" ({days}일 이상 근무한 달만 셈)"
    counted_en = "" if days is None else f" (months with {days} days or more)"
    return Label(
        f"{name} 기간에 휴직을 빼고 {served}개월 근무{counted_ko}:"
        f" {needed}개월에 {missing}개월 부족",
        f"{served} months served without leave in {name}{counted_en}: {missing} short of {needed}",
    )


def months_text(months: Fraction | None) -> str | None:
    """Months of service as a decimal, rounded down to 1/10,000: never more than there are."""
    return None if months is None else format_amount(int(months * SCALE))


def _recent(terms: Terms, candidate: Candidate) -> Label:
    """Left out by an earlier grant: which one, and how long it counts."""
    grant, recent = candidate.recent, terms.recent
    if grant is None or recent is None:  # an outcome of another version's figures
        return Label("최근에 받음", "had it recently")
    what, on = f"{grant.programme} {grant.cycle}", grant.granted_on
    if recent.years is not None:
        return Label(
            f"{what}을(를) {on}에 받아 {recent.years}년간 제외",
            f"had {what} on {on}: left out for {recent.years} years",
        )
    return Label(
        f"{what}을(를) 받아 그 뒤 {recent.cycles}회 제외",
        f"had {what}: left out of the next {recent.cycles} cycles",
    )
