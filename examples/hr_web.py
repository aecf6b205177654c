"""A small HR web application that takes the change feed of a ledger, each change exactly once.

It has a database of its own. What a change does there and the cursor of that change are written in
one transaction, so it may be killed between any two steps: it goes on behind the last change that
is in its database. Staff sign in and see their own entitlements and statement, nobody else's.

    pip install 'innovation-mileage[web]'
    python hr_web.py serve office.sqlite hr.sqlite --port 8000
    python hr_web.py account office.sqlite hr.sqlite 00012345 < password.txt
    python hr_web.py take office.sqlite hr.sqlite        # take the feed once, e.g. from cron

Werkzeug's server is for trying it out; for service give ``create_app(…)`` to a WSGI server of your
choice, behind TLS, and run ``take`` beside it.
"""

from __future__ import annotations

import argparse
import secrets
import sqlite3
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

from flask import Flask, abort, redirect, render_template_string, request, session, url_for
from mileage.ledger import Ledger, MileageError, format_amount
from mileage.projections import ReadModel, UnknownPerson, changes
from werkzeug.security import check_password_hash, generate_password_hash
from werkzeug.serving import make_server

PAGE_CHANGES = 200
"""Changes taken in one transaction: after a crash at most so many are asked for again."""
POLL_SECONDS = 2.0
NOBODY = generate_password_hash(secrets.token_hex())  # as long to check as that of somebody

SCHEMA = """
CREATE TABLE IF NOT EXISTS feed (only_one INTEGER PRIMARY KEY CHECK (only_one = 1), cursor TEXT);
CREATE TABLE IF NOT EXISTS entries (
    sequence INTEGER PRIMARY KEY,
    person TEXT NOT NULL, programme TEXT NOT NULL, code TEXT NOT NULL, for_period TEXT NOT NULL,
    delta INTEGER NOT NULL, reason TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS entitlements (
    person TEXT, programme TEXT, code TEXT, for_period TEXT, amount INTEGER NOT NULL,
    PRIMARY KEY (person, programme, code, for_period)
);
CREATE TABLE IF NOT EXISTS accounts (
    employee_number TEXT PRIMARY KEY, person TEXT NOT NULL, password_hash TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


# -- taking the feed -------------------------------------------------------------------------------


def open_hr(path: Path) -> sqlite3.Connection:
    """Open the HR system's own database; amounts in it are integers of 1/10,000."""
    hr = sqlite3.connect(path, isolation_level=None, timeout=30)
    hr.executescript(SCHEMA)
    return hr


def take(hr: sqlite3.Connection, model: ReadModel) -> int:
    """Take the changes that are not in the HR database yet; return how many there were."""
    taken = 0
    while count := _take_page(hr, model):
        taken += count
    return taken


def _take_page(hr: sqlite3.Connection, model: ReadModel) -> int:
    hr.execute("BEGIN IMMEDIATE")  # two that take the feed at once take turns
    try:
        row = hr.execute("SELECT cursor FROM feed").fetchone()
        page = list(changes(model, after=row[0] if row else None, limit=PAGE_CHANGES))
        for change in page:
            key = (change.key.person, change.key.programme, change.key.code, change.key.for_period)
            hr.execute(
                "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)",
                (change.sequence, *key, change.delta, change.reason),
            )
            hr.execute(
                "INSERT OR REPLACE INTO entitlements VALUES (?, ?, ?, ?, ?)", (*key, change.new)
            )
        if page:
            hr.execute("INSERT OR REPLACE INTO feed VALUES (1, ?)", (page[-1].cursor,))
        hr.execute("COMMIT")
    except BaseException:
        hr.execute("ROLLBACK")
        raise
    return len(page)


class Taker(threading.Thread):
    """Takes the feed every few seconds until it is told to stop."""

    def __init__(self, hr: Path, model: ReadModel) -> None:
        super().__init__(name="taker", daemon=True)
        self.hr, self.model = hr, model
        self.stopping = threading.Event()

    def run(self) -> None:
        """Take, wait, take again; trouble is told and tried again."""
        with closing(open_hr(self.hr)) as hr:
            while not self.stopping.is_set():
                try:
                    take(hr, self.model)
                except (MileageError, sqlite3.Error) as error:
                    print(f"feed: {error}", file=sys.stderr, flush=True)
                self.stopping.wait(POLL_SECONDS)


