"""Rollout undo of a Deployment: the pod template of an earlier revision becomes the template again.

It does exactly what ``kubectl rollout undo`` does, as a merge patch instead of a JSON patch: the whole template (keys
that the earlier one lacks become null), without the controller's ``pod-template-hash``, and the earlier revision's own
annotations such as the change cause, while those that belong to the history or to the applying tool stay as they are.
Replicas, strategy and everything else outside the template are not touched. One thing differs: where the previous
revision is asked for, one that a mere restart created is passed over, since going back to it would change nothing.
"""

from collections.abc import Mapping
from typing import Any

from agent_sre.actions.kind import (
    ActionKind,
    Draft,
    Parameter,
    Parameters,
    ParameterType,
    Refusal,
    RefusalReason,
    Seen,
    Value,
    reads,
    writes,
)
from agent_sre.actions.marks import EFFECT, RESTARTED_AT, keeper_note
from agent_sre.actions.parameters import PREVIOUS_REVISION
from agent_sre.actions.preview import difference
from agent_sre.actions.reach import replaced
from agent_sre.actions.revisions import REVISION, Revision, history, revision_of
from agent_sre.domain.action import Risk
from agent_sre.domain.merge_patch import apply_merge_patch, merge_patch_between, same

HASH_LABEL = "pod-template-hash"
_KEPT = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        REVISION,
        "deployment.kubernetes.io/revision-history",
        "deployment.kubernetes.io/desired-replicas",
        "deployment.kubernetes.io/max-replicas",
        "deprecated.deployment.rollback.to",
        EFFECT,
    }
)
"""Annotations that never come from the earlier revision (kubectl's ``annotationsToSkip``, and our own)."""


def build(seen: Seen, parameters: Parameters) -> Draft | Refusal:
    """The patch back to the wanted revision, or why there is none."""
    deployment, ref = seen.target, seen.ref
    if deployment["spec"].get("paused"):
        sentence = f"{ref} is paused, so a rollback would not roll out; resume it first (kubectl rollout resume)"
        return Refusal(RefusalReason.PAUSED, sentence)
    revisions = history(deployment, seen.related.get("ReplicaSet", ()))
    current = template_of(deployment)
    chosen = _choose(revisions, parameters["to_revision"], current)
    if chosen is None:
        kept = ", ".join(str(item.number) for item in revisions) or "none"
        sentence = f"{ref} has no revision to go back to; wanted {parameters['to_revision']}, kept revisions: {kept}"
        return Refusal(RefusalReason.NO_EARLIER_REVISION, sentence)
    template = template_of(chosen.replica_set)
    if same(template, current):
        sentence = f"{ref} already has the pod template of revision {chosen.number}; there is nothing to undo"
        return Refusal(RefusalReason.NOTHING_TO_CHANGE, sentence)
    return _draft(seen, parameters, chosen)


def _draft(seen: Seen, parameters: Parameters, chosen: Revision) -> Draft:
    deployment, ref, template = seen.target, seen.ref, template_of(chosen.replica_set)
    before, current = template_of(deployment), revision_of(deployment)
    old = deployment["metadata"].get("annotations") or {}
    new = annotations_after(deployment, chosen.replica_set)
    patch: dict[str, Any] = {"spec": {"template": merge_patch_between(before, template)}}
    if annotations := merge_patch_between(old, new):
        patch["metadata"] = {"annotations": annotations}
    preview = difference(
        {"spec": {"template": before}, "metadata": {"annotations": old}},
        {"spec": {"template": template}, "metadata": {"annotations": new}},
        f"{ref}: now, revision {current or 'unknown'}",
        f"{ref}: pod template of revision {chosen.number}, created {chosen.created or 'at an unknown time'}",
    )
    undo = f"Roll out revision {current} again" if current else "Roll out the present template again"
    return Draft(
        parameters={**parameters, "to_revision": chosen.number},
        patch=patch,
        preview=preview + keeper_note(deployment),
        reach=replaced(deployment),
        undo=f"{undo}; its ReplicaSet is kept.",
        undo_action="rollout_undo" if current else "",
        undo_parameters={"workload": str(ref), "to_revision": current} if current else None,
    )


def _choose(revisions: tuple[Revision, ...], wanted: Value, current: Mapping[str, Any]) -> Revision | None:
    if wanted != PREVIOUS_REVISION:
        return next((item for item in revisions if item.number == wanted), None)
    present = _without_restart(current)
    earlier = reversed(revisions[:-1])
    return next((item for item in earlier if not same(_without_restart(template_of(item.replica_set)), present)), None)


def _without_restart(template: Mapping[str, Any]) -> Any:
    bare = apply_merge_patch(template, {"metadata": {"annotations": {RESTARTED_AT: None}}})
    if not bare["metadata"]["annotations"]:
        del bare["metadata"]["annotations"]
    return bare


def template_of(owner: Mapping[str, Any]) -> dict[str, Any]:
    """The pod template of a Deployment or ReplicaSet as it was written: without the controller's hash label.

    Nulls go too: servers print ``creationTimestamp: null`` in templates, which means nothing and which no merge patch
    could write.
    """
    template: dict[str, Any] = _without_nulls(owner["spec"]["template"])
    (template.get("metadata", {}).get("labels") or {}).pop(HASH_LABEL, None)
    return template


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def annotations_after(deployment: Mapping[str, Any], replica_set: Mapping[str, Any]) -> dict[str, str]:
    """The Deployment's annotations after the undo: its own history, and the earlier revision's other ones."""
    own = deployment["metadata"].get("annotations") or {}
    earlier = replica_set["metadata"].get("annotations") or {}
    kept = {key: value for key, value in own.items() if key in _KEPT}
    return kept | {key: value for key, value in earlier.items() if key not in _KEPT}


ROLLOUT_UNDO = ActionKind(
    name="rollout_undo",
    summary="Roll a Deployment back to the pod template of an earlier revision.",
    risk=Risk.MEDIUM,
    targets=("Deployment",),
    parameters=(
        Parameter("workload", ParameterType.OBJECT, "The Deployment to roll back."),
        Parameter(
            "to_revision",
            ParameterType.INTEGER,
            "The revision whose pod template comes back.",
            minimum=1,
            maximum=2**31 - 1,
            placeholders=(PREVIOUS_REVISION,),
        ),
    ),
    rights=(*reads("Deployment"), *reads("ReplicaSet", verb="list"), *writes("Deployment", "patch")),
    expected="New pods with the earlier template replace the present ones under the Deployment's own strategy.",
    verify="The alert's condition no longer holds and every replica is updated and available.",
    build=build,
    reads=("ReplicaSet",),
)
