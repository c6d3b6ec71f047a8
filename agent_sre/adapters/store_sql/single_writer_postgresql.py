"""One serving process per PostgreSQL database: an advisory lock, held for life on a connection of its own.

The server lets the lock go when the connection ends, however the process or its machine dies. So it can also be lost
while we run: the server restarts, fails over, or the network is cut. Then nothing is written until the lock is ours
again; the process that takes it first goes on with the work, and the other waits. Between the server's letting go and
our hearing of it lies the time of one packet, at worst (a cut network, which cuts our transactions too) 15 seconds;
closing that gap, too, takes an epoch that every write is checked against, which comes with several replicas.
"""

import asyncio
import contextlib
from types import TracebackType
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from agent_sre.adapters.store_sql.database import LOCKS, Lock
from agent_sre.adapters.store_sql.failures import translated
from agent_sre.adapters.store_sql.location import Location
from agent_sre.domain.errors import PermanentError, TemporaryError

_NAME = {"a": LOCKS, "b": int(Lock.WRITER)}
_TAKE = text("SELECT pg_try_advisory_lock(:a, :b)")
_HOLDER = text("""
SELECT a.application_name AS name, host(a.client_addr) AS address, a.backend_start AS since
FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.classid::bigint = :a AND l.objid::bigint = :b
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
""")
_SESSION = {
    # The server's side of noticing that we are gone without a word: it must not keep a dead machine's lock for hours.
    "tcp_keepalives_idle": 5,
    "tcp_keepalives_interval": 3,
    "tcp_keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "statement_timeout": 5_000,
}
_LOOK_SECONDS = 5.0
"""How often a quiet connection is asked whether it is still there."""


def _told(holder: Row[Any] | None) -> str:
    if holder is None:
        return "a process that is just ending"
    if holder.since is None:  # another role's session, of which the server tells us the name alone
        return str(holder.name)
    return f"{holder.name} on {holder.address or 'the database server'} since {holder.since:%Y-%m-%dT%H:%M:%SZ}"


class ServerLock:
    """An async context manager. ``wait_seconds``: how long a holder is waited for, which may be just about to end."""

    def __init__(self, location: Location, wait_seconds: float = 10.0) -> None:
        self._location = location
        self._wait_seconds = wait_seconds
        self._engine = location.async_engine(busy_seconds=5.0).execution_options(isolation_level="AUTOCOMMIT")
        self._connection: AsyncConnection | None = None
        self._watch: asyncio.Task[None] | None = None
        self._why = ""

    def check(self) -> None:
        """Raise TemporaryError while the lock is not ours."""
        if self._why:
            raise TemporaryError(
                f"database {self._location} is not written to by this process for now: {self._why}; "
                f"it goes on by itself once it has the database's lock again"
            )

    async def __aenter__(self) -> "ServerLock":
        """Take the lock; PermanentError, naming the process that holds it, where it is taken."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._wait_seconds
        async with contextlib.AsyncExitStack() as undo:
            undo.push_async_callback(self._engine.dispose)
            while holder := await self._try(opening=True):
                if loop.time() > deadline:
                    raise PermanentError(
                        f"database {self._location} is in use by {holder}; stop it, or give this one another database"
                    )
                await asyncio.sleep(0.2)
            undo.pop_all()
        self._watch = asyncio.create_task(self._keep(), name="hold the database's lock")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go."""
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        if self._connection is not None:
            await self._connection.close()
        await self._engine.dispose()

    async def _try(self, *, opening: bool = False) -> str:
        """Take the lock on a connection of its own: "" where that worked, else who has it."""
        with translated(str(self._location), opening=opening):
            connection = await self._engine.connect()
            try:
                for name, value in _SESSION.items():
                    await connection.execute(text("SELECT set_config(:a, :b, false)"), {"a": name, "b": str(value)})
                if (await connection.execute(_TAKE, _NAME)).scalar_one():
                    self._connection = connection
                    return ""
                holder = (await connection.execute(_HOLDER, _NAME)).one_or_none()
                return _told(holder)
            finally:
                if self._connection is not connection:
                    await connection.invalidate()  # its settings are nobody else's
                    await connection.close()

    async def _keep(self) -> None:
        while True:
            try:
                with translated(str(self._location)):
                    await self._until_lost()
            except (TemporaryError, PermanentError) as error:
                self._why = f"the connection that held its lock was lost ({error})"
            await self._regain()

    async def _until_lost(self) -> None:
        """Return never: raise once the connection is gone. A socket that can be read without a question says so."""
        connection = self._connection
        if connection is None:
            return
        self._connection = None
        loop = asyncio.get_running_loop()
        try:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            while True:
                readable = asyncio.Event()
                loop.add_reader(driver.fileno(), readable.set)
                try:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(_LOOK_SECONDS):
                            await readable.wait()
                finally:
                    loop.remove_reader(driver.fileno())
                await connection.execute(text("SELECT 1"))
        finally:
            await connection.close()

    async def _regain(self) -> None:
        pause = 0.1
        while True:
            try:
                holder = await self._try()
            except (TemporaryError, PermanentError) as error:
                self._why = str(error)
            else:
                if not holder:
                    self._why = ""
                    return
                self._why = f"{holder} took it over"
            await asyncio.sleep(pause)
            pause = min(pause * 2, 2.0)
