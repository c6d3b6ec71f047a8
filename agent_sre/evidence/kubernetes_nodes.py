"""What the cluster itself consists of: nodes, volumes, classes, webhooks, the namespaces, and the system's own parts.

A fault of the platform shows here first, whichever namespace the alert names: in nodes and their leases, in kube-system
(DNS, proxies, network plug-in, the leaders' leases), in a webhook that answers for everybody's objects. Of the Services
that webhooks and aggregated APIs call, which may lie anywhere, the endpoints are read too.
"""

import asyncio
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from agent_sre.domain.reference import ObjectRef
from agent_sre.evidence.kubernetes_objects import record
from agent_sre.evidence.kubernetes_paths import (
    KUBERNETES_FIX,
    NODE_LEASES_NAMESPACE,
    SYSTEM_NAMESPACE,
    get_query,
    right,
)
from agent_sre.evidence.reading import Reading, capped, not_there
from agent_sre.evidence.scope import Collected, Readers, Scope
from agent_sre.ports.cluster import CLUSTER_SCOPED, READ_KINDS, ClusterReader

NAME = "kubernetes_nodes"
KINDS = tuple(kind for kind in READ_KINDS if kind in CLUSTER_SCOPED and kind != "Namespace")
SYSTEM_KINDS = (
    "Pod",
    "Deployment",
    "ReplicaSet",
    "DaemonSet",
    "Service",
    "Endpoints",
    "EndpointSlice",
    "ConfigMap",
    "Lease",
)
_MOST_CALLED = 20
_Found = Iterable[Mapping[str, Any]]


async def collect(scope: Scope, readers: Readers) -> Collected:
    """List the cluster-scoped kinds and the system's own parts; get the namespaces and called Services by name."""
    cluster = readers.cluster
    if cluster is None:
        return not_there("kubernetes", "nodes and volumes", KUBERNETES_FIX)
    reading = Reading(NAME, "kubernetes", scope)
    places = [(kind, "") for kind in KINDS]
    places.append(("Lease", NODE_LEASES_NAMESPACE))
    if SYSTEM_NAMESPACE not in scope.namespaces:
        places += [(kind, SYSTEM_NAMESPACE) for kind in SYSTEM_KINDS]
    answers = await asyncio.gather(
        *(
            reading.look(f"{kind} in {place or 'the cluster'}", partial(cluster.list, kind, place), right(kind, place))
            for kind, place in places
        )
    )
    listed = dict(zip(places, answers, strict=True))
    for (kind, place), found in listed.items():
        if found is not None:
            record(reading, kind, place, found)
    await _get(reading, cluster, [ObjectRef("Namespace", "", name) for name in scope.namespaces])
    called, left_out = capped(_called(scope, listed), _MOST_CALLED, "Services that webhooks and APIs call")
    for what in left_out:
        reading.gap("Services that webhooks and APIs call", what)
    await _get(reading, cluster, [ObjectRef(kind, *place) for place in called for kind in ("Service", "Endpoints")])
    return reading.done()


async def _get(reading: Reading, cluster: ClusterReader, wanted: list[ObjectRef]) -> None:
    """Record what there is of these; that one is not there is told by the kind's absence, as in a listing."""
    found = await asyncio.gather(*(reading.look(str(ref), partial(cluster.get, ref)) for ref in wanted))
    for ref, item in zip(wanted, found, strict=True):
        if item is not None:
            reading.observe(get_query(ref), objects=(item,), window=None)


def _called(scope: Scope, listed: Mapping[tuple[str, str], _Found | None]) -> list[tuple[str, str]]:
    """Namespace and name of the Services that webhooks and aggregated APIs call, beyond the listed namespaces."""
    hooks = [
        hook
        for kind in ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
        for item in listed.get((kind, "")) or ()
        for hook in item.get("webhooks") or ()
    ]
    services = [(hook.get("clientConfig") or {}).get("service") for hook in hooks]
    services += [(item.get("spec") or {}).get("service") for item in listed.get(("APIService", "")) or ()]
    places = {(str(item.get("namespace")), str(item.get("name"))) for item in services if item}
    return sorted(place for place in places if place[0] not in {*scope.namespaces, SYSTEM_NAMESPACE})
