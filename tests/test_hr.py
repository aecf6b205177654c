"""HR batches: what changed since the last one, exactly, and the same however often it is asked."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from mileage.ledger import (
    Command,
    Entry,
    Ledger,
    LedgerFileError,
    MemberJoined,
    MileageError,
    ProposalSubmitted,
    UnitEstablished,
    shares,
    to_units,
)
from mileage.projections import Batch, Outbox, ReadModel, entitlements

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BEGIN = datetime(2005, 12, 20, 3, 0, tzinfo=UTC)
DAY = date(2005, 12, 20)
BOOK = """
[rulebook]
id = "agency"
title = { ko = "규칙집", en = "Rulebook" }
source = "고시"

[[rule]]
id = "submitted"
title = { ko = "제안 제출", en = "Submission" }
activity = "proposal.submitted"
split = "share"
values = [ { from = 2005-01-01, points = 10, clause = "제1조" } ]

[[programme]]
id = "training"
title = { ko = "해외연수", en = "Overseas training" }
period = "year"
values = [ { from = 2005-01-01, threshold = 12, quota = 1, clause = "제12조" } ]
tie = { break_by = [], otherwise = "exclude" }
"""


class Agency:
    """A ledger, its read model and its outbox, at a time that goes on."""

    def __init__(self, folder: Path) -> None:
        self.now = BEGIN
        self.folder = folder / "hr"
        self.ledger = Ledger.create(
            folder / "agency.sqlite",
            organisation="청",
            opened_on=date(2004, 1, 1),
            clock=lambda: self.now,
        )
        self.model = ReadModel(self.ledger)
        self.outbox = Outbox(self.ledger)
        unit = Command(UnitEstablished("HQ", "본청", "HQ"), date(2004, 1, 1), "setup")
        people = [
            Command(MemberJoined(f"P{n}", "HQ", "G5"), date(2004, 1, n), "setup")
            for n in range(1, 4)
        ]
        self.ledger.record_all([unit, *people])
        self.ledger.adopt_rulebook(BOOK, rulebook="agency", on=date(2005, 1, 1), by="c")
        self.ledger.directory.put([Entry("P1", "김하나", "001234"), Entry("P2", "이둘", "=1+1")])
        self.proposals = 0

    def propose(self, **parts: Any) -> str:
        self.proposals += 1
        data = ProposalSubmitted(str(self.proposals), "제목", "online", shares(parts))
        return self.ledger.record(data, on=date(2005, 3, 2), by="o").fact.key

    def cut(self, **options: Any) -> Batch | None:
        self.now += timedelta(hours=1)
        self.model.catch_up()
        return self.outbox.cut(self.model.figures(), self.folder, as_of=DAY, **options)

    def rows(self, batch: Batch) -> list[dict[str, str]]:
        text = batch.file.read_bytes().decode(batch.manifest["encoding"])
        return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.fixture
def agency(tmp_path: Path) -> Iterator[Agency]:
    """An agency in which nothing was sent yet."""
    opened = Agency(tmp_path)
    yield opened
    opened.model.close()
    opened.ledger.close()


def test_first_batch(agency):
    """The first batch carries everything, in units people read, with the employer's numbers."""
    agency.propose(P1="66.6667", P2="33.3333")
    batch = agency.cut()

    assert batch.sequence == 1
    assert batch.file.name == "hr-batch-000001.csv"
    assert [tuple(row.values())[1:] for row in agency.rows(batch)] == [
        ("1", "P1", "001234", "mileage", "0", "6.6667", "6.6667"),
        ("2", "P2", "'=1+1", "mileage", "0", "3.3333", "3.3333"),
    ]
    assert batch.file.read_bytes().startswith(b"\xef\xbb\xbfbatch,line,")
    assert batch.file.read_bytes().endswith(b"\r\n")


def test_second_batch(agency):
    """The next batch carries only what changed, also who lost and who is no longer in."""
    agency.propose(P1=100)
    key = agency.propose(P1=100)
    first = agency.cut()
    assert [(line.person, line.code, line.new) for line in first.lines] == [
        ("P1", "mileage", 200_000),
        ("P1", "training/2005", 10_000),
    ]

    agency.ledger.void(key, reason="twice", on=date(2005, 4, 1), by="o")
    agency.propose(P3=100)
    second = agency.cut()

    assert [(n.person, n.code, n.previous, n.new, n.delta) for n in second.lines] == [
        ("P1", "mileage", 200_000, 100_000, -100_000),
        ("P1", "training/2005", 10_000, 0, -10_000),
        ("P3", "mileage", 0, 100_000, 100_000),
    ]
    assert second.manifest["previous_batch"] == first.manifest["batch"]
    assert second.manifest["previous_sha256"] == first.manifest["sha256"]
    assert agency.rows(second)[0]["delta"] == "-10"


