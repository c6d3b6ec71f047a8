"""Time and identity, injected so that every run can be repeated."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Wall time for records, and waiting."""

    def now(self) -> datetime:
        """The current instant, UTC, timezone-aware."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Ids(Protocol):
    """New identifiers."""

    def new(self, prefix: str) -> str:
        """A fresh id, ``<prefix>-<unique>``, safe in a URL and short enough to say aloud."""
        ...
