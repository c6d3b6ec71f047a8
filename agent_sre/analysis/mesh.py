"""Mutual TLS in a mesh: one side demands it and the other does not speak it.

Which side does what follows from three things: a PeerAuthentication says what the callee's proxy accepts (the pod's own
before the namespace's before the mesh's), a DestinationRule what the caller's proxy sends, and a pod without a proxy
neither. A pair that cannot agree fails on every call; the caller's log shows resets and TLS errors, which confirms it.
The object is what a person would change: the rule that contradicts, else the workload outside the mesh.
"""

import re
from collections.abc import Iterator

from agent_sre.analysis.casefile import CaseFile, K8sObject, Seen
from agent_sre.analysis.kubernetes.cluster import Cluster, cluster_of
from agent_sre.analysis.kubernetes.excerpts import fact, log_fact
from agent_sre.analysis.kubernetes.logs import last_match
from agent_sre.analysis.kubernetes.reading import labels, mapping, name_of, namespace_of, ref_of, text
from agent_sre.analysis.kubernetes.selectors import label_selector
from agent_sre.analysis.kubernetes.workload import Workload
from agent_sre.analysis.routes import rule_fact, rules_for, tls_mode
from agent_sre.analysis.topology import configured_calls
from agent_sre.domain.finding import Fact, Finding
from agent_sre.domain.reference import ObjectRef

_PROXIES = frozenset({"istio-proxy", "linkerd-proxy"})
_ROOT = "istio-system"
_COMPLAINT = re.compile(
    r"connection reset|connection termination|before headers|server preface|TLS_error|WRONG_VERSION_NUMBER"
    r"|SSL|TLS handshake"
    r"|EOF|no healthy upstream|certificate", re.I
)  # fmt: skip


def analyze_mesh(case: CaseFile) -> Iterator[Finding]:
    """At most one finding for each pair of caller and callee that cannot agree."""
    cluster = cluster_of(case)
    if not (cluster.objects("PeerAuthentication") or cluster.objects("DestinationRule")):
        return
    for caller, service, callee in configured_calls(case, cluster):
        found = _disagreement(cluster, caller, service, callee)
        if found is None:
            continue
        guilty, why, facts = found
        logged = last_match(case, caller, _COMPLAINT)
        facts += [log_fact("The caller's log shows the connection break", *logged)] if logged else []
        yield Finding(
            "mesh", "mtls_mismatch", guilty, 0.93 if logged else 0.7, f"{caller.ref} cannot call {callee.ref}: {why}.",
            tuple(facts), explains=tuple({caller.ref, callee.ref} - {guilty}),
            distinguish=f"the proxies' view: istioctl x describe pod, for a pod of {callee.ref.name}",
        )  # fmt: skip


def _disagreement(
    cluster: Cluster, caller: Workload, service: ObjectRef, callee: Workload
) -> tuple[ObjectRef, str, list[Fact]] | None:
    inside, meshed = _proxied(caller), _proxied(callee)
    policy = _policy(cluster, callee)
    strict = policy is not None and text(policy.value, "spec", "mtls", "mode") == "STRICT"
    shown = [fact("What the callee's proxy accepts", policy, ("spec",))] if policy is not None else []
    rule = next((item for item in rules_for(cluster, service) if tls_mode(item)), None)
    mode = tls_mode(rule) if rule is not None else ""
    if rule is not None and inside:
        if meshed and strict and mode in ("DISABLE", "SIMPLE"):
            return (
                ref_of(rule.value),
                f"{name_of(rule.value)} sends {mode} where STRICT is asked",
                [rule_fact(rule), *shown],
            )
        if not meshed and mode == "ISTIO_MUTUAL":
            facts = [rule_fact(rule), _pod_fact(callee)]
            return ref_of(rule.value), f"{name_of(rule.value)} sends mutual TLS to pods without a proxy", facts
    if meshed and strict and not inside:
        return caller.ref, "it has no proxy, and mutual TLS is asked of it", [*shown, _pod_fact(caller)]
    return None


def _proxied(workload: Workload) -> bool:
    return any(item.name in _PROXIES for pod in workload.current_pods for item in pod.containers)


def _pod_fact(workload: Workload) -> Fact:
    pod = workload.current_pods[0]
    names = [(*item.spec_path, "name") for item in pod.containers]
    return fact(f"The containers of {pod.ref}, no proxy among them", pod.seen, *names)


def _policy(cluster: Cluster, workload: Workload) -> Seen[K8sObject] | None:
    """The PeerAuthentication that counts for a workload: its own, its namespace's, the mesh's."""
    ranked: list[tuple[int, Seen[K8sObject]]] = []
    for seen in cluster.objects("PeerAuthentication"):
        selector, space = mapping(seen.value, "spec", "selector"), namespace_of(seen.value)
        if labels(selector, "matchLabels"):
            if space == workload.ref.namespace and label_selector(selector, workload.labels):
                ranked.append((0, seen))
        elif space in (workload.ref.namespace, _ROOT):
            ranked.append((1 if space == workload.ref.namespace else 2, seen))
    return min(ranked, key=lambda item: (item[0], name_of(item[1].value)), default=(0, None))[1]
