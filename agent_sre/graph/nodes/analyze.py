"""Analyze: stored observations to findings, by pure analyzers in a worker thread."""

import asyncio
import time

from langgraph.runtime import Runtime

from agent_sre.analysis.engine import analyze as run_analyzers
from agent_sre.domain.evidence import Gap
from agent_sre.graph.casefile import hand_on, load_case
from agent_sre.graph.state import Context, State, Update


async def analyze(state: State, runtime: Runtime[Context]) -> Update:
    """Judge what was gathered and store the findings with the gaps."""
    started = time.perf_counter()
    context = runtime.context
    case = await load_case(context, state)
    # A second of arithmetic must not hold up webhooks, which share this event loop.
    findings = await asyncio.to_thread(run_analyzers, case)
    gaps = sorted({Gap(**gap) for gap in state.get("gaps", [])}, key=lambda gap: (gap.source, gap.what))
    await context.cases.save_findings(state["incident_id"], state["run"], findings, gaps)
    hand_on(context, state, case)
    return {"findings": len(findings), "seconds": {"analyze": time.perf_counter() - started}}
