"""Bad files and full disks on the way to HR and back: a clear error, nothing by halves."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cli_cases import make_agency
from hr_receiver import read_batch
from hypothesis import given, settings
from hypothesis import strategies as st
from mileage.ledger import ImportRefused, Ledger, LedgerFileError, MileageError
from mileage.projections import Outbox, acknowledge, parse_profile
from test_hr import Agency

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest.importorskip("resource")


@contextmanager
def answered() -> Iterator[tuple[Agency, bytes]]:
    """An agency whose first batch HR has, and a good answer that was not taken in yet."""
    with tempfile.TemporaryDirectory(prefix="mileage-test-") as folder:
        agency = Agency(Path(folder))
        with agency.ledger, agency.model:
            agency.propose(P1="66.6667", P2="33.3333")
            agency.propose(P3=100)
            manifest = agency.cut().manifest
            name, digest = manifest["batch"], manifest["sha256"]
            rows = (
                "batch,line,status,reason,sha256,rows",
                f"{name},,partial,,{digest},3",
                f"{name},1,accepted,,,",
                f'{name},2,rejected,"없는, 사람",,',
                f"{name},3,accepted,,,",
            )
            yield agency, ("\n".join(rows) + "\n").encode()


def state(agency: Agency) -> list[Any]:
    return [(b.received_at, [(n.status, n.note) for n in b.lines]) for b in agency.outbox.batches()]


def taken(agency: Agency, content: bytes) -> bool:
    """Whether a file is taken in; when it is not, nothing has changed and problems say where."""
    path = agency.folder.parent / "ack.csv"
    path.write_bytes(content)
    before = state(agency)
    problems = ()
    try:
        acknowledge(agency.outbox, path)
    except ImportRefused as refused:
        problems = refused.problems
    else:
        return True
    assert problems
    assert state(agency) == before
    for problem in problems:
        assert problem.rule.startswith("hr.")
        assert str(problem).startswith("ack.csv")
        assert len(str(problem)) < 300
    return False


def test_cut_short_anywhere():
    """An answer that ends anywhere is refused, or only a remark at its end is shorter."""
    with answered() as (agency, content):
        for length in range(len(content) - 1):
            if taken(agency, content[:length]):
                said = [status for status, _ in state(agency)[0][1]]
                assert said == ["accepted", "rejected", "accepted"]
                assert length > len(content) - 4  # the commas after the last answer
        assert taken(agency, content)


EDITS = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 4), st.binary(max_size=6)), min_size=1, max_size=3
)


@settings(max_examples=60)
@given(EDITS)
def test_edited(edits):
    """An answer that was edited anyhow is refused whole, or taken whole; it never does half."""
    with answered() as (agency, content):
        edited = content
        for place, removed, put in edits:
            at = place % len(edited)
            edited = edited[:at] + put + edited[at + removed :]
        if taken(agency, edited):
            said = [status for status, _ in state(agency)[0][1]]
            answers = [row.split(b",") for row in edited.splitlines() if row.count(b",") == 5]
            assert said.count("accepted") <= sum(b"accepted" in row for row in answers)


@settings(max_examples=60)
@given(st.binary(max_size=300) | st.text(alphabet=',"\n\r;batchlinesu0١', max_size=200))
def test_no_answer_at_all(content):
    """What is no answer is refused."""
    with answered() as (agency, _):
        assert not taken(agency, content if isinstance(content, bytes) else content.encode())


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("9" * 5_000, "hr.line-unknown"),
        ("١", "hr.line-unknown"),
        ("1.0", "hr.line-unknown"),
        ("+1", "hr.line-unknown"),
        ("0", "hr.line-unknown"),
    ],
)
def test_numbers_of_lines(agency_and_name, line, rule):
    """Only a plain number is the number of a line, and the message stays short."""
    agency, name = agency_and_name
    with pytest.raises(ImportRefused) as refused:
        agency.acknowledge(f"{name},{line},accepted,")
    [problem] = refused.value.problems
    assert problem.rule == rule
    assert len(str(problem)) < 200


@pytest.fixture
def agency_and_name() -> Iterator[tuple[Agency, str]]:
    """An agency with one batch, and its name."""
    with answered() as (agency, _):
        yield agency, agency.outbox.batches()[0].manifest["batch"]


@pytest.mark.parametrize("encoding", ["utf-16", "cp949"])
def test_other_encodings(encoding):
    """An answer in another encoding is refused with a way out."""
    with answered() as (agency, content):
        path = agency.folder.parent / "ack.csv"
        path.write_bytes(content.decode().encode(encoding))
        with pytest.raises(ImportRefused, match=r"is not UTF-8 .*save it as CSV in UTF-8"):
            acknowledge(agency.outbox, path)
        assert taken(agency, b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n"))


def test_a_batch_taken_for_an_answer(agency_and_name):
    """The batch itself, its manifest or a folder are no answers."""
    agency, _ = agency_and_name
    for path in agency.folder.iterdir():
        assert not taken(agency, path.read_bytes())
    with pytest.raises(LedgerFileError, match="Is a directory"):
        acknowledge(agency.outbox, agency.folder)


def test_another_sequence(agency_and_name):
    """An answer to a batch that was not cut yet, or to the one before under its digest."""
    agency, name = agency_and_name
    agency.propose(P1=100)
    second = agency.cut().manifest
    head = "batch,line,status,sha256\n"
    path = agency.folder.parent / "ack.csv"
    for text, rule in (
        (f"{name[:-1]}3,,received,", "hr.batch-unknown"),
        (f"{name},,received,{second['sha256']}", "hr.digest"),
        (f"0{name[1:]}x,,received,", "hr.batch-foreign"),
    ):
        path.write_text(head + text + "\n", "utf-8")
        with pytest.raises(ImportRefused, match=rule.replace(".", r"\.")):
            acknowledge(agency.outbox, path)


def test_nobody_knows_whose_row_it_is():
    """Where the number is all a file has, somebody without one stops it; nothing is cut."""
    text = (
        '[profile]\nid = "own"\ntitle = { ko = "자체", en = "Own" }\n'
        '[[column]]\nname = "사번"\nfield = "employee_number"\n'
        '[[column]]\nname = "증감"\nfield = "delta"\n'
    )
    with answered() as (agency, _):
        agency.propose(P2=50, P3=50)
        with pytest.raises(MileageError, match="line 2 of the batch, column '사번': is empty"):
            agency.cut(profile=parse_profile(text, file="own.toml"))
        assert len(agency.outbox.batches()) == 1
        assert agency.cut().sequence == 2


# -- full disks --------------------------------------------------------------------------------

LIMITED = """
import os, resource, signal, sys
from datetime import date
from pathlib import Path
from mileage.ledger import Ledger, MileageError
from mileage.projections import Outbox, ReadModel, acknowledge

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write beyond the limit is an error, as on a disk
with Ledger.open("agency.sqlite") as ledger, ReadModel(ledger) as model:
    model.catch_up()
    figures, outbox = model.figures(), Outbox(ledger)
    list(ledger.facts()), figures.query("SELECT * FROM postings")
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
    try:
        if sys.argv[1] == "cut":
            outbox.cut(figures, Path("out"), as_of=date(2005, 12, 31))
        else:
            acknowledge(outbox, Path("ack.csv"))
    except MileageError as error:
        print(type(error).__name__, error)
    sys.stdout.flush()
    os._exit(0)
