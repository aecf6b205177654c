"""Granting what a rulebook proposes, or something else for a stated reason.

The proposal is looked up while nobody else can record, so what is granted is what was proposed.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import attrs
from mileage.ledger import Command, MileageError, Refused, format_amount, to_units
from mileage.ledger.kinds.entitlement import EntitlementGranted

from .days import day_before, day_of
from .eligibility import Selection, eligible, terms
from .figures import Period

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from mileage.ledger import Ledger, Recorded

    from .eligibility import Candidate
    from .figures import Figures
    from .readmodel import ReadModel

__all__ = ["Grant", "cycle_of", "grant", "proposal"]


@attrs.frozen
class Grant:
    """What is to be granted beside, or instead of, what the rule proposes.

    Attributes:
        grade: Another grade or tier than proposed.
        value: Another value than stated for the grade, in the programme's unit.
        reason: Why; needed wherever the grant is not what the rule proposes.
    """

    grade: str | None = None
    value: Decimal | None = None
    reason: str | None = None


def cycle_of(figures: Figures, programme: str, on: date, cycle: str | None = None) -> date:
    """The day that decides about a cycle: its last, or the day of the decision if that is earlier.

    Args:
        figures: The figures.
        programme: Id of the programme.
        on: Civil date of the decision.
        cycle: The period it is about; that of the decision unless given.

    Raises:
        UnknownProgramme: It was in no rulebook on that day.
        MileageError: The programme has no such cycle, or it has not begun on that day.
    """
    if cycle is None:
        return on
    try:
        period = Period.parse(cycle)
    except ValueError as error:
        raise MileageError(str(error)) from None
    begins = day_of(period.day_from) if period.day_from else on
    if on < begins:
        msg = f"the cycle {cycle} begins on {begins}, after {on}"
        raise MileageError(msg)
    day = min(on, day_before(period.day_until))
    own = terms(figures, programme, day).period
    if own.name != cycle:
        msg = f"{programme} has no cycle {cycle}: on {day} it is {own.name}"
        raise MileageError(msg)
    return day


def proposal(model: ReadModel, programme: str, *, on: date, cycle: str | None = None) -> Selection:
    """What a programme's rule proposes for a cycle, by what counts on the day of the decision.

    Service, ranks and terms are those of the day that decides about the cycle (``cycle_of``).
    """
    with model.figures_at(as_of=on) as figures:
        return eligible(figures, programme, cycle_of(figures, programme, on, cycle))


def grant(  # noqa: PLR0913 - what a decision states
    ledger: Ledger,
    model: ReadModel,
    programme: str,
    people: Sequence[str] | None,
    *,
    on: date,
    by: str,
    cycle: str | None = None,
    given: Grant | None = None,
    source: str = "api",
) -> list[Recorded]:
    """Grant a programme to people: all of them, or none when one is refused.

    Args:
        ledger: The ledger.
        model: Its read model.
        programme: Id of the programme.
        people: Their ids; ``None`` for all whom the rule proposes and nobody has decided about.
        on: Civil date of the decision.
        by: Opaque id of who decides.
        cycle: The period it is about; that of the decision unless given.
        given: What is granted otherwise than proposed, and why.
        source: Where the decision comes from.

    Raises:
        UnknownProgramme: It was in no rulebook on the day that decides.
        Refused: Somebody is not proposed, or with another grade or value, and no reason is given;
            or an entitlement's life cycle forbids it.
    """
    asked = given or Grant()
    with ledger.writer() as writer:
        model.catch_up()
        selection = proposal(model, programme, on=on, cycle=cycle)
        open_ones = [c.person for c in selection.selected if c.decision is None]
        named = list(dict.fromkeys(open_ones if people is None else people))
        _check_grade(selection, asked)
        granted = [_granted(selection, person, asked) for person in named]
        beside = [(data.person, why) for data, why in granted if why]
        if beside and asked.reason is None:
            raise Refused(
                "entitlement.not-proposed",
                "; ".join(f"{person}: {why}" for person, why in beside),
                field="reason",
                remedy="give the reason for deciding otherwise than the rule proposes",
            )
        return [writer.add(Command(data, on, by, source)) for data, _ in granted]


def _check_grade(selection: Selection, asked: Grant) -> None:
    known = [grade.grade for grade in selection.terms.grades]
    if asked.grade is not None and asked.grade not in known:
        raise Refused(
            "entitlement.grade-unknown",
            f"{selection.terms.programme} has no grade {asked.grade!r}",
            field="grade",
            remedy=f"its grades are {', '.join(known)}" if known else "it has none",
        )


def _granted(selection: Selection, person: str, asked: Grant) -> tuple[EntitlementGranted, str]:
    """The fact to record, and in which way it is not what the rule proposes."""
    stated, found = selection.terms, selection.of(person)
    proposed = found if found and found.selected else None
    grade = asked.grade or (proposed.grade if proposed else None)
    if stated.grades and grade is None:
        raise Refused(
            "entitlement.grade-missing",
            f"{person} is not proposed for a grade of {stated.programme}",
            field="grade",
            remedy=f"name one of {', '.join(each.grade for each in stated.grades)}",
        )
    usual = next((each.value for each in stated.grades if each.grade == grade), stated.value)
    value = usual if asked.value is None else to_units(asked.value)
    data = EntitlementGranted(
        stated.programme,
        stated.period.name,
        person,
        grade,
        None if value is None else Decimal(format_amount(value)),
        asked.reason,
    )
    return data, _otherwise(found, grade, value)


def _otherwise(found: Candidate | None, grade: str | None, value: int | None) -> str:
    if found is None:
        return "does not serve"
    if not found.selected:
        return found.outcome.replace("_", " ")
    if found.grade != grade:
        return f"{found.grade} is proposed, not {grade}"
    if found.value != value:
        stated = "no value" if found.value is None else format_amount(found.value)
        return f"{stated} is proposed"
    return ""
