"""The same ports in memory, for a process that lives for one investigation.

No durability and no serialisation: values are frozen, so keeping them is keeping a reference. No method waits between
reading and writing, so each is atomic within its event loop. The conformance suite holds this to the behaviour of the
SQL store; the rules themselves (who may decide, what may be recorded, how rows are chained) are the domain's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from agent_sre.adapters.store_memory.intake import MemoryIntake, MemoryPlacements
from agent_sre.adapters.store_memory.tables import Tables
from agent_sre.domain.alert import Alert, Severity
from agent_sre.domain.approval import Approval, ApprovalState, Decision
from agent_sre.domain.audit import AuditRow, chain
from agent_sre.domain.effect import Effect
from agent_sre.domain.errors import PermanentError, TemporaryError
from agent_sre.domain.evidence import Gap, Observation
from agent_sre.domain.finding import Finding
from agent_sre.domain.incident import Incident
from agent_sre.domain.maintenance import MaintenanceWindow
from agent_sre.domain.reference import Window
from agent_sre.domain.telemetry import Change
from agent_sre.domain.timeline import Entry
from agent_sre.domain.verdict import Verdict
from agent_sre.domain.writeback import Writeback
from agent_sre.ports.store import NOTHING_PLACED, Placed, Quarantined

_SEVERITY_RANK = {Severity.CRITICAL: 0, Severity.WARNING: 1, Severity.INFO: 2}


class MemoryInbox:
    """AlertInbox in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._quarantine: list[Quarantined] = []
        self._messages: set[tuple[str, str]] = set()

    async def append(self, alerts: Sequence[Alert]) -> None:
        for alert in alerts:
            message = (alert.source, alert.message_id)
            if alert.message_id and message in self._messages:
                continue
            self._messages.add(message)
            self._tables.sequence += 1
            self._tables.inbox[self._tables.sequence] = alert

    async def pending(self, limit: int) -> tuple[tuple[int, Alert], ...]:
        return tuple(self._tables.inbox.items())[:limit]

    async def quarantine(self, item: Quarantined) -> None:
        self._quarantine.append(item)

    async def quarantined(self, limit: int) -> tuple[Quarantined, ...]:
        return tuple(self._quarantine[::-1][:limit])


