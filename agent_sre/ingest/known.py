"""What is known while messages pass through the pipeline: read from the store once, brought up to date by each message.

Nothing is read here. ``service.fold_alerts`` fills it for a batch: the last word on each alert of the batch, what is
bound to which incident, the incidents themselves, and, where an alert has no incident yet, those that it could belong
to, with who calls whom and what changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent_sre.domain.alert import Alert
from agent_sre.domain.incident import Incident
from agent_sre.domain.placement import Placement
from agent_sre.domain.telemetry import Change
from agent_sre.ingest.candidates import Candidates
from agent_sre.ingest.suppressors import NOTHING, Suppressors
from agent_sre.ingest.windows import Windows


@dataclass(frozen=True, slots=True)
class Held:
    """The last word on an alert, and the incident that holds it with the placement there."""

    alert: Alert
    incident_id: str
    placement: Placement | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What lies around: ``neighbours`` of a workload by name, called or calling; ``changes`` of the last while."""

    neighbours: Mapping[str, frozenset[str]] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()


@dataclass(slots=True)
class Known:
    """``words`` and ``pins`` by fingerprint, ``groups`` by group key; the latter two give incident ids."""

    incidents: dict[str, Incident] = field(default_factory=dict)
    words: dict[str, Held] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    pins: dict[str, str] = field(default_factory=dict)
    candidates: Candidates = field(default_factory=Candidates)
    surroundings: Surroundings = field(default_factory=Surroundings)
    windows: Windows = field(default_factory=Windows)
    suppressors: Suppressors = NOTHING

    def put(self, incident: Incident) -> None:
        """The incident as it is now."""
        self.incidents[incident.id] = incident
        self.candidates.put(incident)
