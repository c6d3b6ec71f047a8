"""A Jaeger query service over real sockets, written from its documents and sources: a recorded protocol, not Jaeger.

Speaks the JSON API of the user interface (``services``, ``traces``), the third API in OTLP, and the page from which the
version is told, over spans it is given. As Jaeger's storages do, it gives the newest traces that have a span of the
service which began in the range and has all tags and the length that are asked for, up to the limit. A server without
one of the APIs answers its paths with the page of the user interface, as Jaeger does.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from aiohttp import web

from agent_sre.domain.instant import parse_instant
from agent_sre.domain.telemetry import Span
from agent_sre.testing.otlp_answer import resource_spans
from agent_sre.testing.recorded_server import Recorded, Request

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(us|µs|ms|s|m|h)")
_SECONDS = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PAGE = '<!doctype html><title>Jaeger UI</title><script>const JAEGER_VERSION = {"gitCommit":"abc","gitVersion":"@@","buildDate":""};</script>'  # noqa: E501
_PROCESS = ("k8s.namespace.name", "k8s.pod.name")


@dataclass(slots=True)
class JaegerServer:
    """``spans`` are what it holds; ``tenants`` who may ask (empty: anybody); ``errors`` what it adds to each answer."""

    spans: list[Span] = field(default_factory=list)
    tenants: frozenset[str] = frozenset()
    first_api: bool = True
    third_api: bool = True
    version: str = "v1.62.0"
    errors: tuple[str, ...] = ()
    http: Recorded = field(init=False)

    def __post_init__(self) -> None:
        self.http = Recorded(self._answer)

    async def _answer(self, request: Request) -> web.Response:
        if self.tenants and request.headers.get("x-tenant") not in self.tenants:
            return web.Response(status=401, text="missing tenant header")
        handlers: dict[str, Callable[[Mapping[str, str]], web.Response]] = {}
        if self.first_api:
            handlers |= {"/api/services": self._services, "/api/traces": self._traces}
        if self.third_api:
            handlers |= {"/api/v3/services": self._third_services, "/api/v3/traces": self._third_traces}
        handler = handlers.get(request.path)
        if handler is None:
            return web.Response(text=_PAGE.replace("@@", self.version), content_type="text/html")
        return handler(request.fields)

    def _services(self, fields: Mapping[str, str]) -> web.Response:
        names = self._names()
        return _structured(names, len(names))

    def _traces(self, fields: Mapping[str, str]) -> web.Response:
        if not fields.get("service"):
            return _refused("parameter 'service' is required")
        try:
            start, end, limit = int(fields["start"]) / 1e6, int(fields["end"]) / 1e6, int(fields.get("limit", "100"))
            tags = json.loads(fields.get("tags", "{}"))
            least = _seconds(fields.get("minDuration", ""))
        except ValueError as error:
            return _refused(f"unable to parse param: {error}")
        found = self._found(fields["service"], start, end, least, limit, tags)
        return _structured([_trace(spans) for spans in found], 0, self.errors)

    def _third_services(self, fields: Mapping[str, str]) -> web.Response:
        return web.json_response({"services": self._names()})

    def _third_traces(self, fields: Mapping[str, str]) -> web.Response:
        try:
            start = parse_instant(fields["query.start_time_min"]).timestamp()
            end = parse_instant(fields["query.start_time_max"]).timestamp()
            limit = int(fields.get("query.search_depth") or fields.get("query.num_traces") or "100")
            least = _seconds(fields.get("query.duration_min", ""))
        except (KeyError, ValueError) as error:
            return _third_refused(400, f"malformed parameter {error}")
        found = self._found(fields.get("query.service_name", ""), start, end, least, limit, {})
        if not found:
            return _third_refused(404, "No traces found")
        spans = [span for trace in found for span in trace]
        return web.json_response({"result": {"resourceSpans": resource_spans(spans)}})

    def _names(self) -> list[str]:
        return sorted({span.service for span in self.spans})

    def _found(
        self, service: str, start: float, end: float, least: float, limit: int, tags: Mapping[str, str]
    ) -> list[list[Span]]:
        wanted: dict[str, float] = {}
        for span in self.spans:
            inside = start <= span.start <= end and span.service == service and span.end - span.start >= least
            if inside and all(_tag(span, name) == value for name, value in tags.items()):
                wanted[span.trace_id] = max(span.start, wanted.get(span.trace_id, 0.0))
        newest = sorted(wanted, key=lambda trace: (-wanted[trace], trace))[:limit]
        return [[span for span in self.spans if span.trace_id == trace] for trace in newest]


def _tag(span: Span, name: str) -> str:
    return "true" if name == "error" and span.error else span.attributes.get(name, "")


def _seconds(text: str) -> float:
    if not text:
        return 0.0
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"time: invalid duration {text!r}")
    return float(match[1]) * _SECONDS[match[2]]


def _trace(spans: Sequence[Span]) -> dict[str, object]:
    processes: dict[str, object] = {}
    listed = []
    for number, span in enumerate(spans, start=1):
        place = [_string(name, span.attributes[name]) for name in _PROCESS if name in span.attributes]
        processes[f"p{number}"] = {"serviceName": span.service, "tags": place}
        listed.append(_span(span, f"p{number}"))
    return {"traceID": _short(spans[0].trace_id), "spans": listed, "processes": processes, "warnings": None}


def _span(span: Span, process: str) -> dict[str, object]:
    tags: list[dict[str, object]] = [
        _string(name, value)
        for name, value in span.attributes.items()
        if name not in (*_PROCESS, "status.message", "exception.message")
    ]
    if span.error:
        tags += [{"key": "error", "type": "bool", "value": True}, _string("otel.status_code", "ERROR")]
    if message := span.attributes.get("status.message"):
        tags.append(_string("otel.status_description", message))
    logs = []
    if thrown := span.attributes.get("exception.message"):
        fields = [_string("event", "exception"), _string("exception.message", thrown)]
        logs.append({"timestamp": round(span.start * 1e6), "fields": fields})
    parent = {"refType": "CHILD_OF", "traceID": _short(span.trace_id), "spanID": span.parent_id}
    return {
        "traceID": _short(span.trace_id),
        "spanID": span.span_id,
        "operationName": span.name,
        "references": [parent] if span.parent_id else [],
        "startTime": round(span.start * 1e6),
        "duration": round((span.end - span.start) * 1e6),
        "tags": tags,
        "logs": logs,
        "processID": process,
        "warnings": None,
    }


def _short(trace: str) -> str:
    """An id as this API prints it: a first half of zeros is left out."""
    return trace.removeprefix("0" * 16)


def _string(name: str, value: str) -> dict[str, object]:
    return {"key": name, "type": "string", "value": value}


def _structured(data: object, total: int, errors: Sequence[str] = ()) -> web.Response:
    listed = [{"code": 0, "msg": text} for text in errors] or None
    return web.json_response({"data": data, "total": total, "limit": 0, "offset": 0, "errors": listed})


def _refused(message: str) -> web.Response:
    document = {"data": None, "total": 0, "limit": 0, "offset": 0, "errors": [{"code": 400, "msg": message}]}
    return web.json_response(document, status=400)


def _third_refused(status: int, message: str) -> web.Response:
    return web.json_response({"error": {"httpCode": status, "message": message}}, status=status)
