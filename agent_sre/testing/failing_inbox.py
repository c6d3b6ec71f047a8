"""A store that is down: every write of the inbox fails until it is told to work again."""

from collections.abc import Sequence

from agent_sre.domain.alert import Alert
from agent_sre.domain.errors import TemporaryError
from agent_sre.ports.store import AlertInbox, Quarantined


class FailingInbox:
    """An AlertInbox in front of another one. While ``down`` is set, it raises TemporaryError and writes nothing."""

    def __init__(self, inbox: AlertInbox, *, retry_after: float | None = None) -> None:
        self._inbox = inbox
        self._retry_after = retry_after
        self.down = True

    async def append(self, alerts: Sequence[Alert]) -> None:
        """Pass on, or fail."""
        self._fail()
        await self._inbox.append(alerts)

    async def pending(self, limit: int) -> tuple[tuple[int, Alert], ...]:
        """Pass on, or fail."""
        self._fail()
        return await self._inbox.pending(limit)

    async def quarantine(self, item: Quarantined) -> None:
        """Pass on, or fail."""
        self._fail()
        await self._inbox.quarantine(item)

    async def quarantined(self, limit: int) -> tuple[Quarantined, ...]:
        """Pass on, or fail."""
        self._fail()
        return await self._inbox.quarantined(limit)

    def _fail(self) -> None:
        if self.down:
            raise TemporaryError("the database is locked by a test; set down = False", retry_after=self._retry_after)
