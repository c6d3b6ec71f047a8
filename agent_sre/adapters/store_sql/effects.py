"""The effect ledger: at most one effect per approval, held by a unique column."""

from sqlalchemy import select, update

from agent_sre.adapters.store_sql.codec import decode, encode
from agent_sre.adapters.store_sql.database import Database
from agent_sre.adapters.store_sql.schema import EFFECTS
from agent_sre.domain.effect import Effect
from agent_sre.domain.errors import PermanentError


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
