"""How the Kubernetes adapter reads logs longer than it may keep: the newest, and an honest count of the rest."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from agent_sre.adapters.kubernetes_api import Access, Connection, KubernetesCluster, KubernetesLogs
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.instant import format_instant
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import LogSource, LogStream
from agent_sre.testing.cluster import FakeCluster
from agent_sre.testing.kube_api_server import Fault, KubeApiServer
from tests.contract.telemetry_values import NOW, OBJECTS

SOURCE = LogSource("shop", "cart-2", "app")
START = NOW - timedelta(minutes=20)
WINDOW = Window(START, NOW)


def log(count: int, length: int = 0, every: float = 1.0, start: datetime = START) -> str:
    return "".join(
        f"{format_instant(start + timedelta(seconds=every * n))} line {n} {'x' * length}\n" for n in range(count)
    )


@pytest.fixture
async def server() -> AsyncIterator[KubeApiServer]:
    async with KubeApiServer(FakeCluster(OBJECTS)).running() as running:
        yield running


@pytest.fixture
async def cluster(server: KubeApiServer, tmp_path: Path) -> AsyncIterator[KubernetesCluster]:
    async def at_once(seconds: float) -> None:
        return None

    config = tmp_path / "kubeconfig"
    config.write_text(server.kubeconfig())
    opened = KubernetesCluster(Connection(Access("kubeconfig", str(config))), at_once)
    yield opened
    await opened.close()


def numbers(stream: LogStream) -> list[int]:
    return [int(line.text.split()[1]) for line in stream.lines]


async def test_of_a_long_log_the_newest_lines_are_read_and_the_rest_is_estimated(
    server: KubeApiServer, cluster: KubernetesCluster
) -> None:
    server.logs = {SOURCE: log(1000)}
    (stream,) = (await KubernetesLogs(cluster, tail=100).read(SOURCE, WINDOW, 500)).streams
    assert numbers(stream) == list(range(900, 1000))
    assert stream.left_out == pytest.approx(900, rel=0.05)


async def test_a_log_that_was_read_whole_left_nothing_out(server: KubeApiServer, cluster: KubernetesCluster) -> None:
    server.logs = {SOURCE: log(99)}
    (stream,) = (await KubernetesLogs(cluster, tail=100).read(SOURCE, WINDOW, 500)).streams
    assert (len(stream.lines), stream.left_out) == (99, 0)


async def test_a_window_long_past_is_not_empty_but_out_of_reach(
    server: KubeApiServer, cluster: KubernetesCluster
) -> None:
    server.logs = {SOURCE: log(1200)}
    past = Window(START, START + timedelta(minutes=1))
    (stream,) = (await KubernetesLogs(cluster, tail=100).read(SOURCE, past, 500)).streams
    assert stream.lines == ()
    assert stream.left_out == pytest.approx(60, rel=0.05)


async def test_long_lines_lose_the_oldest_not_the_newest(server: KubeApiServer, cluster: KubernetesCluster) -> None:
    server.logs = {SOURCE: log(100, length=1000)}
    (stream,) = (await KubernetesLogs(cluster, max_bytes=20_000).read(SOURCE, WINDOW, 500)).streams
    assert numbers(stream)[-1] == 99
    assert len(stream.lines) + stream.left_out == pytest.approx(100, rel=0.05)


async def test_lines_too_long_to_be_read_whole_are_counted(server: KubeApiServer, cluster: KubernetesCluster) -> None:
    server.logs = {SOURCE: log(64, length=30_000)}
    (stream,) = (await KubernetesLogs(cluster, tail=64, max_bytes=20_000).read(SOURCE, WINDOW, 500)).streams
    assert stream.left_out >= 1
    assert all(len(line.text) < 17_000 for line in stream.lines)


async def test_a_busy_server_is_asked_again(server: KubeApiServer, cluster: KubernetesCluster) -> None:
    server.logs = {SOURCE: log(3)}
    server.faults = [Fault(429, "busy"), Fault(503, "busy")]
    assert len((await KubernetesLogs(cluster).read(SOURCE, WINDOW, 10)).streams[0].lines) == 3
    assert len(server.requests) == 3


async def test_a_missing_right_is_named(server: KubeApiServer, cluster: KubernetesCluster) -> None:
    server.logs = {SOURCE: log(3)}
    server.denied = {("get", "pods/log")}
    with pytest.raises(PermanentError, match=r"get pods/log of shop/cart-2/app.*grant"):
        await KubernetesLogs(cluster).read(SOURCE, WINDOW, 10)


async def test_the_request_names_what_is_wanted(server: KubeApiServer, cluster: KubernetesCluster) -> None:
    previous = LogSource("shop", "cart-1", "app", previous=True)
    server.logs = {previous: log(3)}
    await KubernetesLogs(cluster).read(previous, WINDOW, 10)
    (request,) = server.requests
    assert request.path == "/api/v1/namespaces/shop/pods/cart-1/log"
    assert request.query["previous"] == "true"
    assert request.query["timestamps"] == "true"
    assert request.query["container"] == "app"
    assert request.query["sinceTime"] == format_instant(START.replace(microsecond=0))
