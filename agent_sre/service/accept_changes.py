"""Changes in: what deploy systems and flag services report, redacted and committed before the sender is told.

A diff may hold a password, and it is stored before any investigation asks for it, so redaction is here at the door and
not only in evidence's.
"""

from datetime import datetime

from agent_sre.evidence.redaction import Redaction
from agent_sre.ingest import changes
from agent_sre.ingest.decode import MAX_BYTES
from agent_sre.ports.clock import Clock
from agent_sre.ports.store import AlertInbox, ChangeLog
from agent_sre.service.accept_payload import Accepted, Delivery, accept_payload


async def accept_changes(
    delivery: Delivery,
    *,
    log: ChangeLog,
    inbox: AlertInbox,
    clock: Clock,
    redaction: Redaction,
    max_bytes: int = MAX_BYTES,
) -> Accepted:
    """Commit the payload's changes; when this returns they are durable. Raises as ``accept_payload`` does.

    ``inbox`` is where what cannot be read goes into quarantine; ``redaction`` is how secrets are replaced.
    """

    redactor = redaction.redactor()

    async def take(payload: object, received_at: datetime) -> Accepted:
        found = [redactor.change(item) for item in changes.parse(payload, received_at)]
        await log.append(found)
        return Accepted(len(found))

    return await accept_payload(delivery, take, inbox=inbox, clock=clock, redactor=redactor, max_bytes=max_bytes)
