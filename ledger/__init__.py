"""Facts, recorded once and never changed: the write side of the innovation mileage ledger.

::

    from datetime import date
    from mileage.ledger import Ledger, ProposalSubmitted, shares

    with Ledger.open("smba.sqlite") as ledger:
        ledger.record(
            ProposalSubmitted("2005-0012", "Fewer forms", "online", shares({"P1": 60, "P2": 40})),
            on=date(2005, 3, 2),
            by="officer-7",
        )

Nothing here knows of points; see ``mileage.projections`` for what the facts amount to.
"""

from .amounts import format_amount, to_units
from .directory import Directory, Entry
from .errors import (
    CorruptFact,
    ImportRefused,
    InvalidFact,
    KeyConflict,
    LedgerFileError,
    LockedLedger,
    MileageError,
    NewerLedger,
    NotALedger,
    Problem,
    ReadOnlyLedger,
    Refused,
    UnknownKind,
)
from .facts import Command, Fact, Recorded
from .fields import Label, Share, equal_shares, shares
from .history import HistoryLine, history
from .importing import ImportResult, import_file
from .kinds import Activity, Data, Kind, Kinds, Programme, kind
from .kinds.award import (
    AwardGranted,
    AwardWithdrawn,
)
from .kinds.closing import (
    PeriodClosed,
    PeriodReopened,
)
from .kinds.confirmation import PointsConfirmed
from .kinds.contest import (
    ContestAwarded,
    ContestAwardWithdrawn,
    ContestBenchmarkCredited,
    ContestCaseBenchmarked,
    ContestCaseShared,
    ContestClosed,
    ContestEntered,
    ContestEntryWithdrawn,
    ContestOpened,
    ContestShortlisted,
)
from .kinds.council import (
    CouncilMet,
    CouncilResolved,
)
from .kinds.course import (
    CourseAttended,
    CourseCancelled,
    CourseCompleted,
    CourseDifficultyHeard,
    CourseDifficultySolved,
    CourseEnrolled,
    CourseEnrolmentCancelled,
    CourseFailed,
    CourseLectured,
    CourseOffered,
)
from .kinds.diagnosis import (
    DiagnosisConcluded,
    DiagnosisFindingReported,
    DiagnosisFindingResolved,
    DiagnosisStarted,
)
from .kinds.entitlement import (
    EntitlementApproved,
    EntitlementGranted,
    EntitlementRefused,
    EntitlementRevoked,
)
from .kinds.evaluation import (
    EvaluationClosed,
    EvaluationOpened,
    EvaluationPublished,
    EvaluationReopened,
    EvaluationUnitScored,
)
from .kinds.hold import PointsDenied, PointsHeld, PointsReleased
from .kinds.indicator import (
    IndicatorDefined,
    IndicatorDiscontinued,
    IndicatorMeasured,
    IndicatorTargetSet,
)
from .kinds.learning_club import (
    LearningClubDissolved,
    LearningClubJoined,
    LearningClubLeft,
    LearningClubRegistered,
    LearningClubReportPublished,
    LearningClubResultPresented,
    LearningClubSessionHeld,
    LearningClubTopicPresented,
)
from .kinds.learning_plan import (
    LearningPlanAdopted,
    LearningPlanEnded,
    LearningPlanTargetSet,
)
from .kinds.member import (
    MemberJoined,
    MemberLeaveEnded,
    MemberLeaveStarted,
    MemberLeft,
    MemberPromoted,
    MemberTransferred,
)
from .kinds.office import (
    FactVoided,
    LedgerOpened,
    RulebookAdopted,
)
from .kinds.proposal import (
    ProposalAdopted,
    ProposalGraded,
    ProposalHeld,
    ProposalImplementationCredited,
    ProposalImplemented,
    ProposalMerged,
    ProposalRejected,
    ProposalReviewed,
    ProposalSubmitted,
    ProposalWithdrawn,
)
from .kinds.proposal_round import (
    ProposalRoundClosed,
    ProposalRoundGradeLeftVacant,
    ProposalRoundGradeReopened,
    ProposalRoundOpened,
)
from .kinds.publicity import (
    PublicityPublished,
    PublicityWithdrawn,
)
from .kinds.redemption import (
    RedemptionMade,
    RedemptionReversed,
)
from .kinds.sanction import SanctionImposed, SanctionLifted
from .kinds.schema import row_schema
from .kinds.study_team import (
    StudyTeamDissolved,
    StudyTeamFormed,
    StudyTeamJoined,
    StudyTeamLeft,
    StudyTeamResultDelivered,
    StudyTeamSessionHeld,
)
from .kinds.support import (
    SupportGranted,
    SupportReturned,
    SupportSettled,
    SupportSpent,
)
from .kinds.task import (
    TaskAchievementMeasured,
    TaskAssigned,
    TaskClosed,
    TaskContributed,
    TaskMilestoneReached,
    TaskReassigned,
)
from .kinds.unit import (
    UnitAbolished,
    UnitEstablished,
    UnitMerged,
    UnitSplit,
)
from .ledger import Ledger, system_clock
from .names import read_entries

