"""What investigations saw and judged. Observations are large: they are packed and unpacked in a thread."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from agent_sre.adapters.store_sql.codec import decode, decode_observation, encode, encode_observation
from agent_sre.adapters.store_sql.database import Database
from agent_sre.adapters.store_sql.schema import FINDINGS, OBSERVATIONS, VERDICTS
from agent_sre.domain.evidence import Gap, Observation
from agent_sre.domain.finding import Finding
from agent_sre.domain.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Judged:
    """The body of a ``findings`` row."""

    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]


async def packed(incident_id: str, run: int, items: Sequence[Observation]) -> list[dict[str, Any]]:
    """Rows of the ``observations`` table; of two with one id the last."""

    def pack() -> list[dict[str, Any]]:
        # The last of two with one id wins, as it would in two calls; one statement must not name a row twice.
        unique = {item.id: item for item in items}
        return [
            {"incident_id": incident_id, "run": run, "id": item.id, "payload": encode_observation(item)}
            for item in unique.values()
        ]

    return await asyncio.to_thread(pack) if items else []


async def put_observations(connection: AsyncConnection, database: Database, rows: Sequence[dict[str, Any]]) -> None:
    """Insert or replace the rows inside the caller's transaction."""
    insert = database.insert(OBSERVATIONS)
    upsert = insert.on_conflict_do_update(
        index_elements=["incident_id", "run", "id"], set_={"payload": insert.excluded.payload}
    )
    if rows:
        await connection.execute(upsert, rows)


class SqlCases:
    """CaseStore over SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_observations(self, incident_id: str, run: int, items: Sequence[Observation]) -> None:
        if not items:
            return
        rows = await packed(incident_id, run, items)
        async with self._database.write() as connection:
            await put_observations(connection, self._database, rows)

    async def observations(self, incident_id: str, run: int) -> tuple[Observation, ...]:
        of_run = (OBSERVATIONS.c.incident_id == incident_id) & (OBSERVATIONS.c.run == run)
        async with self._database.read() as connection:
            rows = (await connection.execute(select(OBSERVATIONS.c.payload).where(of_run))).all()

        def unpack() -> tuple[Observation, ...]:
            items = [decode_observation(row.payload) for row in rows]
            # Sorted here: databases sort text by rules of their own.
            return tuple(sorted(items, key=lambda item: item.id))

        return await asyncio.to_thread(unpack) if rows else ()

    async def save_findings(self, incident_id: str, run: int, findings: Sequence[Finding], gaps: Sequence[Gap]) -> None:
        await self._save(FINDINGS, incident_id, run, encode(Judged(tuple(findings), tuple(gaps))))

    async def findings(self, incident_id: str, run: int) -> tuple[tuple[Finding, ...], tuple[Gap, ...]]:
        body = await self._load(FINDINGS, incident_id, run)
        if body is None:
            return (), ()
        judged = decode(Judged, body)
        return judged.findings, judged.gaps

    async def save_verdict(self, incident_id: str, run: int, verdict: Verdict) -> None:
        await self._save(VERDICTS, incident_id, run, encode(verdict))

    async def verdict(self, incident_id: str, run: int) -> Verdict | None:
        body = await self._load(VERDICTS, incident_id, run)
        return None if body is None else decode(Verdict, body)

    async def _save(self, table: Table, incident_id: str, run: int, body: str) -> None:
        insert = self._database.insert(table).values(incident_id=incident_id, run=run, body=body)
        upsert = insert.on_conflict_do_update(
            index_elements=["incident_id", "run"], set_={"body": insert.excluded.body}
        )
        async with self._database.write() as connection:
            await connection.execute(upsert)

    async def _load(self, table: Table, incident_id: str, run: int) -> str | None:
        query = select(table.c.body).where((table.c.incident_id == incident_id) & (table.c.run == run))
        async with self._database.read() as connection:
            return (await connection.execute(query)).scalar_one_or_none()
