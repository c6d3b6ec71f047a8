"""How urgent an incident is, P1 to P5, from what its alerts say and how much they reach.

The severity gives the start. An error budget that burns fast raises it, and so does a blast radius: what a source calls
a warning is more than that once five workloads say it. While the incident is active it is only ever raised, so that
the order of work does not follow each alert's coming and going.
"""

from collections.abc import Iterable
from dataclasses import replace

from agent_sre.domain.alert import Alert, AlertClass, AlertStatus, Severity
from agent_sre.domain.footprint import MOST
from agent_sre.domain.incident import Incident
from agent_sre.domain.priority import Priority

_BASE = {Severity.CRITICAL: Priority.P2, Severity.WARNING: Priority.P3, Severity.INFO: Priority.P4}
_HIGHEST = {Severity.CRITICAL: Priority.P1, Severity.WARNING: Priority.P2, Severity.INFO: Priority.P3}
_WIDE = ((10, 3, 2), (3, 2, 1))
"""Workloads or nodes, namespaces, and the steps up for either."""
_SLO = ("slo", "sloth_slo", "slo_name", "objective", "error_budget", "burn_rate", "burnrate")
_PAGES = frozenset({"page", "critical", "fast", "high"})
_BURNS_FAST = 6.0
"""Times the allowed rate: at six a month's error budget is gone in five days."""


def prioritize(incident: Incident, alerts: Iterable[Alert]) -> tuple[Incident, str]:
    """The incident with its priority after these messages, and a sentence where it was raised, else ""."""
    firing = [alert for alert in alerts if alert.status is AlertStatus.FIRING]
    base, why = _BASE[incident.severity], [f"severity {incident.severity}"]
    if firing and incident.firing <= len(firing) and all(item.alert_class is AlertClass.NO_DATA for item in firing):
        base, why = base.raised(-1), [*why, "no data only"]
    steps = 0
    burning = next((said for alert in firing if (said := _budget(alert))), "")
    if burning:
        steps, why = steps + 1, [*why, burning]
    wide, reach = _radius(incident)
    if wide:
        steps, why = steps + wide, [*why, reach]
    # However many warnings there are: what a source calls critical is not overtaken by them.
    priority = max(base.raised(steps), _HIGHEST[incident.severity])
    first = not incident.priority_because
    if not first and priority >= incident.priority:
        return incident, ""
    because = ", ".join(why)
    told = "" if first else f"Priority raised from {incident.priority} to {priority}: {because}"
    return replace(incident, priority=priority, priority_because=because), told


def _radius(incident: Incident) -> tuple[int, str]:
    seen = incident.footprint.joined(incident.reach)
    subjects, namespaces = max(len(seen.workloads), len(seen.nodes)), len(seen.namespaces)
    for most_subjects, most_namespaces, steps in _WIDE:
        if subjects >= most_subjects or namespaces >= most_namespaces:
            counts = (
                (len(seen.workloads), "workloads"),
                (len(seen.nodes), "nodes"),
                (namespaces, "namespaces"),
                (incident.children, "incidents that are part of it"),
            )
            told = [f"{count}{' or more' if count >= MOST else ''} {what}" for count, what in counts if count > 1]
            return steps, "reaches " + ", ".join(told)
    return 0, ""


def _budget(alert: Alert) -> str:
    """What an alert says of an error budget that burns fast, "" where it says nothing of that."""
    labels = {**alert.annotations, **alert.labels}
    named = next((labels[name] for name in _SLO if labels.get(name)), "")
    if not named:
        return ""
    for name in ("burn_rate", "burnrate"):
        if (rate := _number(labels.get(name, ""))) is not None:
            return f"its error budget burns at {rate:g} times the allowed rate" if rate >= _BURNS_FAST else ""
    left = _number(labels.get("error_budget_remaining", ""))
    if left is not None and left <= 0:
        return "its error budget is used up"
    pages = {labels.get("sloth_severity", ""), labels.get("slo_severity", ""), labels.get("severity", "")}
    return "it pages for an error budget" if pages & _PAGES else ""


def _number(text: str) -> float | None:
    try:
        return float(text.strip().rstrip("x%"))
    except ValueError:
        return None
