"""Datadog's webhooks, by the template of docs/alerts.md (or Datadog's own default one).

Datadog fills in variables and leaves those it has no value for as they stand: ``$ALERT_TRANSITION`` in the text means
that the transition is not known, and an alert that is not known to be over is not over. Templates are written by hand,
so keys are read in any case and with or without ``alert_`` (but ``id`` is an event's, which is a new one each time);
every value may be text, and the whole may have been sent as a form. One monitor with several scopes is several alerts
of one group.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from agent_sre.domain.visible import one_line
from agent_sre.ingest.fields import first, instant, mapping, pairs, word
from agent_sre.ingest.payload import PayloadError
from agent_sre.ingest.told import Reading, Told

SOURCE = "datadog"

_FIX = "send the template of docs/alerts.md, which has alert_id, transition, title and scope"
_UNEXPANDED = re.compile(r"\$[A-Z][A-Z0-9_]*(?:\[[^\]]*\])?")
_TITLE_STATE = re.compile(r"^\[([^\]]{1,200})\]\s*")
_FIRING = ("triggered", "re-triggered", "warn", "re-warn", "renotify", "no data", "re-no data")
_TYPES = {"error": "critical", "warning": "warning", "info": "info"}


def parse(payload: object, received_at: datetime) -> Reading:
    """The alert of one event. Raises PayloadError where it does not say what fires."""
    told = _expanded(mapping(payload, "$", _FIX))
    identity = _identity(told)
    if not identity:
        raise PayloadError("$ has neither alert_id nor title that says what fires", _FIX)
    return Reading((_told(told, identity).alert(SOURCE, received_at),))


def _expanded(message: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that have a value, by lower-case names without ``alert_``; a name's first spelling wins.

    What was not expanded is there as None.
    """
    found: dict[str, Any] = {}
    for name, value in message.items():
        plain = name.lower().lstrip("$")
        plain = "monitor" if plain in {"alert_id", "monitor_id"} else plain.removeprefix("alert_")
        unexpanded = isinstance(value, str) and _UNEXPANDED.fullmatch(value.strip())
        if value not in ("", None):
            found.setdefault(plain, None if unexpanded else value)
    return found


def _identity(told: Mapping[str, Any]) -> str:
    """Monitor and scope; where the template has no id, what Datadog aggregates by; else the title without its state."""
    monitor = first(told.get("monitor"), told.get("aggregation"), told.get("aggreg_key"))
    title = _TITLE_STATE.sub("", word(told.get("title")))
    parts = (monitor or title, word(told.get("scope")))
    return "/".join(part.replace("/", "%2F") for part in parts if part)


def _told(told: Mapping[str, Any], identity: str) -> Told:
    state = _state(told)
    title = _TITLE_STATE.sub("", word(told.get("title")))
    date = instant(told.get("date")) or instant(told.get("last_updated"))
    firing = "recovered" not in state
    tags = {**pairs(told.get("scope")), **pairs(told.get("tags"))}
    return Told(
        identity=identity,
        firing=firing,
        name=one_line(title or f"monitor {word(told.get('monitor'))}", 200),
        severity=_severity(told, state),
        labels={"instance": word(told.get("hostname")) or word(told.get("host")), **tags},
        annotations={
            "summary": title,
            "description": first(told.get("text"), told.get("body"), told.get("description")),
            "transition": state if state in _FIRING or not firing else f"unknown ({one_line(state or 'missing', 40)})",
            "query": told.get("query"),
            "metric": told.get("metric"),
        },
        starts_at=date if firing else None,
        ends_at=date,
        group=first(told.get("monitor"), told.get("aggregation"), told.get("aggreg_key"), title),
        url=first(told.get("link"), told.get("url")),
        no_data="no data" in state,
    )


def _state(told: Mapping[str, Any]) -> str:
    """The transition in lower case. A template without one has it in the title; one that was not expanded is none."""
    if "transition" in told:
        return word(told["transition"]).lower()
    found = _TITLE_STATE.match(word(told.get("title")))
    return re.sub(r" on .*", "", found[1].lower()) if found else ""


def _severity(told: Mapping[str, Any], state: str) -> str:
    """From the monitor's priority, else from the transition and the event's type."""
    priority = word(told.get("priority")).upper()
    if re.fullmatch(r"P[1-5]", priority):
        return {"P1": "critical", "P2": "critical", "P3": "warning"}.get(priority, "info")
    if "warn" in state or "no data" in state:
        return "warning"
    return _TYPES.get(word(told.get("type")).lower(), "warning")
