"""Builds the analyzers' case file from what a run has stored."""

from agent_sre.analysis.casefile import CaseFile
from agent_sre.domain.evidence import Gap
from agent_sre.domain.instant import parse_instant
from agent_sre.domain.reference import Window
from agent_sre.graph.state import Context, State


async def load_case(context: Context, state: State) -> CaseFile:
    """The case as of the run's own moment and window, whenever it is loaded."""
    start, end = state["window"]
    return CaseFile(
        now=parse_instant(state["now"]),
        window=Window(parse_instant(start), parse_instant(end)),
        namespaces=state["namespaces"],
        alerts=await context.incidents.alerts(state["incident_id"]),
        observations=await context.cases.observations(state["incident_id"], state["run"]),
        gaps=[Gap(**gap) for gap in state.get("gaps", [])],
        signals=context.signals,
    )
