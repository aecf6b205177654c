"""The command line as a process of its own: pipes, terminals, what is imported, how long."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from contextlib import suppress

import pytest
from cli_cases import make_agency, ok
from mileage.cli.width import width

pty = pytest.importorskip("pty")

MAIN = "from mileage.cli.main import main; main()"
HEAVY = {"adbc_driver_sqlite", "duckdb", "pyarrow", "rich", "sqlite_utils", "tree_sitter"}
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture(scope="module")
def agency(tmp_path_factory):
    """An agency whose ranking is longer than a pipe's buffer."""
    folder = tmp_path_factory.mktemp("process")
    path = make_agency(folder)
    rows = ["occurred_on,person,unit,rank"]
    rows += [f"2001-03-02,N{number:05d},HQ,G7" for number in range(3_000)]
    (folder / "more.csv").write_text("\n".join(rows), encoding="utf-8")
    ok("import", "--ledger", path, folder / "more.csv", "--kind", "member.joined")
    return folder


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MILEAGE")}
    for name in ("NO_COLOR", "COLUMNS", "LC_ALL", "FORCE_COLOR"):
        kept.pop(name, None)
    return {
        **kept,
        "MILEAGE_LEDGER": "agency.sqlite",
        "MILEAGE_LANG": "en",
        "MILEAGE_BY": "officer-7",
        "PYTHONIOENCODING": "utf-8",
        "TERM": "xterm-256color",
        **more,
    }


