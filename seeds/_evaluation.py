"""The example's evaluation of units, its outside diagnosis and its indicators, by year."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._agenda import iso, ordinal, workday
from ._texts import FINDINGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ._agenda import Life
    from ._draws import Draws

__all__ = ["diagnosis", "evaluation", "indicators"]

_SCHEME = "unit-competition"
# What evaluators score; the other elements of the scheme come from the facts.
_SCORED = (
    "institutes",
    "obstacles",
    "success",
    "learning-plan",
    "leadership",
    "service-quality",
    "reward-system",
)
_EVALUATORS = ("PANEL-1", "PANEL-2")
_CONSULTANTS = ("진단기관 1팀", "진단기관 2팀", "진단기관 3팀")


def evaluation(draws: Draws, year: int, units: Sequence[str]) -> Iterator[Life]:
    """Evaluate a year's work of the units: opened, scored in December, closed and published."""
    code = {"evaluation": f"EV-{year}"}

    def life() -> Life:
        opened = {
            **code,
            "title": f"{year}년 국·지방청 혁신평가",
            "starts_on": iso(ordinal(year, 1, 1)),
            "ends_on": iso(ordinal(year, 12, 31)),
            "scheme": _SCHEME,
        }
        yield workday(ordinal(year, 3, 2)), "evaluation.opened", opened
        day = workday(ordinal(year, 12, 21))
        for unit in units:
            level = 60 + draws.below(25)
            for element in _SCORED:
                for evaluator in _EVALUATORS:
                    scored = {**code, "unit": unit, "element": element}
                    score = str(level + draws.below(16))
                    given = {**scored, "score": score, "outside_evaluator": evaluator}
                    yield day, "evaluation.unit_scored", given
        yield workday(ordinal(year, 12, 28)), "evaluation.closed", code
        yield workday(ordinal(year, 12, 28)) + 1, "evaluation.published", code

    yield life()


def diagnosis(draws: Draws, year: int, units: Sequence[str]) -> Iterator[Life]:
    """Have the level of innovation diagnosed by three teams of outside consultants."""
    code = {"diagnosis": f"DG-{year}"}

    def life() -> Life:
        started = {**code, "title": f"{year}년 혁신수준 진단", "institute": "외부 전문기관"}
        day = workday(ordinal(year, 3, 14))
        yield day, "diagnosis.started", started
        for number, (consultant, (area, text)) in enumerate(
            zip(_CONSULTANTS, FINDINGS, strict=True), 1
        ):
            found = {
                **code,
                "finding": f"F{number}",
                "consultant": consultant,
                "area": area,
                "description": text,
                "level": "3",
            }
            yield workday(day + 30 + 10 * number), "diagnosis.finding_reported", found
        for number in (1, 2):
            resolved = {
                **code,
                "finding": f"F{number}",
                "measure": "추진계획에 반영하여 개선 완료",
                "unit": draws.one_of(units),
            }
            yield workday(day + 150 + 30 * number), "diagnosis.finding_resolved", resolved
        concluded = {**code, "level": "4", "description": "추격 단계"}
        yield workday(ordinal(year, 11, 28)), "diagnosis.concluded", concluded

    yield life()


def indicators(
    draws: Draws, year: int, declared: Sequence[Mapping[str, Any]], *, first: bool
) -> Iterator[Life]:
    """Set the year's targets and measure the indicators in December.

    The values of the year before the first one, and those measured, are made up.
    """
    for indicator in declared:
        yield _indicator(draws, year, indicator, first=first)


def _indicator(draws: Draws, year: int, declared: Mapping[str, Any], *, first: bool) -> Life:
    code = {"indicator": declared["code"]}
    by_level = declared["measure"] == "level"
    target = declared["target"]["level"] if by_level else declared["target"]
    day = workday(ordinal(year, 2, 14))
    if first:
        defined = {
            **code,
            "title": declared["ko"],
            "measured_in": "단계" if by_level else "%",
            "better": "higher",
        }
        yield day, "indicator.defined", defined
    if first or by_level:
        yield day, "indicator.target_set", {**code, "year": str(year), "target_value": str(target)}
    else:
        yield day, "indicator.target_set", {**code, "year": str(year), "change_percent": "1"}
    reached = str(target) if by_level else f"{int(target) - 2 + draws.below(5)}.{draws.below(10)}"
    measured = {**code, "value": reached, "measured_source": "외부 조사기관 설문"}
    yield workday(ordinal(year, 12, 14)), "indicator.measured", measured
