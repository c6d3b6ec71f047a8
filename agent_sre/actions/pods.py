"""Which pod is taken away, and what that means for its workload. Shared by deletion and eviction."""

from collections.abc import Iterable, Mapping
from typing import Any

from agent_sre.actions.kind import Draft, Parameters, Refusal, RefusalReason, Related, Seen, reads, ref_of
from agent_sre.domain.action import Reach

_MIRROR = "kubernetes.io/config.mirror"

OWNER_READS = reads("Pod", "ReplicaSet", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob")


def removal(seen: Seen, parameters: Parameters, how: str) -> Draft | Refusal:
    """Taking away the target, or why nothing would bring it back."""
    ref, meta = seen.ref, seen.target["metadata"]
    owner = _controller(seen.target)
    if owner is None or _MIRROR in (meta.get("annotations") or {}):
        return Refusal(RefusalReason.NOT_REPLACED, f"{ref} is kept by no controller: nothing would bring it back")
    if owner.get("kind") == "Job":
        sentence = f"{ref} belongs to a Job, which counts a pod that goes as failed; act on the Job instead"
        return Refusal(RefusalReason.NOT_REPLACED, sentence)
    if meta.get("deletionTimestamp"):
        return Refusal(RefusalReason.NOTHING_TO_CHANGE, f"{ref} is being deleted already")
    siblings = [item for item in seen.related.get("Pod", ()) if _uid(_controller(item)) == _uid(owner)]
    serving = sum(is_ready(item) for item in siblings)
    state = "ready" if is_ready(seen.target) else "not ready"
    lines = (
        f"- {ref}, uid {meta.get('uid')}, on {seen.target['spec'].get('nodeName') or 'no node yet'}, {state}",
        f"  {how}",
        f"  {owner.get('kind')} {owner.get('name')} makes a new one; {serving} of its {len(siblings)} pods are ready",
    )
    return Draft(
        parameters=dict(parameters),
        patch={},
        preview="\n".join(lines),
        undo="Nothing to undo: the controller makes a new pod; what the old one held in memory and emptyDir is gone.",
        reach=Reach(pods=1, missing=1 + len(siblings) - serving if is_ready(seen.target) else 0, of=len(siblings)),
    )


def locate(workload: Mapping[str, Any], related: Related) -> Mapping[str, Any] | Refusal:
    """The only pod of a workload that is not ready, where others are: all of them are no matter of one pod."""
    own = [item for item in related.get("Pod", ()) if _belongs(item, workload, related.get("ReplicaSet", ()))]
    sick = [item for item in own if not is_ready(item) and not item["metadata"].get("deletionTimestamp")]
    if len(sick) == 1 and len(own) > 1:
        return sick[0]
    sentence = f"{len(sick)} of {len(own)} pods of {ref_of(workload)} are not ready, and it must be one of several"
    return Refusal(RefusalReason.NOT_ONE, sentence)


def is_ready(pod: Mapping[str, Any]) -> bool:
    """Whether the pod is Ready and not on its way out."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    holds = any(item.get("type") == "Ready" and item.get("status") == "True" for item in conditions)
    return holds and not pod["metadata"].get("deletionTimestamp")


def _belongs(pod: Mapping[str, Any], workload: Mapping[str, Any], sets: Iterable[Mapping[str, Any]]) -> bool:
    uid = workload["metadata"].get("uid")
    parents = {uid} | {item["metadata"].get("uid") for item in sets if _uid(_controller(item)) == uid}
    return _uid(_controller(pod)) in parents


def _controller(item: Mapping[str, Any]) -> Mapping[str, Any] | None:
    owners = item["metadata"].get("ownerReferences") or []
    return next((owner for owner in owners if owner.get("controller")), None)


def _uid(owner: Mapping[str, Any] | None) -> str:
    return str((owner or {}).get("uid") or "none")
