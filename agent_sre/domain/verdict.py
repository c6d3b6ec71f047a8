"""The outcome of one investigation: what is answered, shown and stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from agent_sre.domain.evidence import Evidence, Gap
from agent_sre.domain.hypothesis import Hypothesis
from agent_sre.domain.reference import Window


class VerdictStatus(StrEnum):
    """Whether something decisive was found. Inconclusive, with what was ruled out and not seen, is a good answer."""

    CONCLUSIVE = "conclusive"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class RuledOut:
    """A cause that was tested and is not it, and why."""

    what: str
    why: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exhaustion:
    """Something that runs out in about so many ``minutes`` if it goes on as now; ``says`` has the figures."""

    what: str
    minutes: float
    says: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Impact:
    """Who is hit since when, as far as evidence shows; ``since`` is RFC 3339 or "".

    ``failing`` is the share (0..1) of the worst hit service's requests that fail now, ``burn`` how many times as fast
    as its objective allows that spends its error budget; None where it is not known. ``running_out`` has the
    soonest first.
    """

    services: tuple[str, ...] = ()
    since: str = ""
    summary: str = ""
    evidence: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    failing: float | None = None
    burn: float | None = None
    running_out: tuple[Exhaustion, ...] = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened, as the ``evidence`` (ids) shows it: an alert, change, event, onset or error (``kind``).

    ``time`` is when it began, UTC; ``actor`` who did it or who says so. A note tells what was left out and cites none.
    """

    time: datetime
    kind: str
    text: str
    evidence: tuple[str, ...] = ()
    actor: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a model cost; zero for the deterministic engine."""

    llm_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float = 0.0


@dataclass(frozen=True, slots=True)
class Question:
    """What an investigation looked at: as of which moment, which window (UTC), which namespaces."""

    now: datetime
    window: Window
    namespaces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The whole answer. ``seconds`` maps a stage (gather, analyze, ...) to the seconds it took; ``story`` is what
    happened, oldest first.

    ``question`` is kept so that the investigation can be replayed; None in answers of earlier versions.
    """

    status: VerdictStatus
    hypotheses: tuple[Hypothesis, ...]
    evidence: tuple[Evidence, ...]
    gaps: tuple[Gap, ...]
    ruled_out: tuple[RuledOut, ...] = ()
    impact: Impact = field(default_factory=Impact)
    engine: str = "deterministic"
    cost: Cost = field(default_factory=Cost)
    seconds: Mapping[str, float] = field(default_factory=dict)
    story: tuple[Moment, ...] = ()
    question: Question | None = None

    def evidence_by_id(self) -> dict[str, Evidence]:
        """Evidence keyed by its id."""
        return {item.id: item for item in self.evidence}
