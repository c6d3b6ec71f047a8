"""Where alerts belong: read in bulk for a batch, and changed by people's merges and splits."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, delete, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from agent_sre.adapters.store_sql.codec import decode
from agent_sre.adapters.store_sql.database import Database
from agent_sre.adapters.store_sql.incidents import put_incident, read_incident
from agent_sre.adapters.store_sql.journal import append_timeline
from agent_sre.adapters.store_sql.placing import chunks, key_hash, put_bindings, put_placements
from agent_sre.adapters.store_sql.schema import BINDINGS, INCIDENT_ALERTS, INCIDENTS, PLACEMENTS
from agent_sre.domain.alert import Alert
from agent_sre.domain.incident import Incident
from agent_sre.domain.placement import BindingKind, Placement
from agent_sre.ports.intake import Regrouping, Word


class SqlIntake:
    """IntakeStore over SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def bound(self, kind: BindingKind, keys: Collection[str]) -> Mapping[str, str]:
        hashes = {key_hash(key): key for key in keys}
        found: dict[str, str] = {}
        async with self._database.read() as connection:
            for chunk in chunks(sorted(hashes)):
                same = (BINDINGS.c.kind == str(kind)) & BINDINGS.c.key_hash.in_(chunk)
                rows = await connection.execute(select(BINDINGS.c.key_hash, BINDINGS.c.incident_id).where(same))
                found |= {hashes[row.key_hash]: row.incident_id for row in rows}
        return found

    async def words(self, fingerprints: Collection[str]) -> Mapping[str, Word]:
        later = INCIDENT_ALERTS.alias("later")
        overtaken = exists().where(
            later.c.fingerprint == INCIDENT_ALERTS.c.fingerprint, later.c.sequence > INCIDENT_ALERTS.c.sequence
        )
        found: dict[str, Word] = {}
        async with self._database.read() as connection:
            for chunk in chunks(sorted(set(fingerprints))):
                query = _words().where(INCIDENT_ALERTS.c.fingerprint.in_(chunk), ~overtaken)
                found |= {word.alert.fingerprint: word for word in map(_word, await connection.execute(query))}
        return found

    async def incidents(self, ids: Collection[str]) -> tuple[Incident, ...]:
        found: list[Incident] = []
        async with self._database.read() as connection:
            for chunk in chunks(sorted(set(ids))):
                rows = await connection.execute(select(INCIDENTS).where(INCIDENTS.c.id.in_(chunk)))
                found += map(read_incident, rows)
        return tuple(sorted(found, key=lambda incident: incident.id))

    async def recent(self, since: datetime, limit: int) -> tuple[Incident, ...]:
        latest = select(INCIDENTS).order_by(INCIDENTS.c.updated_at.desc(), INCIDENTS.c.sequence.desc())
        async with self._database.read() as connection:
            active = await connection.execute(latest.where(INCIDENTS.c.active == 1).limit(limit))
            rows = active.all()
            ended = latest.where(INCIDENTS.c.active == 0, INCIDENTS.c.updated_at >= since)
            rows = [*rows, *(await connection.execute(ended.limit(limit))).all()]
        return tuple(map(read_incident, rows))

    async def regroup(self, change: Regrouping) -> None:
        source, target = change.source.id, change.target.id
        async with self._database.write() as connection:
            for incident in (change.source, change.target):
                await put_incident(connection, self._database, replace(incident, version=incident.version + 1))
            for chunk in chunks([item.fingerprint for item in change.placements]):
                await self._move(connection, source, target, chunk)
            await put_placements(connection, self._database, change.placements)
            if change.takes_bindings:
                bound = update(BINDINGS).where(BINDINGS.c.incident_id == source)
                await connection.execute(bound.values(incident_id=target))
            await put_bindings(connection, self._database, change.bindings)
            await append_timeline(connection, self._database, change.entries)

    async def _move(self, connection: AsyncConnection, source: str, target: str, fingerprints: Sequence[str]) -> None:
        """The last words go over; where both incidents have one on an alert, the later one of the two stays."""
        theirs = INCIDENT_ALERTS.c.fingerprint.in_(fingerprints)
        rows = await connection.execute(_words().where(INCIDENT_ALERTS.c.incident_id.in_([source, target]), theirs))
        kept: dict[str, Word] = {}
        for word in map(_word, rows):
            known = kept.get(word.alert.fingerprint)
            if known is None or word.alert.overrides(known.alert):
                kept[word.alert.fingerprint] = word
        loses = [word.alert.fingerprint for word in kept.values() if word.incident_id == target]
        wins = [word.alert.fingerprint for word in kept.values() if word.incident_id == source]
        for incident_id, gone in ((source, loses), (target, wins)):
            of_these = (INCIDENT_ALERTS.c.incident_id == incident_id) & INCIDENT_ALERTS.c.fingerprint.in_(gone)
            await connection.execute(delete(INCIDENT_ALERTS).where(of_these))
        moving = (INCIDENT_ALERTS.c.incident_id == source) & INCIDENT_ALERTS.c.fingerprint.in_(wins)
        await connection.execute(update(INCIDENT_ALERTS).where(moving).values(incident_id=target))
        old = (PLACEMENTS.c.incident_id == source) & PLACEMENTS.c.fingerprint.in_(fingerprints)
        await connection.execute(delete(PLACEMENTS).where(old))


