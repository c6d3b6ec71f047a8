"""LangGraph's checkpoints in SQLite, and the graph over them, opened together and closed together."""

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import aiosqlite
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.graph.build import Graph, build_graph
from agent_sre.graph.checkpoint_failures import TranslatingSaver


class _Saver(TranslatingSaver, AsyncSqliteSaver):
    @contextmanager
    def translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise TemporaryError(f"checkpoints cannot be kept: {error}; check the disk of the data folder") from error


@asynccontextmanager
async def graph_over_sqlite(file: Path) -> AsyncIterator[Callable[[], Graph]]:
    """The graph with its checkpoints in ``file``, which is made where it does not exist.

    Raises PermanentError where the file cannot be opened.
    """
    try:
        connection = await aiosqlite.connect(file)
        await connection.execute("PRAGMA journal_mode=WAL")
        # The saver sets WAL but leaves ``synchronous`` as it is. A step that was reported done must survive the
        # machine, like everything else that is acknowledged.
        await connection.execute("PRAGMA synchronous=FULL")
        saver = _Saver(connection)
        await saver.setup()
    except (sqlite3.Error, OSError) as error:
        raise PermanentError(f"checkpoints {file} cannot be opened: {error}; restore them or move them away") from error
    graph = build_graph(saver)
    try:
        yield lambda: graph
    finally:
        await connection.close()