def test_deltas_add_up(agency):
    """For everyone and everything the deltas sent add up to what holds now."""
    keys = []
    for number in range(6):
        keys.append(agency.propose(**{f"P{number % 3 + 1}": 60, f"P{(number + 1) % 3 + 1}": 40}))
        if number % 2:
            key = keys[number // 2]
            agency.ledger.void(key, reason="wrong", on=date(2005, 4, 1), by="o")
        agency.cut()

    sums: dict[tuple[str, str], int] = {}
    for batch in agency.outbox.batches():
        for line in batch.lines:
            sums[line.person, line.code] = sums.get((line.person, line.code), 0) + line.delta
    now = entitlements(agency.model.figures(), DAY)
    assert {key: value for key, value in sums.items() if value} == now
    assert len(agency.outbox.batches()) > 2


def test_nothing_changed(agency):
    """Without a change no batch is cut and no file is written."""
    assert agency.cut() is None
    agency.propose(P1=100)
    agency.cut()
    before = sorted(agency.folder.iterdir())

    agency.ledger.record(MemberJoined("P4", "HQ", "G5"), on=DAY, by="o")

    assert agency.cut() is None
    assert agency.model.rebuild().published
    assert agency.cut() is None
    assert sorted(agency.folder.iterdir()) == before
    assert len(agency.outbox.batches()) == 1


def test_rule_changes_are_sent(agency):
    """When a rule changes, the next batch carries the difference it makes."""
    agency.propose(P1=100)
    agency.cut()
    agency.ledger.adopt_rulebook(
        BOOK.replace("points = 10", "points = 11"),
        rulebook="agency",
        on=DAY,
        by="c",
        effective_from=date(2005, 1, 1),
        reason="corrected",
    )
    assert agency.cut() is None
    agency.model.rebuild()

    [line] = agency.cut().lines
    assert (line.previous, line.new) == (100_000, 110_000)


def test_manifest(agency):
    """The manifest counts, sums and digests exactly what the file holds."""
    agency.propose(P1="66.6667", P2="33.3333")
    key = agency.propose(P3=100)
    agency.cut()
    agency.ledger.void(key, reason="wrong", on=date(2005, 4, 1), by="o")
    agency.propose(P1=100)
    batch = agency.cut()
    manifest = json.loads((agency.folder / "hr-batch-000002.manifest.json").read_text("utf-8"))
    rows = agency.rows(batch)
    deltas = [to_units(row["delta"]) for row in rows]

    assert manifest == batch.manifest
    assert manifest["rows"] == len(rows) == 3
    assert to_units(manifest["sum_positive"]) == sum(d for d in deltas if d > 0)
    assert to_units(manifest["sum_negative"]) == sum(d for d in deltas if d < 0) == -100_000
    assert to_units(manifest["sum_new"]) == sum(to_units(row["new"]) for row in rows)
    assert manifest["sha256"] == hashlib.sha256(batch.file.read_bytes()).hexdigest()
    assert {row["batch"] for row in rows} == {manifest["batch"]}
    assert manifest["position"] == agency.ledger.position
    assert manifest["as_of"] == "2005-12-20"
    assert manifest["time_zone"] == "Asia/Seoul"
    assert manifest["cut_at"] == "2005-12-20T05:00:00.000000Z"


def test_write_again(agency, tmp_path):
    """A batch written again is the same byte for byte, whatever happened since."""
    agency.propose(P1="66.6667", P2="33.3333")
    agency.cut()
    agency.propose(P2=100)
    agency.cut()
    agency.ledger.directory.put([Entry("P1", "박하나", "999")])
    agency.now += timedelta(days=400)

    for sequence in (1, 2):
        agency.outbox.write_again(sequence, tmp_path / "again")

    written = {path.name: path.read_bytes() for path in agency.folder.iterdir()}
    assert {p.name: p.read_bytes() for p in (tmp_path / "again").iterdir()} == written
    assert len(written) == 4
    with pytest.raises(MileageError, match="no batch 3"):
        agency.outbox.write_again(3, tmp_path)


@pytest.mark.parametrize("number", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "=HYPERLINK(…)"])
def test_no_formula(agency, number):
    """A number that a spreadsheet would run as a formula is made harmless in the file."""
    agency.ledger.directory.put([Entry("P1", "김하나", number)])
    agency.propose(P1=100)

    [row] = agency.rows(agency.cut())

    assert row["employee_number"] == f"'{number}"


