"""Telling alert sources what became of their alerts: the outbox of intents, and who can tell one system."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from agent_sre.domain.alert import Alert
from agent_sre.domain.writeback import Writeback


class WritebackOutbox(Protocol):
    """Intents, which ``IncidentStore.fold`` puts here together with the change they belong to."""

    async def due(self, now: datetime, limit: int) -> tuple[Writeback, ...]:
        """Those with ``due_at`` <= now, the oldest first."""
        ...

    async def record(self, item: Writeback) -> None:
        """Store what came of it so far."""
        ...

    async def of_incident(self, incident_id: str) -> tuple[Writeback, ...]:
        """All of an incident, oldest first."""
        ...


class SourceWriter(Protocol):
    """One system that alerts come from and that can be told something. Its address is the site's, never a payload's."""

    name: str

    def covers(self, alert: Alert) -> bool:
        """Whether the alert came from this system."""
        ...

    async def write(self, item: Writeback, alerts: Sequence[Alert]) -> str:
        """Tell it, about these firing alerts; "" where it has nothing of that kind, else what was done.

        May be called again for the same intent. Raises TemporaryError (try again) or PermanentError (it said no).
        """
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
