"""Batch jobs that take what requests need: a Job that began when the trouble did, on something that both use.

That a job runs is no cause; most do so every night. It is one when it began with the incident, still runs, and shares
with what suffers something that became full at that moment: a node's CPU or disk, or a data store that its log or
settings name. The CronJob is the object, since its schedule or limits are what a person changes.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.departures import Departure, departures, incident_start
from agent_sre.analysis.kubernetes.cluster import Cluster, cluster_of
from agent_sre.analysis.kubernetes.excerpts import fact, log_fact
from agent_sre.analysis.kubernetes.logs import matching, streams
from agent_sre.analysis.kubernetes.reading import instant, number as whole, ref_of
from agent_sre.analysis.kubernetes.workload import Workload
from agent_sre.analysis.log_entries import Statement, statements
from agent_sre.analysis.signals import about
from agent_sre.analysis.stores import busier_store, dependants, stores, stores_of
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.reference import ObjectRef

_NEAR = 180.0
_NODE_FULL = 0.85
_DISK_FULL = 0.8
_TELLING = 5
"""Letters from which on a job's name in a store's log is no chance."""


def batch_job_contention(case: CaseFile) -> Iterable[Finding]:
    """Jobs that began with the incident and share a full resource with those that suffer."""
    cluster, start = cluster_of(case), incident_start(case)
    for job in cluster.objects("Job"):
        began = instant(job.value, "status", "startTime")
        if began is None or abs(began.timestamp() - start) > _NEAR or not _ran(job.value, began, start):
            continue
        owner = cluster.workloads.get(cluster.workload_of(ref_of(job.value)))
        if owner is None:
            continue
        shared = [*_nodes(case, owner), *_used_stores(case, cluster, owner)]
        if not shared:
            continue
        facts = [fact(f"{ref_of(job.value)} began when the trouble did", job, ("status", "startTime"), time=began)]
        facts += [item for item, _ in shared]
        yield Finding(
            analyzer="batch_job_contention",
            fault="batch_job_contention",
            object=owner.ref,
            strength=0.86 if len(facts) > 2 else 0.8,
            statement=f"{owner.ref.name} runs since the trouble began and takes what others need.",
            facts=tuple(facts[:5]),
            onset=began,
            explains=tuple(dict.fromkeys(ref for _, hit in shared for ref in hit)),
            distinguish=f"whether it ends when {owner.ref.name} ends, and earlier runs at the same hour",
        )


def _ran(job: object, began: datetime, start: float) -> bool:
    """Whether it is at work, or worked for some time after the trouble began."""
    if whole(job, "status", "active"):
        return True
    ended = instant(job, "status", "completionTime")
    return ended is not None and ended.timestamp() > max(start, began.timestamp()) + _NEAR


def _nodes(case: CaseFile, owner: Workload) -> Iterator[tuple[Fact, tuple[ObjectRef, ...]]]:
    """Nodes of its pods that became busy, with the workloads that run there."""
    cluster = cluster_of(case)
    for node in sorted({pod.node for pod in owner.pods if pod.node}):
        there = tuple(
            dict.fromkeys(cluster.workload_of(pod.ref) for pod in cluster.on_node(node) if pod.ref.kind == "Pod")
        )
        hit = tuple(ref for ref in there if ref != owner.ref)
        upstream = tuple(caller for ref in hit for caller in dependants(case, ref.name))
        for moved, told in _busy(case, node):
            yield (
                moved.fact(f"The {told} of {node}, where it runs, is at {moved.told}"),
                (*hit, *upstream),
            )


def _busy(case: CaseFile, node: str) -> Iterator[tuple[Departure, str]]:
    for meaning, least, told in (("cpu", _NODE_FULL, "CPU"), ("disk", _DISK_FULL, "disk")):
        for moved in departures(case, about(case, meaning, "node")):
            ours = moved.signal.entity.name == node
            if ours and moved.strong and moved.after >= least and moved.after > 1.3 * moved.before:
                yield moved, told


def _used_stores(case: CaseFile, cluster: Cluster, owner: Workload) -> Iterator[tuple[Fact, tuple[ObjectRef, ...]]]:
    """Data stores that the job uses, by its log or settings, and that became busier with it."""
    for name in stores(case):
        moved = busier_store(case, name)
        if moved is None:
            continue
        pattern = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
        line = next(matching(streams(case, owner), pattern), None)
        asked = _asked_by(case, name, owner)
        if line is None and asked is None and name not in stores_of(case, owner.ref.name):
            continue
        refs = (_named(cluster, owner, name), *dependants(case, name))
        yield (
            moved.fact(f"{name}, which it uses, is at {moved.told}"),
            refs,
        )
        if line is not None:
            yield log_fact(f"Its log names {name}", *line), refs
        if asked is not None:
            yield asked.fact(f"The log of {name} names it"), refs


def _asked_by(case: CaseFile, store: str, owner: Workload) -> Statement | None:
    """What a store logs since the trouble began under the job's name (as user or application, however joined)."""
    words = re.split(r"[-_.]", owner.ref.name)
    named = re.compile(rf"(?<![\w-]){'[-_.]?'.join(map(re.escape, words))}(?![\w-])", re.IGNORECASE)
    ours = (item for item in statements(case) if item.workload == store and item.since > item.before)
    return next((item for item in ours if len(owner.ref.name) >= _TELLING and named.search(item.sample)), None)


def _named(cluster: Cluster, owner: Workload, name: str) -> ObjectRef:
    """The workload of a name in the job's namespace."""
    found = cluster.named(owner.ref.namespace, name)
    return found.ref if found is not None else ObjectRef("StatefulSet", owner.ref.namespace, name)
