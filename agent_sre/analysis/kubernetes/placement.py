"""Which node could take a pod, and which predicate keeps it off each of the others.

The scheduler's predicates, computed from specifications: cordon, taints, nodeSelector, required node affinity, free
CPU, memory and pod slots, and required pod anti-affinity. Free means allocatable minus the requests of the pods bound
to the node, as far as they were listed; the scheduler's event, which knows all of them, is read beside this, not
instead.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agent_sre.analysis.casefile import K8sObject, Seen
from agent_sre.analysis.kubernetes.cluster import Cluster
from agent_sre.analysis.kubernetes.pods import Pod
from agent_sre.analysis.kubernetes.reading import dig, items, labels, mapping, name_of, quantity, text
from agent_sre.analysis.kubernetes.selectors import label_selector, node_terms, untolerated

CORDON, TAINT, SELECTOR, AFFINITY = "cordon", "taint", "selector", "affinity"
CPU, MEMORY, PODS, ANTI_AFFINITY = "cpu", "memory", "pods", "anti-affinity"
SPREAD, VOLUME_ZONE, PORTS = "spread", "volume-zone", "ports"
DOWN = "down"
"""The node itself is not ready, says a taint that the node controller sets: the node is the cause, not the pod."""

INTENT = (SELECTOR, AFFINITY)
"""Predicates that say where the pod is meant to run, as opposed to what keeps it from there."""

_CORDON_TAINT = "node.kubernetes.io/unschedulable"
_DOWN_TAINTS = frozenset(
    f"node.kubernetes.io/{name}"
    for name in ("not-ready", "unreachable", "memory-pressure", "disk-pressure", "pid-pressure", "network-unavailable")
)
_MASTER_LABELS = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
_REASONS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), predicate)
    for pattern, predicate in (
        (r"were unschedulable", CORDON),
        (r"untolerated taint|had taints? ", TAINT),
        (r"didn't match Pod's node affinity/selector|didn't match node selector", SELECTOR),
        (r"Insufficient cpu", CPU),
        (r"Insufficient memory", MEMORY),
        (r"Too many pods", PODS),
        (r"anti-affinity", ANTI_AFFINITY),
        (r"topology spread", SPREAD),
        (r"volume node affinity conflict|no available volume zone", VOLUME_ZONE),
        (r"didn't have free ports", PORTS),
    )
)
_COUNTED = re.compile(r"(\d+) ([^,.]+?(?:\{[^}]*\})?)(?=,|\.|$)")


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """One node and the predicates that keep the pod off it (empty: it could run there)."""

    node: Seen[K8sObject]
    name: str
    blockers: tuple[str, ...]
    taints: tuple[Mapping[str, Any], ...]


def placements(cluster: Cluster, pod: Pod) -> tuple[Verdict, ...]:
    """The verdict on every node; control-plane nodes only where there are no others."""
    nodes = list(cluster.objects("Node"))
    workers = [seen for seen in nodes if not is_control_plane(seen.value)]
    return tuple(_verdict(cluster, pod, seen) for seen in (workers or nodes))


def is_control_plane(node: K8sObject) -> bool:
    """Whether the node is labelled or tainted as part of the control plane."""
    found = labels(node, "metadata", "labels")
    roles = {found.get("kubernetes.io/role", ""), found.get("node.kubernetes.io/role", "")}
    tainted = {text(item, "key") for item in items(node, "spec", "taints")}
    return bool(set(_MASTER_LABELS) & (set(found) | tainted)) or bool(roles & {"master", "control-plane"})


def _verdict(cluster: Cluster, pod: Pod, seen: Seen[K8sObject]) -> Verdict:
    node, spec = seen.value, mapping(pod.seen.value, "spec")
    blockers: list[str] = []
    wanted = labels(spec, "nodeSelector")
    found = labels(node, "metadata", "labels")
    if any(found.get(key) != value for key, value in wanted.items()):
        blockers.append(SELECTOR)
    terms = required_terms(spec)
    if terms and not node_terms(terms, node):
        blockers.append(AFFINITY)
    taints = untolerated(items(node, "spec", "taints"), items(spec, "tolerations"))
    cordoned = dig(node, "spec", "unschedulable") is True or any(text(item, "key") == _CORDON_TAINT for item in taints)
    if cordoned:
        blockers.append(CORDON)
    if any(text(item, "key") in _DOWN_TAINTS for item in taints):
        blockers.append(DOWN)
    taints = [item for item in taints if text(item, "key") not in {_CORDON_TAINT, *_DOWN_TAINTS}]
    if taints:
        blockers.append(TAINT)
    if _repelled(cluster, pod, node):
        blockers.append(ANTI_AFFINITY)
    blockers += _too_small(cluster, pod, node)
    return Verdict(seen, name_of(node), tuple(blockers), tuple(taints))


def required_terms(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The node selector terms of required node affinity."""
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    return items(spec, "affinity", "nodeAffinity", required, "nodeSelectorTerms")


