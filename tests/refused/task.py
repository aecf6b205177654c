"""What is refused of a task that is given to others."""

from datetime import date

from mileage.ledger import TaskAssigned, TaskClosed
from mileage.ledger.kinds.task import TaskReassigned

MARCH, MAY, JUNE = date(2005, 3, 2), date(2005, 5, 2), date(2005, 6, 1)
ASSIGNED = TaskAssigned("r", "기록관리", "common", "HQ", "P1", "100 %", date(2005, 12, 31))
AGAIN = TaskReassigned("r", "SEOUL", "P2", "조직 개편")

REFUSALS = [
    ("task.unknown", [], AGAIN, MAY, "task"),
    ("task.already-closed", [(ASSIGNED, MARCH), (TaskClosed("r"), MAY)], AGAIN, JUNE, "task"),
]
