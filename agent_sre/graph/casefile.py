"""Builds the analyzers' case file from what a run has stored.

Analyzing and ranking are two steps of one run, and what the first has worked out of a case the second needs again; so
the case is handed on within the process. After a crash between the two it is built anew from the store.
"""

from agent_sre.analysis.casefile import CaseFile
from agent_sre.domain.evidence import Gap
from agent_sre.domain.instant import parse_instant
from agent_sre.domain.reference import Window
from agent_sre.graph.state import Context, State


def hand_on(context: Context, state: State, case: CaseFile) -> None:
    """Keep the case for the run's next step; of several runs at once the last one's is kept."""
    context.handed_on.clear()
    context.handed_on[state["incident_id"], state["run"]] = case


async def load_case(context: Context, state: State) -> CaseFile:
    """The case as of the run's own moment and window, whenever it is loaded; one that was handed on is given once."""
    handed = context.handed_on.pop((state["incident_id"], state["run"]), None)
    if handed is not None:
        return handed
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
