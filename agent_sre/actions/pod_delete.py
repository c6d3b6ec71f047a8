"""Deletion of one pod, in its own grace time: the controller makes a new one, perhaps on another node.

For a pod that is stuck. A disruption budget is not asked; that is what ``pod_evict`` is for.
"""

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
    return removal(seen, parameters, "is deleted; disruption budgets are not asked")


POD_DELETE = ActionKind(
    name="pod_delete",
    summary="Delete one pod, which its controller replaces.",
    risk=Risk.LOW,
    targets=("Pod",),
    parameters=(Parameter("pod", ParameterType.OBJECT, "The pod, or the only one of a workload that is not ready."),),
    rights=(*OWNER_READS, *reads("Pod", "ReplicaSet", verb="list"), *writes("Pod", "delete")),
    expected="The pod ends in its grace time and a new one takes its place.",
    verify="The alert's condition no longer holds and every replica of the workload is available.",
    build=build,
    reads=("Pod", "ReplicaSet"),
    operation=Operation.DELETE,
    binds=Binding.CONTENT,
    locate=locate,
)
