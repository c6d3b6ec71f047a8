"""The alert inbox: what the webhook's 2xx stands for, and the quarantine beside it."""

from collections.abc import Sequence
from hashlib import sha256

from sqlalchemy import select

from agent_sre.adapters.store_sql.codec import decode_alert, encode_alert
from agent_sre.adapters.store_sql.database import Database
from agent_sre.adapters.store_sql.group_commit import GroupCommit, Row
from agent_sre.adapters.store_sql.location import pragmas
from agent_sre.adapters.store_sql.schema import INBOX, QUARANTINE
from agent_sre.adapters.store_sql.sqlite_append import SqliteAppend
from agent_sre.domain.alert import Alert
from agent_sre.ports.store import Quarantined

_GIVE_WAY_SECONDS = 0.5
"""No longer: senders that never pause must not keep incidents from being opened."""


class SqlInbox:
    """AlertInbox over SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._group = GroupCommit(self._commit)
        file = database.location.file
        self._append = SqliteAppend(file, pragmas(database.busy_seconds)) if file else None

    async def append(self, alerts: Sequence[Alert]) -> None:
        # Encoded here, not in the shared commit: an alert that cannot be stored fails its own caller only.
        await self._group.add([(encode_alert(alert), _digest(alert)) for alert in alerts])

    async def _commit(self, rows: Sequence[Row]) -> None:
        # What conflicts is a message that is known by its id: its sender did not hear that we have it.
        if self._append is not None:
            async with self._database.turn():
                await self._append.append(rows)
            return
        await self._database.append(INBOX, [{"body": body, "message_digest": digest} for body, digest in rows])

    async def pending(self, limit: int) -> tuple[tuple[int, Alert], ...]:
        # What was accepted is safe here and can wait a little; senders that wait for their answer go first.
        await self._group.lull(_GIVE_WAY_SECONDS)
        query = (
            select(INBOX.c.sequence, INBOX.c.body)
            .where(INBOX.c.incident_id.is_(None))
            .order_by(INBOX.c.sequence)
            .limit(limit)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return tuple((row.sequence, decode_alert(row.body)) for row in rows)

    async def quarantine(self, item: Quarantined) -> None:
        values = {
            "source": _shown(item.source),
            "received_at": item.received_at,
            "reason": _shown(item.reason),
            "body": item.body,
            "size": item.size,
        }
        async with self._database.write() as connection:
            await connection.execute(QUARANTINE.insert().values(values))

    async def quarantined(self, limit: int) -> tuple[Quarantined, ...]:
        query = select(QUARANTINE).order_by(QUARANTINE.c.sequence.desc()).limit(limit)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return tuple(Quarantined(row.source, row.received_at, row.reason, row.body, row.size) for row in rows)

    async def close(self) -> None:
        """Wait until every append that was called has its answer, and close what only the inbox has."""
        await self._group.drain()
        if self._append is not None:
            await self._append.close()


def _shown(text: str) -> str:
    """PostgreSQL's text holds no NUL, which what is said of a hostile payload may quote."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _digest(alert: Alert) -> str | None:
    """What a repeated message has in common with the first, None where its source gives messages no id."""
    if not alert.message_id:
        return None
    return sha256(f"{alert.source}\0{alert.message_id}".encode()).hexdigest()
