"""Time lost between the caller's span of a call and the callee's: whose network, or which node's."""

from agent_sre.analysis.network import network_delay
from tests.scenarios.telemetry_case import Incident


def calls(incident: Incident, callee: str, lost: float, *, served: float = 0.02, now: float = 0.02) -> Incident:
    """gate calls a callee twice a minute; since the fault ``lost`` seconds get lost, and it takes ``now``."""
    for step in range(-40, 16):
        late, took = (lost, now) if step > 0 else (0.0, served)
        trace, at = f"{callee}{step}", step / 2
        incident.span("gate", "GET /", at, (trace, "a", ""), seconds=0.03 + took + late)
        incident.span("gate", f"call {callee}", at, (trace, "b", "a"), seconds=0.004 + took + late)
        incident.span(callee, "Get", at, (trace, "c", "b"), seconds=took)
    return incident


def found(incident: Incident) -> dict[str, str]:
    return {item.object.name: item.fault for item in network_delay(incident.case())}


def slow(*lost: tuple[str, float]) -> Incident:
    incident = Incident().alert("LatencyHigh", "gate", "gate is slow")
    for callee, seconds in lost:
        calls(incident, callee, seconds)
    return incident


def test_the_callee_whose_calls_alone_lose_time() -> None:
    assert found(slow(("basil", 0.3), ("mint", 0.0))) == {"basil": "pod_network_delay"}


def test_the_caller_all_of_whose_calls_lose_time() -> None:
    assert found(slow(("basil", 0.3), ("mint", 0.3))) == {"gate": "pod_network_delay"}


def test_a_callee_that_takes_longer_itself_loses_nothing_on_the_way() -> None:
    assert found(calls(slow(("mint", 0.0)), "basil", 0.05, now=0.6)) == {}


def test_a_span_that_may_hold_the_caller_s_own_work_is_no_side_of_a_call() -> None:
    incident = slow(("mint", 0.0))
    for step in range(-40, 16):
        took = 0.5 if step > 0 else 0.05
        incident.span("gate", "GET /sage", step / 2, (f"s{step}", "a", ""), seconds=took)
        incident.span("sage", "Get", step / 2, (f"s{step}", "b", "a"), seconds=0.02)
    assert found(incident) == {}


def test_the_node_that_slow_calls_of_several_have_in_common() -> None:
    incident = slow(("basil", 0.3), ("sage", 0.3), ("mint", 0.0), ("dill", 0.0), ("thyme", 0.0))
    homes = {"gate": "one", "mint": "one", "basil": "two", "sage": "two", "dill": "three", "thyme": "three"}
    for name, node in homes.items():
        incident.pod(name, node)
    named = found(incident)
    assert named["two"] == "node_network_delay"
    first = incident.verdict().hypotheses[0]
    assert (first.fault, first.object.name) == ("node_network_delay", "two")
