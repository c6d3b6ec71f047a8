"""Workloads that run out of something: CPU, memory, file descriptors, connections, threads, replicas, disk.

Each analyzer compares one resource of one workload with its usual and, where a limit is known, with that. Saturation is
a cause only where something suffers: a batch job that uses its CPU to the full is at work, not at fault. Who suffers is
read from latency and failures of the workload and of its callers. Where a whole node is busy and the neighbour that
makes it so is another workload than the one that suffers, the neighbour is named.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.changepoints import median
from agent_sre.analysis.departures import Departure, departure, departures, excerpt, incident_start, number
from agent_sre.analysis.filling import full_in, theil_sen
from agent_sre.analysis.kubernetes.cluster import cluster_of
from agent_sre.analysis.objects import node_of, object_of
from agent_sre.analysis.profiles import Profile, profiles
from agent_sre.analysis.resources import busier
from agent_sre.analysis.signals import Measured, about
from agent_sre.domain.finding import Fact, Finding

_FULL = 0.85
_UNMOVED = 0.03
"""The share of all growth below which memory has not begun to grow."""


def memory_leak(case: CaseFile) -> Iterable[Finding]:
    """Workloads whose memory grows steadily, hour after hour or restart after restart, with time left before full."""
    limits = _limits(case, "memory")
    for item in about(case, "memory"):
        if item.unit != "bytes" or item.times.size < 12:
            continue
        slope = _steady_slope(item)
        if slope is None:
            continue
        name = item.entity.name
        limit = limits.get(name)
        last = float(item.values[-1])
        near = limit is not None and last > 0.7 * limit
        moved = departure(case, item) or _span(item)
        text = f"Memory of {name} grows by {number(slope * 60)} bytes a minute and stands at {number(last)}"
        shown = f"{excerpt(moved)}; slope {number(slope * 60)} a minute, last {number(last)}"
        if limit is not None and (soon := full_in(limit - last, slope)):
            text, shown = f"{text}; {soon}", f"{shown}, limit {number(limit)}, {soon}"
        facts = [Fact(text, item.observation, shown)]
        yield Finding(
            analyzer="memory_leak",
            fault="memory_leak",
            object=object_of(case, name, item.entity.namespace),
            strength=0.62 if near else 0.42,
            statement=f"{name} does not give its memory back.",
            facts=tuple(facts),
            onset=_growing_since(item),
            distinguish=f"a heap profile of {name}, twice, some minutes apart",
        )


def _span(item: Measured) -> Departure:
    first, last = float(item.values[0]), float(item.values[-1])
    return Departure(item, first, last, 0.0, 0.0, float(item.times[0]), max(first, last))


def _steady_slope(item: Measured) -> float | None:
    """Theil-Sen slope (bytes a second) where growth is steady and adds half or more; None elsewhere."""
    values, times = item.values, item.times
    resets = np.flatnonzero(np.diff(values) < -0.3 * values[:-1]) + 1
    bounds = [0, *resets.tolist(), values.size]
    first, end = max(pairwise(bounds), key=lambda run: run[1] - run[0])
    values, times = values[first:end], times[first:end]  # the longest run between two restarts
    if values.size < 12 or times[-1] - times[0] < 600:
        return None
    if median(values[-6:]) < 1.4 * median(values[:6]):
        return None  # growth by half cannot be there; this spares most series the pairs of samples
    slope = theil_sen(times, values)
    grown = slope * float(times[-1] - times[0])
    stretches = np.array([np.median(part) for part in np.array_split(values, 12)])
    rising = float(np.mean(np.diff(stretches) > 0))  # of stretches: what jitters from sample to sample grows too
    if slope <= 0 or grown < 0.5 * float(values[0]) or rising < 0.8:
        return None
    residual = values - (np.median(values) + slope * (times - np.median(times)))
    return slope if float(np.median(np.abs(residual))) < 0.1 * grown else None


def _growing_since(item: Measured) -> datetime:
    """When memory last stood where its growth set out from."""
    top = int(np.argmax(item.values))
    low, high = float(np.min(item.values[: top + 1])), float(item.values[top])
    quiet = np.flatnonzero(item.values[: top + 1] <= low + _UNMOVED * (high - low))
    return datetime.fromtimestamp(float(item.times[int(quiet[-1])]), UTC)


def _limits(case: CaseFile, resource: str) -> Mapping[str, float]:
    found: dict[str, float] = {}
    for item in about(case, "limit"):
        if item.labels.get("resource") == resource and item.values.size:
            found[item.entity.name] = max(found.get(item.entity.name, 0.0), float(item.values[-1]))
    return found


def hpa_at_max(case: CaseFile) -> Iterable[Finding]:
    """Autoscalers at their maximum while the workload is still slow or busy."""
    tops = {item.entity: float(item.values[-1]) for item in about(case, "replicas_max") if item.values.size}
    for item in about(case, "replicas"):
        top = tops.get(item.entity)
        since = item.values[item.times >= incident_start(case) - 60]
        if not top or not since.size or float(np.min(since[-3:])) < top:
            continue
        moved = departure(case, item) or _span(item)
        name = item.entity.name
        profile = profiles(case).get(name)
        suffers = profile is not None and (profile.slow > 0 or profile.failing > 0.01)
        shown = f"{excerpt(moved)}; maximum {number(top)}, last {number(since[-1])}"
        yield Finding(
            analyzer="hpa_at_max",
            fault="hpa_at_max",
            object=object_of(case, name, item.entity.namespace),
            strength=0.6 if suffers else 0.35,
            statement=f"{name} is at the maximum of its autoscaler and needs more.",
            facts=(
                Fact(f"{name} runs {number(since[-1])} replicas, its maximum {number(top)}", item.observation, shown),
            ),
            distinguish=f"the autoscaler's own condition ScalingLimited for {name}",
        )


def _on_nodes(case: CaseFile) -> Mapping[str, list[Profile]]:
    """The workloads on each node: by the node their metrics name, else by their pods as the cluster lists them."""
    cluster, where = cluster_of(case), defaultdict[str, set[str]](set)
    for pod in cluster.pods:
        if pod.node:
            where[cluster.workload_of(pod.ref).name].add(pod.node)
    found: dict[str, list[Profile]] = defaultdict(list)
    for name, profile in profiles(case).items():
        told = {
            item.labels["node"].partition(":")[0] for item in profile.signals.get("cpu", []) if item.labels.get("node")
        }
        for node in sorted(told or where.get(name, set())):
            found[node].append(profile)
    return found


def _louder(profile: Profile, resource: str) -> Departure | None:
    """The rise of a workload's use of a resource, where it is one."""
    if resource == "cpu":
        return busier(profile)
    risen = [moved for moved in profile.departures.get(resource, ()) if moved.strong and moved.after > 3 * moved.before]
    return next(iter(risen), None)


