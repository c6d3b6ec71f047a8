"""Cordon of a Node: no new pods are placed there; those that run stay.

It is the first step with a node that harms what runs on it. A cluster must keep nodes that take pods: where no other
does, it is refused, and policy counts the cordoned ones against the share that may be missing.
"""

from agent_sre.actions.kind import (
    ActionKind,
    Binding,
    Draft,
    Parameter,
    Parameters,
    ParameterType,
    Refusal,
    RefusalReason,
    Seen,
    reads,
    writes,
)
from agent_sre.actions.nodes import takes_pods
from agent_sre.actions.toggle import toggled
from agent_sre.domain.action import Reach, Risk


def build(seen: Seen, parameters: Parameters) -> Draft | Refusal:
    """The patch, or why no pods should be kept away."""
    nodes = seen.related.get("Node", ())
    others = [item for item in nodes if takes_pods(item) and item["metadata"]["name"] != seen.ref.name]
    if not others:
        sentence = f"no other node takes pods, so {seen.ref} is not cordoned; add a node or uncordon one first"
        return Refusal(RefusalReason.OUT_OF_BOUNDS, sentence)
    reach = Reach(missing=len(nodes) - len(others), of=len(nodes))
    return toggled(seen, parameters, "unschedulable", True, undo_action="node_uncordon", reach=reach)


NODE_CORDON = ActionKind(
    name="node_cordon",
    summary="Place no further pods on a Node.",
    risk=Risk.MEDIUM,
    targets=("Node",),
    parameters=(Parameter("node", ParameterType.OBJECT, "The Node at fault."),),
    rights=(*reads("Node"), *reads("Node", verb="list"), *writes("Node", "patch")),
    expected="The scheduler places new pods elsewhere; pods that run on the node stay there.",
    verify="The alert's condition no longer holds and the node stays cordoned.",
    build=build,
    reads=("Node",),
    binds=Binding.CONTENT,
)
