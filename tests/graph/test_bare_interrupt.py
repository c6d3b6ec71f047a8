"""Why the effect ledger: the same kills on a graph that has nothing but LangGraph's ``interrupt()`` and checkpoints.

A node that asks, acts and takes note is run again from its top when its process dies before the checkpoint, so what it
did is done again. It is the graph that a tutorial would have one write, with the same cluster, clock and kills as the
executor's own matrix.
"""

from typing import Any, TypedDict

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt

from agent_sre.actions.marks import RESTARTED_AT
from agent_sre.domain.effect import EffectState
from agent_sre.domain.instant import format_instant
from tests.unit.actions.executions import Killed, Life, Mortal, World
from tests.unit.actions.rollouts import REF, RESTART, approved, proposal

STEPS = 6
"""Before and after each of: reading the object, patching it, writing the audit row."""


class _State(TypedDict, total=False):
    done: bool


def _bare(world: World, life: Life) -> Any:
    cluster, journal = Mortal(world.cluster, life), Mortal(world.store.journal, life)

    async def act(state: _State) -> _State:
        if interrupt("Restart it?") != "yes":
            return {"done": False}
        found = await cluster.get(REF)
        time = format_instant(world.clock.now())
        patch = {"spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: time}}}}}
        await cluster.patch(REF, patch, resource_version=found["metadata"]["resourceVersion"])
        await journal.audit(world.clock.now(), "bare", "restarted", str(REF), {})
        return {"done": True}

    graph = StateGraph(_State)
    graph.add_node("act", act)
    graph.add_edge(START, "act")
    graph.add_edge("act", END)
    return graph


async def _bare_restarts(ticks: int) -> int:
    """How often the pods were restarted by a bare graph that was killed once, after so many steps."""
    world, saver = World(), InMemorySaver()
    config = {"configurable": {"thread_id": "1"}}
    await _bare(world, Life()).compile(checkpointer=saver).ainvoke({}, config)
    with pytest.raises(Killed):
        await _bare(world, Life(ticks)).compile(checkpointer=saver).ainvoke(Command(resume="yes"), config)
    world.clock.set(world.clock.now().replace(hour=13))
    done = await _bare(world, Life()).compile(checkpointer=saver).ainvoke(Command(resume="yes"), config)
    assert done["done"] is True
    return world.template_changes


async def _restarts(ticks: int) -> int:
    """The same of the executor."""
    world = World()
    approval = approved(await proposal(world.cluster, RESTART))
    with pytest.raises(Killed):
        await world.run(approval, ticks=ticks)
    world.clock.set(world.clock.now().replace(hour=13))
    assert (await world.run(approval)).state is EffectState.DONE
    return world.template_changes


async def test_a_bare_graph_restarts_twice_where_the_executor_restarts_once() -> None:
    assert [await _bare_restarts(ticks) for ticks in range(STEPS)] == [1, 1, 1, 2, 2, 2]
    assert {await _restarts(ticks) for ticks in range(20)} == {1}
