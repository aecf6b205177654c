"""What must never happen: facts lost, figures of facts that are gone, guards got round."""

import subprocess
import sys
from datetime import date
from typing import Annotated

import attrs
import pytest
from mileage.ledger import (
    Activity,
    Data,
    Kinds,
    Label,
    Ledger,
    LedgerFileError,
    MemberJoined,
    MemberLeft,
    MileageError,
    Programme,
    ProposalSubmitted,
    Refused,
    UnitEstablished,
    equal_shares,
    kind,
)
from mileage.ledger.fields import Code
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


def test_voided_rehire(tmp_path):
    """A joining cannot be voided while a fact of the service it began names the person."""
    with Ledger.create(tmp_path / "ledger.sqlite", organisation="agency") as ledger:
        ledger.record(UnitEstablished("HQ", "본청", "HQ"), on=date(2005, 1, 1), by="this")
        ledger.record(MemberJoined("P1", "HQ", "G6"), on=date(2005, 1, 1), by="this")
        ledger.record(MemberLeft("P1"), on=date(2005, 2, 1), by="this")
        ledger.record(MemberJoined("P1", "HQ", "G6"), on=date(2005, 3, 1), by="this")
        record(ledger, "X")
        with pytest.raises(Refused, match="within the service"):
            ledger.void("member.joined:P1:2005-03-01", reason="x", on=DAY, by="this")
        ledger.void("proposal.submitted:X", reason="x", on=DAY, by="this")
        ledger.void("member.joined:P1:2005-03-01", reason="x", on=DAY, by="this")


@pytest.mark.parametrize("name", ["x.read.sqlite", "x.hr.sqlite", "x.people.sqlite", ":memory:"])
def test_reserved_names(tmp_path, name):
    """A ledger cannot have a name that would be taken for another file, or for memory."""
    with pytest.raises(LedgerFileError, match="cannot have this name"):
        Ledger.create(tmp_path / name, organisation="agency")


def test_files_beside(tmp_path):
    """Ledgers whose names differ after a dot have files of their own beside them."""
    found = set()
    for name in ("smba.2005", "smba.2006", "smba.sqlite"):
        with Ledger.create(tmp_path / name, organisation="agency") as ledger:
            found |= {ReadModel(ledger).link, ledger.directory.path}
    assert len(found) == 6


def test_contradicting_declaration(tmp_path):
    """A kind whose activity names people by a field that is not there is refused at once."""
    own = Kinds()
    own.add_programme(Programme("thing", Label("것", "Thing")))

    @kind(
        "thing.done",
        ko="함",
        en="Done",
        category="thing",
        id_fields=("thing",),
        activity=Activity(people="nobody", of="thing.begun"),
        registry=own,
    )
    @attrs.frozen
    class ThingDone(Data):
        """A thing is done."""

        thing: Annotated[str, Code("것", "Thing")]

    with pytest.raises(MileageError, match="no field 'nobody' that names people"):
        Ledger.create(tmp_path / "ledger.sqlite", organisation="agency", kinds=own)
