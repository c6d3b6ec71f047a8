"""Nodes, volumes, storage classes, the namespaces themselves, and what keeps the cluster going (kube-system).

A fault of the platform shows here first, whichever namespace the alert names.
"""

import asyncio
from functools import partial

from agent_sre.domain.reference import ObjectRef
from agent_sre.evidence.kubernetes_objects import record
from agent_sre.evidence.kubernetes_paths import KUBERNETES_FIX, SYSTEM_NAMESPACE, right
from agent_sre.evidence.reading import Reading, not_there
from agent_sre.evidence.scope import Collected, Readers, Scope

NAME = "kubernetes_nodes"
_CLUSTER_KINDS = ("Node", "PersistentVolume", "StorageClass")
_SYSTEM_KINDS = ("Pod", "Deployment", "DaemonSet", "Service", "Endpoints")


async def collect(scope: Scope, readers: Readers) -> Collected:
    """List the cluster-scoped kinds and the system's own parts; get the namespaces by name."""
    cluster = readers.cluster
    if cluster is None:
        return not_there("kubernetes", "nodes and volumes", KUBERNETES_FIX)
    reading = Reading(NAME, "kubernetes", scope)
    places = [(kind, "") for kind in _CLUSTER_KINDS]
    if SYSTEM_NAMESPACE not in scope.namespaces:
        places += [(kind, SYSTEM_NAMESPACE) for kind in _SYSTEM_KINDS]
    listings = asyncio.gather(
        *(
            reading.look(f"{kind} in {place or 'the cluster'}", partial(cluster.list, kind, place), right(kind, place))
            for kind, place in places
        )
    )
    namespaces = asyncio.gather(
        *(
            reading.look(f"Namespace {name}", partial(cluster.get, ObjectRef("Namespace", "", name)))
            for name in scope.namespaces
        )
    )
    for (kind, place), found in zip(places, await listings, strict=True):
        if found is not None:
            record(reading, kind, place, found)
    for name, item in zip(scope.namespaces, await namespaces, strict=True):
        if item is not None:
            reading.observe(f"GET /api/v1/namespaces/{name} kind=Namespace", objects=(item,), window=None)
    return reading.done()
