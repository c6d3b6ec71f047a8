"""What alert sources are told: over real sockets, once, again after a crash, and never because a payload says so."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from agent_sre.adapters.store_memory import MemoryStore
from agent_sre.adapters.writeback_oncall import OnCallGroups, oncall_endpoint
from agent_sre.adapters.writeback_opsgenie import OpsgenieAlerts, opsgenie_endpoint
from agent_sre.adapters.writeback_pagerduty import PagerDutyEvents, PagerDutyIncidents, rest_endpoint
from agent_sre.domain.alert import Alert
from agent_sre.outbound import Endpoint
from agent_sre.ports.writeback import SourceWriter
from agent_sre.service.alert_sources import SOURCES
from agent_sre.service.fold_alerts import fold_alerts
from agent_sre.service.look_after import Said, Wish, look_after
from agent_sre.service.write_back import WriteBack
from agent_sre.testing.clock import FrozenClock
from agent_sre.testing.ids import SequentialIds
from agent_sre.testing.paging_servers import OnCallServer, OpsgenieServer, PagerDutyServer
from agent_sre.testing.recorded_server import Fault
from tests.unit.alerts import at, fold_ports, message
from tests.unit.recorded_payloads import document


class World:
    def __init__(self, *writers: SourceWriter) -> None:
        self.store = MemoryStore()
        self.clock = FrozenClock(at(60))
        self.ids = SequentialIds()
        self.write_back = self.restarted(*writers)

    def restarted(self, *writers: SourceWriter) -> WriteBack:
        store = self.store
        return WriteBack(store.writebacks, store.incidents, store.journal, self.clock, writers)

    async def take(self, source: str, received: object) -> int:
        reading = SOURCES[source].parse(received, self.clock.now())
        await self.fold(*reading.alerts)
        return len(reading.alerts)

    async def fold(self, *alerts: Alert) -> None:
        store = self.store
        await store.inbox.append(alerts)
        await fold_alerts(fold_ports(store, self.clock, self.ids))

    async def say(self, wish: Wish) -> None:
        store = self.store
        ports = {"incidents": store.incidents, "approvals": store.approvals, "journal": store.journal}
        said = Said(wish, "ana", at(120))
        await look_after("INC-1", said, clock=self.clock, **ports)  # type: ignore[arg-type]

    async def told(self) -> list[str]:
        return [entry.text for entry in await self.store.journal.timeline("INC-1") if entry.kind == "note"]


def pagerduty_alert(**changes: object) -> Alert:
    alert = replace(message(fires=50), source="pagerduty", group_key="PGR0VU2", annotations={"incident_key": "key-1"})
    return replace(alert, **changes)  # type: ignore[arg-type]


@asynccontextmanager
async def pagerduty(**options: str) -> AsyncIterator[tuple[World, PagerDutyServer]]:
    server = PagerDutyServer({"PGR0VU2": "triggered"})
    async with server.http.running() as http:
        endpoint = rest_endpoint(http.url, options.get("token", server.token), "AGENT_SRE_PAGERDUTY", 5)
        writer = PagerDutyIncidents(endpoint, options.get("author", server.user))
        yield World(writer), server
        await writer.close()


async def test_an_acknowledgement_and_a_resolution_reach_pagerduty_once() -> None:
    async with pagerduty() as (world, server):
        await world.fold(pagerduty_alert())
        await world.say(Wish.ACKNOWLEDGE)
        assert await world.write_back.send_due() == 1
        assert server.incidents == {"PGR0VU2": "acknowledged"}
        assert await world.write_back.send_due() == 0
        await world.say(Wish.RESOLVE)
        await world.write_back.send_due()
        assert server.incidents == {"PGR0VU2": "resolved"}
        assert len(server.http.requests) == 2
        sent = server.http.requests[0]
        assert sent.headers["Accept"] == "application/vnd.pagerduty+json;version=2"
        assert [text for text in await world.told() if text.startswith("PagerDuty")] == [
            "PagerDuty: acknowledged PGR0VU2",
            "PagerDuty: resolved PGR0VU2",
        ]


async def test_what_was_sent_and_not_recorded_is_sent_again_without_another_effect() -> None:
    async with pagerduty() as (world, server):
        await world.fold(pagerduty_alert())
        await world.say(Wish.RESOLVE)
        (intent,) = await world.store.writebacks.of_incident("INC-1")
        await world.write_back.send_due()
        await world.store.writebacks.record(intent)  # as if the process had been killed before it recorded the outcome
        assert await world.restarted(*world.write_back.writers).send_due() == 1
        assert server.incidents == {"PGR0VU2": "resolved"}
        assert (await world.told()).count("PagerDuty: resolved PGR0VU2") == 1


async def test_a_source_that_is_down_is_asked_again_later() -> None:
    async with pagerduty() as (world, server):
        await world.fold(pagerduty_alert())
        await world.say(Wish.ACKNOWLEDGE)
        server.http.faults = [Fault(503)] * 3
        assert await world.write_back.send_due() == 0
        assert await world.write_back.send_due() == 0  # not before its time
        world.clock.advance(timedelta(seconds=10))
        assert await world.write_back.send_due() == 1
        assert server.incidents == {"PGR0VU2": "acknowledged"}


async def test_one_that_stays_down_is_given_up_after_a_day_and_that_is_told() -> None:
    async with pagerduty() as (world, server):
        await world.fold(pagerduty_alert())
        await world.say(Wish.ACKNOWLEDGE)
        world.clock.advance(timedelta(days=1, minutes=1))
        server.http.faults = [Fault(503)] * 3
        assert await world.write_back.send_due() == 1
        assert any("could not be told of our acknowledge: given up" in text for text in await world.told())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"token": "wrong"}, "check AGENT_SRE_PAGERDUTY_API_TOKEN"),
        ({"author": "nobody@example.com"}, "Requester User Not Found"),
    ],
)
async def test_a_no_is_final_and_the_timeline_says_why(options: dict[str, str], words: str) -> None:
    async with pagerduty(**options) as (world, server):
        await world.fold(pagerduty_alert())
        await world.say(Wish.ACKNOWLEDGE)
        assert await world.write_back.send_due() == 1
        assert any("PagerDuty did not take our acknowledge" in text and words in text for text in await world.told())
        assert len(server.http.requests) == 1


async def test_our_own_acknowledgement_and_resolution_coming_back_move_nothing() -> None:
    async with pagerduty() as (world, server):
        triggered = document("pagerduty", "firing")
        server.incidents = {triggered["event"]["data"]["id"]: "triggered"}
        assert await world.take("pagerduty", triggered) == 1
        await world.say(Wish.ACKNOWLEDGE)
        await world.write_back.send_due()
        assert await world.take("pagerduty", document("pagerduty", "ignored_acknowledged")) == 0
        await world.say(Wish.RESOLVE)
        await world.write_back.send_due()
        asked = len(server.http.requests)
        resolved = document("pagerduty", "resolved")
        resolved["event"]["data"]["id"] = triggered["event"]["data"]["id"]
        await world.take("pagerduty", resolved)
        assert await world.write_back.send_due() == 0
        assert len(server.http.requests) == asked
        assert len(await world.store.writebacks.of_incident("INC-1")) == 2


async def test_what_its_source_resolved_is_not_resolved_there_again() -> None:
    async with pagerduty() as (world, server):
        await world.fold(pagerduty_alert())
        await world.fold(replace(message(fires=50, ended=58), source="pagerduty", group_key="PGR0VU2"))
        assert await world.write_back.send_due() == 0
        assert server.http.requests == []


async def test_an_id_from_a_payload_cannot_lead_the_call_elsewhere() -> None:
    async with pagerduty() as (world, server):
        await world.fold(pagerduty_alert(group_key="../users/P1?x=#", external_url="http://evil.example"))
        await world.say(Wish.ACKNOWLEDGE)
        await world.write_back.send_due()
        (request,) = server.http.requests
        assert request.path.startswith("/incidents/") and request.fields == {}


async def test_a_routing_key_is_enough_for_pagerduty() -> None:
    server = PagerDutyServer(dedup={"key-1": "trigger"})
    async with server.http.running() as http:
        endpoint = Endpoint("PagerDuty", "AGENT_SRE_PAGERDUTY", http.url)
        writer = PagerDutyEvents(endpoint, server.routing_key)
        world = World(writer)
        await world.fold(pagerduty_alert())
        await world.say(Wish.ACKNOWLEDGE)
        await world.write_back.send_due()
        assert server.dedup == {"key-1": "acknowledge"}
        await writer.close()


async def test_opsgenie_is_told_by_the_alerts_id() -> None:
    server = OpsgenieServer()
    async with server.http.running() as http:
        writer = OpsgenieAlerts(opsgenie_endpoint(http.url, server.key, "AGENT_SRE_OPSGENIE", 5))
        world = World(writer)
        created = document("opsgenie", "firing")
        server.alerts = {created["alert"]["alertId"]: []}
        await world.take("opsgenie", created)
        for wish in (Wish.ACKNOWLEDGE, Wish.UNACKNOWLEDGE, Wish.MUTE, Wish.RESOLVE):
            await world.say(wish)
            await world.write_back.send_due()
        assert list(server.alerts.values()) == [["acknowledge", "unacknowledge", "close"]]
        await writer.close()


async def test_grafana_oncall_is_told_by_the_group_of_its_webhook() -> None:
    server = OnCallServer({"I68T24C13IFW1": "firing"})
    async with server.http.running() as http:
        writer = OnCallGroups(oncall_endpoint(http.url, server.token, "", "AGENT_SRE_ONCALL", 5))
        world = World(writer)
        told = {"sender": "grafana-oncall", "id": "I68T24C13IFW1", "name": "Memory", "status": "firing"}
        await world.take("generic", told)
        await world.say(Wish.ACKNOWLEDGE)
        await world.write_back.send_due()
        assert server.groups == {"I68T24C13IFW1": "acknowledged"}
        await writer.close()


async def test_nothing_is_sent_where_no_source_is_switched_on() -> None:
    world = World()
    await world.fold(pagerduty_alert())
    await world.say(Wish.ACKNOWLEDGE)
    assert await world.write_back.send_due() == 1
    (item,) = await world.store.writebacks.of_incident("INC-1")
    assert (item.due_at, item.outcomes) == (None, {})


async def test_alerts_of_another_source_are_not_told_of() -> None:
    async with pagerduty() as (world, server):
        await world.fold(pagerduty_alert(source="datadog"))
        await world.say(Wish.ACKNOWLEDGE)
        await world.write_back.send_due()
        assert server.http.requests == []
