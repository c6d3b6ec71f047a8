"""Network policies: traffic that the application's own configuration needs and that no rule allows.

As soon as one policy of a direction selects a pod, only what some rule allows gets through. Each configured call (from
the callers' addresses) is set against the policies at both ends. The caller's log, where it complains of time-outs,
confirms; without it the specifications alone make a strong case, since a network plug-in may ignore policies.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta

from agent_sre.analysis.casefile import CaseFile, K8sObject, Seen
from agent_sre.analysis.change_content import concerns
from agent_sre.analysis.kubernetes.addresses import Address, addresses
from agent_sre.analysis.kubernetes.cluster import Cluster, cluster_of
from agent_sre.analysis.kubernetes.excerpts import fact, log_fact
from agent_sre.analysis.kubernetes.logs import matching, streams
from agent_sre.analysis.kubernetes.network_peers import directions, is_peer
from agent_sre.analysis.kubernetes.reading import instant, items, labels, mapping, name_of, number, ref_of
from agent_sre.analysis.kubernetes.selectors import label_selector, selects
from agent_sre.analysis.kubernetes.workload import Workload
from agent_sre.domain.finding import Fact, Finding

_NO_ANSWER = re.compile(r"time(d)? ?out|ETIMEDOUT|deadline exceeded|unreachable|EHOSTUNREACH|connection refused", re.I)
_LOOKUP = re.compile(r"\blookup |ENOTFOUND|EAI_AGAIN|name resolution|UnknownHost|could not resolve|no such host", re.I)
_DNS = 53
_SAME_MOMENT = timedelta(minutes=5)


def analyze_policies(case: CaseFile) -> Iterator[Finding]:
    """One finding for each workload that is kept from traffic its peers are configured for."""
    cluster = cluster_of(case)
    if not cluster.objects("NetworkPolicy"):
        return
    blocked: dict[tuple[str, Workload], list[tuple[Address, Seen[K8sObject]]]] = defaultdict(list)
    for address in addresses(cluster):
        for callee, port in _callees(cluster, address):
            refused = _refused(cluster, callee, address.workload, port, "Ingress")
            if refused is not None:
                blocked["Ingress", callee].append((address, refused))
            refused = _refused(cluster, address.workload, callee, port, "Egress")
            if refused is not None:
                blocked["Egress", address.workload].append((address, refused))
    for workload in cluster.in_scope():
        yield from _without_names(case, cluster, workload)
    for (direction, workload), calls in blocked.items():
        if not case.namespaces or workload.ref.namespace in case.namespaces:
            yield _finding(case, direction, workload, calls)


def _without_names(case: CaseFile, cluster: Cluster, workload: Workload) -> Iterator[Finding]:
    """A policy of egress that leaves out DNS, which everything else depends on."""
    selecting = _selecting(cluster, workload, "Egress")
    rules = [rule for seen in selecting for rule in items(seen.value, "spec", "egress")]
    asks = any(item.workload.ref == workload.ref for item in addresses(cluster))
    if not selecting or not asks or any(_lets_port(rule, _DNS) for rule in rules):
        return
    policy = selecting[0]
    logged = next(matching(streams(case, workload), _LOOKUP), None)
    facts = [fact(f"{ref_of(policy.value)} selects the pods of {workload.ref}", policy, ("spec",))]
    facts += [log_fact("Its log says that names do not resolve", *logged)] if logged is not None else []
    statement = f"{ref_of(policy.value)} lets {workload.ref} ask no name server: no rule allows DNS out."
    yield Finding(
        "policies", "network_policy_denied", workload.ref, 0.95 if logged else 0.6, statement, tuple(facts),
        distinguish=f"nslookup from a pod of {workload.ref.name}, with the policy and without",
    )  # fmt: skip


def _callees(cluster: Cluster, address: Address) -> Iterator[tuple[Workload, int | str]]:
    """The workloads behind an address, and the port of theirs that it leads to."""
    service = cluster.get(address.service)
    if service is None or address.port is None:
        return
    for item in items(service.value, "spec", "ports"):
        if number(item, "port") != address.port:
            continue
        target = item.get("targetPort", address.port)
        for workload in cluster.workloads.values():
            same = workload.ref.namespace == address.service.namespace
            if same and selects(labels(service.value, "spec", "selector"), workload.labels):
                yield workload, target if isinstance(target, int | str) else address.port


def _refused(
    cluster: Cluster, owner: Workload, peer: Workload, port: int | str, direction: str
) -> Seen[K8sObject] | None:
    """A policy at ``owner`` that keeps the peer out, where none lets it in."""
    selecting = _selecting(cluster, owner, direction)
    side = "ingress" if direction == "Ingress" else "egress"
    for seen in selecting:
        if any(_allows(cluster, seen.value, rule, peer, port, side) for rule in items(seen.value, "spec", side)):
            return None
    return selecting[0] if selecting else None


def _selecting(cluster: Cluster, owner: Workload, direction: str) -> list[Seen[K8sObject]]:
    """The policies of a direction that select the workload's pods."""
    return [
        seen
        for seen in cluster.objects("NetworkPolicy", owner.ref.namespace)
        if direction in directions(seen.value)
        and label_selector(mapping(seen.value, "spec", "podSelector"), owner.labels)
    ]


