"""Report: bring the incident to where it now stands, and say so in one sentence."""

from langgraph.runtime import Runtime

from agent_sre.domain.effect import Verified
from agent_sre.domain.incident import IncidentStatus
from agent_sre.domain.timeline import Entry
from agent_sre.graph.lifecycle import load, move
from agent_sre.graph.state import Context, State, Update

_WITHOUT_ACTION = {
    "rejected": "Handed to a person: the proposed action was rejected",
    "expired": "Handed to a person: nobody decided in time",
    "superseded": "The proposed action was withdrawn: its ground is gone",
}


async def report(state: State, runtime: Runtime[Context]) -> Update:
    """Resolved where recovery was verified, escalated where a person has to go on; never back from resolved."""
    context = runtime.context
    incident = await load(context, state["incident_id"])
    now = context.options.fixed_now or context.clock.now()
    if state.get("skip") or not incident.active:
        if state.get("outcome") == "superseded":
            text = "No action was run: the alert resolved first"
            await context.journal.add(Entry(incident.id, now, "action", text, key=f"report/{state['run']}"))
        return {}
    status, text = _conclusion(state)
    entry = Entry(incident.id, now, "investigation", text, key=f"report/{state['run']}")
    await move(context, incident.id, status, [entry])
    return {}


def _conclusion(state: State) -> tuple[IncidentStatus, str]:
    if state.get("verified") == Verified.RECOVERED:
        return IncidentStatus.RESOLVED, "Resolved: recovery was verified"
    if state.get("applied"):
        return (
            IncidentStatus.ESCALATED,
            "Handed to a person: the action was carried out, but recovery could not be verified",
        )
    if state.get("effects"):
        return IncidentStatus.ESCALATED, "Handed to a person: the approved action could not be carried out"
    if state.get("outcome") in _WITHOUT_ACTION:
        return IncidentStatus.ESCALATED, _WITHOUT_ACTION[state["outcome"]]
    found = "the cause is named" if state.get("status") == "conclusive" else "no decisive cause was found"
    return IncidentStatus.ESCALATED, f"Handed to a person: {found}, no action is offered"
