"""The example of an HR web application: a real server on the loopback that shows one's own."""

from __future__ import annotations

import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from datetime import date
from http.cookiejar import CookieJar
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

import pytest
from mileage.ledger import Entry, Ledger, ProposalSubmitted, shares
from test_feed import Feeding, check_taken

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = Path(__file__).parents[1] / "examples" / "hr_web.py"
PASSWORD = "correct horse battery"  # noqa: S105 - of a test


def run(*arguments: object, said: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", str(PROGRAM), *map(str, arguments)]
    return subprocess.run(
        command, input=said, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """A ledger with proposals and names, and accounts in the HR system's own database."""
    made = Feeding(tmp_path)
    with made.ledger, made.model:
        made.propose(P1=60, P2=40)
        made.ledger.directory.put([Entry("P1", "김<하나>", "0001"), Entry("P2", "이둘", "0002")])
        made.model.rebuild()
    for number in ("0001", "0002"):
        done = run("account", *files(tmp_path), number, said=PASSWORD + "\n")
        assert (done.returncode, done.stderr) == (0, "")
    return tmp_path


def files(folder: Path) -> tuple[Path, Path]:
    return folder / "agency.sqlite", folder / "hr.sqlite"


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a server that is killed at the end."""
    command = [sys.executable, "-W", "error", str(PROGRAM), "serve", *map(str, files(folder))]
    with subprocess.Popen(
        [*command, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            yield process.stdout.readline().strip()
        finally:
            process.send_signal(signal.SIGKILL)


class Browser:
    """Somebody at a browser that keeps cookies."""

    def __init__(self, address: str, language: str = "en") -> None:
        self.address, self.language = address, language
        self._open = build_opener(HTTPCookieProcessor(CookieJar())).open

    def get(self, path: str = "", **form: str) -> tuple[int, str]:
        body = urlencode(form).encode() if form else None
        request = Request(self.address + path, body, {"Accept-Language": self.language})  # noqa: S310
        try:
            with self._open(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def sign_in(self, number: str, password: str = PASSWORD) -> tuple[int, str]:
        return self.get("sign-in", number=number, password=password)


def wait_for(browser: Browser, changes: int) -> None:
    until = time.monotonic() + 30
    while f'"changes_taken":{changes}' not in browser.get("health")[1].replace(" ", ""):
        assert time.monotonic() < until
        time.sleep(0.1)


def test_own_statement(office):
    """Who signs in sees the own entitlements and statement; who does not sees nothing."""
    with served(office) as address:
        browser = Browser(address)
        wait_for(browser, 2)
        assert "password" in browser.get()[1]
        assert "제목" not in browser.get()[1]

        status, page = browser.sign_in("0001")

        assert status == 200
        assert "김&lt;하나&gt;" in page
        assert re.search(r"earned</td><td>all</td><td>6</td>", page)
        assert re.search(r"2005-03-02</td><td>Proposal submitted</td><td>제목</td><td>6</td>", page)
        other = Browser(address, "ko")
        status, page = other.sign_in("0002")
        assert "이둘" in page
        assert "나의 혁신마일리지" in page
        assert "제안 제출</td><td>제목</td><td>4</td>" in page
        assert "하나" not in page


def test_signing_in(office):
    """A wrong number or password is refused in the same words, and signing out ends the session."""
    with served(office) as address:
        browser = Browser(address)
        answers = {browser.sign_in(*pair) for pair in (("0001", "x"), ("9", PASSWORD), ("", ""))}
        assert len(answers) == 1
        assert answers.pop()[0] == 403
        browser.sign_in("0001")
        assert "김" in browser.get()[1]
        browser.get("sign-out", now="1")
        assert "김" not in browser.get()[1]


def test_killed_and_started_again(office):
    """Killed while it takes the feed, the next one goes on; every change is there once."""
    for number in range(6):
        with Ledger.open(files(office)[0]) as ledger:
            data = ProposalSubmitted(f"more-{number}", "제목", "online", shares({"P3": 100}))
            ledger.record(data, on=date(2005, 3, 2), by="o")
        with served(office):
            time.sleep(0.05 * number)
    done = run("take", *files(office))
    assert (done.returncode, done.stderr) == (0, "")
    assert "changes taken" in done.stdout
    check_taken(office)


def test_wrong_use(office):
    """A short password, an unknown number and what is no ledger are told, without a traceback."""
    for arguments, said in (
        (("account", *files(office), "0001"), "short\n"),
        (("account", *files(office), "0003"), PASSWORD + "\n"),
        (("take", office / "none.sqlite", office / "hr.sqlite"), ""),
    ):
        done = run(*arguments, said=said)
        assert done.returncode == 1
        assert done.stderr
        assert "Traceback" not in done.stderr
    with closing(sqlite3.connect(files(office)[1])) as hr:
        assert hr.execute("SELECT count(*) FROM accounts").fetchone() == (2,)
