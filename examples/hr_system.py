"""What an HR system does with the ledger: record, catch up, ask, hand over.

Run it in an empty folder: ``python hr_system.py``. Copy what you need.
"""

from __future__ import annotations

import sys
from datetime import date
from importlib.resources import files
from pathlib import Path

from mileage.ledger import (
    Ledger,
    MemberJoined,
    ProposalAdopted,
    ProposalSubmitted,
    Refused,
    UnitEstablished,
    format_amount,
    shares,
)
from mileage.projections import Outbox, ReadModel, eligible, explain_posting, grant

RULEBOOK = files("mileage.seeds").joinpath("rulebooks/smba-2005.toml").read_text("utf-8")
BY = "hr-system"


def main(folder: Path) -> None:
    """Keep the books of a small office for a year."""
    path = folder / "office.sqlite"
    with Ledger.create(path, organisation="Example office") as ledger, ReadModel(ledger) as model:
        ledger.adopt_rulebook(RULEBOOK, rulebook="smba-2005", on=date(2005, 1, 1), by=BY)
        ledger.record(UnitEstablished("HQ", "본청", "Head office"), on=date(2005, 1, 1), by=BY)
        for person in ("E-01", "E-02"):
            ledger.record(MemberJoined(person, "HQ", "G6"), on=date(2005, 1, 3), by=BY)

        # A fact is recorded once; sending it again changes nothing, breaking a rule is refused.
        proposal = ProposalSubmitted("P-1", "One form", "online", shares({"E-01": 60, "E-02": 40}))
        for _ in range(2):
            recorded = ledger.record(proposal, on=date(2005, 3, 2), by=BY)
            print(f"fact #{recorded.position}, new: {recorded.new}")
        ledger.record(ProposalAdopted("P-1", "gold"), on=date(2005, 4, 1), by=BY)
        try:
            ledger.record(ProposalAdopted("P-1", "silver"), on=date(2005, 4, 2), by=BY, key="K2")
        except Refused as refused:
            print(f"refused: {refused.rule}")

        # Points are derived: catch up, then ask.
        model.catch_up()
        figures = model.figures()
        print("E-01 has", format_amount(figures.balance("E-01").points), "points")
        for line in figures.statement("E-01"):
            for step in explain_posting(ledger, line).steps:
                print("  ", step.en)
        selection = eligible(figures, "overseas-training", date(2005, 12, 31))
        print("in:", [candidate.person for candidate in selection.selected])

        # The rule proposes, a person decides: here, all that is proposed.
        day = date(2005, 12, 31)
        granted = grant(ledger, model, "overseas-training", None, on=day, by="officer")
        print("granted:", len(granted))
        model.catch_up()
        figures = model.figures()

        # HR gets exactly what changed since the last batch.
        outbox = Outbox(ledger)
        batch = outbox.cut(figures, folder / "hr", as_of=date(2005, 12, 31))
        print("batch of", len(batch.lines) if batch else 0, "lines")
        print("again:", outbox.cut(figures, folder / "hr", as_of=date(2005, 12, 31)))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
