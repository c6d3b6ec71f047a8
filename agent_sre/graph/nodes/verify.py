"""Verify: did the world get better? The alert's own condition and the rollout are asked, not the patch's success."""

from dataclasses import replace

from langgraph.runtime import Runtime

from agent_sre.actions.verification import verify as look
from agent_sre.domain.approval import Approval
from agent_sre.domain.effect import Verified
from agent_sre.domain.incident import IncidentStatus
from agent_sre.domain.timeline import Entry
from agent_sre.graph.lifecycle import move
from agent_sre.graph.state import Context, State, Update


async def verify(state: State, runtime: Runtime[Context]) -> Update:
    """Poll until recovered or until the time for it is over; record the answer with the effect."""
    context = runtime.context
    incident_id = state["incident_id"]
    await move(context, incident_id, IncidentStatus.VERIFYING)
    alerts = await context.incidents.alerts(incident_id)
    verified, sentence = Verified.UNKNOWN, "nothing was applied"
    approvals: dict[str, Approval] = {item.id: item for item in await context.approvals.of_incident(incident_id)}
    for effect in await context.effects.of_incident(incident_id):
        if effect.id not in state["effects"] or effect.state != "done":
            continue
        verified, sentence = await look(
            approvals[effect.approval_id].proposal,
            alerts,
            reader=context.readers.cluster,
            metrics=context.readers.metrics,
            clock=context.clock,
            timeout=context.options.verify_timeout,
            poll=context.options.verify_poll,
        )
        await context.effects.record(replace(effect, verified=verified, verification=sentence))
        entry = Entry(incident_id, context.clock.now(), "verification", sentence, key=f"verify/{effect.id}")
        await context.journal.add(entry)
    return {"verified": str(verified), "verification": sentence}
