"""Where the graph goes next: every branch is one function here, typed by the nodes it may name."""

from typing import Literal

from langgraph.types import Send

from agent_sre.evidence.catalogue import COLLECTORS
from agent_sre.graph.state import GatherTask, State


def after_triage(state: State) -> list[Send] | Literal["report"]:
    """Fan out over all collectors, or straight to the report where the incident is over already."""
    if state.get("skip"):
        return "report"
    return [
        Send(
            "gather",
            GatherTask(
                incident_id=state["incident_id"],
                run=state["run"],
                now=state["now"],
                window=state["window"],
                namespaces=state["namespaces"],
                collector=collector.name,
            ),
        )
        for collector in COLLECTORS
    ]


def after_propose(state: State) -> Literal["await_approval", "report"]:
    """Wait where something may be approved."""
    return "await_approval" if state.get("approvals") else "report"


def after_approval(state: State) -> Literal["execute", "report"]:
    """Act only on an approval."""
    return "execute" if state.get("outcome") == "approved" else "report"


def after_execute(state: State) -> Literal["verify", "report"]:
    """Verify what was applied."""
    return "verify" if state.get("applied") else "report"
