"""Put an incident off after its investigation failed, and say so on its timeline.

The worker calls this with the moment it should be due again. Somebody may have changed the incident meanwhile, or
made it due for another reason: then it is read again. The same sentence is noted once a run, however often it comes
true.
"""

from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from agent_sre.domain.errors import TemporaryError
from agent_sre.domain.timeline import Entry
from agent_sre.domain.visible import one_line
from agent_sre.ports.clock import Clock
from agent_sre.ports.store import IncidentStore

_ATTEMPTS = 5
_SENTENCE = 500


async def postpone_incident(
    incident_id: str, until: datetime, sentence: str, *, incidents: IncidentStore, clock: Clock
) -> None:
    """Set ``due_at`` and add the note. Raises TemporaryError where the store is down or the incident keeps changing."""
    text = one_line(sentence, _SENTENCE)
    for attempt in range(_ATTEMPTS):
        incident = await incidents.get(incident_id)
        if incident is None or incident.due_at is None:
            # Somebody finished it meanwhile: nothing is left to be put off.
            return
        key = f"failed/{incident.run}/{sha256(text.encode()).hexdigest()[:12]}"
        entry = Entry(incident_id, clock.now(), "note", text, key=key)
        try:
            await incidents.fold(replace(incident, due_at=until), (), [entry])
            return
        except TemporaryError:
            if attempt == _ATTEMPTS - 1:
                raise
