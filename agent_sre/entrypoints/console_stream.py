"""Live updates: server-sent events that say "this changed, fetch it again", never what it is now.

A stream carries a revision word and nothing else, so that everything shown went through the same page, the same
escaping and the same login. In one process a change is heard at once (``ChangeSignal.notify``); with several replicas,
or a writer that did not notify, the revision is read again every few seconds. Streams are few, end by themselves, and
end at once when the server stops: an open stream would otherwise hold up a shutdown. Called by ``console``.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType

from starlette.responses import StreamingResponse

from agent_sre.domain.errors import TemporaryError

LIST = "incidents"
"""The topic of the list page; an incident's topic is its id."""

_RETRY_MS = 2000


@dataclass(slots=True)
class ChangeSignal:
    """Who listens to what, in this process. ``notify`` and ``close`` are called on the event loop's thread."""

    max_streams: int = 64
    _listeners: dict[str, set[asyncio.Event]] = field(default_factory=dict)
    _count: int = 0
    _closed: bool = False

    @property
    def closed(self) -> bool:
        """Whether the server is going away."""
        return self._closed

    @property
    def full(self) -> bool:
        """Whether there is no room for another stream."""
        return self._count >= self.max_streams

    def notify(self, incident_id: str) -> None:
        """Something about this incident changed; wakes its page and the list."""
        for topic in (incident_id, LIST):
            for event in self._listeners.get(topic, ()):
                event.set()

    def close(self) -> None:
        """End all streams now. Call it as soon as the server is told to stop, before it waits for connections."""
        self._closed = True
        for events in self._listeners.values():
            for event in events:
                event.set()

    def listen(self, topic: str) -> "Listener":
        """An async context in which ``topic`` is listened to."""
        return Listener(self, topic)

    def _add(self, topic: str, event: asyncio.Event) -> None:
        self._listeners.setdefault(topic, set()).add(event)
        self._count += 1

    def _remove(self, topic: str, event: asyncio.Event) -> None:
        self._listeners[topic].discard(event)
        self._count -= 1
        if not self._listeners[topic]:
            del self._listeners[topic]


class Listener:
    """One stream's ear."""

    def __init__(self, signal: ChangeSignal, topic: str) -> None:
        self._signal = signal
        self._topic = topic
        self._event = asyncio.Event()

    async def __aenter__(self) -> "Listener":
        self._signal._add(self._topic, self._event)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._signal._remove(self._topic, self._event)

    async def wait(self, seconds: float) -> None:
        """Until something changed, the server stops, or ``seconds`` have passed."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return
        self._event.clear()


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between looks at the stored revision, between signs of life, and until a stream ends by itself."""

    poll: float = 2.0
    heartbeat: float = 15.0
    longest: float = 3600.0


def stream_response(
    signal: ChangeSignal, topic: str, read_revision: Callable[[], Awaitable[str | None]], pace: Pace
) -> StreamingResponse:
    """The stream of a topic. It ends when ``read_revision`` gives None: there is nothing to watch any more."""
    return StreamingResponse(_events(signal, topic, read_revision, pace), media_type="text/event-stream")


async def _events(
    signal: ChangeSignal, topic: str, read_revision: Callable[[], Awaitable[str | None]], pace: Pace
) -> AsyncIterator[str]:
    time = asyncio.get_running_loop().time
    async with signal.listen(topic) as listener:
        last: str | None = ""
        ends, alive = time() + pace.longest, time()
        yield f"retry: {_RETRY_MS}\n\n"
        while not signal.closed and time() < ends:
            try:
                revision = await read_revision()
            except TemporaryError:
                revision = last  # the database is away: say nothing, look again
            if revision is None:
                return
            if revision != last:
                last, alive = revision, time()
                yield f"event: changed\ndata: {revision}\n\n"
            elif time() - alive >= pace.heartbeat:
                alive = time()
                yield ": still here\n\n"
            await listener.wait(min(pace.poll, pace.heartbeat))
