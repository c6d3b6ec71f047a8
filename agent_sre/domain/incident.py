"""The incident and its lifecycle.

Not to be confused with the investigation graph: this machine is persisted and its states are adjectives or participles;
the graph's nodes are verbs. Every change of state goes through ``Incident.to``, which refuses what TRANSITIONS does
not hold.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from agent_sre.domain.alert import Severity
from agent_sre.domain.errors import PermanentError
from agent_sre.domain.footprint import Footprint
from agent_sre.domain.hold import Acknowledgement, Hold
from agent_sre.domain.priority import Priority


class IncidentStatus(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    INVESTIGATING = "investigating"
    AWAITING_APPROVAL = "awaiting_approval"
    MITIGATING = "mitigating"
    VERIFYING = "verifying"
    RESOLVED = "resolved"
    ESCALATED = "escalated"
    CLOSED = "closed"


_S = IncidentStatus
TRANSITIONS: dict[IncidentStatus, frozenset[IncidentStatus]] = {
    _S.OPEN: frozenset({_S.INVESTIGATING, _S.RESOLVED, _S.ESCALATED, _S.CLOSED}),
    _S.INVESTIGATING: frozenset({_S.AWAITING_APPROVAL, _S.RESOLVED, _S.ESCALATED, _S.CLOSED}),
    _S.AWAITING_APPROVAL: frozenset({_S.INVESTIGATING, _S.MITIGATING, _S.RESOLVED, _S.ESCALATED, _S.CLOSED}),
    _S.MITIGATING: frozenset({_S.VERIFYING, _S.ESCALATED, _S.CLOSED}),
    _S.VERIFYING: frozenset({_S.RESOLVED, _S.ESCALATED, _S.CLOSED}),
    _S.RESOLVED: frozenset({_S.OPEN, _S.CLOSED}),
    _S.ESCALATED: frozenset({_S.INVESTIGATING, _S.RESOLVED, _S.CLOSED}),
    _S.CLOSED: frozenset(),
}
"""From each state, the states that may follow. ``resolved -> open`` is the alert firing again."""

ACTING = frozenset({_S.MITIGATING, _S.VERIFYING})
"""States in which an action is under way: only its own verification ends the incident, and nobody regroups it."""

ACTIVE = frozenset(set(_S) - {_S.RESOLVED, _S.CLOSED})
"""States in which a further alert of the same group joins the incident."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident. ``version`` counts stored changes and guards against lost updates; times are UTC.

    ``due_at`` is when somebody must look at it next (the worker's queue); None means nothing waits to be done.
    ``run`` counts investigations; ``firing`` and ``alerts`` count alerts that fire now and messages ever received.
    ``footprint`` is what its alerts named, ``reach`` what those of its parts did. ``parent_id`` is the incident that
    this one is part of, ``earlier_id`` a resolved one of the same group, ``merged_into`` where its alerts went; each
    "" for none. ``storm`` says what a storm incident gathers by. ``tend_at`` is when its lifecycle must be looked at
    although no message comes.
    """

    id: str
    title: str
    status: IncidentStatus
    severity: Severity
    namespace: str
    service: str
    group_key: str
    opened_at: datetime
    updated_at: datetime
    resolved_at: datetime | None = None
    due_at: datetime | None = None
    version: int = 0
    run: int = 1
    firing: int = 0
    alerts: int = 0
    truncated: int = 0
    priority: Priority = Priority.P3
    priority_because: str = ""
    footprint: Footprint = field(default_factory=Footprint)
    reach: Footprint = field(default_factory=Footprint)
    parent_id: str = ""
    children: int = 0
    earlier_id: str = ""
    merged_into: str = ""
    storm: str = ""
    flapping_since: datetime | None = None
    tend_at: datetime | None = None
    hold: Hold | None = None
    """Why it is left alone, None where it is not."""
    acknowledged: Acknowledgement | None = None
    """Who looks after it. Of an earlier run it says nothing about this one."""

    def to(self, status: IncidentStatus, now: datetime) -> "Incident":
        """The incident in another state. Raises PermanentError where the lifecycle does not allow it."""
        if status == self.status:
            return self
        if status not in TRANSITIONS[self.status]:
            allowed = ", ".join(sorted(TRANSITIONS[self.status])) or "nothing"
            raise PermanentError(f"incident {self.id} is {self.status} and cannot become {status}; allowed: {allowed}")
        resolved_at = now if status is _S.RESOLVED else (None if status is _S.OPEN else self.resolved_at)
        return replace(self, status=status, updated_at=now, resolved_at=resolved_at)

    @property
    def owner(self) -> str:
        """Who looks after it now, "" for nobody."""
        given = self.acknowledged
        return given.by if given is not None and given.run == self.run else ""

    @property
    def active(self) -> bool:
        """Whether work or waiting is still going on."""
        return self.status in ACTIVE
