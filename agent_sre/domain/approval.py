"""The approval: a row of its own, never checkpoint content; the console and chats are views of it."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from agent_sre.domain.action import Proposal


class ApprovalState(StrEnum):
    """Where an approval stands; all but ``waiting`` are final. ``suggested`` is shown but can't be decided here."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    SUGGESTED = "suggested"


class Decision(StrEnum):
    """What came of somebody's attempt to decide. Only the first two changed anything."""

    APPROVED = "approved"
    REJECTED = "rejected"
    ALREADY_DECIDED = "already_decided"
    EXPIRED = "expired"
    DIGEST_MISMATCH = "digest_mismatch"
    SUGGEST_ONLY = "suggest_only"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Approval:
    """Whether one exact proposal may be carried out. Times UTC; ``decided_by`` is the person's stable id."""

    id: str
    incident_id: str
    proposal: Proposal
    digest: str
    state: ApprovalState
    asked_at: datetime
    expires_at: datetime
    decided_by: str = ""
    decided_at: datetime | None = None
    reason: str = ""

    def decide(
        self, approve: bool, by: str, digest: str, now: datetime, reason: str = ""
    ) -> tuple["Approval", Decision]:
        """The approval after an attempt, and what came of it. A pure function: the store makes it atomic."""
        if self.state is ApprovalState.SUGGESTED:
            return self, Decision.SUGGEST_ONLY
        if self.state is not ApprovalState.WAITING:
            return self, Decision.ALREADY_DECIDED
        if now >= self.expires_at:
            return replace(self, state=ApprovalState.EXPIRED, decided_at=now), Decision.EXPIRED
        if digest != self.digest:
            return self, Decision.DIGEST_MISMATCH
        state = ApprovalState.APPROVED if approve else ApprovalState.REJECTED
        decision = Decision.APPROVED if approve else Decision.REJECTED
        return replace(self, state=state, decided_by=by, decided_at=now, reason=reason), decision
