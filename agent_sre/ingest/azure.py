"""Azure Monitor's common alert schema: ``essentials`` for every alert, ``alertContext`` by its kind.

The alert's id is the same when it fires and when it is resolved. The context gives what it is about: a metric's or a
query's dimensions, or, for alerts of managed Prometheus, the rule's own labels and annotations. Alerts of the older
schemas have neither and are refused with the switch to turn.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from agent_sre.domain.visible import one_line
from agent_sre.ingest.fields import first, instant, items, mapping, pairs, section, text, word
from agent_sre.ingest.payload import PayloadError, shown
from agent_sre.ingest.told import Reading, Told

SOURCE = "azure"
SCHEMA = "azureMonitorCommonAlertSchema"

_FIX = "enable the common alert schema in the action group's webhook"
_SEVERITY = {"sev0": "critical", "sev1": "critical", "sev2": "warning", "sev3": "info", "sev4": "info"}
_CONDITIONS = {"fired": True, "resolved": False}


def parse(payload: object, received_at: datetime) -> Reading:
    """The alert of one message. Raises PayloadError."""
    message = mapping(payload, "$", _FIX)
    if message.get("schemaId") != SCHEMA:
        raise PayloadError(f"$.schemaId is {shown(message.get('schemaId'))}, not {SCHEMA}", _FIX)
    data = mapping(message.get("data"), "$.data", _FIX)
    essentials = mapping(data.get("essentials"), "$.data.essentials", _FIX)
    condition = word(essentials.get("monitorCondition")).lower()
    if condition not in _CONDITIONS:
        met = shown(essentials.get("monitorCondition"))
        raise PayloadError(f'$.data.essentials.monitorCondition is {met}, neither "Fired" nor "Resolved"', _FIX)
    return Reading((_told(essentials, data, _CONDITIONS[condition]).alert(SOURCE, received_at),))


def _told(essentials: Mapping[str, Any], data: Mapping[str, Any], firing: bool) -> Told:
    context = section(data, "alertContext")
    targets = [word(item) for item in items(essentials.get("alertTargetIDs"))]
    rule = word(essentials.get("alertRule"))
    identity = first(essentials.get("alertId"), essentials.get("originAlertId"), "/".join([rule, *sorted(targets)]))
    labels, notes = section(context, "labels"), section(context, "annotations")
    return Told(
        identity=identity,
        firing=firing,
        name=one_line(first(labels.get("alertname"), rule), 200),
        severity=_SEVERITY.get(word(essentials.get("severity")).lower(), ""),
        labels={**_target(targets), **_dimensions(context), **labels, "rule": rule},
        annotations={
            **notes,
            "summary": first(notes.get("summary"), essentials.get("description"), rule),
            "description": first(notes.get("description"), essentials.get("description")),
            "query": first(context.get("expression"), _condition(context).get("searchQuery")),
            "targets": ", ".join(targets),
            "service": first(essentials.get("monitoringService"), essentials.get("signalType")),
        },
        starts_at=instant(essentials.get("firedDateTime")),
        ends_at=instant(essentials.get("resolvedDateTime")),
        group="/".join([rule, *sorted(targets)]).lower(),
        url=_link(essentials, context),
    )


def _condition(context: Mapping[str, Any]) -> Mapping[str, Any]:
    found = items(section(context, "condition").get("allOf"))
    return found[0] if found and isinstance(found[0], dict) else {}


def _dimensions(context: Mapping[str, Any]) -> dict[str, object]:
    labels: dict[str, object] = {}
    for item in items(section(context, "condition").get("allOf")):
        if isinstance(item, dict):
            labels |= {"metric": word(item.get("metricName")), **pairs(item.get("dimensions"))}
    return labels


def _target(targets: list[str]) -> dict[str, object]:
    """What the first target's resource id says: subscription, resource group, and the resource by its kind."""
    parts = targets[0].strip("/").split("/") if targets else []
    named = {kind.lower(): name for kind, name in zip(parts[::2], parts[1::2], strict=False)}
    cluster = named.get("managedclusters", "")
    return {
        "subscription": named.get("subscriptions", ""),
        "resource_group": named.get("resourcegroups", ""),
        "cluster": cluster,
        "resource": parts[-1] if parts else "",
    }


def _link(essentials: Mapping[str, Any], context: Mapping[str, Any]) -> str:
    condition = _condition(context)
    return text(
        first(
            essentials.get("investigationLink"),
            condition.get("linkToFilteredSearchResultsUI"),
            condition.get("linkToSearchResultsUI"),
            context.get("generatorURL"),
        )
    )
