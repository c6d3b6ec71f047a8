"""PagerDuty's V3 webhooks: one event about one incident per message.

Only some events say that something begins or is over; the others (acknowledged, escalated, annotated, and whatever
PagerDuty adds next year) are accepted and ignored by name. An incident keeps its id until it is resolved, and a
reopened one begins anew at the moment of the event. PagerDuty repeats a message under the same event id.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from agent_sre.domain.visible import one_line
from agent_sre.ingest.fields import first, instant, mapping, section, text, word
from agent_sre.ingest.payload import PayloadError, shown
from agent_sre.ingest.told import Reading, Told

SOURCE = "pagerduty"

_FIX = "send V3 webhooks (Integrations, Generic Webhooks (v3)) with incident events"
_FIRING = frozenset({"incident.triggered", "incident.reopened"})
_RESOLVED = frozenset({"incident.resolved"})
_URGENCY = {"high": "critical", "low": "warning"}


def parse(payload: object, received_at: datetime) -> Reading:
    """The alert of one event; none for an event that neither begins nor ends an incident. Raises PayloadError."""
    event = mapping(mapping(payload, "$", _FIX).get("event"), "$.event", _FIX)
    kind = word(event.get("event_type"))
    if not kind:
        raise PayloadError(f"$.event.event_type is {shown(event.get('event_type'))}, not the name of an event", _FIX)
    if kind not in _FIRING | _RESOLVED:
        return Reading(ignored=f"{one_line(kind, 80)} begins and ends no incident")
    incident = mapping(event.get("data"), "$.event.data", _FIX)
    identity = word(incident.get("id"))
    if not identity:
        raise PayloadError(f"$.event.data.id is {shown(incident.get('id'))}, not an incident's id", _FIX)
    return Reading((_told(event, incident, kind, identity).alert(SOURCE, received_at),))


def _told(event: Mapping[str, Any], incident: Mapping[str, Any], kind: str, identity: str) -> Told:
    happened = instant(event.get("occurred_at"))
    reopened = kind == "incident.reopened"
    service, priority = section(incident, "service"), section(incident, "priority")
    title = first(incident.get("title"), incident.get("summary"))
    return Told(
        identity=identity,
        firing=kind in _FIRING,
        name=one_line(title, 200),
        severity=first(priority.get("summary"), _URGENCY.get(word(incident.get("urgency")).lower(), "")),
        labels={
            "service": word(service.get("summary")),
            "priority": word(priority.get("summary")),
            "urgency": word(incident.get("urgency")),
            "escalation_policy": word(section(incident, "escalation_policy").get("summary")),
        },
        annotations={
            "summary": title,
            "description": section(incident, "body").get("details"),
            "incident_number": incident.get("number"),
            "incident_key": incident.get("incident_key"),
            "conference_url": section(incident, "conference_bridge").get("conference_url"),
        },
        starts_at=happened if reopened else instant(incident.get("created_at")) or happened,
        ends_at=instant(incident.get("resolved_at")) or happened,
        group=identity,
        url=text(incident.get("html_url")),
        message_id=word(event.get("id")),
    )
