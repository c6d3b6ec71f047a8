"""A Deployment's rollout history: the ReplicaSets it controls, by their revision annotation.

The same rules as kubectl's: only ReplicaSets whose controller is this very Deployment (by uid) count, and the previous
revision is the second highest number, whichever ReplicaSet has replicas now.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

REVISION = "deployment.kubernetes.io/revision"


@dataclass(frozen=True, slots=True)
class Revision:
    """One entry of the history."""

    number: int
    replica_set: Mapping[str, Any]

    @property
    def created(self) -> str:
        """When its ReplicaSet was created, RFC 3339; "" where not known."""
        return str(self.replica_set["metadata"].get("creationTimestamp") or "")


def revision_of(item: Mapping[str, Any]) -> int:
    """The number in an object's revision annotation, 0 where it has none that can be read."""
    text = str((item["metadata"].get("annotations") or {}).get(REVISION, ""))
    return int(text) if text.isascii() and text.isdigit() else 0


def history(deployment: Mapping[str, Any], replica_sets: Iterable[Mapping[str, Any]]) -> tuple[Revision, ...]:
    """The Deployment's revisions, oldest first."""
    uid = deployment["metadata"].get("uid")
    own = (item for item in replica_sets if uid and _controller(item) == uid)
    found = (Revision(revision_of(item), item) for item in own)
    return tuple(sorted((item for item in found if item.number), key=lambda item: item.number))


def _controller(item: Mapping[str, Any]) -> str:
    owners = item["metadata"].get("ownerReferences") or []
    return next((str(owner.get("uid")) for owner in owners if owner.get("controller")), "")
