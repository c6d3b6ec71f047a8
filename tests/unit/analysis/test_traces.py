"""Where errors begin, which code ends early, and calls made over and over."""

from agent_sre.analysis.traces import trace_findings
from tests.scenarios.telemetry_case import Incident


def found(incident: Incident) -> list[tuple[str, str]]:
    return [(item.fault, item.object.name) for item in trace_findings(incident.case())]


def requests(incident: Incident, minutes: range, ends_early: bool) -> None:
    """A request a half minute: gate calls basil, which calls mint unless it ends early."""
    for step in minutes:
        trace = f"t{step}"
        incident.span("gate", "GET /", step / 2, (trace, "a", ""))
        incident.span("basil", "Order", step / 2, (trace, "b", "a"))
        if not (ends_early and step % 2):
            incident.span("mint", "Leaf", step / 2, (trace, "c", "b"))


def test_code_that_no_longer_calls_on_ends_early() -> None:
    incident = Incident().alert("ErrorRateHigh", "gate", "gate fails").latency("gate", 10, 10)
    requests(incident, range(-100, 0), ends_early=False)
    for copy in range(8):
        for step in range(1, 14):
            trace = f"s{copy}-{step}"
            incident.span("gate", "GET /", step / 2, (trace, "a", ""))
            incident.span("basil", "Order", step / 2, (trace, "b", "a"))
            if step % 2:
                incident.span("mint", "Leaf", step / 2, (trace, "c", "b"))
    assert ("unhandled_exception", "basil") in found(incident)
    assert all(name != "gate" for _, name in found(incident))


def test_the_deepest_failed_span_is_the_origin() -> None:
    incident = Incident().alert("ErrorRateHigh", "gate", "gate fails")
    requests(incident, range(-20, 0), ends_early=False)
    incident.span("gate", "GET /", 1, ("x", "a", ""), error="upstream failed")
    incident.span("basil", "Order", 1, ("x", "b", "a"), error="upstream failed")
    incident.span("mint", "Leaf", 1, ("x", "c", "b"), error="index out of range")
    assert found(incident) == [("unhandled_exception", "mint")]


def test_a_call_that_its_caller_gave_up_weighs_little() -> None:
    incident = Incident().alert("ErrorRateHigh", "gate", "gate fails")
    requests(incident, range(-20, 0), ends_early=False)
    incident.span("mint", "Leaf", 1, ("x", "c", ""), error="context canceled")
    (finding,) = trace_findings(incident.case())
    assert finding.strength <= 0.2


def test_the_same_call_many_times_in_one_request() -> None:
    incident = Incident().alert("LatencyHigh", "gate", "gate is slow")
    requests(incident, range(-20, 0), ends_early=False)
    incident.span("basil", "Order", 1, ("x", "b", ""))
    for number in range(30):
        incident.span("mint", "Leaf", 1, ("x", f"c{number}", "b"))
    assert found(incident) == [("n_plus_one_queries", "basil")]


def test_healthy_traces_say_nothing() -> None:
    incident = Incident().alert("LatencyHigh", "gate", "gate is slow")
    requests(incident, range(-100, 14), ends_early=False)
    assert found(incident) == []