class MemoryIncidents:
    """IncidentStore and HeldIncidents in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def fold(
        self,
        incident: Incident,
        sequences: Sequence[int],
        entries: Sequence[Entry],
        placed: Placed = NOTHING_PLACED,
        intents: Sequence[Writeback] = (),
        observations: Sequence[Observation] = (),
    ) -> Incident:
        tables = self._tables
        tables.check_version(incident)
        gone = sorted(set(sequences) - tables.inbox.keys())
        if gone:
            raise TemporaryError(f"inbox alerts {gone[:5]} are not pending any more: read the inbox again and retry")
        stored = replace(incident, version=incident.version + 1)
        tables.incidents[incident.id] = stored
        known = tables.incident_alerts.setdefault(incident.id, {})
        for sequence in sorted(set(sequences)):
            alert = tables.inbox.pop(sequence)
            if alert.fingerprint not in known or alert.overrides(known[alert.fingerprint][1]):
                known[alert.fingerprint] = (sequence, alert)
        for entry in entries:
            tables.append_entry(entry)
        tables.place(placed)
        for word in placed.words:
            known[word.fingerprint] = (known[word.fingerprint][0], word)
        for intent in intents:
            tables.writebacks.setdefault(intent.id, intent)
        tables.keep(incident.id, incident.run, observations)
        return stored

    async def get(self, incident_id: str) -> Incident | None:
        return self._tables.incidents.get(incident_id)

    async def find(self, group_key: str) -> Incident | None:
        return next((item for item in self._by_age() if item.group_key == group_key), None)

    async def due(self, now: datetime, limit: int) -> tuple[Incident, ...]:
        waiting = [(item.due_at, item) for item in self._tables.incidents.values() if item.due_at is not None]
        due = [
            (item.priority, _SEVERITY_RANK[item.severity], due_at, item) for due_at, item in waiting if due_at <= now
        ]
        return tuple(entry[-1] for entry in sorted(due, key=lambda entry: entry[:3])[:limit])

    async def held(self, limit: int) -> tuple[Incident, ...]:
        return tuple(item for item in self._tables.incidents.values() if item.hold is not None)[:limit]

    async def newest(self, limit: int) -> tuple[Incident, ...]:
        return tuple(self._by_age()[:limit])

    async def alerts(self, incident_id: str) -> tuple[Alert, ...]:
        known = self._tables.incident_alerts.get(incident_id, {}).values()
        return tuple(alert for _, alert in sorted(known, key=lambda item: (item[1].starts_at, item[0])))

    def _by_age(self) -> list[Incident]:
        # Stable sort over the reversed insertion order: of two opened at one instant, the later stored comes first.
        return sorted(reversed(self._tables.incidents.values()), key=lambda item: item.opened_at, reverse=True)


class MemoryCases:
    """CaseStore in memory."""

    def __init__(self, tables: Tables | None = None) -> None:
        self._tables = tables or Tables()
        self._findings: dict[tuple[str, int], tuple[tuple[Finding, ...], tuple[Gap, ...]]] = {}
        self._verdicts: dict[tuple[str, int], Verdict] = {}

    async def add_observations(self, incident_id: str, run: int, items: Sequence[Observation]) -> None:
        self._tables.keep(incident_id, run, items)

    async def observations(self, incident_id: str, run: int) -> tuple[Observation, ...]:
        kept = self._tables.observations.get((incident_id, run), {})
        return tuple(kept[name] for name in sorted(kept))

    async def save_findings(self, incident_id: str, run: int, findings: Sequence[Finding], gaps: Sequence[Gap]) -> None:
        self._findings[incident_id, run] = (tuple(findings), tuple(gaps))

    async def findings(self, incident_id: str, run: int) -> tuple[tuple[Finding, ...], tuple[Gap, ...]]:
        return self._findings.get((incident_id, run), ((), ()))

    async def save_verdict(self, incident_id: str, run: int, verdict: Verdict) -> None:
        self._verdicts[incident_id, run] = verdict

    async def verdict(self, incident_id: str, run: int) -> Verdict | None:
        return self._verdicts.get((incident_id, run))


class MemoryApprovals:
    """ApprovalStore in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._approvals: dict[str, Approval] = {}

    async def ask(self, approval: Approval) -> Approval:
        return self._approvals.setdefault(approval.id, approval)

    async def get(self, approval_id: str) -> Approval | None:
        return self._approvals.get(approval_id)

    async def decide(
        self, approval_id: str, approve: bool, by: str, digest: str, now: datetime, reason: str
    ) -> tuple[Approval | None, Decision]:
        before = self._approvals.get(approval_id)
        if before is None:
            return None, Decision.UNKNOWN
        after, decision = before.decide(approve, by, digest, now, reason)
        self._approvals[approval_id] = after
        incident = self._tables.incidents.get(after.incident_id)
        if decision in {Decision.APPROVED, Decision.REJECTED} and incident is not None:
            self._tables.incidents[incident.id] = replace(incident, due_at=now, version=incident.version + 1)
        return after, decision

    async def supersede(self, incident_id: str, now: datetime, reason: str) -> int:
        waiting = [item for item in await self.of_incident(incident_id) if item.state is ApprovalState.WAITING]
        for item in waiting:
            self._approvals[item.id] = replace(item, state=ApprovalState.SUPERSEDED, decided_at=now, reason=reason)
        return len(waiting)

    async def of_incident(self, incident_id: str) -> tuple[Approval, ...]:
        own = (item for item in self._approvals.values() if item.incident_id == incident_id)
        return tuple(sorted(own, key=lambda item: item.asked_at))


