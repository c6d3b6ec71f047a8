"""A store in memory, a clock and all that folds, tends and regroups over them: for stories of many messages."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from agent_sre.adapters.context_snapshot import SnapshotChanges, SnapshotTopology
from agent_sre.adapters.store_memory import MemoryStore
from agent_sre.adapters.store_sql import SqlStore
from agent_sre.domain.alert import Alert
from agent_sre.domain.incident import Incident
from agent_sre.domain.placement import Placement
from agent_sre.domain.telemetry import Change, Edge
from agent_sre.ingest.windows import Windows
from agent_sre.service.fold_alerts import fold_alerts
from agent_sre.service.regroup_incidents import merge_incidents, split_incident
from agent_sre.service.tend_incidents import tend_incidents
from agent_sre.testing.clock import FrozenClock
from agent_sre.testing.ids import SequentialIds
from tests.unit.alerts import at, fold_ports, regroup_ports, tend_ports


@dataclass
class IntakeWorld:
    """``calls`` are pairs of caller and callee; ``changes`` what was reported to have changed."""

    calls: Sequence[tuple[str, str]] = ()
    changes: Sequence[Change] = ()
    windows: Windows = field(default_factory=Windows)
    store: MemoryStore | SqlStore = field(default_factory=MemoryStore)
    clock: FrozenClock = field(default_factory=lambda: FrozenClock(at(60)))
    ids: SequentialIds = field(default_factory=SequentialIds)

    async def take(self, *alerts: Alert, tend: bool = True) -> None:
        """Fold these messages as one batch, and tend, as the worker does."""
        await self.store.inbox.append(alerts)
        edges = [Edge(caller, callee, "test") for caller, callee in self.calls]
        ports = replace(
            fold_ports(self.store, self.clock, self.ids),
            topology=SnapshotTopology(edges),
            changes=SnapshotChanges(self.changes),
            windows=self.windows,
        )
        assert await fold_alerts(ports) == len(alerts)
        if tend:
            await self.tend()

    async def tend(self) -> int:
        return await tend_incidents(tend_ports(self.store, self.clock))

    async def wait(self, minutes: float) -> None:
        self.clock.advance(timedelta(minutes=minutes))
        await self.tend()

    async def merge(self, source: str, target: str) -> Incident:
        ports = regroup_ports(self.store, self.clock, self.ids)
        return await merge_incidents(source, target, by="mira", reason="one cause", ports=ports)

    async def split(self, source: str, *fingerprints: str) -> Incident:
        ports = regroup_ports(self.store, self.clock, self.ids)
        return await split_incident(source, fingerprints, by="mira", reason="another cause", ports=ports)

    async def incidents(self) -> dict[str, Incident]:
        return {item.id: item for item in await self.store.incidents.newest(1_000)}

    async def incident(self, name: str = "INC-1") -> Incident:
        found = await self.store.incidents.get(name)
        assert found is not None
        return found

    async def held(self, name: str) -> set[str]:
        """Fingerprints of the incident's alerts."""
        return {alert.fingerprint for alert in await self.store.incidents.alerts(name)}

    async def placement(self, alert: Alert) -> Placement:
        """The latest of the alert."""
        return (await self.store.placements.of_alert(alert.fingerprint, 1))[0]

    async def told(self, name: str = "INC-1") -> list[str]:
        return [entry.text for entry in await self.store.journal.timeline(name)]
