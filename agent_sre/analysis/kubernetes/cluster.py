"""The cluster as one thing: workloads with their generations and pods, and the events that still mean something.

A Pod or ReplicaSet counts as the workload that owns it. Owner references decide; where they are absent (exports drop
them) labels, the pod-template hash and the name do. Events outlive what they are about, so only those count whose
object still exists, is the same (uid), and belongs to the workload's current generation. Built once per case, asked
by all Kubernetes families.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from agent_sre.analysis.casefile import CaseFile, K8sObject, Seen, per_case
from agent_sre.analysis.kubernetes.excerpts import event_time
from agent_sre.analysis.kubernetes.pods import Pod
from agent_sre.analysis.kubernetes.reading import (
    controller_of,
    dig,
    instant,
    labels,
    mapping,
    name_of,
    namespace_of,
    number,
    ref_of,
    text,
)
from agent_sre.analysis.kubernetes.selectors import label_selector
from agent_sre.analysis.kubernetes.workload import Workload, revision_path
from agent_sre.domain.reference import ObjectRef

OWNING_KINDS = ("Deployment", "StatefulSet", "DaemonSet", "Rollout", "CronJob", "Job")
_POD_OF_REPLICASET = re.compile(r"^(.+-[0-9a-z]{6,10})-[0-9a-z]{5}$")


class Cluster:
    """Indexes over one case's Kubernetes objects."""

    def __init__(self, case: CaseFile) -> None:
        self.looked_at = case.looked_at
        self.objects = case.objects
        self.get = case.get
        self.namespaces = case.namespaces
        self._events = case.events_of
        self.pods = tuple(pod for pod in map(Pod, case.objects("Pod")) if not pod.deleting)

    @cached_property
    def _owners(self) -> dict[ObjectRef, ObjectRef]:
        """Each object's direct controller, from owner references, else by label, hash or name."""
        found: dict[ObjectRef, ObjectRef] = {}
        for seen in self.objects("ReplicaSet"):
            owner = controller_of(seen.value) or self._deployment_of(seen.value)
            if owner is not None:
                found[ref_of(seen.value)] = owner
        for seen in self.objects("Job"):
            owner = controller_of(seen.value)
            if owner is not None:
                found[ref_of(seen.value)] = owner
        for pod in self.pods:
            owner = controller_of(pod.seen.value) or self._owner_by_labels(pod)
            if owner is not None:
                found[pod.ref] = owner
        return found

    def _deployment_of(self, replicaset: K8sObject) -> ObjectRef | None:
        name, found = name_of(replicaset), labels(replicaset, "metadata", "labels")
        hashed = found.get("pod-template-hash", name.rpartition("-")[2])
        ref = ObjectRef("Deployment", namespace_of(replicaset), name.removesuffix(f"-{hashed}"))
        return ref if self.get(ref) is not None else None

    def _owner_by_labels(self, pod: Pod) -> ObjectRef | None:
        space = pod.ref.namespace
        match = _POD_OF_REPLICASET.match(pod.ref.name)
        if match:
            named = ObjectRef("ReplicaSet", space, match[1])
            if self.get(named) is not None:
                return named
        for prefix, selector, owner in self._selecting.get(space, ()):
            if pod.ref.name.startswith(prefix) and label_selector(selector, pod.labels):
                return owner
        return None

    @cached_property
    def _selecting(self) -> dict[str, list[tuple[str, Mapping[str, Any], ObjectRef]]]:
        """By namespace what may own pods: how their names begin, its selector, itself."""
        found: dict[str, list[tuple[str, Mapping[str, Any], ObjectRef]]] = defaultdict(list)
        for seen in (seen for kind in OWNING_KINDS for seen in self.objects(kind)):
            selector = mapping(seen.value, "spec", "selector")
            if selector:
                prefix = f"{name_of(seen.value)}-"
                found[namespace_of(seen.value)].append((prefix, selector, ref_of(seen.value)))
        return found

    def workload_of(self, ref: ObjectRef) -> ObjectRef:
        """The workload an object belongs to; the object itself where nothing owns it."""
        seen = {ref}
        while (owner := self._owners.get(ref)) is not None and owner not in seen:
            seen.add(owner)
            ref = owner
        return ref

    def owner_of(self, ref: ObjectRef) -> ObjectRef | None:
        """An object's direct controller, or None."""
        return self._owners.get(ref)

    @cached_property
    def workloads(self) -> dict[ObjectRef, Workload]:
        """All workloads by reference, sorted; bare pods are none."""
        pods: dict[ObjectRef, list[Pod]] = defaultdict(list)
        for pod in self.pods:
            pods[self.workload_of(pod.ref)].append(pod)
        sets: dict[ObjectRef, list[Seen[K8sObject]]] = defaultdict(list)
        for seen in self.objects("ReplicaSet"):
            sets[self.workload_of(ref_of(seen.value))].append(seen)
        jobs: dict[ObjectRef, list[Seen[K8sObject]]] = defaultdict(list)
        for seen in self.objects("Job"):
            jobs[self.workload_of(ref_of(seen.value))].append(seen)
        revisions: dict[ObjectRef, list[Seen[K8sObject]]] = defaultdict(list)
        for seen in self.objects("ControllerRevision"):
            owner = controller_of(seen.value)
            if owner is not None:
                revisions[owner].append(seen)
        known = {ref_of(seen.value): seen for kind in OWNING_KINDS for seen in self.objects(kind)}
        refs = {ref for ref in {*known, *pods, *sets} if ref.kind != "Pod" and self.workload_of(ref) == ref}
        return {
            ref: Workload(
                ref,
                known.get(ref),
                _newest_first(sets[ref]),
                tuple(pods[ref]),
                self._owners,
                _newest_first(jobs[ref]) if ref.kind == "CronJob" else (),
                _newest_first(revisions[ref]),
            )
            for ref in sorted(refs)
        }

    def in_scope(self) -> list[Workload]:
        """The workloads of the investigated namespaces; all where none is named."""
        wanted = set(self.namespaces)
        return [item for ref, item in self.workloads.items() if not wanted or ref.namespace in wanted]

    def named(self, namespace: str, name: str) -> Workload | None:
        """The workload of this name, a Deployment before others."""
        for kind in OWNING_KINDS:
            found = self.workloads.get(ObjectRef(kind, namespace, name))
            if found is not None:
                return found
        return None

    def events(self, ref: ObjectRef, *reasons: str) -> list[Seen[K8sObject]]:
        """Events about one living object, the latest first; only these reasons where given."""
        owner = self.get(ref)
        uid = text(owner.value, "metadata", "uid") if owner else ""
        found = [
            seen
            for seen in self._events(ref)
            if (not reasons or text(seen.value, "reason") in reasons) and _same(uid, seen.value)
        ]
        return sorted(found, key=_recency, reverse=True)

    def events_of_workload(self, workload: Workload, *reasons: str) -> list[Seen[K8sObject]]:
        """Events about the workload, its current generation and that generation's pods, the latest first."""
        refs = [workload.ref, *(pod.ref for pod in workload.current_pods)]
        if workload.newest is not None and ref_of(workload.newest.value) != workload.ref:
            refs.append(ref_of(workload.newest.value))
        found = [seen for ref in refs for seen in self.events(ref, *reasons)]
        return sorted(found, key=_recency, reverse=True)

    @cached_property
    def _by_node(self) -> dict[str, tuple[Pod, ...]]:
        found: dict[str, list[Pod]] = defaultdict(list)
        for pod in self.pods:
            found[pod.node].append(pod)
        return {node: tuple(pods) for node, pods in found.items()}

    def on_node(self, node: str) -> tuple[Pod, ...]:
        """The pods bound to a node."""
        return self._by_node.get(node, ())

    def node(self, name: str) -> K8sObject | None:
        """A node by name."""
        found = self.get(ObjectRef("Node", "", name))
        return found.value if found is not None else None


@per_case
def cluster_of(case: CaseFile) -> Cluster:
    """The case's cluster; built once."""
    return Cluster(case)


def _newest_first(sets: Iterable[Seen[K8sObject]]) -> tuple[Seen[K8sObject], ...]:
    def age(seen: Seen[K8sObject]) -> tuple[int, float, int, str]:
        made = instant(seen.value, "metadata", "creationTimestamp")
        wanted = number(seen.value, "spec", "replicas") or 0
        revision = number(seen.value, *revision_path(seen.value)) or 0
        return revision, made.timestamp() if made else 0.0, wanted, name_of(seen.value)

    return tuple(sorted(sets, key=age, reverse=True))


def _same(uid: str, event: K8sObject) -> bool:
    told = dig(event, "involvedObject", "uid", default="") or dig(event, "regarding", "uid", default="")
    return not uid or not told or uid == told


def _recency(seen: Seen[K8sObject]) -> tuple[float, str]:
    moment: datetime | None = event_time(seen.value)
    return moment.timestamp() if moment else 0.0, name_of(seen.value)
