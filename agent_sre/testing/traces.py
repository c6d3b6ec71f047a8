"""A TraceReader in memory for tests of what reads traces; it may hold more than it gives at once.

``most`` is how many traces an answer has at most, the newest, as Jaeger would give them.
"""

from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Span
from agent_sre.domain.trace_search import TraceSearch, evenly
from agent_sre.ports.context import TraceAnswer


class FakeTraces:
    """Over a list of spans; ``searches`` are those that were asked for."""

    def __init__(self, spans: list[Span], most: int = 10_000) -> None:
        self.spans = spans
        self.searches: list[TraceSearch] = []
        self._most = most

    async def services(self, namespaces: tuple[str, ...], window: Window) -> tuple[str, ...]:
        """All services of the list."""
        return tuple(sorted({span.service for span in self.spans}))

    async def search(self, search: TraceSearch, max_spans: int) -> TraceAnswer:
        """The newest traces that are admitted, then sampled."""
        self.searches.append(search)
        found = search.found(self.spans)
        kept = evenly(found[-self._most :], max_spans)
        missing = sum(map(len, found)) - len(kept)
        notes = (f"{missing} spans",) if missing else ()
        what = "errors" if search.errors else f"at least {search.at_least:g} s" if search.at_least else "any"
        return TraceAnswer(kept, f"{search.service or 'all services'}: {what}", more=bool(missing), notes=notes)
