"""The process's side of serving: the socket, the server, and signals."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import uvicorn

from agent_sre.domain.errors import PermanentError
from agent_sre.entrypoints.console_stream import ChangeSignal
from agent_sre.settings import PREFIX

T = TypeVar("T")
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def listen(host: str, port: int) -> socket.socket:
    """Bind before anything else is started. Raises PermanentError naming the address and the fix."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio sets TCP_NODELAY only then: without it an answer waits some 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(1024)
        return listening
    except OSError as error:
        listening.close()
        raise PermanentError(
            f"cannot listen on {host}:{port}: {error.strerror}; choose another with --port or {PREFIX}PORT"
        ) from None


class Server(uvicorn.Server):
    """A uvicorn server whose signals are handled by ``until_stopped``, and which ends live views before it waits."""

    def __init__(self, config: uvicorn.Config, changes: ChangeSignal) -> None:
        super().__init__(config)
        self._changes = changes
        self.up = asyncio.Event()
        """Set once requests are answered, or once that has failed."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to answer, and say so."""
        try:
            await super().startup(sockets)
        finally:
            self.up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close live views first: they would keep the server from ending."""
        self._changes.close()
        await super().shutdown(sockets)


async def until_stopped(work: Coroutine[Any, Any, T]) -> T | None:
    """Run ``work`` until it ends, or until SIGINT or SIGTERM; None where a signal came first. A second signal kills."""
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()

    def stop() -> None:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
        stopped.set()

    for number in SIGNALS:
        loop.add_signal_handler(number, stop)
    task, waiting = asyncio.ensure_future(work), asyncio.ensure_future(stopped.wait())
    try:
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        waiting.cancel()
        if not task.done():
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
