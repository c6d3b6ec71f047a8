"""The answer as the JSON document of snapshot.md, from what is stored."""

from typing import Any

from agent_sre.domain.incident import Incident
from agent_sre.domain.verdict import Verdict
from agent_sre.ports.store import ApprovalStore, Journal
from agent_sre.report.answer import answer


async def answer_document(
    incident: Incident, verdict: Verdict, approvals: ApprovalStore, journal: Journal
) -> dict[str, Any]:
    """Incident, verdict, proposals and timeline as one document."""
    proposals = [item.proposal for item in await approvals.of_incident(incident.id)]
    return answer(incident.id, verdict, proposals, await journal.timeline(incident.id))
