"""The outbox of what alert sources are to be told."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from agent_sre.adapters.store_sql.codec import decode, encode
from agent_sre.adapters.store_sql.database import Database
from agent_sre.adapters.store_sql.schema import WRITEBACKS
from agent_sre.domain.writeback import Writeback


async def append_writebacks(connection: AsyncConnection, database: Database, items: Sequence[Writeback]) -> None:
    """Add intents inside the caller's transaction; one that is there already stays as it is."""
    rows = [
        {"id": item.id, "incident_id": item.incident_id, "due_at": item.due_at, "body": encode(item)} for item in items
    ]
    if rows:
        await connection.execute(database.insert(WRITEBACKS).on_conflict_do_nothing(), rows)


class SqlWritebacks:
    """WritebackOutbox over SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(self, now: datetime, limit: int) -> tuple[Writeback, ...]:
        waiting = select(WRITEBACKS.c.body).where(WRITEBACKS.c.due_at <= now)
        async with self._database.read() as connection:
            bodies = (await connection.execute(waiting.order_by(WRITEBACKS.c.sequence).limit(limit))).scalars().all()
        return tuple(decode(Writeback, body) for body in bodies)

    async def record(self, item: Writeback) -> None:
        change = update(WRITEBACKS).where(WRITEBACKS.c.id == item.id).values(due_at=item.due_at, body=encode(item))
        async with self._database.write() as connection:
            await connection.execute(change)

    async def of_incident(self, incident_id: str) -> tuple[Writeback, ...]:
        own = select(WRITEBACKS.c.body).where(WRITEBACKS.c.incident_id == incident_id)
        async with self._database.read() as connection:
            bodies = (await connection.execute(own.order_by(WRITEBACKS.c.sequence))).scalars().all()
        return tuple(decode(Writeback, body) for body in bodies)
