"""LangGraph's checkpoints in SQLite, and the graph over them, opened together and closed together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from agent_sre.graph.build import Graph, build_graph


@asynccontextmanager
async def graph_over_sqlite(file: Path) -> AsyncIterator[Graph]:
    """The graph with its checkpoints in ``file``, which is made where it does not exist."""
    async with aiosqlite.connect(file) as connection:
        await connection.execute("PRAGMA journal_mode=WAL")
        # The saver sets WAL but leaves ``synchronous`` as it is. A step that was reported done must survive the
        # machine, like everything else that is acknowledged.
        await connection.execute("PRAGMA synchronous=FULL")
        saver = AsyncSqliteSaver(connection)
        await saver.setup()
        yield build_graph(saver)
