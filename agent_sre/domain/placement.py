"""Where an alert was put and why: the stored answer to "why was I not called?".

One placement stands for all messages of one alert in one incident: what put it there with the facts, what its latest
message came to, and how many messages came to what. Repetitions are counted, so it does not grow with their number.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Reason(StrEnum):
    """What became of one alert message, or of one alert."""

    OPENED = "opened"
    JOINED = "joined"
    CORRELATED = "correlated"
    CHILD = "child"
    STORM = "storm"
    REOPENED = "reopened"
    REPEATED = "repeated"
    FLAPPING = "flapping"
    RESOLVED = "resolved"
    RESOLVED_UNSEEN = "resolved_unseen"
    STALE = "stale"
    SUPPRESSED = "suppressed"
    LAPSED = "lapsed"
    MERGED = "merged"
    SPLIT = "split"

    @property
    def meaning(self) -> str:
        """What it means, for people; the documentation's table is made of these."""
        return _MEANINGS[self]

    @property
    def places(self) -> bool:
        """Whether it says why the alert is in its incident, and not only what a further message came to."""
        return self in _PLACING


_MEANINGS: Mapping[Reason, str] = {
    Reason.OPENED: "it opened an incident: nothing that it belongs to was known",
    Reason.JOINED: "it joined the incident of its group, or the one that it was in before",
    Reason.CORRELATED: "it joined an incident of another group, on the facts that are told",
    Reason.CHILD: "it opened an incident that is part of another one and waits for that one's end",
    Reason.STORM: "so many incidents were opened at once that it was gathered with others like it",
    Reason.REOPENED: "it reopened an incident that was resolved a short while ago",
    Reason.REPEATED: "it said nothing new: a reminder, or another Alertmanager peer; counted",
    Reason.FLAPPING: "it comes and goes; counted, without an investigation of each time",
    Reason.RESOLVED: "it is over",
    Reason.RESOLVED_UNSEEN: "it was over before any message that it fires; kept to recognise a late one",
    Reason.STALE: "a later word on the same alert had come before it; counted",
    Reason.SUPPRESSED: "maintenance, a silence or a graver alert speaks against acting upon it; kept and counted",
    Reason.LAPSED: "its source has not spoken of it for so long that it counts as over; nobody said that it is",
    Reason.MERGED: "a person merged its incident into this one",
    Reason.SPLIT: "a person split it off; correlation does not put it back",
}
_PLACING = frozenset(
    {
        Reason.OPENED,
        Reason.JOINED,
        Reason.CORRELATED,
        Reason.CHILD,
        Reason.STORM,
        Reason.REOPENED,
        Reason.RESOLVED_UNSEEN,
        Reason.MERGED,
        Reason.SPLIT,
    }
)


@dataclass(frozen=True, slots=True)
class Placement:
    """One alert in one incident. Times are UTC.

    ``reason``, ``sentence``, ``facts`` and ``stage`` say what put it there, at ``placed_at``; ``latest`` and
    ``latest_sentence`` what its latest message came to, at ``latest_at``. ``counts`` has the number of messages by
    reason, ``ends`` the latest moments at which it was over, ``expires_at`` when it counts as over without a word.
    """

    incident_id: str
    fingerprint: str
    name: str
    reason: Reason
    sentence: str
    stage: str
    placed_at: datetime
    latest: Reason
    latest_sentence: str
    latest_at: datetime
    facts: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    ends: tuple[datetime, ...] = ()
    expires_at: datetime | None = None

    @property
    def messages(self) -> int:
        """How many messages of the alert this incident has taken."""
        return sum(self.counts.values())


class BindingKind(StrEnum):
    """What is bound to an incident."""

    GROUP = "group"
    """A group key: whatever a source sends under it."""
    ALERT = "alert"
    """One alert, by fingerprint: a person decided, and no correlation undoes that."""


@dataclass(frozen=True, slots=True)
class Binding:
    """Later messages under this key go to this incident while it is active, or resolved a short while ago."""

    kind: BindingKind
    key: str
    incident_id: str
