"""Checkpoints of the graph: what a step left is there after a restart; a database that is away is waited for."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig

from agent_sre.adapters.store_sql import Location
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.graph.build import Graph
from agent_sre.graph.checkpoints import graph_over_sqlite
from agent_sre.graph.checkpoints_postgresql import graph_over_postgresql
from agent_sre.graph.state import State
from tests.postgres_server import TEMPLATE, PostgresServer, migrated_postgres_server

Opened = AbstractAsyncContextManager[Callable[[], Graph]]


def ours() -> None:
    """A fence that lets everything pass."""


def opened(url: str, fence: Callable[[], None] = ours) -> Opened:
    location = Location.parse(url)
    if location.file is not None:
        return graph_over_sqlite(location.file)
    return graph_over_postgresql(location.connection_parameters(), str(location), fence)


def run(name: str) -> RunnableConfig:
    return {"configurable": {"thread_id": name}}


async def step(graph: Graph, name: str, **state: Any) -> None:
    await graph.aupdate_state(run(name), State(incident_id=name, run=1, **state), as_node="report")


@asynccontextmanager
async def reopened(url: str) -> AsyncIterator[Graph]:
    async with opened(url) as make:
        yield make()


async def test_a_run_is_there_after_a_restart(url: str) -> None:
    async with opened(url) as make:
        await step(make(), "inc-1/1", now="2026-03-01T12:00:00Z", collectors=["a", "b"], seconds={"gather": 1.5})
        await asyncio.gather(*(step(make(), f"inc-{n}/1", findings=n) for n in range(2, 12)))
    async with reopened(url) as graph:
        found = (await graph.aget_state(run("inc-1/1"))).values
        assert (found["now"], found["collectors"], found["seconds"]) == (
            "2026-03-01T12:00:00Z",
            ["a", "b"],
            {"gather": 1.5},
        )
        others = [(await graph.aget_state(run(f"inc-{n}/1"))).values["findings"] for n in range(2, 12)]
        assert others == list(range(2, 12))
        assert (await graph.aget_state(run("inc-99/1"))).values == {}


async def test_text_that_a_database_dislikes_stops_no_run(url: str) -> None:
    async with opened(url) as make:
        await step(make(), "inc-1/1", verification="the alert 'a\0b' cleared \N{PILE OF POO}", namespaces=["a\0b"])
    async with reopened(url) as graph:
        found = (await graph.aget_state(run("inc-1/1"))).values
        assert found["verification"].startswith("the alert 'a") and found["verification"].endswith("\N{PILE OF POO}")
        assert found["namespaces"] == ["a\0b"]


async def test_without_the_databases_lock_no_step_is_kept(postgres: PostgresServer) -> None:
    name, lost = postgres.make(TEMPLATE), False

    def fence() -> None:
        if lost:
            raise TemporaryError("another process serves from it")

    async with opened(postgres.url(name), fence) as make:
        await step(make(), "inc-1/1", findings=1)
        lost = True
        with pytest.raises(TemporaryError, match="another process"):
            await step(make(), "inc-1/1", findings=2)
        lost = False
        assert (await make().aget_state(run("inc-1/1"))).values["findings"] == 1
    postgres.drop(name)


async def test_a_role_that_may_not_make_the_tables_is_told_so(postgres: PostgresServer) -> None:
    name = postgres.make(TEMPLATE)
    postgres.run(name, "CREATE ROLE tableless LOGIN PASSWORD 'x'")
    with pytest.raises(PermanentError, match=r"checkpoints cannot be made.*grant the role CREATE"):
        async with opened(postgres.url(name, user="tableless", password="x")):
            pytest.fail("opened")
    postgres.drop(name)


async def test_a_database_that_dies_is_waited_for() -> None:
    with migrated_postgres_server() as server:
        async with opened(server.url(TEMPLATE)) as make:
            await step(make(), "inc-1/1", findings=1)
            server.kill()
            with pytest.raises(TemporaryError, match="checkpoints cannot be reached"):
                await step(make(), "inc-1/1", findings=2)
            server.start()
            async with asyncio.timeout(30):
                while True:
                    try:
                        await step(make(), "inc-1/1", findings=3)
                        break
                    except TemporaryError:
                        await asyncio.sleep(0.1)
            assert (await make().aget_state(run("inc-1/1"))).values["findings"] == 3
