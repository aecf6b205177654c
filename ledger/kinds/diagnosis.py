"""Diagnosis by outside consultants (외부 진단): findings, and what is done about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import attrs
from mileage.ledger.errors import Refused
from mileage.ledger.fields import Code, Label, Text, Unit, Whole

from .registry import Context, Data, Programme, kind, kinds

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from mileage.ledger.facts import Command, Fact

__all__ = [
    "Diagnosis",
    "DiagnosisConcluded",
    "DiagnosisFindingReported",
    "DiagnosisFindingResolved",
    "DiagnosisStarted",
]

LEVEL_MAX = 10


@attrs.frozen
class Diagnosis:
    """State of a diagnosis.

    Attributes:
        reported: Date of each finding, by code.
        resolved: Codes of those that were resolved.
        concluded_on: Date of its result, if it is there.
    """

    reported: Mapping[str, date] = attrs.field(factory=dict)
    resolved: frozenset[str] = frozenset()
    concluded_on: date | None = None


def decide(state: Diagnosis | None, command: Command, _context: Context) -> tuple[Data, ...]:
    """Guard a diagnosis: findings until it is concluded, each resolved once, also afterwards."""
    data, day = command.data, command.occurred_on
    name = f"diagnosis {data.diagnosis}"
    if isinstance(data, DiagnosisStarted):
        if state is not None:
            raise Refused(
                "diagnosis.already-started", f"{name} is started already", field="diagnosis"
            )
        return (data,)
    if state is None:
        raise Refused(
            "diagnosis.unknown",
            f"{name} was never started",
            field="diagnosis",
            remedy="record diagnosis.started first",
        )
    if isinstance(data, DiagnosisFindingResolved):
        _check_resolution(state, data, day, name)
    elif state.concluded_on and (isinstance(data, DiagnosisConcluded) or day > state.concluded_on):
        raise Refused(
            "diagnosis.already-concluded",
            f"{name} was concluded on {state.concluded_on}",
            field="diagnosis",
        )
    elif isinstance(data, DiagnosisConcluded):
        _check_conclusion(state, day, name)
    elif isinstance(data, DiagnosisFindingReported) and data.finding in state.reported:
        raise Refused(
            "diagnosis.finding-repeated",
            f"finding {data.finding} of {name} is reported already",
            field="finding",
        )
    return (data,)


def _check_conclusion(state: Diagnosis, day: date, name: str) -> None:
    last = max(state.reported.values(), default=day)
    if day < last:
        raise Refused(
            "diagnosis.concluded-too-early",
            f"a finding of {name} was reported on {last}, after {day}",
            field="occurred_on",
            remedy=f"date it on {last} or later, or void what is later",
        )


def _check_resolution(
    state: Diagnosis, data: DiagnosisFindingResolved, day: date, name: str
) -> None:
    reported_on = state.reported.get(data.finding)
    if reported_on is None or day < reported_on:
        raise Refused(
            "diagnosis.finding-unknown",
            f"{name} has no finding {data.finding} by {day}",
            field="finding",
            remedy="record diagnosis.finding_reported first",
        )
    if data.finding in state.resolved:
        raise Refused(
            "diagnosis.already-resolved",
            f"finding {data.finding} of {name} is resolved already",
            field="finding",
        )


def evolve(state: Diagnosis | None, fact: Fact) -> Diagnosis | None:
    """Fold one fact into a diagnosis's state."""
    match fact.data:
        case DiagnosisStarted():
            return Diagnosis()
        case DiagnosisFindingReported(finding=finding) if state:
            return attrs.evolve(state, reported={**state.reported, finding: fact.occurred_on})
        case DiagnosisFindingResolved(finding=finding) if state:
            return attrs.evolve(state, resolved=state.resolved | {finding})
        case DiagnosisConcluded() if state:
            return attrs.evolve(state, concluded_on=fact.occurred_on)
        case _:
            return state


kinds.add_programme(
    Programme("diagnosis", Label("외부 진단", "Diagnosis"), decide=decide, evolve=evolve)
)


@kind(
    "diagnosis.started",
    ko="진단 착수",
    en="Diagnosis started",
    category="diagnosis",
    id_fields=("diagnosis",),
    title="title",
)
@attrs.frozen
class DiagnosisStarted(Data):
    """A diagnosis by an outside institute begins."""

    diagnosis: Annotated[str, Code("진단", "Diagnosis")]
    title: Annotated[str, Text("제목", "Title", length_max=500)]
    institute: Annotated[str, Text("진단기관", "Institute", length_max=200)]


@kind(
    "diagnosis.finding_reported",
    ko="진단 결과 보고",
    en="Finding reported",
    category="diagnosis",
    id_fields=("diagnosis",),
    identity=("diagnosis", "finding"),
)
@attrs.frozen
class DiagnosisFindingReported(Data):
    """A consultant, named by institute or role, reports a finding about an area."""

    diagnosis: Annotated[str, Code("진단", "Diagnosis")]
    finding: Annotated[str, Code("진단 결과 번호", "Finding")]
    consultant: Annotated[
        str, Text("컨설턴트(기관·역할)", "Consultant (institute or role)", length_max=200)
    ]
    area: Annotated[str, Text("진단 영역", "Area", length_max=200)]
    description: Annotated[str, Text("내용", "Description", length_max=500)]
    level: Annotated[int | None, Whole("혁신단계", "Level", most=LEVEL_MAX, optional=True)] = None


@kind(
    "diagnosis.finding_resolved",
    ko="진단 결과 조치",
    en="Finding resolved",
    category="diagnosis",
    id_fields=("diagnosis",),
    identity=("diagnosis", "finding"),
)
@attrs.frozen
class DiagnosisFindingResolved(Data):
    """A unit has taken the measure that answers a finding."""

    diagnosis: Annotated[str, Code("진단", "Diagnosis")]
    finding: Annotated[str, Code("진단 결과 번호", "Finding")]
    measure: Annotated[str, Text("조치 내용", "Measure", length_max=500)]
    unit: Annotated[str, Unit("조치 부서", "Unit")]


@kind(
    "diagnosis.concluded",
    ko="진단 종료",
    en="Diagnosis concluded",
    category="diagnosis",
    id_fields=("diagnosis",),
)
@attrs.frozen
class DiagnosisConcluded(Data):
    """The diagnosis ends with the level that the organisation has reached."""

    diagnosis: Annotated[str, Code("진단", "Diagnosis")]
    level: Annotated[int, Whole("혁신단계", "Level", most=LEVEL_MAX)]
    description: Annotated[str | None, Text("총평", "Summary", length_max=500, optional=True)] = (
        None
    )
