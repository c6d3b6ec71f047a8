"""Bounds of a HorizontalPodAutoscaler: how few and how many replicas it may set.

Raising the maximum lets an autoscaler that stands at it do its work; raising the minimum makes room before it is
needed. Lowering either is possible, within policy's share. The autoscaler is found from the workload at fault.
"""

from collections.abc import Mapping
from typing import Any

from agent_sre.actions.autoscaling import autoscalers_of, scaled_by
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
    Value,
    reads,
    ref_of,
    writes,
)
from agent_sre.actions.marks import keeper_note
from agent_sre.actions.parameters import HALF_MORE, UNCHANGED
from agent_sre.actions.preview import difference
from agent_sre.actions.scale import MAX_REPLICAS
from agent_sre.domain.action import Reach, Risk


def build(seen: Seen, parameters: Parameters) -> Draft | Refusal:
    """The patch, or why these bounds make no sense."""
    ref, spec = seen.ref, seen.target["spec"]
    low, high = int(spec.get("minReplicas") or 1), int(spec["maxReplicas"])
    minimum, maximum = _wanted(parameters["minimum"], low), _wanted(parameters["maximum"], high)
    if not 1 <= minimum <= maximum <= MAX_REPLICAS:
        sentence = (
            f"{ref} would scale from {minimum} to {maximum}; it must be 1 <= minimum <= maximum <= {MAX_REPLICAS}"
        )
        return Refusal(RefusalReason.OUT_OF_BOUNDS, sentence)
    if (minimum, maximum) == (low, high):
        return Refusal(RefusalReason.NOTHING_TO_CHANGE, f"{ref} already scales from {low} to {high}")
    before = {"spec": {"minReplicas": low, "maxReplicas": high}}
    after = {"spec": {"minReplicas": minimum, "maxReplicas": maximum}}
    changed = {key: value for key, value in after["spec"].items() if value != before["spec"][key]}
    undo_parameters: Parameters = {"autoscaler": str(ref), "minimum": low, "maximum": high}
    return Draft(
        parameters={**parameters, "minimum": minimum, "maximum": maximum},
        patch={"spec": changed},
        preview=difference(before, after, f"{ref}: now", f"{ref}: after") + keeper_note(seen.target),
        undo=f"Let {ref} scale from {low} to {high} again.",
        undo_action="hpa_bounds",
        undo_parameters=undo_parameters,
        reach=_reach(seen.target, minimum, maximum),
        workload=scaled_by(seen.target),
    )


def locate(workload: Mapping[str, Any], related: Related) -> Mapping[str, Any] | Refusal:
    """The workload's own autoscaler."""
    ref = ref_of(workload)
    found = autoscalers_of(ref, related.get("HorizontalPodAutoscaler", ()))
    if len(found) == 1:
        return found[0]
    return Refusal(RefusalReason.NOT_ONE, f"{ref} has {len(found)} autoscalers, and exactly one is needed")


def _wanted(asked: Value, now: int) -> int:
    if asked == UNCHANGED:
        return now
    return now + (now + 1) // 2 if asked == HALF_MORE else int(asked)


def _reach(scaler: Mapping[str, Any], minimum: int, maximum: int) -> Reach:
    """Pods that must come or go at once, or may come; what serves now is taken to be what the autoscaler sees."""
    current = int((scaler.get("status") or {}).get("currentReplicas") or 0)
    fewer = max(0, current - maximum)
    return Reach(pods=max(fewer, maximum - current, minimum - current, 0), missing=fewer, of=current)


def _bound(name: str, meaning: str) -> Parameter:
    return Parameter(
        name, ParameterType.INTEGER, meaning, minimum=1, maximum=MAX_REPLICAS, placeholders=(HALF_MORE, UNCHANGED)
    )


HPA_BOUNDS = ActionKind(
    name="hpa_bounds",
    summary="Change how few and how many replicas an autoscaler may set.",
    risk=Risk.MEDIUM,
    targets=("HorizontalPodAutoscaler",),
    parameters=(
        Parameter("autoscaler", ParameterType.OBJECT, "The autoscaler, or that of the workload at fault."),
        _bound("minimum", "The fewest replicas."),
        _bound("maximum", "The most replicas."),
    ),
    rights=(
        *reads("HorizontalPodAutoscaler", "Pod", "ReplicaSet", "Deployment", "StatefulSet"),
        *reads("HorizontalPodAutoscaler", verb="list"),
        *writes("HorizontalPodAutoscaler", "patch"),
    ),
    expected="The autoscaler sets a number of replicas within the new bounds.",
    verify="The alert's condition no longer holds and every replica of the workload is available.",
    build=build,
    reads=("HorizontalPodAutoscaler",),
    binds=Binding.CONTENT,
    locate=locate,
)
