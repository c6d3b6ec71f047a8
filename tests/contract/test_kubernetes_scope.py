"""Over real sockets: what is never asked of a cluster. A real adapter against the project's API double."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent_sre.adapters.kubernetes_api import (
    Access,
    Connection,
    HelmReleases,
    KubernetesCluster,
    KubernetesLogs,
    KubernetesProbe,
    Reach,
)
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.reference import ObjectRef, Window
from agent_sre.evidence.catalogue import COLLECTORS
from agent_sre.evidence.run import run_collector
from agent_sre.evidence.scope import Readers
from agent_sre.ports.cluster import NotOffered
from agent_sre.ports.health import CheckState
from agent_sre.testing.cluster import FakeCluster
from agent_sre.testing.kube_api_server import Fault, KubeApiServer
from tests.contract.telemetry_values import OBJECTS
from tests.unit.evidence.worlds import scope

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = Window(NOW - timedelta(days=1), NOW)
TEAM = Reach(frozenset({"shop"}))


@pytest.fixture
async def server() -> AsyncIterator[KubeApiServer]:
    async with KubeApiServer(FakeCluster(OBJECTS)).running() as running:
        yield running


async def no_wait(_seconds: float) -> None:
    return


@pytest.fixture
async def connection(server: KubeApiServer, tmp_path: Path) -> AsyncIterator[Connection]:
    config = tmp_path / "kubeconfig"
    config.write_text(server.kubeconfig())
    opened = Connection(Access("kubeconfig", str(config), timeout=2.0))
    yield opened
    await opened.close()


@pytest.fixture
def team(connection: Connection) -> KubernetesCluster:
    return KubernetesCluster(connection, no_wait, page=2, reach=TEAM)


async def test_a_whole_investigation_in_one_namespace_asks_nothing_beyond_it(
    server: KubeApiServer, team: KubernetesCluster
) -> None:
    readers = Readers(cluster=team, logs=KubernetesLogs(team), change_sources={"Helm": HelmReleases(team)})
    found = [await run_collector(collector, scope(), readers) for collector in COLLECTORS]
    assert server.requests
    # A missing add-on is told by its API group, which is public to every account.
    beyond = [item.path for item in server.requests if "/namespaces/shop" not in item.path]
    assert beyond == []
    gaps = [gap for one in found for gap in one.gaps if "whole cluster" in gap.reason]
    assert any("Node in the cluster" in gap.what and "PersistentVolume in the cluster" in gap.what for gap in gaps)
    assert all("AGENT_SRE_KUBERNETES_SCOPE=cluster" in gap.reason for gap in gaps)


async def test_objects_beyond_the_namespaces_are_not_asked_for(server: KubeApiServer, team: KubernetesCluster) -> None:
    for kind, namespace in (("Node", ""), ("Pod", ""), ("Pod", "bank"), ("Lease", "kube-node-lease")):
        with pytest.raises(NotOffered, match="only namespaces are looked at"):
            await team.list(kind, namespace)
    with pytest.raises(NotOffered):
        await team.get(ObjectRef("Node", "", "worker-1"))
    assert server.requests == []
    assert await team.get(ObjectRef("Namespace", "", "shop")) is None
    assert len(await team.list("Pod", "shop")) == 2


async def test_the_probe_of_a_team_asks_for_no_right_on_the_cluster(
    server: KubeApiServer, connection: Connection
) -> None:
    server.denied = {("list", "secrets"), ("list", "nodes")}
    _, rights = await KubernetesProbe("kubeconfig", connection.access.kubeconfig, "", ("shop",), TEAM).check()
    assert rights.state is CheckState.OK


@pytest.mark.parametrize(
    ("plural", "group", "namespace"),
    [
        ("replicasets", "apps", "shop"),
        ("applications", "argoproj.io", "argocd"),
        ("helmreleases", "helm.toolkit", "shop"),
    ],
)
async def test_a_missing_right_is_a_gap_that_names_it_and_how_to_grant_it(
    server: KubeApiServer, connection: Connection, plural: str, group: str, namespace: str
) -> None:
    server.denied = {("list", plural)}
    readers = Readers(cluster=KubernetesCluster(connection, no_wait))
    (collector,) = [one for one in COLLECTORS if one.name == "kubernetes_objects"]
    found = await run_collector(collector, scope(gitops_namespaces=("argocd",)), readers)
    gaps = [gap for gap in found.gaps if f"list {plural} in namespace {namespace}" in gap.reason]
    assert gaps
    assert all("403" in gap.reason and group in gap.reason for gap in gaps)
    assert all(gap.fix.startswith(f"grant the reader's account list on {plural} ({group}") for gap in gaps)


@pytest.mark.parametrize("status", [401, 403, 429, 503])
async def test_whatever_the_api_server_answers_is_a_gap_and_never_an_error(
    server: KubeApiServer, connection: Connection, status: int
) -> None:
    server.faults = [Fault(status, "no")] * 2_000
    cluster = KubernetesCluster(connection, no_wait)
    readers = Readers(cluster=cluster, logs=KubernetesLogs(cluster), change_sources={"Helm": HelmReleases(cluster)})
    found = [await run_collector(collector, scope(), readers) for collector in COLLECTORS]
    assert not any(item.objects for one in found for item in one.observations)
    told = [gap for one in found for gap in one.gaps if f"{status}" in gap.reason]
    assert {"Pod in shop", "Helm"} <= {what for gap in told for what in gap.what.split("; ")}


async def test_neither_a_watch_nor_the_metrics_api_is_used(server: KubeApiServer, connection: Connection) -> None:
    cluster = KubernetesCluster(connection, no_wait)
    readers = Readers(cluster=cluster, logs=KubernetesLogs(cluster))
    for collector in COLLECTORS:
        await run_collector(collector, scope(), readers)
    assert not any("watch" in item.query or "metrics.k8s.io" in item.path for item in server.requests)


def secret(name: str, revision: int, status: str, hours_ago: float, owner: str = "helm") -> dict[str, Any]:
    made = str(int((NOW - timedelta(hours=hours_ago)).timestamp()))
    labels = {"owner": owner, "name": name, "version": str(revision), "status": status, "createdAt": made}
    return {
        "type": "helm.sh/release.v1",
        "metadata": {"name": f"sh.helm.release.v1.{name}.v{revision}", "namespace": "shop", "labels": labels},
    }


async def test_releases_are_read_from_labels_and_only_metadata_is_asked_for(
    server: KubeApiServer, team: KubernetesCluster
) -> None:
    server.secrets = [secret("store", 7, "failed", 1), secret("store", 6, "deployed", 30), secret("x", 1, "y", 1, "me")]
    (change,) = await HelmReleases(team).changes(("shop",), DAY)
    assert (change.id, change.kind, change.target) == ("helm/shop/store@v7", "deploy", "store")
    assert change.time == NOW - timedelta(hours=1)
    assert change.summary == "Helm release store revision 7 failed"
    (request,) = server.requests
    assert request.headers["Accept"].startswith("application/json;as=PartialObjectMetadataList")
    assert request.query["labelSelector"] == "owner=helm"


async def test_whole_secrets_that_come_nevertheless_are_refused(server: KubeApiServer, team: KubernetesCluster) -> None:
    server.secrets, server.ignores_accept = [secret("store", 7, "deployed", 1)], True
    with pytest.raises(PermanentError, match="nothing of it was kept") as told:
        await HelmReleases(team).changes(("shop",), DAY)
    assert "c2VjcmV0" not in str(told.value)


async def test_a_missing_right_on_secrets_names_verb_resource_and_namespace(
    server: KubeApiServer, team: KubernetesCluster
) -> None:
    server.denied = {("list", "secrets")}
    with pytest.raises(PermanentError, match=r"list secrets in namespace shop.*\(403\).*grant that right"):
        await HelmReleases(team).changes(("shop",), DAY)


async def test_an_overloaded_server_may_pass(server: KubeApiServer, team: KubernetesCluster) -> None:
    server.faults = [Fault(429, "slow down", {"Retry-After": "1"})] * 3
    with pytest.raises(TemporaryError, match="429"):
        await HelmReleases(team).changes(("shop",), DAY)
    assert len(server.requests) == 3


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
async def test_the_connection_sends_nothing_about_secrets_but_listings_of_metadata(
    server: KubeApiServer, connection: Connection, method: str
) -> None:
    with pytest.raises(PermanentError, match="not sent"):
        await connection.json(method, "/api/v1/namespaces/shop/secrets", "that")
    with pytest.raises(PermanentError, match="not sent"):
        await connection.json("GET", "/api/v1/namespaces/shop/secrets/db", "that")
    assert server.requests == []


async def test_the_double_fails_a_test_that_asks_for_a_whole_secret() -> None:
    import aiohttp

    with pytest.raises(AssertionError, match="data of Secrets"):
        async with KubeApiServer(FakeCluster()).running() as server, aiohttp.ClientSession() as session:
            headers = {"Authorization": f"Bearer {server.token}"}
            async with session.get(f"{server.url}/api/v1/namespaces/shop/secrets", headers=headers):
                pass
