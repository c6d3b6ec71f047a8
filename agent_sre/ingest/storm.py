"""A storm: so many incidents within minutes that one for each helps nobody, so what is alike is gathered.

Only then do alerts of different namespaces come together on their name alone, and the incident says so. It gathers by
the one thing that most of the storm shares: a node, an alert name or a namespace. Alerts graver than the storm itself
are left out of it: a critical outage of its own must not drown in a thousand warnings.
"""

from agent_sre.domain.footprint import Footprint
from agent_sre.domain.incident import Incident
from agent_sre.domain.placement import Reason
from agent_sre.ingest.candidates import shares
from agent_sre.ingest.step import Match, Step

_ORDER = ("node", "alertname", "namespace")


def storm(step: Step, alert: Footprint) -> Match | None:
    """The storm incident that takes the alert, or that must be opened for it; None while there is no storm."""
    known, windows = step.known, step.known.windows
    keys = storm_keys(alert)
    for key in keys:
        gathering = known.candidates.storm(key)
        if gathering is not None and _takes(gathering, step):
            apart = gathering.footprint.apart(alert.first) if alert.first else None
            if apart is not None and apart <= windows.correlation.total_seconds():
                text = f"{gathering.id}, which gathers a storm by {key}, {apart:.0f} s apart"
                return Match(gathering, Reason.STORM, text, (f"storm by {key}",))
    recent = known.candidates.opened_within(windows.storm, step.now)
    if len(recent) < windows.storm_incidents:
        return None
    alike = [item for item in recent if not item.storm and _takes(item, step)]
    counted = shares(item.footprint for item in alike)
    key = max(keys, key=lambda item: (counted[item], -keys.index(item)), default="")
    if not key or counted[key] < windows.storm_alike:
        return None
    minutes = windows.storm.total_seconds() / 60
    text = f"{len(recent)} incidents were opened within {minutes:.0f} min, {counted[key]} of them with {key}"
    return Match(None, Reason.STORM, text, (f"storm by {key}",), storm=key)


def storm_keys(alert: Footprint) -> list[str]:
    """What the alert, or an incident, could be gathered by, the most telling first."""
    found = list(shares([alert]))
    return sorted(found, key=lambda key: _ORDER.index(key.partition("=")[0]))


def _takes(incident: Incident, step: Step) -> bool:
    return step.alert.severity.rank <= incident.severity.rank
