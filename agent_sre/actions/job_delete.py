"""Deletion of a failed Job with its pods: its alert ends, and a CronJob that forbids two at once can go on.

The logs of its pods go with it, which the preview says. The whole Job is stored with the proposal.
"""

from agent_sre.actions.jobs import not_failed, why_failed
from agent_sre.actions.kind import (
    ActionKind,
    Binding,
    Draft,
    Parameter,
    Parameters,
    ParameterType,
    Refusal,
    Seen,
    reads,
    writes,
)
from agent_sre.actions.preview import holds_secret, stored_form
from agent_sre.domain.action import Operation, Risk
from agent_sre.domain.visible import one_line

_STORED = "The Job as it was is stored with this proposal, to be created again by hand"
_NOT_STORED = "None here: the Job holds what looks like a secret, so it is not stored; create it again from its source"


def build(seen: Seen, parameters: Parameters) -> Draft | Refusal:
    """What goes, or that the Job has not failed."""
    if refusal := not_failed(seen):
        return refusal
    failed = int((seen.target.get("status") or {}).get("failed") or 0)
    lines = (
        f"- {seen.ref}, uid {seen.target['metadata'].get('uid')}, failed: {one_line(why_failed(seen), 120)}",
        f"  is deleted with its pods ({failed} failed) and their logs",
    )
    return Draft(
        parameters=dict(parameters),
        patch={},
        preview="\n".join(lines),
        undo=(_NOT_STORED if holds_secret(stored_form(seen.target)) else _STORED) + "; its pods' logs are gone.",
    )


JOB_DELETE = ActionKind(
    name="job_delete",
    summary="Delete a Job that has failed for good, with its pods.",
    risk=Risk.MEDIUM,
    targets=("Job",),
    parameters=(Parameter("job", ParameterType.OBJECT, "The failed Job."),),
    rights=(*reads("Job", "CronJob", "Pod"), *writes("Job", "delete")),
    expected="The Job and its pods are gone.",
    verify="The alert's condition no longer holds.",
    build=build,
    binds=Binding.CONTENT,
    operation=Operation.DELETE,
)
