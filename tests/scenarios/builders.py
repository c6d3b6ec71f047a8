"""A small shop in which one thing is broken at a time: objects, events, logs and unit states as one case file.

``Shop`` starts healthy: two workers and a control-plane node, and three workloads (front calls basket, basket calls
ledger), each with ReplicaSet, pod, Service, Endpoints and service account. A scenario changes or adds what its fault
would change. ``case()`` files every object under one observation per kind, as the collectors do.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from agent_sre.analysis.casefile import CaseFile
from agent_sre.domain.alert import Alert, AlertStatus, fingerprint_of
from agent_sre.domain.evidence import Observation
from agent_sre.domain.reference import Window
from agent_sre.domain.signal import default_signals
from agent_sre.domain.telemetry import Edge, LogLine, LogSource, LogStream, Series
from agent_sre.testing import kubernetes_objects as k8s

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
SPACE = "shop"
KINDS = (
    "Pod", "Service", "Endpoints", "Event", "Node", "Namespace", "ConfigMap", "ServiceAccount", "ResourceQuota",
    "PersistentVolumeClaim", "PersistentVolume", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job",
    "CronJob", "Ingress", "NetworkPolicy", "StorageClass",
)  # fmt: skip
Object = dict[str, Any]


@dataclass(frozen=True)
class App:
    """What a workload of the shop is made of; ``container`` and ``spec`` are further fields of its pod's."""

    name: str
    port: int
    env: Mapping[str, str] = field(default_factory=dict)
    container: Mapping[str, Any] = field(default_factory=dict)
    spec: Mapping[str, Any] = field(default_factory=dict)
    image: str = ""
    run: k8s.Run = k8s.HEALTHY
    phase: str = "Running"
    node: str = "worker-a"
    replicas: int = 1
    pods: int = 1
    speaks: str = "http"


