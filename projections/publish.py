"""Publishing: the read model's rows into a new SQLite file, the bulk by a bulk path.

``sqlite-utils`` makes the schema, the views and the search; ADBC brings in the rows, sorted by
their table's key, while the next table is made ready.
"""

from __future__ import annotations

import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .schema import TABLES, create_search, create_tables, create_views

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import duckdb
    import pyarrow as pa
    from sqlite_utils import Database

__all__ = ["publish"]

PAGE_BYTES = 8_192


def publish(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    progress: Callable[[int, int], None],
    *,
    days: tuple[int, int] | None = None,
) -> None:
    """Write the read model's tables to a new file; it is safely on disk when this returns.

    Args:
        con: Connection that has the tables.
        path: File to write; must not exist. Nothing is left of it after an error.
        progress: Called with the tables done and the tables in all.
        days: For programmes to be asked of and thrown away: postings of these days only (the
            second exclusive), without cuts and things, search and views.
    """
    tables = [name for name in TABLES if days is None or name not in ("cuts", "things")]
    part = f" WHERE day >= {days[0]} AND day < {days[1]}" if days else ""
    try:
        with _database(path) as database:
            database.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            create_tables(database)
        with ThreadPoolExecutor(1) as ahead:
            ready = [
                ahead.submit(_rows, con.cursor(), table, part if table == "postings" else "")
                for table in tables
            ]
            for done, table in enumerate(tables):
                _write(path, table, ready[done].result())
                progress(done, len(tables))
        if days:
            progress(len(tables), len(tables))
            return
        with _database(path) as database:
            create_search(database)
            create_views(database)
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA journal_mode = WAL")  # from now on it has readers
        connection.close()
        with path.open("rb+") as file:
            os.fsync(file.fileno())
        progress(len(tables), len(tables))
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _rows(cursor: duckdb.DuckDBPyConnection, table: str, part: str) -> pa.Table:
    key = TABLES[table][1]
    rows = cursor.sql(f"SELECT * FROM {table}{part} ORDER BY {key}").to_arrow_table()
    cursor.close()
    return rows


def _write(path: Path, table: str, rows: pa.Table) -> None:
    from adbc_driver_sqlite import dbapi  # noqa: PLC0415 - slow to import

    if rows.num_rows:
        with dbapi.connect(str(path), autocommit=True) as bulk, bulk.cursor() as writer:
            # Until it is finished the file is nobody's: there is nothing to roll back to.
            writer.execute("PRAGMA journal_mode = OFF")
            writer.execute("PRAGMA synchronous = OFF")
            writer.adbc_ingest(table, rows, mode="append")


@contextmanager
def _database(path: Path) -> Iterator[Database]:
    from sqlite_utils import Database  # noqa: PLC0415 - slow to import

    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        yield Database(connection)
        connection.commit()
    finally:
        connection.close()
