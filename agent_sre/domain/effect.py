"""The effect ledger's rows: intent committed, effect done, outcome recorded.

An intent without an outcome means that the process died in between: UNKNOWN. The world is read back before anything is
tried again (architecture, promise 4).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from agent_sre.domain.errors import PermanentError


class EffectState(StrEnum):
    """``intended`` after a crash reads as unknown; the others are outcomes and final."""

    INTENDED = "intended"
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"


class Verified(StrEnum):
    """Whether the world got better after the effect."""

    RECOVERED = "recovered"
    NOT_RECOVERED = "not_recovered"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Effect:
    """One attempt to carry out one approval; there is at most one effect per approval. Times UTC."""

    id: str
    approval_id: str
    incident_id: str
    state: EffectState
    intended_at: datetime
    finished_at: datetime | None = None
    detail: str = ""
    verified: Verified | None = None
    verification: str = ""
    workload: str = ""
    """Whose pods feel it, as ``ObjectRef`` writes it."""

    def recording(self, later: "Effect") -> "Effect":
        """What is stored once ``later`` is recorded over this. A pure function: the ledger makes it atomic.

        An outcome is final, and so is its verification; recording the same again changes nothing. Raises
        PermanentError for a different outcome, a different verification, or another attempt under this id.
        """
        if (later.id, later.approval_id, later.incident_id, later.intended_at) != (
            self.id,
            self.approval_id,
            self.incident_id,
            self.intended_at,
        ):
            raise PermanentError(
                f"effect {self.id} of approval {self.approval_id} cannot become another attempt: {later}"
            )
        if self.state is EffectState.INTENDED:
            return later
        if (later.state, later.finished_at, later.detail) != (self.state, self.finished_at, self.detail):
            raise PermanentError(f"effect {self.id} is {self.state} and stays so: {later.state} was not recorded")
        if later.verified is None:
            return self
        if self.verified is not None and (later.verified, later.verification) != (self.verified, self.verification):
            raise PermanentError(f"effect {self.id} is verified as {self.verified}: {later.verified} was not recorded")
        return later
