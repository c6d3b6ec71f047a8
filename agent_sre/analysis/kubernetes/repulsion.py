"""Pods that keep each other apart: required anti-affinity, in both directions, and hard topology spread constraints.

A domain is the set of nodes with the same value of a topology label. Anti-affinity is symmetric: a term of the pod that
wants a place, and a term of a pod that has one. Spreading counts the pods that match a constraint in each domain; a
node is refused where one more would exceed the domain with the fewest by more than maxSkew.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from agent_sre.analysis.casefile import K8sObject
from agent_sre.analysis.kubernetes.cluster import Cluster
from agent_sre.analysis.kubernetes.pods import Pod
from agent_sre.analysis.kubernetes.reading import dig, items, labels, mapping, name_of, number, text
from agent_sre.analysis.kubernetes.selectors import label_selector, node_terms, untolerated

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_HOST = "kubernetes.io/hostname"


def anti_affinity_terms(pod: Pod) -> list[Mapping[str, Any]]:
    """Required pod anti-affinity terms."""
    return items(pod.seen.value, "spec", "affinity", "podAntiAffinity", _REQUIRED)


def repellers(cluster: Cluster, pod: Pod, node: K8sObject) -> Iterator[Pod]:
    """Running pods that keep the pod off a node: matched by a term of its own, or having a term that matches it."""
    for other in cluster.pods:
        if other.ref == pod.ref or not other.node or other.done:
            continue
        host = cluster.node(other.node)
        if host is None:
            continue
        ours = any(_meets(term, pod, other, host, node) for term in anti_affinity_terms(pod))
        if ours or any(_meets(term, other, pod, host, node) for term in anti_affinity_terms(other)):
            yield other


def _meets(term: Mapping[str, Any], holder: Pod, target: Pod, one: K8sObject, two: K8sObject) -> bool:
    """Whether a term of ``holder`` matches ``target`` and the two nodes share the term's domain."""
    spaces = set(dig(term, "namespaces", default=[])) or {holder.ref.namespace}
    anywhere = dig(term, "namespaceSelector") == {}
    if not anywhere and target.ref.namespace not in spaces:
        return False
    first, second = (domain(node, text(term, "topologyKey")) for node in (one, two))
    return first is not None and first == second and label_selector(mapping(term, "labelSelector"), target.labels)


def domain(node: K8sObject, key: str) -> str | None:
    """The topology domain of a node; a host name label that was not shown is the node's name."""
    return labels(node, "metadata", "labels").get(key, name_of(node) if key == _HOST else None)


def hard_constraints(pod: Pod) -> list[Mapping[str, Any]]:
    """Topology spread constraints that must hold."""
    found = items(pod.seen.value, "spec", "topologySpreadConstraints")
    return [item for item in found if text(item, "whenUnsatisfiable") in ("DoNotSchedule", "")]


def uneven(cluster: Cluster, pod: Pod, node: K8sObject) -> bool:
    """Whether the pod on this node would break one of its hard spread constraints."""
    return any(_breaks(cluster, pod, node, item) for item in hard_constraints(pod))


def _breaks(cluster: Cluster, pod: Pod, node: K8sObject, constraint: Mapping[str, Any]) -> bool:
    key = text(constraint, "topologyKey")
    here = domain(node, key)
    if here is None:
        return True
    counted = _counts(cluster, pod, constraint, key)
    least = min(counted.values(), default=0)
    if len(counted) < (number(constraint, "minDomains") or 1):
        least = 0
    own = int(label_selector(mapping(constraint, "labelSelector"), pod.labels))
    return counted.get(here, 0) + own - least > (number(constraint, "maxSkew") or 1)


def _counts(cluster: Cluster, pod: Pod, constraint: Mapping[str, Any], key: str) -> Counter[str]:
    """Matching pods per domain, over the nodes that count: those the pod's selector and affinity allow."""
    found: Counter[str] = Counter()
    wanted = {**mapping(constraint, "labelSelector")}
    same = {name: pod.labels.get(name, "") for name in dig(constraint, "matchLabelKeys", default=[])}
    wanted["matchLabels"] = {**labels(wanted, "matchLabels"), **same}
    for seen in cluster.objects("Node"):
        place = domain(seen.value, key)
        if place is None or not _counts_here(pod, seen.value, constraint):
            continue
        found[place] += sum(
            1
            for other in cluster.on_node(name_of(seen.value))
            if other.ref.namespace == pod.ref.namespace and not other.done and label_selector(wanted, other.labels)
        )
    return found


def _counts_here(pod: Pod, node: K8sObject, constraint: Mapping[str, Any]) -> bool:
    spec = mapping(pod.seen.value, "spec")
    if text(constraint, "nodeTaintsPolicy") == "Honor" and untolerated(
        items(node, "spec", "taints"), items(spec, "tolerations")
    ):
        return False
    if text(constraint, "nodeAffinityPolicy") == "Ignore":
        return True
    found = labels(node, "metadata", "labels")
    terms = items(spec, "affinity", "nodeAffinity", _REQUIRED, "nodeSelectorTerms")
    chosen = all(found.get(name) == value for name, value in labels(spec, "nodeSelector").items())
    return chosen and (not terms or node_terms(terms, node))
