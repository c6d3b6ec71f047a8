"""The short way for what nearly every request is: a plain alert message posted to a source's webhook.

Routing and the layers of middleware take longer than everything else that happens to such a message. Here it goes
straight to the webhook's endpoint, with the same checks: a length that is announced and within the limit, a body that
arrives in time, the same headers on the answer. Whatever is not that plain (a key in the path, a compressed or chunked
body, no length, one over the limit, another method) goes the long way, which knows all cases.
"""

import asyncio
from collections.abc import Mapping, Sequence

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from agent_sre.entrypoints.request_body import BodyRefused, too_late
from agent_sre.entrypoints.webhooks import Webhooks

_NOT_PLAIN = frozenset({b"content-encoding", b"transfer-encoding", b"expect"})
_MOST_DIGITS = 12


class WebhookLane:
    """ASGI application for the requests that it ``takes``."""

    def __init__(self, webhooks: Webhooks, headers: Mapping[str, str], *, max_bytes: int, seconds: float) -> None:
        self._webhooks = webhooks
        self._sources = {f"/webhooks/{source}": source for source in webhooks.doors}
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        self._max_bytes = max_bytes
        self._seconds = seconds

    def takes(self, scope: Scope) -> bool:
        """Whether the request is plain enough."""
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] not in self._sources:
            return False
        return self._is_plain(scope["headers"])

    def _is_plain(self, headers: Sequence[tuple[bytes, bytes]]) -> bool:
        length = b""
        for name, value in headers:
            if name in _NOT_PLAIN:
                return False
            if name == b"content-length":
                length = value
        return length.isdigit() and len(length) <= _MOST_DIGITS and int(length) <= self._max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def read() -> bytes:
            try:
                async with asyncio.timeout(self._seconds):
                    return await _whole(receive)
            except TimeoutError:
                raise too_late(self._seconds) from None

        answer: Response
        try:
            answer = await self._webhooks.answer(self._sources[scope["path"]], Request(scope), read)
        except BodyRefused as refused:
            answer = JSONResponse({"error": refused.error, "fix": refused.fix}, refused.status, {"Connection": "close"})
        headers = [*answer.raw_headers, *self._headers]
        await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})


async def _whole(receive: Receive) -> bytes:
    """The body, which the server keeps to its announced length."""
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        return bytes(message["body"])
    parts: list[bytes] = []
    while message["type"] == "http.request":
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)
        message = await receive()
    raise ClientDisconnect
