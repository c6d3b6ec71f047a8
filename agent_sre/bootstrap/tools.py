"""The MCP servers that the settings name. Their library is an extra, imported only where a server is configured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_sre.domain.errors import PermanentError
from agent_sre.evidence.redaction import Redaction, site_patterns
from agent_sre.settings import PREFIX, Settings
from agent_sre.settings.items import McpServerSettings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from agent_sre.adapters.tools_mcp import McpServer, McpTools
    from agent_sre.domain.tool import ToolAnswer, ToolList
    from agent_sre.ports.health import Probe
    from agent_sre.ports.tools import ToolSource

_INSTALL = 'install it: pip install "agent-sre[mcp]"'


def tool_sources(settings: Settings) -> tuple[McpTools, ...]:
    """One per configured server. Raises PermanentError where the library is missing or two have one name."""
    if not settings.mcp_servers:
        return ()
    try:
        from agent_sre.adapters.tools_mcp import McpTools
    except ModuleNotFoundError as error:
        raise PermanentError(f"{PREFIX}MCP_SERVERS is set, but {error.name} is not installed; {_INSTALL}") from None
    names = [item.name for item in settings.mcp_servers]
    double = sorted({name for name in names if names.count(name) > 1})
    if double:
        raise PermanentError(f"{PREFIX}MCP_SERVERS has two servers named {double[0]!r}; give each a name of its own")
    return tuple(McpTools(_server(item)) for item in settings.mcp_servers)


def tool_probes(settings: Settings) -> tuple[Probe, ...]:
    """What looks at each server for the doctor."""
    if not settings.mcp_servers:
        return ()
    sources = tool_sources(settings)  # first: it says what to install where the library is missing
    from agent_sre.adapters.tools_mcp import McpProbe

    return tuple(McpProbe(source) for source in sources)


async def list_tools(settings: Settings, server: str) -> ToolList:
    """What a server offers and what not. Raises PermanentError for an unknown name."""
    return await _named(settings, server).tools()


async def call_tool(settings: Settings, server: str, tool: str, arguments: Mapping[str, Any]) -> ToolAnswer:
    """A tool's answer as a model would get it: bounded and redacted."""
    from dataclasses import replace

    redactor = Redaction(patterns=site_patterns(settings.redact_patterns)).redactor()
    answer = await _named(settings, server).call(tool, arguments)
    return replace(answer, text=redactor.text(answer.text))


def _named(settings: Settings, name: str) -> ToolSource:
    sources = {source.name: source for source in tool_sources(settings)}
    if name not in sources:
        known = ", ".join(sources) or f"none; {PREFIX}MCP_SERVERS is empty, see docs/mcp.md"
        raise PermanentError(f"no MCP server is named {name!r}; configured: {known}")
    return sources[name]


def _server(item: McpServerSettings) -> McpServer:
    from agent_sre.adapters.tools_mcp import McpServer

    token = item.token.get_secret_value()
    return McpServer(
        name=item.name,
        tools=item.tools,
        url=item.url.get_secret_value(),
        command=item.command,
        environment={key: value.get_secret_value() for key, value in item.environment.items()},
        headers={
            **{key: value.get_secret_value() for key, value in item.headers.items()},
            **({"Authorization": f"Bearer {token}"} if token else {}),
        },
        timeout_seconds=item.timeout,
    )
