"""What is searched for among traces, and how too many of them become an even sample.

A trace is found when one of its spans fits in every respect at once, as Jaeger and Tempo have it, and it is then given
whole: the failed call of a callee stands beside the request that came in. What is left of a trace are the spans of the
namespaces that may be looked at, and those that don't say where they ran. Every trace adapter keeps whole traces spread
evenly over the window, because the newest alone would show the middle of the incident and never its onset.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Span

NAMESPACE = "k8s.namespace.name"
"""The attribute that says in which namespace a span's process ran, by OpenTelemetry's conventions."""


@dataclass(frozen=True, slots=True)
class TraceSearch:
    """Traces in a window. ``service`` "" means any, ``namespaces`` () all; ``errors`` wants a failed span.

    ``at_least`` is in seconds: the span that fits took so long or longer; 0 for any.
    """

    window: Window
    namespaces: tuple[str, ...] = ()
    service: str = ""
    errors: bool = False
    at_least: float = 0.0

    def places(self, span: Span) -> bool:
        """Whether the span ran where it may be looked at, or does not say where."""
        place = span.attributes.get(NAMESPACE, "") if self.namespaces else ""
        return not place or place in self.namespaces

    def admits(self, span: Span) -> bool:
        """Whether this span makes its trace one that is searched for; it need only touch the window."""
        inside = span.start <= self.window.end.timestamp() and span.end >= self.window.start.timestamp()
        ours = not self.service or span.service == self.service
        return inside and ours and (span.error or not self.errors) and span.end - span.start >= self.at_least

    def found(self, spans: Iterable[Span]) -> list[list[Span]]:
        """The traces that are searched for, oldest first, without the spans that ran elsewhere."""
        traces: dict[str, dict[str | tuple[str, str, float, float], Span]] = defaultdict(dict)
        for span in filter(self.places, spans) if self.namespaces else spans:
            trace = traces[span.trace_id]
            first = trace.setdefault(span.span_id, span)
            if first is not span and _when(first) != _when(span):
                # Not by id alone: Zipkin's clients and servers share one.
                trace.setdefault((span.span_id, *_when(span)), span)
        whole = [list(trace.values()) for trace in traces.values()]
        return sorted((trace for trace in whole if any(map(self.admits, trace))), key=_begin)


def evenly(traces: Sequence[Sequence[Span]], max_spans: int) -> tuple[Span, ...]:
    """As many whole traces as fit, spread evenly over their order; the beginning of the first where none fits."""
    total = sum(map(len, traces))
    if total <= max_spans:
        return tuple(span for trace in traces for span in trace)
    stride = -(-total // max(max_spans, 1))
    chosen: list[Span] = []
    for offset in range(stride):
        for trace in traces[offset::stride]:
            if len(chosen) + len(trace) <= max_spans:
                chosen.extend(trace)
    return tuple(chosen) if chosen else tuple(traces[0][:max_spans])


def traces_of(spans: Iterable[Span]) -> list[list[Span]]:
    """The spans by trace, oldest trace first."""
    traces: dict[str, list[Span]] = defaultdict(list)
    for span in spans:
        traces[span.trace_id].append(span)
    return sorted(traces.values(), key=_begin)


def _when(span: Span) -> tuple[str, float, float]:
    return span.service, span.start, span.end


def _begin(trace: Sequence[Span]) -> tuple[float, str]:
    return min(span.start for span in trace), trace[0].trace_id
