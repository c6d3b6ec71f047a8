"""All collectors, one line each. A new one is a file, a test and a line here."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from agent_sre.evidence import (
    alert_conditions,
    alerts_received,
    changes,
    kubernetes_events,
    kubernetes_nodes,
    kubernetes_objects,
    metrics_exemplars,
    metrics_signals,
    node_journals,
    pod_logs,
    topology,
    traces,
)
from agent_sre.evidence.scope import Collected, Readers, Scope


@dataclass(frozen=True, slots=True)
class Collector:
    """A name, which is also the first part of its observations' ids, and the function.

    A ``quick`` collector asks one small question and gets a head start, so that a person sees the alert's own figures
    while the rest is still being read.
    """

    name: str
    collect: Callable[[Scope, Readers], Awaitable[Collected]]
    quick: bool = False


COLLECTORS: tuple[Collector, ...] = (
    Collector(kubernetes_objects.NAME, kubernetes_objects.collect),
    Collector(kubernetes_nodes.NAME, kubernetes_nodes.collect),
    Collector(kubernetes_events.NAME, kubernetes_events.collect),
    Collector(pod_logs.NAME, pod_logs.collect),
    Collector(node_journals.NAME, node_journals.collect),
    Collector(metrics_signals.NAME, metrics_signals.collect),
    Collector(metrics_exemplars.NAME, metrics_exemplars.collect),
    Collector(alerts_received.NAME, alerts_received.collect),
    Collector(alert_conditions.NAME, alert_conditions.collect, quick=True),
    Collector(changes.NAME, changes.collect),
    Collector(topology.NAME, topology.collect),
    Collector(traces.NAME, traces.collect),
)
