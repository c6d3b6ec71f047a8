"""``agent-sre doctor`` over real sockets: each back end by name, product and version; the rights it has and lacks."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from agent_sre.adapters.metrics_snapshot import SnapshotMetrics
from agent_sre.bootstrap import doctor as examine
from agent_sre.cli.doctor import show
from agent_sre.domain.telemetry import Series
from agent_sre.ports.health import Check, CheckState
from agent_sre.settings import Settings
from agent_sre.testing.cluster import FakeCluster
from agent_sre.testing.kube_api_server import KubeApiServer
from agent_sre.testing.prometheus_server import PrometheusServer
from tests.postgres_server import PASSWORD, TEMPLATE, PostgresServer


def metrics_server() -> PrometheusServer:
    up = (Series.of("up", {"job": "a"}, [(time.time() - 5, 1.0)]),)
    return PrometheusServer(SnapshotMetrics(lambda: up, lambda: datetime.now(UTC), rules=lambda: (), alerts=lambda: ()))


async def test_every_back_end_is_named_with_its_product_version_and_rights(tmp_path: Path) -> None:
    near, far = metrics_server(), metrics_server()
    far.build = {"application": "Grafana Mimir", "version": "2.15.0"}
    kube = KubeApiServer(FakeCluster())
    kube.denied = {("list", "networkpolicies"), ("list", "secrets")}
    async with near.running(), far.running(), kube.running():
        config = tmp_path / "kubeconfig"
        config.write_text(kube.kubeconfig())
        settings = Settings(
            _env_file=None,
            data_dir=tmp_path / "data",
            prometheus_url=near.url,
            prometheus_instances=[{"name": "eu", "url": far.url, "token": "t0p-secret"}],
            kubernetes="kubeconfig",
            kubeconfig=str(config),
            namespaces="shop",
        )
        checks = {check.subject: check for check in await examine(settings)}
    main, other = checks["metrics main (Prometheus)"], checks["metrics eu (Mimir)"]
    assert (main.state, main.detail) == (CheckState.OK, f"{near.url} answers queries, Prometheus version 2.42.0")
    assert other.detail == f"{far.url} answers queries, Mimir version 2.15.0"
    assert checks["metrics eu (Mimir) rights"].detail == "may read queries, metric names, rules, active alerts"
    assert "version v1.31.4" in checks["cluster (Kubernetes)"].detail
    rights = checks["cluster (Kubernetes) rights"]
    assert rights.state is CheckState.WARNING
    assert "it lacks 1: list networkpolicies.networking.k8s.io in shop;" in rights.detail
    assert "list pods, services" in rights.detail
    assert "--verb=list --resource=networkpolicies.networking.k8s.io &&" in rights.fix
    assert "t0p-secret" not in repr(checks)


async def test_the_database_that_is_configured_is_examined_and_not_made(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    name = postgres.make(TEMPLATE)
    for url, words in (
        (postgres.url(name), f"127.0.0.1:{postgres.port}/{name} answers, PostgreSQL"),
        (f"sqlite:///{tmp_path}/elsewhere/store.db", "none yet; it is made at the first start"),
    ):
        settings = Settings(_env_file=None, data_dir=tmp_path / "data", kubernetes="off", database_url=url)
        checks = [check for check in await examine(settings) if check.subject.startswith("database")]
        assert checks and all(check.state is CheckState.OK for check in checks), checks
        assert words in checks[0].detail
        assert PASSWORD not in repr(checks) + repr(settings)
    assert not (tmp_path / "elsewhere").exists()
    postgres.drop(name)


def test_each_line_of_a_fix_can_be_copied_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    check = Check("cluster", CheckState.WARNING, "lacks [2] rights", "kubectl create role a\nkubectl create role b")
    show((check,), Console(highlight=False, soft_wrap=True))
    assert capsys.readouterr().out.splitlines() == [
        "warning cluster: lacks [2] rights",
        "        fix: kubectl create role a",
        "             kubectl create role b",
    ]
