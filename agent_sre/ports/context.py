"""What surrounds the incident: changes, the call graph, traces."""

from dataclasses import dataclass
from typing import Protocol

from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Change, Edge, Span
from agent_sre.domain.trace_search import TraceSearch


class ChangeReader(Protocol):
    """What people and machines changed."""

    async def changes(self, namespaces: tuple[str, ...], window: Window) -> tuple[Change, ...]:
        """Changes in the window, oldest first."""
        ...


class CommitReader(ChangeReader, Protocol):
    """The commits of one repository: those of a window, and those between two revisions."""

    async def between(self, old: str, new: str) -> tuple[Change, ...]:
        """Commits that ``new`` has and ``old`` has not, oldest first; none where the repository lacks either.

        Revisions are commit ids, whole or their first seven characters or more.
        """
        ...


class TopologyReader(Protocol):
    """Who calls whom."""

    async def edges(self, namespaces: tuple[str, ...]) -> tuple[Edge, ...]:
        """The call graph's edges."""
        ...


@dataclass(frozen=True, slots=True)
class TraceAnswer:
    """Spans of whole traces, and where a person finds them again.

    ``query`` is in the back end's own language, ``link`` opens it in a user interface ("" where none is configured).
    ``more`` says that there are traces, or parts of them, which this is only a sample of; ``notes`` say in words what
    is missing and why.
    """

    spans: tuple[Span, ...]
    query: str
    link: str = ""
    more: bool = False
    notes: tuple[str, ...] = ()


class TraceReader(Protocol):
    """Read-only access to traces of requests. Times are UTC; both ends of a window belong to it."""

    async def services(self, namespaces: tuple[str, ...], window: Window) -> tuple[str, ...]:
        """Names of the services that have spans, sorted.

        Where the back end cannot tell namespaces or times apart, services of others are among them.
        """
        ...

    async def search(self, search: TraceSearch, max_spans: int) -> TraceAnswer:
        """The traces that a search admits; more than ``max_spans`` spans: whole traces, spread evenly over the window.

        A back end may have a lower bound of its own on how many traces it reads, which it then says.
        """
        ...
