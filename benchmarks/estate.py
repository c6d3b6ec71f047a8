"""Fifty workloads for the benchmarks: a Kubernetes API in a process of its own, and samples for a real Prometheus.

``python -m benchmarks.estate`` serves the API and prints where; ``samples`` is the text that promtool makes blocks of.
"""

import asyncio
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from agent_sre.domain.instant import format_instant
from agent_sre.domain.telemetry import LogSource
from agent_sre.testing.cluster import FakeCluster
from agent_sre.testing.kube_api_server import KubeApiServer
from agent_sre.testing.kubernetes_objects import (
    Object,
    container,
    deployment,
    endpoints,
    event,
    node,
    pod,
    pod_template,
    replica_set,
    service,
)

NAMESPACE = "estate"
WORKLOADS = 50
PODS = 2
LINES = 200
STEP = 30
SECONDS = 3_600
COUNTERS = ("container_cpu_usage_seconds_total", "container_cpu_cfs_throttled_periods_total")
GAUGES = ("container_memory_working_set_bytes", "kube_pod_container_status_restarts_total")


def name_of(number: int) -> str:
    """The workload of a number, which wraps."""
    return f"svc-{number % WORKLOADS:02d}"


def objects() -> Iterator[Object]:
    """A Deployment, ReplicaSet, Service, Endpoints and pods with an Event for each workload, on five nodes."""
    for number in range(5):
        yield node(f"node-{number}")
    for number in range(WORKLOADS):
        name = name_of(number)
        app = container("app", f"registry.example/{name}:1", env={"NEXT": f"http://{name_of(number + 1)}:80"})
        owner = deployment(name, NAMESPACE, template=pod_template(name, [app]), replicas=PODS)
        generation = replica_set(owner, "5d4f9c", revision=1, replicas=PODS)
        yield from (owner, generation, service(name, NAMESPACE))
        yield endpoints(name, NAMESPACE, addresses=[f"10.0.{number}.{index}" for index in range(PODS)])
        for index in range(PODS):
            item = pod(pod_of(number, index), NAMESPACE, owner=generation, node_name=f"node-{(number + index) % 5}")
            yield item
            yield event(item, "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", at=_now())


def pod_of(number: int, index: int) -> str:
    """The pod's name."""
    return f"{name_of(number)}-5d4f9c-{index:05d}"


def samples() -> str:
    """An hour of container and HTTP metrics up to now, as OpenMetrics text."""
    end = int(time.time())
    times = range(end - SECONDS, end, STEP)
    lines: list[str] = []
    for metric in COUNTERS:
        lines.append(f"# TYPE {metric.removesuffix('_total')} counter")
        for labels in _pods():
            lines += [f"{metric}{{{labels}}} {number * 3.5} {at}" for number, at in enumerate(times)]
    for metric in GAUGES:
        lines.append(f"# TYPE {metric} gauge")
        for labels in _pods():
            lines += [f"{metric}{{{labels}}} {1e8 + number % 7} {at}" for number, at in enumerate(times)]
    lines.append("# TYPE http_requests counter")
    for number in range(WORKLOADS):
        for code in ("200", "500"):
            labels = f'namespace="{NAMESPACE}",service="{name_of(number)}",code="{code}"'
            lines += [f"http_requests_total{{{labels}}} {count * 40} {at}" for count, at in enumerate(times)]
    return "\n".join([*lines, "# EOF", ""])


def _pods() -> Iterator[str]:
    for number in range(WORKLOADS):
        for index in range(PODS):
            yield f'namespace="{NAMESPACE}",pod="{pod_of(number, index)}",container="app"'


def _now() -> str:
    return format_instant(datetime.now(UTC))


def _log() -> str:
    start = datetime.now(UTC) - timedelta(seconds=SECONDS)
    step = timedelta(seconds=SECONDS / LINES)
    return "".join(f"{format_instant(start + step * n)} INFO request {n} took {n % 90} ms\n" for n in range(LINES))


async def main() -> None:
    """Serve until killed; the first line on standard output says where, and with which kubeconfig."""
    server = KubeApiServer(FakeCluster(list(objects())))
    text = _log()
    for number in range(WORKLOADS):
        for index in range(PODS):
            server.logs[LogSource(NAMESPACE, pod_of(number, index), "app")] = text
    async with server.running():
        print(json.dumps({"url": server.url, "kubeconfig": server.kubeconfig()}), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