# -- pages -----------------------------------------------------------------------------------------

WORDS = {
    "ko": {
        "title": "나의 혁신마일리지",
        "number": "사번",
        "password": "비밀번호",
        "in": "로그인",
        "out": "로그아웃",
        "wrong": "사번이나 비밀번호가 맞지 않습니다.",
        "entitlements": "인사 연계",
        "statement": "명세",
        "columns": ("제도", "구분", "대상 기간", "값"),
        "lines": ("날짜", "활동", "제목", "점수"),
        "none": "아직 없습니다.",
    },
    "en": {
        "title": "My innovation mileage",
        "number": "Employee number",
        "password": "Password",
        "in": "Sign in",
        "out": "Sign out",
        "wrong": "The number or the password is wrong.",
        "entitlements": "Entitlements",
        "statement": "Statement",
        "columns": ("Programme", "Code", "Period", "Amount"),
        "lines": ("Date", "Activity", "Title", "Points"),
        "none": "Nothing yet.",
    },
}
PAGE = """<!doctype html>
<html lang="{{ lang }}"><meta charset="utf-8"><title>{{ words.title }}</title>
<meta name="viewport" content="width=device-width">
<style>body{font-family:sans-serif;max-width:45rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}td,th{padding:.3rem .6rem;text-align:left;
border-bottom:1px solid #ccc}td:last-child,th:last-child{text-align:right}</style>
<h1>{{ words.title }}</h1>
{% macro table(head, rows) %}
{% if rows %}<table><tr>{% for each in head %}<th>{{ each }}</th>{% endfor %}</tr>
{% for row in rows %}<tr>{% for each in row %}<td>{{ each }}</td>{% endfor %}</tr>
{% endfor %}</table>{% else %}<p>{{ words.none }}</p>{% endif %}
{% endmacro %}
{% if person %}
<p>{{ person }}</p>
<h2>{{ words.entitlements }}</h2>{{ table(words.columns, entitlements) }}
<h2>{{ words.statement }}</h2>{{ table(words.lines, statement) }}
<form method="post" action="{{ url_for('sign_out') }}"><button>{{ words.out }}</button></form>
{% else %}
{% if wrong %}<p role="alert">{{ words.wrong }}</p>{% endif %}
<form method="post">
<p><label>{{ words.number }} <input name="number" autocomplete="username"></label></p>
<p><label>{{ words.password }}
<input name="password" type="password" autocomplete="current-password"></label></p>
<button>{{ words.in }}</button></form>
{% endif %}</html>
"""


def create_app(hr_path: Path, ledger: Ledger, model: ReadModel) -> Flask:
    """The application: ``/`` shows one's own statement, ``/sign-in`` and ``/sign-out``."""
    app = Flask(__name__)
    app.secret_key = _secret(hr_path)
    # Strict: no other site can have a signed-in browser send a form here.
    app.config.update(SESSION_COOKIE_SAMESITE="Strict", SESSION_COOKIE_HTTPONLY=True)

    def page(**values: Any) -> str:
        lang = request.accept_languages.best_match(WORDS) or "ko"
        return render_template_string(PAGE, lang=lang, words=WORDS[lang], **values)

    @app.get("/")
    def own() -> Any:
        person = session.get("person")
        if person is None:
            return redirect(url_for("sign_in"))
        lang = request.accept_languages.best_match(WORDS) or "ko"
        entry = ledger.directory.get(person)
        return page(
            person=entry.name if entry else person,
            entitlements=_entitlements(hr_path, person),
            statement=_statement(model, person, lang),
        )

    @app.route("/sign-in", methods=["GET", "POST"])
    def sign_in() -> Any:
        if request.method == "GET":
            return page()
        number, password = request.form.get("number", ""), request.form.get("password", "")
        with closing(open_hr(hr_path)) as hr:
            row = hr.execute(
                "SELECT person, password_hash FROM accounts WHERE employee_number = ?", (number,)
            ).fetchone()
        if not check_password_hash(row[1] if row else NOBODY, password) or row is None:
            return page(wrong=True), 403
        session.clear()
        session["person"] = row[0]
        return redirect(url_for("own"))

    @app.post("/sign-out")
    def sign_out() -> Any:
        session.clear()
        return redirect(url_for("sign_in"))

    @app.get("/health")
    def health() -> Any:
        with closing(open_hr(hr_path)) as hr:
            [(count,)] = hr.execute("SELECT count(*) FROM entries").fetchall()
        return {"changes_taken": count}

    return app


