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

from .adoption import AdoptedRulebook, adopt_rulebook, adopted_rulebooks, try_adoption
from .budgets import Budget, budgets
from .difference import Change, Difference, Reason
from .eligibility import Candidate, Selection, Terms, UnknownProgramme, eligible, programmes
from .explain import Explanation, arithmetic, explain_candidate, explain_posting
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
from .hr import Batch, HrLine, Outbox, entitlements
from .learning import (
    Plan,
    Progress,
    UnknownPlan,
    learning_plan,
    learning_plans,
    learning_progress,
)
from .readmodel import CaughtUp, NoReadModel, ReadModel, Rebuilt
from .rulebook import Problem as RulebookProblem
from .rulebook import Rulebook, RulebookError, check_rulebook, parse_rulebook
from .rulebook.comparing import Edit, compare
from .rulebook.reading import Reading, Section, read_aloud
from .rulebook.schema import rulebook_schema
from .rules import activity_infos
from .shortfall import Loss, explain_loss, explain_without_caps, losses
from .simulation import (
    Crossing,
    NotAsSimulated,
    Simulation,
    UnknownDigest,
    adopt_simulated,
    simulate,
)
from .trials import PersonTrial, SelectionTrial, Trial, try_examples

__all__ = [
    "AdoptedRulebook",
    "Balance",
    "Batch",
    "Budget",
    "Candidate",
    "CaughtUp",
    "Change",
    "Crossing",
    "Cut",
    "Difference",
    "Edit",
    "Explanation",
    "Figures",
    "HrLine",
    "Loss",
    "NoReadModel",
    "NotAsSimulated",
    "Outbox",
    "Period",
    "PersonTrial",
    "Plan",
    "Progress",
    "Ranked",
    "ReadModel",
    "Reading",
    "Reason",
    "Rebuilt",
    "Rulebook",
    "RulebookError",
    "RulebookProblem",
    "Section",
    "Selection",
    "SelectionTrial",
    "Simulation",
    "StatementLine",
    "Tenure",
    "Terms",
    "Trial",
    "UnknownDigest",
    "UnknownPerson",
    "UnknownPlan",
    "UnknownProgramme",
    "activity_infos",
    "adopt_rulebook",
    "adopt_simulated",
    "adopted_rulebooks",
    "arithmetic",
    "budgets",
    "check_rulebook",
    "compare",
    "eligible",
    "entitlements",
    "explain_candidate",
    "explain_loss",
    "explain_posting",
    "explain_without_caps",
    "learning_plan",
    "learning_plans",
    "learning_progress",
    "losses",
    "parse_rulebook",
    "programmes",
    "read_aloud",
    "rulebook_schema",
    "simulate",
    "try_adoption",
    "try_examples",
]
