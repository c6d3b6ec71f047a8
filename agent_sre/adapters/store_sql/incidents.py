"""Incidents: optimistic versions, the inbox alerts that became theirs, the worker's queue."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from agent_sre.adapters.store_sql.cases import packed, put_observations
from agent_sre.adapters.store_sql.codec import decode, encode
from agent_sre.adapters.store_sql.database import Database
from agent_sre.adapters.store_sql.journal import append_timeline
from agent_sre.adapters.store_sql.schema import INBOX, INCIDENT_ALERTS, INCIDENTS
from agent_sre.domain.alert import Alert, Severity
from agent_sre.domain.errors import TemporaryError
from agent_sre.domain.evidence import Observation
from agent_sre.domain.incident import Incident
from agent_sre.domain.timeline import Entry

_SEVERITY_RANK = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.INFO: 2}
_CHUNK = 500
"""Bound parameters per statement stay far below every database's limit."""


def _group_hash(group_key: str) -> str:
    return hashlib.sha256(group_key.encode("utf-8", "surrogatepass")).hexdigest()


def _read(row: Row[Any]) -> Incident:
    # The columns are the truth: a decision moves them without touching the body.
    return replace(decode(Incident, row.body), version=row.version, due_at=row.due_at)


def _chunks(items: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]


class SqlIncidents:
    """IncidentStore over SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def fold(
        self,
        incident: Incident,
        sequences: Sequence[int],
        entries: Sequence[Entry],
        observations: Sequence[Observation] = (),
    ) -> Incident:
        stored = replace(incident, version=incident.version + 1)
        rows = await packed(incident.id, incident.run, observations)
        async with self._database.write() as connection:
            await self._put(connection, stored)
            await self._hand_over(connection, stored, sorted(set(sequences)))
            await append_timeline(connection, self._database, entries)
            await put_observations(connection, self._database, rows)
        return stored

    async def _put(self, connection: AsyncConnection, stored: Incident) -> None:
        values = {
            "group_hash": _group_hash(stored.group_key),
            "severity_rank": _SEVERITY_RANK[stored.severity],
            "opened_at": stored.opened_at,
            "due_at": stored.due_at,
            "version": stored.version,
            "body": encode(stored),
        }
        read = stored.version - 1
        if read == 0:
            new = self._database.insert(INCIDENTS).values(id=stored.id, **values).on_conflict_do_nothing()
            changed = (await connection.execute(new)).rowcount
        else:
            same = (INCIDENTS.c.id == stored.id) & (INCIDENTS.c.version == read)
            changed = (await connection.execute(update(INCIDENTS).where(same).values(values))).rowcount
        if changed != 1:
            raise TemporaryError(f"incident {stored.id} was changed since version {read}: read it again and retry")

    async def _hand_over(self, connection: AsyncConnection, incident: Incident, sequences: Sequence[int]) -> None:
        incident_id, has_none = incident.id, incident.version == 1
        for chunk in _chunks(sequences):
            pending = INBOX.c.sequence.in_(chunk) & INBOX.c.incident_id.is_(None)
            query = select(INBOX.c.sequence, INBOX.c.body).where(pending).order_by(INBOX.c.sequence).with_for_update()
            rows = (await connection.execute(query)).all()
            if len(rows) != len(chunk):
                gone = sorted(set(chunk) - {row.sequence for row in rows})
                raise TemporaryError(
                    f"inbox alerts {gone[:5]} are not pending any more: read the inbox again and retry"
                )
            await connection.execute(update(INBOX).where(INBOX.c.sequence.in_(chunk)).values(incident_id=incident_id))
            alerts = [decode(Alert, row.body) for row in rows]
            fingerprints = {alert.fingerprint for alert in alerts}
            words = {} if has_none else await self._words(connection, incident_id, fingerprints)
            has_none = False
            last: dict[str, dict[str, Any]] = {}
            for row, alert in zip(rows, alerts, strict=True):
                if alert.fingerprint in words and not alert.overrides(words[alert.fingerprint]):
                    continue
                words[alert.fingerprint] = alert
                last[alert.fingerprint] = {
                    "incident_id": incident_id,
                    "fingerprint": alert.fingerprint,
                    "sequence": row.sequence,
                    "starts_at": alert.starts_at,
                    "body": row.body,
                }
            insert = self._database.insert(INCIDENT_ALERTS)
            upsert = insert.on_conflict_do_update(
                index_elements=["incident_id", "fingerprint"],
                set_={name: insert.excluded[name] for name in ("sequence", "starts_at", "body")},
            )
            if last:
                await connection.execute(upsert, list(last.values()))

    async def _words(
        self, connection: AsyncConnection, incident_id: str, fingerprints: Collection[str]
    ) -> dict[str, Alert]:
        """The last word on each of the alerts, where there is one; the incident's version guards it until we commit."""
        same = (INCIDENT_ALERTS.c.incident_id == incident_id) & INCIDENT_ALERTS.c.fingerprint.in_(fingerprints)
        bodies = (await connection.execute(select(INCIDENT_ALERTS.c.body).where(same))).scalars().all()
        return {alert.fingerprint: alert for alert in (decode(Alert, body) for body in bodies)}

    async def get(self, incident_id: str) -> Incident | None:
        return await self._one(select(INCIDENTS).where(INCIDENTS.c.id == incident_id))

    async def find(self, group_key: str) -> Incident | None:
        same = INCIDENTS.c.group_hash == _group_hash(group_key)
        newest = (INCIDENTS.c.opened_at.desc(), INCIDENTS.c.sequence.desc())
        return await self._one(select(INCIDENTS).where(same).order_by(*newest).limit(1))

    async def _one(self, query: Select[Any]) -> Incident | None:
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return _read(row) if row else None

    async def due(self, now: datetime, limit: int) -> tuple[Incident, ...]:
        order = (INCIDENTS.c.severity_rank, INCIDENTS.c.due_at, INCIDENTS.c.sequence)
        return await self._many(select(INCIDENTS).where(INCIDENTS.c.due_at <= now).order_by(*order).limit(limit))

    async def newest(self, limit: int) -> tuple[Incident, ...]:
        order = (INCIDENTS.c.opened_at.desc(), INCIDENTS.c.sequence.desc())
        return await self._many(select(INCIDENTS).order_by(*order).limit(limit))

    async def _many(self, query: Select[Any]) -> tuple[Incident, ...]:
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return tuple(_read(row) for row in rows)

    async def alerts(self, incident_id: str) -> tuple[Alert, ...]:
        query = (
            select(INCIDENT_ALERTS.c.body)
            .where(INCIDENT_ALERTS.c.incident_id == incident_id)
            .order_by(INCIDENT_ALERTS.c.starts_at, INCIDENT_ALERTS.c.sequence)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return tuple(decode(Alert, row.body) for row in rows)
