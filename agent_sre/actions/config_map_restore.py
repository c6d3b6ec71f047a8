"""One key of a ConfigMap back to the value before, where the cluster itself still knows that value.

What is known is what ``kubectl apply`` noted on the map when it was applied last: whoever edited it since, by hand or
by a script, changed it away from that. A map that nothing ever applied has no known value before, and is refused: a
value is never taken from a log, an alert or a model. Pods that read the map at their start do not notice; the preview
says so.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from agent_sre.actions.kind import (
    ActionKind,
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
    secret_refusal,
    writes,
)
from agent_sre.actions.marks import LAST_APPLIED, keeper_note
from agent_sre.actions.parameters import CHANGED_KEY
from agent_sre.actions.preview import difference, holds_secret, names_secret
from agent_sre.domain.action import Risk
from agent_sre.domain.merge_patch import apply_merge_patch

_NOTE = "\nNote: pods that read it as environment, or once at their start, see it after a restart."


def build(seen: Seen, parameters: Parameters) -> Draft | Refusal:
    """The patch, or why the value before is not known."""
    ref, known = seen.ref, _applied(seen.target)
    if seen.target.get("immutable"):
        return Refusal(RefusalReason.KEPT_BY_ANOTHER, f"{ref} is immutable; a new one must be made and referred to")
    keys = _edited(seen.target)
    asked = str(parameters["key"])
    if known is None or not keys:
        why = "nothing was noted when it was applied" if known is None else "it is as it was applied last"
        return Refusal(RefusalReason.NOT_KNOWN, f"no value before is known of {ref}: {why}")
    if asked == CHANGED_KEY and len(keys) != 1:
        sentence = f"{len(keys)} keys of {ref} differ from what was applied last ({', '.join(keys)}); name one"
        return Refusal(RefusalReason.NOT_ONE, sentence)
    key = keys[0] if asked == CHANGED_KEY else asked
    if key not in keys:
        return Refusal(RefusalReason.NOTHING_TO_CHANGE, f"{key} of {ref} is as it was applied last, or never was there")
    patch = {"data": {key: known.get(key)}}
    present = (seen.target.get("data") or {}).get(key)
    before = {"data": {} if present is None else {key: present}}
    if holds_secret(patch) or holds_secret(before) or names_secret(key):
        return secret_refusal(ref, f"the key {key}")
    shown = difference(before, apply_merge_patch(before, patch), f"{ref}: now", f"{ref}: as it was applied last")
    return Draft(
        parameters={**parameters, "key": key},
        patch=patch,
        preview=shown + _NOTE + keeper_note(seen.target),
        undo="Put the present value back, which is stored with this proposal.",
    )


def locate(workload: Mapping[str, Any], related: Related) -> Mapping[str, Any] | Refusal:
    """The only ConfigMap that the workload uses and that differs from what was applied."""
    used = set(_used(workload))
    found = [item for item in related.get("ConfigMap", ()) if item["metadata"]["name"] in used and _edited(item)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(sorted(item["metadata"]["name"] for item in found)) or "none"
    sentence = (
        f"of the ConfigMaps of {ref_of(workload)} exactly one must differ from what was applied last; it is: {names}"
    )
    return Refusal(RefusalReason.NOT_ONE, sentence)


def _edited(item: Mapping[str, Any]) -> list[str]:
    """Keys whose value is not the one that was applied last. A key that apply never had is nobody's edit of a value."""
    known, data = _applied(item) or {}, item.get("data") or {}
    return sorted(key for key in known if data.get(key) != known[key])


def _applied(item: Mapping[str, Any]) -> Mapping[str, str] | None:
    """The data that was applied last; None where nobody noted it or it cannot be read."""
    text = (item["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    try:
        data = json.loads(text)["data"] if isinstance(text, str) else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(data, Mapping) or not all(isinstance(value, str) for value in data.values()):
        return None
    return data


def _used(workload: Mapping[str, Any]) -> Iterator[str]:
    """Names of the ConfigMaps in the pod template."""
    pod = (workload["spec"].get("template") or {}).get("spec") or {}
    for volume in pod.get("volumes") or []:
        yield str((volume.get("configMap") or {}).get("name", ""))
        for source in (volume.get("projected") or {}).get("sources") or []:
            yield str((source.get("configMap") or {}).get("name", ""))
    for container in [*(pod.get("containers") or []), *(pod.get("initContainers") or [])]:
        for source in container.get("envFrom") or []:
            yield str((source.get("configMapRef") or {}).get("name", ""))
        for variable in container.get("env") or []:
            yield str(((variable.get("valueFrom") or {}).get("configMapKeyRef") or {}).get("name", ""))


CONFIG_MAP_RESTORE = ActionKind(
    name="config_map_restore",
    summary="Put one key of a ConfigMap back to what was applied last.",
    risk=Risk.MEDIUM,
    targets=("ConfigMap",),
    parameters=(
        Parameter("config_map", ParameterType.OBJECT, "The ConfigMap, or the only edited one that the workload uses."),
        Parameter(
            "key",
            ParameterType.TEXT,
            "The key; the placeholder is the only one that was edited.",
            placeholders=(CHANGED_KEY,),
        ),
    ),
    rights=(
        *reads("ConfigMap", "Pod", "ReplicaSet", "Deployment", "StatefulSet", "DaemonSet"),
        *reads("ConfigMap", verb="list"),
        *writes("ConfigMap", "patch"),
    ),
    expected="The key has its former value; programs that watch the file read it within about a minute.",
    verify="The alert's condition no longer holds and the key keeps its value.",
    build=build,
    reads=("ConfigMap",),
    locate=locate,
)
