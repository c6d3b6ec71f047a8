"""Opsgenie's webhook integration: an ``action`` on an ``alert``.

Create begins an alert, Close and Delete end it; every other action (Acknowledge, AddNote, Escalate, an action of the
site's own) says nothing about whether the condition holds and is ignored by name. The alias is Opsgenie's key of
deduplication: at most one open alert has it, so it is the identity. Opsgenie cuts descriptions, also within a
character: what is left of such a one is shown as a cut, and the alert says that its text is not whole.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from agent_sre.domain.visible import one_line
from agent_sre.ingest.fields import first, instant, mapping, pairs, text, word
from agent_sre.ingest.payload import PayloadError, shown
from agent_sre.ingest.told import Reading, Told

SOURCE = "opsgenie"

_FIX = 'send the webhook integration\'s payload with "Add Alert Description" and "Add Alert Details" on'
_FIRING = frozenset({"create"})
_RESOLVED = frozenset({"close", "delete"})
_SEVERITY = {"P1": "critical", "P2": "critical", "P3": "warning", "P4": "info", "P5": "info"}
_REPLACED = "\N{REPLACEMENT CHARACTER}"


def parse(payload: object, received_at: datetime) -> Reading:
    """The alert of one action; none for an action that neither begins nor ends an alert. Raises PayloadError."""
    message = mapping(payload, "$", _FIX)
    action = word(message.get("action"))
    if not action:
        raise PayloadError(f"$.action is {shown(message.get('action'))}, not the name of an action", _FIX)
    if action.lower() not in _FIRING | _RESOLVED:
        return Reading(ignored=f"{one_line(action, 80)} begins and ends no alert")
    alert = mapping(message.get("alert"), "$.alert", _FIX)
    identity = first(alert.get("alias"), alert.get("alertId"))
    if not identity:
        raise PayloadError(f"$.alert.alertId is {shown(alert.get('alertId'))}, not an alert's id", _FIX)
    return Reading((_told(message, alert, action.lower() in _FIRING, identity).alert(SOURCE, received_at),))


def _told(message: Mapping[str, Any], alert: Mapping[str, Any], firing: bool, identity: str) -> Told:
    description, cut = _whole(text(alert.get("description")))
    title, title_cut = _whole(text(alert.get("message")))
    cut_fields = [name for name, is_cut in (("message", title_cut), ("description", cut)) if is_cut]
    priority = word(alert.get("priority")).upper()
    return Told(
        identity=identity,
        firing=firing,
        name=one_line(title, 200),
        severity=_SEVERITY.get(priority, ""),
        labels={
            "priority": priority,
            "entity": word(alert.get("entity")),
            "team": word(alert.get("team")),
            **pairs(alert.get("tags")),
            **pairs(alert.get("details")),
        },
        annotations={
            "summary": title,
            "description": description,
            "truncated": ", ".join(cut_fields),
            "tiny_id": alert.get("tinyId"),
            "alert_id": alert.get("alertId"),
            "note": alert.get("note"),
        },
        starts_at=instant(alert.get("createdAt")),
        ends_at=None if firing else instant(alert.get("updatedAt")),
        group=identity,
        url=text(alert.get("url")),
        external_url=text(message.get("integrationUrl")),
    )


def _whole(told: str) -> tuple[str, bool]:
    """The text, and whether its end was cut off within a character (of which a replacement stands in)."""
    kept = told.rstrip(_REPLACED)
    return (f"{kept}…", True) if len(kept) < len(told) else (told, False)
