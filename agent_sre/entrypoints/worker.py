"""The worker: folds accepted alerts into incidents and carries due incidents on, until it is told to stop.

Woken after every accepted alert and every decision; polling is the fallback for what another process did. The loop
itself never waits for an investigation. An incident is never carried on twice at once here (other replicas are kept
away by the store), and one that fails is put off, with a note on its timeline: it stops neither the loop nor the
other incidents.

Nothing is kept in memory that a restart would miss: what is due is in the store. Built and run by the composition
root.
"""

import asyncio
import math
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import structlog

from agent_sre.domain.errors import AgentSreError, TemporaryError
from agent_sre.domain.incident import Incident
from agent_sre.entrypoints.backoff import Backoff
from agent_sre.entrypoints.telemetry import Advance, Telemetry
from agent_sre.ports.clock import Clock
from agent_sre.ports.health import Check, CheckState

Fold = Callable[[], Awaitable[int]]
Due = Callable[[datetime, int], Awaitable[Sequence[Incident]]]
Postpone = Callable[[str, datetime, str], Awaitable[None]]

STALLED_SECONDS = 60.0
_MANY = 1_000
"""Alerts of one fold from which on it is looked again at once."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Duties:
    """What the worker does, as calls into the service.

    ``fold``: alerts to incidents, returns how many. ``due``: incidents that are due at a moment, at most so many.
    ``advance``: carry one on. ``postpone``: after a failure, set when it is due again and note the sentence. ``send``:
    tell alert sources what is due, returns how many; never waited for.
    """

    fold: Fold
    due: Due
    advance: Callable[[str], Awaitable[None]]
    postpone: Postpone
    send: Fold | None = None


@dataclass(slots=True)
class _Under:
    """An incident under way, or the last time it was: it is not taken up again at once if nothing has changed."""

    due_at: datetime | None
    version: int
    finished: float | None = None


@dataclass(slots=True)
class Worker:
    """The loop. ``poll_seconds``: how long it sleeps when nobody wakes it; ``pause_seconds``: the least between rounds
    that somebody woke it for.

    The pause makes one round of many wakes: in a storm, folding each alert by itself would slow down accepting them.
    The first wake after a quiet time is heeded at once.
    """

    duties: Duties
    clock: Clock
    telemetry: Telemetry
    concurrency: int = 4
    poll_seconds: float = 1.0
    pause_seconds: float = 0.1
    backoff: Backoff = field(default_factory=Backoff)
    _wakened: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _seen: dict[str, _Under] = field(default_factory=dict)
    _stopping: bool = False
    _loop: asyncio.Task[None] | None = None
    _sending: asyncio.Task[None] | None = None
    _beat: float = field(default_factory=time.monotonic)
    _woken: float = -math.inf

    def start(self) -> None:
        """Begin, in the running event loop."""
        self._loop = asyncio.create_task(self._run(), name="worker")

    def wake(self) -> None:
        """Look at once; something was accepted or decided. Call it on the event loop's thread."""
        self._wakened.set()

    async def stop(self, seconds: float = 10.0) -> None:
        """Take nothing new up, let what is under way end for so long, then cancel it.

        A cancelled investigation goes on from its last checkpoint after the next start.
        """
        self._stopping = True
        self.wake()
        waiting = {task for task in (self._loop, self._sending, *self._tasks.values()) if task is not None}
        if not waiting:
            return
        _, late = await asyncio.wait(waiting, timeout=seconds)
        for task in late:
            task.cancel()
        if late:
            log.warning("work under way was cut off", tasks=len(late))
            await asyncio.wait(late)

    def check(self) -> Check:
        """Whether the loop goes round, for ``/readyz``."""
        silent = time.monotonic() - self._beat
        if self._loop is None or self._loop.done():
            return Check("worker", CheckState.FAILED, "the loop does not run", "restart the service")
        if silent > STALLED_SECONDS + self.poll_seconds:
            return Check("worker", CheckState.FAILED, f"the loop has been silent for {silent:.0f} s", "see the log")
        return Check("worker", CheckState.OK, f"{len(self._tasks)} investigations under way")

    async def _run(self) -> None:
        while not self._stopping:
            self._wakened.clear()
            self._beat = time.monotonic()
            self.telemetry.beat(self.clock.now().timestamp())
            await self._contained("fold", self._fold)
            await self._contained("due", self._take_up)
            self._begin_to_send()
            await self._rest()

    def _begin_to_send(self) -> None:
        """Another system's answer is not waited for, and never asked for twice at once."""
        send = self.duties.send
        if send is None or self._sending is not None or self._stopping:
            return

        async def call() -> None:
            await send()

        self._sending = asyncio.create_task(self._sent(call), name="send")

    async def _sent(self, call: Callable[[], Awaitable[None]]) -> None:
        try:
            await self._contained("send", call)
        finally:
            self._sending = None

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(self.poll_seconds):
                await self._wakened.wait()
        except TimeoutError:
            return
        since = time.monotonic() - self._woken
        if not self._stopping and since < self.pause_seconds:
            await asyncio.sleep(self.pause_seconds - since)
        self._woken = time.monotonic()

    async def _fold(self) -> None:
        started = time.perf_counter()
        folded = await self.duties.fold()
        self.telemetry.folded(folded, time.perf_counter() - started)
        if folded >= _MANY:
            self.wake()  # more may wait: a fold does only so much at a time

    async def _take_up(self) -> None:
        free = self.concurrency - len(self._tasks)
        if free <= 0 or self._stopping:
            return
        now = self.clock.now()
        # Those under way are still due in the store, and so may be some that rest.
        due = await self.duties.due(now, free + len(self._tasks) + len(self._seen))
        self._forget({incident.id for incident in due})
        ready = [incident for incident in due if incident.id not in self._tasks and not self._rests(incident)]
        for incident in ready[:free]:
            lag = (now - incident.due_at).total_seconds() if incident.due_at else 0.0
            self.telemetry.started(lag)
            self._seen[incident.id] = _Under(incident.due_at, incident.version)
            task = asyncio.create_task(self._advance(incident.id), name=f"advance {incident.id}")
            self._tasks[incident.id] = task
            task.add_done_callback(partial(self._ended, incident.id))

    def _rests(self, incident: Incident) -> bool:
        """Whether it was carried on just now and nothing has changed since: again at once would be a busy loop."""
        seen = self._seen.get(incident.id)
        if seen is None or seen.finished is None or (seen.due_at, seen.version) != (incident.due_at, incident.version):
            return False
        return time.monotonic() < seen.finished + self.poll_seconds

    def _forget(self, due: set[str]) -> None:
        for incident_id in [name for name in self._seen if name not in due and name not in self._tasks]:
            del self._seen[incident_id]

    def _ended(self, incident_id: str, task: asyncio.Task[None]) -> None:
        del self._tasks[incident_id]
        if incident_id in self._seen:
            self._seen[incident_id].finished = time.monotonic()
        self.wake()

    async def _advance(self, incident_id: str) -> None:
        started = time.perf_counter()
        outcome = Advance.FAILED
        try:
            failure = await self._contained("advance", partial(self.duties.advance, incident_id), incident_id)
            if failure is None:
                self.backoff.succeeded(incident_id)
                outcome = Advance.DONE
            else:
                outcome = Advance.RETRY if isinstance(failure.error, TemporaryError) else Advance.FAILED
                await self._contained("postpone", partial(self._postpone, incident_id, failure), incident_id)
        finally:
            self.telemetry.advanced(outcome, time.perf_counter() - started)

    async def _postpone(self, incident_id: str, failure: "Failure") -> None:
        temporary = isinstance(failure.error, TemporaryError)
        asked = failure.error.retry_after if isinstance(failure.error, TemporaryError) else None
        wait = self.backoff.failed(incident_id, temporary=temporary, at_least=asked or 0.0)
        sentence = f"The investigation stopped: {failure.sentence}; tried again in {_duration(wait)}"
        await self.duties.postpone(incident_id, self.clock.now() + wait, sentence)

    async def _contained(
        self, duty: str, call: Callable[[], Awaitable[None]], incident_id: str = ""
    ) -> "Failure | None":
        """The last resort: whatever goes wrong in one duty is logged and counted, and ends here."""
        try:
            await call()
        except Exception as error:
            if isinstance(error, TemporaryError):
                log.warning("put off", duty=duty, incident=incident_id, reason=str(error))
                return Failure(error, str(error))
            error_id = secrets.token_hex(6)
            self.telemetry.unforeseen(duty)
            log.exception("duty failed", duty=duty, incident=incident_id, error_id=error_id)
            # Our own errors are written for people; what others raise may quote anything.
            said = str(error) if isinstance(error, AgentSreError) else f"unforeseen {type(error).__name__}"
            return Failure(error, f"{said} (error {error_id} in the log)")
        return None


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong, and that in words for the timeline."""

    error: Exception
    sentence: str


def _duration(wait: timedelta) -> str:
    seconds = wait.total_seconds()
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
