"""The values that pass through the intake pipeline: one message on its way, and what was decided about it.

A stage is a pure function from one ``Step`` to the next, each in a file of its own; ``pipeline.STAGES`` is their order.
Every decision carries its reason and a sentence, because the timeline and whoever asks "why was I not called?" read it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from agent_sre.domain.alert import Alert
from agent_sre.domain.incident import Incident
from agent_sre.ingest.suppressors import NOTHING, Suppressors


class Reason(StrEnum):
    """What became of one alert message."""

    OPENED = "opened"
    JOINED = "joined"
    REOPENED = "reopened"
    REPEATED = "repeated"
    RESOLVED = "resolved"
    RESOLVED_UNSEEN = "resolved_unseen"
    STALE = "stale"
    SUPPRESSED = "suppressed"


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
class Decision:
    """One message, why it went where it went, and that in a sentence."""

    alert: Alert
    incident_id: str
    reason: Reason
    sentence: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known under one group key: the newest incident, and the last word on each of its alerts."""

    incident: Incident
    words: Mapping[str, Alert]
    """By fingerprint."""


@dataclass(frozen=True, slots=True)
class Step:
    """One message on its way: ``group`` fills the key, ``deduplicate`` the novelty, ``attach`` the rest."""

    alert: Alert
    now: datetime
    new_id: Callable[[], str]
    standings: Mapping[str, Standing]
    suppressors: Suppressors = NOTHING
    group_key: str = ""
    novelty: Novelty = Novelty.FIRST
    incident: Incident | None = None
    decision: Decision | None = None

    @property
    def standing(self) -> Standing | None:
        """What is known under the message's group key, once it has one."""
        return self.standings.get(self.group_key)

    @property
    def last_word(self) -> Alert | None:
        """The last word on the same alert, where one is known."""
        return self.standing.words.get(self.alert.fingerprint) if self.standing else None
