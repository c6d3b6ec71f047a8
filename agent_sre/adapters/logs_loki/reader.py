"""``Loki``: the LogReader over LogQL."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta

from agent_sre.adapters.logs_loki.api import Entry, LokiApi
from agent_sre.adapters.logs_loki.language import (
    FIELDS,
    checked,
    nanoseconds,
    search_query,
    source_query,
    sources_query,
)
from agent_sre.adapters.logs_loki.ranges import all_entries, sampled_entries
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.log_search import FoundLines, LogSearch, counted, step_starts
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import LogLine, LogSource
from agent_sre.outbound import Endpoint, Exchange
from agent_sre.outbound.grafana import explore_link
from agent_sre.outbound.stored_entry import LogFields, entry_text, only_current
from agent_sre.ports.logs import LogAnswer, LogCounts

_SECOND = 10**9


class Loki:
    """``ui_url`` is Grafana's address and ``ui_source`` the UID of its data source for this Loki; "" gives no links."""

    def __init__(
        self,
        endpoint: Endpoint,
        fields: LogFields = FIELDS,
        ui_url: str = "",
        ui_source: str = "",
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.exchange = Exchange(endpoint, sleep)
        self.fields = checked(fields)
        self._ui = ui_url.rstrip("/"), ui_source

    async def sources(self, namespace: str, window: Window) -> tuple[LogSource, ...]:
        """Containers, or units of nodes, of which the index has chunks in the window."""
        pod, container = self.fields.place(namespace)
        api = LokiApi(self.exchange)
        found = await api.series(sources_query(namespace, self.fields), *_range(window))
        named = {(str(item.get(pod, "")), str(item.get(container, ""))) for item in found}
        return tuple(sorted((LogSource(namespace, *place) for place in named if place[0]), key=str))

    async def read(self, source: LogSource, window: Window, max_lines: int) -> LogAnswer:
        """The lines of one container, all of its runs together."""
        only_current(source, "Loki")
        return await self._lines(source.namespace, source_query(source, self.fields), window, max_lines, {source: 0})

    async def search(self, search: LogSearch, max_lines: int) -> LogAnswer:
        """The lines that a search admits; a stream without a pod is not among them."""
        return await self._lines(search.namespace, search_query(search, self.fields), search.window, max_lines, {})

    async def counts(self, search: LogSearch, step: timedelta) -> LogCounts:
        """Whole steps in one query, and the window's ends, which lie within steps, in one each."""
        seconds = step.total_seconds()
        starts = step_starts(search.window, seconds)
        api, query = LokiApi(self.exchange), search_query(search, self.fields)
        start, end = _range(search.window)
        width = step // timedelta(microseconds=1) * 1000
        if width < 1_000_000:
            raise PermanentError(f"Loki counts in steps of a millisecond or more; {step} is less")
        grid = [round(at * 1000) * 1_000_000 for at in starts]
        whole = [at for at in grid if at >= start and at + width <= end]
        counts: Counter[float] = Counter()
        for at in grid:
            if at not in whole:
                part = await api.total(query, max(at, start), min(at + width, end), ())
                counts[at / _SECOND] += sum(part.values())
        if whole:
            for number, count in (await api.steps(query, whole[0], width, len(whole))).items():
                counts[(whole[0] + number * width) / _SECOND] += count
        series = counted(search, seconds, counts)
        return LogCounts(series, query, self._link(query, search.window), tuple(api.warnings))

    async def close(self) -> None:
        """Close the connections."""
        await self.exchange.close()

    async def _lines(
        self, namespace: str, query: str, window: Window, max_lines: int, empty: Mapping[LogSource, int]
    ) -> LogAnswer:
        api = LokiApi(self.exchange)
        place = self.fields.place(namespace)
        start, end = _range(window)
        totals = dict(empty)
        for (pod, container), count in (await api.total(query, start, end, place)).items():
            if pod:
                totals[LogSource(namespace, pod, container)] = count
        total = sum(totals.values())
        found = FoundLines(max_lines)
        if total > max_lines:
            for entry in await sampled_entries(api, query, (start, end), max_lines):
                self._add(found, namespace, entry)
        elif total:
            async for entry in all_entries(api, query, start, end):
                self._add(found, namespace, entry)
        return LogAnswer(found.streams(totals), query, self._link(query, window), tuple(api.warnings))

    def _add(self, found: FoundLines, namespace: str, entry: Entry) -> None:
        pod, container = self.fields.place(namespace)
        source = LogSource(namespace, str(entry.labels.get(pod, "")), str(entry.labels.get(container, "")))
        if source.pod:
            at = datetime.fromtimestamp(entry.time // _SECOND, UTC)
            at += timedelta(microseconds=entry.time % _SECOND // 1000)
            found.add(source, LogLine(at, entry_text(entry.line)))

    def _link(self, query: str, window: Window) -> str:
        """Grafana's Explore with the query and the window."""
        url, uid = self._ui
        return explore_link(url, ("loki", uid), {"expr": query}, window)


def _range(window: Window) -> tuple[int, int]:
    """A window, whose end belongs to it, as a half-open range of nanoseconds."""
    return nanoseconds(window.start), nanoseconds(window.end) + 1
