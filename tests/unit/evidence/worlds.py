"""Scopes and readers for the collectors' tests."""

import asyncio
import io
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from agent_sre.adapters.cluster_snapshot import SnapshotCluster
from agent_sre.adapters.context_snapshot import SnapshotChanges, SnapshotTopology, SnapshotTraces
from agent_sre.adapters.logs_snapshot import SnapshotLogs
from agent_sre.adapters.metrics_snapshot import SnapshotMetrics
from agent_sre.domain.alert import Alert, AlertStatus
from agent_sre.domain.errors import AgentSreError
from agent_sre.domain.reference import Window
from agent_sre.domain.signal import Signal
from agent_sre.domain.telemetry import Change, Edge, LogSource, Series, Span
from agent_sre.evidence.catalogue import COLLECTORS
from agent_sre.evidence.run import run_collector
from agent_sre.evidence.scope import Collected, Limits, Readers, Scope

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WINDOW = Window(NOW - timedelta(minutes=30), NOW)


def alert(name: str = "TooManyErrors", *, url: str = "", **labels: str) -> Alert:
    all_labels = {"alertname": name, "namespace": "shop", **labels}
    return Alert("f", AlertStatus.FIRING, all_labels, {}, NOW, None, NOW, "test", generator_url=url)


def scope(*alerts: Alert, **fields: Any) -> Scope:
    limits = Limits(timeout_seconds=fields.pop("timeout", 5.0))
    for name in [key for key in fields if key in Limits.__dataclass_fields__]:
        limits = replace(limits, **{name: fields.pop(name)})
    given = {"namespaces": ("shop",), "window": WINDOW, "now": NOW, "signals": SIGNALS, **fields}
    return Scope(incident_id="i", run=1, alerts=alerts or (alert(),), limits=limits, **given)


def pod(name: str, *, namespace: str = "shop", phase: str = "Running", ready: bool = True) -> dict[str, Any]:
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    statuses = [{"name": "app", "ready": ready, "restartCount": 0}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "managedFields": [{"manager": "x"}]},
        "status": {"phase": phase, "conditions": conditions, "containerStatuses": statuses},
    }


def event(name: str, last: str, namespace: str = "shop") -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Event", "metadata": metadata, "lastTimestamp": last}


def named(kind: str, name: str) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name}}


SIGNALS = (
    Signal("http_requests_total", "traffic", "per_second", {"namespace": "namespace", "app": "workload"}),
    Signal("node_load1", "saturation", "number", {"instance": "node"}),
    Signal("istio_total", "traffic", "per_second", {"destination_namespace": "namespace"}),
    Signal("took_seconds", "latency", "seconds", {"namespace": "namespace"}),
    Signal("not_there", "errors", "ratio", {}),
)


def series(name: str, **labels: str) -> Series:
    return Series.of(name, labels, [(NOW.timestamp() - 60 * n, float(10 - n)) for n in range(10, -1, -1)])


METRICS = (
    series("http_requests_total", namespace="shop", app="cart"),
    series("http_requests_total", namespace="bank", app="ledger"),
    series("http_requests_total", app="no-namespace"),
    series("node_load1", instance="worker-1", namespace="monitoring"),
    series("istio_total", destination_namespace="shop"),
    series("istio_total", destination_namespace="bank"),
    series("took_seconds_sum", namespace="shop"),
    series("took_seconds_count", namespace="shop"),
    series("took_seconds_bucket", namespace="shop", le="1"),
    series("unknown_metric", namespace="shop"),
)


def readers(**given: Any) -> Readers:
    """All sources, each with a little in it."""
    objects = [pod("cart-1"), pod("kube-dns", namespace="kube-system"), pod("ledger", namespace="bank")]
    objects += [named("Node", "worker-1"), named("Namespace", "shop"), event("e1", "2026-03-01T11:00:00Z")]
    objects += [event("e2", "2026-03-01T11:30:00Z"), event("n1", "2026-03-01T11:00:00Z", "default")]
    logs = {LogSource("shop", "cart-1", "app"): "2026-03-01T11:59:00Z token=abc12345 used\n"}
    everything: dict[str, Any] = {
        "cluster": SnapshotCluster(objects),
        "metrics": SnapshotMetrics(lambda: METRICS, lambda: NOW),
        "logs": log_reader(logs),
        "changes": SnapshotChanges([change("c0", 30), change("c1", 20), change("c2", 0.1)]),
        "topology": SnapshotTopology([Edge("web", "cart", "test")]),
        "traces": SnapshotTraces([Span("t", "s", "", "cart", "GET", NOW.timestamp() - 1, NOW.timestamp(), False, {})]),
    }
    return Readers(**{**everything, **given})


def change(identity: str, hours: float) -> Change:
    return Change(identity, NOW - timedelta(hours=hours), "deploy", "cart", "new version")


def log_reader(logs: Mapping[LogSource, str]) -> SnapshotLogs:
    return SnapshotLogs({source: partial(io.BytesIO, text.encode()) for source, text in logs.items()}, NOW)


async def run(name: str, wanted: Scope, given: Readers) -> Collected:
    (collector,) = [item for item in COLLECTORS if item.name == name]
    return await run_collector(collector, wanted, given)


class Refusing:
    """Stands for any reader; every method raises, or waits for ever."""

    def __init__(self, error: AgentSreError | None) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        async def refuse(*_arguments: object) -> None:
            if self._error is None:
                await asyncio.Event().wait()
            else:
                raise self._error

        return refuse
