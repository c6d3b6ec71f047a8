"""Rollout restart: new pods from the same template, one after another, as ``kubectl rollout restart`` does it.

The restart is asked for by an annotation of the pod template that holds a time. The time is that of the proposal, not
of the effect: so the patch that was approved is the patch that is sent, sending it twice restarts once, and reading
the object back tells whether it was sent.
"""

from agent_sre.actions.kind import (
    ActionKind,
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
from agent_sre.actions.marks import RESTARTED_AT
from agent_sre.actions.preview import difference
from agent_sre.actions.reach import replaced
from agent_sre.domain.action import Risk
from agent_sre.domain.instant import format_instant
from agent_sre.domain.merge_patch import apply_merge_patch

_ON_DELETE = "OnDelete"


def build(seen: Seen, parameters: Parameters) -> Draft | Refusal:
    """The patch that makes the controller replace the pods, or why it would not."""
    ref, spec = seen.ref, seen.target["spec"]
    if spec.get("paused"):
        sentence = f"{ref} is paused, so nothing would restart; resume it first (kubectl rollout resume)"
        return Refusal(RefusalReason.PAUSED, sentence)
    if (spec.get("updateStrategy") or {}).get("type") == _ON_DELETE:
        sentence = f"{ref} has the update strategy OnDelete, so a changed template restarts nothing; delete its pods"
        return Refusal(RefusalReason.NOTHING_TO_CHANGE, sentence)
    time = format_instant(seen.now.replace(microsecond=0))
    patch = {"spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: time}}}}}
    before = {"spec": {"template": {"metadata": spec["template"].get("metadata") or {}}}}
    return Draft(
        parameters=dict(parameters),
        patch=patch,
        preview=difference(before, apply_merge_patch(before, patch), f"{ref}: now", f"{ref}: restarted"),
        reach=replaced(seen.target),
        undo="Nothing to undo: the template stays the same; what the old processes held in memory is gone.",
    )


_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")

ROLLOUT_RESTART = ActionKind(
    name="rollout_restart",
    summary="Restart the pods of a workload, a few at a time, with the same template.",
    risk=Risk.LOW,
    targets=_WORKLOADS,
    parameters=(Parameter("workload", ParameterType.OBJECT, "The workload whose pods are replaced."),),
    rights=(*reads(*_WORKLOADS), *(right for kind in _WORKLOADS for right in writes(kind, "patch"))),
    expected="Every pod is replaced by a new one from the same template under the workload's own strategy.",
    verify="The alert's condition no longer holds and every replica is updated and available.",
    build=build,
)
