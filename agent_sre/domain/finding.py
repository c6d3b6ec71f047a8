"""What an analyzer judged: a possible cause with the facts for and against it."""

from dataclasses import dataclass
from datetime import datetime

from agent_sre.domain.reference import ObjectRef


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that was seen, as a sentence, with where it was seen.

    ``observation`` is the id of the observation, ``excerpt`` the part of it that shows the fact: every number and every
    quoted word of ``text`` occurs in it, which ``analysis.grounding`` checks. ``time`` is when it happened, UTC.
    """

    text: str
    observation: str
    excerpt: str
    time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A possible cause: a fault type at an object.

    ``strength`` in 0..1 says how far the facts alone prove the cause (1: the system itself says so in words and the
    specification agrees; 0.5: typical, other causes look alike; 0.2: a hint). ``symptom_of`` names objects whose
    trouble this cause would explain. ``distinguish`` is the next cheapest query that would confirm or refute it.
    """

    analyzer: str
    fault: str
    object: ObjectRef
    strength: float
    statement: str
    facts: tuple[Fact, ...]
    against: tuple[Fact, ...] = ()
    change: str | None = None
    onset: datetime | None = None
    explains: tuple[ObjectRef, ...] = ()
    distinguish: str = ""
