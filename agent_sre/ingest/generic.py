"""Alerts of any system that can post JSON of our own choosing: ``POST /webhooks/generic``.

One alert is an object with ``name`` and ``status``; several are ``{"alerts": [...]}``. docs/alerts.md has the fields,
and a media type for Zabbix and a command for Nagios that fill them. The words of both are understood (PROBLEM, OK,
RECOVERY, CRITICAL, DOWN, Disaster, Average), and so are macros that were not expanded: those say nothing. A status that
is neither a beginning nor an end (an acknowledgement, the start of a flapping) is ignored by name.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from agent_sre.domain.visible import one_line
from agent_sre.ingest.fields import first, instant, mapping, pairs, text, word
from agent_sre.ingest.payload import PayloadError, shown
from agent_sre.ingest.told import Reading, Told

SOURCE = "generic"
MOST = 1_000
"""Alerts in one request."""

_FIX = 'send {"name": "...", "status": "firing" or "resolved", ...} as in docs/alerts.md'
_FIRING = frozenset({"firing", "problem", "alert", "triggered", "open", "active", "critical", "error", "warning"})
_RESOLVED = frozenset({"resolved", "recovery", "recovered", "ok", "up", "closed", "cleared", "normal", "inactive"})
_DOWN = frozenset({"down", "unreachable"})
_NO_DATA = frozenset({"unknown", "no_data"})
_NO_DATA_NAMES = re.compile(r"\bno[ _-]data\b", re.IGNORECASE)
_SEVERITY = {"average": "warning", "not classified": "info", "down": "critical", "unknown": "warning", "ok": ""}
_MACRO = re.compile(r"\{[A-Z#$][A-Z0-9_.$#:()]*\}|\$[A-Z_][A-Z0-9_]*\$|\*UNKNOWN\*")

_TEXT = {"type": "string"}
_TIME = {"type": ["string", "number"], "description": "RFC 3339, or seconds or milliseconds since 1970"}
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "required": ["name", "status"],
    "properties": {
        "name": {**_TEXT, "description": "what the rule or check is called"},
        "status": {**_TEXT, "description": "firing or resolved, or Zabbix's and Nagios's words for them"},
        "severity": {
            **_TEXT,
            "description": "critical, warning or info, or a word such as P1, high, Disaster, Average",
        },
        "id": {**_TEXT, "description": "shared by the firing and the resolved message; else name and labels are"},
        "sender": {**_TEXT, "description": "which system; ids are its own"},
        "summary": _TEXT,
        "description": _TEXT,
        "started": _TIME,
        "ended": _TIME,
        "service": _TEXT,
        "namespace": _TEXT,
        "host": _TEXT,
        "labels": {"type": "object", "additionalProperties": _TEXT},
        "tags": {
            "description": "labels as key:value texts, or as objects with tag and value",
            "type": ["array", "string"],
        },
        "group": {**_TEXT, "description": "alerts of one group are one incident"},
        "url": {**_TEXT, "description": "where the alert can be looked at; never fetched"},
        "value": {"type": ["string", "number"]},
        "runbook_url": _TEXT,
    },
}
"""JSON Schema of one alert. Further fields are ignored."""


def parse(payload: object, received_at: datetime) -> Reading:
    """The alerts of one payload, in its order. Raises PayloadError."""
    message = mapping(payload, "$", _FIX)
    listed = message.get("alerts")
    found = [message] if "alerts" not in message else listed
    if not isinstance(found, list):
        raise PayloadError(f"$.alerts is {shown(listed)}, not a list", _FIX)
    if len(found) > MOST:
        raise PayloadError(f"$.alerts holds {len(found)} alerts, the limit is {MOST}", "send fewer at a time")
    told = [alert_of(mapping(item, f"$.alerts[{index}]", _FIX)) for index, item in enumerate(found)]
    alerts = tuple(item.alert(SOURCE, received_at) for item in told if isinstance(item, Told))
    ignored = [item for item in told if isinstance(item, str)]
    return Reading(alerts, "; ".join(ignored[:3]))


def alert_of(item: Mapping[str, Any]) -> Told | str:
    """One alert, or why it is none. Raises PayloadError where it has no name or no status."""
    said = {name: value for name, value in item.items() if not (isinstance(value, str) and _MACRO.fullmatch(value))}
    name, status = one_line(word(said.get("name")), 200), word(said.get("status")).lower().replace(" ", "_")
    if not name or not status:
        raise PayloadError(f"an alert has name {shown(item.get('name'))}, status {shown(item.get('status'))}", _FIX)
    firing = status in _FIRING | _DOWN | _NO_DATA
    if not firing and status not in _RESOLVED:
        return f"the status {one_line(status, 80)} begins and ends no alert"
    labels = pairs(said.get("labels")) | pairs(said.get("tags"))
    places = {key: word(said.get(key)) for key in ("service", "namespace", "host", "sender")}
    identity = _identity(said, name, {**labels, **places})
    return Told(
        identity=identity,
        firing=firing,
        name=name,
        severity=_severity(said, status, labels),
        labels={**{key: value for key, value in places.items() if value}, **labels},
        annotations={
            "summary": first(said.get("summary"), name),
            "description": said.get("description"),
            "value": said.get("value"),
            "runbook_url": said.get("runbook_url"),
        },
        starts_at=instant(said.get("started")),
        ends_at=instant(said.get("ended")),
        group=text(said.get("group")) or identity,
        url=text(said.get("url")),
        no_data=status in _NO_DATA or _NO_DATA_NAMES.search(name) is not None,
    )


def _identity(said: Mapping[str, Any], name: str, labels: Mapping[str, str]) -> str:
    """The sender and its id; without an id, the name and all labels."""
    given = word(said.get("id"))
    told = sorted((key, value) for key, value in labels.items() if value)
    return f"{word(said.get('sender'))}/{given}" if given else repr((name, told))


def _severity(said: Mapping[str, Any], status: str, labels: Mapping[str, str]) -> str:
    """The severity that was sent; else what the status says by itself, for systems that have only one word for both."""
    sent = first(said.get("severity"), labels.get("severity")).lower()
    return _SEVERITY.get(sent, sent) or ("critical" if status in {"critical", "down"} else "warning")
