"""Where an incident stands once all messages that arrived together are seen.

Nothing fires any more: the incident is resolved where its lifecycle allows that. While an action is being carried out
or verified it does not: then the investigation is only woken, and its own verification ends the incident. One that
flaps stays open until it is calm, or each coming and going would be an incident's end and its return.
"""

from dataclasses import replace
from datetime import datetime

from agent_sre.domain.incident import ACTING, Incident, IncidentStatus


def settle(incident: Incident, ended: bool, now: datetime, *, lapsed: bool = False) -> tuple[Incident, str]:
    """The incident after its messages, and a sentence where all is over now, else "".

    ``ended`` says whether one of the messages said, truly, that an alert is over; ``lapsed`` that we only stopped
    hearing of the last ones.
    """
    if incident.firing or not ended or not incident.active or incident.flapping_since is not None:
        return incident, ""
    if incident.status in ACTING:
        return replace(incident, due_at=now), f"No alert of {incident.id} fires any more; its verification decides"
    why = "no word came any more about the last of its alerts" if lapsed else "none of its alerts fires any more"
    return resolved(incident, now), f"Resolved {incident.id}: {why}"


def resolved(incident: Incident, now: datetime) -> Incident:
    """The incident resolved; it is due once more where an investigation has to be brought to its end."""
    due = None if incident.parent_id and incident.status is IncidentStatus.OPEN else now
    return replace(incident.to(IncidentStatus.RESOLVED, now), due_at=due)
