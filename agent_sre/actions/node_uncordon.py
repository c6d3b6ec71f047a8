"""Uncordon of a Node: pods may be placed there again.

Somebody or something cordoned it for a reason that may not be over, so only a node that is ready and under no pressure
is offered. Where a workload waits because every node it may use is cordoned, it must be the only one that is.
"""

from collections.abc import Mapping
from typing import Any

from agent_sre.actions.kind import (
    ActionKind,
    Binding,
    Draft,
    Parameter,
    Parameters,
    ParameterType,
    Refusal,
    RefusalReason,
    Related,
    Seen,
    reads,
    ref_of,
    writes,
)
from agent_sre.actions.nodes import ready
from agent_sre.actions.toggle import toggled
from agent_sre.domain.action import Risk


def build(seen: Seen, parameters: Parameters) -> Draft | Refusal:
    """The patch, or why the node should stay as it is."""
    conditions = seen.target["status"].get("conditions") or []
    pressed = [item["type"] for item in conditions if item["type"] != "Ready" and item.get("status") == "True"]
    if not ready(seen.target) or pressed:
        why = f"has {pressed[0]}" if pressed else "is not ready"
        return Refusal(RefusalReason.OUT_OF_BOUNDS, f"{seen.ref} {why}, so it stays cordoned; mend it first")
    return toggled(seen, parameters, "unschedulable", False, undo_action="node_cordon")


def locate(workload: Mapping[str, Any], related: Related) -> Mapping[str, Any] | Refusal:
    """The only cordoned node."""
    cordoned = [item for item in related.get("Node", ()) if (item.get("spec") or {}).get("unschedulable")]
    if len(cordoned) == 1:
        return cordoned[0]
    names = ", ".join(sorted(item["metadata"]["name"] for item in cordoned)) or "none"
    sentence = f"{ref_of(workload)} waits for a node, and exactly one must be cordoned to know which; cordoned: {names}"
    return Refusal(RefusalReason.NOT_ONE, sentence)


NODE_UNCORDON = ActionKind(
    name="node_uncordon",
    summary="Let pods be placed on a cordoned Node again.",
    risk=Risk.MEDIUM,
    targets=("Node",),
    parameters=(Parameter("node", ParameterType.OBJECT, "The Node, or the only cordoned one."),),
    rights=(
        *reads("Node", "Pod", "ReplicaSet", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"),
        *reads("Node", verb="list"),
        *writes("Node", "patch"),
    ),
    expected="The scheduler may place pods on the node again.",
    verify="The alert's condition no longer holds and the node is not cordoned.",
    build=build,
    reads=("Node",),
    binds=Binding.CONTENT,
    locate=locate,
)
