"""The cluster as a snapshot's ``kubernetes.json`` holds it: ClusterReader over plain API objects.

Takes the objects themselves, not the file: bootstrap composes it with what ``snapshot_directory`` read. A kind that
the format promises and that has no objects is an empty listing, as a live cluster would answer. Of any other kind none
may have been asked for when the snapshot was made, so that where the file has none at all, that is refused and not
called empty. Where the whole file is missing, bootstrap composes no reader.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from agent_sre.domain.errors import PermanentError
from agent_sre.domain.field_selector import selects
from agent_sre.domain.reference import ObjectRef
from agent_sre.ports.cluster import CLUSTER_SCOPED, NAMES_ONLY, READ_KINDS, NotOffered

_READABLE = {**READ_KINDS, **NAMES_ONLY}
_PROMISED = frozenset(
    {"Pod", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "Service", "Endpoints", "Ingress", "Node"}
    | {"PersistentVolume", "PersistentVolumeClaim", "StorageClass", "ResourceQuota", "LimitRange", "ServiceAccount"}
    | {"ConfigMap", "HorizontalPodAutoscaler", "PodDisruptionBudget", "NetworkPolicy", "Event", "Namespace", "CronJob"}
)
"""The kinds that the snapshot format names; all else is there where somebody thought of it."""


class SnapshotCluster:
    """ClusterReader over a fixed sequence of API objects; kinds outside READ_KINDS are never given out.

    Secrets, which a snapshot holds by name and keys, are given out so, whatever else the file has of them.
    """

    def __init__(self, objects: Sequence[Mapping[str, Any]]) -> None:
        self._by_kind: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        self._by_ref: dict[ObjectRef, Mapping[str, Any]] = {}
        for item in objects:
            kind = str(item.get("kind", ""))
            if kind in _READABLE:
                whole = item if item.get("apiVersion") else {"apiVersion": _READABLE[kind][0], **item}
                whole = _named(whole) if kind in NAMES_ONLY else whole
                self._by_kind[kind].append(whole)
                self._by_ref[_ref(kind, item)] = whole

    async def list(self, kind: str, namespace: str, fields: str = "") -> tuple[Mapping[str, Any], ...]:
        """Objects of a kind, in the file's order."""
        _known(kind)
        self._recorded(kind)
        found = self._by_kind.get(kind, [])
        if namespace and kind not in CLUSTER_SCOPED:
            found = [item for item in found if item["metadata"].get("namespace", "") == namespace]
        return tuple(item for item in found if selects(fields, item))

    async def get(self, ref: ObjectRef) -> Mapping[str, Any] | None:
        """One object, or None."""
        _known(ref.kind)
        return self._by_ref.get(ref)

    def _recorded(self, kind: str) -> None:
        """Refuse a kind of which the file says nothing."""
        instead = kind == "Endpoints" and "EndpointSlice" in self._by_kind
        if kind not in self._by_kind and (kind not in _PROMISED or instead):
            raise NotOffered("kubernetes.json holds no object of the kind; whether there was any is not known")


def _named(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """Name, namespace, labels, type and keys of an object whose values are not for us."""
    metadata = item.get("metadata") or {}
    kept = {key: metadata[key] for key in ("name", "namespace", "labels", "creationTimestamp") if key in metadata}
    keys = {*(item.get("data") or {}), *(item.get("stringData") or {})}
    top = {key: item[key] for key in ("apiVersion", "kind", "type") if key in item}
    return {**top, "metadata": kept, "data": dict.fromkeys(sorted(keys))}


def _known(kind: str) -> None:
    if kind not in _READABLE:
        raise PermanentError(f"objects of kind {kind!r} are never read; readable kinds: {', '.join(sorted(_READABLE))}")


def _ref(kind: str, item: Mapping[str, Any]) -> ObjectRef:
    metadata = item.get("metadata", {})
    namespace = "" if kind in CLUSTER_SCOPED else str(metadata.get("namespace") or "")
    return ObjectRef(kind, namespace, str(metadata.get("name", "")))