def _allows(cluster: Cluster, policy: K8sObject, rule: K8sObject, peer: Workload, port: int | str, side: str) -> bool:
    if not _lets_port(rule, port):
        return False
    peers = items(rule, "from" if side == "ingress" else "to")
    return not peers or any(is_peer(cluster, policy, item, peer) for item in peers)


def _lets_port(rule: K8sObject, port: int | str) -> bool:
    ports = items(rule, "ports")
    return not ports or any(
        "port" not in item or str(item["port"]) == str(port) or _in_range(item, port) for item in ports
    )


def _in_range(item: K8sObject, port: int | str) -> bool:
    first, last = number(item, "port"), number(item, "endPort")
    return isinstance(port, int) and first is not None and last is not None and first <= port <= last


def _finding(
    case: CaseFile, direction: str, workload: Workload, calls: list[tuple[Address, Seen[K8sObject]]]
) -> Finding:
    policy = calls[0][1]
    complaints = _complaints(case, [address for address, _ in calls])
    side = "ingress" if direction == "Ingress" else "egress"
    rules = (("spec", "podSelector"), ("spec", "policyTypes"), ("spec", side))
    facts = [fact(f"{ref_of(policy.value)} selects the pods of {workload.ref}", policy, *rules)]
    facts += [address.fact() for address, _ in calls[:3]]
    peers = ", ".join(dict.fromkeys(address.workload.ref.name for address, _ in calls))
    statement = (
        f"{ref_of(policy.value)} lets no traffic in from {peers}, which call {workload.ref}."
        if direction == "Ingress"
        else f"{ref_of(policy.value)} does not let {workload.ref} call what it is configured to call."
    )
    return Finding(
        analyzer="policies",
        fault="network_policy_denied",
        object=workload.ref,
        strength=0.95 if complaints else 0.7,
        statement=statement,
        facts=(*facts, *complaints),
        change=_recorded(case, policy, workload),
        explains=tuple(dict.fromkeys(address.workload.ref for address, _ in calls)),
        distinguish="a connection from a caller's pod to the callee's pod, with the policy and without",
    )


def _recorded(case: CaseFile, policy: Seen[K8sObject], workload: Workload) -> str | None:
    """The recorded change in which the policy came: of it or of the workload that it selects, at the same moment."""
    made = instant(policy.value, "metadata", "creationTimestamp")
    names = (name_of(policy.value), workload.ref.name)
    found = [
        (abs(seen.value.time - made), seen.value.id)
        for seen in case.changes
        if made is not None
        and abs(seen.value.time - made) <= _SAME_MOMENT
        and any(concerns(seen.value.target, name) for name in names)
    ]
    return min(found)[1] if found else None


def _complaints(case: CaseFile, calls: list[Address]) -> list[Fact]:
    found = []
    for address in calls[:5]:
        place = re.compile(rf"\b{re.escape(address.service.name)}\b")
        lines = matching(streams(case, address.workload), _NO_ANSWER, address.service.name)
        line = next((item for item in lines if place.search(item[1].text)), None)
        if line is not None:
            found.append(log_fact(f"{address.workload.ref} complains of {address.service.name}", *line))
    return found