def test_cp949(agency):
    """A file for a Korean spreadsheet can be cp949, and what it cannot hold is no batch."""
    agency.propose(P1=100)
    agency.ledger.directory.put([Entry("P1", "김하나", "사번🙂")])

    with pytest.raises(MileageError, match=r"line 2 .* cp949"):
        agency.cut(encoding="cp949")
    assert agency.outbox.batches() == []
    assert not agency.folder.exists() or not list(agency.folder.iterdir())

    agency.ledger.directory.put([Entry("P1", "김하나", "사번1")])
    batch = agency.cut(encoding="cp949")
    assert batch.sequence == 1
    assert "사번1".encode("cp949") in batch.file.read_bytes()


def test_unknown_encoding(agency):
    """An encoding that there is not is refused, and nothing counts as sent."""
    agency.propose(P1=100)

    with pytest.raises(MileageError, match="no encoding"):
        agency.cut(encoding="klingon")
    assert agency.outbox.batches() == []


def test_unwritable_folder(agency):
    """A batch that cannot be written does not count as cut; the next try has its number."""
    agency.propose(P1=100)
    agency.folder.write_text("a file, where a folder should be")

    with pytest.raises(LedgerFileError, match="could not be written"):
        agency.cut()
    assert agency.outbox.batches() == []

    agency.folder.unlink()
    assert agency.cut().sequence == 1


def test_disk_full_between_file_and_outbox(agency, monkeypatch):
    """A batch whose second file fails is cut again under the same number, complete."""
    agency.propose(P1=100)
    written = []
    write = __import__("mileage.projections.hr", fromlist=["_write_part"])._write_part

    def fail_second(path: Path, body: bytes) -> None:
        written.append(path.name)
        if len(written) == 2:
            raise OSError(28, "No space left on device")
        write(path, body)

    monkeypatch.setattr("mileage.projections.hr._write_part", fail_second)
    with pytest.raises(LedgerFileError, match="No space left"):
        agency.cut()
    assert agency.outbox.batches() == []
    assert list(agency.folder.iterdir()) == []

    monkeypatch.undo()
    batch = agency.cut()
    assert batch.sequence == 1
    assert batch.manifest["sha256"] == hashlib.sha256(batch.file.read_bytes()).hexdigest()


def test_replay_sends_nothing(agency):
    """Building the figures anew cuts no batch and touches no outbox."""
    agency.propose(P1=100)
    agency.model.rebuild()

    assert not agency.outbox.path.exists()
    assert agency.outbox.batches() == []


def test_ended_between_outbox_and_files(agency, monkeypatch):
    """A batch that was cut but not put in place is finished by the next call, the same bytes."""
    agency.propose(P1=100)

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mileage.projections.hr.Outbox._write", end)
    with pytest.raises(KeyboardInterrupt):
        agency.cut()
    monkeypatch.undo()
    [cut] = agency.outbox.batches()
    agency.propose(P2=100)

    finished = agency.cut()
    assert (finished.sequence, finished.manifest) == (1, cut.manifest)
    assert cut.manifest["sha256"] == hashlib.sha256(finished.file.read_bytes()).hexdigest()
    assert agency.cut().sequence == 2


def test_days_in_order(agency):
    """A batch as of a day before the last batch's, or of a day to come, is refused."""
    agency.propose(P1=100)
    agency.cut()
    figures = agency.model.figures()
    for day in (date(2005, 1, 1), date(2999, 1, 1)):
        with pytest.raises(MileageError, match="cannot be"):
            agency.outbox.cut(figures, agency.folder, as_of=day)


def test_period_over(agency):
    """What a finished period decided about a programme stays as it was sent."""
    agency.propose(P1=100)
    agency.propose(P1=100)
    agency.cut()
    agency.now = agency.now.replace(year=2006)
    figures = agency.model.figures()
    assert agency.outbox.cut(figures, agency.folder, as_of=date(2006, 1, 2)) is None
