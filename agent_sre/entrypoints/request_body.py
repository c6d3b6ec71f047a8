"""Request bodies within limits: bytes as they arrive, bytes after decompression, and time.

ASGI middleware, so that no handler can forget it and nothing is held in memory beyond the limit. A gzip body is
unpacked piece by piece and never further than the limit, so a bomb costs no more than a large body. What a client
still sends after it went over the limit is read and thrown away for a moment: closing at once would lose our answer
on its way back. Answers are not touched: a stream of events may stay open for hours.
"""

import asyncio
import zlib
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_IDENTITY = {"", "identity"}
_GZIP = {"gzip", "x-gzip"}
_DISCARD_BYTES = 64_000_000
_DISCARD_SECONDS = 3.0


class BodyRefused(Exception):
    """The body goes over a limit or cannot be unpacked: the answer to give. Ends in the middleware."""

    def __init__(self, status: int, error: str, fix: str) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.fix = fix


def too_late(seconds: float) -> BodyRefused:
    """For a body that was waited for so long."""
    error = f"the body did not arrive within {seconds:g} seconds"
    return BodyRefused(408, error, "send it again, faster or in smaller parts")


class BodyLimits:
    """Middleware that hands the application plain bodies of at most ``max_bytes``, read within ``seconds``."""

    def __init__(self, app: ASGIApp, max_bytes: int, seconds: float) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = _Body(scope, receive, self.max_bytes, self.seconds)
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(body.plain_scope(), body.receive, watch)
        except BodyRefused as refused:
            if started:
                raise
            if refused.status != HTTPStatus.REQUEST_TIMEOUT:
                await body.discard()
            answer = JSONResponse({"error": refused.error, "fix": refused.fix}, refused.status)
            answer.headers["Connection"] = "close"
            await answer(scope, receive, send)


class _Body:
    """One request's body on its way in."""

    def __init__(self, scope: Scope, receive: Receive, max_bytes: int, seconds: float) -> None:
        headers = Headers(scope=scope)
        self._scope = scope
        self._receive = receive
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._encoding = headers.get("content-encoding", "").strip().lower()
        self._length = headers.get("content-length", "")
        self._expects_continue = headers.get("expect", "").lower() == "100-continue"
        self._gzip = zlib.decompressobj(wbits=31) if self._encoding in _GZIP else None
        self._arrived = 0
        self._handed_on = 0
        self._complete = False
        self._deadline: float | None = None

    def _check_headers(self) -> None:
        if self._encoding not in _IDENTITY | _GZIP:
            raise BodyRefused(415, f"the Content-Encoding {self._encoding[:40]!r} is not known", "send gzip or nothing")
        if self._length.isdecimal() and int(self._length[:20]) > self._max_bytes:
            raise self._too_large()

    def plain_scope(self) -> Scope:
        """The request as the application sees it: an unpacked body has no encoding, and its length is not known."""
        if self._gzip is None:
            return self._scope
        scope = {**self._scope, "headers": list(self._scope["headers"])}
        headers = MutableHeaders(scope=scope)
        del headers["content-encoding"]
        del headers["content-length"]
        return scope

    async def receive(self) -> Message:
        """The application's ``receive``."""
        if self._complete:
            return await self._receive()
        if self._deadline is None:
            self._deadline = asyncio.get_running_loop().time() + self._seconds
            self._check_headers()
        message = await self._next(self._deadline)
        if message["type"] != "http.request":
            return message
        self._complete = not message.get("more_body", False)
        data = self._within_limit(message.get("body", b""))
        if self._complete and self._gzip is not None and not self._gzip.eof:
            raise BodyRefused(400, "the gzip body ends too early", "send the whole compressed body")
        return {"type": "http.request", "body": data, "more_body": not self._complete}

    async def discard(self) -> None:
        """Read on without keeping anything, so that the client is there to read its answer; for a moment only."""
        if self._expects_continue and not self._arrived:
            return
        try:
            async with asyncio.timeout(_DISCARD_SECONDS):
                while not self._complete and self._arrived < _DISCARD_BYTES:
                    message = await self._receive()
                    self._arrived += len(message.get("body", b""))
                    self._complete = not message.get("more_body", False)
        except TimeoutError:
            return

    async def _next(self, deadline: float) -> Message:
        try:
            async with asyncio.timeout_at(deadline):
                return await self._receive()
        except TimeoutError:
            raise too_late(self._seconds) from None

    def _within_limit(self, data: bytes) -> bytes:
        self._arrived += len(data)
        if self._arrived > self._max_bytes:
            raise self._too_large()
        if self._gzip is not None:
            data = self._unpack(data)
        self._handed_on += len(data)
        if self._handed_on > self._max_bytes:
            raise self._too_large()
        return data

    def _unpack(self, data: bytes) -> bytes:
        """At most one byte more than may still be handed on."""
        if self._gzip is None or not data:
            return data
        try:
            plain = b"" if self._gzip.eof else self._gzip.decompress(data, self._max_bytes - self._handed_on + 1)
        except zlib.error as error:
            raise BodyRefused(400, f"the body is not valid gzip: {error}", "send plain JSON or valid gzip") from None
        if self._gzip.eof and (self._gzip.unused_data or not plain):
            raise BodyRefused(400, "the gzip body goes on after its end", "send one gzip member")
        return plain

    def _too_large(self) -> BodyRefused:
        error = f"the body is larger than {self._max_bytes} bytes"
        return BodyRefused(413, error, "send fewer alerts at a time, or raise AGENT_SRE_MAX_BODY_BYTES")
