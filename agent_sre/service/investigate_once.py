"""One investigation from alerts to answer, without a service around it: the snapshot command, evaluation, replay.

Runs the same graph as the service; only the ports differ, and nothing can be approved.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from agent_sre.domain.alert import Alert, AlertStatus, Severity
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.incident import Incident, IncidentStatus
from agent_sre.domain.verdict import Verdict
from agent_sre.graph.build import Graph
from agent_sre.graph.run import run_once
from agent_sre.graph.state import Context
from agent_sre.ingest.alertmanager import parse
from agent_sre.ports.store import AlertInbox


def parse_alerts(payload: object, received_at: datetime) -> tuple[Alert, ...]:
    """The alerts of an Alertmanager payload, version 4. Raises PermanentError where it is none."""
    return parse(payload, received_at)


async def investigate_once(
    incident_id: str,
    title: str,
    alerts: Sequence[Alert],
    *,
    inbox: AlertInbox,
    graph: Graph,
    context: Context,
    progress: Callable[[str], None],
) -> tuple[Incident, Verdict]:
    """Open an incident with these alerts, investigate it, and return it with its verdict."""
    await inbox.append(alerts)
    sequences = [sequence for sequence, _ in await inbox.pending(len(alerts) or 1)]
    await context.incidents.fold(_incident(incident_id, title, alerts, context), sequences, ())
    await run_once(graph, context, incident_id, 1, progress)
    incident = await context.incidents.get(incident_id)
    verdict = await context.cases.verdict(incident_id, 1)
    if incident is None or verdict is None:
        raise PermanentError(f"the investigation of {incident_id} ended without an answer; this is a defect")
    return incident, verdict


def _incident(incident_id: str, title: str, alerts: Sequence[Alert], context: Context) -> Incident:
    now = context.options.fixed_now or context.clock.now()
    firing = [alert for alert in alerts if alert.status is AlertStatus.FIRING]
    first = next(iter(firing or alerts), None)
    ranks = list(Severity)
    return Incident(
        id=incident_id,
        title=first.summary if first else title,
        status=IncidentStatus.OPEN,
        severity=min((alert.severity for alert in alerts), key=ranks.index, default=Severity.WARNING),
        namespace=first.namespace if first else "",
        service=first.service if first else "",
        group_key=first.group_key if first else "",
        opened_at=now,
        updated_at=now,
        firing=len(firing),
        alerts=len(alerts),
    )
