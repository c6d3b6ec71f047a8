"""Close the approvals of an incident whose ground is gone: nobody must be left with a button that does harm."""

from datetime import datetime

from agent_sre.domain.incident import Incident
from agent_sre.domain.timeline import Entry
from agent_sre.ports.store import ApprovalStore, Journal


async def end_approvals(
    incident: Incident, reason: str, approvals: ApprovalStore, journal: Journal, now: datetime
) -> list[Entry]:
    """Supersede those that wait, audited; returns what is to be told on the timeline.

    Call it before the incident is stored: after a crash in between it is done again, and does nothing then.
    """
    closed = await approvals.supersede(incident.id, now, reason)
    if not closed:
        return []
    detail = {"reason": reason, "approvals": str(closed)}
    await journal.audit(now, "agent_sre", "approvals superseded", incident.id, detail)
    text = f"{closed} waiting approval{'s' if closed > 1 else ''} superseded: {reason}"
    return [Entry(incident.id, now, "approval", text, key=f"superseded/{incident.run}/{reason}")]
