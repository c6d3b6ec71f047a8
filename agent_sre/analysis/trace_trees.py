"""The case's traces as trees: each span with its parent and its children, worked out once for all who ask.

A case may hold a hundred thousand spans and a dozen analyzers look at each of them, so what they all need is kept in
lists beside ``spans`` rather than looked up again by each. Imports nothing of the analyzers, which all may import it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from agent_sre.analysis.casefile import CaseFile, per_case
from agent_sre.domain.telemetry import Span

Operation = tuple[str, str]
"""A service and the name of one of its operations."""
Key = tuple[str, str]
"""A trace's id and a span's."""


@dataclass(frozen=True, eq=False)
class Forest:
    """All spans of the case by place: children of each span, and its parent where it was seen."""

    brought: Mapping[str, Sequence[Span]]
    """By the observation that brought them."""
    spans: Sequence[Span]
    parents: Sequence[Span | None]
    """Of each of ``spans``, in their order."""
    below: Sequence[Sequence[Span]]
    """The children of each of ``spans``, in their order."""
    _by_id: Mapping[Key, Span]
    _children: Mapping[Key, Sequence[Span]]

    def of(self, span: Span) -> Sequence[Span]:
        """The span's children."""
        return self._children.get((span.trace_id, span.span_id), ())

    def parent(self, span: Span) -> Span | None:
        """The span's parent, where it was seen."""
        return self._by_id.get((span.trace_id, span.parent_id))

    def walk(self) -> Iterator[tuple[Span, Span | None, Sequence[Span]]]:
        """Every span with its parent and its children."""
        return zip(self.spans, self.parents, self.below, strict=True)

    @cached_property
    def by_service(self) -> Mapping[str, Sequence[Span]]:
        """The spans of each service, in their order."""
        found: dict[str, list[Span]] = defaultdict(list)
        for span in self.spans:
            found[span.service].append(span)
        return found

    @cached_property
    def seen_in(self) -> Mapping[str, str]:
        """The observation that brought each trace."""
        return {span.trace_id: observation for observation, spans in self.brought.items() for span in spans}

    @cached_property
    def _observations(self) -> Mapping[str, Counter[str]]:
        """How many spans of a service each observation brought."""
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for observation, spans in self.brought.items():
            for service, count in Counter(span.service for span in spans).items():
                found[service][observation] += count
        return found

    def observation(self, service: str) -> str:
        """The observation that shows most of a service's spans: what a figure about it cites."""
        return self._observations[service].most_common(1)[0][0]


def forest(brought: Mapping[str, Sequence[Span]]) -> Forest:
    """Index the spans that each observation brought. Of several with one id the last is the parent."""
    spans = [span for some in brought.values() for span in some]
    own = [(span.trace_id, span.span_id) for span in spans]
    above = [(span.trace_id, span.parent_id) for span in spans]
    by_id = dict(zip(own, spans, strict=True))
    children: dict[Key, list[Span]] = defaultdict(list)
    for key, span in zip(above, spans, strict=True):
        if key[1]:
            children[key].append(span)
    parents = [by_id.get(key) for key in above]
    return Forest(brought, spans, parents, [children.get(key, ()) for key in own], by_id, children)


@per_case
def trees_of(case: CaseFile) -> Forest:
    """The case's traces; built once. Its ``spans`` are empty where none were seen."""
    return forest({item.id: item.spans for item in case.observations.values() if item.spans})
