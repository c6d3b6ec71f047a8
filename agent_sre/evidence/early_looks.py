"""Looks at a back end that begin when an alert is accepted, before there is an incident that they could belong to.

A person who opens an incident wants the alert's own figures at once; without this they wait for the incident, for its
investigation and for three commits. So the one question that follows from the alert alone is put while the alert is
being committed. Its answer is stored with the new incident, or right after it where the back end is slower than we are,
and the investigation takes it over instead of asking again.

Nothing depends on it: looks live in memory, and what a crash loses the investigation asks by itself. Nobody waits for
one but the collector that would put the same question. And they are few, whatever comes in: one per group, some at a
time, two a second; the alerts of a storm get their figures from their investigations.
"""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Container, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.evidence import Observation

Seen = tuple[Observation, ...]
Ask = Callable[[], Awaitable[Seen]]
"""Puts the question; what was seen, redacted, nothing where the back end refuses. Bounded in time."""
Store = Callable[[str, int, Sequence[Observation]], Awaitable[None]]
"""Keeps observations of an incident's run."""
_KEPT = 32
"""Answers that wait for somebody to take them."""
_REMEMBERED = 1_000


@dataclass(frozen=True, slots=True)
class LookLimits:
    """How many looks there may be: under way together, at once after a quiet time, per second in the long run.

    A group is not looked at again for ``apart_seconds``.
    """

    together: int = 4
    at_once: int = 8
    per_second: float = 2.0
    apart_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Look:
    """One of them: for the group's message that was received at a moment."""

    group_key: str
    received_at: datetime
    task: "asyncio.Task[Seen]"

    @property
    def seen(self) -> Seen:
        """What it has seen so far."""
        return self.task.result() if _has_ended(self.task) else ()


class EarlyLooks:
    """Looks by their group until the incident is known, then by its run. Belongs to one event loop."""

    def __init__(
        self, store: Store, limits: LookLimits | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._limits = limits or LookLimits()
        self._monotonic = monotonic
        self._left = float(self._limits.at_once)
        self._filled_at = monotonic()
        # Held here, since the loop holds its tasks only weakly.
        self._asking: set[asyncio.Task[Seen]] = set()
        self._keeping: set[asyncio.Task[Seen]] = set()
        self._begun: OrderedDict[str, float] = OrderedDict()
        self._by_group: OrderedDict[str, Look] = OrderedDict()
        self._by_run: OrderedDict[tuple[str, int], asyncio.Task[Seen]] = OrderedDict()

    def may_begin(self, group_key: str) -> bool:
        """Whether another look may begin; cheap, since every accepted message asks."""
        now, limits = self._monotonic(), self._limits
        self._left = min(self._left + (now - self._filled_at) * limits.per_second, limits.at_once)
        self._filled_at = now
        if self._left < 1:
            return False
        if now < self._begun.get(group_key, -math.inf) + limits.apart_seconds:
            return False
        return len(self._asking) < limits.together

    def begin(self, group_key: str, received_at: datetime, ask: Ask) -> None:
        """Put the question for a group's message, where ``may_begin``. Returns at once."""
        if not self.may_begin(group_key):
            return
        self._left -= 1
        task = _held(self._asking, _asked(ask))
        self._by_group[group_key] = Look(group_key, received_at, task)
        _trim(self._by_group, _KEPT)
        self._begun.pop(group_key, None)  # so that the newest are the last
        self._begun[group_key] = self._monotonic()
        _trim(self._begun, _REMEMBERED)

    def find(self, group_key: str, received: Container[datetime]) -> Look | None:
        """The look for a message of the group that was received at one of the moments; an older one says nothing of
        them."""
        look = self._by_group.get(group_key)
        return look if look is not None and look.received_at in received else None

    def belongs(self, look: Look, incident_id: str, run: int, stored: Seen) -> None:
        """The incident's run has begun because of that message, and ``stored`` was stored with it.

        What a look under way will see is stored when it has.
        """
        if self._by_group.get(look.group_key) is look:
            del self._by_group[look.group_key]
        late = look.task if stored else _held(self._keeping, self._keep(look, incident_id, run))
        self._by_run[incident_id, run] = late
        _trim(self._by_run, _KEPT)

    def is_stored(self, incident_id: str, run: int) -> bool:
        """Whether there is something in the store that was seen early for the run."""
        task = self._by_run.get((incident_id, run))
        return task is not None and _has_ended(task) and bool(task.result())

    async def of(self, incident_id: str, run: int) -> Seen:
        """What is in the store that was seen early for the run; a look under way is waited for."""
        task = self._by_run.get((incident_id, run))
        if task is None:
            return ()
        await asyncio.wait([task])
        return task.result() if _has_ended(task) else ()

    async def close(self) -> None:
        """Give up what is under way."""
        tasks = self._asking | self._keeping
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(self, look: Look, incident_id: str, run: int) -> Seen:
        # Not awaited itself: whoever gives up here must not end the look.
        await asyncio.wait([look.task])
        seen = look.seen
        try:
            await self._store(incident_id, run, seen)
        except (TemporaryError, PermanentError):
            return ()  # the investigation asks, and says what is wrong
        return seen


async def _asked(ask: Ask) -> Seen:
    return await ask()


def _held(tasks: "set[asyncio.Task[Seen]]", work: Coroutine[Any, Any, Seen]) -> "asyncio.Task[Seen]":
    """The work as a task that is in the set until it ends."""
    task = asyncio.create_task(work, name="early look")
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return task


def _has_ended(task: "asyncio.Task[Seen]") -> bool:
    """Whether it has come to an end of its own."""
    return task.done() and not task.cancelled() and task.exception() is None


def _trim(items: "OrderedDict[Any, Any]", most: int) -> None:
    while len(items) > most:
        items.popitem(last=False)
