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
from .kinds.contest import ContestAwarded, ContestAwardWithdrawn, ContestEntered, ContestOpened
from .kinds.course import (
    CourseAttended,
    CourseCompleted,
    CourseEnrolled,
    CourseEnrolmentCancelled,
    CourseFailed,
    CourseLectured,
    CourseOffered,
)
from .kinds.learning_club import (
    LearningClubDissolved,
    LearningClubJoined,
    LearningClubLeft,
    LearningClubRegistered,
    LearningClubReportPublished,
    LearningClubResultPresented,
    LearningClubSessionHeld,
)
from .kinds.member import (
    MemberJoined,
    MemberLeaveEnded,
    MemberLeaveStarted,
    MemberLeft,
    MemberPromoted,
    MemberTransferred,
)
from .kinds.office import FactVoided, LedgerOpened, RulebookAdopted
from .kinds.proposal import (
    ProposalAdopted,
    ProposalImplemented,
    ProposalRejected,
    ProposalReviewed,
    ProposalSubmitted,
    ProposalWithdrawn,
)
from .kinds.publicity import (
    PublicityPublished,
    PublicityWithdrawn,
)
from .kinds.schema import row_schema
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
)
from .kinds.unit import UnitEstablished
from .ledger import Ledger, system_clock
from .names import read_entries

__all__ = [
    "Activity",
    "Command",
    "ContestAwardWithdrawn",
    "ContestAwarded",
    "ContestEntered",
    "ContestOpened",
    "CorruptFact",
    "CourseAttended",
    "CourseCompleted",
    "CourseEnrolled",
    "CourseEnrolmentCancelled",
    "CourseFailed",
    "CourseLectured",
    "CourseOffered",
    "Data",
    "Directory",
    "Entry",
    "Fact",
    "FactVoided",
    "HistoryLine",
    "ImportRefused",
    "ImportResult",
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
    "Problem",
    "Programme",
    "ProposalAdopted",
    "ProposalImplemented",
    "ProposalRejected",
    "ProposalReviewed",
    "ProposalSubmitted",
    "ProposalWithdrawn",
    "PublicityPublished",
    "PublicityWithdrawn",
    "ReadOnlyLedger",
    "Recorded",
    "Refused",
    "RulebookAdopted",
    "Share",
    "SupportGranted",
    "SupportReturned",
    "SupportSettled",
    "SupportSpent",
    "TaskAchievementMeasured",
    "TaskAssigned",
    "TaskClosed",
    "TaskContributed",
    "TaskMilestoneReached",
    "UnitEstablished",
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
