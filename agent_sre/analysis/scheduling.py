"""Scheduling: a pod that no node takes, reasoned node by node.

A selector or required affinity says where the pod is meant to run. If no node satisfies it, it is the cause. If some
do, it is honoured, and what keeps the pod off those nodes is the cause: cordon, taint, other pods, a volume out of
reach, or too little room. The scheduler's own words confirm or, where specifications do not show it, stand alone.
Claims that are not bound are next door (``volumes``).
"""

from collections import Counter
from collections.abc import Iterator

from agent_sre.analysis.casefile import CaseFile, K8sObject, Seen
from agent_sre.analysis.kubernetes import placement as at
from agent_sre.analysis.kubernetes.cluster import Cluster, cluster_of
from agent_sre.analysis.kubernetes.excerpts import event_fact, fact, message
from agent_sre.analysis.kubernetes.placement import Verdict, placements, told
from agent_sre.analysis.kubernetes.pods import Pod
from agent_sre.analysis.kubernetes.reading import Path, items, ref_of, text
from agent_sre.analysis.kubernetes.repulsion import repellers
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.reference import ObjectRef

_FAULTS = {
    at.CORDON: "node_cordon_mismatch",
    at.TAINT: "taint_toleration_mismatch",
    at.SELECTOR: "node_selector_mismatch",
    at.AFFINITY: "node_affinity_mismatch",
    at.CPU: "cpu_capacity_mismatch",
    at.MEMORY: "memory_capacity_mismatch",
    at.ANTI_AFFINITY: "pod_anti_affinity_conflict",
    at.SPREAD: "topology_spread_unsatisfiable",
    at.VOLUME_ZONE: "volume_zone_conflict",
    at.ONE_POD: "pvc_access_mode_mismatch",
}
_WHY = {
    at.CORDON: "the nodes that it may use are cordoned",
    at.TAINT: "the nodes that it may use have a taint it does not tolerate",
    at.SELECTOR: "no node has the labels of its node selector",
    at.AFFINITY: "no node satisfies its required node affinity",
    at.CPU: "no node that it may use has the CPU it requests",
    at.MEMORY: "no node that it may use has the memory it requests",
    at.ANTI_AFFINITY: "anti-affinity keeps it off every node that it may use",
    at.SPREAD: "no node keeps its topology spread constraint",
    at.VOLUME_ZONE: "its volume cannot be reached from the nodes it may use",
    at.ONE_POD: "its claim can be used by one pod only, and another one uses it",
}
_NODE_FIELDS: dict[str, tuple[Path, ...]] = {
    at.CORDON: (("spec", "unschedulable"), ("spec", "taints")),
    at.TAINT: (("spec", "taints"),),
    at.SELECTOR: (("metadata", "labels"),),
    at.AFFINITY: (("metadata", "labels"),),
    at.CPU: (("status", "allocatable", "cpu"),),
    at.MEMORY: (("status", "allocatable", "memory"),),
    at.VOLUME_ZONE: (("metadata", "labels"),),
    at.SPREAD: (("metadata", "labels"), ("spec", "unschedulable")),
}
_POD_FIELDS: dict[str, tuple[Path, ...]] = {
    at.SELECTOR: (("spec", "nodeSelector"),),
    at.TAINT: (("spec", "nodeSelector"), ("spec", "tolerations")),
    at.CORDON: (("spec", "nodeSelector"),),
    at.AFFINITY: (("spec", "affinity", "nodeAffinity"),),
    at.ANTI_AFFINITY: (("spec", "affinity", "podAntiAffinity"),),
    at.ONE_POD: (("spec", "volumes"),),
    at.SPREAD: (("spec", "topologySpreadConstraints"),),
}


def analyze_scheduling(case: CaseFile) -> Iterator[Finding]:
    """One finding per cause for every workload with a pod that is bound to no node."""
    cluster = cluster_of(case)
    seen: set[tuple[str, str]] = set()
    for pod in cluster.pods:
        if pod.node or pod.phase not in ("Pending", "") or _outside(case, pod) or _held_back(pod):
            continue
        for finding in _pending(cluster, pod):
            key = (finding.fault, str(finding.object))
            if key not in seen:
                seen.add(key)
                yield finding


def _outside(case: CaseFile, pod: Pod) -> bool:
    return bool(case.namespaces) and pod.ref.namespace not in case.namespaces


def _held_back(pod: Pod) -> bool:
    """Whether somebody keeps the pod from being scheduled on purpose, by a scheduling gate."""
    return bool(items(pod.seen.value, "spec", "schedulingGates"))


def _pending(cluster: Cluster, pod: Pod) -> Iterator[Finding]:
    events = cluster.events(pod.ref, "FailedScheduling")
    words = told(message(events[0].value)) if events else {}
    nodes = placements(cluster, pod)
    causes = _causes(nodes)
    if not causes and words:
        causes = _from_words(words, pod)
    for rank, (predicate, blocked) in enumerate(causes):
        if predicate not in _FAULTS:
            continue
        computed, said = bool(blocked), _says(words, predicate)
        # Labels are all there to be compared; room and spreading depend on pods that may not have been listed.
        alone = 0.9 if predicate in (at.SELECTOR, at.AFFINITY, at.VOLUME_ZONE) else 0.8
        strength = (0.97 if said else alone) if computed else 0.85
        yield _finding(cluster, pod, predicate, blocked, events, strength - 0.3 * min(rank, 2))


