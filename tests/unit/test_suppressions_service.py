"""What suppresses, gathered from store, silences and firing alerts; held incidents are taken up by themselves."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from agent_sre.adapters.store_memory import MemoryStore
from agent_sre.domain.alert import AlertStatus
from agent_sre.domain.errors import TemporaryError
from agent_sre.domain.incident import Incident, IncidentStatus
from agent_sre.domain.matcher import Matcher, Operator
from agent_sre.ingest.suppressors import DEFAULT_RULES
from agent_sre.ports.health import CheckState
from agent_sre.ports.suppression import Silences
from agent_sre.service.firing_sources import FiringSources
from agent_sre.service.fold_alerts import fold_alerts
from agent_sre.service.silence_cache import SilenceCache
from agent_sre.service.suppressions import Site, Suppressions
from agent_sre.testing.clock import FrozenClock
from agent_sre.testing.ids import SequentialIds
from tests.unit.alerts import at, fold_ports, message
from tests.unit.suppressing import silence, window


@dataclass
class Told:
    """A SilenceReader that says what it is told, or fails."""

    items: tuple[object, ...] = ()
    fails: str = ""
    asked: int = 0
    time: float = 0.0
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def silences(self) -> Silences:
        self.asked += 1
        await self.gate.wait()
        if self.fails:
            raise TemporaryError(self.fails)
        return Silences(self.items)  # type: ignore[arg-type]

    async def close(self) -> None:
        """Nothing to close."""


class World:
    def __init__(self, site: Site = Site(), store: MemoryStore | None = None) -> None:  # noqa: B008
        self.store = store or MemoryStore()
        self.clock = FrozenClock(at(60))
        self.ids = SequentialIds()
        self.told = Told()
        self.told.gate.set()
        self.cache = SilenceCache(self.told, 15, lambda: self.told.time)
        self.suppressions = Suppressions(
            maintenance=self.store.maintenance,
            incidents=self.store.incidents,
            held=self.store.incidents,
            approvals=self.store.approvals,
            clock=self.clock,
            site=site,
            silences=self.cache,
        )

    async def round(self, *alerts: object) -> Incident:
        """What the worker does in one round."""
        store = self.store
        await store.inbox.append(alerts)  # type: ignore[arg-type]
        await fold_alerts(replace(fold_ports(store, self.clock, self.ids), suppressing=self.suppressions.gather))
        await self.suppressions.look_again()
        found = await store.incidents.get("INC-1")
        assert found is not None
        return found


async def test_the_end_of_a_window_wakes_the_incident_without_a_further_message() -> None:
    world = World()
    await world.store.maintenance.save(window())
    assert (await world.round(message(fires=50))).due_at == at(120)
    assert not await world.suppressions.may_carry_on("INC-1")
    world.clock.advance(timedelta(minutes=60))
    assert [item.id for item in await world.store.incidents.due(world.clock.now(), 5)] == ["INC-1"]
    assert await world.suppressions.may_carry_on("INC-1")
    told = [entry.text for entry in await world.store.journal.timeline("INC-1")]
    assert told[-1] == "Taken up: 1 of its alerts is not suppressed any more"
    assert sum("suppressed by maintenance window MW-3" in text for text in told) == 2


async def test_ending_a_window_takes_its_incidents_up_at_once() -> None:
    world = World()
    await world.store.maintenance.save(window())
    await world.round(message(fires=50))
    await world.store.maintenance.save(window(ended_at=at(60)))
    assert (await world.round()).due_at == at(60)


async def test_a_repeated_storm_under_maintenance_is_told_once() -> None:
    world = World()
    await world.store.maintenance.save(window())
    for _ in range(3):
        incident = await world.round(*(message(fires=50, received=60) for _ in range(50)))
    assert incident.alerts == 150
    assert len(await world.store.journal.timeline("INC-1")) == 2


async def test_silences_are_asked_for_seldom_and_waited_for_once() -> None:
    world = World()
    world.told.items = (silence(),)
    assert (await world.round(message(fires=50))).due_at == at(120)
    world.told.items = ()
    for _ in range(10):
        await world.round()
    assert world.told.asked == 1
    world.told.time = 16
    await world.round()
    await asyncio.sleep(0)
    assert (world.told.asked, (await world.round()).due_at) == (2, at(60))


async def test_an_alertmanager_that_does_not_answer_silences_nothing_and_is_a_gap() -> None:
    world = World()
    world.told.items = (silence(),)
    await world.round(message(fires=50))
    assert world.cache.check().state is CheckState.OK
    world.told.fails, world.told.time = "Alertmanager cannot be reached", 16
    await world.round()
    await asyncio.sleep(0)
    incident = await world.round()
    assert (incident.hold, incident.due_at) == (None, at(60))
    check = world.cache.check()
    assert (check.state, check.detail) == (CheckState.WARNING, "Alertmanager cannot be reached")


async def test_a_silence_that_re2_refuses_silences_nothing_and_is_said() -> None:
    world = World()
    world.told.items = (replace(silence(), matchers=(Matcher("pod", Operator.MATCHES, "("),)),)
    assert (await world.round(message(fires=50))).hold is None
    assert "1 silences have matchers" in world.cache.check().detail


async def test_what_a_graver_alert_inhibited_is_taken_up_when_that_is_over() -> None:
    world = World(Site(rules=DEFAULT_RULES))
    grave = message(fires=40, severity="critical", group="grave", received=60)
    await world.round(message(fires=50), grave)
    held = await world.store.incidents.get("INC-2")
    assert held is not None and held.hold is not None
    assert held.due_at is None and "while HighLatency fires" in held.hold.reason
    await world.round(replace(grave, status=AlertStatus.RESOLVED, ends_at=at(60)))
    taken_up = await world.store.incidents.get("INC-2")
    assert taken_up is not None and (taken_up.hold, taken_up.due_at) == (None, at(60))


async def test_a_restarted_process_knows_what_inhibits() -> None:
    world = World(Site(rules=DEFAULT_RULES))
    await world.round(message(fires=40, severity="critical", group="grave"))
    again = World(Site(rules=DEFAULT_RULES), world.store)
    again.ids = world.ids
    await again.round(message(fires=50))
    held = await world.store.incidents.get("INC-2")
    assert held is not None and held.hold is not None


async def test_an_approved_action_is_carried_out_in_spite_of_a_mute() -> None:
    from agent_sre.domain.approval import ApprovalState
    from agent_sre.domain.hold import Hold, HoldKind
    from tests.unit.test_fold_alerts import approval

    world = World()
    incident = await world.round(message(fires=50))
    hold = Hold(HoldKind.MUTED, at(50), None, "ana")
    await world.store.incidents.fold(replace(incident, status=IncidentStatus.AWAITING_APPROVAL, hold=hold), (), ())
    assert not await world.suppressions.may_carry_on("INC-1")
    await world.store.approvals.ask(approval("1", ApprovalState.APPROVED))
    assert await world.suppressions.may_carry_on("INC-1")


@pytest.mark.parametrize("late", [True, False])
def test_sources_are_known_in_whatever_order_their_messages_come(late: bool) -> None:
    fires, over = message(fires=40, severity="critical"), message(fires=40, ended=50, severity="critical")
    sources = FiringSources(DEFAULT_RULES)
    sources.notice([over, fires] if late else [fires, over])
    assert sources.by_key == {}
    sources.notice([message(fires=55, severity="critical")])
    assert len(sources.by_key) == 1


def test_the_sources_that_are_remembered_are_bounded() -> None:
    sources = FiringSources(DEFAULT_RULES, most=3)
    sources.notice(message(fires=40, severity="critical", pod=str(n)) for n in range(10))
    assert len(sources.by_key) == 3
    assert sources.lost == 7
