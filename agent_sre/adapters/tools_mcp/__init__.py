"""Tools of servers that speak the Model Context Protocol, for the model to look further with.

A server is somebody else's program: it may change its tools at any time, describe them as it likes and answer without
end. So the operator lists tools by name and nothing else is offered; what a server says of a tool (its annotations) can
only take away; a call first looks at the tool again; answers are bounded in time and bytes. Requests of the server to
us (sampling, elicitation, roots) are not answered.

Each call has a session of its own: it costs a handshake, and no call can be held up by what another left behind.
"""

from agent_sre.adapters.tools_mcp.probe import McpProbe
from agent_sre.adapters.tools_mcp.server import McpServer
from agent_sre.adapters.tools_mcp.source import McpTools

__all__ = ["McpProbe", "McpServer", "McpTools"]
