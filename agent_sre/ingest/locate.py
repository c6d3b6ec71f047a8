"""The incident that is known for a message: where the alert was put before, or where its group goes.

An alert stays where it is while that incident is active, whichever group it is sent under, so two receivers of one
Alertmanager and a merge by a person both hold. What a person split off is pinned, which outranks its group.
"""

from dataclasses import replace

from agent_sre.domain.incident import Incident
from agent_sre.ingest.step import Step


def locate(step: Step) -> Step:
    """Set the incident found, None where none is known."""
    known, fingerprint = step.known, step.alert.fingerprint
    pinned = known.incidents.get(known.pins.get(fingerprint, ""))
    if pinned is not None:
        return replace(step, found=pinned, pinned=True)
    word = known.words.get(fingerprint)
    own = known.incidents.get(word.incident_id) if word else None
    group = known.incidents.get(known.groups.get(step.group_key, ""))
    if step.fires_anew:
        return replace(step, found=_for_news(own, group))
    return replace(step, found=own or group)


def _for_news(own: Incident | None, group: Incident | None) -> Incident | None:
    """The active one of both; where neither is, the later."""
    for incident in (own, group):
        if incident is not None and incident.active:
            return incident
    if own is None or group is None:
        return own or group
    return max(own, group, key=lambda item: (item.opened_at, item.id))
