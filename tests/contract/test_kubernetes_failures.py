"""The Kubernetes adapter against everything that an API server, or the way to it, can do."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent_sre.adapters.kubernetes_api import (
    Access,
    Connection,
    KubernetesCluster,
    KubernetesProbe,
    KubernetesWriterProbe,
)
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.reference import ObjectRef
from agent_sre.ports.health import CheckState
from agent_sre.testing.cluster import FakeCluster
from agent_sre.testing.kube_api_server import Fault, KubeApiServer
from tests.contract.telemetry_values import OBJECTS

CART = ObjectRef("Deployment", "shop", "cart")


class Slept:
    """Waits that are only written down."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
async def server() -> AsyncIterator[KubeApiServer]:
    async with KubeApiServer(FakeCluster(OBJECTS)).running() as running:
        yield running


@pytest.fixture
def slept() -> Slept:
    return Slept()


@pytest.fixture
async def connection(server: KubeApiServer, tmp_path: Path) -> AsyncIterator[Connection]:
    config = tmp_path / "kubeconfig"
    config.write_text(server.kubeconfig())
    opened = Connection(Access("kubeconfig", str(config), timeout=2.0))
    yield opened
    await opened.close()


@pytest.fixture
def cluster(connection: Connection, slept: Slept) -> KubernetesCluster:
    return KubernetesCluster(connection, slept, page=1)


async def test_a_missing_right_names_verb_resource_and_namespace(
    server: KubeApiServer, cluster: KubernetesCluster
) -> None:
    server.denied = {("list", "pods")}
    with pytest.raises(PermanentError, match=r'list pods in namespace shop.*cannot list resource "pods".*grant'):
        await cluster.list("Pod", "shop")
    assert len(server.requests) == 1


async def test_refused_credentials_are_loaded_anew_at_the_next_request(
    server: KubeApiServer, cluster: KubernetesCluster, tmp_path: Path
) -> None:
    server.token = "rotated"
    with pytest.raises(PermanentError, match=r"refused the credentials.*\(401\)"):
        await cluster.list("Pod", "shop")
    (tmp_path / "kubeconfig").write_text(server.kubeconfig())
    assert len(await cluster.list("Pod", "shop")) == 2


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_what_may_pass_is_tried_again(
    server: KubeApiServer, cluster: KubernetesCluster, slept: Slept, status: int
) -> None:
    server.faults = [Fault(status, "busy", {"Retry-After": "1"}), Fault(status, "busy", {"Retry-After": "1"})]
    assert await cluster.get(ObjectRef("Node", "", "worker-1")) is not None
    assert slept.seconds == [1.0, 1.0]


async def test_what_stays_down_is_a_temporary_error(server: KubeApiServer, cluster: KubernetesCluster) -> None:
    server.faults = [Fault(503, "etcd has no leader")] * 3
    with pytest.raises(TemporaryError, match="503 to list pods in namespace shop: etcd has no leader"):
        await cluster.list("Pod", "shop")


async def test_a_cut_connection_is_a_temporary_error(server: KubeApiServer, cluster: KubernetesCluster) -> None:
    server.faults = [Fault(0)] * 20  # the client library itself tries an idempotent request again
    with pytest.raises(TemporaryError, match=rf"{server.url} cut the connection in the middle of list pods"):
        await cluster.list("Pod", "shop")


async def test_silence_is_a_temporary_error(server: KubeApiServer, tmp_path: Path, slept: Slept) -> None:
    config = tmp_path / "kubeconfig"
    config.write_text(server.kubeconfig())
    connection = Connection(Access("kubeconfig", str(config), timeout=0.2))
    server.faults = [Fault(200, delay=0.6)] * 3
    with pytest.raises(TemporaryError, match=r"within 0\.2 s"):
        await KubernetesCluster(connection, slept).list("Pod", "shop")
    await connection.close()


async def test_a_listing_that_expires_between_pages_begins_again(
    server: KubeApiServer, cluster: KubernetesCluster
) -> None:
    cluster_pods = await cluster.list("Pod", "shop")
    server.requests.clear()
    server.faults = [Fault(410, "The provided continue parameter is too old")]
    assert await cluster.list("Pod", "shop") == cluster_pods
    assert len(server.requests) == 3


async def test_a_listing_that_keeps_expiring_may_pass(server: KubeApiServer, cluster: KubernetesCluster) -> None:
    server.faults = [Fault(410, "too old")] * 2
    with pytest.raises(TemporaryError, match=r"expire twice.*list pods in namespace shop"):
        await cluster.list("Pod", "shop")
    assert len(server.requests) == 2


