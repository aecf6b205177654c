"""What is refused of a diagnosis by outside consultants."""

from datetime import date

from mileage.ledger.kinds.diagnosis import (
    DiagnosisConcluded,
    DiagnosisFindingReported,
    DiagnosisFindingResolved,
    DiagnosisStarted,
)

MARCH = date(2005, 3, 2)
APRIL = date(2005, 4, 1)
MAY = date(2005, 5, 2)
JUNE = date(2005, 6, 1)
JULY = date(2005, 7, 1)

STARTED = DiagnosisStarted("d1", "혁신 진단", "컨설팅사")
REPORTED = DiagnosisFindingReported("d1", "f1", "전략 컨설턴트", "학습", "실적이 낮음", 3)
LATER = DiagnosisFindingReported("d1", "f2", "조직 컨설턴트", "조직", "협업 부족")
RESOLVED = DiagnosisFindingResolved("d1", "f1", "학습동아리 지원", "HQ")
CONCLUDED = [(STARTED, MARCH), (REPORTED, MAY), (DiagnosisConcluded("d1", 3), JUNE)]

REFUSALS = [
    ("diagnosis.unknown", [], REPORTED, MAY, "diagnosis"),
    ("diagnosis.already-started", [(STARTED, MARCH)], STARTED, MAY, "diagnosis"),
    ("diagnosis.finding-unknown", [(STARTED, MARCH)], RESOLVED, MAY, "finding"),
    ("diagnosis.finding-repeated", [(STARTED, MARCH), (REPORTED, MAY)], REPORTED, JUNE, "finding"),
    ("diagnosis.already-resolved", [*CONCLUDED, (RESOLVED, JUNE)], RESOLVED, JUNE, "finding"),
    ("diagnosis.finding-unknown", CONCLUDED, RESOLVED, APRIL, "finding"),
    ("diagnosis.concluded-too-early", CONCLUDED[:2], CONCLUDED[2][0], APRIL, "occurred_on"),
    ("diagnosis.already-concluded", CONCLUDED, LATER, JULY, "diagnosis"),
    ("diagnosis.already-concluded", CONCLUDED, DiagnosisConcluded("d1", 4), JUNE, "diagnosis"),
]
