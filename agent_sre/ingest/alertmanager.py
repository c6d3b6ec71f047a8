"""Alertmanager's webhook payload, version "4", as domain alerts. Called by the service, and for snapshots."""

from datetime import datetime

from agent_sre.domain.alert import Alert
from agent_sre.ingest.fields import mapping
from agent_sre.ingest.payload import PayloadError, shown
from agent_sre.ingest.prometheus_message import Message

SOURCE = "alertmanager"
VERSION = "4"

_FIX = 'send the payload of an Alertmanager webhook, version "4"'


def parse(payload: object, received_at: datetime) -> tuple[Alert, ...]:
    """The alerts of one decoded payload, in its order; ``received_at`` is UTC. Raises PayloadError."""
    message = mapping(payload, "$", _FIX)
    version = message.get("version", VERSION)
    if str(version) != VERSION:
        raise PayloadError(f'$.version is {shown(version)}, not "{VERSION}"', _FIX)
    return Message(message, SOURCE, _FIX, received_at).alerts()
