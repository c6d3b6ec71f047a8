"""Infrastructure: the node or a part of the control plane is down, and workloads are its victims.

Three kinds of witness: the unit states of the node (systemd), the node's own conditions and what the runtime's socket
says in events, and what is missing (pending pods that no scheduler has looked at). The system's unit is the cause, a
NotReady node its symptom, the workloads on it the victims; all pods bound to the node and all that wait for it are
named.
"""

import re
from collections.abc import Iterator
from datetime import datetime

from agent_sre.analysis.casefile import CaseFile, K8sObject, Seen
from agent_sre.analysis.kubernetes import placement as at
from agent_sre.analysis.kubernetes.cluster import Cluster, cluster_of
from agent_sre.analysis.kubernetes.excerpts import event_fact, fact, message
from agent_sre.analysis.kubernetes.pods import Pod
from agent_sre.analysis.kubernetes.reading import Path, instant, name_of, positions, ref_of, text
from agent_sre.analysis.kubernetes.units import Unit, stopped_units
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.reference import ObjectRef

_ANALYZER = "infrastructure"
_UNIT_FAULTS = (
    (re.compile(r"^(containerd|docker|crio|cri-o|cri-dockerd)$"), "containerd_unavailable", "container runtime"),
    (re.compile(r"^(kubelet|k3s-agent|rke2-agent)$"), "kubelet_unavailable", "kubelet"),
    (re.compile(r"^kube-proxy$"), "kube_proxy_unavailable", "kube-proxy"),
    (re.compile(r"^kube-scheduler$"), "kube_scheduler_unavailable", "scheduler"),
    (re.compile(r"^kube-controller-manager$"), "controller_manager_unavailable", "controller manager"),
    (re.compile(r"^etcd$"), "etcd_unhealthy", "etcd"),
)
_COMPONENTS = (
    ("kube-proxy", "kube_proxy_unavailable"),
    ("kube-scheduler", "kube_scheduler_unavailable"),
    ("kube-controller-manager", "controller_manager_unavailable"),
    ("etcd", "etcd_unhealthy"),
)
_PRESSURES = {
    "MemoryPressure": "node_memory_pressure",
    "DiskPressure": "node_disk_pressure",
    "PIDPressure": "node_pid_pressure",
}
_RUNTIME_DOWN = re.compile(
    r"container runtime (is down|status check)|(containerd|crio|docker|dockershim)\.sock|PLEG is not healthy", re.I
)
_KUBELET_DOWN = re.compile(r"Kubelet stopped posting node status|kubelet never posted", re.I)
_SYSTEM = "kube-system"


def analyze_infrastructure(case: CaseFile) -> Iterator[Finding]:
    """Findings for units, nodes, components and DNS that do not work."""
    cluster = cluster_of(case)
    named: set[str] = set()
    for unit in stopped_units(case):
        finding = _stopped(cluster, unit)
        if finding is not None:
            named.add(unit.node)
            yield finding
    for seen in cluster.objects("Node"):
        yield from _conditions(cluster, seen, name_of(seen.value) in named)
    yield from _components(cluster)
    yield from _unscheduled(cluster)
    yield from _dns(cluster)


def _stopped(cluster: Cluster, unit: Unit) -> Finding | None:
    for pattern, fault, part in _UNIT_FAULTS:
        if not pattern.match(unit.name.removesuffix(".service")):
            continue
        node = ObjectRef("Node", "", unit.node)
        facts = [unit.fact(f"Unit {unit.name} on node {unit.node} is {unit.state}")]
        seen = cluster.get(node)
        victims = _victims(cluster, fault, unit.node)
        if seen is not None:
            facts += _ready_facts(seen)
        facts += _words(cluster, unit.node, fault)
        return Finding(
            analyzer=_ANALYZER,
            fault=fault,
            object=node,
            strength=0.97,
            statement=f"The {part} on node {unit.node} is not running: its unit {unit.name} is {unit.state}.",
            facts=tuple(facts),
            onset=_since(seen),
            explains=victims,
            distinguish=f"systemctl status {unit.name} and journalctl -u {unit.name} on {unit.node}",
        )
    return None


def _victims(cluster: Cluster, fault: str, node: str) -> tuple[ObjectRef, ...]:
    """Workloads that the node's trouble explains: those on it, and those that wait for it or for the scheduler."""
    if fault == "kube_scheduler_unavailable":
        waiting = [pod for pod in cluster.pods if not pod.node and not pod.done]
        return tuple(dict.fromkeys(cluster.workload_of(pod.ref) for pod in waiting))
    if fault in ("controller_manager_unavailable", "etcd_unhealthy"):
        return tuple(item.ref for item in cluster.in_scope() if item.broken)
    bound = [pod for pod in cluster.on_node(node) if fault == "kube_proxy_unavailable" or not pod.ready]
    bound += [pod for pod in cluster.pods if not pod.node and not pod.done and _waits_for(cluster, pod, node)]
    return tuple(dict.fromkeys(cluster.workload_of(pod.ref) for pod in bound))


