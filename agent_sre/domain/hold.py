"""Why an incident is left alone for now: nobody is told of it, and it is not investigated; its alerts are counted.

A person mutes it (until it is unmuted) or snoozes it (until a time). Or all its firing alerts are suppressed before
anybody looked at it; then the incident waits until one of them is not any more.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class HoldKind(StrEnum):
    """Who or what holds it."""

    MUTED = "muted"
    SNOOZED = "snoozed"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Who said that they look after it, when (UTC), and in which investigation of the incident."""

    by: str
    at: datetime
    run: int


@dataclass(frozen=True, slots=True)
class Hold:
    """``by`` is the person, or what suppresses; ``until`` (UTC) None means: until somebody or something ends it."""

    kind: HoldKind
    since: datetime
    until: datetime | None
    by: str
    reason: str = ""

    @property
    def personal(self) -> bool:
        """Whether a person set it; then only a person or its time ends it."""
        return self.kind is not HoldKind.SUPPRESSED

    def over(self, now: datetime) -> bool:
        """Whether its time has come."""
        return self.until is not None and self.until <= now
