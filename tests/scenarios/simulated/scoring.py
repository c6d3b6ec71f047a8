"""How well the engine does on simulated incidents: right object at first and among five, right fault, false blame."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agent_sre.analysis.engine import analyze
from agent_sre.analysis.judge import judge
from agent_sre.domain.verdict import Verdict, VerdictStatus
from tests.scenarios.simulated.incidents import Simulated


@dataclass(frozen=True, slots=True)
class Mark:
    """One answer judged. ``place``: where the right object stands, from 1; 0 where it is not among the five."""

    setting: str
    fault: str
    seed: int
    place: int
    named: bool
    said: str
    blamed: bool
    """Whether a fault was concluded where there is none."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares over some marks. ``blamed`` counts incidents without a fault only."""

    cases: int
    at_1: float
    avg_5: float
    fault: float
    blamed: float


def mark(item: Simulated) -> Mark:
    """Let the engine answer and judge the answer."""
    verdict = judge(item.case, analyze(item.case))
    names: list[str] = []
    for hypothesis in verdict.hypotheses:
        if hypothesis.object.name not in names:
            names.append(hypothesis.object.name)
    place = next((at for at, name in enumerate(names, start=1) if name in item.truth.objects), 0)
    first = verdict.hypotheses[0] if verdict.hypotheses else None
    said = f"{first.fault} at {first.object.name} {first.confidence:.2f}" if first is not None else "nothing"
    named = place == 1 and first is not None and first.fault in item.truth.faults
    return Mark(item.setting, item.fault, item.seed, place, named, said, _blames(verdict, item))


def _blames(verdict: Verdict, item: Simulated) -> bool:
    concluded = verdict.status is VerdictStatus.CONCLUSIVE
    return not item.truth.faults and concluded and verdict.hypotheses[0].fault != "traffic_surge"


def rates(marks: Iterable[Mark]) -> Rates:
    """Shares over these marks."""
    every = list(marks)
    guilty = [item for item in every if item.fault not in ("nothing", "mild_load")]
    quiet = [item for item in every if item.fault in ("nothing", "mild_load")]
    count = max(len(guilty), 1)
    return Rates(
        cases=len(every),
        at_1=sum(item.place == 1 for item in guilty) / count,
        avg_5=sum((6 - item.place) / 5 for item in guilty if item.place) / count,
        fault=sum(item.named for item in guilty) / count,
        blamed=sum(item.blamed for item in quiet) / max(len(quiet), 1),
    )


def grouped(marks: Iterable[Mark], by: str) -> Mapping[str, Rates]:
    """Rates by "setting" or "fault"."""
    groups: dict[str, list[Mark]] = defaultdict(list)
    for item in marks:
        groups[getattr(item, by)].append(item)
    return {name: rates(found) for name, found in groups.items()}
