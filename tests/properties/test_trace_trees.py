"""What is kept beside each span is what a look among all spans finds, whatever ids they have."""

from hypothesis import given, strategies as st

from agent_sre.analysis.trace_trees import forest
from agent_sre.domain.telemetry import Span

IDS = st.sampled_from(["", "1", "2", "3", "4"])
SPANS = st.lists(st.builds(
    Span, trace_id=st.sampled_from(["t", "u"]), span_id=IDS, parent_id=IDS, service=st.sampled_from(["gate", "cart"]),
    name=st.just("GET"), start=st.just(0.0), end=st.just(1.0), error=st.just(False), attributes=st.just({}),
), max_size=12)  # fmt: skip


@given(SPANS, SPANS)
def test_parents_and_children_are_those_of_the_same_trace(first: list[Span], second: list[Span]) -> None:
    spans = [*first, *second]
    trees = forest({"traces/1": first, "traces/2": second})
    assert list(trees.spans) == spans
    for span, parent, below in trees.walk():
        same = [other for other in spans if other.trace_id == span.trace_id]
        above = [other for other in same if other.span_id == span.parent_id]
        assert parent is (above[-1] if above else None)
        assert list(below) == [other for other in same if other.parent_id and other.parent_id == span.span_id]
        assert (trees.parent(span), list(trees.of(span))) == (parent, list(below))
    for service, found in trees.by_service.items():
        assert list(found) == [span for span in spans if span.service == service]
        most = trees.observation(service)
        counts = {name: sum(span.service == service for span in some) for name, some in trees.brought.items()}
        assert counts[most] == max(counts.values())