def noisy_neighbor(case: CaseFile) -> Iterable[Finding]:
    """A workload that fills a node on which others became slow, though they use no more than usual."""
    for resource, what in (("cpu", "CPU"), ("disk", "disk")):
        yield from _neighbours(case, resource, what)


def _neighbours(case: CaseFile, resource: str, what: str) -> Iterable[Finding]:
    busy = {
        node_of(case, moved.signal.entity.name.partition(":")[0]).name: moved
        for moved in departures(case, about(case, resource, "node"))
        if moved.strong and moved.after >= _FULL and moved.after > moved.before
    }
    on_node = _on_nodes(case) if busy else {}
    for node, node_busy in sorted(busy.items()):
        loud = [
            (moved.after - moved.before, profile)
            for profile in on_node.get(node, [])
            if (moved := _louder(profile, resource))
        ]
        if not loud:
            continue
        _, worst = max(loud, key=lambda pair: (pair[0], pair[1].entity.name))
        victims = [p for p in on_node[node] if p is not worst and p.slow > 0 and _louder(p, resource) is None]
        moved = _louder(worst, resource)
        if not victims or worst.slow > 0 or moved is None:
            continue
        name = worst.entity.name
        yield Finding(
            analyzer="noisy_neighbor",
            fault="noisy_neighbor",
            object=object_of(case, name, worst.entity.namespace),
            strength=0.64,
            statement=f"{name} fills {node} and slows what else runs there.",
            facts=(
                moved.fact(f"{name}: {what} use is {number(moved.after)}, usually {number(moved.before)}"),
                node_busy.fact(
                    f"{node}: its {what} is busy at {number(node_busy.after)}, usually {number(node_busy.before)}"
                ),
            ),
            explains=tuple(object_of(case, victim.entity.name) for victim in victims),
            distinguish=f"latency of the others on {node} against that of their replicas elsewhere",
        )
