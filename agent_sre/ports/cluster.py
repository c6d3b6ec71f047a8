"""The cluster: reading and writing are different ports, clients and service accounts.

``READ_KINDS`` is all that is ever read, and so what the reader's account needs the right to list: whatever somebody who
knows Kubernetes would look at for a fault of the vocabulary. Two kinds of absence are told apart. A listing that is
empty says that there is nothing of the kind; a listing that could not be made, for want of a right, of the API or of a
record, raises, and becomes a gap.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from agent_sre.domain.errors import PermanentError
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
    "ControllerRevision": ("apps/v1", "controllerrevisions"),
    "Job": ("batch/v1", "jobs"),
    "CronJob": ("batch/v1", "cronjobs"),
    "Ingress": ("networking.k8s.io/v1", "ingresses"),
    "NetworkPolicy": ("networking.k8s.io/v1", "networkpolicies"),
    "HorizontalPodAutoscaler": ("autoscaling/v2", "horizontalpodautoscalers"),
    "PodDisruptionBudget": ("policy/v1", "poddisruptionbudgets"),
    "StorageClass": ("storage.k8s.io/v1", "storageclasses"),
    "EndpointSlice": ("discovery.k8s.io/v1", "endpointslices"),
    "Lease": ("coordination.k8s.io/v1", "leases"),
    "Role": ("rbac.authorization.k8s.io/v1", "roles"),
    "RoleBinding": ("rbac.authorization.k8s.io/v1", "rolebindings"),
    "ClusterRole": ("rbac.authorization.k8s.io/v1", "clusterroles"),
    "ClusterRoleBinding": ("rbac.authorization.k8s.io/v1", "clusterrolebindings"),
    "PriorityClass": ("scheduling.k8s.io/v1", "priorityclasses"),
    "VolumeAttachment": ("storage.k8s.io/v1", "volumeattachments"),
    "CSINode": ("storage.k8s.io/v1", "csinodes"),
    "CSIDriver": ("storage.k8s.io/v1", "csidrivers"),
    "IngressClass": ("networking.k8s.io/v1", "ingressclasses"),
    "ValidatingWebhookConfiguration": ("admissionregistration.k8s.io/v1", "validatingwebhookconfigurations"),
    "MutatingWebhookConfiguration": ("admissionregistration.k8s.io/v1", "mutatingwebhookconfigurations"),
    "APIService": ("apiregistration.k8s.io/v1", "apiservices"),
    "ComponentStatus": ("v1", "componentstatuses"),
    "GatewayClass": ("gateway.networking.k8s.io/v1", "gatewayclasses"),
    "Gateway": ("gateway.networking.k8s.io/v1", "gateways"),
    "HTTPRoute": ("gateway.networking.k8s.io/v1", "httproutes"),
    "GRPCRoute": ("gateway.networking.k8s.io/v1", "grpcroutes"),
    "VirtualService": ("networking.istio.io/v1", "virtualservices"),
    "DestinationRule": ("networking.istio.io/v1", "destinationrules"),
    "PeerAuthentication": ("security.istio.io/v1", "peerauthentications"),
    "AuthorizationPolicy": ("security.istio.io/v1", "authorizationpolicies"),
    "Application": ("argoproj.io/v1alpha1", "applications"),
    "Rollout": ("argoproj.io/v1alpha1", "rollouts"),
    "Kustomization": ("kustomize.toolkit.fluxcd.io/v1", "kustomizations"),
    "HelmRelease": ("helm.toolkit.fluxcd.io/v2", "helmreleases"),
}
"""Every kind that is ever read: kind -> (apiVersion, plural). Secret is not among them and never will be.

