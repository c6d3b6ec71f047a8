"""Resume of a paused Deployment: changes of its template that came while it was paused roll out now."""

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
from agent_sre.actions.reach import replaced
from agent_sre.actions.toggle import toggled
from agent_sre.domain.action import Risk


def build(seen: Seen, parameters: Parameters) -> Draft | Refusal:
    """The patch, or that it is not paused."""
    return toggled(seen, parameters, "paused", False, undo_action="rollout_pause", reach=replaced(seen.target))


ROLLOUT_RESUME = ActionKind(
    name="rollout_resume",
    summary="Let a paused Deployment roll out what it was given.",
    risk=Risk.MEDIUM,
    targets=("Deployment",),
    parameters=(Parameter("workload", ParameterType.OBJECT, "The Deployment that is paused."),),
    rights=(*reads("Deployment"), *writes("Deployment", "patch")),
    expected="The present template rolls out under the Deployment's own strategy.",
    verify="The alert's condition no longer holds and every replica is updated and available.",
    build=build,
    binds=Binding.CONTENT,
)