async def test_an_api_that_the_cluster_does_not_serve_is_named(
    server: KubeApiServer, cluster: KubernetesCluster
) -> None:
    server.faults = [Fault(404, "the server could not find the requested resource")]
    with pytest.raises(PermanentError, match="does not serve HorizontalPodAutoscaler in autoscaling/v2"):
        await cluster.list("HorizontalPodAutoscaler", "shop")


async def test_an_add_on_that_is_not_installed_has_no_objects(
    server: KubeApiServer, cluster: KubernetesCluster
) -> None:
    server.unserved = {"gateway.networking.k8s.io"}
    assert await cluster.list("HTTPRoute", "shop") == ()
    server.unserved = {"autoscaling"}
    with pytest.raises(PermanentError, match="does not serve HorizontalPodAutoscaler"):
        await cluster.list("HorizontalPodAutoscaler", "shop")


async def test_an_add_on_that_serves_another_version_is_not_called_empty(
    server: KubeApiServer, cluster: KubernetesCluster
) -> None:
    server.faults = [Fault(404, "the server could not find the requested resource")]
    with pytest.raises(PermanentError, match="does not serve VirtualService in networking"):
        await cluster.list("VirtualService", "shop")


async def test_an_add_on_whose_group_others_share_is_not_installed_either(
    server: KubeApiServer, cluster: KubernetesCluster
) -> None:
    server.unserved = {"applications.argoproj.io"}
    assert await cluster.list("Application", "shop") == ()
    assert len(await cluster.list("Rollout", "shop")) == 1


async def test_an_add_on_of_an_older_version_is_read_by_that(server: KubeApiServer, cluster: KubernetesCluster) -> None:
    server.older = {"helm.toolkit.fluxcd.io": "v2beta2", "kustomize.toolkit.fluxcd.io": "v1alpha1"}
    (found,) = await cluster.list("HelmRelease", "shop")
    assert found["metadata"]["name"] == "one"
    with pytest.raises(PermanentError, match=r"served: kustomize\.toolkit\.fluxcd\.io/v1alpha1"):
        await cluster.list("Kustomization", "shop")


async def test_which_apis_there_are_is_asked_once_a_minute(server: KubeApiServer, connection: Connection) -> None:
    seconds = [0.0]
    cluster = KubernetesCluster(connection, Slept(), monotonic=lambda: seconds[0])
    server.unserved = {"argoproj.io"}
    asked = []
    for after in (0.0, 30.0, 61.0):
        seconds[0] = after
        assert await cluster.list("Application", "shop") == ()
        asked.append(sum(item.path == "/apis/argoproj.io" for item in server.requests))
    assert asked == [1, 1, 2]


async def test_a_missing_right_on_an_add_on_is_no_absence(server: KubeApiServer, cluster: KubernetesCluster) -> None:
    server.denied = {("list", "applications")}
    with pytest.raises(PermanentError, match=r'list applications in namespace argocd.*API group "argoproj.io".*grant'):
        await cluster.list("Application", "argocd")


async def test_who_set_which_field_is_dropped(server: KubeApiServer, cluster: KubernetesCluster) -> None:
    behind = FakeCluster(OBJECTS)
    behind.update(CART, {"metadata": {"managedFields": [{"manager": "kubectl"}]}})
    server.reader = behind
    (listed,), got = await cluster.list("Deployment", "shop"), await cluster.get(CART)
    assert "managedFields" not in listed["metadata"]
    assert got is not None
    assert "managedFields" not in got["metadata"]


async def test_an_answer_that_is_not_kubernetes_is_refused(server: KubeApiServer, cluster: KubernetesCluster) -> None:
    server.faults = [Fault(200, "a Status where a list was wanted")]
    with pytest.raises(PermanentError, match="is no list"):
        await cluster.list("Pod", "shop")


@pytest.mark.parametrize("name", ["../../secrets", "a/b", "", "a?b=c", "x" * 300])
async def test_names_from_outside_cannot_lead_elsewhere(
    server: KubeApiServer, cluster: KubernetesCluster, name: str
) -> None:
    with pytest.raises(PermanentError, match="is no name"):
        await cluster.get(ObjectRef("Pod", "shop", name))
    with pytest.raises(PermanentError, match="is no name"):
        await cluster.get(ObjectRef("Pod", name or "a b", "x"))
    assert server.requests == []


