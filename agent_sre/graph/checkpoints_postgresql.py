"""LangGraph's checkpoints in PostgreSQL, beside the store's tables, and the graph over them."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from typing import Any

import psycopg
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.graph.build import Graph, build_graph
from agent_sre.graph.checkpoint_failures import TranslatingSaver

_CONNECTIONS = 10
_WAIT_SECONDS = 5.0

Pool = AsyncConnectionPool[psycopg.AsyncConnection[DictRow]]


@contextmanager
def _translated(database: str) -> Iterator[None]:
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError) as error:
        said = " ".join(str(error).split())
        raise TemporaryError(
            f"database {database}: checkpoints cannot be reached: {said}; check that it is up and try again"
        ) from error


class _Saver(TranslatingSaver, AsyncPostgresSaver):
    """The saver for one run."""

    def __init__(self, pool: Pool, database: str, fence: Callable[[], None]) -> None:
        super().__init__(pool)
        self._database = database
        self._fence = fence

    def translated(self) -> AbstractContextManager[None]:
        # Where another process serves from the database now, a run must not take one step more here.
        self._fence()
        return _translated(self._database)

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        # Texts of the state are kept in a JSON column, and PostgreSQL's JSON has no NUL.
        values = {
            name: value.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(value, str) else value
            for name, value in checkpoint["channel_values"].items()
        }
        plain: Checkpoint = {**checkpoint, "channel_values": values}
        return await super().aput(config, plain, metadata, new_versions)


@asynccontextmanager
async def graph_over_postgresql(
    parameters: Mapping[str, Any], database: str, fence: Callable[[], None]
) -> AsyncIterator[Callable[[], Graph]]:
    """The graph with its checkpoints in the database that libpq reaches by ``parameters``; made where they are not.

    Gives a function that makes a graph for one run: a saver holds one lock for all its calls, so runs that shared one
    would wait for each other. ``database`` is what messages call it; ``fence`` raises where this process may not write
    there. Raises TemporaryError while it cannot be reached,
    PermanentError where the tables cannot be made.
    """
    # Without a transaction: the saver's own are short, and it makes an index CONCURRENTLY.
    connecting: dict[str, Any] = {**parameters, "autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    pool: Pool = AsyncConnectionPool(
        kwargs=connecting,
        min_size=1,
        max_size=_CONNECTIONS,
        timeout=_WAIT_SECONDS,
        max_lifetime=1800,
        reconnect_timeout=2.0,  # its pauses double; whoever asks next begins anew
        check=AsyncConnectionPool.check_connection,
        open=False,
        name="checkpoints",
    )
    try:
        with _translated(database):
            await pool.open(wait=True, timeout=_WAIT_SECONDS)
            try:
                # Nobody else does this now: one process serves from a database.
                async with await psycopg.AsyncConnection.connect(**connecting) as connection:
                    await connection.execute("SET statement_timeout = 0")  # an index on old rows takes its time
                    await AsyncPostgresSaver(connection).setup()
            except psycopg.ProgrammingError as error:
                raise PermanentError(
                    f"database {database}: the tables for checkpoints cannot be made: {error}; "
                    f"grant the role CREATE on its schema"
                ) from error
        graph = build_graph(_Saver(pool, database, fence))
        yield lambda: graph.copy({"checkpointer": _Saver(pool, database, fence)})
    finally:
        await pool.close()
