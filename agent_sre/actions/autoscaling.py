"""Which autoscaler sets a workload's replicas."""

from collections.abc import Iterable, Mapping
from typing import Any

from agent_sre.domain.reference import ObjectRef


def scaled_by(scaler: Mapping[str, Any]) -> ObjectRef:
    """The workload that an autoscaler sets the replicas of."""
    target = scaler["spec"]["scaleTargetRef"]
    return ObjectRef(str(target["kind"]), str(scaler["metadata"].get("namespace", "")), str(target["name"]))


def autoscalers_of(workload: ObjectRef, scalers: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The autoscalers that name the workload; there should be at most one."""
    return [item for item in scalers if scaled_by(item) == workload]


def autoscaler_of(workload: ObjectRef, scalers: Iterable[Mapping[str, Any]]) -> str | None:
    """The name of the first of them."""
    found = autoscalers_of(workload, scalers)
    return str(found[0]["metadata"]["name"]) if found else None
