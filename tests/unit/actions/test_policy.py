"""Policy refuses whatever is outside its lists, whoever approved, and says why in a sentence."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agent_sre.actions import policy as rules
from agent_sre.actions.freeze import freezes
from agent_sre.actions.policy import ALWAYS_DENIED, Mode, Policy, PolicyDecision
from agent_sre.domain.action import Proposal, Reach
from agent_sre.domain.effect import Effect, EffectState
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.reference import ObjectRef
from agent_sre.testing.cluster import FakeCluster
from tests.unit.actions.rollouts import RESTART, bad_rollout, proposal

OPEN = Policy(mode=Mode.APPROVE, namespaces=frozenset({"shop"}))
NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)  # a Monday


def permit(item: Proposal, policy: Policy, now: datetime = NOW, lately: Sequence[Effect] = ()) -> PolicyDecision:
    return rules.permit(item, policy, now, lately)


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


# --------------------------------------------------------------------------------------- labels, reach, time, history


@pytest.mark.parametrize("mark", ["agent-sre.io/protected=true", "agent-sre.io/protected", "team=db", "team"])
async def test_a_protected_label_of_the_target_forbids(mark: str) -> None:
    item = replace(await undo(), labels=("agent-sre.io/protected=true", "team=db"))
    assert permit(item, replace(OPEN, protected=frozenset({mark}))) is PolicyDecision.PROTECTED
    assert permit(item, replace(OPEN, protected=frozenset({"team=web", "protected"}))) is PolicyDecision.ALLOWED


async def test_the_label_is_protected_by_default_and_is_read_from_the_object() -> None:
    objects = bad_rollout()
    objects[0]["metadata"]["labels"]["agent-sre.io/protected"] = "true"
    item = await proposal(FakeCluster(objects))
    assert "agent-sre.io/protected=true" in item.labels
    assert permit(item, OPEN) is PolicyDecision.PROTECTED
    assert permit(item, Policy()) is PolicyDecision.PROTECTED, "what is protected is not even suggested"


@pytest.mark.parametrize(
    ("reach", "expected"),
    [
        (Reach(), PolicyDecision.ALLOWED),
        (Reach(pods=50, of=50), PolicyDecision.ALLOWED),
        (Reach(pods=51, of=51), PolicyDecision.TOO_MANY_PODS),
        (Reach(pods=1, missing=1, of=1), PolicyDecision.ALLOWED),
        (Reach(pods=3, missing=1, of=3), PolicyDecision.ALLOWED),
        (Reach(pods=3, missing=2, of=3), PolicyDecision.TOO_LARGE_A_SHARE),
        (Reach(pods=4, missing=2, of=4), PolicyDecision.ALLOWED),
        (Reach(pods=5, missing=5, of=5), PolicyDecision.TOO_LARGE_A_SHARE),
    ],
)
async def test_how_far_an_action_may_reach(reach: Reach, expected: PolicyDecision) -> None:
    assert permit(replace(await undo(), reach=reach), OPEN) is expected


async def test_nodes_are_allowed_by_name_and_never_by_namespace() -> None:
    target = ObjectRef("Node", "", "worker-7")
    item = replace(await undo(), action="node_cordon", target=target, parameters={"node": str(target)})
    assert permit(item, OPEN) is PolicyDecision.NODE_NOT_ALLOWED
    assert permit(item, replace(OPEN, nodes=frozenset({"worker-1", "control-*"}))) is PolicyDecision.NODE_NOT_ALLOWED
    assert permit(item, replace(OPEN, nodes=frozenset({"worker-*"}))) is PolicyDecision.ALLOWED
    assert permit(item, Policy()) is PolicyDecision.SUGGEST_ONLY


def effect(name: str, state: EffectState, at: datetime, workload: str = "Deployment shop/checkout") -> Effect:
    return Effect(name, f"APR-{name}", "INC-2", state, at, workload=workload)


@pytest.mark.parametrize(
    ("state", "ago", "workload", "expected"),
    [
        (EffectState.DONE, 1, "Deployment shop/checkout", PolicyDecision.TOO_SOON),
        (EffectState.DONE, 299, "Deployment shop/checkout", PolicyDecision.TOO_SOON),
        (EffectState.DONE, 300, "Deployment shop/checkout", PolicyDecision.ALLOWED),
        (EffectState.DONE, 1, "Deployment shop/cart", PolicyDecision.ALLOWED),
        (EffectState.INTENDED, 1, "Deployment shop/checkout", PolicyDecision.TOO_SOON),
        (EffectState.REFUSED, 1, "Deployment shop/checkout", PolicyDecision.ALLOWED),
        (EffectState.FAILED, 1, "Deployment shop/checkout", PolicyDecision.ALLOWED),
    ],
)
async def test_one_action_for_a_workload_in_a_while_whichever_incident_it_is_for(
    state: EffectState, ago: int, workload: str, expected: PolicyDecision
) -> None:
    lately = [effect("EFF-9", state, NOW - timedelta(seconds=ago), workload)]
    assert permit(await undo(), OPEN, lately=lately) is expected


async def test_of_two_at_the_same_moment_exactly_one_goes_on() -> None:
    item = await undo()
    pair = [effect(name, EffectState.INTENDED, NOW) for name in ("EFF-1", "EFF-2")]
    decisions = [rules.permit(item, OPEN, NOW, pair, own) for own in pair]
    assert decisions == [PolicyDecision.ALLOWED, PolicyDecision.TOO_SOON]


@pytest.mark.parametrize(
    ("freeze", "now", "frozen"),
    [
        ("2026-01-05T12:00Z/2026-01-05T13:00Z", NOW, True),
        ("2026-01-05T11:00Z/2026-01-05T12:00Z", NOW, False),
        ("2026-01-05T13:00:00+02:00/2026-01-05T14:30:00+02:00", NOW, True),
        ("Fri 16:00/Mon 12:01", NOW, True),
        ("Fri 16:00/Mon 12:00", NOW, False),
        ("Fri 16:00/Mon 07:00", NOW - timedelta(days=1), True),
        ("Mon 09:00/Mon 17:00", NOW, True),
        ("Mon 09:00/Mon 17:00", NOW + timedelta(days=1), False),
        ("Sun 00:00/Mon 00:00", NOW.replace(hour=0), False),
    ],
)
async def test_nothing_in_a_freeze(freeze: str, now: datetime, frozen: bool) -> None:
    policy = replace(OPEN, freezes=freezes([freeze]))
    assert permit(await undo(), policy, now) is (PolicyDecision.FROZEN if frozen else PolicyDecision.ALLOWED)
    assert permit(await undo(), replace(policy, mode=Mode.SUGGEST), now) is PolicyDecision.SUGGEST_ONLY


@pytest.mark.parametrize(
    "text",
    ["", "Fri", "Fri 16:00", "Fri 16:00/Fri 16:00", "Fri 24:00/Mon 07:00", "Xyz 10:00/Mon 07:00", "a/b",
     "2026-01-05T13:00Z/2026-01-05T12:00Z", "Fri 16:00/2026-01-05T12:00Z"],
)  # fmt: skip
def test_a_freeze_that_cannot_be_read_names_itself_and_how_it_is_written(text: str) -> None:
    with pytest.raises(PermanentError, match="is no freeze; write two instants"):
        freezes([text])
