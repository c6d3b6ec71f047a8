"""Fixtures of the conformance suites: each port's suite runs over every backend that implements it."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from agent_sre.adapters.store_memory import MemoryStore
from agent_sre.adapters.store_sql import SqlStore, open_store
from tests.postgres_server import TEMPLATE, PostgresServer

STORES = ("memory", "sqlite", "postgresql")
DURABLE = ("sqlite", "postgresql")


@pytest.fixture
def database_of(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Gives the URL of a database of one's own: not there yet on SQLite, at the newest schema on PostgreSQL."""
    made: list[str] = []

    def make(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path}/store.db"
        server: PostgresServer = request.getfixturevalue("postgres")
        made.append(server.make(TEMPLATE))
        return server.local_url(made[-1])

    yield make
    for name in made:
        request.getfixturevalue("postgres").drop(name)


@pytest.fixture(params=STORES)
async def store(
    request: pytest.FixtureRequest, database_of: Callable[[str], str]
) -> AsyncIterator[MemoryStore | SqlStore]:
    opened = MemoryStore() if request.param == "memory" else await open_store(database_of(request.param))
    yield opened
    await opened.close()


@pytest.fixture(params=DURABLE)
def url(request: pytest.FixtureRequest, database_of: Callable[[str], str]) -> str:
    """A database that outlives the store that is opened on it."""
    return database_of(request.param)


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[SqlStore]:
    """The SQLite store, for what only it can show; its file is ``tmp_path / "store.db"``."""
    opened = await open_store(f"sqlite:///{tmp_path}/store.db", busy_seconds=0.05)
    yield opened
    await opened.close()
