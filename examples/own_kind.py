"""An organisation's own kind of activity, added without touching the package.

Import this module before a ledger is opened, or name it under the entry point ``mileage.kinds``
of a package of your own, or tell the command line: ``MILEAGE_MODULES=own_kind mileage kinds``.
"""

from __future__ import annotations

import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import attrs
from mileage.ledger import (
    Activity,
    Data,
    Label,
    Ledger,
    MemberJoined,
    Programme,
    UnitEstablished,
    format_amount,
    kind,
)
from mileage.ledger.fields import Code, Hours, Person, Text
from mileage.ledger.kinds import kinds
from mileage.projections import ReadModel

kinds.add_programme(Programme("mentoring", Label("멘토링", "Mentoring")))


@kind(
    "mentoring.held",
    ko="멘토링",
    en="Mentoring",
    category="mentoring",
    id_fields=("mentoring",),
    title="topic",
    activity=Activity(people="mentor", hours="hours"),
)
@attrs.frozen
class MentoringHeld(Data):
    """A colleague is mentored for some hours."""

    mentoring: Annotated[str, Code("멘토링 번호", "Mentoring")]
    topic: Annotated[str, Text("주제", "Topic")]
    mentor: Annotated[str, Person("멘토", "Mentor")]
    hours: Annotated[Decimal, Hours("시간", "Hours", hours_max=8)]


RULEBOOK = """
[rulebook]
id = "own"
title = { ko = "자체 규칙", en = "Our own rules" }
source = "Resolution of the innovation council, January 2005"

[[rule]]
id = "mentoring"
title = { ko = "멘토링", en = "Mentoring" }
activity = "mentoring.held"
per = "hour"
values = [{ from = 2005-01-01, points = 0.75, clause = "Article 3" }]
"""


def main(folder: Path) -> None:
    """Record a fact of the new kind and read what it is worth."""
    path = folder / "own.sqlite"
    with Ledger.create(path, organisation="Example office") as ledger, ReadModel(ledger) as model:
        ledger.adopt_rulebook(RULEBOOK, rulebook="own", on=date(2005, 1, 1), by="office")
        ledger.record(
            UnitEstablished("HQ", "본청", "Head office"), on=date(2005, 1, 1), by="office"
        )
        ledger.record(MemberJoined("E-01", "HQ", "G6"), on=date(2005, 1, 3), by="office")
        held = MentoringHeld("M-1", "Reading a budget", "E-01", Decimal("2.5"))
        ledger.record(held, on=date(2005, 5, 2), by="office")
        model.catch_up()
        print("E-01 has", format_amount(model.figures().balance("E-01").points), "points")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
