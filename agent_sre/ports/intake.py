"""What the fold reads and writes about where alerts belong, beside the incidents themselves (``ports.store``).

Read in bulk, a few statements for each batch of alerts: in a storm, one question for each alert would be most of the
work.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from agent_sre.domain.alert import Alert
from agent_sre.domain.incident import Incident
from agent_sre.domain.placement import Binding, BindingKind, Placement
from agent_sre.domain.timeline import Entry


@dataclass(frozen=True, slots=True)
class Word:
    """The last word on an alert in one incident; ``placement`` is None for what was folded before there were any."""

    alert: Alert
    incident_id: str
    placement: Placement | None


@dataclass(frozen=True, slots=True)
class Regrouping:
    """Alerts go from one incident to another, in one transaction.

    Both incidents as they are to be, guarded by their versions; a ``target`` of version 0 is new. ``placements`` are
    those of the alerts that go, as they are to be in the target. ``takes_bindings``: whatever is bound to the source is
    bound to the target from now on; ``bindings`` come on top.
    """

    source: Incident
    target: Incident
    placements: tuple[Placement, ...]
    entries: tuple[Entry, ...]
    bindings: tuple[Binding, ...] = ()
    takes_bindings: bool = False


class IntakeStore(Protocol):
    """Where alerts belong."""

    async def bound(self, kind: BindingKind, keys: Collection[str]) -> Mapping[str, str]:
        """The incident ids that the keys are bound to; a key that is bound to none is missing."""
        ...

    async def words(self, fingerprints: Collection[str]) -> Mapping[str, Word]:
        """The last word on each of the alerts in the incident that took a message of it last."""
        ...

    async def incidents(self, ids: Collection[str]) -> tuple[Incident, ...]:
        """The incidents of these ids, by id; unknown ids are left out."""
        ...

    async def recent(self, since: datetime, limit: int) -> tuple[Incident, ...]:
        """Active incidents, then those over that were changed since a moment (UTC); the latest, so many of each."""
        ...

    async def regroup(self, change: Regrouping) -> None:
        """Carry out a merge or a split. Raises TemporaryError where either incident is not of the version stored."""
        ...


class PlacementStore(Protocol):
    """Why alerts are where they are, and what must be looked at although no message came."""

    async def of_incident(self, incident_id: str) -> tuple[Placement, ...]:
        """The placements of an incident's alerts, by fingerprint."""
        ...

    async def of_alert(self, name_or_fingerprint: str, limit: int) -> tuple[Placement, ...]:
        """Where alerts of this name or fingerprint went, the latest first."""
        ...

    async def children(self, incident_id: str) -> tuple[Incident, ...]:
        """The incidents that are part of this one, oldest first."""
        ...

    async def lapsed(self, now: datetime, limit: int) -> tuple[Word, ...]:
        """Alerts whose placement has expired, the longest first."""
        ...

    async def untended(self, now: datetime, limit: int) -> tuple[Incident, ...]:
        """Active incidents whose ``tend_at`` has come, and those that are part of one that is not active any more."""
        ...
