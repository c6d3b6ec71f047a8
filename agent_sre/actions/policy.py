"""Policy: may this exact proposal be shown, and may it be carried out? A value and a pure function.

It is asked when something is proposed and again immediately before the effect, because settings and the kill switch
may have changed in between. It sees the proposal and the operator's settings and nothing of the telemetry, so no log
line or label can talk it round. An approval never overrides it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from agent_sre.actions.catalogue import ACTIONS
from agent_sre.actions.kind import ActionKind
from agent_sre.actions.parameters import value_problems
from agent_sre.domain.action import Proposal

ALWAYS_DENIED = frozenset({"kube-system", "kube-public", "kube-node-lease"})
"""Namespaces in which a mistake takes the cluster down; they can be allowed by no setting."""


class Mode(StrEnum):
    """``suggest``: actions are shown, never run. ``approve``: run after a person approved."""

    SUGGEST = "suggest"
    APPROVE = "approve"


class PolicyDecision(StrEnum):
    """Whether an action may run, or why not."""

    ALLOWED = "allowed"
    SUGGEST_ONLY = "suggest_only"
    KILL_SWITCH = "kill_switch"
    NAMESPACE_DENIED = "namespace_denied"
    NAMESPACE_NOT_ALLOWED = "namespace_not_allowed"
    CLUSTER_SCOPED = "cluster_scoped"
    UNKNOWN_ACTION = "unknown_action"
    ACTION_NOT_ALLOWED = "action_not_allowed"
    WRONG_TARGET = "wrong_target"
    INVALID_PARAMETERS = "invalid_parameters"

    @property
    def sentence(self) -> str:
        """The decision in words, with the fix where there is one."""
        return _SENTENCES[self]


_SENTENCES: Mapping[PolicyDecision, str] = {
    PolicyDecision.ALLOWED: "Allowed by policy, after approval.",
    PolicyDecision.SUGGEST_ONLY: "Actions are only suggested here; to run them after approval set the mode to approve.",
    PolicyDecision.KILL_SWITCH: "The kill switch is on, so nothing is changed, whatever was approved.",
    PolicyDecision.NAMESPACE_DENIED: "The namespace is protected: no action runs there.",
    PolicyDecision.NAMESPACE_NOT_ALLOWED: "The namespace is not among those that actions may touch; add it to them.",
    PolicyDecision.CLUSTER_SCOPED: "The target is not in a namespace; actions run inside allowed namespaces only.",
    PolicyDecision.UNKNOWN_ACTION: "The action is not in the catalogue.",
    PolicyDecision.ACTION_NOT_ALLOWED: "The action is not among those that are allowed here.",
    PolicyDecision.WRONG_TARGET: "The action is not made for this kind of object, or names another object.",
    PolicyDecision.INVALID_PARAMETERS: "The action's parameters are not valid for it.",
}


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator allows. ``actions`` None means all of the catalogue; ``denied`` adds to ALWAYS_DENIED.

    An empty ``namespaces`` allows none to be touched; in the mode ``suggest`` it means that any may be spoken about.
    """

    mode: Mode = Mode.SUGGEST
    namespaces: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    actions: frozenset[str] | None = None
    kill_switch: bool = False


def permit(proposal: Proposal, policy: Policy) -> PolicyDecision:
    """The first reason against the proposal, the gravest first; else SUGGEST_ONLY or ALLOWED by mode."""
    refused = _about_action(proposal, policy) or _about_place(proposal, policy)
    if refused is not None:
        return refused
    if policy.kill_switch:
        return PolicyDecision.KILL_SWITCH
    return PolicyDecision.ALLOWED if policy.mode is Mode.APPROVE else PolicyDecision.SUGGEST_ONLY


def _about_action(proposal: Proposal, policy: Policy) -> PolicyDecision | None:
    kind = ACTIONS.get(proposal.action)
    if kind is None:
        return PolicyDecision.UNKNOWN_ACTION
    if policy.actions is not None and kind.name not in policy.actions:
        return PolicyDecision.ACTION_NOT_ALLOWED
    if proposal.target.kind not in kind.targets or not _names_its_target(proposal, kind):
        return PolicyDecision.WRONG_TARGET
    if value_problems(kind, proposal.parameters):
        return PolicyDecision.INVALID_PARAMETERS
    return None


def _names_its_target(proposal: Proposal, kind: ActionKind) -> bool:
    """Whether every object parameter names the very object that the patch is for."""
    named = (proposal.parameters.get(item.name) for item in kind.parameters if item.type == "object")
    return all(value == str(proposal.target) for value in named)


def _about_place(proposal: Proposal, policy: Policy) -> PolicyDecision | None:
    namespace = proposal.target.namespace
    if not namespace:
        return PolicyDecision.CLUSTER_SCOPED
    if namespace in ALWAYS_DENIED or namespace in policy.denied:
        return PolicyDecision.NAMESPACE_DENIED
    anywhere = policy.mode is Mode.SUGGEST and not policy.namespaces
    if namespace not in policy.namespaces and not anywhere:
        return PolicyDecision.NAMESPACE_NOT_ALLOWED
    return None