class MemoryEffects:
    """EffectLedger in memory."""

    def __init__(self) -> None:
        self._effects: dict[str, Effect] = {}

    async def intend(self, effect: Effect) -> tuple[Effect, bool]:
        for known in self._effects.values():
            if known.approval_id == effect.approval_id:
                return known, False
        if effect.id in self._effects:
            raise PermanentError(f"effect {effect.id} belongs to another approval: give this one an id of its own")
        self._effects[effect.id] = effect
        return effect, True

    async def record(self, effect: Effect) -> None:
        known = self._effects.get(effect.id)
        if known is None:
            raise PermanentError(f"effect {effect.id} was never intended: call intend before the effect")
        self._effects[effect.id] = known.recording(effect)

    async def of_incident(self, incident_id: str) -> tuple[Effect, ...]:
        own = (item for item in self._effects.values() if item.incident_id == incident_id)
        return tuple(sorted(own, key=lambda item: item.intended_at))

    async def since(self, instant: datetime) -> tuple[Effect, ...]:
        late = (item for item in self._effects.values() if item.intended_at >= instant)
        return tuple(sorted(late, key=lambda item: item.intended_at))


class MemoryJournal:
    """Journal in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._audit: list[AuditRow] = []

    async def add(self, entry: Entry) -> None:
        self._tables.append_entry(entry)

    async def timeline(self, incident_id: str) -> tuple[Entry, ...]:
        own = (entry for entry in self._tables.timeline if entry.incident_id == incident_id)
        return tuple(sorted(own, key=lambda entry: entry.time))

    async def audit(self, time: datetime, actor: str, verb: str, subject: str, detail: Mapping[str, str]) -> AuditRow:
        row = chain(self._audit[-1] if self._audit else None, time, actor, verb, subject, dict(detail))
        self._audit.append(row)
        return row

    async def audit_rows(self, after: int, limit: int) -> tuple[AuditRow, ...]:
        return tuple(self._audit[max(after, 0) : max(after, 0) + limit])


class MemoryChanges:
    """ChangeLog and ChangeReader in memory."""

    def __init__(self) -> None:
        self._changes: dict[tuple[str, str, str], Change] = {}

    async def append(self, changes: Sequence[Change]) -> int:
        before = len(self._changes)
        self._changes.update({(item.id, item.kind, item.target): item for item in changes})
        return len(self._changes) - before

    async def changes(self, namespaces: tuple[str, ...], window: Window) -> tuple[Change, ...]:
        inside = [item for item in self._changes.values() if window.contains(item.time)]
        return tuple(sorted(inside, key=lambda item: item.time))


class MemoryMaintenance:
    """MaintenanceStore in memory."""

    def __init__(self) -> None:
        self._windows: dict[str, MaintenanceWindow] = {}

    async def save(self, window: MaintenanceWindow) -> None:
        self._windows[window.id] = window

    async def get(self, window_id: str) -> MaintenanceWindow | None:
        return self._windows.get(window_id)

    async def current(self, now: datetime) -> tuple[MaintenanceWindow, ...]:
        return tuple(window for window in self._windows.values() if not window.over(now))

    async def newest(self, limit: int) -> tuple[MaintenanceWindow, ...]:
        return tuple(self._windows.values())[::-1][:limit]


class MemoryWritebacks:
    """WritebackOutbox in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def due(self, now: datetime, limit: int) -> tuple[Writeback, ...]:
        items = self._tables.writebacks.values()
        return tuple(item for item in items if item.due_at is not None and item.due_at <= now)[:limit]

    async def record(self, item: Writeback) -> None:
        self._tables.writebacks[item.id] = item

    async def of_incident(self, incident_id: str) -> tuple[Writeback, ...]:
        return tuple(item for item in self._tables.writebacks.values() if item.incident_id == incident_id)


class MemoryStore:
    """One attribute per port."""

    def __init__(self) -> None:
        tables = Tables()
        self.inbox = MemoryInbox(tables)
        self.incidents = MemoryIncidents(tables)
        self.intake = MemoryIntake(tables)
        self.placements = MemoryPlacements(tables)
        self.cases = MemoryCases(tables)
        self.changes = MemoryChanges()
        self.approvals = MemoryApprovals(tables)
        self.effects = MemoryEffects()
        self.journal = MemoryJournal(tables)
        self.maintenance = MemoryMaintenance()
        self.writebacks = MemoryWritebacks(tables)

    async def close(self) -> None:
        """Nothing to close."""
