"""The service's HTTP side: routes, limits, headers, and the last resort for what nobody foresaw.

``bootstrap`` builds the application from a ``Service`` and appends the console's routes. The order of the middleware
is its meaning: the last resort is outermost, so that even an error in another middleware is answered as JSON with an
id that is in the log, never with a traceback or a dropped connection. Handlers translate; what they call decides.
"""

import secrets
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol

import structlog
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent_sre.entrypoints.health import Health
from agent_sre.entrypoints.openapi import openapi_route
from agent_sre.entrypoints.request_body import BodyLimits
from agent_sre.entrypoints.telemetry import Telemetry
from agent_sre.entrypoints.webhook_lane import WebhookLane
from agent_sre.entrypoints.webhooks import Webhooks

SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""For every answer that does not set the header itself."""

log = structlog.get_logger()


class Lifespan(Protocol):
    """What runs beside the server: entered before the first request, left after the last."""

    def __call__(self, app: Starlette) -> AbstractAsyncContextManager[None]: ...


@dataclass(frozen=True, slots=True)
class Service:
    """What the HTTP side serves. ``body_seconds`` is how long a request's body may take to arrive."""

    webhooks: Webhooks
    health: Health
    telemetry: Telemetry
    max_body_bytes: int = 5_000_000
    body_seconds: float = 30.0
    security_headers: Mapping[str, str] = field(default_factory=lambda: SECURITY_HEADERS)


def build_app(service: Service, *, extra_routes: Sequence[BaseRoute] = (), lifespan: Lifespan | None = None) -> ASGIApp:
    """The ASGI application. ``extra_routes`` come after the service's own."""
    whole = Starlette(
        routes=[*service.webhooks.routes(), openapi_route(), *service.health.routes(), *extra_routes],
        middleware=[
            Middleware(LastResort, telemetry=service.telemetry),
            Middleware(SecurityHeaders, headers=service.security_headers),
            Middleware(BodyLimits, max_bytes=service.max_body_bytes, seconds=service.body_seconds),
        ],
        exception_handlers={HTTPException: _http_error},
        lifespan=lifespan,
    )
    lane = WebhookLane(
        service.webhooks,
        service.security_headers,
        max_bytes=service.max_body_bytes,
        seconds=service.body_seconds,
    )
    short = LastResort(lane, service.telemetry)

    async def entrance(scope: Scope, receive: Receive, send: Send) -> None:
        await (short if lane.takes(scope) else whole)(scope, receive, send)

    return entrance


async def _http_error(request: Request, error: Exception) -> Response:
    """Unknown paths and methods, as JSON."""
    if not isinstance(error, HTTPException):
        raise error
    methods = (error.headers or {}).get("Allow", "")
    fixes = {
        HTTPStatus.NOT_FOUND: "post alerts to /webhooks/<source> (/openapi.json lists them); the console is at /",
        HTTPStatus.METHOD_NOT_ALLOWED: f"use {methods}" if methods else "use another method",
    }
    content = {"error": error.detail, "fix": fixes.get(HTTPStatus(error.status_code), "see the documentation")}
    return JSONResponse(content, error.status_code, error.headers)


class SecurityHeaders:
    """Middleware that adds the headers an answer does not set itself."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        self.app = app
        self.headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, add if scope["type"] == "http" else send)


class LastResort:
    """Middleware that ends every unforeseen error: logged under an id, answered as 500 with no more than that id."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self.app = app
        self.telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception:
            if scope["type"] != "http":
                raise
            error_id = secrets.token_hex(6)
            self.telemetry.unforeseen("http")
            # The route's pattern, not the path: a path may carry anything.
            log.exception("unforeseen error", error_id=error_id, method=scope["method"], route=_route(scope))
            if started:
                # Half an answer is out: only a broken connection tells the client that it is not whole.
                raise
            content = {"error": "internal error", "error_id": error_id, "fix": "look for the id in the service's log"}
            await JSONResponse(content, 500, SECURITY_HEADERS)(scope, receive, send)


def _route(scope: Scope) -> str:
    return str(getattr(scope.get("route"), "path", "unknown"))