class Shop:
    """The objects, logs and samples of a scenario."""

    def __init__(self, *apps: App, control_plane: bool = True) -> None:
        self.objects: list[Object] = []
        self.streams: list[LogStream] = []
        self.series: list[Series] = []
        self.edges = [Edge("front", "basket", "configuration"), Edge("basket", "ledger", "configuration")]
        given = {app.name: app for app in apps}
        for app in (front(), basket(), ledger()):
            self.add_app(given.pop(app.name, app))
        for app in given.values():
            self.add_app(app)
        self.objects += [k8s.node("worker-a"), k8s.node("worker-b")]
        if control_plane:
            master = k8s.node("control-a", cordoned=True)
            master["metadata"]["labels"]["node-role.kubernetes.io/control-plane"] = ""
            self.objects.append(master)

    def add_app(self, app: App) -> None:
        image = app.image or f"registry.example/{app.name}:1.4.2"
        container = k8s.container(app.name, image, env=app.env, port=app.port, **app.container)
        spec = {"serviceAccountName": app.name, **app.spec}
        template = k8s.pod_template(app.name, [container], **spec)
        healthy = app.run.ready and app.phase == "Running"
        available = app.pods if healthy else 0
        deployment = k8s.deployment(
            app.name, SPACE, template=template, replicas=app.replicas, available=min(available, app.replicas)
        )
        owner = k8s.replica_set(deployment, "6d5f7c9b84", revision=1, template=template, replicas=app.replicas)
        owner["status"]["replicas"] = app.pods
        names = [f"{owner['metadata']['name']}-x{place}k2m" for place in range(app.pods)]
        pods = [k8s.pod(name, SPACE, owner=owner, run=app.run, phase=app.phase, node_name=app.node) for name in names]
        addresses = [f"10.1.0.{place + 1}" for place in range(app.pods)] if healthy else []
        self.objects += [deployment, owner, *pods]
        service = k8s.service(app.name, SPACE, port=app.port, target_port=app.port)
        service["spec"]["ports"][0]["name"] = app.speaks
        self.objects.append(service)
        self.objects.append(k8s.endpoints(app.name, SPACE, addresses=addresses, port=app.port))
        self.add("v1", "ServiceAccount", app.name)

    def add(self, version: str, kind: str, name: str, *, namespace: str = SPACE, **fields: Any) -> Object:
        """Any further object."""
        found = {"apiVersion": version, "kind": kind, "metadata": k8s.metadata(kind, name, namespace), **fields}
        self.objects.append(found)
        return found

    def find(self, kind: str, name: str) -> Object:
        """The first object of a kind whose name begins so."""
        return next(item for item in self.objects if item["kind"] == kind and item["metadata"]["name"].startswith(name))

    def change(self, kind: str, name: str, edit: Callable[[Object], object]) -> None:
        """Edit one object in place."""
        edit(self.find(kind, name))

    def event(self, kind: str, name: str, reason: str, message: str, *, count: int = 1, minutes_ago: float = 1) -> None:
        """A warning event about an object of the shop."""
        at = (NOW - timedelta(minutes=minutes_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")
        found = k8s.event(self.find(kind, name), reason, message, count=count, at=at)
        found["metadata"]["name"] += f".{len(self.objects)}"
        self.objects.append(found)

    def log(self, app: str, *lines: str, previous: bool = False) -> None:
        """Lines of an app's container, one a second, the last ten seconds before now."""
        pods = [
            item for item in self.objects if item["kind"] == "Pod" and item["metadata"]["name"].startswith(f"{app}-")
        ]
        name = pods[0]["metadata"]["name"] if pods else app
        start = NOW - timedelta(seconds=10 + len(lines))
        entries = tuple(LogLine(start + timedelta(seconds=place), text) for place, text in enumerate(lines))
        self.streams.append(LogStream(LogSource(SPACE, name, app, previous), entries))

    def unit(self, node: str, name: str, state: str) -> None:
        """A unit's state as the node exporter reports it."""
        for known in ("active", "inactive", "failed"):
            labels = {"instance": node, "name": f"{name}.service", "state": known}
            points = [(NOW.timestamp() - 15, float(known == state))]
            self.series.append(Series.of("node_systemd_unit_state", labels, points, "gauge"))

    def case(self) -> CaseFile:
        """Everything as one case file, alerted for the namespace only."""
        return CaseFile(
            now=NOW,
            window=Window(NOW - timedelta(hours=1), NOW),
            namespaces=(SPACE,),
            alerts=(namespace_alert(),),
            observations=self._observations(),
            signals=default_signals(),
        )

    def _observations(self) -> list[Observation]:
        kinds = sorted({*KINDS, *(item["kind"] for item in self.objects)})
        found = [
            Observation(
                id=f"kubernetes/{place}",
                collector="kubernetes",
                source="kubernetes",
                query=f"GET /api kind={kind}",
                observed_at=NOW,
                objects=tuple(item for item in self.objects if item["kind"] == kind),
            )
            for place, kind in enumerate(kinds)
        ]
        found.append(Observation("logs/1", "logs", "kubernetes", "logs", NOW, streams=tuple(self.streams)))
        found.append(Observation("metrics/1", "metrics", "prometheus", "units", NOW, series=tuple(self.series)))
        found.append(Observation("topology/1", "topology", "configuration", "edges", NOW, edges=tuple(self.edges)))
        return found


def namespace_alert() -> Alert:
    """An alert that says no more than that something in the namespace is wrong."""
    labels = {"alertname": "ServiceDisrupted", "namespace": SPACE, "severity": "critical"}
    return Alert(
        fingerprint=fingerprint_of(labels),
        status=AlertStatus.FIRING,
        labels=labels,
        annotations={"summary": "Part of the shop does not answer."},
        starts_at=NOW,
        ends_at=None,
        received_at=NOW,
        source="alertmanager",
    )


def front(**changes: Any) -> App:
    """The entry: calls basket over HTTP."""
    return App("front", 8080, **{"env": {"PORT": "8080", "BASKET_ADDR": "basket:7070"}, **changes})


def basket(**changes: Any) -> App:
    """In the middle: gRPC, calls ledger."""
    probe = {"grpc": {"port": 7070}, "initialDelaySeconds": 15, "periodSeconds": 10, "failureThreshold": 3}
    fields = {"readinessProbe": probe, "livenessProbe": dict(probe), **changes.pop("container", {})}
    defaults = {"env": {"PORT": "7070", "LEDGER_ADDR": "ledger:5432"}, "container": fields, "speaks": "grpc"}
    return App("basket", 7070, **{**defaults, **changes})


def ledger(**changes: Any) -> App:
    """The store at the end."""
    return App("ledger", 5432, **{"speaks": "tcp", **changes})


def crashed(exit_code: int, *, reason: str = "Error", restarts: int = 5) -> k8s.Run:
    """A container in a crash loop."""
    last = k8s.terminated(reason, exit_code, finished="2026-01-05T08:00:05Z")
    return k8s.Run(ready=False, restarts=restarts, state=k8s.waiting("CrashLoopBackOff"), last_state=last)


def held(reason: str, message: str = "") -> k8s.Run:
    """A container that has not started and waits for a reason."""
    return k8s.Run(ready=False, state=k8s.waiting(reason, message))


PENDING: Mapping[str, Any] = {"node": "", "phase": "Pending", "run": k8s.Run(ready=False)}
"""A pod that no node has taken."""
