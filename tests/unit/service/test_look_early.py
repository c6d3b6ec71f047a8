"""From an accepted alert to evidence of its incident: asked once, of the configured back end, lost without harm."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from agent_sre.adapters.store_memory import MemoryStore
from agent_sre.domain.alert import Alert
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.incident import Incident
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Exemplar, Series
from agent_sre.evidence import alert_conditions
from agent_sre.evidence.early_looks import EarlyLooks
from agent_sre.evidence.scope import Limits, Readers, Scope
from agent_sre.ingest.group import group_key_of
from agent_sre.ports.metrics import MetricsAnswer
from agent_sre.service.fold_alerts import fold_alerts
from agent_sre.service.look_early import LookEarly
from agent_sre.testing.clock import FrozenClock
from agent_sre.testing.ids import SequentialIds
from tests.unit.alerts import at, fold_ports, message

LINK = "http://evil.example/graph?g0.expr=up%20%3D%3D%200"
EXPRESSION = "up == 0"
HOUR = timedelta(hours=1)


class Metrics:
    """A MetricsReader that keeps what it was asked, and answers, refuses or hangs."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Window]] = []
        self.refuses = False
        self.series = 1
        self.answers = asyncio.Event()
        self.answers.set()

    async def query_range(self, expression: str, window: Window, step: timedelta) -> MetricsAnswer:
        self.asked.append((expression, window))
        await self.answers.wait()
        if self.refuses:
            raise PermanentError("no")
        end = window.end.timestamp()
        labels = [{"pod": f"cart-{number}", "url": "http://u:hunter22@h"} for number in range(self.series)]
        return MetricsAnswer(tuple(Series.of("up", of_one, [(end, 0.0)]) for of_one in labels))

    async def query(self, expression: str, at: datetime) -> MetricsAnswer:
        raise NotImplementedError

    async def metric_names(self, window: Window) -> frozenset[str]:
        return frozenset()

    async def exemplars(self, selector: str, window: Window) -> tuple[Exemplar, ...]:
        return ()

    async def rules(self) -> Sequence[Mapping[str, Any]]:
        if self.refuses:
            raise PermanentError("no rules")
        return ()

    async def alerts(self) -> Sequence[Mapping[str, Any]]:
        return ()


class World:
    def __init__(self) -> None:
        self.store, self.metrics = MemoryStore(), Metrics()
        self.clock, self.ids = FrozenClock(at(60)), SequentialIds()
        self.restart()

    def restart(self) -> None:
        """What was in memory is gone."""
        self.looks = EarlyLooks(self.store.cases.add_observations)
        self.begin = LookEarly(self.looks, self.metrics, Limits(), HOUR)

    async def accept(self, *alerts: Alert) -> None:
        self.begin(alerts)
        await self.store.inbox.append(alerts)

    async def settle(self, alert: Alert) -> None:
        """Let the look for the alert come to its end, where there is one."""
        look = self.looks.find(group_key_of(alert), {alert.received_at})
        if look is not None:
            await asyncio.wait([look.task], timeout=5)

    async def fold(self) -> Incident:
        store = self.store
        await fold_alerts(replace(fold_ports(store, self.clock, self.ids), early=self.looks))
        return (await store.incidents.newest(1))[0]

    async def seen(self, incident: Incident) -> dict[str, str]:
        return {item.id: item.query for item in await self.store.cases.observations(incident.id, incident.run)}

    async def gather(self, incident: Incident) -> dict[str, str]:
        """What the investigation's own step does."""
        now = self.clock.now()
        scope = Scope(
            incident.id,
            incident.run,
            now,
            Window(at(0) - HOUR, now),
            (),
            await self.store.incidents.alerts(incident.id),
            Limits(),
            early=await self.looks.of(incident.id, incident.run),
        )
        collected = await alert_conditions.collect(scope, Readers(metrics=self.metrics))
        await self.store.cases.add_observations(incident.id, incident.run, collected.observations)
        return await self.seen(incident)


def firing(group: str = "a", link: str = LINK, **fields: Any) -> Alert:
    return replace(message(fires=0, group=group, **fields), generator_url=link)


