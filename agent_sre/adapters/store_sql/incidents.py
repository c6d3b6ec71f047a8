"""Incidents: optimistic versions, the inbox alerts that became theirs, the worker's queue."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import Row, Select, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from agent_sre.adapters.store_sql.cases import packed, put_observations
from agent_sre.adapters.store_sql.codec import decode_alert, decode_incident, encode
from agent_sre.adapters.store_sql.database import Database
from agent_sre.adapters.store_sql.journal import append_timeline
from agent_sre.adapters.store_sql.placing import chunks, key_hash, put_placed
from agent_sre.adapters.store_sql.schema import INBOX, INCIDENT_ALERTS, INCIDENTS
from agent_sre.adapters.store_sql.words import Word, Words
from agent_sre.adapters.store_sql.writebacks import append_writebacks
from agent_sre.domain.alert import Alert, Severity
from agent_sre.domain.errors import TemporaryError
from agent_sre.domain.evidence import Observation
from agent_sre.domain.incident import Incident
from agent_sre.domain.timeline import Entry
from agent_sre.domain.writeback import Writeback
from agent_sre.ports.store import NOTHING_PLACED, Placed

_SEVERITY_RANK = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.INFO: 2}


def read_incident(row: Row[Any]) -> Incident:
    """The incident of a row of all columns."""
    # The columns are the truth: a decision moves them without touching the body.
    return replace(decode_incident(row.body), version=row.version, due_at=row.due_at)


async def put_incident(connection: AsyncConnection, database: Database, stored: Incident) -> None:
    """Insert or update the incident within the caller's transaction, its version counted up already.

    Raises TemporaryError where somebody else changed it first.
    """
    values = {
        "group_hash": key_hash(stored.group_key),
        "severity_rank": _SEVERITY_RANK[stored.severity],
        "priority": int(stored.priority),
        "active": int(stored.active),
        "parent_id": stored.parent_id or None,
        "opened_at": stored.opened_at,
        "updated_at": stored.updated_at,
        "due_at": stored.due_at,
        "tend_at": stored.tend_at,
        "held": 1 if stored.hold else None,
        "version": stored.version,
        "body": encode(stored),
    }
    read = stored.version - 1
    if read == 0:
        new = database.insert(INCIDENTS).values(id=stored.id, **values).on_conflict_do_nothing()
        changed = (await connection.execute(new)).rowcount
    else:
        same = (INCIDENTS.c.id == stored.id) & (INCIDENTS.c.version == read)
        changed = (await connection.execute(update(INCIDENTS).where(same).values(values))).rowcount
    if changed != 1:
        raise TemporaryError(f"incident {stored.id} was changed since version {read}: read it again and retry")


class SqlIncidents:
    """IncidentStore and HeldIncidents over SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._words = Words()

    async def fold(
        self,
        incident: Incident,
        sequences: Sequence[int],
        entries: Sequence[Entry],
        placed: Placed = NOTHING_PLACED,
        intents: Sequence[Writeback] = (),
        observations: Sequence[Observation] = (),
    ) -> Incident:
        stored = replace(incident, version=incident.version + 1)
        said: dict[str, Word] = {}
        rows = await packed(incident.id, incident.run, observations)
        async with self._database.write() as connection:
            await put_incident(connection, self._database, stored)
            for chunk in chunks(sorted(set(sequences))):
                said |= await self._hand_over(connection, incident, chunk, said)
            await append_timeline(connection, self._database, entries)
            await put_placed(connection, self._database, incident.id, placed)
            await append_writebacks(connection, self._database, intents)
            await put_observations(connection, self._database, rows)
        if not placed.words:  # those that changed without a message are read anew
            self._words.follow(incident.id, incident.version, stored.version, said.values())
        return stored

    async def _hand_over(
        self, connection: AsyncConnection, incident: Incident, chunk: Sequence[int], said: Mapping[str, Word]
    ) -> dict[str, Word]:
        """Take a chunk of the inbox; gives the words that are the last ones now."""
        pending = INBOX.c.sequence.in_(chunk) & INBOX.c.incident_id.is_(None)
        query = select(INBOX.c.sequence, INBOX.c.body).where(pending).order_by(INBOX.c.sequence).with_for_update()
        rows = (await connection.execute(query)).all()
        if len(rows) != len(chunk):
            gone = sorted(set(chunk) - {row.sequence for row in rows})
            raise TemporaryError(f"inbox alerts {gone[:5]} are not pending any more: read the inbox again and retry")
        await connection.execute(update(INBOX).where(INBOX.c.sequence.in_(chunk)).values(incident_id=incident.id))
        alerts = [decode_alert(row.body) for row in rows]
        known = await self._last_words(connection, incident, {alert.fingerprint for alert in alerts})
        known = {**known, **{name: word.alert for name, word in said.items()}}
        last: dict[str, Word] = {}
        bodies: dict[str, str] = {}
        for row, alert in zip(rows, alerts, strict=True):
            name = alert.fingerprint
            if name in known and not alert.overrides(known[name]):
                continue
            known[name], bodies[name] = alert, row.body
            last[name] = Word(alert.starts_at, row.sequence, alert)
        insert = self._database.insert(INCIDENT_ALERTS)
        upsert = insert.on_conflict_do_update(
            index_elements=["incident_id", "fingerprint"],
            set_={name: insert.excluded[name] for name in ("sequence", "starts_at", "body")},
        )
        if last:
            values = [
                {
                    "incident_id": incident.id,
                    "fingerprint": name,
                    "sequence": word.sequence,
                    "starts_at": word.starts_at,
                    "body": bodies[name],
                }
                for name, word in last.items()
            ]
            await connection.execute(upsert, values)
        return last

    async def _last_words(
        self, connection: AsyncConnection, incident: Incident, fingerprints: Collection[str]
    ) -> dict[str, Alert]:
        """The last word on each of the alerts, where there is one; the incident's version guards it until we commit."""
        if incident.version == 0:
            return {}
        kept = self._words.at(incident.id, incident.version)
        if kept is not None:
            return {name: kept[name].alert for name in fingerprints if name in kept}
        same = (INCIDENT_ALERTS.c.incident_id == incident.id) & INCIDENT_ALERTS.c.fingerprint.in_(fingerprints)
        bodies = (await connection.execute(select(INCIDENT_ALERTS.c.body).where(same))).scalars().all()
        return {alert.fingerprint: alert for alert in map(decode_alert, bodies)}

    async def get(self, incident_id: str) -> Incident | None:
        return await self._one(select(INCIDENTS).where(INCIDENTS.c.id == incident_id))

    async def find(self, group_key: str) -> Incident | None:
        same = INCIDENTS.c.group_hash == key_hash(group_key)
        newest = (INCIDENTS.c.opened_at.desc(), INCIDENTS.c.sequence.desc())
        return await self._one(select(INCIDENTS).where(same).order_by(*newest).limit(1))

    async def _one(self, query: Select[Any]) -> Incident | None:
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return read_incident(row) if row else None

    async def due(self, now: datetime, limit: int) -> tuple[Incident, ...]:
        order = (INCIDENTS.c.priority, INCIDENTS.c.severity_rank, INCIDENTS.c.due_at, INCIDENTS.c.sequence)
        return await self._many(select(INCIDENTS).where(INCIDENTS.c.due_at <= now).order_by(*order).limit(limit))

    async def held(self, limit: int) -> tuple[Incident, ...]:
        held = INCIDENTS.c.held.is_not(None)
        return await self._many(select(INCIDENTS).where(held).order_by(INCIDENTS.c.sequence).limit(limit))

    async def newest(self, limit: int) -> tuple[Incident, ...]:
        order = (INCIDENTS.c.opened_at.desc(), INCIDENTS.c.sequence.desc())
        return await self._many(select(INCIDENTS).order_by(*order).limit(limit))

    async def _many(self, query: Select[Any]) -> tuple[Incident, ...]:
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return tuple(read_incident(row) for row in rows)

    async def alerts(self, incident_id: str) -> tuple[Alert, ...]:
        version = select(INCIDENTS.c.version).where(INCIDENTS.c.id == incident_id)
        query = select(INCIDENT_ALERTS).where(INCIDENT_ALERTS.c.incident_id == incident_id)
        async with self._database.read() as connection:
            before = (await connection.execute(version)).scalar_one_or_none()
            if before is None:
                return ()
            words = self._words.at(incident_id, before)
            if words is None:
                rows = (await connection.execute(query)).all()
                read = [Word(row.starts_at, row.sequence, decode_alert(row.body)) for row in rows]
                # Two statements may see two states: what was changed in between is not kept.
                if (await connection.execute(version)).scalar_one_or_none() == before:
                    self._words.keep(incident_id, before, read)
                words = {word.alert.fingerprint: word for word in read}
        ordered = sorted(words.values(), key=attrgetter("starts_at", "sequence"))
        return tuple(word.alert for word in ordered)