def _too_small(cluster: Cluster, pod: Pod, node: K8sObject) -> Iterator[str]:
    for resource, predicate in (("cpu", CPU), ("memory", MEMORY)):
        wanted, whole = requested(pod, resource), quantity(dig(node, "status", "allocatable", resource))
        if wanted and whole is not None:
            used = sum(requested(other, resource) for other in cluster.on_node(name_of(node)) if not other.done)
            if used + wanted > whole:
                yield predicate
    slots = quantity(dig(node, "status", "allocatable", "pods"))
    if slots is not None and len([other for other in cluster.on_node(name_of(node)) if not other.done]) >= slots:
        yield PODS


def requested(pod: Pod, resource: str) -> float:
    """The pod's request of a resource: its containers' sum, or its largest init container where that is more."""
    amounts: dict[bool, list[float]] = {True: [], False: []}
    for container in pod.containers:
        raw = dig(container.spec, "resources", "requests", resource)
        raw = dig(container.spec, "resources", "limits", resource) if raw is None else raw
        amounts[container.init].append(quantity(raw) or 0.0)
    return max(sum(amounts[False]), max(amounts[True], default=0.0))


def anti_affinity_terms(pod: Pod) -> list[Mapping[str, Any]]:
    """Required pod anti-affinity terms."""
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    return items(pod.seen.value, "spec", "affinity", "podAntiAffinity", required)


def _repelled(cluster: Cluster, pod: Pod, node: K8sObject) -> bool:
    return any(repelling(cluster, pod, node, term) is not None for term in anti_affinity_terms(pod))


def repelling(cluster: Cluster, pod: Pod, node: K8sObject, term: Mapping[str, Any]) -> Pod | None:
    """A running pod in the node's topology domain that the anti-affinity term matches."""
    key = text(term, "topologyKey")
    domain = labels(node, "metadata", "labels").get(key, name_of(node) if key == "kubernetes.io/hostname" else None)
    spaces = set(dig(term, "namespaces", default=[])) or {pod.ref.namespace}
    for other in cluster.pods:
        if other.ref == pod.ref or not other.node or other.done or other.ref.namespace not in spaces:
            continue
        host = next((seen.value for seen in cluster.objects("Node") if name_of(seen.value) == other.node), None)
        if host is None or not label_selector(mapping(term, "labelSelector"), other.labels):
            continue
        theirs = labels(host, "metadata", "labels").get(key, other.node if key == "kubernetes.io/hostname" else None)
        if domain is not None and theirs == domain:
            return other
    return None


def told(words: str) -> dict[str, int]:
    """What a FailedScheduling message says: nodes per predicate, from its first sentence."""
    first = words.partition(" preemption:")[0].partition("are available:")[2]
    found: dict[str, int] = {}
    for count, reason in _COUNTED.findall(first):
        predicate = next((name for pattern, name in _REASONS if pattern.search(reason)), "")
        if predicate:
            found[predicate] = found.get(predicate, 0) + int(count)
    return found
