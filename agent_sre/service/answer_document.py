"""The answer as the JSON document of snapshot.md, from what is stored."""

from typing import Any

from agent_sre.domain.incident import Incident
from agent_sre.domain.verdict import Verdict
from agent_sre.ports.store import ApprovalStore, IncidentStore, Journal
from agent_sre.report.answer import answer
from agent_sre.report.timeline import merge


async def answer_document(
    incident: Incident,
    verdict: Verdict,
    *,
    incidents: IncidentStore,
    approvals: ApprovalStore,
    journal: Journal,
) -> dict[str, Any]:
    """Incident, verdict, proposals and the merged timeline as one document."""
    proposals = [item.proposal for item in await approvals.of_incident(incident.id)]
    stored, alerts = await journal.timeline(incident.id), await incidents.alerts(incident.id)
    timeline = merge(incident.id, stored, alerts, verdict)
    return answer(incident.id, verdict, proposals, timeline)
