"""What every ClusterReader does, held to the snapshot twin, the fake, and the Kubernetes adapter over real sockets."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent_sre.adapters.cluster_snapshot import SnapshotCluster
from agent_sre.adapters.kubernetes_api import Access, Connection, KubernetesCluster
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.reference import ObjectRef
from agent_sre.ports.cluster import CLUSTER_SCOPED, READ_KINDS, ClusterReader, NotOffered
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


async def test_a_field_selector_leaves_out_what_it_does_not_name(cluster: ClusterReader) -> None:
    assert names(await cluster.list("Pod", "", "metadata.name=cart-2")) == ["cart-2"]
    assert names(await cluster.list("Pod", "shop", "metadata.name!=cart-2,status.phase=Running")) == ["cart-1"]


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


async def test_kinds_that_are_not_readable_are_refused(cluster: ClusterReader) -> None:
    with pytest.raises(PermanentError, match="Gadget"):
        await cluster.list("Gadget", "shop")
    with pytest.raises(PermanentError, match="Gadget"):
        await cluster.get(ObjectRef("Gadget", "shop", "x"))


@pytest.mark.parametrize("kind", [kind for kind in READ_KINDS if kind not in {"Pod", "Node", "Deployment"}])
async def test_every_kind_reaches_the_reader(cluster: ClusterReader, kind: str) -> None:
    (found,) = await cluster.list(kind, "" if kind in CLUSTER_SCOPED else "shop")
    assert (found["kind"], found["apiVersion"], found["metadata"]["name"]) == (kind, READ_KINDS[kind][0], "one")


async def test_a_snapshot_gives_secrets_by_name_and_keys_and_a_cluster_is_never_asked(cluster: ClusterReader) -> None:
    if isinstance(cluster, SnapshotCluster):
        held = {"kind": "Secret", "metadata": {"name": "db", "namespace": "shop", "annotations": {"x": "aGk="}}}
        given = SnapshotCluster([{**held, "type": "Opaque", "data": {"password": "aGk=", "user": "aGk="}}])
        (found,) = await given.list("Secret", "shop")
        assert found["data"] == {"password": None, "user": None}
        assert "aGk=" not in str(found)
        return
    with pytest.raises(NotOffered, match="never read"):
        await cluster.list("Secret", "shop")


async def test_a_snapshot_without_a_kind_that_the_format_does_not_promise_does_not_call_it_empty() -> None:
    cluster = SnapshotCluster([{"kind": "EndpointSlice", "metadata": {"name": "cart-x", "namespace": "shop"}}])
    assert await cluster.list("PodDisruptionBudget", "shop") == ()
    assert await cluster.list("EndpointSlice", "bank") == ()
    for kind in ("Lease", "Endpoints", "VirtualService"):
        with pytest.raises(NotOffered, match="not known"):
            await cluster.list(kind, "shop")
