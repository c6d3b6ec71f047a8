"""The values that pass through the intake pipeline: one message on its way, and what was decided about it.

A stage is a pure function from one ``Step`` to the next, each in a file of its own; ``pipeline.STAGES`` is their order.
Every decision carries its reason and a sentence, because the timeline and whoever asks "why was I not called?" read it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from agent_sre.domain.alert import Alert, AlertStatus
from agent_sre.domain.incident import Incident, IncidentStatus
from agent_sre.domain.placement import Placement, Reason
from agent_sre.ingest.known import Known

__all__ = ["Decision", "Match", "Novelty", "Reason", "Step"]


class Novelty(StrEnum):
    """How a message stands to the last word on the same alert."""

    FIRST = "first"
    """It fires and nothing was known of it."""
    AGAIN = "again"
    """It fires anew, after a resolve or with a later start."""
    REPEAT = "repeat"
    """The same word once more: a reminder, or another Alertmanager peer."""
    RESOLVE = "resolve"
    """It fired and is over."""
    UNSEEN = "unseen"
    """It is over and nothing was known of it."""
    STALE = "stale"
    """A later word is known already."""


@dataclass(frozen=True, slots=True)
class Match:
    """An incident that a new alert belongs to although it is none of its group: how, and on which facts.

    ``reason`` is CORRELATED, CHILD or STORM. ``storm`` says what a storm incident that must be opened gathers by.
    """

    incident: Incident | None
    reason: Reason
    sentence: str
    facts: tuple[str, ...] = ()
    storm: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """One message, why it went where it went, and that in a sentence."""

    alert: Alert
    incident_id: str
    reason: Reason
    sentence: str
    stage: str = "attach"
    facts: tuple[str, ...] = ()
    suppressed: Reason | None = None
    """What it would have come to, where it is suppressed."""

    @property
    def attached(self) -> Reason:
        """How it was attached, suppressed or not."""
        return self.suppressed or self.reason


@dataclass(frozen=True, slots=True)
class Step:
    """One message on its way: ``group`` fills the key, ``deduplicate`` the novelty, ``locate`` the incident that is
    known for it, ``correlate`` the match where none is, ``attach`` the rest; ``suppress`` may replace the decision."""

    alert: Alert
    now: datetime
    new_id: Callable[[], str]
    known: Known
    group_key: str = ""
    novelty: Novelty = Novelty.FIRST
    found: Incident | None = None
    pinned: bool = False
    match: Match | None = None
    incident: Incident | None = None
    decision: Decision | None = None

    @property
    def last_word(self) -> Alert | None:
        """The last word on the same alert, where one is known."""
        word = self.known.words.get(self.alert.fingerprint)
        return word.alert if word else None

    @property
    def placement(self) -> Placement | None:
        """Where the alert is by now, where that is the incident found."""
        word = self.known.words.get(self.alert.fingerprint)
        return word.placement if word and self.found and word.incident_id == self.found.id else None

    @property
    def fires_anew(self) -> bool:
        """Whether it fires, and not as a mere repetition."""
        return self.novelty in (Novelty.FIRST, Novelty.AGAIN)

    @property
    def news(self) -> bool:
        """Whether firing contradicts that the incident found is over.

        An alert whose resolve is known, or that nothing is known of, fires for a reason of its own. One that never
        stopped firing says nothing new to an incident that was ended without it, unless it started again after that.
        """
        last = self.last_word
        if self.found is None or last is None or last.status is AlertStatus.RESOLVED:
            return True
        return self.alert.speaks_of > end_of(self.found)

    @property
    def reopens(self) -> bool:
        """Whether the incident found, which is over, is the one to reopen: not closed, and not over for too long."""
        if self.found is None or self.found.status is IncidentStatus.CLOSED:
            return False
        return self.alert.speaks_of - end_of(self.found) <= self.known.windows.reopen

    @property
    def homeless(self) -> bool:
        """Whether it fires anew and no incident that is known for it can take it."""
        if not self.fires_anew:
            return False
        return self.found is None or (not self.found.active and self.news and not self.reopens)


def end_of(incident: Incident) -> datetime:
    """When an incident that is over ended."""
    return incident.resolved_at or incident.updated_at
