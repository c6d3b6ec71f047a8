"""``KubernetesLogs``: the LogReader over pods' logs. Node journals are not reachable without rights on the kubelet."""

import asyncio
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from agent_sre.adapters.kubernetes_api.connection import Refused, checked
from agent_sre.adapters.kubernetes_api.reader import KubernetesCluster
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.instant import format_instant, parse_instant
from agent_sre.domain.log_search import FoundLines, LogSearch, counted, tally
from agent_sre.domain.log_text import entries, read_log
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import LogLine, LogSource
from agent_sre.ports.logs import LogAnswer, LogCounts

NODES = "@nodes"
MAX_BYTES = 8 * 1024 * 1024
TAIL = 20_000
SEARCHED = 50
"""Containers that one search reads at most."""
_SHORTER = 3
"""How often fewer lines are asked for, where lines are long."""
_STAMP = 64
_STATUSES = ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")


class KubernetesLogs:
    """Reads the newest ``tail`` lines since the window's start, ``max_bytes`` at most, and samples those evenly.

    The API can count from the end, but neither sample nor stop at an instant. So what lies before the lines that were
    read is estimated, from their pace, and told as left out with the rest.
    """

    def __init__(self, cluster: KubernetesCluster, *, tail: int = TAIL, max_bytes: int = MAX_BYTES) -> None:
        self._cluster = cluster
        self._tail = tail
        self._max_bytes = max_bytes

    async def sources(self, namespace: str, window: Window) -> tuple[LogSource, ...]:
        """Every container that has been started, and the previous run of each that has restarted, as of now."""
        if namespace == NODES:
            return ()
        pods = await self._cluster.list("Pod", namespace)
        return tuple(source for pod in pods for source in _sources(pod))

    async def read(self, source: LogSource, window: Window, max_lines: int) -> LogAnswer:
        """The lines of one source; parsing happens in a thread."""
        if source.namespace == NODES:
            raise PermanentError(
                "journals of nodes cannot be read through the Kubernetes API; ship them to a log store"
            )
        content, beyond = await self._content(source, window)
        stream = await asyncio.to_thread(read_log, source, io.BytesIO(content), window, max_lines)
        return LogAnswer((replace(stream, left_out=stream.left_out + beyond),), _command(source, window))

    async def search(self, search: LogSearch, max_lines: int) -> LogAnswer:
        """Reads every container of the search as ``read`` does; the API itself has no search."""
        found = FoundLines(max_lines)

        def find(source: LogSource, lines: Iterable[LogLine]) -> None:
            for line in lines:
                if search.admits(line):
                    found.add(source, line)

        notes = await self._each(search, find)
        return LogAnswer(found.streams(), _commands(search), notes=notes)

    async def counts(self, search: LogSearch, step: timedelta) -> LogCounts:
        """Counts the lines that ``search`` reads; where older ones are out of reach, that is noted."""
        total: Counter[float] = Counter()
        seconds = step.total_seconds()

        def count(source: LogSource, lines: Iterable[LogLine]) -> None:
            total.update(tally(search, seconds, lines))

        notes = await self._each(search, count)
        return LogCounts(counted(search, seconds, total), _commands(search), notes=notes)

    async def _each(self, search: LogSearch, take: Callable[[LogSource, Iterable[LogLine]], None]) -> tuple[str, ...]:
        """Hand over the lines of every container of a search, one container at a time; gives what was not read."""
        found = [source for source in await self.sources(search.namespace, search.window) if search.has(source)]
        notes = [f"{len(found) - SEARCHED} of {len(found)} containers not searched"] if len(found) > SEARCHED else []
        for source in found[:SEARCHED]:
            content, beyond = await self._content(source, search.window)
            await asyncio.to_thread(take, source, entries(io.BytesIO(content)))
            if beyond:
                notes.append(f"about {beyond} lines of {source} are out of reach of the API and not searched")
        return tuple(notes)

    async def _content(self, source: LogSource, window: Window) -> tuple[bytes, int]:
        """The newest lines as they come, and an estimate of how many of the window are not among them."""
        tail = self._tail
        content = await self._newest(source, window.start, tail)
        for _ in range(_SHORTER):
            if len(content) < self._max_bytes:
                break
            # The server cuts at the newest end, which matters most; fewer lines are cut at the oldest.
            tail = max(content.count(b"\n") // 2, 1)
            content = await self._newest(source, window.start, tail)
        lines = content.count(b"\n")
        earlier = _estimate(content, window) if lines >= tail else 0
        later = max(tail - lines, 1) if len(content) >= self._max_bytes else 0
        return content, earlier + later

    async def _newest(self, source: LogSource, since: datetime, tail: int) -> bytes:
        path = f"/api/v1/namespaces/{checked(source.namespace)}/pods/{checked(source.pod)}/log"
        what = f"get pods/log of {source}"
        query = [
            ("container", source.container),
            ("timestamps", "true"),
            ("tailLines", str(tail)),
            ("limitBytes", str(self._max_bytes)),
            ("sinceTime", format_instant(since.replace(microsecond=0))),
            *([("previous", "true")] if source.previous else []),
        ]
        connection = self._cluster.connection
        # The server may count bytes without the times it adds, so what comes may be longer than what was asked for.
        most = 4 * self._max_bytes
        read = partial(connection.content, "GET", path, what, query=query, max_bytes=most)
        try:
            return await self._cluster.retrying(what, read)
        except Refused as refused:
            raise refused.error(what) from None


def _command(source: LogSource, window: Window) -> str:
    previous = " --previous" if source.previous else ""
    since = format_instant(window.start)
    return f"kubectl logs -n {source.namespace} {source.pod} -c {source.container}{previous} --since-time={since}"


def _commands(search: LogSearch) -> str:
    pods = f"{search.workload}-*" if search.workload else "*"
    patterns = [pattern for pattern in (search.text_pattern, search.level_pattern) if pattern]
    command = f"kubectl logs -n {search.namespace} {pods} --since-time={format_instant(search.window.start)}"
    return " | ".join([command, *(f"grep -E '{pattern}'" for pattern in patterns)])


def _estimate(content: bytes, window: Window) -> int:
    """How many lines of the window came before these, if all came at the same pace; at least one where any time is
    not covered."""
    first, last = _time(content[:_STAMP]), _time(content[content.rfind(b"\n", 0, -1) + 1 :][:_STAMP])
    if first is None or last is None:
        return 1
    uncovered = (min(first, window.end) - window.start).total_seconds()
    covered = (last - first).total_seconds()
    if uncovered <= 0:
        return 0
    return max(1, round((content.count(b"\n") - 1) * uncovered / covered)) if covered > 0 else 1


def _time(line: bytes) -> datetime | None:
    try:
        return parse_instant(line.split(b" ", 1)[0].decode("ascii", errors="replace"))
    except ValueError:
        return None


def _sources(pod: Mapping[str, Any]) -> Iterator[LogSource]:
    metadata, status = pod.get("metadata") or {}, pod.get("status") or {}
    place = str(metadata.get("namespace", "")), str(metadata.get("name", ""))
    for field in _STATUSES:
        for item in status.get(field) or ():
            container, restarts = str(item.get("name", "")), int(item.get("restartCount") or 0)
            state, last = item.get("state") or {}, item.get("lastState") or {}
            if state.get("running") or state.get("terminated") or restarts:
                yield LogSource(*place, container)
            if restarts or last.get("terminated"):
                yield LogSource(*place, container, previous=True)
