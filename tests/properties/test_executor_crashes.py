"""Killed at any step, any number of times, with any failures: at most one effect, and the outcome becomes known."""

import asyncio
import contextlib

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from agent_sre.actions.executor import ATTEMPTS
from agent_sre.domain.effect import Effect, EffectState
from agent_sre.domain.errors import TemporaryError
from agent_sre.testing.cluster import FakeCluster
from tests.unit.actions.executions import Killed, World
from tests.unit.actions.kinds import CASES, Case, proposal_of
from tests.unit.actions.rollouts import GOOD, REF, RESTART, UNDO, approved, proposal

TICKS = 20
"""Ticks of a whole undisturbed run; a life of so many ends in death at any one step."""

# Whether a property holds must not depend on how busy the machine is; pytest-timeout bounds the time.
ANY_SPEED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


async def _until_done(world: World, lives: list[int], template_name: str) -> tuple[Effect, int]:
    """Run processes with these lives, then one that may live; the effect, and how often one died."""
    approval = approved(await proposal(world.cluster, UNDO if template_name == "undo" else RESTART))
    deaths = 0
    for life in lives:
        try:
            await world.run(approval, ticks=life)
        except Killed:
            deaths += 1
    return await world.run(approval), deaths


@pytest.mark.parametrize("name", ["undo", "restart"])
@pytest.mark.parametrize("life", range(TICKS))
async def test_killed_once_at_every_step(name: str, life: int) -> None:
    world = World()
    effect, deaths = await _until_done(world, [life], name)
    assert deaths == 1, "the list of steps is longer than a run"
    assert effect.state is EffectState.DONE
    assert world.template_changes == 1
    assert "effect.done" in await world.verbs()
    assert await world.store.effects.of_incident("INC-1") == (effect,)


async def test_the_steps_above_are_all_there_are() -> None:
    world = World()
    _, deaths = await _until_done(world, [TICKS], "undo")
    assert deaths == 0


@ANY_SPEED
@given(st.lists(st.integers(0, TICKS), max_size=6), st.integers(0, 2), st.integers(0, ATTEMPTS - 2))
def test_killed_often_with_lost_answers_and_failures(lives: list[int], lost: int, failures: int) -> None:
    async def story() -> None:
        world = World()
        world.cluster.lose_answers(lost)
        world.cluster.fail("dry-run", *[TemporaryError("down")] * failures)
        effect, _ = await _until_done(world, lives, "undo")
        assert effect.state is EffectState.DONE
        assert world.template_changes == 1
        found = world.cluster.peek(REF)
        assert found is not None
        assert found["spec"]["template"] == GOOD
        first = (await world.audit())[0]
        assert first.verb in ("effect.intended", "effect.resumed")
        assert first.detail["by"] == "ann@example.com"

    asyncio.run(story())


@ANY_SPEED
@given(st.integers(0, TICKS - 1))
def test_a_foreign_change_while_dead_never_doubles_and_never_overwrites(life: int) -> None:
    async def story() -> None:
        world = World()
        approval = approved(await proposal(world.cluster))
        try:
            await world.run(approval, ticks=life)
        except Killed:
            world.cluster.update(REF, {"spec": {"replicas": 7}})
        effect = await world.run(approval)
        assert effect.state is (EffectState.DONE if world.template_changes else EffectState.REFUSED)
        found = world.cluster.peek(REF)
        assert found is not None
        assert found["spec"]["replicas"] == 7
        assert (found["spec"]["template"] == GOOD) == (effect.state is EffectState.DONE)

    asyncio.run(story())


# ------------------------------------------------------------------------------------------ every action there is


@pytest.mark.parametrize("item", CASES, ids=str)
@pytest.mark.parametrize("life", range(TICKS))
async def test_every_action_killed_once_at_every_step_ends_as_if_it_had_not_been(item: Case, life: int) -> None:
    calm, world = World(FakeCluster(item.objects())), World(FakeCluster(item.objects()))
    await calm.run(approved(await proposal_of(item, calm.cluster)))
    approval = approved(await proposal_of(item, world.cluster))
    with pytest.raises(Killed):
        await world.run(approval, ticks=life)
    effect = await world.run(approval)
    assert effect.state is EffectState.DONE
    assert len(world.cluster.effects) == 1
    assert world.cluster.everything() == calm.cluster.everything()
    assert item.after(world.cluster)


@ANY_SPEED
@given(st.sampled_from(CASES), st.lists(st.integers(0, TICKS), max_size=5), st.integers(0, 2))
def test_every_action_killed_often_with_lost_answers(item: Case, lives: list[int], lost: int) -> None:
    async def story() -> None:
        world = World(FakeCluster(item.objects()))
        world.cluster.lose_answers(lost)
        approval = approved(await proposal_of(item, world.cluster))
        for life in lives:
            with contextlib.suppress(Killed):
                await world.run(approval, ticks=life)
        assert (await world.run(approval)).state is EffectState.DONE
        assert len(world.cluster.effects) == 1
        assert item.after(world.cluster)

    asyncio.run(story())
