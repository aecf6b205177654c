"""What is refused of a task that is given to others."""

from datetime import date

from mileage.ledger import TaskAssigned, TaskClosed, TaskContributed, TaskMilestoneReached, shares
from mileage.ledger.kinds.task import TaskReassigned

MARCH, APRIL, MAY, JUNE = date(2005, 3, 2), date(2005, 4, 1), date(2005, 5, 2), date(2005, 6, 1)
ASSIGNED = TaskAssigned("r", "기록관리", "common", "HQ", "P1", "100 %", date(2005, 12, 31))
AGAIN = TaskReassigned("r", "SEOUL", "P2", "조직 개편")
WORKED = [(ASSIGNED, MARCH), (TaskMilestoneReached("r", "m", shares({"P1": 100})), MAY)]
CONTRIBUTED = [(ASSIGNED, MARCH), (TaskContributed("r", "c", shares({"P1": 100}), "분석"), MAY)]
OCCURRED = "occurred_on"

REFUSALS = [
    ("task.closed-too-early", WORKED, TaskClosed("r"), APRIL, "occurred_on"),
    ("task.closed-too-early", CONTRIBUTED, TaskClosed("r"), APRIL, "occurred_on"),
    ("task.closed-too-early", [(ASSIGNED, MARCH), (AGAIN, MAY)], TaskClosed("r"), APRIL, OCCURRED),
    ("task.unknown", [], AGAIN, MAY, "task"),
    ("task.already-closed", [(ASSIGNED, MARCH), (TaskClosed("r"), MAY)], AGAIN, JUNE, "task"),
]
