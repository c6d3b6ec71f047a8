"""Where an incident stands once all messages that arrived together are seen.

Nothing fires any more: the incident is resolved where its lifecycle allows that. While an action is being carried out
or verified it does not: then the investigation is only woken, and its own verification ends the incident.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from agent_sre.domain.alert import Alert, AlertStatus
from agent_sre.domain.incident import Incident, IncidentStatus

_UNDER_VERIFICATION = frozenset({IncidentStatus.MITIGATING, IncidentStatus.VERIFYING})


def settle(incident: Incident, words: Mapping[str, Alert], ended: bool, now: datetime) -> tuple[Incident, str]:
    """The incident after its messages, and a sentence where all is over now, else "".

    ``ended`` says whether one of the messages said, truly, that an alert is over.
    """
    firing = sum(1 for word in words.values() if word.status is AlertStatus.FIRING)
    incident = replace(incident, firing=firing)
    if firing or not ended or not incident.active:
        return incident, ""
    if incident.status in _UNDER_VERIFICATION:
        return replace(incident, due_at=now), f"No alert of {incident.id} fires any more; its verification decides"
    resolved = replace(incident.to(IncidentStatus.RESOLVED, now), due_at=now)
    return resolved, f"Resolved {incident.id}: none of its alerts fires any more"
