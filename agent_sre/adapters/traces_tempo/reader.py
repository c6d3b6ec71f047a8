"""``Tempo``: the TraceReader over TraceQL."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from agent_sre.adapters.traces_tempo.api import Range, TempoApi
from agent_sre.adapters.traces_tempo.language import filter_of, places
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Span
from agent_sre.domain.trace_search import TraceSearch, evenly
from agent_sre.outbound import Endpoint, Exchange
from agent_sre.outbound.grafana import explore_link
from agent_sre.outbound.together import together
from agent_sre.ports.context import TraceAnswer

MAX_TRACES = 48
"""Of one search; each is a request of its own."""
_PARTS = 6
_TOGETHER = 8
"""So many traces are read before it is looked whether that is enough."""


class Tempo:
    """``ui_url`` is Grafana's address, ``ui_source`` the UID of its data source for this Tempo; "" gives no links."""

    def __init__(
        self,
        endpoint: Endpoint,
        ui_url: str = "",
        ui_source: str = "",
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.exchange = Exchange(endpoint, sleep)
        self._ui = ui_url.rstrip("/"), ui_source

    async def services(self, namespaces: tuple[str, ...], window: Window) -> tuple[str, ...]:
        """Services with spans in the window and namespaces; all of them where no span says its namespace."""
        api, span = TempoApi(self.exchange, {}), Range.around(window)
        found = await api.services(f"{{ {places(namespaces)} }}", span) if namespaces else ()
        return found or await api.services("{ }", span)

    async def search(self, search: TraceSearch, max_spans: int) -> TraceAnswer:
        """Traces of each part of the window; those that don't say their namespace only where no other is found."""
        api = TempoApi(self.exchange, {})
        span = Range.around(search.window)
        query = filter_of(search, in_namespaces=True)
        ids, more = await _ids(api, query, span)
        if not ids and search.namespaces:
            query = filter_of(search, in_namespaces=False)
            ids, more = await _ids(api, query, span)
        spans, read = await _read(api, search, ids, max_spans)
        traces = search.found(spans)
        kept = evenly(traces, max_spans)
        left = len(ids) - read
        if left:
            api.notes[f"{left} of {len(ids)} traces, left evenly over the window because of the limit on spans"] = None
        if more:
            api.notes[f"traces beyond the {len(ids)} that were read, some from each part of the window"] = None
        if len(kept) < (total := sum(map(len, traces))):
            api.notes[f"{total - len(kept)} of {total} spans, sampled evenly"] = None
        return TraceAnswer(kept, query, self._link(query, search.window), bool(api.notes), tuple(api.notes))

    async def close(self) -> None:
        """Close the connections."""
        await self.exchange.close()

    def _link(self, query: str, window: Window) -> str:
        """Grafana's Explore with the query and the window."""
        url, uid = self._ui
        return explore_link(url, ("tempo", uid), {"queryType": "traceql", "query": query}, window)


async def _ids(api: TempoApi, query: str, span: Range) -> tuple[list[str], bool]:
    """Ids of traces, oldest first, and whether there are more of them in some part of the window."""
    parts = span.parts(_PARTS)
    share = max(MAX_TRACES // len(parts), 1)
    found = await together(api.ids(query, part, share) for part in parts)
    return list(dict.fromkeys(identity for ids in found for identity in ids)), any(len(ids) >= share for ids in found)


async def _read(api: TempoApi, search: TraceSearch, ids: Sequence[str], max_spans: int) -> tuple[list[Span], int]:
    """The traces' spans until there are enough of them, and how many traces that are."""
    spread = [identity for offset in range(_TOGETHER) for identity in ids[offset::_TOGETHER]]
    span = Range.around(search.window)
    spans: list[Span] = []
    for start in range(0, len(spread), _TOGETHER):
        if len(spans) >= max_spans:
            return spans, start
        few = spread[start : start + _TOGETHER]
        for found in await together(api.trace(identity, span) for identity in few):
            spans.extend(filter(search.places, found))
    return spans, len(spread)
