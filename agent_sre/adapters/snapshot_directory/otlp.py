"""OTLP JSON (``resourceSpans``) into ``Span`` values.

Only what a diagnosis uses is kept: who, what, when, whether it failed, and attributes as text. A span whose times do
not parse is an unreadable file, not a span to skip: a trace with holes would lie about where time was spent.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from agent_sre.domain.errors import PermanentError
from agent_sre.domain.telemetry import Span

_NANO = 1e-9
_MAX_ATTRIBUTES = 64


def parse_otlp(document: object, file: str, now: float) -> tuple[Span, ...]:
    """All spans that ended by ``now`` (seconds since the epoch), in the file's order."""
    if not isinstance(document, Mapping) or not isinstance(document.get("resourceSpans"), list):
        raise PermanentError(f"{file}: no list 'resourceSpans' at the top; expected OTLP JSON")
    spans: list[Span] = []
    for index, resource in enumerate(document["resourceSpans"]):
        try:
            spans.extend(span for span in _resource(resource) if span.end <= now)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            problem = f"{type(error).__name__} {error}"
            raise PermanentError(f"{file}: resourceSpans[{index}] is not OTLP JSON: {problem}") from None
    return tuple(spans)


def _resource(resource: Mapping[str, Any]) -> Iterator[Span]:
    about = _attributes(resource.get("resource", {}).get("attributes", ()))
    service = about.get("service.name", "")
    place: dict[str, str] = {key: about[key] for key in ("k8s.namespace.name", "k8s.pod.name") if key in about}
    for scope in resource.get("scopeSpans", ()):
        for span in scope.get("spans", ()):
            yield _span(span, service, place)


def _span(span: Mapping[str, Any], service: str, place: dict[str, str]) -> Span:
    raw = span.get("attributes")
    attributes = {**place, **_attributes(raw)} if raw else place
    status = span.get("status") or {}
    return Span(
        str(span["traceId"]),
        str(span["spanId"]),
        str(span.get("parentSpanId") or ""),
        service,
        str(span.get("name") or ""),
        int(span["startTimeUnixNano"]) * _NANO,
        int(span["endTimeUnixNano"]) * _NANO,
        status.get("code") in {2, "2", "STATUS_CODE_ERROR"},
        attributes,
    )


def _attributes(items: Any) -> dict[str, str]:
    return {str(item["key"]): _text(item.get("value") or {}) for item in items[:_MAX_ATTRIBUTES]}


def _text(value: Mapping[str, Any]) -> str:
    """An OTLP AnyValue as text: the one field that is set; booleans in lower case."""
    for held in value.values():
        return str(held).lower() if isinstance(held, bool) else str(held)
    return ""
