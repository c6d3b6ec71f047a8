"""Whether an incident is left alone after the messages of a fold: asked only where they can have changed that."""

from collections.abc import Sequence
from datetime import datetime

from agent_sre.domain.incident import Incident
from agent_sre.ingest.hold import review
from agent_sre.ingest.step import Decision, Reason
from agent_sre.ingest.suppressors import Suppressors
from agent_sre.ports.store import IncidentStore


async def held_after(
    incident: Incident,
    before: Incident | None,
    decisions: Sequence[Decision],
    suppressors: Suppressors,
    now: datetime,
    *,
    incidents: IncidentStore,
) -> tuple[Incident, str]:
    """The incident with its hold, and a sentence where that changed; ``before`` is None for one that is new.

    An incident that is not held and of which no message is suppressed stays as it is: what it was already, and whether
    all that fires in it became suppressed meanwhile, is looked at when it is due.
    """
    if incident.hold is None and not any(item.reason is Reason.SUPPRESSED for item in decisions):
        return incident, ""
    words = {alert.fingerprint: alert for alert in await incidents.alerts(incident.id)} if before else {}
    for item in decisions:
        last = words.get(item.alert.fingerprint)
        if last is None or item.alert.overrides(last):
            words[item.alert.fingerprint] = item.alert
    return review(incident, words, suppressors, now, before.status if before else None)
