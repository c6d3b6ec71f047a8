"""Spans as OTLP JSON, the way trace back ends answer with them: one resource per service and place.

``base64`` writes ids as Tempo does, whose JSON is protobuf's.
"""

from base64 import b64encode
from collections.abc import Sequence

from agent_sre.domain.telemetry import Span

_RESOURCE = ("k8s.namespace.name", "k8s.pod.name")
_KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
_OWN = frozenset({*_RESOURCE, "span.kind", "status.message", "exception.message"})


def resource_spans(spans: Sequence[Span], *, base64: bool = False) -> list[dict[str, object]]:
    """``resourceSpans`` with the spans in their order within each resource."""
    resources: dict[tuple[str, ...], list[Span]] = {}
    for span in spans:
        key = (span.service, *(span.attributes.get(name, "") for name in _RESOURCE))
        resources.setdefault(key, []).append(span)
    return [
        {
            "resource": {"attributes": _attributes(dict(zip(("service.name", *_RESOURCE), key, strict=True)))},
            "scopeSpans": [{"scope": {"name": "recorded"}, "spans": [_span(span, base64) for span in held]}],
        }
        for key, held in resources.items()
    ]


def _span(span: Span, base64: bool) -> dict[str, object]:
    kind = span.attributes.get("span.kind", "unspecified")
    found: dict[str, object] = {
        "traceId": _identity(span.trace_id, base64),
        "spanId": _identity(span.span_id, base64),
        "parentSpanId": _identity(span.parent_id, base64),
        "name": span.name,
        "kind": f"SPAN_KIND_{kind.upper()}" if base64 else _KINDS.index(kind),
        "startTimeUnixNano": str(round(span.start * 1e9)),
        "endTimeUnixNano": str(round(span.end * 1e9)),
        "attributes": _attributes({name: text for name, text in span.attributes.items() if name not in _OWN}),
        "status": {},
    }
    if span.error:
        message = {"message": text} if (text := span.attributes.get("status.message")) else {}
        found["status"] = {"code": "STATUS_CODE_ERROR" if base64 else 2, **message}
    if thrown := span.attributes.get("exception.message"):
        found["events"] = [{"name": "exception", "attributes": _attributes({"exception.message": thrown})}]
    return found


def _identity(text: str, base64: bool) -> str:
    return b64encode(bytes.fromhex(text)).decode() if base64 else text


def _attributes(held: dict[str, str]) -> list[dict[str, object]]:
    return [{"key": name, "value": {"stringValue": value}} for name, value in held.items() if value]
