"""Volumes: a claim that finds none, compared with every volume there is.

For a pod that waits for a pending claim, each volume is set against the claim: class, size, access modes, selector, and
whether it is taken. The volume that differs in least shows the cause, since it is what was meant. A class that does not
exist, or a provisioner that reports an error, is said by the claim's own events. Called beside ``scheduling``.
"""

import re
from collections.abc import Iterator

from agent_sre.analysis.casefile import CaseFile, K8sObject, Seen
from agent_sre.analysis.kubernetes import storage
from agent_sre.analysis.kubernetes.cluster import Cluster, cluster_of
from agent_sre.analysis.kubernetes.excerpts import event_fact, fact, message
from agent_sre.analysis.kubernetes.pods import Pod
from agent_sre.analysis.kubernetes.quotas import missing_claim
from agent_sre.analysis.kubernetes.reading import Path, name_of, ref_of, text
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.reference import ObjectRef

_FAULTS = {
    storage.CLASS: ("pvc_storage_class_mismatch", "it names a storage class that no volume has"),
    storage.SIZE: ("pvc_capacity_mismatch", "it asks for more than the volume holds"),
    storage.MODE: ("pvc_access_mode_mismatch", "it asks for an access mode that the volume does not offer"),
    storage.LABELS: ("pvc_selector_mismatch", "its selector does not match the volume's labels"),
    storage.TAKEN: ("pv_binding_occupied", "the volume that fits is bound to another claim"),
}
_PROVISIONERS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"access ?modes?\b|MULTI_NODE|SINGLE_NODE|volume capabilit(y|ies) .{0,80}not supported", re.I),
        storage.MODE,
    ),
    (re.compile(r"claim\.?(Spec\.)? ?Selector is not supported|selector .{0,30}not supported", re.I), storage.LABELS),
    (
        re.compile(r"(requested|volume) (size|capacity|storage).{0,60}(exceeds?|larger|greater|too (big|large))", re.I),
        storage.SIZE,
    ),
)
"""What provisioners refuse, by the words they have in common."""
_CLAIM_FIELDS: tuple[Path, ...] = (
    ("status", "phase"),
    ("spec", "storageClassName"),
    ("spec", "resources", "requests", "storage"),
    ("spec", "accessModes"),
    ("spec", "selector"),
    ("spec", "volumeName"),
)
_VOLUME_FIELDS: tuple[Path, ...] = (
    ("status", "phase"),
    ("spec", "storageClassName"),
    ("spec", "capacity", "storage"),
    ("spec", "accessModes"),
    ("metadata", "labels"),
    ("spec", "claimRef"),
)


def analyze_volumes(case: CaseFile) -> Iterator[Finding]:
    """Findings for pods that wait for a claim, or for a volume that another node holds."""
    cluster = cluster_of(case)
    for pod in cluster.pods:
        if pod.ready or pod.done or (case.namespaces and pod.ref.namespace not in case.namespaces):
            continue
        for name, path in pod.claims():
            claim = cluster.get(ObjectRef("PersistentVolumeClaim", pod.ref.namespace, name))
            if claim is not None and text(claim.value, "status", "phase") != "Bound":
                yield from _unbound(cluster, pod, claim)
            elif claim is None and not pod.node and missing_claim(cluster, pod, name):
                yield _absent(cluster, pod, name, path)
        yield from _held_elsewhere(cluster, pod)


