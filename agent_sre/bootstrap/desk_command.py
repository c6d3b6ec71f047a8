"""The desk for a command beside the service.

A command writes to the same database as a service that runs; both take turns, and the service sees it within seconds.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from agent_sre.bootstrap.desk import desk_of
from agent_sre.settings import Settings

if TYPE_CHECKING:
    from agent_sre.service.quiet_desk import QuietDesk


@asynccontextmanager
async def open_desk(settings: Settings) -> AsyncIterator[QuietDesk]:
    """The desk over the configured database, for as long as the block runs."""
    from agent_sre.adapters.clock_system import RandomIds, SystemClock
    from agent_sre.adapters.store_sql import open_store
    from agent_sre.bootstrap.database import existing_database

    store = await open_store(existing_database(settings))
    try:
        yield desk_of(store, SystemClock(), RandomIds())
    finally:
        await store.close()
