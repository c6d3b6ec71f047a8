"""Every action there is. What is not listed here cannot be proposed, approved or done, whoever asks.

Adding one: its file, its test, its line here; its rights are declared with it and docs/rbac-actions.yaml is made of
them.
"""

from collections.abc import Mapping
from types import MappingProxyType

from agent_sre.actions.config_map_restore import CONFIG_MAP_RESTORE
from agent_sre.actions.cronjob_resume import CRONJOB_RESUME
from agent_sre.actions.cronjob_suspend import CRONJOB_SUSPEND
from agent_sre.actions.hpa_bounds import HPA_BOUNDS
from agent_sre.actions.image_restore import IMAGE_RESTORE
from agent_sre.actions.job_delete import JOB_DELETE
from agent_sre.actions.job_rerun import JOB_RERUN
from agent_sre.actions.kind import ActionKind
from agent_sre.actions.node_cordon import NODE_CORDON
from agent_sre.actions.node_uncordon import NODE_UNCORDON
from agent_sre.actions.parameters import template_problems
from agent_sre.actions.pod_delete import POD_DELETE
from agent_sre.actions.pod_evict import POD_EVICT
from agent_sre.actions.resources_set import RESOURCES_SET
from agent_sre.actions.rollout_pause import ROLLOUT_PAUSE
from agent_sre.actions.rollout_restart import ROLLOUT_RESTART
from agent_sre.actions.rollout_resume import ROLLOUT_RESUME
from agent_sre.actions.rollout_undo import ROLLOUT_UNDO
from agent_sre.actions.scale import SCALE

_KINDS = (
    ROLLOUT_UNDO,
    ROLLOUT_RESTART,
    ROLLOUT_PAUSE,
    ROLLOUT_RESUME,
    SCALE,
    HPA_BOUNDS,
    IMAGE_RESTORE,
    RESOURCES_SET,
    CONFIG_MAP_RESTORE,
    POD_DELETE,
    POD_EVICT,
    NODE_CORDON,
    NODE_UNCORDON,
    CRONJOB_SUSPEND,
    CRONJOB_RESUME,
    JOB_DELETE,
    JOB_RERUN,
)

ACTIONS: Mapping[str, ActionKind] = MappingProxyType({kind.name: kind for kind in _KINDS})
"""Action kinds by name."""


def offer_problems(action: str, parameters: Mapping[str, object]) -> tuple[str, ...]:
    """What is wrong with an action as a runbook offers it; empty where nothing is."""
    kind = ACTIONS.get(action)
    if kind is None:
        return (f"there is no action {action!r}; there are: {', '.join(sorted(ACTIONS))}",)
    return template_problems(kind, parameters)
