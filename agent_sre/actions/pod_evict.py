"""Eviction of one pod: a deletion that its disruption budget must allow."""

from agent_sre.actions.kind import (
    ActionKind,
    Binding,
    Draft,
    Parameter,
    Parameters,
    ParameterType,
    Refusal,
    Seen,
    reads,
    writes,
)
from agent_sre.actions.pods import OWNER_READS, locate, removal
from agent_sre.domain.action import Operation, Risk


def build(seen: Seen, parameters: Parameters) -> Draft | Refusal:
    """Which pod goes, and what is left."""
    return removal(seen, parameters, "is evicted, as far as its disruption budget allows")


POD_EVICT = ActionKind(
    name="pod_evict",
    summary="Move one pod elsewhere, as far as its disruption budget allows.",
    risk=Risk.LOW,
    targets=("Pod",),
    parameters=(Parameter("pod", ParameterType.OBJECT, "The pod, or the only one of a workload that is not ready."),),
    rights=(*OWNER_READS, *reads("Pod", "ReplicaSet", verb="list"), *writes("Pod", "create", "eviction")),
    expected="The pod ends in its grace time and a new one takes its place; refused while the budget is used up.",
    verify="The alert's condition no longer holds and every replica of the workload is available.",
    build=build,
    reads=("Pod", "ReplicaSet"),
    operation=Operation.EVICT,
    binds=Binding.CONTENT,
    locate=locate,
)
