"""What the facts amount to: the read side of the innovation mileage ledger.

::

    from mileage.ledger import Ledger
    from mileage.projections import ReadModel, explain_posting

    with Ledger.open("smba.sqlite") as ledger, ReadModel(ledger) as read_model:
        read_model.catch_up()
        figures = read_model.figures()
        print(figures.balance("P00001"))
        for line in figures.statement("P00001"):
            print(explain_posting(ledger, line).steps)

Nothing here writes a fact. Figures are derived from facts and adopted rulebooks by replay, and
kept in a read model that can be thrown away and built again at any time.
"""

from .acknowledging import Acknowledged, acknowledge
from .adoption import AdoptedRulebook, adopt_rulebook, adopted_rulebooks, try_adoption
from .awards import AwardLine, awards
from .budgets import Budget, budgets
from .compare import Comparable, comparable, same_rules
from .decisions import Decision, decisions
from .eligibility import Candidate, Selection, Terms, UnknownProgramme, eligible, programmes
from .explain import Explanation, explain_candidate, explain_posting
from .figures import (
    Balance,
    Cut,
    Figures,
    Period,
    Ranked,
    StatementLine,
    Tenure,
    UnknownPerson,
)
from .granting import Grant, grant, proposal
from .hr import HrKey, HrLine, entitlements
from .indicators import IndicatorResult, Measurement, indicators
from .learning import (
    Plan,
    Progress,
    UnknownPlan,
    learning_plan,
    learning_plans,
    learning_progress,
)
from .outbox import Batch, BatchTally, HrStatus, Outbox
from .overview import Overview, overview
from .readmodel import CaughtUp, Difference, NoReadModel, ReadModel, Reason, Rebuilt
from .redeeming import Available, RedemptionLine, available, redeem, redemptions
from .report import Report, report
from .rulebook import Problem as RulebookProblem
from .rulebook import Rulebook, RulebookError, check_rulebook, parse_rulebook
from .rules import activity_infos

__all__ = [
    "Acknowledged",
    "AdoptedRulebook",
    "Available",
    "AwardLine",
    "Balance",
    "Batch",
    "BatchTally",
    "Budget",
    "Candidate",
    "CaughtUp",
    "Comparable",
    "Cut",
    "Decision",
    "Difference",
    "Explanation",
    "Figures",
    "Grant",
    "HrKey",
    "HrLine",
    "HrStatus",
    "IndicatorResult",
    "Measurement",
    "NoReadModel",
    "Outbox",
    "Overview",
    "Period",
    "Plan",
    "Progress",
    "Ranked",
    "ReadModel",
    "Reason",
    "Rebuilt",
    "RedemptionLine",
    "Report",
    "Rulebook",
    "RulebookError",
    "RulebookProblem",
    "Selection",
    "StatementLine",
    "Tenure",
    "Terms",
    "UnknownPerson",
    "UnknownPlan",
    "UnknownProgramme",
    "acknowledge",
    "activity_infos",
    "adopt_rulebook",
    "adopted_rulebooks",
    "available",
    "awards",
    "budgets",
    "check_rulebook",
    "comparable",
    "decisions",
    "eligible",
    "entitlements",
    "explain_candidate",
    "explain_posting",
    "grant",
    "indicators",
    "learning_plan",
    "learning_plans",
    "learning_progress",
    "overview",
    "parse_rulebook",
    "programmes",
    "proposal",
    "redeem",
    "redemptions",
    "report",
    "same_rules",
    "try_adoption",
]
