"""A slow request to open: by the exemplar of the workload's own metric, since the incident, with proof."""

from agent_sre.analysis.casefile import CaseFile
from agent_sre.analysis.grounding import stands
from agent_sre.analysis.slow_requests import slow_request_facts
from agent_sre.domain.evidence import Observation
from agent_sre.domain.telemetry import Exemplar
from tests.scenarios.telemetry_case import FAULT, Incident

METRIC = "took_seconds"


def case_with(*exemplars: tuple[str, str, float, float]) -> CaseFile:
    """Exemplars by workload, trace, seconds and minute after the fault."""
    incident = Incident().alert("LatencyHigh", "mint").latency("mint", 20, 300)
    case = incident.signal(METRIC, "latency", "seconds", app="workload").case()
    found = tuple(
        Exemplar(f"{METRIC}_bucket", {"app": app, "le": "5"}, trace, value, FAULT.timestamp() + 60 * minute)
        for app, trace, value, minute in exemplars
    )
    kept = Observation("metrics_exemplars/1", "metrics_exemplars", "metrics", METRIC, case.now, exemplars=found)
    return CaseFile(
        now=case.now, window=case.window, namespaces=case.namespaces, alerts=case.alerts, signals=case.signals,
        observations=(*case.observations.values(), kept),
    )  # fmt: skip


def test_the_slowest_request_to_the_workload_since_the_incident_is_linked() -> None:
    case = case_with(
        ("mint", "4bf92f35", 1.2, 3), ("mint", "00f067aa", 2.5, 4), ("mint", "a3ce929d", 9.0, -30),
        ("basil", "e736b0d1", 9.0, 4),
    )  # fmt: skip
    (told,) = slow_request_facts(case, "mint")
    assert told.text == "A slow request to mint: trace 00f067aa took 2.5 seconds"
    assert stands(told, case)


def test_nothing_is_linked_where_no_exemplar_is_of_the_workload() -> None:
    assert slow_request_facts(case_with(("basil", "e736b0d1", 9.0, 4)), "mint") == []
