"""``POST /webhooks/<source>``: translate HTTP to the accepting service and its outcome to a status a source acts on.

2xx means durably committed. 4xx means that sending the same again is useless, and the answer says what to change, but
for 429, which says when to send it again. 503 with Retry-After means that the store is down and the source must try
again. Alertmanager repeats on 5xx only. A CloudEvent in binary mode, which has its attributes in headers, is put into
the structured form that parsers read. Who may come in is ``webhook_door``'s part.
"""

import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from math import ceil

import orjson
import structlog
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from agent_sre.domain.errors import TemporaryError
from agent_sre.entrypoints.request_body import BodyRefused
from agent_sre.entrypoints.telemetry import Intake, Telemetry
from agent_sre.entrypoints.webhook_auth import Admission
from agent_sre.entrypoints.webhook_door import Door
from agent_sre.service.accept_payload import Accepted, Delivery, Refusal, RefusedPayload
from agent_sre.service.alert_sources import SOURCES

Accept = Callable[[Delivery], Awaitable[Accepted]]
"""The service that accepts for a source, with its ports."""

RETRY_AFTER = 5.0
_CLOUDEVENTS = frozenset({"cloudevents", "changes"})
"""Webhooks that read CloudEvents."""
_ORIGIN = re.compile(r"[A-Za-z0-9.-]{1,253}")
_FORM = "application/x-www-form-urlencoded"
_NOT_JSON = frozenset({"text/html", "text/xml", "application/xml", "text/css"})
_NOT_JSON_FAMILIES = ("multipart/", "image/", "audio/", "video/", "font/")
_FORBIDDEN = frozenset({Admission.NETWORK, Admission.FORGED, Admission.STALE, Admission.FOREIGN})
_STATUS = {Refusal.UNREADABLE: (400, Intake.UNREADABLE), Refusal.TOO_LARGE: (413, Intake.TOO_LARGE)}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Webhooks:
    """What the webhook routes need. ``wake`` tells the worker that something waits; ``doors`` are by source."""

    accept: Accept
    wake: Callable[[], None]
    doors: Mapping[str, Door]
    telemetry: Telemetry

    def routes(self) -> list[Route]:
        """For each source in ``doors`` one route, and one that ends in a key."""
        endpoints = {source: self._endpoint(source) for source in self.doors}
        routes = [
            Route(f"/webhooks/{source}{key}", endpoint, methods=["POST"], name=f"webhook:{source}{key}")
            for source, endpoint in endpoints.items()
            for key in ("", "/{key}")
        ]
        agrees = [
            f"/webhooks/{source}{key}" for source in sorted(_CLOUDEVENTS & set(self.doors)) for key in ("", "/{key}")
        ]
        return [*routes, *(Route(path, self._agree, methods=["OPTIONS"]) for path in agrees)]

    async def _agree(self, request: Request) -> Response:
        """CloudEvents' handshake: a broker asks whether it may post here; yes to whoever could post."""
        source = request.url.path.split("/")[2]
        door, origin = self.doors[source], request.headers.get("webhook-request-origin", "")
        admission = door.judge(request)
        if admission is not Admission.ADMITTED:
            return denied(source, admission, door)
        if not _ORIGIN.fullmatch(origin):
            return _refused(400, "the WebHook-Request-Origin is no host name", "send the name of the sending host")
        return Response(headers={"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*", "Allow": "POST"})

    def _endpoint(self, source: str) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            return await self.answer(source, request, request.body)

        return endpoint

    async def answer(self, source: str, request: Request, read: Callable[[], Awaitable[bytes]]) -> Response:
        """Answer one request to a source's webhook; ``read`` gives its body. Passes BodyRefused on."""
        started = time.perf_counter()
        try:
            response, outcome, alerts = await self._handle(source, request, read)
        except BodyRefused as refused:
            # Counted here, answered by the caller, who also deals with the rest of the body.
            outcome = Intake.TOO_LARGE if refused.status == 413 else Intake.UNREADABLE
            self._note(source, outcome, started)
            raise
        self._note(source, outcome, started, alerts)
        return response

    def _note(self, source: str, outcome: Intake, started: float, alerts: int = 0) -> None:
        self.telemetry.request(source, outcome, time.perf_counter() - started, alerts)
        if outcome not in {Intake.ACCEPTED, Intake.GONE, Intake.OVER_QUOTA}:
            # Not why: that may quote the payload, which is in quarantine.
            log.warning("not accepted", source=source, outcome=outcome.value)

    async def _handle(
        self, source: str, request: Request, read: Callable[[], Awaitable[bytes]]
    ) -> tuple[Response, Intake, int]:
        door = self.doors[source]
        admission = door.judge(request)
        if admission is not Admission.ADMITTED:
            return denied(source, admission, door), Intake.UNAUTHORIZED, 0
        if _is_clearly_not_json(source, request.headers.get("content-type", "")):
            fix = "send JSON with Content-Type: application/json"
            return _refused(415, "the Content-Type is not JSON", fix), Intake.NOT_JSON, 0
        try:
            body = await read()
            admission = await door.judge_body(request.headers, body)
            if admission is not Admission.ADMITTED:
                return denied(source, admission, door), Intake.UNAUTHORIZED, 0
            if wait := door.quota.take():
                return _over_quota(source, door, wait), Intake.OVER_QUOTA, 0
            accepted = await self.accept(_delivery(source, request.headers, body))
        except RefusedPayload as error:
            status, outcome = _STATUS[error.refusal]
            return _refused(status, error.problem, error.fix), outcome, 0
        except TemporaryError as error:
            return unavailable(error), Intake.UNAVAILABLE, 0
        except ClientDisconnect:
            return Response(status_code=400), Intake.GONE, 0
        self.wake()
        return _taken(source, accepted), Intake.ACCEPTED, accepted.items


