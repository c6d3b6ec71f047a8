"""Where slow requests spend their extra time, when traces are all that tells."""

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
