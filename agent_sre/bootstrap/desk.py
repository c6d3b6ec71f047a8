"""The desk for maintenance windows and words about incidents, over a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_sre.service.quiet_desk import QuietDesk

if TYPE_CHECKING:
    from agent_sre.adapters.store_sql import SqlStore
    from agent_sre.ports.clock import Clock, Ids


def desk_of(store: SqlStore, clock: Clock, ids: Ids) -> QuietDesk:
    """The desk over a store."""
    return QuietDesk(store.incidents, store.approvals, store.journal, store.maintenance, clock, ids)


@asynccontextmanager
async def open_desk(settings: Settings) -> AsyncIterator[QuietDesk]:
    """The desk over the configured database, for as long as the block runs."""
    from agent_sre.adapters.clock_system import RandomIds, SystemClock
    from agent_sre.adapters.store_sql import open_store
    from agent_sre.bootstrap.database import database_url

    store = await open_store(database_url(settings))
    try:
        yield desk_of(store, SystemClock(), RandomIds())
    finally:
        await store.close()