def _taken(source: str, accepted: Accepted) -> Response:
    """202 with what was committed; 200 with what a sender wants to hear before it sends anything."""
    if accepted.challenge:
        return _json({"challenge": accepted.challenge}, 200)
    answer: dict[str, int | str] = {"accepted": accepted.items, "truncated": accepted.truncated}
    if accepted.ignored:
        log.info("nothing to take from a message", source=source, why=accepted.ignored)
        answer["ignored"] = accepted.ignored
    if accepted.to_do:
        log.warning("an operator must act", source=source, what=accepted.to_do)
    return _json(answer, 202)


def _json(document: Mapping[str, int | str], status: int) -> Response:
    return Response(orjson.dumps(document), status, media_type="application/json")


def _delivery(source: str, headers: Headers, body: bytes) -> Delivery:
    """The request as the service takes it."""
    form = _media_type(headers.get("content-type", "")) == _FORM
    whole = structured(headers, body) if source in _CLOUDEVENTS else body
    return Delivery(source, whole, form, headers.get("sentry-hook-resource", ""))


def structured(headers: Headers, body: bytes) -> bytes:
    """The body; of a CloudEvent in binary mode (ce-* headers) the whole event as JSON, structured mode's form."""
    if "ce-specversion" not in headers:
        return body
    event = {name.removeprefix("ce-"): value for name, value in headers.items() if name.startswith("ce-")}
    return orjson.dumps({**event, "data": orjson.Fragment(body.strip() or b"{}")})


def unavailable(error: TemporaryError) -> Response:
    """503 with Retry-After: a dependency is down, the same request may be sent again."""
    seconds = str(ceil(error.retry_after or RETRY_AFTER))
    content = {"error": "the store cannot be written to at the moment", "fix": f"send it again in {seconds} seconds"}
    return JSONResponse(content, 503, {"Retry-After": seconds})


def _refused(status: int, problem: str, fix: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"error": problem, "fix": fix}, status, headers)


def _over_quota(source: str, door: Door, wait: float) -> Response:
    refused, seconds = door.quota.refused, str(ceil(wait))
    if refused & (refused - 1) == 0:  # powers of two: a storm of requests must not become one of log lines
        log.warning("a source is over its quota", source=source, refused=refused)
    fix = f"send it again in {seconds} seconds; AGENT_SRE_WEBHOOK_RATE and _BURST set how much is taken"
    return _refused(429, f"{source} sends more than its quota", fix, {"Retry-After": seconds})


def denied(source: str, admission: Admission, door: Door) -> Response:
    """401 or 403 with what to set or to send; never what was expected."""
    fixes = {
        Admission.UNCONFIGURED: f"set {door.setting}"
        + (f", or name {source} in AGENT_SRE_INSECURE_SOURCES" if door.may_be_insecure else ""),
        Admission.BROWSER: f"set {door.setting}, or send it from {source} and not from a browser",
        Admission.NETWORK: "send it from one of AGENT_SRE_SOURCE_NETWORKS",
        Admission.ROUTE: f"post to /webhooks/{source}/KEY, with the source's KEY of AGENT_SRE_ROUTE_KEYS",
        Admission.UNSIGNED: f"sign it with the secret of {door.setting}",
        Admission.FORGED: f"check that {door.setting} is what {source} has, and that no proxy changes the body",
        Admission.STALE: "check the sender's clock, and AGENT_SRE_GRAFANA_TIMESTAMP_HEADER",
        Admission.FOREIGN: "name the workspace in AGENT_SRE_SLACK_TEAMS, if it is yours",
    }
    fix = fixes.get(
        admission, f"send the secret of {door.setting} as bearer token or as password of basic authentication"
    )
    if admission in _FORBIDDEN:
        return _refused(403, admission.value, fix)
    return _refused(401, admission.value, fix, {"WWW-Authenticate": "Bearer"})


def _is_clearly_not_json(source: str, content_type: str) -> bool:
    """Many senders say text/plain or nothing: only what cannot be JSON is refused, or a form where none is sent."""
    kind = _media_type(content_type)
    if kind == _FORM:
        return source not in SOURCES or not SOURCES[source].form
    return kind in _NOT_JSON or kind.startswith(_NOT_JSON_FAMILIES)


def _media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
