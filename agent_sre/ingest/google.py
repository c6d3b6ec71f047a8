"""Google Cloud Monitoring's webhook: one ``incident``, JSON version 1.2.

The incident's id is the same when it opens and when it closes. What it is about is in the labels of its resource and
metric, and in those that the policy's authors gave it. A condition for a metric's absence (``conditionAbsent``) is a
blind spot, not an outage.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from agent_sre.domain.visible import one_line
from agent_sre.ingest.fields import first, instant, mapping, section, text, word
from agent_sre.ingest.payload import PayloadError, shown
from agent_sre.ingest.told import Reading, Told

SOURCE = "google"

_FIX = "send the webhook channel's payload, which has an incident with incident_id and state"
_STATES = {"open": True, "closed": False}


def parse(payload: object, received_at: datetime) -> Reading:
    """The alert of one incident; none for a state that neither begins nor ends it. Raises PayloadError."""
    incident = mapping(mapping(payload, "$", _FIX).get("incident"), "$.incident", _FIX)
    state = word(incident.get("state")).lower()
    if not state:
        raise PayloadError(f"$.incident.state is {shown(incident.get('state'))}, not a state", _FIX)
    if state not in _STATES:
        return Reading(ignored=f"the state {one_line(state, 80)} begins and ends no incident")
    condition = first(incident.get("condition_name"), section(incident, "condition").get("displayName"))
    policy = word(incident.get("policy_name"))
    identity = first(incident.get("incident_id"), section(incident, "condition").get("name"), f"{policy}/{condition}")
    if identity == "/":
        raise PayloadError(f"$.incident.incident_id is {shown(incident.get('incident_id'))}, not an id", _FIX)
    return Reading((_told(incident, identity, policy, condition).alert(SOURCE, received_at),))


def _told(incident: Mapping[str, Any], identity: str, policy: str, condition: str) -> Told:
    firing = _STATES[word(incident["state"]).lower()]
    theirs = section(incident, "policy_user_labels")
    metric, resource = section(incident, "metric"), section(incident, "resource")
    system = section(incident, "metadata", "system_labels")
    return Told(
        identity=identity,
        firing=firing,
        name=one_line(first(policy, condition), 200),
        severity=first(theirs.get("severity"), incident.get("severity")),
        labels={
            **theirs,
            **section(incident, "metadata", "user_labels"),
            **section(metric, "labels"),
            **section(resource, "labels"),
            "top_level_controller_name": word(system.get("top_level_controller_name")),
            "resource_type": word(resource.get("type")),
            "metric": word(metric.get("type")),
            "project": word(incident.get("scoping_project_id")),
        },
        annotations={
            "summary": first(incident.get("summary"), condition, policy),
            "description": section(incident, "documentation").get("content"),
            "condition": condition,
            "threshold": incident.get("threshold_value"),
            "value": incident.get("observed_value"),
        },
        starts_at=instant(incident.get("started_at")),
        ends_at=instant(incident.get("ended_at")),
        group=first(section(incident, "condition").get("name"), f"{policy}/{condition}"),
        url=text(incident.get("url")),
        no_data="conditionAbsent" in section(incident, "condition"),
    )
