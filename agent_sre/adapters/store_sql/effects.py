"""The effect ledger: at most one effect per approval, held by a unique column."""

from datetime import datetime, timedelta

from sqlalchemy import select, update

from agent_sre.adapters.store_sql.codec import decode, encode
from agent_sre.adapters.store_sql.database import Database
from agent_sre.adapters.store_sql.schema import EFFECTS
from agent_sre.domain.effect import Effect
from agent_sre.domain.errors import PermanentError

_BATCH = 100
_DISORDER = timedelta(minutes=10)
"""How far replicas' clocks may be apart."""


class SqlEffects:
    """EffectLedger over SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def intend(self, effect: Effect) -> tuple[Effect, bool]:
        row = {
            "id": effect.id,
            "approval_id": effect.approval_id,
            "incident_id": effect.incident_id,
            "body": encode(effect),
        }
        async with self._database.write() as connection:
            insert = self._database.insert(EFFECTS).values(row).on_conflict_do_nothing()
            if (await connection.execute(insert)).rowcount == 1:
                return effect, True
            query = select(EFFECTS.c.body).where(EFFECTS.c.approval_id == effect.approval_id)
            body = (await connection.execute(query)).scalar_one_or_none()
            if body is None:
                raise PermanentError(f"effect {effect.id} belongs to another approval: give this one an id of its own")
            return decode(Effect, body), False

    async def record(self, effect: Effect) -> None:
        async with self._database.write() as connection:
            query = select(EFFECTS.c.body).where(EFFECTS.c.id == effect.id).with_for_update()
            body = (await connection.execute(query)).scalar_one_or_none()
            if body is None:
                raise PermanentError(f"effect {effect.id} was never intended: call intend before the effect")
            after = decode(Effect, body).recording(effect)
            await connection.execute(update(EFFECTS).where(EFFECTS.c.id == effect.id).values(body=encode(after)))

    async def of_incident(self, incident_id: str) -> tuple[Effect, ...]:
        query = select(EFFECTS.c.body).where(EFFECTS.c.incident_id == incident_id).order_by(EFFECTS.c.sequence)
        async with self._database.read() as connection:
            bodies = (await connection.execute(query)).scalars().all()
        return tuple(sorted((decode(Effect, body) for body in bodies), key=lambda item: item.intended_at))

    async def since(self, instant: datetime) -> tuple[Effect, ...]:
        # Newest first, until those are met that are surely older: rows are written in about the order of their times.
        found: list[Effect] = []
        last: int | None = None
        while True:
            query = select(EFFECTS.c.sequence, EFFECTS.c.body).order_by(EFFECTS.c.sequence.desc()).limit(_BATCH)
            async with self._database.read() as connection:
                rows = (
                    await connection.execute(query if last is None else query.where(EFFECTS.c.sequence < last))
                ).all()
            batch = [decode(Effect, row.body) for row in rows]
            found += [item for item in batch if item.intended_at >= instant]
            if len(rows) < _BATCH or all(item.intended_at < instant - _DISORDER for item in batch):
                return tuple(sorted(found, key=lambda item: item.intended_at))
            last = rows[-1].sequence
