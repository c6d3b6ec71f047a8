"""Sentry's integration platform: issue alerts, metric alerts, and the end of an issue.

An issue alert fires and never says that it is over; the issue does, when somebody resolves it, so both have the issue's
id as identity. A metric alert has levels (warning, critical) and resolves itself; its rule is the identity. Which of
them a message is shows in its ``data``; the ``Sentry-Hook-Resource`` header says the same, and what is no alert at all
(installations, comments) is ignored by it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from agent_sre.domain.visible import one_line
from agent_sre.ingest.fields import first, instant, items, mapping, pairs, section, text, word
from agent_sre.ingest.payload import PayloadError, shown
from agent_sre.ingest.told import Reading, Told

SOURCE = "sentry"
RESOURCES = frozenset({"event_alert", "metric_alert", "issue"})
"""Values of Sentry-Hook-Resource that may hold an alert."""

_FIX = "send an internal integration's webhooks for issue alerts, metric alerts and issues"
_LEVELS = {"fatal": "critical", "error": "critical", "warning": "warning", "info": "info", "debug": "info"}
_METRIC_ACTIONS = {"critical": True, "warning": True, "resolved": False}


def parse(payload: object, received_at: datetime) -> Reading:
    """The alert of one message; none for an action that neither begins nor ends one. Raises PayloadError."""
    message = mapping(payload, "$", _FIX)
    data = mapping(message.get("data"), "$.data", _FIX)
    action = word(message.get("action")).lower()
    if "metric_alert" in data:
        told = _metric_alert(action, data)
    elif "event" in data:
        told = _issue_alert(mapping(data["event"], "$.data.event", _FIX), data)
    elif "issue" in data:
        told = _issue_resolved(action, mapping(data["issue"], "$.data.issue", _FIX))
    else:
        raise PayloadError("$.data has neither event, issue nor metric_alert", _FIX)
    if told is None:
        return Reading(ignored=f"{one_line(action, 80) or 'no action'} begins and ends no alert")
    return Reading((told.alert(SOURCE, received_at),))


def _issue_alert(event: Mapping[str, Any], data: Mapping[str, Any]) -> Told:
    issue = _needed(first(event.get("issue_id"), event.get("groupID")), "$.data.event.issue_id")
    rule = first(data.get("triggered_rule"), section(data, "issue_alert").get("title"))
    tags = pairs(event.get("tags"))
    title = first(event.get("title"), section(event, "metadata").get("value"), event.get("message"))
    return Told(
        identity=f"issue/{issue}",
        firing=True,
        name=one_line(rule or title, 200),
        severity=_LEVELS.get(word(event.get("level")).lower(), ""),
        labels={**tags, "project": first(event.get("project_name"), event.get("project")), "rule": rule},
        annotations={
            "summary": title,
            "description": first(event.get("culprit"), event.get("transaction"), event.get("location")),
            "issue_id": issue,
            "platform": event.get("platform"),
        },
        starts_at=instant(event.get("datetime")) or instant(event.get("timestamp")),
        group=f"issue/{issue}",
        url=first(event.get("web_url"), event.get("issue_url"), event.get("url")),
    )


def _issue_resolved(action: str, issue: Mapping[str, Any]) -> Told | None:
    """The end of an issue. Its other actions (created, assigned, archived) are no alert's."""
    if action != "resolved":
        return None
    identity = _needed(word(issue.get("id")), "$.data.issue.id")
    project = section(issue, "project")
    return Told(
        identity=f"issue/{identity}",
        firing=False,
        name=one_line(word(issue.get("title")), 200),
        severity=_LEVELS.get(word(issue.get("level")).lower(), ""),
        labels={"project": first(project.get("slug"), project.get("name")), "service": word(project.get("slug"))},
        annotations={"summary": issue.get("title"), "description": issue.get("culprit"), "issue_id": identity},
        starts_at=instant(issue.get("firstSeen")),
        group=f"issue/{identity}",
        url=first(issue.get("web_url"), issue.get("permalink"), issue.get("url")),
    )


def _metric_alert(action: str, data: Mapping[str, Any]) -> Told | None:
    if action not in _METRIC_ACTIONS:
        return None
    incident = mapping(data["metric_alert"], "$.data.metric_alert", _FIX)
    rule = section(incident, "alert_rule")
    identity = _needed(first(rule.get("id"), incident.get("identifier"), incident.get("id")), "$.data.metric_alert.id")
    name = first(rule.get("name"), incident.get("title"), data.get("description_title"))
    projects = [word(item) for item in items(incident.get("projects")) or items(rule.get("projects"))]
    projects = [item for item in projects if item]
    return Told(
        identity=f"metric/{identity}",
        firing=_METRIC_ACTIONS[action],
        name=one_line(name, 200),
        severity="" if action == "resolved" else action,
        labels={
            "project": ",".join(projects),
            "service": projects[0] if len(projects) == 1 else "",
            "environment": word(rule.get("environment")),
            "rule": word(rule.get("name")),
        },
        annotations={
            "summary": data.get("description_title"),
            "description": data.get("description_text"),
            "query": first(rule.get("aggregate")) + (f" where {word(rule.get('query'))}" if rule.get("query") else ""),
        },
        starts_at=instant(incident.get("date_started")) or instant(incident.get("date_detected")),
        ends_at=instant(incident.get("date_closed")),
        group=f"metric/{identity}",
        url=text(data.get("web_url")),
    )


def _needed(identity: str, path: str) -> str:
    if not identity:
        raise PayloadError(f"{path} is {shown(identity)}, not an id", _FIX)
    return identity
