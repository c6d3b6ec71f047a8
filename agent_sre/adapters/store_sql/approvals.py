"""Approvals: the first decision wins, whoever else decides at the same moment."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from agent_sre.adapters.store_sql.codec import decode, encode
from agent_sre.adapters.store_sql.database import Database
from agent_sre.adapters.store_sql.schema import APPROVALS, INCIDENTS
from agent_sre.domain.approval import Approval, ApprovalState, Decision

_DECIDED = frozenset({Decision.APPROVED, Decision.REJECTED})


class SqlApprovals:
    """ApprovalStore over SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ask(self, approval: Approval) -> Approval:
        row = {
            "id": approval.id,
            "incident_id": approval.incident_id,
            "state": approval.state.value,
            "body": encode(approval),
        }
        async with self._database.write() as connection:
            insert = self._database.insert(APPROVALS).values(row).on_conflict_do_nothing()
            await connection.execute(insert)
            return await self._read(connection, approval.id) or approval

    async def get(self, approval_id: str) -> Approval | None:
        async with self._database.read() as connection:
            return await self._read(connection, approval_id)

    async def decide(
        self, approval_id: str, approve: bool, by: str, digest: str, now: datetime, reason: str
    ) -> tuple[Approval | None, Decision]:
        async with self._database.write() as connection:
            before = await self._read(connection, approval_id)
            if before is None:
                return None, Decision.UNKNOWN
            after, decision = before.decide(approve, by, digest, now, reason)
            if after.state is before.state:
                return after, decision
            if not await self._close(connection, after):
                # Somebody on another replica was first, between the two statements.
                return await self._read(connection, approval_id), Decision.ALREADY_DECIDED
            if decision in _DECIDED:
                await self._make_due(connection, after.incident_id, now)
            return after, decision

    async def supersede(self, incident_id: str, now: datetime, reason: str) -> int:
        closed = 0
        async with self._database.write() as connection:
            waiting = (APPROVALS.c.incident_id == incident_id) & (APPROVALS.c.state == ApprovalState.WAITING.value)
            for body in (await connection.execute(select(APPROVALS.c.body).where(waiting))).scalars().all():
                before = decode(Approval, body)
                after = replace(before, state=ApprovalState.SUPERSEDED, decided_at=now, reason=reason)
                closed += await self._close(connection, after)
        return closed

    async def of_incident(self, incident_id: str) -> tuple[Approval, ...]:
        query = select(APPROVALS.c.body).where(APPROVALS.c.incident_id == incident_id).order_by(APPROVALS.c.sequence)
        async with self._database.read() as connection:
            bodies = (await connection.execute(query)).scalars().all()
        return tuple(sorted((decode(Approval, body) for body in bodies), key=lambda item: item.asked_at))

    async def _read(self, connection: AsyncConnection, approval_id: str) -> Approval | None:
        query = select(APPROVALS.c.body).where(APPROVALS.c.id == approval_id)
        body = (await connection.execute(query)).scalar_one_or_none()
        return None if body is None else decode(Approval, body)

    async def _close(self, connection: AsyncConnection, after: Approval) -> bool:
        waiting = (APPROVALS.c.id == after.id) & (APPROVALS.c.state == ApprovalState.WAITING.value)
        change = update(APPROVALS).where(waiting).values(state=after.state.value, body=encode(after))
        return (await connection.execute(change)).rowcount == 1

    async def _make_due(self, connection: AsyncConnection, incident_id: str, now: datetime) -> None:
        # A new version: whoever read the incident before the decision must not store a later due_at over this one.
        change = update(INCIDENTS).where(INCIDENTS.c.id == incident_id)
        await connection.execute(change.values(due_at=now, version=INCIDENTS.c.version + 1))
