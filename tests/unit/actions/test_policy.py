"""Policy refuses whatever is outside its lists, whoever approved, and says why in a sentence."""

from dataclasses import replace

import pytest

from agent_sre.actions.policy import ALWAYS_DENIED, Mode, Policy, PolicyDecision, permit
from agent_sre.domain.action import Proposal
from agent_sre.domain.reference import ObjectRef
from agent_sre.testing.cluster import FakeCluster
from tests.unit.actions.rollouts import RESTART, bad_rollout, proposal

OPEN = Policy(mode=Mode.APPROVE, namespaces=frozenset({"shop"}))


async def undo() -> Proposal:
    return await proposal(FakeCluster(bad_rollout()))


def in_namespace(item: Proposal, namespace: str) -> Proposal:
    target = ObjectRef(item.target.kind, namespace, item.target.name)
    return replace(item, target=target, parameters={**item.parameters, "workload": str(target)})


async def test_an_allowed_action_in_an_allowed_namespace() -> None:
    assert permit(await undo(), OPEN) is PolicyDecision.ALLOWED


async def test_the_default_is_to_suggest_only() -> None:
    assert permit(await undo(), Policy()) is PolicyDecision.SUGGEST_ONLY


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (replace(OPEN, kill_switch=True), PolicyDecision.KILL_SWITCH),
        (replace(OPEN, namespaces=frozenset()), PolicyDecision.NAMESPACE_NOT_ALLOWED),
        (replace(OPEN, namespaces=frozenset({"other"})), PolicyDecision.NAMESPACE_NOT_ALLOWED),
        (replace(OPEN, namespaces=frozenset({"sho", "shop2", "SHOP", "*"})), PolicyDecision.NAMESPACE_NOT_ALLOWED),
        (replace(OPEN, mode=Mode.SUGGEST), PolicyDecision.SUGGEST_ONLY),
        (Policy(namespaces=frozenset({"other"})), PolicyDecision.NAMESPACE_NOT_ALLOWED),
        (replace(OPEN, denied=frozenset({"shop"})), PolicyDecision.NAMESPACE_DENIED),
        (replace(OPEN, actions=frozenset({"rollout_restart"})), PolicyDecision.ACTION_NOT_ALLOWED),
        (replace(OPEN, actions=frozenset()), PolicyDecision.ACTION_NOT_ALLOWED),
    ],
)
async def test_what_the_operator_did_not_allow(policy: Policy, expected: PolicyDecision) -> None:
    assert permit(await undo(), policy) is expected


@pytest.mark.parametrize("namespace", sorted(ALWAYS_DENIED))
async def test_the_clusters_own_namespaces_cannot_be_allowed(namespace: str) -> None:
    policy = replace(OPEN, namespaces=frozenset({namespace}))
    assert permit(in_namespace(await undo(), namespace), policy) is PolicyDecision.NAMESPACE_DENIED


async def test_nothing_outside_a_namespace() -> None:
    assert permit(in_namespace(await undo(), ""), OPEN) is PolicyDecision.CLUSTER_SCOPED


@pytest.mark.parametrize("action", ["exec", "delete_namespace", "", "ROLLOUT_UNDO"])
async def test_an_action_that_is_not_in_the_catalogue(action: str) -> None:
    assert permit(replace(await undo(), action=action), OPEN) is PolicyDecision.UNKNOWN_ACTION


async def test_a_target_of_another_kind_or_name_than_the_parameters_say() -> None:
    item = await undo()
    of_other_kind = ObjectRef("StatefulSet", "shop", "checkout")
    assert permit(replace(item, target=of_other_kind), OPEN) is PolicyDecision.WRONG_TARGET
    assert permit(replace(item, target=ObjectRef("Deployment", "shop", "cart")), OPEN) is PolicyDecision.WRONG_TARGET


@pytest.mark.parametrize("value", [0, -1, 2**31, True, "1", "$previous_revision"])
async def test_parameters_out_of_bounds(value: int | str | bool) -> None:
    item = await undo()
    edited = replace(item, parameters={**item.parameters, "to_revision": value})
    assert permit(edited, OPEN) is PolicyDecision.INVALID_PARAMETERS


async def test_parameters_that_the_action_does_not_have() -> None:
    item = await proposal(FakeCluster(bad_rollout()), RESTART)
    for extra in ({"replicas": 0}, {"replicas": 100000}):
        edited = replace(item, parameters={**item.parameters, **extra})
        assert permit(edited, OPEN) is PolicyDecision.INVALID_PARAMETERS


@pytest.mark.parametrize("decision", list(PolicyDecision))
def test_every_decision_has_a_sentence(decision: PolicyDecision) -> None:
    assert decision.sentence.endswith(".")