def _waits_for(cluster: Cluster, pod: Pod, node: str) -> bool:
    return any(item.name == node and at.DOWN in item.blockers for item in at.placements(cluster, pod))


def _ready_facts(seen: Seen[K8sObject]) -> list[Fact]:
    name = name_of(seen.value)
    for place, item in positions(seen.value, "status", "conditions"):
        if text(item, "type") == "Ready" and text(item, "status") != "True":
            sentence = f"Node {name} is not ready: {text(item, 'message') or text(item, 'reason')}"
            return [_condition_fact(seen, place, sentence)]
    return []


def _condition_fact(seen: Seen[K8sObject], place: int, sentence: str) -> Fact:
    base: Path = ("status", "conditions", place)
    paths = tuple((*base, field) for field in ("type", "status", "reason", "message", "lastTransitionTime"))
    return fact(sentence, seen, *paths, time=instant(seen.value, *base, "lastTransitionTime"))


def _since(seen: Seen[K8sObject] | None) -> datetime | None:
    """Since when the node is not ready."""
    if seen is None:
        return None
    for place, item in positions(seen.value, "status", "conditions"):
        if text(item, "type") == "Ready" and text(item, "status") != "True":
            return instant(seen.value, "status", "conditions", place, "lastTransitionTime")
    return None


def _words(cluster: Cluster, node: str, fault: str) -> list[Fact]:
    """What events on the node and its pods say about the part that is down."""
    pattern = {"containerd_unavailable": _RUNTIME_DOWN, "kubelet_unavailable": re.compile("not ready", re.I)}.get(fault)
    if pattern is None:
        return []
    refs = [ObjectRef("Node", "", node), *(pod.ref for pod in cluster.on_node(node) if not pod.ready)]
    events = [event for ref in refs for event in cluster.events(ref) if pattern.search(message(event.value))]
    return [event_fact(event) for event in events[:2]]


def _conditions(cluster: Cluster, seen: Seen[K8sObject], named: bool) -> Iterator[Finding]:
    for place, item in positions(seen.value, "status", "conditions"):
        kind, status = text(item, "type"), text(item, "status")
        if kind == "Ready" and status in ("False", "Unknown"):
            yield _not_ready(cluster, seen, place, item, named)
        elif kind in _PRESSURES and status == "True":
            sentence = f"Node {name_of(seen.value)} reports {kind}: {text(item, 'message')}"
            yield _node_finding(
                cluster, seen, _PRESSURES[kind], 0.9, sentence, [_condition_fact(seen, place, sentence)]
            )


def _not_ready(cluster: Cluster, seen: Seen[K8sObject], place: int, item: K8sObject, named: bool) -> Finding:
    """Why the node is not ready, as far as its own words and the events on it say; weaker where a unit says it."""
    name, words = name_of(seen.value), f"{text(item, 'reason')} {text(item, 'message')}"
    facts = [_condition_fact(seen, place, f"Node {name} is not ready: {text(item, 'message') or text(item, 'reason')}")]
    socket = [
        event for event in cluster.events(ObjectRef("Node", "", name)) if _RUNTIME_DOWN.search(message(event.value))
    ]
    if _RUNTIME_DOWN.search(words) or socket:
        facts += [event_fact(event) for event in socket[:2]]
        fault, strength, why = "containerd_unavailable", 0.9, "its container runtime is down"
    elif _KUBELET_DOWN.search(words) or text(item, "status") == "Unknown":
        fault, strength, why = "kubelet_unavailable", 0.8, "its kubelet stopped reporting"
    else:
        fault, strength, why = "node_not_ready", 0.7, "it reports that it is not ready"
    strength = min(strength, 0.6) if named else strength
    return _node_finding(cluster, seen, fault, strength, f"Node {name} does not serve: {why}.", facts)


def _node_finding(
    cluster: Cluster, seen: Seen[K8sObject], fault: str, strength: float, statement: str, facts: list[Fact]
) -> Finding:
    name = name_of(seen.value)
    return Finding(
        analyzer=_ANALYZER,
        fault=fault,
        object=ref_of(seen.value),
        strength=strength,
        statement=statement,
        facts=tuple(facts),
        onset=_since(seen),
        explains=_victims(cluster, fault, name),
        distinguish=f"kubectl describe node {name}; the journal of kubelet and container runtime on it",
    )


