"""The people directory: names and other personal data, apart from the facts.

Facts know an opaque id only. What stands here can be changed or erased without touching a fact
or a figure.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import attrs

from .errors import InvalidFact, LedgerFileError
from .fields import Code, Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from sqlite_utils import Database
    from sqlite_utils.db import Table

__all__ = ["Directory", "Entry"]

_PERSON = Code("", "")
_NAME = Text("", "", length_max=200)
_FORMER = (
    "CREATE TABLE IF NOT EXISTS former_numbers (employee_number TEXT NOT NULL,"
    " person TEXT NOT NULL, PRIMARY KEY (employee_number, person)) WITHOUT ROWID"
)


@attrs.frozen
class Entry:
    """What the directory knows of a person.

    Attributes:
        person: Opaque id, as in the facts.
        name: Name to show.
        employee_number: The employer's number, a text: leading zeros stay.
    """

    person: str
    name: str
    employee_number: str = ""

    def __attrs_post_init__(self) -> None:
        """Check the values.

        Raises:
            InvalidFact: A value is unfit.
        """
        checks = [("person", _PERSON.check), ("name", _NAME.check)]
        if self.employee_number:
            checks.append(("employee_number", _NAME.check))
        for field, check in checks:
            try:
                check(getattr(self, field))
            except ValueError as error:
                raise InvalidFact(field, str(error)) from None


class Directory:
    """A file of people, made when the first name is put in.

    Table ``people``: ``person`` (text, primary key), ``name`` (text), ``employee_number`` (text).
    Table ``former_numbers``: ``employee_number``, ``person`` (texts, together the primary key),
    numbers that people had before.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._database: Database | None = None
        self._lock = threading.RLock()

    def close(self) -> None:
        """Close the file."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def put(self, entries: Iterable[Entry]) -> int:
        """Add or replace entries, all or none; return how many.

        A number that is replaced by another one stays known as a former number.

        Raises:
            LedgerFileError: The file cannot be written.
        """
        rows = [attrs.asdict(entry) for entry in entries]
        with self._table() as people, people.db.conn as connection:
            connection.execute(_FORMER)
            connection.executemany(
                "INSERT OR IGNORE INTO former_numbers SELECT employee_number, person FROM people"
                " WHERE person = :person AND employee_number NOT IN ('', :employee_number)",
                rows,
            )
            connection.executemany(
                "INSERT INTO people VALUES (:person, :name, :employee_number)"
                " ON CONFLICT (person) DO UPDATE"
                " SET name = excluded.name, employee_number = excluded.employee_number",
                rows,
            )
        return len(rows)

    def erase(self, persons: Iterable[str]) -> set[str]:
        """Take people out, former numbers too; return those of whom anything was known.

        What stood there is overwritten in the file.

        Raises:
            LedgerFileError: The file cannot be written.
        """
        if not self.path.exists():
            return set()
        known: set[str] = set()
        with self._table() as people, people.db.conn as connection:
            connection.execute(_FORMER)
            for person in persons:
                done = [
                    connection.execute(f"DELETE FROM {table} WHERE person = ?", (person,)).rowcount  # noqa: S608
                    for table in ("people", "former_numbers")
                ]
                if any(done):
                    known.add(person)
        return known

    def get(self, person: str) -> Entry | None:
        """The entry of a person, if there is one."""
        return self.find([person]).get(person)

    def find(self, persons: Iterable[str]) -> dict[str, Entry]:
        """Entries by person; those without an entry are left out.

        Raises:
            LedgerFileError: The file cannot be read.
        """
        if not self.path.exists():
            return {}
        wanted = list(persons)
        found: dict[str, Entry] = {}
        with self._table() as people:
            for start in range(0, len(wanted), 500):
                part = wanted[start : start + 500]
                marks = ",".join("?" * len(part))
                for row in people.rows_where(f"person IN ({marks})", part):
                    found[str(row["person"])] = Entry(**row)
        return found

    def holders(self, numbers: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Who has an employee number, by number; numbers of nobody are left out.

        Raises:
            LedgerFileError: The file cannot be read.
        """
        return self._by("people", "employee_number", numbers)

    def former_holders(self, numbers: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Who had an employee number before another one, by number.

        Raises:
            LedgerFileError: The file cannot be read.
        """
        return self._by("former_numbers", "employee_number", numbers)

    def namesakes(self, names: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Who has exactly a name, by name; names of nobody are left out.

        Raises:
            LedgerFileError: The file cannot be read.
        """
        return self._by("people", "name", names)

    def _by(
        self, table_name: str, column: str, values: Iterable[str]
    ) -> dict[str, tuple[str, ...]]:
        if not self.path.exists():
            return {}
        wanted = sorted(set(values) - {""})
        found: dict[str, tuple[str, ...]] = {}
        with self._table() as people:
            table = people.db.table(table_name)
            for start in range(0, len(wanted) if table.exists() else 0, 500):
                part = wanted[start : start + 500]
                where = f"{column} IN ({','.join('?' * len(part))})"
                for row in table.rows_where(where, part, order_by="person"):
                    value = str(row[column])
                    found[value] = (*found.get(value, ()), str(row["person"]))
        return found

    def search(self, text: str) -> list[Entry]:
        """Entries whose name or employee number contains a text, in order of person.

        Raises:
            LedgerFileError: The file cannot be read.
        """
        if not self.path.exists():
            return []
        like = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        with self._table() as people:
            rows = people.rows_where(
                "name LIKE ? ESCAPE '\\' OR employee_number LIKE ? ESCAPE '\\'",
                [like, like],
                order_by="person",
            )
            return [Entry(**row) for row in rows]

    @contextmanager
    def _table(self) -> Iterator[Table]:
        try:
            with self._lock:
                yield self._open().table("people")
        except sqlite3.Error as error:
            msg = (
                f"{self.path.name}: the directory of names cannot be used ({error}); look at the"
                " permissions of the file and its folder, or restore it from a copy"
            )
            raise LedgerFileError(msg) from error

    def _open(self) -> Database:
        if self._database is None:
            from sqlite_utils import Database  # noqa: PLC0415 - half a second, not for every command

            connection = sqlite3.connect(self.path, check_same_thread=False)
            connection.execute("PRAGMA secure_delete = ON")
            self._database = Database(connection)
            self._database.table("people").create(
                {"person": str, "name": str, "employee_number": str},
                pk="person",
                not_null={"name", "employee_number"},
                if_not_exists=True,
            )
        return self._database
