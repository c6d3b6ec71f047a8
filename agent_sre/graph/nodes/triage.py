"""Triage: take the incident up, and fix what this run looks at: the moment, the window, the namespaces."""

from datetime import datetime

from langgraph.runtime import Runtime

from agent_sre.domain.alert import Alert, AlertStatus
from agent_sre.domain.incident import Incident, IncidentStatus
from agent_sre.domain.instant import format_instant
from agent_sre.domain.reference import Window
from agent_sre.domain.timeline import Entry
from agent_sre.graph.lifecycle import load, move
from agent_sre.graph.state import Context, State, Update


async def triage(state: State, runtime: Runtime[Context]) -> Update:
    """Move the incident to investigating; decide the window from the alerts' onset and the configured look-back."""
    context = runtime.context
    incident_id = state["incident_id"]
    incident = await load(context, incident_id)
    if not incident.active:
        return {"skip": True}
    alerts = await context.incidents.alerts(incident_id)
    now = context.options.fixed_now or context.clock.now()
    window = context.options.fixed_window or _window(alerts, incident, now, context)
    namespaces = context.options.fixed_namespaces or _namespaces(alerts, incident)
    text = f"Investigation {incident.run} started over {window.length.total_seconds() / 60:.0f} minutes"
    entry = Entry(incident_id, now, "investigation", text, key=f"triage/{incident.run}")
    await move(context, incident_id, IncidentStatus.INVESTIGATING, [entry])
    return {
        "skip": False,
        "now": format_instant(now),
        "window": [format_instant(window.start), format_instant(window.end)],
        "namespaces": list(namespaces),
    }


def _window(alerts: tuple[Alert, ...], incident: Incident, now: datetime, context: Context) -> Window:
    firing = [alert.starts_at for alert in alerts if alert.status is AlertStatus.FIRING]
    onset = min([*firing, incident.opened_at, now])
    return Window(onset - context.options.lookback, now)


def _namespaces(alerts: tuple[Alert, ...], incident: Incident) -> tuple[str, ...]:
    named = {alert.namespace for alert in alerts} | {incident.namespace}
    return tuple(sorted(name for name in named if name))
