"""A back end over real sockets whose answers are recorded or computed, and that can fail in all the usual ways.

A server of one protocol gives ``Recorded`` a handler; everything that a protocol does not decide is here: listening,
keeping the requests, and playing faults: an error status with any body, silence, a cut connection, a drip, or an
answer of any length.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came in."""

    method: str
    path: str
    fields: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Fault:
    """What a request is answered with instead. Status 0 cuts the connection before an answer.

    ``body`` is sent ``times`` times, after ``delay`` seconds, with ``pause`` seconds between; ``cut`` closes the
    connection after that, in the middle of the answer.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    times: int = 1
    pause: float = 0.0
    cut: bool = False


class Recorded:
    """Serves one handler. ``faults`` are used up one per request, before the handler is asked."""

    def __init__(self, answer: Callable[[Request], Awaitable[web.Response]]) -> None:
        self._answer = answer
        self.url = ""
        self.requests: list[Request] = []
        self.faults: list[Fault] = []

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Recorded"]:
        """Listen on a free loopback port while the block runs; ``url`` says where."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        form = await request.post() if request.content_type == "application/x-www-form-urlencoded" else {}
        fields = {**dict(request.query), **{key: str(value) for key, value in form.items()}}
        seen = Request(request.method, request.path, fields, dict(request.headers), body)
        self.requests.append(seen)
        if self.faults:
            return await _play(self.faults.pop(0), request)
        return await self._answer(seen)


async def _play(fault: Fault, request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(fault.delay)
    if fault.status == 0:
        _cut(request)
        return web.Response()
    response = web.StreamResponse(status=fault.status, headers=dict(fault.headers))
    await response.prepare(request)
    with contextlib.suppress(ConnectionError):
        for _ in range(fault.times):
            await response.write(fault.body)
            await asyncio.sleep(fault.pause)
        if fault.cut:
            _cut(request)
        else:
            await response.write_eof()
    return response


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
