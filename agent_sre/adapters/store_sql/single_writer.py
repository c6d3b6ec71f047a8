"""One serving process per database.

SQLite lets two processes write in turn, and PostgreSQL any number at once, but two services on one database would both
work on every incident: there are no leases yet. Of a SQLite file the lock is the kernel's, so it ends with the
process however it dies; the process number in the file is only for the message. PostgreSQL's is in a module of its own.
Held by the composition root for as long as it serves; readers need no lock.
"""

import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType

from agent_sre.adapters.store_sql.database import Fence, unfenced
from agent_sre.adapters.store_sql.location import Location
from agent_sre.adapters.store_sql.single_writer_postgresql import ServerLock
from agent_sre.domain.errors import PermanentError


@asynccontextmanager
async def single_writer(url: str, *, wait_seconds: float = 10.0) -> AsyncIterator[Fence]:
    """Be the one that serves from the database; gives what the store calls around each write (``open_store``).

    Raises PermanentError, naming the process that serves from it already. On PostgreSQL that one is waited for, for
    ``wait_seconds``: it may have died with its machine, which the server notices a little later.
    """
    location = Location.parse(url)
    if location.file is not None:
        with FileLock(location.file):
            yield unfenced
        return
    async with ServerLock(location, wait_seconds) as lock:
        yield lock.check


class FileLock:
    """A context manager that holds ``FILE.lock``."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._descriptor: int | None = None

    def __enter__(self) -> "FileLock":
        """Take the lock; PermanentError, naming the process that holds it, where it is taken."""
        file = self._file
        path = file.with_name(file.name + ".lock")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise PermanentError(
                f"lock file {path} cannot be opened: {error.strerror}; check owner and mode"
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(descriptor, 20).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise PermanentError(
                f"database {file} is in use by process {holder}; stop it, or give this one another database"
            ) from error
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._descriptor = descriptor
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go. The file stays: removing it would let two processes lock two files of one name."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
