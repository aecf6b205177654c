"""HR batches: what changed since the last one, exactly, and the same however often it is asked."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import sqlite3
import zlib
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from mileage.ledger import (
    Command,
    Directory,
    Entry,
    ImportRefused,
    Ledger,
    LedgerFileError,
    MemberJoined,
    MemberLeft,
    MileageError,
    ProposalSubmitted,
    Refused,
    UnitEstablished,
    shares,
    to_units,
)
from mileage.ledger.kinds.entitlement import (
    EntitlementApproved,
    EntitlementGranted,
    EntitlementRevoked,
)
from mileage.projections import (
    Batch,
    Erased,
    HrKey,
    Outbox,
    Profile,
    ReadModel,
    acknowledge,
    entitlements,
    erase_people,
    find_profile,
    grant,
    hr,
    parse_profile,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mileage.projections import Figures

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

    def cut(
        self,
        profile: str | Profile = "standard",
        form: str | None = None,
        encoding: str | None = None,
        **options: Any,
    ) -> Batch | None:
        self.now += timedelta(hours=1)
        self.model.catch_up()
        chosen = find_profile(profile) if isinstance(profile, str) else profile
        return self.outbox.cut(
            self.model.figures(),
            self.folder,
            as_of=DAY,
            profile=chosen.written_as(form, encoding),
            **options,
        )

    def grant(self, *people: str) -> None:
        grant(self.ledger, self.model, "training", people, on=DAY, by="officer")

    def told(self, batch: Batch) -> list[tuple[Any, ...]]:
        return [(n.key.person, n.key.programme, n.key.code, n.previous, n.new) for n in batch.lines]

    def acknowledge(self, *rows: str, name: str = "ack.csv") -> Any:
        path = self.folder.parent / name
        path.write_text("\n".join(("batch,line,status,reason", *rows)) + "\n", "utf-8")
        return acknowledge(self.outbox, path)

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
    about = ("mileage", "earned", "all", "2005-12", "0")
    assert [tuple(row.values())[1:] for row in agency.rows(batch)] == [
        ("1", "P1", "001234", *about, "6.6667", "6.6667", "facts", "7", ""),
        ("2", "P2", "'=1+1", *about, "3.3333", "3.3333", "facts", "7", ""),
    ]
    assert batch.file.read_bytes().startswith(b"\xef\xbb\xbfbatch,line,")
    assert batch.file.read_bytes().endswith(b"\r\n")


def test_second_batch(agency):
    """The next batch carries only what changed, also who lost and who no longer has it."""
    agency.propose(P1=100)
    key = agency.propose(P1=100)
    agency.model.catch_up()
    agency.grant("P1")
    first = agency.cut()
    assert agency.told(first) == [
        ("P1", "mileage", "earned", 0, 200_000),
        ("P1", "training", "granted", 0, 10_000),
    ]

    agency.ledger.void(key, reason="twice", on=date(2005, 4, 1), by="o")
    agency.propose(P3=100)
    second = agency.cut()

    assert agency.told(second) == [
        ("P1", "mileage", "earned", 200_000, 100_000),
        ("P3", "mileage", "earned", 0, 100_000),
    ]
    assert [line.reason for line in second.lines] == ["correction", "facts"]
    assert second.manifest["previous_batch"] == first.manifest["batch"]
    assert second.manifest["previous_sha256"] == first.manifest["sha256"]
    assert agency.rows(second)[0]["delta"] == "-10"

    revoked = EntitlementRevoked("training", "2005", "P1", "기준 미달")
    position = agency.ledger.record(revoked, on=DAY, by="o").position
    third = agency.cut()
    assert agency.told(third) == [("P1", "training", "granted", 10_000, 0)]
    assert (third.lines[0].reason, third.lines[0].facts) == ("decision", (position,))


def test_what_the_rule_proposes_is_not_sent(agency):
    """A selection goes out when somebody has granted it, not before."""
    agency.propose(P1=100)
    agency.propose(P1=100)
    assert agency.told(agency.cut()) == [("P1", "mileage", "earned", 0, 200_000)]
    agency.grant("P1")
    assert agency.told(agency.cut()) == [("P1", "training", "granted", 0, 10_000)]


def test_deltas_add_up(agency):
    """For everyone and everything the deltas sent add up to what holds now."""
    keys = []
    for number in range(6):
        keys.append(agency.propose(**{f"P{number % 3 + 1}": 60, f"P{(number + 1) % 3 + 1}": 40}))
        if number % 2:
            key = keys[number // 2]
            agency.ledger.void(key, reason="wrong", on=date(2005, 4, 1), by="o")
        agency.cut()

    sums: dict[HrKey, int] = {}
    for batch in agency.outbox.batches():
        for line in batch.lines:
            sums[line.key] = sums.get(line.key, 0) + line.delta
    now = entitlements(agency.model.figures())
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
    assert (line.previous, line.new, line.reason) == (100_000, 110_000, "rules")


def test_manifest(agency):
    """The manifest counts, sums and digests exactly what the file holds."""
    agency.propose(P1="66.6667", P2="33.3333")
    key = agency.propose(P3=100)
    agency.cut()
    agency.ledger.void(key, reason="wrong", on=date(2005, 4, 1), by="o")
    agency.propose(P1=100)
    agency.model.catch_up()
    agency.grant("P1")
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
    assert (manifest["mode"], manifest["correction"]) == ("delta", "delta")
    crcs = [zlib.crc32(row["person"].encode()) for row in rows]
    assert manifest["hash_total"] == sum(crcs)


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

    with pytest.raises(
        MileageError, match=r"line 1 of the batch, column 'employee_number': .* cp949"
    ):
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
    write = __import__("mileage.projections.outbox", fromlist=["_write_part"])._write_part

    def fail_second(path: Path, body: bytes) -> None:
        written.append(path.name)
        if len(written) == 2:
            raise OSError(28, "No space left on device")
        write(path, body)

    monkeypatch.setattr("mileage.projections.outbox._write_part", fail_second)
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

    monkeypatch.setattr("mileage.projections.outbox.Outbox._write", end)
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


def test_change_after_the_period(agency):
    """When the period is over, a late change of what was decided goes out all the same."""
    agency.propose(P1=100)
    agency.propose(P1=100)
    agency.model.catch_up()
    agency.grant("P1")
    agency.cut()
    agency.now = agency.now.replace(year=2006)
    day = date(2006, 1, 2)
    assert agency.outbox.cut(agency.model.figures(), agency.folder, as_of=day) is None

    record = agency.ledger.record
    record(MemberLeft("P1"), on=date(2006, 1, 1), by="o")
    record(EntitlementRevoked("training", "2005", "P1", "표절"), on=day, by="o")
    agency.model.catch_up()
    batch = agency.outbox.cut(agency.model.figures(), agency.folder, as_of=day)
    assert agency.told(batch) == [("P1", "training", "granted", 10_000, 0)]
    assert (batch.lines[0].key.for_period, batch.lines[0].in_period) == ("2005", "2006-01")


def test_four_eyes(agency):
    """Where the rulebook asks for approval, a grant goes out when another person approved it."""
    text = BOOK.replace('period = "year"', 'period = "year"\nfour_eyes = true')
    agency.ledger.adopt_rulebook(text, rulebook="agency", on=date(2005, 1, 2), by="c")
    agency.model.rebuild()
    agency.propose(P1=100)
    agency.propose(P1=100)
    agency.grant("P1")
    assert [line.key.programme for line in agency.cut().lines] == ["mileage"]

    approval = EntitlementApproved("training", "2005", "P1")
    with pytest.raises(Refused, match="own-approval"):
        agency.ledger.record(approval, on=DAY, by="officer")
    agency.ledger.record(approval, on=DAY, by="director")
    assert agency.told(agency.cut()) == [("P1", "training", "granted", 0, 10_000)]


def test_grades_and_values(agency):
    """Another grade is a line less and a line more; the value is one line with the difference."""
    thing, record = ("bonus", "2005", "P2"), agency.ledger.record
    record(EntitlementGranted(*thing, "S", Decimal(180)), on=DAY, by="o", key="first")
    agency.cut()
    record(EntitlementRevoked(*thing, "이의신청"), on=DAY, by="o")
    record(EntitlementGranted(*thing, "A", Decimal("125.5")), on=DAY, by="o", key="second")

    assert agency.told(agency.cut()) == [
        ("P2", "bonus", "grade.A", 0, 10_000),
        ("P2", "bonus", "grade.S", 10_000, 0),
        ("P2", "bonus", "value", 1_800_000, 1_255_000),
    ]


def test_full_batch(agency):
    """A full batch tells all that holds, and what changed with the difference."""
    agency.propose(P1="66.6667", P2="33.3333")
    agency.cut()
    agency.propose(P2=100)
    batch = agency.cut(full=True)

    assert [(n.key.person, n.new, n.delta, n.reason) for n in batch.lines] == [
        ("P1", 66_667, 0, "unchanged"),
        ("P2", 133_333, 100_000, "facts"),
    ]
    assert batch.manifest["mode"] == "full"
    assert agency.cut() is None


class TestAcknowledgements:
    def test_rejected_lines_go_out_again(self, agency):
        """What HR rejects is due again and names the line it takes the place of."""
        agency.propose(P1="66.6667", P2="33.3333")
        first = agency.cut()
        name = first.manifest["batch"]
        done = agency.acknowledge(f"{name},,accepted,", f"{name},2,rejected,unknown")

        assert (done.batches, done.accepted, done.rejected) == (1, 1, 1)
        second = agency.cut()
        assert agency.told(second) == [("P2", "mileage", "earned", 0, 33_333)]
        [line] = second.lines
        assert (line.reason, line.supersedes, line.facts) == ("resent", (f"{name}:2",), (7,))
        agency.acknowledge(f"{second.manifest['batch']},,accepted,")
        assert agency.cut() is None

    def test_a_late_rejection(self, agency):
        """A rejection that comes after the next batch was cut is made up for by the one after."""
        agency.propose(P1=100)
        first = agency.cut()
        agency.propose(P1=100)
        second = agency.cut()
        agency.acknowledge(f"{second.manifest['batch']},1,accepted,")
        agency.acknowledge(f"{first.manifest['batch']},1,rejected,closed")

        [line] = agency.cut().lines
        assert (line.previous, line.new, line.delta) == (100_000, 200_000, 100_000)
        assert line.supersedes == (f"{first.manifest['batch']}:1",)

    def test_the_same_again(self, agency):
        """An acknowledgement taken in twice changes nothing the second time."""
        agency.propose(P1=100)
        row = f"{agency.cut().manifest['batch']},1,rejected,no"
        agency.acknowledge(row)
        again = agency.acknowledge(row)

        assert (again.accepted, again.rejected, again.repeated, again.batches) == (0, 0, 1, 0)

    def test_status(self, agency):
        """What is out, what came back and what is due adds up."""
        agency.propose(P1="66.6667", P2="33.3333")
        name = agency.cut().manifest["batch"]
        agency.acknowledge(f"{name},,received,", f"{name},2,rejected,")
        agency.propose(P3=100)
        agency.model.catch_up()
        status = agency.outbox.status(agency.model.figures(), DAY)

        [tally] = status.batches
        assert (tally.received, tally.rows, tally.accepted, tally.rejected, tally.out) == (
            *(True, 2, 0, 1, 1),
        )
        assert [(line.key.person, line.reason) for line in status.due] == [
            ("P2", "resent"),
            ("P3", "facts"),
        ]

    def test_status_of_nothing(self, agency):
        """Without a batch there is nothing out, and asking makes no file."""
        agency.model.catch_up()
        status = agency.outbox.status(agency.model.figures(), DAY)
        assert (status.batches, status.due) == ((), ())
        assert not agency.outbox.path.exists()

    @pytest.mark.parametrize(
        ("text", "rule"),
        [
            ("{b},1,maybe,", "hr.status-unknown"),
            ("{b},1,received,", "hr.status-unknown"),
            ("{b},3,accepted,", "hr.line-unknown"),
            ("{b},x,accepted,", "hr.line-unknown"),
            ("{other},1,accepted,", "hr.batch-unknown"),
            ("0123456789abcdef-000001,1,accepted,", "hr.batch-foreign"),
            ("{b},1,accepted,\n{b},1,rejected,", "hr.contradiction"),
            ("{b},2,rejected,", "hr.contradiction"),
            ("{b},1,acc", "hr.row"),
            ('{b},1,accepted,"a', "hr.row"),
            ("", "hr.empty"),
        ],
    )
    def test_bad_files_change_nothing(self, agency, text, rule):
        """A file with anything wrong is refused with line and rule, and nothing of it counts."""
        agency.propose(P1="66.6667", P2="33.3333")
        name = agency.cut().manifest["batch"]
        agency.acknowledge(f"{name},2,accepted,")
        before = agency.outbox.batches()
        other = name.replace("000001", "000007")

        rows = [f"{name},1,accepted,", text.format(b=name, other=other)] if text else []

        with pytest.raises(ImportRefused) as refused:
            agency.acknowledge(*rows)

        assert {problem.rule for problem in refused.value.problems} == {rule}
        assert agency.outbox.batches() == before

    def test_digest_and_count(self, agency):
        """Another digest than the batch's, or fewer rows than stated, is refused."""
        agency.propose(P1="66.6667", P2="33.3333")
        manifest = agency.cut().manifest
        name, path = manifest["batch"], agency.folder.parent / "ack.csv"

        def say(row: str) -> Any:
            path.write_text(f"batch,line,status,sha256,rows\n{row}\n", "utf-8")
            return acknowledge(agency.outbox, path)

        with pytest.raises(ImportRefused, match="digest"):
            say(f"{name},,received,{'0' * 64},")
        with pytest.raises(ImportRefused, match="cut short"):
            say(f"{name},,partial,,2\n{name},1,accepted,,")
        with pytest.raises(ImportRefused, match="rows-missing"):
            say(f"{name},,partial,,\n{name},1,accepted,,")
        assert say(f"{name},,partial,{manifest['sha256']},1\n{name},1,accepted,,").accepted == 1
        with pytest.raises(LedgerFileError):
            acknowledge(agency.outbox, path.with_name("none.csv"))
        path.write_bytes(b"batch,line,status\n\xff\xfe,1,accepted\n")
        with pytest.raises(ImportRefused, match="not-utf-8"):
            acknowledge(agency.outbox, path)
        path.write_text("batch,status,status,reasons\n", "utf-8")
        with pytest.raises(ImportRefused, match="header"):
            acknowledge(agency.outbox, path)


