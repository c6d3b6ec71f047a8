"""Silences of another system, asked for in the background and at most so often; none while nobody can tell.

An alert must not be lost because a silence may exist: as long as the other system does not answer, nothing is silenced,
and that is said (``check``). The first answer is waited for, within the reader's own time, so that a restart does not
open an incident for each silenced alert.
"""

import asyncio
import time
from collections.abc import Callable

import structlog

from agent_sre.domain.errors import AgentSreError
from agent_sre.domain.suppression import Silence
from agent_sre.ingest.matchers import usable
from agent_sre.ports.health import Check, CheckState
from agent_sre.ports.suppression import SilenceReader

log = structlog.get_logger()


class SilenceCache:
    """``every`` is in seconds. Belongs to one event loop."""

    def __init__(self, reader: SilenceReader, every: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._reader = reader
        self._every = every
        self._monotonic = monotonic
        self._silences: tuple[Silence, ...] = ()
        self._problem = ""
        self._asked: float | None = None
        self._asking: asyncio.Task[None] | None = None

    async def current(self) -> tuple[Silence, ...]:
        """The last answer; a new one is asked for where it is old."""
        now = self._monotonic()
        first = self._asked is None
        if first or (now - (self._asked or 0.0) >= self._every and (self._asking is None or self._asking.done())):
            self._asked = now
            self._asking = asyncio.create_task(self._ask(), name="read silences")
        if first and self._asking is not None:
            await asyncio.shield(self._asking)
        return self._silences

    def check(self) -> Check:
        """For ``/readyz``."""
        if self._problem:
            fix = "alerts are taken in, but what it would silence is not; see agent-sre doctor"
            return Check("silences", CheckState.WARNING, self._problem, fix)
        return Check("silences", CheckState.OK, f"{len(self._silences)} known")

    async def close(self) -> None:
        """End what is under way, and the connections."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait([self._asking])
        await self._reader.close()

    async def _ask(self) -> None:
        try:
            found = await self._reader.silences()
            self._silences = tuple(item for item in found.items if usable(item.matchers))
            unusable = len(found.items) - len(self._silences)
            self._problem = found.gap or (f"{unusable} silences have matchers that RE2 refuses" if unusable else "")
        except AgentSreError as error:
            if not self._problem:
                log.warning("silences are not known", why=str(error))
            self._silences, self._problem = (), str(error)
