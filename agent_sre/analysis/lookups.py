"""Failing lookups of names that exist: it is the resolver that is wrong, not the name.

A caller that cannot resolve an existing Service has a broken way to DNS; when several workloads cannot, cluster DNS
itself is degraded. Services without a ready pod, or with one that no node takes, are left out, and headless ones:
there a failing lookup is a symptom.
"""

import re
from collections.abc import Iterator

from agent_sre.analysis.casefile import CaseFile, K8sObject, Seen
from agent_sre.analysis.kubernetes.addresses import known_namespaces, service_named
from agent_sre.analysis.kubernetes.cluster import Cluster, cluster_of
from agent_sre.analysis.kubernetes.excerpts import fact, log_fact
from agent_sre.analysis.kubernetes.logs import LineSeen, matching, streams
from agent_sre.analysis.kubernetes.reading import labels, namespace_of, text
from agent_sre.analysis.kubernetes.selectors import selects
from agent_sre.analysis.kubernetes.workload import Workload
from agent_sre.analysis.log_entries import statements
from agent_sre.analysis.log_patterns import classify
from agent_sre.domain.finding import Finding
from agent_sre.domain.reference import ObjectRef

_NAME = r"['\"]?(?P<name>[a-z0-9][a-z0-9.-]*[a-z0-9])"
_FAILED = re.compile(
    rf"\blookup {_NAME.replace('name', 'a')}[:.]? (on |: )|(ENOTFOUND|EAI_AGAIN) {_NAME.replace('name', 'b')}"
    rf"|UnknownHostException: {_NAME.replace('name', 'c')}|(failed to|could not|cannot|can't) (resolve|translate)"
    rf"( host)?( name)?:? {_NAME.replace('name', 'd')}|resolv\w+ (of )?{_NAME.replace('name', 'e')} failed"
    rf"|Resolving timed out after .{{0,160}}\bfor \w+://{_NAME.replace('name', 'f')}", re.I
)  # fmt: skip
_FAILED_HOLDS = ("lookup", "enotfound", "eai_again", "unknownhost", "resolve", "translate", "resolv")
_MANY = 3
SYSTEM_DNS = ObjectRef("Deployment", "kube-system", "coredns")


def analyze_lookups(case: CaseFile) -> Iterator[Finding]:
    """One finding for the workload that cannot resolve what exists, or for cluster DNS where many cannot."""
    cluster = cluster_of(case)
    failing = {item: found for item in cluster.in_scope() if (found := _failed(case, cluster, item))}
    few = 2 if _resolver_complains(case) else _MANY
    many = len(failing) >= min(few, max(2, len(cluster.in_scope()) // 2))
    if many:
        yield _degraded(failing)
    for workload, (service, line) in failing.items():
        seen = cluster.get(service)
        shown = [fact(f"{service} exists", seen, ("spec", "clusterIP"), ("spec", "ports"))] if seen is not None else []
        yield Finding(
            "lookups", "service_dns_resolution_failure", workload.ref, 0.4 if many else 0.7,
            f"{workload.ref} cannot resolve {service.name}, which exists.",
            (log_fact("Its log says that a lookup fails", *line), *shown), onset=line[1].time,
            distinguish=f"nslookup {service.name} from a pod of {workload.ref.name}, and its /etc/resolv.conf",
        )  # fmt: skip


def _resolver_complains(case: CaseFile) -> bool:
    """Whether the log of cluster DNS itself says, since the incident began, that it cannot answer."""
    said = (item for item in statements(case) if item.namespace == SYSTEM_DNS.namespace and item.new)
    return any((found := classify(item.said)) is not None and found.fault == "coredns_degraded" for item in said)


def _failed(case: CaseFile, cluster: Cluster, workload: Workload) -> tuple[ObjectRef, LineSeen] | None:
    known = known_namespaces(cluster)
    for seen, line in matching(streams(case, workload), _FAILED, holding=_FAILED_HOLDS):
        for match in _FAILED.finditer(line.text):
            name = next((match[group] for group in "abcdef" if match[group]), "")
            service = service_named(name.rstrip("."), workload.ref.namespace, known)
            found = cluster.get(service) if service is not None else None
            if service is not None and found is not None and _answers(cluster, found):
                return service, (seen, line)
    return None


def _answers(cluster: Cluster, service: Seen[K8sObject]) -> bool:
    """Whether the name must have an address and somebody behind it: else the lookup is not what is wrong."""
    if text(service.value, "spec", "clusterIP") == "None":
        return False
    selector, space = labels(service.value, "spec", "selector"), namespace_of(service.value)
    pods = [pod for pod in cluster.pods if pod.ref.namespace == space and selects(selector, pod.labels)]
    unplaced = any(not pod.node and pod.phase == "Pending" for pod in pods)
    return not unplaced and any(pod.ready for pod in pods)


def _degraded(failing: dict[Workload, tuple[ObjectRef, LineSeen]]) -> Finding:
    lines = {workload.ref: line for workload, (_, line) in failing.items()}
    facts = [log_fact(f"{ref} cannot resolve a Service that exists", *line) for ref, line in list(lines.items())[:4]]
    return Finding(
        "lookups", "coredns_degraded", SYSTEM_DNS, 0.72,
        "Cluster DNS fails: workloads that have nothing else in common cannot resolve Services that exist.",
        tuple(facts), onset=min((line[1].time for line in lines.values() if line[1].time), default=None),
        explains=tuple(lines), distinguish="nslookup of an existing Service from any pod; the log of CoreDNS",
    )  # fmt: skip
