"""What happened when, merged from all sources, for people."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline.

    ``kind``: alert, change, onset, event, error, investigation, approval, action, verification or note. ``sequence``
    orders entries that share a time and is assigned by the store; ``evidence`` cites where known. ``key``, where not
    empty, is unique within the incident: an entry whose key is stored already is not stored again (a repeated step).
    """

    incident_id: str
    time: datetime
    kind: str
    text: str
    actor: str = "agent_sre"
    evidence: tuple[str, ...] = ()
    sequence: int = 0
    key: str = ""
