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
from .closing import ClosedPeriod, Closing, closed_periods, closings
from .compare import Comparable, comparable, same_rules
from .contests import (
    ContestEntry,
    ContestResult,
    UnknownContest,
    contest_result,
    contest_results,
)
from .decisions import Decision, decisions
from .difference import Change, Difference, Reason
from .eligibility import Candidate, Selection, Terms, UnknownProgramme, eligible, programmes
from .erasing import Erased, erase_people
from .exclusions import Sanction
from .explain import (
    Explanation,
    arithmetic,
    explain_candidate,
    explain_posting,
    explain_sanction,
)
from .feed import BadCursor, EntitlementChange, Feed, changes
from .figures import (
    AccountInfo,
    Adjustment,
    Balance,
    Cut,
    Figures,
    Period,
    Ranked,
    StatementLine,
    Tenure,
    UnknownAccount,
    UnknownPerson,
)
from .granting import Grant, grant, proposal
from .hr import HrKey, HrLine, entitlements
from .hrprofile import Profile, ProfileColumn, find_profile, parse_profile, shipped_profiles
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
from .readmodel import Build, CaughtUp, NoReadModel, NoSuchBuild, ReadModel, Rebuilt
from .redeeming import Available, RedemptionLine, available, redeem, redemptions
from .report import Report, report
from .rulebook import MAIN_ACCOUNT, Rulebook, RulebookError, check_rulebook, parse_rulebook
from .rulebook import Problem as RulebookProblem
from .rulebook.comparing import Edit, compare
from .rulebook.reading import Reading, Section, read_aloud
from .rulebook.schema import rulebook_schema
from .rules import activity_infos
from .shortfall import Loss, explain_loss, explain_without_caps, losses
from .simulation import (
    Cost,
    Crossing,
    NotAsSimulated,
    Simulation,
    UnknownDigest,
    adopt_simulated,
    simulate,
)
from .trials import PersonTrial, SelectionTrial, Trial, try_examples

__all__ = [
    "MAIN_ACCOUNT",
    "AccountInfo",
    "Acknowledged",
    "Adjustment",
    "AdoptedRulebook",
    "Available",
    "AwardLine",
    "BadCursor",
    "Balance",
    "Batch",
    "BatchTally",
    "Budget",
    "Build",
    "Candidate",
    "CaughtUp",
    "Change",
    "ClosedPeriod",
    "Closing",
    "Comparable",
    "ContestEntry",
    "ContestResult",
    "Cost",
    "Crossing",
    "Cut",
    "Decision",
    "Difference",
    "Edit",
    "EntitlementChange",
    "Erased",
    "Explanation",
    "Feed",
    "Figures",
    "Grant",
    "HrKey",
    "HrLine",
    "HrStatus",
    "IndicatorResult",
    "Loss",
    "Measurement",
    "NoReadModel",
    "NoSuchBuild",
    "NotAsSimulated",
    "Outbox",
    "Overview",
    "Period",
    "PersonTrial",
    "Plan",
    "Profile",
    "ProfileColumn",
    "Progress",
    "Ranked",
    "ReadModel",
    "Reading",
    "Reason",
    "Rebuilt",
    "RedemptionLine",
    "Report",
    "Rulebook",
    "RulebookError",
    "RulebookProblem",
    "Sanction",
    "Section",
    "Selection",
    "SelectionTrial",
    "Simulation",
    "StatementLine",
    "Tenure",
    "Terms",
    "Trial",
    "UnknownAccount",
    "UnknownContest",
    "UnknownDigest",
    "UnknownPerson",
    "UnknownPlan",
    "UnknownProgramme",
    "acknowledge",
    "activity_infos",
    "adopt_rulebook",
    "adopt_simulated",
    "adopted_rulebooks",
    "arithmetic",
    "available",
    "awards",
    "budgets",
    "changes",
    "check_rulebook",
    "closed_periods",
    "closings",
    "comparable",
    "compare",
    "contest_result",
    "contest_results",
    "decisions",
    "eligible",
    "entitlements",
    "erase_people",
    "explain_candidate",
    "explain_loss",
    "explain_posting",
    "explain_sanction",
    "explain_without_caps",
    "find_profile",
    "grant",
    "indicators",
    "learning_plan",
    "learning_plans",
    "learning_progress",
    "losses",
    "overview",
    "parse_profile",
    "parse_rulebook",
    "programmes",
    "proposal",
    "read_aloud",
    "redeem",
    "redemptions",
    "report",
    "rulebook_schema",
    "same_rules",
    "shipped_profiles",
    "simulate",
    "try_adoption",
    "try_examples",
]
