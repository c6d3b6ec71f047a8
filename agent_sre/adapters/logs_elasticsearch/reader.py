"""``Elasticsearch``: the LogReader over the query DSL of Elasticsearch and OpenSearch."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from agent_sre.adapters.logs_elasticsearch.api import MOST, Document, ElasticsearchApi, words
from agent_sre.adapters.logs_elasticsearch.language import (
    Query,
    Terms,
    in_words,
    search_query,
    source_in_words,
    source_query,
    sources_query,
)
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.instant import format_instant, parse_instant
from agent_sre.domain.log_search import FoundLines, LogSearch, counted, step_starts
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import LogLine, LogSource
from agent_sre.outbound import Endpoint, Exchange
from agent_sre.outbound.stored_entry import LogFields, entry_text, only_current
from agent_sre.ports.logs import LogAnswer, LogCounts

DETAILS = ("error.type", "error.message", "error.stack_trace", "error", "exception", "stack_trace")
"""Fields of structured logs that say more of what went wrong than the message does."""
_SEED = 20_260_301
_ANALYSED = "counted by the index's analysed words, which may be a few more lines than a search shows"
_KEYWORDS = frozenset({"keyword", "constant_keyword", "wildcard", "flattened", "ip"})


class Elasticsearch:
    """``index`` is a pattern; ``ui_url`` Kibana's or Dashboards' address and ``ui_source`` the id of a data view."""

    def __init__(
        self,
        endpoint: Endpoint,
        index: str,
        fields: LogFields,
        ui: tuple[str, str] = ("", ""),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.exchange = Exchange(endpoint, sleep, words=words)
        self.index = index
        self.fields = fields
        self._ui = ui[0].rstrip("/"), ui[1]
        self._terms: Terms | None = None

    async def sources(self, namespace: str, window: Window) -> tuple[LogSource, ...]:
        """Containers, or units of nodes, with lines in the window, whether they live still or not."""
        api, terms = self.api(), await self.terms()
        if not all(terms.place(namespace)):
            return ()
        found = await api.groups(sources_query(namespace, window, terms), terms.place(namespace))
        return tuple(sorted((LogSource(namespace, *place) for place in found), key=str))

    async def read(self, source: LogSource, window: Window, max_lines: int) -> LogAnswer:
        """The lines of one container, all of its runs together."""
        only_current(source, self.exchange.endpoint.name)
        query = source_query(source, window, await self.terms())
        everything = LogSearch(source.namespace, window)
        link = self._link(source_in_words(source, self.fields), window)
        return await self._lines(everything, query, max_lines, {source: 0}, link)

    async def search(self, search: LogSearch, max_lines: int) -> LogAnswer:
        """The lines that a search admits; a document without a pod is not among them."""
        query = search_query(search, await self.terms())
        link = self._link(in_words(search, self.fields), search.window)
        return await self._lines(search, query, max_lines, {}, link)

    async def counts(self, search: LogSearch, step: timedelta) -> LogCounts:
        """``date_histogram`` with a fixed interval."""
        seconds = step.total_seconds()
        step_starts(search.window, seconds)
        milliseconds = round(seconds * 1000)
        if milliseconds < 1:
            raise PermanentError(f"steps of a millisecond or more can be counted; {step} is less")
        api, query = self.api(), search_query(search, await self.terms())
        found = await api.histogram(query, self.fields.time, milliseconds)
        series = counted(search, seconds, {at / 1000: count for at, count in found.items()})
        notes = (*api.notes, *((_ANALYSED,) if search.text or search.level else ()))
        return LogCounts(series, self._shown(query), self._link(in_words(search, self.fields), search.window), notes)

    async def close(self) -> None:
        """Close the connections."""
        await self.exchange.close()

    def api(self) -> ElasticsearchApi:
        """The endpoints, with notes of their own."""
        return ElasticsearchApi(self.exchange, self.index)

    async def terms(self) -> Terms:
        """Which fields can be compared exactly; asked once. Raises PermanentError where the pod's has no such form."""
        if self._terms is None:
            names = self.fields
            wanted = [names.namespace, names.pod, names.container, names.level, names.node, names.unit]
            known = await self.api().capabilities(
                [form for name in wanted if name for form in (name, f"{name}.keyword")]
            )
            exact = [_exact(name, known) for name in wanted]
            for name, found in zip(wanted[:3], exact[:3], strict=True):
                if not found:
                    raise PermanentError(
                        f"{self.exchange.endpoint} has no field {name!r} of type keyword in {self.index!r}; "
                        f"name the fields in {self.exchange.endpoint.settings}_FIELDS or choose a _SCHEMA"
                    )
            namespace, pod, container, level, node, unit = exact
            self._terms = Terms(names, namespace, pod, container, level=level, node=node, unit=unit)
        return self._terms

    async def _lines(
        self, search: LogSearch, query: Query, max_lines: int, empty: Mapping[LogSource, int], link: str
    ) -> LogAnswer:
        """Count by container, draw a sample where there are too many, and look at each line once more."""
        api, terms, namespace = self.api(), await self.terms(), search.namespace
        totals = dict(empty)
        for place, count in (await api.groups(query, terms.place(namespace))).items():
            totals[LogSource(namespace, *place)] = count
        total, wanted = sum(totals.values()), min(max_lines, MOST)
        drawn = total > wanted
        sort: Query = {"_score": "desc"} if drawn else {self.fields.time: "asc"}
        asked = _scored(query) if drawn else query
        documents = await api.documents(asked, sort, self._wanted(namespace), wanted) if total else []
        found = FoundLines(max_lines)
        for source, line, level in sorted(self._read(namespace, documents), key=lambda item: _time(item[1])):
            if source.pod and search.admits(line, level[0]):
                found.add(source, LogLine(line.time, level[1]))
        counts = totals if drawn else dict.fromkeys([*empty], 0)
        return LogAnswer(found.streams(counts), self._shown(query), link, tuple(api.notes))

    def _read(self, namespace: str, documents: list[Document]) -> list[tuple[LogSource, LogLine, tuple[str, str]]]:
        """Source, line as it was written, and its level with the text to show."""
        fields, found = self.fields, []
        pod, container = fields.place(namespace)
        for item in documents:
            message, level = _text(item, fields.message), _text(item, fields.level)
            details = [(name, _text(item, name)) for name in DETAILS]
            source = LogSource(namespace, _text(item, pod), _text(item, container))
            shown = entry_text(message, level, details)
            found.append((source, LogLine(self._instant(item), message.rstrip("\r\n")), (level, shown)))
        return found

    def _instant(self, item: Document) -> datetime:
        value = _field(item, self.fields.time)
        try:
            if isinstance(value, int | float):
                return datetime.fromtimestamp(value / 1000, UTC)
            return parse_instant(str(value))
        except (ValueError, OverflowError):
            raise PermanentError(
                f"{self.exchange.endpoint}: {self.fields.time}={value!r} is no time; "
                f"name the field with the time in {self.exchange.endpoint.settings}_FIELDS"
            ) from None

    def _wanted(self, namespace: str) -> list[str]:
        fields = self.fields
        names = [fields.time, fields.message, fields.level, *fields.place(namespace), *DETAILS]
        return [name for name in dict.fromkeys(names) if name]

    def _shown(self, query: Query) -> str:
        return f"POST /{self.index}/_search {json.dumps({'query': query}, ensure_ascii=False)}"

    def _link(self, words: str, window: Window) -> str:
        """Discover with the search as KQL, in Rison as both user interfaces have it in their addresses."""
        url, source = self._ui
        if not url:
            return ""
        start, end = _rison(format_instant(window.start)), _rison(format_instant(window.end))
        index = f"index:{_rison(source)}," if source else ""
        state = f"({index}query:(language:kuery,query:{_rison(words)}))"
        return f"{url}/app/discover#/?_g={quote(f'(time:(from:{start},to:{end}))')}&_a={quote(state)}"


def _exact(name: str, known: Mapping[str, Mapping[str, Any]]) -> str:
    """The form of a field that is compared exactly, or ""."""
    return next((form for form in (name, f"{name}.keyword") if name and _KEYWORDS & set(known.get(form, ()))), "")


def _scored(query: Query) -> Query:
    """The query with a random score for each document, the same each time."""
    score = {"seed": _SEED, "field": "_seq_no"}
    return {"function_score": {"query": query, "random_score": score, "boost_mode": "replace"}}


def _field(item: Document, name: str) -> Any:
    """A field by its dotted name, whether it was shipped nested, dotted, or both."""
    if name in item:
        return item[name]
    at = name.find(".")
    while at > 0:
        inner = item.get(name[:at])
        if isinstance(inner, Mapping):
            found = _field(inner, name[at + 1 :])
            if found is not None:
                return found
        at = name.find(".", at + 1)
    return None


def _text(item: Document, name: str) -> str:
    value = _field(item, name) if name else None
    return "" if value is None or isinstance(value, Mapping) else str(value)


def _time(line: LogLine) -> float:
    return line.time.timestamp() if line.time else 0.0


def _rison(text: str) -> str:
    return "'" + text.replace("!", "!!").replace("'", "!'") + "'"
