"""Suspension of a CronJob: no further Job is started; one that runs goes on."""

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
    """The patch, or that it is suspended already."""
    return toggled(seen, parameters, "suspend", True, undo_action="cronjob_resume")


CRONJOB_SUSPEND = ActionKind(
    name="cronjob_suspend",
    summary="Keep a CronJob from starting further Jobs.",
    risk=Risk.LOW,
    targets=("CronJob",),
    parameters=(Parameter("cron_job", ParameterType.OBJECT, "The CronJob, or the one that owns the Job at fault."),),
    rights=(*reads("CronJob", "Job", "Pod"), *writes("CronJob", "patch")),
    expected="No Job is started at the next times of the schedule; a running one goes on to its end.",
    verify="The alert's condition no longer holds and the CronJob stays suspended.",
    build=build,
    binds=Binding.CONTENT,
)
