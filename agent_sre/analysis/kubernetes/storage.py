"""Claims and volumes: what keeps a claim from a volume, and where a volume can be reached from.

The binder's predicates (class, size, access modes, labels, volume mode, whether it is taken) and the scheduler's (a
volume's node affinity: a zone, or the node of a local disk). Used by ``volumes`` for claims that find nothing and by
``placement`` for pods whose volume is elsewhere.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from agent_sre.analysis.casefile import K8sObject, Seen
from agent_sre.analysis.kubernetes.cluster import Cluster
from agent_sre.analysis.kubernetes.pods import Pod
from agent_sre.analysis.kubernetes.reading import dig, items, labels, mapping, name_of, quantity, ref_of, text
from agent_sre.analysis.kubernetes.selectors import label_selector, node_terms
from agent_sre.domain.reference import ObjectRef

CLASS, SIZE, MODE, LABELS, TAKEN, FORM = "class", "size", "mode", "labels", "taken", "form"
_ZONE_LABELS = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A volume and what keeps the claim from it (empty: nothing)."""

    volume: Seen[K8sObject]
    differs: tuple[str, ...]


def fits(cluster: Cluster, claim: K8sObject) -> list[Fit]:
    """Every volume against the claim, the nearest first: fewest differences, a free one before one that is taken.

    A claim that names its volume is set against that one only.
    """
    named = text(claim, "spec", "volumeName")
    found = [_fit(claim, item) for item in cluster.objects("PersistentVolume") if named in ("", name_of(item.value))]
    return sorted(found, key=lambda item: (len(item.differs), TAKEN in item.differs, name_of(item.volume.value)))


def _fit(claim: K8sObject, volume: Seen[K8sObject]) -> Fit:
    differs: list[str] = []
    holder = mapping(volume.value, "spec", "claimRef")
    ours = text(holder, "name") == name_of(claim) and text(holder, "namespace") in ("", ref_of(claim).namespace)
    phase = text(volume.value, "status", "phase")
    # Released keeps the reference of a claim that is gone, even where the new claim has its name.
    if (holder and not ours) or phase in ("Released", "Failed"):
        differs.append(TAKEN)
    if class_of(claim) != class_of(volume.value):
        differs.append(CLASS)
    wanted = quantity(dig(claim, "spec", "resources", "requests", "storage"))
    whole = quantity(dig(volume.value, "spec", "capacity", "storage"))
    if wanted is not None and whole is not None and wanted > whole:
        differs.append(SIZE)
    modes, offered = set(dig(claim, "spec", "accessModes", default=[])), dig(volume.value, "spec", "accessModes")
    if offered and not modes <= set(offered):
        differs.append(MODE)
    selector = mapping(claim, "spec", "selector")
    if selector and not label_selector(selector, labels(volume.value, "metadata", "labels")):
        differs.append(LABELS)
    forms = {text(item, "spec", "volumeMode") or "Filesystem" for item in (claim, volume.value)}
    if len(forms) > 1:
        differs.append(FORM)
    return Fit(volume, tuple(differs))


def class_of(value: K8sObject) -> str:
    """The storage class; no class and the empty class bind to each other."""
    annotated = labels(value, "metadata", "annotations").get("volume.beta.kubernetes.io/storage-class", "")
    return text(value, "spec", "storageClassName") or annotated


def reachable(volume: K8sObject, node: K8sObject) -> bool:
    """Whether a node satisfies the volume's node affinity, and its zone label where it has no affinity."""
    terms = items(volume, "spec", "nodeAffinity", "required", "nodeSelectorTerms")
    if terms:
        return node_terms(terms, node)
    theirs, ours = labels(volume, "metadata", "labels"), labels(node, "metadata", "labels")
    # Volumes of in-tree drivers carry zones as a label, several joined by "__".
    return all(ours.get(key) in (None, *theirs[key].split("__")) for key in _ZONE_LABELS if key in theirs)


def usable_volumes(cluster: Cluster, pod: Pod) -> list[list[K8sObject]]:
    """For each claim of a pod the volumes it may be given: the one it is bound to, else the free ones that fit.

    Claims that a provisioner will serve, or that fit nothing at all, say nothing about nodes and are left out.
    """
    found = []
    for name, _ in pod.claims():
        claim = cluster.get(ObjectRef("PersistentVolumeClaim", pod.ref.namespace, name))
        if claim is None:
            continue
        bound = cluster.get(ObjectRef("PersistentVolume", "", text(claim.value, "spec", "volumeName")))
        if bound is not None and text(claim.value, "status", "phase") == "Bound":
            found.append([bound.value])
        elif not provisioned(cluster, claim.value):
            found.append([item.volume.value for item in fits(cluster, claim.value) if not item.differs])
    return [item for item in found if item]


def within_reach(choices: Iterable[list[K8sObject]], node: K8sObject) -> bool:
    """Whether a node reaches, for each claim, one of the volumes that it may be given."""
    return all(any(reachable(volume, node) for volume in volumes) for volumes in choices)


def claim_in_use(cluster: Cluster, pod: Pod) -> bool:
    """Whether another pod uses a claim of this one that is for a single pod (ReadWriteOncePod)."""
    for name, _ in pod.claims():
        claim = cluster.get(ObjectRef("PersistentVolumeClaim", pod.ref.namespace, name))
        if claim is None or "ReadWriteOncePod" not in dig(claim.value, "spec", "accessModes", default=[]):
            continue
        for other in cluster.pods:
            same = other.ref.namespace == pod.ref.namespace and name in {used for used, _ in other.claims()}
            if same and other.ref != pod.ref and other.node and not other.ended:
                return True
    return False


def provisioned(cluster: Cluster, claim: K8sObject) -> bool:
    """Whether the claim's class makes volumes of its own."""
    found = cluster.get(ObjectRef("StorageClass", "", class_of(claim)))
    return found is not None and "no-provisioner" not in text(found.value, "provisioner")
