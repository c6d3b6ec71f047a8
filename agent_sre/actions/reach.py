"""How far an action reaches into a workload: in pods, and in pods that serve now and may be missing at once.

Read from the workload's own status and update strategy, rounded as its controller rounds. A pod that does not serve
cannot be missed: that is what makes a rollback of a workload that is down harmless.
"""

from collections.abc import Mapping
from typing import Any

from agent_sre.domain.action import Reach

_DEFAULT_SHARE = "25%"


def wanted_pods(item: Mapping[str, Any]) -> int:
    """How many pods the workload should have."""
    if item["kind"] == "DaemonSet":
        return int((item.get("status") or {}).get("desiredNumberScheduled") or 0)
    replicas = item["spec"].get("replicas")
    return 1 if replicas is None else int(replicas)


def serving_pods(item: Mapping[str, Any]) -> int:
    """How many of its pods are available."""
    name = "numberAvailable" if item["kind"] == "DaemonSet" else "availableReplicas"
    return int((item.get("status") or {}).get(name) or 0)


def replaced(item: Mapping[str, Any]) -> Reach:
    """A rollout: every pod is replaced, so many at once as the strategy lets."""
    wanted, serving = wanted_pods(item), serving_pods(item)
    at_once = wanted if _all_at_once(item) else _unavailable(item, wanted)
    down = max(0, wanted - serving)
    taken = max(0, min(serving, at_once - down))
    return Reach(pods=wanted, missing=down + taken if taken else 0, of=wanted)


def resized(item: Mapping[str, Any], replicas: int) -> Reach:
    """Another number of replicas."""
    wanted = wanted_pods(item)
    taken = serving_pods(item) > replicas
    return Reach(pods=abs(replicas - wanted), missing=max(0, wanted - replicas) if taken else 0, of=wanted)


def _all_at_once(item: Mapping[str, Any]) -> bool:
    return item["kind"] == "Deployment" and (item["spec"].get("strategy") or {}).get("type") == "Recreate"


def _unavailable(item: Mapping[str, Any], wanted: int) -> int:
    """maxUnavailable in pods; a controller never lets a rollout stand still, so it is at least one without surge."""
    field = "strategy" if item["kind"] == "Deployment" else "updateStrategy"
    rolling = (item["spec"].get(field) or {}).get("rollingUpdate") or {}
    value = rolling.get("maxUnavailable", _DEFAULT_SHARE if item["kind"] == "Deployment" else 1)
    text = str(value)
    if text.endswith("%") and text[:-1].isdigit():
        return wanted * int(text[:-1]) // 100
    return int(text) if text.isdigit() else wanted
