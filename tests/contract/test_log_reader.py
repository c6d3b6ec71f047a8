"""The conformance suite of the log port over the snapshot twin and over the Kubernetes adapter against an API server
double, over real sockets; and what only those two have: runs of a container. The log stores run the same suite in
``test_log_stores_recorded`` (recorded protocol) and in tests/e2e (real servers)."""

import contextlib
import io
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from agent_sre.adapters.kubernetes_api import Access, Connection, KubernetesCluster, KubernetesLogs
from agent_sre.adapters.logs_snapshot import SnapshotLogs
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.telemetry import LogSource
from agent_sre.ports.logs import LogReader
from agent_sre.testing.cluster import FakeCluster
from agent_sre.testing.kube_api_server import KubeApiServer
from tests.contract import log_values
from tests.contract.log_suite import *  # noqa: F403
from tests.contract.telemetry_values import HEALTHY, LOGS, NOW, OBJECTS, PREVIOUS, RUNNING, WINDOW, pod

Texts = dict[LogSource, str]


@pytest.fixture(params=["snapshot", "kubernetes"])
def reader(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Makes the reader of one kind over given objects and texts."""
    return partial(opened, request.param, tmp_path)


@contextlib.asynccontextmanager
async def opened(kind: str, folder: Path, objects: tuple[Any, ...], texts: Texts) -> AsyncIterator[LogReader]:
    if kind == "snapshot":
        yield SnapshotLogs({source: partial(io.BytesIO, text.encode()) for source, text in texts.items()}, NOW)
        return
    async with KubeApiServer(FakeCluster(objects)).running() as server:
        server.logs = dict(texts)
        config = folder / "kubeconfig"
        config.write_text(server.kubeconfig())
        cluster = KubernetesCluster(Connection(Access("kubeconfig", str(config))))
        yield KubernetesLogs(cluster)
        await cluster.close()


@pytest.fixture
async def logs(reader: Any) -> AsyncIterator[LogReader]:
    async with reader(tuple(pods()), log_values.LOGS) as found:
        yield found


@pytest.fixture
async def runs(reader: Any) -> AsyncIterator[LogReader]:
    async with reader(OBJECTS, LOGS) as found:
        yield found


def pods() -> Iterator[dict[str, Any]]:
    """The pods whose containers print ``log_values``."""
    containers: dict[tuple[str, str], list[str]] = {}
    for source in log_values.LOGS:
        containers.setdefault((source.namespace, source.pod), []).append(source.container)
    for (namespace, name), names in containers.items():
        found = pod(name, namespace=namespace)
        (status,) = found["status"]["containerStatuses"]
        found["status"]["containerStatuses"] = [{**status, "name": name} for name in names]
        yield found


async def test_sources_are_containers_and_their_previous_runs(runs: LogReader) -> None:
    assert await runs.sources("shop", WINDOW) == (RUNNING, PREVIOUS, HEALTHY)


async def test_lines_in_the_window_with_their_continuations(runs: LogReader) -> None:
    (stream,) = (await runs.read(RUNNING, WINDOW, 100)).streams
    assert stream.source == RUNNING
    assert [line.text for line in stream.lines] == ["starting", "panic: boom\ngoroutine 1 [running]:", "red"]
    assert stream.lines[0].time == datetime(2026, 3, 1, 11, 40, 0, 123456, UTC)
    assert stream.left_out == 0


async def test_the_run_before_the_last_restart(runs: LogReader) -> None:
    (stream,) = (await runs.read(PREVIOUS, WINDOW, 100)).streams
    assert [line.text for line in stream.lines] == ["last words"]


async def test_a_log_that_is_not_there_is_refused(runs: LogReader) -> None:
    with pytest.raises(PermanentError, match="nobody"):
        await runs.read(LogSource("shop", "nobody", "app"), WINDOW, 10)
    with pytest.raises(PermanentError):
        await runs.read(LogSource("@nodes", "worker-1", "kubelet"), WINDOW, 10)
