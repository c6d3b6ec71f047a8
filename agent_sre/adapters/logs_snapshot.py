"""Logs as a snapshot's ``logs/`` folder holds them.

Takes openers, not paths; bootstrap composes it with what ``snapshot_directory`` found. Files are streamed, because they
may be huge; what a line may look like is ``domain.log_text``'s to know.
"""

import asyncio
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import IO, TypeVar

from agent_sre.domain.errors import PermanentError
from agent_sre.domain.log_search import FoundLines, LogSearch, counted, tally
from agent_sre.domain.log_text import entries, read_log
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import LogSource, LogStream
from agent_sre.ports.logs import LogAnswer, LogCounts

T = TypeVar("T")


class SnapshotLogs:
    """LogReader over openers of plain byte streams. No line later than ``now`` is returned."""

    def __init__(self, logs: Mapping[LogSource, Callable[[], IO[bytes]]], now: datetime) -> None:
        self._logs = logs
        self._now = now

    async def sources(self, namespace: str, window: Window) -> tuple[LogSource, ...]:
        """What there is in a namespace (or "@nodes"), sorted; a file is there whatever the window."""
        found = [source for source in self._logs if source.namespace == namespace]
        return tuple(sorted(found, key=lambda source: (source.pod, source.container, source.previous)))

    async def read(self, source: LogSource, window: Window, max_lines: int) -> LogAnswer:
        """The lines of a source; reading happens in a thread, because a file may be large."""
        if source not in self._logs:
            raise PermanentError(f"the snapshot has no log of {source}")
        stream = await _in_thread(_read, source, self._logs[source], self._until_now(window), max_lines)
        return LogAnswer((stream,), f"logs/{source}")

    async def search(self, search: LogSearch, max_lines: int) -> LogAnswer:
        """Reads every file of the search's sources."""
        search = replace(search, window=self._until_now(search.window))
        found = FoundLines(max_lines)
        for source in await self._searched(search):
            await _in_thread(_find, source, self._logs[source], search, found)
        return LogAnswer(found.streams(), _words(search))

    async def counts(self, search: LogSearch, step: timedelta) -> LogCounts:
        """Reads every file of the search's sources."""
        total: Counter[float] = Counter()
        within = replace(search, window=self._until_now(search.window))
        for source in await self._searched(search):
            total.update(await _in_thread(_tally, source, self._logs[source], within, step.total_seconds()))
        return LogCounts(counted(search, step.total_seconds(), total), _words(search))

    async def _searched(self, search: LogSearch) -> list[LogSource]:
        return [source for source in await self.sources(search.namespace, search.window) if search.has(source)]

    def _until_now(self, window: Window) -> Window:
        end = min(window.end, self._now)
        return Window(min(window.start, end), end)


Opener = Callable[[], IO[bytes]]


async def _in_thread(work: Callable[..., T], source: LogSource, *rest: object) -> T:
    try:
        return await asyncio.to_thread(work, source, *rest)
    except (OSError, EOFError, zlib.error) as error:
        raise PermanentError(f"the log of {source} cannot be read: {error}") from None


def _read(source: LogSource, open_log: Opener, window: Window, max_lines: int) -> LogStream:
    with open_log() as file:
        return read_log(source, file, window, max_lines)


def _find(source: LogSource, open_log: Opener, search: LogSearch, found: FoundLines) -> None:
    with open_log() as file:
        for line in entries(file):
            if search.admits(line):
                found.add(source, line)


def _tally(source: LogSource, open_log: Opener, search: LogSearch, step: float) -> dict[float, int]:
    with open_log() as file:
        return tally(search, step, entries(file))


def _words(search: LogSearch) -> str:
    """The search as a person would say it, since a folder has no query language."""
    named = {"workload": search.workload, "text": search.text, "level": search.level or ""}
    return " ".join([f"logs/{search.namespace}", *(f"{key}={value!s}" for key, value in named.items() if value)])
