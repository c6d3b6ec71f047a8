"""Grafana's unified alerting (contact point "webhook"): Alertmanager's message with Grafana's own fields beside it.

Three things differ. An alert may have no labels. Its numbers come as ``values`` (null where an expression gave none) or
only as the text ``valueString``. And Grafana raises alerts of its own: ``DatasourceNoData`` and ``DatasourceError``
fire where a rule could not be evaluated, and ``grafana_state_reason`` says so where the rule was set to fire, or was
resolved, for want of data. Those are blind spots, not outages, and are marked as such.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from agent_sre.domain.alert import Alert, AlertClass
from agent_sre.ingest.fields import items, mapping, section, text, word
from agent_sre.ingest.prometheus_message import Message
from agent_sre.ingest.told import Reading

SOURCE = "grafana"

_FIX = "send the payload of Grafana's webhook contact point, without a custom payload template"
_NO_DATA_NAMES = frozenset({"DatasourceNoData", "DatasourceError"})
_NO_DATA_REASONS = frozenset({"NoData", "Error", "MissingSeries", "KeepLast"})
_LINKS = {
    "dashboardURL": "dashboard_url",
    "panelURL": "panel_url",
    "silenceURL": "silence_url",
    "imageURL": "image_url",
}


def parse(payload: object, received_at: datetime) -> Reading:
    """The alerts of one decoded payload, in its order; ``received_at`` is UTC. Raises PayloadError."""
    body = mapping(payload, "$", _FIX)
    told = [_with_labels(item) for item in items(body.get("alerts"))]
    message = {**body, "alerts": told} if isinstance(body.get("alerts"), list) else body
    alerts = Message(message, SOURCE, _FIX, received_at).alerts()
    return Reading(tuple(_enriched(alert, item) for alert, item in zip(alerts, told, strict=True)))


def _with_labels(item: Any) -> Any:
    """Labels that are null or missing are none."""
    return {**item, "labels": {}} if isinstance(item, dict) and item.get("labels") is None else item


def _enriched(alert: Alert, item: Mapping[str, Any]) -> Alert:
    """With the values and links that only Grafana sends."""
    extra = {ours: text(item.get(theirs)) for theirs, ours in _LINKS.items()}
    extra["values"] = _values(item)
    annotations = {**{name: said for name, said in extra.items() if said}, **alert.annotations}
    blind = alert.name in _NO_DATA_NAMES or annotations.get("grafana_state_reason") in _NO_DATA_REASONS
    if alert.name in _NO_DATA_NAMES:
        annotations.setdefault("summary", f"{alert.name} of the rule {alert.labels.get('rulename', '(not named)')}")
    return replace(alert, annotations=annotations, alert_class=AlertClass.NO_DATA if blind else AlertClass.CONDITION)


def _values(item: Mapping[str, Any]) -> str:
    values = section(item, "values")
    spoken = ", ".join(f"{name}={word(value) or 'no value'}" for name, value in values.items())
    return text(spoken) or text(item.get("valueString"))
