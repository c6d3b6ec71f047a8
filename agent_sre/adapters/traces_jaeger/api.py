"""Jaeger's two query APIs as this adapter uses them: services, and traces of one service in a range of time.

The JSON API has times in microseconds and wraps everything in ``data`` and ``errors``, of which both may be filled. The
third API has RFC 3339 times and OTLP, calls its limit ``num_traces`` or ``search_depth`` by version, and answers 404
where there is nothing. Which of the two is there is found out once; a server that lacks one may answer with the page of
its user interface, so any refusal of the first leads to the second, and the first one's error is kept.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agent_sre.domain.errors import PermanentError
from agent_sre.domain.instant import format_instant
from agent_sre.domain.telemetry import Span
from agent_sre.outbound import Call, Exchange
from agent_sre.outbound.exchange import TooLong
from agent_sre.outbound.otlp import parse_otlp
from agent_sre.outbound.span_attributes import KIND, MAX_ATTRIBUTES, STATUS_MESSAGE, bounded

MAX_BYTES = 8 * 1024 * 1024
_FEWER = 4
_NOTHING = "no traces found"
_MICRO = 1e-6
_DESCRIPTION = "otel.status_description"
_EXCEPTION = {
    "message": "exception.message",
    "exception.message": "exception.message",
    "exception.type": "exception.type",
}
_DIGITS = 32
"""Of a trace's id; Jaeger leaves out a first half of zeros."""
_TRUE = frozenset({"true", "1"})


@dataclass(frozen=True, slots=True)
class Asked:
    """Traces of one service whose spans began in [start, end]; ``at_least`` in seconds."""

    service: str
    start: datetime
    end: datetime
    limit: int
    errors: bool = False
    at_least: float = 0.0

    def params(self) -> dict[str, str]:
        """The parameters of the JSON API."""
        found = {
            "service": self.service,
            "start": str(_microseconds(self.start)),
            "end": str(_microseconds(self.end)),
            "limit": str(self.limit),
        }
        if self.errors:
            found["tags"] = json.dumps({"error": "true"}, separators=(",", ":"))
        return found | self._duration("minDuration")

    def third(self) -> dict[str, str]:
        """The parameters of the third API, which cannot search for attributes."""
        return {
            "query.service_name": self.service,
            "query.start_time_min": format_instant(self.start),
            "query.start_time_max": format_instant(self.end),
            "query.num_traces": str(self.limit),
            "query.search_depth": str(self.limit),
        } | self._duration("query.duration_min")

    def _duration(self, name: str) -> dict[str, str]:
        return {name: f"{max(round(self.at_least * 1e6), 1)}us"} if self.at_least else {}


