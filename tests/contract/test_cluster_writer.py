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
    world.cluster.delete(CART)
    with pytest.raises(PermanentError, match="cart"):
        await world.writer.patch(CART, SCALE, resource_version=version)


async def test_a_missing_right_is_named(world: World) -> None:
    world.cluster.forbid("patch", "Deployment", "shop")
    with pytest.raises(PermanentError, match="deployments"):
        await world.writer.patch(CART, SCALE, resource_version=world.version())
    assert world.replicas() == 2


async def test_an_invalid_patch_is_refused_with_the_servers_words(world: World) -> None:
    patch = {"spec": {"selector": {"matchLabels": {"app": "other"}}}}
    with pytest.raises(PermanentError, match="immutable"):
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
