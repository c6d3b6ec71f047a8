"""Alerts in: committed to the inbox before their sender is told. What becomes of them is ``service.fold_alerts``'."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from agent_sre.domain.alert import Alert
from agent_sre.domain.visible import one_line
from agent_sre.evidence.redaction import Redaction
from agent_sre.ingest.decode import MAX_BYTES, mended
from agent_sre.ports.clock import Clock
from agent_sre.ports.store import AlertInbox
from agent_sre.service.accept_payload import Accepted, Delivery, accept_payload
from agent_sre.service.alert_sources import SOURCES

_NOWHERE: Mapping[str, frozenset[str]] = {}


async def accept_alerts(
    delivery: Delivery,
    *,
    inbox: AlertInbox,
    clock: Clock,
    redaction: Redaction,
    max_bytes: int = MAX_BYTES,
    places: Mapping[str, frozenset[str]] = _NOWHERE,
    begin: Callable[[Sequence[Alert]], None] = lambda alerts: None,
) -> Accepted:
    """Commit the payload's alerts; when this returns they are durable. Raises as ``accept_payload`` does.

    An annotation may quote a log line with a password in it: secrets are replaced before anything is stored. A message
    that is no alert (another event, a subscription's confirmation) is accepted and says in ``ignored`` why.
    ``places`` are, by source, where it must have been said, for sources that say where: channels of Slack. ``begin`` is
    handed the alerts before they are committed, for what may go on beside that; it must return at once.
    """
    source = SOURCES[delivery.source]
    if source.resources and delivery.resource and delivery.resource not in source.resources:
        return Accepted(0, ignored=f"{one_line(delivery.resource, 80)} holds no alert")
    redactor = redaction.redactor()

    async def take(payload: object, received_at: datetime) -> Accepted:
        reading = source.parse(payload, received_at)
        if reading.challenge:
            return Accepted(0, ignored=reading.ignored, challenge=reading.challenge)
        if reading.place and reading.place not in places.get(source.name, ()):
            return Accepted(0, ignored=f"{one_line(reading.place, 80)} is not among the places that count")
        alerts = redaction.alerts(reading.alerts)
        if alerts:
            begin(alerts)
            await inbox.append(alerts)
        left_out = max((alert.truncated for alert in alerts), default=0)
        return Accepted(len(alerts), left_out, redactor.text(reading.ignored), reading.to_do)

    if source.mends:
        delivery = replace(delivery, body=mended(delivery.body))
    return await accept_payload(delivery, take, inbox=inbox, clock=clock, redactor=redactor, max_bytes=max_bytes)
