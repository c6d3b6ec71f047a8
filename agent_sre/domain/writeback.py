"""What is to be told to the systems that an incident's alerts came from: committed first, then sent, then recorded.

The intent is stored in one transaction with the change of the incident, so neither is there without the other. It is
sent by calls that may be repeated without another effect, because a process may be killed between a call and its
record.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum


class Verb(StrEnum):
    """What happened to the incident."""

    ACKNOWLEDGE = "acknowledge"
    UNACKNOWLEDGE = "unacknowledge"
    RESOLVE = "resolve"
    SNOOZE = "snooze"
    UNSNOOZE = "unsnooze"


@dataclass(frozen=True, slots=True)
class Writeback:
    """One intent. ``until`` (UTC) is the end of a snooze; ``due_at`` None once nothing is left to be sent.

    ``outcomes`` says by the name of a system what came of it there; what is not in it was not settled yet.
    """

    id: str
    incident_id: str
    verb: Verb
    by: str
    asked_at: datetime
    due_at: datetime | None
    until: datetime | None = None
    attempts: int = 0
    outcomes: Mapping[str, str] = field(default_factory=dict)

    def settled(self, system: str, outcome: str) -> "Writeback":
        """With what came of it in one system."""
        return replace(self, outcomes={**self.outcomes, system: outcome})


def writeback_of(
    incident_id: str, version: int, verb: Verb, by: str, now: datetime, until: datetime | None = None
) -> Writeback:
    """The intent that belongs to one change of an incident: ``version`` is the incident's before it."""
    return Writeback(f"{incident_id}/{version}/{verb}", incident_id, verb, by, now, now, until)
