"""Every action there is. What is not listed here cannot be proposed, approved or done, whoever asks.

Adding one: its file, its test, its line here; its rights are declared with it and helm/ is generated from them.
"""

from collections.abc import Mapping
from types import MappingProxyType

from agent_sre.actions.kind import ActionKind
from agent_sre.actions.parameters import template_problems
from agent_sre.actions.rollout_restart import ROLLOUT_RESTART
from agent_sre.actions.rollout_undo import ROLLOUT_UNDO

ACTIONS: Mapping[str, ActionKind] = MappingProxyType({kind.name: kind for kind in (ROLLOUT_UNDO, ROLLOUT_RESTART)})
"""Action kinds by name."""


def offer_problems(action: str, parameters: Mapping[str, object]) -> tuple[str, ...]:
    """What is wrong with an action as a runbook offers it; empty where nothing is."""
    kind = ACTIONS.get(action)
    if kind is None:
        return (f"there is no action {action!r}; there are: {', '.join(sorted(ACTIONS))}",)
    return template_problems(kind, parameters)