@pytest.mark.parametrize("text", [None, "nonsense: [", "apiVersion: v1\nkind: Config\n"])
async def test_no_usable_kubeconfig_is_refused_with_the_fix(tmp_path: Path, text: str | None) -> None:
    config = tmp_path / "kubeconfig"
    if text is not None:
        config.write_text(text)
    with pytest.raises(PermanentError, match="AGENT_SRE_KUBECONFIG"):
        await KubernetesCluster(Connection(Access("kubeconfig", str(config)))).list("Pod", "shop")


async def test_outside_a_pod_there_is_no_service_account() -> None:
    with pytest.raises(PermanentError, match="in_cluster"):
        await KubernetesCluster(Connection(Access("in_cluster"))).list("Pod", "shop")


async def test_the_probe_names_missing_rights(server: KubeApiServer, connection: Connection) -> None:
    server.denied = {("list", "nodes"), ("get", "pods/log")}
    reach, rights = await KubernetesProbe("kubeconfig", connection.access.kubeconfig, "", ("shop",)).check()
    assert (reach.state, reach.detail) == (CheckState.OK, f"Kubernetes at {server.url} answers, version v1.31.4")
    assert rights.state is CheckState.WARNING
    assert "get pods/log in shop" in rights.detail
    assert "list nodes" in rights.detail
    assert rights.detail.startswith("system:serviceaccount:ops:agent-sre has ")
    assert rights.fix.splitlines() == [
        "kubectl create role agent-sre-reader-get -n shop --verb=get --resource=pods/log && kubectl create rolebinding "
        "agent-sre-reader-get -n shop --role=agent-sre-reader-get --serviceaccount=ops:agent-sre",
        "kubectl create clusterrole agent-sre-reader-list --verb=list --resource=nodes && kubectl create "
        "clusterrolebinding agent-sre-reader-list --clusterrole=agent-sre-reader-list --serviceaccount=ops:agent-sre",
    ]


async def test_the_probe_of_exactly_the_rights_that_are_needed(server: KubeApiServer, connection: Connection) -> None:
    server.denied = {("list", "secrets")}
    _, rights = await KubernetesProbe("auto", connection.access.kubeconfig, "", ("shop", "bank")).check()
    assert rights.state is CheckState.OK
    assert "(get pods/log; list pods, services, " in rights.detail
    assert "deployments.apps" in rights.detail


async def test_the_probe_of_a_dead_server_says_so(tmp_path: Path) -> None:
    server = KubeApiServer(FakeCluster())
    server.url = "http://127.0.0.1:1"
    config = tmp_path / "kubeconfig"
    config.write_text(server.kubeconfig())
    (check,) = await KubernetesProbe("kubeconfig", str(config), "test").check()
    assert check.state is CheckState.FAILED
    assert "cannot be reached" in check.detail


async def test_the_probe_warns_of_an_account_that_can_read_secrets(connection: Connection) -> None:
    _, rights = await KubernetesProbe("auto", connection.access.kubeconfig, "", ("shop",)).check()
    assert rights.state is CheckState.WARNING
    assert "Secrets" in rights.detail
    assert "account" in rights.fix


async def test_the_probe_asks_for_rights_and_reads_nothing(server: KubeApiServer, connection: Connection) -> None:
    await KubernetesProbe("kubeconfig", connection.access.kubeconfig, "", ("shop",)).check()
    assert {request.path for request in server.requests} == {
        "/version",
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    }


async def test_the_executors_probe_names_the_right_that_is_missing(
    server: KubeApiServer, connection: Connection
) -> None:
    rights = tuple(("patch", "apps", "deployments", namespace) for namespace in ("shop", "bank"))
    probe = KubernetesWriterProbe("kubeconfig", connection.access.kubeconfig, "", rights=rights)
    (good,) = await probe.check()
    assert good.state is CheckState.OK
    server.denied = {("patch", "deployments")}
    (bad,) = await probe.check()
    assert bad.state is CheckState.FAILED
    assert "it lacks 2: patch deployments.apps in shop, bank" in bad.detail
    assert [line.partition(" --verb=")[0] for line in bad.fix.splitlines()] == [
        "kubectl create role agent-sre-executor-patch -n bank",
        "kubectl create role agent-sre-executor-patch -n shop",
    ]


async def test_the_executors_probe_of_no_namespaces_says_that_nothing_is_open(connection: Connection) -> None:
    probe = KubernetesWriterProbe("kubeconfig", connection.access.kubeconfig, "", rights=())
    (check,) = await probe.check()
    assert check.state is CheckState.WARNING
    assert "AGENT_SRE_ACTIONS_NAMESPACES" in check.fix
