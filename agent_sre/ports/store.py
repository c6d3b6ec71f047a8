"""Durable state. One SQL schema behind all of these, one conformance suite over memory, SQLite and PostgreSQL.

Every method that writes returns after the commit. A lost or full database raises TemporaryError.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from agent_sre.domain.alert import Alert
from agent_sre.domain.approval import Approval, Decision
from agent_sre.domain.audit import AuditRow
from agent_sre.domain.effect import Effect
from agent_sre.domain.evidence import Gap, Observation
from agent_sre.domain.finding import Finding
from agent_sre.domain.incident import Incident
from agent_sre.domain.placement import Binding, Placement
from agent_sre.domain.telemetry import Change
from agent_sre.domain.timeline import Entry
from agent_sre.domain.verdict import Verdict
from agent_sre.domain.writeback import Writeback


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A payload that could not be read: kept so that nothing is lost. ``body`` is cut to a few kilobytes."""

    source: str
    received_at: datetime
    reason: str
    body: bytes
    size: int


@dataclass(frozen=True, slots=True)
class Placed:
    """What is stored with an incident of where its alerts belong.

    ``words`` are last words that no message brought (``Alert.lapsed``), on alerts that the incident holds already.
    """

    placements: tuple[Placement, ...] = ()
    bindings: tuple[Binding, ...] = ()
    words: tuple[Alert, ...] = ()


NOTHING_PLACED = Placed()


class AlertInbox(Protocol):
    """Where accepted alerts land before anything else happens to them."""

    async def append(self, alerts: Sequence[Alert]) -> None:
        """Commit the alerts durably, in order; the webhook's 2xx waits for this. Concurrent calls share a commit.

        An alert whose ``message_id`` was committed before, from the same source, is not committed again.
        """
        ...

    async def pending(self, limit: int) -> tuple[tuple[int, Alert], ...]:
        """The oldest alerts that no incident has taken yet, with their inbox sequence."""
        ...

    async def quarantine(self, item: Quarantined) -> None:
        """Keep an unreadable payload."""
        ...

    async def quarantined(self, limit: int) -> tuple[Quarantined, ...]:
        """The newest unreadable payloads."""
        ...


class IncidentStore(Protocol):
    """Incidents and the alerts that belong to them."""

    async def fold(
        self,
        incident: Incident,
        sequences: Sequence[int],
        entries: Sequence[Entry],
        placed: Placed = NOTHING_PLACED,
        intents: Sequence[Writeback] = (),
        observations: Sequence[Observation] = (),
    ) -> Incident:
        """In one transaction: insert or update the incident, hand it the inbox alerts, append timeline entries, keep
        what is decided of where its alerts belong, and observations of its current run.

        ``intents`` are what alert sources are to be told of this change.

        Raises TemporaryError (read again and retry) where ``incident.version`` is not the stored one.
        Returns the incident with its new version.
        """
        ...

    async def get(self, incident_id: str) -> Incident | None:
        """One incident."""
        ...

    async def find(self, group_key: str) -> Incident | None:
        """The newest incident with this group key, whatever its state."""
        ...

    async def due(self, now: datetime, limit: int) -> tuple[Incident, ...]:
        """Incidents with ``due_at`` <= now: by priority, then critical first, then the longest overdue."""
        ...

    async def newest(self, limit: int) -> tuple[Incident, ...]:
        """Incidents, the most recently opened first."""
        ...

    async def alerts(self, incident_id: str) -> tuple[Alert, ...]:
        """The last word on each distinct alert (by fingerprint) of the incident, oldest first.

        That is the message which overrides all others (``Alert.overrides``), not the one that arrived last: a firing
        message that was overtaken by its resolve must not hide it. Among equals the one that arrived last.
        """
        ...


class CaseStore(Protocol):
    """What investigations saw and judged, by incident and run."""

    async def add_observations(self, incident_id: str, run: int, items: Sequence[Observation]) -> None:
        """Keep observations; one that is there already (same id) is replaced, so a repeated step does no harm."""
        ...

    async def observations(self, incident_id: str, run: int) -> tuple[Observation, ...]:
        """All observations of a run, sorted by id."""
        ...

    async def save_findings(self, incident_id: str, run: int, findings: Sequence[Finding], gaps: Sequence[Gap]) -> None:
        """Keep (replace) what the analyzers found, and what could not be looked at."""
        ...

    async def findings(self, incident_id: str, run: int) -> tuple[tuple[Finding, ...], tuple[Gap, ...]]:
        """What ``save_findings`` kept; both empty where nothing was."""
        ...

    async def save_verdict(self, incident_id: str, run: int, verdict: Verdict) -> None:
        """Keep (replace) the run's answer."""
        ...

    async def verdict(self, incident_id: str, run: int) -> Verdict | None:
        """The run's answer, evidence included."""
        ...


class ChangeLog(Protocol):
    """Changes that were reported to us. Reading them is ``ports.context.ChangeReader``."""

    async def append(self, changes: Sequence[Change]) -> int:
        """Commit the changes durably; returns how many were not known.

        What has the same id, kind and target is one change, reported again: the last word counts.
        """
        ...


class ApprovalStore(Protocol):
    """Approvals as rows of their own."""

    async def ask(self, approval: Approval) -> Approval:
        """Insert; where one with this id exists already, that one is returned unchanged (a repeated step)."""
        ...

    async def get(self, approval_id: str) -> Approval | None:
        """One approval."""
        ...

    async def decide(
        self, approval_id: str, approve: bool, by: str, digest: str, now: datetime, reason: str
    ) -> tuple[Approval | None, Decision]:
        """Atomically apply ``Approval.decide`` and, where it decided, make the incident due now. First one wins."""
        ...

    async def supersede(self, incident_id: str, now: datetime, reason: str) -> int:
        """Close all waiting approvals of an incident whose ground is gone; returns how many."""
        ...

    async def of_incident(self, incident_id: str) -> tuple[Approval, ...]:
        """All approvals of an incident, oldest first."""
        ...


class EffectLedger(Protocol):
    """Intent committed, effect done, outcome recorded."""

    async def intend(self, effect: Effect) -> tuple[Effect, bool]:
        """Commit the intent. Where the approval has an effect already, that one is returned with False."""
        ...

    async def record(self, effect: Effect) -> None:
        """Store the outcome or the verification of an intended effect. A final outcome is never changed again."""
        ...

    async def of_incident(self, incident_id: str) -> tuple[Effect, ...]:
        """All effects of an incident, oldest first."""
        ...

    async def since(self, instant: datetime) -> tuple[Effect, ...]:
        """All effects that were intended at this instant (UTC) or later, oldest first."""
        ...


class Journal(Protocol):
    """The timeline for people and the hash-chained audit log for auditors."""

    async def add(self, entry: Entry) -> None:
        """Append to an incident's timeline; an entry whose non-empty ``key`` is there already is not stored again."""
        ...

    async def timeline(self, incident_id: str) -> tuple[Entry, ...]:
        """An incident's timeline by time, then sequence."""
        ...

    async def audit(self, time: datetime, actor: str, verb: str, subject: str, detail: Mapping[str, str]) -> AuditRow:
        """Append to the audit log, chained to its last row."""
        ...

    async def audit_rows(self, after: int, limit: int) -> tuple[AuditRow, ...]:
        """Audit rows by sequence, after the given one."""
        ...
