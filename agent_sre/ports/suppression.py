"""What is asked about suppression: stored windows, silences elsewhere, and the incidents that are left alone."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from agent_sre.domain.incident import Incident
from agent_sre.domain.maintenance import MaintenanceWindow
from agent_sre.domain.suppression import Silence


class MaintenanceStore(Protocol):
    """Maintenance windows, durable."""

    async def save(self, window: MaintenanceWindow) -> None:
        """Insert it, or replace the one with this id. Raises TemporaryError where the store is down."""
        ...

    async def get(self, window_id: str) -> MaintenanceWindow | None:
        """One window."""
        ...

    async def current(self, now: datetime) -> tuple[MaintenanceWindow, ...]:
        """Those that are or will be in force, the oldest first."""
        ...

    async def newest(self, limit: int) -> tuple[MaintenanceWindow, ...]:
        """All, the most recently made first."""
        ...


@dataclass(frozen=True, slots=True)
class Silences:
    """What is silenced; ``gap`` says which part could not be asked, "" where all could."""

    items: tuple[Silence, ...]
    gap: str = ""


class SilenceReader(Protocol):
    """Silences that people made in another system."""

    async def silences(self) -> Silences:
        """Those that are in force or pending. Raises TemporaryError or PermanentError where nobody can tell."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


class HeldIncidents(Protocol):
    """Incidents that are left alone."""

    async def held(self, limit: int) -> tuple[Incident, ...]:
        """Incidents with a hold of any kind, the oldest first."""
        ...
