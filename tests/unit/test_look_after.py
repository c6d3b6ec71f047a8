"""A person's word about an incident: kept with it, told on the timeline, audited, and passed on once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from agent_sre.adapters.store_memory import MemoryStore
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.hold import HoldKind
from agent_sre.domain.incident import Incident, IncidentStatus
from agent_sre.domain.writeback import Verb
from agent_sre.service.fold_alerts import fold_alerts
from agent_sre.service.look_after import Said, Wish, look_after
from agent_sre.testing.clock import FrozenClock
from agent_sre.testing.ids import SequentialIds
from tests.unit.alerts import at, fold_ports, message

S = IncidentStatus


class World:
    def __init__(self) -> None:
        self.store = MemoryStore()
        self.clock = FrozenClock(at(60))
        self.ids = SequentialIds()

    async def fold(self, *alerts: object) -> Incident:
        store = self.store
        await store.inbox.append(alerts)  # type: ignore[arg-type]
        await fold_alerts(fold_ports(store, self.clock, self.ids))
        return await self.incident()

    async def incident(self) -> Incident:
        found = await self.store.incidents.get("INC-1")
        assert found is not None
        return found

    async def put(self, **changes: object) -> None:
        await self.store.incidents.fold(replace(await self.incident(), **changes), (), ())  # type: ignore[arg-type]

    async def say(self, wish: Wish, *, until: float | None = None, by: str = "ana", reason: str = "") -> str:
        store = self.store
        said = Said(wish, by, None if until is None else at(until), reason)
        ports = {"incidents": store.incidents, "approvals": store.approvals, "journal": store.journal}
        _, text = await look_after("INC-1", said, clock=self.clock, **ports)  # type: ignore[arg-type]
        return text

    async def verbs(self) -> list[Verb]:
        return [item.verb for item in await self.store.writebacks.of_incident("INC-1")]

    async def audited(self) -> list[tuple[str, str]]:
        return [(row.actor, row.verb) for row in await self.store.journal.audit_rows(0, 50)]


@pytest.fixture
async def world() -> World:
    found = World()
    await found.fold(message(fires=50))
    return found


async def test_a_mute_keeps_the_incident_from_being_due_and_its_alerts_counted(world: World) -> None:
    assert await world.say(Wish.MUTE, reason="known") == "ana muted INC-1 until somebody unmutes it: known"
    assert await world.store.incidents.due(at(10_000), 5) == ()
    incident = await world.fold(message(fires=55, pod="b"))
    assert (incident.alerts, incident.firing, incident.due_at) == (2, 2, None)
    told = await world.store.journal.timeline("INC-1")
    assert [entry.actor for entry in told if "muted" in entry.text] == ["ana"]
    assert await world.audited() == [("ana", "incident.mute")]

    await world.say(Wish.UNMUTE, by="ben")
    incident = await world.incident()
    assert (incident.hold, incident.due_at) == (None, at(60))


async def test_a_muted_incident_that_fires_again_stays_muted(world: World) -> None:
    await world.say(Wish.MUTE)
    resolved = await world.fold(message(fires=50, ended=61, received=61))
    assert (resolved.status, resolved.due_at) == (S.RESOLVED, None)
    again = await world.fold(message(fires=62, received=62))
    assert (again.status, again.due_at) == (S.OPEN, None)
    assert again.hold is not None and again.hold.kind is HoldKind.MUTED


async def test_a_snooze_is_over_when_a_message_comes_after_its_end(world: World) -> None:
    await world.say(Wish.SNOOZE, until=90)
    assert [item.id for item in await world.store.incidents.due(at(90), 5)] == ["INC-1"]
    assert await world.store.incidents.due(at(89), 5) == ()
    world.clock.advance(timedelta(minutes=31))
    incident = await world.fold(message(fires=55, pod="b"))
    assert (incident.hold, incident.due_at) == (None, at(91))


@pytest.mark.parametrize("until", [None, 60, 60 + 367 * 24 * 60])
async def test_a_snooze_needs_an_end(world: World, until: float | None) -> None:
    with pytest.raises(PermanentError, match="needs an end in the future"):
        await world.say(Wish.SNOOZE, until=until)
    assert await world.audited() == []


async def test_an_acknowledgement_holds_for_its_run(world: World) -> None:
    await world.say(Wish.ACKNOWLEDGE)
    assert (await world.incident()).owner == "ana"
    assert await world.say(Wish.ACKNOWLEDGE, by="ben") == "INC-1 is looked after by ana already"
    await world.put(run=2)
    assert (await world.incident()).owner == ""
    assert await world.verbs() == [Verb.ACKNOWLEDGE]


async def test_each_word_is_passed_on_once(world: World) -> None:
    for wish in (Wish.ACKNOWLEDGE, Wish.UNACKNOWLEDGE, Wish.SNOOZE, Wish.UNMUTE, Wish.MUTE, Wish.UNMUTE, Wish.RESOLVE):
        await world.say(wish, until=90)
    assert await world.verbs() == [Verb.ACKNOWLEDGE, Verb.UNACKNOWLEDGE, Verb.SNOOZE, Verb.UNSNOOZE, Verb.RESOLVE]


async def test_what_is_resolved_by_hand_is_over_and_what_still_fires_does_not_bring_it_back(world: World) -> None:
    await world.say(Wish.RESOLVE)
    assert (await world.incident()).status is S.RESOLVED
    assert (await world.fold(message(fires=50))).status is S.RESOLVED


@pytest.mark.parametrize("status", [S.MITIGATING, S.VERIFYING])
async def test_an_action_under_way_is_not_cut_off(world: World, status: S) -> None:
    await world.put(status=status)
    with pytest.raises(PermanentError, match="wait for its end"):
        await world.say(Wish.RESOLVE)
    await world.say(Wish.MUTE)
    assert (await world.incident()).due_at == at(60)


async def test_what_is_suppressed_is_not_unmuted_by_hand(world: World) -> None:
    from agent_sre.domain.hold import Hold

    hold = Hold(HoldKind.SUPPRESSED, at(60), at(90), "maintenance MW-3", "suppressed by maintenance window MW-3")
    await world.put(hold=hold)
    with pytest.raises(PermanentError, match="suppressed by maintenance window MW-3; end that"):
        await world.say(Wish.UNMUTE)


async def test_an_incident_that_is_not_there(world: World) -> None:
    ports = {"incidents": world.store.incidents, "approvals": world.store.approvals, "journal": world.store.journal}
    found, text = await look_after("INC-9", Said(Wish.MUTE, "ana"), clock=world.clock, **ports)  # type: ignore[arg-type]
    assert (found, text) == (None, "there is no incident INC-9")
