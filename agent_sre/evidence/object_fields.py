"""Fields of API objects as they come: one that is missing or of another type reads as nothing, never as an error."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from agent_sre.domain.instant import parse_instant

Object = Mapping[str, Any]
_REVISIONS = ("deployment.kubernetes.io/revision", "rollout.argoproj.io/revision")


def part(item: Object, *keys: str) -> Object:
    """The mapping at a path, or an empty one."""
    for key in keys:
        found = item.get(key)
        item = found if isinstance(found, Mapping) else {}
    return item


def entries(item: Object, key: str) -> list[Object]:
    """The mappings of a list."""
    found = item.get(key)
    return [entry for entry in found if isinstance(entry, Mapping)] if isinstance(found, list) else []


def name_of(item: Object) -> str:
    """The object's name."""
    return str(part(item, "metadata").get("name") or "")


def namespace_of(item: Object) -> str:
    """The object's namespace."""
    return str(part(item, "metadata").get("namespace") or "")


def time_of(text: object) -> datetime | None:
    """An RFC 3339 time (UTC), or None."""
    try:
        return parse_instant(text) if isinstance(text, str) else None
    except ValueError:
        return None


def made_at(item: Object) -> datetime | None:
    """When the object was made."""
    return time_of(part(item, "metadata").get("creationTimestamp"))


def controller_of(item: Object) -> tuple[str, str, str] | None:
    """Kind, namespace and name of the object's controller, or None."""
    owner = next((one for one in entries(part(item, "metadata"), "ownerReferences") if one.get("controller")), None)
    return (str(owner.get("kind")), namespace_of(item), str(owner.get("name"))) if owner is not None else None


def template_of(generation: Object) -> Object:
    """The pod template of a ReplicaSet or a ControllerRevision."""
    if generation.get("kind") == "ControllerRevision":
        return part(generation, "data", "spec", "template")
    return part(generation, "spec", "template")


def revision_of(generation: Object) -> int:
    """The number of a generation, 0 where it has none."""
    annotations = part(generation, "metadata", "annotations")
    told = str(generation.get("revision") or next((annotations[key] for key in _REVISIONS if key in annotations), ""))
    return int(told) if told.isdecimal() else 0
