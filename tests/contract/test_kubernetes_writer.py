"""What the executor must know of a patch that failed: refused, not sent, or perhaps carried out. Nothing goes twice."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent_sre.adapters.kubernetes_api import Access, KubernetesWriter, open_writer
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.reference import ObjectRef
from agent_sre.ports.cluster import READ_KINDS, WRITE_KINDS
from agent_sre.testing.cluster import FakeCluster
from agent_sre.testing.kube_api_server import Fault, KubeApiServer
from agent_sre.testing.kubernetes_objects import pod
from tests.contract.telemetry_values import OBJECTS

CART = ObjectRef("Deployment", "shop", "cart")
SCALE = {"spec": {"replicas": 5}}


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster(OBJECTS)


@pytest.fixture
async def server(cluster: FakeCluster) -> AsyncIterator[KubeApiServer]:
    async with KubeApiServer(cluster, cluster).running() as running:
        yield running


@pytest.fixture
async def writer(server: KubeApiServer, tmp_path: Path) -> AsyncIterator[KubernetesWriter]:
    config = tmp_path / "kubeconfig"
    config.write_text(server.kubeconfig())
    opened = KubernetesWriter(Access("kubeconfig", str(config), timeout=0.3))
    yield opened
    await opened.close()


def version(cluster: FakeCluster) -> str:
    found = cluster.peek(CART)
    assert found is not None
    return str(found["metadata"]["resourceVersion"])


def replicas(cluster: FakeCluster) -> int:
    found = cluster.peek(CART)
    assert found is not None
    return int(found["spec"]["replicas"])


async def test_an_answer_that_comes_too_late_leaves_it_unknown(
    server: KubeApiServer, cluster: FakeCluster, writer: KubernetesWriter
) -> None:
    server.faults = [Fault(200, delay=0.8, after=True)]
    with pytest.raises(TemporaryError, match=r"within 0\.3 s; whether it was applied is unknown: read Deployment"):
        await writer.patch(CART, SCALE, resource_version=version(cluster))
    assert replicas(cluster) == 5
    assert [request.method for request in server.requests] == ["PATCH"]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_a_server_error_after_the_effect_leaves_it_unknown(
    server: KubeApiServer, cluster: FakeCluster, writer: KubernetesWriter, status: int
) -> None:
    server.faults = [Fault(status, "upstream timed out", after=True)]
    with pytest.raises(TemporaryError, match=rf"{status}.*whether it was applied is unknown"):
        await writer.patch(CART, SCALE, resource_version=version(cluster))
    assert (replicas(cluster), len(server.requests)) == (5, 1)


async def test_an_answer_that_cannot_be_read_leaves_it_unknown(
    server: KubeApiServer, cluster: FakeCluster, writer: KubernetesWriter
) -> None:
    server.faults = [Fault(200, after=True, body="<html>gateway</html>")]
    with pytest.raises(TemporaryError, match=r"not JSON.*whether it was applied is unknown"):
        await writer.patch(CART, SCALE, resource_version=version(cluster))
    assert replicas(cluster) == 5


async def test_too_many_requests_says_that_nothing_was_begun(
    server: KubeApiServer, cluster: FakeCluster, writer: KubernetesWriter
) -> None:
    server.faults = [Fault(429, "slow down", {"Retry-After": "7"})]
    with pytest.raises(TemporaryError, match="429") as caught:
        await writer.patch(CART, SCALE, resource_version=version(cluster))
    assert caught.value.retry_after == 7.0
    assert "unknown" not in str(caught.value)
    assert replicas(cluster) == 2


async def test_a_server_that_is_not_there_was_sent_nothing(tmp_path: Path) -> None:
    nowhere = KubeApiServer(FakeCluster())
    nowhere.url = "http://127.0.0.1:1"
    config = tmp_path / "kubeconfig"
    config.write_text(nowhere.kubeconfig())
    writer = await open_writer("kubeconfig", str(config), "")
    with pytest.raises(TemporaryError, match=r"127\.0\.0\.1:1 cannot be reached.*nothing was sent"):
        await writer.patch(CART, SCALE, resource_version="1")
    await writer.close()


async def test_an_executor_with_an_account_of_its_own_uses_it_in_a_pod_too(
    server: KubeApiServer, cluster: FakeCluster, tmp_path: Path
) -> None:
    config = tmp_path / "executor"
    config.write_text(server.kubeconfig())
    own = await open_writer("in_cluster", str(config), "")
    await own.patch(CART, SCALE, resource_version=version(cluster))
    assert replicas(cluster) == 5
    await own.close()


async def test_a_failed_dry_run_does_not_pretend_to_have_changed_anything(
    server: KubeApiServer, cluster: FakeCluster, writer: KubernetesWriter
) -> None:
    server.faults = [Fault(0, after=True)]
    with pytest.raises(TemporaryError, match="it was a dry run"):
        await writer.patch(CART, SCALE, resource_version=version(cluster), dry_run=True)
    assert replicas(cluster) == 2
    assert server.patched == []


async def test_what_was_sent_is_a_merge_patch_with_precondition_and_author(
    server: KubeApiServer, cluster: FakeCluster, writer: KubernetesWriter
) -> None:
    before = version(cluster)
    patch = {"metadata": {"annotations": {"a": None}}, "spec": {"replicas": 5}}
    await writer.patch(CART, patch, resource_version=before, dry_run=True)
    (request,) = server.requests
    assert request.path == "/apis/apps/v1/namespaces/shop/deployments/cart"
    assert request.headers["Content-Type"] == "application/merge-patch+json"
    assert request.query == {"fieldManager": "agent-sre", "dryRun": "All"}
    assert request.body == {**patch, "metadata": {"annotations": {"a": None}, "resourceVersion": before}}


@pytest.mark.parametrize(
    ("verb", "kind"),
    [(verb, kind) for verb, kinds in WRITE_KINDS.items() for kind in sorted({*READ_KINDS, "Secret"} - kinds)],
)
async def test_kinds_that_no_action_changes_are_never_written(
    server: KubeApiServer, writer: KubernetesWriter, verb: str, kind: str
) -> None:
    with pytest.raises(PermanentError, match=f"objects of kind {kind} are never changed by {verb}"):
        await _send(writer, verb, ObjectRef(kind, "shop", "x"))
    assert server.requests == []


async def test_an_object_without_its_namespace_is_never_written(
    server: KubeApiServer, writer: KubernetesWriter
) -> None:
    for verb, kind in (("patch", "Deployment"), ("create", "Job"), ("delete", "Pod"), ("evict", "Pod")):
        with pytest.raises(PermanentError, match="needs a namespace"):
            await _send(writer, verb, ObjectRef(kind, "", "cart"))
    assert server.requests == []


@pytest.mark.parametrize(
    ("kind", "patch", "path"),
    [
        ("Deployment", {"spec": {"selector": {}}}, "spec.selector"),
        ("Deployment", {"spec": {"replicas": 3, "strategy": {"type": "Recreate"}}}, "spec.strategy"),
        ("Deployment", {"metadata": {"labels": {"a": "b"}}}, "metadata.labels"),
        ("Deployment", {"metadata": {"finalizers": None}}, "metadata.finalizers"),
        ("Deployment", {"spec": None}, "spec"),
        ("Deployment", {"status": {"replicas": 0}}, "status"),
        ("DaemonSet", {"spec": {"replicas": 0}}, "spec.replicas"),
        ("Node", {"spec": {"taints": []}}, "spec.taints"),
        ("Node", {"metadata": {"labels": {"a": "b"}}}, "metadata.labels"),
        ("ConfigMap", {"binaryData": {"a": "Yg=="}}, "binaryData"),
        ("ConfigMap", {"immutable": True}, "immutable"),
        ("CronJob", {"spec": {"jobTemplate": {}}}, "spec.jobTemplate"),
        ("HorizontalPodAutoscaler", {"spec": {"scaleTargetRef": {}}}, "spec.scaleTargetRef"),
    ],
)
async def test_fields_that_no_action_changes_are_never_patched(
    server: KubeApiServer, writer: KubernetesWriter, kind: str, patch: dict[str, object], path: str
) -> None:
    ref = ObjectRef(kind, "" if kind == "Node" else "shop", "x")
    with pytest.raises(PermanentError, match=f"{path} of a {kind} is never patched"):
        await writer.patch(ref, patch, resource_version="1")
    with pytest.raises(PermanentError, match=f"{path} of a {kind} is never patched"):
        await FakeCluster().patch(ref, patch, resource_version="1")
    assert server.requests == []


async def _send(writer: KubernetesWriter, verb: str, ref: ObjectRef) -> None:
    if verb == "patch":
        await writer.patch(ref, {}, resource_version="1")
    elif verb == "create":
        await writer.create({"kind": ref.kind, "metadata": {"name": ref.name, "namespace": ref.namespace}})
    elif verb == "delete":
        await writer.delete(ref, uid="1")
    else:
        await writer.evict(ref, uid="1")


async def test_what_is_sent_to_take_a_pod_away_names_its_uid_and_where_a_dry_run_belongs(
    server: KubeApiServer, cluster: FakeCluster, writer: KubernetesWriter
) -> None:
    ref = cluster.add(pod("cart-1"))
    uid = cluster.everything()[ref]["metadata"]["uid"]
    await writer.delete(ref, uid=uid, dry_run=True)
    await writer.evict(ref, uid=uid, dry_run=True)
    deletion, eviction = server.requests
    assert (deletion.method, deletion.path, deletion.query) == ("DELETE", "/api/v1/namespaces/shop/pods/cart-1", {})
    assert deletion.body["preconditions"] == {"uid": uid}
    assert deletion.body["dryRun"] == ["All"], "with a body, a server does not look at the query"
    assert deletion.body["propagationPolicy"] == "Background"
    assert (eviction.method, eviction.path) == ("POST", "/api/v1/namespaces/shop/pods/cart-1/eviction")
    assert eviction.query == {"dryRun": "All"}
    assert eviction.body["deleteOptions"] == {"preconditions": {"uid": uid}, "dryRun": ["All"]}
    assert cluster.effects == []


async def test_a_deletion_that_the_http_library_repeats_after_a_cut_has_no_second_effect(
    server: KubeApiServer, cluster: FakeCluster, writer: KubernetesWriter
) -> None:
    ref = cluster.add(pod("cart-1"))
    server.faults = [Fault(0, after=True)]
    await writer.delete(ref, uid=cluster.everything()[ref]["metadata"]["uid"])
    assert [request.method for request in server.requests] == ["DELETE", "DELETE"]
    assert len(cluster.effects) == 1


@pytest.mark.parametrize(
    ("verb", "status"),
    [("create", 0), ("evict", 0), *((verb, status) for verb in ("create", "delete", "evict") for status in (500, 504))],
)
async def test_any_change_whose_answer_is_lost_leaves_it_unknown_and_is_sent_once(
    server: KubeApiServer, cluster: FakeCluster, writer: KubernetesWriter, verb: str, status: int
) -> None:
    ref = cluster.add(pod("cart-1"))
    uid = cluster.everything()[ref]["metadata"]["uid"]
    server.faults = [Fault(status, "gone", after=True)]
    with pytest.raises(TemporaryError, match="whether it was applied is unknown"):
        if verb == "create":
            await writer.create({"kind": "Job", "metadata": {"name": "a", "namespace": "shop"}, "spec": {}})
        elif verb == "delete":
            await writer.delete(ref, uid=uid)
        else:
            await writer.evict(ref, uid=uid)
    assert [call.verb for call in cluster.effects] == [verb]
    assert len(server.requests) == 1


async def test_only_what_took_effect_counts_as_patched(
    server: KubeApiServer, cluster: FakeCluster, writer: KubernetesWriter
) -> None:
    stale = version(cluster)
    await writer.patch(CART, SCALE, resource_version=stale)
    with pytest.raises(PermanentError, match="conflict"):
        await writer.patch(CART, {"spec": {"replicas": 9}}, resource_version=stale)
    await writer.patch(CART, SCALE, resource_version=version(cluster))  # changes nothing
    assert server.patched == [CART]
