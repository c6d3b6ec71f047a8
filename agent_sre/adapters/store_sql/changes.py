"""Changes that were reported to us: the log, and its reading side."""

from collections.abc import Sequence
from hashlib import sha256

from sqlalchemy import select

from agent_sre.adapters.store_sql.codec import decode, encode
from agent_sre.adapters.store_sql.database import Database, Lock
from agent_sre.adapters.store_sql.schema import CHANGES
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Change


class SqlChanges:
    """ChangeLog and ChangeReader over SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, changes: Sequence[Change]) -> int:
        # One statement may not touch a row twice, so of a change that is in it twice the last word is taken here.
        rows = {digest: {"key_digest": digest, "time": item.time, "body": encode(item)}
                for item in changes for digest in [_digest(item)]}  # fmt: skip
        if not rows:
            return 0
        known = select(CHANGES.c.key_digest).where(CHANGES.c.key_digest.in_(list(rows)))
        insert = self._database.insert(CHANGES)
        newer = {"time": insert.excluded.time, "body": insert.excluded.body}
        upsert = insert.on_conflict_do_update(index_elements=["key_digest"], set_=newer)
        async with self._database.write() as connection:
            # Two that touch the same rows in different orders would wait for each other, and both would count.
            await self._database.alone(connection, Lock.CHANGES)
            old = len((await connection.execute(known)).all())
            await connection.execute(upsert, list(rows.values()))
        return len(rows) - old

    async def changes(self, namespaces: tuple[str, ...], window: Window) -> tuple[Change, ...]:
        """Changes in the window, oldest first. They carry no namespace, so all of them are considered."""
        query = (
            select(CHANGES.c.body)
            .where(CHANGES.c.time >= window.start, CHANGES.c.time <= window.end)
            .order_by(CHANGES.c.time, CHANGES.c.sequence)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return tuple(decode(Change, row.body) for row in rows)


def _digest(change: Change) -> str:
    return sha256("\0".join((change.id, change.kind, change.target)).encode()).hexdigest()
