"""``Jaeger``: the TraceReader over its query API."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from urllib.parse import urlencode

import orjson

from agent_sre.adapters.traces_jaeger.api import Asked, JaegerApi, error_words
from agent_sre.domain.reference import Window
from agent_sre.domain.trace_search import TraceSearch, evenly
from agent_sre.outbound import Endpoint, Exchange
from agent_sre.outbound.together import together
from agent_sre.ports.context import TraceAnswer

MAX_TRACES = 240
"""Of one search."""
_SERVICES = 12
"""How many services are asked about where a search names none."""
_BLIND = 4
"""How many times as many traces are read where failed ones cannot be searched for, only picked out."""
_PARTS = 8
_PARTS_OF_MANY = 2


class Jaeger:
    """``ui_url`` is that of Jaeger's user interface, or Grafana's with ``ui_source``, the UID of its data source."""

    def __init__(
        self,
        endpoint: Endpoint,
        ui_url: str = "",
        ui_source: str = "",
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.exchange = Exchange(endpoint, sleep, words=_words)
        self.api = JaegerApi(self.exchange)
        self._ui = ui_url.rstrip("/"), ui_source

    async def services(self, namespaces: tuple[str, ...], window: Window) -> tuple[str, ...]:
        """All that Jaeger knows: it keeps neither their namespaces nor when they had spans."""
        return await self.api.services()

    async def search(self, search: TraceSearch, max_spans: int) -> TraceAnswer:
        """The newest traces of each part of the window, of the service or of the first services by name."""
        notes: dict[str, None] = {}
        known = (search.service,) if search.service else await self.api.services()
        await self.api.settle()
        blind = self.api.third and search.errors
        services = known[:_SERVICES]
        if len(known) > len(services):
            notes[f"services beyond {_SERVICES} of {len(known)}, such as {known[_SERVICES]}"] = None
        parts = _cut(search.window, _PARTS if len(services) == 1 else _PARTS_OF_MANY)
        share = max(MAX_TRACES * (_BLIND if blind else 1) // max(len(parts) * len(services), 1), 1)
        asked = [
            Asked(service, start, end, share, search.errors, search.at_least)
            for service in services
            for start, end in parts
        ]
        answers = await together(self.api.traces(item, notes) for item in asked)
        traces = search.found(span for spans, _ in answers for span in spans)
        kept = evenly(traces, max_spans)
        full = sum(more for _, more in answers)
        if full:
            notes[f"traces beyond the newest {share} in {full} of {len(asked)} parts of the window and services"] = None
        if len(kept) < (total := sum(map(len, traces))):
            notes[f"{total - len(kept)} of {total} spans, sampled evenly"] = None
        if blind:
            notes["failed traces beyond those among the newest: this Jaeger's API cannot search for them"] = None
        return TraceAnswer(
            kept, self._query(search, services, len(parts), share), self._link(search), bool(notes), tuple(notes)
        )

    async def close(self) -> None:
        """Close the connections."""
        await self.exchange.close()

    def _query(self, search: TraceSearch, services: Sequence[str], parts: int, share: int) -> str:
        """The request over the whole window; the services beyond the first, and the parts, in words."""
        whole = Asked(services[0] if services else "", *_ends(search.window), share, search.errors, search.at_least)
        path, params = ("api/v3/traces", whole.third()) if self.api.third else ("api/traces", whole.params())
        others = f", and of {', '.join(services[1:])}" if services[1:] else ""
        return f"GET {path}?{urlencode(params)}, in {parts} parts of the window{others}"

    def _link(self, search: TraceSearch) -> str:
        """The search page of Jaeger, or Grafana's Explore."""
        url, uid = self._ui
        if not url or not search.service:
            return url
        asked = Asked(search.service, *_ends(search.window), 20, search.errors, search.at_least).params()
        if not uid:
            return f"{url}/search?{urlencode(asked)}"
        query = {
            "refId": "A",
            "queryType": "search",
            "service": search.service,
            "datasource": {"type": "jaeger", "uid": uid},
        }
        query |= {"tags": "error=true"} if search.errors else {}
        query |= {"minDuration": asked["minDuration"]} if search.at_least else {}
        span = {
            name: str(round(end.timestamp() * 1000))
            for name, end in zip(("from", "to"), _ends(search.window), strict=True)
        }
        panes = {"traces": {"datasource": uid, "queries": [query], "range": span}}
        return f"{url}/explore?{urlencode({'schemaVersion': 1, 'panes': json.dumps(panes, ensure_ascii=False)})}"


def _ends(window: Window) -> tuple[datetime, datetime]:
    return window.start, window.end


def _cut(window: Window, parts: int) -> list[tuple[datetime, datetime]]:
    """The window in parts of equal length; a trace on the border of two is found by both and kept once."""
    step = window.length / parts
    return [(window.start + number * step, window.start + (number + 1) * step) for number in range(parts)]


def _words(content: bytes) -> str:
    """What Jaeger says of an error, or the beginning of what something else says."""
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError:
        return content[:300].decode(errors="replace")
    words = error_words(document) if isinstance(document, dict) else []
    return "; ".join(words) or content[:300].decode(errors="replace")
