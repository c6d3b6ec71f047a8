"""Where slow requests spend their extra time, when traces are all that tells."""

from agent_sre.analysis.grounding import stands
from agent_sre.analysis.trace_times import slow_operations
from tests.scenarios.telemetry_case import Incident


def requests(incident: Incident, minutes: range, gate: float, basil: float, mint: float) -> Incident:
    """A request a half minute down a chain of three, with the seconds each span takes."""
    for step in minutes:
        trace = f"t{step}"
        incident.span("gate", "GET /", step / 2, (trace, "a", ""), seconds=gate)
        incident.span("basil", "Order", step / 2, (trace, "b", "a"), seconds=basil)
        incident.span("mint", "Leaf", step / 2, (trace, "c", "b"), seconds=mint)
    return incident


def slow(gate: float, basil: float, mint: float) -> Incident:
    """Requests that took 0.05, 0.04 and 0.01 seconds, and take the given ones since the incident."""
    usual = requests(Incident().alert("LatencyHigh", "gate", "gate is slow"), range(-60, 0), 0.05, 0.04, 0.01)
    return requests(usual, range(1, 15), gate, basil, mint)


def found(incident: Incident) -> list[str]:
    return [item.object.name for item in slow_operations(incident.case())]


def test_the_service_that_takes_longer_itself_is_named() -> None:
    assert found(slow(1.01, 1.0, 0.01)) == ["basil"]
    assert found(slow(1.02, 1.01, 0.98)) == ["mint"]


def test_nobody_is_named_where_nothing_grew_or_everybody_a_little() -> None:
    assert found(slow(0.05, 0.04, 0.01)) == []
    assert found(slow(0.45, 0.30, 0.15)) == []


def test_measured_latency_is_left_to_the_metrics() -> None:
    assert found(slow(1.01, 1.0, 0.01).latency("gate", 50, 1010)) == []


def test_of_calls_made_side_by_side_only_the_one_that_is_waited_for_counts() -> None:
    incident = Incident().alert("LatencyHigh", "gate", "gate is slow")
    for step in [*range(-60, 0), *range(1, 15)]:
        ids, late = f"t{step}", step > 0
        incident.span("gate", "GET /", step / 2, (ids, "a", ""), seconds=1.0 if late else 0.5)
        incident.span("basil", "Order", step / 2, (ids, "b", "a"), seconds=0.99 if late else 0.49)
        incident.span("mint", "Leaf", step / 2, (ids, "c", "a"), seconds=0.9 if late else 0.01)
    assert found(incident) == ["basil"], "mint grew by more, but nobody waits for it"


def test_a_slow_trace_is_shown_with_its_critical_path() -> None:
    case = slow(1.01, 1.0, 0.01).case()
    (finding,) = slow_operations(case)
    told = finding.facts[-1]
    assert told.text.startswith("Trace t") and "of 1010 ms for Order of basil itself" in told.text
    assert "critical path gate > basil" in told.excerpt
    assert stands(told, case)
