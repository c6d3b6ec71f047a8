"""Resumption of a suspended CronJob.

Runs that were missed meanwhile may start at once: without a startingDeadlineSeconds the controller starts the last one
as soon as it looks, which the preview says.
"""

from dataclasses import replace

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
from agent_sre.actions.toggle import toggled
from agent_sre.domain.action import Risk


def build(seen: Seen, parameters: Parameters) -> Draft | Refusal:
    """The patch, or that it is not suspended."""
    draft = toggled(seen, parameters, "suspend", False, undo_action="cronjob_suspend")
    if isinstance(draft, Refusal):
        return draft
    deadline = seen.target["spec"].get("startingDeadlineSeconds")
    within = "" if deadline is None else f" if it was due in the last {deadline} s"
    return replace(draft, preview=f"{draft.preview}\nNote: the newest run that was missed may start at once{within}.")


CRONJOB_RESUME = ActionKind(
    name="cronjob_resume",
    summary="Let a suspended CronJob start Jobs again.",
    risk=Risk.MEDIUM,
    targets=("CronJob",),
    parameters=(Parameter("cron_job", ParameterType.OBJECT, "The CronJob that is suspended."),),
    rights=(*reads("CronJob", "Job", "Pod"), *writes("CronJob", "patch")),
    expected="Jobs start again at the times of the schedule, and perhaps one at once.",
    verify="The alert's condition no longer holds and the CronJob is not suspended.",
    build=build,
    binds=Binding.CONTENT,
)
