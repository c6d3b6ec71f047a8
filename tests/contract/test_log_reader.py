"""What every LogReader does, held to the snapshot twin and to the Kubernetes adapter over real sockets."""

import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from agent_sre.adapters.kubernetes_api import Access, Connection, KubernetesCluster, KubernetesLogs
from agent_sre.adapters.logs_snapshot import SnapshotLogs
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.telemetry import LogSource
from agent_sre.ports.logs import LogReader
from agent_sre.testing.cluster import FakeCluster
from agent_sre.testing.kube_api_server import KubeApiServer
from tests.contract.telemetry_values import HEALTHY, LOGS, NOW, OBJECTS, PREVIOUS, RUNNING, WINDOW


@pytest.fixture(params=["snapshot", "kubernetes"])
async def logs(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[LogReader]:
    if request.param == "snapshot":
        yield SnapshotLogs({source: partial(io.BytesIO, text.encode()) for source, text in LOGS.items()}, NOW)
        return
    async with KubeApiServer(FakeCluster(OBJECTS)).running() as server:
        server.logs = dict(LOGS)
        config = tmp_path / "kubeconfig"
        config.write_text(server.kubeconfig())
        cluster = KubernetesCluster(Connection(Access("kubeconfig", str(config))))
        yield KubernetesLogs(cluster)
        await cluster.close()


async def test_sources_are_containers_and_their_previous_runs(logs: LogReader) -> None:
    assert await logs.sources("shop") == (RUNNING, PREVIOUS, HEALTHY)
    assert await logs.sources("nowhere") == ()
    assert await logs.sources("@nodes") == ()


async def test_lines_in_the_window_with_their_continuations(logs: LogReader) -> None:
    stream = await logs.read(RUNNING, WINDOW, 100)
    assert stream.source == RUNNING
    assert [line.text for line in stream.lines] == ["starting", "panic: boom\ngoroutine 1 [running]:", "red"]
    assert stream.lines[0].time == datetime(2026, 3, 1, 11, 40, 0, 123456, UTC)
    assert stream.left_out == 0


async def test_the_run_before_the_last_restart(logs: LogReader) -> None:
    assert [line.text for line in (await logs.read(PREVIOUS, WINDOW, 100)).lines] == ["last words"]


async def test_too_many_lines_are_sampled_evenly_and_counted(logs: LogReader) -> None:
    stream = await logs.read(HEALTHY, WINDOW, 50)
    numbers = [int(line.text.split()[1]) for line in stream.lines]
    assert len(numbers) == 50
    assert stream.left_out == 549  # line 0 lies before the window
    assert numbers == sorted(numbers)
    assert max(later - earlier for earlier, later in pairwise(numbers)) < 40


async def test_a_log_that_is_not_there_is_refused(logs: LogReader) -> None:
    with pytest.raises(PermanentError, match="nobody"):
        await logs.read(LogSource("shop", "nobody", "app"), WINDOW, 10)
    with pytest.raises(PermanentError):
        await logs.read(LogSource("@nodes", "worker-1", "kubelet"), WINDOW, 10)
