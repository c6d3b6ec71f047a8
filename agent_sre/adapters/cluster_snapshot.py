"""The cluster as a snapshot's ``kubernetes.json`` holds it: ClusterReader over plain API objects.

Takes the objects themselves, not the file: bootstrap composes it with what ``snapshot_directory`` read. A kind without
objects is an empty listing, as a live cluster would answer; where the whole file is missing, bootstrap composes no
reader at all.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from agent_sre.domain.errors import PermanentError
from agent_sre.domain.reference import ObjectRef
from agent_sre.ports.cluster import CLUSTER_SCOPED, READ_KINDS


class SnapshotCluster:
    """ClusterReader over a fixed sequence of API objects; kinds outside READ_KINDS are never given out."""

    def __init__(self, objects: Sequence[Mapping[str, Any]]) -> None:
        self._by_kind: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        self._by_ref: dict[ObjectRef, Mapping[str, Any]] = {}
        for item in objects:
            kind = str(item.get("kind", ""))
            if kind in READ_KINDS:
                whole = item if item.get("apiVersion") else {"apiVersion": READ_KINDS[kind][0], **item}
                self._by_kind[kind].append(whole)
                self._by_ref[_ref(kind, item)] = whole

    async def list(self, kind: str, namespace: str) -> tuple[Mapping[str, Any], ...]:
        """Objects of a kind, in the file's order."""
        _known(kind)
        found = self._by_kind.get(kind, [])
        if namespace and kind not in CLUSTER_SCOPED:
            found = [item for item in found if item["metadata"].get("namespace", "") == namespace]
        return tuple(found)

    async def get(self, ref: ObjectRef) -> Mapping[str, Any] | None:
        """One object, or None."""
        _known(ref.kind)
        return self._by_ref.get(ref)


def _known(kind: str) -> None:
    if kind not in READ_KINDS:
        raise PermanentError(
            f"objects of kind {kind!r} are never read; readable kinds: {', '.join(sorted(READ_KINDS))}"
        )


def _ref(kind: str, item: Mapping[str, Any]) -> ObjectRef:
    metadata = item.get("metadata", {})
    namespace = "" if kind in CLUSTER_SCOPED else str(metadata.get("namespace") or "")
    return ObjectRef(kind, namespace, str(metadata.get("name", "")))
