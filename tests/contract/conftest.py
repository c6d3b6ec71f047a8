"""Fixtures of the conformance suites: each port's suite runs over every backend that implements it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent_sre.adapters.store_memory import MemoryStore
from agent_sre.adapters.store_sql import SqlStore, open_store

STORES = ("memory", "sqlite")
"""PostgreSQL is one more name here and one more branch below."""


@pytest.fixture(params=STORES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[MemoryStore | SqlStore]:
    opened = MemoryStore() if request.param == "memory" else await open_store(f"sqlite:///{tmp_path}/store.db")
    yield opened
    await opened.close()


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[SqlStore]:
    """The SQLite store, for what only it can show; its file is ``tmp_path / "store.db"``."""
    opened = await open_store(f"sqlite:///{tmp_path}/store.db", busy_seconds=0.05)
    yield opened
    await opened.close()
