"""Rows into the inbox of a SQLite file, by one thread that does nothing else.

The general way (SQLAlchemy over aiosqlite) hands each statement to a thread and waits for it, and a busy event loop
makes every such hand-over wait. Here a batch is one hand-over: begin, insert, commit. The rows of a statement go in
together, because SQLite's driver gives up the interpreter's lock at each statement and has to wait to get it back.
"""

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from agent_sre.adapters.store_sql.group_commit import Row

_SIZES = (256, 32, 4, 1)
"""Rows per statement. Few different ones, so that all stay prepared; two values a row, and 999 are allowed anywhere."""
_INSERT = {
    size: " ".join(
        ("INSERT INTO inbox (body, message_digest) VALUES", ", ".join(["(?, ?)"] * size), "ON CONFLICT DO NOTHING")
    )
    for size in _SIZES
}


class SqliteAppend:
    """Appends batches, one at a time. Belongs to one event loop; opens its connection at the first batch."""

    def __init__(self, file: Path, pragmas: Sequence[str]) -> None:
        self._file = file
        self._pragmas = pragmas
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="inbox")
        self._connection: sqlite3.Connection | None = None

    async def append(self, rows: Sequence[Row]) -> None:
        """Return once the rows are committed. What conflicts is left out. Raises sqlite3.Error."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._write, rows)

    async def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
            self._connection = None
        self._thread.shutdown()

    def _write(self, rows: Sequence[Row]) -> None:
        connection = self._connection or self._open()
        connection.execute("BEGIN IMMEDIATE")
        try:
            for size, chunk in _chunks(rows):
                connection.execute(_INSERT[size], [value for row in chunk for value in row])
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:  # a full disk has rolled back by itself
                connection.execute("ROLLBACK")

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, isolation_level=None, check_same_thread=False)
        for pragma in self._pragmas:
            connection.execute(f"PRAGMA {pragma}")
        self._connection = connection
        return connection


def _chunks(rows: Sequence[Row]) -> Iterator[tuple[int, Sequence[Row]]]:
    at = 0
    for size in _SIZES:
        while len(rows) - at >= size:
            yield size, rows[at : at + size]
            at += size
