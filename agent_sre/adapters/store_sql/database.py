"""Connections and transactions: the only place that knows which database is behind the schema.

``read`` is for single SELECTs, ``write`` for everything else. SQLite has one writer at a time: writers of this process
queue in order for a lock of ours, which is fair and costs no thread, and take the write lock of the file at BEGIN
(IMMEDIATE), so that what they read stays true until they commit. On PostgreSQL rows are locked by the statements
themselves (``FOR UPDATE``, guarded UPDATEs, ON CONFLICT), which SQLite's compiler leaves out or understands alike.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from agent_sre.adapters.store_sql.failures import translated
from agent_sre.domain.errors import PermanentError

if TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlalchemy.dialects import postgresql, sqlite

_DRIVERS = {"sqlite": ("pysqlite", "aiosqlite"), "postgresql": ("psycopg", "psycopg")}
WRITING = "agent_sre_writing"
"""Execution option of connections whose transactions write."""


@dataclass(frozen=True, slots=True)
class Location:
    """A parsed database URL. ``file`` is the SQLite file, None on PostgreSQL."""

    url: URL
    file: Path | None

    @classmethod
    def parse(cls, text: str) -> "Location":
        """Accept ``sqlite:///FILE`` and ``postgresql://...``, with or without a driver; raise PermanentError else."""
        try:
            url = make_url(text)
        except ArgumentError as error:
            raise PermanentError(f"database URL cannot be read ({error}): use sqlite:///FILE") from error
        backend = "postgresql" if url.drivername == "postgres" else url.get_backend_name()
        if backend not in _DRIVERS:
            raise PermanentError(
                f"database {url.render_as_string()} is not supported: use sqlite:///FILE or postgresql://"
            )
        url = url.set(drivername=backend)
        if backend != "sqlite":
            return cls(url, None)
        if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
            raise PermanentError(f"database {text} is not a file and would not survive a restart: use sqlite:///FILE")
        return cls(url, Path(url.database))

    def __str__(self) -> str:
        """The file, or the URL with its password masked."""
        return str(self.file) if self.file else self.url.render_as_string(hide_password=True)

    def sync_engine(self) -> Engine:
        """An engine for checks and migrations, which run in a thread before anything is served."""
        backend = self.url.drivername
        engine = create_engine(
            self.url.set(drivername=f"{backend}+{_DRIVERS[backend][0]}"),
            poolclass=NullPool,
            connect_args=_connect_args(self),
        )
        _configure(engine, busy_seconds=30.0)  # another process's migration is waited for
        return engine

    def async_engine(self, busy_seconds: float) -> AsyncEngine:
        """The engine that serves. A SQLite lock held by somebody else is waited for ``busy_seconds``."""
        backend = self.url.drivername
        engine = create_async_engine(
            self.url.set(drivername=f"{backend}+{_DRIVERS[backend][1]}"), connect_args=_connect_args(self)
        )
        _configure(engine.sync_engine, busy_seconds)
        return engine


def _connect_args(location: Location) -> dict[str, Any]:
    # The driver must not open transactions by itself: it would do so at the first write, after a read went stale.
    return {"isolation_level": None} if location.file else {}


def pragmas(busy_seconds: float) -> tuple[str, ...]:
    """What every connection to a SQLite file is told first."""
    return (
        f"busy_timeout={round(busy_seconds * 1000)}",
        "journal_mode=WAL",
        "synchronous=FULL",  # WAL's default would lose the last commits when the power goes
        "foreign_keys=ON",
    )


def _configure(engine: Engine, busy_seconds: float) -> None:
    """All that is said to SQLite alone."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in pragmas(busy_seconds):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get(WRITING):
            connection.exec_driver_sql("BEGIN IMMEDIATE")


class Database:
    """Transactions on one database, with failures translated."""

    def __init__(self, location: Location, busy_seconds: float) -> None:
        self.location = location
        self.busy_seconds = busy_seconds
        self.engine = location.async_engine(busy_seconds)
        self._writer = self.engine.execution_options(**{WRITING: True})
        self._turn: AbstractAsyncContextManager[Any] = asyncio.Lock() if location.file else nullcontext()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """This process's turn to write, for a writer with a connection of its own."""
        async with self._turn:
            with translated(str(self.location)):
                yield

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that is committed, durably, when the block ends and rolled back when it raises."""
        async with self.turn(), self._writer.begin() as connection:
            yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for one SELECT."""
        with translated(str(self.location)):
            async with self.engine.connect() as connection:
                yield connection

    def insert(self, table: "Table") -> "sqlite.Insert | postgresql.Insert":
        """An INSERT that has ``on_conflict_*``: the same words in both databases, two classes in SQLAlchemy."""
        if self.location.file:
            from sqlalchemy.dialects import sqlite

            return sqlite.insert(table).inline()
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table).inline()

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()
