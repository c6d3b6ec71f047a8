"""What surrounds the incident: changes, the call graph, traces."""

from typing import Protocol

from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Change, Edge, Span


class ChangeReader(Protocol):
    """What people and machines changed."""

    async def changes(self, namespaces: tuple[str, ...], window: Window) -> tuple[Change, ...]:
        """Changes in the window, oldest first."""
        ...


class TopologyReader(Protocol):
    """Who calls whom."""

    async def edges(self, namespaces: tuple[str, ...]) -> tuple[Edge, ...]:
        """The call graph's edges."""
        ...


class TraceReader(Protocol):
    """Spans of requests."""

    async def spans(self, namespaces: tuple[str, ...], window: Window, limit: int) -> tuple[Span, ...]:
        """Up to ``limit`` spans in the window, whole traces first."""
        ...
