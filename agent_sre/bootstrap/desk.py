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
