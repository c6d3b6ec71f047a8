"""What an API server answers to the eviction of a Pod: whether its disruption budgets let it go.

The rules are those of the eviction subresource: exactly one budget is asked; a Pod that has not started or has ended
needs no leave; a Pod that is not ready may go from a healthy application without using up its budget, or always where
the budget says so; a budget whose controller has not caught up lets nothing go.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from agent_sre.domain.errors import TemporaryError

VIOLATES = "Cannot evict pod as it would violate the pod's disruption budget."


def leave(pod: Mapping[str, Any], budgets: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The budget that pays for the eviction, or None where none has to. Raises TemporaryError (429 or 500)."""
    if pod["status"].get("phase") in ("Pending", "Succeeded", "Failed") or pod["metadata"].get("deletionTimestamp"):
        return None
    own = [item for item in budgets if _selects(item, pod)]
    if len(own) > 1:
        raise TemporaryError(
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        )
    if not own:
        return None
    budget, status = own[0], own[0].get("status") or {}
    if not _ready(pod):
        healthy, wanted = status.get("currentHealthy", 0), status.get("desiredHealthy", 0)
        always = budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow"
        if always or healthy >= wanted > 0:
            return None
    if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
        name = budget["metadata"]["name"]
        raise TemporaryError(
            f"{VIOLATES} The disruption budget {name} is still being processed by the server.", retry_after=10.0
        )
    if status.get("disruptionsAllowed", 0) < 1:
        raise TemporaryError(VIOLATES)
    return budget


def _selects(budget: Mapping[str, Any], pod: Mapping[str, Any]) -> bool:
    wanted = ((budget.get("spec") or {}).get("selector") or {}).get("matchLabels")
    same_place = budget["metadata"]["namespace"] == pod["metadata"]["namespace"]
    if not wanted or not same_place:
        return False
    return bool(wanted.items() <= (pod["metadata"].get("labels") or {}).items())


def _ready(pod: Mapping[str, Any]) -> bool:
    conditions = pod["status"].get("conditions") or []
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)
