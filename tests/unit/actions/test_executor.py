"""One approval, at most one effect, always a known outcome, whatever fails in between."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from agent_sre.actions.executor import ATTEMPTS, MAX_WAIT
from agent_sre.actions.policy import Policy
from agent_sre.domain.approval import ApprovalState
from agent_sre.domain.effect import EffectState
from agent_sre.domain.errors import PermanentError, TemporaryError
from tests.unit.actions.executions import ALLOW, Killed, World
from tests.unit.actions.rollouts import GOOD, REF, RESTART, approved, proposal

DOWN = TemporaryError("the API server does not answer")


def deployed(world: World) -> Mapping[str, Any]:
    found = world.cluster.peek(REF)
    assert found is not None
    return found


async def test_intent_dry_run_patch_outcome() -> None:
    world = World()
    effect = await world.run(approved(await proposal(world.cluster)))
    assert effect.state is EffectState.DONE
    assert effect.finished_at == world.clock.now()
    assert deployed(world)["spec"]["template"] == GOOD
    assert deployed(world)["metadata"]["annotations"]["agent-sre.io/effect"] == effect.id
    assert await world.verbs() == ["effect.intended", "effect.dry_run", "effect.done"]
    assert await world.store.effects.of_incident("INC-1") == (effect,)
    (entry,) = await world.store.journal.timeline("INC-1")
    assert entry.kind == "action"
    assert "rollout_undo on Deployment shop/checkout" in entry.text


async def test_the_approver_and_what_was_approved_are_audited() -> None:
    world = World()
    approval = approved(await proposal(world.cluster))
    effect = await world.run(approval)
    intended = (await world.audit())[0]
    assert intended.subject == effect.id
    assert intended.detail["by"] == "ann@example.com"
    assert intended.detail["digest"] == approval.digest
    assert intended.detail["target"] == "Deployment shop/checkout"


async def test_a_second_call_does_nothing() -> None:
    world = World()
    approval = approved(await proposal(world.cluster))
    first = await world.run(approval)
    calls = len(world.cluster.calls)
    assert await world.run(approval) == first
    assert len(world.cluster.calls) == calls


async def test_an_answer_that_is_lost_after_the_effect_is_read_back_and_not_repeated() -> None:
    world = World()
    world.cluster.lose_answers()
    effect = await world.run(approved(await proposal(world.cluster)))
    assert effect.state is EffectState.DONE
    assert "Read back" in effect.detail
    assert len(world.cluster.patches) == 1
    assert world.template_changes == 1


async def test_failures_that_pass_are_tried_again_with_pauses() -> None:
    world = World()
    approval = approved(await proposal(world.cluster))
    world.cluster.fail("dry-run", DOWN)
    world.cluster.fail("patch", TemporaryError("too many requests", retry_after=7.0))
    effect = await world.run(approval)
    assert effect.state is EffectState.DONE
    assert world.template_changes == 1
    assert world.clock.sleeps == [1.0, 7.0]
    assert (await world.verbs()).count("effect.retry") == 2


async def test_a_long_pause_that_a_server_asks_for_is_cut() -> None:
    world = World()
    approval = approved(await proposal(world.cluster))
    world.cluster.fail("patch", TemporaryError("come back tomorrow", retry_after=86400.0))
    assert (await world.run(approval)).state is EffectState.DONE
    assert world.clock.sleeps == [MAX_WAIT]


async def test_it_gives_up_and_says_that_nothing_was_changed() -> None:
    world = World()
    approval = approved(await proposal(world.cluster))
    world.cluster.fail("dry-run", *[DOWN] * ATTEMPTS)
    effect = await world.run(approval)
    assert effect.state is EffectState.FAILED
    assert effect.detail.startswith("Nothing was changed")
    assert "does not answer" in effect.detail
    assert world.cluster.patches == ()


async def test_a_patch_that_may_have_been_sent_is_looked_up_before_giving_up() -> None:
    world = World()
    approval = approved(await proposal(world.cluster))
    world.cluster.fail("patch", *[DOWN] * ATTEMPTS)
    effect = await world.run(approval)
    assert effect.state is EffectState.FAILED
    assert effect.detail.startswith("Nothing was changed")
    assert world.template_changes == 0


async def test_unknown_stays_an_intent_until_the_object_can_be_read() -> None:
    world = World()
    approval = approved(await proposal(world.cluster))
    with pytest.raises(Killed):
        await world.run(approval, ticks=13)  # right after the patch
    assert world.template_changes == 1
    world.cluster.fail("get", *[DOWN] * (ATTEMPTS + 1))
    with pytest.raises(TemporaryError, match="does not answer"):
        await world.run(approval)
    (unknown,) = await world.store.effects.of_incident("INC-1")
    assert unknown.state is EffectState.INTENDED
    effect = await world.run(approval)
    assert effect.state is EffectState.DONE
    assert world.template_changes == 1


async def test_a_lost_answer_and_an_object_that_cannot_be_read_is_never_called_unchanged() -> None:
    world = World()
    approval = approved(await proposal(world.cluster))
    world.cluster.lose_answers()
    # From the moment of the effect nothing can be read, for longer than this process tries.
    world.cluster.on_patch = lambda before, after: world.cluster.fail("get", *[DOWN] * ATTEMPTS)
    with pytest.raises(TemporaryError, match="does not answer"):
        await world.run(approval)
    (unknown,) = await world.store.effects.of_incident("INC-1")
    assert unknown.state is EffectState.INTENDED
    assert deployed(world)["spec"]["template"] == GOOD
    assert (await world.run(approval)).state is EffectState.DONE
    assert len(world.cluster.patches) == 1


async def test_our_mark_tells_of_our_effect_though_the_object_has_changed_again() -> None:
    world = World()
    approval = approved(await proposal(world.cluster))
    with pytest.raises(Killed):
        await world.run(approval, ticks=13)  # right after the patch
    world.cluster.update(REF, {"spec": {"template": {"spec": {"priorityClassName": "a later rollout"}}}})
    effect = await world.run(approval)
    assert effect.state is EffectState.DONE
    assert len(world.cluster.patches) == 1


async def test_the_specification_tells_of_our_effect_though_a_tool_removed_the_mark() -> None:
    world = World()
    approval = approved(await proposal(world.cluster))
    with pytest.raises(Killed):
        await world.run(approval, ticks=13)  # right after the patch
    world.cluster.update(REF, {"metadata": {"annotations": {"agent-sre.io/effect": None}}})
    effect = await world.run(approval)
    assert effect.state is EffectState.DONE
    assert len(world.cluster.patches) == 1


async def test_the_same_change_by_another_hand_is_not_claimed_as_ours() -> None:
    world = World()
    approval = approved(await proposal(world.cluster))
    world.cluster.update(REF, approval.proposal.patch)
    effect = await world.run(approval)
    assert effect.state is EffectState.REFUSED
    assert world.cluster.patches == ()


async def test_a_change_after_the_approval_is_refused() -> None:
    world = World()
    approval = approved(await proposal(world.cluster))
    world.cluster.update(REF, {"spec": {"replicas": 3}})
    effect = await world.run(approval)
    assert effect.state is EffectState.REFUSED
    assert "changed since it was approved" in effect.detail
    assert world.cluster.patches == ()
    assert (await world.verbs())[-1] == "effect.refused"


async def test_a_change_between_dry_run_and_patch_is_refused() -> None:
    world = World()
    approval = approved(await proposal(world.cluster))
    world.cluster.fail("patch", PermanentError("conflict"))
    effect = await world.run(approval)
    assert effect.state is EffectState.FAILED  # the object is as approved: some other conflict
    world = World()
    approval = approved(await proposal(world.cluster))
    with pytest.raises(Killed):
        await world.run(approval, ticks=8)  # before the dry run
    world.cluster.update(REF, {"spec": {"replicas": 3}})
    assert (await world.run(approval)).state is EffectState.REFUSED


async def test_an_object_that_is_gone_is_refused() -> None:
    world = World()
    approval = approved(await proposal(world.cluster))
    world.cluster.drop(REF)
    effect = await world.run(approval)
    assert effect.state is EffectState.REFUSED
    assert "does not exist any more" in effect.detail


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (replace(ALLOW, kill_switch=True), "kill switch"),
        (Policy(), "only suggested"),
        (replace(ALLOW, namespaces=frozenset({"other"})), "not among those"),
        (replace(ALLOW, denied=frozenset({"shop"})), "protected"),
        (replace(ALLOW, actions=frozenset({"rollout_restart"})), "not among those that are allowed"),
    ],
)
async def test_policy_is_asked_again_and_an_approval_does_not_override_it(policy: Policy, words: str) -> None:
    world = World()
    effect = await world.run(approved(await proposal(world.cluster)), policy)
    assert effect.state is EffectState.REFUSED
    assert words in effect.detail
    assert not any(call.verb == "patch" for call in world.cluster.calls)


async def test_the_kill_switch_stops_what_a_killed_process_left_undone() -> None:
    world = World()
    approval = approved(await proposal(world.cluster))
    with pytest.raises(Killed):
        await world.run(approval, ticks=6)
    effect = await world.run(approval, replace(ALLOW, kill_switch=True))
    assert effect.state is EffectState.REFUSED
    assert world.template_changes == 0


@pytest.mark.parametrize("state", [state for state in ApprovalState if state is not ApprovalState.APPROVED])
async def test_what_is_not_approved_is_refused(state: ApprovalState) -> None:
    world = World()
    effect = await world.run(approved(await proposal(world.cluster), state))
    assert effect.state is EffectState.REFUSED
    assert world.template_changes == 0


async def test_an_approval_of_something_else_is_refused() -> None:
    world = World()
    approval = approved(await proposal(world.cluster))
    swapped = replace(approval, proposal=await proposal(world.cluster, RESTART))
    effect = await world.run(swapped)
    assert effect.state is EffectState.REFUSED
    assert "another action" in effect.detail
    assert world.template_changes == 0


@pytest.mark.parametrize("verb", ["patch", "get"])
async def test_a_missing_right_fails_with_its_name_and_without_effect(verb: str) -> None:
    world = World()
    approval = approved(await proposal(world.cluster))
    world.cluster.forbid(verb, "Deployment", "shop")
    if verb == "patch":
        effect = await world.run(approval)
        assert effect.state is EffectState.FAILED
        assert "grant patch on deployments.apps" in effect.detail
    else:
        effect = await world.run(approval)
        assert effect.state is EffectState.FAILED
        assert "nothing was changed" in effect.detail
    assert world.template_changes == 0


async def test_a_restart_restarts_once() -> None:
    world = World()
    approval = approved(await proposal(world.cluster, RESTART))
    world.clock.set(world.clock.now().replace(hour=15))
    world.cluster.lose_answers()
    assert (await world.run(approval)).state is EffectState.DONE
    assert world.template_changes == 1
    annotations = deployed(world)["spec"]["template"]["metadata"]["annotations"]
    assert annotations["kubectl.kubernetes.io/restartedAt"] == "2026-01-05T12:00:00Z"
