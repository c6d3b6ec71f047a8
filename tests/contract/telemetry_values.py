"""Series, objects and logs that the conformance suites of the reading ports are run on."""

from datetime import UTC, datetime, timedelta
from typing import Any

from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Exemplar, LogSource, Series
from agent_sre.ports.cluster import READ_KINDS

NOW = datetime(2026, 3, 1, 12, 0, 0, 500_000, tzinfo=UTC)
WINDOW = Window(NOW - timedelta(minutes=30), NOW)
_START = NOW.timestamp() - 1800


def _counter(name: str, per_step: float, **labels: str) -> Series:
    return Series.of(name, labels, [(_START + 15 * n, per_step * n) for n in range(121)], "counter")


SERIES = (
    _counter("http_requests_total", 150, namespace="shop", app="cart", code="200"),
    _counter("http_requests_total", 30, namespace="shop", app="cart", code="500"),
    _counter("http_requests_total", 60, namespace="bank", app="ledger", code="200"),
    Series.of("queue_depth", {"namespace": "shop"}, [(_START + 15 * n, float(n)) for n in range(121)], "gauge"),
    Series.of("broken", {}, [(_START + 1795, float("nan"))], "gauge"),
    Series.of("old", {"namespace": "shop"}, [(_START + 1, 1.0)], "gauge"),
)
EXEMPLARS = (
    Exemplar("took_seconds_bucket", {"namespace": "shop", "le": "5"}, "4bf92f35", 2.5, _START + 1700),
    Exemplar("took_seconds_bucket", {"namespace": "shop", "le": "1"}, "00f067aa", 0.5, _START + 60),
    Exemplar("took_seconds_bucket", {"namespace": "bank", "le": "1"}, "a3ce929d", 0.7, _START + 60),
    Exemplar("took_seconds_bucket", {"namespace": "shop", "le": "1"}, "e736b0d1", 0.5, _START - 60),
)
RULE = {
    "type": "alerting",
    "name": "TooManyErrors",
    "query": 'sum(rate(http_requests_total{code="500"}[5m])) > 1',
    "duration": 60.0,
    "labels": {"severity": "critical"},
    "state": "firing",
    "alerts": [],
}
ACTIVE = {"labels": {"alertname": "TooManyErrors"}, "state": "firing", "activeAt": "2026-03-01T11:50:00Z", "value": "2"}


def pod(name: str, *, namespace: str = "shop", restarts: int = 0) -> dict[str, Any]:
    status = {"name": "app", "ready": not restarts, "restartCount": restarts, "state": {"running": {"startedAt": "x"}}}
    if restarts:
        status["lastState"] = {"terminated": {"exitCode": 1}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"containers": [{"name": "app"}]},
        "status": {"phase": "Running", "containerStatuses": [status]},
    }


def deployment(name: str, *, namespace: str = "shop") -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "app", "image": "app:1"}]}}
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": name}}, "template": template}
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


OBJECTS = (
    pod("cart-1", restarts=3),
    pod("cart-2"),
    pod("ledger-1", namespace="bank"),
    deployment("cart"),
    {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "worker-1"}},
    *(
        {"apiVersion": version, "kind": kind, "metadata": {"name": "one", "namespace": "shop"}}
        for kind, (version, _) in READ_KINDS.items()
        if kind not in {"Pod", "Deployment", "Node"}
    ),
)

RUNNING = LogSource("shop", "cart-1", "app")
PREVIOUS = LogSource("shop", "cart-1", "app", previous=True)
HEALTHY = LogSource("shop", "cart-2", "app")
LOGS = {
    RUNNING: (
        "2026-03-01T11:00:00Z too old\n"
        "2026-03-01T11:40:00.123456789Z starting\n"
        "2026-03-01T11:41:00Z panic: boom\n"
        "goroutine 1 [running]:\n"
        "2026-03-01T11:42:00Z \x1b[31mred\x1b[0m\n"
    ),
    PREVIOUS: "2026-03-01T11:39:00Z last words\n",
    HEALTHY: "".join(f"2026-03-01T11:{30 + n // 60:02d}:{n % 60:02d}Z line {n}\n" for n in range(600)),
}