def run(folder, *args, **more):
    """Run the command line with pipes."""
    return subprocess.run(
        [sys.executable, "-c", MAIN, *args],
        cwd=folder,
        env=environment(**more),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def on_terminal(folder, *args, columns=100, **more):
    """Run the command line on a terminal; return what it shows."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN, *args],
        cwd=folder,
        env=environment(COLUMNS=str(columns), LINES="40", **more),
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    with suppress(OSError):  # Linux says so when the other end is closed
        while part := os.read(ours, 65_536):
            shown += part
    os.close(ours)
    process.wait()
    return shown.decode().replace("\r\n", "\n")


def imported(folder, *args) -> set[str]:
    """The heavy modules that a command imports."""
    program = (
        "import sys; from mileage.cli.main import mileage\n"
        "try: mileage(sys.argv[1:], prog_name='mileage')\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "finally: sys.stderr.write('\\n'.join(sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *args],
        cwd=folder,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return set(done.stderr.split())


def test_help_imports_nothing_heavy(agency):
    """Neither the ledger nor any engine: the list of commands is static."""
    modules = imported(agency, "--help")
    assert not {"attr", "eventsourcing", "mileage.ledger", "zoneinfo", *HEAVY} & modules


def test_recording_imports_no_engine(agency):
    """One fact is recorded and counted with SQLite alone."""
    modules = imported(
        agency, "record", "proposal.submitted", "--proposal", "Q-1", "--title", "t",
        "--channel", "online", "--authors", "P2", "--on", "2005-06-01",
    )  # fmt: skip
    assert not HEAVY & modules
    assert "2.5" in run(agency, "balance", "P2", "--period", "2005-06").stdout


def test_help_takes_at_most_twice_importing_click(agency):
    """Measured side by side, the best of several; with room for a busy machine."""

    def seconds(program: str, *args: str) -> float:
        best = 60.0
        for _ in range(7):
            begun = time.perf_counter()
            subprocess.run(
                [sys.executable, "-c", program, *args],
                cwd=agency,
                env=environment(),
                stdout=subprocess.DEVNULL,
                check=True,
            )
            best = min(best, time.perf_counter() - begun)
        return best

    assert seconds(MAIN, "--help") <= 2 * seconds("import click") + 0.05


@pytest.mark.parametrize(
    "args", [("kinds",), ("history",), ("history", "--json"), ("kinds", "--csv")]
)
def test_a_reader_that_goes_away_is_no_error_to_tell(agency, args):
    """``mileage … | head -1`` ends in silence."""
    with subprocess.Popen(
        [sys.executable, "-c", MAIN, *args],
        cwd=agency,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout.readline()
        process.stdout.close()
        complaint = process.stderr.read()
    assert complaint == b""
    assert process.returncode in (0, 141)


def test_a_pipe_gets_plain_text_in_full_width(agency):
    """No colours, nothing cut, no progress bar."""
    done = run(agency, "history", "--last", "3", COLUMNS="40")
    assert "\x1b" not in done.stdout + done.stderr
    assert "unit" not in done.stderr
    assert max(map(width, done.stdout.splitlines())) > 100
    assert len(done.stdout.splitlines()) == 4


@pytest.mark.parametrize("columns", [100, 60, 40])
@pytest.mark.parametrize("lang", ["ko", "en"])
@pytest.mark.parametrize(
    "args",
    [
        ("statement", "P1"),
        ("history", "proposal:A-1"),
        ("ranking", "--limit", "3"),
        ("explain", "P1"),
        ("rules", "list"),
    ],
    ids=lambda args: args[0],
)
def test_a_terminal_is_never_too_narrow(agency, args, lang, columns):
    """Whatever its width, no line goes beyond it."""
    shown = on_terminal(agency, *args, columns=columns, MILEAGE_LANG=lang)
    lines = ANSI.sub("", shown).splitlines()
    # Notes on stderr are fitted to the terminal itself, which has no size here.
    lines = [line for line in lines if not line.startswith("(")]
    assert max(map(width, lines)) <= columns, shown


def test_colours_are_for_terminals_and_not_where_nobody_wants_them(agency):
    """NO_COLOR is respected."""
    assert "\x1b[1m" in on_terminal(agency, "ranking", "--limit", "2")
    assert "\x1b" not in on_terminal(agency, "ranking", "--limit", "2", NO_COLOR="1")


def test_a_terminal_gets_the_first_places_and_is_told(agency):
    """Three thousand lines are for pipes and files."""
    (agency / "many.csv").write_text(
        "occurred_on,proposal,title,channel,authors\n"
        + "\n".join(f"2005-07-01,M-{n},t,online,N{n:05d}" for n in range(100)),
        encoding="utf-8",
    )
    shown = on_terminal(agency, "import", "many.csv", "--kind", "proposal.submitted")
    assert "many.csv" in shown
    shown = on_terminal(agency, "rebuild", "--quiet")
    assert "%" in ANSI.sub("", shown)
    piped = run(agency, "ranking").stdout.splitlines()
    assert len(piped) > 100


def test_a_terminal_without_hangul_gets_codes_and_no_traceback(agency):
    """What it cannot show is escaped."""
    done = run(agency, "ranking", PYTHONIOENCODING="latin-1")
    assert done.returncode == 0
    assert "\\u" in done.stdout


def test_an_interrupted_process_says_so(agency):
    """Ctrl-C: exit code 130 and no traceback."""
    import signal  # noqa: PLC0415

    program = (
        "import os, signal, mileage.cli.history as h\n"
        "h.history = lambda *a, **k: os.kill(os.getpid(), signal.SIGINT)\n" + MAIN
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "history"],
        cwd=agency,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        check=False,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert done.returncode == 130
    assert done.stderr.strip() == "interrupted"


def test_the_example_year_goes_through(tmp_path):
    """The main job end to end, as the demonstration does it."""
    seeds = pytest.importorskip("mileage.seeds")
    files = [str(path) for path in seeds.example_year_files()]
    run(tmp_path, "init", "--organisation", "중소기업청", "--opened-on", "2005-02-01")
    done = run(tmp_path, "import", *files)
    assert (done.returncode, done.stderr) == (0, "")
    rules = str(seeds.rulebook_path())
    assert run(tmp_path, "rules", "check", rules).returncode == 0
    assert run(tmp_path, "rules", "adopt", rules, "--on", "2005-01-01").returncode == 0
    assert run(tmp_path, "rebuild", "--quiet").returncode == 0
    assert run(tmp_path, "directory", "import", str(seeds.names_file())).returncode == 0
    ranking = run(tmp_path, "ranking", "--period", "2005", "--limit", "10", "--csv").stdout
    assert len(ranking.splitlines()) >= 11
    eligible = run(tmp_path, "eligible", "overseas-training", "--as-of", "2005-12-31")
    assert "quota 12" in eligible.stdout
    assert run(tmp_path, "hr", "export", "hr", "--as-of", "2005-12-31").returncode == 0
    again = run(tmp_path, "import", *files, "--json")
    assert '"recorded": 0' in again.stdout
