"""How nodes move the incident through its lifecycle: read again, change, store, and again on a lost race.

A webhook may resolve the incident while a run is under way. What the world says wins: a node that finds the incident
resolved or closed leaves it so, and the run ends with its report.
"""

from collections.abc import Sequence

from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.incident import TRANSITIONS, Incident, IncidentStatus
from agent_sre.domain.timeline import Entry
from agent_sre.domain.writeback import Verb, Writeback, writeback_of
from agent_sre.graph.state import Context

_ATTEMPTS = 5


async def load(context: Context, incident_id: str) -> Incident:
    """The incident. Raises PermanentError where it is unknown."""
    incident = await context.incidents.get(incident_id)
    if incident is None:
        raise PermanentError(f"incident {incident_id} is not in the database; was the database replaced?")
    return incident


def _told_to_sources(before: Incident, after: Incident) -> list[Writeback]:
    """That we saw it mended, which its sources cannot know before their own condition clears."""
    if before.status is after.status or after.status is not IncidentStatus.RESOLVED:
        return []
    return [writeback_of(after.id, before.version, Verb.RESOLVE, "agent_sre", after.updated_at)]


async def move(context: Context, incident_id: str, status: IncidentStatus, entries: Sequence[Entry] = ()) -> Incident:
    """Bring the incident to ``status`` where its lifecycle allows that, else leave it; entries are kept either way."""
    for attempt in range(_ATTEMPTS):
        incident = await load(context, incident_id)
        allowed = status in TRANSITIONS[incident.status]
        changed = incident.to(status, context.clock.now()) if allowed else incident
        if not allowed and not entries:
            return incident
        try:
            return await context.incidents.fold(changed, (), entries, intents=_told_to_sources(incident, changed))
        except TemporaryError:
            if attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")
