"""Whom a network policy speaks of: the workloads that one of its peers' selectors picks."""

from agent_sre.analysis.casefile import K8sObject
from agent_sre.analysis.kubernetes.cluster import Cluster
from agent_sre.analysis.kubernetes.reading import dig, labels, mapping, name_of, text
from agent_sre.analysis.kubernetes.selectors import label_selector
from agent_sre.analysis.kubernetes.workload import Workload

_NAMESPACE_LABEL = "kubernetes.io/metadata.name"


def directions(policy: K8sObject) -> list[str]:
    """Which of Ingress and Egress a policy rules: what it names, else what it has rules for."""
    told = dig(policy, "spec", "policyTypes")
    if isinstance(told, list):
        return [str(item) for item in told]
    return ["Ingress", "Egress"] if dig(policy, "spec", "egress") is not None else ["Ingress"]


def is_peer(cluster: Cluster, policy: K8sObject, item: K8sObject, peer: Workload) -> bool:
    """Whether a peer of a rule picks the workload's pods."""
    if "ipBlock" in item:
        return True  # addresses of pods are not known here; give it the benefit of the doubt
    if "namespaceSelector" in item:
        space = next(
            (seen.value for seen in cluster.objects("Namespace") if name_of(seen.value) == peer.ref.namespace), {}
        )
        known = {_NAMESPACE_LABEL: peer.ref.namespace, **labels(space, "metadata", "labels")}
        if not label_selector(mapping(item, "namespaceSelector"), known):
            return False
    elif peer.ref.namespace != text(policy, "metadata", "namespace"):
        return False
    return "podSelector" not in item or label_selector(mapping(item, "podSelector"), peer.labels)
