"""One container of a workload's pod template: which one is meant, and the patch that changes it.

A merge patch replaces a list whole, so the patch carries all containers with one of them changed: what a controller or
a person changed in another meanwhile is not lost, since the patch holds for one version of the object only.
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from agent_sre.actions.kind import Refusal, RefusalReason, Value, ref_of
from agent_sre.actions.parameters import CONTAINER


def containers_of(workload: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The containers of the pod template."""
    return list(workload["spec"]["template"]["spec"].get("containers") or [])


def choose(workload: Mapping[str, Any], asked: Value, candidates: Iterable[str]) -> str | Refusal:
    """The container that a runbook means: by name, or the only one there is, or the only one of the candidates."""
    names = [str(item["name"]) for item in containers_of(workload)]
    likely = sorted(set(candidates) & set(names))
    if asked != CONTAINER:
        if asked in names:
            return str(asked)
        sentence = f"{ref_of(workload)} has no container {asked}; it has: {', '.join(names)}"
        return Refusal(RefusalReason.NOT_FOUND, sentence)
    if len(names) == 1:
        return names[0]
    if len(likely) == 1:
        return likely[0]
    sentence = f"which container of {ref_of(workload)} is meant is not known; it has: {', '.join(names)}"
    return Refusal(RefusalReason.NOT_ONE, sentence)


def changed(workload: Mapping[str, Any], name: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The merge patch that sets fields of one container."""
    items = deepcopy(containers_of(workload))
    after = [{**item, **changes} if item["name"] == name else item for item in items]
    return {"spec": {"template": {"spec": {"containers": after}}}}


def found_in(workload: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The container of this name."""
    return next(item for item in containers_of(workload) if item["name"] == name)
