"""Logs of containers and node units."""

from typing import Protocol

from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import LogSource, LogStream


class LogReader(Protocol):
    """Read-only access to log lines."""

    async def sources(self, namespace: str) -> tuple[LogSource, ...]:
        """What there is to read in a namespace, previous runs included; "@nodes" lists units of nodes."""
        ...

    async def read(self, source: LogSource, window: Window, max_lines: int) -> LogStream:
        """The lines of one source in the window. More than ``max_lines``: sampled evenly, and counted as left out.

        Lines whose time is unknown count as inside the window.
        """
        ...
