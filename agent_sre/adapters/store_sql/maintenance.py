"""Maintenance windows, each a row."""

from datetime import datetime

from sqlalchemy import select

from agent_sre.adapters.store_sql.codec import decode, encode
from agent_sre.adapters.store_sql.database import Database
from agent_sre.adapters.store_sql.schema import MAINTENANCE
from agent_sre.domain.maintenance import MaintenanceWindow


class SqlMaintenance:
    """MaintenanceStore over SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, window: MaintenanceWindow) -> None:
        ends = min((end for end in (window.ends_at, window.ended_at) if end is not None), default=None)
        values = {"ends_at": ends, "body": encode(window)}
        insert = self._database.insert(MAINTENANCE).values(id=window.id, **values)
        async with self._database.write() as connection:
            await connection.execute(insert.on_conflict_do_update(index_elements=["id"], set_=values))

    async def get(self, window_id: str) -> MaintenanceWindow | None:
        query = select(MAINTENANCE.c.body).where(MAINTENANCE.c.id == window_id)
        async with self._database.read() as connection:
            body = (await connection.execute(query)).scalar_one_or_none()
        return None if body is None else decode(MaintenanceWindow, body)

    async def current(self, now: datetime) -> tuple[MaintenanceWindow, ...]:
        lasting = MAINTENANCE.c.ends_at.is_(None) | (MAINTENANCE.c.ends_at > now)
        query = select(MAINTENANCE.c.body).where(lasting).order_by(MAINTENANCE.c.sequence)
        async with self._database.read() as connection:
            bodies = (await connection.execute(query)).scalars().all()
        return tuple(decode(MaintenanceWindow, body) for body in bodies)

    async def newest(self, limit: int) -> tuple[MaintenanceWindow, ...]:
        query = select(MAINTENANCE.c.body).order_by(MAINTENANCE.c.sequence.desc()).limit(limit)
        async with self._database.read() as connection:
            bodies = (await connection.execute(query)).scalars().all()
        return tuple(decode(MaintenanceWindow, body) for body in bodies)
