"""One serving process per SQLite file.

SQLite itself lets two processes write in turn, but two services on one file would both work on every incident: the
embedded form has no leases. The lock is the kernel's, so it ends with the process however it dies; the process number
in the file is only for the message. Held by the composition root for as long as it serves; readers need no lock.
"""

import fcntl
import os
from types import TracebackType

from agent_sre.adapters.store_sql.location import Location
from agent_sre.domain.errors import PermanentError


class SingleWriter:
    """A context manager that holds ``FILE.lock``; does nothing on PostgreSQL, which is made for several replicas."""

    def __init__(self, url: str) -> None:
        self._location = Location.parse(url)
        self._descriptor: int | None = None

    def __enter__(self) -> "SingleWriter":
        """Take the lock; PermanentError, naming the process that holds it, where it is taken."""
        file = self._location.file
        if file is None:
            return self
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
