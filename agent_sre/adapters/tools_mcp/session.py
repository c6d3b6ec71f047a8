"""A session with a server: opened, bounded, and its failures told apart.

The library reports what goes wrong in groups of errors, nested as deep as its task groups are. What an operator needs
is the one at the bottom, in our two kinds. Answers are not unpacked: a few bytes of gzip can be a gigabyte.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import httpx2
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from agent_sre.adapters.tools_mcp.server import McpServer
from agent_sre.domain.errors import AgentSreError, PermanentError, TemporaryError

T = TypeVar("T")
MAX_BYTES = 4 * 1024 * 1024
_EXCERPT = 300
_TEMPORARY = frozenset({408, 425, 429, 500, 502, 503, 504})
_SETTING = "AGENT_SRE_MCP_SERVERS"


async def in_session(server: McpServer, use: Callable[[Client], Awaitable[T]]) -> T:
    """What ``use`` makes of an open session, within the server's time.

    Raises TemporaryError where the server cannot be reached, is too slow or too busy; PermanentError where it refuses.
    """
    try:
        async with asyncio.timeout(server.timeout_seconds), _opened(server) as client:
            return await use(client)
    except TimeoutError:
        raise TemporaryError(f"{server} gave no answer within {server.timeout_seconds:g} s") from None
    except (ExceptionGroup, MCPError, httpx2.HTTPError, httpx2.InvalidURL, OSError, RuntimeError) as error:
        _explain(server, error)


@asynccontextmanager
async def _opened(server: McpServer) -> AsyncIterator[Client]:
    async with AsyncExitStack() as stack:
        if server.command:
            program, *arguments = server.command
            client = Client(
                StdioServerParameters(command=program, args=arguments, env=dict(server.environment)), cache=None
            )
        else:
            http = await stack.enter_async_context(_http(server))
            client = Client(streamable_http_client(server.url, http_client=http), cache=None)
        yield await stack.enter_async_context(client)


def _http(server: McpServer) -> AbstractAsyncContextManager[httpx2.AsyncClient]:
    return httpx2.AsyncClient(
        headers={**server.headers, "Accept-Encoding": "identity"},
        timeout=server.timeout_seconds,
        transport=_Bounded(),
        follow_redirects=False,
    )


class _TooLong(httpx2.TransportError):
    """The answer has more bytes than may be read."""


class _Bounded(httpx2.AsyncHTTPTransport):
    """Answers up to MAX_BYTES, as they are."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send; refuse an answer that is packed in spite of what was asked for."""
        response = await super().handle_async_request(request)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise _TooLong("it packs its answers although that was not asked for", request=request)
        response.stream = _Counted(response.stream, request)
        return response


class _Counted(httpx2.AsyncByteStream):
    def __init__(self, stream: Any, request: httpx2.Request) -> None:
        self._stream = stream
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for part in self._stream:
            size += len(part)
            if size > MAX_BYTES:
                raise _TooLong(f"its answer is longer than {MAX_BYTES // 1024**2} MB", request=self._request)
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()


def _explain(server: McpServer, error: BaseException) -> NoReturn:
    """Raise our error for the one at the bottom; what is not the server's doing goes on as it is."""
    leaf = error
    while isinstance(leaf, BaseExceptionGroup):
        leaf = leaf.exceptions[0]
    text = " ".join(str(leaf).split())[:_EXCERPT] or type(leaf).__name__
    match leaf:
        case httpx2.HTTPStatusError():
            raise _refusal(server, leaf.response.status_code, text) from None
        case _TooLong():
            raise PermanentError(f"{server}: {text}; ask it for less") from None
        case FileNotFoundError() | PermissionError():
            program = Path(server.command[0]).name if server.command else ""
            raise PermanentError(f"{server}: {program} cannot be run ({text}); correct {_SETTING}") from None
        case httpx2.UnsupportedProtocol() | httpx2.InvalidURL():
            raise PermanentError(f"{server}: its url is no http(s) address; correct {_SETTING}") from None
        case httpx2.HTTPError() | OSError():
            raise TemporaryError(f"{server} cannot be reached: {text}") from None
        case MCPError():
            raise PermanentError(f"{server} refused: {text}; check its url and headers in {_SETTING}") from None
        case AgentSreError():
            raise leaf from None
        case _:
            raise error


def _refusal(server: McpServer, status: int, text: str) -> TemporaryError | PermanentError:
    if status in _TEMPORARY:
        return TemporaryError(f"{server} answered {status}: {text}")
    if status in {401, 403}:
        return PermanentError(f"{server} refused the login ({status}); check token and headers in {_SETTING}")
    return PermanentError(f"{server} answered {status}: {text}; check its url in {_SETTING}")
