"""Sources that give each alert an identity of its own and no grouping: a storm of theirs is few incidents all the same.

The messages are the recorded ones, changed in what differs between two alerts of one source.
"""

from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest

from agent_sre.domain.instant import format_instant
from agent_sre.service.alert_sources import SOURCES
from tests.unit.alerts import at
from tests.unit.intake_world import IntakeWorld
from tests.unit.recorded_payloads import document

Change = Callable[[dict[str, Any], int, str], None]
TEAMS = ("checkout", "search", "ledger", "pages")


def _time(number: int) -> str:
    return format_instant(at(60) + timedelta(seconds=number / 2))


def pagerduty(message: dict[str, Any], number: int, service: str) -> None:
    event = message["event"]
    event["id"], event["occurred_at"] = f"E{number}", _time(number)
    event["data"] |= {"id": f"P{number}", "created_at": _time(number), "title": f"Probe {number} of {service} fails"}
    event["data"]["service"]["summary"] = service


def opsgenie(message: dict[str, Any], number: int, service: str) -> None:
    alert = message["alert"]
    alert |= {"alertId": f"A{number}", "alias": f"{service}-{number}", "message": f"Probe {number} of {service} fails"}
    alert |= {"entity": service, "tags": [f"namespace:{service}"], "details": {"service": service}}
    alert["createdAt"] = int((at(60) + timedelta(seconds=number / 2)).timestamp() * 1000)


def generic(message: dict[str, Any], number: int, service: str) -> None:
    message |= {"id": str(number), "name": f"Probe {number}", "service": service, "namespace": service}
    message |= {"started": _time(number), "host": f"probe-{number}"}


def cloudevents(message: dict[str, Any], number: int, service: str) -> None:
    message |= {"id": f"A-{number}", "subject": f"Probe {number}", "time": _time(number)}
    message["data"]["id"] = str(number)
    message["data"]["labels"] = {"k8s.namespace.name": service, "k8s.deployment.name": service}


@pytest.mark.parametrize("change", [pagerduty, opsgenie, generic, cloudevents])
async def test_two_hundred_alerts_of_four_services_are_four_incidents(change: Change) -> None:
    source = SOURCES[change.__name__]
    recorded = document(source.name, "firing")
    world = IntakeWorld()
    for number in range(200):
        message = deepcopy(recorded)
        change(message, number, TEAMS[number % 4])
        world.clock.set(at(60) + timedelta(seconds=number / 2))
        await world.take(*source.parse(message, world.clock.now()).alerts)
    incidents = await world.incidents()
    assert len(incidents) == 4
    assert {item.firing for item in incidents.values()} == {50}
    told = [text for name in incidents for text in await world.told(name)]
    assert sum("because: same" in text for text in told) == 196


@pytest.mark.parametrize("change", [pagerduty, opsgenie, generic, cloudevents])
async def test_a_storm_without_a_common_service_is_gathered_by_what_it_shares(change: Change) -> None:
    source = SOURCES[change.__name__]
    recorded = document(source.name, "firing")
    world = IntakeWorld()
    for number in range(300):
        message = deepcopy(recorded)
        change(message, number, f"service{number}")
        # The same check everywhere: only its name is shared.
        if change is pagerduty:
            message["event"]["data"]["title"] = "Certificate invalid"
        elif change is opsgenie:
            message["alert"]["message"] = "Certificate invalid"
        else:
            message["name" if change is generic else "subject"] = "Certificate invalid"
        world.clock.set(at(60) + timedelta(seconds=number / 2))
        await world.take(*source.parse(message, world.clock.now()).alerts)
    incidents = (await world.incidents()).values()
    (gathering,) = [item for item in incidents if item.storm]
    assert (gathering.storm, gathering.firing) == ("alertname=Certificate invalid", 280)
    assert len(incidents) == 21
    assert [item.id for item in await world.store.incidents.due(world.clock.now(), 30)] == [gathering.id]
