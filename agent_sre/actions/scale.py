"""Scaling of a workload: another number of replicas, within bounds that no runbook and no person can leave.

Never to none, and never where an autoscaler decides: it would put its own number back within seconds. A runbook may
ask for half as many again, or for the number before, where that is known: from the workload's own last applied
configuration, or from what its newest ReplicaSet notes.
"""

import json
from collections.abc import Mapping
from typing import Any

from agent_sre.actions.autoscaling import autoscaler_of
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
    Value,
    reads,
    writes,
)
from agent_sre.actions.marks import LAST_APPLIED, keeper_note
from agent_sre.actions.parameters import HALF_MORE, PREVIOUS_REPLICAS
from agent_sre.actions.preview import difference
from agent_sre.actions.reach import resized, wanted_pods
from agent_sre.actions.revisions import history
from agent_sre.domain.action import Risk

MAX_REPLICAS = 200
_DESIRED = "deployment.kubernetes.io/desired-replicas"


def build(seen: Seen, parameters: Parameters) -> Draft | Refusal:
    """The patch, or why there is no number to set."""
    ref, now = seen.ref, wanted_pods(seen.target)
    scaler = autoscaler_of(ref, seen.related.get("HorizontalPodAutoscaler", ()))
    if scaler is not None and now > 0:
        sentence = f"HorizontalPodAutoscaler {scaler} sets the replicas of {ref}; change its bounds instead"
        return Refusal(RefusalReason.KEPT_BY_ANOTHER, sentence)
    replicas = _wanted(seen, parameters["replicas"], now)
    if replicas is None:
        sentence = f"how many replicas {ref} had before is not known; give the number"
        return Refusal(RefusalReason.NOT_KNOWN, sentence)
    if not 1 <= replicas <= MAX_REPLICAS:
        sentence = f"{ref} would have {replicas} replicas; it must be from 1 to {MAX_REPLICAS}"
        return Refusal(RefusalReason.OUT_OF_BOUNDS, sentence)
    if replicas == now:
        return Refusal(RefusalReason.NOTHING_TO_CHANGE, f"{ref} already has {now} replicas")
    before, after = {"spec": {"replicas": now}}, {"spec": {"replicas": replicas}}
    return Draft(
        parameters={**parameters, "replicas": replicas},
        patch=after,
        preview=difference(before, after, f"{ref}: now", f"{ref}: scaled") + keeper_note(seen.target),
        undo=f"Scale {ref} back to {now} replicas.",
        undo_action="scale" if now else "",
        undo_parameters={"workload": str(ref), "replicas": now} if now else None,
        reach=resized(seen.target, replicas),
    )


def _wanted(seen: Seen, asked: Value, now: int) -> int | None:
    if asked == HALF_MORE:
        return now + (now + 1) // 2
    return _before(seen, now) if asked == PREVIOUS_REPLICAS else int(asked)


def _before(seen: Seen, now: int) -> int | None:
    """The number before this one, as the cluster's own records have it."""
    annotations: Mapping[str, Any] = seen.target["metadata"].get("annotations") or {}
    revisions = history(seen.target, seen.related.get("ReplicaSet", ()))
    newest = (revisions[-1].replica_set["metadata"].get("annotations") or {}) if revisions else {}
    noted = str(newest.get(_DESIRED, ""))
    for number in (_applied(str(annotations.get(LAST_APPLIED, ""))), int(noted) if noted.isdigit() else None):
        if number is not None and number not in (0, now):
            return number
    return None


def _applied(text: str) -> int | None:
    try:
        spec = json.loads(text)["spec"]
        return int(spec["replicas"])
    except (ValueError, KeyError, TypeError):
        return None


SCALE = ActionKind(
    name="scale",
    summary="Give a workload another number of replicas.",
    risk=Risk.MEDIUM,
    targets=("Deployment", "StatefulSet"),
    parameters=(
        Parameter("workload", ParameterType.OBJECT, "The workload that gets more or fewer pods."),
        Parameter(
            "replicas",
            ParameterType.INTEGER,
            "How many.",
            minimum=1,
            maximum=MAX_REPLICAS,
            placeholders=(HALF_MORE, PREVIOUS_REPLICAS),
        ),
    ),
    rights=(
        *reads("Deployment", "StatefulSet"),
        *reads("ReplicaSet", "HorizontalPodAutoscaler", verb="list"),
        *writes("Deployment", "patch"),
        *writes("StatefulSet", "patch"),
    ),
    expected="Pods are added or removed until the workload has as many as wanted.",
    verify="The alert's condition no longer holds and every replica is available.",
    build=build,
    binds=Binding.CONTENT,
    reads=("ReplicaSet", "HorizontalPodAutoscaler"),
)
