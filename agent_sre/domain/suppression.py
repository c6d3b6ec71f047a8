"""Why an alert is not acted upon although it fires: maintenance, somebody's silence, or a graver alert."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from agent_sre.domain.matcher import Matcher

OWN_SILENCE = "agent_sre looks after"
"""How the comment of a silence of ours begins. It keeps Alertmanager quiet about what we were told already, and must
not keep us from looking into it."""


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence of an Alertmanager: alerts that all ``matchers`` match are muted from ``starts_at`` to ``ends_at``."""

    id: str
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    author: str
    comment: str

    def active(self, now: datetime) -> bool:
        """Whether it is in force at ``now`` (UTC)."""
        return self.starts_at <= now < self.ends_at


@dataclass(frozen=True, slots=True)
class InhibitRule:
    """While an alert that ``source`` matches fires, those that ``target`` matches are suppressed.

    Only where both have the same values for all labels of ``equal``; a label that neither has is equal.
    """

    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...]
    name: str = ""


class Suppressor(StrEnum):
    """What suppresses."""

    MAINTENANCE = "maintenance"
    SILENCE = "silence"
    INHIBITION = "inhibition"


@dataclass(frozen=True, slots=True)
class Suppression:
    """Why one alert is suppressed. ``cause`` is the window's, silence's or graver alert's id.

    ``sentence`` follows the alert's name: "suppressed by ...". ``until`` (UTC) is None where no end is known.
    """

    by: Suppressor
    cause: str
    sentence: str
    until: datetime | None
