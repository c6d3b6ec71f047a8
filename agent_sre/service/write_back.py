"""Tell alert sources what became of their alerts: everything in the outbox that is due, system by system.

Which systems there are, and where, is the site's settings' part; nothing in a payload switches one on or names an
address. A system that said no is not asked again, and the timeline says why; one that does not answer is asked again
for a day. What a source says in turn (its own webhook about our acknowledgement) changes no incident, so nothing goes
round in circles: intents come from a person's word and from a verified action, never from a message.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256

import structlog

from agent_sre.domain.alert import Alert, AlertStatus
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.timeline import Entry
from agent_sre.domain.visible import one_line
from agent_sre.domain.writeback import Writeback
from agent_sre.ports.clock import Clock
from agent_sre.ports.store import IncidentStore, Journal
from agent_sre.ports.writeback import SourceWriter, WritebackOutbox

_BATCH = 50
_FIRST_WAIT = timedelta(seconds=10)
_LONGEST_WAIT = timedelta(minutes=15)
_GIVEN_UP_AFTER = timedelta(days=1)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class WriteBack:
    """The ports it works with; ``writers`` are the systems that the settings switch on."""

    outbox: WritebackOutbox
    incidents: IncidentStore
    journal: Journal
    clock: Clock
    writers: Sequence[SourceWriter] = ()

    async def send_due(self) -> int:
        """Send what is due, each intent once; how many were settled. Raises TemporaryError where the store is down."""
        settled = 0
        for item in await self.outbox.due(self.clock.now(), _BATCH):
            alerts = [
                alert for alert in await self.incidents.alerts(item.incident_id) if alert.status is AlertStatus.FIRING
            ]
            after = await self._send(item, alerts)
            await self.outbox.record(after)
            settled += after.due_at is None
        return settled

    async def close(self) -> None:
        """Close the connections."""
        for writer in self.writers:
            await writer.close()

    async def _send(self, item: Writeback, alerts: Sequence[Alert]) -> Writeback:
        """The intent after one try; each system's outcome is stored before the next is asked."""
        waits: list[float] = []
        for writer in self.writers:
            own = [alert for alert in alerts if writer.covers(alert)]
            if not own or writer.name in item.outcomes:
                continue
            try:
                outcome = await writer.write(item, own)
            except PermanentError as error:
                outcome = f"refused: {one_line(str(error), 300)}"
                await self._note(item, f"{writer.name} did not take our {item.verb}: {one_line(str(error), 300)}")
            except TemporaryError as error:
                if self.clock.now() - item.asked_at < _GIVEN_UP_AFTER:
                    log.warning("a source could not be told", source=writer.name, intent=item.id, why=str(error))
                    waits.append(error.retry_after or 0.0)
                    continue
                outcome = f"given up: {one_line(str(error), 300)}"
                await self._note(item, f"{writer.name} could not be told of our {item.verb}: {outcome}")
            else:
                if outcome:
                    await self._note(item, f"{writer.name}: {outcome}")
            item = item.settled(writer.name, outcome)
            await self.outbox.record(item)
        if not waits:
            return replace(item, due_at=None)
        wait = max(min(_FIRST_WAIT * 2**item.attempts, _LONGEST_WAIT), timedelta(seconds=max(waits)))
        return replace(item, attempts=item.attempts + 1, due_at=self.clock.now() + wait)

    async def _note(self, item: Writeback, text: str) -> None:
        key = f"writeback/{sha256(f'{item.id}/{text}'.encode()).hexdigest()[:16]}"
        await self.journal.add(Entry(item.incident_id, self.clock.now(), "note", text, key=key))
