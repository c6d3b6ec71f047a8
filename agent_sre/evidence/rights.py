"""Which rights each collector needs of the Kubernetes API, to be granted, explained and generated from.

A manifest, a chart or a page of documentation takes the rules from here, so that what is granted is what is asked:
nothing but ``get`` and ``list``, and of Secrets nothing unless the site opted in. Without a right its kind is an
evidence gap, never an error. ``docs/rbac.yaml`` is made of this, and a test compares the two.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from agent_sre.evidence import changes, kubernetes_events, kubernetes_nodes, kubernetes_objects, pod_logs
from agent_sre.ports.cluster import CLUSTER_SCOPED, DEPLOYERS, READ_KINDS


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One right; ``group`` "" is the core API, ``whole_cluster`` whether it must be granted by a ClusterRole."""

    group: str
    resource: str
    verb: str
    whole_cluster: bool = False


def _list(*kinds: str) -> tuple[Right, ...]:
    return tuple(
        Right(READ_KINDS[kind][0].rpartition("/")[0], READ_KINDS[kind][1], "list", kind in CLUSTER_SCOPED)
        for kind in kinds
    )


HELM_SECRETS = Right("", "secrets", "list")
"""Only with AGENT_SRE_HELM_SECRETS: metadata is all that is asked for, but Kubernetes does not divide the right."""

RIGHTS: Mapping[str, tuple[Right, ...]] = {
    kubernetes_objects.NAME: _list(*(kind for kind in kubernetes_objects.KINDS if kind in READ_KINDS)),
    kubernetes_nodes.NAME: (
        *_list(*kubernetes_nodes.KINDS, *kubernetes_nodes.SYSTEM_KINDS),
        *(Right("", resource, "get", resource == "namespaces") for resource in ("namespaces", "services", "endpoints")),
    ),
    kubernetes_events.NAME: _list("Event"),
    pod_logs.NAME: (*_list("Pod"), Right("", "pods/log", "get")),
    changes.NAME: _list(*changes.OWNERS, *changes.GENERATIONS, *sorted(DEPLOYERS)),
}
"""By collector. What is not listed here reads nothing of the Kubernetes API."""


def rules(rights: Iterable[Right]) -> list[dict[str, Any]]:
    """The rights as rules of a Role or ClusterRole, one per API group and set of verbs."""
    verbs: dict[tuple[str, str], set[str]] = {}
    for right in rights:
        verbs.setdefault((right.group, right.resource), set()).add(right.verb)
    grouped: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (group, resource), found in sorted(verbs.items()):
        grouped.setdefault((group, tuple(sorted(found))), []).append(resource)
    return [
        {"apiGroups": [group], "resources": resources, "verbs": list(found)}
        for (group, found), resources in sorted(grouped.items())
    ]


def manifest() -> list[dict[str, Any]]:
    """A ClusterRole for the cluster's own objects, and one to bind in each namespace that may be looked at."""
    every = {right for rights in RIGHTS.values() for right in rights}
    whole = {right for right in every if right.whole_cluster}
    parts = (("agent-sre-reader-cluster", whole), ("agent-sre-reader-namespace", every - whole))
    return [
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": name},
            "rules": rules(rights),
        }
        for name, rights in parts
    ]
