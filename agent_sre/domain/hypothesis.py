"""A ranked cause with the evidence it cites: what a person reads."""

from dataclasses import dataclass

from agent_sre.domain.reference import ObjectRef


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One cause. ``evidence`` and ``against`` are evidence ids; ``confidence`` in 0..1 is meant as a hit rate."""

    rank: int
    fault: str
    object: ObjectRef
    confidence: float
    statement: str
    evidence: tuple[str, ...]
    against: tuple[str, ...] = ()
    change: str | None = None
    distinguish: str = ""
