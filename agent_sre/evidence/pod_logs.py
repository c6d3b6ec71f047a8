"""Logs of the containers in the incident's namespaces, the most telling ones first.

Containers that are not well, previous runs of restarted ones, and workloads the alerts name come before the rest; of
healthy replicas only a few are read, because they tell the same story. What is not read is said. Where a log store is
configured, it adds what the runtime no longer has (``log_history``).
"""

import asyncio
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import LogSource, LogStream
from agent_sre.evidence.kubernetes_paths import SYSTEM_NAMESPACE, log_query
from agent_sre.evidence.log_budget import LogBudget
from agent_sre.evidence.log_counts import observe_errors
from agent_sre.evidence.log_history import missing
from agent_sre.evidence.reading import Reading, not_there
from agent_sre.evidence.scope import Collected, Readers, Scope
from agent_sre.ports.cluster import ClusterReader
from agent_sre.ports.logs import LogAnswer, LogReader

NAME = "pod_logs"
Place = tuple[str, str]
"""Namespace and name of a pod."""
_HEALTHY_REPLICAS = 3
_SYSTEM_PARTS = ("etcd-", "coredns-", "kube-")
_POD_SUFFIX = re.compile(r"-[a-f0-9]{6,10}-[a-z0-9]{5}$|-[a-z0-9]{5}$|-\d+$")
_FIX = "grant the reader's account get on pods/log, or add logs/ to the snapshot"
_STORE_FIX = "let the account in AGENT_SRE_LOGS_* read this namespace; agent-sre doctor says what it can"


async def collect(scope: Scope, readers: Readers) -> Collected:
    """One observation per container's run; of a log store one per part of the window that only it has, and counts."""
    if readers.logs is None and readers.log_store is None:
        return not_there("logs", "logs of containers", _FIX)
    reading = Reading(NAME, "logs", scope)
    ailing = await _ailing(scope, readers.cluster)
    listed, answers = await _current(reading, readers.logs, ailing) if readers.logs is not None else ([], {})
    if readers.log_store is not None:
        await _history(reading, readers.log_store, ailing, listed, answers)
        await observe_errors(reading, readers.log_store, _workloads(scope), _STORE_FIX)
    return reading.done()


async def _current(
    reading: Reading, logs: LogReader, ailing: set[Place]
) -> tuple[list[LogSource], dict[LogSource, LogStream | None]]:
    """Read the most telling runs from the runtime; gives all that there are, and what came of those chosen."""
    scope = reading.scope
    sources = [*await _sources(reading, logs, _FIX), *await _system_sources(reading, logs)]
    chosen, skipped = _choose(sources, ailing, _named(scope), scope.limits.log_streams)
    answers = await _read_all(reading, logs, [(source, scope.window) for source in chosen], _FIX)
    for source, answer in zip(chosen, answers, strict=True):
        if answer is not None:
            query = log_query(source.namespace, source.pod, source.container, previous=source.previous)
            reading.observe(query, streams=answer.streams, left_out=left_out(answer), link=answer.link)
    _say_skipped(reading, skipped, scope.limits.log_streams)
    read = {source: answer.streams[0] if answer else None for source, answer in zip(chosen, answers, strict=True)}
    return sources, read


async def _system_sources(reading: Reading, logs: LogReader) -> list[LogSource]:
    """Logs of the cluster's own parts: control plane, proxies and DNS."""
    if SYSTEM_NAMESPACE in reading.scope.namespaces:
        return []
    read = partial(logs.sources, SYSTEM_NAMESPACE, reading.scope.window)
    found = await reading.look(f"logs of {SYSTEM_NAMESPACE}", read, _FIX)
    return [source for source in found or () if source.pod.startswith(_SYSTEM_PARTS)]


async def _history(
    reading: Reading,
    store: LogReader,
    ailing: set[Place],
    listed: Sequence[LogSource],
    answers: Mapping[LogSource, LogStream | None],
) -> None:
    """Read from the store what the runtime did not cover."""
    scope = reading.scope
    stored = await _sources(reading, store, _STORE_FIX)
    wanted = missing(stored, listed, answers, scope.window)
    chosen, skipped = _choose(wanted, ailing, _named(scope), scope.limits.stored_streams)
    parts = [(source, window) for source in chosen for window in wanted[source]]
    for (_, window), answer in zip(parts, await _read_all(reading, store, parts, _STORE_FIX), strict=True):
        if answer is not None and (any(stream.lines for stream in answer.streams) or left_out(answer)):
            reading.observe(
                answer.query, streams=answer.streams, left_out=left_out(answer), link=answer.link, window=window
            )
    _say_skipped(reading, skipped, scope.limits.stored_streams)


async def _sources(reading: Reading, logs: LogReader, fix: str) -> list[LogSource]:
    scope = reading.scope
    listed = await asyncio.gather(
        *(reading.look(f"logs of {name}", partial(logs.sources, name, scope.window), fix) for name in scope.namespaces)
    )
    return [source for found in listed for source in found or ()]


async def _read_all(
    reading: Reading, logs: LogReader, parts: Sequence[tuple[LogSource, Window]], fix: str
) -> list[LogAnswer | None]:
    limits = reading.scope.limits
    budget: LogBudget[int] = LogBudget(limits.log_bytes)

    async def read(place: int, source: LogSource, window: Window) -> None:
        budget.add(place, await logs.read(source, window, limits.log_lines))

    await asyncio.gather(
        *(
            reading.look(f"log of {source}", partial(read, place, source, window), fix)
            for place, (source, window) in enumerate(parts)
        )
    )
    return [budget.get(place) for place in range(len(parts))]


def left_out(answer: LogAnswer) -> tuple[str, ...]:
    """What to say of lines that an answer lacks."""
    lines = sum(stream.left_out for stream in answer.streams)
    return (*((f"{lines} lines, sampled evenly",) if lines else ()), *answer.notes)


def _say_skipped(reading: Reading, skipped: Sequence[LogSource], limit: int) -> None:
    if skipped:
        reading.gap(
            f"logs of {len(skipped)} more containers, such as {skipped[0]}",
            f"healthy replicas beyond {_HEALTHY_REPLICAS}, or more than {limit} streams",
        )


async def _ailing(scope: Scope, cluster: ClusterReader | None) -> set[Place]:
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


def _workloads(scope: Scope) -> frozenset[str]:
    """Workloads that the alerts' labels name, directly or by one of their pods."""
    labels = ("deployment", "statefulset", "daemonset", "workload", "service", "app", "job_name")
    named = {alert.labels[label] for alert in scope.alerts for label in labels if alert.labels.get(label)}
    pods = {workload_of(alert.labels["pod"]) for alert in scope.alerts if alert.labels.get("pod")}
    return frozenset(named | pods)


def _choose(
    sources: Iterable[LogSource], ailing: set[Place], named: frozenset[str], limit: int
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


def _rank(source: LogSource, ailing: set[Place], named: frozenset[str]) -> int:
    if source.previous or (source.namespace, source.pod) in ailing:
        return 0 if source.previous else 1
    return 2 if {source.pod, workload_of(source.pod), source.container} & named else 3


def workload_of(pod: str) -> str:
    """The workload's name, from the usual forms of pod names."""
    return _POD_SUFFIX.sub("", pod)
