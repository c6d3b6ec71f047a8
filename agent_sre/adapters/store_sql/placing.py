"""Rows of placements and bindings, written within the transaction that changes their incident."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import TypeVar

from sqlalchemy import bindparam, update
from sqlalchemy.ext.asyncio import AsyncConnection

from agent_sre.adapters.store_sql.codec import encode
from agent_sre.adapters.store_sql.database import Database
from agent_sre.adapters.store_sql.schema import BINDINGS, INCIDENT_ALERTS, PLACEMENTS
from agent_sre.domain.placement import Binding, Placement
from agent_sre.ports.store import Placed

T = TypeVar("T")
_CHUNK = 500
"""Bound parameters per statement stay far below every database's limit."""


def chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """The items in parts that fit one statement."""
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]


def key_hash(key: str) -> str:
    """What a key of any length is indexed by."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


async def put_placed(connection: AsyncConnection, database: Database, incident_id: str, placed: Placed) -> None:
    """Insert or replace all of it."""
    await put_placements(connection, database, placed.placements)
    await put_bindings(connection, database, placed.bindings)
    if placed.words:
        same = (INCIDENT_ALERTS.c.incident_id == incident_id) & (INCIDENT_ALERTS.c.fingerprint == bindparam("alert"))
        rows = [{"alert": word.fingerprint, "word": encode(word)} for word in placed.words]
        await connection.execute(update(INCIDENT_ALERTS).where(same).values(body=bindparam("word")), rows)


async def put_placements(connection: AsyncConnection, database: Database, placements: Sequence[Placement]) -> None:
    """Insert or replace."""
    rows = [
        {
            "incident_id": item.incident_id,
            "fingerprint": item.fingerprint,
            "name_hash": key_hash(item.name),
            "latest_at": item.latest_at,
            "expires_at": item.expires_at,
            "body": encode(item),
        }
        for item in placements
    ]
    if rows:
        insert = database.insert(PLACEMENTS)
        changed = {name: insert.excluded[name] for name in ("name_hash", "latest_at", "expires_at", "body")}
        upsert = insert.on_conflict_do_update(index_elements=["incident_id", "fingerprint"], set_=changed)
        await connection.execute(upsert, rows)


async def put_bindings(connection: AsyncConnection, database: Database, bindings: Sequence[Binding]) -> None:
    """Insert or replace."""
    rows = [
        {"kind": str(item.kind), "key_hash": key_hash(item.key), "incident_id": item.incident_id} for item in bindings
    ]
    if rows:
        insert = database.insert(BINDINGS)
        changed = {"incident_id": insert.excluded["incident_id"]}
        await connection.execute(insert.on_conflict_do_update(index_elements=["kind", "key_hash"], set_=changed), rows)