class TestErasing:
    def test_nothing_personal_is_left(self, agency):
        """Number and name of who is erased, and HR's remarks, are in no file of the ledger."""
        agency.ledger.directory.put([Entry("P1", "김하나", "K-7700-1")])
        agency.ledger.directory.put([Entry("P1", "김하나", "K-7700-2")])
        agency.propose(P1="66.6667", P2="33.3333")
        name = agency.cut().manifest["batch"]
        agency.acknowledge(f"{name},1,rejected,김하나 씨 퇴직", f"{name},2,rejected,이둘 씨 휴직")

        assert erase_people(agency.ledger, ["P1"]) == Erased(("P1",), (), (1,))

        agency.ledger.directory.close()
        for path in (agency.outbox.path, agency.ledger.directory.path):
            content = path.read_bytes()
            for text in ("김하나", "K-7700-1", "K-7700-2"):
                assert text.encode() not in content
        [batch] = agency.outbox.batches()
        assert [line.note for line in batch.lines] == ["", "이둘 씨 휴직"]
        with closing(sqlite3.connect(agency.outbox.path)) as connection:
            assert connection.execute("SELECT * FROM bodies").fetchall() == []

    def test_what_was_sent_goes_on_adding_up(self, agency):
        """Sums, answers and later batches stay; the person goes by the opaque id alone."""
        agency.propose(P1="66.6667", P2="33.3333")
        first = agency.cut()
        before = agency.outbox.status(agency.model.figures(), DAY)
        erase_people(agency.ledger, ["P1"])
        assert agency.outbox.status(agency.model.figures(), DAY) == before
        agency.acknowledge(f"{first.manifest['batch']},,accepted,")
        agency.propose(P1=100)
        second = agency.cut()
        assert agency.told(second) == [("P1", "mileage", "earned", 66_667, 166_667)]
        assert second.manifest["previous_sha256"] == first.manifest["sha256"]
        assert agency.rows(second)[0]["employee_number"] == ""

    def test_a_batch_that_told_of_them_is_not_written_again(self, agency, tmp_path):
        """It says why, and which file HR has; nothing is written. Other batches still are."""
        agency.propose(P1=100)
        told = agency.cut().manifest["sha256"]
        agency.propose(P2=100)
        other = agency.cut()
        erase_people(agency.ledger, ["P1"])

        with pytest.raises(MileageError, match=f"batch 1 cannot be written again.*{told}"):
            agency.outbox.write_again(1, tmp_path / "again")
        assert not (tmp_path / "again").exists()
        again = agency.outbox.write_again(2, tmp_path / "again")
        assert again.file.read_bytes() == other.file.read_bytes()

    def test_a_file_of_opaque_ids_can_be_written_again(self, agency):
        """A profile without number and name has nothing personal to forget."""
        text = (
            '[profile]\nid = "opaque"\ntitle = { ko = "익명", en = "Opaque" }\n'
            '[[column]]\nname = "p"\nfield = "person"\n[[column]]\nname = "n"\nfield = "new"\n'
        )
        agency.propose(P1=100)
        batch = agency.cut(profile=parse_profile(text, file="opaque.toml"))
        body = batch.file.read_bytes()
        assert erase_people(agency.ledger, ["P1"]).batches == ()
        assert agency.outbox.write_again(1, agency.folder).file.read_bytes() == body

    def test_a_batch_on_its_way_is_finished_first(self, agency, monkeypatch):
        """While a batch that tells of somebody is not in place, nobody in it is erased."""
        agency.propose(P1=100)

        def end(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("mileage.projections.outbox.Outbox._write", end)
        with pytest.raises(KeyboardInterrupt):
            agency.cut()
        monkeypatch.undo()
        with pytest.raises(MileageError, match="finish it first"):
            erase_people(agency.ledger, ["P1"])
        assert agency.ledger.directory.get("P1")
        assert erase_people(agency.ledger, ["P2"]).people == ("P2",)
        batch = agency.cut()
        assert batch.manifest["sha256"] == hashlib.sha256(batch.file.read_bytes()).hexdigest()
        assert erase_people(agency.ledger, ["P1", "P8"]) == Erased(("P1",), ("P8",), (1,))

    def test_cut_between_outbox_and_directory(self, agency, monkeypatch):
        """A batch that is cut while somebody is being erased keeps nothing either."""
        agency.propose(P1=100)
        agency.model.catch_up()
        real = Directory.erase

        def meanwhile(directory: Directory, persons: Any) -> set[str]:
            agency.cut()
            return real(directory, persons)

        monkeypatch.setattr(Directory, "erase", meanwhile)
        assert erase_people(agency.ledger, ["P1"]).batches == (1,)

    def test_erasing_makes_no_outbox(self, agency):
        """Where no batch was cut there is nothing to forget."""
        assert erase_people(agency.ledger, ["P1"]) == Erased(("P1",), (), ())
        assert not agency.outbox.path.exists()


@pytest.mark.parametrize("rebuilt", [False, True])
def test_figures_of_one_moment(agency, monkeypatch, rebuilt):
    """Whoever records, catches up or rebuilds while a batch is cut, it is of one moment."""
    agency.propose(P1=100)
    agency.propose(P1=100)
    agency.propose(P2=100)
    agency.model.catch_up()
    agency.grant("P1")
    agency.model.catch_up()
    before = agency.ledger.position
    real = hr.decisions

    def meanwhile(figures: Figures) -> list[Any]:
        monkeypatch.setattr(hr, "decisions", real)
        with Ledger.open(agency.ledger.path) as ledger, ReadModel(ledger) as model:
            data = ProposalSubmitted("meanwhile", "제목", "online", shares({"P1": 100}))
            ledger.record(data, on=date(2005, 3, 2), by="o")
            revoked = EntitlementRevoked("training", "2005", "P1", "기준 미달")
            ledger.record(revoked, on=DAY, by="o")
            model.rebuild() if rebuilt else model.catch_up()
        return real(figures)

    monkeypatch.setattr(hr, "decisions", meanwhile)
    agency.now += timedelta(hours=1)
    batch = agency.outbox.cut(agency.model.figures(), agency.folder, as_of=DAY)

    assert agency.ledger.position == before + 2
    assert batch.manifest["position"] == before
    assert agency.told(batch) == [
        ("P1", "mileage", "earned", 0, 200_000),
        ("P1", "training", "granted", 0, 10_000),
        ("P2", "mileage", "earned", 0, 100_000),
    ]
    assert all(position <= before for line in batch.lines for position in line.facts)
    assert agency.told(agency.cut()) == [
        ("P1", "mileage", "earned", 200_000, 300_000),
        ("P1", "training", "granted", 10_000, 0),
    ]


def test_figures_older_than_the_last_batch(agency):
    """Figures that somebody held on to while another batch was cut of later ones are refused."""
    agency.propose(P1=100)
    agency.model.catch_up()
    old = agency.model.figures()
    agency.propose(P1=100)
    agency.model.rebuild()
    agency.cut()
    with pytest.raises(MileageError, match="batch 1 told of #8 already"):
        agency.outbox.cut(old, agency.folder, as_of=DAY)
    assert len(agency.outbox.batches()) == 1

    agency.ledger.adopt_rulebook(BOOK, rulebook="agency", on=DAY, by="c")
    agency.model.catch_up()
    old = agency.model.figures()
    agency.model.rebuild()
    agency.propose(P1=100)
    agency.cut()
    assert old.position < agency.ledger.position
    with pytest.raises(MileageError, match="take the figures in service anew"):
        agency.outbox.cut(old, agency.folder, as_of=DAY)


def test_ledger_that_lost_facts(agency, tmp_path):
    """A ledger restored from an earlier copy is refused, also when it has gone on since."""
    agency.propose(P1=100)
    agency.model.catch_up()
    with sqlite3.connect(agency.ledger.path) as source, sqlite3.connect(tmp_path / "kept") as copy:
        source.backup(copy)
    source.close()
    copy.close()
    agency.propose(P2=100)
    agency.cut()
    agency.model.close()
    agency.ledger.close()
    for suffix in ("-wal", "-shm"):
        (tmp_path / f"agency.sqlite{suffix}").unlink(missing_ok=True)
    shutil.copy(tmp_path / "kept", tmp_path / "agency.sqlite")
    with Ledger.open(tmp_path / "agency.sqlite") as ledger, ReadModel(ledger) as model:
        outbox = Outbox(ledger)
        for number in range(2):
            model.catch_up()
            with pytest.raises(LedgerFileError, match="batch 1 has told of fact #8, which the"):
                outbox.cut(model.figures(), agency.folder, as_of=DAY)
            data = ProposalSubmitted(f"new-{number}", "제목", "online", shares({"P3": 100}))
            ledger.record(data, on=date(2005, 3, 2), by="o")
        assert len(outbox.batches()) == 1


def test_outbox_of_another_ledger(agency, tmp_path):
    """The outbox of another ledger is refused by cutting and by acknowledging alike."""
    (tmp_path / "b").mkdir()
    other = Agency(tmp_path / "b")
    with other.ledger, other.model:
        other.propose(P1=100)
        name = other.cut().manifest["batch"]
        shutil.copy(other.outbox.path, agency.outbox.path)
    agency.propose(P1=100)
    with pytest.raises(LedgerFileError, match="the outbox of another ledger"):
        agency.cut()
    with pytest.raises(LedgerFileError, match="the outbox of another ledger"):
        agency.acknowledge(f"{name},1,accepted,")
    with pytest.raises(LedgerFileError, match="the outbox of another ledger"):
        agency.outbox.write_again(1, agency.folder)


@pytest.mark.parametrize("form", ["csv", "xlsx", "jsonl", "parquet"])
def test_damaged_body(agency, form):
    """A file that was damaged in the outbox is never written; the digest tells."""
    agency.propose(P1=100)
    batch = agency.cut(form=form)
    before = batch.file.read_bytes()
    for body in (b"x", zlib.compress(before + b"x"), zlib.compress(before)[:-9]):
        with closing(sqlite3.connect(agency.outbox.path)) as connection, connection:
            connection.execute("UPDATE bodies SET body = ?", (body,))
        with pytest.raises(LedgerFileError, match="batch 1 is damaged in the outbox"):
            agency.outbox.write_again(1, agency.folder)
        assert batch.file.read_bytes() == before


def test_an_edited_file_is_put_right(agency):
    """A file that was edited or cut short in the folder is as it was when it is written again."""
    agency.propose(P1=100)
    batch = agency.cut()
    before = batch.file.read_bytes()
    batch.file.write_bytes(before[:-20])
    agency.outbox.write_again(1, agency.folder)
    assert batch.file.read_bytes() == before


def test_outbox_of_another_version(agency):
    """An outbox that an earlier version wrote is refused, not misread."""
    with sqlite3.connect(agency.outbox.path) as connection:
        connection.execute("CREATE TABLE batches (sequence INTEGER PRIMARY KEY)")
    connection.close()
    agency.propose(P1=100)

    with pytest.raises(LedgerFileError, match="another version"):
        agency.cut()
    agency.outbox.path.write_bytes(b"something else" * 100)
    with pytest.raises(LedgerFileError, match="the outbox cannot be used"):
        agency.cut()
    assert not agency.folder.exists()
