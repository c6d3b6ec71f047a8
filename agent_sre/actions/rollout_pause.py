"""Pause of a Deployment's rollout: what runs goes on running, and no further pod gets the new template.

It buys time while a rollout does harm step by step and nobody knows yet whether back or forward is right. A rollout
that is complete has nothing to pause.
"""

from collections.abc import Mapping
from typing import Any

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
    writes,
)
from agent_sre.actions.rollout_health import Health, rollout_health
from agent_sre.actions.toggle import toggled
from agent_sre.domain.action import Risk


def build(seen: Seen, parameters: Parameters) -> Draft | Refusal:
    """The patch, or that there is no rollout under way."""
    if rollout_health(seen.target).complete:
        return Refusal(RefusalReason.NOTHING_TO_CHANGE, f"{seen.ref} has no rollout under way that could be paused")
    return toggled(seen, parameters, "paused", True, undo_action="rollout_resume")


def _held(item: Mapping[str, Any]) -> Health:
    """A paused rollout is never complete; it is as it should be while it is paused."""
    paused = bool(item["spec"].get("paused"))
    return Health(paused, f"{ref_of(item)} is {'paused' if paused else 'not paused'}")


ROLLOUT_PAUSE = ActionKind(
    name="rollout_pause",
    summary="Stop a Deployment's rollout where it is.",
    risk=Risk.LOW,
    targets=("Deployment",),
    parameters=(Parameter("workload", ParameterType.OBJECT, "The Deployment whose rollout is stopped."),),
    rights=(*reads("Deployment"), *writes("Deployment", "patch")),
    expected="No further pod gets the new template; those that have it keep it.",
    verify="The alert's condition no longer holds and the rollout stays paused.",
    build=build,
    binds=Binding.CONTENT,
    health=_held,
)
