"""A failed Job, run again: a new Job from the same template, next to the failed one, which stays for its logs.

A Job that has failed cannot be started again, so a copy is made as ``kubectl create job --from`` makes one: without
what the controller wrote into the old one (selector, its labels, the uid), owned by the same CronJob, marked as started
by hand. Its name follows from the failed one's uid, so running it again twice is refused by the server. It is kept for
a day at least, so that a process that died can still see that it was made.
"""

import hashlib
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from agent_sre.actions.jobs import not_failed, why_failed
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
    ref_of,
    secret_refusal,
    writes,
)
from agent_sre.actions.preview import difference, holds_secret
from agent_sre.actions.rollout_health import Health
from agent_sre.domain.action import Operation, Reach, Risk
from agent_sre.domain.visible import one_line

_CONTROLLERS = ("controller-uid", "job-name", "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name")
_KEPT_SECONDS = 24 * 3600
_MAX_NAME = 63


def build(seen: Seen, parameters: Parameters) -> Draft | Refusal:
    """The new Job, or why the old one is not run again."""
    if refusal := not_failed(seen):
        return refusal
    if seen.target["spec"].get("manualSelector"):
        sentence = f"{seen.ref} selects its pods by hand, so a copy would take them over; create it by hand"
        return Refusal(RefusalReason.KEPT_BY_ANOTHER, sentence)
    copy = _copy(seen.target)
    if holds_secret(copy):
        return secret_refusal(seen.ref, "the template")
    pods = int(seen.target["spec"].get("parallelism") or 1)
    title = f"{seen.ref}: failed ({one_line(why_failed(seen), 80)})"
    return Draft(
        parameters=dict(parameters),
        patch=copy,
        preview=difference({"spec": seen.target["spec"]}, {"spec": copy["spec"]}, title, f"{ref_of(copy)}: new"),
        undo=f"Delete {ref_of(copy)}; what it did until then stays done.",
        reach=Reach(pods=pods, of=pods),
        workload=ref_of(copy),
    )


def _copy(job: Mapping[str, Any]) -> dict[str, Any]:
    meta, spec = job["metadata"], deepcopy(dict(job["spec"]))
    spec.pop("selector", None)
    if "ttlSecondsAfterFinished" in spec:
        spec["ttlSecondsAfterFinished"] = max(int(spec["ttlSecondsAfterFinished"]), _KEPT_SECONDS)
    labels = (spec.get("template") or {}).get("metadata", {}).get("labels") or {}
    for name in _CONTROLLERS:
        labels.pop(name, None)
    own = {key: value for key, value in (meta.get("labels") or {}).items() if key not in _CONTROLLERS}
    suffix = f"-again-{hashlib.sha256(str(meta.get('uid')).encode()).hexdigest()[:8]}"
    metadata: dict[str, Any] = {
        "name": str(meta["name"])[: _MAX_NAME - len(suffix)].rstrip("-.") + suffix,
        "namespace": meta["namespace"],
        "annotations": {"cronjob.kubernetes.io/instantiate": "manual"},
    }
    metadata |= {"labels": own} if own else {}
    metadata |= {"ownerReferences": deepcopy(meta["ownerReferences"])} if meta.get("ownerReferences") else {}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}


def _finished(item: Mapping[str, Any]) -> Health:
    conditions = (item.get("status") or {}).get("conditions") or []
    holds = [str(each.get("type")) for each in conditions if each.get("status") == "True"]
    if "Complete" in holds:
        return Health(True, f"{ref_of(item)} is complete")
    return Health(False, f"{ref_of(item)} {'has failed again' if 'Failed' in holds else 'has not finished yet'}")


JOB_RERUN = ActionKind(
    name="job_rerun",
    summary="Run a failed Job again, as a new Job beside it.",
    risk=Risk.MEDIUM,
    targets=("Job",),
    parameters=(Parameter("job", ParameterType.OBJECT, "The failed Job. What it does must bear being done twice."),),
    rights=(*reads("Job", "CronJob", "Pod"), *writes("Job", "create")),
    expected="A new Job with the same template starts its pods.",
    verify="The new Job is complete.",
    build=build,
    binds=Binding.CONTENT,
    operation=Operation.CREATE,
    health=_finished,
)