class SqlPlacements:
    """PlacementStore over SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_incident(self, incident_id: str) -> tuple[Placement, ...]:
        query = select(PLACEMENTS.c.body).where(PLACEMENTS.c.incident_id == incident_id)
        return tuple(sorted(await self._placements(query), key=lambda item: item.fingerprint))

    async def of_alert(self, name_or_fingerprint: str, limit: int) -> tuple[Placement, ...]:
        named = or_(
            PLACEMENTS.c.fingerprint == name_or_fingerprint, PLACEMENTS.c.name_hash == key_hash(name_or_fingerprint)
        )
        order = (PLACEMENTS.c.latest_at.desc(), PLACEMENTS.c.incident_id, PLACEMENTS.c.fingerprint)
        return await self._placements(select(PLACEMENTS.c.body).where(named).order_by(*order).limit(limit))

    async def _placements(self, query: Select[Any]) -> tuple[Placement, ...]:
        async with self._database.read() as connection:
            return tuple(decode(Placement, body) for body in (await connection.execute(query)).scalars())

    async def children(self, incident_id: str) -> tuple[Incident, ...]:
        query = select(INCIDENTS).where(INCIDENTS.c.parent_id == incident_id)
        order = (INCIDENTS.c.opened_at, INCIDENTS.c.sequence)
        async with self._database.read() as connection:
            return tuple(map(read_incident, await connection.execute(query.order_by(*order))))

    async def lapsed(self, now: datetime, limit: int) -> tuple[Word, ...]:
        expired = _words().where(PLACEMENTS.c.expires_at <= now).order_by(PLACEMENTS.c.expires_at).limit(limit)
        async with self._database.read() as connection:
            return tuple(map(_word, await connection.execute(expired)))

    async def untended(self, now: datetime, limit: int) -> tuple[Incident, ...]:
        whole = INCIDENTS.alias("whole")
        orphaned = exists().where(whole.c.id == INCIDENTS.c.parent_id, whole.c.active == 0)
        waiting = or_(INCIDENTS.c.tend_at <= now, and_(INCIDENTS.c.parent_id.is_not(None), orphaned))
        query = select(INCIDENTS).where(INCIDENTS.c.active == 1, waiting).order_by(INCIDENTS.c.sequence).limit(limit)
        async with self._database.read() as connection:
            return tuple(map(read_incident, await connection.execute(query)))


def _words() -> Select[Any]:
    same = (PLACEMENTS.c.incident_id == INCIDENT_ALERTS.c.incident_id) & (
        PLACEMENTS.c.fingerprint == INCIDENT_ALERTS.c.fingerprint
    )
    columns = (INCIDENT_ALERTS.c.incident_id, INCIDENT_ALERTS.c.body, PLACEMENTS.c.body.label("placement"))
    return select(*columns).select_from(INCIDENT_ALERTS.outerjoin(PLACEMENTS, same))


def _word(row: Any) -> Word:
    placement = decode(Placement, row.placement) if row.placement is not None else None
    return Word(decode(Alert, row.body), row.incident_id, placement)
