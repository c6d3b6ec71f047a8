"""What an alert's labels name: the workload, the node, the rule; read the same way for every source.

A Pod is reduced to its owner by the suffixes that controllers give. Labels of the scraping itself name the exporter and
not what is ill (``service`` and ``job`` of kube-state-metrics, ``instance`` of everything), so they are read only where
they can mean the sick thing. Pure; called by ``correlate``.
"""

import re
from collections.abc import Iterator

from agent_sre.domain.alert import Alert
from agent_sre.domain.footprint import Footprint
from agent_sre.domain.reference import owner_name

_OWNERS = ("deployment", "statefulset", "daemonset", "workload")
_SERVICES = ("service", "app", "job_name")
_EXPORTER = re.compile(r"exporter|kube-state-metrics|kubelet|cadvisor|prometheus|alertmanager|blackbox|apiserver")
_NODES = ("node", "kubernetes_node", "host", "hostname")
_RULES = ("rule_uid", "ruleuid", "__alert_rule_uid__", "alert_rule", "rule", "monitor_id", "dashboard_uid", "panel_id")
_LONGEST = 200
COMMON = frozenset(
    {
        *("alertname", "severity", "priority", "status", "namespace", "kubernetes_namespace", "cluster", "region"),
        *("zone", "env", "environment", "stage", "team", "owner", "tier", "job", "instance", "endpoint", "prometheus"),
        *("receiver", "source", "sender", "project", "account", "subscription", "tenant", "metric", "metrics_path"),
        *("urgency", "type", "kind", "class", "level", "reason", "condition", "container", "pod", "uid", "device"),
        *(*_OWNERS, *_SERVICES, *_NODES, *_RULES, "replicaset", "le", "code", "method", "alert_id", "id", "key"),
    }
)
"""Labels that most alerts share, or that are facts of their own: sharing their value is no further fact."""


def footprint_of(alert: Alert) -> Footprint:
    """The alert alone."""
    labels = alert.labels
    workload, node, cluster = workload_of(alert), node_of(alert), labels.get("cluster", "")
    return Footprint(
        workloads=(workload,) if workload else (),
        nodes=(node,) if node else (),
        namespaces=(alert.namespace[:_LONGEST],) if alert.namespace else (),
        clusters=(cluster[:_LONGEST],) if cluster else (),
        names=(alert.name[:_LONGEST],),
        alerts=tuple(f"{alert.name[:_LONGEST]} {place}" for place in _places(alert, node, cluster)),
        rules=tuple(f"{rule} in {alert.namespace[:_LONGEST]}" for rule in _rules(alert)),
        pairs=tuple(sorted(f"{name}={value}"[:_LONGEST] for name, value in labels.items() if _rare(name, value)))[:10],
        first=alert.speaks_of if alert.starts_at > alert.speaks_of else alert.starts_at,
        last=alert.speaks_of if alert.starts_at > alert.speaks_of else alert.starts_at,
    )


def workload_of(alert: Alert) -> str:
    """``namespace/name`` of what is ill, "/name" where no namespace is named, "" where no workload is."""
    name = _workload_name(alert)
    return f"{alert.namespace}/{name}"[:_LONGEST] if name else ""


def _workload_name(alert: Alert) -> str:
    labels = alert.labels
    for label in _OWNERS:
        if labels.get(label):
            return labels[label]
    if labels.get("replicaset"):
        return owner_name("ReplicaSet", labels["replicaset"])
    if labels.get("pod") and not _EXPORTER.search(labels["pod"]):
        return owner_name("Pod", labels["pod"])
    for label in _SERVICES:
        if labels.get(label) and not _EXPORTER.search(labels[label]):
            return labels[label]
    return ""


def node_of(alert: Alert) -> str:
    """The node or host, "" where none is named. An ``instance`` is one only where the node's own exporter speaks."""
    labels = alert.labels
    for label in _NODES:
        if labels.get(label):
            return labels[label][:_LONGEST]
    scraped = f"{labels.get('job', '')} {labels.get('service', '')}"
    if labels.get("instance") and ("node-exporter" in scraped or "node_exporter" in scraped):
        return labels["instance"].rpartition(":")[0][:_LONGEST] or labels["instance"][:_LONGEST]
    return ""


def _rules(alert: Alert) -> tuple[str, ...]:
    told = [f"{name}={alert.labels[name]}"[:_LONGEST] for name in _RULES if alert.labels.get(name)]
    panel = alert.annotations.get("__panelId__")
    if panel and alert.annotations.get("__dashboardUid__"):
        told.append(f"panel={alert.annotations['__dashboardUid__']}/{panel}"[:_LONGEST])
    return tuple(told)


def _places(alert: Alert, node: str, cluster: str) -> Iterator[str]:
    if node:
        yield f"on the same node {node}"
    if alert.namespace:
        yield f"in namespace {alert.namespace[:_LONGEST]}"
    elif cluster:
        yield f"in cluster {cluster[:_LONGEST]}"


def _rare(name: str, value: str) -> bool:
    return len(value) >= 3 and name.lower().replace(".", "_") not in COMMON
