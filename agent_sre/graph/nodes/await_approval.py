"""Await approval: the run stops here, for hours if need be, in the checkpoint and not in memory.

The node runs again from its top when it is resumed, so it has no side effect. What it is resumed with is only a word;
whether something was approved is read from the approval's row.
"""

from langgraph.types import interrupt

from agent_sre.graph.state import State, Update


async def await_approval(state: State) -> Update:
    """Interrupt until ``advance_incident`` resumes with approved, rejected, expired or superseded."""
    outcome = interrupt({"approvals": state["approvals"]})
    return {"outcome": str(outcome)}