"""


def limited(folder: Path, what: str, room: int) -> str:
    """Cut or answer where so many bytes fit into any one file; what is told if it fails."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", LIMITED, what, str(room)],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_no_room(tmp_path):
    """On a full disk export and answer fail in words; when there is room, all of it adds up."""
    make_agency(tmp_path)
    told = []
    with Ledger.open(tmp_path / "agency.sqlite") as ledger:
        outbox = Outbox(ledger)
        for room in (0, 100, 300, 600, 4_096, 12_288, 16_384, 20_480, 24_576):
            told.append(limited(tmp_path, "cut", room))
            assert len(outbox.batches()) <= 1
            complete = bool(list((tmp_path / "out").glob("*.manifest.json")))
            assert complete == (not told[-1])
            assert not list((tmp_path / "out").glob("*.part"))
        manifest, rows = read_batch(tmp_path / "out", 1)
        [batch] = outbox.batches()
        assert batch.manifest == manifest
        assert {row.person: row.new for row in rows} == {"P1": 100_000, "P2": 50_000}

        long = "가" * 900
        answers = "".join(f"{manifest['batch']},{row.line},accepted,{long}\n" for row in rows)
        (tmp_path / "ack.csv").write_text(f"batch,line,status,reason\n{answers}", "utf-8")
        size = outbox.path.stat().st_size
        for room in (0, 600, 4_096, size, size + 8_192):
            told.append(limited(tmp_path, "answer", room))
            said = {line.status for line in outbox.batches()[0].lines}
            assert said == ({"out"} if told[-1] else {"accepted"})
    failed = [text for text in told if text]
    assert len(failed) >= 6
    assert all(text.startswith("LedgerFileError ") for text in failed)
    assert any("the batch could not be written" in text for text in failed)
    assert any("the outbox cannot be used" in text for text in failed)
