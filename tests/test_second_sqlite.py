"""A process that records and rebuilds keeps its locks: nothing acknowledged is lost."""

import subprocess
import sys
from datetime import date

from mileage.ledger import Ledger, MemberJoined, ProposalSubmitted, UnitEstablished, equal_shares
from mileage.projections import ReadModel

DAY = date(2005, 3, 2)

OTHER = """
import sys
from datetime import date
from mileage.ledger import Ledger, ProposalSubmitted, equal_shares
with Ledger.open(sys.argv[1]) as ledger:
    data = ProposalSubmitted(sys.argv[2], "t", "online", equal_shares(["P1"]))
    print(ledger.record(data, on=date(2005, 3, 2), by="other").position)
"""


def other(path, proposal):
    command = [sys.executable, "-c", OTHER, str(path), proposal]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def record(ledger, proposal):
    data = ProposalSubmitted(proposal, "t", "online", equal_shares(["P1"]))
    return ledger.record(data, on=DAY, by="this").position


def test_rebuild_drops_no_locks(tmp_path):
    """Two processes that record in turn, one of them after a rebuild, lose nothing."""
    path = tmp_path / "ledger.sqlite"
    with Ledger.create(path, organisation="agency") as ledger:
        ledger.record(UnitEstablished("HQ", "본청", "HQ"), on=date(2005, 1, 1), by="this")
        ledger.record(MemberJoined("P1", "HQ", "G6"), on=date(2005, 1, 1), by="this")
        positions = [record(ledger, "A1")]
        with ReadModel(ledger) as model:
            model.rebuild()
        positions.append(other(path, "B1"))
        positions.append(record(ledger, "A2"))
        positions.append(other(path, "B2"))
        positions.append(record(ledger, "A3"))
    assert positions == sorted(set(positions))
    with Ledger.open(path) as ledger:
        for proposal in ("A1", "B1", "A2", "B2", "A3"):
            assert ledger.by_key(f"proposal.submitted:{proposal}")


def test_restored_copy(tmp_path):
    """A read model of facts that a restored ledger does not have is built anew."""
    path, kept = tmp_path / "ledger.sqlite", tmp_path / "kept.sqlite"
    with Ledger.create(path, organisation="agency") as ledger, ReadModel(ledger) as model:
        ledger.record(UnitEstablished("HQ", "본청", "HQ"), on=date(2005, 1, 1), by="this")
        for person in ("P1", "P2"):
            ledger.record(MemberJoined(person, "HQ", "G6"), on=date(2005, 1, 1), by="this")
        model.rebuild()
    kept.write_bytes(path.read_bytes())
    with Ledger.open(path) as ledger, ReadModel(ledger) as model:
        record(ledger, "X")
        model.catch_up()
        assert model.figures().balance("P1").activities == 1
    path.write_bytes(kept.read_bytes())
    with Ledger.open(path) as ledger, ReadModel(ledger) as model:
        data = ProposalSubmitted("Y", "t", "online", equal_shares(["P2"]))
        ledger.record(data, on=DAY, by="this")
        model.catch_up()
        assert model.figures().balance("P1").activities == 0
        assert model.figures().balance("P2").activities == 1
