"""One run of the graph as the service sees it: where it stands, and one call to carry it on.

LangGraph's words (threads, checkpoints, commands, interrupts) end here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.types import Command

from agent_sre.graph.build import Graph
from agent_sre.graph.state import Context, Outcome, State


@dataclass(frozen=True, slots=True)
class Position:
    """Where a run stands. ``waits_for`` holds the approvals' ids while it waits, else None."""

    started: bool
    finished: bool
    waits_for: tuple[str, ...] | None
    interrupt: str = ""


def _config(incident_id: str, run: int) -> RunnableConfig:
    return {"configurable": {"thread_id": f"{incident_id}/{run}"}}


async def position(graph: Graph, incident_id: str, run: int) -> Position:
    """Read the run's checkpoint."""
    state = await graph.aget_state(_config(incident_id, run))
    if not state.values:
        return Position(started=False, finished=False, waits_for=None)
    if state.interrupts:
        waits_for = tuple(state.values.get("approvals", ()))
        return Position(started=True, finished=False, waits_for=waits_for, interrupt=state.interrupts[0].id)
    return Position(started=True, finished=not state.next, waits_for=None)


async def carry_on(
    graph: Graph, context: Context, incident_id: str, run: int, at: Position, outcome: Outcome | None = None
) -> None:
    """Start the run, go on where a crash left it, or resume it with the outcome it waits for."""
    step: Any = None
    if not at.started:
        step = State(incident_id=incident_id, run=run)
    elif outcome is not None:
        step = Command(resume={at.interrupt: outcome})
    # "sync": a step is on disk before the next begins, so a killed process repeats one step at most.
    await graph.ainvoke(step, _config(incident_id, run), context=context, durability="sync")


async def run_once(graph: Graph, context: Context, incident_id: str, run: int, progress: Callable[[str], None]) -> None:
    """Run a graph without a checkpointer from start to end; ``progress`` is told each step that ended."""
    start = State(incident_id=incident_id, run=run)
    async for update in graph.astream(start, _config(incident_id, run), context=context, stream_mode="updates"):
        for step in update:
            progress(step)
