"""Resource quotas: what a refusal says, and quotas that block without one.

A refusal carries its arithmetic (requested, used, limited), so the resource that is over is computed, not guessed.
Services and claims are refused to whoever applies them, not to a controller, so no event is left behind: there the
quota is set against what the workloads need and the listing lacks.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agent_sre.analysis.casefile import K8sObject, Seen
from agent_sre.analysis.kubernetes.addresses import addresses
from agent_sre.analysis.kubernetes.cluster import Cluster
from agent_sre.analysis.kubernetes.excerpts import event_fact, fact, message
from agent_sre.analysis.kubernetes.limits import wanted
from agent_sre.analysis.kubernetes.pods import Pod
from agent_sre.analysis.kubernetes.reading import dig, items, labels, mapping, name_of, namespace_of, quantity, text
from agent_sre.analysis.kubernetes.selectors import requirement, selects
from agent_sre.analysis.kubernetes.workload import Workload
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.reference import ObjectRef

_REFUSAL = re.compile(
    r"exceeded quota: (?P<quota>[^,\s]+), requested: (?P<requested>\S.*?), used: (?P<used>\S.*?),"
    r" limited: (?P<limited>[^\s]+)"
)
_FAULTS = (
    ("cpu", "namespace_cpu_quota_exceeded"),
    ("memory", "namespace_memory_quota_exceeded"),
    ("storage", "namespace_storage_quota_exceeded"),
    ("persistentvolumeclaims", "namespace_storage_quota_exceeded"),
    ("services", "namespace_service_quota_exceeded"),
    ("pods", "namespace_pod_quota_exceeded"),
)


@dataclass(frozen=True, slots=True)
class Overrun:
    """One resource of one refusal; quantities as written."""

    quota: str
    resource: str
    requested: str
    used: str
    limited: str
    fault: str


def fault_of(resource: str) -> str:
    """The fault type for a quota's resource name, or ""."""
    return next((fault for part, fault in _FAULTS if part in resource), "")


def overruns(words: str) -> list[Overrun]:
    """The resources that a refusal's own arithmetic shows to be over, all of them where it shows none."""
    match = _REFUSAL.search(words)
    if match is None:
        return []
    requested, used, limited = (_amounts(match[part]) for part in ("requested", "used", "limited"))
    named = [
        Overrun(match["quota"], resource, amount, used.get(resource, ""), limited.get(resource, ""), fault_of(resource))
        for resource, amount in requested.items()
        if fault_of(resource)
    ]
    return [item for item in named if _over(item)] or named


def _amounts(part: str) -> dict[str, str]:
    pairs = (entry.partition("=") for entry in part.split(","))
    return {key.strip(): value.strip() for key, _, value in pairs if value}


def _over(item: Overrun) -> bool:
    requested, used, limited = quantity(item.requested), quantity(item.used), quantity(item.limited)
    return None not in (requested, used, limited) and (requested or 0) + (used or 0) > (limited or 0)


def would_exceed(cluster: Cluster, workload: Workload) -> Iterator[tuple[Overrun, Fact]]:
    """The quota resources that one more pod of the template would exceed, each with what the template asks for."""
    if workload.spec_source is None:
        return
    seen = workload.spec_source[0]
    for quota in cluster.objects("ResourceQuota", workload.ref.namespace):
        if not in_scope(quota.value, workload):
            continue
        for resource, raw in mapping(quota.value, "status", "hard").items():
            hard, written = quantity(raw), dig(quota.value, "status", "used", resource)
            asked = _asked(cluster, workload, resource)
            if hard is None or asked is None or (quantity(written) or 0.0) + asked <= hard:
                continue
            paths = [(*item.spec_path, "resources") for item in workload.containers]
            over = Overrun(name_of(quota.value), resource, "", str(written or 0), str(raw), fault_of(resource))
            yield over, fact(f"What a pod of {workload.ref} asks for", seen, *paths)


def _asked(cluster: Cluster, workload: Workload, resource: str) -> float | None:
    """What one pod adds to a quota's resource; None where it adds nothing or that is not known."""
    if resource in ("pods", "count/pods"):
        return 1.0
    if resource in ("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"):
        return wanted(cluster, workload, resource)
    return None


def in_scope(quota: K8sObject, workload: Workload) -> bool:
    """Whether a quota counts the workload's pods: every one of its scopes matches them."""
    scopes = [{"scopeName": name, "operator": "Exists"} for name in dig(quota, "spec", "scopes", default=[])]
    return all(_scope(item, workload) for item in [*scopes, *items(quota, "spec", "scopeSelector", "matchExpressions")])


def _scope(item: Mapping[str, Any], workload: Workload) -> bool:
    spec, name = workload.pod_spec, text(item, "scopeName")
    if name == "PriorityClass":
        own = {"PriorityClass": priority} if (priority := text(spec, "priorityClassName")) else {}
        return requirement({**item, "key": "PriorityClass"}, own)
    ending = dig(spec, "activeDeadlineSeconds") is not None
    best_effort = not any(
        mapping(container.spec, "resources", part)
        for container in workload.containers
        for part in ("requests", "limits")
    )
    known = {
        "Terminating": ending,
        "NotTerminating": not ending,
        "BestEffort": best_effort,
        "NotBestEffort": not best_effort,
    }
    return known.get(name, False)


