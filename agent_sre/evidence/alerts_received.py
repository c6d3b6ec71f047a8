"""The alerts that opened the incident, as received: what a monitoring system judged with data we may not have.

Kept in the form of Prometheus' own list of rules with their alerts, so that one reading serves both, and statements can
cite an alert's labels and words like any other observation. Alerts are claims about symptoms, never about causes.
"""

from collections.abc import Mapping
from typing import Any

from agent_sre.domain.alert import Alert, AlertClass, AlertStatus
from agent_sre.domain.instant import format_instant
from agent_sre.evidence.reading import Reading
from agent_sre.evidence.scope import Collected, Readers, Scope

NAME = "alerts_received"
_MOST = 200


async def collect(scope: Scope, readers: Readers) -> Collected:
    """One observation with every firing alert of the incident, by name; no reader is asked."""
    reading = Reading(NAME, "alerts", scope)
    firing = sorted(
        (alert for alert in scope.alerts if alert.status is AlertStatus.FIRING),
        key=lambda alert: (alert.name, alert.starts_at, alert.fingerprint),
    )
    if firing:
        by_name: dict[str, list[Mapping[str, Any]]] = {}
        for alert in firing[:_MOST]:
            by_name.setdefault(alert.name, []).append(_plain(alert))
        rules = tuple({"name": name, "type": "alerting", "alerts": alerts} for name, alerts in by_name.items())
        beyond = len(firing) - _MOST
        left_out = (f"{beyond} of {len(firing)} alerts beyond the limit of {_MOST}",) if beyond > 0 else ()
        reading.observe("alerts as received", rules=rules, window=None, left_out=left_out)
    return reading.done()


def _plain(alert: Alert) -> Mapping[str, Any]:
    return {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "state": "firing",
        "activeAt": format_instant(alert.starts_at),
        "fingerprint": alert.fingerprint,
        **({"class": alert.alert_class.value} if alert.alert_class is AlertClass.NO_DATA else {}),
    }
