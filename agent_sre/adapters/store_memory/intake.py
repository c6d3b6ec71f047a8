"""IntakeStore and PlacementStore in memory."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

from agent_sre.adapters.store_memory.tables import Tables
from agent_sre.domain.incident import Incident
from agent_sre.domain.placement import BindingKind, Placement
from agent_sre.ports.intake import Regrouping, Word
from agent_sre.ports.store import Placed


class MemoryIntake:
    """IntakeStore in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def bound(self, kind: BindingKind, keys: Collection[str]) -> Mapping[str, str]:
        bindings = self._tables.bindings
        return {key: bindings[kind, key] for key in keys if (kind, key) in bindings}

    async def words(self, fingerprints: Collection[str]) -> Mapping[str, Word]:
        wanted, latest = set(fingerprints), dict[str, tuple[int, Word]]()
        for incident_id, alerts in self._tables.incident_alerts.items():
            for fingerprint in wanted & alerts.keys():
                sequence, alert = alerts[fingerprint]
                if fingerprint not in latest or sequence > latest[fingerprint][0]:
                    placement = self._tables.placements.get((incident_id, fingerprint))
                    latest[fingerprint] = sequence, Word(alert, incident_id, placement)
        return {fingerprint: word for fingerprint, (_, word) in latest.items()}

    async def incidents(self, ids: Collection[str]) -> tuple[Incident, ...]:
        return tuple(self._tables.incidents[name] for name in sorted(set(ids)) if name in self._tables.incidents)

    async def recent(self, since: datetime, limit: int) -> tuple[Incident, ...]:
        latest = sorted(reversed(self._tables.incidents.values()), key=lambda item: item.updated_at, reverse=True)
        active = [item for item in latest if item.active]
        ended = [item for item in latest if not item.active and item.updated_at >= since]
        return (*active[:limit], *ended[:limit])

    async def regroup(self, change: Regrouping) -> None:
        tables, source, target = self._tables, change.source.id, change.target.id
        for incident in (change.source, change.target):
            tables.check_version(incident)
        for incident in (change.source, change.target):
            tables.incidents[incident.id] = replace(incident, version=incident.version + 1)
        theirs = tables.incident_alerts.setdefault(source, {})
        ours = tables.incident_alerts.setdefault(target, {})
        for item in change.placements:
            moved = theirs.pop(item.fingerprint, None)
            tables.placements.pop((source, item.fingerprint), None)
            known = ours.get(item.fingerprint)
            if moved is not None and (known is None or moved[1].overrides(known[1])):
                ours[item.fingerprint] = moved
        if change.takes_bindings:
            tables.bindings |= {key: target for key, bound in tables.bindings.items() if bound == source}
        tables.place(Placed(change.placements, change.bindings))
        for entry in change.entries:
            tables.append_entry(entry)


class MemoryPlacements:
    """PlacementStore in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def of_incident(self, incident_id: str) -> tuple[Placement, ...]:
        own = (item for item in self._tables.placements.values() if item.incident_id == incident_id)
        return tuple(sorted(own, key=lambda item: item.fingerprint))

    async def of_alert(self, name_or_fingerprint: str, limit: int) -> tuple[Placement, ...]:
        found = [
            item for item in self._tables.placements.values() if name_or_fingerprint in (item.fingerprint, item.name)
        ]
        found.sort(key=lambda item: (item.incident_id, item.fingerprint))
        return tuple(sorted(found, key=lambda item: item.latest_at, reverse=True)[:limit])

    async def children(self, incident_id: str) -> tuple[Incident, ...]:
        own = (item for item in self._tables.incidents.values() if item.parent_id == incident_id)
        return tuple(sorted(own, key=lambda item: item.opened_at))

    async def lapsed(self, now: datetime, limit: int) -> tuple[Word, ...]:
        expired = [
            (item.expires_at, item)
            for item in self._tables.placements.values()
            if item.expires_at is not None and item.expires_at <= now
        ]
        expired.sort(key=lambda entry: entry[0])
        held = self._tables.incident_alerts
        return tuple(
            Word(held[item.incident_id][item.fingerprint][1], item.incident_id, item) for _, item in expired[:limit]
        )

    async def untended(self, now: datetime, limit: int) -> tuple[Incident, ...]:
        incidents = self._tables.incidents

        def waits(item: Incident) -> bool:
            whole = incidents.get(item.parent_id)
            orphaned = whole is not None and not whole.active
            return item.active and (orphaned or (item.tend_at is not None and item.tend_at <= now))

        return tuple(item for item in incidents.values() if waits(item))[:limit]
