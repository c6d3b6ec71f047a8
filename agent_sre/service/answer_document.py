"""The answer as the JSON document of snapshot.md, from what is stored."""

from typing import Any

from agent_sre.domain.incident import Incident
from agent_sre.domain.verdict import Verdict
from agent_sre.ports.store import ApprovalStore, CaseStore, IncidentStore, Journal
from agent_sre.report.answer import answer
from agent_sre.report.timeline import facts_in_words, merge


async def answer_document(
    incident: Incident,
    verdict: Verdict,
    *,
    incidents: IncidentStore,
    cases: CaseStore,
    approvals: ApprovalStore,
    journal: Journal,
) -> dict[str, Any]:
    """Incident, verdict, proposals and the merged timeline as one document."""
    proposals = [item.proposal for item in await approvals.of_incident(incident.id)]
    run = max(incident.run, 1)
    observations = {item.id: item for item in await cases.observations(incident.id, run)}
    findings, _ = await cases.findings(incident.id, run)
    stored, alerts = await journal.timeline(incident.id), await incidents.alerts(incident.id)
    timeline = merge(incident.id, stored, alerts, verdict, observations, facts_in_words(verdict, findings))
    return answer(incident.id, verdict, proposals, timeline)
