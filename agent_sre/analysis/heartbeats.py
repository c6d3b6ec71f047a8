"""Leases that are no longer renewed: a kubelet, scheduler or controller manager that has stopped, before anything else
shows it.

Kubelets renew a Lease every ten seconds and leaders every two. Nobody can say how long after the listing "now" is, so a
Lease is old only beside the freshest one of the listing: those that are alive set the clock.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from agent_sre.analysis.casefile import CaseFile, K8sObject, Seen
from agent_sre.analysis.kubernetes import placement as at
from agent_sre.analysis.kubernetes.cluster import Cluster, cluster_of
from agent_sre.analysis.kubernetes.excerpts import fact
from agent_sre.analysis.kubernetes.reading import instant, name_of, namespace_of, ref_of, text
from agent_sre.domain.finding import Finding
from agent_sre.domain.reference import ObjectRef

_OLD = timedelta(seconds=90)
_LEADERS = {
    "kube-scheduler": "kube_scheduler_unavailable",
    "kube-controller-manager": "controller_manager_unavailable",
}


def analyze_heartbeats(case: CaseFile) -> Iterator[Finding]:
    """One finding for each component whose Lease is old while others are renewed."""
    cluster = cluster_of(case)
    renewed = [
        (seen, moment) for seen in cluster.objects("Lease") if (moment := instant(seen.value, "spec", "renewTime"))
    ]
    freshest = max((moment for _, moment in renewed), default=None)
    for seen, moment in renewed:
        if freshest is not None and freshest - moment > _OLD:
            finding = _stopped(cluster, seen, moment)
            if finding is not None:
                yield finding


def _stopped(cluster: Cluster, seen: Seen[K8sObject], moment: datetime) -> Finding | None:
    name = name_of(seen.value)
    if namespace_of(seen.value) == "kube-node-lease":
        node = cluster.get(ObjectRef("Node", "", name))
        if node is None:
            return None
        victims = tuple(dict.fromkeys(cluster.workload_of(pod.ref) for pod in cluster.on_node(name)))
        return _finding("kubelet_unavailable", ref_of(node.value), "kubelet", seen, moment, victims)
    fault = _LEADERS.get(name)
    if fault is None:
        return None
    waiting = tuple(dict.fromkeys(cluster.workload_of(pod.ref) for pod in cluster.pods if not pod.node))
    return _finding(fault, _holder(cluster, seen), name, seen, moment, waiting)


def _holder(cluster: Cluster, seen: Seen[K8sObject]) -> ObjectRef:
    """The node that held the Lease, else the first of the control plane."""
    host = text(seen.value, "spec", "holderIdentity").rpartition("_")[0]
    if cluster.get(ObjectRef("Node", "", host)) is not None:
        return ObjectRef("Node", "", host)
    masters = [ref_of(node.value) for node in cluster.objects("Node") if at.is_control_plane(node.value)]
    return masters[0] if masters else ObjectRef("Pod", namespace_of(seen.value), name_of(seen.value))


def _finding(
    fault: str, ref: ObjectRef, what: str, seen: Seen[K8sObject], moment: datetime, victims: tuple[ObjectRef, ...]
) -> Finding:
    shown = fact(
        "Its Lease is not renewed any more", seen, ("spec", "renewTime"), ("spec", "holderIdentity"), time=moment
    )
    return Finding(
        "heartbeats", fault, ref, 0.82, f"The {what} of {ref.name} has stopped: its Lease is old.", (shown,),
        onset=moment, explains=victims, distinguish=f"kubectl -n {namespace_of(seen.value)} get leases",
    )  # fmt: skip
