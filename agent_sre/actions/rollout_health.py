"""Is a workload's rollout complete? Read from the object's own status, as ``kubectl rollout status`` does.

A status that was written for an older generation says nothing about the present one, so it counts as not complete. A
workload that wants no replicas serves nobody and is not called healthy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent_sre.domain.reference import ObjectRef


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the rollout is complete, and what was seen, as a clause without a full stop."""

    complete: bool
    words: str


def rollout_health(item: Mapping[str, Any]) -> Health:
    """The health of a Deployment, StatefulSet or DaemonSet; any other kind counts as complete when it exists."""
    meta, status = item["metadata"], item.get("status") or {}
    ref = ObjectRef(item["kind"], meta.get("namespace", ""), meta["name"])
    if item["kind"] not in ("Deployment", "StatefulSet", "DaemonSet"):
        return Health(True, f"{ref} exists")
    observed, generation = status.get("observedGeneration", 0), meta.get("generation", 0)
    if observed < generation:
        return Health(False, f"the controller has not seen generation {generation} of {ref} yet (it saw {observed})")
    wanted, updated, available, total = _counts(item, status)
    words = f"{ref} has {updated} of {wanted} replicas updated and {available} available"
    if wanted == 0:
        return Health(False, f"{ref} wants no replicas")
    if total > updated:
        words += f", {total - updated} old ones remain"
    if stalled := _stalled(status):
        words += f"; {stalled}"
    return Health(updated >= wanted and available >= wanted and total <= updated and not stalled, words)


def _counts(item: Mapping[str, Any], status: Mapping[str, Any]) -> tuple[int, int, int, int]:
    """Wanted, updated, available and all replicas; the API leaves out zeros."""
    if item["kind"] == "DaemonSet":
        names = ("desiredNumberScheduled", "updatedNumberScheduled", "numberAvailable", "updatedNumberScheduled")
        wanted, updated, available, total = (int(status.get(name) or 0) for name in names)
        return wanted, updated, available, total
    replicas = item["spec"].get("replicas")
    wanted = 1 if replicas is None else int(replicas)
    updated, available, total = (
        int(status.get(name) or 0) for name in ("updatedReplicas", "availableReplicas", "replicas")
    )
    return wanted, updated, available, total


def _stalled(status: Mapping[str, Any]) -> str:
    for condition in status.get("conditions") or []:
        if condition.get("type") == "Progressing" and condition.get("reason") == "ProgressDeadlineExceeded":
            return "its rollout exceeded its progress deadline"
    return ""