def _components(cluster: Cluster) -> Iterator[Finding]:
    """Control-plane parts that run as pods and do not; where etcd is down, the others are down because of it."""
    system = [pod for pod in cluster.pods if pod.ref.namespace == _SYSTEM]
    no_etcd = any(pod.ref.name.startswith("etcd-") and not pod.ready for pod in system)
    for pod in system:
        if pod.ready or pod.done or pod.phase == "":
            continue
        for component, fault in _COMPONENTS:
            if component not in (pod.labels.get("component"), pod.labels.get("k8s-app")) and not (
                pod.ref.name.startswith(f"{component}-")
            ):
                continue
            node = pod.node or pod.ref.name.removeprefix(f"{component}-")
            statement = f"{component} on node {node} is not running."
            facts = [fact(f"{pod.ref} is not ready", pod.seen, ("status", "phase"), ("status", "containerStatuses"))]
            facts += [event_fact(event) for event in cluster.events(pod.ref)[:1]]
            yield Finding(
                analyzer=_ANALYZER,
                fault=fault,
                object=ObjectRef("Node", "", node) if node else pod.ref,
                strength=0.5 if no_etcd and component != "etcd" else 0.85,
                statement=statement,
                facts=tuple(facts),
                explains=_victims(cluster, fault, node),
                distinguish=f"kubectl -n {_SYSTEM} logs {pod.ref.name} --previous",
            )
    yield from _proxyless(cluster, system)


def _proxyless(cluster: Cluster, system: list[Pod]) -> Iterator[Finding]:
    """Nodes with pods of the application and none of kube-proxy, in a cluster where kube-proxy runs as a DaemonSet."""
    owner = cluster.get(ObjectRef("DaemonSet", _SYSTEM, "kube-proxy"))
    proxied = {pod.node for pod in system if pod.ref.name.startswith("kube-proxy-")}
    for seen in cluster.objects("Node") if owner is not None and proxied else ():
        name = name_of(seen.value)
        hosted = [pod for pod in cluster.on_node(name) if pod.ref.namespace in cluster.namespaces]
        if name in proxied or not hosted or _since(seen) is not None or owner is None:
            continue
        selector: tuple[Path, ...] = (("spec", "template", "spec", "nodeSelector"), ("status",))
        facts = [fact("kube-proxy as it is set, and how many run", owner, *selector)]
        facts.append(
            fact(f"{hosted[0].ref} runs on {name}, where no kube-proxy does", hosted[0].seen, ("spec", "nodeName"))
        )
        statement = f"No kube-proxy runs on node {name}: Services do not answer from there."
        yield Finding(
            _ANALYZER, "kube_proxy_unavailable", ref_of(seen.value), 0.8, statement, tuple(facts),
            explains=_victims(cluster, "kube_proxy_unavailable", name),
            distinguish=f"kubectl -n {_SYSTEM} get pods -l k8s-app=kube-proxy -o wide",
        )  # fmt: skip


def _unscheduled(cluster: Cluster) -> Iterator[Finding]:
    """Pending pods that nobody has judged: no node, no PodScheduled condition, no FailedScheduling event."""
    waiting = [
        pod
        for pod in cluster.pods
        if pod.phase == "Pending" and not pod.node and not pod.condition_path("PodScheduled")
        if not cluster.events(pod.ref, "FailedScheduling", "Scheduled")
    ]
    masters = [seen for seen in cluster.objects("Node") if at.is_control_plane(seen.value)]
    if not waiting or not masters:
        return
    facts = [
        fact(f"{pod.ref} waits, and no scheduler has looked at it", pod.seen, ("status",), ("metadata", "name"))
        for pod in waiting[:3]
    ]
    yield Finding(
        analyzer=_ANALYZER,
        fault="kube_scheduler_unavailable",
        object=ref_of(masters[0].value),
        strength=0.75 if len(masters) == 1 else 0.6,
        statement="Pods wait without any word from the scheduler: it does not run.",
        facts=tuple(facts),
        onset=min((pod.created for pod in waiting if pod.created), default=None),
        explains=tuple(dict.fromkeys(cluster.workload_of(pod.ref) for pod in waiting)),
        distinguish=f"kubectl -n {_SYSTEM} get lease kube-scheduler -o yaml; the unit or pod of the scheduler",
    )


def _dns(cluster: Cluster) -> Iterator[Finding]:
    pods = [
        pod for pod in cluster.pods if pod.labels.get("k8s-app") == "kube-dns" or pod.ref.name.startswith("coredns-")
    ]
    down = [pod for pod in pods if not pod.ready]
    owner = cluster.workload_of(down[0].ref) if down else None
    facts = [
        fact(f"{pod.ref} is not ready", pod.seen, ("status", "phase"), ("status", "containerStatuses")) for pod in down
    ]
    for workload in cluster.workloads.values() if not pods else ():
        named = workload.labels.get("k8s-app") == "kube-dns" or workload.ref.name == "coredns"
        if named and workload.ref.namespace == _SYSTEM and workload.seen is not None:
            owner = workload.ref
            facts = [fact(f"{owner} has no pods", workload.seen, ("spec", "replicas"), ("status",))]
    if owner is None:
        return
    whole = len(down) == len(pods)
    yield Finding(
        analyzer=_ANALYZER,
        fault="coredns_degraded",
        object=owner,
        strength=0.88 if whole else 0.5,
        statement=f"{owner} has no pod that is ready, or too few: names resolve badly or not at all.",
        facts=tuple(facts[:4]),
        explains=tuple(item.ref for item in cluster.in_scope()) if whole else (),
        distinguish="nslookup of an existing Service from a pod; the log of CoreDNS",
    )
