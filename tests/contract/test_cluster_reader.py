"""What every ClusterReader does, held to the snapshot twin, the fake, and the Kubernetes adapter over real sockets."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent_sre.adapters.cluster_snapshot import SnapshotCluster
from agent_sre.adapters.kubernetes_api import Access, Connection, KubernetesCluster
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.reference import ObjectRef
from agent_sre.ports.cluster import ClusterReader
from agent_sre.testing.cluster import FakeCluster
from agent_sre.testing.kube_api_server import KubeApiServer
from tests.contract.telemetry_values import OBJECTS


@pytest.fixture(params=["snapshot", "fake", "kubernetes"])
async def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ClusterReader]:
    if request.param == "snapshot":
        yield SnapshotCluster(OBJECTS)
        return
    fake = FakeCluster(OBJECTS)
    if request.param == "fake":
        yield fake
        return
    async with KubeApiServer(fake).running() as server:
        config = tmp_path / "kubeconfig"
        config.write_text(server.kubeconfig())
        reader = KubernetesCluster(Connection(Access("kubeconfig", str(config))), page=2)
        yield reader
        await reader.close()


def names(found: object) -> list[str]:
    assert isinstance(found, tuple)
    return sorted(item["metadata"]["name"] for item in found)


async def test_a_listing_of_one_namespace(cluster: ClusterReader) -> None:
    assert names(await cluster.list("Pod", "shop")) == ["cart-1", "cart-2"]
    assert names(await cluster.list("Pod", "empty")) == []


async def test_a_listing_of_all_namespaces_spans_pages(cluster: ClusterReader) -> None:
    assert names(await cluster.list("Pod", "")) == ["cart-1", "cart-2", "ledger-1"]


async def test_cluster_scoped_kinds_have_no_namespace(cluster: ClusterReader) -> None:
    assert names(await cluster.list("Node", "")) == ["worker-1"]


async def test_objects_carry_kind_and_version(cluster: ClusterReader) -> None:
    (found,) = await cluster.list("Deployment", "shop")
    assert (found["kind"], found["apiVersion"]) == ("Deployment", "apps/v1")


async def test_one_object_or_none(cluster: ClusterReader) -> None:
    found = await cluster.get(ObjectRef("Deployment", "shop", "cart"))
    assert found is not None
    assert (found["kind"], found["metadata"]["name"]) == ("Deployment", "cart")
    assert await cluster.get(ObjectRef("Deployment", "shop", "other")) is None
    assert await cluster.get(ObjectRef("Node", "", "worker-1")) is not None


@pytest.mark.parametrize("kind", ["Secret", "Gadget"])
async def test_kinds_that_are_not_readable_are_refused(cluster: ClusterReader, kind: str) -> None:
    with pytest.raises(PermanentError, match=kind):
        await cluster.list(kind, "shop")
    with pytest.raises(PermanentError, match=kind):
        await cluster.get(ObjectRef(kind, "shop", "x"))
