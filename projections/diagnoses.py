"""Outside diagnoses: what was found, what of it is resolved, which level was reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from mileage.ledger import (
    DiagnosisConcluded,
    DiagnosisFindingReported,
    DiagnosisFindingResolved,
    DiagnosisStarted,
)

from .standing import kinds_about, standing_facts

if TYPE_CHECKING:
    from datetime import date, datetime

    from mileage.ledger import Ledger

__all__ = ["DiagnosisResult", "diagnoses"]


@attrs.frozen
class DiagnosisResult:
    """A diagnosis by an outside institute, as far as it has come.

    Attributes:
        diagnosis: Code.
        title: What it is called.
        institute: Who diagnoses.
        started_on: Civil date on which it began.
        findings: How many findings were reported.
        resolved: How many of them are resolved.
        level: Level reached; ``None`` until it is concluded.
        concluded_on: Civil date of the conclusion, if there is one.
    """

    diagnosis: str
    title: str
    institute: str
    started_on: date
    findings: int = 0
    resolved: int = 0
    level: int | None = None
    concluded_on: date | None = None


def diagnoses(
    ledger: Ledger,
    *,
    until: date | None = None,
    as_of: date | None = None,
    known_at: datetime | None = None,
) -> list[DiagnosisResult]:
    """The diagnoses begun so far, in order of their beginning.

    Args:
        ledger: The ledger.
        until: Only what had happened by that civil date, whatever the date of a correction.
        as_of: What counted on that civil date, corrections that took effect by then included.
        known_at: Only what had been recorded by that instant.
    """
    names = kinds_about(ledger, "diagnosis")
    found: dict[str, DiagnosisResult] = {}
    for item in standing_facts(ledger, names, until=until, as_of=as_of, known_at=known_at):
        data, day = item.fact.data, item.fact.occurred_on
        known = found.get(data.diagnosis)
        match data:
            case DiagnosisStarted(diagnosis=code, title=title, institute=institute):
                found[code] = DiagnosisResult(code, title, institute, day)
            case DiagnosisFindingReported(diagnosis=code) if known:
                found[code] = attrs.evolve(known, findings=known.findings + 1)
            case DiagnosisFindingResolved(diagnosis=code) if known:
                found[code] = attrs.evolve(known, resolved=known.resolved + 1)
            case DiagnosisConcluded(diagnosis=code, level=level) if known:
                found[code] = attrs.evolve(known, level=level, concluded_on=day)
            case _:
                pass
    return list(found.values())
