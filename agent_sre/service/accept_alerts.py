"""Alerts in: committed to the inbox before their sender is told. What becomes of them is ``service.fold_alerts``'."""

from collections.abc import Callable, Mapping
from datetime import datetime

from agent_sre.domain.alert import Alert
from agent_sre.evidence.redaction import Redactor
from agent_sre.ingest import alertmanager
from agent_sre.ingest.decode import MAX_BYTES
from agent_sre.ports.clock import Clock
from agent_sre.ports.store import AlertInbox
from agent_sre.service.accept_payload import Accepted, accept_payload

Parser = Callable[[object, datetime], tuple[Alert, ...]]
PARSERS: Mapping[str, Parser] = {
    alertmanager.SOURCE: alertmanager.parse,
}
"""By source. An alert source is one file in ``ingest`` and one line here."""


async def accept_alerts(
    source: str,
    body: bytes,
    *,
    inbox: AlertInbox,
    clock: Clock,
    redaction_key: bytes = b"",
    max_bytes: int = MAX_BYTES,
) -> Accepted:
    """Commit the payload's alerts; when this returns they are durable. Raises as ``accept_payload`` does.

    An annotation may quote a log line with a password in it: secrets are replaced before anything is stored.
    """
    redactor = Redactor(redaction_key)

    async def take(payload: object, received_at: datetime) -> Accepted:
        alerts = tuple(map(redactor.alert, PARSERS[source](payload, received_at)))
        if alerts:
            await inbox.append(alerts)
        return Accepted(len(alerts), max((alert.truncated for alert in alerts), default=0))

    return await accept_payload(source, body, take, inbox=inbox, clock=clock, redactor=redactor, max_bytes=max_bytes)
