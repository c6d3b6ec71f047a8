"""What the ports in memory share, because some methods change several of them in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from agent_sre.domain.alert import Alert
from agent_sre.domain.errors import TemporaryError
from agent_sre.domain.evidence import Observation
from agent_sre.domain.incident import Incident
from agent_sre.domain.placement import BindingKind, Placement
from agent_sre.domain.timeline import Entry
from agent_sre.domain.writeback import Writeback
from agent_sre.ports.store import Placed


@dataclass(slots=True)
class Tables:
    """One attribute for each table of the SQL schema that more than one port reads or writes."""

    inbox: dict[int, Alert] = field(default_factory=dict)
    sequence: int = 0
    incidents: dict[str, Incident] = field(default_factory=dict)
    incident_alerts: dict[str, dict[str, tuple[int, Alert]]] = field(default_factory=dict)
    timeline: list[Entry] = field(default_factory=list)
    writebacks: dict[str, Writeback] = field(default_factory=dict)
    observations: dict[tuple[str, int], dict[str, Observation]] = field(default_factory=dict)

    def keep(self, incident_id: str, run: int, items: Sequence[Observation]) -> None:
        """Insert or replace observations of a run."""
        self.observations.setdefault((incident_id, run), {}).update({item.id: item for item in items})

    keys: set[tuple[str, str]] = field(default_factory=set)
    placements: dict[tuple[str, str], Placement] = field(default_factory=dict)
    bindings: dict[tuple[BindingKind, str], str] = field(default_factory=dict)

    def append_entry(self, entry: Entry) -> None:
        """Append to the timeline, unless its key is there."""
        if entry.key and (entry.incident_id, entry.key) in self.keys:
            return
        self.keys.add((entry.incident_id, entry.key))
        self.timeline.append(replace(entry, sequence=len(self.timeline) + 1))

    def check_version(self, incident: Incident) -> None:
        """Raises TemporaryError where the incident is not of the version stored."""
        current = self.incidents.get(incident.id)
        if incident.version != (current.version if current else 0):
            raise TemporaryError(
                f"incident {incident.id} was changed since version {incident.version}: read it again and retry"
            )

    def place(self, placed: Placed) -> None:
        """Insert or replace placements and bindings."""
        self.placements.update(((item.incident_id, item.fingerprint), item) for item in placed.placements)
        self.bindings.update(((item.kind, item.key), item.incident_id) for item in placed.bindings)
