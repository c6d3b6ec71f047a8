"""Workloads and all that they depend on, in the namespaces of the incident, and what deploys to these from elsewhere.

Not here: Nodes and other cluster-scoped kinds (kubernetes_nodes), Events (kubernetes_events). Of Secrets there
are names and keys where a snapshot holds them; a live cluster refuses, which is then said.
"""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

from agent_sre.evidence.deployers import deploys_to
from agent_sre.evidence.kubernetes_paths import KUBERNETES_FIX, list_query, right
from agent_sre.evidence.reading import Reading, capped, not_there
from agent_sre.evidence.scope import Collected, Readers, Scope
from agent_sre.ports.cluster import CLUSTER_SCOPED, DEPLOYERS, NAMES_ONLY, READ_KINDS

NAME = "kubernetes_objects"
KINDS = tuple(kind for kind in (*READ_KINDS, *NAMES_ONLY) if kind not in CLUSTER_SCOPED and kind != "Event")


async def collect(scope: Scope, readers: Readers) -> Collected:
    """List every kind in every namespace; one observation per listing, empty ones included."""
    cluster = readers.cluster
    if cluster is None:
        return not_there("kubernetes", "workloads and their configuration", KUBERNETES_FIX)
    reading = Reading(NAME, "kubernetes", scope)
    if not scope.namespaces:
        reading.gap("workloads", "the alerts name no namespace", "add a namespace label, or set AGENT_SRE_NAMESPACES")
    elsewhere = [space for space in scope.gitops_namespaces if space not in scope.namespaces]
    places = [(kind, namespace) for namespace in scope.namespaces for kind in KINDS]
    places += [(kind, namespace) for namespace in elsewhere for kind in sorted(DEPLOYERS)]
    answers = await asyncio.gather(
        *(
            reading.look(f"{kind} in {namespace}", partial(cluster.list, kind, namespace), right(kind, namespace))
            for kind, namespace in places
        )
    )
    for (kind, namespace), found in zip(places, answers, strict=True):
        if found is not None:
            # What deploys to other namespaces only is other people's business.
            ours = tuple(item for item in found if namespace in scope.namespaces or deploys_to(item, scope.namespaces))
            record(reading, kind, namespace, ours)
    return reading.done()


_WRITE = ("manager", "operation", "time")


def record(reading: Reading, kind: str, namespace: str, found: tuple[Mapping[str, Any], ...]) -> None:
    """Keep one listing, within the limit: what is not well comes first."""
    limit = reading.scope.limits.objects_per_kind
    ordered = sorted(found, key=_well) if len(found) > limit else found
    kept, left_out = capped(ordered, limit, f"objects of kind {kind}")
    objects = tuple(_trimmed(item) for item in kept)
    reading.observe(list_query(kind, namespace), objects=objects, left_out=left_out, window=None)


def _well(item: Mapping[str, Any]) -> bool:
    """Whether all conditions of an object are as they should be, as far as they say."""
    conditions = (item.get("status") or {}).get("conditions") or ()
    return all(entry.get("status") == "True" for entry in conditions if entry.get("type") in {"Ready", "Available"})


def _trimmed(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without who set which field and without certificates, which are long; a ConfigMap's times of writes are kept."""
    if isinstance(item.get("webhooks"), list):
        item = {**item, "webhooks": [_without_bundle(hook) for hook in item["webhooks"]]}
    metadata = item.get("metadata")
    if not isinstance(metadata, Mapping) or "managedFields" not in metadata:
        return item
    kept = {key: value for key, value in metadata.items() if key != "managedFields"}
    if item.get("kind") == "ConfigMap":
        writes = [entry for entry in metadata["managedFields"] or () if isinstance(entry, Mapping)]
        kept["managedFields"] = [{key: entry[key] for key in _WRITE if key in entry} for entry in writes]
    return {**item, "metadata": kept}


def _without_bundle(hook: Any) -> Any:
    client = hook.get("clientConfig") if isinstance(hook, Mapping) else None
    if not isinstance(client, Mapping) or "caBundle" not in client:
        return hook
    return {**hook, "clientConfig": {key: value for key, value in client.items() if key != "caBundle"}}