class JaegerApi:
    """Requests to one Jaeger. ``third`` says which dialect it speaks, None while that is not known."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.third: bool | None = None

    async def services(self) -> tuple[str, ...]:
        """All services that have spans, whenever and wherever: Jaeger keeps no more of them than the name."""
        if self.third:
            return await self._third_services()
        try:
            data, _ = await self._data("services", {})
            found = _names(data)
        except PermanentError as first:
            try:
                found = await self._third_services()
            except PermanentError:
                raise first from None
            self.third = True
            return found
        self.third = False
        return found

    async def settle(self) -> None:
        """Find out which dialect is spoken, where that is not known."""
        if self.third is None:
            await self.services()

    async def traces(self, asked: Asked, notes: dict[str, None]) -> tuple[list[Span], bool]:
        """Spans of whole traces, and whether there may be further traces; fewer are asked for where they are too long.

        What the back end says of parts that it could not read goes into ``notes``.
        """
        limit = asked.limit
        while True:
            try:
                spans = await self._once(Asked(**{**_fields(asked), "limit": limit}), notes)
            except TooLong:
                if limit == 1:
                    notes[f"traces of {MAX_BYTES // 1024**2} MB and more, which are too long to be read"] = None
                    return [], True
                limit = max(limit // _FEWER, 1)
                continue
            return spans, len({span.trace_id for span in spans}) >= limit or limit < asked.limit

    async def _once(self, asked: Asked, notes: dict[str, None]) -> list[Span]:
        if self.third:
            return await self._third_traces(asked)
        traces, errors = await self._data("traces", asked.params())
        for error in errors:
            notes[f"Jaeger said: {error}"] = None
        with self.exchange.well_formed():
            return [span for trace in traces or () for span in _spans(trace)]

    async def _data(self, path: str, params: Mapping[str, str]) -> tuple[Any, list[str]]:
        document = await self.exchange.document(Call("GET", f"api/{path}", params=params), MAX_BYTES)
        if not isinstance(document, dict) or "data" not in document:
            raise self._foreign(document)
        data, errors = document["data"], error_words(document)
        if data is None and errors:
            raise PermanentError(f"{self.exchange.endpoint} refused the request: {'; '.join(errors)}")
        if data is not None and not isinstance(data, list):
            raise self._foreign(document)
        return data, errors

    async def _third_services(self) -> tuple[str, ...]:
        document = await self.exchange.document(Call("GET", "api/v3/services"), MAX_BYTES)
        if not isinstance(document, dict) or not isinstance(document.get("services", []), list):
            raise self._foreign(document)
        return _names(document.get("services"))

    async def _third_traces(self, asked: Asked) -> list[Span]:
        call = Call("GET", "api/v3/traces", params=asked.third())
        try:
            document = await self.exchange.document(call, MAX_BYTES)
        except PermanentError as error:
            if _NOTHING in str(error).lower():
                return []
            raise
        result = document.get("result") if isinstance(document, dict) else None
        if not isinstance(result, dict):
            raise self._foreign(document)
        return list(parse_otlp({"resourceSpans": [], **result}, f"{self.exchange.endpoint}", float("inf")))

    def _foreign(self, document: Any) -> PermanentError:
        endpoint = self.exchange.endpoint
        return PermanentError(
            f"{endpoint} is no Jaeger: it answered {str(document)[:200]!r}; check {endpoint.settings}_URL"
        )


def error_words(document: Mapping[str, Any]) -> list[str]:
    """What an answer of either API says went wrong."""
    listed = document.get("errors") or ()
    told = [str(item.get("msg", "")) for item in listed if isinstance(item, dict)]
    single = document.get("error")
    return [*told, *([str(single.get("message", ""))] if isinstance(single, dict) else [])]


def _fields(asked: Asked) -> dict[str, Any]:
    return {name: getattr(asked, name) for name in Asked.__slots__}


def _names(data: Any) -> tuple[str, ...]:
    return tuple(sorted(str(name) for name in data or ()))


def _microseconds(at: datetime) -> int:
    return round(at.timestamp() * 1e6)


def _spans(trace: Mapping[str, Any]) -> Iterator[Span]:
    places = {
        name: (str(process.get("serviceName") or ""), _tags(process.get("tags") or ()))
        for name, process in (trace.get("processes") or {}).items()
    }
    for span in trace["spans"]:
        service, place = places.get(span.get("processID"), ("", {}))
        own = {**_logged(span.get("logs") or ()), **_tags(span.get("tags") or ())}
        if own.get(_DESCRIPTION):
            own[STATUS_MESSAGE] = own[_DESCRIPTION]
        if KIND in own:
            own[KIND] = own[KIND].lower()
        start = int(span["startTime"]) * _MICRO
        yield Span(
            str(span["traceID"]).rjust(_DIGITS, "0"),
            str(span["spanID"]),
            _parent(span),
            service,
            str(span.get("operationName") or ""),
            start,
            start + int(span["duration"]) * _MICRO,
            own.get("error", "").lower() in _TRUE or own.get("otel.status_code") == "ERROR",
            {**place, **own},
        )


def _parent(span: Mapping[str, Any]) -> str:
    """The span that this one is a child of; else one that it follows, of the same trace."""
    references = [item for item in span.get("references") or () if item.get("traceID") == span["traceID"]]
    references.sort(key=lambda item: item.get("refType") != "CHILD_OF")
    return str(references[0]["spanID"]) if references else str(span.get("parentSpanID") or "")


def _tags(tags: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for tag in tags[:MAX_ATTRIBUTES]:
        value = tag.get("value")
        name, text = bounded(str(tag["key"]), str(value).lower() if isinstance(value, bool) else str(value))
        found[name] = text
    return found


def _logged(logs: Any) -> dict[str, str]:
    """The last error that the span logged: OpenTelemetry's exception events, and OpenTracing's logs of errors."""
    found: dict[str, str] = {}
    for log in logs:
        fields = _tags(log.get("fields") or ())
        if fields.get("event") in {"exception", "error"}:
            found.update({ours: fields[theirs] for theirs, ours in _EXCEPTION.items() if fields.get(theirs)})
    return found