async def test_the_answer_is_stored_with_the_incident_and_not_asked_for_again() -> None:
    world = World()
    await world.accept(firing())
    await world.settle(firing())
    incident = await world.fold()
    assert await world.seen(incident) == {"alert_conditions/1": EXPRESSION}
    world.clock.advance(timedelta(seconds=2))
    assert (await world.gather(incident))["alert_conditions/1"] == EXPRESSION
    assert world.metrics.asked == [(EXPRESSION, Window(at(0) - HOUR, at(60)))]


async def test_it_is_about_now_and_redacted_like_all_evidence() -> None:
    world = World()
    await world.accept(firing())
    await world.settle(firing())
    incident = await world.fold()
    (item,) = await world.store.cases.observations(incident.id, 1)
    assert item.observed_at == at(60)
    assert item.window is not None and item.window.end == at(60)
    assert "hunter22" not in str(item)


async def test_an_answer_that_comes_later_is_stored_later_and_nobody_waits_for_it() -> None:
    world = World()
    world.metrics.answers.clear()
    await asyncio.wait_for(world.accept(firing()), 5)
    incident = await asyncio.wait_for(world.fold(), 5)
    assert await world.seen(incident) == {}
    world.metrics.answers.set()
    assert (await world.gather(incident))["alert_conditions/1"] == EXPRESSION
    assert len(world.metrics.asked) == 1


async def test_a_crash_between_acceptance_and_fold_loses_nothing() -> None:
    world = World()
    await world.accept(firing())
    await world.settle(firing())
    world.restart()
    incident = await world.fold()
    assert incident.alerts == 1
    assert await world.seen(incident) == {}
    assert (await world.gather(incident))["alert_conditions/1"] == EXPRESSION
    assert len(world.metrics.asked) == 2


async def test_a_back_end_that_refuses_is_asked_by_the_investigation_which_says_so() -> None:
    world = World()
    world.metrics.refuses = True
    await world.accept(firing())
    await world.settle(firing())
    incident = await world.fold()
    assert await world.seen(incident) == {}
    world.metrics.refuses = False
    assert (await world.gather(incident))["alert_conditions/1"] == EXPRESSION


async def test_what_was_seen_early_stays_where_the_back_end_is_gone_afterwards() -> None:
    world = World()
    await world.accept(firing())
    await world.settle(firing())
    incident = await world.fold()
    world.metrics.refuses = True
    assert (await world.gather(incident))["alert_conditions/1"] == EXPRESSION


async def test_an_investigation_that_begins_much_later_asks_anew() -> None:
    world = World()
    await world.accept(firing())
    await world.settle(firing())
    incident = await world.fold()
    world.clock.advance(timedelta(minutes=1))
    seen = await world.gather(incident)
    assert [text for text in seen.values() if text == EXPRESSION] == [EXPRESSION]
    assert world.metrics.asked[-1][1].end == world.clock.now()


async def test_an_answer_that_was_cut_short_is_asked_for_in_full() -> None:
    world = World()
    world.metrics.series = 150
    await world.accept(firing())
    await world.settle(firing())
    incident = await world.fold()
    (early,) = await world.store.cases.observations(incident.id, 1)
    assert len(early.series) == 100 and early.left_out
    await world.gather(incident)
    (whole,) = [item for item in await world.store.cases.observations(incident.id, 1) if item.series]
    assert (whole.id, len(whole.series), whole.left_out) == (early.id, 150, ())


async def test_a_storm_starts_a_few_queries() -> None:
    world = World()
    for number in range(5_000):
        await world.accept(firing(f"group {number}"))
        await asyncio.sleep(0)
    assert 1 <= len(world.metrics.asked) <= 12


async def test_a_message_of_a_known_incident_adds_nothing_to_its_run() -> None:
    world = World()
    await world.store.inbox.append([firing()])
    incident = await world.fold()
    world.clock.advance(timedelta(minutes=5))
    await world.accept(firing(received=65, pod="b"))
    await world.settle(firing(received=65))
    assert (await world.fold()).id == incident.id
    assert await world.seen(incident) == {}


@pytest.mark.parametrize(
    "alert",
    [
        replace(message(fires=0, ended=30), generator_url=LINK),
        firing(link="http://prometheus.example/graph"),
        firing(link=""),
        replace(firing(), starts_at=at(-60 * 24 * 30)),
    ],
)
async def test_nothing_is_asked_without_an_expression_or_for_what_is_over_or_old(alert: Alert) -> None:
    world = World()
    await world.accept(alert)
    await world.settle(alert)
    assert world.metrics.asked == []
