"""Read-only tools of other systems, which a model may call beside the collectors."""

from collections.abc import Mapping
from typing import Any, Protocol

from agent_sre.domain.tool import ToolAnswer, ToolList


class ToolSource(Protocol):
    """One server's tools. ``name`` is the operator's name for it.

    Both methods raise TemporaryError where the server cannot be reached or is too slow, PermanentError where it or the
    list refuses.
    """

    @property
    def name(self) -> str:
        """The operator's name for the server."""
        ...

    async def tools(self) -> ToolList:
        """What may be used, and what may not and why."""
        ...

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> ToolAnswer:
        """Call a tool that is offered; any other is refused without asking the server to run it."""
        ...
