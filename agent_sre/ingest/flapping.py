"""Whether an alert comes and goes so often that each time is no news.

Counted are the distinct moments at which it was over, by its source's clock, so that neither the order in which the
messages come nor their repetition makes a difference. It flaps from ``Windows.flaps`` ends within ``Windows.flap``, and
stops once that window holds at most one: between the two bounds it stays what it was.
"""

from dataclasses import replace
from datetime import datetime

from agent_sre.domain.alert import Alert, AlertStatus
from agent_sre.domain.incident import Incident
from agent_sre.ingest.windows import Windows

KEPT = 12
"""Ends remembered of each alert."""


def ends_after(ends: tuple[datetime, ...], alert: Alert) -> tuple[datetime, ...]:
    """The latest ends, with the one that this message tells of. An end that we filled in ourselves is none."""
    end = alert.speaks_of
    if alert.status is not AlertStatus.RESOLVED or alert.lapsed or end in ends:
        return ends
    if ends and alert.ends_at == alert.received_at and (end - ends[-1]).total_seconds() < 1:
        return ends  # the source gives no times: two messages of one second are one end
    return tuple(sorted((*ends, end))[-KEPT:])


def flapping(incident: Incident, ends: tuple[datetime, ...], moment: datetime, windows: Windows) -> Incident:
    """The incident after a message about ``moment`` of one of its alerts: flapping from now on, or for longer."""
    recent = len(ends) >= windows.flaps and abs(moment - ends[-1]) <= windows.flap
    if incident.flapping_since is None:
        if not recent or ends[-1] - ends[-windows.flaps] > windows.flap:
            return incident
        incident = replace(incident, flapping_since=ends[-1])
    calm = calm_at(ends, windows)
    if calm is None or (incident.tend_at is not None and incident.tend_at >= calm):
        return incident
    return replace(incident, tend_at=calm)


def calm_at(ends: tuple[datetime, ...], windows: Windows) -> datetime | None:
    """When the window holds only the last end; None where there were not two."""
    return ends[-2] + windows.flap if len(ends) > 1 else None
