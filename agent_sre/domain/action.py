"""A proposed action: exact, typed, bound to one object as it was seen."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from agent_sre.domain.reference import ObjectRef


class Risk(StrEnum):
    """How much can go wrong."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Proposal:
    """What would be done, to exactly which object, and how it would be undone.

    ``patch`` is the exact merge patch, already computed when proposed; ``resource_version`` the target's version that
    the patch was computed against; ``preview`` the human-readable difference; ``verify`` what must hold afterwards.
    """

    id: str
    incident_id: str
    runbook: str
    runbook_digest: str
    action: str
    target: ObjectRef
    parameters: Mapping[str, str | int | bool]
    patch: Mapping[str, object]
    resource_version: str
    risk: Risk
    preview: str
    expected: str
    verify: str
    undo: str
    hypothesis: int
    """The rank of the hypothesis it follows from."""

    @property
    def digest(self) -> str:
        """SHA-256 over what would be done and to which version of what: an approval is for this and nothing else."""
        exact = [
            self.action,
            self.target.kind,
            self.target.namespace,
            self.target.name,
            self.resource_version,
            dict(self.parameters),
            self.patch,
        ]
        text = json.dumps(exact, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()
