"""A ranked cause with the evidence it cites: what a person reads."""

from dataclasses import dataclass

from agent_sre.domain.reference import ObjectRef


@dataclass(frozen=True, slots=True)
class Prediction:
    """Something that must be so if the cause is right, and what was found when it was looked for.

    ``outcome`` is "holds", "fails" or "unseen"; ``evidence`` are the ids that show it, ``missing`` says what would have
    had to be there to see, "" where it was seen.
    """

    says: str
    outcome: str
    evidence: tuple[str, ...] = ()
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One cause. ``evidence`` and ``against`` are evidence ids; ``confidence`` in 0..1 is meant as a hit rate.

    ``predictions`` were checked besides what the cause was found by. ``distinguish`` is the next cheapest query that
    would tell it from its strongest rival, as a command that can be run as it is.
    """

    rank: int
    fault: str
    object: ObjectRef
    confidence: float
    statement: str
    evidence: tuple[str, ...]
    against: tuple[str, ...] = ()
    change: str | None = None
    distinguish: str = ""
    predictions: tuple[Prediction, ...] = ()
