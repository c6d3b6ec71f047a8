"""The doctor's look at an MCP server: reach, version, and which of its tools are offered."""

from agent_sre.adapters.tools_mcp.source import McpTools
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.ports.health import Check, CheckState


class McpProbe:
    """A failure is a Check, never an exception."""

    def __init__(self, tools: McpTools) -> None:
        self._tools = tools

    async def check(self) -> tuple[Check, ...]:
        """One line."""
        server, subject = self._tools.server, f"tools ({self._tools.name})"
        try:
            found = await self._tools.tools()
        except TemporaryError as error:
            return (Check(subject, CheckState.FAILED, str(error), "start it, or correct AGENT_SRE_MCP_SERVERS"),)
        except PermanentError as error:
            return (Check(subject, CheckState.FAILED, str(error), "correct AGENT_SRE_MCP_SERVERS"),)
        said = (
            f"{found.version or 'it'} answers; offered: {', '.join(item.name for item in found.offered) or 'nothing'}"
        )
        wanted = [item for item in found.refused if item.name in server.tools]
        if not wanted:
            return (Check(subject, CheckState.OK, said),)
        reasons = "; ".join(f"{item.name}: {item.reason}" for item in wanted)
        fix = f"take them off the list or correct their names; see: agent-sre tools list {self._tools.name}"
        return (Check(subject, CheckState.WARNING, f"{said}. Not offered: {reasons}", fix),)
