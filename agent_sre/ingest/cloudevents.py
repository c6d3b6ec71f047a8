"""Alerts as CloudEvents 1.0: structured, in a batch, or binary (which the entry point makes structured).

The event's ``data`` is an alert in the generic form. What it leaves out the event lends: ``subject`` is the name,
``time`` the beginning or the end, and the last word of ``type`` (``com.example.alert.resolved``) the status. Identity
is the source with the alert's own id, its subject or its name; the event's id only tells one delivery from another.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from agent_sre.ingest import generic
from agent_sre.ingest.fields import first, mapping, word
from agent_sre.ingest.payload import PayloadError, shown
from agent_sre.ingest.told import Reading, Told

SOURCE = "cloudevents"
MOST = 1_000
"""Events in one batch."""

_FIX = "send CloudEvents 1.0 in JSON whose data is an alert as in docs/alerts.md"


def parse(payload: object, received_at: datetime) -> Reading:
    """The alerts of one event or batch, in its order. Raises PayloadError."""
    batch = payload if isinstance(payload, list) else [payload]
    if len(batch) > MOST:
        raise PayloadError(f"$ holds {len(batch)} events, the limit is {MOST}", "send fewer at a time")
    told = [_told(mapping(event, f"$[{index}]", _FIX), f"$[{index}]") for index, event in enumerate(batch)]
    alerts = tuple(item.alert(SOURCE, received_at) for item in told if isinstance(item, Told))
    ignored = [item for item in told if isinstance(item, str)]
    return Reading(alerts, "; ".join(ignored[:3]))


def _told(event: Mapping[str, Any], path: str) -> Told | str:
    if event.get("specversion") != "1.0":
        raise PayloadError(f"{path}.specversion is {shown(event.get('specversion'))}, not 1.0", _FIX)
    source, event_id, kind = (word(event.get(name)) for name in ("source", "id", "type"))
    if not source or not event_id or not kind:
        raise PayloadError(f"{path} lacks one of source, id and type, which every CloudEvent has", _FIX)
    data = mapping(event.get("data", {}), f"{path}.data", _FIX)
    ended = word(data.get("status") or kind.rsplit(".", 1)[-1]).lower() in {"resolved", "closed", "recovered", "ok"}
    lent = {
        "name": first(event.get("subject"), kind),
        "status": kind.rsplit(".", 1)[-1],
        "ended" if ended else "started": event.get("time"),
    }
    item = {**lent, **{name: value for name, value in data.items() if value is not None}}
    told = generic.alert_of({**item, "sender": source, "id": first(data.get("id"), event.get("subject"), item["name"])})
    return replace(told, message_id=f"{source} {event_id}") if isinstance(told, Told) else told
