"""Changes, topology and traces as a snapshot's files hold them.

Three small readers over plain values; bootstrap composes each only where its file is there. Window and limits are
applied here, as a live back end would.
"""

from collections import defaultdict
from collections.abc import Sequence

from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Change, Edge, Span

_NAMESPACE = "k8s.namespace.name"


class SnapshotChanges:
    """ChangeReader over a fixed list. Changes carry no namespace in the format, so all of them are considered."""

    def __init__(self, changes: Sequence[Change]) -> None:
        self._changes = sorted(changes, key=lambda change: change.time)

    async def changes(self, namespaces: tuple[str, ...], window: Window) -> tuple[Change, ...]:
        """Changes in the window, oldest first."""
        return tuple(change for change in self._changes if window.contains(change.time))


class SnapshotTopology:
    """TopologyReader over a fixed list."""

    def __init__(self, edges: Sequence[Edge]) -> None:
        self._edges = tuple(edges)

    async def edges(self, namespaces: tuple[str, ...]) -> tuple[Edge, ...]:
        """All edges: the format names services without a namespace."""
        return self._edges


class SnapshotTraces:
    """TraceReader over a fixed list of spans."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self._spans = spans

    async def spans(self, namespaces: tuple[str, ...], window: Window, limit: int) -> tuple[Span, ...]:
        """Spans in the window whose namespace is asked for or unknown; whole traces, sampled evenly over time."""
        start, end = window.start.timestamp(), window.end.timestamp()
        wanted = {"", *namespaces}
        inside = [
            span
            for span in self._spans
            if span.start <= end and span.end >= start and (not namespaces or _place(span) in wanted)
        ]
        return tuple(inside) if len(inside) <= limit else _whole_traces(inside, limit)


def _place(span: Span) -> str:
    return span.attributes.get(_NAMESPACE, "")


def _whole_traces(spans: Sequence[Span], limit: int) -> tuple[Span, ...]:
    """As many whole traces as fit, spread evenly; the last place is filled with a part of a trace where none fits."""
    traces: dict[str, list[Span]] = defaultdict(list)
    for span in spans:
        traces[span.trace_id].append(span)
    ordered = sorted(traces.values(), key=lambda trace: trace[0].start)
    stride = -(-len(spans) // max(limit, 1))
    chosen: list[Span] = []
    for offset in range(stride):
        for trace in ordered[offset::stride]:
            if len(chosen) + len(trace) <= limit:
                chosen.extend(trace)
    return tuple(chosen) if chosen else tuple(spans[:limit])
