"""Alerts become incidents: stored once, told on the timeline, tried again when somebody else was faster."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from agent_sre.adapters.store_memory import MemoryStore
from agent_sre.domain.action import Proposal, Risk
from agent_sre.domain.alert import Alert
from agent_sre.domain.approval import Approval, ApprovalState
from agent_sre.domain.errors import TemporaryError
from agent_sre.domain.evidence import Observation
from agent_sre.domain.incident import Incident, IncidentStatus
from agent_sre.domain.reference import ObjectRef
from agent_sre.domain.timeline import Entry
from agent_sre.ports.store import NOTHING_PLACED, IncidentStore, Placed
from agent_sre.service.fold_alerts import BATCH, BATCHES, fold_alerts
from agent_sre.testing.clock import FrozenClock
from agent_sre.testing.ids import SequentialIds
from tests.unit.alerts import at, fold_ports, message

S = IncidentStatus


class World:
    def __init__(self) -> None:
        self.store = MemoryStore()
        self.clock = FrozenClock(at(60))
        self.ids = SequentialIds()

    async def fold(self, *alerts: Alert, incidents: IncidentStore | None = None) -> int:
        await self.store.inbox.append(alerts)
        ports = fold_ports(self.store, self.clock, self.ids)
        return await fold_alerts(replace(ports, incidents=incidents or self.store.incidents))

    async def incident(self) -> Incident:
        (incident,) = await self.store.incidents.newest(10)
        return incident

    async def told(self) -> list[str]:
        return [entry.text for entry in await self.store.journal.timeline("INC-1")]


class Contested:
    """An IncidentStore on which somebody else changes the incident just before each of the first ``races`` folds."""

    def __init__(self, inner: IncidentStore, races: int) -> None:
        self.inner = inner
        self.races = races

    async def fold(
        self,
        incident: Incident,
        sequences: Sequence[int],
        entries: Sequence[Entry],
        placed: Placed = NOTHING_PLACED,
        observations: Sequence[Observation] = (),
    ) -> Incident:
        current = await self.inner.get(incident.id)
        if self.races and current is not None:
            self.races -= 1
            await self.inner.fold(replace(current, title="changed meanwhile"), (), ())
        return await self.inner.fold(incident, sequences, entries, placed, observations=observations)

    async def get(self, incident_id: str) -> Incident | None:
        return await self.inner.get(incident_id)

    async def find(self, group_key: str) -> Incident | None:
        return await self.inner.find(group_key)

    async def due(self, now: object, limit: int) -> tuple[Incident, ...]:
        raise NotImplementedError("folding asks for no work")

    async def newest(self, limit: int) -> tuple[Incident, ...]:
        return await self.inner.newest(limit)

    async def alerts(self, incident_id: str) -> tuple[Alert, ...]:
        return await self.inner.alerts(incident_id)


def approval(approval_id: str, state: ApprovalState = ApprovalState.WAITING) -> Approval:
    proposal = Proposal(
        id=f"PRO-{approval_id}",
        incident_id="INC-1",
        runbook="bad-deploy",
        runbook_digest="",
        action="rollout_undo",
        target=ObjectRef("Deployment", "shop", "checkout"),
        parameters={},
        patch={},
        resource_version="7",
        risk=Risk.LOW,
        preview="",
        expected="",
        verify="",
        undo="",
        hypothesis=1,
    )
    return Approval(approval_id, "INC-1", proposal, proposal.digest, state, at(1), at(600))


async def test_an_alert_becomes_an_incident_that_is_due() -> None:
    world = World()
    assert await world.fold(message(fires=0)) == 1
    incident = await world.incident()
    assert (incident.id, incident.status, incident.due_at, incident.version) == ("INC-1", S.OPEN, at(60), 1)
    assert await world.told() == [
        "HighLatency: opened INC-1 because no incident is known for this group, and no other one has enough in common "
        "with it"
    ]
    assert len(await world.store.incidents.alerts("INC-1")) == 1
    assert await world.fold() == 0


async def test_more_than_a_batch_is_folded_in_one_call_and_told_once() -> None:
    world = World()
    assert await world.fold(*[message(fires=0)] * (BATCH + 5)) == BATCH + 5
    incident = await world.incident()
    assert (incident.alerts, incident.firing, incident.version) == (BATCH + 5, 1, 2)
    assert len(await world.told()) == 1


async def test_a_storm_that_never_pauses_does_not_keep_the_worker_from_looking_into_incidents() -> None:
    """More comes in with each batch that is folded; one call ends all the same, and the rest waits for the next."""
    world = World()
    inbox = world.store.inbox

    class Endless:
        async def pending(self, limit: int) -> tuple[tuple[int, Alert], ...]:
            await inbox.append([message(fires=0)] * 3)
            return await inbox.pending(limit)

    ports = replace(fold_ports(world.store, world.clock, world.ids), inbox=Endless())  # type: ignore[arg-type]
    assert await asyncio.wait_for(fold_alerts(ports), 30) == 3 * BATCHES


async def test_peers_of_one_cluster_within_seconds_are_one_incident() -> None:
    world = World()
    for seconds in (0, 15, 45):
        world.clock.set(at(60) + timedelta(seconds=seconds))
        await world.fold(message(fires=0))
    incident = await world.incident()
    assert (incident.alerts, incident.firing) == (3, 1)


async def test_different_groups_are_different_incidents() -> None:
    world = World()
    other = message(fires=1, name="Other", namespace="web", group="other")
    await world.fold(message(fires=0), other, message(fires=1, pod="b"))
    incidents = await world.store.incidents.newest(10)
    assert sorted((incident.id, incident.alerts) for incident in incidents) == [("INC-1", 2), ("INC-2", 1)]


async def test_an_incomplete_message_is_told() -> None:
    world = World()
    await world.fold(replace(message(fires=0), truncated=37))
    assert (await world.incident()).truncated == 37
    assert "Incomplete: the source left out 37 further alerts of this group from its message" in await world.told()
    await world.fold(replace(message(fires=0), truncated=37))
    assert len(await world.told()) == 2


async def test_when_all_is_over_waiting_approvals_lose_their_ground() -> None:
    world = World()
    await world.fold(message(fires=0))
    await world.store.approvals.ask(approval("APR-1"))
    await world.store.approvals.ask(approval("APR-2", ApprovalState.REJECTED))
    for status in (S.INVESTIGATING, S.AWAITING_APPROVAL):
        await world.store.incidents.fold((await world.incident()).to(status, at(60)), (), ())
    await world.fold(message(fires=0, ended=5))
    incident = await world.incident()
    assert (incident.status, incident.due_at, incident.firing) == (S.RESOLVED, at(60), 0)
    first, second = await world.store.approvals.of_incident("INC-1")
    assert (first.state, first.reason) == (ApprovalState.SUPERSEDED, "alert resolved")
    assert second.state is ApprovalState.REJECTED
    assert "1 waiting approval superseded: alert resolved" in await world.told()
    (row,) = await world.store.journal.audit_rows(0, 10)
    assert (row.verb, row.subject) == ("approvals superseded", "INC-1")


async def test_approvals_of_an_incident_under_verification_are_left_alone() -> None:
    world = World()
    await world.fold(message(fires=0))
    await world.store.approvals.ask(approval("APR-1"))
    for status in (S.INVESTIGATING, S.AWAITING_APPROVAL, S.MITIGATING):
        await world.store.incidents.fold((await world.incident()).to(status, at(60)), (), ())
    await world.fold(message(fires=0, ended=5))
    assert (await world.incident()).status is S.MITIGATING
    (waiting,) = await world.store.approvals.of_incident("INC-1")
    assert waiting.state is ApprovalState.WAITING


async def test_firing_anew_reopens_and_is_told() -> None:
    world = World()
    await world.fold(message(fires=0))
    await world.fold(message(fires=0, ended=5))
    world.clock.advance(timedelta(minutes=5))
    await world.fold(message(fires=64, received=65))
    incident = await world.incident()
    assert (incident.status, incident.run, incident.due_at) == (S.OPEN, 2, at(65))
    assert (await world.told())[-1].startswith("HighLatency: reopened INC-1: fires since 2026-01-05T13:04:00Z")


async def test_a_lost_race_is_decided_anew_on_what_the_incident_is_then() -> None:
    world = World()
    await world.fold(message(fires=0))
    await world.fold(message(fires=1, pod="b"), incidents=Contested(world.store.incidents, races=2))
    incident = await world.incident()
    assert (incident.title, incident.alerts, incident.firing) == ("changed meanwhile", 2, 2)


async def test_alerts_of_an_incident_that_keeps_changing_wait_on_and_others_do_not() -> None:
    world = World()
    await world.fold(message(fires=0))
    contested = Contested(world.store.incidents, races=10_000)
    other = message(fires=0, name="Other", namespace="web", group="other")
    with pytest.raises(TemporaryError):
        await world.fold(message(fires=1, pod="b"), other, incidents=contested)
    assert [alert.labels.get("pod") for _, alert in await world.store.inbox.pending(10)] == ["b"]
    assert len(await world.store.incidents.newest(10)) == 2
    assert await world.fold() == 1


async def test_a_message_overtaken_by_its_resolve_does_not_hide_it() -> None:
    world = World()
    await world.fold(message(fires=0, ended=5))
    await world.fold(message(fires=0))
    await world.fold(message(fires=0))
    incident = await world.incident()
    assert (incident.status, incident.firing, incident.alerts, incident.run) == (S.RESOLVED, 0, 3, 1)
    (word,) = await world.store.incidents.alerts("INC-1")
    assert word.status == "resolved"
