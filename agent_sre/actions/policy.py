"""Policy: may this exact proposal be shown, and may it be carried out? A value and a pure function.

It is asked when something is proposed and again immediately before the effect, because settings and the kill switch
may have changed in between. It sees the proposal, the operator's settings and what was done lately; of the telemetry
only labels, which can forbid and never allow, so no log line or label talks it round. An approval never overrides it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

from agent_sre.actions.catalogue import ACTIONS
from agent_sre.actions.freeze import Freeze
from agent_sre.actions.kind import ActionKind
from agent_sre.actions.parameters import value_problems
from agent_sre.domain.action import Proposal
from agent_sre.domain.effect import Effect, EffectState

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
    NODE_NOT_ALLOWED = "node_not_allowed"
    PROTECTED = "protected"
    TOO_MANY_PODS = "too_many_pods"
    TOO_LARGE_A_SHARE = "too_large_a_share"
    FROZEN = "frozen"
    TOO_SOON = "too_soon"
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
    PolicyDecision.NODE_NOT_ALLOWED: "The node is not among those that actions may touch; add it to them.",
    PolicyDecision.PROTECTED: "The target, or what owns it, has a label that protects it from actions.",
    PolicyDecision.TOO_MANY_PODS: "It would touch more pods than one action may; do it by hand or raise the limit.",
    PolicyDecision.TOO_LARGE_A_SHARE: "Too large a share of what serves now would be missing at once.",
    PolicyDecision.FROZEN: "It is a time in which nothing is changed.",
    PolicyDecision.TOO_SOON: "The same workload was acted upon just now; wait for what comes of it.",
    PolicyDecision.UNKNOWN_ACTION: "The action is not in the catalogue.",
    PolicyDecision.ACTION_NOT_ALLOWED: "The action is not among those that are allowed here.",
    PolicyDecision.WRONG_TARGET: "The action is not made for this kind of object, or names another object.",
    PolicyDecision.INVALID_PARAMETERS: "The action's parameters are not valid for it.",
}


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator allows. ``actions`` None means all of the catalogue; ``denied`` adds to ALWAYS_DENIED.

    An empty ``namespaces`` allows none to be touched; in the mode ``suggest`` it means that any may be spoken about.
    ``nodes`` are names, or patterns with ``*``. ``protected`` are labels, as ``key`` or ``key=value``. ``max_pods`` is
    how many pods one action may add, replace or remove; ``max_share`` how much of a workload's pods (or of the
    cluster's nodes) may be missing at once, of which one always may. ``cooldown`` is between two actions on a workload.
    """

    mode: Mode = Mode.SUGGEST
    namespaces: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    actions: frozenset[str] | None = None
    kill_switch: bool = False
    nodes: frozenset[str] = frozenset()
    protected: frozenset[str] = frozenset({"agent-sre.io/protected=true"})
    max_pods: int = 50
    max_share: float = 0.5
    cooldown: timedelta = timedelta(minutes=5)
    freezes: tuple[Freeze, ...] = ()


def permit(
    proposal: Proposal,
    policy: Policy,
    now: datetime,
    lately: Sequence[Effect] = (),
    own: Effect | None = None,
) -> PolicyDecision:
    """The first reason against the proposal, the gravest first; else SUGGEST_ONLY or ALLOWED by mode.

    ``lately`` are effects since ``now - policy.cooldown`` at least, ``own`` the proposal's where it is under way.
    """
    refused = _about_action(proposal, policy) or _about_place(proposal, policy) or _about_reach(proposal, policy)
    if refused is not None:
        return refused
    if policy.kill_switch:
        return PolicyDecision.KILL_SWITCH
    if policy.mode is not Mode.APPROVE:
        return PolicyDecision.SUGGEST_ONLY
    if any(freeze.holds(now) for freeze in policy.freezes):
        return PolicyDecision.FROZEN
    since = now - policy.cooldown
    if any(item.intended_at > since and _stands_before(item, proposal, own) for item in lately):
        return PolicyDecision.TOO_SOON
    return PolicyDecision.ALLOWED


def _stands_before(other: Effect, proposal: Proposal, own: Effect | None) -> bool:
    """Whether another effect on the workload was first, or may be going on. Of two at once the earlier goes on."""
    if other.workload != str(proposal.concerns) or (own is not None and other.id == own.id):
        return False
    if other.state is EffectState.INTENDED and own is not None:
        return (other.intended_at, other.id) < (own.intended_at, own.id)
    return other.state in (EffectState.INTENDED, EffectState.DONE)


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
    if proposal.target.kind == "Node":
        named = any(fnmatchcase(proposal.target.name, pattern) for pattern in policy.nodes)
        anyone = policy.mode is Mode.SUGGEST and not policy.nodes
        return None if named or anyone else PolicyDecision.NODE_NOT_ALLOWED
    if not namespace:
        return PolicyDecision.CLUSTER_SCOPED
    if namespace in ALWAYS_DENIED or namespace in policy.denied:
        return PolicyDecision.NAMESPACE_DENIED
    anywhere = policy.mode is Mode.SUGGEST and not policy.namespaces
    if namespace not in policy.namespaces and not anywhere:
        return PolicyDecision.NAMESPACE_NOT_ALLOWED
    return None


def _about_reach(proposal: Proposal, policy: Policy) -> PolicyDecision | None:
    marks = {mark for label in proposal.labels for mark in (label, label.partition("=")[0])}
    if marks & policy.protected:
        return PolicyDecision.PROTECTED
    reach = proposal.reach
    if reach.pods > policy.max_pods:
        return PolicyDecision.TOO_MANY_PODS
    if reach.missing > max(1, int(reach.of * policy.max_share)):
        return PolicyDecision.TOO_LARGE_A_SHARE
    return None
