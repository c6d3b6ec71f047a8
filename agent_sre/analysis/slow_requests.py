"""One slow request of a workload to open: the exemplar that its metrics name, and where that trace's time went.

A figure says that requests are slow; a person believes it when shown one. Metrics link to traces by exemplars, and
where the trace itself was read, its critical path says which span the request waited for. These facts illustrate and
prove nothing about all requests, so no strength depends on them. Called by ``origin`` and ``trace_times``.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from agent_sre.analysis.casefile import CaseFile, per_case
from agent_sre.analysis.critical_path import critical_path
from agent_sre.analysis.departures import clock, incident_start, number
from agent_sre.analysis.signals import entity_of
from agent_sre.analysis.trace_trees import trees_of
from agent_sre.domain.finding import Fact
from agent_sre.domain.telemetry import Exemplar, Span

_SHOWN = 5
"""Services of a path that are named."""


@dataclass(frozen=True, slots=True)
class _Slow:
    exemplar: Exemplar
    unit: str
    observation: str


def slow_request_facts(case: CaseFile, name: str) -> list[Fact]:
    """The slowest known request to a workload since the incident began, and its critical path; empty where none is."""
    found = _by_workload(case).get(name)
    facts = [] if found is None else [_told(found, name)]
    root = _slowest(case, name, found.exemplar.trace_id if found is not None else "")
    return [*facts, *([path_fact(case, root)] if root is not None else [])]


def path_fact(case: CaseFile, root: Span) -> Fact:
    """What a trace's whole request waited for most, and along which services."""
    steps = critical_path(trees_of(case), root)
    most = max(steps, key=lambda step: step.own)
    services = list(dict.fromkeys(step.span.service for step in steps))
    chain = " > ".join(services[:_SHOWN]) + (f" and {len(services) - _SHOWN} more" if len(services) > _SHOWN else "")
    own, whole = number(1000 * most.own), number(1000 * (root.end - root.start))
    text = f"Trace {root.trace_id} waits {own} of {whole} ms for {most.span.name} of {most.span.service} itself"
    shown = f"{clock(root.start)} {text}; critical path {chain}, span {most.span.span_id}"
    return Fact(text, trees_of(case).seen_in[root.trace_id], shown)


@per_case
def _by_workload(case: CaseFile) -> dict[str, _Slow]:
    """The slowest exemplar of each workload since the incident began."""
    found: dict[str, _Slow] = {}
    start = incident_start(case)
    for seen in case.observations.values():
        for item in seen.exemplars:
            entity, unit = entity_of(case, item.metric, item.labels)
            if entity is None or item.time < start:
                continue
            known = found.get(entity.name)
            if known is None or item.value > known.exemplar.value:
                found[entity.name] = _Slow(item, unit, seen.id)
    return found


@per_case
def _roots(case: CaseFile) -> list[Span]:
    trees = trees_of(case)
    return [span for span, parent, _ in trees.walk() if parent is None]


def _told(found: _Slow, name: str) -> Fact:
    item = found.exemplar
    text = f"A slow request to {name}: trace {item.trace_id} took {number(item.value)} {found.unit}"
    return Fact(text, found.observation, f"{item} at {clock(item.time)}; {text}")


def _slowest(case: CaseFile, name: str, trace_id: str) -> Span | None:
    """The root of this trace where it was read, else that of the slowest trace through the workload lately."""
    trees, start = trees_of(case), incident_start(case)
    roots = _roots(case)
    same = [span for span in roots if trace_id and span.trace_id == trace_id]
    through = {span.trace_id for span in trees.by_service.get(name, ()) if span.start >= start}
    candidates: Iterable[Span] = same or (span for span in roots if span.trace_id in through and span.start >= start)
    return max(candidates, key=lambda span: (span.end - span.start, span.trace_id), default=None)
