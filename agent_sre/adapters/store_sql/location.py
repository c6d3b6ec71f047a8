"""Where the database is, and engines on it: what is said to SQLite and to PostgreSQL as a connection is opened."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from agent_sre.domain.errors import PermanentError

WRITING = "agent_sre_writing"
"""Execution option of connections whose transactions write."""

_DRIVERS = {"sqlite": ("pysqlite", "aiosqlite"), "postgresql": ("psycopg", "psycopg")}
_FORMS = "use sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE"
_SHOWN = frozenset({"host", "port", "sslmode", "target_session_attrs"})
"""Parameters of a URL that its readable form keeps: ``password`` can be one too."""

_POOL = {
    "pool_size": 5,
    "max_overflow": 15,
    "pool_timeout": 10.0,  # then TemporaryError: a caller that waits longer has been given up by its own caller
    "pool_recycle": 1800,
    "pool_use_lifo": True,  # those that a storm needed fall idle and are closed by whatever stands between us
    "pool_pre_ping": True,  # a connection that died while it was idle is replaced and never met by a statement
}
_STATEMENT_SECONDS = 30
_IDLE_SECONDS = 30
_WAITING = {
    "connect_timeout": 5,
    # A server that is gone without a word (a lost machine, a cut cable) is noticed within some 15 s.
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


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
        except (ArgumentError, ValueError):
            raise _unreadable() from None
        if "@" in (url.host or ""):
            raise _unreadable()
        backend = "postgresql" if url.drivername == "postgres" else url.get_backend_name()
        if backend not in _DRIVERS:
            raise PermanentError(f"database {url.render_as_string()} is not supported: {_FORMS}")
        url = url.set(drivername=backend)
        if backend != "sqlite":
            return cls(url, None)
        if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
            raise PermanentError(f"database {text} is not a file and would not survive a restart: use sqlite:///FILE")
        return cls(url, Path(url.database))

    def __str__(self) -> str:
        """The file, or the URL without what may be secret."""
        if self.file:
            return str(self.file)
        shown = self.url.set(query={name: value for name, value in self.url.query.items() if name in _SHOWN})
        return shown.render_as_string(hide_password=True)

    def sync_engine(self) -> Engine:
        """An engine for checks and migrations, which run in a thread before anything is served."""
        arguments = self._arguments(busy_seconds=30.0, statement_seconds=0)  # another's migration is waited for
        with driver_needed():
            engine = create_engine(self._with_driver(0), poolclass=NullPool, connect_args=arguments)
        _configure(engine, busy_seconds=30.0)
        return engine

    def async_engine(self, busy_seconds: float) -> AsyncEngine:
        """The engine that serves. A lock held by somebody else is waited for ``busy_seconds``."""
        options: dict[str, Any] = {} if self.file else {**_POOL, "isolation_level": "READ COMMITTED"}
        with driver_needed():
            engine = create_async_engine(
                self._with_driver(1), connect_args=self._arguments(busy_seconds, _STATEMENT_SECONDS), **options
            )
        _configure(engine.sync_engine, busy_seconds)
        return engine

    def connection_parameters(self) -> dict[str, Any]:
        """What libpq needs to connect as the engines do, for those who bring a pool of their own. PostgreSQL only."""
        with driver_needed():
            dialect = self._with_driver(1).get_dialect()()
        _, parameters = dialect.create_connect_args(self.url)
        return {**parameters, **self._arguments(5.0, _STATEMENT_SECONDS)}

    def _with_driver(self, index: int) -> URL:
        return self.url.set(drivername=f"{self.url.drivername}+{_DRIVERS[self.url.drivername][index]}")

    def _arguments(self, busy_seconds: float, statement_seconds: int) -> dict[str, Any]:
        if self.file:
            # The driver must not open transactions by itself: it would do so at the first write, after a read went
            # stale.
            return {"isolation_level": None}
        settings = {
            "TimeZone": "UTC",
            "lock_timeout": round(busy_seconds * 1000),
            "statement_timeout": statement_seconds * 1000,
            # A process that hangs in a transaction must not keep its locks.
            "idle_in_transaction_session_timeout": _IDLE_SECONDS * 1000,
        }
        ours = " ".join(f"-c {name}={value}" for name, value in settings.items())
        theirs = self.url.query.get("options", "")
        # What the operator wrote in the URL comes last and wins.
        arguments = {"options": f"{ours} {theirs if isinstance(theirs, str) else ' '.join(theirs)}".strip()}
        given = {name: value for name, value in _WAITING.items() if name not in self.url.query}
        name = f"agent_sre {socket.gethostname()}/{os.getpid()}"
        return {"application_name": name[:63], **given, **arguments}


def _unreadable() -> PermanentError:
    # Neither the error nor the text is repeated: what follows an @ in a password is taken for the host.
    return PermanentError(f"database URL cannot be read: {_FORMS}, and write @ : / % in a password as %40 %3A %2F %25")


@contextmanager
def driver_needed() -> Iterator[None]:
    """Say which extra is missing where the driver cannot be imported."""
    try:
        yield
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise PermanentError(
            f"the driver for PostgreSQL is not installed ({error}): pip install 'agent-sre[postgres]'"
        ) from error


def _configure(engine: Engine, busy_seconds: float) -> None:
    if engine.dialect.name == "sqlite":
        _configure_sqlite(engine, busy_seconds)
        return

    @event.listens_for(engine, "connect")
    def be_durable(connection: Any, _record: object) -> None:
        # A server may be set to answer before the commit is on disk; what we acknowledge must be. Stricter is left.
        cursor = connection.cursor()
        cursor.execute(
            "SELECT set_config('synchronous_commit', 'local', false)"
            " WHERE current_setting('synchronous_commit') = 'off'"
        )
        cursor.close()
        connection.commit()


def pragmas(busy_seconds: float) -> tuple[str, ...]:
    """What every connection to a SQLite file is told first."""
    return (
        f"busy_timeout={round(busy_seconds * 1000)}",
        "journal_mode=WAL",
        "synchronous=FULL",  # WAL's default would lose the last commits when the power goes
        "foreign_keys=ON",
    )


def _configure_sqlite(engine: Engine, busy_seconds: float) -> None:
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
