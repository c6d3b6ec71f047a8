"""Requests and limits of one container, as a percentage of what they are: more memory for one that is killed for it.

A percentage and not an amount, because a runbook does not know the workload. The amounts stay within bounds of a
container that no runbook can leave, and a request never goes above its limit. What is not set is not invented: a
container without a limit has none to raise.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from decimal import Decimal
from typing import Any

from agent_sre.actions.containers import changed, choose, found_in
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
    secret_refusal,
    writes,
)
from agent_sre.actions.marks import keeper_note
from agent_sre.actions.parameters import CONTAINER
from agent_sre.actions.preview import difference, holds_secret
from agent_sre.actions.quantities import parsed, written
from agent_sre.actions.reach import replaced
from agent_sre.domain.action import Risk
from agent_sre.domain.merge_patch import apply_merge_patch

_BOUNDS = {"cpu": (Decimal("0.01"), Decimal(16)), "memory": (Decimal(16 * 1024**2), Decimal(64 * 1024**3))}
"""The smallest and the largest amount that is ever set: cores and bytes."""


def build(seen: Seen, parameters: Parameters) -> Draft | Refusal:
    """The patch, or why there is none."""
    ref, resource = seen.ref, str(parameters["resource"])
    name = choose(seen.target, parameters["container"], _suffering(seen, resource))
    if isinstance(name, Refusal):
        return name
    if seen.target["spec"].get("paused"):
        return Refusal(RefusalReason.PAUSED, f"{ref} is paused, so nothing would roll out; resume it first")
    container = found_in(seen.target, name)
    after = _resources(container.get("resources") or {}, resource, int(parameters["percent"]))
    if isinstance(after, str):
        return Refusal(RefusalReason.OUT_OF_BOUNDS, f"container {name} of {ref}: {after}")
    patch = changed(seen.target, name, {"resources": after})
    if holds_secret(patch):
        return secret_refusal(ref, "the container list")
    before = {"spec": {"template": {"spec": {"containers": seen.target["spec"]["template"]["spec"]["containers"]}}}}
    shown = difference(before, apply_merge_patch(before, patch), f"{ref}: now", f"{ref}: container {name} changed")
    return Draft(
        parameters={**parameters, "container": name},
        patch=patch,
        preview=shown + keeper_note(seen.target),
        undo="Put the former requests and limits back, which are stored with this proposal, or undo the rollout.",
        reach=replaced(seen.target),
    )


def _resources(resources: Mapping[str, Any], resource: str, percent: int) -> dict[str, Any] | str:
    """The resources after, or in words why not."""
    after = deepcopy(dict(resources))
    limit = (resources.get("limits") or {}).get(resource)
    if limit is None and percent > 100:
        return f"it has no {resource} limit, so there is none to raise"
    low, high = _BOUNDS[resource]
    for part in ("limits", "requests"):
        present = (resources.get(part) or {}).get(resource)
        if present is None:
            continue
        amount = parsed(present)
        if amount is None:
            return f"its {resource} in {part} is {present!r}, which cannot be read"
        wanted = amount * percent / 100
        if not low <= wanted <= high:
            bounds = f"{written(resource, low)} to {written(resource, high)}"
            return f"its {resource} in {part} would be {written(resource, wanted)}; it must be from {bounds}"
        after[part] = {**after[part], resource: written(resource, wanted)}
    return after if after != resources else f"it has no {resource} request or limit to change"


def _suffering(seen: Seen, resource: str) -> Iterator[str]:
    """Containers of the workload's pods that were killed for memory."""
    wanted = (seen.target["spec"].get("selector") or {}).get("matchLabels") or {}
    for pod in seen.related.get("Pod", ()) if resource == "memory" and wanted else ():
        if not wanted.items() <= (pod["metadata"].get("labels") or {}).items():
            continue
        for status in (pod.get("status") or {}).get("containerStatuses") or []:
            ends = [(status.get(state) or {}).get("terminated") or {} for state in ("state", "lastState")]
            if any(end.get("reason") == "OOMKilled" for end in ends):
                yield str(status["name"])


_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")

RESOURCES_SET = ActionKind(
    name="resources_set",
    summary="Change a container's CPU or memory, requests and limits, by a percentage.",
    risk=Risk.MEDIUM,
    targets=_WORKLOADS,
    parameters=(
        Parameter("workload", ParameterType.OBJECT, "The workload of which the container is one."),
        Parameter(
            "container",
            ParameterType.TEXT,
            "The container; the placeholder is the only one, or the only one killed for memory.",
            placeholders=(CONTAINER,),
        ),
        Parameter("resource", ParameterType.TEXT, "What is changed.", choices=("cpu", "memory")),
        Parameter("percent", ParameterType.INTEGER, "Of what it is now; 150 is half as much again.", 50, 200),
    ),
    rights=(
        *reads(*_WORKLOADS),
        *reads("Pod", verb="list"),
        *(right for kind in _WORKLOADS for right in writes(kind, "patch")),
    ),
    expected="New pods with the changed requests and limits replace the present ones.",
    verify="The alert's condition no longer holds and every replica is updated and available.",
    build=build,
    binds=Binding.CONTENT,
    reads=("Pod",),
)
