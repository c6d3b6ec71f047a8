"""The own times of a critical path add up to the request, whatever the shape of the trace."""

from hypothesis import given, strategies as st

from agent_sre.analysis.critical_path import critical_path
from agent_sre.analysis.trace_trees import forest
from agent_sre.domain.telemetry import Span

SPANS = st.lists(st.tuples(st.integers(0, 12), st.integers(-5, 110), st.integers(0, 60)), max_size=14)


@given(SPANS)
def test_own_times_add_up_and_no_span_is_on_the_path_twice(drawn: list[tuple[int, int, int]]) -> None:
    root = Span("t", "0", "", "gate", "GET", 0.0, 100.0, False, {})
    spans = [root] + [
        Span("t", str(number), str(parent), f"s{number}", "call", float(start), float(start + length), False, {})
        for number, (parent, start, length) in enumerate(drawn, 1)
    ]
    steps = critical_path(forest({"traces/1": spans}), root)
    assert abs(sum(step.own for step in steps) - 100.0) < 1e-6
    assert all(step.own >= 0 for step in steps)
    names = [step.span.span_id for step in steps]
    assert len(names) == len(set(names))
