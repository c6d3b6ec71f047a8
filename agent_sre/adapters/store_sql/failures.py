"""Database failures as the product's two kinds of error, each with the value met and the fix.

Whatever may pass by itself or by an operator's hand while the service runs (a lock, a full disk, a lost server, a file
made read-only, a password that was changed) is temporary, because the caller still holds what it wanted to store. So
what an operator must set right is permanent only while the database is being opened: then there is nothing to hold yet,
and trying again would hide it. Damage, and statements the database will never accept, are permanent.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import (
    DBAPIError,
    InterfaceError,
    InternalError,
    OperationalError,
    SQLAlchemyError,
    StatementError,
    TimeoutError as PoolTimeoutError,
)

from agent_sre.adapters.store_sql.failures_postgresql import Remedy, remedy, words_of
from agent_sre.domain.errors import AgentSreError, PermanentError, TemporaryError

_SQLITE: tuple[tuple[str, type[AgentSreError], str], ...] = (
    ("SQLITE_BUSY", TemporaryError, "another process holds its write lock; it is tried again, or stop that process"),
    ("SQLITE_LOCKED", TemporaryError, "another connection holds its write lock; it is tried again"),
    ("SQLITE_FULL", TemporaryError, "the disk or the quota is full; free space or move the database"),
    ("SQLITE_IOERR", TemporaryError, "reading or writing the disk failed; look at the disk and the kernel log"),
    ("SQLITE_CANTOPEN", TemporaryError, "it cannot be opened; check the path, its owner and the open-files limit"),
    ("SQLITE_READONLY", TemporaryError, "it is not writable; check owner and mode of the file and of its directory"),
    ("SQLITE_CORRUPT", PermanentError, "it is damaged; stop the service and restore a backup"),
    ("SQLITE_NOTADB", PermanentError, "it is not a SQLite database; give another path"),
)
_PASSING = (OperationalError, InterfaceError, InternalError)


def translate(error: SQLAlchemyError | sqlite3.Error, database: str, opening: bool = False) -> AgentSreError:
    """The error to raise instead; ``database`` is the file or the URL without its password."""
    cause = error.orig if isinstance(error, StatementError) and error.orig is not None else error
    code = getattr(cause, "sqlite_errorname", "") or ""
    for prefix, kind, fix in _SQLITE:
        if code.startswith(prefix):
            return kind(f"database {database}: {cause} ({code}): {fix}")
    if isinstance(error, PoolTimeoutError):
        return TemporaryError(f"database {database}: all connections are in use: {cause}; try again")
    found = remedy(cause)
    if found is not None:
        return _remedied(found, database, opening)
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return TemporaryError(f"database {database}: the connection was lost: {words_of(cause)}; try again")
    if isinstance(error, _PASSING) and code != "SQLITE_ERROR":  # SQLITE_ERROR: the statement itself, such as no table
        return TemporaryError(f"database {database}: {words_of(cause)}; check that it is reachable and try again")
    return PermanentError(f"database {database} refused: {words_of(cause)}; if tables are missing, run the migrations")


def _remedied(found: Remedy, database: str, opening: bool) -> AgentSreError:
    permanent = found.for_good or (opening and found.by_hand)
    kind = PermanentError if permanent else TemporaryError
    return kind(f"database {database}: {found.said}: {found.fix}")


@contextmanager
def translated(database: str, *, opening: bool = False) -> Iterator[None]:
    """Raise TemporaryError or PermanentError for whatever the database raises inside."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise translate(error, database, opening) from error
    except UnicodeEncodeError as error:
        raise PermanentError(
            f"text with the lone surrogate {error.object[error.start]!r} cannot be stored: clean it first"
        ) from error
    except ConnectionError as error:
        raise TemporaryError(f"database {database}: {error}; check that it is reachable and try again") from error
