"""Logs as a snapshot's ``logs/`` folder holds them.

Takes openers, not paths; bootstrap composes it with what ``snapshot_directory`` found. Files are streamed, because they
may be huge; what a line may look like is ``domain.log_text``'s to know.
"""

import asyncio
import zlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import IO

from agent_sre.domain.errors import PermanentError
from agent_sre.domain.log_text import read_log
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import LogSource, LogStream


class SnapshotLogs:
    """LogReader over openers of plain byte streams. No line later than ``now`` is returned."""

    def __init__(self, logs: Mapping[LogSource, Callable[[], IO[bytes]]], now: datetime) -> None:
        self._logs = logs
        self._now = now

    async def sources(self, namespace: str) -> tuple[LogSource, ...]:
        """What there is in a namespace (or "@nodes"), sorted."""
        found = [source for source in self._logs if source.namespace == namespace]
        return tuple(sorted(found, key=lambda source: (source.pod, source.container, source.previous)))

    async def read(self, source: LogSource, window: Window, max_lines: int) -> LogStream:
        """The lines of a source; reading happens in a thread, because a file may be large."""
        if source not in self._logs:
            raise PermanentError(f"the snapshot has no log of {source}")
        end = min(window.end, self._now)
        within = Window(min(window.start, end), end)
        try:
            return await asyncio.to_thread(_read, source, self._logs[source], within, max_lines)
        except (OSError, EOFError, zlib.error) as error:
            raise PermanentError(f"the log of {source} cannot be read: {error}") from None


def _read(source: LogSource, open_log: Callable[[], IO[bytes]], window: Window, max_lines: int) -> LogStream:
    with open_log() as file:
        return read_log(source, file, window, max_lines)
