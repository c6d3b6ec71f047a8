"""The critical path of a trace: which spans the whole request really waited for, and how long for each itself.

A request is as slow as the chain of work that ends last. Going back from its end, the child that ended last was waited
for until it began; before that, the child that had ended by then; what lies between is the span's own time (Zhang et
al., "CRISP: Critical Path Analysis of Large-Scale Microservice Architectures", USENIX ATC 2022). So of calls made side
by side only the longest counts, and the own times of a path add up to the length of the request. Children are cut to
their parent's bounds, since hosts' clocks differ and some calls are not waited for. Called by ``trace_times`` and
``slow_requests``.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from agent_sre.analysis.trace_trees import Forest
from agent_sre.domain.telemetry import Span


@dataclass(frozen=True, slots=True)
class Step:
    """A span on the path, and the seconds in which the request waited for the span itself."""

    span: Span
    own: float


def critical_path(trees: Forest, root: Span) -> list[Step]:
    """The path from the root on, by the time the spans began. Own times add up to the root's length."""
    steps, todo, seen = [], [(root, root.start, root.end)], {root.span_id}
    while todo:
        span, start, end = todo.pop()
        at, own = end, 0.0
        for child, begins, ends in _waited_for(trees, span, start, end):
            if child.span_id not in seen and ends <= at:
                seen.add(child.span_id)
                own += at - ends
                todo.append((child, begins, ends))
                at = begins
        steps.append(Step(span, own + at - start))
    return sorted(steps, key=lambda step: (step.span.start, -step.span.end))


def _waited_for(trees: Forest, span: Span, start: float, end: float) -> Iterator[tuple[Span, float, float]]:
    """The children that ended last before each other, the last first, within these bounds."""
    at = end
    for child in sorted(trees.of(span), key=lambda child: (-child.end, child.start)):
        begins, ends = max(child.start, start), min(child.end, at)
        if begins < ends:
            yield child, begins, ends
            at = begins
