"""OTLP JSON (``resourceSpans``, or ``batches`` as Tempo calls them) into ``Span`` values.

A snapshot's file, Tempo and Jaeger's third API all speak it. Only what a diagnosis uses is kept: who, what, when,
whether it failed and why, and attributes as text. A span whose times do not parse makes the document unreadable, since
a trace with holes would lie about where time was spent. Ids are hexadecimal by the specification; Tempo gives them in
base64, as protobuf writes bytes, so both become hexadecimal.
"""

import binascii
from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Any

from agent_sre.domain.errors import PermanentError
from agent_sre.domain.telemetry import Span
from agent_sre.outbound.span_attributes import KIND, MAX_ATTRIBUTES, STATUS_MESSAGE, bounded

_NANO = 1e-9
_ERROR = frozenset({2, "2", "STATUS_CODE_ERROR"})
_KINDS = ("", "internal", "server", "client", "producer", "consumer")
_PLACE = ("k8s.namespace.name", "k8s.pod.name", "k8s.deployment.name")
_TELLING = frozenset({"status", "attributes", "events"})
_EXCEPTION = ("exception.type", "exception.message")
_BASE64_LENGTHS = frozenset({12, 24})
"""Of 8 and 16 bytes; hexadecimal they have 16 and 32 digits."""


def parse_otlp(document: object, file: str, now: float) -> tuple[Span, ...]:
    """All spans that ended by ``now`` (seconds since the epoch), in the document's order.

    Raises PermanentError naming the file (or answer) and the part of it that is not OTLP.
    """
    resources = None
    if isinstance(document, Mapping):
        resources = document.get("resourceSpans", document.get("batches"))
    if not isinstance(resources, list):
        raise PermanentError(f"{file}: no list 'resourceSpans' at the top; expected OTLP JSON")
    spans: list[Span] = []
    names: dict[str, str] = {}  # spans of one trace or operation share its text, which then compares at once
    for index, resource in enumerate(resources):
        try:
            spans += [span for span in _resource(resource, names) if span.end <= now]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            problem = f"{type(error).__name__} {error}"
            raise PermanentError(f"{file}: resourceSpans[{index}] is not OTLP JSON: {problem}") from None
    return tuple(spans)


def _resource(resource: Mapping[str, Any], names: dict[str, str]) -> Iterator[Span]:
    about = _attributes((resource.get("resource") or {}).get("attributes") or ())
    service = about.get("service.name", "")
    place: dict[str, str] = {key: about[key] for key in _PLACE if key in about}
    # Spans of one kind without attributes of their own share one mapping.
    places = {kind: {**place, KIND: kind} if kind else place for kind in _KINDS}
    for scope in resource.get("scopeSpans") or ():
        for span in scope.get("spans") or ():
            kind = span.get("kind")
            yield _span(span, service, places[""] if kind is None else places[_kind(kind)], names)


def _span(span: Mapping[str, Any], service: str, place: dict[str, str], names: dict[str, str]) -> Span:
    trace, name, failed = _identity(span["traceId"]), str(span.get("name") or ""), False
    if not _TELLING.isdisjoint(span):
        status = span.get("status") or {}
        failed = status.get("code") in _ERROR
        own = {**_why(span, status), **_attributes(span.get("attributes") or ())}
        place = {**place, **own} if own else place
    return Span(
        names.setdefault(trace, trace),
        _identity(span["spanId"]),
        _identity(span.get("parentSpanId") or ""),
        service,
        names.setdefault(name, name),
        int(span["startTimeUnixNano"]) * _NANO,
        int(span["endTimeUnixNano"]) * _NANO,
        failed,
        place,
    )


def _why(span: Mapping[str, Any], status: Mapping[str, Any]) -> dict[str, str]:
    """What the span says of its failure: the status' message and the last exception that it recorded."""
    found = dict([bounded(STATUS_MESSAGE, str(status["message"]))]) if status.get("message") else {}
    for event in span.get("events") or ():
        if event.get("name") == "exception":
            told = _attributes(event.get("attributes") or ())
            found.update({key: told[key] for key in _EXCEPTION if told.get(key)})
    return found


def _kind(kind: object) -> str:
    """Server, client, producer, consumer or internal; "" where it is not told."""
    if isinstance(kind, int):
        return _KINDS[kind] if 0 <= kind < len(_KINDS) else ""
    name = str(kind or "").removeprefix("SPAN_KIND_").lower()
    return name if name in _KINDS else ""


def _identity(given: object) -> str:
    text = given if isinstance(given, str) else str(given)
    if len(text) not in _BASE64_LENGTHS:
        return text
    try:
        return b64decode(text, validate=True).hex()
    except binascii.Error:
        return text


def _attributes(items: Any) -> dict[str, str]:
    return dict(bounded(str(item["key"]), _text(item.get("value") or {})) for item in items[:MAX_ATTRIBUTES])


def _text(value: Mapping[str, Any]) -> str:
    """An OTLP AnyValue as text: the one field that is set; booleans in lower case."""
    for held in value.values():
        return str(held).lower() if isinstance(held, bool) else str(held)
    return ""
