"""The worker: everything due is carried on, one at a time each, and no failure stops it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from agent_sre.adapters.store_memory import MemoryStore
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.incident import Incident
from agent_sre.entrypoints.backoff import Backoff
from agent_sre.entrypoints.telemetry import Telemetry
from agent_sre.entrypoints.worker import Duties, Worker
from agent_sre.ports.health import CheckState
from agent_sre.service.fold_alerts import fold_alerts
from agent_sre.service.postpone_incident import postpone_incident
from agent_sre.testing.clock import FrozenClock
from agent_sre.testing.ids import SequentialIds
from tests.unit.alerts import at, fold_ports, message

Advance = Callable[[str], Awaitable[None]]


class Service:
    """The service around a store in memory, whose investigations a test writes."""

    def __init__(self, investigate: Advance) -> None:
        self.store = MemoryStore()
        self.clock = FrozenClock(at(60))
        self.ids = SequentialIds()
        self.telemetry = Telemetry()
        self.investigate = investigate
        self.started: list[str] = []
        self.changed = asyncio.Event()

    async def fold(self) -> int:
        return await fold_alerts(fold_ports(self.store, self.clock, self.ids))

    async def due(self, now: datetime, limit: int) -> Sequence[Incident]:
        return await self.store.incidents.due(now, limit)

    async def advance(self, incident_id: str) -> None:
        self.started.append(incident_id)
        self.changed.set()
        await self.investigate(incident_id)
        incident = await self.incident(incident_id)
        await self.store.incidents.fold(replace(incident, due_at=None), (), ())
        self.changed.set()

    async def postpone(self, incident_id: str, until: datetime, sentence: str) -> None:
        await postpone_incident(incident_id, until, sentence, incidents=self.store.incidents, clock=self.clock)
        self.changed.set()

    async def incident(self, incident_id: str) -> Incident:
        incident = await self.store.incidents.get(incident_id)
        assert incident is not None
        return incident

    async def accept(self, *groups: str) -> None:
        await self.store.inbox.append([message(fires=0, group=group, namespace=group) for group in groups])

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        while not await holds():
            self.changed.clear()
            await self.changed.wait()

    async def nothing_due(self) -> bool:
        return not await self.store.incidents.due(self.clock.now(), 10)

    def duties(self, **changes: object) -> Duties:
        return replace(Duties(self.fold, self.due, self.advance, self.postpone), **changes)  # type: ignore[arg-type]

    def metric(self, name: str, **labels: str) -> float:
        return self.telemetry.registry.get_sample_value(f"agent_sre_{name}", labels) or 0.0


async def at_once(incident_id: str) -> None:
    """An investigation that has nothing to do."""


@asynccontextmanager
async def running(service: Service, **options: object) -> AsyncIterator[Worker]:
    # The poll is far longer than a test may take: what happens, happens because the worker was woken.
    duties = options.pop("duties", service.duties())
    worker = Worker(duties, service.clock, service.telemetry, poll_seconds=3_600, **options)  # type: ignore[arg-type]
    worker.start()
    try:
        yield worker
    finally:
        await worker.stop(5)


async def test_accepted_alerts_are_folded_and_their_incidents_investigated() -> None:
    service = Service(at_once)
    async with running(service) as worker:
        await service.accept("a", "b")
        worker.wake()
        await service.until(lambda: done(service, 2))
    assert sorted(service.started) == ["INC-1", "INC-2"]
    assert service.metric("alerts_folded_total") == 2
    assert service.metric("advances_total", outcome="done") == 2
    assert service.metric("investigations_running") == 0


async def done(service: Service, count: int) -> bool:
    return len(service.started) >= count and await service.nothing_due()


async def test_what_waited_before_the_start_is_taken_up_without_a_wake() -> None:
    service = Service(at_once)
    await service.accept("a")
    async with running(service):
        await service.until(lambda: done(service, 1))
    assert service.started == ["INC-1"]


async def test_at_most_so_many_at_once_and_never_the_same_twice() -> None:
    gate = asyncio.Event()
    under_way: list[str] = []
    most = 0

    async def investigate(incident_id: str) -> None:
        nonlocal most
        assert incident_id not in under_way
        under_way.append(incident_id)
        most = max(most, len(under_way))
        await gate.wait()
        under_way.remove(incident_id)

    service = Service(investigate)
    await service.accept("a", "b", "c", "d", "e")
    async with running(service, concurrency=2) as worker:
        while len(service.started) < 2:
            service.changed.clear()
            await service.changed.wait()
        worker.wake()
        gate.set()
        await service.until(lambda: done(service, 5))
    assert most == 2
    assert sorted(service.started) == ["INC-1", "INC-2", "INC-3", "INC-4", "INC-5"]


@pytest.mark.parametrize(
    ("error", "wait", "said", "outcome"),
    [
        (TemporaryError("Prometheus is down"), 2, "The investigation stopped: Prometheus is down; tried", "retry"),
        (TemporaryError("slow down", retry_after=90), 90, "slow down; tried again in 90 s", "retry"),
        (PermanentError("the token is wrong"), 30, "the token is wrong (error ", "failed"),
        (KeyError("secret-of-somebody"), 30, "unforeseen KeyError (error ", "failed"),
    ],
)
async def test_one_that_fails_is_put_off_and_noted_and_the_others_go_on(
    error: Exception, wait: float, said: str, outcome: str
) -> None:
    async def investigate(incident_id: str) -> None:
        if incident_id == "INC-1":
            raise error

    service = Service(investigate)
    await service.accept("a", "b")
    async with running(service):
        await service.until(lambda: done(service, 2))
    assert (await service.incident("INC-1")).due_at == at(60) + timedelta(seconds=wait)
    assert (await service.incident("INC-2")).due_at is None
    notes = [entry.text for entry in await service.store.journal.timeline("INC-1") if entry.kind == "note"]
    assert len(notes) == 1
    assert said in notes[0]
    assert "secret-of-somebody" not in notes[0]
    assert service.metric("advances_total", outcome=outcome) == 1


async def test_a_store_that_is_down_stops_nothing() -> None:
    service = Service(at_once)
    failures = 0

    async def fold() -> int:
        nonlocal failures
        if failures < 2:
            failures += 1
            service.changed.set()
            raise TemporaryError("the database is locked") if failures == 1 else RuntimeError("a defect")
        return await service.fold()

    await service.accept("a")
    async with running(service, duties=service.duties(fold=fold)) as worker:
        for wanted in (1, 2):
            while failures < wanted:
                service.changed.clear()
                await service.changed.wait()
            worker.wake()
        await service.until(lambda: done(service, 1))
    assert service.started == ["INC-1"]
    assert service.metric("unforeseen_errors_total", where="fold") == 1


async def test_one_that_stays_due_without_progress_is_not_carried_on_in_a_busy_loop() -> None:
    service = Service(at_once)

    async def advance(incident_id: str) -> None:
        service.started.append(incident_id)
        service.changed.set()

    async def due(now: datetime, limit: int) -> Sequence[Incident]:
        looks.append(limit)
        service.changed.set()
        return await service.due(now, limit)

    looks: list[int] = []
    await service.accept("a")
    async with running(service, duties=service.duties(advance=advance, due=due)) as worker:
        for wanted in range(2, 6):
            while len(looks) < wanted:
                service.changed.clear()
                await service.changed.wait()
            worker.wake()
    assert service.started == ["INC-1"]


async def test_stopping_lets_work_end_and_takes_nothing_new_up() -> None:
    gate = asyncio.Event()

    async def investigate(incident_id: str) -> None:
        await gate.wait()

    service = Service(investigate)
    await service.accept("a", "b")
    async with running(service, concurrency=1) as worker:
        await service.changed.wait()
        stopping = asyncio.create_task(worker.stop(30))
        await asyncio.sleep(0)
        gate.set()
        await stopping
        assert worker.check().state is CheckState.FAILED
    assert service.started == ["INC-1"]
    assert (await service.incident("INC-1")).due_at is None
    assert (await service.incident("INC-2")).due_at is not None


async def test_what_does_not_end_in_time_is_cancelled_and_stays_due() -> None:
    async def investigate(incident_id: str) -> None:
        await asyncio.Event().wait()

    service = Service(investigate)
    await service.accept("a")
    async with running(service) as worker:
        await service.changed.wait()
        assert worker.check().state is CheckState.OK
        await worker.stop(0.01)
    assert (await service.incident("INC-1")).due_at == at(60)


def test_waits_double_up_to_a_bound_and_start_over_after_success() -> None:
    backoff = Backoff()
    waits = [backoff.failed("INC-1", temporary=True).total_seconds() for _ in range(10)]
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert backoff.failed("INC-2", temporary=False) == timedelta(seconds=30)
    backoff.succeeded("INC-1")
    assert backoff.failed("INC-1", temporary=True) == timedelta(seconds=2)
    for _ in range(100):
        assert backoff.failed("INC-2", temporary=False) <= timedelta(hours=1)


async def test_the_first_wake_after_a_quiet_time_is_heeded_at_once_and_many_make_one_round() -> None:
    folded: list[int] = []
    rounds = asyncio.Event()

    async def fold() -> int:
        folded.append(0)
        rounds.set()
        return 0

    async def next_round() -> None:
        await rounds.wait()
        rounds.clear()

    service = Service(at_once)
    # A pause that no test lasts: whoever waited for it would wait for ever.
    async with running(service, duties=service.duties(fold=fold), pause_seconds=3_600) as worker:
        await next_round()
        worker.wake()
        await asyncio.wait_for(next_round(), 5)
        for _ in range(100):
            worker.wake()
            await asyncio.sleep(0)
        assert len(folded) == 2