A Role and its binding are read for their rules and subjects: they say what an account may do and hold no credentials.
"""

CLUSTER_SCOPED = frozenset(
    {
        "Node",
        "Namespace",
        "PersistentVolume",
        "StorageClass",
        "ClusterRole",
        "ClusterRoleBinding",
        "PriorityClass",
        "VolumeAttachment",
        "CSINode",
        "CSIDriver",
        "IngressClass",
        "ValidatingWebhookConfiguration",
        "MutatingWebhookConfiguration",
        "APIService",
        "ComponentStatus",
        "GatewayClass",
    }
)
"""Kinds without a namespace."""

ADD_ONS = frozenset(
    {"GatewayClass", "Gateway", "HTTPRoute", "GRPCRoute"}
    | {"VirtualService", "DestinationRule", "PeerAuthentication", "AuthorizationPolicy"}
    | {"Application", "Rollout", "Kustomization", "HelmRelease"}
)
"""Kinds of APIs that a cluster need not have. Where no version of the API serves the kind there are no such objects."""

OLDER_VERSIONS: dict[str, tuple[str, ...]] = {
    "GatewayClass": ("v1beta1",),
    "Gateway": ("v1beta1",),
    "HTTPRoute": ("v1beta1",),
    "GRPCRoute": ("v1alpha2",),
    "VirtualService": ("v1beta1", "v1alpha3"),
    "DestinationRule": ("v1beta1", "v1alpha3"),
    "PeerAuthentication": ("v1beta1",),
    "AuthorizationPolicy": ("v1beta1",),
    "Kustomization": ("v1beta2",),
    "HelmRelease": ("v2beta2", "v2beta1"),
}
"""Versions that are read where a cluster does not serve the one of READ_KINDS: what we look at is the same in them."""

DEPLOYERS = frozenset({"Application", "Kustomization", "HelmRelease"})
"""What says what is deployed elsewhere: kept in a namespace of its own, beside those that it deploys to."""

_ROLLED_OUT = ("metadata.annotations", "spec.template")
PATCHED_FIELDS: Mapping[str, tuple[str, ...]] = {
    "Deployment": (*_ROLLED_OUT, "spec.replicas", "spec.paused"),
    "StatefulSet": (*_ROLLED_OUT, "spec.replicas"),
    "DaemonSet": _ROLLED_OUT,
    "HorizontalPodAutoscaler": ("metadata.annotations", "spec.minReplicas", "spec.maxReplicas"),
    "CronJob": ("metadata.annotations", "spec.suspend"),
    "Node": ("metadata.annotations", "spec.unschedulable"),
    "ConfigMap": ("metadata.annotations", "data"),
}
"""The fields of each kind that may be patched, with all below them: what the shipped actions need, and nothing else."""

WRITE_KINDS: Mapping[str, frozenset[str]] = {
    "patch": frozenset(PATCHED_FIELDS),
    "create": frozenset({"Job"}),
    "delete": frozenset({"Pod", "Job"}),
    "evict": frozenset({"Pod"}),
}
"""Every kind that may be changed, by the way of changing it, whatever an action asks for."""


def unwritable(verb: str, kind: str, patch: Mapping[str, Any] | None = None) -> str:
    """Why this is never sent, whoever asks; "" where it may be. Every ClusterWriter asks this first."""
    allowed = WRITE_KINDS.get(verb, frozenset())
    if kind not in allowed:
        return f"objects of kind {kind} are never changed by {verb}; allowed are {', '.join(sorted(allowed))}"
    fields = PATCHED_FIELDS[kind] if patch is not None else ()
    for path in _paths(patch or {}, ""):
        if not any(path == field or path.startswith(f"{field}.") for field in fields):
            return f"{path} of a {kind} is never patched; allowed are {', '.join(fields)}"
    return ""


def _paths(patch: Mapping[str, Any], above: str) -> Iterator[str]:
    """The paths of a patch, as deep as the fields of PATCHED_FIELDS lie. An empty object is a path of its own."""
    for key, value in patch.items():
        path = f"{above}.{key}" if above else str(key)
        deeper = isinstance(value, Mapping) and value and path in ("metadata", "spec")
        yield from _paths(value, path) if deeper else (path,)


NAMES_ONLY = {"Secret": ("v1", "secrets")}
"""Kinds of which a snapshot may hold names and keys, which is all that is given out of it. A live cluster is never
asked for them: the right to list Secrets is the right to read them."""
NEVER_READ = "the data of Secrets is never read from a live cluster: the right to list them is the right to read them"
"""Why a live cluster's Secrets are a gap."""


class NotOffered(PermanentError):
    """The source does not give objects of this kind, and no right would change that."""


class ClusterReader(Protocol):
    """Read-only access to API objects, as API JSON (``kind`` and ``apiVersion`` always set)."""

    async def list(self, kind: str, namespace: str, fields: str = "") -> tuple[Mapping[str, Any], ...]:
        """All objects of a kind in READ_KINDS; ``namespace`` "" for cluster-scoped kinds or all namespaces.

        ``fields`` is a field selector that the server applies, such as ``involvedObject.kind!=Pod``.

        Raises PermanentError naming verb, resource and namespace where the right is missing, and NotOffered where it is
        not known whether there are any.
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
        changed since. ``dry_run`` asks the server to admit and validate only. All four raise PermanentError for what
        was refused, and TemporaryError where nothing is known to have happened or, as its words say, nothing is known.
        """
        ...

    async def create(self, manifest: Mapping[str, Any], *, dry_run: bool = False) -> Mapping[str, Any]:
        """Create an object and return it as it is then. PermanentError (a conflict) where the name is taken."""
        ...

    async def delete(self, ref: ObjectRef, *, uid: str, dry_run: bool = False) -> None:
        """Delete exactly the object with this uid, what it owns in the background after it, in its own grace time.

        PermanentError where it is gone or where another object has its name (a conflict).
        """
        ...

    async def evict(self, ref: ObjectRef, *, uid: str, dry_run: bool = False) -> None:
        """Delete exactly the Pod with this uid as far as its disruption budget allows; TemporaryError while it does
        not: nothing was begun. Otherwise as ``delete``."""
        ...