def _causes(nodes: tuple[Verdict, ...]) -> list[tuple[str, list[Verdict]]]:
    """Predicates by how many of the nodes that the pod is meant for they block, the most first."""
    if not nodes or any(not item.blockers for item in nodes):
        return []
    meant = [item for item in nodes if not set(item.blockers) & set(at.INTENT)]
    if not meant:
        # Every node fails what the pod asks for: the constraint that alone rules out most nodes is the one to correct.
        counted = Counter(name for item in nodes for name in item.blockers if name in at.INTENT)
        return [(name, [item for item in nodes if name in item.blockers]) for name, _ in counted.most_common(1)]
    meant = _for_everybody(meant) or meant
    # A node that two things block needs both lifted; what is lifted first says least, so it counts by half.
    weight: Counter[str] = Counter()
    for item in meant:
        for name in item.blockers:
            weight[name] += 2 if len(item.blockers) == 1 else 1
    ranked = sorted(weight, key=lambda name: (-weight[name], list(_FAULTS).index(name) if name in _FAULTS else 99))
    return [(name, [item for item in meant if name in item.blockers]) for name in ranked]


def _for_everybody(nodes: list[Verdict]) -> list[Verdict]:
    """Without the nodes that are reserved for others: where a node is open to all, that is the one meant."""
    return [item for item in nodes if at.TAINT not in item.blockers and at.DOWN not in item.blockers]


def _from_words(words: dict[str, int], pod: Pod) -> list[tuple[str, list[Verdict]]]:
    """The scheduler's own counts, where specifications show no obstacle."""
    named = dict(words)
    if at.SELECTOR in named and not fact("", pod.seen, ("spec", "nodeSelector")).excerpt.count("\n"):
        named[at.AFFINITY] = named.pop(at.SELECTOR)
    if len(named) > 1 and named.get(at.CORDON, 0) < max(named.values()):
        named.pop(at.CORDON, None)  # the control plane's own cordon is in every such message
    ranked = sorted(named, key=lambda name: (-named[name], name))
    if ranked and ranked[0] not in _FAULTS:
        return []  # what keeps it off most nodes has no name here; the rest is in every such message
    return [(name, []) for name in ranked]


def _says(words: dict[str, int], predicate: str) -> bool:
    return predicate in words or (predicate == at.AFFINITY and at.SELECTOR in words)


def _finding(
    cluster: Cluster,
    pod: Pod,
    predicate: str,
    blocked: list[Verdict],
    events: list[Seen[K8sObject]],
    strength: float,
) -> Finding:
    owner = cluster.workload_of(pod.ref)
    facts = [_pod_fact(pod, predicate)]
    facts += [event_fact(event) for event in events[:1]]
    for item in blocked[:4]:
        facts.append(fact(_node_sentence(item, predicate), item.node, *_NODE_FIELDS.get(predicate, ())))
    if predicate == at.ANTI_AFFINITY:
        facts += _repellers(cluster, pod, blocked)
    if predicate == at.VOLUME_ZONE:
        facts += _volumes(cluster, pod)
    return Finding(
        analyzer="scheduling",
        fault=_FAULTS[predicate],
        object=owner,
        strength=strength,
        statement=f"{owner} has a pod that no node takes: {_WHY[predicate]}.",
        facts=tuple(facts),
        onset=pod.created,
        distinguish=f"kubectl -n {pod.ref.namespace} describe pod {pod.ref.name}, and kubectl describe nodes",
    )


def _pod_fact(pod: Pod, predicate: str) -> Fact:
    paths: list[Path] = [("status", "phase")]
    if pod.condition_path("PodScheduled"):
        paths.append(pod.condition_path("PodScheduled"))
    paths += _POD_FIELDS.get(predicate, ())
    if predicate in (at.CPU, at.MEMORY):
        paths += [(*item.spec_path, "resources", "requests", predicate) for item in pod.containers if not item.init]
    return fact(f"{pod.ref} is bound to no node", pod.seen, *paths)


def _node_sentence(item: Verdict, predicate: str) -> str:
    how = {
        at.CORDON: "is cordoned",
        at.TAINT: "has a taint that the pod does not tolerate",
        at.SELECTOR: "lacks the labels of the node selector",
        at.AFFINITY: "does not satisfy the required affinity",
        at.CPU: "has too little CPU left",
        at.MEMORY: "has too little memory left",
        at.ANTI_AFFINITY: "has a pod that the anti-affinity avoids",
        at.SPREAD: "would have too many of these pods in its domain",
        at.VOLUME_ZONE: "cannot reach the volume",
    }
    return f"Node {item.name} {how.get(predicate, 'cannot take the pod')}"


def _repellers(cluster: Cluster, pod: Pod, blocked: list[Verdict]) -> list[Fact]:
    found = [next(repellers(cluster, pod, item.node.value), None) for item in blocked[:3]]
    shown: tuple[Path, ...] = (("spec", "nodeName"), ("metadata", "labels"), ("spec", "affinity", "podAntiAffinity"))
    return [
        fact(f"{other.ref} runs on node {other.node} and must not share its domain with the pod", other.seen, *shown)
        for other in found
        if other is not None
    ]


def _volumes(cluster: Cluster, pod: Pod) -> list[Fact]:
    """The claims that the pod mounts and the volumes they are bound to, with where those can be reached from."""
    facts = []
    for name, path in pod.claims():
        claim = cluster.get(ObjectRef("PersistentVolumeClaim", pod.ref.namespace, name))
        facts.append(fact(f"{pod.ref} mounts the claim {name}", pod.seen, path))
        bound = text(claim.value, "spec", "volumeName") if claim is not None else ""
        volume = cluster.get(ObjectRef("PersistentVolume", "", bound))
        if volume is not None:
            where: tuple[Path, ...] = (("spec", "nodeAffinity"), ("metadata", "labels"))
            facts.append(fact(f"{ref_of(volume.value)} can be reached from these nodes only", volume, *where))
    return facts
