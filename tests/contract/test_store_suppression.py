"""Maintenance windows, held incidents and the outbox to alert sources: what every backend must do."""

from dataclasses import replace
from datetime import time

import pytest

from agent_sre.adapters.store_memory import MemoryStore
from agent_sre.adapters.store_sql import SqlStore
from agent_sre.domain.errors import TemporaryError
from agent_sre.domain.hold import Acknowledgement, Hold, HoldKind
from agent_sre.domain.maintenance import MaintenanceWindow, Weekly
from agent_sre.domain.matcher import Matcher, Operator
from agent_sre.domain.writeback import Verb, writeback_of
from tests.contract.store_values import NOON, after, incident

Store = MemoryStore | SqlStore


def window(name: str, **changes: object) -> MaintenanceWindow:
    matchers = (Matcher("pod", Operator.MATCHES, "a|\N{PILE OF POO}"), Matcher("x", Operator.NOT_EQUAL, ""))
    values: dict[str, object] = {"starts_at": after(-60), "ends_at": after(60), "author": "ana", "comment": "db \n"}
    return MaintenanceWindow(id=name, matchers=matchers, created_at=NOON, **values | changes)  # type: ignore[arg-type]


async def test_windows_come_back_whole_and_those_that_are_over_are_not_current(store: Store) -> None:
    weekly = Weekly((0, 6), time(22), time(2, 30), "Europe/Berlin")
    lasting = window("MW-1", ends_at=None, weekly=weekly)
    soon = window("MW-2", starts_at=after(30))
    over = window("MW-3", ends_at=NOON)
    for item in (lasting, soon, over):
        await store.maintenance.save(item)
    assert await store.maintenance.current(NOON) == (lasting, soon)
    assert await store.maintenance.newest(2) == (over, soon)
    assert await store.maintenance.get("MW-1") == lasting
    assert await store.maintenance.get("MW-9") is None


async def test_a_window_that_is_ended_is_replaced(store: Store) -> None:
    await store.maintenance.save(window("MW-1"))
    ended = window("MW-1", ended_at=NOON, ended_by="ben")
    await store.maintenance.save(ended)
    assert await store.maintenance.current(NOON) == ()
    assert await store.maintenance.newest(5) == (ended,)


async def test_held_incidents_are_found_until_they_are_not_held(store: Store) -> None:
    hold = Hold(HoldKind.SNOOZED, NOON, after(60), "ana", "later")
    acknowledged = Acknowledgement("ben", NOON, 1)
    await store.incidents.fold(incident("a"), [], [])
    held = await store.incidents.fold(incident("b", hold=hold, acknowledged=acknowledged), [], [])
    assert await store.incidents.held(10) == (held,)
    assert await store.incidents.held(0) == ()
    await store.incidents.fold(replace(held, hold=None), [], [])
    assert await store.incidents.held(10) == ()


async def test_an_intent_is_there_only_together_with_its_change(store: Store) -> None:
    first = writeback_of("inc-1", 0, Verb.ACKNOWLEDGE, "ana", NOON)
    await store.incidents.fold(incident(), [], [], intents=[first])
    with pytest.raises(TemporaryError):
        await store.incidents.fold(incident(), [], [], intents=[writeback_of("inc-1", 0, Verb.RESOLVE, "ana", NOON)])
    assert await store.writebacks.of_incident("inc-1") == (first,)


async def test_what_is_due_is_given_until_it_is_settled(store: Store) -> None:
    first = writeback_of("inc-1", 0, Verb.ACKNOWLEDGE, "ana", NOON)
    later = writeback_of("inc-1", 0, Verb.SNOOZE, "ana", after(60), until=after(3600))
    await store.incidents.fold(incident(), [], [], intents=[first, later])
    assert await store.writebacks.due(NOON, 10) == (first,)
    assert await store.writebacks.due(after(60), 1) == (first,)
    await store.writebacks.record(replace(first.settled("PagerDuty", "done"), due_at=None))
    assert await store.writebacks.due(after(60), 10) == (later,)
    kept, _ = await store.writebacks.of_incident("inc-1")
    assert kept.outcomes == {"PagerDuty": "done"}
