"""Logs of containers and node units, from the runtime's own files or from a store that keeps them longer."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from agent_sre.domain.log_search import LogSearch
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import LogSource, LogStream, Series


@dataclass(frozen=True, slots=True)
class LogAnswer:
    """Streams, each with how many of its lines are left out, and where a person finds them again.

    ``query`` is in the back end's own language, ``link`` opens it in the back end's user interface ("" where none is
    configured), and ``notes`` say in words what else is missing from the answer: failed shards, lines too long to read.
    """

    streams: tuple[LogStream, ...]
    query: str
    link: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LogCounts:
    """Lines per step: ``series`` is named ``log_lines`` and has a point at each step's start (zero where none)."""

    series: Series
    query: str
    link: str = ""
    notes: tuple[str, ...] = ()


class LogReader(Protocol):
    """Read-only access to log lines. Times are UTC; both ends of a window belong to it."""

    async def sources(self, namespace: str, window: Window) -> tuple[LogSource, ...]:
        """What there is to read of a namespace in the window, previous runs included; "@nodes" lists units of nodes.

        Where the back end knows only what lives now, that is what is listed.
        """
        ...

    async def read(self, source: LogSource, window: Window, max_lines: int) -> LogAnswer:
        """The lines of one source in the window. More than ``max_lines``: sampled evenly, and counted as left out.

        Lines whose time is unknown count as inside the window. The answer has one stream.
        """
        ...

    async def search(self, search: LogSearch, max_lines: int) -> LogAnswer:
        """The lines that a search admits, of all its sources together at most ``max_lines``, sampled evenly."""
        ...

    async def counts(self, search: LogSearch, step: timedelta) -> LogCounts:
        """How many lines a search admits in each step; steps are aligned to multiples of ``step`` since the epoch."""
        ...
