"""Erasing people: all that is kept of them in personal terms, and nothing else.

Facts, figures and what HR was told go by an opaque id and stay as they are. Names and employee
numbers stand in the people directory and in the files that the outbox keeps; HR's remarks on lines
may have anything. These go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from .outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mileage.ledger import Ledger

__all__ = ["Erased", "erase_people"]


@attrs.frozen
class Erased:
    """What was erased.

    Attributes:
        people: Those of whom the directory knew something.
        unknown: Those of whom it knew nothing, or nothing any more.
        batches: Numbers of the batches that can no longer be written again.
    """

    people: tuple[str, ...]
    unknown: tuple[str, ...]
    batches: tuple[int, ...]


def erase_people(ledger: Ledger, persons: Iterable[str]) -> Erased:
    """Forget people's names, employee numbers past and present, and HR's remarks on them.

    Erasing somebody again does no harm; if the process ends in between, do it again.

    Args:
        ledger: The ledger; no fact of it is touched.
        persons: Their opaque ids.

    Raises:
        MileageError: A batch that tells of them was cut and is not written yet.
        LedgerFileError: The directory or the outbox cannot be written.
    """
    wanted = tuple(dict.fromkeys(persons))
    outbox = Outbox(ledger)
    batches = outbox.erase(wanted)
    known = ledger.directory.erase(wanted)
    batches = tuple(sorted({*batches, *outbox.erase(wanted)}))  # one may have been cut meanwhile
    unknown = tuple(person for person in wanted if person not in known)
    return Erased(tuple(person for person in wanted if person in known), unknown, batches)
