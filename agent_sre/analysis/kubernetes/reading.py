"""Reading API JSON that may be incomplete or malformed: paths, labels, quantities, times.

A field that is missing or of another type reads as the caller's default, never as an exception: an object that somebody
else wrote must not end an investigation. Called by everything in this package and by the Kubernetes families.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from agent_sre.domain.instant import parse_instant
from agent_sre.domain.reference import ObjectRef
from agent_sre.ports.cluster import CLUSTER_SCOPED

Path = tuple[str | int, ...]

_QUANTITY = re.compile(r"\s*([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*(m|u|n|[kKMGTPE]i?)?\s*$")
_FACTOR = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15}
_FACTOR |= {"E": 1e18, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50, "Ei": 2.0**60}


def dig(value: Any, *path: str | int, default: Any = None) -> Any:
    """The value at a path of keys and list positions, or ``default`` where any step is missing or null."""
    for step in path:
        if isinstance(step, str):
            # Nearly all are dicts, and to ask that costs a fifth of asking for any mapping.
            value = value.get(step) if isinstance(value, (dict, Mapping)) else None
        else:
            value = value[step] if isinstance(value, list | tuple) and -len(value) <= step < len(value) else None
        if value is None:
            return default
    return value


def mapping(value: Any, *path: str | int) -> Mapping[str, Any]:
    """The mapping at a path, or an empty one."""
    found = dig(value, *path)
    return found if isinstance(found, Mapping) else {}


def items(value: Any, *path: str | int) -> list[Mapping[str, Any]]:
    """The mappings in the list at a path; entries of other types are left out."""
    found = dig(value, *path)
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list | tuple) else []


def positions(value: Any, *path: str | int) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The mappings in the list at a path with their positions, for citing them."""
    found = dig(value, *path)
    for place, item in enumerate(found if isinstance(found, list | tuple) else ()):
        if isinstance(item, Mapping):
            yield place, item


def text(value: Any, *path: str | int) -> str:
    """The scalar at a path as text, or ""."""
    found = dig(value, *path)
    return str(found) if isinstance(found, str | int | float) and not isinstance(found, bool) else ""


def number(value: Any, *path: str | int) -> int | None:
    """The whole number at a path, or None where there is none."""
    found = dig(value, *path)
    if isinstance(found, bool):
        return None
    if isinstance(found, int):
        return found
    return int(found) if isinstance(found, str) and found.lstrip("-").isdecimal() else None


def labels(value: Any, *path: str | int) -> dict[str, str]:
    """A string map such as labels or a selector."""
    return {str(key): str(entry) for key, entry in mapping(value, *path).items() if isinstance(entry, str | int | bool)}


def instant(value: Any, *path: str | int) -> datetime | None:
    """The RFC 3339 time at a path in UTC, or None."""
    found = dig(value, *path)
    if not isinstance(found, str):
        return None
    try:
        moment = parse_instant(found)
    except ValueError:
        return None
    return moment if moment.year > 1970 else None  # the kubelet writes the epoch for "never started"


def quantity(value: Any) -> float | None:
    """A resource quantity (``250m``, ``1.5``, ``128Mi``) as a plain number (cores, bytes, count), or None."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    match = _QUANTITY.match(value) if isinstance(value, str) else None
    return float(match[1]) * _FACTOR[match[2] or ""] if match else None


def name_of(value: Any) -> str:
    """The object's name."""
    return text(value, "metadata", "name")


def namespace_of(value: Any) -> str:
    """The object's namespace, "" where it is cluster-scoped."""
    return "" if text(value, "kind") in CLUSTER_SCOPED else text(value, "metadata", "namespace")


def ref_of(value: Any) -> ObjectRef:
    """The object's reference."""
    return ObjectRef(text(value, "kind"), namespace_of(value), name_of(value))


def controller_of(value: Any) -> ObjectRef | None:
    """The owner that controls the object, where it says so."""
    owners = items(value, "metadata", "ownerReferences")
    chosen = next((item for item in owners if item.get("controller")), owners[0] if owners else None)
    if chosen is None or not text(chosen, "name"):
        return None
    kind = text(chosen, "kind")
    return ObjectRef(kind, "" if kind in CLUSTER_SCOPED else namespace_of(value), text(chosen, "name"))
