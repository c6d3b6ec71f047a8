"""Alert messages for tests of the intake: what Alertmanager would say at a moment."""

from datetime import UTC, datetime, timedelta
from typing import Any

from agent_sre.adapters.store_memory import MemoryStore
from agent_sre.adapters.store_sql import SqlStore
from agent_sre.domain.alert import Alert, AlertStatus, fingerprint_of
from agent_sre.domain.instant import format_instant
from agent_sre.ports.clock import Clock, Ids
from agent_sre.service.fold_alerts import FoldPorts
from agent_sre.service.regroup_incidents import RegroupPorts
from agent_sre.service.tend_incidents import TendPorts

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
GROUP = '{}:{alertname="HighLatency"}'


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def message(
    *,
    fires: float,
    ended: float | None = None,
    name: str = "HighLatency",
    received: float = 60,
    group: str = GROUP,
    **labels: str,
) -> Alert:
    """A message about an alert that fires since ``fires`` and maybe was over at ``ended``, in minutes past noon."""
    every = {"alertname": name, "namespace": "shop", "severity": "warning", **labels}
    return Alert(
        fingerprint=fingerprint_of(every),
        status=AlertStatus.FIRING if ended is None else AlertStatus.RESOLVED,
        labels=every,
        annotations={"summary": f"{name} in shop"},
        starts_at=at(fires),
        ends_at=None if ended is None else at(ended),
        received_at=at(received),
        source="alertmanager",
        group_key=group,
    )


def payload(*alerts: Alert, **fields: Any) -> dict[str, Any]:
    """The webhook payload, version "4", that carries these alerts."""
    items = [
        {
            "status": alert.status.value,
            "labels": dict(alert.labels),
            "annotations": dict(alert.annotations),
            "startsAt": format_instant(alert.starts_at),
            "endsAt": format_instant(alert.ends_at) if alert.ends_at else "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus.example/graph",
            "fingerprint": alert.fingerprint,
        }
        for alert in alerts
    ]
    return {
        "version": "4",
        "groupKey": alerts[0].group_key if alerts else GROUP,
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "agent-sre",
        "groupLabels": {"alertname": "HighLatency"},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example",
        "alerts": items,
        **fields,
    }


def fold_ports(store: MemoryStore | SqlStore, clock: Clock, ids: Ids) -> FoldPorts:
    """What folding works with, over one store."""
    return FoldPorts(store.inbox, store.incidents, store.intake, store.approvals, store.journal, clock, ids)


def tend_ports(store: MemoryStore | SqlStore, clock: Clock) -> TendPorts:
    """What tending works with, over one store."""
    return TendPorts(store.incidents, store.placements, store.approvals, store.journal, clock)


def regroup_ports(store: MemoryStore | SqlStore, clock: Clock, ids: Ids) -> RegroupPorts:
    """What merges and splits work with, over one store."""
    return RegroupPorts(store.incidents, store.intake, store.placements, store.approvals, store.journal, clock, ids)
