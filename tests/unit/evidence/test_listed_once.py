"""The collectors of a run share their listings."""

import asyncio
import gc

import pytest

from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.reference import ObjectRef
from agent_sre.evidence.listed_once import ListedOnce, Listings
from agent_sre.testing.cluster import FakeCluster
from tests.unit.evidence.worlds import pod


async def test_a_kind_of_a_namespace_is_asked_for_once() -> None:
    cluster = FakeCluster([pod("cart-1")])
    once = ListedOnce(cluster)
    first, second = await asyncio.gather(once.list("Pod", "shop"), once.list("Pod", "shop"))
    assert first is second
    assert await once.list("Pod", "bank") == ()
    assert [(call.kind, call.namespace) for call in cluster.calls] == [("Pod", "shop"), ("Pod", "bank")]


async def test_one_object_is_always_read_anew() -> None:
    cluster = FakeCluster([pod("cart-1")])
    once = ListedOnce(cluster)
    for _ in range(2):
        assert await once.get(ObjectRef("Pod", "shop", "cart-1")) is not None
    assert len(cluster.calls) == 2


async def test_a_missing_right_is_told_to_each_and_asked_once() -> None:
    cluster = FakeCluster()
    cluster.forbid("list", "Pod")
    once = ListedOnce(cluster)
    for _ in range(2):
        with pytest.raises(PermanentError, match="cannot list"):
            await once.list("Pod", "shop")
    assert len(cluster.calls) == 1


async def test_what_may_pass_is_asked_again() -> None:
    cluster = FakeCluster([pod("cart-1")])
    cluster.fail("list", TemporaryError("busy"))
    once = ListedOnce(cluster)
    with pytest.raises(TemporaryError):
        await once.list("Pod", "shop")
    assert len(await once.list("Pod", "shop")) == 1


async def test_a_collector_that_gives_up_does_not_take_the_answer_from_others() -> None:
    arrived = asyncio.Event()

    class Slow(FakeCluster):
        async def list(self, kind: str, namespace: str, fields: str = "") -> tuple[object, ...]:  # type: ignore[override]
            await arrived.wait()
            return await super().list(kind, namespace)

    once = ListedOnce(Slow([pod("cart-1")]))
    hasty = asyncio.create_task(once.list("Pod", "shop"))
    patient = asyncio.create_task(once.list("Pod", "shop"))
    await asyncio.sleep(0)
    hasty.cancel()
    arrived.set()
    assert len(await patient) == 1


def test_a_run_shares_one_while_it_lasts_and_nothing_stays() -> None:
    listings, cluster = Listings(), FakeCluster()
    one = listings.of("i", 1, cluster)
    assert listings.of("i", 1, cluster) is one
    assert listings.of("i", 2, cluster) is not one
    assert listings.of("i", 1, None) is None
    del one
    gc.collect()
    assert len(listings._by_run) == 0
