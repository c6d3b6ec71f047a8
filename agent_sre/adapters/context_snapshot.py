"""Changes, topology and traces as a snapshot's files hold them.

Three small readers over plain values; bootstrap composes each only where its file is there. Window and limits are
applied here, as a live back end would.
"""

from collections.abc import Sequence

from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Change, Edge, Span
from agent_sre.domain.trace_search import TraceSearch, evenly
from agent_sre.ports.context import TraceAnswer


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

    async def services(self, namespaces: tuple[str, ...], window: Window) -> tuple[str, ...]:
        """Services with a span in the window and namespaces."""
        search = TraceSearch(window, namespaces)
        return tuple(sorted({span.service for span in self._spans if search.places(span) and search.admits(span)}))

    async def search(self, search: TraceSearch, max_spans: int) -> TraceAnswer:
        """Whole traces, sampled evenly over time; of a trace the spans that touch the window."""
        start, end = search.window.start.timestamp(), search.window.end.timestamp()
        traces = search.found(span for span in self._spans if span.start <= end and span.end >= start)
        spans = evenly(traces, max_spans)
        total = sum(map(len, traces))
        left = (f"{total - len(spans)} of {total} spans, sampled evenly",) if total > len(spans) else ()
        return TraceAnswer(spans, _query(search), more=bool(left), notes=left)


def _query(search: TraceSearch) -> str:
    wanted = [f"of {search.service}"] if search.service else []
    wanted += ["with an error"] if search.errors else []
    wanted += [f"of {search.at_least:g} s or longer"] if search.at_least else []
    return " ".join(["spans of the namespaces", *wanted])