def _entitlements(hr_path: Path, person: str) -> list[tuple[str, ...]]:
    with closing(open_hr(hr_path)) as hr:
        rows = hr.execute(
            "SELECT programme, code, for_period, amount FROM entitlements"
            " WHERE person = ? AND amount <> 0 ORDER BY programme, for_period, code",
            (person,),
        ).fetchall()
    return [(*texts, format_amount(amount)) for *texts, amount in rows]


def _statement(model: ReadModel, person: str, lang: str) -> list[tuple[str, ...]]:
    try:
        lines = model.figures().statement(person)
    except UnknownPerson:  # the account was made before the person joined
        return []
    except MileageError:
        abort(503)
    return [
        (
            line.occurred_on.isoformat(),
            getattr(line.activity, lang),
            line.title or line.thing,
            format_amount(line.points),
        )
        for line in lines
    ]


def _secret(hr_path: Path) -> str:
    """The key that signs sessions, made once."""
    with closing(open_hr(hr_path)) as hr:
        hr.execute("INSERT OR IGNORE INTO settings VALUES ('secret', ?)", (secrets.token_hex(32),))
        [(secret,)] = hr.execute("SELECT value FROM settings WHERE name = 'secret'").fetchall()
    return str(secret)


# -- commands --------------------------------------------------------------------------------------


def add_account(hr: sqlite3.Connection, ledger: Ledger, number: str, password: str) -> None:
    """Give somebody of the ledger's directory a password, or another one."""
    entries = ledger.directory.search(number)
    found = [entry.person for entry in entries if entry.employee_number == number]
    if len(found) != 1:
        sys.exit(f"{len(found)} people in the ledger's directory have this employee number")
    if len(password) < 12:  # noqa: PLR2004 - the advice of most rules today
        sys.exit("give a password of at least 12 characters")
    hr.execute(
        "INSERT OR REPLACE INTO accounts VALUES (?, ?, ?)",
        (number, found[0], generate_password_hash(password)),
    )


def serve(hr_path: Path, ledger: Ledger, model: ReadModel, port: int) -> None:
    """Serve pages on the loopback and take the feed beside, until interrupted."""
    server = make_server("127.0.0.1", port, create_app(hr_path, ledger, model), threaded=True)
    taker = Taker(hr_path, model)
    taker.start()
    print(f"http://127.0.0.1:{server.server_port}/", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        taker.stopping.set()
        taker.join(timeout=10)
        server.server_close()


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(description="An HR web application on an innovation ledger.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("serve", "take", "account"):
        command = commands.add_parser(name)
        command.add_argument("ledger", type=Path)
        command.add_argument("hr", type=Path)
        if name == "serve":
            command.add_argument("--port", type=int, default=8000)
        if name == "account":
            command.add_argument("number", help="employee number; the password is read from stdin")
    given = parser.parse_args(arguments)
    try:
        with Ledger.open(given.ledger) as ledger, ReadModel(ledger) as model:
            with closing(open_hr(given.hr)) as hr:
                if given.command == "take":
                    print(take(hr, model), "changes taken")
                elif given.command == "account":
                    add_account(hr, ledger, given.number, sys.stdin.readline().rstrip("\n"))
            if given.command == "serve":
                serve(given.hr, ledger, model, given.port)
    except MileageError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