def _unbound(cluster: Cluster, pod: Pod, claim: Seen[K8sObject]) -> Iterator[Finding]:
    owner = cluster.workload_of(pod.ref)
    events = cluster.events(ref_of(claim.value), "ProvisioningFailed", "FailedBinding", "VolumeMismatch")
    missing = _missing_class(cluster, claim.value, events)
    found = storage.fits(cluster, claim.value)
    facts = [fact(f"{ref_of(claim.value)} is not bound", claim, *_CLAIM_FIELDS)]
    facts += [event_fact(event) for event in events[:1]]
    facts += [event_fact(event) for event in cluster.events(pod.ref, "FailedScheduling")[:1]]
    if missing:
        nearest = [_volume_fact(item) for item in found[:1]]
        yield _finding(owner, pod, claim, storage.CLASS, [*facts, *nearest], 0.97 if events else 0.9)
        return
    told = _provisioner_says(events)
    if told is not None:
        difference, event = told
        yield _finding(owner, pod, claim, difference, [facts[0], event_fact(event)], 0.9)
        return
    if not found or not found[0].differs:
        return
    if storage.provisioned(cluster, claim.value) and found[0].differs[0] != storage.TAKEN:
        return  # a dynamic class makes its own volume; the existing ones say nothing
    best = found[0]
    strength = 0.95 if len(best.differs) == 1 else 0.7
    named = [difference for difference in best.differs if difference in _FAULTS]
    for rank, difference in enumerate(named[:2]):
        yield _finding(owner, pod, claim, difference, [*facts, _volume_fact(best)], strength - 0.25 * rank)


def _provisioner_says(events: list[Seen[K8sObject]]) -> tuple[str, Seen[K8sObject]] | None:
    """What a provisioner has against the claim, in its own words, and the event that says so."""
    for event in events:
        for pattern, difference in _PROVISIONERS:
            if text(event.value, "reason") == "ProvisioningFailed" and pattern.search(message(event.value)):
                return difference, event
    return None


def _finding(
    owner: ObjectRef, pod: Pod, claim: Seen[K8sObject], difference: str, facts: list[Fact], strength: float
) -> Finding:
    fault, why = _FAULTS[difference]
    return Finding(
        analyzer="volumes",
        fault=fault,
        object=owner,
        strength=strength,
        statement=f"{owner} waits for {ref_of(claim.value)}, which is not bound: {why}.",
        facts=tuple(facts),
        onset=pod.created,
        distinguish=f"kubectl -n {pod.ref.namespace} describe pvc {name_of(claim.value)}; kubectl get pv",
    )


def _volume_fact(item: storage.Fit) -> Fact:
    volume = item.volume.value
    return fact(f"{ref_of(volume)} is the volume that comes nearest to the claim", item.volume, *_VOLUME_FIELDS)


def _missing_class(cluster: Cluster, claim: K8sObject, events: list[Seen[K8sObject]]) -> bool:
    name = storage.class_of(claim)
    if not name:
        return False
    if any("storageclass" in message(event.value) and "not found" in message(event.value) for event in events):
        return True
    static = any(storage.class_of(item.value) == name for item in cluster.objects("PersistentVolume"))
    listed = cluster.get(ObjectRef("StorageClass", "", name)) is not None
    return not listed and not static and cluster.looked_at("StorageClass")


def _absent(cluster: Cluster, pod: Pod, name: str, path: Path) -> Finding:
    owner = cluster.workload_of(pod.ref)
    facts = [fact(f"{pod.ref} mounts the claim {name}, which does not exist", pod.seen, path)]
    facts += [event_fact(event) for event in cluster.events(pod.ref, "FailedScheduling")[:1]]
    return Finding(
        analyzer="volumes",
        fault="config_invalid",
        object=owner,
        strength=0.6,
        statement=f"{owner} mounts the claim {name}, which does not exist.",
        facts=tuple(facts),
        onset=pod.created,
        distinguish=f"kubectl -n {pod.ref.namespace} get pvc {name}; who was to create it, and was it refused",
    )


def _held_elsewhere(cluster: Cluster, pod: Pod) -> Iterator[Finding]:
    for event in cluster.events(pod.ref, "FailedAttachVolume")[:1]:
        if "Multi-Attach" not in message(event.value):
            continue
        owner = cluster.workload_of(pod.ref)
        yield Finding(
            analyzer="volumes",
            fault="pvc_access_mode_mismatch",
            object=owner,
            strength=0.75,
            statement=f"{owner} cannot attach its volume: it can be used from one node only and another holds it.",
            facts=(event_fact(event),),
            onset=pod.created,
            distinguish="which pod on which node still holds the volume",
        )
