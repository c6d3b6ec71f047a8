"""The query texts of Kubernetes reads, as a person would send them with ``kubectl get --raw``."""

from agent_sre.domain.reference import ObjectRef
from agent_sre.ports.cluster import NAMES_ONLY, READ_KINDS

_KINDS = {**READ_KINDS, **NAMES_ONLY}

SYSTEM_NAMESPACE = "kube-system"
"""Where the cluster's own parts run: DNS, proxies, schedulers."""
NODE_LEASES_NAMESPACE = "kube-node-lease"
"""Where each node's kubelet renews its lease, which is its heartbeat."""
NODE_EVENTS_NAMESPACE = "default"
"""Where Events about nodes are kept."""
KUBERNETES_FIX = "set AGENT_SRE_KUBERNETES, or add kubernetes.json to the snapshot"


def list_query(kind: str, namespace: str, fields: str = "") -> str:
    """``GET /apis/apps/v1/namespaces/shop/deployments kind=Deployment``; the kind is read by ``CaseFile.looked_at``."""
    version, plural = _KINDS[kind]
    root = f"/api/{version}" if "/" not in version else f"/apis/{version}"
    place = f"/namespaces/{namespace}" if namespace else ""
    chosen = f"?fieldSelector={fields}" if fields else ""
    return f"GET {root}{place}/{plural}{chosen} kind={kind}"


def get_query(ref: ObjectRef) -> str:
    """The request for one object."""
    version, plural = _KINDS[ref.kind]
    root = f"/api/{version}" if "/" not in version else f"/apis/{version}"
    place = f"/namespaces/{ref.namespace}" if ref.namespace else ""
    return f"GET {root}{place}/{plural}/{ref.name} kind={ref.kind}"


def log_query(namespace: str, pod: str, container: str, *, previous: bool) -> str:
    """The request for one container's log."""
    tail = "&previous=true" if previous else ""
    return f"GET /api/v1/namespaces/{namespace}/pods/{pod}/log?container={container}&timestamps=true{tail}"


def right(kind: str, namespace: str) -> str:
    """The sentence that says which right to grant."""
    version, plural = _KINDS[kind]
    group = version.rpartition("/")[0] or "core"
    where = f"namespace {namespace}" if namespace else "the cluster"
    return f"grant the reader's account list on {plural} ({group}) in {where}"
