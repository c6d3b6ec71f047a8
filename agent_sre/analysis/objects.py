"""The object that a name in telemetry stands for.

Metrics, logs and traces name workloads, not API objects. Where the cluster was listed the real object is found (its
kind and namespace); where it was not, the name is taken for a Deployment in the signal's namespace, as most are.
"""

from collections.abc import Mapping

from agent_sre.analysis.casefile import CaseFile
from agent_sre.domain.reference import ObjectRef, owner_name

_KINDS = ("Deployment", "StatefulSet", "DaemonSet", "Rollout", "CronJob", "Job", "Service")


def object_of(case: CaseFile, name: str, namespace: str = "") -> ObjectRef:
    """The workload (or Service) of this name, as it was seen, else a Deployment by assumption."""
    spaces = [space for space in (namespace, *case.namespaces) if space]
    for kind in _KINDS:
        for space in spaces:
            ref = ObjectRef(kind, space, name)
            if case.get(ref) is not None:
                return ref
    return ObjectRef("Deployment", spaces[0] if spaces else "", name)


def node_of(case: CaseFile, name: str) -> ObjectRef:
    """The node a metric's instance label names: by name, or by one of its addresses."""
    for seen in case.objects("Node"):
        metadata = seen.value.get("metadata", {})
        addresses = seen.value.get("status", {}).get("addresses") or []
        if name == metadata.get("name") or name in {item.get("address") for item in addresses}:
            return ObjectRef("Node", "", str(metadata.get("name", name)))
    return ObjectRef("Node", "", name)


def homes_of(case: CaseFile) -> Mapping[str, set[str]]:
    """The nodes on which pods of each workload run, by the workload's name."""
    found: dict[str, set[str]] = {}
    for seen in case.objects("Pod"):
        node = seen.value.get("spec", {}).get("nodeName")
        if node:
            name = owner_name("Pod", str(seen.value.get("metadata", {}).get("name", "")))
            found.setdefault(name, set()).add(str(node))
    return found
