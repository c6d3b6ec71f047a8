"""Time that stands still until told otherwise; nothing that uses it ever waits."""

from datetime import UTC, datetime, timedelta


class FrozenClock:
    """A Clock whose ``now`` is set by hand; ``sleep`` advances it at once and notes how long it would have waited."""

    def __init__(self, now: datetime = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)) -> None:
        self._now = now.astimezone(UTC)
        self.sleeps: list[float] = []

    def now(self) -> datetime:
        """The moment it was last set or moved to, UTC."""
        return self._now

    def set(self, now: datetime) -> None:
        """Jump to an instant, backwards too."""
        self._now = now.astimezone(UTC)

    def advance(self, by: timedelta) -> None:
        """Move on (or back, with a negative length)."""
        self._now += by

    async def sleep(self, seconds: float) -> None:
        """Advance by so many seconds without waiting."""
        self.sleeps.append(seconds)
        self._now += timedelta(seconds=seconds)
