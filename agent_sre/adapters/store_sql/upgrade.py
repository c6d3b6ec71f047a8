"""Making a database ready to serve from: intact, and at the newest schema.

Runs in a thread before the store opens. Alembic costs a good part of a second to import, so it is imported only where
the version table says that there is something to do.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from agent_sre.adapters.store_sql.database import LOCKS, Lock
from agent_sre.adapters.store_sql.failures import translated
from agent_sre.adapters.store_sql.location import WRITING, Location
from agent_sre.adapters.store_sql.schema import REVISION
from agent_sre.domain.errors import PermanentError

_MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(url: str) -> bool:
    """Bring the database to the newest schema, creating it where it is missing; True where anything was done.

    Idempotent, atomic, and safe to call from two processes at once. Raises PermanentError where the database is of a
    newer version than this program.
    """
    return _upgrade(Location.parse(url))


def prepare(location: Location) -> None:
    """Check, then upgrade. Raises PermanentError naming the file where SQLite finds it damaged."""
    if location.file:
        check_file(location.file)
    _upgrade(location)


@contextmanager
def _alone(file: Path | None) -> Iterator[None]:
    """Wait until no other process prepares a database in the file's directory, which is made where it is missing.

    SQLite's own lock is not enough: it refuses, without waiting, when two connections switch a new file to WAL at once.
    """
    if file is None:
        yield
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        directory = os.open(file.parent, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise PermanentError(
            f"directory {file.parent} of the database cannot be used: {error.strerror}; give another path"
        ) from error
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)


def check_file(file: Path) -> None:
    """Raise PermanentError naming the SQLite file where it is damaged."""
    if not file.exists():
        return
    with translated(str(file), opening=True):
        connection = sqlite3.connect(file)
        try:
            problems = [" ".join(row[0].split()) for row in connection.execute("PRAGMA quick_check(3)")]
        finally:
            connection.close()
    if problems != ["ok"]:
        raise PermanentError(f"database {file} is damaged ({'; '.join(problems)}): restore a backup or move it away")


def _upgrade(location: Location) -> bool:
    engine = location.sync_engine()
    try:
        with _alone(location.file), translated(str(location), opening=True):
            with engine.connect() as connection:
                check_encoding(connection, location)
                if version_of(connection) == REVISION:
                    return False
            with engine.execution_options(**{WRITING: True}).begin() as connection:
                if location.file is None:
                    lock = {"a": LOCKS, "b": int(Lock.MIGRATION)}
                    connection.execute(text("SELECT pg_advisory_xact_lock(:a, :b)"), lock)
                return _migrate(connection, location)
    finally:
        engine.dispose()


def check_encoding(connection: Connection, location: Location) -> None:
    """Raise PermanentError where a PostgreSQL database cannot hold every text."""
    if location.file is not None:
        return
    encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
    if encoding != "UTF8":
        raise PermanentError(
            f"database {location} keeps text as {encoding}, which has not all characters: "
            f"make it anew with createdb --encoding=UTF8 --template=template0"
        )


def version_of(connection: Connection) -> str | None:
    """The revision of the database's schema; None where it has none yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def _migrate(connection: Connection, location: Location) -> bool:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    if version_of(connection) == REVISION:  # another process was first, while we waited for the lock
        return False
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise PermanentError(
            f"database {location} is at schema {version_of(connection)}, which this version does not know"
            f" (it knows up to {REVISION}): run the newer agent_sre or restore a backup"
        ) from error
    return True
