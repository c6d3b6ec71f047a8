"""``VictoriaLogs``: the LogReader over LogsQL."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import orjson

from agent_sre.adapters.logs_victorialogs.language import (
    FIELDS,
    literal,
    search_filter,
    source_filter,
    sources_filter,
)
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.instant import parse_instant
from agent_sre.domain.log_search import FoundLines, LogSearch, counted, step_starts
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import LogLine, LogSource
from agent_sre.outbound import Call, Endpoint, Exchange, rows
from agent_sre.outbound.stored_entry import LogFields, cut_note, entry_text, only_current, sampled_by
from agent_sre.ports.logs import LogAnswer, LogCounts

DETAILS = ("error", "err", "exception", "error.message", "error.stack_trace", "stack_trace", "stacktrace", "stack")
"""Fields of structured logs that say more of what went wrong than the message does."""
_MAX_SOURCES = 20_000

Row = Mapping[str, Any]


class VictoriaLogs:
    """``ui_url`` is where people reach it, for links; "" gives none."""

    def __init__(
        self,
        endpoint: Endpoint,
        fields: LogFields = FIELDS,
        ui_url: str = "",
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.exchange = Exchange(endpoint, sleep)
        self.fields = fields
        self._ui_url = ui_url.rstrip("/")

    async def sources(self, namespace: str, window: Window) -> tuple[LogSource, ...]:
        """Containers, or units of nodes, with lines in the window, whether they live still or not."""
        totals = await self._totals(namespace, sources_filter(namespace, window, self.fields))
        return tuple(sorted(totals, key=str))

    async def read(self, source: LogSource, window: Window, max_lines: int) -> LogAnswer:
        """The lines of one container, all of its runs together."""
        only_current(source, "VictoriaLogs")
        found = source_filter(source, window, self.fields)
        return await self._lines(source.namespace, found, max_lines, {source: 0})

    async def search(self, search: LogSearch, max_lines: int) -> LogAnswer:
        """The lines that a search admits; a row without a pod is not among them."""
        return await self._lines(search.namespace, search_filter(search, self.fields), max_lines, {})

    async def counts(self, search: LogSearch, step: timedelta) -> LogCounts:
        """``stats by (_time:step)``."""
        seconds = step.total_seconds()
        step_starts(search.window, seconds)
        query = f"{search_filter(search, self.fields)} | stats by (_time:{round(seconds * 1e9)}ns) count() as lines"
        counts: dict[float, int] = {}

        def take(row: Row) -> None:
            counts[parse_instant(row["_time"]).timestamp()] = int(row["lines"])

        dropped = await self.ask(query, take, counts.clear)
        return LogCounts(counted(search, seconds, counts), query, self._link(query), cut_note(dropped))

    async def ask(
        self,
        query: str,
        take: Callable[[Row], None],
        again: Callable[[], None] = lambda: None,
        passed_by: Callable[[], bool] = lambda: False,
    ) -> int:
        """Hand each row of an answer to ``take``; gives how many were too long to be read.

        ``again`` is called before rows come, and once more where the request had to be repeated; ``passed_by`` before
        each row, and where it says yes the row is not even decoded.
        """

        async def read(parts: AsyncIterator[bytes]) -> int:
            again()
            dropped = 0
            async for row in rows(parts):
                if row is None:
                    dropped += 1
                elif not passed_by():
                    take(self._parsed(row))
            return dropped

        seconds = self.exchange.endpoint.timeout_seconds
        form = {"query": query, "timeout": f"{seconds:g}s", "allow_partial_response": "0"}
        with self.exchange.well_formed():
            return await self.exchange.read(Call("POST", "select/logsql/query", form=form), read)

    async def close(self) -> None:
        """Close the connections."""
        await self.exchange.close()

    async def _totals(self, namespace: str, found: str) -> dict[LogSource, int]:
        """How many lines each container has; rows that name no pod are not counted."""
        pod, container = self.fields.place(namespace)
        query = f"{found} | stats by ({literal(pod)}, {literal(container)}) count() as lines"
        totals: dict[LogSource, int] = {}

        def take(row: Row) -> None:
            if row.get(pod):
                totals[LogSource(namespace, str(row[pod]), str(row.get(container, "")))] = int(row["lines"])
            if len(totals) > _MAX_SOURCES:
                raise PermanentError(f"more than {_MAX_SOURCES} containers have lines there; narrow the window")

        await self.ask(query, take, totals.clear)
        return totals

    async def _lines(self, namespace: str, found: str, max_lines: int, empty: dict[LogSource, int]) -> LogAnswer:
        """Count first, then read a sample that the server has put in order."""
        totals = {**empty, **await self._totals(namespace, found)}
        one_of = sampled_by(sum(totals.values()), max_lines)
        sample = f" | sample {one_of}" if one_of > 1 else ""
        query = f"{found}{sample} | sort by (_time) | fields {', '.join(map(literal, self._names(namespace)))}"
        kept = FoundLines(max_lines)

        def take(row: Row) -> None:
            source, line = self._line(namespace, row)
            if source.pod:
                kept.add(source, line)

        dropped = await self.ask(query, take, kept.clear, kept.passed_by) if any(totals.values()) else 0
        return LogAnswer(kept.streams(totals), found, self._link(found), cut_note(dropped))

    def _names(self, namespace: str) -> list[str]:
        fields = self.fields
        names = [fields.time, fields.message, fields.level, *fields.place(namespace), *DETAILS]
        return [name for name in dict.fromkeys(names) if name]

    def _line(self, namespace: str, row: Row) -> tuple[LogSource, LogLine]:
        fields = self.fields
        pod, container = fields.place(namespace)
        details = [(name, str(row[name])) for name in DETAILS if row.get(name)]
        text = entry_text(str(row.get(fields.message, "")), str(row.get(fields.level, "")), details)
        source = LogSource(namespace, str(row.get(pod, "")), str(row.get(container, "")))
        return source, LogLine(parse_instant(row[fields.time]), text)

    def _parsed(self, row: bytes) -> Row:
        try:
            parsed = orjson.loads(row)
        except orjson.JSONDecodeError:
            parsed = None
        if not isinstance(parsed, dict):
            shown = row[:200].decode(errors="replace")
            endpoint = self.exchange.endpoint
            raise PermanentError(f"{endpoint} is no VictoriaLogs: it answered {shown!r}; check {endpoint.settings}_URL")
        return parsed

    def _link(self, query: str) -> str:
        """The query in vmui. It carries its own time filter, so the page's time range does not matter."""
        if not self._ui_url:
            return ""
        headers = {name.lower(): value for name, value in self.exchange.endpoint.headers.items()}
        tenant = "".join(
            f"&{name}={quote(headers[name.lower()])}" for name in ("accountID", "projectID") if name.lower() in headers
        )
        return f"{self._ui_url}/select/vmui/#/?query={quote(query, safe='')}{tenant}"


def tenant_headers(tenant: str) -> dict[str, str]:
    """``AccountID[:ProjectID]`` as headers. Raises PermanentError where it is neither."""
    if not tenant:
        return {}
    account, _, project = tenant.partition(":")
    if not account.isdecimal() or not (project or "0").isdecimal():
        raise PermanentError(
            f"AGENT_SRE_LOGS_TENANT={tenant!r} is no tenant of VictoriaLogs; write AccountID or AccountID:ProjectID, "
            f"both numbers"
        )
    return {"AccountID": account, "ProjectID": project or "0"}
