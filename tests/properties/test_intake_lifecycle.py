"""No order of messages breaks the lifecycle, and no stale message ever brings an incident back.

Messages come in any order, any number of times, cut into any batches, while the investigation moves the incident about.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hypothesis import given, settings, strategies as st

from agent_sre.adapters.store_memory import MemoryStore
from agent_sre.domain.alert import Alert, AlertStatus
from agent_sre.domain.incident import TRANSITIONS, Incident, IncidentStatus
from agent_sre.service.fold_alerts import fold_alerts
from agent_sre.service.tend_incidents import tend_incidents
from agent_sre.testing.clock import FrozenClock
from agent_sre.testing.ids import SequentialIds
from tests.unit.alerts import at, fold_ports, message, tend_ports

S = IncidentStatus
PATIENT = settings(deadline=None)
"""A story is many calls; how long one takes says nothing on a busy machine."""
PODS = ("a", "b", "c")
MINUTES = st.integers(0, 12)


@st.composite
def messages(draw: st.DrawFn) -> Alert:
    fires = draw(MINUTES)
    ended = draw(st.none() | st.integers(fires, 14))
    return message(fires=fires, ended=ended, pod=draw(st.sampled_from(PODS)))


MOVES = st.sampled_from([status for status in S if status is not S.OPEN])
EVENTS = st.lists(messages() | MOVES, max_size=25)


@dataclass
class World:
    """Folds each message or batch at once, and watches every change of the incidents."""

    store: MemoryStore
    clock: FrozenClock
    ids: SequentialIds

    @classmethod
    def new(cls) -> "World":
        return cls(MemoryStore(), FrozenClock(at(60)), SequentialIds())

    async def take(self, alerts: Sequence[Alert]) -> None:
        self.clock.advance(timedelta(seconds=1))
        await self.store.inbox.append(alerts)
        folded = await fold_alerts(fold_ports(self.store, self.clock, self.ids))
        assert folded == len(alerts)
        assert await self.store.inbox.pending(1) == ()

    async def move(self, status: IncidentStatus) -> None:
        """As the investigation or a person would, where the lifecycle allows it."""
        self.clock.advance(timedelta(seconds=1))
        for incident in await self.store.incidents.newest(1):
            if status in TRANSITIONS[incident.status]:
                await self.store.incidents.fold(incident.to(status, self.clock.now()), (), ())

    async def rest(self) -> None:
        """Long enough for what flaps to become calm, and shorter than what it takes to lapse."""
        self.clock.advance(timedelta(hours=2))
        await tend_incidents(tend_ports(self.store, self.clock))

    async def newest(self) -> Incident | None:
        return next(iter(await self.store.incidents.newest(1)), None)


def reachable(start: IncidentStatus) -> set[IncidentStatus]:
    """In up to two steps: a message may reopen and the batch's end resolve again."""
    once = {start} | TRANSITIONS[start]
    return once | {after for status in once for after in TRANSITIONS[status]}


def last_resolve(seen: Sequence[Alert], fingerprint: str) -> datetime | None:
    ends = [alert.ends_at for alert in seen if alert.fingerprint == fingerprint and alert.ends_at]
    return max(ends, default=None)


@PATIENT
@given(EVENTS)
def test_no_stale_message_brings_an_incident_back(events: list[Alert | IncidentStatus]) -> None:
    async def story() -> None:
        world = World.new()
        seen: list[Alert] = []
        for event in events:
            before = await world.newest()
            if isinstance(event, IncidentStatus):
                await world.move(event)
                continue
            await world.take([event])
            after = await world.newest()
            assert after is not None
            ended = last_resolve(seen, event.fingerprint)
            stale = event.status is AlertStatus.FIRING and ended is not None and event.starts_at <= ended
            if before is not None and not before.active and (stale or event.status is AlertStatus.RESOLVED):
                assert (after.id, after.status, after.run, after.due_at) == (
                    before.id,
                    before.status,
                    before.run,
                    before.due_at,
                )
            seen.append(event)

    # A closed incident takes what is known of its alerts with it, so closing is left to the test below.
    events = [event for event in events if event is not S.CLOSED]
    asyncio.run(story())


@PATIENT
@given(EVENTS)
def test_every_change_is_one_the_lifecycle_knows(events: list[Alert | IncidentStatus]) -> None:
    async def story() -> None:
        world = World.new()
        count = 0
        for event in events:
            before = {incident.id: incident for incident in await world.store.incidents.newest(100)}
            if isinstance(event, IncidentStatus):
                await world.move(event)
            else:
                await world.take([event])
                count += 1
            for incident in await world.store.incidents.newest(100):
                if incident.id not in before:
                    assert incident.status in {S.OPEN, S.RESOLVED}
                else:
                    assert incident.status in reachable(before[incident.id].status)
                assert (incident.status is S.RESOLVED) <= (incident.resolved_at is not None)
        assert sum(incident.alerts for incident in await world.store.incidents.newest(100)) == count

    asyncio.run(story())


@PATIENT
@given(st.lists(messages(), min_size=1, max_size=12), st.randoms(), st.integers(1, 4))
def test_what_fires_in_the_end_does_not_depend_on_order_or_batches(
    alerts: list[Alert], rng: random.Random, size: int
) -> None:
    async def end_of(order: Sequence[Alert], batch: int) -> tuple[int, bool, set[tuple[str, str]]]:
        world = World.new()
        for start in range(0, len(order), batch):
            await world.take(order[start : start + batch])
        await world.rest()
        incident = await world.newest()
        assert incident is not None
        words = await world.store.incidents.alerts(incident.id)
        return incident.firing, incident.active, {(word.labels["pod"], word.status.value) for word in words}

    shuffled = list(alerts)
    rng.shuffle(shuffled)
    firing, active, words = asyncio.run(end_of(alerts, 1))
    assert asyncio.run(end_of(shuffled, size)) == (firing, active, words)
    assert active == (firing > 0)
    assert firing == sum(1 for _, status in words if status == "firing")


@PATIENT
@given(st.lists(messages(), min_size=1, max_size=6), st.integers(1, 5))
def test_messages_from_peers_change_nothing_but_the_count(alerts: list[Alert], peers: int) -> None:
    async def story(copies: int) -> Incident:
        world = World.new()
        for alert in alerts:
            await world.take([alert] * copies)
        incident = await world.newest()
        assert incident is not None
        return incident

    once, often = asyncio.run(story(1)), asyncio.run(story(peers))
    assert often.alerts == once.alerts * peers
    assert replace(often, alerts=0) == replace(once, alerts=0)
