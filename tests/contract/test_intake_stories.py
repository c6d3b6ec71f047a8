"""One long story of folding, tending and regrouping, over every store: what is decided can be stored and read back."""

from agent_sre.adapters.store_memory import MemoryStore
from agent_sre.adapters.store_sql import SqlStore
from agent_sre.domain.incident import IncidentStatus
from agent_sre.domain.placement import Reason
from tests.unit.alerts import at, message
from tests.unit.intake_world import IntakeWorld

CART = message(fires=50, deployment="cart")
KIN = message(fires=50.5, name="Errors", deployment="cart", group="errors")
VICTIM = message(fires=51, name="SlowPages", namespace="web", deployment="pages", group="pages")


async def test_correlated_parts_repetitions_lapse_merge_and_split(store: MemoryStore | SqlStore) -> None:
    world = IntakeWorld(store=store, calls=[("pages", "cart")])
    await world.take(CART, KIN, VICTIM, *[CART] * 50)
    incidents = await world.incidents()
    assert {item.id: (item.alerts, item.parent_id) for item in incidents.values()} == {
        "INC-1": (52, ""),
        "INC-2": (1, "INC-1"),
    }
    reasons = [(await world.placement(item)).reason for item in (CART, KIN, VICTIM)]
    assert reasons == [Reason.OPENED, Reason.CORRELATED, Reason.CHILD]
    assert (await world.placement(CART)).counts == {"opened": 1, "repeated": 50}
    assert [item.id for item in await store.placements.children("INC-1")] == ["INC-2"]

    split = await world.split("INC-1", KIN.fingerprint)
    assert await world.held(split.id) == {KIN.fingerprint}
    await world.merge(split.id, "INC-1")
    assert await world.held("INC-1") == {CART.fingerprint, KIN.fingerprint}
    assert (await world.incident(split.id)).status is IncidentStatus.CLOSED

    await world.wait(301)
    assert (await world.incident()).status is IncidentStatus.RESOLVED
    assert (await world.placement(CART)).latest is Reason.LAPSED
    assert not (await world.incident("INC-2")).active
    assert await world.tend() == 0


async def test_flapping_and_a_storm(store: MemoryStore | SqlStore) -> None:
    world = IntakeWorld(store=store)
    for flap in range(5):
        await world.take(message(fires=50 + flap), message(fires=50 + flap, ended=50.5 + flap))
    assert (await world.incident()).flapping_since is not None
    await world.wait(40)
    assert (await world.incident()).status is IncidentStatus.RESOLVED

    for number in range(30):
        place = {"deployment": f"d{number}", "namespace": f"ns{number}"}
        await world.take(message(fires=99, name="EtcdSlow", group=f"g{number}", received=100, **place))
    (gathering,) = [item for item in (await world.incidents()).values() if item.storm]
    assert (gathering.firing, gathering.children, gathering.opened_at) == (10, 20, at(100))
    due = await store.incidents.due(world.clock.now(), 50)
    assert [item.id for item in due if item.active] == [gathering.id]