def blocking_quotas(cluster: Cluster) -> Iterator[Finding]:
    """Quotas on services and storage that keep out what a workload needs."""
    for seen in cluster.objects("ResourceQuota"):
        for resource, hard in mapping(seen.value, "status", "hard").items():
            fault = fault_of(resource)
            if fault == "namespace_service_quota_exceeded":
                yield from _missing_services(cluster, seen, resource, hard)
            elif fault == "namespace_storage_quota_exceeded":
                yield from _missing_claims(cluster, seen, resource)


def _standing(seen: Seen[K8sObject], resource: str) -> Fact:
    sentence = f"Quota {name_of(seen.value)} as it stands for {resource}"
    return fact(sentence, seen, ("status", "hard", resource), ("status", "used", resource))


def _missing_services(cluster: Cluster, seen: Seen[K8sObject], resource: str, hard: object) -> Iterator[Finding]:
    most, used = quantity(hard), quantity(dig(seen.value, "status", "used", resource))
    if most is None or used is None or used < most:
        return
    space = namespace_of(seen.value)
    services = [labels(item.value, "spec", "selector") for item in cluster.objects("Service", space)]
    for workload in cluster.in_scope():
        if workload.ref.namespace != space or any(selects(item, workload.labels) for item in services):
            continue
        callers = [
            item for item in addresses(cluster) if item.service == ObjectRef("Service", space, workload.ref.name)
        ]
        if not callers and not any(container.ports() for container in workload.containers):
            continue
        yield Finding(
            analyzer="admission",
            fault="namespace_service_quota_exceeded",
            object=ObjectRef("Namespace", "", space),
            strength=0.93 if callers else 0.7,
            statement=f"Namespace {space} is at its quota of services, and {workload.ref} has no Service.",
            facts=(_standing(seen, resource), *(item.fact() for item in callers[:3])),
            explains=(workload.ref, *(item.workload.ref for item in callers)),
            distinguish=f"kubectl -n {space} get services, and create the missing one",
        )


def _missing_claims(cluster: Cluster, seen: Seen[K8sObject], resource: str) -> Iterator[Finding]:
    space = namespace_of(seen.value)
    for pod in cluster.pods:
        if pod.ref.namespace != space or pod.node:
            continue
        for claim, path in pod.claims():
            if not missing_claim(cluster, pod, claim):
                continue
            owner = cluster.workload_of(pod.ref)
            refusals = _refusals(cluster, space)
            mounting = fact(f"{pod.ref} mounts the claim {claim}, which is not listed", pod.seen, path)
            events = [*cluster.events(pod.ref, "FailedScheduling")[:1], *refusals]
            yield Finding(
                analyzer="admission",
                fault="namespace_storage_quota_exceeded",
                object=ObjectRef("Namespace", "", space),
                strength=_claim_strength(cluster, seen, resource, bool(refusals)),
                statement=(
                    f"{owner} waits for the claim {claim}, which does not exist, and quota {name_of(seen.value)}"
                    f" limits {resource} in namespace {space}."
                ),
                facts=(_standing(seen, resource), mounting, *map(event_fact, events)),
                onset=pod.created,
                explains=(owner,),
                distinguish=f"kubectl -n {space} apply the claim {claim} and read the refusal",
            )


def missing_claim(cluster: Cluster, pod: Pod, claim: str) -> bool:
    """Whether a claim that a pod mounts does not exist: not in the listing, or the scheduler says so."""
    if cluster.get(ObjectRef("PersistentVolumeClaim", pod.ref.namespace, claim)) is not None:
        return False
    said = f'persistentvolumeclaim "{claim}" not found'
    events = cluster.events(pod.ref, "FailedScheduling")
    return cluster.looked_at("PersistentVolumeClaim") or any(said in message(event.value) for event in events)


def _refusals(cluster: Cluster, space: str) -> list[Seen[K8sObject]]:
    """Events that say a claim was refused by a quota (StatefulSets create claims, so theirs leave one)."""
    events = [seen for seen in cluster.objects("Event", space) if "exceeded quota" in message(seen.value)]
    return [seen for seen in events if "persistentvolumeclaim" in message(seen.value).lower()][:1]


def _claim_strength(cluster: Cluster, seen: Seen[K8sObject], resource: str, refused: bool) -> float:
    """Proven where a refusal says so; likely where what is left is less than what volumes and claims here hold.

    The claim itself does not exist, so its size is not known: a quota with room for the largest other is doubted.
    """
    if refused:
        return 0.97
    hard = quantity(dig(seen.value, "status", "hard", resource)) or 0.0
    left = hard - (quantity(dig(seen.value, "status", "used", resource)) or 0.0)
    if "persistentvolumeclaims" in resource:
        return 0.9 if left < 1 else 0.2
    volumes, claims = cluster.objects("PersistentVolume"), cluster.objects("PersistentVolumeClaim")
    free = [item.value for item in volumes if text(item.value, "status", "phase") == "Available"]
    if any((quantity(dig(item, "spec", "capacity", "storage")) or 0.0) > left for item in free):
        return 0.9
    others = [quantity(dig(item.value, "spec", "resources", "requests", "storage")) or 0.0 for item in claims]
    return 0.5 if any(others) and left >= max(others) else 0.78
