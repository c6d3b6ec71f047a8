"""The timeline for people and the hash-chained audit log for auditors."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from agent_sre.adapters.store_sql.codec import decode, decode_detail, encode, encode_detail
from agent_sre.adapters.store_sql.database import Database, Lock
from agent_sre.adapters.store_sql.schema import AUDIT, TIMELINE
from agent_sre.domain.audit import AuditRow, chain
from agent_sre.domain.errors import TemporaryError
from agent_sre.domain.instant import EPOCH, format_instant, parse_instant
from agent_sre.domain.timeline import Entry


async def append_timeline(connection: AsyncConnection, database: Database, entries: Sequence[Entry]) -> None:
    """Append to the ``timeline`` table inside the caller's transaction; an entry whose key is there is left out."""
    rows = [
        {
            "incident_id": entry.incident_id,
            "time": entry.time,
            "key_digest": sha256(entry.key.encode()).hexdigest() if entry.key else None,
            "body": encode(entry),
        }
        for entry in entries
    ]
    if rows:
        await connection.execute(database.insert(TIMELINE).on_conflict_do_nothing(), rows)


def _audit_row(row: Row[Any]) -> AuditRow:
    # Reads whatever somebody put there, of whatever type, so that verification can name the row instead of failing.
    try:
        time = parse_instant(str(row.time))
    except ValueError:
        time = EPOCH
    return AuditRow(
        sequence=row.sequence,
        time=time,
        actor=str(row.actor),
        verb=str(row.verb),
        subject=str(row.subject),
        detail=decode_detail(str(row.detail)),
        previous=str(row.previous),
        digest=str(row.digest),
    )


class SqlJournal:
    """Journal over SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, entry: Entry) -> None:
        async with self._database.write() as connection:
            await append_timeline(connection, self._database, [entry])

    async def timeline(self, incident_id: str) -> tuple[Entry, ...]:
        query = (
            select(TIMELINE.c.sequence, TIMELINE.c.body)
            .where(TIMELINE.c.incident_id == incident_id)
            .order_by(TIMELINE.c.time, TIMELINE.c.sequence)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return tuple(replace(decode(Entry, row.body), sequence=row.sequence) for row in rows)

    async def audit(self, time: datetime, actor: str, verb: str, subject: str, detail: Mapping[str, str]) -> AuditRow:
        async with self._database.write() as connection:
            await self._database.alone(connection, Lock.AUDIT)  # an empty log has no row that could be locked
            newest = select(AUDIT).order_by(AUDIT.c.sequence.desc()).limit(1)
            last = (await connection.execute(newest)).one_or_none()
            row = chain(_audit_row(last) if last else None, time, actor, verb, subject, dict(detail))
            values = {
                "sequence": row.sequence,
                "time": format_instant(row.time),
                "actor": row.actor,
                "verb": row.verb,
                "subject": row.subject,
                "detail": encode_detail(row.detail),
                "previous": row.previous,
                "digest": row.digest,
            }
            insert = self._database.insert(AUDIT).values(values).on_conflict_do_nothing()
            if (await connection.execute(insert)).rowcount != 1:
                # Somebody wrote without the lock: by hand, or a program that is not ours.
                raise TemporaryError(f"audit row {row.sequence} was just written by somebody else: try again")
            return row

    async def audit_rows(self, after: int, limit: int) -> tuple[AuditRow, ...]:
        query = select(AUDIT).where(AUDIT.c.sequence > after).order_by(AUDIT.c.sequence).limit(limit)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return tuple(_audit_row(row) for row in rows)
