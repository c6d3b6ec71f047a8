"""What every ClusterWriter does, held to the fake and to the Kubernetes adapter over real sockets."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent_sre.adapters.kubernetes_api import Access, KubernetesWriter
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.reference import ObjectRef
from agent_sre.ports.cluster import ClusterWriter
from agent_sre.testing.cluster import FakeCluster
from agent_sre.testing.kube_api_server import Fault, KubeApiServer
from agent_sre.testing.kubernetes_objects import Run, pod
from tests.contract.telemetry_values import OBJECTS

CART = ObjectRef("Deployment", "shop", "cart")
SCALE = {"spec": {"replicas": 5}}


@dataclass
class World:
    """A writer and the cluster behind it."""

    writer: ClusterWriter
    cluster: FakeCluster
    server: KubeApiServer | None

    def version(self) -> str:
        found = self.cluster.peek(CART)
        assert found is not None
        return str(found["metadata"]["resourceVersion"])

    def replicas(self) -> int:
        found = self.cluster.peek(CART)
        assert found is not None
        return int(found["spec"]["replicas"])


@pytest.fixture(params=["fake", "kubernetes"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    cluster = FakeCluster(OBJECTS)
    if request.param == "fake":
        yield World(cluster, cluster, None)
        return
    async with KubeApiServer(cluster, cluster).running() as server:
        config = tmp_path / "kubeconfig"
        config.write_text(server.kubeconfig())
        writer = KubernetesWriter(Access("kubeconfig", str(config)))
        yield World(writer, cluster, server)
        await writer.close()


async def test_a_patch_is_applied_and_answered_with_the_object_as_it_is_then(world: World) -> None:
    before = world.version()
    after = await world.writer.patch(CART, SCALE, resource_version=before)
    assert after["spec"]["replicas"] == world.replicas() == 5
    assert after["metadata"]["resourceVersion"] == world.version() != before


async def test_a_dry_run_changes_nothing(world: World) -> None:
    before = world.version()
    after = await world.writer.patch(CART, SCALE, resource_version=before, dry_run=True)
    assert after["spec"]["replicas"] == 5
    assert (world.replicas(), world.version()) == (2, before)


async def test_a_changed_object_is_a_conflict_that_names_both_versions(world: World) -> None:
    stale = world.version()
    world.cluster.update(CART, {"spec": {"replicas": 3}})
    with pytest.raises(PermanentError, match=rf"conflict.*{world.version()}.*{stale}"):
        await world.writer.patch(CART, SCALE, resource_version=stale)
    assert world.replicas() == 3


async def test_what_is_gone_cannot_be_patched(world: World) -> None:
    version = world.version()
    world.cluster.drop(CART)
    with pytest.raises(PermanentError, match="cart"):
        await world.writer.patch(CART, SCALE, resource_version=version)


async def test_a_missing_right_is_named(world: World) -> None:
    world.cluster.forbid("patch", "Deployment", "shop")
    with pytest.raises(PermanentError, match="deployments"):
        await world.writer.patch(CART, SCALE, resource_version=world.version())
    assert world.replicas() == 2


async def test_an_invalid_patch_is_refused_with_the_servers_words(world: World) -> None:
    patch = {"spec": {"template": {"metadata": {"labels": {"app": "other"}}}}}
    with pytest.raises(PermanentError, match="does not match template"):
        await world.writer.patch(CART, patch, resource_version=world.version())


async def test_a_lost_answer_is_temporary_and_sent_once(world: World) -> None:
    if world.server is None:
        world.cluster.lose_answers()
    else:
        world.server.faults = [Fault(0, after=True)]
    with pytest.raises(TemporaryError, match="unknown"):
        await world.writer.patch(CART, SCALE, resource_version=world.version())
    assert world.replicas() == 5
    assert len(world.cluster.patches) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_server_error_is_not_tried_again(tmp_path: Path, status: int) -> None:
    cluster = FakeCluster(OBJECTS)
    async with KubeApiServer(cluster, cluster).running() as server:
        config = tmp_path / "kubeconfig"
        config.write_text(server.kubeconfig())
        writer = KubernetesWriter(Access("kubeconfig", str(config)))
        server.faults = [Fault(status, "busy")]
        with pytest.raises(TemporaryError, match=str(status)):
            await writer.patch(CART, SCALE, resource_version="1")
        assert len(server.requests) == 1
        await writer.close()


async def test_who_wrote_is_recorded_and_a_version_is_required(tmp_path: Path) -> None:
    cluster = FakeCluster(OBJECTS)
    async with KubeApiServer(cluster, cluster).running() as server:
        config = tmp_path / "kubeconfig"
        config.write_text(server.kubeconfig())
        writer = KubernetesWriter(Access("kubeconfig", str(config)))
        found = cluster.peek(CART)
        assert found is not None
        await writer.patch(CART, SCALE, resource_version=found["metadata"]["resourceVersion"])
        assert server.requests[-1].query == {"fieldManager": "agent-sre"}
        with pytest.raises(PermanentError, match="resourceVersion"):
            await writer.patch(CART, SCALE, resource_version="")
        await writer.close()


# ------------------------------------------------------------------------------- creation, deletion and eviction

JOB = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "report", "namespace": "shop"}, "spec": {}}
REPORT = ObjectRef("Job", "shop", "report")
POD = ObjectRef("Pod", "shop", "cart-1")


def uid_of(world: World, ref: ObjectRef) -> str:
    found = world.cluster.peek(ref)
    assert found is not None
    return str(found["metadata"]["uid"])


def with_budget(world: World, **status: int) -> None:
    world.cluster.add(pod("cart-1", run=Run()))
    found = world.cluster.everything()[POD]
    counts = {"disruptionsAllowed": 1, "currentHealthy": 2, "desiredHealthy": 1, "observedGeneration": 1}
    for name in ("cart", *(["twin"] if "twin" in status else [])):
        world.cluster.add(
            {
                "kind": "PodDisruptionBudget",
                "metadata": {"name": name, "namespace": "shop", "generation": 1},
                "spec": {"selector": {"matchLabels": dict(found["metadata"]["labels"])}},
                "status": counts | {key: value for key, value in status.items() if key != "twin"},
            }
        )


async def test_an_object_is_created_once(world: World) -> None:
    await world.writer.create(JOB, dry_run=True)
    assert world.cluster.peek(REPORT) is None
    made = await world.writer.create(JOB)
    assert made["metadata"]["uid"] == uid_of(world, REPORT)
    with pytest.raises(PermanentError, match=r"conflict.*exists already"):
        await world.writer.create(JOB)
    assert [call.verb for call in world.cluster.effects] == ["create"]


async def test_exactly_the_object_with_the_uid_is_deleted(world: World) -> None:
    world.cluster.add(JOB)
    with pytest.raises(PermanentError, match="conflict"):
        await world.writer.delete(REPORT, uid="another")
    await world.writer.delete(REPORT, uid=uid_of(world, REPORT), dry_run=True)
    assert world.cluster.effects == []
    uid = uid_of(world, REPORT)
    await world.writer.delete(REPORT, uid=uid)
    assert world.cluster.peek(REPORT) is None
    with pytest.raises(PermanentError, match="report"):
        await world.writer.delete(REPORT, uid=uid)


async def test_a_pod_goes_in_its_grace_time(world: World) -> None:
    world.cluster.add(pod("cart-1"))
    await world.writer.delete(POD, uid=uid_of(world, POD))
    found = world.cluster.peek(POD)
    assert found is not None and found["metadata"]["deletionTimestamp"]


async def test_an_eviction_uses_up_the_budget_and_then_is_refused_for_the_time_being(world: World) -> None:
    with_budget(world)
    await world.writer.evict(POD, uid=uid_of(world, POD), dry_run=True)
    assert world.cluster.effects == []
    await world.writer.evict(POD, uid=uid_of(world, POD))
    other = world.cluster.add(pod("cart-1b") | {"metadata": {**pod("cart-1")["metadata"], "name": "cart-1b"}})
    for dry_run in (True, False):
        with pytest.raises(TemporaryError, match="would violate the pod's disruption budget") as caught:
            await world.writer.evict(other, uid=uid_of(world, other), dry_run=dry_run)
        assert "unknown" not in str(caught.value), "nothing was begun"
    assert [call.name for call in world.cluster.effects] == ["cart-1"]


async def test_a_budget_whose_controller_lags_says_when_to_come_back(world: World) -> None:
    with_budget(world, observedGeneration=0)
    with pytest.raises(TemporaryError, match="still being processed") as caught:
        await world.writer.evict(POD, uid=uid_of(world, POD))
    assert caught.value.retry_after == 10.0


async def test_two_budgets_are_an_error_of_the_server(world: World) -> None:
    with_budget(world, twin=1)
    with pytest.raises(TemporaryError, match="more than one PodDisruptionBudget"):
        await world.writer.evict(POD, uid=uid_of(world, POD))
    assert world.cluster.effects == []


@pytest.mark.parametrize(("verb", "kind"), [("create", "Job"), ("delete", "Job"), ("evict", "Pod")])
async def test_a_missing_right_to_any_change_is_named(world: World, verb: str, kind: str) -> None:
    world.cluster.forbid(verb, kind, "shop")
    world.cluster.add(pod("cart-1"))
    if verb != "create":
        world.cluster.add(JOB)
    with pytest.raises(PermanentError, match="jobs" if kind == "Job" else "pods"):
        if verb == "create":
            await world.writer.create(JOB)
        elif verb == "delete":
            await world.writer.delete(REPORT, uid=uid_of(world, REPORT))
        else:
            await world.writer.evict(POD, uid=uid_of(world, POD))
    assert world.cluster.effects == []
