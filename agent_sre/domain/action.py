"""A proposed action: exact, typed, bound to one object as it was seen."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from agent_sre.domain.reference import ObjectRef


class Risk(StrEnum):
    """How much can go wrong."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Operation(StrEnum):
    """How the cluster is asked for the change."""

    PATCH = "patch"
    CREATE = "create"
    DELETE = "delete"
    EVICT = "evict"


@dataclass(frozen=True, slots=True)
class Reach:
    """How far an action reaches: pods that it adds, replaces or removes; and how many of a workload's pods, of so many
    there should be, may then be missing at once, 0 where none that serves now is taken. For a Node the same in nodes.
    """

    pods: int = 0
    missing: int = 0
    of: int = 0


@dataclass(frozen=True, slots=True)
class Proposal:
    """What would be done, to exactly which object, and how it would be undone.

    ``patch`` is the exact merge patch, already computed when proposed, or the whole object that is created, or nothing;
    ``resource_version`` the target's version that it was computed against; ``preview`` the human-readable difference;
    ``verify`` what must hold afterwards.
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
    operation: Operation = Operation.PATCH
    uid: str = ""
    """The target's uid: another object of the same name is another object."""
    content: str = ""
    """Digest of what the target asks for, where the approval is bound to that; "" where it is bound to the version."""
    before: Mapping[str, object] = field(default_factory=dict)
    """The state before: the merge patch that puts it back, or the whole object where it is deleted."""
    workload: ObjectRef | None = None
    """Whose pods feel it, where that is not the target."""
    labels: tuple[str, ...] = ()
    """``key=value`` of the target and of what owns it."""
    reach: Reach = field(default_factory=Reach)

    @property
    def concerns(self) -> ObjectRef:
        """The workload whose pods feel it, else the target itself."""
        return self.workload or self.target

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
        if self.operation is not Operation.PATCH or self.content:
            exact += [self.operation, self.uid, self.content]
        text = json.dumps(exact, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()
