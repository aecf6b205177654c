"""Every error the ledger raises, in one hierarchy.

::

    MileageError                 anything this package refuses or finds
    ├── InvalidFact              a value is not what its field asks for
    ├── Refused                  a command breaks a rule of the life cycle
    ├── KeyConflict              a source key is used again for something else
    ├── UnknownKind              no loaded module declares that kind of fact
    ├── CorruptFact              a stored fact cannot be read back exactly
    ├── ImportRefused            a file has problems; all of them are listed
    └── LedgerFileError          the file cannot be used
        ├── NotALedger           it is something else, or truncated
        ├── NewerLedger          a later version of this package wrote it
        ├── ReadOnlyLedger       it may be read but not written
        └── LockedLedger         another process holds it for too long

Messages say what is wrong, where, and what to do. They carry ids, never names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "CorruptFact",
    "ImportRefused",
    "InvalidFact",
    "KeyConflict",
    "LedgerFileError",
    "LockedLedger",
    "MileageError",
    "NewerLedger",
    "NotALedger",
    "Problem",
    "ReadOnlyLedger",
    "Refused",
    "UnknownKind",
]


class MileageError(Exception):
    """Base of all errors of this package; ``str()`` is fit to show to a person."""


class InvalidFact(MileageError):
    """A value is not what its field asks for.

    Attributes:
        field: Name of the field, as in the kind's declaration.
        reason: What is wrong with the value.
        remedy: What to give instead; may be empty.
    """

    def __init__(self, field: str, reason: str, remedy: str = "") -> None:
        self.field = field
        self.reason = reason
        self.remedy = remedy
        super().__init__(f"{field}: {reason}" + (f" ({remedy})" if remedy else ""))


class Refused(MileageError):
    """A command breaks a rule of the thing's life cycle; nothing was recorded.

    Attributes:
        rule: Stable name of the rule, such as ``proposal.already-decided``.
        reason: The rule in words, with the ids concerned.
        field: The field to look at, or an empty string.
        remedy: What can be done; may be empty.
    """

    def __init__(self, rule: str, reason: str, *, field: str = "", remedy: str = "") -> None:
        self.rule = rule
        self.reason = reason
        self.field = field
        self.remedy = remedy
        super().__init__(f"{reason} [{rule}]" + (f" ({remedy})" if remedy else ""))


class KeyConflict(MileageError):
    """The key of a recorded fact came again with another content.

    Attributes:
        key: The key.
        position: Position of the fact that holds it.
    """

    def __init__(self, key: str, position: int) -> None:
        self.key = key
        self.position = position
        super().__init__(
            f"key {key!r} already names fact #{position}, which says something else"
            " (void that fact and give the corrected one a key of its own)"
        )


class UnknownKind(MileageError):
    """No loaded module declares this kind of fact."""


class CorruptFact(MileageError):
    """A stored fact cannot be read back exactly; replay stops here.

    Attributes:
        position: Position of the fact in the ledger.
    """

    def __init__(self, position: int, reason: str) -> None:
        self.position = position
        super().__init__(f"fact #{position}: {reason}")


class LedgerFileError(MileageError):
    """The ledger's file cannot be used."""


class NotALedger(LedgerFileError):
    """The file is something else, empty, damaged or truncated."""


class NewerLedger(LedgerFileError):
    """A later version of this package wrote the file."""


class ReadOnlyLedger(LedgerFileError):
    """The file may be read but not written."""


class LockedLedger(LedgerFileError):
    """Another process holds the file for longer than the time allowed."""


@attrs.frozen
class Problem:
    """One thing wrong in a file.

    Attributes:
        file: Name of the file, without its folder.
        line: Line the row begins on, from 1; 0 for the file as a whole.
        field: Column or key concerned; empty for the row as a whole.
        rule: Stable name of the rule that is broken.
        reason: What is wrong.
        remedy: What to do; may be empty.
    """

    file: str
    line: int
    field: str
    rule: str
    reason: str
    remedy: str = ""

    def __str__(self) -> str:
        """The problem on one line, the way compilers print theirs."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        what = f"{self.field}: {self.reason}" if self.field else self.reason
        return f"{place}: {what} [{self.rule}]" + (f" ({self.remedy})" if self.remedy else "")


class ImportRefused(MileageError):
    """A file was refused whole; nothing of it is stored.

    Attributes:
        problems: All problems found, in the order of the file's lines.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
