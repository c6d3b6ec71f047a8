"""The durable store: its ports over one database."""

import asyncio

from agent_sre.adapters.store_sql.approvals import SqlApprovals
from agent_sre.adapters.store_sql.cases import SqlCases
from agent_sre.adapters.store_sql.changes import SqlChanges
from agent_sre.adapters.store_sql.database import Database, Fence
from agent_sre.adapters.store_sql.effects import SqlEffects
from agent_sre.adapters.store_sql.inbox import SqlInbox
from agent_sre.adapters.store_sql.incidents import SqlIncidents
from agent_sre.adapters.store_sql.intake import SqlIntake, SqlPlacements
from agent_sre.adapters.store_sql.journal import SqlJournal
from agent_sre.adapters.store_sql.location import Location
from agent_sre.adapters.store_sql.maintenance import SqlMaintenance
from agent_sre.adapters.store_sql.upgrade import prepare
from agent_sre.adapters.store_sql.writebacks import SqlWritebacks


class SqlStore:
    """One attribute per port. Belongs to the event loop it was opened in."""

    def __init__(self, database: Database) -> None:
        self.engine = database.engine
        self.inbox = SqlInbox(database)
        self.incidents = SqlIncidents(database)
        self.intake = SqlIntake(database)
        self.placements = SqlPlacements(database)
        self.cases = SqlCases(database)
        self.changes = SqlChanges(database)
        self.approvals = SqlApprovals(database)
        self.effects = SqlEffects(database)
        self.journal = SqlJournal(database)
        self.maintenance = SqlMaintenance(database)
        self.writebacks = SqlWritebacks(database)
        self._database = database
        self.fence = database.fence

    async def close(self) -> None:
        """Finish what was accepted, then close all connections."""
        await self.inbox.close()
        await self._database.close()


async def open_store(url: str, *, busy_seconds: float = 5.0, fence: Fence | None = None) -> SqlStore:
    """Check the database, bring its schema up to date, and open it.

    ``url`` is ``sqlite:///FILE`` (the file and its directory are made) or ``postgresql://...``. ``busy_seconds`` is how
    long another process's lock is waited for before TemporaryError. ``fence`` is called around each write and raises
    where this process may not. Raises PermanentError for a damaged database, and for one that does not let us in.
    """
    location = Location.parse(url)
    await asyncio.to_thread(prepare, location)
    return SqlStore(Database(location, busy_seconds, fence) if fence else Database(location, busy_seconds))
