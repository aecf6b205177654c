"""Competition of units: evaluations, what each unit reaches in them and in which place it comes.

The facts say what happened, evaluators what they think of it, and the rulebook what counts for
how much. Nothing is rounded before it is shown.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate
from typing import TYPE_CHECKING

import attrs
from mileage.ledger import MileageError
from mileage.ledger.facts import format_instant

from .decode import Slice
from .evaluations import EvaluationStatus, statuses
from .gathering import Gathered
from .measures import measure
from .rulebook import POINT
from .rules import adopted_rules, office_facts
from .selection import allot
from .standing import kinds_about, standing_facts
from .structure import Service, Structure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date, datetime

    from mileage.ledger import Label, Ledger, Recorded

    from .figures import Figures
    from .measures import Finding, Score
    from .rulebook import Adoption, Area, Element, Evaluation, EvaluationValue, GradeTerms, Group

__all__ = [
    "AreaResult",
    "Competition",
    "ElementResult",
    "IdleScore",
    "NoCompetition",
    "UnitResult",
    "unit_ranking",
]


class NoCompetition(MileageError):
    """An evaluation gives no ranking: it is unknown, has not begun, or no scheme is in force."""


@attrs.frozen
class ElementResult:
    """What a unit reaches in an element.

    Attributes:
        element: The element, as the rulebook has it.
        weight: Its weight in the whole, in percent.
        result: 0 to 100.
        reason: Where it comes from, with the arithmetic.
        missing: Whether something it should rest on is missing; what is missing counts as 0.
        facts: Positions of the scores or measurements it rests on.
        amount: What was measured, in all or a head: points, activities or hours; else ``None``.
    """

    element: Element
    weight: Fraction
    result: Fraction
    reason: Label
    missing: bool
    facts: tuple[int, ...]
    amount: Fraction | None = None

    @property
    def points(self) -> Fraction:
        """What it adds to the total."""
        return self.weight * self.result / 100


@attrs.frozen
class AreaResult:
    """What a unit reaches in an area.

    Attributes:
        area: The area, as the rulebook has it.
        weight: Its weight in the whole, in percent.
        elements: Its elements.
    """

    area: Area
    weight: Fraction
    elements: tuple[ElementResult, ...]

    @property
    def points(self) -> Fraction:
        """What it adds to the total."""
        return sum((each.points for each in self.elements), Fraction(0))


@attrs.frozen
class UnitResult:
    """A unit's place among those of its group; equal totals share a place.

    Attributes:
        group: The group, as the rulebook has it.
        place: Place in the group, from 1.
        unit: Code of the unit.
        total: 0 to 100.
        heads: Head-count of the average day, leave not counted.
        areas: The areas.
        prize: The prize that the place brings, if any.
    """

    group: Group
    place: int
    unit: str
    total: Fraction
    heads: Fraction
    areas: tuple[AreaResult, ...]
    prize: GradeTerms | None = None

    @property
    def order(self) -> Fraction:
        """What sorts, smaller first."""
        return -self.total

    @property
    def missing(self) -> tuple[str, ...]:
        """Ids of the elements for which something is missing."""
        return tuple(
            each.element.id for area in self.areas for each in area.elements if each.missing
        )


@attrs.frozen
class IdleScore:
    """A score that counts for nothing: the unit is not ranked, or the element takes no scores."""

    position: int
    unit: str
    element: str


@attrs.frozen
class Competition:
    """The result of an evaluation.

    Attributes:
        status: The evaluation.
        counted_until: Last day that is counted: the end of the period, or the day of the question.
        scheme: The scheme, as the rulebook has it.
        clause: Clause of the weights.
        adoption: Position of the adoption of the rulebook.
        units: The units that are ranked, group by group in order of place.
        absent: Units of the rulebook that do not exist on the last day.
        left_behind: People who serve in a unit that has ended, or below one, on the last day.
        idle_scores: Scores that count for nothing.
    """

    status: EvaluationStatus
    counted_until: date
    scheme: Evaluation
    clause: str
    adoption: int
    units: tuple[UnitResult, ...]
    absent: tuple[str, ...]
    left_behind: tuple[str, ...]
    idle_scores: tuple[IdleScore, ...]

    def of(self, unit: str) -> UnitResult | None:
        """The result of a unit; ``None`` if it is not ranked."""
        return next((each for each in self.units if each.unit == unit), None)


def unit_ranking(
    ledger: Ledger,
    figures: Figures,
    evaluation: str,
    *,
    as_of: date | None = None,
    known_at: datetime | None = None,
) -> Competition:
    """What every unit reaches in an evaluation, and in which place it comes.

    The scheme is that of the rulebook in force on the last day of the period, with the weights of
    that day. Until the period is over, days up to that of the question count.

    Args:
        ledger: The ledger.
        figures: Its figures, of the same ``as_of`` and ``known_at``.
        evaluation: Code of the evaluation.
        as_of: What counted on that civil date, in the ledger's zone.
        known_at: Only what had been recorded by that instant.

    Raises:
        NoCompetition: It is unknown or has not begun, or no scheme is in force for it.
    """
    part = Slice(upto=figures.position, as_of=as_of, known_at=known_at)
    facts = _facts(ledger, part)
    status = _status(facts, evaluation)
    today = as_of or (ledger.day_of(known_at) if known_at else ledger.today())
    last = min(status.ends_on, today)
    if last < status.starts_on:
        msg = f"{evaluation}: its period begins on {status.starts_on}, after {today}"
        raise NoCompetition(msg)
    adoption, scheme, value = _scheme(ledger, figures, part, status)
    structure, service = Structure.of(facts), Service.of(figures)
    gathered = Gathered(facts, figures, status, last, structure, service)
    results = [
        result for group in scheme.groups for result in _ranked(gathered, group, scheme, value)
    ]
    stating = {unit for group in scheme.groups for unit in group.units}
    return Competition(
        status=status,
        counted_until=last,
        scheme=scheme,
        clause=value.clause,
        adoption=adoption.position,
        units=tuple(results),
        absent=tuple(sorted(unit for unit in stating if not structure.stands(unit, last))),
        left_behind=tuple(_left_behind(structure, service, last)),
        idle_scores=tuple(_idle_scores(gathered.scores, scheme, {each.unit for each in results})),
    )


def _facts(ledger: Ledger, part: Slice) -> list[Recorded]:
    """The standing facts about evaluations, units and tasks that are in the figures."""
    kinds = kinds_about(ledger, "evaluation", "unit", "task")
    facts = standing_facts(ledger, kinds, as_of=part.as_of, known_at=part.known_at)
    return [item for item in facts if part.upto is None or item.position <= part.upto]


def _status(facts: Iterable[Recorded], evaluation: str) -> EvaluationStatus:
    opened = statuses(facts)
    if evaluation not in opened:
        known = ", ".join(opened) or "none"
        msg = f"{evaluation}: no such evaluation was opened (opened: {known})"
        raise NoCompetition(msg)
    return opened[evaluation]


def _scheme(
    ledger: Ledger, figures: Figures, part: Slice, status: EvaluationStatus
) -> tuple[Adoption, Evaluation, EvaluationValue]:
    """The scheme and its weights on the last day of the period."""
    upto = int(figures.meta()["rules_position"])
    rules = adopted_rules(ledger, office_facts(ledger, part), upto=upto)
    adoption = rules.compiled.rulebook_on(status.ends_on)
    schemes = {each.id: each for each in adoption.rulebook.evaluations} if adoption else {}
    name = status.evaluation
    if adoption is None or not schemes:
        msg = f"{name}: no rulebook in force on {status.ends_on} says how units are evaluated"
        if part.known_at:
            msg += f" (as known at {format_instant(part.known_at)}; a later time may be asked for)"
        raise NoCompetition(msg)
    wanted = status.scheme or (next(iter(schemes)) if len(schemes) == 1 else "")
    if wanted not in schemes:
        what = (
            f"there is no scheme {wanted}" if wanted else "it does not say which scheme it follows"
        )
        msg = f"{name}: {what} (in force on {status.ends_on}: {', '.join(schemes)})"
        raise NoCompetition(msg)
    value = schemes[wanted].value_on(status.ends_on)
    if value is None:
        msg = f"{name}: the scheme {wanted} has no weights yet on {status.ends_on}"
        raise NoCompetition(msg)
    return adoption, schemes[wanted], value


def _left_behind(structure: Structure, service: Service, last: date) -> Iterator[str]:
    for person in sorted(service.stays):
        unit = service.unit_on(person, last)
        if any(life.ended_by(last) for life in structure.upwards(unit)):
            yield person


def _idle_scores(
    scores: Mapping[tuple[str, str], Sequence[Score]], scheme: Evaluation, ranked: set[str]
) -> list[IdleScore]:
    scored = {
        element.id
        for area in scheme.areas
        for element in area.elements
        if element.source == "scores"
    }
    idle = [
        IdleScore(each.position, unit, element)
        for (unit, element), given in scores.items()
        for each in given
        if unit not in ranked or element not in scored
    ]
    return sorted(idle, key=lambda each: each.position)


def _ranked(
    gathered: Gathered, group: Group, scheme: Evaluation, value: EvaluationValue
) -> list[UnitResult]:
    """The units of a group in order of place."""
    basis, areas = gathered.basis(group, scheme.groups), scheme.areas
    findings = {element.id: measure(basis, element) for area in areas for element in area.elements}
    results = [
        (unit, tuple(_area_result(area, value, findings, unit) for area in areas))
        for unit in basis.units
    ]
    totals = {unit: sum((a.points for a in each), Fraction(0)) for unit, each in results}
    found = [
        UnitResult(
            group=group,
            place=1 + sum(other > totals[unit] for other in totals.values()),
            unit=unit,
            total=totals[unit],
            heads=Fraction(basis.tallies[unit].person_days, basis.days),
            areas=each,
        )
        for unit, each in results
    ]
    return _with_prizes(group, sorted(found, key=lambda each: (each.place, each.unit)))


def _with_prizes(group: Group, results: list[UnitResult]) -> list[UnitResult]:
    """Give the prizes of a group by place, ties as the rulebook says; none for a total of 0."""
    ends = list(accumulate(prize.places or 0 for prize in group.prizes))
    running = [result for result in results if result.total]
    allotted = allot(running, ends, group.otherwise)
    return [
        *(
            result if number is None else attrs.evolve(result, prize=group.prizes[number])
            for result, (number, _) in zip(running, allotted, strict=True)
        ),
        *(result for result in results if not result.total),
    ]


def _area_result(
    area: Area, value: EvaluationValue, findings: Mapping[str, Mapping[str, Finding]], unit: str
) -> AreaResult:
    weight = Fraction(value.weights[area.id], POINT)
    return AreaResult(
        area=area,
        weight=weight,
        elements=tuple(
            ElementResult(
                element=element,
                weight=weight * element.weight,
                result=finding.result,
                reason=finding.reason,
                missing=finding.missing,
                facts=finding.facts,
                amount=finding.amount,
            )
            for element in area.elements
            for finding in (findings[element.id][unit],)
        ),
    )
