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

        Raises:
            LedgerFileError: The file cannot be written.
        """
        rows = [attrs.asdict(entry) for entry in entries]
        with self._table() as people, people.db.conn:
            people.upsert_all(rows, pk="person")
        return len(rows)

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
            msg = f"{self.path.name}: the directory of names cannot be used ({error})"
            raise LedgerFileError(msg) from error

    def _open(self) -> Database:
        if self._database is None:
            from sqlite_utils import Database  # noqa: PLC0415 - half a second, not for every command

            connection = sqlite3.connect(self.path, check_same_thread=False)
            self._database = Database(connection)
            self._database.table("people").create(
                {"person": str, "name": str, "employee_number": str},
                pk="person",
                not_null={"name", "employee_number"},
                if_not_exists=True,
            )
        return self._database