__all__ = [
    "Activity",
    "AwardGranted",
    "AwardWithdrawn",
    "Command",
    "ContestAwardWithdrawn",
    "ContestAwarded",
    "ContestBenchmarkCredited",
    "ContestCaseBenchmarked",
    "ContestCaseShared",
    "ContestClosed",
    "ContestEntered",
    "ContestEntryWithdrawn",
    "ContestOpened",
    "ContestShortlisted",
    "CorruptFact",
    "CouncilMet",
    "CouncilResolved",
    "CourseAttended",
    "CourseCancelled",
    "CourseCompleted",
    "CourseDifficultyHeard",
    "CourseDifficultySolved",
    "CourseEnrolled",
    "CourseEnrolmentCancelled",
    "CourseFailed",
    "CourseLectured",
    "CourseOffered",
    "Data",
    "DiagnosisConcluded",
    "DiagnosisFindingReported",
    "DiagnosisFindingResolved",
    "DiagnosisStarted",
    "Directory",
    "EntitlementApproved",
    "EntitlementGranted",
    "EntitlementRefused",
    "EntitlementRevoked",
    "Entry",
    "EvaluationClosed",
    "EvaluationOpened",
    "EvaluationPublished",
    "EvaluationReopened",
    "EvaluationUnitScored",
    "Fact",
    "FactVoided",
    "HistoryLine",
    "ImportRefused",
    "ImportResult",
    "IndicatorDefined",
    "IndicatorDiscontinued",
    "IndicatorMeasured",
    "IndicatorTargetSet",
    "InvalidFact",
    "KeyConflict",
    "Kind",
    "Kinds",
    "Label",
    "LearningClubDissolved",
    "LearningClubJoined",
    "LearningClubLeft",
    "LearningClubRegistered",
    "LearningClubReportPublished",
    "LearningClubResultPresented",
    "LearningClubSessionHeld",
    "LearningClubTopicPresented",
    "LearningPlanAdopted",
    "LearningPlanEnded",
    "LearningPlanTargetSet",
    "Ledger",
    "LedgerFileError",
    "LedgerOpened",
    "LockedLedger",
    "MemberJoined",
    "MemberLeaveEnded",
    "MemberLeaveStarted",
    "MemberLeft",
    "MemberPromoted",
    "MemberTransferred",
    "MileageError",
    "NewerLedger",
    "NotALedger",
    "PeriodClosed",
    "PeriodReopened",
    "PointsConfirmed",
    "PointsDenied",
    "PointsHeld",
    "PointsReleased",
    "Problem",
    "Programme",
    "ProposalAdopted",
    "ProposalGraded",
    "ProposalHeld",
    "ProposalImplementationCredited",
    "ProposalImplemented",
    "ProposalMerged",
    "ProposalRejected",
    "ProposalReviewed",
    "ProposalRoundClosed",
    "ProposalRoundGradeLeftVacant",
    "ProposalRoundGradeReopened",
    "ProposalRoundOpened",
    "ProposalSubmitted",
    "ProposalWithdrawn",
    "PublicityPublished",
    "PublicityWithdrawn",
    "ReadOnlyLedger",
    "Recorded",
    "RedemptionMade",
    "RedemptionReversed",
    "Refused",
    "RulebookAdopted",
    "SanctionImposed",
    "SanctionLifted",
    "Share",
    "StudyTeamDissolved",
    "StudyTeamFormed",
    "StudyTeamJoined",
    "StudyTeamLeft",
    "StudyTeamResultDelivered",
    "StudyTeamSessionHeld",
    "SupportGranted",
    "SupportReturned",
    "SupportSettled",
    "SupportSpent",
    "TaskAchievementMeasured",
    "TaskAssigned",
    "TaskClosed",
    "TaskContributed",
    "TaskMilestoneReached",
    "TaskReassigned",
    "UnitAbolished",
    "UnitEstablished",
    "UnitMerged",
    "UnitSplit",
    "UnknownKind",
    "equal_shares",
    "format_amount",
    "history",
    "import_file",
    "kind",
    "read_entries",
    "row_schema",
    "shares",
    "system_clock",
    "to_units",
]
