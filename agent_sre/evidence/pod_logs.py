"""Logs of the containers in the incident's namespaces, the most telling ones first.

Containers that are not well, previous runs of restarted ones, and workloads the alerts name come before the rest; of
healthy replicas only a few are read, because they tell the same story. What is not read is said.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from agent_sre.domain.telemetry import LogSource
from agent_sre.evidence.kubernetes_paths import log_query
from agent_sre.evidence.reading import Reading, not_there
from agent_sre.evidence.scope import Collected, Readers, Scope
from agent_sre.ports.cluster import ClusterReader

NAME = "pod_logs"
_HEALTHY_REPLICAS = 3
_POD_SUFFIX = re.compile(r"-[a-f0-9]{6,10}-[a-z0-9]{5}$|-[a-z0-9]{5}$|-\d+$")
_FIX = "grant the reader's account get on pods/log, or add logs/ to the snapshot"


async def collect(scope: Scope, readers: Readers) -> Collected:
    """One observation per container's run."""
    logs = readers.logs
    if logs is None:
        return not_there("logs", "logs of containers", _FIX)
    reading = Reading(NAME, "logs", scope)
    listed = await asyncio.gather(
        *(reading.look(f"logs of {name}", partial(logs.sources, name), _FIX) for name in scope.namespaces)
    )
    sources = [source for found in listed for source in found or ()]
    ailing = await _ailing(scope, readers.cluster)
    chosen, skipped = _choose(sources, ailing, _named(scope), scope.limits.log_streams)
    answers = await asyncio.gather(
        *(
            reading.look(f"log of {source}", partial(logs.read, source, scope.window, scope.limits.log_lines), _FIX)
            for source in chosen
        )
    )
    for source, stream in zip(chosen, answers, strict=True):
        if stream is not None:
            left_out = (f"{stream.left_out} lines, sampled evenly",) if stream.left_out else ()
            query = log_query(source.namespace, source.pod, source.container, previous=source.previous)
            reading.observe(query, streams=(stream,), left_out=left_out)
    if skipped:
        reading.gap(
            f"logs of {len(skipped)} more containers, such as {skipped[0]}",
            f"healthy replicas beyond {_HEALTHY_REPLICAS}, or more than {scope.limits.log_streams} streams",
        )
    return reading.done()


async def _ailing(scope: Scope, cluster: ClusterReader | None) -> set[tuple[str, str]]:
    """Namespace and name of pods that are not well. Refusals are kubernetes_objects' gaps, not repeated here."""
    if cluster is None:
        return set()
    quiet = Reading(NAME, "kubernetes", scope)
    listed = await asyncio.gather(
        *(quiet.look("pods", partial(cluster.list, "Pod", namespace)) for namespace in scope.namespaces)
    )
    return {
        (str(pod["metadata"].get("namespace", "")), str(pod["metadata"].get("name", "")))
        for found in listed
        for pod in found or ()
        if not _healthy(pod)
    }


def _healthy(pod: Mapping[str, Any]) -> bool:
    status = pod.get("status") or {}
    statuses = [*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())]
    settled = all(item.get("ready", True) and not item.get("restartCount") for item in statuses)
    return settled and status.get("phase") in {"Running", "Succeeded", None}


def _named(scope: Scope) -> frozenset[str]:
    """Workloads, pods and services that the alerts' labels name."""
    labels = ("pod", "deployment", "statefulset", "daemonset", "workload", "service", "app", "job_name", "container")
    return frozenset(alert.labels[label] for alert in scope.alerts for label in labels if alert.labels.get(label))


def _choose(
    sources: Iterable[LogSource], ailing: set[tuple[str, str]], named: frozenset[str], limit: int
) -> tuple[list[LogSource], list[LogSource]]:
    """What to read, the most telling first, and what to skip."""
    rank = {source: _rank(source, ailing, named) for source in sources}
    ordered = sorted(rank, key=lambda source: (rank[source], str(source)))
    replicas: Counter[tuple[str, str, str]] = Counter()
    chosen: list[LogSource] = []
    skipped: list[LogSource] = []
    for source in ordered:
        workload = (source.namespace, workload_of(source.pod), source.container)
        replicas[workload] += 1
        enough = rank[source] > 1 and replicas[workload] > _HEALTHY_REPLICAS
        (skipped if enough or len(chosen) >= limit else chosen).append(source)
    return chosen, skipped


def _rank(source: LogSource, ailing: set[tuple[str, str]], named: frozenset[str]) -> int:
    if source.previous or (source.namespace, source.pod) in ailing:
        return 0 if source.previous else 1
    return 2 if {source.pod, workload_of(source.pod), source.container} & named else 3


def workload_of(pod: str) -> str:
    """The workload's name, from the usual forms of pod names."""
    return _POD_SUFFIX.sub("", pod)
