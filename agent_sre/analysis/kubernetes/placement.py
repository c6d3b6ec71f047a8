"""Which node could take a pod, and which predicate keeps it off each of the others.

The scheduler's predicates, computed from specifications: cordon, taints, nodeSelector, required node affinity, free
CPU, memory, further resources and pod slots, host ports, the reach of volumes, and what keeps pods apart
(``repulsion``). Free means allocatable minus the requests of the pods bound to the node, as far as they were listed;
the scheduler's event, which knows all of them, is read beside this, not instead.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agent_sre.analysis.casefile import K8sObject, Seen
from agent_sre.analysis.kubernetes.cluster import Cluster
from agent_sre.analysis.kubernetes.pods import Pod
from agent_sre.analysis.kubernetes.reading import dig, items, labels, mapping, name_of, quantity, text
from agent_sre.analysis.kubernetes.repulsion import repellers, uneven
from agent_sre.analysis.kubernetes.selectors import node_terms, untolerated
from agent_sre.analysis.kubernetes.storage import claim_in_use, usable_volumes, within_reach

CORDON, TAINT, SELECTOR, AFFINITY = "cordon", "taint", "selector", "affinity"
CPU, MEMORY, PODS, ANTI_AFFINITY = "cpu", "memory", "pods", "anti-affinity"
SPREAD, VOLUME_ZONE, PORTS, OTHER = "spread", "volume-zone", "ports", "other"
ONE_POD = "one-pod"
"""The claim is for one pod only (ReadWriteOncePod), and another pod uses it."""
DEVICE = "device"
"""A resource of another kind, such as a GPU, of which the node has none at all."""
DOWN = "down"
"""The node itself is not ready, says a taint that the node controller sets: the node is the cause, not the pod."""

INTENT = (SELECTOR, AFFINITY, DEVICE)
"""Predicates that say where the pod is meant to run, as opposed to what keeps it from there."""

_CORDON_TAINT = "node.kubernetes.io/unschedulable"
_DOWN_TAINTS = frozenset(
    f"node.kubernetes.io/{name}"
    for name in ("not-ready", "unreachable", "memory-pressure", "disk-pressure", "pid-pressure", "network-unavailable")
)
_CORDONED = {"key": _CORDON_TAINT, "effect": "NoSchedule"}
_ROOM = {"cpu": CPU, "memory": MEMORY}
_MASTER_LABELS = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
_REASONS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), predicate)
    for pattern, predicate in (
        (r"were unschedulable|node\.kubernetes\.io/unschedulable", CORDON),
        (r"taints? \{node\.kubernetes\.io/", DOWN),
        (r"untolerated taint|had taints? ", TAINT),
        (r"didn't match Pod's node affinity/selector|didn't match node selector", SELECTOR),
        (r"Insufficient cpu", CPU),
        (r"Insufficient memory", MEMORY),
        (r"Too many pods", PODS),
        (r"anti-affinity", ANTI_AFFINITY),
        (r"topology spread", SPREAD),
        (r"volume node affinity conflict|no available volume zone", VOLUME_ZONE),
        (r"didn't have free ports", PORTS),
        (r"ReadWriteOncePod access mode", ONE_POD),
        (r"Insufficient |exceed max volume count|pod affinity rules", OTHER),
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
    """The verdict on every node; control-plane nodes only where there are no others, or the pod is meant for them."""
    nodes = list(cluster.objects("Node"))
    workers = [seen for seen in nodes if not is_control_plane(seen.value)]
    chosen = nodes if not workers or _for_control_plane(pod) else workers
    volumes = usable_volumes(cluster, pod)
    alone = claim_in_use(cluster, pod)
    return tuple(_verdict(cluster, pod, seen, volumes, alone) for seen in chosen)


def _for_control_plane(pod: Pod) -> bool:
    """Whether the pod asks for, or tolerates, the control plane by name."""
    spec = mapping(pod.seen.value, "spec")
    keys = {text(item, "key") for term in required_terms(spec) for item in items(term, "matchExpressions")}
    keys |= set(labels(spec, "nodeSelector")) | {text(item, "key") for item in items(spec, "tolerations")}
    return bool(keys & set(_MASTER_LABELS))


def is_control_plane(node: K8sObject) -> bool:
    """Whether the node is labelled or tainted as part of the control plane."""
    found = labels(node, "metadata", "labels")
    roles = {found.get("kubernetes.io/role", ""), found.get("node.kubernetes.io/role", "")}
    tainted = {text(item, "key") for item in items(node, "spec", "taints")}
    return bool(set(_MASTER_LABELS) & (set(found) | tainted)) or bool(roles & {"master", "control-plane"})


def _verdict(cluster: Cluster, pod: Pod, seen: Seen[K8sObject], volumes: list[list[K8sObject]], alone: bool) -> Verdict:
    node, spec = seen.value, mapping(pod.seen.value, "spec")
    found = labels(node, "metadata", "labels")
    terms = required_terms(spec)
    taints = untolerated(items(node, "spec", "taints"), items(spec, "tolerations"))
    keys = {text(item, "key") for item in taints}
    # The taint comes with the field, and is what DaemonSets tolerate; some exports show only one of the two.
    cordoned = bool(untolerated([_CORDONED], items(spec, "tolerations"))) and dig(node, "spec", "unschedulable") is True
    own = [item for item in taints if text(item, "key") not in {_CORDON_TAINT, *_DOWN_TAINTS}]
    tests = (
        (SELECTOR, any(found.get(key) != value for key, value in labels(spec, "nodeSelector").items())),
        (AFFINITY, bool(terms) and not node_terms(terms, node)),
        (CORDON, cordoned or _CORDON_TAINT in keys),
        (DOWN, bool(keys & _DOWN_TAINTS)),
        (TAINT, bool(own)),
        (ANTI_AFFINITY, next(repellers(cluster, pod, node), None) is not None),
        (SPREAD, uneven(cluster, pod, node)),
        (VOLUME_ZONE, not within_reach(volumes, node)),
        (PORTS, _port_taken(cluster, pod, node)),
        (ONE_POD, alone),
    )
    blockers = [name for name, holds in tests if holds]
    return Verdict(seen, name_of(node), (*blockers, *_too_small(cluster, pod, node)), tuple(own))


def required_terms(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The node selector terms of required node affinity."""
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    return items(spec, "affinity", "nodeAffinity", required, "nodeSelectorTerms")


