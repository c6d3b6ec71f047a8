"""The shop as its own server: everything a collector reads of it comes over the wire, and never a Secret."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from agent_sre.adapters.clock_system import SystemClock
from agent_sre.adapters.kubernetes_api import (
    KubernetesCluster,
    KubernetesLogs,
    KubernetesWriter,
    open_cluster,
    open_writer,
)
from agent_sre.adapters.metrics_prometheus import PrometheusMetrics, PrometheusOptions
from agent_sre.adapters.metrics_snapshot import SnapshotMetrics
from agent_sre.bootstrap.server import listen
from agent_sre.domain.reference import Window
from agent_sre.domain.signal import default_signals
from agent_sre.evidence.catalogue import COLLECTORS
from agent_sre.evidence.run import run_collector
from agent_sre.evidence.scope import Collected, Limits, Readers, Scope
from agent_sre.testing.kube_api_server import Request
from agent_sre.testing.shop.rule import ShopRule
from agent_sre.testing.shop.server import ShopServer
from agent_sre.testing.shop.world import CHECKOUT, GOOD, ShopWorld


class KeptRequests(list[Request]):
    """A record that the server's own tidying does not empty."""

    def clear(self) -> None:
        return None


@pytest.fixture
async def shop() -> AsyncIterator[ShopServer]:
    clock = SystemClock()
    world, rule = ShopWorld(clock.now().replace(microsecond=0)), ShopRule()
    metrics = SnapshotMetrics(lambda: world.series(clock.now()), clock.now, rules=rule.rules, alerts=rule.active)
    server = ShopServer(world, metrics, rule, clock)
    server.kubernetes.requests = KeptRequests()
    async with server.running(listen("127.0.0.1", 0)):
        yield server


@pytest.fixture
async def kubeconfig(shop: ShopServer, tmp_path: Path) -> str:
    config = tmp_path / "kubeconfig"
    config.write_text(shop.kubernetes.kubeconfig())
    return str(config)


@pytest.fixture
async def cluster(kubeconfig: str) -> AsyncIterator[KubernetesCluster]:
    opened = await open_cluster("auto", kubeconfig, "")
    assert opened is not None
    yield opened
    await opened.close()


@pytest.fixture
async def writer(kubeconfig: str) -> AsyncIterator[KubernetesWriter]:
    opened = await open_writer("kubeconfig", kubeconfig, "")
    yield opened
    await opened.close()


async def collected(shop: ShopServer, cluster: KubernetesCluster) -> Collected:
    """What all collectors bring back through the real adapters."""
    now = datetime.now(UTC)
    window = Window(now - timedelta(minutes=15), now)
    metrics = PrometheusMetrics(PrometheusOptions(shop.prometheus.url))
    scope = Scope("INC-1", 1, now, window, ("shop",), (), Limits(), default_signals())
    readers = Readers(cluster=cluster, metrics=metrics, logs=KubernetesLogs(cluster))
    try:
        answers = [await run_collector(collector, scope, readers) for collector in COLLECTORS]
    finally:
        await metrics.close()
    return Collected(
        tuple(item for answer in answers for item in answer.observations),
        tuple(item for answer in answers for item in answer.gaps),
    )


async def test_collectors_read_the_shop_over_the_wire_and_never_a_secret(
    shop: ShopServer, cluster: KubernetesCluster
) -> None:
    found = await collected(shop, cluster)
    images = {
        item["spec"]["template"]["spec"]["containers"][0]["image"]
        for observation in found.observations
        for item in observation.objects
        if item["kind"] == "Deployment"
    }
    assert "registry.shop.example/checkout:1.9.0" in images
    lines = [line.text for seen in found.observations for stream in seen.streams for line in stream.lines]
    assert any("KeyError: 'currency'" in line for line in lines)
    assert any(seen.series for seen in found.observations)
    assert {gap.source for gap in found.gaps} <= {"kubernetes", "logs", "changes", "topology", "traces"}
    assert [gap.what for gap in found.gaps if gap.source == "kubernetes"] == ["Secret in shop"]
    paths = [request.path for request in shop.kubernetes.requests]
    assert len(paths) > 20
    assert [path for path in paths if "secret" in path.lower()] == []
    assert {request.method for request in shop.kubernetes.requests} == {"GET"}


async def test_effects_are_counted_where_they_happen(
    shop: ShopServer, cluster: KubernetesCluster, writer: KubernetesWriter
) -> None:
    before = await cluster.get(CHECKOUT)
    assert before is not None
    version = before["metadata"]["resourceVersion"]
    containers = [{**before["spec"]["template"]["spec"]["containers"][0], "image": GOOD}]
    patch = {"spec": {"template": {"spec": {"containers": containers}}}}
    async with httpx.AsyncClient(base_url=shop.kubernetes.url) as test:
        await writer.patch(CHECKOUT, patch, resource_version=version, dry_run=True)
        assert (await test.get("/shop/patches")).json()["patches"] == 0
        await writer.patch(CHECKOUT, patch, resource_version=version)
        assert (await test.get("/shop/patches")).json() == {"patches": 1, "objects": ["Deployment shop/checkout"]}


async def test_the_alert_and_the_rule_tell_the_same(shop: ShopServer) -> None:
    metrics = PrometheusMetrics(PrometheusOptions(shop.prometheus.url))
    await shop.rule.look(metrics, datetime.now(UTC))
    (rule,), (active,) = await metrics.rules(), await metrics.alerts()
    await metrics.close()
    async with httpx.AsyncClient(base_url=shop.kubernetes.url) as test:
        (sent,) = (await test.get("/shop/alert")).json()["alerts"]
    assert rule["state"] == "firing"
    assert sent["labels"] == active["labels"] == {"alertname": rule["name"], **rule["labels"]}
