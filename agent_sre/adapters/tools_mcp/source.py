"""The tools of one server behind the ToolSource port: what is offered, and a call of one of them."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import orjson
from mcp import Client
from mcp.types import CallToolResult, TextContent, Tool as ServerTool

from agent_sre.adapters.tools_mcp.server import McpServer
from agent_sre.adapters.tools_mcp.session import in_session
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.log_text import clean
from agent_sre.domain.tool import RefusedTool, Tool, ToolAnswer, ToolList

MAX_TEXT = 64 * 1024
MAX_DESCRIPTION = 1_000
MAX_PARAMETERS = 16 * 1024
_MAX_PAGES = 20


class McpTools:
    """See ``ports.tools.ToolSource``."""

    def __init__(self, server: McpServer) -> None:
        self.server = server

    @property
    def name(self) -> str:
        """The operator's name for the server."""
        return self.server.name

    async def tools(self) -> ToolList:
        """What the server has, sorted by the operator's list."""
        return await in_session(self.server, self._listed)

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> ToolAnswer:
        """Call it, after a look at whether it still is what may be called."""

        async def looked_at_and_called(client: Client) -> ToolAnswer:
            known = await self._listed(client)
            if tool not in {item.name for item in known.offered}:
                raise PermanentError(self._why_not(tool, known))
            return _answer(await client.call_tool(tool, dict(arguments)))

        if tool not in self.server.tools:
            raise PermanentError(f"{self.server}: {tool!r} is not on its list of tools; listed: {self._list()}")
        return await in_session(self.server, looked_at_and_called)

    async def _listed(self, client: Client) -> ToolList:
        offered, refused, seen = [], [], set()
        async for item in _pages(client):
            if item.name in seen:
                continue  # the first of a name counts: a second must not replace it
            seen.add(item.name)
            reason = self._reason_against(item)
            if reason:
                refused.append(RefusedTool(self.name, _line(item.name), reason))
            else:
                offered.append(Tool(self.name, item.name, _described(item), item.input_schema))
        missing = sorted(set(self.server.tools) - seen)
        refused += [RefusedTool(self.name, name, "the server has no such tool") for name in missing]
        info = client.server_info
        version = f"{info.name} {info.version}".strip() if info else ""
        return ToolList(tuple(offered), tuple(refused), _line(version))

    def _reason_against(self, item: ServerTool) -> str:
        """Why the tool is not offered; "" where it is."""
        if item.name not in self.server.tools:
            return "not on the list of tools"
        hints = item.annotations
        if hints is not None and (hints.read_only_hint is False or hints.destructive_hint is True):
            return "listed, but the server says that it changes things"
        if len(orjson.dumps(item.input_schema)) > MAX_PARAMETERS:
            return f"listed, but its parameters take more than {MAX_PARAMETERS // 1024} kB to describe"
        return ""

    def _why_not(self, tool: str, known: ToolList) -> str:
        reasons = {item.name: item.reason for item in known.refused}
        return f"{self.server}: {tool!r} is not offered: {reasons.get(tool, 'the server has no such tool')}"

    def _list(self) -> str:
        return ", ".join(self.server.tools) or "none"


async def _pages(client: Client) -> AsyncIterator[ServerTool]:
    """All tools, page by page, within reason."""
    cursor: str | None = None
    for _ in range(_MAX_PAGES):
        page = await client.list_tools(cursor=cursor)
        for item in page.tools:
            yield item
        cursor = page.next_cursor
        if cursor is None:
            return


def _described(item: ServerTool) -> str:
    return _line(item.description or "")[:MAX_DESCRIPTION]


def _line(text: str) -> str:
    return " ".join(clean(text).split())


def _answer(result: CallToolResult) -> ToolAnswer:
    """The texts of an answer; what is no text is counted, not kept."""
    text = "\n".join(_texts(result))
    other = sum(not isinstance(part, TextContent) for part in result.content)
    left_out = [f"{other} parts that are no text"] if other else []
    if len(text) > MAX_TEXT:
        left_out.append(f"{len(text) - MAX_TEXT} of {len(text)} characters")
        text = text[:MAX_TEXT]
    return ToolAnswer(text, bool(result.is_error), tuple(left_out))


def _texts(result: CallToolResult) -> Iterator[str]:
    """Text as it is; the structured form only where there is no text, which repeats it."""
    texts = [part.text for part in result.content if isinstance(part, TextContent)]
    if not texts and result.structured_content is not None:
        texts = [orjson.dumps(result.structured_content).decode()]
    for text in texts:
        yield "\n".join(clean(line) for line in text.splitlines())