def _too_small(cluster: Cluster, pod: Pod, node: K8sObject) -> Iterator[str]:
    others = [other for other in cluster.on_node(name_of(node)) if not other.ended]
    allocatable = mapping(node, "status", "allocatable")
    for resource in sorted(pod.resources()) if allocatable else ():
        asked, whole = requested(pod, resource), quantity(allocatable.get(resource))
        if not asked or (whole is None and "/" not in resource):
            continue
        used = sum(requested(other, resource) for other in others)
        if not whole:
            yield DEVICE
        elif used + asked > whole:
            yield _ROOM.get(resource, OTHER)
    slots = quantity(allocatable.get("pods"))
    if slots is not None and len(others) >= slots:
        yield PODS


def requested(pod: Pod, resource: str) -> float:
    """The pod's request of a resource, as the scheduler counts it.

    The containers' and sidecars' sum, or the largest init container beside the sidecars before it where that is more,
    and the overhead of the pod's runtime class.
    """
    together, most = 0.0, 0.0
    for container in pod.containers:
        raw = dig(container.spec, "resources", "requests", resource)
        raw = dig(container.spec, "resources", "limits", resource) if raw is None else raw
        amount = quantity(raw) or 0.0
        if container.init and text(container.spec, "restartPolicy") != "Always":
            most = max(most, together + amount)
        else:
            together += amount
    return max(together, most) + (quantity(dig(pod.seen.value, "spec", "overhead", resource)) or 0.0)


def _port_taken(cluster: Cluster, pod: Pod, node: K8sObject) -> bool:
    """Whether a host port that the pod wants is in use on the node."""
    wanted = _host_ports(pod)
    return bool(wanted) and any(
        wanted & _host_ports(other) for other in cluster.on_node(name_of(node)) if not other.ended
    )


def _host_ports(pod: Pod) -> set[tuple[str, str]]:
    return {
        (text(port, "hostPort"), text(port, "protocol") or "TCP")
        for container in pod.containers
        for port in items(container.spec, "ports")
        if text(port, "hostPort") not in ("", "0")
    }


def told(words: str) -> dict[str, int]:
    """What a FailedScheduling message says: nodes per predicate, from its first sentence."""
    first = words.partition(" preemption:")[0].partition("are available:")[2]
    found: dict[str, int] = {}
    for count, reason in _COUNTED.findall(first):
        predicate = next((name for pattern, name in _REASONS if pattern.search(reason)), "")
        if predicate:
            found[predicate] = found.get(predicate, 0) + int(count)
    return found
