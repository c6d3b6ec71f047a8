"""The cluster: reading and writing are different ports, clients and service accounts."""

from collections.abc import Mapping
from typing import Any, Protocol

from agent_sre.domain.reference import ObjectRef

READ_KINDS: dict[str, tuple[str, str]] = {
    "Pod": ("v1", "pods"),
    "Service": ("v1", "services"),
    "Endpoints": ("v1", "endpoints"),
    "Event": ("v1", "events"),
    "Node": ("v1", "nodes"),
    "Namespace": ("v1", "namespaces"),
    "ConfigMap": ("v1", "configmaps"),
    "ServiceAccount": ("v1", "serviceaccounts"),
    "ResourceQuota": ("v1", "resourcequotas"),
    "LimitRange": ("v1", "limitranges"),
    "PersistentVolumeClaim": ("v1", "persistentvolumeclaims"),
    "PersistentVolume": ("v1", "persistentvolumes"),
    "Deployment": ("apps/v1", "deployments"),
    "ReplicaSet": ("apps/v1", "replicasets"),
    "StatefulSet": ("apps/v1", "statefulsets"),
    "DaemonSet": ("apps/v1", "daemonsets"),
    "Job": ("batch/v1", "jobs"),
    "CronJob": ("batch/v1", "cronjobs"),
    "Ingress": ("networking.k8s.io/v1", "ingresses"),
    "NetworkPolicy": ("networking.k8s.io/v1", "networkpolicies"),
    "HorizontalPodAutoscaler": ("autoscaling/v2", "horizontalpodautoscalers"),
    "PodDisruptionBudget": ("policy/v1", "poddisruptionbudgets"),
    "StorageClass": ("storage.k8s.io/v1", "storageclasses"),
}
"""Every kind that is ever read: kind -> (apiVersion, plural). Secret is not among them and never will be."""

CLUSTER_SCOPED = frozenset({"Node", "Namespace", "PersistentVolume", "StorageClass"})
"""Kinds without a namespace."""


class ClusterReader(Protocol):
    """Read-only access to API objects, as API JSON (``kind`` and ``apiVersion`` always set)."""

    async def list(self, kind: str, namespace: str) -> tuple[Mapping[str, Any], ...]:
        """All objects of a kind in READ_KINDS; ``namespace`` "" for cluster-scoped kinds or all namespaces.

        Raises PermanentError naming verb, resource and namespace where the right is missing.
        """
        ...

    async def get(self, ref: ObjectRef) -> Mapping[str, Any] | None:
        """One object, or None where it does not exist."""
        ...


class ClusterWriter(Protocol):
    """The only door to the cluster's state. Held by the action executor and nothing else."""

    async def patch(
        self, ref: ObjectRef, patch: Mapping[str, Any], *, resource_version: str, dry_run: bool = False
    ) -> Mapping[str, Any]:
        """Apply a JSON merge patch and return the object as it is then.

        ``resource_version`` is a precondition: PermanentError (a conflict, naming both versions) where the object has
        changed since. ``dry_run`` asks the server to admit and validate only.
        """
        ...
